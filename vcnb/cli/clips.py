"""Commands about recordings: diagnose and repair. They need no service and no key."""

from __future__ import annotations

import os
from typing import Annotated, Any

import typer

from .diagnosing import judge_files, read
from .ending import UnreadableError
from .options import BaseUrl, Data, Json, Region
from .output import document, result, say, table

__all__ = ["diagnose", "repair"]


def diagnose(
    files: Annotated[
        list[str], typer.Argument(metavar="FILE...", help="Recordings, folders or patterns like '*.wav'.")
    ],
    language: Annotated[str | None, typer.Option(help="Two-letter code of what is spoken.")] = None,
    transcript: Annotated[str | None, typer.Option(help="What is spoken.")] = None,
    report: Annotated[str | None, typer.Option(metavar="OUT.html", help="Write a report with pictures.")] = None,
    json: Json = False,
    region: Region = None,
    base_url: BaseUrl = None,
    data: Data = None,
) -> int:
    """Say whether recordings meet the service's rules. Exit status 0 pass, 1 warn, 2 fail, 3 cannot read."""
    return judge_files(files, language=language, transcript=transcript, report=report, json=json, data=data)


def repair(
    source: Annotated[str, typer.Argument(metavar="IN", help="A recording.")],
    target: Annotated[str, typer.Argument(metavar="OUT", help="A WAV file to write.")],
    json: Json = False,
    region: Region = None,
    base_url: BaseUrl = None,
    data: Data = None,
) -> int:
    """Mend what can be mended, and say what cannot. The copy is mono, 24 kHz or more, WAV 16-bit, 10 to 20 s."""
    from vcnb.audio.encode import save
    from vcnb.errors import ClipError, SettingsError
    from vcnb.repair.repair import mend

    clip = read(source)
    if os.path.exists(target) and os.path.samefile(source, target):
        raise SettingsError(f"{target} would be written over itself.", remedy="give the copy another name")
    mended = mend(clip)
    try:
        save(mended.clip, target)
    except ClipError as error:
        raise UnreadableError(error.message, remedy=error.remedy) from None
    better = mended.clip
    for sentence in mended.refused:
        say(sentence)
    for finding in mended.left:
        refused = finding.hard and finding.verdict == "fail"
        say(f"{'The service would still refuse it' if refused else 'This cannot be mended'}: {finding.message}")
    edits: list[dict[str, Any]] = [
        {"name": edit.name, "reason": edit.reason, "change": edit.change} for edit in better.edits
    ]
    if json:
        alike = None if mended.similarity != mended.similarity else round(mended.similarity, 4)
        proof = {"similarity": alike, "verdict": mended.after.verdict, "left": [each.check for each in mended.left]}
        facts = {"duration": better.duration, "sample_rate": better.sample_rate}
        document({"file": target, "source": source, **facts, "edits": edits, **proof})
        return 0
    result(f"{target}: {better.duration:.2f} s at {better.sample_rate} Hz")
    if edits:
        table(("edit", "why", "change"), [tuple(edit.values()) for edit in edits])
    else:
        say("There was nothing that could be mended; the copy holds the same sound.")
    return 0
