"""Where sounds lie: files named by their own content, so that a name can never lead to other bytes."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection
from pathlib import Path

from vcnb.errors import LibraryError

from .disk import write_whole

__all__ = ["IN_USE", "RECORDINGS", "UPLOADS", "drop_arrived", "drop_sound", "keep_sound", "read_sound", "sound_path"]

# Which sounds the rows of a library speak of.
IN_USE = "SELECT sound FROM clips UNION SELECT original FROM clips UNION SELECT sound FROM takes"
# Folders beside the library in which panels keep what was recorded or uploaded, enrolled or not.
RECORDINGS, UPLOADS = "recordings", "uploads"
_SHA256 = re.compile(r"[0-9a-f]{64}")


def sound_path(folder: Path, sha256: str) -> Path:
    """Tell where the sound with this digest lies, if it is kept.

    Parameters
    ----------
    folder : Path
        The data folder.
    sha256 : str
        64 hexadecimal digits.

    Raises
    ------
    LibraryError
        If it is no digest, which could lead anywhere.
    """
    if not _SHA256.fullmatch(sha256):
        raise LibraryError(f"{sha256[:80]!r} is no digest of a sound.", remedy="the library's file was changed by hand")
    return folder / "sounds" / sha256[:2] / sha256


def keep_sound(folder: Path, data: bytes) -> str:
    """Keep a file's bytes; the same bytes are kept once.

    Parameters
    ----------
    folder : Path
        The data folder.
    data : bytes
        The file.

    Returns
    -------
    str
        Its SHA-256, hexadecimal. The file is on the disk when this returns.

    Raises
    ------
    LibraryError
        If it cannot be written; nothing is left behind.
    """
    sha256 = hashlib.sha256(data).hexdigest()
    path = sound_path(folder, sha256)
    try:
        if not path.is_file() or path.read_bytes() != data:  # what rotted is made whole again
            write_whole(path, data)
    except OSError as error:
        raise LibraryError(
            f"A sound of {len(data) / 1e6:.1f} MB cannot be kept in {path.parent.parent}: {error.strerror or error}.",
            remedy="make room there or allow writing, or use another folder with data=",
        ) from None
    return sha256


def read_sound(folder: Path, sha256: str) -> bytes:
    """Read the bytes that have this digest.

    Parameters
    ----------
    folder : Path
        The data folder.
    sha256 : str
        What `keep_sound` gave.

    Raises
    ------
    LibraryError
        If the file is gone, or is no longer what it was.
    """
    path = sound_path(folder, sha256)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise LibraryError(
            f"The sound {path} cannot be read: {error.strerror or error}.", remedy="bring the file back from a backup"
        ) from None
    if hashlib.sha256(data).hexdigest() != sha256:
        raise LibraryError(
            f"The sound {path} is not what it was: its bytes changed.", remedy="bring the file back from a backup"
        )
    return data


def drop_sound(folder: Path, sha256: str) -> None:
    """Remove the sound with this digest, if it is kept.

    Raises
    ------
    LibraryError
        If the file is there and cannot be removed.
    """
    _remove(sound_path(folder, sha256))


def drop_arrived(folder: Path, sounds: Collection[str]) -> None:
    """Remove what a panel recorded or took in, where it is one of these sounds.

    Parameters
    ----------
    folder : Path
        Where `RECORDINGS` and `UPLOADS` lie.
    sounds : collection of str
        Their digests.

    Raises
    ------
    LibraryError
        If a file is there and cannot be removed.
    """
    for path in (folder / UPLOADS).glob("*"):
        if path.name.partition("-")[0] in sounds:
            _remove(path)
    for path in (folder / RECORDINGS).glob("*.wav"):
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if digest in sounds:
            _remove(path)
            _remove(path.with_suffix(".json"))


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise LibraryError(
            f"The sound {path} cannot be removed: {error.strerror or error}.", remedy="remove the file by hand"
        ) from None
