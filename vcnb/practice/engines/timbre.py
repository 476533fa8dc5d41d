"""What of a voice's colour is kept: its spectra, voiced and unvoiced, and its breath."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyworld

from vcnb.audio.resample import resample
from vcnb.catalog import SPEECH_SAMPLE_RATE

from .spectrum import BAND_HZ, N_FFT, Frames, cepstra, extended, log_mel, pooled

__all__ = ["Timbre", "timbre"]

# Ours. As many frames as make a mapping that more of them would not change, spread over the whole recording.
VOICED_FRAMES = 1500
UNVOICED_FRAMES = 400
BREATH_FRAMES = 150
AT_ONCE = 250
EMPTY_DB = 65.0  # below the strongest band: what a coder cut away lies deeper still, and no voice does
RANGE_DB = 35.0  # frames this far below the loudest are more room than voice
FILLED = 0.94  # of Nyquist: beyond lies the skirt of whatever filter made the recording


@dataclass(frozen=True, eq=False)
class Timbre:
    """Colour of a voice.

    Parameters
    ----------
    voiced, unvoiced : np.ndarray [shape=(n_frames, 40)]
        Mel-cepstra of its envelope.
    breath : np.ndarray [shape=(64,)]
        Mean natural logarithm of the aperiodic share of the amplitude in each band, of voiced frames.
    bandwidth : float
        Hz up to which the recording holds sound.
    """

    voiced: Frames = field(repr=False)
    unvoiced: Frames = field(repr=False)
    breath: Frames = field(repr=False)
    bandwidth: float


def timbre(
    samples: npt.NDArray[np.float32],
    sample_rate: int,
    *,
    times: npt.NDArray[np.float64],
    f0: npt.NDArray[np.float64],
    spoken: npt.NDArray[np.bool_],
) -> Timbre:
    """Measure the colour, on some frames only: what a frame costs is most of what an enrollment costs.

    Parameters
    ----------
    samples : np.ndarray [shape=(n,)]
        Mono amplitudes, full scale at 1.
    sample_rate : int
        Samples per second (Hz).
    times, f0 : np.ndarray [shape=(n_frames,)]
        Seconds and Hz, NaN where nothing is voiced; some frames voiced and spoken.
    spoken : np.ndarray [shape=(n_frames,)]
        Where somebody speaks.

    Returns
    -------
    Timbre
        Of the frames that are not much quieter than the loudest.
    """
    wide = np.ascontiguousarray(resample(samples, sample_rate, SPEECH_SAMPLE_RATE), dtype=np.float64)
    bandwidth = FILLED * min(sample_rate, SPEECH_SAMPLE_RATE) / 2
    pitched = np.isfinite(f0)
    some_voiced = _spread(np.flatnonzero(spoken & pitched), VOICED_FRAMES)
    some_unvoiced = _spread(np.flatnonzero(spoken & ~pitched), UNVOICED_FRAMES)
    chosen = np.concatenate([some_voiced, some_unvoiced])
    pitch, at = np.nan_to_num(f0[chosen]), times[chosen]
    level, bands = _bands(wide, pitch, at)
    loud = level > np.percentile(level, 97) - RANGE_DB
    bandwidth = min(bandwidth, _filled_hz(bands[loud]))
    coefficients = cepstra(extended(bands, bandwidth))
    voiced = coefficients[(pitch > 0) & loud]
    unvoiced = coefficients[(pitch == 0) & loud]
    breathy = _spread(some_voiced, BREATH_FRAMES)
    aperiodic = pyworld.d4c(wide, f0[breathy], times[breathy], SPEECH_SAMPLE_RATE, fft_size=N_FFT)
    return Timbre(voiced, unvoiced, np.log(pooled(aperiodic)).mean(axis=0), bandwidth)


def _bands(samples: npt.NDArray[np.float64], f0: Any, times: Any) -> tuple[npt.NDArray[np.float64], Frames]:
    """Level in dB and bands of frames, some at a time: the vocoder's own take 4 kB each, twice."""
    levels, bands = [], []
    for start in range(0, len(f0), AT_ONCE):
        some = slice(start, start + AT_ONCE)
        power = pyworld.cheaptrick(samples, f0[some], times[some], SPEECH_SAMPLE_RATE, fft_size=N_FFT)
        levels.append(10 * np.log10(power.sum(axis=1) + 1e-16))
        bands.append(log_mel(power))
    return np.concatenate(levels), np.concatenate(bands)


def _filled_hz(bands: Frames) -> float:
    """Where the highest band lies that ever holds sound: a file's rate does not tell what a coder left of it."""
    loudest_db = 10 / np.log(10) * np.percentile(bands, 95, axis=0)
    return float(BAND_HZ[np.flatnonzero(loudest_db > loudest_db.max() - EMPTY_DB)[-1]])


def _spread(indices: npt.NDArray[np.intp], most: int) -> npt.NDArray[np.intp]:
    """Take at most so many, evenly."""
    if len(indices) <= most:
        return indices
    return np.asarray(indices[np.linspace(0, len(indices) - 1, most).round().astype(int)])
