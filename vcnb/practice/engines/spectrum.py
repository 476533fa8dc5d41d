"""How the colour of a voice is written down: WORLD's envelope as logarithms on the mel axis, and as cepstra of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from vcnb.catalog import SPEECH_SAMPLE_RATE

__all__ = [
    "BAND_HZ",
    "BAND_WIDTHS",
    "Frames",
    "N_BANDS",
    "N_CEPSTRA",
    "N_FFT",
    "band_of",
    "cepstra",
    "envelope",
    "extended",
    "log_mel",
    "pooled",
    "smooth",
    "warped",
]

N_FFT = 1024
N_BANDS = 64  # ours; a band is 44 mel wide, at 1 kHz some 70 Hz
N_CEPSTRA = 40  # ours; the rest of 64 is ripple of the harmonics
_NYQUIST = SPEECH_SAMPLE_RATE / 2
_SMALLEST = 1e-16  # power that stands for silence
_KNEE = 0.8  # of Nyquist: a warped axis runs straight below, and ends at Nyquist
_FALL_PER_BAND = 0.12  # natural logarithm of power; ours, the slope of speech above 6 kHz

Frames = npt.NDArray[np.float32]


def _mel(hz: Any) -> Any:
    """O'Shaughnessy's formula."""
    return 1127.0 * np.log1p(np.asarray(hz) / 700.0)


def _hz(mel: Any) -> Any:
    return 700.0 * np.expm1(np.asarray(mel) / 1127.0)


_BIN_HZ = np.arange(N_FFT // 2 + 1) * SPEECH_SAMPLE_RATE / N_FFT
BAND_HZ = _hz(np.linspace(0.0, _mel(_NYQUIST), N_BANDS))  # middle of each band


def _positions(hz: Any) -> npt.NDArray[np.float64]:
    """Where frequencies lie among the bands, as fractions of a band."""
    return np.asarray(np.interp(_mel(hz), _mel(BAND_HZ), np.arange(N_BANDS)))


def _interpolation(positions: npt.NDArray[np.float64]) -> Frames:
    """Matrix that reads bands at fractional positions."""
    return np.maximum(0.0, 1.0 - np.abs(positions[None, :] - np.arange(N_BANDS)[:, None])).astype(np.float32)


def _pooling() -> npt.NDArray[np.float64]:
    """Triangles over the bins, and the nearest bins where bands are narrower than a bin."""
    triangles = np.maximum(0.0, 1.0 - np.abs(_positions(_BIN_HZ)[:, None] - np.arange(N_BANDS)))
    nearest = np.eye(len(_BIN_HZ))[np.abs(_BIN_HZ[:, None] - BAND_HZ).argmin(axis=0)].T
    weights = np.where(triangles.sum(axis=0) > 0.5, triangles, nearest)
    return np.asarray(weights / weights.sum(axis=0))


def _cosines() -> Frames:
    """Orthonormal DCT-II of the bands, its first rows."""
    phase = np.pi / N_BANDS * np.outer(np.arange(N_CEPSTRA), np.arange(N_BANDS) + 0.5)
    rows = np.cos(phase) * np.sqrt(2.0 / N_BANDS)
    rows[0] /= np.sqrt(2.0)
    return np.asarray(rows, dtype=np.float32)


_POOLING = _pooling()
_SPREADING = _interpolation(_positions(_BIN_HZ))
_COSINES = _cosines()
BAND_WIDTHS = _SPREADING.sum(axis=1)  # bins that each band stands for


def log_mel(power: npt.NDArray[np.float64]) -> Frames:
    """Pool a power spectrum into bands.

    Parameters
    ----------
    power : np.ndarray [shape=(n_frames, 513)]
        WORLD's envelope.

    Returns
    -------
    np.ndarray [shape=(n_frames, 64)]
        Natural logarithm of the mean power in each band.
    """
    return np.asarray(np.log(pooled(power) + _SMALLEST), dtype=np.float32)


def pooled(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Take the mean in each band.

    Parameters
    ----------
    values : np.ndarray [shape=(n_frames, 513)]
        Of each bin.

    Returns
    -------
    np.ndarray [shape=(n_frames, 64)]
        Of each band.
    """
    return np.asarray(values @ _POOLING)


def envelope(bands: Frames) -> npt.NDArray[np.float64]:
    """Spread bands over the bins again.

    Parameters
    ----------
    bands : np.ndarray [shape=(n_frames, 64)]
        Natural logarithms, of power or of any other quantity that is to come back as it was.

    Returns
    -------
    np.ndarray [shape=(n_frames, 513)]
        In the order that WORLD reads.
    """
    return np.ascontiguousarray(np.exp(bands @ _SPREADING), dtype=np.float64)


def cepstra(bands: Frames) -> Frames:
    """Write bands as cepstra; multiplied by `N_CEPSTRA` rows of cosines they come back smoother.

    Parameters
    ----------
    bands : np.ndarray [shape=(n_frames, 64)]
        Natural logarithms.

    Returns
    -------
    np.ndarray [shape=(n_frames, 40)]
        The first is the level.
    """
    return np.asarray(bands @ _COSINES.T)


def smooth(coefficients: Frames) -> Frames:
    """Make bands of cepstra.

    Parameters
    ----------
    coefficients : np.ndarray [shape=(n_frames, 40)]
        What `cepstra` gave.

    Returns
    -------
    np.ndarray [shape=(n_frames, 64)]
        Natural logarithms.
    """
    return np.asarray(coefficients @ _COSINES)


def warped(bands: Frames, factor: float) -> Frames:
    """Scale the frequency axis, as a shorter vocal tract does.

    Parameters
    ----------
    bands : np.ndarray [shape=(n_frames, 64)]
        Natural logarithms.
    factor : float
        A formant at 1 kHz comes to lie at this many kHz.

    Returns
    -------
    np.ndarray [shape=(n_frames, 64)]
        Straight up to a knee, and from there to Nyquist, which stays.
    """
    knee = _KNEE * _NYQUIST / max(factor, 1.0)
    above = knee + (BAND_HZ - knee * factor) * (_NYQUIST - knee) / (_NYQUIST - knee * factor)
    source = np.where(knee * factor < BAND_HZ, above, BAND_HZ / factor)
    return np.asarray(bands @ _interpolation(_positions(source)))


def band_of(hz: float) -> int:
    """First band at or above a frequency.

    Parameters
    ----------
    hz : float
        Frequency.

    Returns
    -------
    int
        Up to 64, which is none.
    """
    return int(np.searchsorted(BAND_HZ, hz))


def extended(bands: Frames, bandwidth: float) -> Frames:
    """Continue what a narrow recording holds, as speech falls: a cepstrum takes its edge for colour otherwise.

    Parameters
    ----------
    bands : np.ndarray [shape=(n_frames, 64)]
        Natural logarithms.
    bandwidth : float
        Hz up to which the recording holds sound.

    Returns
    -------
    np.ndarray [shape=(n_frames, 64)]
        Unchanged below.
    """
    first = band_of(bandwidth)
    if first >= N_BANDS - 1:
        return bands
    edge = bands[:, first - 4 : first].mean(axis=1, keepdims=True)
    return np.concatenate([bands[:, :first], edge - _FALL_PER_BAND * np.arange(N_BANDS - first)], axis=1).astype(
        np.float32
    )
