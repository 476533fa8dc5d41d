"""Where somebody speaks.

Three things together make speech: it stands out from the pauses, much of it is voiced, and neither its level nor
its pitch stands still, as those of a tone, a hum or an organ do.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from vcnb.audio.clip import Segment
from vcnb.audio.resample import resample

from .frames import framed, levels_db
from .runs import runs

__all__ = ["speech_segments"]

# Ours, set on 50 recordings of speech, music and noise; nothing here comes from the service.
RATE = 8_000  # Hz; voicing lives below 4 kHz
HOP = 0.01  # seconds
FRAME = 0.032  # seconds; two periods of the lowest voice
BRIDGE = 0.1  # seconds; a shorter gap is a stop consonant, not a pause
SHORTEST = 0.1  # seconds
F0_RANGE = (65.0, 450.0)  # Hz
RANGE_DB = 35.0  # speech below its loudest frames
ABOVE_FLOOR_DB = 6.0
QUIETEST_DB = -90.0  # eight dB above the noise of 16 bits
VOICED = 0.55  # normalised autocorrelation
SURELY_VOICED = 0.8
VOICED_SHARE = 0.2
STEADY_SEMITONES = 0.03  # per 10 ms; voices move more, even when they hold a vowel
LEAP_SEMITONES = 1.0  # per 10 ms; voices do not, noise does
STEADY_SHARE = 0.6
STEADY_DB = 2.5  # standard deviation of level


def speech_segments(samples: npt.NDArray[np.float32], sample_rate: int) -> list[Segment]:
    """Find the stretches in which somebody speaks.

    Parameters
    ----------
    samples : np.ndarray [shape=(n,)]
        Mono amplitudes, full scale at 1.
    sample_rate : int
        Samples per second (Hz).

    Returns
    -------
    list of Segment
        In order, edges on a grid of 10 ms; gaps shorter than 0.1 s are bridged. Empty for silence, noise, tones and
        hum. Singing counts as speech, and so may a lively melody; behind noise nearer than about 6 dB it finds nothing.
    """
    if len(samples) < round(SHORTEST * sample_rate):
        return []
    narrow = resample(np.asarray(samples, np.float32), sample_rate, RATE)
    frames = framed(narrow - narrow.mean(), round(FRAME * RATE), round(HOP * RATE))
    levels = levels_db(frames)
    floor, loudest = (float(np.percentile(levels, share)) for share in (8, 98))
    audible = levels > max(loudest - RANGE_DB, QUIETEST_DB)
    strength, semitones = _voicing(frames)
    # Who never pauses has no floor but the dips between syllables; a moving voice shows that these are speech.
    moves = np.abs(np.diff(semitones, append=np.inf))
    gliding = (strength > SURELY_VOICED) & (moves > STEADY_SEMITONES) & (moves < LEAP_SEMITONES)
    active = audible & ((levels > floor + ABOVE_FLOOR_DB) | gliding)
    voiced = (strength > VOICED) & active
    duration = len(samples) / sample_rate
    return [
        Segment(round(start * HOP, 2), min(round(end * HOP, 2), duration))
        for start, end in runs(_bridged(active))
        if (end - start) * HOP >= SHORTEST and _speaks(levels[start:end], voiced[start:end], semitones[start:end])
    ]


def _voicing(frames: npt.NDArray[np.float32]) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Autocorrelation peak of each frame: its height, and its pitch in semitones.

    Divided by the autocorrelation of the window (Boersma 1993), which would else make low voices look unvoiced.
    """
    length = frames.shape[1]
    window = np.hanning(length).astype(np.float32)
    size = 2 * length
    shortest, longest = int(RATE / F0_RANGE[1]), int(RATE / F0_RANGE[0])

    def autocorrelation(signals: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        power = np.abs(np.fft.rfft(signals, size)) ** 2
        return np.fft.irfft(power, size)[..., : longest + 2].astype(np.float32)

    bare = autocorrelation(window)
    found = autocorrelation((frames - frames.mean(1, keepdims=True)) * window)
    found = found / np.maximum(found[:, :1], 1e-12) / (bare / bare[0])
    left, here, right = (found[:, shortest + at : longest + at] for at in (-1, 0, 1))
    peaks = np.where((here >= left) & (here > right), here, 0)
    best = peaks.argmax(1)
    row = np.arange(len(frames))
    a, b, c = left[row, best], here[row, best], right[row, best]
    shift = np.clip((a - c) / np.where(a - 2 * b + c == 0, 1, 2 * (a - 2 * b + c)), -0.5, 0.5)
    semitones = -12 * np.log2((best + shortest + shift) / RATE)
    return peaks[row, best], semitones.astype(np.float32)


def _bridged(active: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    filled = active.copy()
    for start, end in runs(~active):
        if start > 0 and end < len(active) and (end - start) * HOP < BRIDGE:
            filled[start:end] = True
    return filled


def _speaks(levels: npt.NDArray[np.float32], voiced: npt.NDArray[np.bool_], semitones: npt.NDArray[np.float32]) -> bool:
    pairs = voiced[1:] & voiced[:-1]
    if voiced.mean() < VOICED_SHARE or pairs.sum() < 3:
        return False
    inner = levels[2:-2] if len(levels) > 20 else levels
    moves = np.abs(np.diff(semitones))[pairs]
    return bool((moves < STEADY_SEMITONES).mean() < STEADY_SHARE and inner.std() > STEADY_DB)
