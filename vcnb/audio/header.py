"""What a file says of itself, read from the disk without decoding it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import av

from vcnb.errors import ClipError

from .containers import FORMATS, sniff

__all__ = ["HEAD_BYTES", "Header", "header", "known_as"]

HEAD_BYTES = 1 << 16  # enough for every magic number, and for an MPEG frame behind the junk that we forgive

# What people drop by mistake: first bytes -> what it is.
_OTHERS: tuple[tuple[bytes, str], ...] = (
    (b"%PDF", "a PDF"),
    (b"PK\x03\x04", "an archive or an office document"),
    (b"\x1f\x8b", "an archive"),
    (b"7z\xbc\xaf", "an archive"),
    (b"Rar!", "an archive"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"GIF8", "a picture"),
    (b"MZ", "a program"),
    (b"\x7fELF", "a program"),
    (b"SQLite format 3", "a database"),
)
_UNREADABLE = "give a WAV, MP3, M4A, FLAC, Ogg, Opus, WebM, AIFF or CAF file"


@dataclass(frozen=True)
class Header:
    """The facts in a file's header; a file may lie, and only decoding it tells.

    Parameters
    ----------
    container, codec : str
        As in `Source`.
    sample_rate : int
        Samples per second (Hz), 0 where it is not said.
    n_channels : int
        0 where it is not said.
    duration : float or None
        Seconds, None where it is not said.
    """

    container: str
    codec: str
    sample_rate: int
    n_channels: int
    duration: float | None


def known_as(head: bytes) -> str | None:
    """Name the container by a file's first bytes, or refuse what is none.

    Parameters
    ----------
    head : bytes
        The first `HEAD_BYTES` of a file, or all of it.

    Returns
    -------
    str or None
        One of ``containers.FORMATS``; None where a tag is longer than the head, so that only the whole file tells.

    Raises
    ------
    ClipError
        If it cannot be sound.
    """
    if not head:
        raise ClipError("The file is empty.", remedy="record or export it again")
    if container := sniff(head):
        return container
    if head[:3] == b"ID3" and len(head) > 10 and _tag_end(head) >= len(head) - 8:
        return None
    other = next((what for magic, what in _OTHERS if head.startswith(magic)), "")
    if not other and not any(byte < 9 or 13 < byte < 32 for byte in head[:512]):
        other = "a text"
    what = f"The file is {other}, not sound." if other else "The file holds no sound in a known format."
    raise ClipError(what, remedy=_UNREADABLE)


def header(path: Path) -> Header:
    """Read what a file says of itself; the file may be of any size.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    Header

    Raises
    ------
    ClipError
        If it cannot be read, or says nothing of sound.
    """
    try:
        with path.open("rb") as file:
            container = known_as(_head(file))
            if container is None:
                raise ClipError("The file's tag has no end.", remedy=_UNREADABLE)
            file.seek(0)
            # A file object and a named container, never a path: FFmpeg would follow what a playlist points to.
            with av.open(file, mode="r", format=FORMATS[container]) as opened:
                return _said(opened, container)
    except (OSError, av.error.FFmpegError, ValueError, OverflowError) as error:
        if isinstance(error, ClipError):
            raise
        reason = getattr(error, "strerror", None) or str(error)
        raise ClipError(f"{path.name}: cannot be read ({reason}).", remedy="export it again") from None


def _head(file: BinaryIO) -> bytes:
    head = file.read(HEAD_BYTES)
    while head[:3] == b"ID3" and len(head) > 10 and sniff(head) is None:
        file.seek(_tag_end(head) - len(head), 1)
        following = file.read(HEAD_BYTES)
        if not following:
            break
        head = following
    return head


def _tag_end(head: bytes) -> int:
    """Where an ID3 tag ends (id3.org, v2.4.0 structure, 3.1): its length is written in 7 bits a byte."""
    size = head[6:10]
    return 10 + (size[0] << 21 | size[1] << 14 | size[2] << 7 | size[3])


def _said(opened: Any, container: str) -> Header:
    stream = next((stream for stream in opened.streams if stream.type == "audio"), None)
    context = stream.codec_context if stream is not None else None
    if stream is None or context is None:
        raise ClipError(f"The {container} file has no stream of sound that we can decode.", remedy=_UNREADABLE)
    duration = None
    if stream.duration:
        duration = float(stream.duration * stream.time_base)
    elif opened.duration:
        duration = opened.duration / av.time_base
    return Header(container, str(context.name), int(context.sample_rate or 0), int(context.channels or 0), duration)
