"""How loud a recording is to the ear."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .stft import Spectrogram

__all__ = ["integrated_loudness", "loudness_lufs", "weighting"]

# Reference [1]: blocks of 400 ms that overlap by three quarters, an absolute gate and a relative one.
BLOCK = 40  # frames of 10 ms
STEP = 10
OFFSET = -0.691
ABSOLUTE_GATE = -70.0  # LUFS
RELATIVE_GATE = -10.0  # LU
# Reference [1] gives the two filters at 48 kHz: numerator, denominator.
SHELF = ((1.53512485958697, -2.69169618940638, 1.19839281085285), (1.0, -1.69065929318241, 0.73248077421585))
HIGH_PASS = ((1.0, -2.0, 1.0), (1.0, -1.99004745483398, 0.99007225036621))
FILTERS_RATE = 48_000  # Hz


def loudness_lufs(spectrogram: Spectrogram) -> float:
    """Integrated loudness, by weighting the power of each frame instead of filtering the sound.

    Parameters
    ----------
    spectrogram : Spectrogram
        Of the recording.

    Returns
    -------
    float
        LUFS of one channel; -inf for silence and for less than 0.4 s. Within about 0.1 LU of filtering for speech.

    References
    ----------
    .. [1] Recommendation ITU-R BS.1770-5, "Algorithms to measure audio programme loudness and true-peak audio level".
    """
    return _gated(spectrogram.power @ weighting(spectrogram.frequencies))


def integrated_loudness(samples: npt.NDArray[np.float32], sample_rate: int) -> float:
    """Integrated loudness by filtering the sound itself, where a tenth of a LU matters.

    Parameters
    ----------
    samples : np.ndarray [shape=(n,)]
        Mono amplitudes, full scale at 1.
    sample_rate : int
        Samples per second (Hz).

    Returns
    -------
    float
        LUFS of one channel; -inf for silence and for less than 0.4 s. A sine of 997 Hz at full scale reads -3.01.

    References
    ----------
    .. [1] Recommendation ITU-R BS.1770-5, "Algorithms to measure audio programme loudness and true-peak audio level".
    """
    step = round(0.01 * sample_rate)
    # The filters' own size of response, without their phase; zeros behind it keep its end out of its beginning.
    n_fft = len(samples) + sample_rate
    unit = 1 << max(0, n_fft.bit_length() - 5)
    n_fft += -n_fft % unit  # no factor above 31: a length with a large one takes five times as long
    response = np.sqrt(weighting(np.fft.rfftfreq(n_fft, 1 / sample_rate).astype(np.float32)))
    heard = np.fft.irfft(np.fft.rfft(samples, n_fft) * response, n_fft)[: len(samples) // step * step]
    return _gated(np.square(heard).reshape(-1, step).mean(1))


def weighting(frequencies: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Power response of the two filters.

    Parameters
    ----------
    frequencies : np.ndarray [shape=(n,)]
        Hz; above the filters' own range they are flat.

    Returns
    -------
    np.ndarray [shape=(n,)]
        By what the power at each frequency counts.
    """
    z = np.exp(-2j * np.pi * np.minimum(frequencies, FILTERS_RATE / 2) / FILTERS_RATE)
    response = np.ones(len(z))
    for numerator, denominator in (SHELF, HIGH_PASS):
        response = response * np.abs(np.polyval(numerator[::-1], z) / np.polyval(denominator[::-1], z)) ** 2
    return response.astype(np.float32)


def _gated(frames: npt.NDArray[np.floating]) -> float:
    """Loudness from the weighted power of frames of 10 ms."""
    if len(frames) < BLOCK:
        return float("-inf")
    sums = np.cumsum(np.r_[0.0, frames.astype(np.float64)])
    blocks = ((sums[BLOCK:] - sums[:-BLOCK]) / BLOCK)[::STEP]
    loud = blocks[_lufs(blocks) > ABSOLUTE_GATE]
    if not len(loud):
        return float("-inf")
    gate = _lufs(loud.mean(keepdims=True))[0] + RELATIVE_GATE
    return float(_lufs(loud[_lufs(loud) > gate].mean(keepdims=True))[0])


def _lufs(power: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    lufs: npt.NDArray[np.float64] = OFFSET + 10 * np.log10(np.maximum(power, 1e-20))
    return lufs
