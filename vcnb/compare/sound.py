"""What all measures of one recording share: each picture of it is made once."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import numpy.typing as npt

from vcnb.audio.clip import Clip
from vcnb.measure.loudness import loudness_lufs
from vcnb.measure.noise import snr_db
from vcnb.measure.pitch import f0_track
from vcnb.measure.speaker import speaker_embeddings
from vcnb.measure.speech import Activity, speech_activity
from vcnb.measure.stft import Spectrogram, spectrogram

__all__ = ["Sound"]

Floats = npt.NDArray[np.float32]
# Long-term spectrum: thirds of an octave around 1 kHz, where speech is.
THIRDS_HZ = 1000 * 2 ** (np.arange(-10, 12) / 3)


class Sound:
    """A recording with the pictures that its measures need, each made when it is first asked for.

    Parameters
    ----------
    clip : Clip
        The recording.
    """

    def __init__(self, clip: Clip) -> None:
        self.clip = clip

    @cached_property
    def activity(self) -> Activity:
        """Where somebody speaks."""
        return speech_activity(self.clip.samples, self.clip.sample_rate)

    @cached_property
    def spectrogram(self) -> Spectrogram:
        """Power over time and frequency."""
        return spectrogram(self.clip.samples, self.clip.sample_rate)

    @cached_property
    def f0(self) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Times in seconds, and f0 in Hz with NaN where nothing is voiced."""
        return f0_track(self.clip.samples, self.clip.sample_rate)

    @cached_property
    def snr_db(self) -> float:
        """How far the voice stands above the room."""
        return snr_db(self.spectrogram, self.activity)

    @cached_property
    def loudness_lufs(self) -> float:
        """How loud it is to the ear."""
        return loudness_lufs(self.spectrogram)

    @cached_property
    def windows(self) -> tuple[npt.NDArray[np.float64], Floats]:
        """Starts in seconds and embeddings of each 1.6 s of speech."""
        return speaker_embeddings(self.clip.samples, self.clip.sample_rate, self.activity)

    @cached_property
    def embedding(self) -> Floats:
        """The speaker as a point of length 1; NaN where there is less than 1.6 s of speech."""
        found = self.windows[1]
        if not len(found):
            return np.full(256, np.nan, np.float32)
        mean = found.mean(0)
        unit: Floats = mean / np.linalg.norm(mean)
        return unit

    @cached_property
    def long_term_spectrum(self) -> tuple[npt.NDArray[np.float64], Floats]:
        """Middle frequencies (Hz) of third-octave bands, and the level of speech in each (dB below their sum).

        NaN for bands above half the sample rate, and all of it where nobody speaks.
        """
        power = self.spectrogram.power[self.activity.at(self.spectrogram.times) > 0.5]
        levels = np.full(len(THIRDS_HZ), np.nan, np.float32)
        mean = power.mean(0, dtype=np.float64) if len(power) else np.zeros(0)
        frequencies = self.spectrogram.frequencies
        # Bins are wider than the lowest bands: each band gets its share of a bin.
        below = np.r_[0.0, np.cumsum(mean)]
        edges = np.r_[0.0, frequencies + frequencies[1] / 2]
        for at, middle in enumerate(THIRDS_HZ):
            low, high = middle * 2 ** (-1 / 6), middle * 2 ** (1 / 6)
            if len(mean) and high <= self.clip.sample_rate / 2:
                power_inside = float(np.diff(np.interp([low, high], edges, below))[0])
                levels[at] = 10 * np.log10(max(power_inside, 1e-12))
        heard = np.isfinite(levels)
        if heard.any():
            levels -= 10 * np.log10(np.sum(10 ** (levels[heard] / 10)))
        return THIRDS_HZ, levels
