"""How much the mains hums."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from vcnb.audio.resample import resample

from .level import rms_dbfs

__all__ = ["SHORTEST", "hum"]

RATE = 1_000  # Hz; eight harmonics of 60 Hz lie below its half
SHORTEST = 2.0  # seconds
WINDOW = 2 * RATE  # samples: bins of half a hertz
HOP = RATE // 4
MAINS = (50.0, 60.0)  # Hz, all the world over
N_HARMONICS = 8
NEAR = 2  # bins on each side that belong to a line
AROUND = 24  # bins on each side that it is compared with
N_COUNTED = 4  # the highest of them: hum often holds only some
EVIDENT_DB = 14.0  # ours: how high these stand on average over what surrounds them
LINE_DB = 10.0  # a lower line is no line


def hum(samples: npt.NDArray[np.float32], sample_rate: int) -> tuple[float, float]:
    """Find the lines of the mains in the quiet moments of a recording.

    Parameters
    ----------
    samples : np.ndarray [shape=(n,)]
        Mono amplitudes, full scale at 1.
    sample_rate : int
        Samples per second (Hz).

    Returns
    -------
    (float, float)
        Frequency of the mains, 50 or 60 Hz, and its level below that of the voice, in dB, up to 3 too many.
        (0, inf) where no hum stands out, and below `SHORTEST` seconds, where it cannot be told from a voice.
    """
    narrow = resample(np.asarray(samples, np.float32), sample_rate, RATE)
    if len(narrow) < WINDOW:
        return 0.0, float("inf")
    window = np.hanning(WINDOW).astype(np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(narrow - narrow.mean(), WINDOW)[::HOP] * window
    power = np.abs(np.fft.rfft(frames)) ** 2 / (np.square(window, dtype=np.float64).sum() * WINDOW / 2)
    # Hum never pauses, a voice does: the quiet windows hold the first and little of the second.
    quiet = np.percentile(power, 10, axis=0)
    scores = {mains: _lines(quiet, mains) for mains in MAINS}
    mains = max(scores, key=lambda each: scores[each][0])
    height, level = scores[mains]
    if height < EVIDENT_DB:
        return 0.0, float("inf")
    return mains, float(rms_dbfs(samples, sample_rate) - level)


def _lines(quiet: npt.NDArray[np.float64], mains: float) -> tuple[float, float]:
    """Mean height of the lines over what surrounds them (dB), and their power together (dBFS)."""
    heights, powers = [], []
    for harmonic in range(1, N_HARMONICS + 1):
        at = round(harmonic * mains * WINDOW / RATE)
        line = quiet[at - NEAR : at + NEAR + 1]
        floor = np.median(np.r_[quiet[at - AROUND : at - NEAR], quiet[at + NEAR + 1 : at + AROUND + 1]])
        heights.append(float(np.clip(10 * np.log10((line.max() + 1e-16) / (floor + 1e-16)), 0, 30)))
        powers.append(max(0.0, float(line.sum() - floor * len(line))) if heights[-1] > LINE_DB else 0.0)
    return float(np.mean(sorted(heights)[-N_COUNTED:])), float(10 * np.log10(sum(powers) + 1e-20))
