"""How fast somebody speaks."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from vcnb.audio.resample import resample

from .activity import speech_segments
from .frames import framed, levels_db

__all__ = ["syllables_per_second"]

RATE = 8_000  # Hz
HOP = 0.01  # seconds
FRAME = 0.06  # seconds; half of the shortest syllable, so that single pitch periods vanish
DIP_DB = 2.0  # reference [1]: a syllable is a peak with a dip of at least this on each side
BELOW_DB = 25.0  # reference [1]: peaks further below the loudest one are no vowels


def syllables_per_second(samples: npt.NDArray[np.float32], sample_rate: int) -> float:
    """Articulation rate: syllable-like peaks of the level for each second of speech.

    Parameters
    ----------
    samples : np.ndarray [shape=(n,)]
        Mono amplitudes, full scale at 1.
    sample_rate : int
        Samples per second (Hz).

    Returns
    -------
    float
        Syllables a second, pauses left out; NaN where nobody speaks. It misses syllables that run into each other,
        so it compares recordings and does not count words.

    References
    ----------
    .. [1] N. H. de Jong and T. Wempe, "Praat script to detect syllable nuclei and measure speech rate
       automatically", Behavior Research Methods 41, 2009.
    """
    segments = speech_segments(samples, sample_rate)
    spoken = sum(segment.duration for segment in segments)
    if not spoken:
        return float("nan")
    narrow = resample(np.asarray(samples, np.float32), sample_rate, RATE)
    window = np.sqrt(np.hanning(round(FRAME * RATE))).astype(np.float32)
    levels = levels_db(framed(narrow, len(window), round(HOP * RATE)) * window)
    peaks = _peaks(levels)
    loudest = max((levels[peak] for peak in peaks), default=0)
    times = [peak * HOP for peak in peaks if levels[peak] > loudest - BELOW_DB]
    return sum(any(s.start <= time <= s.end for s in segments) for time in times) / spoken


def _peaks(levels: npt.NDArray[np.float32]) -> list[int]:
    """Find peaks that rise and fall by at least `DIP_DB`."""
    peaks: list[int] = []
    highest = lowest = 0
    rising = True
    for at, level in enumerate(levels):
        if rising:
            if level > levels[highest]:
                highest = at
            elif level < levels[highest] - DIP_DB:
                peaks.append(highest)
                rising, lowest = False, at
        elif level < levels[lowest]:
            lowest = at
        elif level > levels[lowest] + DIP_DB:
            rising, highest = True, at
    return peaks
