"""How speech is said again with another pitch or in another colour.

Another pitch by the vocoder WORLD, which takes it apart into pitch, colour and breath, and puts it together again: M.
Morise, F. Yokomori and K. Ozawa, "WORLD: a vocoder-based high-quality speech synthesis system for real-time
applications", IEICE Transactions on Information and Systems, 2016. Another colour alone by a filter, which leaves the
rest as it was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyworld

from vcnb.catalog import SPEECH_SAMPLE_RATE

from .spectrum import N_FFT

__all__ = ["Track", "track", "with_colour", "with_pitch"]

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
_MARGIN, _WIDE_MARGIN = 8, 16  # frames on both sides of a part that are made and thrown away
_WINDOW = 4 * _HOP  # 20 ms are filtered at once: a sound's own changes stay as quick as they are
_WEIGHTS = np.hanning(_WINDOW + 1)[:-1] / 2  # four of them overlap, and add up to 1

Frames = npt.NDArray[np.float64]
Gain = Callable[[Frames, npt.NDArray[np.bool_], tuple[float, float]], float]
Recolour = Callable[[Frames, Frames, npt.NDArray[np.bool_]], tuple[Frames, Frames]]
Amplify = Callable[[Frames, npt.NDArray[np.bool_]], Frames]


class Track(NamedTuple):
    """Pitch over time.

    Parameters
    ----------
    f0 : np.ndarray [shape=(n_frames,)]
        Hz, 0 where nothing is voiced.
    times : np.ndarray [shape=(n_frames,)]
        Seconds, one every 5 ms.
    """

    f0: Frames
    times: Frames


def track(samples: Frames) -> Track:
    """Measure the pitch.

    Parameters
    ----------
    samples : np.ndarray [shape=(n,)]
        24 kHz, full scale at 1.

    Returns
    -------
    Track
        From 60 to 420 Hz.
    """
    # Harvest takes twice as long as DIO and gains nothing here (measured for the likeness of voices).
    f0, times = pyworld.dio(
        samples, SPEECH_SAMPLE_RATE, f0_floor=FMIN, f0_ceil=FMAX, frame_period=FRAME_PERIOD_MS, speed=DIO_SPEED
    )
    return Track(pyworld.stonemask(samples, f0, times, SPEECH_SAMPLE_RATE), times)


def with_colour(samples: Frames, pitch: Track, *, amplify: Amplify, gain: Gain | None = None) -> Iterator[Frames]:
    """Say a clause again in another colour, at the pitch it has.

    Parameters
    ----------
    samples : np.ndarray [shape=(n,)]
        24 kHz, full scale at 1.
    pitch : Track
        Of these samples.
    amplify : callable
        Takes the power envelope [shape=(n_frames, 513)] and which frames are voiced, and gives the factor for the
        amplitude at each frequency, of the same shape. May look at sixteen frames on either side.
    gain : callable, optional
        As for `with_pitch`; takes all frames, and the same pitch twice.

    Yields
    ------
    np.ndarray [shape=(m,)]
        Parts, together as long as before; where every factor is 1, what went in, but for a fade at both ends.
    """
    f0, times = pitch
    voiced = f0 > 0
    power = pyworld.cheaptrick(samples, f0, times, SPEECH_SAMPLE_RATE, fft_size=N_FFT)
    factor = 1.0
    if gain is not None and voiced.any():
        middle = float(np.median(f0[voiced]))
        factor = gain(power, voiced, (middle, middle))

    def again(low: int, high: int) -> Frames:
        return factor * _filtered(samples, times[low:high], amplify(power[low:high], voiced[low:high]))

    yield from _in_parts(samples, voiced, again, _WIDE_MARGIN)


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
    f0, times = track(samples)
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
        power = pyworld.cheaptrick(samples, f0[some], times[some], SPEECH_SAMPLE_RATE, fft_size=N_FFT)
        factor = gain(power, voiced[some], f0s)

    def again(low: int, high: int) -> Frames:
        return factor * _spoken_again(samples, f0[low:high], moved[low:high], times[low:high], recolour)

    yield from _in_parts(samples, voiced, again, _MARGIN)


def _in_parts(
    samples: Frames, voiced: npt.NDArray[np.bool_], again: Callable[[int, int], Frames], margin: int
) -> Iterator[Frames]:
    """Make a clause part by part, each with some frames on both sides that are thrown away."""
    carried = np.zeros(0)
    for start, end in _parts(samples, voiced):
        low = max(0, start - margin)
        sound = again(low, min(len(voiced), end + margin))[(start - low) * _HOP :]
        ramp = np.linspace(0.0, 1.0, len(carried))
        sound[: len(carried)] = carried * (1 - ramp) + sound[: len(carried)] * ramp
        length = (end - start) * _HOP
        # One frame beyond the cut is kept, and fades over into the next part.
        carried = sound[length : length + _HOP].copy() if end < len(voiced) else np.zeros(0)
        yield sound[: min(length, len(samples) - start * _HOP)]


def _spoken_again(samples: Frames, f0: Frames, moved: Frames, times: Frames, recolour: Recolour | None) -> Frames:
    """Take some frames apart and put them together at another pitch; keeps nothing: 4 MB a part."""
    envelope = pyworld.cheaptrick(samples, f0, times, SPEECH_SAMPLE_RATE, fft_size=N_FFT)
    breath = _breath(samples, f0, times)
    if recolour is not None:
        envelope, breath = recolour(envelope, breath, f0 > 0)
    return np.asarray(pyworld.synthesize(moved, envelope, breath, SPEECH_SAMPLE_RATE, FRAME_PERIOD_MS))


def _filtered(samples: Frames, times: Frames, factors: Frames) -> Frames:
    """Amplify each frequency of some frames by a factor of its own; keeps nothing."""
    first = round(times[0] * SPEECH_SAMPLE_RATE) - _WINDOW // 2
    padded = np.zeros((len(times) - 1) * _HOP + _WINDOW)
    some = samples[max(0, first) : first + len(padded)]
    padded[max(0, -first) :][: len(some)] = some
    blocks = np.zeros((len(times), N_FFT))
    # In the middle, for a filter without delay spreads a sound to both sides.
    middle = (N_FFT - _WINDOW) // 2
    blocks[:, middle : middle + _WINDOW] = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[::_HOP] * _WEIGHTS
    changed = np.fft.irfft(np.fft.rfft(blocks) * factors, N_FFT)
    added = np.zeros((len(times) - 1) * _HOP + N_FFT)
    for number, block in enumerate(changed):
        added[number * _HOP :][:N_FFT] += block
    return added[N_FFT // 2 :][: len(times) * _HOP]


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
