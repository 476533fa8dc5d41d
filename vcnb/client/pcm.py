"""How the bytes that arrive become samples, and how two answers are joined.

The reference says 24 kHz, 16-bit, mono. Reported of the service: a RIFF header with lengths that mean nothing in the
first piece of a stream, and pieces that end in the middle of a sample.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from vcnb.catalog import SPEECH_SAMPLE_RATE
from vcnb.errors import ServiceBrokenError

__all__ = ["JOINT", "Unpacker", "as_samples", "joined"]

JOINT = 120  # samples, 5 ms; ours: long enough for no click, too short to be heard as a fade
_HEADER_LIMIT = 65_536  # ours: no header of a WAV file is longer


class Unpacker:
    """Takes the header off a sound that comes in pieces, and keeps samples whole.

    Parameters
    ----------
    whole : bool
        The sound is a finished file: its lengths can be trusted, and what stands behind the samples is no sound.
    """

    def __init__(self, *, whole: bool = False) -> None:
        self._whole = whole
        self._held = b""
        self._opened = False
        self._left: int | None = None

    def feed(self, data: bytes) -> bytes:
        """Take the next bytes.

        Parameters
        ----------
        data : bytes
            As they arrived.

        Returns
        -------
        bytes
            Little-endian 16-bit samples, whole ones.

        Raises
        ------
        ServiceBrokenError
            If it is another format than the documented one.
        """
        data = self._held + data
        self._held = b""
        if not self._opened:
            start = self._start(data)
            if start is None:
                self._held = data
                return b""
            self._opened = True
            data = data[start:]
        if self._left is not None:
            data = data[: self._left]
            self._left -= len(data) - len(data) % 2
        whole = len(data) - len(data) % 2
        self._held = data[whole:]
        return data[:whole]

    @property
    def missing(self) -> int:
        """Bytes that a finished file promised and did not hold."""
        return self._left or 0

    def _start(self, data: bytes) -> int | None:
        """Find the first sample; None while the header is not whole."""
        if len(data) < 4 and b"RIFF".startswith(data):
            return None
        if data[:4] != b"RIFF":
            if data[:3] == b"ID3" or data[:4] in (b"OggS", b"fLaC"):
                raise _unknown(f"it begins with {data[:4]!r}")
            return 0
        at = 12
        while at + 8 <= len(data):
            name, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
            if name == b"data":
                # In a stream the length is written before it is known: only a finished file's is true.
                self._left = size if self._whole and 0 < size < 0x7FFFF000 else None
                return at + 8
            if name == b"fmt " and at + 24 <= len(data):
                _check_format(data[at + 8 : at + 24])
            at += 8 + size + size % 2
            if at > _HEADER_LIMIT:
                raise _unknown("its header has no end")
        return None


def _check_format(fmt: bytes) -> None:
    _, channels, rate, _, _, bits = struct.unpack("<HHIIHH", fmt)
    if (channels, rate, bits) != (1, SPEECH_SAMPLE_RATE, 16):
        raise _unknown(f"it says {channels} channels, {rate} Hz, {bits} bit")


def _unknown(why: str) -> ServiceBrokenError:
    return ServiceBrokenError(
        f"The sound is not 24 kHz, 16-bit, mono: {why}.", remedy="the characters were billed; ask the service's support"
    )


def as_samples(pcm: bytes) -> npt.NDArray[np.float32]:
    """Turn 16-bit samples into amplitudes.

    Parameters
    ----------
    pcm : bytes
        Little-endian, whole samples.

    Returns
    -------
    np.ndarray [shape=(n,)]
        Full scale at 1.
    """
    return np.frombuffer(pcm, dtype="<i2").astype(np.float32) / np.float32(32768)


def joined(pieces: Iterator[bytes], *, first: bool, last: bool) -> Iterator[bytes]:
    """Let the sound of one answer meet its neighbours without a click.

    Two answers are two utterances: where one ends and the next begins the level may jump. The last 5 ms before the
    joint and the first 5 ms after it are faded through zero; the length stays.

    Parameters
    ----------
    pieces : iterator of bytes
        The sound of one answer.
    first, last : bool
        Whether nothing stands before it, and after it.

    Yields
    ------
    bytes
        The same sound, in pieces.
    """
    if first and last:
        yield from pieces
        return
    faded_in = b"" if first else None
    held = b""
    for piece in pieces:
        if faded_in is None or (not first and len(faded_in) < 2 * JOINT):
            faded_in = (faded_in or b"") + piece
            if len(faded_in) < 2 * JOINT:
                continue
            piece = _faded(faded_in[: 2 * JOINT], rising=True) + faded_in[2 * JOINT :]
        held += piece
        if last:
            ready, held = held, b""
        else:
            ready, held = held[: -2 * JOINT], held[-2 * JOINT :]
        if ready:
            yield ready
    if not first and faded_in is not None and len(faded_in) < 2 * JOINT:
        held = _faded(faded_in, rising=True)
    if held:
        yield held if last else _faded(held, rising=False)


def _faded(pcm: bytes, *, rising: bool) -> bytes:
    samples = np.frombuffer(pcm, dtype="<i2")
    ramp = 0.5 - 0.5 * np.cos(np.pi * np.arange(len(samples)) / max(1, len(samples) - 1))
    return np.rint(samples * (ramp if rising else ramp[::-1])).astype("<i2").tobytes()
