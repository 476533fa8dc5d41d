"""How the whole journey is made in one panel: from a recording to voices that are compared."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import traitlets

from vcnb.audio.clip import Clip, Speech
from vcnb.audio.samples import samples
from vcnb.catalog import PRICE_PER_CREATION, VOICES_PER_ACCOUNT
from vcnb.diagnose.report import Report
from vcnb.errors import SettingsError, VcnbError
from vcnb.protocol.voice import Voice
from vcnb.settings import Secret, find_key

from .base import BaseWidget, Progress, held, joined, secret_of
from .diagnosis import Diagnosis
from .enrollment import Enrollment
from .recorder import Recorder
from .synthesis import Synthesis
from .uploader import Uploader
from .voices import Voices

if TYPE_CHECKING:
    from vcnb.workflow.account import Account

__all__ = ["STEPS", "Studio"]

STEPS = ("record", "check", "enroll", "voices", "speak", "compare")
REGIONS = ("practice", "singapore", "beijing")
SAMPLE = "kathleen_en"  # of `vcnb.samples()`: clean, 13 s, public domain


class Studio(BaseWidget):
    """Record or upload, check and repair, enroll, look after voices, speak and compare: six steps, one panel.

    Parameters
    ----------
    account : Account or None
        Where voices are made. None: the practice service, started when the panel is shown; another one can be chosen
        in the panel.
    **options
        Traits of the widget, such as ``layout``.

    Attributes
    ----------
    recorder, uploader, diagnosis, enrollment, voices, synthesis
        The panels it is made of, as they stand alone; the last three are None until there is an account.

    Raises
    ------
    SettingsError
        On an option that does not exist.

    Notes
    -----
    A take or a file that is chosen is checked; what is checked or mended is enrolled; what is enrolled speaks. Each
    step can be left and come back to while another one works. Recordings, voices and takes lie in the library, not
    in the notebook.

    Examples
    --------
    >>> vcnb.Studio()
    <Studio>
    """

    _esm = joined("studio-ledger", "studio-steps", "studio")
    _css = joined("studio", kind="css")
    _parts = ("studio",)
    ledger = traitlets.Dict().tag(sync=True)
    facts = traitlets.Dict().tag(sync=True)
    recorder = held()
    uploader = held()
    diagnosis = held()
    enrollment = held()
    voices = held()
    synthesis = held()

    def __init__(self, account: Account | None = None, **options: Any) -> None:
        self._account: Account | None = None
        self._step, self._wanted = STEPS[0], ""
        self._handed: Clip | None = None  # what Enroll has of Check
        self._stale = False  # whether the list of voices is older than what is known
        self._lock = threading.RLock()
        super().__init__({"ledger": _ledger(None), "facts": _nothing_yet()}, **options)
        self.recorder, self.uploader, self.diagnosis = Recorder(account=account), Uploader(), Diagnosis()
        self.recorder.observe(self._recorded, "clip")
        self.uploader.observe(self._uploaded, "chosen")
        self.diagnosis.observe(self._put, "player")
        self.diagnosis.observe(self._checked, ["facts", "verdict"])
        if account is not None:
            self._open(account)

    @property
    def account(self) -> Account | None:
        """Where voices are made; None until the practice service was needed."""
        return self._account

    @property
    def clip(self) -> Clip | None:
        """The recording of Check and repair, mended where it was; setting it checks it."""
        clip: Clip | None = self.diagnosis.clip
        return clip

    @clip.setter
    def clip(self, clip: Any) -> None:
        self.diagnosis.clip = clip

    @property
    def report(self) -> Report | None:
        """What was found in `clip`; None until every check has been made."""
        report: Report | None = self.diagnosis.report
        return report

    @property
    def voice(self) -> Voice | dict[str, Voice] | None:
        """What was enrolled last: one Voice, or model -> Voice; None before."""
        return self.enrollment.voice if self.enrollment is not None else None

    @property
    def speech(self) -> Speech | None:
        """The newest take of Speak."""
        return self.synthesis.speech if self.synthesis is not None else None

    def __repr__(self) -> str:
        return "<Studio>"

    def go(self, step: str) -> None:
        """Show another step.

        Parameters
        ----------
        step : {"record", "check", "enroll", "voices", "speak", "compare"}
            Which.

        Raises
        ------
        SettingsError
            If there is no such step.
        """
        if step not in STEPS:
            raise SettingsError(f"{step!r} is no step.", remedy=f"use one of {', '.join(STEPS)}")
        self._step = step
        self.send({"type": "step", "client": None, "step": step})

    def receive_hello(self, message: dict[str, Any], _buffers: list[Any]) -> None:
        """Tell a page which step it left, and connect where nobody has."""
        self.send({"type": "step", "client": message["client"], "step": self._step})
        if self._account is None:
            self.work("connect", lambda progress, _stopping: self._connect("practice", None, progress))

    def receive_step(self, message: dict[str, Any], _buffers: list[Any]) -> None:
        """Keep which step is shown, for a page that is loaded anew."""
        if message["step"] in STEPS:
            self._step = message["step"]

    def receive_sample(self, _message: dict[str, Any], _buffers: list[Any]) -> None:
        """Take a recording that comes with the package, for whoever has none."""
        self.work("sample", lambda _progress, _stopping: self.uploader.load(samples()[SAMPLE]))

    def receive_service(self, message: dict[str, Any], _buffers: list[Any]) -> None:
        """Change to another service, with the key that is found on this machine."""
        self._change(str(message["region"]), None)

    def receive_want(self, message: dict[str, Any], _buffers: list[Any]) -> None:
        """Keep what the key is for that comes next."""
        self._wanted = str(message["region"])

    def receive_key(self, _message: dict[str, Any], buffers: list[Any]) -> None:
        """Change to another service, with this key."""
        self._change(self._wanted, secret_of(buffers))

    def _change(self, region: str, key: Secret | None) -> None:
        if region not in REGIONS:
            raise SettingsError(f"{region!r} is no service.", remedy=f"choose one of {', '.join(REGIONS)}")
        busy = [
            panel for panel in (self.enrollment, self.voices, self.synthesis) if panel is not None and panel.working
        ]
        if busy:
            raise SettingsError("Something is still under way at this service.", remedy="wait for it, or cancel it")
        self.work("connect", lambda progress, _stopping: self._connect(region, key, progress))

    def _connect(self, region: str, key: Secret | None, progress: Progress) -> None:
        from vcnb.workflow.connecting import connect

        progress(self._words[f"step.{region}"], None)
        account = connect(region, api_key=key)
        try:
            account.voices()  # a key that is none is said now, and the service that worked is kept
        except VcnbError:
            account.close()
            raise
        self._open(account)

    def _open(self, account: Account) -> None:
        with self._lock:
            old = (self.enrollment, self.voices, self.synthesis)
            self._account, self._handed = account, None
            enrollment, voices = Enrollment(account=account), Voices(account)
            synthesis = Synthesis(account=account)
            enrollment.observe(self._enrolled, "voice")
            enrollment.observe(self._enrolling, ["outcome", "working"])
            voices.observe(self._listed, "working")
            synthesis.observe(self._spoken, "working")
            self.enrollment, self.voices, self.synthesis = enrollment, voices, synthesis
            self._hand_over()
            self._enrolling()
            self._tell_ledger()
        for panel in old:
            if panel is not None:
                panel.close()

    def _recorded(self, change: Any) -> None:
        clip, shown = change["new"], self.diagnosis.clip
        # A take that is checked and mended already stays so when its row is touched again.
        if clip is not None and clip is not shown and (shown is None or shown.original is not clip):
            self.diagnosis.clip = clip

    def _uploaded(self, change: Any) -> None:
        key = change["new"]
        if key is not None:  # a large one is decoded first
            threading.Thread(target=self._take_file, args=(key,), name="vcnb-studio", daemon=True).start()

    def _take_file(self, key: str) -> None:
        try:
            clip = self.uploader.clip
            if self.uploader.chosen != key:
                return  # another was chosen meanwhile
            if clip is None:
                self._tell("record", "care", "long")
            else:
                self._recorded({"new": clip})
        except Exception as error:  # noqa: BLE001 - the thread's last line
            self.tell(error)

    def _put(self, _change: Any) -> None:
        with self._lock:
            self._hand_over()

    def _checked(self, _change: Any) -> None:
        facts, verdict, report, clip = (
            getattr(self.diagnosis, name) for name in ("facts", "verdict", "report", "clip")
        )
        if facts is None:
            return
        whole = (clip.original or clip) if clip is not None else None
        if whole is not None:
            self._tell("record", "done", "clip", name=whole.name or "clip", seconds=f"{whole.duration:.1f}")
        if not verdict or report is None:
            self._tell("check", "now", "judging")
            return
        n = {word: sum(each.verdict == word for each in report.findings) for word in ("fail", "warn", "pass")}
        worst = next((word for word in ("fail", "warn") if n[word]), "pass")
        self._tell("check", "care" if worst == "fail" else "done", worst, n=n[worst], **n)
        with self._lock:
            self._hand_over()

    def _hand_over(self) -> None:
        """Give Enroll what Check has, but not while it is enrolling something, or waits for an answer that got lost."""
        enrollment, clip = self.enrollment, self.diagnosis.clip
        if enrollment is None or clip is None or enrollment.is_busy:
            return
        if clip is not self._handed:
            self._handed = clip
            enrollment.put(clip)
        report = self.diagnosis.report
        if enrollment.clip is clip and enrollment.check is None and report is not None:
            enrollment.judged(report)
        self._enrolling()

    def _enrolling(self, change: Any = None) -> None:
        enrollment = self.enrollment
        if enrollment is None:
            return
        outcome, price = enrollment.outcome, 0.0 if enrollment.offer["free"] else PRICE_PER_CREATION
        if enrollment.working is not None and enrollment.working["kind"] in ("enroll", "settle"):
            self._tell("enroll", "now", "enrolling")
        elif outcome is not None and outcome["state"] == "unknown":
            self._tell("enroll", "care", "unsure", name=outcome["name"])
        elif outcome is not None and outcome["voices"]:
            self._tell("enroll", "done", "enrolled", name=outcome["name"])
        elif enrollment.clip is None:
            self._tell("enroll", "needs", "no_clip")
        else:
            self._tell("enroll", "open", "price" if price else "free", price=f"{price:.2f}")
        if change is not None:
            with self._lock:
                if self.diagnosis.clip is not self._handed:
                    self._hand_over()
            self._tell_ledger()

    def _enrolled(self, change: Any) -> None:
        made = change["new"]
        if made is None:
            return
        for voice in reversed(list(made.values()) if isinstance(made, dict) else [made]):
            self.synthesis.use(voice)
        self._list_anew()

    def _list_anew(self) -> None:
        self._stale = self.voices.working is not None
        if not self._stale:
            self.voices.receive_refresh({}, [])

    def _listed(self, change: Any) -> None:
        if change["new"] is not None:
            return
        if self._stale:
            threading.Thread(target=self._list_anew, name="vcnb-studio", daemon=True).start()
        if (change["old"] or {}).get("kind") in ("delete", "restore"):
            self.synthesis.receive_look({}, [])
        self._tell_ledger()
        self._spoken({"new": None})

    def _spoken(self, change: Any) -> None:
        if change["new"] is not None or self.synthesis is None:
            return
        n = self.synthesis.n_takes
        if n:
            self._tell("speak", "done", "takes", n=n)
        elif self.ledger["used"] is not None:
            self._tell("speak", *(("open", "no_take") if self.ledger["used"] else ("needs", "no_voice_yet")))
        self._tell_ledger()

    def _tell(self, step: str, state: str, fact: str, **values: Any) -> None:
        with self._lock:
            self.facts = self.facts | {step: {"state": state, "fact": fact, "values": values}}

    def _tell_ledger(self) -> None:
        account, table = self._account, self.voices.table if self.voices is not None else None
        used = None if table is None else int(table.attrs["used"])
        with self._lock:
            self.ledger = _ledger(account) | {"used": used}
        if used is not None:
            self._tell("voices", "done" if used else "open", "voices" if used else "no_voice", n=used)


def _ledger(account: Account | None) -> dict[str, Any]:
    try:
        has_key = find_key(None) is not None
    except SettingsError:  # said when that service is chosen
        has_key = False
    return {
        "region": account.region if account is not None else None,
        "used": None,
        "quota": VOICES_PER_ACCOUNT,
        "spent": account.spent if account is not None else 0.0,
        "limit": account.spend_limit if account is not None else None,
        "has_key": has_key,
    }


def _nothing_yet() -> dict[str, Any]:
    said = {"record": ("open", "no_recording"), "check": ("needs", "no_recording_yet"), "enroll": ("needs", "no_clip")}
    said |= {"voices": ("open", "no_list"), "speak": ("needs", "no_voice_yet"), "compare": ("needs", "no_takes_yet")}
    return {step: {"state": state, "fact": fact, "values": {}} for step, (state, fact) in said.items()}
