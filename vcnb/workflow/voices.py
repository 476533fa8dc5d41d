"""The voices of an account as a table, and what a person may name a voice by."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from vcnb.catalog import DAYS_UNUSED, SYSTEM_VOICES, VOICES_PER_ACCOUNT
from vcnb.errors import SettingsError
from vcnb.library import voices as library
from vcnb.protocol.voice import Voice, preferred_name_of

if TYPE_CHECKING:
    import pandas as pd

    from .holdings import Holdings
    from .table import VoiceTable

__all__ = ["COLUMNS", "HERE", "frame", "plain", "row", "told", "voice_of", "voices_of"]

# Column -> type. "kind" is how it speaks: over http, or realtime.
COLUMNS: dict[str, str] = {
    "voice": "string",
    "name": "string",
    "label": "string",
    "note": "string",
    "preferred_name": "string",
    "target_model": "string",
    "kind": "string",
    "language": "string",
    "created_at": "datetime64[s, UTC]",
    "age": "timedelta64[s]",
    "last_used_at": "datetime64[s, UTC]",
    "days_left": "Int64",
    "takes": "Int64",
    "cost": "float64",
    "clip": "string",
    "verdict": "string",
    "consent": "string",
    "state": "string",
    "region": "string",
}
BOTH, THERE, HERE = "here and there", "only there", "only here: deleted"


def row(voice: Voice, known: sqlite3.Row | None = None, *, listed: bool = True, now: datetime | None = None) -> Any:
    """Write a voice as a row of the table.

    Parameters
    ----------
    voice : Voice
        As the service lists it, or listed it once.
    known : sqlite3.Row, optional
        What the library knows, as `vcnb.library.voices.known` reads it.
    listed : bool
        Whether the service has it.
    now : datetime, optional
        For its age.

    Returns
    -------
    dict
        One value for each of `COLUMNS`.
    """
    now = now or datetime.now(UTC)
    of = dict(known) if known is not None else {}
    made, used = voice.created_at or _read(of.get("created_at")), _read(of.get("last_used_at"))
    # By what we know: a voice that speaks through another program lives longer than this.
    fresh = max(at for at in (made, used, datetime.min.replace(tzinfo=UTC)) if at is not None)
    days = DAYS_UNUSED - (now - fresh).days
    return {
        "voice": voice.voice,
        "name": of.get("name") or voice.name or voice.preferred_name or voice.voice,
        "label": of.get("label") or "",
        "note": of.get("note") or "",
        "preferred_name": voice.preferred_name,
        "target_model": voice.target_model,
        "kind": voice.transport or None,
        "language": of.get("language") or voice.language,
        "created_at": made,
        "age": now - made if made else None,
        "last_used_at": used,
        "days_left": days if listed and made else None,
        "takes": of.get("takes", 0),
        "cost": of.get("cost", 0.0),
        "clip": of.get("clip_name") or (of.get("clip") or "")[:12] or None,
        "verdict": of.get("verdict"),
        "consent": of.get("statement") or voice.consent or None,
        "state": HERE if not listed else BOTH if of.get("clip") or of.get("consent") else THERE,
        "region": voice.region,
    }


def frame(listed: Iterable[Voice], known: Mapping[str, sqlite3.Row] | None = None, *, region: str = "") -> VoiceTable:
    """Join the service's list with what the library knows.

    Parameters
    ----------
    listed : iterable of Voice
        In the order wanted.
    known : mapping, optional
        Voice -> row of the library. Those that are not listed come last, the newest first, unless they were forgotten
        or nothing but their id is known.
    region : str
        Where the list was asked.

    Returns
    -------
    VoiceTable
        A DataFrame with `COLUMNS`, one row a voice; the same columns and types without any.
    """
    from .table import VoiceTable

    known, now = known or {}, datetime.now(UTC)
    there = list(listed)
    rows = [row(voice, known.get(voice.voice), now=now) for voice in there]
    ids = {voice.voice for voice in there}
    missing = set(known) - ids
    gone = [known[voice] for voice in missing if _worth_a_row(known[voice])]
    gone.sort(key=lambda each: str(each["created_at"]), reverse=True)
    rows += [row(_as_voice(each, region), each, listed=False, now=now) for each in gone]
    table = VoiceTable({name: [each[name] for each in rows] for name in COLUMNS}, columns=list(COLUMNS), dtype=object)
    table = VoiceTable({name: _typed(table[name], kind) for name, kind in COLUMNS.items()})
    quota = {"used": len(there), "quota": VOICES_PER_ACCOUNT, "free": max(0, VOICES_PER_ACCOUNT - len(there))}
    back = [voice for voice in missing if known[voice]["restored_as"] in ids]
    table.attrs.update(quota, region=region)
    if back:
        table.attrs["back"] = sorted(back)
    return table


def plain(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Write a table as plain values: what is missing is None, a span of time is in days, a time has its zone.

    Parameters
    ----------
    table : pandas.DataFrame
        As `frame` makes it.
    """
    import pandas as pd

    def value(each: Any) -> Any:
        if pd.isna(each):
            return None
        if isinstance(each, pd.Timestamp):
            return each.to_pydatetime()
        return each.days if isinstance(each, pd.Timedelta) else each

    return [{str(name): value(each) for name, each in row.items()} for row in table.to_dict("records")]


def told(account: Holdings, voice: Voice) -> dict[str, Any]:
    """Tell of a living voice what the account's table tells, as plain values, without asking for the list.

    Parameters
    ----------
    account : Holdings
        Whose it is.
    voice : Voice
        As it was made.

    Returns
    -------
    dict
        As a row of `plain`.

    Raises
    ------
    VcnbError
        As ``account.voices``.
    """
    shelf = account._shelf
    known = library.known(shelf.store, shelf.account_of(voice), voice.voice)
    return plain(frame([voice], {voice.voice: known} if known else {}))[0]


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


def _worth_a_row(known: sqlite3.Row) -> bool:
    return not known["forgotten_at"] and bool(
        known["consent"] or known["clip"] or known["takes"] or known["label"] or known["note"]
    )


def _as_voice(known: sqlite3.Row, region: str) -> Voice:
    made = _read(known["created_at"])
    return Voice(known["voice"], known["target_model"], known["preferred_name"], known["language"], made, region)


def _read(written: str | None) -> datetime | None:
    return datetime.fromisoformat(written) if written else None


def _typed(values: Any, kind: str) -> Any:
    import pandas as pd

    if kind.startswith("datetime"):
        return pd.to_datetime(values, utc=True).dt.as_unit("s")
    return pd.to_timedelta(values).dt.as_unit("s") if kind.startswith("timedelta") else values.astype(kind)
