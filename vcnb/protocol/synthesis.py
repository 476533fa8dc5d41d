"""The messages of speech over HTTP: what is answered, and how languages are named and characters counted.

Shapes: the service's reference of HTTP synthesis and recorded answers of the hosted service (November 2026).
"""

from __future__ import annotations

import struct
import unicodedata
from typing import Any

from vcnb.catalog import LANGUAGES, SPEECH_SAMPLE_RATE

__all__ = [
    "AUTO",
    "REALTIME_MODEL_MESSAGE",
    "SYNTHESIS_PATH",
    "VOICE_MESSAGE",
    "answer",
    "audio",
    "characters",
    "language_of",
    "language_type",
    "streaming_wav_header",
    "wav_header",
]

SYNTHESIS_PATH = "/services/aigc/multimodal-generation/generation"
AUTO = "Auto"

# Words of the service that carry a meaning, seen by several of its users; the code of both is InvalidParameter.
VOICE_MESSAGE = (
    "Invalid voice specified, the requested voice does not exist or is not licensed for use"
    "—please select a supported voice"
)
REALTIME_MODEL_MESSAGE = "Invalid message type: "

# Length fields that the first piece of a stream was seen to carry: about 0x7FFFFFFF, whatever follows.
_UNKNOWN_LENGTH = 0x7FFFFFFF


def characters(text: str) -> int:
    """Count the characters that are billed: an ideograph counts 2, anything else 1.

    Parameters
    ----------
    text : str
        What is spoken.
    """
    return sum(2 if unicodedata.name(each, "").startswith("CJK ") and each.isalpha() else 1 for each in text)


def language_type(language: str | None) -> str:
    """Name a language as the synthesis wire does.

    Parameters
    ----------
    language : str or None
        Two-letter code; None and "auto" leave it to the service.

    Raises
    ------
    KeyError
        If the service has no such language.
    """
    return AUTO if language in (None, "auto") else LANGUAGES[str(language)]


def language_of(named: str | None) -> str:
    """Read a language as the synthesis wire names it.

    Parameters
    ----------
    named : str or None
        "Auto", "English" ...; None is "Auto".

    Returns
    -------
    str
        Two-letter code or "auto".

    Raises
    ------
    KeyError
        If there is no such language.
    """
    codes = {AUTO.lower(): "auto"} | {name.lower(): code for code, name in LANGUAGES.items()}
    return codes[(named or AUTO).lower()]


def audio(request_id: str, *, data: str = "", url: str | None = None, expires_at: int) -> dict[str, Any]:
    """Write ``output.audio``.

    Parameters
    ----------
    request_id : str
        Its id follows from it.
    data : str
        Base64 of a piece of a stream.
    url : str, optional
        Where the whole file lies.
    expires_at : int
        Seconds since 1970.
    """
    found: dict[str, Any] = {"data": data, "expires_at": expires_at, "id": f"audio_{request_id}"}
    return found if url is None else found | {"url": url}


def answer(request_id: str, spoken: dict[str, Any], *, text: str, finish_reason: str) -> dict[str, Any]:
    """Write the body of an answer, whole or one piece of a stream.

    Parameters
    ----------
    request_id : str
        Of this request.
    spoken : dict
        What `audio` gave.
    text : str
        What was asked for, to count it.
    finish_reason : {"null", "stop"}
        The string "null" until the last piece.
    """
    return {
        "output": {"audio": spoken, "finish_reason": finish_reason},
        "usage": {"characters": characters(text)},
        "request_id": request_id,
    }


def wav_header(n_bytes: int, sample_rate: int = SPEECH_SAMPLE_RATE) -> bytes:
    """Write the 44 bytes before 16-bit mono sound.

    Parameters
    ----------
    n_bytes : int
        Length of the sound (bytes).
    sample_rate : int
        Samples per second (Hz).
    """
    return _header(36 + n_bytes, n_bytes, sample_rate)


def streaming_wav_header(sample_rate: int = SPEECH_SAMPLE_RATE) -> bytes:
    """Write the header that opens a stream: its lengths say nothing.

    Parameters
    ----------
    sample_rate : int
        Samples per second (Hz).
    """
    return _header(_UNKNOWN_LENGTH, _UNKNOWN_LENGTH - 36, sample_rate)


def _header(riff: int, data: int, sample_rate: int) -> bytes:
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, sample_rate, 2 * sample_rate, 2, 16)
    return struct.pack("<4sI4s", b"RIFF", riff, b"WAVE") + form + struct.pack("<4sI", b"data", data)
