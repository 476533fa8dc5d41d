"""How text is spoken by hand: a voice, a text, a price, and sound as it arrives; every take is kept."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import traitlets

from vcnb.audio.clip import Clip, Speech
from vcnb.catalog import LANGUAGES, MODELS
from vcnb.errors import CancelledError, LibraryError, SettingsError, VcnbError
from vcnb.protocol.voice import Voice

from .base import Progress, joined
from .sounds import PLAYER_FILES, Sound, SoundPanel, real_time_factor

if TYPE_CHECKING:
    from vcnb.workflow.account import Account

__all__ = ["Synthesis"]

# What the draft of the form may hold; everything else in a message is dropped.
FIELDS = ("text", "voice", "transport", "language")
EARLIER = 20  # takes of the library that are shown; ours
LISTENING = 0.05  # seconds between two looks at a live line


class Synthesis(SoundPanel):
    """Speak with a voice of the account, hear it while it is made, and keep every take.

    A voice for a realtime model speaks live: what is typed is sent when one likes, and heard at once. A voice for an
    HTTP model speaks streamed (sse) or whole (http).

    Parameters
    ----------
    account : Account or None
        Whose voices speak. None: the practice service, started when the panel is shown.
    **options
        Traits of the widget, such as ``layout``.

    Attributes
    ----------
    speech : Speech or None
        The newest take; None before.
    takes : list of Speech
        All takes of this panel, in order. Those of earlier days are in ``account.takes()`` and are shown too.

    Raises
    ------
    SettingsError
        On an option that does not exist.

    Notes
    -----
    Text, voices and takes travel in messages: a saved notebook holds none of them.
    """

    _esm = joined(*PLAYER_FILES, "synthesis-form", "synthesis-takes", "synthesis")
    _css = joined("player", "synthesis", kind="css")
    _parts = ("player", "synthesis")
    languages = traitlets.List(sorted(LANGUAGES, key=LANGUAGES.__getitem__)).tag(sync=True)

    def __init__(self, *, account: Account | None = None, **options: Any) -> None:
        super().__init__(**options)
        self._account = account
        self._draft: dict[str, Any] = {}
        self._voices: dict[str, Voice] | None = None
        self._rows: dict[str, dict[str, Any]] = {}  # what is shown of each take, by its key
        self._n_begun = 0
        self._said: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._cancel: Any = None
        self.takes: list[Speech] = []
        self.work("voices", self._look)

    @property
    def speech(self) -> Speech | None:
        """The newest take."""
        return self.takes[-1] if self.takes else None

    @property
    def rows(self) -> list[dict[str, Any]]:
        """What is shown of each take, with those of earlier days; `track` gives the sound of a ``key``."""
        return [dict(row) for row in list(self._rows.values())]

    @property
    def n_takes(self) -> int:
        """How many of them are whole."""
        return sum(bool(row["take"]) for row in self.rows)

    @property
    def account(self) -> Account | None:
        """Whose voices speak; None until the practice service was needed."""
        return self._account

    @property
    def figures(self) -> dict[str, dict[str, Any]]:
        """How each take was heard here, id of the take -> what the browser measured; see `SoundPanel`."""
        return {self._rows[key]["take"]: heard for key, heard in self._heard.items() if key in self._rows}

    def __repr__(self) -> str:
        return "<Synthesis>"

    def use(self, voice: Voice, *, text: str = "") -> None:
        """Offer a voice that was made just now, and choose it.

        Parameters
        ----------
        voice : Voice
            The voice.
        text : str
            What is put in where nothing is typed.
        """
        shown = _shown(voice)
        self._voices = {voice.voice: voice} | (self._voices or {})
        self._draft |= {"voice": voice.voice, "transport": shown["ways"][0]}
        if text and not self._draft.get("text"):
            self._draft["text"] = text
        self._tell_all()
        self.send({"type": "use", "client": None, "voice": voice.voice, "text": text})

    def _receive_hello(self, message: dict[str, Any], _buffers: list[Any]) -> None:
        """Give a page what no notebook should save: voices, takes, and what had been typed."""
        self._tell_all(client=message["client"])
        super()._receive_hello(message, _buffers)

    def _receive_draft(self, message: dict[str, Any], _buffers: list[Any]) -> None:
        """Keep what is typed."""
        self._draft = {name: message["draft"][name] for name in FIELDS}

    def refresh(self) -> None:
        """Read the list of voices again: one may have been made meanwhile."""
        self.work("voices", self._look)

    def _receive_look(self, _message: dict[str, Any], _buffers: list[Any]) -> None:
        self.refresh()

    def _receive_estimate(self, message: dict[str, Any], _buffers: list[Any]) -> None:
        """Count and price a text; nothing is sent to the service."""
        voice = self._known(message["voice"])
        if voice is not None and self._account is not None:
            found = self._account.estimate(message["text"] or (), voice=voice)
            counted = {"text": message["text"], "characters": found.characters, "cost": found.cost}
            self.send({"type": "estimate", "client": message["client"], **counted})

    def speak(self, voice: Voice, text: str) -> None:
        """Let a voice speak as if Speak had been pressed, in a thread; the panel shows the take.

        Parameters
        ----------
        voice : Voice
            Who speaks, streamed or live as its model does.
        text : str
            What.
        """
        way = "realtime" if voice.transport == "realtime" else "sse"
        words = {"text": text, "voice": voice.voice, "transport": way, "language": voice.language or ""}
        self._receive_speak(words, [])

    def _receive_speak(self, message: dict[str, Any], _buffers: list[Any]) -> None:
        order = {name: message[name] for name in FIELDS}
        self.work("speak", lambda _progress, stopping: self._speak(order, stopping))

    def _receive_say(self, message: dict[str, Any], _buffers: list[Any]) -> None:
        """Send what is typed to a live voice; the first time opens the line."""
        order = {name: message[name] for name in FIELDS}
        if self.working is not None and self.working["kind"] == "line":
            self._said.put(order["text"])
            return
        # A queue for each line: what an old one left unsaid must not be spoken, and paid, by the next.
        said: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        said.put(order["text"])
        if self.work("line", lambda _progress, stopping: self._converse(order, said, stopping)):
            self._said = said

    def _receive_finish(self, _message: dict[str, Any], _buffers: list[Any]) -> None:
        """End a live line: what was sent is spoken to its end, and the take is kept."""
        self._said.put(None)

    def _receive_figures(self, message: dict[str, Any], buffers: list[Any]) -> None:
        """Keep how a take was heard, for its row too."""
        super()._receive_figures(message, buffers)
        if message["key"] in self._rows:
            self._rows[message["key"]]["heard"] = self._heard[message["key"]]

    def _receive_cancel(self, message: dict[str, Any], buffers: list[Any]) -> None:
        """Stop the synthesis; the sound was stopped in the browser already."""
        super()._receive_cancel(message, buffers)
        cancel = self._cancel
        if cancel is not None:
            threading.Thread(target=cancel, name="vcnb-cancel", daemon=True).start()

    def _known(self, voice: str) -> Voice | None:
        return (self._voices or {}).get(str(voice))

    def _look(self, progress: Progress, _stopping: threading.Event) -> None:
        if self._account is None:
            from vcnb.workflow.connecting import connect

            progress(self._words["step.practice"], None)
            self._account = connect("practice")
        rows = [row for row in self._account.voices().to_dict("records") if row["target_model"] in MODELS]
        there = [row for row in rows if not row["state"].startswith("only here")]
        self._voices = {row["voice"]: replace(self._account.find(row), name=row["name"]) for row in there}
        self._recall(self._account)
        self._tell_all()

    def _recall(self, account: Account) -> None:
        shown = {row["take"] for row in self._rows.values()}
        earlier: dict[str, dict[str, Any]] = {}
        for row in account.takes().head(EARLIER).to_dict("records")[::-1]:
            if row["take"] in shown or not row["complete"]:
                continue
            try:
                speech = account.take(row["take"])
            except LibraryError:  # its sound is gone; its row is still in account.takes()
                continue
            self._offered[row["take"]] = partial(account.take, row["take"])
            known = {"heard": account.heard(row["take"]), "earlier": True}
            earlier[row["take"]] = _row(Sound(row["take"], speech), speech, row["name"]) | known
        self._rows = earlier | self._rows

    def _begin(self, order: dict[str, Any], transport: str) -> tuple[Account, Sound, Voice]:
        account, voice = self._account, self._known(order["voice"])
        if account is None or voice is None:
            raise SettingsError("The voice is not in the list any more.", remedy="choose another one")
        self._n_begun += 1  # not the number of rows: a page still knows the sound of one that was dropped
        sound = Sound(f"t{self._n_begun}")
        self._tracks[sound.key] = sound
        shown = {"take": "", "text": order["text"], "transport": transport, "cost": None, "first_audio_delay": None}
        name = {"name": voice.name or voice.preferred_name or voice.voice}
        self._rows[sound.key] = sound.facts() | name | shown | {"earlier": False}
        self._tell_take(sound.key)
        return account, sound, voice

    def _speak(self, order: dict[str, Any], stopping: threading.Event) -> None:
        account, sound, voice = self._begin(order, order["transport"])
        way, language = order["transport"], order["language"] or None
        try:
            stream = account.stream(order["text"], voice=voice, transport=way, language=language)
        except VcnbError:
            self._drop(sound.key)
            raise
        self._cancel = stream.cancel
        if stopping.is_set():  # pressed while the stream was opened
            stream.cancel()
        self._hear(sound, stream, lambda: stream.speech)

    def _converse(self, order: dict[str, Any], said: queue.SimpleQueue[str | None], stopping: threading.Event) -> None:
        account, sound, voice = self._begin(order | {"text": ""}, "realtime")
        try:
            with account.converse(voice=voice, mode="commit", language=order["language"] or None) as line:
                self._cancel = lambda: self._hang_up(line, said)
                typing = (line, sound, said, stopping)
                threading.Thread(target=self._write, args=typing, name="vcnb-typing", daemon=True).start()
                self._hear(sound, line, lambda: line.speech)
        except VcnbError:
            if sound.is_live:
                self._drop(sound.key)
            raise

    def _hang_up(self, line: Any, said: queue.SimpleQueue[str | None]) -> None:
        line.cancel()
        said.put(None)

    def _write(self, line: Any, sound: Sound, said: queue.SimpleQueue[str | None], stopping: threading.Event) -> None:
        row = self._rows[sound.key]
        while sound.is_live:
            try:
                text = said.get(timeout=LISTENING)
            except queue.Empty:
                # Between two sentences silence is no gap: the player must know when nothing more is due.
                if not line.awaiting and sound.resting_at != sound.n_samples:
                    sound.rest()
                continue
            try:
                if text is None or stopping.is_set():
                    line.finish()
                    return
                line.say(text)
                line.commit()
                row["text"] += text
            except VcnbError as error:  # a text that is refused ends no line, and somebody must go on listening
                self.tell(error)

    def _hear(self, sound: Sound, pieces: Iterable[Clip], whole: Any) -> None:
        broken = self.deliver(sound, pieces, whole=whole)
        self._cancel = None
        clip = sound.clip
        row = self._rows[sound.key]
        if sound.n_samples == 0:
            self._drop(sound.key)
        else:
            spoken = clip if isinstance(clip, Speech) else None
            if spoken is not None:
                self.takes.append(spoken)
            row |= _row(sound, spoken, row["name"])
            self._tell_take(sound.key)
        if broken is not None and not isinstance(broken, CancelledError):
            raise broken

    def _drop(self, key: str) -> None:
        self._tracks.pop(key, None)
        self._rows.pop(key, None)
        self.send({"type": "dropped", "client": None, "key": key})

    def _tell_take(self, key: str) -> None:
        self.send({"type": "take", "client": None, "take": dict(self._rows[key]), "spent": self._spent()})

    def _spent(self) -> float:
        return self._account.spent if self._account is not None else 0.0

    def _tell_all(self, *, client: str | None = None) -> None:
        known = None if self._voices is None else [_shown(voice) for voice in self._voices.values()]
        free = self._account is None or self._account.region == "practice"
        message = {"type": "snapshot", "client": client, "voices": known, "free": free, "spent": self._spent()}
        self.send(message | {"takes": [dict(row) for row in self._rows.values()], "draft": self._draft})


def _shown(voice: Voice) -> dict[str, Any]:
    model = MODELS[voice.target_model]
    return {
        "voice": voice.voice,
        "name": voice.name or voice.preferred_name or voice.voice,
        "model": model.name,
        "ways": ["realtime"] if model.transport == "realtime" else ["sse", "http"],
        "language": voice.language or "",
    }


def _row(sound: Sound, speech: Speech | None, name: str) -> dict[str, Any]:
    """Show what is known of a take; of one that was stopped only what is heard."""
    row = sound.facts(loudness=True) | {"name": name}
    if speech is None:
        return row
    return row | {
        "take": speech.take,
        "text": speech.text,
        "transport": speech.transport,
        "cost": speech.cost,
        "first_audio_delay": speech.first_audio_delay,
        "rtf": real_time_factor(speech),
    }
