"""How a recording is judged in a notebook, where its faults lie, and how they are mended."""

from __future__ import annotations

import os
import threading
from typing import Any

import numpy as np
import traitlets

from vcnb.audio.clip import Clip
from vcnb.audio.encode import outgoing
from vcnb.audio.load import load, read_clip
from vcnb.diagnose.report import Finding, diagnose, unreadable
from vcnb.diagnose.subject import checks
from vcnb.errors import CancelledError, ClipError
from vcnb.repair.proof import similarity
from vcnb.repair.repair import apply, mend, plan, undo
from vcnb.workflow.uploading import Arrived, plain_name

from .arriving import Arriving
from .base import Progress, beside, held, joined
from .player import Player

__all__ = ["Diagnosis"]

PLACES = 200  # of a finding that travel; more would not be told apart on a screen


class Diagnosis(Arriving):
    """Judge a recording: findings over its spectrogram as they are made, each to be heard and, where we can, mended.

    Parameters
    ----------
    clip : Clip, or anything that `vcnb.load` takes, or None
        The recording; may be set later as ``panel.clip``, or dropped onto the panel. One that cannot be read is
        shown as what it is, and raises nothing.
    language : str or None
        Two-letter code of what is spoken.
    transcript : str or None
        What is spoken.
    **options
        Traits of the widget, such as ``layout``.

    Attributes
    ----------
    report : Report or None
        Of `clip`; None until every check has been made. Can be observed.

    Raises
    ------
    SettingsError
        On an option that does not exist.

    Notes
    -----
    Mending changes a copy: `clip` is the mended one from then on, `clip.original` is the recording as it was, and
    every step can be taken back. The panel works while the kernel is idle; while a cell runs, most kernels let it
    wait, and what is shown already can be heard all the same.

    Examples
    --------
    >>> vcnb.Diagnosis(vcnb.load("me.wav"))
    <Diagnosis of <Clip 14.20 s at 48000 Hz 'me.wav'>>
    """

    _esm = joined(
        *("wave", "spectrogram", "player-lanes", "wav", "drop"), "diagnosis-lanes", "diagnosis-list", "diagnosis"
    )
    _css = joined("player", "drop", "diagnosis", kind="css")
    _parts = ("player", "drop", "diagnosis")
    player = held()
    facts = traitlets.Dict(default_value=None, allow_none=True).tag(sync=True)
    found = traitlets.List().tag(sync=True)
    before = traitlets.List().tag(sync=True)  # findings of the recording as it was, where it has been mended
    verdict = traitlets.Unicode("").tag(sync=True)  # "" while it is judged
    steps = traitlets.List().tag(sync=True)
    edits = traitlets.List().tag(sync=True)
    proof = traitlets.Dict(default_value=None, allow_none=True).tag(sync=True)
    report = traitlets.Any(None)

    def __init__(
        self, clip: Any = None, *, language: str | None = None, transcript: str | None = None, **options: Any
    ) -> None:
        self._language, self._transcript = language, transcript
        self._clip: Clip | None = None
        self._judging = threading.Event()  # set when what is judged counts no more
        self._put_lock = threading.RLock()
        super().__init__(**options)
        if clip is not None:
            self.clip = clip

    @property
    def clip(self) -> Clip | None:
        """The recording, mended where it was; setting it judges it anew."""
        return self._clip

    @clip.setter
    def clip(self, clip: Any) -> None:
        try:
            loaded = load(clip)
        except ClipError as error:
            self._cannot_read(plain_name(str(clip)) if isinstance(clip, str | os.PathLike) else "", error)
        else:
            self._put(loaded)

    def __repr__(self) -> str:
        return f"<Diagnosis of {self._clip!r}>" if self._clip is not None else "<Diagnosis>"

    def close(self) -> None:
        """Close the panel; a judgement under way is given up."""
        self._judging.set()
        super().close()

    def _arrived(self, file: Arrived, key: str, *, decoded: bool) -> None:  # noqa: ARG002
        """Judge what was dropped; a clip keeps its own bytes, so that the file is of no more use."""
        try:
            clip = read_clip(file.path.read_bytes(), name=file.name)
        except ClipError as error:
            self._cannot_read(file.name, error)
            raise
        file.path.unlink(missing_ok=True)
        self._put(clip)

    def _receive_mend(self, message: dict[str, Any], _buffers: list[Any]) -> None:
        """Apply one remedy, or all of them."""
        word = message.get("word")
        self.work("mend", lambda progress, stopping: self._mend(word, progress, stopping))

    def _receive_undo(self, message: dict[str, Any], _buffers: list[Any]) -> None:
        """Take one edit back, or all of them."""
        word = message.get("word")
        self.work("undo", lambda _progress, _stopping: self._undo(word))

    def _mend(self, word: str | None, progress: Progress, stopping: threading.Event) -> None:
        clip = self._clip
        if clip is None:
            return
        if word:
            mended, given_up = apply(clip, word), []
            if mended is clip:
                given_up = [self._words["nothing"]]
        else:
            whole = mend(clip, progress=progress, cancel=stopping)
            mended, given_up = whole.clip, list(whole.refused)
        if stopping.is_set():
            raise CancelledError("The mending was stopped.", remedy="the recording is as it was")
        self._put(mended, given_up)

    def _undo(self, word: str | None) -> None:
        if self._clip is not None:
            self._put(undo(self._clip, word))

    def _cannot_read(self, name: str, error: ClipError) -> None:
        report = unreadable(name, error)
        with self._put_lock:
            self._judging.set()
            self._clip, self.player, self.error = None, None, None
            self.facts = {"name": name or self._words["unnamed.file"], "total": len(report.findings)}
            self.before, self.steps, self.edits, self.proof = [], [], [], None
            self.found = [_shown(finding) for finding in report.findings]
            self.report, self.verdict = report, report.verdict

    def _put(self, clip: Clip, given_up: list[str] | None = None) -> None:
        with self._put_lock:
            self._judging.set()
            stopping = self._judging = threading.Event()
            original = clip.original
            # What was found in the recording as it was stands there until it has been looked up again.
            was = self.found if self._clip is original else self.before
            self._clip, self.report, self.error = clip, None, None
            self.verdict, self.found, self.steps, self.proof = "", [], [], None
            self.before = [] if original is None else was
            self.facts = _facts(clip)
            self.edits = [
                {"name": edit.name, "reason": edit.reason, "change": edit.change, "similarity": edit.similarity}
                for edit in clip.edits
            ]
            self.player = Player(clip if original is None else [original, clip])
        work = (clip, stopping, given_up or [])
        beside(self._judge, *work, name="vcnb-diagnosis")

    def _judge(self, clip: Clip, stopping: threading.Event, given_up: list[str]) -> None:
        found: list[dict[str, Any]] = []
        language = self._language or getattr(clip, "language", None)  # a take of the recorder knows its script's
        declared: dict[str, Any] = {"language": language, "transcript": self._transcript}

        def show(finding: Finding) -> None:
            found.append(_shown(finding))
            with self._put_lock:
                if not stopping.is_set():
                    self.found = list(found)

        try:
            if clip.original is not None:
                was = diagnose(clip.original, cancel=stopping, **declared)
                with self._put_lock:
                    if not stopping.is_set():
                        self.before = [_shown(finding) for finding in was.findings]
            report = diagnose(clip, on_finding=show, cancel=stopping, **declared)
            steps = [{"word": step.word, "checks": list(step.checks)} for step in plan(report)]
            proof = _proof(clip, given_up)
            with self._put_lock:
                if not stopping.is_set():
                    self.found = [_shown(finding) for finding in report.findings]
                    self.steps, self.proof = steps, proof
                    self.report, self.verdict = report, report.verdict
        except CancelledError:
            return  # another clip came meanwhile
        except Exception as error:  # noqa: BLE001 - the thread's last line
            self.tell(error)


def _facts(clip: Clip) -> dict[str, Any]:
    sent = outgoing(clip)
    return {
        "name": clip.name or "clip",
        "duration": clip.duration,
        "rate": sent.sample_rate,
        "channels": sent.n_channels,
        "depth": sent.bit_depth,
        "format": sent.container.upper(),
        "total": len(checks()),
    }


def _proof(clip: Clip, given_up: list[str]) -> dict[str, Any]:
    peak = float(np.abs(clip.samples).max(initial=0))
    alike = similarity(clip.original, clip) if clip.original is not None else float("nan")
    return {
        "similarity": None if np.isnan(alike) else round(float(alike), 3),
        "peak": None if peak == 0 else round(20 * float(np.log10(peak)), 1),
        "refused": given_up,
    }


def _shown(finding: Finding) -> dict[str, Any]:
    given = finding.to_dict()
    return given | {"segments": [[round(a, 3), round(b, 3)] for a, b in given["segments"][:PLACES]]}
