"""Recordings side by side: what each measures, and how alike their voices are."""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from vcnb.audio.clip import Clip, Speech
from vcnb.audio.load import load
from vcnb.errors import ClipError, visible

from .calibration import MEANING, Calibration, calibrated
from .measures import measured, title_of, unit_of
from .quality import mean_opinion, require_quality
from .sentinel import Drift, Traits, alone, among
from .sound import Sound
from .transcription import error_rate

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from .listening import Listening

__all__ = ["Comparison", "compare"]

Transcribe = Callable[[Clip], str]
PART = 5.0  # seconds; ours: a recording with two such parts or more refines the calibration
FEWEST = 6  # windows of 1.6 s in a part, ours: the encoder's mean is steady from there
ENCODER = "GE2E of Resemblyzer 0.1.4"


@dataclass(frozen=True, repr=False, eq=False)
class Comparison:
    """Recordings side by side.

    Parameters
    ----------
    items : tuple of str
        Names, each once.
    clips : tuple of Clip
        The recordings.
    measures : tuple of dict
        For each recording, measure -> value; NaN where it cannot be measured.
    sounds : tuple of Sound
        The pictures the measures were taken from.
    """

    items: tuple[str, ...]
    clips: tuple[Clip, ...]
    measures: tuple[dict[str, float], ...]
    sounds: tuple[Sound, ...] = field(default=(), repr=False)

    @property
    def measured(self) -> tuple[str, ...]:
        """Names of the measures that at least one of the recordings has."""
        return tuple(name for name in self.measures[0] if any(isfinite(each[name]) for each in self.measures))

    def to_frame(self) -> pd.DataFrame:
        """Give a tidy table.

        Returns
        -------
        pandas.DataFrame
            One row an item and measure: item, measure, value, unit. `.attrs` holds the versions that measured, the
            seed of what is drawn at random, and the hash of each recording's samples.
        """
        import pandas as pd

        rows = [
            (item, measure, values[measure], unit_of(measure))
            for item, values in zip(self.items, self.measures, strict=True)
            for measure in self.measured
        ]
        table = pd.DataFrame(rows, columns=["item", "measure", "value", "unit"])
        table.attrs = {
            "versions": {name: importlib.metadata.version(name) for name in ("vcnb", "numpy", "pyworld-prebuilt")},
            "encoder": ENCODER,
            "seed": 0,
            "sha256": {item: _hash(clip) for item, clip in zip(self.items, self.clips, strict=True)},
        }
        return table

    def embeddings(self) -> pd.DataFrame:
        """Give each voice as a point of length 1 in 256 dimensions; near points sound alike.

        Returns
        -------
        pandas.DataFrame
            One row an item; NaN where there is less than 1.6 s of speech.
        """
        import pandas as pd

        return pd.DataFrame([sound.embedding for sound in self.sounds], index=pd.Index(self.items, name="item"))

    def similarity(self) -> pd.DataFrame:
        """Give the cosine between each two voices.

        Returns
        -------
        pandas.DataFrame [shape=(n, n)]
            NaN where there is less than 1.6 s of speech. `.attrs` holds the calibration: "likelihood_ratio", "low",
            "high", "same_percent", "different_percent", each item -> item -> value, and what the number does not mean.
        """
        import pandas as pd

        points = self.embeddings().to_numpy(float)
        cosines = points @ points.T
        table = pd.DataFrame(cosines, index=pd.Index(self.items, name="item"), columns=list(self.items))
        pairs = self.pairs()
        told: dict[Any, Any] = {"meaning": MEANING, "encoder": ENCODER}
        for name in ("likelihood_ratio", "low", "high", "same_percent", "different_percent"):
            told[name] = {one: {} for one in self.items}
            for one, other, value in zip(pairs["item"], pairs["other"], pairs[name], strict=True):
                told[name][one][other] = told[name][other][one] = float(value)
        scores = self.calibration.scores
        told["calibration"] = {
            "n_speakers": scores.n_speakers,
            "n_same": len(scores.same),
            "n_different": len(scores.different),
            "equal_error_rate": self.calibration.equal_error_rate,
            "offset": float(self.calibration.coefficients[0][0]),
            "slope": float(self.calibration.coefficients[0][1]),
            "limits": self.calibration.limits,
        }
        table.attrs = told
        return table

    def pairs(self) -> pd.DataFrame:
        """Give one row for each two voices, the most alike first.

        Returns
        -------
        pandas.DataFrame
            Columns item, other, cosine, likelihood_ratio with its 95 % interval low and high, same_percent (of the
            pairs of one speaker, how many score this or lower), different_percent (of two speakers, this or higher),
            words.
        """
        import pandas as pd

        points = np.array([sound.embedding for sound in self.sounds], float)
        one, other = np.triu_indices(len(self.items), 1)
        found = self.calibration.readings((points @ points.T)[one, other])
        rows = [
            (self.items[at], self.items[to], *vars(reading).values(), reading.words)
            for at, to, reading in zip(one, other, found, strict=True)
        ]
        names = ["item", "other", "cosine", "likelihood_ratio", "low", "high", "same_percent", "different_percent"]
        table = pd.DataFrame(rows, columns=[*names, "words"])
        return table.sort_values("cosine", ascending=False, ignore_index=True)

    @cached_property
    def drifts(self) -> tuple[Drift | None, ...]:
        """What the sentinel says of each take, by the other takes of its voice among these; None of a recording."""
        spoken = [isinstance(clip, Speech) and bool(clip.text) for clip in self.clips]
        traits = [Traits.of(sound) if heard else None for sound, heard in zip(self.sounds, spoken, strict=True)]
        found: list[Drift | None] = []
        for at, own in enumerate(traits):
            others = [
                other
                for to, other in enumerate(traits)
                if to != at and other is not None and _voice(self.clips[to]) == _voice(self.clips[at])
            ]
            found.append(Drift((*among(own, others), *alone(self.sounds[at]))) if own is not None else None)
        return tuple(found)

    def verdicts(self) -> pd.DataFrame:
        """Tell of each take whether it is what was asked for.

        Returns
        -------
        pandas.DataFrame
            One row a Speech with a text: item, verdict, evidence. Speaker and length are known from three takes of a
            voice on.
        """
        import pandas as pd

        drifts = zip(self.items, self.drifts, strict=True)
        rows = [(item, drift.verdict, drift.words) for item, drift in drifts if drift is not None]
        return pd.DataFrame(rows, columns=["item", "verdict", "evidence"])

    def ranked(self, item: str) -> pd.DataFrame:
        """List the other voices by how much they are like one of them.

        Parameters
        ----------
        item : str
            One of `items`.

        Returns
        -------
        pandas.DataFrame
            As `pairs`, with the others in "other".

        Raises
        ------
        ClipError
            If there is no such item.
        """
        if item not in self.items:
            raise ClipError(f"{item!r} is not compared here.", remedy=f"use one of {', '.join(self.items)}")
        table = self.pairs()
        mine = table[(table["item"] == item) | (table["other"] == item)].copy()
        mine["other"] = mine["other"].where(mine["item"] == item, mine["item"])
        mine["item"] = item
        return mine.reset_index(drop=True)

    @cached_property
    def calibration(self) -> Calibration:
        """How a cosine is read: by the built-in pairs, refined by parts of these recordings that are long enough."""
        return calibrated([parts for sound in self.sounds if len(parts := _parts(sound)) > 1])

    def plot(self, kind: str = "measures") -> Figure:
        """Draw the comparison.

        Parameters
        ----------
        kind : {"measures", "similarity", "map", "pitch", "spectrum", "spectrograms"}
            Bars of the measures; heat map of the cosines with a dendrogram; the voices as points, near where they sound
            alike; pitch contours aligned in time; long-term spectra of speech; mel spectrograms one above the other.

        Returns
        -------
        matplotlib.figure.Figure
            Of pyplot, so that `plt.show()` shows it.

        Raises
        ------
        ClipError
            If there is no such kind, or too many to draw.
        """
        from . import figures

        if kind not in figures.KINDS:
            raise ClipError(f"There is no picture {kind!r}.", remedy=f"use one of {', '.join(figures.KINDS)}")
        if len(self.items) > figures.MOST_DRAWN and kind not in ("similarity", "map"):
            raise ClipError(
                f"{len(self.items)} recordings are too many for the picture {kind!r}.",
                remedy=f"compare {figures.MOST_DRAWN} at a time; the tables hold any number",
            )
        return figures.KINDS[kind](self)

    def report(self, path: str | os.PathLike[str], *, title: str = "Voices side by side") -> Path:
        """Write one page of HTML with tables, pictures and the sounds themselves; it plays offline.

        Parameters
        ----------
        path : path
            Where to.
        title : str
            Heading of the page.

        Returns
        -------
        pathlib.Path
            Where it lies; about 8 kB a second of sound.

        Raises
        ------
        ClipError
            If the place cannot be written.
        """
        from .page import as_page

        target = Path(os.path.expanduser(os.fsdecode(path)))
        try:
            target.write_text(as_page(self, title), encoding="utf-8")
        except OSError as error:
            reason = error.strerror or error
            raise ClipError(f"{target}: cannot be written ({reason}).", remedy="check the folder") from None
        return target

    def listen(self, kind: str = "abx", *, seed: int = 0) -> Listening:
        """Begin a blind listening test; in a notebook it shows itself as a panel.

        Parameters
        ----------
        kind : {"abx", "ab", "mushra"}
            Can the two be told apart; which one is preferred; how good is each.
        seed : int
            Of the order; the same test shown again goes on where it stopped.

        Returns
        -------
        Listening

        Raises
        ------
        ClipError
            If there are fewer than two recordings, or no such kind.
        """
        from .listening import Listening

        return Listening(self.items, self.clips, kind, seed=seed)

    def _repr_html_(self) -> str:
        import pandas as pd

        wide = pd.DataFrame(self.measures, index=pd.Index(self.items, name="item"), columns=list(self.measured))
        wide.columns = pd.Index([title_of(measure) for measure in wide.columns])
        return str(wide.round(2).to_html())

    def __repr__(self) -> str:
        return f"<Comparison of {len(self.items)}: {', '.join(self.items)}>"


def compare(
    items: Iterable[Clip | str | os.PathLike[str]],
    *,
    transcribe: Transcribe | None = None,
    quality: bool = False,
    progress: Callable[[str, float | None], None] | None = None,
) -> Comparison:
    """Measure recordings and put them side by side.

    Parameters
    ----------
    items : iterable of Clip, Speech or path
        At least one.
    transcribe : callable, optional
        Writes down what a Clip says. With it, each Speech gets "error_rate": the share of its text heard wrong.
    quality : bool
        Guess how good listeners would call each: "dnsmos", 1…5; needs the extra ``vcnb[quality]``.
    progress : callable, optional
        Told which recording is measured and the share that is done; what it raises stops the measuring.

    Returns
    -------
    Comparison
        Of all of them, in their order.

    Raises
    ------
    ClipError
        If there is nothing to compare, or a file cannot be read.
    SettingsError
        If `quality` is asked for and not installed.
    """
    if quality:
        require_quality()
    clips = tuple(load(item) for item in items)
    if not clips:
        raise ClipError("There is nothing to compare.", remedy="give a list of clips or paths")
    sounds, names, values = tuple(Sound(clip) for clip in clips), _named(clips), []
    for at, sound in enumerate(sounds):
        if progress is not None:
            progress(names[at], at / len(sounds))
        values.append(measured(sound) | ({"dnsmos": mean_opinion(sound)} if quality else {}))
    if transcribe is not None:
        for clip, found in zip(clips, values, strict=True):
            spoken = isinstance(clip, Speech) and clip.text
            found["error_rate"] = error_rate(clip.text, transcribe(clip)) if spoken else float("nan")  # type: ignore[attr-defined]
    return Comparison(names, clips, tuple(values), sounds)


def _parts(sound: Sound) -> np.ndarray[Any, Any]:
    """Embeddings of parts of a recording, each of some seconds of its own."""
    times, windows = sound.windows
    if not len(times):
        return np.zeros((0, 256))
    number = ((times - times[0]) // PART).astype(int)
    parts = [windows[number == each].mean(0) for each in np.unique(number) if (number == each).sum() >= FEWEST]
    return np.array([part / np.linalg.norm(part) for part in parts]) if parts else np.zeros((0, 256))


def _voice(clip: Clip) -> str:
    return clip.voice if isinstance(clip, Speech) else ""


def _hash(clip: Clip) -> str:
    return hashlib.sha256(clip.samples.tobytes()).hexdigest()


def _named(clips: tuple[Clip, ...]) -> tuple[str, ...]:
    """Name each clip once: its own name, else its voice, else its place; equal names are counted."""
    names: list[str] = []
    for place, clip in enumerate(clips, 1):
        own = name = visible(clip.name or (clip.voice if isinstance(clip, Speech) else "") or f"clip {place}")
        count = 1
        while name in names:
            count += 1
            name = f"{own} ({count})"
        names.append(name)
    return tuple(names)
