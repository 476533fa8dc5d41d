"""How a voice is made exactly once, whatever breaks: lost answers, crashes, two notebooks at once.

The list is read first. An intent is on the disk before the one request that makes the voice. What became of a request
whose answer was lost is found out by reading the list, never by asking again, until nothing can come of it any more.
Nothing is ever deleted here: a voice that looks like a second one may be somebody's.
"""

from __future__ import annotations

import contextlib
import logging
import math
import secrets
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace

from vcnb.errors import (
    CancelledError,
    LibraryError,
    OutcomeUnknownError,
    RateLimitedError,
    ServiceError,
    ServiceUnreachableError,
    SettingsError,
    VcnbError,
)
from vcnb.library.intents import Intent, Intents
from vcnb.protocol.voice import Voice

from .clock import SLACK, Clock, elapsed
from .holding import Holder, LostError
from .intending import Adopt, Ask, Begin, Look, Post, Seen, Step, Wanted, begin, next_step
from .money import Ticket
from .sending import Manner, Sending, Service
from .unsure import Unsure, question, unknown

__all__ = ["Creation", "Pay", "Progress"]

PATIENCE = 60.0  # seconds; ours: how long a list that cannot be read is tried beyond that
REPEATS = 8  # ours: how often the practice service is asked again by the machine

Progress = Callable[[str, float | None], None]
Pay = Callable[[Intent], Ticket]
log = logging.getLogger("vcnb")


class Creation:
    """One voice that is asked for, from its intent to its id.

    Parameters
    ----------
    intents : Intents
        Where it is written down.
    service : Service
        Who makes it.
    manner : Manner
        How patient one is.
    keep : callable, optional
        Writes the voice into the library, in the same transaction that ends its intent.
    clock : Clock, optional
        Another one, for tests.
    progress : callable, optional
        Called with a sentence and None; an `Unsure` while nobody knows.
    cancel : threading.Event, optional
        Stops waiting; a request that is on its way is waited for.
    """

    def __init__(
        self,
        intents: Intents,
        service: Service,
        manner: Manner,
        *,
        keep: Callable[[Voice, Intent], None] | None = None,
        clock: Clock | None = None,
        progress: Progress | None = None,
        cancel: threading.Event | None = None,
    ) -> None:
        self._intents, self._service, self._manner = intents, service, manner
        self._keep = keep or (lambda _voice, _intent: None)
        self._clock = clock or Clock()
        self._say = progress or (lambda _step, _share: None)
        self._cancel = cancel or threading.Event()
        self._holder = Holder(intents, self._clock, manner.lease)
        self._repeats = REPEATS if manner.automatic else 0
        self._quiet_at = math.inf  # from then on nothing can come any more of what was sent
        self._why = "it was interrupted"

    def make(self, wanted: Wanted, audio: str, pay: Pay, *, again: bool = False, retry: bool = False) -> Voice:
        """Give the voice, making it where it is not there.

        Parameters
        ----------
        wanted : Wanted
            What is asked for.
        audio : str
            A data URI or a public URL.
        pay : callable
            Sets the money for one request aside.
        again : bool
            Whether another one is wanted besides those that exist.
        retry : bool
            Whether one that was sent before, and of which nothing came, is sent once more.

        Raises
        ------
        ServiceUnreachableError, ServiceError
            If nothing was made.
        OutcomeUnknownError
            If nobody knows, or nothing came of it and a person must say what to do.
        CancelledError
            If it was stopped while nothing was under way.
        LibraryError
            If it cannot be written down; then nothing is sent.
        """
        while True:
            seen = self._look()
            intent = self._begin(wanted, seen, again=again)
            if intent.state == "done":
                self._say(f"{intent.name} exists already as {intent.voice}: nothing is sent or billed", None)
                return self._voice_of(intent, seen)
            again = False  # what is open now is the other one
            if retry and intent.state == "posted":
                self._repeats, retry = self._repeats + 1, False
            with contextlib.suppress(LostError), self._held(intent) as held:
                # What was seen while somebody else could send says nothing.
                ours = intent.owner == self._holder.name
                return self._follow(held if ours else self._taken_over(held), seen if ours else None, audio, pay)

    def settle(self, intent: Intent, *, choice: Voice | None = None) -> Voice:
        """Find out what became of an intent that was sent, without sending anything.

        Parameters
        ----------
        intent : Intent
            It was posted.
        choice : Voice, optional
            The voice that it became, as a person says.

        Raises
        ------
        VcnbError
            As `make`.
        """
        self._repeats = 0
        while (found := self._intents.find(intent.id) or intent).state == "posted":
            with contextlib.suppress(LostError), self._held(found) as held:
                return self._done(held, choice) if choice is not None else self._follow(self._taken_over(held), None)
        if found.state == "done":
            return self._voice_of(found, None)
        raise ServiceError(
            f"Nothing was made of the enrollment of {found.name!r}: {found.error or 'it was given up'}.",
            remedy="enroll again",
        )

    def give_up(self, intent: Intent) -> None:
        """End an intent of which nothing came.

        Parameters
        ----------
        intent : Intent
            As it was read.

        Raises
        ------
        SettingsError
            If something may still come of it, or it has ended, or somebody works on it.
        LibraryError
            If it cannot be written down.
        """
        now, me = self._clock.stamp(), self._holder.name
        if intent.state not in ("planned", "posted"):
            raise SettingsError(f"The enrollment of {intent.name!r} has ended.", remedy="leave it as it is")
        if intent.state == "posted" and intent.settled_at is None:
            raise SettingsError(
                f"A voice may still come of the enrollment of {intent.name!r}.",
                remedy="account.settle(...) first; you cannot be charged twice",
            )
        if intent.owner or not self._intents.hold(intent, me, now):
            raise SettingsError(f"{intent.name!r} is being enrolled from elsewhere.", remedy="wait for that")
        self._intents.write(replace(intent, owner=me, state="abandoned"))

    def _look(self) -> Seen:
        began = self._clock.monotonic()
        return Seen(self._service.list_voices(), began)

    @property
    def _settle(self) -> float:
        return self._manner.settle if self._service.settle is None else self._service.settle

    def _begin(self, wanted: Wanted, seen: Seen, *, again: bool) -> Intent:
        """Find the request on record, or write it down as ours."""
        with self._intents.store.transaction():
            rows = self._intents.of_request(wanted.account, wanted.key(0))
            found = begin(wanted, rows, seen, again=again, fresh=lambda row: self._may_be_missing(row, seen))
            for voice in found.gone:
                self._intents.end(wanted.account, voice)
            if found.intent is not None:
                return found.intent
            intent = self._new(wanted, found)
            self._intents.add(intent)
            if found.voice is not None:
                self._keep(_named(found.voice, intent), intent)
        return intent

    def _new(self, wanted: Wanted, found: Begin) -> Intent:
        now = self._clock.stamp()
        intent = Intent(
            id=secrets.token_hex(8),
            account=wanted.account,
            key=wanted.key(found.counter),
            base=wanted.key(0),
            counter=found.counter,
            target_model=wanted.target_model,
            name=wanted.name,
            preferred_name=wanted.preferred_name(found.counter),
            exact=wanted.exact,
            clip_sha256=wanted.clip_sha256,
            clip=wanted.clip,
            transcript=wanted.transcript,
            language=wanted.language,
            consent=wanted.consent,
            created_at=now.at,
            owner=self._holder.name,
            beat_at=now.at,
            beat_clock=now.clock,
        )
        if found.voice is None:
            return intent
        return replace(intent, state="done", voice=found.voice.voice, done_at=now.at, done_clock=now.clock)

    def _may_be_missing(self, row: Intent, seen: Seen) -> bool:
        """Say whether a list may not show the voice of a finished intent, since it is so new."""
        age = elapsed(row.done, self._clock.stamp()) if row.done else None
        return age is None or age - (self._clock.monotonic() - seen.began) <= self._settle

    def _taken_over(self, intent: Intent) -> Intent:
        """Find out from when on nothing can come any more of what the owner before sent."""
        if intent.state == "planned":
            return intent
        now, here = self._clock.stamp(), self._clock.monotonic()
        passed = elapsed(intent.sent, now) if intent.sent else None
        if intent.settled_at is not None:
            self._quiet_at = -math.inf
        elif passed is not None:
            self._quiet_at = here + self._settle + SLACK - passed
        else:
            # A dead owner sends nothing more, and one that lives sees with its next beat that it owns it no longer.
            margin = self._manner.lease / 3
            self._quiet_at = here + self._settle + margin
            intent = self._write(replace(intent, sent_at=now.at + margin, sent_clock=now.clock))
        return intent

    def _follow(self, intent: Intent, seen: Seen | None, audio: str = "", pay: Pay | None = None) -> Voice:
        """Take an intent that is ours to its end."""
        pause = self._manner.pause / 16
        while True:
            step = self._next(intent, seen)
            if isinstance(step, Look):
                seen, pause = self._look_again(intent, pause), min(pause * 1.6, self._manner.pause)
            elif isinstance(step, Adopt):
                for other in step.others:
                    log.warning("%r was made by the same request as %r", other.voice, step.voice.voice)
                return self._done(intent, step.voice)
            elif isinstance(step, Post) and pay is not None and seen is not None:
                intent, voice = self._post(intent, seen, audio, pay)
                if voice is not None:
                    return self._done(intent, voice)
                seen, pause = None, self._manner.pause / 16
            else:
                raise self._asked(intent, step)

    def _next(self, intent: Intent, seen: Seen | None) -> Step:
        others = self._intents.namesakes(intent) if seen is not None else []
        return next_step(
            intent,
            seen,
            quiet_at=self._quiet_at,
            may_repeat=self._repeats > 0,
            taken={other.voice for other in others if other.voice},
            rivals=any(other.state == "posted" for other in others),
        )

    def _look_again(self, intent: Intent, pause: float) -> Seen | None:
        """Read the list, after a pause where something may still come; None where it cannot be read."""
        if intent.state == "planned":
            return self._look()
        if self._cancel.is_set():
            raise unknown(intent, "looking for it was stopped", "enroll again: it is looked for before anything")
        left = max(0.0, self._quiet_at - self._clock.monotonic())
        if left:
            self._say(Unsure(intent.name, self._clock.stamp().at + left, self._manner.pause), None)
            self._clock.wait(min(pause, left + 0.01), self._cancel)
        if not self._intents.show_life(intent, self._clock.stamp()):
            raise LostError
        try:
            return self._look()
        except VcnbError as error:
            if self._clock.monotonic() > self._quiet_at + PATIENCE:
                why = f"{self._why}, and the list cannot be read ({error.message})"
                raise unknown(intent, why, "enroll again later: it is looked for before anything") from None
            self._clock.wait(pause, self._cancel)
            return None

    def _post(self, intent: Intent, seen: Seen, audio: str, pay: Pay) -> tuple[Intent, Voice | None]:
        """Send the one request; give the voice, or None where nobody knows."""
        if self._cancel.is_set():
            raise CancelledError("Enrollment was stopped; no request was under way.", remedy="enroll again")
        self._say(f"{intent.name} is called {intent.preferred_name} at the service", None)
        ticket = pay(intent)
        known = seen.bearing(intent.preferred_name, intent.target_model, exact=True) if intent.exact else []
        if intent.state == "posted":
            self._repeats -= 1
        else:
            intent = replace(intent, known=tuple(voice.voice for voice in known))
        posted = replace(
            intent,
            state="posted",
            attempt=intent.attempt + 1,
            posted_at=self._clock.stamp().at,
            sent_at=None,
            sent_clock=None,
            settled_at=None,
            error=None,
        )
        sending = Sending(self._intents, self._write(posted), self._manner, self._clock)
        try:
            with ticket:
                return sending.intent, sending.send(self._service, audio)
        except OutcomeUnknownError as error:
            self._why = error.message
            self._quiet_at = sending.lost() + self._settle
            return sending.intent, None
        except (RateLimitedError, ServiceUnreachableError) as error:
            self._note(replace(sending.intent, state="planned", error=error.message))
            raise
        except ServiceError as error:
            self._note(replace(sending.intent, state="failed", error=error.message))
            raise
        except KeyboardInterrupt:
            sending.lost()
            raise

    def _done(self, intent: Intent, voice: Voice) -> Voice:
        """End an intent with its voice. That a disk is full does not take away a voice that is paid."""
        now, made = self._clock.stamp(), _named(voice, intent)
        done = replace(intent, state="done", voice=voice.voice, done_at=now.at, done_clock=now.clock, error=None)
        try:
            with self._intents.store.transaction():
                self._write(done)
                self._keep(made, done)
        except LibraryError as error:
            log.warning("%r was made and could not be written down: %s", voice.voice, error.message)
            self._say(f"{voice.voice} was made and could not be written down: {error.message}", None)
        return made

    def _voice_of(self, intent: Intent, seen: Seen | None) -> Voice:
        """Give the voice of a finished intent, as the list shows it where it does."""
        listed = (voice for voice in (seen.voices if seen else ()) if voice.voice == intent.voice)
        known = Voice(intent.voice or "", intent.target_model, intent.preferred_name)
        return _named(next(listed, known), intent)

    def _asked(self, intent: Intent, step: Step) -> OutcomeUnknownError:
        now = self._clock.stamp().at
        if isinstance(step, Ask):
            self._note(intent := replace(intent, settled_at=now))
        return question(intent, step, self._why, now)

    def _held(self, intent: Intent) -> AbstractContextManager[Intent]:
        return self._holder.held(intent, say=lambda step: self._say(step, None), cancel=self._cancel)

    def _write(self, intent: Intent) -> Intent:
        if not self._intents.write(intent):
            raise LostError
        return intent

    def _note(self, intent: Intent) -> None:
        """Write down what helps and is not needed: without it one waits longer."""
        with contextlib.suppress(LibraryError):
            self._intents.write(intent)


def _named(voice: Voice, intent: Intent) -> Voice:
    return replace(
        voice,
        name=intent.name,
        consent=intent.consent,
        preferred_name=voice.preferred_name or intent.preferred_name,
        target_model=voice.target_model or intent.target_model,
        language=voice.language or intent.language,
    )
