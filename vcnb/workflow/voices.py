"""The voices of an account as a table, and what a person may name a voice by."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, MutableMapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from vcnb.catalog import SYSTEM_VOICES
from vcnb.client.enrollment import EnrollmentClient
from vcnb.errors import SettingsError, VcnbError
from vcnb.protocol.voice import Voice, preferred_name_of

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["COLUMNS", "delete", "frame", "row", "voice_of", "voices_of"]

COLUMNS = ("voice", "name", "preferred_name", "target_model", "transport", "language", "created_at", "region")


def row(voice: Voice) -> dict[str, Any]:
    """Write a voice as a row of the table.

    Parameters
    ----------
    voice : Voice
        The voice.

    Returns
    -------
    dict
        One value for each of `COLUMNS`.
    """
    return {
        "voice": voice.voice,
        "name": voice.name or voice.preferred_name or voice.voice,
        "preferred_name": voice.preferred_name,
        "target_model": voice.target_model,
        "transport": voice.transport,
        "language": voice.language,
        "created_at": voice.created_at,
        "region": voice.region,
    }


def frame(voices: Iterable[Voice]) -> pd.DataFrame:
    """Make a table of voices.

    Parameters
    ----------
    voices : iterable of Voice
        In the order wanted.

    Returns
    -------
    pandas.DataFrame
        `COLUMNS`, one row a voice; the same columns and types without any. ``created_at`` is in UTC.
    """
    import pandas as pd

    table = pd.DataFrame([row(voice) for voice in voices], columns=list(COLUMNS), dtype=object)
    # One type, whatever pandas would guess from this many rows.
    table["created_at"] = pd.to_datetime(table["created_at"], utc=True).dt.as_unit("s")
    return table


def delete(client: EnrollmentClient, voices: Iterable[str], *, forget: MutableMapping[str, Voice]) -> list[str]:
    """Delete voices for good, one after the other.

    Parameters
    ----------
    client : EnrollmentClient
        Asks the service.
    voices : iterable of str
        Their ids.
    forget : mapping
        From which deleted ones are taken out.

    Returns
    -------
    list of str
        The ids that were deleted.

    Raises
    ------
    VcnbError
        What the client says; the remedy names those that were deleted before.
    """
    done: list[str] = []
    for voice in voices:
        try:
            client.delete(voice)
        except VcnbError as error:
            if done:
                error.remedy = f"{error.remedy}; deleted before it: {', '.join(done)}"
            raise
        forget.pop(voice, None)
        done.append(voice)
    return done


def voice_of(named: Any, *, region: str = "") -> Voice:
    """Understand whatever names one voice.

    Parameters
    ----------
    named : Voice, str, row of `frame`, mapping, or table with one row
        The voice.
    region : str
        Where an id is thought to live.

    Returns
    -------
    Voice
        With an empty ``target_model`` where only an id was given.

    Raises
    ------
    SettingsError
        If it names none, several, one of another region, or a system voice, which cloning models refuse.
    """
    if isinstance(named, Voice):
        found = named
    elif isinstance(named, str):
        found = Voice(named.strip(), preferred_name=preferred_name_of(named.strip()), region=region)
    elif hasattr(named, "iterrows"):
        rows = [each for _, each in named.iterrows()]
        if len(rows) != 1:
            raise SettingsError(f"The table names {len(rows)} voices, not one.", remedy="choose one row")
        return voice_of(rows[0], region=region)
    elif isinstance(named, Mapping) or hasattr(named, "to_dict"):
        found = _of_row(named if isinstance(named, Mapping) else named.to_dict(), region)
    else:
        raise SettingsError(
            f"A {type(named).__name__} names no voice.", remedy="give a Voice, its id, or a row of account.voices()"
        )
    if not found.voice:
        raise SettingsError("The voice is empty.", remedy="give a Voice, its id, or a row of account.voices()")
    if region and found.region not in ("", region):
        raise SettingsError(
            f"{found.voice} lives in region {found.region!r}; this account is in {region!r}.",
            remedy=f"use connect(region={found.region!r}), or enroll it here too",
        )
    if found.voice in SYSTEM_VOICES:
        raise SettingsError(
            f"{found.voice!r} is a system voice; the models for cloned voices refuse it.",
            remedy="use a voice of account.voices(), or enroll one",
        )
    return found


def voices_of(named: Any, *, region: str = "") -> list[Voice]:
    """Understand whatever names any number of voices.

    Parameters
    ----------
    named : one voice as in `voice_of`, an iterable of them, or a table
        The voices.
    region : str
        Where an id is thought to live.

    Returns
    -------
    list of Voice
        Each once, in order.

    Raises
    ------
    SettingsError
        As `voice_of`.
    """
    if hasattr(named, "iterrows"):
        found = [voice_of(each, region=region) for _, each in named.iterrows()]
    elif isinstance(named, Voice | str | Mapping) or hasattr(named, "to_dict") or not isinstance(named, Iterable):
        found = [voice_of(named, region=region)]
    else:
        found = [voice_of(each, region=region) for each in named]
    return list({each.voice: each for each in found}.values())


def _of_row(values: Mapping[Any, Any], region: str) -> Voice:
    def text(name: str) -> str:
        value = values.get(name)
        return value if isinstance(value, str) else ""  # a table says NaN where a list says nothing

    voice = Voice(text("voice"), text("target_model"), text("preferred_name"), text("language") or None)
    return replace(
        voice,
        preferred_name=voice.preferred_name or preferred_name_of(voice.voice),
        region=text("region") or region,
        name=text("name"),
    )
