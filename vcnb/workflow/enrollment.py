"""How a recording becomes a voice: everything is checked before anything is sent, then each creation is sent once."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from vcnb.audio.clip import Clip
from vcnb.audio.encode import outgoing
from vcnb.audio.load import load
from vcnb.catalog import LANGUAGES, MEDIA_TYPES, MODELS, PRICE_PER_CREATION
from vcnb.client.enrollment import EnrollmentClient
from vcnb.diagnose.report import Report, diagnose, undecided
from vcnb.errors import CancelledError, ClipError, ConsentMissingError, SettingsError, VcnbError
from vcnb.protocol.enrollment import data_uri
from vcnb.protocol.voice import Voice, check_preferred_name
from vcnb.settings import Settings

from .money import Purse
from .remote import check_url, fetch, is_url

__all__ = ["Progress", "Request", "check_language", "check_models", "enroll", "prepare"]

Progress = Callable[[str, float | None], None]

log = logging.getLogger("vcnb")


@dataclass(frozen=True)
class Request:
    """What a creation would send, checked.

    Parameters
    ----------
    audio : str
        A data URI or a public URL.
    report : Report
        The diagnosis; every check is "unknown" where a URL could not be fetched from here.
    preferred_name, consent : str
        As given.
    models : tuple of str
        One creation each.
    transcript, language : str or None
        Sent only where given.
    notes : tuple of str
        What a person should know, in sentences.
    """

    audio: str
    report: Report
    preferred_name: str
    consent: str
    models: tuple[str, ...]
    transcript: str | None
    language: str | None
    notes: tuple[str, ...]


def enroll(
    settings: Settings,
    purse: Purse,
    request: Request,
    *,
    progress: Progress | None = None,
    cancel: threading.Event | None = None,
) -> dict[str, Voice]:
    """Make a voice for each model, with one POST each that is never repeated.

    Parameters
    ----------
    settings : Settings
        Where to.
    purse : Purse
        The money for all of them is set aside before the first.
    request : Request
        What `prepare` gave.
    progress : callable, optional
        Called with a sentence and a share of the whole (0…1).
    cancel : threading.Event, optional
        Looked at before each request; one that is on its way is waited for, since it may be billed.

    Returns
    -------
    dict
        Model -> Voice.

    Raises
    ------
    SpendLimitError, CancelledError
        Before a request.
    VcnbError
        What the client says; where voices were made before, the remedy names them.
    """
    price = 0.0 if settings.region == "practice" else PRICE_PER_CREATION
    tickets = purse.reserve(price * len(request.models)).split(len(request.models))
    client = EnrollmentClient(settings)
    made: dict[str, Voice] = {}
    try:
        for model, ticket in zip(request.models, tickets, strict=True):
            if cancel is not None and cancel.is_set():
                raise CancelledError("Enrollment was stopped; no request was under way.", remedy="enroll again")
            if progress is not None:
                progress(f"making the voice for {model}", len(made) / len(request.models))
            with ticket:
                voice = client.create(
                    target_model=model,
                    preferred_name=request.preferred_name,
                    audio=request.audio,
                    text=request.transcript,
                    language=request.language,
                )
            made[model] = replace(voice, consent=request.consent)
    except VcnbError as error:
        if made:
            named = ", ".join(f"{voice.voice} for {model}" for model, voice in made.items())
            error.remedy = f"{error.remedy}; made before and kept: {named}"
        raise
    finally:
        for ticket in tickets:
            ticket.give_back()  # those that were not reached
    if progress is not None:
        progress("done", 1.0)
    return made


def prepare(
    settings: Settings,
    clip: Any,
    *,
    preferred_name: str,
    consent: str,
    target_model: str | Sequence[str],
    transcript: str | None = None,
    language: str | None = None,
    progress: Progress | None = None,
) -> Request:
    """Check everything that can be checked here; send nothing to the service.

    Parameters
    ----------
    settings : Settings
        Whose service it would go to.
    clip : Clip, or anything that `vcnb.load` takes, or a URL
        The recording.
    preferred_name, consent, target_model, transcript, language, progress
        See :meth:`vcnb.Account.enroll`.

    Returns
    -------
    Request

    Raises
    ------
    ConsentMissingError
        If nobody is named who agreed.
    SettingsError
        On a name, model or language that the service does not take.
    ClipError
        If the recording fails a hard rule of the service's page; the message names every one.
    """
    if not isinstance(consent, str) or not consent.strip():
        raise ConsentMissingError(
            "Nobody said that the speaker agreed.",
            remedy='say who agreed and on what ground, as consent="my own voice"',
        )
    if not isinstance(preferred_name, str):
        raise SettingsError(f"The name is no string but {type(preferred_name).__name__}.", remedy="give a str")
    check_preferred_name(preferred_name)
    models = check_models(target_model)
    check_language(language)
    if not isinstance(transcript, str | None):
        raise SettingsError(f"The transcript is no string but {type(transcript).__name__}.", remedy="give a str")
    spoken = transcript.strip() or None if transcript else None
    notes = [] if language else ["No language was given: none is sent, and the service decides."]
    if progress is not None:
        progress("checking the recording", 0.0)
    if is_url(clip):
        audio = check_url(clip, settings)
        try:
            _, report = _judged(fetch(audio, settings), language, spoken)
        except OSError as error:
            report = undecided(audio, f"The recording could not be fetched from here: {error}.")
            notes.append(report.findings[0].message + " Every check is unknown; the service may still fetch it.")
    else:
        audio, report = _judged(load(clip), language, spoken)
    for note in notes:
        log.info(note)
        if progress is not None:
            progress(note, 0.0)
    return Request(audio, report, preferred_name, consent.strip(), models, spoken, language, tuple(notes))


def check_models(target_model: str | Sequence[str]) -> tuple[str, ...]:
    """Refuse a model that no voice can be made for; name each once."""
    several = isinstance(target_model, Iterable) and not isinstance(target_model, str)
    wanted: tuple[Any, ...] = tuple(target_model) if several else (target_model,)
    strange = [each for each in wanted if not isinstance(each, str) or each not in MODELS]
    if strange or not wanted:
        named = f"{strange[0]!r} is no model for cloned voices." if strange else "No model was named."
        raise SettingsError(named, remedy=f"use one or more of {', '.join(MODELS)}")
    return tuple(dict.fromkeys(wanted))


def check_language(language: str | None) -> None:
    """Refuse a language that the service does not have.

    Parameters
    ----------
    language : str or None
        Two-letter code; None is for the service to decide.

    Raises
    ------
    SettingsError
        On any other word.
    """
    if language is not None and not (isinstance(language, str) and language in LANGUAGES):
        raise SettingsError(f"{language!r} is no language of the service.", remedy=f"use one of {', '.join(LANGUAGES)}")


def _judged(clip: Clip, language: str | None, transcript: str | None) -> tuple[str, Report]:
    report = diagnose(clip, language=language, transcript=transcript)
    failures = report.hard_failures
    if failures:
        said = "; ".join(finding.message.rstrip(".") for finding in failures)
        raise ClipError(
            f"The service would refuse {clip.name or 'this recording'}: {said}.",
            remedy="run vcnb.repair on it"
            if all(finding.remedy for finding in failures)
            else "; ".join(finding.advice.rstrip(".") for finding in failures if not finding.remedy),
        )
    source = outgoing(clip)
    if source.url is not None:
        return source.url, report
    return data_uri(source.data, MEDIA_TYPES[source.container]), report
