"""How the shell judges recordings; without typer, which takes as long to load as what a diagnosis needs."""

from __future__ import annotations

import glob
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .ending import UnreadableError
from .output import document, say, table

if TYPE_CHECKING:
    from vcnb.audio.clip import Clip
    from vcnb.diagnose.report import Report

__all__ = ["judge_files", "plainly_asked", "read"]

# Contract: the exit status of a diagnosis is its verdict; 3 is for what cannot be read.
VERDICTS = {"pass": 0, "warn": 1, "fail": 2}
UNREADABLE = 3
FEW = 8  # fewer files than this are judged here; to start workers would take longer
PICTURES = 20  # recordings that the HTML report draws; the rest are tables, or no browser would open it


def plainly_asked(arguments: Sequence[str]) -> tuple[list[str], bool] | None:
    """Understand ``diagnose FILE... [--json]``, which most calls are.

    Parameters
    ----------
    arguments : sequence of str
        Of the shell.

    Returns
    -------
    (list of str, bool) or None
        The files, and whether JSON is wanted; None for all else, which typer understands.
    """
    files = [each for each in arguments[1:] if each != "--json"]
    if list(arguments[:1]) != ["diagnose"] or not files or any(each.startswith("-") for each in files):
        return None
    return files, "--json" in arguments


def judge_files(
    files: Sequence[str],
    *,
    language: str | None = None,
    transcript: str | None = None,
    report: str | None = None,
    json: bool = False,
    data: str | None = None,
) -> int:
    """Judge recordings and print what was found.

    Parameters
    ----------
    files : sequence of str
        Recordings, folders or patterns.
    language, transcript : str or None
        As in `vcnb.diagnose`.
    report : str or None
        HTML file to write.
    json : bool
        Whether to print a document a file instead of tables.
    data : str or None
        Folder of the library.

    Returns
    -------
    int
        Exit status of the worst verdict.

    Raises
    ------
    SettingsError
        If the language is none that the service knows.
    UnreadableError
        If the report cannot be written.
    """
    from vcnb.workflow.languages import check_language

    check_language(language)
    named = list(_named(files))
    reports: list[Report] = []
    status = 0
    for file, judged in _judged(named, language, transcript, data):
        unread = judged.clip is None and len(judged.findings) == 1
        status = max(status, UNREADABLE if unread else VERDICTS[judged.verdict])
        reports.append(judged)
        if json:
            document({**judged.to_dict(), "file": file})
        elif len(named) < FEW:
            _show(file, judged)
    if not json and len(named) >= FEW:
        rows = [(each.verdict, file, _against(each)) for file, each in zip(named, reports, strict=True)]
        table(("", "file", "against it"), rows)
    if report is not None:
        _write_page(report, named, reports)
    return status


def read(path: str) -> Clip:
    """Read a recording.

    Parameters
    ----------
    path : str
        A file.

    Raises
    ------
    UnreadableError
        If that does not work.
    """
    from vcnb.audio.load import load
    from vcnb.errors import ClipError

    try:
        return load(path)
    except ClipError as error:
        raise UnreadableError(error.message, remedy=error.remedy) from None


def _named(given: Sequence[str]) -> Iterator[str]:
    """Open folders and patterns; a name that is neither stays, so that it is said when there is no such file."""
    from vcnb.audio.containers import SUFFIXES

    endings = {ending for known in SUFFIXES.values() for ending in known}
    seen: set[str] = set()
    for name in given:
        if os.path.isdir(name):
            inside = (str(path) for path in sorted(Path(name).rglob("*")) if path.is_file())
            found = [path for path in inside if os.path.splitext(path)[1].lower() in endings] or [name]
        elif not os.path.exists(name) and glob.has_magic(name):
            found = sorted(glob.glob(name, recursive=True)) or [name]
        else:
            found = [name]
        yield from (path for path in found if not (path in seen or seen.add(path)))  # type: ignore[func-returns-value]


def _judged(
    files: list[str], language: str | None, transcript: str | None, data: str | None
) -> Iterator[tuple[str, Report]]:
    """Judge a few files here and many in workers; give the answers in the order of the files."""
    from vcnb.diagnose.report import Report, unreadable
    from vcnb.diagnose.report import diagnose as judge

    if len(files) < FEW:
        for file in files:
            try:
                yield file, judge(read(file), language=language, transcript=transcript)
            except UnreadableError as error:
                yield file, unreadable(file, error)
        return
    from vcnb.settings import data_folder
    from vcnb.workflow.batch import answers

    waiting: dict[str, dict[str, Any]] = {}
    order = iter(files)
    awaited = next(order, None)
    kept = data_folder(data) / "diagnosed.sqlite"
    # A bar is for people: where nobody looks, nothing is told.
    silent = None if sys.stderr.isatty() else (lambda *_: None)
    for file, found in answers(files, language=language, transcript=transcript, manifest=kept, progress=silent):
        waiting[file] = found
        while awaited in waiting:
            yield awaited, Report.from_dict(waiting.pop(awaited))
            awaited = next(order, None)


def _write_page(target: str, files: list[str], reports: list[Report]) -> None:
    from dataclasses import replace

    from vcnb.audio.load import load
    from vcnb.diagnose.page import as_page
    from vcnb.errors import ClipError

    drawn = []
    for at, (file, each) in enumerate(zip(files, reports, strict=True)):
        clip = each.clip
        if clip is None and len(each.findings) > 1 and at < PICTURES:
            try:
                clip = load(file)
            except ClipError:  # it was there a moment ago; its table stays
                clip = None
        drawn.append(replace(each, name=file, clip=clip if at < PICTURES else None))
    try:
        Path(target).write_text(as_page(drawn), encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise UnreadableError(
            f"{target}: cannot be written ({error.strerror}).", remedy="check the folder and the name"
        ) from None
    say(f"The report is in {target}.")


def _against(report: Report) -> str:
    return ", ".join(each.check for each in report.findings if each.verdict in ("warn", "fail")) or "nothing"


def _show(file: str, report: Report) -> None:
    rows = []
    for finding in report.findings:
        value = "" if finding.value is None else f"{finding.value} {finding.unit}".strip()
        said = finding.advice or finding.message
        if finding.advice and not value:  # the message alone says what was found
            said = f"{finding.message} Try: {finding.advice}"
        rows.append((finding.verdict, finding.check, value, finding.required, said))
    table(("", "check", "value", "wanted", ""), rows, title=f"{file}: {report.verdict}")
