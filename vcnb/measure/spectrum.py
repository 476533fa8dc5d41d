"""What frequencies sound when."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .frames import framed

__all__ = ["mel_spectrogram_db"]

N_MELS = 96
FMIN = 40.0  # Hz
FMAX = 14_000.0  # Hz; above it speech holds hardly more than breath
FLOOR_DB = -100.0

Floats = npt.NDArray[np.float32]


def mel_spectrogram_db(samples: Floats, sample_rate: int, *, hop_length: int) -> tuple[Floats, Floats]:
    """Power in mel bands, for drawing.

    By numpy alone: the first call of librosa's own compiles for 3 to 17 s, too long for something that shows itself.

    Parameters
    ----------
    samples : np.ndarray [shape=(n,)]
        Mono amplitudes, full scale at 1.
    sample_rate : int
        Samples per second (Hz).
    hop_length : int
        Samples between two columns.

    Returns
    -------
    (np.ndarray [shape=(n_mels,)], np.ndarray [shape=(n_mels, n // hop_length + 1)])
        Centres of the bands in Hz, and power in dB, at least -100; a full-scale sine reads about 0.

    References
    ----------
    .. [1] D. O'Shaughnessy, "Speech communication: human and machine", 1987 (the mel scale, 2595 log10(1 + f/700)).
    """
    n_fft = 1 << int(np.ceil(np.log2(0.03 * sample_rate)))
    window = np.hanning(n_fft).astype(np.float32)
    edges = _hz(np.linspace(_mel(FMIN), _mel(min(FMAX, sample_rate / 2)), N_MELS + 2))
    bins = np.fft.rfftfreq(n_fft, 1 / sample_rate)
    rising = (bins - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    falling = (edges[2:, None] - bins) / (edges[2:] - edges[1:-1])[:, None]
    weights = np.maximum(0, np.minimum(rising, falling))
    # Low bands are narrower than a bin; each takes at least its nearest one.
    weights[np.arange(N_MELS), np.abs(bins[None] - edges[1:-1, None]).argmin(1)] = 1
    frames = framed(samples, n_fft, hop_length)
    columns = []
    for start in range(0, len(frames), 512):  # in blocks: ten minutes of spectrum would not fit
        spectrum = np.abs(np.fft.rfft(frames[start : start + 512] * window)) / (window.sum() / 2)
        columns.append(weights.astype(np.float32) @ (spectrum**2).T)
    power = np.concatenate(columns, axis=1)
    return edges[1:-1].astype(np.float32), np.maximum(10 * np.log10(power + 1e-12), FLOOR_DB).astype(np.float32)


def _mel(hz: float) -> float:
    return float(2595 * np.log10(1 + hz / 700))


def _hz(mel: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    hz: npt.NDArray[np.float64] = 700 * (10 ** (mel / 2595) - 1)
    return hz
