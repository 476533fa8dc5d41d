"""What a similarity means: the same speaker, or two who sound alike.

A cosine has no meaning of its own: it depends on the encoder, and on who is compared. Beside it stands how often pairs
of real people whose identity is known scored so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from importlib import resources

import numpy as np
import numpy.typing as npt

__all__ = ["Calibration", "MEANING", "Reading", "Scores", "built_in", "calibrated"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

MEANING = (
    "It compares the sound of voices as one encoder hears them. It does not prove who is speaking: relatives, "
    "imitators and clones score high, and the same person by telephone, with a cold or in another room scores lower."
)
ROUNDS = 200  # of the bootstrap over speakers
NEWTON_TURNS = 25
# Ours: pulls the slope a little towards 0, so that pairs that do not overlap at all have no infinite ratio.
RIDGE = 1e-6


@dataclass(frozen=True, eq=False)
class Scores:
    """Cosines of pairs whose truth is known.

    Parameters
    ----------
    same : np.ndarray [shape=(n,)]
        Of two recordings of one speaker.
    speaker : np.ndarray [shape=(n,)]
        Whose they are, as a number.
    different : np.ndarray [shape=(m,)]
        Of recordings of two speakers.
    first, second : np.ndarray [shape=(m,)]
        Whose they are.
    cohort : np.ndarray [shape=(n_speakers, 256)]
        One embedding of length 1 for each speaker, to compare others with.
    """

    same: Floats
    speaker: Ints
    different: Floats
    first: Ints
    second: Ints
    cohort: Floats

    @property
    def n_speakers(self) -> int:
        """How many people stand behind it."""
        return int(max(self.speaker.max(initial=-1), self.first.max(initial=-1), self.second.max(initial=-1)) + 1)

    def refined(self, windows: Sequence[npt.NDArray[np.float32]]) -> Scores:
        """Add a user's own recordings: their parts are of one speaker each, the cohort is of others.

        Parameters
        ----------
        windows : sequence of np.ndarray [shape=(n_parts, 256)]
            Embeddings of several parts of each recording; those with fewer than two say nothing.

        Returns
        -------
        Scores
            With each recording as one more speaker.
        """
        new, number = self, self.n_speakers
        for parts in windows:
            if len(parts) < 2:
                continue
            one, other = np.triu_indices(len(parts), 1)
            cosines = parts @ parts.T
            strange = (parts @ self.cohort.T).mean(0)
            new = replace(
                new,
                same=np.r_[new.same, cosines[one, other]],
                speaker=np.r_[new.speaker, np.full(len(one), number)],
                different=np.r_[new.different, strange],
                first=np.r_[new.first, np.full(len(strange), number)],
                second=np.r_[new.second, np.arange(len(strange))],
            )
            number += 1
        return new


@dataclass(frozen=True)
class Reading:
    """What one cosine means.

    Parameters
    ----------
    cosine : float
        -1…1.
    likelihood_ratio : float
        How many times more often pairs of one speaker score so than pairs of two; within `Calibration.limits`.
    low, high : float
        Its 95 % interval over other choices of speakers.
    same_percent : float
        Of the pairs of one speaker, how many score this or lower.
    different_percent : float
        Of the pairs of two speakers, how many score this or higher.
    """

    cosine: float
    likelihood_ratio: float
    low: float
    high: float
    same_percent: float
    different_percent: float

    @property
    def words(self) -> str:
        """One sentence; it decides only where the whole interval does."""
        # Ours, in the steps of forensic reports: beyond 3 is weak, beyond 10 moderate, beyond 100 strong support.
        for bound, said in ((100, "very likely"), (10, "likely"), (3, "perhaps")):
            if self.low >= bound:
                return f"the same speaker, {said}"
            if self.high <= 1 / bound:
                return f"two speakers, {said}"
        return "cannot tell"


@dataclass(frozen=True, eq=False)
class Calibration:
    """Turns a cosine into what it means.

    Parameters
    ----------
    scores : Scores
        What is known.
    """

    scores: Scores

    @cached_property
    def coefficients(self) -> Floats:
        """Logarithm of the ratio as offset + slope * cosine: all speakers, then each round of the bootstrap."""
        rng = np.random.default_rng(0)
        n = self.scores.n_speakers
        all_of_them = _fitted(self.scores, np.ones(n), np.zeros(2))
        drawn = (np.bincount(rng.integers(0, n, n), minlength=n).astype(float) for _ in range(ROUNDS))
        return np.array([all_of_them, *(_fitted(self.scores, counts, all_of_them) for counts in drawn)])

    @property
    def limits(self) -> tuple[float, float]:
        """Least and highest ratio that so few people can show [1]_.

        One more pair could contradict: of so many speakers for the least, and of so many pairs of two for the highest.

        References
        ----------
        .. [1] P. Vergeer et al., "Numerical likelihood ratios outputted by LR systems are often based on extrapolation:
           When to stop extrapolating?", Science & Justice 56, 2016.
        """
        scores = self.scores
        twos = np.unique(np.stack([scores.first, scores.second], 1), axis=0) if len(scores.first) else ()
        return 1 / max(1, len(np.unique(scores.speaker))), float(max(1, len(twos)))

    def read(self, cosine: float) -> Reading:
        """Tell what a cosine means.

        Parameters
        ----------
        cosine : float
            Of two embeddings.

        Returns
        -------
        Reading
            NaN throughout where the cosine is.
        """
        return self.readings([cosine])[0]

    def readings(self, cosines: Sequence[float] | Floats) -> list[Reading]:
        """Tell what many cosines mean, as `read` does of one.

        Parameters
        ----------
        cosines : sequence of float
            Each of two embeddings.

        Returns
        -------
        list of Reading
            In their order.
        """
        found = np.asarray(cosines, float)
        logs = self.coefficients[:, :1] + self.coefficients[:, 1:] * found
        bounds = np.stack([logs[0], *np.percentile(logs[1:], [2.5, 97.5], axis=0)])
        ratios = np.exp(np.clip(bounds, *np.log(self.limits)))
        same, different = np.sort(self.scores.same), np.sort(self.scores.different)
        below = 100 * np.searchsorted(same, found, "right") / max(1, len(same))
        above = 100 * (1 - np.searchsorted(different, found, "left") / max(1, len(different)))
        table = np.where(np.isfinite(found), [found, *ratios, below, above], np.nan)
        return [Reading(*map(float, column)) for column in table.T]

    @property
    def equal_error_rate(self) -> float:
        """Share of wrong answers at the threshold where both kinds of error are equally frequent."""
        return _equal_error_rate(self.scores.same, self.scores.different)


def calibrated(windows: Sequence[npt.NDArray[np.float32]] = ()) -> Calibration:
    """Calibrate by the built-in pairs, and by parts of the user's own recordings.

    Parameters
    ----------
    windows : sequence of np.ndarray [shape=(n_parts, 256)]
        Embeddings of several parts of each recording.

    Returns
    -------
    Calibration
    """
    return Calibration(built_in().refined(windows)) if len(windows) else _plain()


@cache
def _plain() -> Calibration:
    return Calibration(built_in())


@cache
def built_in() -> Scores:
    """Read the pairs that travel with the package: `vcnb/data/calibration`."""
    with resources.files("vcnb").joinpath("data", "calibration", "scores.npz").open("rb") as file:
        stored = np.load(file)
        cohort = stored["cohort"].astype(float)
        cohort /= np.linalg.norm(cohort, axis=1, keepdims=True)
        return Scores(
            stored["same"].astype(float),
            stored["speaker"].astype(int),
            stored["different"].astype(float),
            stored["first"].astype(int),
            stored["second"].astype(int),
            cohort,
        )


def _fitted(scores: Scores, counts: Floats, start: Floats) -> Floats:
    """Logistic regression in which both kinds weigh the same, so that its log odds are the log likelihood ratio."""
    same, different = counts[scores.speaker], counts[scores.first] * counts[scores.second]
    cosine = np.r_[scores.same, scores.different]
    truth = np.r_[np.ones(len(same)), np.zeros(len(different))]
    weight = np.r_[same / max(same.sum(), 1e-9), different / max(different.sum(), 1e-9)] / 2
    design = np.stack([np.ones(len(cosine)), cosine], 1)
    found = start
    for _ in range(NEWTON_TURNS):
        chance = 0.5 + 0.5 * np.tanh(0.5 * design @ found)
        slope = design.T @ (weight * (truth - chance)) - RIDGE * np.array([0.0, found[1]])
        bend = (design * (weight * chance * (1 - chance))[:, None]).T @ design + np.diag([1e-9, RIDGE])
        step = np.linalg.solve(bend, slope)
        found = found + step
        if np.abs(step).max() < 1e-4:
            break
    return found


def _equal_error_rate(same: Floats, different: Floats) -> float:
    thresholds = np.sort(np.r_[same, different])
    missed = np.searchsorted(np.sort(same), thresholds, "left") / max(len(same), 1)
    taken = 1 - np.searchsorted(np.sort(different), thresholds, "left") / max(len(different), 1)
    at = int(np.argmin(np.abs(missed - taken)))
    return float((missed[at] + taken[at]) / 2)
