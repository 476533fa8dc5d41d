"""Which files were diagnosed before, so that a long batch goes on where it was stopped."""

from __future__ import annotations

import hashlib
import os
import sqlite3
from contextlib import closing
from functools import cache
from importlib import resources
from pathlib import Path

from vcnb.errors import LibraryError

__all__ = ["Manifest"]

SCHEMA = """
CREATE TABLE IF NOT EXISTS diagnosed (
    path TEXT NOT NULL, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL,
    declared TEXT NOT NULL, judge TEXT NOT NULL, document TEXT NOT NULL,
    PRIMARY KEY (path, declared)
) STRICT, WITHOUT ROWID
"""
PATIENCE = 30.0  # seconds to wait for another batch that writes


class Manifest:
    """Answers by file, kept in sqlite; a file that changed since is asked again, and so is a newer judge.

    Parameters
    ----------
    path : pathlib.Path
        The database; made where it is not.

    Raises
    ------
    LibraryError
        If it cannot be opened or written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._database = sqlite3.connect(path, timeout=PATIENCE, isolation_level=None)
            self._database.execute("PRAGMA journal_mode=WAL")
            self._database.execute(SCHEMA)
        except (OSError, sqlite3.Error) as error:
            raise self._broken(error) from None

    def find(self, path: str, declared: str) -> str | None:
        """Give what was answered about a file as it is now, None where it was not asked."""
        stamp = _stamp(path)
        if stamp is None:
            return None
        query = "SELECT document FROM diagnosed WHERE (path, declared, size, mtime_ns, judge) = (?, ?, ?, ?, ?)"
        try:
            with closing(self._database.execute(query, (_name(path), declared, *stamp, _judge()))) as found:
                row = found.fetchone()
        except sqlite3.Error as error:
            raise self._broken(error) from None
        return row[0] if row else None

    def keep(self, path: str, declared: str, document: str) -> None:
        """Keep what was answered; of a file that is gone by now, nothing."""
        stamp = _stamp(path)
        if stamp is None:
            return
        row = (_name(path), *stamp, declared, _judge(), document)
        try:
            self._database.execute("INSERT OR REPLACE INTO diagnosed VALUES (?, ?, ?, ?, ?, ?)", row)
        except sqlite3.Error as error:
            raise self._broken(error) from None

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()

    def _broken(self, error: Exception) -> LibraryError:
        return LibraryError(f"{self.path}: {error}.", remedy="check folder and disk, or name another manifest")


def _name(path: str) -> str:
    return os.path.abspath(path).encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _stamp(path: str) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return None
    return found.st_size, found.st_mtime_ns


@cache
def _judge() -> str:
    """Name the checks as they are: by the bytes of the modules that judge and measure."""
    digest = hashlib.sha256()
    for room in ("audio", "measure", "diagnose", "diagnose/checks"):
        folder = resources.files("vcnb").joinpath(*room.split("/"))
        for each in sorted(folder.iterdir(), key=lambda found: found.name):
            if each.name.endswith(".py"):
                digest.update(each.read_bytes())
    return digest.hexdigest()[:16]
