"""How a library is carried away: one zip with sounds as they are stored, tables as CSV and a manifest with hashes.

``manifest.json`` names every other file with its size and SHA-256; the comment of the zip is the SHA-256 of the
manifest. The same library gives the same bytes. Intents are not in it: they are about requests of this machine.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from vcnb.errors import LibraryError

from .sounds import read_sound
from .store import Store

__all__ = ["Cell", "FORMAT", "TABLES", "VERSION", "cells_of", "csv_of", "sounds_of", "write_export", "written"]

FORMAT, VERSION = "vcnb library", 1
# Table -> which of its rows belong to an account.
TABLES = {
    "accounts": "id = :account",
    "voices": "account = :account",
    "clips": "id IN (SELECT clip FROM voices WHERE account = :account)",
    "consents": "id IN (SELECT consent FROM voices WHERE account = :account)",
    "takes": "account = :account",
    "money": "account = :account",
}
SOUND_COLUMNS = (("clips", "sound"), ("clips", "original"), ("takes", "sound"))
_MADE = (1980, 1, 1, 0, 0, 0)  # the oldest a zip can say: when it was made is no part of the library
# A text that begins so would be a formula to a spreadsheet, or is our own escape.
_ESCAPED = ("\\", "=", "+", "-", "@", "\t", "\r")
_NULL = "\\N"

Cell = str | int | float | None


def write_export(store: Store, account: str, path: Path) -> Path:
    """Write everything that an account holds here into a zip.

    Parameters
    ----------
    store : Store
        The library.
    account : str
        Whose.
    path : Path
        Where to; the file appears whole or not at all.

    Returns
    -------
    Path
        The same, absolute.

    Raises
    ------
    LibraryError
        If it cannot be written. A sound that is gone or changed is left out and named in the manifest.
    """
    path = path.absolute()
    try:
        number, beside = tempfile.mkstemp(prefix=f".{path.name[:32]}.", suffix=".part", dir=path.parent)
        try:
            with os.fdopen(number, "wb") as file:
                _write(store, account, file)
                file.flush()
                os.fsync(file.fileno())
            os.replace(beside, path)
        finally:
            Path(beside).unlink(missing_ok=True)
    except OSError as error:
        raise LibraryError(
            f"{path} cannot be written: {error.strerror or error}.", remedy="choose another place, or make room there"
        ) from None
    return path


def cells_of(store: Store, table: str) -> list[str]:
    """List the columns of a table, in their order."""
    return [str(row["name"]) for row in store.rows(f"PRAGMA table_info({table})")]


def csv_of(columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    r"""Write a table as CSV: ``\N`` for nothing, a backslash before what a spreadsheet would take for a formula."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writerow(columns)
    writer.writerows([written(value) for value in row] for row in rows)
    return text.getvalue().encode()


def written(value: Cell) -> str:
    """Write one cell, as `csv_of` does."""
    if value is None:
        return _NULL
    if isinstance(value, float):
        return repr(value)
    return "\\" + value if isinstance(value, str) and value.startswith(_ESCAPED) else str(value)


def sounds_of(tables: dict[str, list[dict[str, Cell]]]) -> Iterator[str]:
    """Name every sound that the rows speak of, as often as they do."""
    for table, column in SOUND_COLUMNS:
        for row in tables[table]:
            if row[column] is not None:
                yield str(row[column])


def _write(store: Store, account: str, file: io.BufferedWriter) -> None:
    with store.transaction():  # one state of all tables, whatever another notebook does meanwhile
        tables = {table: _rows(store, table, account) for table in TABLES}
    parts = {
        f"tables/{table}.csv": csv_of(cells_of(store, table), [list(row.values()) for row in rows])
        for table, rows in tables.items()
    }
    files = {name: {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()} for name, data in parts.items()}
    missing = []
    for sound in sorted(set(sounds_of(tables))):
        try:
            files[f"sounds/{sound}"] = {"size": len(read_sound(store.folder, sound)), "sha256": sound}
        except LibraryError:
            missing.append(sound)
    about = {"format": FORMAT, "version": VERSION, "files": files, "missing": missing}
    manifest = json.dumps(about, indent=1, sort_keys=True).encode()
    with zipfile.ZipFile(file, "w") as zip:
        _add(zip, "manifest.json", manifest)
        for name in files:
            data = parts[name] if name in parts else read_sound(store.folder, name.removeprefix("sounds/"))
            _add(zip, name, data)
        zip.comment = hashlib.sha256(manifest).hexdigest().encode()


def _rows(store: Store, table: str, account: str) -> list[dict[str, Cell]]:
    query = f"SELECT * FROM {table} WHERE {TABLES[table]} ORDER BY 1, 2"  # noqa: S608  # both are ours
    return [dict(row) for row in store.rows(query, {"account": account})]


def _add(zip: zipfile.ZipFile, name: str, data: bytes) -> None:
    info = zipfile.ZipInfo(name, _MADE)
    info.external_attr = 0o600 << 16
    # Sounds as they are: most are compressed already, and a bomb cannot be told from a long silence otherwise.
    info.compress_type = zipfile.ZIP_STORED if name.startswith("sounds/") else zipfile.ZIP_DEFLATED
    zip.writestr(info, data)
