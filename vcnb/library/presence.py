"""Whether a process that took something on is still there: it holds a lock that the system takes back when it dies."""

from __future__ import annotations

import contextlib
import secrets
import sys
from pathlib import Path
from typing import IO

from vcnb.errors import LibraryError

__all__ = ["Presence", "lives"]


class Presence:
    """Shows that somebody is at work, until it is closed or the process ends, in whatever way.

    Parameters
    ----------
    folder : Path
        The data folder.

    Raises
    ------
    LibraryError
        If nothing can be written there.
    """

    def __init__(self, folder: Path) -> None:
        self.id = secrets.token_hex(8)
        self._path = _place(folder, self.id)
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self._path.open("wb")
        except OSError as error:
            raise LibraryError(
                f"{self._path.parent} cannot be written ({error.strerror}).", remedy="make room, or use data="
            ) from None
        _lock(self._file)

    def close(self) -> None:
        """Say that the work is over."""
        self._file.close()
        with contextlib.suppress(OSError):
            self._path.unlink()


def lives(folder: Path, id: str) -> bool:
    """Tell whether somebody is still at work.

    Parameters
    ----------
    folder : Path
        The data folder.
    id : str
        Of a `Presence`, in this process or another.
    """
    path = _place(folder, id)
    try:
        with path.open("r+b") as file:
            if not _lock(file):
                return True
    except FileNotFoundError:
        return False
    except OSError:  # Windows refuses to open what another process has locked
        return True
    with contextlib.suppress(OSError):
        path.unlink()
    return False


def _place(folder: Path, id: str) -> Path:
    return folder / "present" / f"{id}.lock"


def _lock(file: IO[bytes]) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
