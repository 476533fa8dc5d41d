"""What to do next about a creation: decided from what is on record and what the list shows, and nothing else.

The service knows no key that would make a second request harmless, so ours travels in the one field that comes back:
the name on the wire ends in letters that follow from the request, and a voice that bears it was made by this request.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from vcnb.library.intents import Intent
from vcnb.protocol.voice import Voice, preferred_name_of

__all__ = [
    "Adopt",
    "Ask",
    "Begin",
    "Choose",
    "Look",
    "Post",
    "Seen",
    "Step",
    "Wanted",
    "begin",
    "next_step",
    "same",
    "wanted_of",
]

NAME_KEPT, KEY_KEPT = 9, 6  # ours: with "_" between them the 16 characters that the service takes
DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
COUNTERS = 16  # ours: how many voices of one request are looked for where nothing is on record


@dataclass(frozen=True)
class Wanted:
    """A voice that somebody asks for; with the same key it is the same request.

    Parameters
    ----------
    account : str
        Where it shall live.
    target_model, name, clip_sha256, transcript, language, consent, exact, clip
        See `Intent`.
    besides : frozenset of str
        Voices of this request that exist and are other ones.
    """

    account: str
    target_model: str
    name: str
    clip_sha256: str
    transcript: str | None
    language: str | None
    consent: str
    exact: bool = False
    clip: str | None = None
    besides: frozenset[str] = frozenset()

    def key(self, counter: int) -> str:
        """Digest what makes a request the same one, as hexadecimal digits; nothing of the account is in it."""
        # An exact name cannot hold the letters of the key: it is another request than the one that can.
        parts = [self.target_model, self.name, self.clip_sha256, self.transcript, self.language, counter]
        return hashlib.sha256(json.dumps([*parts, "exact"] if self.exact else parts).encode()).hexdigest()

    def preferred_name(self, counter: int) -> str:
        """Write the name on the wire."""
        if self.exact:
            return self.name
        number = int(self.key(counter), 16)
        letters = "".join(DIGITS[number // 36**place % 36] for place in range(KEY_KEPT))
        return f"{self.name[:NAME_KEPT]}_{letters}"


@dataclass(frozen=True)
class Seen:
    """What the list showed.

    Parameters
    ----------
    voices : sequence of Voice
        All voices of the account.
    began : float
        When it was asked for, by the clock that is never set (s).
    """

    voices: Sequence[Voice]
    began: float

    def bearing(self, preferred_name: str, target_model: str, *, exact: bool) -> list[Voice]:
        """Find the voices with a name and model, the earliest first."""
        found = [voice for voice in self.voices if _bears(voice, preferred_name, target_model, exact)]
        return sorted(found, key=lambda voice: (voice.created_at is None, voice.created_at, voice.voice))


@dataclass(frozen=True)
class Begin:
    """How a request begins.

    Parameters
    ----------
    intent : Intent or None
        The one that is on record and goes on, or is done; None: a new one.
    counter : int
        Of the new one.
    voice : Voice or None
        What the new one has become already, since the list shows it.
    gone : tuple of str
        Voices on record that no longer exist.
    """

    intent: Intent | None
    counter: int = 0
    voice: Voice | None = None
    gone: tuple[str, ...] = ()


@dataclass(frozen=True)
class Look:
    """Read the list, now or in a while."""


@dataclass(frozen=True)
class Post:
    """Send the creation: nothing of it is there, and nothing can come any more."""


@dataclass(frozen=True)
class Adopt:
    """Take this voice: it is the one; `others` bear the same key and are left alone."""

    voice: Voice
    others: tuple[Voice, ...] = ()


@dataclass(frozen=True)
class Choose:
    """Ask a person which of these it is."""

    candidates: tuple[Voice, ...]


@dataclass(frozen=True)
class Ask:
    """Ask a person whether to send it again: nothing of it is there, and nothing can come any more."""


Step = Look | Post | Adopt | Choose | Ask


def begin(wanted: Wanted, rows: Sequence[Intent], seen: Seen, *, again: bool, fresh: Callable[[Intent], bool]) -> Begin:
    """Decide how a request begins.

    Parameters
    ----------
    wanted : Wanted
        What is asked for.
    rows : sequence of Intent
        All intents of this request, in the order of their counters.
    seen : Seen
        What the list showed.
    again : bool
        Whether another voice is wanted besides those that exist.
    fresh : callable
        Says of a finished intent that the list may not show its voice yet.
    """
    for row in rows:
        if row.state in ("planned", "posted"):
            return Begin(row)  # also for `again`: one that is under way is the other one
    listed = {voice.voice for voice in seen.voices}
    done = [row for row in rows if row.state == "done"]
    there = [row for row in done if row.voice in listed or fresh(row)]
    gone = tuple(row.voice for row in done if row not in there and row.voice)
    here = [row for row in there if row.voice not in wanted.besides]
    if here and not again:
        return Begin(here[-1], gone=gone)
    used = {row.counter for row in rows if row.state in ("done", "gone")}
    found: dict[int, Voice] = {}
    if not wanted.exact:
        for counter in set(range(max(used, default=-1) + 1 + COUNTERS)) - used:
            bearing = seen.bearing(wanted.preferred_name(counter), wanted.target_model, exact=False)
            if any(voice.voice in wanted.besides for voice in bearing):
                used.add(counter)
            elif bearing:
                found[counter] = bearing[0]
    if found and not again:
        return Begin(None, max(found), found[max(found)], gone)
    return Begin(None, max(used | set(found), default=-1) + 1, None, gone)


def next_step(
    intent: Intent,
    seen: Seen | None,
    *,
    quiet_at: float,
    may_repeat: bool,
    taken: Collection[str] = (),
    rivals: bool = False,
) -> Step:
    """Decide what to do about an intent that is ours.

    Parameters
    ----------
    intent : Intent
        Planned or posted.
    seen : Seen or None
        What the list showed since it is ours; None: nothing yet.
    quiet_at : float
        From when on nothing can come any more of what was sent, by the clock of `Seen.began` (s).
    may_repeat : bool
        Whether it may be sent again after that.
    taken : collection of str
        Voices that other intents have become.
    rivals : bool
        Whether another intent of the same exact name waits for its voice, too.
    """
    if seen is None:
        return Look()
    if intent.state == "posted" or not intent.exact:
        found = same(intent, seen, taken)
        if found and intent.exact and (len(found) > 1 or rivals):
            return Choose(tuple(found))
        if found:
            return Adopt(found[0], tuple(found[1:]))
    if intent.state == "planned":
        return Post()
    if seen.began <= quiet_at:
        return Look()
    return Post() if may_repeat else Ask()


def same(intent: Intent, seen: Seen, taken: Collection[str] = ()) -> list[Voice]:
    """Find the voices that an intent may have become, the earliest first.

    Parameters
    ----------
    intent, seen, taken
        See `next_step`.
    """
    bearing = seen.bearing(intent.preferred_name, intent.target_model, exact=intent.exact)
    return [voice for voice in bearing if voice.voice not in intent.known and voice.voice not in taken]


def wanted_of(intent: Intent) -> Wanted:
    """Give back what an intent was written down for; a counter is found again by `begin`."""
    words = (intent.name, intent.clip_sha256, intent.transcript, intent.language, intent.consent)
    return Wanted(intent.account, intent.target_model, *words, intent.exact, intent.clip)


def _bears(voice: Voice, preferred_name: str, target_model: str, exact: bool) -> bool:
    if voice.target_model not in ("", target_model):
        return False
    inside = preferred_name_of(voice.voice)
    if exact:
        return preferred_name == inside if inside else preferred_name in re.split(r"[^A-Za-z0-9_]+", voice.voice)
    # Nobody says that the id keeps case and underscores, or its form: what is overlooked here is paid for twice.
    wanted = _squeezed(preferred_name)
    return wanted == _squeezed(inside) if inside else wanted in _squeezed(voice.voice)


def _squeezed(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())
