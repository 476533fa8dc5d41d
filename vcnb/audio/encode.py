"""How a clip becomes a file again: always as WAV, 16 bit, mono."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import struct
import wave
from pathlib import Path

import numpy as np
import numpy.typing as npt

from vcnb.errors import ClipError, visible

from .clip import Clip, Source, Speech
from .clipping import clipped_segments

__all__ = ["outgoing", "save", "tags_of", "wav_bytes"]

_INFO = {"encoder": b"ISFT", "artist": b"IART", "comment": b"ICMT"}  # the names that FFmpeg gives these chunks


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
    """Write a clip as a 16-bit mono WAV file; speech bears that it is AI-generated, its voice and its consent.

    The file appears whole or not at all: it is written beside its place and then moved there.

    Parameters
    ----------
    clip : Clip
        What to write. Of a Speech the file says so in its INFO chunk, which players and `ffprobe` show.
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
        beside.write_bytes(_marked(wav_bytes(clip.samples, clip.sample_rate), clip))
        beside.replace(target)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ClipError(f"{target}: cannot be written ({reason}).", remedy="check the folder and the name") from None
    finally:
        with contextlib.suppress(OSError, ValueError):
            beside.unlink()
    return target


def tags_of(clip: Clip) -> dict[str, str]:
    """Say what a file of a Speech must bear: that it is AI-generated, its voice, its model and its consent.

    Parameters
    ----------
    clip : Clip
        What is written.

    Returns
    -------
    dict
        "encoder", "artist" and "comment"; empty for a recording.
    """
    if not isinstance(clip, Speech):
        return {}
    story = {"voice": clip.voice, "model": clip.target_model, "consent": clip.consent, "take": clip.take}
    named = "; ".join(f"{name}: {value}" for name, value in story.items() if value)
    made = "AI-generated speech of a practice voice" if clip.practice else "AI-generated speech"
    tags = {"encoder": "vcnb", "artist": clip.voice, "comment": f"{made}; {named}".rstrip("; ")}
    return {name: visible(text) for name, text in tags.items() if text}


def _marked(data: bytes, clip: Clip) -> bytes:
    """Say in a WAV file of a Speech where it comes from, behind the sound: programs that skip it hear the same."""
    tags = tags_of(clip)
    if not tags:
        return data
    info = b"INFO" + b"".join(_chunk(_INFO[name], text.encode("utf-8") + b"\0") for name, text in tags.items())
    data += _chunk(b"LIST", info)
    return data[:4] + struct.pack("<I", len(data) - 8) + data[8:]


def _chunk(name: bytes, content: bytes) -> bytes:
    # Its size does not count the byte that makes it even.
    return name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)


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
