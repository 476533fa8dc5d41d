"""How a clip becomes a file again: always as WAV, 16 bit, mono."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import wave
from pathlib import Path

import numpy as np
import numpy.typing as npt

from vcnb.errors import ClipError

from .clip import Clip, Source
from .clipping import clipped_segments

__all__ = ["outgoing", "save", "wav_bytes"]


def wav_bytes(samples: npt.NDArray[np.float32], sample_rate: int) -> bytes:
    """Encode samples as a 16-bit mono WAV file.

    Parameters
    ----------
    samples : np.ndarray [shape=(n,)]
        Mono amplitudes, full scale at 1. What passes full scale is held at it and never wraps around.
    sample_rate : int
        Samples per second (Hz).

    Returns
    -------
    bytes
        The file. Decoding it gives the samples back to within half a step of 2**-15.
    """
    steps = np.clip(np.rint(np.asarray(samples, np.float32) * np.float32(32768)), -32768, 32767).astype("<i2")
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(int(sample_rate))
        file.writeframes(steps.tobytes())
    return buffer.getvalue()


def save(clip: Clip, path: str | os.PathLike[str]) -> Path:
    """Write a clip as a 16-bit mono WAV file.

    The file appears whole or not at all: it is written beside its place and then moved there.

    Parameters
    ----------
    clip : Clip
        What to write.
    path : path
        Where to; the name ends in ``.wav``.

    Returns
    -------
    pathlib.Path
        Where it lies.

    Raises
    ------
    ClipError
        If the name promises another format, or the place cannot be written.
    """
    target = Path(os.path.expanduser(os.fsdecode(path)))
    if target.suffix.lower() not in (".wav", ".wave"):
        raise ClipError(f"{target}: only WAV is written here.", remedy="let the name end in .wav")
    beside = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        beside.write_bytes(wav_bytes(clip.samples, clip.sample_rate))
        beside.replace(target)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ClipError(f"{target}: cannot be written ({reason}).", remedy="check the folder and the name") from None
    finally:
        with contextlib.suppress(OSError, ValueError):
            beside.unlink()
    return target


def outgoing(clip: Clip) -> Source:
    """Tell what would be sent for a clip.

    Parameters
    ----------
    clip : Clip
        A recording.

    Returns
    -------
    Source
        The file it was read from, byte for byte, while nothing was done to it; else the clip as a 16-bit WAV file.
    """
    if clip.source is not None and not clip.edits:
        return clip.source
    data = wav_bytes(clip.samples, clip.sample_rate)
    return Source(
        data=data,
        sha256=hashlib.sha256(data).hexdigest(),
        container="wav",
        codec="pcm_s16le",
        bit_depth=16,
        is_float=False,
        n_channels=1,
        sample_rate=clip.sample_rate,
        declared_duration=clip.duration,
        decoded_duration=clip.duration,
        suffix=".wav",
        clipped=clipped_segments(clip.samples, clip.sample_rate),
    )
