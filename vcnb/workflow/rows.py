"""The table of voices as plain rows for a screen."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from vcnb.errors import visible

from .voices import HERE, plain

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["rows_for_people"]

LONGEST = 400  # characters of a name, label or note on a screen; ours. The library keeps them whole.


def rows_for_people(table: pd.DataFrame, takes: pd.DataFrame) -> list[dict[str, Any]]:
    """Write the voices for a panel: times in seconds since 1970, every character visible, the newest take of each.

    Parameters
    ----------
    table : pandas.DataFrame
        Of ``account.voices()``.
    takes : pandas.DataFrame
        Of ``account.takes()``, the newest first.

    Returns
    -------
    list of dict
        Ready for JSON.
    """
    whole = takes[takes["complete"]].drop_duplicates("voice")
    newest = dict(zip(whole["voice"], whole["take"], strict=True))

    def value(each: Any) -> Any:
        if isinstance(each, datetime):
            return each.timestamp()
        return visible(each)[:LONGEST] if isinstance(each, str) else each

    # One that came back lives on as another: it is not offered again.
    back = frozenset(table.attrs.get("back", ()))
    names = ("voice", "name", "label", "note", "kind", "language", "created_at", "last_used_at", "days_left")
    counted = ("takes", "cost", "verdict", "clip")
    return [
        {name: value(row[name]) for name in (*names, *counted)}
        | {"voice": row["voice"], "take": newest.get(row["voice"]), "deleted": row["state"] == HERE}
        for row in plain(table)
        if row["voice"] not in back
    ]
