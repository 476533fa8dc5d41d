"""How a voice is recorded in a notebook: the browser's microphone, a script to read, a coach, and takes that stay."""

from __future__ import annotations

import os
import secrets
import threading
import weakref
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
import traitlets

from vcnb.audio.clip import Clip
from vcnb.audio.load import load
from vcnb.audio.recording import Recording
from vcnb.catalog import SECONDS_LIMIT, SECONDS_OF_SPEECH
from vcnb.diagnose.checks import clipping, level, longest_pause, noise
from vcnb.diagnose.report import diagnose
from vcnb.errors import SettingsError, VcnbError
from vcnb.guide.recording import GUIDE
from vcnb.guide.scripts import script, scripts
from vcnb.measure.silero import network_weights
from vcnb.settings import data_folder
from vcnb.workflow.recording import Incoming, browser_key, count_kept, discard_take, keep_take, kept_takes

from .base import BaseWidget, beside, held, joined, worker
from .uploader import Uploader

if TYPE_CHECKING:
    from vcnb.workflow.account import Account

__all__ = ["Recorder"]

COUNTDOWN = 3  # seconds
BEST = (10.0, 20.0)  # seconds; page: recommended
N_BARS = 84  # of a row's small picture
# What the coach wants is what the checks want; it learns it from them. The room's own bounds are ours: a voice at
# −30 dBFS, the weakest that the level check lets pass, then stands 25 and 15 dB above it, as the noise check asks.
LIMITS = {
    "longest": SECONDS_LIMIT,
    "best": BEST[0],
    "best_to": BEST[1],
    "run": SECONDS_OF_SPEECH,
    "pause": longest_pause.LIMIT,
    "unsure": longest_pause.UNSURE,
    "faint": level.WARN_BELOW,
    "pressed": level.WARN_ABOVE,
    "too_faint": level.FAIL_BELOW,
    "too_pressed": level.FAIL_ABOVE,
    "places": clipping.WARN_FROM_PLACES,
    "snr": noise.WARN_BELOW_DB,
    "too_noisy": noise.FAIL_BELOW_DB,
    "room": -55.0,
    "room_too_loud": -45.0,
    "hum": -70.0,
}
# The thread that listens, as text: see static/recorder-listener.js.
LISTENER = worker(
    "LISTENER",
    *(f"recorder-{part}" for part in ("ear", "coach", "listener")),
    call="const listener = new Listener((...told) => postMessage(...told));\n"
    "const late = (error) => setTimeout(() => { throw error; });\n"
    "onmessage = ({ data }) => listener[data.type](data)?.catch(late);\n",
)
_ALIVE: weakref.WeakValueDictionary[str, Recorder] = weakref.WeakValueDictionary()


class Recorder(BaseWidget):
    """Record from the browser's microphone, with nothing between the voice and the file that would change it.

    Parameters
    ----------
    language : str
        Two-letter code of the script that is shown first.
    scenario : {"service", "story", "news", "lesson"}
        What the script sounds like.
    countdown : int
        Seconds before a take.
    stop_by_itself : bool
        Whether a take ends when it is good enough and the speaker pauses; can be changed in the panel.
    account : Account or None
        Its library keeps the takes; None: the library of `VCNB_DATA` or of the platform.
    **options
        Traits of the widget, such as ``layout``.

    Attributes
    ----------
    clip : Recording, Clip or None
        The chosen take, the newest unless another was; None before. Can be observed.
    takes : tuple of Clip
        All that were not discarded, oldest first.

    Raises
    ------
    SettingsError
        On an option, a language or a scenario that does not exist.

    Notes
    -----
    Nothing waits for the browser: read `clip` in a later cell, or observe it. Until a take has arrived it is kept in
    the browser, encrypted with a key of the library, for a day at most; then it lies under ``recordings`` in the
    library's folder. The microphone is heard at the device's own rate.
    """

    _esm = LISTENER + joined(
        "wave",
        "spectrogram",
        "wav",
        *(f"recorder-{part}" for part in ("capture", "pouch", "transport", "engine", "parts", "picture")),
        "recorder",
    )
    _css = joined("recorder", kind="css")
    _parts = ("recorder",)
    setup = traitlets.Dict().tag(sync=True)
    rows = traitlets.List().tag(sync=True)
    chosen = traitlets.Unicode("").tag(sync=True)
    discarded = traitlets.Dict(default_value=None, allow_none=True).tag(sync=True)
    n_earlier = traitlets.Int(0).tag(sync=True)
    uploader = held()
    clip = traitlets.Any(None)
    _id = ""

    def __init__(
        self,
        *,
        language: str = "en",
        scenario: str = "service",
        countdown: int = COUNTDOWN,
        stop_by_itself: bool = True,
        account: Account | None = None,
        **options: Any,
    ) -> None:
        script(language, scenario)
        if not 0 <= countdown <= 60:
            raise SettingsError(f"A countdown of {countdown} seconds.", remedy="choose one between 0 and 60")
        self._id = secrets.token_hex(8)
        setup = {
            "id": self._id,
            "language": language,
            "scenario": scenario,
            "countdown": countdown,
            "stops": stop_by_itself,
            "limits": LIMITS,
            "scripts": [[each.language, each.scenario, each.text] for each in scripts()],
            "guide": [[each.topic, each.text] for each in GUIDE.values()],
        }
        super().__init__({"setup": setup}, **options)
        self._data = account.settings.data if account is not None else data_folder(None)
        self._lock = threading.RLock()
        self._takes: dict[str, Clip] = {}
        self._undo: tuple[str, Clip] | None = None
        self._n_named = 0
        self._safe: set[str] = set()
        self._unwritten: dict[str, tuple[bytes, dict[str, Any]]] = {}
        self._incoming = Incoming()
        self.n_earlier = count_kept(self._data)
        _ALIVE[self._id] = self

    @property
    def takes(self) -> tuple[Clip, ...]:
        """All takes that were not discarded, oldest first."""
        with self._lock:
            return tuple(self._takes.values())

    def __repr__(self) -> str:
        return f"<Recorder, {len(self._takes)} takes>"

    def close(self) -> None:
        """Close the panel; its takes stay."""
        _ALIVE.pop(self._id, None)
        super().close()

    def load(self, source: str | os.PathLike[str] | bytes | BinaryIO | tuple[Any, int]) -> Clip:
        """Take a recording that is there already, as if it had been spoken into the microphone.

        Parameters
        ----------
        source : path, bytes, file object, or (samples, sample_rate)
            As `vcnb.load` takes it.

        Returns
        -------
        Clip
            The newest take, and `clip`.

        Raises
        ------
        ClipError
            If it cannot be read.
        """
        clip = load(source)
        self._add(f"loaded-{secrets.token_hex(6)}", clip)
        return clip

    def _receive_hello(self, message: dict[str, Any], _buffers: list[Any]) -> None:
        """Give a page the key for what it keeps and the numbers of the coach's ears; no trait ever holds them."""
        alive = [each for each in _ALIVE if each != self._id]
        welcome = {"type": "welcome", "client": message["client"], "alive": alive}
        self.send(welcome, [browser_key(self._data), network_weights()])

    def _receive_held(self, message: dict[str, Any], _buffers: list[Any]) -> None:
        """Save what came of takes whose page is gone for good."""
        for take, pcm, facts in self._incoming.abandoned(map(str, message["takes"])):
            self._finish(take, pcm, facts, message["client"])

    def _receive_piece(self, message: dict[str, Any], buffers: list[Any]) -> None:
        """Keep a piece of a take and say that it came."""
        take, seq = str(message["take"]), int(message["seq"])
        self._incoming.piece(take, seq, bytes(buffers[0]), message.get("facts"))
        self.send({"type": "ack", "client": message["client"], "take": take, "seq": seq})
        self._look(take, message["client"])

    def _receive_end(self, message: dict[str, Any], _buffers: list[Any]) -> None:
        """Learn that no more pieces follow."""
        self._incoming.end(str(message["take"]), message["facts"])
        self._look(str(message["take"]), message["client"])

    def _receive_ask(self, message: dict[str, Any], _buffers: list[Any]) -> None:
        """Say which pieces are missing, or that the take is safe; where it could not be written, try again."""
        take = str(message["take"])
        missing = self._incoming.missing(take, int(message["n_pieces"]))
        with self._lock:
            safe, unwritten = take in self._safe, self._unwritten.pop(take, None)
        answer = {"type": "kept"} if safe else {"type": "have", "missing": missing or []}
        self.send({**answer, "client": message["client"], "take": take})
        if unwritten is not None:
            beside(self._finish, take, *unwritten, message["client"])

    def _receive_sound(self, message: dict[str, Any], _buffers: list[Any]) -> None:
        """Send a take's sound to a page that wants to hear it and does not have it."""
        clip = self._takes[message["take"]]
        pcm = np.clip(np.rint(clip.samples * np.float32(32768)), -32768, 32767).astype("<i2")
        self.send({"type": "sound", "client": message["client"], "take": message["take"]}, [pcm.tobytes()])

    def _receive_choose(self, message: dict[str, Any], _buffers: list[Any]) -> None:
        """Make a take the clip."""
        self._choose(message["take"])

    def _receive_discard(self, message: dict[str, Any], _buffers: list[Any]) -> None:
        """Take a take off the list; its file goes when it can no longer be brought back."""
        with self._lock:
            clip = self._takes.pop(message["take"], None)
            if clip is None:
                return
            self._forget()
            self._undo = (message["take"], clip)
            self.discarded = {"id": message["take"], "name": clip.name}
            self.rows = [row for row in self.rows if row["id"] != message["take"]]
            if self.chosen == message["take"]:
                self._choose(next(reversed(self._takes), ""))

    def _receive_restore(self, _message: dict[str, Any], _buffers: list[Any]) -> None:
        """Bring the take back that was discarded last."""
        with self._lock:
            if self._undo is not None:
                undo, self._undo, self.discarded = self._undo, None, None
                self._add(*undo)

    def _receive_forget(self, _message: dict[str, Any], _buffers: list[Any]) -> None:
        """Let the take go that was discarded last."""
        self._forget()

    def _receive_upload(self, _message: dict[str, Any], _buffers: list[Any]) -> None:
        """Let a file be uploaded where no microphone can be had; what arrives becomes a take."""
        with self._lock:
            if self.uploader is None:
                uploader = Uploader()
                uploader.observe(self._uploaded, "chosen")
                self.uploader = uploader

    def _receive_earlier(self, _message: dict[str, Any], _buffers: list[Any]) -> None:
        """Put the takes of earlier sessions on the list."""
        beside(self._read_earlier)

    def _uploaded(self, change: dict[str, Any]) -> None:
        if change["new"] is not None:
            beside(self._take_over, change["new"])

    def _take_over(self, key: str) -> None:
        try:
            clip = self.uploader.clip
            if clip is not None:  # what is longer than ten minutes waits for its best part to be chosen
                self._add(f"upload-{key}", clip)
        except Exception as error:  # noqa: BLE001 - the thread's last line
            self.tell(error)

    def _look(self, take: str, client: str) -> None:
        """Where a take is whole, name it, keep it and judge it, beside the handler."""
        found = self._incoming.whole(take)
        if found is not None:
            beside(self._finish, take, *found, client)

    def _finish(self, take: str, pcm: bytes, facts: dict[str, Any], client: str) -> None:
        try:
            if facts.get("language"):
                facts["script"] = script(facts["language"], facts["scenario"]).text
            with self._lock:
                name = f"Take {self._n_named + 1}"
                kept = keep_take(take, pcm, facts, self._data, name=name)
                self._n_named += 1
                self._safe.add(take)
            self.error = None
            self._add(take, kept)
            self.send({"type": "kept", "client": client, "take": take})
        except Exception as error:  # noqa: BLE001 - the thread's last line
            with self._lock:
                self._unwritten[take] = pcm, facts
            self.tell(error)

    def _add(self, take: str, clip: Clip) -> None:
        with self._lock:
            self._takes[take] = clip
            self.rows = [*(row for row in self.rows if row["id"] != take), _row(take, clip)]
            self._choose(take)
        beside(self._judge, take, clip)

    def _choose(self, take: str) -> None:
        with self._lock:
            if take in self._takes or not take:
                self.chosen, self.clip = take, self._takes.get(take)

    def _forget(self) -> None:
        with self._lock:
            undo, self._undo, self.discarded = self._undo, None, None
        if undo is not None:
            discard_take(undo[0], self._data)

    def _read_earlier(self) -> None:
        try:
            kept = {clip.take: clip for clip in kept_takes(self._data)}
            with self._lock:
                known = {*self._takes, self._undo[0] if self._undo is not None else ""}
                earlier = {take: clip for take, clip in kept.items() if take not in known}
                # Before those of today, and what is chosen stays chosen.
                self._takes = {**earlier, **self._takes}
                self.rows = [*(_row(take, clip) for take, clip in earlier.items()), *self.rows]
                if not self.chosen and earlier:
                    self._choose([*earlier][-1])
            self.n_earlier = 0
            for take, clip in earlier.items():
                self._judge(take, clip)
        except Exception as error:  # noqa: BLE001 - the thread's last line
            self.tell(error)

    def _judge(self, take: str, clip: Clip) -> None:
        try:
            report = diagnose(clip)
        except (VcnbError, ValueError) as error:
            self.tell(error)
            return
        worst = [finding for finding in report.findings if finding.verdict == report.verdict != "pass"]
        verdict = {"verdict": report.verdict, "why": " ".join(finding.message for finding in worst[:2])}
        with self._lock:
            self.rows = [row | verdict if row["id"] == take else row for row in self.rows]


def _row(take: str, clip: Clip) -> dict[str, Any]:
    bars = [float(np.abs(part).max(initial=0)) for part in np.array_split(clip.samples, N_BARS)]
    recorded = clip if isinstance(clip, Recording) else None
    return {
        "id": take,
        "name": clip.name or "clip",
        "seconds": round(clip.duration, 2),
        "rate": clip.sample_rate,
        "bars": [round(100 * bar / max([*bars, 1e-4])) for bar in bars],
        "slips": [[round(slip.start, 2), round(slip.end, 2)] for slip in recorded.slips] if recorded else [],
        "ended": recorded.ended if recorded else "stopped",
        "verdict": None,
        "why": "",
    }
