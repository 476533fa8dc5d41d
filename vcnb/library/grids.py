"""Which cells of a grid of voices and texts are spoken, which are on their way, and who takes them there.

A cell is claimed before its request is sent. A claim whose process is gone may have been billed: it is booked as such
before somebody else takes the cell, so that the ledger is never below the bill.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .money import book
from .store import Store, moment

__all__ = ["Cell", "claim", "claimed_slot", "finish", "keep_measures", "read_cell", "release"]

SCHEMA = """
CREATE TABLE cells(
    id TEXT PRIMARY KEY, account TEXT NOT NULL, voice TEXT NOT NULL, owner TEXT NOT NULL, claimed_at TEXT NOT NULL,
    take TEXT, measures TEXT) STRICT;
CREATE INDEX cells_of_take ON cells(take);
CREATE TABLE slots(
    account TEXT NOT NULL, model TEXT NOT NULL, free_at REAL NOT NULL, PRIMARY KEY(account, model)) STRICT;
"""


@dataclass(frozen=True)
class Cell:
    """One voice, one text, one time.

    Parameters
    ----------
    account, voice, text, language : str
        Who pays, who speaks, what, and in which language ("" for automatic).
    repeat : int
        From 0.
    """

    account: str
    voice: str
    text: str
    language: str
    repeat: int

    @property
    def id(self) -> str:
        """The same for the same cell, in whatever process; no text of it is kept here.

        The account is left out: a voice is of one account, and two that turn out to be one keep their cells.
        """
        written = json.dumps([self.voice, self.text, self.language, self.repeat])
        return hashlib.sha256(written.encode()).hexdigest()


def read_cell(store: Store, cell: Cell) -> sqlite3.Row | None:
    """Read what is known of a cell: "owner", "take", "measures"."""
    return store.row("SELECT * FROM cells WHERE id = ?", cell.id)


def claim(
    store: Store,
    cell: Cell,
    owner: str,
    *,
    lives: Callable[[str], bool],
    cost: float,
    characters: int,
) -> sqlite3.Row | None:
    """Take a cell on before its request is sent.

    Parameters
    ----------
    store : Store
        The library.
    cell : Cell
        Which.
    owner : str
        Who takes it on.
    lives : callable
        Whether another owner is still at work.
    cost, characters : float, int
        What a request that was cut off may have been billed.

    Returns
    -------
    sqlite3.Row or None
        The cell: with a "take" it is done, and "owner" says whose it is now. None where a living other has it.
    """
    with store.transaction() as db:
        row = db.execute("SELECT * FROM cells WHERE id = ?", (cell.id,)).fetchone()
        if row is None:
            new = (cell.id, cell.account, cell.voice, owner, moment())
            db.execute("INSERT INTO cells VALUES(?, ?, ?, ?, ?, NULL, NULL)", new)
        elif row["take"] is None:
            if row["owner"] and row["owner"] != owner and lives(row["owner"]):
                return None
            orphan = _orphan(db, cell, row["claimed_at"]) if row["owner"] else None
            if orphan is not None:  # it was spoken and kept, and the cell did not learn of it
                db.execute("UPDATE cells SET take = ? WHERE id = ?", (orphan, cell.id))
            else:
                if row["owner"]:
                    lost = "cut-" + secrets.token_hex(6)
                    figures: dict[str, Any] = {"cost": cost, "characters": characters, "certain": False}
                    book(store, cell.account, lost, purpose="speech", voice=cell.voice, **figures)
                db.execute("UPDATE cells SET owner = ?, claimed_at = ? WHERE id = ?", (owner, moment(), cell.id))
        found: sqlite3.Row = db.execute("SELECT * FROM cells WHERE id = ?", (cell.id,)).fetchone()
        return found


def finish(store: Store, cell: Cell, take: str) -> None:
    """Write down which take a cell became."""
    with store.transaction() as db:
        db.execute("UPDATE cells SET take = ?, owner = '' WHERE id = ?", (take, cell.id))


def release(store: Store, cell: Cell) -> None:
    """Give a cell back whose request ended with an error; what it may have cost is booked by whoever asked."""
    with store.transaction() as db:
        db.execute("UPDATE cells SET owner = '' WHERE id = ? AND take IS NULL", (cell.id,))


def keep_measures(store: Store, cell: Cell, measures: Mapping[str, Any]) -> None:
    """Keep what was measured of a cell, so that it is not measured again."""
    with store.transaction() as db:
        db.execute("UPDATE cells SET measures = ? WHERE id = ?", (json.dumps(measures), cell.id))


def claimed_slot(store: Store, account: str, model: str, *, interval: float, burst: int, now: float) -> float:
    """Take the next free moment for a request, among all processes [1]_.

    Parameters
    ----------
    store : Store
        The library.
    account, model : str
        Limits are for each account and model.
    interval : float
        Seconds between two requests.
    burst : int
        How many may follow each other at once.
    now : float
        The clock on the wall, in seconds.

    Returns
    -------
    float
        Seconds to wait before the request is sent.

    References
    ----------
    .. [1] The generic cell rate algorithm, ITU-T I.371.
    """
    with store.transaction() as db:
        row = db.execute("SELECT free_at FROM slots WHERE account = ? AND model = ?", (account, model)).fetchone()
        # A clock that was set back must not stop the grid: nothing lies further ahead than a minute.
        due = max(now, min(row["free_at"], now + 60.0)) if row else now
        db.execute(
            "INSERT INTO slots VALUES(?, ?, ?) ON CONFLICT(account, model) DO UPDATE SET free_at = excluded.free_at",
            (account, model, due + interval),
        )
    return max(0.0, due - now - (burst - 1) * interval)


def _orphan(db: sqlite3.Connection, cell: Cell, claimed_at: str) -> str | None:
    row = db.execute(
        "SELECT id FROM takes WHERE account = ? AND voice = ? AND text = ? AND ifnull(language, '') = ? AND complete "
        "AND made_at >= ? AND id NOT IN (SELECT take FROM cells WHERE take IS NOT NULL) ORDER BY made_at LIMIT 1",
        (cell.account, cell.voice, cell.text, cell.language, claimed_at),
    ).fetchone()
    return str(row["id"]) if row else None
