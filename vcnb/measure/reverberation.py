"""How long sound lingers in the room."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt

from .stft import Spectrogram

__all__ = ["decay_time"]

# Ours, set on voices in simulated rooms of 0.2 to 1.2 s.
OCTAVES = (250.0, 500.0, 1_000.0, 2_000.0, 4_000.0)  # Hz, the edges of four bands
SHORTEST = 8  # frames of falling level, 80 ms
LEAST_DB = 10.0  # of fall
RANGE_DB = 40.0  # a decay starts at most this far below the loudest frame
RISE_DB = 0.5  # that a falling level may rise
FEWEST = 6  # decays, or nothing is said
SMOOTHED = 3  # frames


def decay_time(spectrogram: Spectrogram) -> float:
    """Time in which the ends of sounds would fall by 60 dB.

    Parameters
    ----------
    spectrogram : Spectrogram
        Of a recording with little noise, which would stretch the decays.

    Returns
    -------
    float
        Seconds, the median of the free decays in four octaves; NaN where there are too few of them. Grows with the
        reverberation time of the room and with the distance from the microphone, and stops at about 0.65 s. A dry voice
        reads about 0.2 s.

    References
    ----------
    .. [1] R. Ratnam et al., "Blind estimation of reverberation time", Journal of the Acoustical Society of America 114,
       2003.
    """
    times: list[float] = []
    for fmin, fmax in pairwise(OCTAVES):
        power = np.convolve(spectrogram.band(fmin, fmax), np.ones(SMOOTHED) / SMOOTHED, "same")
        times += _decays(10 * np.log10(power + 1e-12), spectrogram.hop)
    return float(np.median(times)) if len(times) >= FEWEST else float("nan")


def _decays(levels: npt.NDArray[np.float64], hop: float) -> list[float]:
    """Slopes of the stretches in which a level falls freely, as seconds for 60 dB."""
    falls = np.diff(levels) < RISE_DB
    edges = np.flatnonzero(np.diff(np.r_[False, falls, False]))
    loudest = levels.max(initial=-120.0)
    found = []
    for start, end in edges.reshape(-1, 2):
        first = start + int(levels[start : end + 1].argmax())
        last = first + int(levels[first : end + 1].argmin())
        fall = levels[first] - levels[last]
        if last - first < SHORTEST or fall < LEAST_DB or levels[first] < loudest - RANGE_DB:
            continue
        slope = np.polyfit(np.arange(last - first + 1) * hop, levels[first : last + 1], 1)[0]
        found.append(float(-60 / slope))
    return found
