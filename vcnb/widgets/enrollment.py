"""How a clip becomes a voice by hand: one form, one price, one button."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import traitlets

from vcnb.audio.clip import Clip
from vcnb.audio.encode import outgoing
from vcnb.audio.load import load
from vcnb.catalog import BYTES_PER_FILE, LANGUAGES, MODELS, NAME_LENGTH, PRICE_PER_CREATION
from vcnb.diagnose.report import Finding, Report, diagnose
from vcnb.errors import OutcomeUnknownError, VcnbError
from vcnb.protocol.voice import Voice
from vcnb.workflow.unsure import Unsure

from .base import BaseWidget, Progress, beside, held, joined
from .player import Player

if TYPE_CHECKING:
    from vcnb.workflow.account import Account

__all__ = ["Enrollment"]

# The newest that streams live first, as most conversations want it; each with its word in the table of words.
LABELS = {
    "qwen3-tts-vc-realtime-2026-01-15": "live",
    "qwen3-tts-vc-2026-01-22": "whole",
    "qwen3-tts-vc-realtime-2025-11-27": "older",
}
# What the draft of the form may hold; everything else in a message is dropped.
FIELDS = ("name", "models", "language", "transcript", "who", "consent")


class Enrollment(BaseWidget):
    """Enroll a clip: name, models, language, transcript, consent and price in one panel.

    Parameters
    ----------
    clip : Clip, or anything that `vcnb.load` takes, or None
        The recording; may be set later as ``panel.clip``.
    account : Account or None
        Where the voice is made. None: the practice service, started when the button is pressed.
    **options
        Traits of the widget, such as ``layout``.

    Attributes
    ----------
    voice : Voice, dict or None
        The result: one Voice, or model -> Voice where several were made; None before. Can be observed.

    Raises
    ------
    SettingsError
        On an option that does not exist.
    ClipError
        If the recording cannot be read.

    Notes
    -----
    The panel works while the kernel is idle; while a cell runs, most kernels let it wait.
    """

    _esm = joined("wave", "enrollment")
    _css = joined("enrollment", kind="css")
    _parts = ("enrollment",)
    player = held()
    offer = traitlets.Dict().tag(sync=True)
    clip_facts = traitlets.Dict(default_value=None, allow_none=True).tag(sync=True)
    check = traitlets.Dict(default_value=None, allow_none=True).tag(sync=True)
    outcome = traitlets.Dict(default_value=None, allow_none=True).tag(sync=True)
    unsure = traitlets.Dict(default_value=None, allow_none=True).tag(sync=True)
    voice = traitlets.Any(None)

    def __init__(self, clip: Any = None, *, account: Account | None = None, **options: Any) -> None:
        super().__init__({"offer": _offer(free=account is None or account.region == "practice")}, **options)
        self._account = account
        self._draft: dict[str, Any] = {}
        self._order: dict[str, Any] = {"name": "", "models": []}
        self._made: dict[str, Voice] = {}
        self._clip: Clip | None = None
        if clip is not None:
            self.clip = clip
        self._take_up()

    @property
    def clip(self) -> Clip | None:
        """The recording; setting it checks it anew."""
        return self._clip

    @clip.setter
    def clip(self, clip: Any) -> None:
        self._take(load(clip))

    @property
    def account(self) -> Account | None:
        """Where voices are made; None until the practice service was needed."""
        return self._account

    @property
    def is_busy(self) -> bool:
        """Whether another clip must wait: one is being enrolled, or the answer about it got lost."""
        return self.working is not None or (self.outcome is not None and self.outcome["state"] == "unknown")

    def put(self, clip: Clip) -> None:
        """Take a clip that is checked elsewhere; `judged` brings what was found.

        Parameters
        ----------
        clip : Clip
            What is to be enrolled.
        """
        self._take(clip, check=False)

    def judged(self, report: Report) -> None:
        """Show what was found in the clip.

        Parameters
        ----------
        report : Report
            Of the clip that was put in.
        """
        edits = self._clip.edits if self._clip is not None else ()
        self.check = _check(report, " ".join(edit.change for edit in edits))

    def __repr__(self) -> str:
        made = f", {self.voice!r}" if self.voice is not None else ""
        return f"<Enrollment of {self._clip!r}{made}>"

    def _receive_hello(self, message: dict[str, Any], _buffers: list[Any]) -> None:
        """Give a front end that was loaded anew what had been typed."""
        self.send({"type": "snapshot", "client": message["client"], "draft": self._draft})

    def _receive_draft(self, message: dict[str, Any], _buffers: list[Any]) -> None:
        """Keep what is typed, here and not in a trait: a consent is nothing to leave in a notebook unasked."""
        self._draft = {name: message["draft"][name] for name in FIELDS}

    def _receive_again(self, _message: dict[str, Any], _buffers: list[Any]) -> None:
        """Clear the outcome, for another voice from the same clip."""
        self.error = self.outcome = None

    def _receive_mend(self, _message: dict[str, Any], _buffers: list[Any]) -> None:
        """Repair a copy of the clip and go on with it."""
        self.work("mend", self._mend)

    def _receive_enroll(self, message: dict[str, Any], _buffers: list[Any]) -> None:
        """Make a voice for each chosen model, in a thread."""
        order = {name: message[name] for name in FIELDS}
        # A press that waited behind a busy kernel, or a second view's, must not pay for what is made or may be made.
        if self.outcome is None or self.outcome["state"] == "part":
            clip = self._clip  # as it is now: another one may be put in while the first model's voice is made
            self.work("enroll", lambda progress, stopping: self._enroll(clip, order, progress, stopping))

    def _receive_settle(self, message: dict[str, Any], _buffers: list[Any]) -> None:
        """Look again for what got lost, take the voice that a person names, or ask once more."""
        asked = {"voice": message.get("voice"), "retry": message.get("retry") is True}
        if self.outcome is not None and self.outcome["state"] == "unknown":
            intent = self.outcome["intent"]
            self.work("settle", lambda progress, stopping: self._settle(intent, progress, stopping, **asked))

    def _receive_leave(self, _message: dict[str, Any], _buffers: list[Any]) -> None:
        """Let be what nothing came of; what may still come is looked for by the account."""
        if self.outcome is not None and self.outcome["state"] == "unknown" and self._account is not None:
            if self.outcome["settled"]:
                self._account.give_up(self.outcome["intent"])
            self.error = self.outcome = None

    def _take_up(self) -> None:
        """Go on with what got lost before the kernel was started anew."""
        try:
            left = self._account.left_open() if self._account is not None else []
        except VcnbError:
            return  # said as soon as the library is needed
        if left:
            self.work("settle", self._settle_left)

    def _settle_left(self, progress: Progress, stopping: threading.Event) -> None:
        left = self._account.unsettled() if self._account is not None else []
        if left:
            self._order = {"name": left[0].name, "models": [left[0].target_model]}
            self._settle(left[0].id, progress, stopping)

    def _settle(self, intent: str, progress: Progress, stopping: threading.Event, **asked: Any) -> None:
        account = self._account
        if account is None:
            return
        with self._told(self._order, self._made):
            made = account.settle(intent, progress=self._saying(progress, 0), cancel=stopping, **asked)
            self._made[made.target_model] = made

    def _saying(self, progress: Progress, before: int) -> Progress:
        """Pass steps on; what is unsure has a countdown of its own."""
        models = self._order["models"]

        def say(step: str, share: float | None) -> None:
            if isinstance(step, Unsure):
                known = self.unsure or {"until": 0.0}
                if abs(known["until"] - step.until) > 1.0:  # the same moment, seen again
                    self.unsure = {"name": step.name, "until": step.until, "every": step.every}
            progress(step, None if share is None else (before + share) / len(models))

        return say

    @contextmanager
    def _told(self, order: dict[str, Any], made: dict[str, Voice]) -> Iterator[None]:
        """Turn what comes of an order into the outcome."""
        self.outcome = None
        try:
            yield
        except OutcomeUnknownError as error:
            self.outcome = {**self._outcome("unknown", order, made), **_lost(error)}
        except VcnbError:
            if made:
                self.outcome = self._outcome("part", order, made)
            raise
        else:
            ready = set(order["models"]) <= set(made)
            self.outcome = self._outcome("ready" if ready else "part", order, made)
        finally:
            self.unsure = None
            if made:
                self.voice = next(iter(made.values())) if len(order["models"]) == 1 else dict(made)

    def _take(self, clip: Clip, mended: str = "", *, check: bool = True) -> None:
        self._clip = clip
        self.check = self.outcome = self.error = None
        self.player = Player(clip)
        self.clip_facts = _clip_facts(clip)
        if check:
            beside(self._judge, clip, mended)

    def _judge(self, clip: Clip, mended: str) -> None:
        try:
            found = _check(diagnose(clip), mended)
        except Exception as error:  # noqa: BLE001 - the thread's last line
            self.tell(error)
            return
        if clip is self._clip:
            self.check = found

    def _mend(self, _progress: Progress, _stopping: threading.Event) -> None:
        from vcnb.workflow.mending import mended

        if self._clip is not None:
            better = mended(self._clip)
            self._take(better, " ".join(edit.change for edit in better.edits))

    def _enroll(self, clip: Clip | None, order: dict[str, Any], progress: Progress, stopping: threading.Event) -> None:
        self.outcome = None
        if self._account is None:
            from vcnb.workflow.connecting import connect

            progress(self._words["step.practice"], None)
            self._account = connect("practice")
        said = self._words.get(f"who.{order['who']}", "")
        self._order, self._made = order, {}
        with self._told(order, self._made):
            # One call a model: what was made before a failure is kept, and is not asked and paid for again.
            for model in order["models"]:
                self._made[model] = self._account.enroll(
                    clip,
                    preferred_name=order["name"],
                    consent=f"{said}: {order['consent'].strip()}" if order["consent"].strip() else "",
                    target_model=model,
                    transcript=order["transcript"].strip() or None,
                    language=order["language"] or None,
                    progress=self._saying(progress, len(self._made)),
                    cancel=stopping,
                )

    def _outcome(self, state: str, order: dict[str, Any], made: dict[str, Voice]) -> dict[str, Any]:
        price = 0.0 if self.offer["free"] else PRICE_PER_CREATION
        voices = [{"voice": voice.voice, "target_model": model} for model, voice in made.items()]
        return {"state": state, "name": order["name"], "voices": voices, "cost": price * len(made)}


def _offer(*, free: bool) -> dict[str, Any]:
    models = [
        {"name": name, "label": label, "price": f"{MODELS[name].price_per_10k:g}", "chosen": label == "whole"}
        for name, label in LABELS.items()
    ]
    return {
        "models": models,
        "languages": sorted(LANGUAGES, key=LANGUAGES.__getitem__),
        "price": PRICE_PER_CREATION,
        "free": free,
        "name_length": NAME_LENGTH,
        "name_letters": "[A-Za-z0-9_]",
    }


def _clip_facts(clip: Clip) -> dict[str, Any]:
    sent = outgoing(clip)
    return {
        "name": clip.name or "clip",
        "duration": clip.duration,
        "format": sent.container.upper(),
        "rate": sent.sample_rate,
        "channels": sent.n_channels,
        "size_mb": sent.size_bytes / 1e6,
        "limit_mb": BYTES_PER_FILE // 1_000_000,
        "suggested": {"file": clip.name, "language": getattr(clip, "language", None) or ""},
    }


def _check(report: Report, mended: str) -> dict[str, Any]:
    verdicts = [finding.verdict for finding in report.findings]
    counts = {name: verdicts.count(name) for name in ("fail", "warn", "pass", "unknown") if name in verdicts}
    hard = report.hard_failures
    return {
        "verdict": report.verdict,
        "counts": counts,
        "findings": [_shown(finding) for finding in report.findings],
        "failures": [_shown(finding) for finding in hard],
        "mendable": bool(hard) and all(each.remedy for each in hard),
        "mended": mended,
    }


def _shown(finding: Finding) -> dict[str, str]:
    return {name: getattr(finding, name) for name in ("check", "verdict", "message", "advice")}


def _lost(error: OutcomeUnknownError) -> dict[str, Any]:
    return {
        "what": error.message,
        "remedy": error.remedy,
        "intent": error.intent.id,
        "settled": error.intent.settled_at is not None,
        "candidates": [voice.voice for voice in error.candidates],
    }
