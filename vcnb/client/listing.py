"""When a list that comes in pages is complete.

The service documents no total, and nothing forbids a smaller page than was asked for: a list that ended at a short
page would hide voices, and a voice that is not seen would be made, and paid, again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from vcnb.errors import ServiceBrokenError

__all__ = ["PAGE_SIZE", "read_all"]

PAGE_SIZE = 1_000  # as many as an account can hold
RESTARTS = 3
SMALLEST_PAGE = 10  # the service's default; no cap is below it

Row = dict[str, Any]
Ask = Callable[[int, int], dict[str, Any]]


class _MovedError(Exception):
    """The list changed while it was read."""


class _SmallerError(Exception):
    """The service gives smaller pages than were asked for."""

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self.size = size


def read_all(ask: Ask) -> list[Row]:
    """Read every page.

    Parameters
    ----------
    ask : callable
        Page index and page size in, answer out.

    Returns
    -------
    list of dict
        Each voice once, in the service's order.

    Raises
    ------
    ServiceBrokenError
        If the list changed four times while it was read, or its rows cannot be read.
    """
    size, moved = PAGE_SIZE, 0
    while True:
        try:
            return list(_sweep(ask, size).values())
        except _SmallerError as smaller:
            size = smaller.size
        except _MovedError:
            moved += 1
            if moved > RESTARTS:
                break
    raise ServiceBrokenError(
        f"The list of voices changed {moved} times while it was read.",
        remedy="try again when nobody makes or deletes voices",
    )


def _sweep(ask: Ask, size: int) -> dict[str, Row]:
    """Read the list once from its beginning."""
    answer = ask(0, size)
    rows, total = _rows(answer), _total(answer)
    found = {row["voice"]: row for row in rows}
    if len(found) < len(rows):
        raise _MovedError
    echoed = answer["output"].get("page_size")
    if isinstance(echoed, int) and 0 < echoed < size:
        raise _SmallerError(echoed)
    if total is not None and 0 < len(rows) < min(size, total):
        raise _SmallerError(len(rows))
    if rows and total is None:
        # A short page may be the last one, or as much as this service gives at a time.
        return _overlapping(ask, found, size if len(rows) >= size else max(len(rows), SMALLEST_PAGE))
    index = 0
    while rows and total is not None and len(found) < total:
        index += 1
        answer = ask(index, size)
        rows = _rows(answer)
        if _total(answer) != total:
            raise _MovedError
        if not _add(found, rows):
            break
    return found


def _overlapping(ask: Ask, found: dict[str, Row], largest: int) -> dict[str, Row]:
    """Go on without a total: each page asks again for the last row of the one before."""
    while True:
        known = list(found)
        index, size = _next_page(len(known), largest)
        answer = ask(index, size)
        rows = _rows(answer)
        if _total(answer) is not None:
            raise _MovedError
        again = known[index * size :]
        if [row["voice"] for row in rows[: len(again)]] != again:
            raise _MovedError
        if not _add(found, rows[len(again) :]):
            return found


def _next_page(known: int, largest: int) -> tuple[int, int]:
    """Choose the page that begins at or before the last known row and reaches beyond it."""
    index = max(1, -(-(known - 1) // largest))
    size = (known - 1) // index
    if size > index:
        return index, size
    # Too few rows, or too small pages, for a page to begin there: ask for the one that holds the next row.
    return known // largest, largest


def _add(found: dict[str, Row], rows: list[Row]) -> bool:
    """Add what is new; known and new in one page means that rows moved."""
    new = [row for row in rows if row["voice"] not in found]
    if new and len({row["voice"] for row in new}) < len(rows):
        raise _MovedError
    found.update((row["voice"], row) for row in new)
    return bool(new)


def _rows(answer: dict[str, Any]) -> list[Row]:
    # An answer without a list is no empty list: voices that are not seen would be made again.
    rows = answer["output"].get("voice_list", [] if _total(answer) == 0 else None)
    if not isinstance(rows, list) or not all(
        isinstance(row, dict) and isinstance(row.get("voice"), str) for row in rows
    ):
        raise ServiceBrokenError(
            "The list of voices holds something that is no voice.",
            request_id=str(answer.get("request_id") or ""),
            remedy="try again; if it stays, ask the service",
        )
    return rows


def _total(answer: dict[str, Any]) -> int | None:
    total = answer["output"].get("total_count")
    return total if isinstance(total, int) and not isinstance(total, bool) and total >= 0 else None
