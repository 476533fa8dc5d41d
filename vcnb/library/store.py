"""How a row gets onto the disk so that no crash, no second notebook and no older program loses it.

One sqlite file a data folder. A change is a transaction that is on the disk before it ends; several threads share one
connection behind a lock, several processes wait for each other.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from vcnb.errors import LibraryError, VcnbError

from .disk import network_file_system

__all__ = ["FILE_NAME", "Store", "moment"]

FILE_NAME = "library.sqlite"
PATIENCE = 30.0  # seconds to wait for another process; ours, a change takes milliseconds
OLDEST_SQLITE = (3, 37, 0)  # sqlite.org/stricttables.html
# sqlite.org/fileformat2.html, 1.3: the magic, and the user version as a big-endian integer.
_MAGIC, _VERSION_AT = b"SQLite format 3\x00", 60


class Store:
    """The rows of a library.

    Parameters
    ----------
    folder : Path
        Made if it is not there; holds ``library.sqlite``.
    migrations : sequence of str
        SQL scripts; the n-th brings a file from version n to n + 1. All of them make the newest.
    patience : float
        Seconds to wait for another process that is writing.

    Attributes
    ----------
    folder, path : Path
        Where it lies.
    notes : tuple of str
        What a person should know about the place, in sentences.

    Raises
    ------
    LibraryError
        If the folder cannot be written, the file is no library, or a newer vcnb made it. Then it is left as it is.
    """

    def __init__(self, folder: Path, migrations: Sequence[str], *, patience: float = PATIENCE) -> None:
        if sqlite3.sqlite_version_info < OLDEST_SQLITE:
            raise LibraryError(
                f"This Python has sqlite {sqlite3.sqlite_version}; the library needs 3.37.",
                remedy="use a newer Python",
            )
        self.folder, self.path = folder, folder / FILE_NAME
        self.notes: tuple[str, ...] = ()
        self._lock, self._patience = threading.RLock(), patience
        with self._spoken():
            folder.mkdir(parents=True, exist_ok=True)
            self._refuse_newer(_version_in(self.path), len(migrations))
            # Made here, so that nobody else on the machine can read it; sqlite keeps the mode for its side files.
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600))
            self._db = sqlite3.connect(self.path, timeout=patience, check_same_thread=False, isolation_level=None)
        try:
            with self._spoken():
                self._db.row_factory = sqlite3.Row
                self._prepare(migrations)
        except BaseException:
            self._db.close()
            raise

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Change rows: all of it is on the disk when the block ends, or none of it; inside another it joins that one.

        Yields
        ------
        sqlite3.Connection
            Parameters only, never values in the SQL text. ``sqlite3.IntegrityError`` passes through.

        Raises
        ------
        LibraryError
            On a full or read-only disk, or when another process does not let go; nothing was changed.
        """
        with self._lock, self._spoken():
            if self._db.in_transaction:
                yield self._db
                return
            try:
                self._db.execute("BEGIN IMMEDIATE")
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:
                # A full disk can end the transaction by itself, or leave it open when the commit fails.
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    def rows(self, sql: str, *values: Any) -> list[sqlite3.Row]:
        """Read rows; parameters as `values`, or one mapping for named ones.

        Raises
        ------
        LibraryError
            If the file cannot be read.
        """
        with self._lock, self._spoken():
            named = len(values) == 1 and isinstance(values[0], dict)
            return self._db.execute(sql, values[0] if named else values).fetchall()

    def row(self, sql: str, *values: Any) -> sqlite3.Row | None:
        """Read the first row, or None; as `rows`."""
        found = self.rows(sql, *values)
        return found[0] if found else None

    def close(self) -> None:
        """Close the file; what is written is written."""
        with self._lock:
            self._db.close()

    def _prepare(self, migrations: Sequence[str]) -> None:
        kind = network_file_system(self.folder)
        mode = "delete" if kind else "wal"
        if kind:
            # sqlite.org/wal.html: its index is shared memory, which a network file system does not have.
            self.notes = (f"The library lies on a network file system ({kind}): it uses a rollback journal, not WAL.",)
        if self._journal(mode) != mode and mode == "wal":
            self.notes = ("The library's file system takes no WAL: it uses a rollback journal.",)
        self._db.execute("PRAGMA synchronous=FULL")
        self._db.execute("PRAGMA foreign_keys=ON")
        self._db.execute("PRAGMA secure_delete=ON")  # what is forgotten is overwritten
        if self._version() != len(migrations):
            self._migrate(migrations)

    def _journal(self, mode: str) -> str:
        """Set the journal; sqlite waits for nobody here, so two that open a new file at once would collide."""
        deadline = time.monotonic() + self._patience
        while True:
            try:
                if (now := str(self._db.execute("PRAGMA journal_mode").fetchone()[0])) == mode:
                    return now
                return str(self._db.execute(f"PRAGMA journal_mode={mode}").fetchone()[0])
            except sqlite3.OperationalError as error:
                if not _busy(error) or time.monotonic() > deadline:
                    raise
                time.sleep(0.01)

    def _migrate(self, migrations: Sequence[str]) -> None:
        with self.transaction() as db:
            version = self._version()  # another process may have come first
            self._refuse_newer(version, len(migrations))
            for script in migrations[version:]:
                for statement in _statements(script):
                    db.execute(statement)
            db.execute(f"PRAGMA user_version={len(migrations)}")
        # The version stands in the file's head, where a program that must not touch the file reads it.
        self._db.execute("PRAGMA wal_checkpoint(PASSIVE)")

    def _version(self) -> int:
        return int(self._db.execute("PRAGMA user_version").fetchone()[0])

    def _refuse_newer(self, found: int, known: int) -> None:
        if found > known:
            raise LibraryError(
                f"{self.path} was written by a newer vcnb (version {found} of the library, this one knows {known}).",
                remedy="upgrade vcnb, or use another folder with data=; the file was left as it is",
            )

    @contextmanager
    def _spoken(self) -> Iterator[None]:
        """Say in words of ours what the disk or sqlite refused."""
        try:
            yield
        except (sqlite3.IntegrityError, VcnbError):
            raise
        except UnicodeEncodeError as error:
            raise LibraryError(
                f"A text holds half a character (U+{ord(error.object[error.start]):04X}), which cannot be kept.",
                remedy="remove it; it usually comes from a broken decoding",
            ) from None
        except (sqlite3.Error, OSError) as error:
            remedy = "make room there or allow writing, or use another folder with data="
            if isinstance(error, sqlite3.OperationalError) and _busy(error):
                remedy = f"another process has been writing for {self._patience:g} s: try again, or end it"
            elif isinstance(error, sqlite3.DatabaseError) and "not a database" in str(error):
                remedy = "move the file away or use another folder with data=; it was left as it is"
            reason = getattr(error, "strerror", None) or error
            raise LibraryError(f"The library in {self.path} cannot be used: {reason}.", remedy=remedy) from None


def moment(at: datetime | None = None) -> str:
    """Write a moment as the library does: in UTC and always as long, so that text sorts by time.

    Parameters
    ----------
    at : datetime, optional
        With a zone; else now.
    """
    return (at or datetime.now(UTC)).astimezone(UTC).isoformat(timespec="microseconds")


def _busy(error: sqlite3.OperationalError) -> bool:
    return (getattr(error, "sqlite_errorcode", 0) & 0xFF) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def _version_in(path: Path) -> int:
    """Read the version without opening the file as a database, which could change it."""
    with contextlib.suppress(FileNotFoundError), path.open("rb") as file:
        head = file.read(_VERSION_AT + 4)
        if head.startswith(_MAGIC) and len(head) == _VERSION_AT + 4:
            return int.from_bytes(head[_VERSION_AT:], "big")
    return 0


def _statements(script: str) -> Iterator[str]:
    """Split a script, since `executescript` would end the transaction around it."""
    pending = ""
    for part in script.split(";"):
        pending += part + ";"
        if sqlite3.complete_statement(pending):
            if pending.strip("; \n"):
                yield pending
            pending = ""
