"""What was spoken and what was paid, as tables."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from vcnb.catalog import FREE_CREATIONS, FREE_DAYS, PRICE_PER_CREATION

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["FREE_QUOTA", "MONEY", "TAKES", "money_frame", "takes_frame"]

# Page, "Billing".
FREE_QUOTA = (
    f"The first {FREE_CREATIONS:,} voices within {FREE_DAYS} days of activating the service are free: a creation costs "
    f"at most ${PRICE_PER_CREATION:.2f}. A failed one consumes nothing, deleting gives nothing back."
)
TAKES = {
    "take": "string", "voice": "string", "name": "string", "text": "string", "transport": "string",
    "language": "string", "duration": "float64", "characters": "Int64", "cost": "float64",
    "first_audio_delay": "float64", "made_at": "datetime64[s, UTC]", "complete": "bool",
}  # fmt: skip
MONEY = {
    "day": "datetime64[s]", "voice": "string", "name": "string", "purpose": "string", "n": "Int64",
    "characters": "Int64", "cost": "float64", "uncertain": "float64",
}  # fmt: skip


def takes_frame(rows: Iterable[sqlite3.Row], known: Mapping[str, sqlite3.Row]) -> pd.DataFrame:
    """Make a table of takes.

    Parameters
    ----------
    rows : iterable of sqlite3.Row
        As `vcnb.library.takes.takes_of` reads them.
    known : mapping
        Voice -> row of the library.

    Returns
    -------
    pandas.DataFrame
        `TAKES`, one row a take.
    """
    found = [{**dict(row), "take": row["id"], "name": _name(known, row["voice"])} for row in rows]
    return _typed({name: [each[name] for each in found] for name in TAKES}, TAKES)


def money_frame(rows: Iterable[sqlite3.Row], known: Mapping[str, sqlite3.Row]) -> pd.DataFrame:
    """Sum payments by day (UTC), voice and purpose.

    Parameters
    ----------
    rows : iterable of sqlite3.Row
        As `vcnb.library.money.booked` reads them.
    known : mapping
        Voice -> row of the library.

    Returns
    -------
    pandas.DataFrame
        `MONEY`, the oldest day first; ``.attrs`` hold ``total`` and ``free_quota``.
    """
    sums: dict[tuple[str, str, str], dict[str, Any]] = {}
    for row in rows:
        key = (row["at"][:10], row["voice"], row["purpose"])
        one = sums.setdefault(key, {"n": 0, "characters": 0, "cost": 0.0, "uncertain": 0.0})
        one["n"] += 1
        one["characters"] += row["characters"]
        one["cost"] += row["cost"]
        one["uncertain"] += 0.0 if row["certain"] else row["cost"]
    found = [
        {"day": day, "voice": voice, "name": _name(known, voice), "purpose": purpose, **sums[day, voice, purpose]}
        for day, voice, purpose in sorted(sums)
    ]
    table = _typed({name: [each[name] for each in found] for name in MONEY}, MONEY)
    table.attrs.update(total=float(sum(each["cost"] for each in sums.values())), free_quota=FREE_QUOTA)
    return table


def _name(known: Mapping[str, sqlite3.Row], voice: str) -> str:
    row = known.get(voice)
    return str(row["label"] or row["name"] or row["preferred_name"] or voice) if row is not None else voice


def _typed(columns: Mapping[str, list[Any]], kinds: Mapping[str, str]) -> pd.DataFrame:
    import pandas as pd

    from .table import Table

    made = {}
    for name, kind in kinds.items():
        values = pd.Series(columns[name], dtype=object)
        if kind.startswith("datetime"):
            made[name] = pd.to_datetime(values, utc="UTC" in kind).dt.as_unit("s")
        else:
            made[name] = values.astype(kind)  # type: ignore[call-overload]
    return Table(made)
