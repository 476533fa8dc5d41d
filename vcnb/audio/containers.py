"""Which container a file is, by its first bytes and never by its name."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable

__all__ = ["FORMATS", "SUFFIXES", "bit_depth", "riff_duration", "sniff"]

# Our word for a container -> the FFmpeg demuxer that is named to the decoder. Naming it matters: left to guess,
# FFmpeg opens a text file that begins with "ffconcat" and reads whatever other file that text points to.
FORMATS: dict[str, str] = {
    "wav": "wav",
    "w64": "w64",
    "mp3": "mp3",
    "mp4": "mp4",
    "flac": "flac",
    "ogg": "ogg",
    "matroska": "matroska",
    "aiff": "aiff",
    "caf": "caf",
    "adts": "aac",
    "au": "au",
}

# Endings that do not mislead about the container.
SUFFIXES: dict[str, frozenset[str]] = {
    "wav": frozenset({".wav", ".wave", ".rf64", ".bwf"}),
    "w64": frozenset({".w64"}),
    "mp3": frozenset({".mp3"}),
    "mp4": frozenset({".m4a", ".mp4", ".m4b"}),
    "flac": frozenset({".flac"}),
    "ogg": frozenset({".ogg", ".oga", ".opus", ".spx"}),
    "matroska": frozenset({".webm", ".mka", ".mkv"}),
    "aiff": frozenset({".aiff", ".aif", ".aifc"}),
    "caf": frozenset({".caf"}),
    "adts": frozenset({".aac"}),
    "au": frozenset({".au", ".snd"}),
}

_W64_GUID = bytes.fromhex("726966662e91cf11a5d628db04c10000")  # Sony Wave64: the GUID that begins with "riff"
_MP4_ATOMS = frozenset({b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide"})  # QuickTime file format, first atoms
_STREAMED = 0x7FFF_0000  # a RIFF size from here on is what writers put who did not know it

# ISO 11172-3 and 13818-3, bit rate index -> kbit/s: MPEG-1 layer II and III, MPEG-2 and 2.5 layer II and III.
_KBITS_1_2 = (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384)
_KBITS_1_3 = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_KBITS_2 = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_MPEG_JUNK = 4096  # bytes before the first frame that we forgive: padding after a tag
_FRAMES_IN_A_ROW = 3


def sniff(data: bytes) -> str | None:
    """Name the container that the first bytes belong to.

    Parameters
    ----------
    data : bytes
        A whole file.

    Returns
    -------
    str or None
        One of `FORMATS`, None for anything else.
    """
    head = data[:16]
    if head[:4] in (b"RIFF", b"RF64", b"BW64", b"RIFX") and head[8:12] == b"WAVE":
        return "wav"
    for magic, name in ((b"fLaC", "flac"), (b"OggS", "ogg"), (b"\x1aE\xdf\xa3", "matroska"), (b"caff", "caf")):
        if head.startswith(magic):
            return name
    if head == _W64_GUID:
        return "w64"
    if head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
        return "aiff"
    if head[:4] == b".snd":
        return "au"
    if head[4:8] in _MP4_ATOMS:
        return "mp4"
    return _sniff_tagged(data)


def _sniff_tagged(data: bytes) -> str | None:
    """Look behind an ID3 tag, then for frames that follow each other."""
    start = 0
    while data[start : start + 3] == b"ID3" and len(data) > start + 10:
        size = data[start + 6 : start + 10]
        start += 10 + (size[0] << 21 | size[1] << 14 | size[2] << 7 | size[3])
    if data[start : start + 4] == b"fLaC":
        return "flac"
    for at in range(start, min(start + _MPEG_JUNK, len(data) - 4)):
        if data[at] != 0xFF:
            continue
        if _chained(data, at, _adts_length):
            return "adts"
        if _chained(data, at, _mpeg_length):
            return "mp3"
    return None


def _chained(data: bytes, at: int, length: Callable[[bytes], int]) -> bool:
    for n_found in range(_FRAMES_IN_A_ROW):
        if len(data) - at < 8:
            return n_found > 0
        step = length(data[at : at + 8])
        if not step:
            return False
        at += step
    return True


def _adts_length(head: bytes) -> int:
    """Length in bytes of an AAC frame (ISO 14496-3, 1.A.2), 0 if it is none."""
    if head[0] != 0xFF or head[1] & 0xF6 != 0xF0 or (head[2] >> 2) & 15 > 12:
        return 0
    length = (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5
    return length if length > 7 else 0


def _mpeg_length(head: bytes) -> int:
    """Length in bytes of an MPEG audio frame of layer II or III, 0 if it is none."""
    version, layer, rate = (head[1] >> 3) & 3, (head[1] >> 1) & 3, (head[2] >> 2) & 3
    index = head[2] >> 4
    if head[0] != 0xFF or head[1] & 0xE0 != 0xE0 or version == 1 or layer not in (1, 2) or rate == 3:
        return 0
    if index in (0, 15):
        return 0
    table = (_KBITS_1_3 if layer == 1 else _KBITS_1_2) if version == 3 else _KBITS_2
    sample_rate = (44100, 48000, 32000)[rate] >> (0 if version == 3 else 1 if version == 2 else 2)
    factor = 72 if layer == 1 and version != 3 else 144
    return factor * table[index] * 1000 // sample_rate + ((head[2] >> 1) & 1)


def riff_duration(data: bytes) -> tuple[float | None, bool]:
    """Read how long a WAV file says it is, and whether it ends before that.

    FFmpeg silently shortens the length of a cut-off file to what is there, so this is read here.

    Parameters
    ----------
    data : bytes
        A RIFF or RF64 file.

    Returns
    -------
    (float or None, bool)
        Seconds, None where the header does not know; and whether bytes are missing.
    """
    order = ">" if data[:4] == b"RIFX" else "<"
    at, rate, long_size = 12, 0, 0
    while at + 8 <= len(data):
        name, size = data[at : at + 4], struct.unpack_from(order + "I", data, at + 4)[0]
        body = at + 8
        if name == b"ds64" and body + 16 <= len(data):
            long_size = struct.unpack_from("<Q", data, body + 8)[0]
        elif name == b"fmt " and body + 12 <= len(data):
            rate = struct.unpack_from(order + "I", data, body + 8)[0]
        elif name == b"data":
            size = long_size if long_size and size == 0xFFFF_FFFF else size
            if not rate or (not size and len(data) > body) or (size >= _STREAMED and not long_size):
                return None, False
            return size / rate, size > len(data) - body
        at = body + size + (size & 1)
    return None, True


def bit_depth(codec: str, extradata: bytes | None) -> int | None:
    """Tell how many bits a sample has in the file.

    Parameters
    ----------
    codec : str
        FFmpeg's name.
    extradata : bytes or None
        The codec's own header, where FLAC and ALAC keep it.

    Returns
    -------
    int or None
        Bits, None for codecs that have no such number.
    """
    if found := re.match(r"pcm_[suf](\d+)", codec):
        return int(found[1])
    if codec in ("pcm_mulaw", "pcm_alaw"):
        return 8
    if codec == "flac" and extradata and len(extradata) >= 34:
        return (((extradata[12] & 1) << 4) | (extradata[13] >> 4)) + 1  # STREAMINFO, RFC 9639 section 8.2
    if codec == "alac" and extradata and len(extradata) >= 18:
        return extradata[17]  # after the atom's 12 bytes: frame length, version, then the depth
    return None
