"""What a voice is, and what its name says."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from vcnb.catalog import MODELS, NAME_LENGTH
from vcnb.errors import ServiceBrokenError, SettingsError, visible

__all__ = ["CHINA_TIME", "Voice", "check_preferred_name", "preferred_name_of", "voice_of_row"]

# The page's example: qwen-tts-vc-guanyu-voice-20250812105009984-838b
_VOICE_NAME = re.compile(r"qwen-tts-(?:vc|vd)-([A-Za-z0-9_]{1,16})-voice-(\d{17})-([0-9a-f]{4})")
# The service writes no zone; China's is assumed (not documented).
CHINA_TIME = timezone(timedelta(hours=8), "CST")


@dataclass(frozen=True)
class Voice:
    """An enrolled voice.

    Parameters
    ----------
    voice : str
        The service's id, the argument of every synthesis.
    target_model : str
        The only model that speaks with it, "" where the service did not say.
    preferred_name : str
        The keyword inside the id, as it was sent.
    language : str or None
        Two-letter code of the recording, where known.
    created_at : datetime or None
        With a zone.
    region : str
        Where it lives; "" until an account knows it.
    consent : str
        Who agreed and on what ground, where it was enrolled here.
    fallback_reason : str or None
        Set when the service made the voice, but by a degraded way.
    name : str
        What its user called it, where it was enrolled here.
    """

    voice: str
    target_model: str = ""
    preferred_name: str = ""
    language: str | None = None
    created_at: datetime | None = None
    region: str = ""
    consent: str = ""
    fallback_reason: str | None = None
    name: str = ""

    @property
    def transport(self) -> str:
        """How it can speak: "http", "realtime", or "" for a model that is not known."""
        model = MODELS.get(self.target_model)
        return model.transport if model else ""

    def __repr__(self) -> str:
        name = self.name or self.preferred_name or self.voice
        return visible(f"<Voice {name!r} for {self.target_model or 'an unknown model'}>")


def preferred_name_of(voice: str) -> str:
    """Read the keyword out of a voice's id.

    Parameters
    ----------
    voice : str
        The service's id.

    Returns
    -------
    str
        "" where the id has another form.
    """
    found = _VOICE_NAME.fullmatch(voice)
    return found[1] if found else ""


def check_preferred_name(preferred_name: str) -> str:
    """Refuse a name that the service would refuse.

    Parameters
    ----------
    preferred_name : str
        The keyword of a new voice.

    Returns
    -------
    str
        The same name.

    Raises
    ------
    SettingsError
        If it is empty, too long, or holds anything but ASCII letters, digits and underscores.
    """
    if not re.fullmatch(rf"[A-Za-z0-9_]{{1,{NAME_LENGTH}}}", str(preferred_name)):
        raise SettingsError(
            f"{preferred_name!r} cannot be a voice's name.",
            remedy=f"use 1 to {NAME_LENGTH} letters a-z, digits or underscores",
        )
    return preferred_name


def voice_of_row(row: Mapping[str, Any], *, region: str = "") -> Voice:
    """Turn a row of the service's list into a voice.

    Parameters
    ----------
    row : mapping
        One entry of ``output.voice_list``; everything but ``voice`` may be missing.
    region : str
        Where the list was asked.

    Returns
    -------
    Voice

    Raises
    ------
    ServiceBrokenError
        If the row names no voice.
    """
    voice = row.get("voice")
    if not isinstance(voice, str) or not voice:
        raise ServiceBrokenError(
            "The list of voices holds a row without a voice.", remedy="try again; if it stays, ask the service"
        )
    return Voice(
        voice=voice,
        target_model=str(row.get("target_model") or ""),
        preferred_name=preferred_name_of(voice),
        language=str(row["language"]) if row.get("language") else None,
        created_at=_read_time(row.get("gmt_create")),
        region=region,
    )


def _read_time(written: Any) -> datetime | None:
    try:
        read = datetime.fromisoformat(str(written))  # a list of 1,000 is read in a third of the time of strptime
        read = read if read.tzinfo else read.replace(tzinfo=CHINA_TIME)
        read.astimezone(UTC)  # the first and the last day that a datetime knows are none everywhere
    except (ValueError, OverflowError):
        return None
    return read
