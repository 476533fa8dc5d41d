"""How an export comes back: judged as a whole before a byte of it is written, and never outside the library."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import shutil
import sqlite3
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vcnb.errors import LibraryError

from .checking import cell_value
from .export import FORMAT, TABLES, VERSION, Cell, cells_of, sounds_of
from .sounds import IN_USE, drop_sound, keep_sound, read_sound
from .store import Store

__all__ = ["Imported", "read_import"]

MANIFEST_BYTES = 64_000_000  # ours: half a million sounds
# Ours: our own exports grow by less than 20 when they are unpacked; a bomb by a thousand and more.
GROWTH, GROWTH_BYTES = 50, 64_000_000
_NAME = re.compile(r"sounds/[0-9a-f]{64}|tables/(?:" + "|".join(TABLES) + r")\.csv")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_BLOCK = 1 << 20

Table = list[dict[str, Cell]]


@dataclass(frozen=True)
class Imported:
    """What came of an import.

    Parameters
    ----------
    voices, takes, sounds : int
        How many the file holds.
    new_voices, new_takes, new_sounds : int
        How many of them were not here before.
    missing : tuple of str
        Sounds that were gone already when it was exported.
    """

    voices: int
    takes: int
    sounds: int
    new_voices: int
    new_takes: int
    new_sounds: int
    missing: tuple[str, ...] = ()


def read_import(store: Store, path: Path) -> Imported:
    """Take an export into the library; what is known here stays, what was forgotten here stays forgotten.

    Parameters
    ----------
    store : Store
        The library.
    path : Path
        What `write_export` wrote.

    Returns
    -------
    Imported

    Raises
    ------
    LibraryError
        If it is no export, or any file in it is not what the manifest says; the file is named, and nothing is written.
    """
    try:
        with zipfile.ZipFile(path) as zip:
            files, missing = _manifest(zip, path)
            tables = _tables(store, zip, files)
            forgotten = _without_forgotten(store, tables)
            named = set(sounds_of(tables))
            absent = named - {name.removeprefix("sounds/") for name in files} - set(missing)
            if absent:
                raise _refused(f"sounds/{min(absent)}", "is spoken of and not there")
            sounds = [name for name in files if name.startswith("sounds/")]
            for name in sounds:
                for _ in _read(zip, name, files[name]):
                    pass
            wanted = [name for name in sounds if name.removeprefix("sounds/") in named or not forgotten]
            return _keep(store, zip, files, wanted, tables, missing)
    except (zipfile.BadZipFile, NotImplementedError, EOFError) as error:
        raise LibraryError(f"{path} cannot be read as a zip: {error}.", remedy="take the export itself") from None
    except OSError as error:
        if isinstance(error, LibraryError):
            raise
        raise LibraryError(f"{path} cannot be read: {error.strerror or error}.", remedy="check the path") from None


def _manifest(zip: zipfile.ZipFile, path: Path) -> tuple[dict[str, dict[str, Any]], tuple[str, ...]]:
    """Read what the file says of itself, and refuse what does not fit before anything is unpacked."""
    infos = {info.filename: info for info in zip.infolist()}
    if "manifest.json" not in infos:
        raise _refused("manifest.json", "is not there: this is no export of vcnb")
    if infos["manifest.json"].file_size > MANIFEST_BYTES:
        raise _refused("manifest.json", f"says it has {infos['manifest.json'].file_size:,} bytes")
    data = b"".join(_read(zip, "manifest.json", {"size": infos["manifest.json"].file_size}))
    if zip.comment != hashlib.sha256(data).hexdigest().encode():
        raise _refused("manifest.json", "was changed")
    try:
        about = json.loads(data)
        files, missing = dict(about["files"]), tuple(map(str, about["missing"]))
        if about["format"] != FORMAT or int(about["version"]) > VERSION:
            raise LibraryError(f"{path} was written by a newer vcnb.", remedy="upgrade vcnb; nothing was written")
        stated = {name: (int(each["size"]), _DIGEST.fullmatch(each["sha256"])) for name, each in files.items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise _refused("manifest.json", "says nothing that can be understood") from None
    for name, info in infos.items():
        if name != "manifest.json" and (name not in files or not _NAME.fullmatch(name)):
            raise _refused(name, "does not belong there")
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) or info.flag_bits & 1:
            raise _refused(name, "is packed in a way that no export is")
        if name in files and (info.file_size, bool(stated[name][1])) != (stated[name][0], True):
            raise _refused(name, f"has {info.file_size:,} bytes instead of {stated[name][0]:,}")
    lost = [name for name in [*files, *(f"tables/{table}.csv" for table in TABLES)] if name not in infos]
    if lost or len(infos) != len(zip.infolist()):
        raise _refused(lost[0] if lost else "a name", "is not there" if lost else "is there twice")
    if sum(info.file_size for info in infos.values()) > GROWTH * path.stat().st_size + GROWTH_BYTES:
        raise LibraryError(f"{path} would unpack to far more than an export does.", remedy="take the export itself")
    return files, missing


def _read(zip: zipfile.ZipFile, name: str, stated: dict[str, Any]) -> Iterator[bytes]:
    """Read a file of the zip in blocks, never more than it says it has, and compare its hash."""
    left, digest = int(stated["size"]), hashlib.sha256()
    try:
        with zip.open(name) as file:
            while block := file.read(min(_BLOCK, left + 1)):
                left -= len(block)
                if left < 0:
                    break
                digest.update(block)
                yield block
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, RuntimeError) as error:
        raise _refused(name, f"cannot be unpacked ({error})") from None
    if left or digest.hexdigest() != stated.get("sha256", digest.hexdigest()):
        raise _refused(name, "was changed: its hash is another one")
    if name.startswith("sounds/") and name != f"sounds/{digest.hexdigest()}":
        raise _refused(name, "is not named by its content")


def _tables(store: Store, zip: zipfile.ZipFile, files: dict[str, dict[str, Any]]) -> dict[str, Table]:
    found = {}
    for table in TABLES:
        name = f"tables/{table}.csv"
        data = b"".join(_read(zip, name, files[name]))
        try:
            found[table] = _table(store, table, data.decode(), name)
        except UnicodeDecodeError:
            raise _refused(name, "is no text") from None
        accounts = {each["id"] for each in found["accounts"]}
        for number, row in enumerate(found[table], 1):
            if "account" in row and row["account"] not in accounts:
                raise _refused(name, f"speaks of an account that is not in the zip, in row {number}")
    return found


def _table(store: Store, table: str, text: str, name: str) -> Table:
    about = {str(each["name"]): each for each in store.rows(f"PRAGMA table_info({table})")}
    needed = {column for column, each in about.items() if _required(each) and each["dflt_value"] is None}
    csv.field_size_limit(1 << 30)
    lines = csv.reader(io.StringIO(text, newline=""), strict=True)
    found: Table = []
    try:
        columns = next(lines)
        if set(columns) - set(about) or len(set(columns)) != len(columns):
            raise _refused(name, "has columns that no library has")
        if lost := needed - set(columns):
            raise _refused(name, f"has no column {min(lost)!r}")
        for line in lines:
            cells = zip(columns, line, strict=True)
            found.append({column: _checked(about[column], cell, name, len(found) + 1) for column, cell in cells})
    except (csv.Error, ValueError, StopIteration) as error:
        raise _refused(name, f"is no table of a library: row {len(found) + 1}, {error or 'it is empty'}") from None
    return found


def _checked(about: sqlite3.Row, cell: str, name: str, number: int) -> Cell:
    column = str(about["name"])
    try:
        return cell_value(column, str(about["type"]), cell, required=_required(about))
    except ValueError as error:
        said = f"holds {cell[:80]!r} in row {number}, column {column!r}, where {error} belongs"
        raise _refused(name, said) from None


def _required(about: sqlite3.Row) -> bool:
    return bool(about["notnull"] or about["pk"])


def _without_forgotten(store: Store, tables: dict[str, Table]) -> bool:
    """Take out what a speaker's withdrawal removed here; tell whether there was any."""
    # One that was carried out elsewhere removes nothing here: what is known here stays until somebody forgets it here.
    kept = {row["voice"] for row in store.rows("SELECT voice FROM voices WHERE forgotten_at IS NULL")}
    tables["voices"] = [row for row in tables["voices"] if row.get("forgotten_at") is None or row["voice"] not in kept]
    gone = {row["voice"] for row in store.rows("SELECT voice FROM voices WHERE forgotten_at IS NOT NULL")}
    if not gone & {row["voice"] for row in tables["voices"]}:
        return False
    for table in ("voices", "takes"):
        tables[table] = [row for row in tables[table] if row["voice"] not in gone]
    for table, column in (("clips", "clip"), ("consents", "consent")):
        used = {row[column] for row in tables["voices"]}
        tables[table] = [row for row in tables[table] if row["id"] in used]
    return True


def _keep(
    store: Store,
    zip: zipfile.ZipFile,
    files: dict[str, dict[str, Any]],
    sounds: list[str],
    tables: dict[str, Table],
    missing: tuple[str, ...],
) -> Imported:
    """Write sounds, then all rows in one transaction; what was written is taken back where that fails."""
    new = [name for name in sounds if not _whole(store, name.removeprefix("sounds/"))]
    needed = sum(int(files[name]["size"]) for name in new)
    if needed > shutil.disk_usage(store.folder).free:
        raise LibraryError(
            f"The sounds need {needed / 1e6:,.0f} MB, and {store.folder} has less.", remedy="make room there"
        )
    written: list[str] = []
    try:
        for name in new:
            written.append(name)
            keep_sound(store.folder, b"".join(_read(zip, name, files[name])))
        with store.transaction() as db:
            _same_accounts(store, tables)
            counts = {table: _insert(store, db, table, rows) for table, rows in tables.items()}
    except BaseException as error:
        used = {row[0] for row in store.rows(IN_USE)}  # by what was here, or by another notebook meanwhile
        for name in written:
            if name.removeprefix("sounds/") not in used:
                drop_sound(store.folder, name.removeprefix("sounds/"))
        if isinstance(error, sqlite3.Error | OverflowError):
            raise LibraryError(f"The tables do not fit together: {error}.", remedy="take the export itself") from None
        raise
    n_voices, n_takes = len(tables["voices"]), len(tables["takes"])
    return Imported(n_voices, n_takes, len(sounds), counts["voices"], counts["takes"], len(new), missing)


def _whole(store: Store, sound: str) -> bool:
    try:
        return bool(read_sound(store.folder, sound))
    except LibraryError:  # gone or rotten: the export has it
        return False


def _same_accounts(store: Store, tables: dict[str, Table]) -> None:
    """Give an account that is known here under another id, by a voice it shares, the id it has here."""
    for account in tables["accounts"]:
        voices = {row["voice"] for row in tables["voices"] if row["account"] == account["id"]}
        here = store.rows(
            "SELECT DISTINCT id FROM accounts JOIN voices ON account = id WHERE region = ? AND workspace = ? "
            "AND voice IN (SELECT value FROM json_each(?))",
            *(account["region"], account["workspace"], json.dumps(sorted(map(str, voices)))),
        )
        known, old = (here[0]["id"] if here else None), account["id"]
        if known is not None and known != old:
            for row in [*tables["voices"], *tables["takes"], *tables["money"]]:
                row["account"] = known if row["account"] == old else row["account"]
            account["id"] = known


def _insert(store: Store, db: sqlite3.Connection, table: str, rows: Table) -> int:
    before = db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608  # a name of ours
    if rows:
        names = [name for name in cells_of(store, table) if name in rows[0]]
        query = f"INSERT INTO {table}({', '.join(names)}) VALUES(:{', :'.join(names)}) ON CONFLICT DO "
        if table == "voices":  # a voice that was only listed here gets its story
            query += "UPDATE SET " + ", ".join(f"{n} = coalesce(nullif({n}, ''), excluded.{n})" for n in names)
        db.executemany(query + ("" if table == "voices" else "NOTHING"), rows)
    return int(db.execute(f"SELECT count(*) FROM {table}").fetchone()[0] - before)  # noqa: S608


def _refused(name: str, why: str) -> LibraryError:
    return LibraryError(f"In the zip, {name[:200]!r} {why}.", remedy="take the export itself; nothing was written")
