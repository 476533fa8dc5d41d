"""How sound gets from the thread that receives it to those that hear it, and becomes a Speech."""

from __future__ import annotations

import queue
import threading
import time
from dataclasses import dataclass

from vcnb.audio.clip import Clip, Speech
from vcnb.catalog import MODELS, SPEECH_SAMPLE_RATE
from vcnb.errors import CancelledError, ServiceError, SpeechInterruptedError, VcnbError
from vcnb.protocol.voice import preferred_name_of

from .pcm import as_samples
from .text import count_characters

__all__ = ["Order", "Take"]

LISTENING = 0.5  # seconds; ours: a wait without end cannot be interrupted from the keyboard on Windows


@dataclass(frozen=True)
class Order:
    """What is to be spoken, by whom, and how.

    Parameters
    ----------
    voice, target_model : str
        As the service names them.
    transport : str
        "http", "sse" or "realtime".
    language : str or None
        Two-letter code, None for automatic.
    region : str
        Decides whether it costs anything.
    """

    voice: str
    target_model: str
    transport: str
    language: str | None
    region: str


class Take:
    """The sound of one call, written by one thread and heard by any other.

    Timing, joining and the Speech are made here, once for every transport.
    """

    def __init__(self) -> None:
        self.request_ids: list[str] = []
        self.characters = 0
        self._pieces: list[bytes] = []
        self._arrivals: list[tuple[float, float]] = []
        self._queue: queue.SimpleQueue[Clip | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._began: float | None = None
        self._done = threading.Event()
        self._error: VcnbError | None = None

    def begin(self) -> None:
        """Start the clock, at the first request; later ones change nothing."""
        if self._began is None:
            self._began = time.monotonic()

    def note(self, request_id: str) -> None:
        """Keep the service's id of a request or session."""
        if request_id and request_id not in self.request_ids:
            self.request_ids.append(request_id)

    def add(self, pcm: bytes) -> None:
        """Take the next piece: 24 kHz, 16 bit."""
        samples = as_samples(pcm)
        with self._lock:
            if self._done.is_set() or not len(samples):
                return
            since = time.monotonic() - (self._began if self._began is not None else time.monotonic())
            self._pieces.append(pcm)
            self._arrivals.append((since, len(samples) / SPEECH_SAMPLE_RATE))
            self._queue.put(Clip(samples, SPEECH_SAMPLE_RATE))

    def finish(self, error: VcnbError | None = None) -> None:
        """End the take; the first end counts.

        Parameters
        ----------
        error : VcnbError, optional
            What broke. Where sound had arrived it becomes a `SpeechInterruptedError` that holds the sound.
        """
        with self._lock:
            if self._done.is_set():
                return
            if error is not None and not isinstance(error, CancelledError) and self._pieces:
                error = self._interrupted(error)
            self._error = error
            self._done.set()
            self._queue.put(None)

    def next(self) -> Clip:
        """Wait for the next piece.

        Raises
        ------
        StopIteration
            At the end.
        VcnbError
            If it broke before its end.
        """
        piece = self._get()
        if piece is not None:
            return piece
        self._queue.put(None)  # for whoever else listens
        if self._error is not None:
            raise self._error
        raise StopIteration

    def wait(self) -> None:
        """Wait for the end.

        Raises
        ------
        VcnbError
            If it broke before its end.
        """
        while not self._done.wait(LISTENING):
            pass
        if self._error is not None:
            raise self._error

    def speech(self, text: str, order: Order) -> Speech:
        """Build the Speech of a take that ended well.

        Parameters
        ----------
        text : str
            What was to be spoken.
        order : Order
            By whom and how.
        """
        characters = self.characters or count_characters(text)
        model = MODELS.get(order.target_model)
        paid = 0.0 if order.region == "practice" or model is None else characters * model.price_per_10k / 10_000
        whole = order.transport == "http"
        return Speech(
            as_samples(b"".join(self._pieces)),
            SPEECH_SAMPLE_RATE,
            name=preferred_name_of(order.voice),
            text=text,
            voice=order.voice,
            target_model=order.target_model,
            transport=order.transport,
            language=order.language,
            first_audio_delay=None if whole or not self._arrivals else self._arrivals[0][0],
            characters=characters,
            cost=paid,
            request_ids=tuple(self.request_ids),
            arrivals=tuple(self._arrivals),
            practice=order.region == "practice",
        )

    def _get(self) -> Clip | None:
        while True:
            try:
                return self._queue.get(timeout=LISTENING)
            except queue.Empty:
                continue

    def _interrupted(self, error: VcnbError) -> SpeechInterruptedError:
        received = Clip(as_samples(b"".join(self._pieces)), SPEECH_SAMPLE_RATE)
        told = isinstance(error, ServiceError)
        message = f"The speech broke off after {received.duration:.2f} s: {error.message}" if told else error.message
        return SpeechInterruptedError(
            message,
            received=received,
            code=getattr(error, "code", ""),
            request_id=getattr(error, "request_id", "") or (self.request_ids[-1] if self.request_ids else ""),
            remedy=f"what came is in .received and may have been billed; {error.remedy}",
        )
