"""How the power of a sound is spread over time and frequency; made once, read by many."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .frames import framed

__all__ = ["Spectrogram", "spectrogram"]

HOP = 0.01  # seconds
WINDOW = 0.021  # seconds, at least; 1024 samples at 48 kHz
BLOCK = 512  # frames at once: a minute of complex spectrum would not fit the cache

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Spectrogram:
    """Power in frames and bins.

    Parameters
    ----------
    power : np.ndarray [shape=(n_frames, n_bins)]
        Frame `i` lies around `i * hop` seconds; the bins of a frame add up to its mean square, full scale 1.
    frequencies : np.ndarray [shape=(n_bins,)]
        Of each bin, in Hz.
    hop : float
        Seconds between two frames: 10 ms, or nearly where the rate does not divide.
    """

    power: Floats
    frequencies: Floats
    hop: float

    @property
    def times(self) -> npt.NDArray[np.float64]:
        """Middle of each frame, in seconds."""
        return np.arange(len(self.power), dtype=np.float64) * self.hop

    def band(self, fmin: float, fmax: float) -> Floats:
        """Power of each frame between two frequencies.

        Parameters
        ----------
        fmin, fmax : float
            In Hz; `fmin` belongs to the band, `fmax` does not.

        Returns
        -------
        np.ndarray [shape=(n_frames,)]
            Mean square, full scale 1.
        """
        first, last = np.searchsorted(self.frequencies, (fmin, fmax))
        summed: Floats = self.power[:, first:last].sum(1)
        return summed


def spectrogram(samples: Floats, sample_rate: int) -> Spectrogram:
    """Short-time Fourier transform, as power, 10 ms apart.

    Parameters
    ----------
    samples : np.ndarray [shape=(n,)]
        Mono amplitudes, full scale at 1.
    sample_rate : int
        Samples per second (Hz).

    Returns
    -------
    Spectrogram
        Windows are a power of two of at least 21 ms, so that 50 Hz is barely resolved.
    """
    n_fft = 1 << int(np.ceil(np.log2(max(WINDOW * sample_rate, 2))))
    window = np.hanning(n_fft + 1)[:n_fft].astype(np.float32)
    hop_length = max(1, round(HOP * sample_rate))
    frames = framed(samples, n_fft, hop_length)
    power = np.empty((len(frames), n_fft // 2 + 1), np.float32)
    for start in range(0, len(frames), BLOCK):
        spectrum = np.fft.rfft(frames[start : start + BLOCK] * window)
        power[start : start + BLOCK] = spectrum.real**2 + spectrum.imag**2
    power *= np.float32(2 / (np.square(window, dtype=np.float64).sum() * n_fft))
    return Spectrogram(power, np.fft.rfftfreq(n_fft, 1 / sample_rate).astype(np.float32), hop_length / sample_rate)
