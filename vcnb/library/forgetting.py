"""How a speaker's withdrawal is carried out: sounds, profile and texts go, one line that says so stays."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection
from pathlib import Path

from .sounds import IN_USE, drop_arrived, drop_sound
from .store import Store, moment

__all__ = ["forget"]

_SCRUB = """
UPDATE voices SET name = '', label = '', language = NULL, transcript = NULL, clip = NULL, consent = NULL,
    deleted_at = coalesce(deleted_at, :now), forgotten_at = :now, note = :line
WHERE account = :account AND voice = :voice
"""
# Attempts at the same recording that were refused or given up hold the same words; one that is open is needed yet.
_SCRUB_INTENTS = """
UPDATE intents SET name = '', clip_sha256 = '', clip = NULL, transcript = NULL, consent = '', error = NULL,
    state = CASE state WHEN 'done' THEN 'gone' ELSE state END
WHERE account = :account AND (voice = :voice OR (clip = :clip AND state IN ('failed', 'gone', 'abandoned')
    AND NOT EXISTS (SELECT 1 FROM clips WHERE id = :clip)))
"""


def forget(store: Store, account: str, voice: str, *, arrived: Collection[Path] = ()) -> str:
    """Remove all that is kept of a voice.

    Parameters
    ----------
    store : Store
        The library.
    account, voice : str
        Whose voice, and which.
    arrived : collection of Path
        Data folders whose panels may hold the same recording once more.

    Returns
    -------
    str
        The line that is kept. What was paid stays in the books, without a word of what was spoken.

    Raises
    ------
    LibraryError
        If it cannot be written, or a sound cannot be removed.
    """
    with store.transaction() as db:
        row = db.execute("SELECT * FROM voices WHERE account = ? AND voice = ?", (account, voice)).fetchone()
        takes = db.execute("SELECT sound FROM takes WHERE account = ? AND voice = ?", (account, voice)).fetchall()
        done = row is not None and row["forgotten_at"] and not takes
        sounds = {take["sound"] for take in takes}
        line = str(row["note"]) if done else _removed(store, account, voice, row, sounds, arrived)
    # The log of changes held the texts, too.
    store.rows("PRAGMA wal_checkpoint(TRUNCATE)")
    return line


def _removed(
    store: Store, account: str, voice: str, row: sqlite3.Row | None, sounds: set[str], arrived: Collection[Path]
) -> str:
    """Remove rows and sounds; give the line that is kept."""
    clip = row["clip"] if row is not None else None
    with store.transaction() as db:
        n_takes = db.execute("DELETE FROM takes WHERE account = ? AND voice = ?", (account, voice)).rowcount
        db.execute("DELETE FROM cells WHERE account = ? AND voice = ?", (account, voice))
        now = moment()
        names = {"now": now, "line": "", "account": account, "voice": voice, "clip": clip}
        db.execute(_SCRUB, names)
        unused = sounds | (_drop_clip(db, row) if row is not None else set())
        db.execute(_SCRUB_INTENTS, names)
        shared = db.execute("SELECT 1 FROM clips WHERE id = ?", (clip,)).fetchone() is not None
        line = _line(now, voice, n_takes=n_takes, clip=clip is not None, shared=shared)
        db.execute("UPDATE voices SET note = ? WHERE account = ? AND voice = ?", (line, account, voice))
        # Before the rows are gone for good: after a crash, or where a file cannot be removed, asking again goes on.
        unused -= {found[0] for found in db.execute(IN_USE)} | {None}
        for folder in arrived:
            drop_arrived(folder, unused)
        for sound in unused:
            drop_sound(store.folder, sound)
    return line


def _drop_clip(db: sqlite3.Connection, row: sqlite3.Row) -> set[str]:
    """Remove consent and recording, unless another voice was made from them."""
    if row["consent"] and not db.execute("SELECT 1 FROM voices WHERE consent = ?", (row["consent"],)).fetchone():
        db.execute("DELETE FROM consents WHERE id = ?", (row["consent"],))
    if not row["clip"] or db.execute("SELECT 1 FROM voices WHERE clip = ?", (row["clip"],)).fetchone():
        return set()
    clip = db.execute("SELECT sound, original FROM clips WHERE id = ?", (row["clip"],)).fetchone()
    db.execute("DELETE FROM clips WHERE id = ?", (row["clip"],))
    db.execute("DELETE FROM consents WHERE clip = ?", (row["clip"],))
    return {clip["sound"], clip["original"]} if clip else set()


def _line(now: str, voice: str, *, n_takes: int, clip: bool, shared: bool) -> str:
    recording = "no recording was kept" if not clip else "its recording"
    if shared:
        recording = "its recording stays, as another voice was made from it: forget that one, too"
    spoken = f"{n_takes} take{'' if n_takes == 1 else 's'}"
    return f"{now[:10]}: {voice} was forgotten: {spoken}; {recording}."
