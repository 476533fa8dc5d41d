"""What an account does to get a voice: enroll, and find out what became of a request whose answer was lost."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from vcnb.catalog import MEDIA_TYPES, PRICE_PER_CREATION
from vcnb.client.enrollment import EnrollmentClient
from vcnb.errors import CancelledError, LibraryError, OutcomeUnknownError, SettingsError, VcnbError
from vcnb.library.clips import keep_clip
from vcnb.library.intents import Intent, Intents
from vcnb.library.money import book
from vcnb.library.sounds import read_sound
from vcnb.library.store import FILE_NAME, Store
from vcnb.library.voices import keep_voice
from vcnb.protocol.enrollment import data_uri
from vcnb.protocol.voice import Voice

from .connection import Connection
from .creation import Creation, Progress
from .enrollment import Request, prepare
from .holdings import Holdings
from .intending import Wanted, wanted_of
from .money import Purse
from .sending import Manner
from .till import Till
from .voices import voice_of

__all__ = ["DEFAULT_MODEL", "Enrolling"]

DEFAULT_MODEL = "qwen3-tts-vc-2026-01-22"  # contract: the model over HTTP

log = logging.getLogger("vcnb")


class Enrolling(Holdings):
    """The part of :class:`vcnb.Account` that makes voices; parameters as there."""

    def __init__(self, connection: Connection, purse: Purse, *, notes: Sequence[str] = ()) -> None:
        super().__init__(connection, purse, notes=notes)
        self._counted: set[str] = set()  # intents whose money the purse has counted
        self._closing = threading.Event()
        self._taking_up: threading.Thread | None = None

    def enroll(
        self,
        clip: Any,
        *,
        preferred_name: str,
        consent: str = "",
        target_model: str | Sequence[str] = DEFAULT_MODEL,
        transcript: str | None = None,
        language: str | None = None,
        again: bool = False,
        retry: bool = False,
        exact_name: bool = False,
        progress: Progress | None = None,
        cancel: threading.Event | None = None,
    ) -> Any:
        """Make a voice from a recording, exactly once; each model is one creation and one price.

        The same recording, model, name, transcript and language asked for again gives the voice that exists, and
        nothing is billed. What became of a request whose answer was lost is looked for in the list; meanwhile
        `progress` is told until when.

        Parameters
        ----------
        clip : Clip, path, bytes, file object, (samples, sample_rate) or https URL
            The recording. What was not edited is sent byte for byte; an edited clip as 16-bit WAV; a URL as it is. The
            same address counts as the same recording.
        preferred_name : str
            1 to 16 letters, digits or underscores: ``Voice.name``. Its first nine and six that follow from the request
            become part of the voice's id, ``Voice.preferred_name``.
        consent : str
            Who agreed that this voice is cloned, and on what ground. Kept with the voice, never sent.
        target_model : str or sequence of str
            The model or models that will speak with it, bound for life.
        transcript : str, optional
            What is said in the recording.
        language : str, optional
            Two-letter code. Not given, it is not sent, and `progress` and the log say so.
        again : bool
            Make another voice besides the one that exists.
        retry : bool
            Send once more what was sent before, if nothing came of it; the practice service is asked again without it.
        exact_name : bool
            Send the whole name letter for letter. Then a voice whose answer was lost is told only by being new in the
            list, and a person may have to say which it is: see `settle`.
        progress : callable, optional
            Called with a sentence and a share (0…1) or None; an `Unsure` while nobody knows.
        cancel : threading.Event, optional
            Looked at before each request; one that is on its way is waited for, since it may be billed.

        Returns
        -------
        Voice or dict
            For a sequence of models: model -> Voice.

        Raises
        ------
        ConsentMissingError, SettingsError, SpendLimitError
            Before any request.
        ClipError
            If the recording cannot be read or fails a hard rule; before any request.
        LibraryError
            If it cannot be written down what is asked for; before it is sent.
        CancelledError
            If it was stopped between requests.
        ServiceError
            If the service refuses; nothing was made or billed.
        ServiceUnreachableError
            If nothing was sent.
        OutcomeUnknownError
            If the answer was lost and the list does not tell either; ``.intent`` and ``.candidates`` go to `settle`.
        """
        request = prepare(
            self.settings,
            clip,
            preferred_name=preferred_name,
            consent=consent,
            target_model=target_model,
            transcript=transcript,
            language=language,
            progress=progress,
        )
        options: dict[str, Any] = {"exact": exact_name, "again": again, "retry": retry}
        made = self._make_all(request, **options, progress=progress, cancel=cancel)
        return made[target_model] if isinstance(target_model, str) else made

    def unsettled(self) -> list[Intent]:
        """List the enrollments that were sent and of which nobody knows yet what became of them.

        Returns
        -------
        list of Intent
            The oldest first; `settle` takes each.

        Raises
        ------
        LibraryError, SettingsError, ServiceError, ServiceUnreachableError
            As `voices`.
        """
        return Intents(self._shelf.store).unsettled(self._shelf.account())

    def left_open(self) -> list[Intent]:
        """List the same as far as it is known here without asking the service whose account this is.

        Returns
        -------
        list of Intent
            The oldest first.
        """
        if not (self.settings.data / FILE_NAME).is_file():
            return []
        place = self._shelf.place
        lost = Intents(self._shelf.store).unsettled_at(place.region, place.workspace)
        # Each folder of a practice service is an account, and which one this is costs nothing to know.
        ours = self._shelf.account() if lost and self.region == "practice" else None
        return [intent for intent in lost if ours in (None, intent.account)]

    def settle(
        self,
        intent: Intent | str,
        *,
        voice: Any = None,
        retry: bool = False,
        progress: Progress | None = None,
        cancel: threading.Event | None = None,
    ) -> Voice:
        """Find out what became of an enrollment, or say it.

        Parameters
        ----------
        intent : Intent or str
            One of `unsettled`, ``error.intent``, or its id.
        voice : Voice, id or row of `voices`, optional
            The voice that it became, where only a person can tell.
        retry : bool
            Send it once more, from what is kept here, if nothing came of it: the price of one creation.
        progress : callable, optional
            As in `enroll`.
        cancel : threading.Event, optional
            As in `enroll`.

        Returns
        -------
        Voice

        Raises
        ------
        SettingsError
            If there is no such enrollment, or the voice is not one that it can have become.
        VcnbError
            As `enroll`.
        """
        found = self._found(intent)
        creation = self._creation(progress, cancel)
        if voice is not None:
            chosen = self._chosen(found, voice_of(voice, region=self.region))
            made = creation.settle(found, choice=chosen)
        elif retry and found.state == "posted":
            made = self._retried(found, creation)
        else:
            made = creation.settle(found)
        self._known[made.voice] = made
        return made

    def give_up(self, intent: Intent | str) -> None:
        """Let an enrollment be of which nothing came; asked for again it is a new one.

        Parameters
        ----------
        intent : Intent or str
            As in `settle`.

        Raises
        ------
        SettingsError
            If something may still come of it, or something has.
        LibraryError
            If it cannot be written down.
        """
        found = self._found(intent)
        self._creation(None, None).give_up(found)
        self._book(found, "", 0.0)

    def take_up(self) -> None:
        """Look, beside everything else, for what became of enrollments whose answers were lost; `notes` say so."""
        with contextlib.suppress(VcnbError):  # said as soon as the library or the service is needed
            lost = self.left_open()
            if lost:
                names = ", ".join(dict.fromkeys(intent.name for intent in lost))
                said = f"The answer to an earlier enrollment got lost; {names} may exist. It is looked for now."
                self._notes += (f"{said} You cannot be charged twice; see account.unsettled().",)
                self._taking_up = threading.Thread(target=self._settle_all, name="vcnb-settling", daemon=True)
                self._taking_up.start()

    def close(self) -> None:
        """Let go of the practice service, which ends with its last user."""
        self._closing.set()
        if self._taking_up is not None:
            self._taking_up.join(5)
        super().close()

    def _settle_all(self) -> None:
        try:
            for intent in self.unsettled():
                with contextlib.suppress(OutcomeUnknownError):  # a person has to say; it stays in the list
                    self._creation(None, self._closing).settle(intent)
        except VcnbError as error:
            log.info("an earlier enrollment cannot be looked for: %s", error.message)

    @property
    def _price(self) -> float:
        return 0.0 if self.region == "practice" else PRICE_PER_CREATION

    def _make_all(
        self,
        request: Request,
        *,
        exact: bool = False,
        again: bool = False,
        retry: bool = False,
        progress: Progress | None,
        cancel: threading.Event | None,
        besides: frozenset[str] = frozenset(),
    ) -> dict[str, Voice]:
        store, made = self._shelf.store, dict[str, Voice]()
        words = (request.name, request.clip_sha256, request.transcript, request.language, request.consent, exact)
        asked = [Wanted("", model, *words, besides=besides) for model in request.models]
        new = [each for each in asked if again or not Intents(store).knows(each.key(0))]
        till = Till(self._purse, self._price, len(new), self._counted)
        try:
            kept, account = _kept(store, request), self._shelf.account()
            for each in asked:
                if cancel is not None and cancel.is_set():
                    raise CancelledError("Enrollment was stopped; no request was under way.", remedy="enroll again")
                say = _at(len(made) / len(asked), progress)
                say(f"making the voice for {each.target_model}", None)
                wanted = replace(each, account=account, clip=kept)
                creation = self._creation(say, cancel)
                made[each.target_model] = creation.make(wanted, request.audio, till.pay, again=again, retry=retry)
        except VcnbError as error:
            self._book_unsure(error)
            if made:
                named = ", ".join(f"{voice.voice} for {model}" for model, voice in made.items())
                error.remedy = f"{error.remedy}; made before and kept: {named}"
            raise
        finally:
            till.close()
        if progress is not None:
            progress("done", 1.0)
        self._known |= {voice.voice: voice for voice in made.values()}
        return made

    def _creation(self, progress: Progress | None, cancel: threading.Event | None) -> Creation:
        client, manner = EnrollmentClient(self.settings), Manner.of(self.region)
        intents = Intents(self._shelf.store)
        return Creation(intents, client, manner, keep=self._keep, progress=progress, cancel=cancel)

    def _keep(self, voice: Voice, intent: Intent) -> None:
        """Write a voice into the library, in the transaction that ends its intent."""
        words = {"clip": intent.clip, "consent": intent.consent, "transcript": intent.transcript}
        keep_voice(self._shelf.store, intent.account, voice, **words)  # type: ignore[arg-type]
        if intent.attempt:
            self._book(intent, voice.voice, self._price)

    def _book(self, intent: Intent, voice: str, cost: float, *, certain: bool = True) -> None:
        book(self._shelf.store, intent.account, intent.id, purpose="creation", voice=voice, cost=cost, certain=certain)

    def _book_unsure(self, error: VcnbError) -> None:
        intent = error.intent if isinstance(error, OutcomeUnknownError) else None
        if isinstance(intent, Intent):
            with contextlib.suppress(LibraryError), self._shelf.store.transaction():
                found = Intents(self._shelf.store).find(intent.id)
                if found is not None and found.state == "posted":  # somebody else may have found the voice meanwhile
                    self._book(intent, "", self._price, certain=False)

    def _found(self, intent: Intent | str) -> Intent:
        named = intent.id if isinstance(intent, Intent) else str(intent)
        found = Intents(self._shelf.store).find(named)
        if found is None or found.account != self._shelf.account():
            raise SettingsError(f"There is no enrollment {named!r} here.", remedy="use one of account.unsettled()")
        return found

    def _chosen(self, intent: Intent, named: Voice) -> Voice:
        listed = next((each for each in self.list_voices() if each.voice == named.voice), None)
        others = {each.voice for each in Intents(self._shelf.store).namesakes(intent)}
        if listed is None or listed.target_model not in ("", intent.target_model) or listed.voice in others:
            raise SettingsError(
                f"{named.voice} is not what the enrollment of {intent.name!r} for {intent.target_model} became.",
                remedy="choose one of error.candidates, or a row of account.voices() for that model",
            )
        return listed

    def _retried(self, intent: Intent, creation: Creation) -> Voice:
        """Send an intent once more, from what is kept here."""
        row = self._shelf.store.row("SELECT * FROM clips WHERE id = ?", intent.clip)
        if row is None or not (row["url"] or row["sound"]):
            raise LibraryError(
                f"The recording of {intent.name!r} is not kept here.", remedy="enroll it again with retry=True"
            )
        audio = row["url"] or data_uri(
            read_sound(self._shelf.store.folder, row["sound"]), MEDIA_TYPES[row["container"]]
        )
        till = Till(self._purse, self._price, 0, self._counted)
        try:
            return creation.make(wanted_of(intent), audio, till.pay, retry=True)
        except VcnbError as error:
            self._book_unsure(error)
            raise
        finally:
            till.close()


def _kept(store: Store, request: Request) -> str:
    """Keep the recording before anything is made of it."""
    clip = request.clip
    before = clip.original or clip if clip is not None and clip.edits else None
    return keep_clip(
        store,
        request.source,
        url=request.source.url if request.source is not None else request.audio,
        name=clip.name if clip is not None else "",
        edits=clip.edits if clip is not None else (),
        original=before.source if before is not None else None,
        verdict=request.report.verdict,
        diagnosis=request.report.to_dict(),
    )


def _at(share: float, progress: Progress | None) -> Progress:
    """Tell each step with the share of the whole that is done."""
    return (lambda step, _share: progress(step, share)) if progress is not None else (lambda _step, _share: None)
