"""How high the voice is, and how much it moves."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from vcnb.audio.clip import Segment
from vcnb.audio.resample import resample

from .frames import framed, levels_db
from .runs import inside, runs

__all__ = ["f0_range_semitones", "f0_track", "held_share", "median_f0"]

RATE = 16_000  # Hz; harmonics above 8 kHz say nothing about pitch
HOP = 0.005  # seconds
F0_FLOOR, F0_CEIL = 65.0, 600.0  # Hz
RANGE_DB = 40.0  # ours: frames this far below the loudest are pauses
# A held note. Ours.
VIBRATO = 40  # frames that are averaged: a turn of a singer's vibrato, 0.2 s
APART, STILL = 15, 0.35  # frames, and semitones by which the average may move between them
LONG = 60  # frames; less is a syllable
LEAP = 1.5  # semitones between two frames

Track = tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]


def f0_track(samples: npt.NDArray[np.float32], sample_rate: int) -> Track:
    """Follow the fundamental frequency.

    Parameters
    ----------
    samples : np.ndarray [shape=(n,)]
        Mono amplitudes, full scale at 1.
    sample_rate : int
        Samples per second (Hz).

    Returns
    -------
    (np.ndarray [shape=(n_frames,)], np.ndarray [shape=(n_frames,)])
        Times in seconds, 5 ms apart, and f0 in Hz, NaN where nothing is voiced. Recommended below 60 s.

    References
    ----------
    .. [1] M. Morise, H. Kawahara and H. Katayose, "Fast and reliable F0 estimation method based on the period
       extraction of vocal fold vibration of singing voice and speech", AES 35th International Conference, 2009.
    """
    narrow = resample(np.asarray(samples, np.float32), sample_rate, RATE)
    if len(narrow) < RATE * HOP * 10 or not np.any(narrow):
        return np.zeros(0), np.zeros(0)
    import pyworld

    wide = narrow.astype(np.float64)
    f0, times = pyworld.dio(wide, RATE, f0_floor=F0_FLOOR, f0_ceil=F0_CEIL, frame_period=1000 * HOP)
    f0 = pyworld.stonemask(wide, f0, times, RATE)
    levels = levels_db(framed(narrow, round(0.03 * RATE), round(HOP * RATE)))[: len(f0)]
    loud = np.zeros(len(f0), bool)
    loud[: len(levels)] = levels > levels.max() - RANGE_DB
    return times, np.where((f0 > 0) & loud, f0, np.nan)


def median_f0(samples: npt.NDArray[np.float32], sample_rate: int) -> float:
    """Middle of the fundamental frequency.

    Parameters
    ----------
    samples : np.ndarray [shape=(n,)]
        Mono amplitudes, full scale at 1.
    sample_rate : int
        Samples per second (Hz).

    Returns
    -------
    float
        Hz, NaN where nothing is voiced.
    """
    return _median(f0_track(samples, sample_rate)[1])


def f0_range_semitones(samples: npt.NDArray[np.float32], sample_rate: int) -> float:
    """How far the voice moves, from its 5th to its 95th percentile.

    Parameters
    ----------
    samples : np.ndarray [shape=(n,)]
        Mono amplitudes, full scale at 1.
    sample_rate : int
        Samples per second (Hz).

    Returns
    -------
    float
        Semitones, NaN where nothing is voiced. Octave errors of the tracker widen it.
    """
    f0 = f0_track(samples, sample_rate)[1]
    f0 = f0[np.isfinite(f0)]
    return float(12 * np.log2(np.percentile(f0, 95) / np.percentile(f0, 5))) if len(f0) else float("nan")


def held_share(samples: npt.NDArray[np.float32], sample_rate: int, places: Sequence[Segment]) -> float:
    """How much of what is voiced in some places is a held note.

    Parameters
    ----------
    samples : np.ndarray [shape=(n,)]
        Mono amplitudes, full scale at 1.
    sample_rate : int
        Samples per second (Hz).
    places : sequence of Segment
        Where to look.

    Returns
    -------
    float
        0 to 1. Songs have 0.2 to 0.9 of it, in halls too; speech that a network took for singing 0 to 0.13. Over the
        telephone the pitch of some songs is not found.
    """
    times, f0 = f0_track(samples, sample_rate)
    if not len(times):
        return 0.0
    semitones = 12 * np.log2(f0)
    voiced = np.isfinite(semitones) & inside(places, times)
    leaps = np.abs(np.diff(np.nan_to_num(semitones), prepend=0)) > LEAP
    n_held = 0
    for start, end in runs(voiced & ~leaps):
        if end - start >= LONG:
            smooth = np.convolve(semitones[start:end], np.ones(VIBRATO) / VIBRATO, "valid")
            n_held += int((np.abs(smooth[APART:] - smooth[:-APART]) < STILL).sum())
    return n_held / max(1, int(voiced.sum()))


def _median(f0: npt.NDArray[np.float64]) -> float:
    voiced = f0[np.isfinite(f0)]
    return float(np.median(voiced)) if len(voiced) else float("nan")
