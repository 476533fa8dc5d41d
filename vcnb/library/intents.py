"""Which creations were asked for, and how far each got: written before the request, so that no crash loses one.

An intent belongs to one owner at a time, who shows that it lives by a beat; every change names the owner, so that one
who lost it changes nothing. For one account and key at most one intent is live: planned, posted or done.
"""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass, fields
from typing import Literal

from .store import Store

__all__ = ["Intent", "Intents", "SCHEMA", "Stamp", "State"]

# planned: not sent, or refused for now. posted: sent, and not known what became of it. done: the voice is known.
# failed: the service refused. gone: the voice was deleted. abandoned: given up by a person, after it had settled.
State = Literal["planned", "posted", "done", "failed", "gone", "abandoned"]

SCHEMA = """
CREATE TABLE intents(
    id TEXT PRIMARY KEY, account TEXT NOT NULL, key TEXT NOT NULL, base TEXT NOT NULL, counter INTEGER NOT NULL,
    target_model TEXT NOT NULL, name TEXT NOT NULL, preferred_name TEXT NOT NULL, exact INTEGER NOT NULL,
    clip_sha256 TEXT NOT NULL, clip TEXT, transcript TEXT, language TEXT, consent TEXT NOT NULL,
    created_at REAL NOT NULL,
    state TEXT NOT NULL CHECK(state IN ('planned', 'posted', 'done', 'failed', 'gone', 'abandoned')),
    attempt INTEGER NOT NULL, known TEXT NOT NULL, posted_at REAL, sent_at REAL, sent_clock REAL,
    settled_at REAL, done_at REAL, done_clock REAL, voice TEXT, error TEXT,
    owner TEXT NOT NULL, beat_at REAL NOT NULL, beat_clock REAL NOT NULL) STRICT;
CREATE UNIQUE INDEX live_intents ON intents(account, key) WHERE state IN ('planned', 'posted', 'done');
CREATE INDEX requests ON intents(account, base);
"""
_WRITE = """
UPDATE intents SET state = :state, attempt = :attempt, known = :known, posted_at = :posted_at, sent_at = :sent_at,
    sent_clock = :sent_clock, settled_at = :settled_at, done_at = :done_at, done_clock = :done_clock, voice = :voice,
    error = :error
WHERE id = :id AND owner = :owner AND state IN ('planned', 'posted')
"""
_HOLD = """
UPDATE intents SET owner = ?, beat_at = ?, beat_clock = ?
WHERE id = ? AND owner = ? AND beat_at = ? AND state IN ('planned', 'posted')
"""


@dataclass(frozen=True)
class Stamp:
    """A moment by a clock that may be set.

    Parameters
    ----------
    at : float
        Seconds since 1970, by the clock on the wall.
    clock : float
        How far that clock was before the one that only counts (s): another value says that it was set since, that the
        machine slept or started anew, or that it is another machine.
    """

    at: float
    clock: float


@dataclass(frozen=True)
class Intent:
    """One creation that was asked for.

    Parameters
    ----------
    id : str
        Of this row.
    account : str
        Where the voice shall live.
    key, base : str
        What makes two requests the same one; `base` is the key with the counter 0.
    counter : int
        How many voices of this request went before.
    target_model, name, preferred_name : str
        `name` as it was typed, `preferred_name` as it is sent.
    exact : bool
        Whether both are the same on purpose, so that the name says nothing about the recording.
    clip_sha256 : str
        Of the bytes that are sent, or of the address.
    clip : str or None
        The recording in the library.
    transcript, language : str or None
        As they are sent.
    consent : str
        Who agreed and on what ground.
    created_at : float
        Seconds since 1970, as all times here.
    state : str
        See `State`.
    attempt : int
        Requests that were sent for it.
    known : tuple of str
        Voices of this name and model that were there before it was sent; only of an exact name.
    posted_at, sent_at, settled_at, done_at : float or None
        When it was about to be sent; when the last byte had left; when the list was still empty after that had settled;
        when its voice was known. `sent_clock` and `done_clock` are the clocks of their stamps.
    voice, error : str or None
        What it became.
    owner : str
        Who works on it; "" for nobody.
    beat_at, beat_clock : float
        When the owner last showed that it lives.
    """

    id: str
    account: str
    key: str
    base: str
    counter: int
    target_model: str
    name: str
    preferred_name: str
    exact: bool
    clip_sha256: str
    transcript: str | None
    language: str | None
    consent: str
    created_at: float
    clip: str | None = None
    state: State = "planned"
    attempt: int = 0
    known: tuple[str, ...] = ()
    posted_at: float | None = None
    sent_at: float | None = None
    sent_clock: float | None = None
    settled_at: float | None = None
    done_at: float | None = None
    done_clock: float | None = None
    voice: str | None = None
    error: str | None = None
    owner: str = ""
    beat_at: float = 0.0
    beat_clock: float = 0.0

    @property
    def sent(self) -> Stamp | None:
        """When its last byte had left, where that is on record."""
        return _stamp(self.sent_at, self.sent_clock)

    @property
    def done(self) -> Stamp | None:
        """When its voice was known."""
        return _stamp(self.done_at, self.done_clock)

    @property
    def beat(self) -> Stamp:
        """When its owner last showed that it lives."""
        return Stamp(self.beat_at, self.beat_clock)

    def __str__(self) -> str:
        return f"a voice with {self.preferred_name!r} in its id, for {self.target_model} (enrollment {self.id})"


_COLUMNS = tuple(field.name for field in fields(Intent))
_INSERT = f"INSERT INTO intents({', '.join(_COLUMNS)}) VALUES(:{', :'.join(_COLUMNS)})"


class Intents:
    """The intents of a library.

    Parameters
    ----------
    store : Store
        Where they are kept.
    """

    def __init__(self, store: Store) -> None:
        self.store = store

    def of_request(self, account: str, base: str) -> list[Intent]:
        """Read all intents of one request, in the order of their counters; an ended one before a live one.

        Raises
        ------
        LibraryError
            If the library cannot be read; so do all the others here, also where it cannot be written.
        """
        found = self.store.rows(
            "SELECT * FROM intents WHERE account = ? AND base = ? ORDER BY counter, created_at, rowid", account, base
        )
        return [_intent(row) for row in found]

    def find(self, id: str) -> Intent | None:
        """Read one."""
        row = self.store.row("SELECT * FROM intents WHERE id = ?", id)
        return _intent(row) if row else None

    def unsettled(self, account: str) -> list[Intent]:
        """Read those that were sent and of which it is not known what became of them, the oldest first."""
        found = self.store.rows(
            "SELECT * FROM intents WHERE account = ? AND state = 'posted' ORDER BY created_at, rowid", account
        )
        return [_intent(row) for row in found]

    def unsettled_at(self, region: str, workspace: str) -> list[Intent]:
        """Read those of all accounts of a region and workspace, for when it is not known yet which one this is."""
        found = self.store.rows(
            "SELECT intents.* FROM intents JOIN accounts ON accounts.id = account WHERE region = ? AND workspace = ? "
            "AND state = 'posted' ORDER BY created_at, intents.rowid",
            *(region, workspace),
        )
        return [_intent(row) for row in found]

    def knows(self, base: str) -> bool:
        """Say whether a voice of this request was made in any account, or may have been."""
        query = "SELECT 1 FROM intents WHERE base = ? AND state IN ('posted', 'done')"
        return self.store.row(query, base) is not None

    def namesakes(self, intent: Intent) -> list[Intent]:
        """Read the other intents of the account with the same name on the wire and the same model."""
        found = self.store.rows(
            "SELECT * FROM intents WHERE account = ? AND preferred_name = ? AND target_model = ? AND id != ?",
            *(intent.account, intent.preferred_name, intent.target_model, intent.id),
        )
        return [_intent(row) for row in found]

    def add(self, intent: Intent) -> None:
        """Write a new one down.

        Raises
        ------
        sqlite3.IntegrityError
            If there is a live one of the same account and key.
        """
        with self.store.transaction() as db:
            db.execute(_INSERT, _values(intent))

    def write(self, intent: Intent) -> bool:
        """Write down how far an intent got.

        Returns
        -------
        bool
            False where it has ended, or `intent.owner` no longer owns it: then nothing is changed.
        """
        with self.store.transaction() as db:
            return db.execute(_WRITE, _values(intent)).rowcount == 1

    def hold(self, intent: Intent, owner: str, now: Stamp) -> bool:
        """Become the owner of an open intent, unless somebody else did, or its owner showed life, since it was read."""
        with self.store.transaction() as db:
            values = (owner, now.at, now.clock, intent.id, intent.owner, intent.beat_at)
            return db.execute(_HOLD, values).rowcount == 1

    def show_life(self, intent: Intent, now: Stamp) -> bool:
        """Show that the owner lives; False where it is no longer the owner."""
        with self.store.transaction() as db:
            beat = "UPDATE intents SET beat_at = ?, beat_clock = ? WHERE id = ? AND owner = ?"
            return db.execute(beat, (now.at, now.clock, intent.id, intent.owner)).rowcount == 1

    def let_go(self, intent: Intent) -> None:
        """Own it no longer, so that the next one need not wait."""
        with self.store.transaction() as db:
            db.execute("UPDATE intents SET owner = '' WHERE id = ? AND owner = ?", (intent.id, intent.owner))

    def end(self, account: str, voice: str) -> None:
        """Note that a voice was deleted: the next request of the same kind makes a new one."""
        with self.store.transaction() as db:
            end = "UPDATE intents SET state = 'gone' WHERE account = ? AND voice = ? AND state = 'done'"
            db.execute(end, (account, voice))


def _stamp(at: float | None, clock: float | None) -> Stamp | None:
    return None if at is None or clock is None else Stamp(at, clock)


def _values(intent: Intent) -> dict[str, object]:
    found = {name: getattr(intent, name) for name in _COLUMNS}
    return found | {"exact": int(intent.exact), "known": json.dumps(intent.known)}


def _intent(row: sqlite3.Row) -> Intent:
    values = {name: row[name] for name in _COLUMNS}
    return Intent(**values | {"exact": bool(row["exact"]), "known": tuple(json.loads(row["known"]))})
