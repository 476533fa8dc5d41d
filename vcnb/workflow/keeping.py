"""How what was spoken gets into the library, without ever standing between a person and the sound that was paid."""

from __future__ import annotations

import logging
import secrets
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from vcnb.audio.clip import Clip, Speech
from vcnb.catalog import SPEECH_SAMPLE_RATE
from vcnb.client.text import count_characters
from vcnb.errors import VcnbError
from vcnb.library.money import book
from vcnb.library.takes import keep_take, note_heard, read_take, same_take
from vcnb.protocol.voice import Voice

from .shelf import Shelf

__all__ = ["Keeper", "Replay"]

log = logging.getLogger("vcnb")


class Keeper:
    """Keeps one speech, whole or what there is of it, once.

    Parameters
    ----------
    shelf : Shelf
        Where to.
    account : str
        Who pays.
    voice : Voice
        Who speaks.
    transport : str
        How.
    language : str or None
        Of the text.
    text : str
        What; a conversation adds to it.
    """

    def __init__(
        self, shelf: Shelf, account: str, *, voice: Voice, transport: str, language: str | None, text: str = ""
    ) -> None:
        self._shelf, self._account, self._voice = shelf, account, voice
        self._transport, self._language, self.text = transport, language, text
        self._pieces: list[Clip] = []
        self._kept: Speech | None = None
        self._heard: Mapping[str, float | None] | None = None
        self._take = ""
        self._ended = False

    def add(self, piece: Clip) -> None:
        """Remember a piece that was handed out, for the case that no more comes."""
        self._pieces.append(piece)

    def whole(self, speech: Speech) -> Speech:
        """Keep a speech that came to its end.

        Returns
        -------
        Speech
            With the id of its take; as it was where it could not be kept, which is logged.
        """
        if self._kept is None:
            # The name on the wire ends in letters that tell nobody anything.
            named = replace(speech, name=self._voice.name) if self._voice.name else speech
            self._kept, self._ended = named, True
            self._kept = self._try(named, complete=True)
        return self._kept

    def broken(self, cost: float, received: Any = None) -> None:
        """Keep what arrived of a speech that did not come to its end, and what it may have cost (US dollars)."""
        if self._ended:
            return
        self._ended = True
        sound = [received] if isinstance(received, Clip) else self._pieces
        if not sound and not cost:
            return
        samples = np.concatenate([piece.samples for piece in sound]) if sound else np.zeros(0, np.float32)
        rate = sound[0].sample_rate if sound else SPEECH_SAMPLE_RATE
        speech = Speech(
            samples,
            rate,
            text=self.text,
            voice=self._voice.voice,
            target_model=self._voice.target_model,
            transport=self._transport,
            language=self._language,
            characters=count_characters(self.text),
            cost=cost,
        )
        self._try(speech, complete=False)

    def heard(self, figures: Mapping[str, float | None]) -> None:
        """Keep how it was heard in a browser, once it is kept itself; the two end in either order."""
        self._heard = figures
        self._note()

    def again(self) -> Speech | None:
        """Read the newest whole take of the same words, voice, transport and language, where there is one."""
        found = same_take(
            self._shelf.store,
            self._account,
            voice=self._voice.voice,
            text=self.text,
            transport=self._transport,
            language=self._language,
        )
        try:
            return read_take(self._shelf.store, found) if found is not None else None
        except VcnbError as error:
            log.warning("A kept take cannot be used again: %s", error.message)
            return None

    def _try(self, speech: Speech, *, complete: bool) -> Speech:
        try:
            if len(speech.samples):
                kept = keep_take(self._shelf.store, self._account, speech, complete=complete)
                self._take = kept.take
                self._note()
                return kept
            self._book(speech)
        except (VcnbError, sqlite3.Error, OSError, ValueError) as error:
            # The sound is paid: whatever the disk does, it is handed out.
            reason = getattr(error, "message", None) or str(error)
            log.warning("The speech could not be kept in the library: %s It is still yours: vcnb.save it.", reason)
        return speech

    def _note(self) -> None:
        if self._take and self._heard is not None:
            try:
                note_heard(self._shelf.store, self._account, self._take, self._heard)
            except (VcnbError, sqlite3.Error) as error:
                log.warning("How a take was heard could not be kept: %s", getattr(error, "message", None) or str(error))

    def _book(self, speech: Speech) -> None:
        book(
            self._shelf.store,
            self._account,
            "lost-" + secrets.token_hex(6),
            purpose="speech",
            voice=speech.voice,
            cost=speech.cost,
            characters=speech.characters,
            certain=False,
        )


class Replay(Iterator[Clip]):
    """A take as if it were spoken once more: the same pieces, at once, and nothing is sent.

    Parameters
    ----------
    speech : Speech
        The take.
    """

    def __init__(self, speech: Speech) -> None:
        self.speech = speech
        self._pieces = iter(_cut(speech))

    def __next__(self) -> Clip:
        return next(self._pieces)

    def cancel(self) -> None:
        """End it."""
        self._pieces = iter(())

    def __enter__(self) -> Replay:
        return self

    def __exit__(self, *_: object) -> None:
        self.cancel()


def _cut(speech: Speech) -> Sequence[Clip]:
    sizes = [round(seconds * speech.sample_rate) for _, seconds in speech.arrivals]
    if sum(sizes) != len(speech.samples):
        return [replace(Clip(speech.samples, speech.sample_rate))]
    ends = np.cumsum(sizes)[:-1]
    return [Clip(piece, speech.sample_rate) for piece in np.split(speech.samples, ends)]
