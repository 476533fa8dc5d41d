"""Commands about voices: enroll, voices, delete and speak."""

from __future__ import annotations

import re
import sys
import unicodedata
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .diagnosing import read
from .ending import UnreadableError
from .options import BaseUrl, Data, Json, Region, connected
from .output import document, result, say, table

if TYPE_CHECKING:
    from vcnb.audio.clip import Speech

__all__ = ["delete", "enroll", "safe_file", "speak", "voices"]

MODEL_HELP = "A model that will speak with it, else the one over HTTP; may be repeated: one voice, one price each."
RETRY_HELP = "Send once more what was sent before, if nothing came of it; the price of one."
# Windows gives these no file, whatever their ending.
RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)")


def enroll(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A recording, or an https address of one.")],
    name: Annotated[str, typer.Option(help="1 to 16 letters, digits or underscores.")],
    consent: Annotated[
        str | None, typer.Option(help="Who agreed, and on what ground. Asked for on a terminal.")
    ] = None,
    model: Annotated[list[str] | None, typer.Option(metavar="NAME", help=MODEL_HELP)] = None,
    transcript: Annotated[str | None, typer.Option(help="What is said in the recording.")] = None,
    language: Annotated[str | None, typer.Option(help="Two-letter code of the recording.")] = None,
    again: Annotated[bool, typer.Option("--again", help="Make another one besides the voice that exists.")] = False,
    retry: Annotated[bool, typer.Option("--retry", help=RETRY_HELP)] = False,
    exact_name: Annotated[bool, typer.Option("--exact-name", help="Send the name letter for letter.")] = False,
    json: Json = False,
    region: Region = None,
    base_url: BaseUrl = None,
    data: Data = None,
) -> None:
    """Make a voice from a recording, once: asked for again, the same request gives the voice that exists."""
    from vcnb.workflow.account import DEFAULT_MODEL
    from vcnb.workflow.enrollment import check_models
    from vcnb.workflow.remote import is_url
    from vcnb.workflow.voices import told

    if consent is None and sys.stdin.isatty():
        consent = typer.prompt("Who agreed that this voice is cloned, and on what ground?", err=True)
    models = check_models(model or DEFAULT_MODEL)
    clip = file if is_url(file) else read(file)
    with connected(region, base_url, data) as account:
        for each in models:  # one after the other, so that each is told as soon as it is paid
            voice = account.enroll(
                clip,
                preferred_name=name,
                consent=consent or "",
                target_model=each,
                transcript=transcript,
                language=language,
                again=again,
                retry=retry,
                exact_name=exact_name,
                progress=_teller(),
            )
            if json:
                document({**told(account, voice), "fallback_reason": voice.fallback_reason})
            else:
                result(f"{voice.voice} for {voice.target_model}")


def voices(
    deleted: Annotated[bool, typer.Option("--deleted", help="Also those that are only here.")] = False,
    json: Json = False,
    region: Region = None,
    base_url: BaseUrl = None,
    data: Data = None,
) -> None:
    """List the account's voices, with what the library knows of them."""
    from vcnb.workflow.voices import HERE, plain

    with connected(region, base_url, data) as account:
        found = account.voices()
        rows = [each for each in plain(found) if deleted or each["state"] != HERE]
        if json:
            for each in rows:
                document(each)
            return
        shown = ("voice", "name", "label", "target_model", "language", "created_at", "takes", "cost", "state")
        table(shown, [[_short(each[name]) for name in shown] for each in rows], fold=False)
        say(found.quota())


def delete(
    voice: Annotated[list[str], typer.Argument(metavar="VOICE...", help="Ids of voices.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    json: Json = False,
    region: Region = None,
    base_url: BaseUrl = None,
    data: Data = None,
) -> None:
    """Delete voices at the service; what they were made from stays in the library."""
    from vcnb.errors import SettingsError

    with connected(region, base_url, data) as account:
        if not yes and account.region != "practice":
            if not sys.stdin.isatty():
                raise SettingsError(
                    f"{len(set(voice))} voice(s) would be deleted.", remedy="add --yes; nothing was deleted"
                )
            typer.confirm(f"Delete {', '.join(voice)}?", abort=True, err=True)
        for gone in dict.fromkeys(voice):
            account.delete(gone)
            if json:
                document({"voice": gone, "deleted": True})
            else:
                result(f"deleted {gone}")


def speak(
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What to say.")],
    voice: Annotated[str, typer.Option(help="Id of a voice.")],
    stream: Annotated[bool, typer.Option("--stream", help="Receive it as it is spoken.")] = False,
    out: Annotated[
        str | None, typer.Option(metavar="FILE.wav", help="Where to write; else named after the text.")
    ] = None,
    language: Annotated[str | None, typer.Option(help="Two-letter code of the text.")] = None,
    json: Json = False,
    region: Region = None,
    base_url: BaseUrl = None,
    data: Data = None,
) -> None:
    """Make a voice speak, into a WAV file."""
    from vcnb.audio.encode import save
    from vcnb.errors import ClipError

    target = _target(out, text)
    with connected(region, base_url, data) as account:
        if stream:
            with account.stream(text, voice=voice, language=language) as pieces:
                for number, piece in enumerate(pieces, 1):
                    say(f"piece {number}: {piece.duration:.2f} s")
                speech = pieces.speech
        else:
            say("speaking")
            speech = account.speak(text, voice=voice, language=language)
    try:
        save(speech, target)
    except ClipError as error:
        raise UnreadableError(error.message, remedy=error.remedy) from None
    if json:
        document({"file": str(target), **_facts(speech)})
    else:
        result(f"{target}: {speech.duration:.2f} s, {speech.characters} characters, ${speech.cost:.4f}")


def safe_file(text: str) -> str:
    """Make a file name out of a text, one that every system takes.

    Parameters
    ----------
    text : str
        What is spoken.

    Returns
    -------
    str
        Without an ending.
    """
    words = re.sub(r"[^\w]+", "-", unicodedata.normalize("NFKC", text)).strip("-_").lower()
    cut = words.encode("utf-8", "ignore")[:60].decode("utf-8", "ignore").rstrip("-")
    return "speech" if not cut or RESERVED.fullmatch(cut) else cut


def _target(out: str | None, text: str) -> Path:
    """Decide where to write, before anything is spoken and paid."""
    if out is None:
        name = safe_file(text)
        numbered = (Path(f"{name}{f'-{number}' if number > 1 else ''}.wav") for number in range(1, 10_000))
        return next((path for path in numbered if not path.exists()), Path(f"{name}.wav"))
    path = Path(out)
    if path.suffix.lower() not in (".wav", ".wave"):
        raise UnreadableError(f"{out}: only WAV is written here.", remedy="let the name end in .wav")
    if not path.absolute().parent.is_dir() or path.is_dir():
        raise UnreadableError(f"{out}: there is no such folder to write to.", remedy="make the folder first")
    return path


def _short(value: Any) -> Any:
    """Write a time as the clock on the wall here shows it, and a cost as one."""
    if isinstance(value, float):
        return f"${value:.4f}"
    return f"{value.astimezone():%Y-%m-%d %H:%M}" if isinstance(value, datetime) else value


def _facts(speech: Speech) -> dict[str, Any]:
    names = ("voice", "text", "target_model", "transport", "language", "duration", "sample_rate")
    counted = ("first_audio_delay", "characters", "cost", "request_ids")
    return {name: getattr(speech, name) for name in (*names, *counted)}


def _teller() -> Any:
    told: set[str] = set()

    def tell(step: str, _share: float | None) -> None:
        if step not in told and step != "done":
            told.add(step)
            say(step)

    return tell
