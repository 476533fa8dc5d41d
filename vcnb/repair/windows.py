"""Which ten to twenty seconds of a long recording are its best."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, overload

import numpy as np
import numpy.typing as npt

from vcnb.audio.clip import Clip, Segment
from vcnb.audio.load import Loadable, load
from vcnb.audio.streaming import Streamed
from vcnb.errors import CancelledError, ClipError, visible
from vcnb.measure.speaker import speaker_embeddings
from vcnb.measure.speech import speech_activity

from .picking import Window, burden, rank, search
from .survey import survey

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

__all__ = ["Windows", "best_window"]

WANTED, BATCH, TRIES = 3, 3, 12  # clean stretches, fetched at once, listened to at most
LISTENED = 0.75  # share of the work that reading is, for the progress
SAME_SPEAKER = 0.75  # cosine of a stretch and the main speaker; ours, from one voice's halves
STRANGER = 0.55  # cosine of 1.6 s of it: under this another voice cuts in; ours
SECOND = 100  # frames of 10 ms


@dataclass(frozen=True, eq=False, repr=False)
class Windows(Sequence[Window]):
    """The best stretches of a recording, the best first.

    Parameters
    ----------
    name : str
        The recording.
    duration : float
        Its length in seconds.
    candidates : tuple of Window
        Each can be played: ``windows[0].clip``.
    level_db : np.ndarray [shape=(n,)]
        Level of each second, for the picture.
    """

    name: str
    duration: float
    candidates: tuple[Window, ...]
    level_db: npt.NDArray[np.float32]

    @property
    def best(self) -> Window:
        """The first of them."""
        return self.candidates[0]

    @overload
    def __getitem__(self, at: int) -> Window: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Window]: ...
    def __getitem__(self, at: int | slice) -> Window | Sequence[Window]:
        return self.candidates[at]

    def __len__(self) -> int:
        return len(self.candidates)

    def to_frame(self) -> pd.DataFrame:
        """Give them as a table, one row a stretch."""
        import pandas as pd

        rows = [
            {
                "start": each.start,
                "end": each.end,
                "duration": each.end - each.start,
                "score": each.score,
                "verdict": each.report.verdict,
                "snr_db": round(each.snr_db, 1),
                "similarity": round(each.similarity, 3),
                "against": ", ".join(f.check for f in each.report.findings if f.verdict in ("warn", "fail")),
            }
            for each in self.candidates
        ]
        return pd.DataFrame(rows, index=pd.RangeIndex(1, len(rows) + 1, name="window"))

    def plot(self) -> Figure:
        """Draw the recording's level over time with the stretches on it.

        Returns
        -------
        matplotlib.figure.Figure
            Of pyplot, so that `plt.show()` shows it.
        """
        import matplotlib.pyplot as plt

        from .timeline import SIZE, draw

        figure: Figure = plt.figure(figsize=SIZE, layout="constrained")
        draw(figure, self)
        return figure

    def _repr_html_(self) -> str:
        from .timeline import as_html

        return visible(as_html(self))

    def __repr__(self) -> str:
        lines = [f"<Windows of {self.name!r}, {self.duration:.0f} s: {len(self)} candidates>"]
        return "\n".join([*lines, *(f"  {at}  {each!r}" for at, each in enumerate(self.candidates, 1))])


def best_window(
    path: Loadable,
    *,
    progress: Callable[[str, float | None], None] | None = None,
    cancel: threading.Event | None = None,
) -> Windows:
    """Find the best 10 to 20 seconds of a recording of any length.

    The file is streamed: first where somebody speaks, how loud the room is and where it clips; then the most promising
    stretches are diagnosed in full, and their speakers compared, as long as none is clean.

    Parameters
    ----------
    path : path, or what else `vcnb.load` takes
        The recording; an hour in a file takes about half a minute and no more than 400 MB. All else is held in memory,
        and may last ten minutes.
    progress : callable, optional
        Called with a sentence and a share (0 to 1). Not given: a progress bar, where it takes more than a second.
    cancel : threading.Event, optional
        Looked at all the time.

    Returns
    -------
    Windows
        The best first, each with its score, its diagnosis and its sound. They can be worse than a pass: where the whole
        recording is noisy, the least noisy stretch is still noisy.

    Raises
    ------
    ClipError
        If it cannot be read, or nobody speaks in it for long enough.
    CancelledError
        If it was stopped.
    """
    with closing(_Teller(progress, cancel)) as teller:
        source = Streamed(path) if isinstance(path, str | os.PathLike) else _Held(load(path))
        name = source.path.name if isinstance(source, Streamed) else source.clip.name
        felt = survey(source.blocks(lambda share: teller("listening", LISTENED * share)))
        heard: list[Window] = []

        def tell(window: Window) -> None:
            heard.append(window)
            teller(f"judging stretch {len(heard)}", LISTENED + (1 - LISTENED) * min(1.0, len(heard) / (2 * WANTED)))

        found = search(felt, source.fetch, wanted=WANTED, batch=BATCH, tries=TRIES, on_heard=tell)
        if not found:
            raise ClipError(
                f"{name or 'the recording'}: nobody speaks for ten seconds.",
                remedy="give a recording of somebody who speaks",
            )
        told = sorted(_compared(found), key=lambda each: (_foreign(each), *rank(each)))
        seconds = felt.power[: len(felt.power) // SECOND * SECOND].reshape(-1, SECOND).mean(1)
        level_db = (10 * np.log10(seconds + 1e-10)).astype(np.float32)
        teller("done", 1.0)
        clean = [each for each in told if burden(each.report) == (0, 0) and not _foreign(each)]
        return Windows(name, felt.duration, tuple((clean or told)[:WANTED]), level_db)


def _compared(windows: Sequence[Window]) -> list[Window]:
    """Tell how much each stretch is the main speaker's: the one to whom most of the others are near."""
    spoken = []
    for each in windows:
        activity = speech_activity(each.clip.samples, each.clip.sample_rate)
        spoken.append(speaker_embeddings(each.clip.samples, each.clip.sample_rate, activity)[1])
    means = np.array([rows.mean(0) if len(rows) else np.zeros(256) for rows in spoken])
    means /= np.linalg.norm(means, axis=1, keepdims=True) + 1e-9
    alike = means @ means.T
    main = means[int((alike > SAME_SPEAKER).sum(1).argmax())]
    group = means[means @ main > SAME_SPEAKER]
    centre = group.mean(0) / np.linalg.norm(group.mean(0)) if len(group) else main
    compared = []
    for window, rows, mean in zip(windows, spoken, means, strict=True):
        near = float(mean @ centre)
        # Two windows in a row that are nobody's: somebody else cut in, for less time than a mean would show.
        odd = (rows @ centre) < STRANGER
        cut_in = bool(len(odd) > 1 and (odd[1:] & odd[:-1]).any())
        compared.append(replace(window, similarity=min(near, STRANGER) if cut_in else near))
    return compared


def _foreign(window: Window) -> bool:
    return window.similarity < SAME_SPEAKER


class _Held:
    """A clip in memory, read as a file is."""

    def __init__(self, clip: Clip) -> None:
        self.clip = clip

    def blocks(self, on_share: Callable[[float], None]) -> Iterator[tuple[Any, int, None]]:
        step = 60 * self.clip.sample_rate
        for at in range(0, len(self.clip.samples), step):
            yield self.clip.samples[at : at + step], self.clip.sample_rate, None
            on_share(min(1.0, (at + step) / len(self.clip.samples)))

    def fetch(self, stretches: Sequence[Segment]) -> list[Clip]:
        rate = self.clip.sample_rate
        cut = [self.clip.samples[round(each.start * rate) : round(each.end * rate)] for each in stretches]
        return [Clip(samples, rate, name=self.clip.name) for samples in cut]


class _Teller:
    """Tells how far it is: to who asked, else to a bar that appears after a second."""

    def __init__(self, progress: Callable[[str, float | None], None] | None, cancel: threading.Event | None) -> None:
        self.progress, self.cancel, self.bar = progress, cancel, None
        if progress is None:
            from tqdm.auto import tqdm

            self.bar = tqdm(total=100, delay=1, leave=False, unit="%", bar_format="{desc}: {percentage:3.0f} %|{bar}|")

    def __call__(self, said: str, share: float) -> None:
        if self.cancel is not None and self.cancel.is_set():
            raise CancelledError("The search was stopped.", remedy="start it again")
        if self.progress is not None:
            self.progress(said, share)
        if self.bar is not None:
            self.bar.set_description(said, refresh=False)
            self.bar.update(100 * share - self.bar.n)

    def close(self) -> None:
        if self.bar is not None:
            self.bar.close()
