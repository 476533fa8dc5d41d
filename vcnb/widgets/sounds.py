"""How sound gets to the browser: a clip in the ranges it asks for, a stream in pieces as they arrive.

A message names where its samples begin, so a piece that is lost, comes twice or comes late does no harm: the browser
sees the hole and asks for it. Sound is never in a trait: no notebook saves it.
"""

from __future__ import annotations

import contextlib
import math
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from vcnb.audio.clip import Clip, Speech
from vcnb.audio.encode import tags_of
from vcnb.catalog import SPEECH_SAMPLE_RATE
from vcnb.errors import SpeechInterruptedError
from vcnb.measure.loudness import loudness_lufs
from vcnb.measure.stft import spectrogram

from .base import BaseWidget
from .still import name_of, outline

__all__ = ["PLAYER_FILES", "SAMPLES_PER_MESSAGE", "Sound", "SoundPanel", "as_sent", "real_time_factor"]

# What a panel that plays needs of `vcnb/static`, in order.
PLAYER_FILES = (
    *("wave", "spectrogram", "streaming", "wav", "flac"),
    *("player-tape", "player-deck", "player-lanes", "player-parts"),
)
# Ours: browsers and servers take 10 MiB a message at most; 1 MiB with four under way was the fastest.
SAMPLES_PER_MESSAGE = (1 << 20) // 4
# Seconds; ours. A message needs some twenty turns of several threads, and waits so long for each where a cell computes:
# at Python's own 5 ms a piece of speech took up to 100 ms to leave a busy kernel, at this 2, and 15 once in a hundred.
BRISK = 0.0001
TOGETHER = 0.06  # seconds; ours: smaller pieces go together, as a message takes the page longer than its sound does
FIGURES = ("first_sound", "underruns", "gap", "buffer", "start_delay")  # see `SoundPanel`
KEPT_SOUNDS = 50  # ours: what was read from the library stays at hand, but not all of a thousand
LONGEST_NAME = 60  # characters; ours: the state of a panel stays small, whatever a file is called


class Sound:
    """One sound as the browser gets it: a clip, or one that is still arriving; used by several threads.

    Parameters
    ----------
    key : str
        Names it in messages.
    clip : Clip, optional
        The whole; without it the sound is still to come.
    """

    def __init__(self, key: str, clip: Clip | None = None) -> None:
        self.key = key
        self.id = uuid.uuid4().hex[:8]  # the same in every tab: by it they agree which of them plays a stream
        self.clip = clip
        self.began = time.monotonic()
        self.resting_at: int | None = None  # nothing more was due when this many samples had come
        self.changed = threading.Event()
        self.source: Iterable[Clip] = ()  # of one that is still arriving
        self._lock = threading.Lock()
        self._sent: npt.NDArray[Any] | None = None
        self._arrived = np.empty(0 if clip is not None else 60 * SPEECH_SAMPLE_RATE, np.float32)
        self._n_arrived = 0
        self._sample_rate = SPEECH_SAMPLE_RATE

    @property
    def is_live(self) -> bool:
        """Whether more may come."""
        return self.clip is None

    @property
    def sample_rate(self) -> int:
        """Of the clip, or of what has arrived (Hz)."""
        return self._sample_rate if self.clip is None else self.clip.sample_rate

    @property
    def n_samples(self) -> int:
        """How many are there."""
        return self._n_arrived if self.clip is None else len(self.clip.samples)

    def add(self, piece: Clip) -> None:
        """Append what arrived."""
        with self._lock:
            end = self._n_arrived + len(piece.samples)
            if end > len(self._arrived):
                self._arrived = np.concatenate([self._arrived, np.empty(max(end, len(self._arrived)), np.float32)])
            self._arrived[self._n_arrived : end] = piece.samples
            self._sample_rate = piece.sample_rate
            self._n_arrived = end
        self.changed.set()

    def rest(self) -> None:
        """Say that nothing more is due for now: what is there is played out, and silence after it is no gap."""
        self.resting_at = self._n_arrived
        self.changed.set()

    def finish(self, clip: Clip | None = None) -> Clip:
        """End it; `clip` is the whole with its story, else what arrived."""
        with self._lock:
            if self.clip is None:
                self.clip = clip or Clip(self._arrived[: self._n_arrived], self._sample_rate)
                self._arrived = np.empty(0, np.float32)
        self.changed.set()
        return self.clip

    def part(self, start: int, stop: int) -> npt.NDArray[Any]:
        """Give a range of samples as they travel."""
        with self._lock:
            if self.clip is None:
                return as_sent(self._arrived[start : min(stop, self._n_arrived)].copy())
            if self._sent is None:
                self._sent = as_sent(self.clip.samples)
            return self._sent[start:stop]

    def facts(self, *, n_columns: int = 160, loudness: bool = False) -> dict[str, Any]:
        """Tell what the browser must know from the first moment, for a trait: small, and nothing of what is said."""
        clip = self.clip
        speech = clip if isinstance(clip, Speech) else None
        return {
            "key": self.key,
            "id": self.id,
            "name": name_of(clip)[:LONGEST_NAME],
            "rate": self.sample_rate,
            "n_samples": self.n_samples,
            "live": self.is_live,
            "generated": speech is not None or clip is None,
            "tags": tags_of(clip if clip is not None else Speech(np.zeros(0, np.float32), self._sample_rate)),
            "lufs": _lufs(clip) if clip and loudness else None,
            "outline": outline(clip.samples, n_columns) if clip else "",
        }


class SoundPanel(BaseWidget):
    """A panel that plays sounds; the browser asks for them by their keys.

    `figures` of a streamed sound, key -> dict: ``first_sound`` (s from the request to the loudspeaker), ``underruns``,
    ``gap`` (s of silence in them), ``buffer`` (s that were waited for) and ``start_delay`` (s from the full buffer to
    the first sample), as the browser measured them.
    """

    def __init__(self, sounds: Iterable[Sound] = (), state: dict[str, Any] | None = None, /, **options: Any) -> None:
        self._tracks = {sound.key: sound for sound in sounds}
        self._offered: dict[str, Callable[[], Clip]] = {}
        self._heard: dict[str, dict[str, Any]] = {}
        super().__init__(state, **options)

    def track(self, key: str) -> Sound | None:
        """Give a sound; a panel may read one from the library only now.

        Parameters
        ----------
        key : str
            As the page asks for it.

        Returns
        -------
        Sound or None
            None where there is none.
        """
        sound = self._tracks.get(key)
        read = self._offered.get(key)
        if sound is None and read is not None:
            sound = Sound(key, read())
            for oldest in [known for known in list(self._tracks) if known in self._offered][: 1 - KEPT_SOUNDS]:
                self._tracks.pop(oldest, None)  # another thread may have been quicker
            self._tracks[key] = sound
        return sound

    def _offer(self, key: str, read: Callable[[], Clip], *, client: str, **shown: Any) -> None:
        """Tell a page what a sound of the library is; those read first are let go, and read again when it asks."""
        self._offered[key] = read
        sound = self.track(key)
        if sound is not None:
            self._post({"type": "facts", "client": client, "facts": sound.facts(**shown)})

    def _receive_need(self, message: dict[str, Any], _buffers: list[Any]) -> None:
        """Send the ranges that a page asks for; it asks for the next when one has come, so that few are under way."""
        sound = self.track(str(message["key"]))
        if sound is None:
            return
        for start, stop in message["ranges"]:
            part = sound.part(int(start), min(int(stop), int(start) + SAMPLES_PER_MESSAGE))
            self._send_part(sound, int(start), part, client=message["client"])

    def _receive_hello(self, message: dict[str, Any], _buffers: list[Any]) -> None:
        """Tell a page that was loaded anew, or heard nothing for long, how far the streams are."""
        for sound in list(self._tracks.values()):
            self._send_state(sound, client=message["client"])

    def _receive_figures(self, message: dict[str, Any], _buffers: list[Any]) -> None:
        """Keep what the page that plays a stream measured."""
        key, figures = str(message["key"]), message["figures"]
        self._heard[key] = {name: figures[name] for name in FIGURES if name in figures}
        note = getattr(self._tracks[key].source, "note_heard", None) if key in self._tracks else None
        if note is not None:  # a stream of an account: they belong to its take in the library
            threading.Thread(target=note, args=(self._heard[key],), name="vcnb-heard", daemon=True).start()

    def deliver(
        self, sound: Sound, pieces: Iterable[Clip], *, whole: Callable[[], Clip | None] = lambda: None
    ) -> BaseException | None:
        """Read a stream to its end, and send what arrives from a thread of its own; runs as long as the stream.

        Parameters
        ----------
        sound : Sound
            Where it is kept.
        pieces : iterable of Clip
            The stream.
        whole : callable
            Gives the whole with its story after a good end.

        Returns
        -------
        BaseException or None
            What broke it off; what came before is kept and can be played.
        """
        sound.source = pieces
        sender = threading.Thread(target=self._forward, args=(sound,), name="vcnb-sound", daemon=True)
        broken: BaseException | None = None
        clip: Clip | None = None
        with _BRISKLY:
            sender.start()
            try:
                for piece in pieces:
                    sound.add(piece)
                clip = whole()
            except SpeechInterruptedError as error:
                broken, clip = error, error.received if sound.n_samples == 0 else None
            except Exception as error:  # noqa: BLE001 - a stream may break in any way, and what came must not be lost
                broken = error
            sound.finish(clip)
            sender.join()
        return broken

    def _forward(self, sound: Sound) -> None:
        # What arrives while a message is being handed over goes with the next: a busy kernel makes pieces larger.
        sent, rested, due = 0, None, 0.0
        while True:
            sound.changed.wait()
            sound.changed.clear()
            few = sent + TOGETHER * sound.sample_rate
            while sound.is_live and sound.resting_at == rested and sound.n_samples < few:
                if not sound.changed.wait(max(0.0, due - time.monotonic())):
                    break
                sound.changed.clear()
            ended, resting, n = not sound.is_live, sound.resting_at, sound.n_samples
            while sent < n:
                stop = min(n, sent + SAMPLES_PER_MESSAGE)
                self._send_part(sound, sent, sound.part(sent, stop))
                sent, due = stop, time.monotonic() + TOGETHER
            if resting != rested or ended:
                rested = resting
                self._send_state(sound)
            if ended:
                return

    def _send_part(self, sound: Sound, start: int, part: npt.NDArray[Any], *, client: str | None = None) -> None:
        message = {
            "type": "sound",
            "key": sound.key,
            "client": client,
            "at": start,
            "format": "s16" if part.dtype.itemsize == 2 else "f32",
            "rate": sound.sample_rate,
            "since": time.monotonic() - sound.began,
        }
        self._post(message, [part.tobytes()])

    def _send_state(self, sound: Sound, *, client: str | None = None) -> None:
        speech = sound.clip if isinstance(sound.clip, Speech) else None
        factor = real_time_factor(speech) if speech else None
        self._post(
            {
                "type": "sound.state",
                "key": sound.key,
                "client": client,
                "live": sound.is_live,
                "n_samples": sound.n_samples,
                "resting_at": sound.resting_at,
                "text": speech.text if speech else "",
                "speed": 1 / factor if factor else None,
            }
        )

    def _post(self, message: dict[str, Any], buffers: list[bytes] | None = None) -> None:
        # A panel that was closed while its stream went on has nobody to send to; the stream is still kept.
        with contextlib.suppress(RuntimeError):
            self.send(message, buffers)


class _Brisk:
    """Threads take turns more often while any stream is under way; then as before."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._n_streams = 0
        self._before = 0.0

    def __enter__(self) -> None:
        with self._lock:
            self._n_streams += 1
            if self._n_streams == 1:
                self._before = sys.getswitchinterval()
                sys.setswitchinterval(min(self._before, BRISK))

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._n_streams -= 1
            if self._n_streams == 0:
                sys.setswitchinterval(self._before)


_BRISKLY = _Brisk()


def real_time_factor(speech: Speech) -> float | None:
    """Seconds of work for a second of sound, from the request to the last piece; None where that is not known."""
    return speech.arrivals[-1][0] / speech.duration if speech.arrivals and speech.duration else None


def _lufs(clip: Clip) -> float | None:
    found = loudness_lufs(spectrogram(clip.samples, clip.sample_rate))
    return round(found, 2) if math.isfinite(found) else None


def as_sent(samples: npt.NDArray[np.float32]) -> npt.NDArray[Any]:
    """Halve the way to the browser where nothing is lost by it.

    Parameters
    ----------
    samples : np.ndarray [shape=(n,)]
        Mono amplitudes, full scale at 1.

    Returns
    -------
    np.ndarray [shape=(n,)]
        Little-endian int16 where every sample is a whole step of it, as 16-bit files and speech are; else float32.
    """
    steps = samples * np.float32(32768)
    whole = bool(np.all((steps == np.rint(steps)) & (steps >= -32768) & (steps <= 32767)))
    return steps.astype("<i2") if whole else np.ascontiguousarray(samples, dtype="<f4")
