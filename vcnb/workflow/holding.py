"""Who works on an intent: one owner at a time, whose silence, and nothing else, sets it free."""

from __future__ import annotations

import contextlib
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from vcnb.errors import CancelledError, LibraryError
from vcnb.library.intents import Intent, Intents

from .clock import Clock, elapsed

__all__ = ["Holder", "LostError"]


class LostError(Exception):
    """Somebody else owns the intent, or it has ended."""


class Holder:
    """An owner of intents.

    Parameters
    ----------
    intents : Intents
        Where they stand.
    clock : Clock
        What time it is.
    lease : float
        Seconds without a sign of life after which another owner is taken for dead.
    """

    def __init__(self, intents: Intents, clock: Clock, lease: float) -> None:
        self._intents, self._clock, self._lease = intents, clock, lease
        self.name = secrets.token_hex(8)

    @contextmanager
    def held(self, intent: Intent, *, say: Callable[[str], None], cancel: threading.Event) -> Iterator[Intent]:
        """Own an intent: wait until nobody else does, and let it go at the end.

        Parameters
        ----------
        intent : Intent
            Open, or thought to be.
        say : callable
            Told why it takes time.
        cancel : threading.Event
            Ends the waiting.

        Yields
        ------
        Intent
            As it stands now.

        Raises
        ------
        LostError
            If it has ended.
        CancelledError
            If the waiting was ended.
        """
        ours = intent if intent.owner == self.name else self._taken(intent, say, cancel)
        try:
            yield ours
        finally:
            with contextlib.suppress(LibraryError):  # then our silence says it
                self._intents.let_go(ours)

    def _taken(self, intent: Intent, say: Callable[[str], None], cancel: threading.Event) -> Intent:
        seen_at, beat = self._clock.monotonic(), intent.beat_at
        while True:
            found = self._intents.find(intent.id)
            if found is None or found.state not in ("planned", "posted"):
                raise LostError
            if found.beat_at != beat:
                seen_at, beat = self._clock.monotonic(), found.beat_at
            if self._free(found, self._clock.monotonic() - seen_at):
                now = self._clock.stamp()
                if self._intents.hold(found, self.name, now):
                    return replace(found, owner=self.name, beat_at=now.at, beat_clock=now.clock)
                continue
            if cancel.is_set():
                raise CancelledError("Waiting was stopped; the voice is made from elsewhere.", remedy="enroll again")
            say(f"{found.name} is being made from elsewhere; waiting for it")
            self._clock.wait(self._lease / 6, cancel)

    def _free(self, intent: Intent, watched: float) -> bool:
        # By its stamp where that can be trusted, else by watching it: a clock that was set kills no owner.
        silent = elapsed(intent.beat, self._clock.stamp())
        return not intent.owner or watched > self._lease or (silent is not None and silent > self._lease)
