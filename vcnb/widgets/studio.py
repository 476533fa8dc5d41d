"""How the whole journey is made in one panel: from a recording to voices that are compared."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import traitlets

from vcnb.audio.clip import Clip, Speech
from vcnb.audio.samples import samples
from vcnb.diagnose.report import Report
from vcnb.errors import SettingsError, VcnbError
from vcnb.protocol.voice import Voice
from vcnb.settings import Secret

from .base import BaseWidget, Progress, beside, held, joined, secret_of, unless_stopped
from .diagnosis import Diagnosis
from .enrollment import Enrollment
from .journey import (
    STEPS,
    checked,
    compared,
    enrolled,
    fact,
    greeting,
    ledger,
    listed,
    made_first,
    nothing_yet,
    offers,
    spoken,
    taken,
)
from .recorder import Recorder
from .synthesis import Synthesis
from .uploader import Uploader
from .voices import Voices

if TYPE_CHECKING:
    from vcnb.compare.comparison import Comparison
    from vcnb.workflow.account import Account

__all__ = ["Studio"]

REGIONS = ("practice", "singapore", "beijing")
SAMPLE = "kathleen_en"  # of `vcnb.samples()`: nothing stands against it
MOST_COMPARED = 8  # by itself; ours: each takes about a second


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
    recorder, uploader, diagnosis, enrollment, voices, synthesis, comparing
        The panels it is made of, as they stand alone; those from `enrollment` on are None until they are needed.

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
    comparing = held()

    def __init__(self, account: Account | None = None, **options: Any) -> None:
        self._account: Account | None = None
        self._step, self._wanted = STEPS[0], ""
        self._handed: Clip | None = None  # what Enroll has of Check
        self._n_listed = 0  # takes that the list of voices knows of
        self._stale = False  # whether the list of voices is older than what is known
        self._lock = threading.RLock()
        super().__init__({"ledger": ledger(None, None), "facts": nothing_yet()}, **options)
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

    @property
    def comparison(self) -> Comparison | None:
        """What was compared last."""
        found: Comparison | None = self.comparing.comparison if self.comparing is not None else None
        return found

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

    def _receive_hello(self, message: dict[str, Any], _buffers: list[Any]) -> None:
        """Tell a page which step it left, and connect where nobody has."""
        self.send({"type": "step", "client": message["client"], "step": self._step})
        self._offer(client=message["client"])
        if self._account is None:
            self.work("connect", lambda *how: self._connect("practice", None, *how))

    def _receive_step(self, message: dict[str, Any], _buffers: list[Any]) -> None:
        """Keep which step is shown, for a page that is loaded anew."""
        if message["step"] not in STEPS:
            return
        self._step = message["step"]
        if self._step == "voices" and self.synthesis is not None and self.synthesis.n_takes != self._n_listed:
            self._n_listed = self.synthesis.n_takes  # the list tells what was used last, and how often
            self._list_anew()
        if self._step == "compare" and self.comparing is None:
            keys = list(self._offers())
            if len(keys) > 1:  # the recording and the newest takes
                self._begin_comparing([keys[0], *keys[1:][1 - MOST_COMPARED :]])

    def _receive_sample(self, _message: dict[str, Any], _buffers: list[Any]) -> None:
        """Take a recording that comes with the package, for whoever has none."""
        self.work("sample", lambda _progress, _stopping: self.uploader.load(samples()[SAMPLE]))

    def _receive_greet(self, _message: dict[str, Any], _buffers: list[Any]) -> None:
        """Let the voice that was made just now say its first words."""
        voice = made_first(self.voice)
        if voice is None:
            return
        if self.synthesis.working is not None:
            raise SettingsError("Speak is busy with something else.", remedy="wait for it, or stop it there")
        self.synthesis.speak(voice, greeting(voice))

    def _receive_compare(self, message: dict[str, Any], _buffers: list[Any]) -> None:
        """Measure what is chosen side by side."""
        if self.comparing is not None and self.comparing.working is not None:
            raise SettingsError("The last ones are still being measured.", remedy="wait for them, or cancel it")
        self._begin_comparing([str(key) for key in message["keys"]])

    def _receive_service(self, message: dict[str, Any], _buffers: list[Any]) -> None:
        """Change to another service, with the key that is found on this machine."""
        self._change(str(message["region"]), None)

    def _receive_want(self, message: dict[str, Any], _buffers: list[Any]) -> None:
        """Keep what the key is for that comes next."""
        self._wanted = str(message["region"])

    def _receive_key(self, _message: dict[str, Any], buffers: list[Any]) -> None:
        """Change to another service, with this key."""
        self._change(self._wanted, secret_of(buffers))

    def _begin_comparing(self, keys: list[str]) -> None:
        self.work("gather", lambda _progress, _stopping: self._compare(keys))

    def _change(self, region: str, key: Secret | None) -> None:
        if region not in REGIONS:
            raise SettingsError(f"{region!r} is no service.", remedy=f"choose one of {', '.join(REGIONS)}")
        busy = [
            panel for panel in (self.enrollment, self.voices, self.synthesis) if panel is not None and panel.working
        ]
        if busy:
            raise SettingsError("Something is still under way at this service.", remedy="wait for it, or cancel it")
        self.work("connect", lambda *how: self._connect(region, key, *how))

    def _connect(self, region: str, key: Secret | None, progress: Progress, stopping: threading.Event) -> None:
        progress(self._words[f"step.{region}"], None)
        account = unless_stopped(lambda: self._reach(region, key), stopping, undo=lambda late: late.close())
        self._open(account)

    def _reach(self, region: str, key: Secret | None) -> Account:
        from vcnb.workflow.connecting import connect

        account = connect(region, api_key=key)
        try:
            account.voices()  # a key that is none is said now, and the service that worked is kept
        except VcnbError:
            account.close()
            raise
        return account

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
            beside(self._take_file, key, name="vcnb-studio")

    def _take_file(self, key: str) -> None:
        try:
            clip = self.uploader.clip
            if self.uploader.chosen != key:
                return  # another was chosen meanwhile
            if clip is None:
                self._tell("record", fact("care", "long"))
            else:
                self._recorded({"new": clip})
        except Exception as error:  # noqa: BLE001 - the thread's last line
            self.tell(error)

    def _put(self, _change: Any) -> None:
        with self._lock:
            self._hand_over()

    def _checked(self, _change: Any) -> None:
        if self.diagnosis.facts is None:
            return
        if self.diagnosis.clip is not None:
            self._tell("record", taken(self.diagnosis.clip))
        self._tell("check", checked(self.diagnosis))
        with self._lock:
            self._hand_over()
        self._offer()

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
        if self.enrollment is not None:
            self._tell("enroll", enrolled(self.enrollment))
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
            self.synthesis.use(voice, text=greeting(voice))
        self._list_anew()

    def _list_anew(self) -> None:
        self._stale = self.voices.working is not None
        if not self._stale:
            self.voices.refresh()

    def _listed(self, change: Any) -> None:
        if change["new"] is not None:
            return
        if self._stale:
            beside(self._list_anew, name="vcnb-studio")
        if (change["old"] or {}).get("kind") in ("delete", "restore"):
            self.synthesis.refresh()
        self._tell_ledger()
        self._spoken({"new": None})

    def _spoken(self, change: Any) -> None:
        if change["new"] is None and self.synthesis is not None:
            if self.ledger["used"] is not None or self.synthesis.n_takes or self.synthesis.error:
                self._tell("speak", spoken(self.synthesis, self.ledger["used"]))
            self._tell_ledger()
            self._offer()

    def _offers(self) -> dict[str, Any]:
        return offers(self.diagnosis.clip, self.synthesis, self._words["take"])

    def _offer(self, *, client: str | None = None) -> None:
        """Tell what can be compared; names travel as a message and are not saved."""
        found = self._offers()
        self._tell("compare", compared(self.comparing, len(found)))
        names = [{"key": key, "name": name} for key, (name, _) in found.items()]
        self.send({"type": "offers", "client": client, "offers": names})

    def _compare(self, keys: list[str]) -> None:
        from .comparing import Comparing  # with it come the measures, which nobody needs before

        found = self._offers()
        clips = [found[key][1]() for key in keys if key in found]
        if len(clips) < 2:
            raise SettingsError("One recording alone cannot be compared.", remedy="choose two or more")
        if self.comparing is None:
            panel = Comparing()
            panel.observe(self._measured, "working")
            self.comparing = panel
        self.comparing.compare(clips)

    def _measured(self, _change: Any) -> None:
        self._tell("compare", compared(self.comparing, len(self._offers())))

    def _tell(self, step: str, told: dict[str, Any]) -> None:
        with self._lock:
            self.facts = self.facts | {step: told}

    def _tell_ledger(self) -> None:
        table = self.voices.table if self.voices is not None else None
        used = None if table is None else int(table.attrs["used"])
        with self._lock:
            self.ledger = ledger(self._account, used)
        if used is not None:
            self._tell("voices", listed(self.voices, used))
