"""What an account of the practice service holds: voices, their sound, results and what was billed, in sqlite.

One connection behind a lock. Every change is on the disk before it is answered, so that a killed service loses nothing
that it said. Calls block for a few milliseconds: from the event loop they go through a thread.
"""

from __future__ import annotations

import secrets
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from vcnb.catalog import VOICES_PER_ACCOUNT
from vcnb.errors import SettingsError
from vcnb.protocol.voice import CHINA_TIME

from .engines.engine import Reference
from .rules import Refusal

__all__ = ["RESULTS_BYTES", "State", "Stored", "full", "new_voice_name"]

RESULTS_BYTES = 512_000_000  # ours: three hours of speech; beyond it the oldest file goes before its time

_SCHEMA = """
CREATE TABLE IF NOT EXISTS account(name TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS voices(
    number INTEGER PRIMARY KEY AUTOINCREMENT, voice TEXT NOT NULL UNIQUE, target_model TEXT NOT NULL,
    language TEXT, gmt_create TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS sounds(
    voice TEXT PRIMARY KEY, samples BLOB NOT NULL, sample_rate INTEGER NOT NULL, transcript TEXT);
CREATE TABLE IF NOT EXISTS profiles(voice TEXT PRIMARY KEY, version TEXT NOT NULL, profile BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS results(token TEXT PRIMARY KEY, wav BLOB NOT NULL, expires_at REAL NOT NULL);
CREATE INDEX IF NOT EXISTS expiry ON results(expires_at);
"""
_DROP_OLDEST = """
DELETE FROM results WHERE rowid IN (SELECT number FROM (
    SELECT rowid AS number, sum(length(wav)) OVER (ORDER BY rowid DESC) AS so_far FROM results) WHERE so_far > ?)
"""


@dataclass(frozen=True)
class Stored:
    """A voice as the service knows it.

    Parameters
    ----------
    voice, target_model : str
        Its id and the only model that speaks with it.
    language : str or None
        As it was declared.
    gmt_create : str
        China time without a zone, as the service writes it.
    """

    voice: str
    target_model: str
    language: str | None
    gmt_create: str

    def row(self) -> dict[str, Any]:
        """Write the row of a list."""
        return {
            "voice": self.voice,
            "gmt_create": self.gmt_create,
            "gmt_modified": self.gmt_create,
            "language": self.language,
            "target_model": self.target_model,
        }


def new_voice_name(preferred_name: str, now: datetime) -> str:
    """Name a new voice in the documented form: keyword, 17 digits of local time, four hexadecimal digits."""
    stamp = now.strftime("%Y%m%d%H%M%S") + f"{now.microsecond // 1000:03d}"
    return f"qwen-tts-vc-{preferred_name}-voice-{stamp}-{secrets.token_hex(2)}"


class State:
    """The account.

    Parameters
    ----------
    folder : Path
        Made if it is not there; holds ``practice.sqlite``.

    Raises
    ------
    SettingsError
        If that file cannot be used.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._db = sqlite3.connect(folder / "practice.sqlite", check_same_thread=False, isolation_level=None)
        try:
            self._prepare()
        except sqlite3.Error as error:
            self._db.close()
            raise SettingsError(
                f"The account in {folder / 'practice.sqlite'} cannot be opened ({error}).",
                remedy="make room, or move the file away: a new account is begun",
            ) from None

    @property
    def folder_id(self) -> str:
        """What tells this account from another, for as long as its folder lives."""
        return str(self._account("folder"))

    def counters(self) -> dict[str, int]:
        """Tell what was billed, voices made and characters spoken, and how many voices there are."""
        found = {name: int(self._account(name)) for name in ("creations", "characters")}
        return found | {"voices": self.count()}

    def count(self) -> int:
        """Count the voices."""
        with self._lock:
            return int(self._db.execute("SELECT count(*) FROM voices").fetchone()[0])

    def create(
        self,
        *,
        preferred_name: str,
        target_model: str,
        language: str | None,
        reference: Reference,
        profile: bytes,
        version: str,
        check: Callable[[], None] = lambda: None,
    ) -> Stored:
        """Keep a new voice and bill it.

        `check` is called last of all, behind the lock that a list waits for; what it raises undoes everything. So a
        voice that a list does not show cannot come later from a creation that is given up.

        Raises
        ------
        Refusal
            If the account is full.
        """
        samples = np.clip(np.rint(reference.samples * 32_767.0), -32_768, 32_767).astype("<i2").tobytes()
        with self._change() as db:
            if self.count() >= VOICES_PER_ACCOUNT:
                raise full()
            stored = self._new(preferred_name, target_model, language)
            sound = (stored.voice, samples, reference.sample_rate, reference.transcript)
            db.execute("INSERT INTO sounds VALUES(?, ?, ?, ?)", sound)
            db.execute("INSERT INTO profiles VALUES(?, ?, ?)", (stored.voice, version, profile))
            db.execute("UPDATE account SET value = value + 1 WHERE name = 'creations'")
            check()
        return stored

    def copy_newest(self) -> None:
        """Make one more voice out of the newest, as if another program had just enrolled it."""
        with self._change() as db:
            found = db.execute(
                "SELECT voice, target_model, language FROM voices ORDER BY number DESC LIMIT 1"
            ).fetchone()
            if found is None:
                return
            new = self._new("elsewhere", found[1], found[2]).voice
            db.execute(
                "INSERT INTO sounds SELECT ?, samples, sample_rate, transcript FROM sounds WHERE voice = ?",
                (new, found[0]),
            )

    def page(self, page_index: int, page_size: int) -> list[Stored]:
        """List one page of voices, newest first."""
        query = "SELECT voice, target_model, language, gmt_create FROM voices ORDER BY number DESC LIMIT ? OFFSET ?"
        with self._lock:
            return [Stored(*row) for row in self._db.execute(query, (page_size, page_index * page_size))]

    def find(self, voice: str) -> Stored | None:
        """Look a voice up."""
        query = "SELECT voice, target_model, language, gmt_create FROM voices WHERE voice = ?"
        with self._lock:
            found = self._db.execute(query, (voice,)).fetchone()
        return Stored(*found) if found else None

    def delete(self, voice: str, check: Callable[[], None] = lambda: None) -> bool:
        """Forget a voice and its sound; False where there is none. `check` as in `create`."""
        with self._change() as db:
            for table in ("sounds", "profiles"):
                db.execute(f"DELETE FROM {table} WHERE voice = ?", (voice,))  # noqa: S608
            found = db.execute("DELETE FROM voices WHERE voice = ?", (voice,)).rowcount == 1
            check()
        return found

    def profile(self, voice: str, version: str) -> bytes | None:
        """Read the profile that this version of the engine made, or None."""
        query = "SELECT profile FROM profiles WHERE voice = ? AND version = ?"
        with self._lock:
            found = self._db.execute(query, (voice, version)).fetchone()
        return bytes(found[0]) if found else None

    def keep_profile(self, voice: str, version: str, profile: bytes) -> None:
        """Replace the profile of a voice, if the voice is still there."""
        with self._change() as db:
            db.execute(
                "INSERT OR REPLACE INTO profiles SELECT voice, ?, ? FROM voices WHERE voice = ?",
                (version, profile, voice),
            )

    def reference(self, voice: str) -> Reference | None:
        """Read the recording that a voice was made from, or None."""
        query = "SELECT samples, sample_rate, transcript FROM sounds WHERE voice = ?"
        with self._lock:
            found = self._db.execute(query, (voice,)).fetchone()
        if found is None:
            return None
        samples = np.frombuffer(found[0], dtype="<i2").astype(np.float32) / 32_768.0
        return Reference(samples, int(found[1]), found[2])

    def keep_result(self, wav: bytes, expires_at: float) -> str:
        """Keep a file until it expires; return the name by which alone it is found."""
        token = secrets.token_urlsafe(24)
        with self._change() as db:
            db.execute("DELETE FROM results WHERE expires_at < ?", (time.time(),))
            db.execute("INSERT INTO results VALUES(?, ?, ?)", (token, wav, expires_at))
            db.execute(_DROP_OLDEST, (RESULTS_BYTES,))
        return token

    def result(self, token: str) -> bytes | None:
        """Read a file that has not expired, or None."""
        query = "SELECT wav FROM results WHERE token = ? AND expires_at > ?"
        with self._lock:
            found = self._db.execute(query, (token, time.time())).fetchone()
        return bytes(found[0]) if found else None

    def bill(self, characters: int) -> None:
        """Count characters that were spoken."""
        with self._change() as db:
            db.execute("UPDATE account SET value = value + ? WHERE name = 'characters'", (characters,))

    def clear(self) -> None:
        """Empty the account; its folder id stays."""
        with self._change() as db:
            for table in ("voices", "sounds", "profiles", "results"):
                db.execute(f"DELETE FROM {table}")  # noqa: S608
            db.execute("UPDATE account SET value = 0 WHERE name IN ('creations', 'characters')")

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    def _prepare(self) -> None:
        # Sounds are megabytes: large pages make their chains short, so that deleting one takes no time.
        self._db.execute("PRAGMA page_size=16384")
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")
        self._db.execute("PRAGMA secure_delete=ON")  # what was deleted is overwritten, not only forgotten
        self._db.executescript(_SCHEMA)
        with self._change() as db:
            db.execute("INSERT OR IGNORE INTO account VALUES('folder', ?)", (secrets.token_hex(8),))
            for name in ("creations", "characters"):
                db.execute("INSERT OR IGNORE INTO account VALUES(?, 0)", (name,))
            db.execute("DELETE FROM results WHERE expires_at < ?", (time.time(),))

    @contextmanager
    def _change(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:
                # A full disk can end the transaction by itself, or leave it open when the commit fails.
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    def _account(self, name: str) -> Any:
        with self._lock:
            return self._db.execute("SELECT value FROM account WHERE name = ?", (name,)).fetchone()[0]

    def _new(self, preferred_name: str, target_model: str, language: str | None) -> Stored:
        now = datetime.now(CHINA_TIME)
        while True:
            voice = new_voice_name(preferred_name, now)
            if self.find(voice) is None:
                break
        stored = Stored(voice, target_model, language, now.strftime("%Y-%m-%d %H:%M:%S"))
        self._db.execute(
            "INSERT INTO voices(voice, target_model, language, gmt_create) VALUES(?, ?, ?, ?)",
            (stored.voice, stored.target_model, stored.language, stored.gmt_create),
        )
        return stored


def full() -> Refusal:
    """Say that there is no place for another voice: 400, not 429; waiting does not help."""
    return Refusal(
        400, "Throttling.AllocationQuota", "Maximum voice storage limit exceeded, please delete existing voices."
    )
