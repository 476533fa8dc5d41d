"""How speech is taken apart into pitch, colour and breath, and put together with another pitch.

By the vocoder WORLD: M. Morise, F. Yokomori and K. Ozawa, "WORLD: a vocoder-based high-quality speech synthesis system
for real-time applications", IEICE Transactions on Information and Systems, 2016.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyworld

from vcnb.catalog import SPEECH_SAMPLE_RATE

__all__ = ["with_pitch"]

FRAME_PERIOD_MS = 5.0  # WORLD's own default
FMIN, FMAX = 60.0, 420.0  # Hz, ours: adult and young speakers; the engine's notes were measured with them
_N_FFT = 1024

Frames = npt.NDArray[np.float64]


def with_pitch(samples: Frames, *, base: tuple[float, float], target: tuple[float, float]) -> Frames:
    """Speak again with another pitch: log F0 moved by its middle and stretched by its spread.

    Parameters
    ----------
    samples : np.ndarray [shape=(n,)]
        24 kHz, full scale at 1.
    base, target : (float, float)
        Middle and spread of log F0 (natural logarithm, Hz) of the voice that spoke, and of the one that should.

    Returns
    -------
    np.ndarray [shape=(n,)]
        As long as before, at the same level up to the vocoder's own error.
    """
    f0, times = _pitch(samples)
    envelope = pyworld.cheaptrick(samples, f0, times, SPEECH_SAMPLE_RATE, fft_size=_N_FFT)
    breath = pyworld.d4c(samples, f0, times, SPEECH_SAMPLE_RATE, fft_size=_N_FFT)
    # A range much wider or narrower than the base's would sing or drone.
    stretch = float(np.clip(target[1] / max(base[1], 1e-3), 0.6, 1.8))
    voiced = f0 > 0
    moved = np.zeros_like(f0)
    moved[voiced] = np.exp(target[0] + (np.log(f0[voiced]) - base[0]) * stretch)
    # Kept an octave inside what the vocoder can make, whatever the reference was.
    np.clip(moved, 0.0, 2 * FMAX, out=moved)
    spoken = pyworld.synthesize(moved, envelope, breath, SPEECH_SAMPLE_RATE, FRAME_PERIOD_MS)
    return np.asarray(spoken[: len(samples)], dtype=np.float64)


def _pitch(sound: Frames) -> tuple[Frames, Frames]:
    # Harvest takes twice as long as DIO and gains nothing here (measured for the engine's notes).
    coarse, times = pyworld.dio(sound, SPEECH_SAMPLE_RATE, f0_floor=FMIN, f0_ceil=FMAX, frame_period=FRAME_PERIOD_MS)
    return pyworld.stonemask(sound, coarse, times, SPEECH_SAMPLE_RATE), times
