"""What is known about each voice: what it was made from, by whose consent, its user's words, and what became of it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from vcnb.audio.clip import Clip
from vcnb.audio.load import read_clip
from vcnb.errors import LibraryError
from vcnb.protocol.voice import Voice

from .clips import keep_consent
from .sounds import read_sound
from .store import Store, moment

__all__ = ["describe", "keep_voice", "known", "mark_deleted", "mark_restored", "others", "overview", "recording", "see"]

SCHEMA = """
CREATE TABLE voices(
    account TEXT NOT NULL, voice TEXT NOT NULL, target_model TEXT NOT NULL, name TEXT NOT NULL,
    preferred_name TEXT NOT NULL, language TEXT, transcript TEXT, clip TEXT, consent TEXT,
    label TEXT NOT NULL DEFAULT '', note TEXT NOT NULL DEFAULT '', created_at TEXT, made_here_at TEXT,
    last_used_at TEXT, deleted_at TEXT, forgotten_at TEXT, restored_as TEXT, PRIMARY KEY(account, voice)) STRICT;
CREATE INDEX by_clip ON voices(clip);
"""
# Ours: the service does not say how long its list may show what is deleted; as long as it may work on a creation.
BEHIND = timedelta(seconds=120)
_OVERVIEW = """
SELECT voices.*, clips.name AS clip_name, clips.sound, clips.url, clips.verdict, consents.statement, consents.agreed_at,
    coalesce(spoken.takes, 0) AS takes, spoken.last_take, coalesce(paid.cost, 0.0) AS cost
FROM voices
LEFT JOIN clips ON clips.id = voices.clip
LEFT JOIN consents ON consents.id = voices.consent
LEFT JOIN (SELECT voice, count(*) AS takes, max(made_at || ' ' || id) AS last_take FROM takes WHERE account = :account
           GROUP BY voice) AS spoken ON spoken.voice = voices.voice
LEFT JOIN (SELECT voice, sum(cost) AS cost FROM money WHERE account = :account
           GROUP BY voice) AS paid ON paid.voice = voices.voice
WHERE voices.account = :account
"""


def see(store: Store, account: str, voices: Iterable[Voice]) -> None:
    """Remember what the service lists, so that the account is known by it again; what is known stays.

    A voice that was deleted just now stays deleted: the list may be behind.

    Parameters
    ----------
    store : Store
        The library.
    account : str
        Whose list it is.
    voices : iterable of Voice
        The list.
    """
    here = {row["voice"]: row for row in store.rows("SELECT * FROM voices WHERE account = ?", account)}
    late = moment(datetime.now(UTC) - BEHIND)
    new = [voice for voice in voices if voice.voice not in here]
    back = [voice for voice in voices if voice.voice in here and _differs(here[voice.voice], voice, late)]
    if not new and not back:
        return
    with store.transaction() as db:
        db.executemany(
            "INSERT OR IGNORE INTO voices(account, voice, target_model, name, preferred_name, language, created_at) "
            "VALUES(?, ?, ?, '', ?, ?, ?)",
            [(account, v.voice, v.target_model, v.preferred_name, v.language, _written(v.created_at)) for v in new],
        )
        db.executemany(
            "UPDATE voices SET deleted_at = iif(deleted_at < ?, NULL, deleted_at), "
            "created_at = coalesce(?, created_at), language = coalesce(language, ?) WHERE account = ? AND voice = ?",
            [(late, _written(v.created_at), v.language, account, v.voice) for v in back],
        )


def keep_voice(
    store: Store, account: str, voice: Voice, *, clip: str | None, consent: str, transcript: str | None = None
) -> Voice:
    """Keep a voice that was made here, with all that the service forgets.

    Parameters
    ----------
    store : Store
        The library.
    account : str
        Where it lives.
    voice : Voice
        As the service answered; `name` as it was typed.
    clip : str or None
        What `keep_clip` gave.
    consent : str
        Who agreed and on what ground.
    transcript : str, optional
        As it was sent.

    Returns
    -------
    Voice
        The same.
    """
    values = {
        "account": account, "voice": voice.voice, "target_model": voice.target_model,
        "name": voice.name or voice.preferred_name, "preferred_name": voice.preferred_name,
        "language": voice.language, "transcript": transcript, "clip": clip,
        "created_at": _written(voice.created_at) or moment(), "made_here_at": moment(),
    }  # fmt: skip
    with store.transaction() as db:
        values["consent"] = keep_consent(store, clip or "", consent) if consent else None
        db.execute(
            f"INSERT INTO voices({', '.join(values)}) VALUES(:{', :'.join(values)}) "
            f"ON CONFLICT DO UPDATE SET {', '.join(f'{n} = coalesce({_newer(n)})' for n in values)}",
            values,
        )
    return voice


def known(store: Store, account: str, voice: str) -> sqlite3.Row | None:
    """Read what is known about one voice: the columns of its row, its clip, consent, takes and cost."""
    return store.row(_OVERVIEW + "AND voices.voice = :voice", {"account": account, "voice": voice})


def recording(store: Store, account: str | None, voice: str) -> Clip:
    """Read the recording that a voice was made from.

    Parameters
    ----------
    store : Store
        The library.
    account : str or None
        Whose voice; None for whoever has one of this id.
    voice : str
        Its id.

    Returns
    -------
    Clip
        As it was read again from the bytes that were sent.

    Raises
    ------
    LibraryError
        If it is not kept here.
    """
    if account is None:
        owner = store.row("SELECT account FROM voices WHERE voice = ?", voice)
        account = str(owner["account"]) if owner is not None else ""
    row = known(store, account, voice)
    if row is None or not row["sound"]:
        raise LibraryError(
            f"The recording that {voice} was made from is not kept here.",
            remedy="enroll the recording itself, if you have it",
        )
    return read_clip(read_sound(store.folder, row["sound"]), name=row["clip_name"])


def overview(store: Store, account: str) -> dict[str, sqlite3.Row]:
    """Read what is known about all voices of an account; rows as in `known`."""
    return {row["voice"]: row for row in store.rows(_OVERVIEW, {"account": account})}


def describe(store: Store, account: str, voice: str, *, label: str | None = None, note: str | None = None) -> None:
    """Write the user's own words about a voice; what is None stays.

    Raises
    ------
    LibraryError
        If the voice is not known here.
    """
    with store.transaction() as db:
        done = db.execute(
            "UPDATE voices SET label = coalesce(?, label), note = coalesce(?, note) WHERE account = ? AND voice = ?",
            (label, note, account, voice),
        )
        if done.rowcount != 1:
            raise LibraryError(f"The library knows no voice {voice!r}.", remedy="choose one of account.voices()")


def mark_deleted(store: Store, account: str, voice: str) -> None:
    """Note that a voice is gone at the service; what it was made from stays."""
    with store.transaction() as db:
        db.execute(
            "UPDATE voices SET deleted_at = coalesce(deleted_at, ?) WHERE account = ? AND voice = ?",
            (moment(), account, voice),
        )


def others(store: Store, account: str, voice: str) -> frozenset[str]:
    """List what a deleted voice cannot have come back as: voices that were there before, or replace another one."""
    query = (
        "SELECT new.voice FROM voices AS old JOIN voices AS new ON new.account = old.account "
        "WHERE old.account = :account AND old.voice = :voice AND old.restored_as IS NOT new.voice "
        "AND (new.made_here_at < old.deleted_at OR EXISTS "
        "(SELECT 1 FROM voices WHERE account = :account AND restored_as = new.voice))"
    )
    return frozenset(row["voice"] for row in store.rows(query, {"account": account, "voice": voice}))


def mark_restored(store: Store, account: str, voice: str, new: str) -> None:
    """Note which voice took the place of a deleted one; it inherits its label and note, where it has none."""
    with store.transaction() as db:
        old = (account, voice)
        db.execute("UPDATE voices SET restored_as = ? WHERE account = ? AND voice = ?", (new, *old))
        db.execute(
            "UPDATE voices SET (name, label, note) = (SELECT old.name, coalesce(nullif(voices.label, ''), old.label), "
            "coalesce(nullif(voices.note, ''), old.note) FROM voices AS old WHERE account = ? AND voice = ?) "
            "WHERE account = ? AND voice = ?",
            (*old, account, new),
        )


def _newer(column: str) -> str:
    """Say what counts where a voice is kept again: the newest, but for when it was made."""
    first = column in ("made_here_at", "created_at")
    return f"{column}, excluded.{column}" if first else f"excluded.{column}, {column}"


def _differs(row: sqlite3.Row, voice: Voice, late: str) -> bool:
    written = _written(voice.created_at)
    return (row["deleted_at"] or late) < late or (written is not None and row["created_at"] != written)


def _written(at: datetime | None) -> str | None:
    return moment(at) if at is not None else None
