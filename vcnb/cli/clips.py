"""Commands about recordings: diagnose and repair. They need no service and no key."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated

import typer

from .ending import UnreadableError
from .options import BaseUrl, Data, Json, Region, read
from .output import document, result, say, table

if TYPE_CHECKING:
    from vcnb.diagnose.report import Report

__all__ = ["diagnose", "repair"]

# Contract: the exit status of a diagnosis is its verdict; 3 is for what cannot be read.
VERDICTS = {"pass": 0, "warn": 1, "fail": 2}
UNREADABLE = 3


def diagnose(
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help="Recordings.")],
    language: Annotated[str | None, typer.Option(help="Two-letter code of what is spoken.")] = None,
    transcript: Annotated[str | None, typer.Option(help="What is spoken.")] = None,
    json: Json = False,
    region: Region = None,
    base_url: BaseUrl = None,
    data: Data = None,
) -> int:
    """Say whether recordings meet the service's rules. Exit status 0 pass, 1 warn, 2 fail, 3 cannot read."""
    from vcnb.diagnose.report import diagnose as judge
    from vcnb.diagnose.report import unreadable
    from vcnb.workflow.enrollment import check_language

    check_language(language)
    worst = 0
    for file in files:
        try:
            report = judge(read(file), language=language, transcript=transcript)
            status = VERDICTS[report.verdict]
        except UnreadableError as error:
            report, status = unreadable(file, error), UNREADABLE
        worst = max(worst, status)
        if json:
            document({**report.to_dict(), "file": file})
        else:
            _show(file, report)
    return worst


def repair(
    source: Annotated[str, typer.Argument(metavar="IN", help="A recording.")],
    target: Annotated[str, typer.Argument(metavar="OUT", help="A WAV file to write.")],
    json: Json = False,
    region: Region = None,
    base_url: BaseUrl = None,
    data: Data = None,
) -> int:
    """Mend what can be mended in a recording. The copy is mono, 24 kHz or more, WAV 16-bit, at most 60 s."""
    from vcnb.audio.encode import save
    from vcnb.diagnose.report import diagnose as judge
    from vcnb.errors import ClipError, SettingsError
    from vcnb.repair.repair import repair as mend

    better = mend(read(source))
    if os.path.exists(target) and os.path.samefile(source, target):
        raise SettingsError(f"{target} would be written over itself.", remedy="give the copy another name")
    try:
        save(better, target)
    except ClipError as error:
        raise UnreadableError(error.message, remedy=error.remedy) from None
    for finding in judge(better).hard_failures:
        say(f"The service would still refuse it: {finding.message}")
    edits = [{"name": edit.name, "reason": edit.reason, "change": edit.change} for edit in better.edits]
    if json:
        facts = {"duration": better.duration, "sample_rate": better.sample_rate}
        document({"file": target, "source": source, **facts, "edits": edits})
        return 0
    result(f"{target}: {better.duration:.2f} s at {better.sample_rate} Hz")
    if edits:
        table(("edit", "why", "change"), [tuple(edit.values()) for edit in edits])
    else:
        say("There was nothing that could be mended; the copy holds the same sound.")
    return 0


def _show(file: str, report: Report) -> None:
    rows = []
    for finding in report.findings:
        value = "" if finding.value is None else f"{finding.value} {finding.unit}".strip()
        said = finding.advice or finding.message
        if finding.advice and not value:  # the message alone says what was found
            said = f"{finding.message} Try: {finding.advice}"
        rows.append((finding.verdict, finding.check, value, finding.required, said))
    table(("", "check", "value", "wanted", ""), rows, title=f"{file}: {report.verdict}")
