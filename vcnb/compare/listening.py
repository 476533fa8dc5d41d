"""A blind listening test: what is played when, what was answered, and what that proves.

The plan follows from the seed alone, so that a test that was broken off goes on where it stopped. Nothing here knows of
a browser: the panel plays what `trial` says and gives back answers.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from vcnb.audio.clip import Clip
from vcnb.audio.resample import resample
from vcnb.errors import ClipError
from vcnb.measure.loudness import integrated_loudness

from .evidence import anytime_interval, anytime_p_value
from .ranking import bradley_terry

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Kind", "Listening", "Trial", "matched"]

Kind = Literal["abx", "ab", "mushra"]
PEAK = 10 ** (-1 / 20)  # -1 dBFS: nothing clips on its way through a browser
LOUDEST_LUFS = -18.0  # ours: as loud as speech usually is
ANCHOR_HZ = 3500.0  # reference [1] asks for an anchor that lost all above 3.5 kHz


@dataclass(frozen=True)
class Trial:
    """One question.

    Parameters
    ----------
    number : int
        From 0.
    buttons : tuple of str
        What each button plays, in order: names of items; in MUSHRA also "reference" and "anchor".
    correct : str or None
        The button that is X, in ABX: "A" or "B".
    """

    number: int
    buttons: tuple[str, ...]
    correct: str | None = None


class Listening:
    """A blind listening test.

    Parameters
    ----------
    items : sequence of str
        Names, each once.
    clips : sequence of Clip
        The recordings; in MUSHRA the first one is the reference.
    kind : {"abx", "ab", "mushra"}
        Can two be told apart; which is preferred; how good is each.
    seed : int
        Of the order.

    Raises
    ------
    ClipError
        If there are fewer than two recordings, no such kind, or one that cannot be heard.

    References
    ----------
    .. [1] Recommendation ITU-R BS.1534-3, "Method for the subjective assessment of intermediate quality level of audio
       systems", 2015.
    """

    def __init__(self, items: tuple[str, ...], clips: tuple[Clip, ...], kind: str = "abx", *, seed: int = 0) -> None:
        if kind not in get_args(Kind):
            raise ClipError(f"There is no listening test {kind!r}.", remedy=f"use one of {', '.join(get_args(Kind))}")
        if len(items) < 2:
            raise ClipError("One recording alone cannot be compared by ear.", remedy="compare two or more")
        self.items, self.clips, self.kind, self.seed = tuple(items), tuple(clips), kind, int(seed)
        self.answers: list[Any] = []
        self._kept: Callable[[Any], None] | None = None

    @property
    def key(self) -> str:
        """The same for the same test, in whatever process it is made: what kept answers are found by."""
        digest = hashlib.sha256(json.dumps([self.kind, self.seed, self.items]).encode())
        for clip in self.clips:
            digest.update(clip.samples.tobytes())
        return digest.hexdigest()

    def keep(self, answers: list[Any], kept: Callable[[Any], None]) -> None:
        """Go on from answers that were kept, and have each new one kept.

        Parameters
        ----------
        answers : list
            Of earlier, in order.
        kept : callable
            Called with each new answer before it counts.
        """
        self._kept, self.answers = kept, [self._checked(answer, number) for number, answer in enumerate(answers)]

    def trial(self, number: int | None = None) -> Trial:
        """Say what a question plays.

        Parameters
        ----------
        number : int, optional
            From 0; else the next one that has no answer.

        Returns
        -------
        Trial
        """
        number = len(self.answers) if number is None else number
        if self.kind == "mushra":
            buttons = [*self.items[1:], "reference", "anchor"]
            order = np.random.default_rng([self.seed, number]).permutation(len(buttons))
            return Trial(number, tuple(buttons[each] for each in order))
        pairs = list(itertools.combinations(self.items, 2))
        # Each pair once in each round, in an order of its own.
        turn, at = divmod(number, len(pairs))
        one, other = pairs[np.random.default_rng([self.seed, turn]).permutation(len(pairs))[at]]
        coins = np.random.default_rng([self.seed, number, 1]).random(2) < 0.5
        buttons = [other, one] if coins[0] else [one, other]
        return Trial(number, tuple(buttons), ("A" if coins[1] else "B") if self.kind == "abx" else None)

    def answer(self, answer: Any) -> None:
        """Answer the next question.

        Parameters
        ----------
        answer : str or sequence of float
            "A" or "B": which one X was, or which one is preferred. In MUSHRA a score from 0 to 100 for each button.

        Raises
        ------
        ClipError
            If it is none of these.
        """
        checked = self._checked(answer, len(self.answers))
        if self._kept is not None:
            self._kept(checked)
        self.answers.append(checked)

    def to_frame(self) -> pd.DataFrame:
        """Give one row an answer: trial, a, b, x, answer, correct; in MUSHRA one row a score: trial, item, score.

        Returns
        -------
        pandas.DataFrame
            `.attrs` holds kind, seed and key.
        """
        import pandas as pd

        rows: list[tuple[Any, ...]] = []
        for number, answer in enumerate(self.answers):
            trial = self.trial(number)
            if self.kind == "mushra":
                rows += [(number, item, score) for item, score in zip(trial.buttons, answer, strict=True)]
            else:
                chosen = trial.buttons["AB".index(answer)]
                x = trial.buttons["AB".index(trial.correct)] if trial.correct else None
                rows.append((number, *trial.buttons, x, chosen, answer == trial.correct if trial.correct else None))
        names = ["trial", "item", "score"] if self.kind == "mushra" else ["trial", "a", "b", "x", "answer", "correct"]
        table = pd.DataFrame(rows, columns=names)
        table.attrs = {"kind": self.kind, "seed": self.seed, "key": self.key}
        return table

    def results(self) -> pd.DataFrame:
        """Tell what the answers prove.

        Returns
        -------
        pandas.DataFrame
            ABX and A/B: one row a pair: item, other, n, share (of right answers; of choices of "item"), low and high
            (its 95 % interval, which holds however long one went on), p_value (the same). MUSHRA: item, n, score, low,
            high (95 % by Student's t, for a number of trials settled before).
        """
        import pandas as pd

        table = self.to_frame()
        if self.kind == "mushra":
            groups = table.groupby("item", sort=False)["score"]
            means = [_mean(str(item), scores.to_numpy(float)) for item, scores in groups]
            found = pd.DataFrame(means, columns=["item", "n", "score", "low", "high"])
            return found.sort_values("score", ascending=False, ignore_index=True)
        rows = []
        for one, other in itertools.combinations(self.items, 2):
            mine = table[table["a"].isin([one, other]) & table["b"].isin([one, other])]
            said = mine["correct"] if self.kind == "abx" else mine["answer"] == one
            yes = [bool(each) for each in said]
            share = float(np.mean(yes)) if yes else float("nan")
            rows.append((one, other, len(yes), share, *anytime_interval(yes), anytime_p_value(yes)))
        return pd.DataFrame(rows, columns=["item", "other", "n", "share", "low", "high", "p_value"])

    def ranking(self) -> pd.DataFrame:
        """Rank the voices of an A/B test.

        Returns
        -------
        pandas.DataFrame
            As `bradley_terry` gives it, the best first.

        Raises
        ------
        ClipError
            If it is another kind of test, or nothing was answered.
        """
        if self.kind != "ab":
            raise ClipError(f"A test of kind {self.kind!r} has no preferences.", remedy='use listen("ab")')
        choices = []
        for number, answer in enumerate(self.answers):
            chosen, left = self.trial(number).buttons[:: 1 if answer == "A" else -1]
            choices.append((chosen, left))
        return bradley_terry(choices)

    def sounds(self) -> dict[str, Clip]:
        """Give what is played: equally loud, at one rate, and equally long, so that one can switch at any instant.

        Returns
        -------
        dict
            Item -> Clip; in MUSHRA also "reference" and "anchor".
        """
        clips = dict(zip(self.items, self.clips, strict=True))
        if self.kind == "mushra":
            first = clips[self.items[0]]
            clips |= {"reference": first, "anchor": _anchor(first)}
            del clips[self.items[0]]
        return matched(clips)

    def _checked(self, answer: Any, number: int) -> Any:
        if self.kind != "mushra":
            if answer in ("A", "B"):
                return answer
            raise ClipError(f"{answer!r} is no answer.", remedy='answer "A" or "B"')
        wanted = len(self.trial(number).buttons)
        try:
            scores = [float(each) for each in answer]
        except (TypeError, ValueError):
            scores = []
        if len(scores) != wanted or not all(0 <= score <= 100 for score in scores):
            raise ClipError(f"{answer!r} is no answer.", remedy=f"give {wanted} scores from 0 to 100")
        return scores

    def __repr__(self) -> str:
        return f"<Listening {self.kind} of {len(self.items)}: {len(self.answers)} answers>"


def matched(clips: dict[str, Clip]) -> dict[str, Clip]:
    """Make clips equally loud, at one rate, and equally long.

    Parameters
    ----------
    clips : dict
        Name -> Clip.

    Returns
    -------
    dict
        The same names. All as loud as the quietest can be without clipping, at most -18 LUFS; at the highest rate; the
        shorter ones end in silence.

    Raises
    ------
    ClipError
        If one of them is silent.
    """
    rate = max(clip.sample_rate for clip in clips.values())
    sounds = {name: resample(clip.samples, clip.sample_rate, rate) for name, clip in clips.items()}
    longest = max(map(len, sounds.values()))
    sounds = {name: np.pad(samples, (0, longest - len(samples))) for name, samples in sounds.items()}
    loud = {name: integrated_loudness(samples, rate) for name, samples in sounds.items()}
    silent = [name for name, each in loud.items() if not np.isfinite(each)]
    if silent:
        raise ClipError(f"{', '.join(silent)}: nothing can be heard.", remedy="leave it out of the test")
    room = [loud[name] + 20 * np.log10(PEAK / np.abs(samples).max()) for name, samples in sounds.items()]
    target = min(LOUDEST_LUFS, *room)
    gains = {name: np.float32(10 ** ((target - each) / 20)) for name, each in loud.items()}
    return {name: Clip(samples * gains[name], rate, name=name) for name, samples in sounds.items()}


def _anchor(clip: Clip) -> Clip:
    spectrum = np.fft.rfft(clip.samples)
    spectrum[np.fft.rfftfreq(len(clip.samples), 1 / clip.sample_rate) > ANCHOR_HZ] = 0
    return Clip(np.fft.irfft(spectrum, len(clip.samples)).astype(np.float32), clip.sample_rate, name="anchor")


def _mean(item: str, scores: npt.NDArray[np.float64]) -> tuple[str, int, float, float, float]:
    n, mean = len(scores), float(scores.mean())
    if n < 2:
        return item, n, mean, 0.0, 100.0
    from scipy.stats import t

    half = float(t.ppf(0.975, n - 1) * scores.std(ddof=1) / np.sqrt(n))
    return item, n, mean, max(0.0, mean - half), min(100.0, mean + half)
