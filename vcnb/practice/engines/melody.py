"""How a base speaker is asked for the pitch of a voice in numbers of its own, so that no vocoder has to move it."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .world import DRIFT, STRETCH_LIMITS, Track, track

__all__ = ["Melody", "USUAL", "spoken_at"]

Sound = npt.NDArray[np.float64]

# espeak-ng 1.52 as measured in German, Chinese and Japanese, both voices: a step is .009 to .011 of log F0.
STEP = 0.0105
HIGHEST = 99
ASKED_AGAIN = 2


class Melody(NamedTuple):
    """How high and how lively espeak-ng speaks, each from 0 to 99.

    Parameters
    ----------
    pitch, range : int
        50 is what it does unasked.
    """

    pitch: int
    range: int


USUAL = Melody(50, 50)


def spoken_at(
    say: Callable[[Melody], Sound], *, base: tuple[float, float], target: tuple[float, float]
) -> tuple[Sound, Track]:
    """Let a clause be spoken about as high and as lively as a voice speaks.

    Parameters
    ----------
    say : callable
        Speaks the clause: 24 kHz, full scale at 1.
    base, target : (float, float)
        Middle and spread of log F0 (natural logarithm, Hz) of the base speaker unasked, and of the voice.

    Returns
    -------
    (np.ndarray [shape=(n,)], Track)
        The clause and its pitch, whose median lies mostly within half a semitone of the voice's where espeak-ng reaches
        it, from about 60 to 160 Hz and, as its higher voice, from 100 to 280; empty where nothing sounds.
    """
    # Its range is one in Hz, and the higher, the less of log F0 that is.
    stretch = float(np.clip(target[1] / max(base[1], 1e-3), *STRETCH_LIMITS)) * np.exp(target[0] - base[0])
    lively = round(float(np.clip(USUAL.range * stretch, 0, HIGHEST)))
    step, pitch = 1 / STEP, USUAL.pitch + (target[0] - base[0]) / STEP
    tried: list[tuple[float, Sound, Track]] = []
    for _ in range(1 + ASKED_AGAIN):
        sound = say(Melody(round(float(np.clip(pitch, 0, HIGHEST))), lively))
        found = track(sound) if len(sound) else Track(np.zeros(0), np.zeros(0))
        voiced = found.f0 > 0
        off = target[0] - float(np.median(np.log(found.f0[voiced]))) if voiced.any() else 0.0
        if tried and off * tried[-1][0] < 0:
            step /= 2  # it went too far: in a lively clause the middle jumps from one syllable to the next
        tried.append((off, sound, found))
        if abs(off) <= DRIFT:
            break
        pitch = float(np.clip(pitch, 0, HIGHEST)) + off * step
    return min(tried, key=lambda each: abs(each[0]))[1:]
