"""How a file comes in from a browser: piece by piece to the disk, and never whole in memory.

What arrived lies in the folder ``uploads`` of the library's folder, under its digest and a number, so that whoever
brought it may delete it. What is under way lies beside it as ``*.part``, locked by its process: a part that nobody
holds is what a crash left, and the next start takes it away.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import secrets
import shutil
import sys
import tempfile
import threading
import unicodedata
import weakref
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Any, BinaryIO

from vcnb.audio.header import known_as
from vcnb.errors import ClipError
from vcnb.library.sounds import UPLOADS
from vcnb.settings import data_folder

__all__ = ["Arrived", "BYTES_LIMIT", "Uploads", "plain_name"]

BYTES_LIMIT = 500_000_000  # ours: two and a half hours of 16-bit mono at 24 kHz, days of what a telephone records
ROOM = 64 * 2**20  # bytes that must stay free on the disk; ours
NAME_LENGTH = 120  # characters; longer names only push everything else out of its row
_SUFFIX = re.compile(r"\.[a-z0-9]{1,8}")


@dataclass(frozen=True)
class Arrived:
    """A file that is here, whole.

    Parameters
    ----------
    path : Path
        Where it lies; its name begins with the digest. It belongs to whoever takes it.
    name : str
        What it was called, made safe to show.
    sha256 : str
        Hexadecimal digest of the content.
    size_bytes : int
        Its size.
    """

    path: Path
    name: str
    sha256: str
    size_bytes: int


@dataclass
class _Part:
    name: str
    size: int
    modified: int
    head: bytes
    path: Path
    file: BinaryIO
    n_bytes: int = 0
    digest: Any = field(default_factory=hashlib.sha256)


class Uploads:
    """Files under way. All methods may be called from any thread, and return at once.

    Parameters
    ----------
    folder : Path or None
        Where files shall lie; None: ``uploads`` in the library's folder.

    Notes
    -----
    What is still under way when this object goes, or the process ends, is deleted.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or data_folder(None) / UPLOADS
        self._parts: dict[str, _Part] = {}
        self._lock = threading.Lock()
        self._swept = False
        weakref.finalize(self, _drop_all, self._parts)

    def begin(self, key: str, *, name: str, size: int, modified: int, head: bytes) -> int:
        """Make room for a file, or take one up again that broke off.

        Parameters
        ----------
        key : str
            What the sender calls this upload; every piece bears it.
        name : str
            The file's name, as given; never part of a path.
        size : int
            Bytes that will come.
        modified : int
            When the file was last changed; with name, size and head it tells whether it is the same file as before.
        head : bytes
            Its first bytes.

        Returns
        -------
        int
            Bytes that are here already: where to go on.

        Raises
        ------
        ClipError
            If it cannot be sound, is empty or too large, or the disk has no room; nothing is left behind.
        """
        if size > BYTES_LIMIT:
            raise ClipError(
                f"The file has {size / 1e6:,.0f} MB; {BYTES_LIMIT / 1e6:.0f} MB are the most.",
                remedy="cut it into parts, or export it as FLAC or M4A",
            )
        known_as(head if size else b"")
        with self._lock:
            known = (plain_name(name), size, modified, head)
            for old, part in self._parts.items():
                if (part.name, part.size, part.modified, part.head) == known:
                    self._parts[key] = self._parts.pop(old)
                    return part.n_bytes
            self._parts[key] = self._opened(*known)
        return 0

    def piece(self, key: str, offset: int, data: bytes | memoryview) -> int:
        """Write a piece; one that is here already, or comes before its turn, is passed over.

        Parameters
        ----------
        key : str
            As in `begin`.
        offset : int
            Where it belongs.
        data : bytes-like
            The piece.

        Returns
        -------
        int
            Bytes that are here now: what the sender goes on from.

        Raises
        ------
        ClipError
            If nobody began this upload, more comes than was said, or the disk is full; nothing is left behind.
        """
        with self._lock:
            part = self._part(key)
            if offset != part.n_bytes:
                return part.n_bytes
            try:
                if offset + len(data) > part.size:
                    raise ClipError("More arrives than the file holds.", remedy="choose the file again")
                part.file.write(data)
            except (OSError, ClipError) as error:
                _drop(self._parts.pop(key))
                if isinstance(error, ClipError):
                    raise
                raise self._no_room(error) from None
            part.digest.update(data)
            part.n_bytes += len(data)
            return part.n_bytes

    def n_bytes(self, key: str) -> int:
        """Say how much is here.

        Raises
        ------
        ClipError
            If nobody began this upload.
        """
        with self._lock:
            return self._part(key).n_bytes

    def finish(self, key: str) -> Arrived | None:
        """Put a file in its place when all of it is here.

        Returns
        -------
        Arrived or None
            None while something is missing.

        Raises
        ------
        ClipError
            If nobody began this upload, or the file cannot be put there; nothing is left behind.
        """
        with self._lock:
            part = self._part(key)
            if part.n_bytes < part.size:
                return None
            del self._parts[key]
        digest = part.digest.hexdigest()
        path = self.folder / f"{digest}-{secrets.token_hex(4)}{_suffix_of(part.name)}"
        try:
            part.file.close()
            os.replace(part.path, path)
        except OSError as error:
            _drop(part)
            raise self._no_room(error) from None
        return Arrived(path, part.name, digest, part.size)

    def cancel(self, key: str) -> None:
        """Forget an upload and delete what came of it."""
        with self._lock:
            part = self._parts.pop(key, None)
        if part is not None:
            _drop(part)

    def cancel_all(self) -> None:
        """Forget all that is under way."""
        for key in self.under_way():
            self.cancel(key)

    def under_way(self) -> dict[str, tuple[str, int, int]]:
        """List what has begun: key to name, bytes that are here, and bytes in all."""
        with self._lock:
            return {key: (part.name, part.n_bytes, part.size) for key, part in self._parts.items()}

    def _part(self, key: str) -> _Part:
        if key not in self._parts:
            raise ClipError("The kernel knows nothing of this upload any more.", remedy="choose the file again")
        return self._parts[key]

    def _opened(self, name: str, size: int, modified: int, head: bytes) -> _Part:
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not self._swept:
                self._swept = True
                _sweep(self.folder)
            free = shutil.disk_usage(self.folder).free
            if free < size + ROOM:
                raise ClipError(
                    f"The disk has {free / 1e6:,.0f} MB left and the file has {size / 1e6:,.0f}.",
                    remedy=f"make room where {self.folder} lies, or set VCNB_DATA to another disk",
                )
            number, path = tempfile.mkstemp(suffix=".part", dir=self.folder)
        except OSError as error:
            raise self._no_room(error) from None
        _lock(number)
        return _Part(name, size, modified, head, Path(path), os.fdopen(number, "wb"))

    def _no_room(self, error: OSError) -> ClipError:
        reason = error.strerror or str(error)
        return ClipError(
            f"The file cannot be kept in {self.folder} ({reason}).",
            remedy="make room there, or set VCNB_DATA to another folder",
        )


def plain_name(name: str) -> str:
    """Make a file's name safe to show: no folders, no control or direction characters, no endless line.

    Parameters
    ----------
    name : str
        As a browser gave it.

    Returns
    -------
    str
        At most 120 characters, its ending kept; "sound" where nothing is left.
    """
    last = re.split(r"[\\/]", unicodedata.normalize("NFC", name))[-1]
    # Cc and Cf: line breaks, and marks that turn the direction of writing (exe.wav would read vaw.exe).
    shown = "".join(letter for letter in last if unicodedata.category(letter) not in ("Cc", "Cf", "Cs")).strip(" .")
    if len(shown) > NAME_LENGTH:
        ending = PurePath(shown).suffix[:9]
        shown = shown[: NAME_LENGTH - len(ending) - 1] + "…" + ending
    return shown or "sound"


def _suffix_of(name: str) -> str:
    suffix = PurePath(name).suffix.lower()
    return suffix if _SUFFIX.fullmatch(suffix) else ""


def _drop(part: _Part) -> None:
    with contextlib.suppress(OSError):
        part.file.close()
    with contextlib.suppress(OSError):
        part.path.unlink()


def _drop_all(parts: dict[str, _Part]) -> None:
    for part in parts.values():
        _drop(part)


def _lock(number: int) -> bool:
    """Hold a file as long as this process lives; Windows does so by itself with every open file."""
    if sys.platform == "win32":
        return True
    import fcntl

    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _sweep(folder: Path) -> None:
    """Delete parts that no living process holds."""
    for path in folder.glob("*.part"):
        with contextlib.suppress(OSError), path.open("rb") as file:
            if not _lock(file.fileno()):
                continue
            if sys.platform == "win32":
                file.close()
            path.unlink()
