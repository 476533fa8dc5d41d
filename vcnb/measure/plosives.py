"""Where breath hits the microphone."""

from __future__ import annotations

import numpy as np

from vcnb.audio.clip import Segment

from .runs import runs
from .stft import Spectrogram

__all__ = ["plosives"]

# Ours, tried on bursts added to eleven recordings.
LOW = (20.0, 75.0)  # Hz, where a burst of breath lies and no voice does
VOICE = (200.0, 3_000.0)  # Hz
OVER_VOICE_DB = 8.0
BELOW_LOUDEST_DB = 12.0  # a fainter one may be the fundamental of a low voice before a stop
BURST_DB = 15.0  # above what usually lies down there, hum or traffic
LONGEST = 0.2  # seconds
APART = 0.15  # seconds; a pop that swings back is one pop


def plosives(spectrogram: Spectrogram) -> tuple[Segment, ...]:
    """Find short bursts below the voice.

    Parameters
    ----------
    spectrogram : Spectrogram
        Of the recording.

    Returns
    -------
    tuple of Segment
        In order. A microphone's high-pass filter hides them all.
    """
    low, voice = spectrogram.band(*LOW), spectrogram.band(*VOICE)
    loudest = np.percentile(voice, 98)
    popped = (
        (low > voice * 10 ** (OVER_VOICE_DB / 10))
        & (low > loudest * 10 ** (-BELOW_LOUDEST_DB / 10))
        & (low > np.median(low) * 10 ** (BURST_DB / 10))
    )
    pops: list[Segment] = []
    for first, last in runs(popped):
        start, end = round(first * spectrogram.hop, 2), round(last * spectrogram.hop, 2)
        if end - start > LONGEST:
            continue
        if pops and start - pops[-1].end < APART:
            start = pops.pop().start
        pops.append(Segment(start, end))
    return tuple(pops)
