"""What a running service leaves in its folder for others: a lock that dies with it, and its address and key."""

from __future__ import annotations

import contextlib
import json
import os
import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from vcnb.errors import SettingsError
from vcnb.settings import Secret

__all__ = ["AlreadyRunningError", "Record", "forget", "only_one", "own_version", "prepared", "read", "write"]

_FILE, _LOCK = "service.json", "service.lock"
_ATTEMPTS, _ATTEMPT_SECONDS = 50, 0.02  # ours


class AlreadyRunningError(SettingsError):
    """Another practice service has the folder."""


@dataclass(frozen=True)
class Record:
    """What the file says of a service.

    Parameters
    ----------
    base_url : str
        HTTP base, on 127.0.0.1.
    api_key : Secret
        Its key.
    folder : str
        What tells its account from another.
    version : str
        Of vcnb.
    engine : str or None
        As it was chosen.
    stay : bool
        Whether it lives without users.
    """

    base_url: str
    api_key: Secret
    folder: str
    version: str
    engine: str | None
    stay: bool

    @property
    def port(self) -> int:
        """Where it listens."""
        return urlsplit(self.base_url).port or 0


def prepared(folder: Path) -> Path:
    """Make the folder, for its user alone: voices and a key lie in it.

    Raises
    ------
    SettingsError
        If it cannot be made.
    """
    folder = Path(folder).absolute()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if os.name == "posix" and folder.stat().st_mode & 0o077:
            folder.chmod(0o700)
    except OSError as error:
        raise _unusable(folder, str(error.strerror)) from None
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        raise _unusable(folder, "it is another user's, or cannot be written to")
    return folder


@contextmanager
def only_one(folder: Path, *, wait: float) -> Iterator[None]:
    """Hold the lock of a folder: sqlite's, which is the same everywhere and dies with its process.

    Parameters
    ----------
    folder : Path
        Prepared.
    wait : float
        Seconds that another one gets to end.

    Raises
    ------
    AlreadyRunningError
        If another one holds it.
    SettingsError
        If nothing can be locked there.
    """
    lock = None
    try:
        try:
            lock = sqlite3.connect(folder / _LOCK, timeout=wait, isolation_level=None)
            lock.execute("BEGIN EXCLUSIVE")
        except sqlite3.Error as error:
            if "locked" not in str(error):
                raise _unusable(folder, str(error)) from None
            record = read(folder)
            where = f" at {record.base_url}" if record else ""
            raise AlreadyRunningError(
                f"A practice service for {folder} is running already{where}.",
                remedy="use that one, end it, or give another folder with --data",
            ) from None
        yield
    finally:
        if lock is not None:
            lock.close()


def read(folder: Path) -> Record | None:
    """Read the file; None where it is missing or no such file, whatever else it may be."""
    try:
        found = json.loads((folder / _FILE).read_text(encoding="utf-8"))
        where, key = str(found["base_url"]), str(found["api_key"])
        # Requests go to this machine only, and the key must fit in a header.
        if not re.fullmatch(r"http://127\.0\.0\.1:[1-9]\d{0,4}/api/v1", where) or not re.fullmatch(r"[!-~]+", key):
            return None
        _ = urlsplit(where).port  # a ValueError above 65535
        engine = str(found["engine"]) if found.get("engine") else None
        return Record(where, Secret(key), str(found["folder"]), str(found["version"]), engine, found["stay"] is True)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def write(folder: Path, record: Record) -> None:
    """Write the file at once or not at all, readable by its user alone."""
    about = vars(record) | {"api_key": record.api_key.reveal(), "pid": os.getpid()}
    about["started"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    beside = folder / f".{_FILE}.{os.getpid()}"
    beside.unlink(missing_ok=True)
    try:
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            json.dump(about, file)
    except OSError:
        beside.unlink(missing_ok=True)  # a full disk
        raise
    for left in reversed(range(_ATTEMPTS)):
        try:
            beside.replace(folder / _FILE)
            return
        except PermissionError:  # Windows, while somebody reads it
            if not left:
                raise
            time.sleep(_ATTEMPT_SECONDS)


def forget(folder: Path) -> None:
    """Take the file away."""
    with contextlib.suppress(OSError):  # Windows, while somebody reads it: a file that leads nowhere does no harm
        (folder / _FILE).unlink(missing_ok=True)


def own_version() -> str:
    """Version of vcnb, as services tell it."""
    from importlib.metadata import version

    return version("vcnb")


def _unusable(folder: Path, reason: str) -> SettingsError:
    return SettingsError(
        f"The practice service cannot use the folder {folder} ({reason}).",
        remedy="give another folder: data= or VCNB_DATA",
    )
