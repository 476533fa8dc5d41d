"""Whether a cell of a table that came from elsewhere is what a library of ours writes there.

A cell is taken only if it would be written again letter for letter: so no number, moment or JSON comes in that a later
reader stumbles over, or that would leave as something else.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from .export import Cell, written
from .store import moment

__all__ = ["cell_value"]

_DIGEST = re.compile(r"[0-9a-f]{64}")
# Columns of the same name hold the same in every table.
_MOMENTS = "made_at kept_at agreed_at at created_at made_here_at last_used_at deleted_at forgotten_at".split()  # noqa: SIM905
_WORDS = {
    "region": ("singapore", "beijing", "practice"),
    "verdict": ("pass", "warn", "fail", "unknown"),
    "purpose": ("creation", "speech"),
    "transport": ("http", "sse", "realtime"),
}
_FLAGS = ("complete", "certain")


def cell_value(column: str, kind: str, text: str, *, required: bool) -> Cell:
    r"""Read a cell.

    Parameters
    ----------
    column : str
        Its name.
    kind : str
        "TEXT", "INTEGER" or "REAL".
    text : str
        As it stands in the CSV: ``\N`` for nothing.
    required : bool
        Whether there must be a value.

    Returns
    -------
    str, int, float or None

    Raises
    ------
    ValueError
        With what belongs there, if that is not it.
    """
    value = _value(kind, text)
    if value is None:
        _must(not required, "a value")
    elif isinstance(value, str):
        _check_text(column, value)
    else:
        _must(math.isfinite(value) and value >= 0, "a number from 0 on")
        _must(column not in _FLAGS or value in (0, 1), "0 or 1")
        _must(abs(value) < 2**63 or kind == "REAL", "a number of 64 bits")
    return value


def _value(kind: str, text: str) -> Cell:
    value: Cell
    try:
        if text == written(None):
            value = None
        elif kind == "TEXT":
            value = text.removeprefix("\\")
        else:
            value = int(text) if kind == "INTEGER" else float(text)
    except ValueError:
        raise ValueError(f"{'a whole' if kind == 'INTEGER' else 'a'} number") from None
    _must(written(value) == text, "what an export writes")
    return value


def _check_text(column: str, text: str) -> None:
    if column in _MOMENTS:
        _must(_is_moment(text), "a moment in UTC, as 2026-01-31T12:00:00.000000+00:00")
    elif column in ("sound", "original"):
        _must(bool(_DIGEST.fullmatch(text)), "the SHA-256 of a sound")
    elif column in _WORDS:
        _must(text in _WORDS[column], f"one of {', '.join(_WORDS[column])}")
    elif column in _JSON:
        _must(_is_json(text, _JSON[column]), "JSON as a library writes it")


def _is_moment(text: str) -> bool:
    try:
        return moment(datetime.fromisoformat(text)) == text
    except (ValueError, OverflowError):
        return False


def _is_json(text: str, fits: Callable[[Any], bool]) -> bool:
    try:
        found = json.loads(text)
        return fits(found) and json.dumps(found, allow_nan=False) == text
    except (ValueError, RecursionError):
        return False


def _list_of(found: Any, fits: Callable[[Any], bool]) -> bool:
    return isinstance(found, list) and all(map(fits, found))


def _is_arrival(found: Any) -> bool:
    return _list_of(found, lambda each: type(each) in (int, float)) and len(found) == 2


def _is_figure(found: Any) -> bool:
    return found is None or type(found) in (int, float)


_JSON: dict[str, Callable[[Any], bool]] = {
    "edits": lambda found: _list_of(found, lambda each: isinstance(each, dict)),
    "diagnosis": lambda found: isinstance(found, dict),
    "request_ids": lambda found: _list_of(found, lambda each: isinstance(each, str)),
    "arrivals": lambda found: _list_of(found, _is_arrival),
    "heard": lambda found: isinstance(found, dict) and _list_of([*found.values()], _is_figure),
}


def _must(holds: bool, what: str) -> None:
    if not holds:
        raise ValueError(what)
