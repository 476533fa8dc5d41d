"""Every speech that was made and paid, with its figures; it can be heard again without paying again."""

from __future__ import annotations

import io
import json
import secrets
import sqlite3
import wave
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from vcnb.audio.clip import Speech
from vcnb.audio.encode import wav_bytes
from vcnb.errors import LibraryError

from .money import book
from .sounds import keep_sound, read_sound
from .store import Store, moment

__all__ = ["find_take", "heard", "keep_take", "note_heard", "read_take", "same_take", "takes_of"]

SCHEMA = """
CREATE TABLE takes(
    id TEXT PRIMARY KEY, account TEXT NOT NULL, voice TEXT NOT NULL, target_model TEXT NOT NULL, text TEXT NOT NULL,
    transport TEXT NOT NULL, language TEXT, sound TEXT NOT NULL, duration REAL NOT NULL, characters INTEGER NOT NULL,
    cost REAL NOT NULL, first_audio_delay REAL, request_ids TEXT NOT NULL, arrivals TEXT NOT NULL,
    made_at TEXT NOT NULL, complete INTEGER NOT NULL) STRICT;
CREATE INDEX takes_of ON takes(account, voice, made_at);
"""
HEARD = "ALTER TABLE takes ADD COLUMN heard TEXT;\n"  # JSON: as a browser measured it while the take arrived


def keep_take(store: Store, account: str, speech: Speech, *, complete: bool = True) -> Speech:
    """Keep a speech: its sound, its figures and its price.

    Parameters
    ----------
    store : Store
        The library.
    account : str
        Who paid.
    speech : Speech
        What was spoken.
    complete : bool
        False for what arrived of a speech that broke off.

    Returns
    -------
    Speech
        The same, with the id of its take.

    Raises
    ------
    LibraryError
        If it cannot be kept.
    """
    sound = keep_sound(store.folder, wav_bytes(speech.samples, speech.sample_rate))
    take, now = "take-" + secrets.token_hex(6), moment()
    row = (
        take, account, speech.voice, speech.target_model, speech.text, speech.transport, speech.language, sound,
        speech.duration, speech.characters, speech.cost, speech.first_audio_delay, json.dumps(speech.request_ids),
        json.dumps(speech.arrivals), now, int(complete), None,
    )  # fmt: skip
    with store.transaction() as db:
        db.execute(f"INSERT INTO takes VALUES({', '.join('?' * len(row))})", row)
        db.execute("UPDATE voices SET last_used_at = ? WHERE account = ? AND voice = ?", (now, account, speech.voice))
        figures = {"cost": speech.cost, "characters": speech.characters, "certain": complete}
        book(store, account, take, purpose="speech", voice=speech.voice, **figures)  # type: ignore[arg-type]
    return replace(speech, take=take, consent=_consent(store, account, speech.voice))


def note_heard(store: Store, account: str, take: str, figures: Mapping[str, float | None]) -> None:
    """Keep how a take was heard while it arrived; a take that is not there is passed over.

    Parameters
    ----------
    store : Store
        The library.
    account : str
        Who paid.
    take : str
        Its id.
    figures : mapping
        Name -> number, as `vcnb.widgets.sounds.SoundPanel` describes them.
    """
    with store.transaction() as db:
        db.execute("UPDATE takes SET heard = ? WHERE account = ? AND id = ?", (json.dumps(figures), account, take))


def heard(row: sqlite3.Row) -> dict[str, float | None] | None:
    """Read how a take was heard while it arrived; None where no browser told."""
    return None if row["heard"] is None else dict(json.loads(row["heard"]))


def takes_of(store: Store, account: str) -> list[sqlite3.Row]:
    """Read the figures of all takes of an account, the newest first."""
    return store.rows("SELECT * FROM takes WHERE account = ? ORDER BY made_at DESC, id", account)


def find_take(store: Store, account: str, take: str) -> sqlite3.Row | None:
    """Read the figures of one take."""
    return store.row("SELECT * FROM takes WHERE account = ? AND id = ?", account, take)


def same_take(
    store: Store, account: str, *, voice: str, text: str, transport: str, language: str | None
) -> sqlite3.Row | None:
    """Find the newest whole take of the same words in the same way."""
    return store.row(
        "SELECT * FROM takes WHERE account = ? AND voice = ? AND text = ? AND transport = ? AND language IS ? "
        "AND complete ORDER BY made_at DESC, id LIMIT 1",
        *(account, voice, text, transport, language),
    )


def read_take(store: Store, row: sqlite3.Row) -> Speech:
    """Make a take a speech again, with the very samples that were heard.

    Raises
    ------
    LibraryError
        If its sound is gone or changed.
    """
    try:
        with wave.open(io.BytesIO(read_sound(store.folder, row["sound"]))) as file:
            sample_rate, data = file.getframerate(), file.readframes(file.getnframes())
    except (wave.Error, EOFError):
        raise LibraryError(f"The sound of {row['id']} is no WAV file.", remedy="import it from an export") from None
    return Speech(
        np.frombuffer(data, "<i2").astype(np.float32) / np.float32(32768),
        sample_rate,
        text=row["text"],
        voice=row["voice"],
        target_model=row["target_model"],
        transport=row["transport"],
        language=row["language"],
        first_audio_delay=row["first_audio_delay"],
        characters=row["characters"],
        cost=row["cost"],
        request_ids=tuple(json.loads(row["request_ids"])),
        arrivals=tuple((float(at), float(seconds)) for at, seconds in json.loads(row["arrivals"])),
        take=row["id"],
        consent=_consent(store, row["account"], row["voice"]),
        practice=_practice(store, row["account"]),
    )


def _practice(store: Store, account: str) -> bool:
    row = store.row("SELECT region FROM accounts WHERE id = ?", account)
    return row is not None and row["region"] == "practice"


def _consent(store: Store, account: str, voice: str) -> str:
    row = store.row("SELECT consent FROM voices WHERE account = ? AND voice = ?", account, voice)
    return str(row["consent"] or "") if row else ""
