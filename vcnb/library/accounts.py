"""Whose voices these are: an account is a region and a workspace, told from others by its voices and never by a key."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from dataclasses import dataclass

from vcnb.errors import SettingsError

from .store import Store, moment

__all__ = ["Place", "account_of_practice", "accounts_at", "accounts_of_voice", "merge", "new_account", "recognise"]

SCHEMA = """
CREATE TABLE accounts(
    id TEXT PRIMARY KEY, region TEXT NOT NULL, workspace TEXT NOT NULL, made_at TEXT NOT NULL) STRICT;
"""
# Tables whose rows belong to an account.
OWNED = ("voices", "takes", "money", "intents", "cells")


@dataclass(frozen=True)
class Place:
    """Where an account can be.

    Parameters
    ----------
    region : str
        "singapore", "beijing" or "practice".
    workspace : str
        "" for the default one.
    """

    region: str
    workspace: str = ""


def account_of_practice(store: Store, folder_id: str) -> str:
    """Give the account of a practice service: one for each of its folders, whatever the key."""
    account = f"practice-{folder_id}"
    if store.row("SELECT 1 FROM accounts WHERE id = ?", account) is None:
        with store.transaction() as db:
            db.execute("INSERT OR IGNORE INTO accounts VALUES(?, 'practice', '', ?)", (account, moment()))
    return account


def new_account(store: Store, place: Place) -> str:
    """Begin an account that nothing is known of."""
    account = secrets.token_hex(8)
    with store.transaction() as db:
        db.execute("INSERT INTO accounts VALUES(?, ?, ?, ?)", (account, place.region, place.workspace, moment()))
    return account


def accounts_at(store: Store, place: Place) -> list[str]:
    """List the accounts that are known at a place, the oldest first."""
    query = "SELECT id FROM accounts WHERE region = ? AND workspace = ? ORDER BY made_at, id"
    return [str(row["id"]) for row in store.rows(query, place.region, place.workspace)]


def accounts_of_voice(store: Store, voice: str) -> dict[str, Place]:
    """Tell which accounts hold, or held, a voice."""
    query = "SELECT id, region, workspace FROM voices JOIN accounts ON id = account WHERE voice = ?"
    return {str(row["id"]): Place(row["region"], row["workspace"]) for row in store.rows(query, voice)}


def recognise(store: Store, place: Place, listed: Collection[str]) -> str | None:
    """Find the account that a list of voices belongs to.

    Parameters
    ----------
    store : Store
        The library.
    place : Place
        Where the list was asked.
    listed : collection of str
        Every voice of the list.

    Returns
    -------
    str or None
        None where it is unclear: accounts are known here, and the list shares no voice with any that should still
        have some. Nothing was written then.
    """
    with store.transaction():  # two notebooks that begin at once are one account
        return _recognised(store, place, listed)


def merge(store: Store, account: str, *, into: str) -> None:
    """Make two accounts one; where both know a voice, `into` is believed."""
    if account == into:
        raise SettingsError("An account cannot become itself.", remedy="name two accounts")
    with store.transaction() as db:
        for table in OWNED:
            db.execute(f"UPDATE OR IGNORE {table} SET account = ? WHERE account = ?", (into, account))  # noqa: S608
            db.execute(f"DELETE FROM {table} WHERE account = ?", (account,))  # noqa: S608
        db.execute("DELETE FROM accounts WHERE id = ?", (account,))


def _recognised(store: Store, place: Place, listed: Collection[str]) -> str | None:
    candidates = accounts_at(store, place)
    if not candidates:
        return new_account(store, place)
    matching = [account for account in candidates if _voices_of(store, account, living=False) & set(listed)]
    if matching:
        for other in matching[1:]:  # a list cannot belong to two: they were one, met twice
            merge(store, other, into=matching[0])
        return matching[0]
    # An account whose every voice was deleted here, or that never had one, has nothing to be recognised by.
    empty = [account for account in candidates if not _voices_of(store, account, living=True)]
    return empty[0] if len(empty) == 1 and len(candidates) == 1 else None


def _voices_of(store: Store, account: str, *, living: bool) -> set[str]:
    rows = store.rows("SELECT voice, deleted_at FROM voices WHERE account = ?", account)
    return {str(row["voice"]) for row in rows if not (living and row["deleted_at"])}
