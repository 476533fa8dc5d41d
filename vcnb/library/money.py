"""What was paid, and for what."""

from __future__ import annotations

import sqlite3
from typing import Literal

from .store import Store, moment

__all__ = ["Purpose", "book", "booked"]

Purpose = Literal["creation", "speech"]

SCHEMA = """
CREATE TABLE money(
    id TEXT PRIMARY KEY, account TEXT NOT NULL, at TEXT NOT NULL, voice TEXT NOT NULL, purpose TEXT NOT NULL,
    characters INTEGER NOT NULL, cost REAL NOT NULL, certain INTEGER NOT NULL) STRICT;
CREATE INDEX money_of ON money(account, voice);
"""


def book(
    store: Store,
    account: str,
    id: str,
    *,
    purpose: Purpose,
    voice: str,
    cost: float,
    characters: int = 0,
    certain: bool = True,
) -> None:
    """Write down a payment; the same id again corrects it.

    Parameters
    ----------
    store : Store
        The library.
    account : str
        Who pays.
    id : str
        Of what is paid for: a take or an intent, so that nothing is counted twice.
    purpose : {"creation", "speech"}
        For what.
    voice : str
        For which voice; "" where it is not known.
    cost : float
        US dollars by the price list.
    characters : int
        As the service counted them.
    certain : bool
        False where it may have been billed and no answer says so.
    """
    with store.transaction() as db:
        db.execute(
            "INSERT INTO money VALUES(?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT(id) DO UPDATE SET voice = excluded.voice, "
            "characters = excluded.characters, cost = excluded.cost, certain = excluded.certain",
            (id, account, moment(), voice, purpose, characters, cost, int(certain)),
        )


def booked(store: Store, account: str) -> list[sqlite3.Row]:
    """Read every payment of an account, in order of time."""
    return store.rows("SELECT * FROM money WHERE account = ? ORDER BY at, id", account)
