"""How a clip becomes small enough to travel inside a page."""

from __future__ import annotations

import io

import numpy as np

from .clip import Clip
from .resample import resample

__all__ = ["mp3_bytes"]

RATE = 24_000  # Hz: what the service speaks, and a rate of MP3
BIT_RATE = 48_000  # bits a second: 15 s are 90 kB, 120 kB as text in a page; every browser plays it


def mp3_bytes(clip: Clip) -> bytes:
    """Encode a clip as MP3: for the ear, never for cloning.

    Parameters
    ----------
    clip : Clip
        The sound; brought to 24 kHz.

    Returns
    -------
    bytes
        The file, about 6 kB a second.
    """
    import av

    samples = resample(clip.samples, clip.sample_rate, RATE)
    steps = np.clip(np.rint(samples * 32767), -32768, 32767).astype(np.int16)
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp3") as file:
        stream = file.add_stream("mp3", rate=RATE, layout="mono")
        stream.bit_rate = BIT_RATE
        frame = av.AudioFrame.from_ndarray(steps[None, :], format="s16p", layout="mono")
        frame.sample_rate = RATE
        for packet in (*stream.encode(frame), *stream.encode(None)):
            file.mux(packet)
    return buffer.getvalue()
