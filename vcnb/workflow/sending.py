"""How the one request that makes a voice is sent: by an owner that shows life, and notes when the last byte left."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from vcnb.client.call import Call
from vcnb.client.enrollment import UPLOAD_SPEED
from vcnb.errors import LibraryError
from vcnb.library.intents import Intent, Intents
from vcnb.protocol.voice import Voice

from .clock import Clock

__all__ = ["Manner", "SETTLE", "Sending", "Service"]

SETTLE = 120.0  # seconds; ours: how long the hosted service may work on what was sent is not documented


class Service(Protocol):
    """What is needed here of a client; see `EnrollmentClient`."""

    settle: float | None

    def list_voices(self) -> list[Voice]:
        """Read the whole list."""

    def create(
        self,
        *,
        target_model: str,
        preferred_name: str,
        audio: str,
        text: str | None = None,
        language: str | None = None,
        under_way: Callable[[Call], None] | None = None,
    ) -> Voice:
        """Make a voice, by exactly one request."""


@dataclass(frozen=True)
class Manner:
    """How patient one is, and what the machine may do by itself.

    Parameters
    ----------
    automatic : bool
        Whether it may send again what has settled without a voice: only where that costs nothing.
    settle : float
        Seconds after which nothing can come any more of what was sent; a practice service announces its own.
    lease : float
        Seconds without a sign of life after which an owner is taken for dead; it gives three in that time.
    pause : float
        Seconds between two readings of the list, at most.
    """

    automatic: bool
    settle: float = SETTLE
    lease: float = 15.0  # ours: a kernel that is busy with a cell is slow, and seldom for longer
    pause: float = 10.0  # ours

    @classmethod
    def of(cls, region: str) -> Manner:
        """Choose it for a region."""
        return cls(True, lease=3.0, pause=1.0) if region == "practice" else cls(False)


class Sending:
    """One request, for an intent that is posted.

    Parameters
    ----------
    intents : Intents
        Where the intent stands.
    intent : Intent
        Posted, and ours.
    manner : Manner
        How patient one is.
    clock : Clock
        What time it is.
    """

    def __init__(self, intents: Intents, intent: Intent, manner: Manner, clock: Clock) -> None:
        self._intents, self._manner, self._clock = intents, manner, clock
        self._call: Call | None = None
        self._lost = threading.Event()
        self._sent: float | None = None
        self._leaves = 0.0
        self.intent = intent

    def send(self, service: Service, audio: str) -> Voice:
        """Send it, and stop it where the intent is no longer ours.

        Parameters
        ----------
        service : Service
            To whom.
        audio : str
            A data URI or a public URL.

        Raises
        ------
        VcnbError
            What the client says.
        """
        intent, every = self.intent, self._manner.lease / 3
        # What was handed to the system may still be on its way out, at the slowest line that the deadline is made for.
        self._leaves = len(audio) / UPLOAD_SPEED
        with self._clock.beating(self._beat, every=every, patience=2 * every, lost=self._stop):
            return service.create(
                target_model=intent.target_model,
                preferred_name=intent.preferred_name,
                audio=audio,
                text=intent.transcript,
                language=intent.language,
                under_way=self._begin,
            )

    def lost(self) -> float:
        """Note that no answer comes any more; tell when the last byte left (s, by the clock that is never set)."""
        if self._sent is None:
            self._note_sent(0.0)
        return self._clock.monotonic() if self._sent is None else self._sent

    def _begin(self, call: Call) -> None:
        self._call = call
        # The time that the practice service announces begins with the loss of the line.
        if not self._manner.automatic:
            call.on_sent = lambda: self._note_sent(self._leaves)
        # A process that was stopped between its intent and its request finds it in other hands when it goes on.
        if self._lost.is_set() or not self._beat():
            call.stop()

    def _note_sent(self, leaves: float) -> None:
        now = self._clock.stamp()
        self._sent = self._clock.monotonic() + leaves
        self.intent = replace(self.intent, sent_at=now.at + leaves, sent_clock=now.clock)
        with contextlib.suppress(LibraryError):  # then it counts from when somebody takes it over
            self._intents.write(self.intent)

    def _beat(self) -> bool:
        return self._intents.show_life(self.intent, self._clock.stamp())

    def _stop(self) -> None:
        self._lost.set()
        if self._call is not None:
            self._call.stop()
