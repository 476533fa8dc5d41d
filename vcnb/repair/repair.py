"""How a recording is made fit to be sent."""

from __future__ import annotations

import logging
import math
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import BinaryIO

from vcnb.audio.clip import Clip, Source
from vcnb.audio.encode import outgoing
from vcnb.audio.load import load
from vcnb.diagnose.judging import DECLARED
from vcnb.diagnose.report import Finding, Report, diagnose
from vcnb.errors import CancelledError, ClipError

from . import cleaning, steps, timing
from .picking import burden
from .proof import HARMLESS, similarity

__all__ = ["Mended", "REMEDIES", "Step", "apply", "mend", "plan", "repair", "undo"]

log = logging.getLogger("vcnb")

# The word in a finding -> what is done, in this order: first what takes time away, since a better stretch may need
# nothing else; then what changes the sound; then what it is sent as.
TIMING: dict[str, Callable[[Clip, Source], Clip]] = {
    "window": timing.window,
    "trim": timing.trim,
    "cut": timing.cut,
    "pause": timing.pause,
}
CLEANING: dict[str, Callable[[Clip, Source], Clip]] = {
    "dc": steps.dc,
    "declip": cleaning.declip,
    "hum": cleaning.hum,
    "denoise": cleaning.denoise,
    "rate": steps.rate,
    "level": steps.level,
}
FORM: dict[str, Callable[[Clip, Source], Clip]] = {
    "mono": steps.mono,
    "size": steps.size,
    "wav16": steps.wav16,
    "headroom": steps.headroom,
}
REMEDIES = TIMING | CLEANING | FORM
# Where the whole of it would change the voice, a part of it may not.
GRADED: dict[str, Callable[[Clip, Source, float], Clip]] = {"denoise": cleaning.denoise}
WELCOME = ("trim",)  # done although nothing stands against the recording
STRENGTHS = (1.0, 0.75, 0.5)
ROUNDS = 2  # what is cleaned may need its level set again


@dataclass(frozen=True)
class Step:
    """One thing that is going to be done.

    Parameters
    ----------
    word : str
        One of `REMEDIES`.
    checks : tuple of str
        The findings that ask for it.
    reason : str
        What they say.
    """

    word: str
    checks: tuple[str, ...]
    reason: str


@dataclass(frozen=True, eq=False)
class Mended:
    """A repair and its proof.

    Parameters
    ----------
    clip : Clip
        The mended recording; its `edits` say what was done.
    before, after : Report
        The diagnosis of the recording as it was, and as it is.
    left : tuple of Finding
        What still stands against it: it cannot be mended.
    refused : tuple of str
        In words, what was tried and given up because it would have done harm.
    similarity : float
        Cosine between the speaker before and after; NaN where nothing was done or too little is said.
    """

    clip: Clip
    before: Report
    after: Report
    left: tuple[Finding, ...]
    refused: tuple[str, ...]
    similarity: float


def repair(clip_or_path: Clip | str | os.PathLike[str] | bytes | BinaryIO) -> Clip:
    """Mend what can be mended in a recording, and say what cannot.

    Parameters
    ----------
    clip_or_path : Clip, path, bytes or file object
        The recording.

    Returns
    -------
    Clip
        With one entry in `edits` for each thing that was done: why, and what it changed; `original` is the clip as it
        was, and `undo` beside this function takes single edits back. The same clip where nothing is to be done, so
        that its own bytes are sent. What was not recorded does not come back: a higher rate adds no treble, a second
        voice throughout or a ringing room stays. The logger "vcnb" warns of what is left; `mend` gives it as findings.

    Raises
    ------
    ClipError
        If the recording cannot be read.
    """
    mended = mend(clip_or_path)
    for sentence in mended.refused:
        log.warning("%s", sentence)
    for finding in mended.left:
        log.warning("This cannot be mended: %s (%s)", finding.message, finding.check)
    return mended.clip


def mend(
    clip_or_path: Clip | str | os.PathLike[str] | bytes | BinaryIO,
    *,
    progress: Callable[[str, float | None], None] | None = None,
    cancel: threading.Event | None = None,
) -> Mended:
    """Mend a recording, and prove what was done.

    Parameters
    ----------
    clip_or_path : Clip, path, bytes or file object
        The recording.
    progress : callable, optional
        Called with a sentence and a share of the work (0 to 1).
    cancel : threading.Event, optional
        Looked at before each step.

    Returns
    -------
    Mended
        See there.

    Raises
    ------
    ClipError
        If the recording cannot be read.
    CancelledError
        If it was stopped.
    """
    clip = load(clip_or_path)
    before = report = diagnose(clip, cancel=cancel)
    mended = uncleaned = clip
    refused: list[str] = []
    rounds = [TIMING, *[TIMING | CLEANING] * ROUNDS]
    for number, phase in enumerate(rounds):
        for step in plan(report):
            if step.word not in phase:
                continue
            if cancel is not None and cancel.is_set():
                raise CancelledError("The repair was stopped.", remedy="start it again; the recording is as it was")
            if progress is not None:
                progress(f"{step.word}: {step.reason}", number / len(rounds))
            # Two steps that each leave the speaker alone may not do so together.
            changed = apply(mended, step.word, since=uncleaned if step.word in CLEANING else None)
            judged = diagnose(changed, cancel=cancel)
            harm = _harm(mended, changed) or _trouble(report, judged)
            if harm:
                refused.append(f"{step.word} was given up: {harm}.")
            else:
                mended, report = changed, judged
                uncleaned = changed if step.word in TIMING else uncleaned
    mended = _formed(mended, before)
    report = diagnose(mended, cancel=cancel)
    if progress is not None:
        progress("done", 1.0)
    alike = similarity(clip, mended) if mended is not clip else math.nan
    left = tuple(each for each in report.findings if each.verdict in ("warn", "fail") and each.check not in DECLARED)
    return Mended(mended, before, report, left, tuple(dict.fromkeys(refused)), alike)


def plan(report: Report) -> tuple[Step, ...]:
    """Tell what would be done about a report's findings.

    Parameters
    ----------
    report : Report
        Of a recording.

    Returns
    -------
    tuple of Step
        In the order in which they are done. A finding without a remedy is in none of them; of those that pass, only
        silence at the ends is, which is no fault.
    """
    asked: dict[str, list[Finding]] = {}
    for finding in report.findings:
        if finding.remedy in REMEDIES and (finding.verdict in ("warn", "fail") or finding.remedy in WELCOME):
            asked.setdefault(finding.remedy, []).append(finding)
    return tuple(
        Step(word, tuple(each.check for each in asked[word]), " ".join(each.message for each in asked[word]))
        for word in REMEDIES
        if word in asked
    )


def apply(clip: Clip, word: str, *, since: Clip | None = None) -> Clip:
    """Do one thing to a recording.

    Parameters
    ----------
    clip : Clip
        The recording; it stays as it is.
    word : str
        One of `REMEDIES`: "window", "trim", "cut", "pause", "dc", "declip", "hum", "denoise", "rate", "level", "mono",
        "size", "wav16", "headroom".
    since : Clip, optional
        An earlier state, with whose speaker the new one is compared; not given: `clip`.

    Returns
    -------
    Clip
        With one more entry in `edits`, which holds the similarity of the speaker before and after wherever samples
        were changed; the same clip where there was nothing to do.

    Raises
    ------
    ClipError
        On any other word.
    """
    if word not in REMEDIES:
        raise ClipError(f"{word!r} is no remedy.", remedy=f"use one of {', '.join(REMEDIES)}")
    source = outgoing(clip.original or clip)
    if word not in CLEANING:
        return REMEDIES[word](clip, source)
    for strength in STRENGTHS if word in GRADED else (None,):
        changed = REMEDIES[word](clip, source) if strength is None else GRADED[word](clip, source, strength)
        if changed is clip:
            break
        alike = round(similarity(since or clip, changed), 4)
        edit = replace(changed.edits[-1], similarity=None if math.isnan(alike) else alike)
        changed = replace(changed, edits=(*changed.edits[:-1], edit))
        if not _harm(clip, changed):
            break
    return changed


def undo(clip: Clip, word: str | None = None) -> Clip:
    """Take edits back.

    Parameters
    ----------
    clip : Clip
        A mended recording.
    word : str, optional
        The edit to be taken back, by its name; the others are done again without it. Not given: all of them.

    Returns
    -------
    Clip
        The original itself, or it with the other edits.

    Raises
    ------
    ClipError
        If there is no such edit.
    """
    names = [edit.name for edit in clip.edits]
    if word is not None and word not in names:
        raise ClipError(
            f"There is no edit {word!r}.", remedy=f"use one of {', '.join(names) or 'none: nothing was done'}"
        )
    again = clip.original or clip
    for name in names if word else ():
        if name != word:
            again = apply(again, name)
    return again


def _harm(before: Clip, after: Clip) -> str:
    """Say what a step would have spoilt, "" for nothing."""
    if after is before or after.edits[-1].similarity is None:
        return ""
    alike = after.edits[-1].similarity
    return f"the speaker would be only {alike:.3f} alike" if alike < HARMLESS else ""


def _trouble(before: Report, after: Report) -> str:
    """Name what a step made worse where it made nothing better, "" for nothing."""
    if burden(after) <= burden(before):
        return ""
    fine = {each.check for each in before.findings if each.verdict == "pass"}
    worse = [each.check for each in after.findings if each.check in fine and each.verdict in ("warn", "fail")]
    return f"it would spoil {', '.join(worse)}" if worse else ""


def _formed(clip: Clip, before: Report) -> Clip:
    """Give it the form in which it is sent: 16-bit WAV that nothing cuts flat."""
    asked = {step.word for step in plan(before)}
    if "mono" in asked:
        clip = apply(clip, "mono")
    if "size" in {step.word for step in plan(diagnose(clip))}:  # what became shorter may be small enough
        clip = apply(clip, "size")
    given = outgoing(clip.original or clip)
    foreign = clip.edits and (given.container, given.codec) != ("wav", "pcm_s16le")
    if "wav16" not in {edit.name for edit in clip.edits} and ("wav16" in asked or foreign):
        clip = apply(clip, "wav16")
    return apply(clip, "headroom") if outgoing(clip) is not clip.source else clip
