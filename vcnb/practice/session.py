"""Which settings a realtime session takes, and which values.

Source: the service's page of client events. The hosted service may honour more or less of them for a cloned voice;
here mode, language, format and rate take effect, the others are kept and echoed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from vcnb.protocol.synthesis import language_of

__all__ = ["update_session"]


def _one_of(*values: Any) -> Callable[[Any], bool]:
    return lambda value: any(value == each and type(value) is type(each) for each in values)


def _between(least: float, most: float) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, int | float) and not isinstance(value, bool) and least <= value <= most


def _is_language(value: Any) -> bool:
    try:
        return isinstance(value, str) and bool(language_of(value))
    except KeyError:
        return False


_FIELDS: dict[str, Callable[[Any], bool]] = {
    "voice": lambda value: isinstance(value, str) and bool(value),
    "mode": _one_of("server_commit", "commit"),
    "language_type": _is_language,
    "response_format": _one_of("pcm", "wav", "mp3", "opus"),
    "sample_rate": _one_of(8_000, 16_000, 24_000, 48_000),
    "speech_rate": _between(0.5, 2.0),
    "volume": _between(0, 100),
    "pitch_rate": _between(0.5, 2.0),
    "bit_rate": _between(6, 510),
    "enable_tn": lambda value: isinstance(value, bool),
    "instructions": lambda value: isinstance(value, str),
    "optimize_instructions": lambda value: isinstance(value, bool),
}
_NOT_OFFERED = ("mp3", "opus")


def update_session(session: dict[str, Any], asked: Any) -> tuple[str, str] | None:
    """Change a session as a client asks; unknown fields are ignored.

    Parameters
    ----------
    session : dict
        Changed in place, but only if everything is well.
    asked : any
        The field ``session`` of the event.

    Returns
    -------
    tuple of (str, str) or None
        Field and complaint; None: done.
    """
    if not isinstance(asked, dict):
        return "", "session must be an object"
    taken = {name: asked[name] for name in _FIELDS if asked.get(name) is not None}
    for name, value in taken.items():
        if not _FIELDS[name](value):
            return name, f"invalid value for {name}: {value!r:.100}"
    if taken.get("response_format") in _NOT_OFFERED:
        return "response_format", f"the practice service speaks pcm and wav, not {taken['response_format']}"
    if not (session["voice"] or taken.get("voice")):
        return "voice", "voice is required"
    session.update(taken)
    return None
