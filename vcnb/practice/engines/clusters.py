"""How frames of two voices that never said the same are paired, and what map the pairs make.

INCA: D. Erro, A. Moreno and A. Bonafonte, "INCA algorithm for training voice conversion systems from nonparallel
corpora", IEEE Transactions on Audio, Speech, and Language Processing 18, 2010.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .spectrum import Frames

__all__ = ["Clusters", "Normal", "nearby", "paired", "squared_distances", "thinned"]

# All ours, found by measuring likeness against clarity.
CLUSTERS = 16
ROUNDS = 4
PAIRED = 8  # neighbours that stand for a frame; with 3 DNSMOS is .03 lower for the same similarity
COMPARED_CEPSTRA = 20
LEVEL_WEIGHT = 0.3
SOFTNESS = 4.0
SLOPE_PRIOR = 8.0
OFFSET_PRIOR = 60.0
SLOPES = (0.5, 1.2)
NEIGHBOURS = 8  # 4 are as like, and noisier
AT_ONCE = 50  # frames whose distances to all others are held at a time


@dataclass(frozen=True, eq=False)
class Normal:
    """Mean and spread of each coefficient.

    Parameters
    ----------
    mean, spread : np.ndarray [shape=(n_coefficients,)]
        Spread as standard deviation.
    """

    mean: Frames
    spread: Frames

    @classmethod
    def of(cls, frames: Frames) -> Normal:
        """Measure them.

        Parameters
        ----------
        frames : np.ndarray [shape=(n_frames, n_coefficients)]
            At least one.

        Returns
        -------
        Normal
            Its spread is never zero.
        """
        return cls(frames.mean(axis=0), frames.std(axis=0) + np.float32(1e-3))

    def off(self, frames: Frames) -> Frames:
        """Take both out of frames [shape=(n_frames, n_coefficients)]: what is left has mean 0 and spread 1."""
        return np.asarray((frames - self.mean) / self.spread)


@dataclass(frozen=True, eq=False)
class Clusters:
    """A soft piecewise linear map, coefficient by coefficient.

    Parameters
    ----------
    centres : np.ndarray [shape=(n_clusters, 20)]
        In the first coefficients.
    slopes, offsets : np.ndarray [shape=(n_clusters, n_coefficients)]
        Of each cluster.
    """

    centres: Frames
    slopes: Frames
    offsets: Frames

    def map(self, frames: Frames) -> Frames:
        """Map normalised frames [shape=(n_frames, n_coefficients)]."""
        shares = _shares(frames, self.centres)
        return np.asarray(shares @ self.offsets + frames * (shares @ self.slopes))


def paired(mine: Frames, wanted: Frames) -> Clusters:
    """Pair frames with their nearest on the other side, learn the map, pair what is mapped, and so on.

    Parameters
    ----------
    mine, wanted : np.ndarray [shape=(n_frames, n_coefficients)]
        Normalised frames of both voices; the time this takes grows with the product of their numbers.

    Returns
    -------
    Clusters
        From the first to the second.
    """
    centres = _centres(mine)
    mapped = mine
    for _ in range(ROUNDS):
        there, back = _weighted(mapped), _weighted(wanted)
        distances = squared_distances(there, back)
        theirs = wanted[_nearest(distances, PAIRED)].mean(axis=1)
        ours = mine[_nearest(distances.T, PAIRED)].mean(axis=1)
        clusters = _fitted(np.concatenate([mine, ours]), np.concatenate([theirs, wanted]), centres)
        mapped = clusters.map(mine)
    return clusters


def _fitted(given: Frames, wanted: Frames, centres: Frames) -> Clusters:
    """Slope and offset of each cluster, held near to no change where few frames speak for it."""
    shares = _shares(given, centres)
    weight = shares.sum(axis=0)[:, None] + 1e-6
    mean, wanted_mean = shares.T @ given / weight, shares.T @ wanted / weight
    scatter = shares.T @ given**2 - weight * mean**2
    common = shares.T @ (given * wanted) - weight * mean * wanted_mean
    slopes = np.clip((common + SLOPE_PRIOR) / (scatter + SLOPE_PRIOR), *SLOPES)
    offsets = weight / (weight + OFFSET_PRIOR) * (wanted_mean - mean)
    return Clusters(centres, slopes, (1 - slopes) * mean + offsets)


def _centres(frames: Frames) -> Frames:
    """k-means, from frames spread over the recording."""
    near = frames[:, :COMPARED_CEPSTRA]
    centres = thinned(near, CLUSTERS)
    for _ in range(12):
        labels = squared_distances(near, centres).argmin(axis=1)
        centres = np.stack(
            [near[labels == k].mean(axis=0) if np.any(labels == k) else centre for k, centre in enumerate(centres)]
        )
    return centres


def _shares(frames: Frames, centres: Frames) -> Frames:
    """How much each frame belongs to each cluster."""
    closeness = -squared_distances(frames[:, :COMPARED_CEPSTRA], centres) / SOFTNESS
    shares = np.exp(closeness - closeness.max(axis=1, keepdims=True))
    return np.asarray(shares / shares.sum(axis=1, keepdims=True))


def nearby(frames: Frames, others: Frames) -> Frames:
    """Take the mean of the nearest others, the nearer the more.

    Parameters
    ----------
    frames, others : np.ndarray [shape=(n_frames, n_coefficients)]
        Normalised frames; at least one other.

    Returns
    -------
    np.ndarray [shape=(n_frames, n_coefficients)]
        One for each of the first.
    """
    compared, found = _weighted(others), []
    for start in range(0, len(frames), AT_ONCE):
        distances = squared_distances(_weighted(frames[start : start + AT_ONCE]), compared)
        nearest = _nearest(distances, NEIGHBOURS)
        weights = 1 / (np.sqrt(np.maximum(np.take_along_axis(distances, nearest, axis=1), 0)) + 0.5)
        weights /= weights.sum(axis=1, keepdims=True)
        found.append((others[nearest] * weights[:, :, None]).sum(axis=1))
    return np.concatenate(found)


def _weighted(frames: Frames) -> Frames:
    """Keep what sounds are told apart by: hardly the level, and no fine detail."""
    near = frames[:, :COMPARED_CEPSTRA].copy()
    near[:, 0] *= LEVEL_WEIGHT
    return near


def squared_distances(frames: Frames, others: Frames) -> Frames:
    """Measure from each frame to each other [shape=(n_frames, n_others)]; rounding makes a zero slightly negative."""
    squares = (frames**2).sum(axis=1)[:, None] + (others**2).sum(axis=1)
    return np.asarray(squares - 2 * frames @ others.T)


def _nearest(distances: Frames, count: int) -> npt.NDArray[np.intp]:
    count = min(count, distances.shape[1])
    return np.argpartition(distances, count - 1, axis=1)[:, :count]


def thinned(frames: Frames, most: int) -> Frames:
    """Take at most so many frames [shape=(n_frames, n_coefficients)], evenly."""
    if len(frames) <= most:
        return frames
    return np.asarray(frames[np.linspace(0, len(frames) - 1, most).round().astype(int)])
