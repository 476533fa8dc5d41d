"""What a creation would send: a recording and its words, checked before anything is sent."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from vcnb.audio.clip import Clip, Source
from vcnb.audio.encode import outgoing
from vcnb.audio.load import load
from vcnb.catalog import MEDIA_TYPES, MODELS
from vcnb.diagnose.report import Report, diagnose, undecided
from vcnb.errors import ClipError, ConsentMissingError, SettingsError
from vcnb.protocol.enrollment import data_uri
from vcnb.protocol.voice import check_preferred_name
from vcnb.settings import Settings

from .creation import Progress
from .languages import check_language
from .remote import check_url, fetch, is_url

__all__ = ["Progress", "Request", "check_models", "prepare"]

log = logging.getLogger("vcnb")


@dataclass(frozen=True)
class Request:
    """What a creation would send, checked.

    Parameters
    ----------
    audio : str
        A data URI or a public URL.
    clip_sha256 : str
        Of the bytes that are sent; of the address, where it is one: the same address is the same recording.
    clip : Clip or None
        The recording; None where a URL could not be fetched from here.
    source : Source or None
        What is sent, or lies at the address.
    report : Report
        The diagnosis; every check is "unknown" where a URL could not be fetched from here.
    name, consent : str
        As given.
    models : tuple of str
        One creation each.
    transcript, language : str or None
        Sent only where given.
    notes : tuple of str
        What a person should know, in sentences.
    """

    audio: str = field(repr=False)
    clip_sha256: str
    clip: Clip | None
    source: Source | None = field(repr=False)
    report: Report
    name: str
    consent: str
    models: tuple[str, ...]
    transcript: str | None
    language: str | None
    notes: tuple[str, ...]


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
    found: Clip | None = None
    if is_url(clip):
        audio = check_url(clip, settings)
        try:
            found = fetch(audio, settings)
        except OSError as error:
            report = undecided(audio, f"The recording could not be fetched from here: {error}.")
            notes.append(report.findings[0].message + " Every check is unknown; the service may still fetch it.")
    else:
        audio, found = "", load(clip)
    source: Source | None = None
    if found is not None:
        report, source = _judged(found, language, spoken), outgoing(found)
        audio = source.url or data_uri(source.data, MEDIA_TYPES[source.container])
    sha256 = source.sha256 if source is not None and not source.url else hashlib.sha256(audio.encode()).hexdigest()
    for note in notes:
        log.log(logging.WARNING if progress is None else logging.INFO, note)
        if progress is not None:
            progress(note, 0.0)
    agreed = consent.strip()
    return Request(audio, sha256, found, source, report, preferred_name, agreed, models, spoken, language, tuple(notes))


def check_models(target_model: str | Sequence[str]) -> tuple[str, ...]:
    """Refuse a model that no voice can be made for; name each once."""
    several = isinstance(target_model, Iterable) and not isinstance(target_model, str)
    wanted: tuple[Any, ...] = tuple(target_model) if several else (target_model,)
    strange = [each for each in wanted if not isinstance(each, str) or each not in MODELS]
    if strange or not wanted:
        named = f"{strange[0]!r} is no model for cloned voices." if strange else "No model was named."
        raise SettingsError(named, remedy=f"use one or more of {', '.join(MODELS)}")
    return tuple(dict.fromkeys(wanted))


def _judged(clip: Clip, language: str | None, transcript: str | None) -> Report:
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
    return report
