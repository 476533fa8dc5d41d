"""In which order a recording is judged, and how no recording is judged twice."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from vcnb.errors import CancelledError

from .finding import Finding
from .subject import Subject, checks

__all__ = ["DECLARED", "judge"]

# They judge what was declared and not only the sound.
DECLARED = frozenset({"language", "transcript"})
KEPT = 64  # recordings whose findings are remembered: a few kilobytes each

_kept: OrderedDict[str, dict[str, Finding]] = OrderedDict()
_lock = threading.Lock()


def judge(
    subject: Subject,
    on_finding: Callable[[Finding], None] | None = None,
    cancel: threading.Event | None = None,
) -> tuple[Finding, ...]:
    """Judge a recording by every check, the quick ones first.

    Parameters
    ----------
    subject : Subject
        The recording.
    on_finding : callable, optional
        Called with each finding as soon as it is known, in this thread: the facts of the file at once, then what is
        measured, then what a network has to listen for.
    cancel : threading.Event, optional
        Looked at before each check.

    Returns
    -------
    tuple of Finding
        In the order of the report. Of a recording that was judged before in this process, what was found then.

    Raises
    ------
    CancelledError
        If it was stopped.
    """
    key = _key(subject)
    with _lock:
        known = dict(_kept.get(key, {}))
    for finding in _arriving(subject, known, cancel):
        known[finding.check] = finding
        if on_finding is not None:
            on_finding(finding)
    with _lock:
        _kept[key] = {name: finding for name, finding in known.items() if name not in DECLARED}
        _kept.move_to_end(key)
        while len(_kept) > KEPT:
            _kept.popitem(last=False)
    return tuple(known[each.name] for each in checks())


def _arriving(subject: Subject, known: dict[str, Finding], cancel: threading.Event | None) -> Iterator[Finding]:
    # The networks that listen for voices and for music do so aside, as they let others work meanwhile.
    with ThreadPoolExecutor(2, "vcnb-listening") as aside:
        if not known:
            aside.submit(lambda: subject.voices)
            aside.submit(lambda: subject.events)
        for each in sorted(checks(), key=lambda check: check.late):
            if cancel is not None and cancel.is_set():
                raise CancelledError("The diagnosis was stopped.", remedy="start it again")
            yield known.get(each.name) or each.finding(each.judge(subject))


def _key(subject: Subject) -> str:
    """Name a recording by all that the checks look at: the file that would be sent, and the sound."""
    clip = subject.clip
    digest = hashlib.sha256(clip.samples.tobytes())
    sent = clip.source if clip.source is not None and not clip.edits else None
    told = (replace(sent, path=None), sent.size_bytes) if sent else ()
    digest.update(repr((clip.sample_rate, told)).encode())
    return digest.hexdigest()
