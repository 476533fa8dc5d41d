"""How speech is taken apart into pitch, colour and breath, and put together with another pitch.

By the vocoder WORLD: M. Morise, F. Yokomori and K. Ozawa, "WORLD: a vocoder-based high-quality speech synthesis system
for real-time applications", IEICE Transactions on Information and Systems, 2016.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt
import pyworld

from vcnb.catalog import SPEECH_SAMPLE_RATE

from .spectrum import N_FFT

__all__ = ["with_pitch"]

FRAME_PERIOD_MS = 5.0  # WORLD's own default
FMIN, FMAX = 60.0, 420.0  # Hz, ours: adult and young speakers
# DIO looks for pitch at 8 kHz: a fifth to a third of the time, and the same pitch but for 1 frame in 200 that is voiced
# in one of both only (seven clauses of six speakers).
DIO_SPEED = 3
STRETCH_LIMITS = (0.6, 1.8)  # ours: a melody much wider or narrower than the base's would sing or drone
# Ours. A clause as a whole may lie half a semitone off the voice's middle; what is more is the base speaker's habit.
DRIFT = np.log(2) / 24
RUNS, RUN = 64, 7  # runs of so many frames each: half as many leave twice the error (0.43 dB for 0.27, three voices)
_HOP = round(SPEECH_SAMPLE_RATE * FRAME_PERIOD_MS / 1000)
# Ours. Most of the work is for each frame, so that a part can be heard while the next is made.
PART = (60, 160)  # frames: a part ends at the quietest unvoiced frame between these
FIRST = (40, 80)  # the first one, which somebody waits for
_MARGIN = 8  # frames on both sides of a part that are made and thrown away

Frames = npt.NDArray[np.float64]
Gain = Callable[[Frames, npt.NDArray[np.bool_], tuple[float, float]], float]
Recolour = Callable[[Frames, Frames, npt.NDArray[np.bool_]], tuple[Frames, Frames]]


def with_pitch(
    samples: Frames,
    *,
    base: tuple[float, float],
    target: tuple[float, float],
    recolour: Recolour | None = None,
    gain: Gain | None = None,
) -> Iterator[Frames]:
    """Speak a clause again with another pitch: log F0 moved by its middle and stretched by its spread.

    Parameters
    ----------
    samples : np.ndarray [shape=(n,)]
        24 kHz, full scale at 1.
    base, target : (float, float)
        Middle and spread of log F0 (natural logarithm, Hz) of the voice that spoke, and of the one that should.
    recolour : callable, optional
        Takes the power envelope [shape=(n_frames, 513)], the aperiodic share of the same shape and which frames are
        voiced, and gives back the first two as they should be. May look at eight frames on either side.
    gain : callable, optional
        Takes the power envelope of some frames [shape=(n_frames, 513)], which of them are voiced, and their pitch
        before and after (Hz), and gives the factor for the whole clause. Not asked where nothing is voiced.

    Yields
    ------
    np.ndarray [shape=(m,)]
        Parts, together as long as before, at the same level up to the vocoder's own error.
    """
    # Harvest takes twice as long as DIO and gains nothing here (measured for the likeness of voices).
    f0, times = pyworld.dio(
        samples, SPEECH_SAMPLE_RATE, f0_floor=FMIN, f0_ceil=FMAX, frame_period=FRAME_PERIOD_MS, speed=DIO_SPEED
    )
    f0 = pyworld.stonemask(samples, f0, times, SPEECH_SAMPLE_RATE)
    stretch = float(np.clip(target[1] / max(base[1], 1e-3), *STRETCH_LIMITS))
    voiced = f0 > 0
    moved = np.zeros_like(f0)
    if voiced.any():
        melody = (np.log(f0[voiced]) - base[0]) * stretch
        middle = float(np.median(melody))
        melody += np.clip(middle, -DRIFT, DRIFT) - middle
        # Kept within what the vocoder can make, whatever the reference was.
        moved[voiced] = np.clip(np.exp(target[0] + melody), FMIN / 2, 2 * FMAX)
    factor = 1.0
    if gain is not None and voiced.any():
        some = _some(len(f0))
        f0s = float(np.median(f0[voiced])), float(np.median(moved[voiced]))
        factor = gain(
            pyworld.cheaptrick(samples, f0[some], times[some], SPEECH_SAMPLE_RATE, fft_size=N_FFT), voiced[some], f0s
        )
    carried = np.zeros(0)
    for start, end in _parts(samples, voiced):
        low, high = max(0, start - _MARGIN), min(len(f0), end + _MARGIN)
        frames = f0[low:high], moved[low:high], times[low:high]
        sound = factor * _spoken_again(samples, frames, recolour)[(start - low) * _HOP :]
        ramp = np.linspace(0.0, 1.0, len(carried))
        sound[: len(carried)] = carried * (1 - ramp) + sound[: len(carried)] * ramp
        length = (end - start) * _HOP
        # One frame beyond the cut is kept, and fades over into the next part.
        carried = sound[length : length + _HOP].copy() if end < len(f0) else np.zeros(0)
        yield sound[: min(length, len(samples) - start * _HOP)]


def _spoken_again(samples: Frames, frames: tuple[Frames, Frames, Frames], recolour: Recolour | None) -> Frames:
    """Take some frames apart (pitch before and after, times) and put them together; keeps nothing: 4 MB a part."""
    f0, moved, times = frames
    envelope = pyworld.cheaptrick(samples, f0, times, SPEECH_SAMPLE_RATE, fft_size=N_FFT)
    breath = _breath(samples, f0, times)
    if recolour is not None:
        envelope, breath = recolour(envelope, breath, f0 > 0)
    return np.asarray(pyworld.synthesize(moved, envelope, breath, SPEECH_SAMPLE_RATE, FRAME_PERIOD_MS))


def _breath(samples: Frames, f0: Frames, times: Frames) -> Frames:
    """Aperiodicity of one frame in two, for both: it changes slowly, and costs three times what the envelope does."""
    first = np.arange(0, len(f0), 2)
    second = np.minimum(first + 1, len(f0) - 1)
    chosen = np.where(f0[first] > 0, first, second)  # of a pair, the voiced one: without pitch there is only breath
    found = pyworld.d4c(samples, f0[chosen], times[chosen], SPEECH_SAMPLE_RATE, fft_size=N_FFT)
    return np.repeat(found, 2, axis=0)[: len(f0)]


def _some(n_frames: int) -> npt.NDArray[np.intp]:
    """Short runs of frames from all over the clause: enough to tell how loud it is."""
    middles = np.linspace(0, n_frames - 1, min(RUNS, n_frames)).round().astype(int)
    return np.unique(np.clip(middles[:, None] + np.arange(-(RUN // 2), RUN // 2 + 1), 0, n_frames - 1))


def _parts(samples: Frames, voiced: npt.NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    """Cut where nobody hears it: at the quietest unvoiced frame, and never in the middle of a vowel."""
    padded = np.zeros(len(voiced) * _HOP)
    padded[: len(samples)] = samples[: len(padded)]
    energy = np.where(voiced, np.inf, np.square(padded).reshape(len(voiced), _HOP).sum(axis=1))
    cost = np.convolve(energy, np.ones(5), "same")  # two frames about it are unvoiced as well
    start, (shortest, longest) = 0, FIRST
    while len(voiced) - start > longest:
        window = cost[start + shortest : -shortest]
        quiet = np.flatnonzero(np.isfinite(window))
        if not len(quiet):
            break
        reach = max(longest - shortest, int(quiet[0]) + 1)  # a long vowel makes a long part
        end = start + shortest + int(window[:reach].argmin())
        yield start, end
        start, (shortest, longest) = end, PART
    yield start, len(voiced)
