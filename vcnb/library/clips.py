"""What voices are made from, and who agreed to it: recordings byte for byte, their diagnosis, edits and consents."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from vcnb.audio.clip import Edit, Source

from .sounds import keep_sound
from .store import Store, moment

__all__ = ["clip_id", "consent_id", "keep_clip", "keep_consent"]

SCHEMA = """
CREATE TABLE clips(
    id TEXT PRIMARY KEY, sound TEXT, original TEXT, name TEXT NOT NULL, url TEXT, suffix TEXT NOT NULL,
    container TEXT NOT NULL, codec TEXT NOT NULL, sample_rate INTEGER, duration REAL, edits TEXT NOT NULL,
    verdict TEXT NOT NULL, diagnosis TEXT NOT NULL, kept_at TEXT NOT NULL) STRICT;
CREATE TABLE consents(
    id TEXT PRIMARY KEY, clip TEXT NOT NULL, statement TEXT NOT NULL, agreed_at TEXT NOT NULL) STRICT;
"""


def clip_id(source: Source | None, url: str | None = None) -> str:
    """Tell by what a recording is known here.

    Parameters
    ----------
    source : Source or None
        What is sent, or lies at the address; None where it could not be fetched from here.
    url : str, optional
        Where it is published, for a recording that could not be fetched.

    Returns
    -------
    str
        SHA-256 of the bytes, else of the address; hexadecimal.
    """
    return source.sha256 if source is not None else hashlib.sha256((url or "").encode()).hexdigest()


def consent_id(clip: str, statement: str) -> str:
    """Name a consent by what it says and for which recording, so that the same one is kept once."""
    return "consent-" + hashlib.sha256(f"{clip}\n{statement}".encode()).hexdigest()[:16]


def keep_clip(
    store: Store,
    source: Source | None,
    *,
    url: str | None = None,
    name: str = "",
    edits: Iterable[Edit] = (),
    original: Source | None = None,
    verdict: str = "unknown",
    diagnosis: dict[str, Any] | None = None,
) -> str:
    """Keep a recording byte for byte, before anything is made of it.

    Parameters
    ----------
    store : Store
        The library.
    source : Source or None
        What is sent; None for an address that could not be fetched from here.
    url : str, optional
        Where the service fetches it.
    name : str
        What its user calls it.
    edits : iterable of Edit
        What was done to it.
    original : Source, optional
        What it was before the edits; kept too.
    verdict : str
        "pass", "warn", "fail" or "unknown".
    diagnosis : dict, optional
        The report, ready for JSON.

    Returns
    -------
    str
        Its id, as `clip_id`. A clip that is there already gets the newer diagnosis, and keeps the first recording that
        it was made from.

    Raises
    ------
    LibraryError
        If it cannot be kept.
    """
    clip = clip_id(source, url)
    values: dict[str, Any] = {
        "id": clip, "name": name.encode("utf-8", "backslashreplace").decode(), "url": url,
        "suffix": source.suffix if source else "", "container": source.container if source else "",
        "codec": source.codec if source else "", "sample_rate": source.sample_rate if source else None,
        "duration": source.decoded_duration if source else None,
        "edits": json.dumps([asdict(edit) for edit in edits]), "verdict": verdict,
        "diagnosis": json.dumps(diagnosis or {}, allow_nan=False), "kept_at": moment(),
    }  # fmt: skip
    update = {name: f"coalesce(excluded.{name}, {name})" for name in ("sound", "verdict", "diagnosis")}
    # What it was before and what was done to it belong together.
    update |= {name: f"iif(original IS NULL, excluded.{name}, {name})" for name in ("original", "edits")}
    columns = ("sound", "original", *values)
    query = (
        f"INSERT INTO clips({', '.join(columns)}) VALUES(:{', :'.join(columns)}) ON CONFLICT(id) DO UPDATE SET "
        + ", ".join(f"{name} = {value}" for name, value in update.items())
    )
    with store.transaction() as db:  # the sounds too: nobody forgets them between file and row
        sound = keep_sound(store.folder, source.data) if source is not None else None
        row = db.execute("SELECT original FROM clips WHERE id = ?", (clip,)).fetchone()
        if original is not None and row is not None and row["original"] not in (None, original.sha256):
            original = None
        before = keep_sound(store.folder, original.data) if original is not None and original.data else None
        db.execute(query, values | {"sound": sound, "original": before if before != sound else None})
    return clip


def keep_consent(store: Store, clip: str, statement: str) -> str:
    """Keep who agreed, on what ground and when, with the recording it is for.

    Parameters
    ----------
    store : Store
        The library.
    clip : str
        What `keep_clip` gave.
    statement : str
        As it was given.

    Returns
    -------
    str
        Its id. The first time that the same was said for the same recording counts.
    """
    consent = consent_id(clip, statement)
    with store.transaction() as db:
        db.execute("INSERT OR IGNORE INTO consents VALUES(?, ?, ?, ?)", (consent, clip, statement, moment()))
    return consent
