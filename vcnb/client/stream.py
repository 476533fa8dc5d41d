"""How speech is heard while it is made."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterator

from vcnb.audio.clip import Clip, Speech
from vcnb.errors import CancelledError, VcnbError

from .call import Call, End
from .sdk import quiet
from .synthesizer import Synthesizer
from .take import Order, Take
from .wire import broken, lost_speech, stop_reason, unreachable

__all__ = ["SpeechStream", "ended", "started"]

PATIENCE = 0.2  # seconds that cancel waits for the thread; ours


class SpeechStream(Iterator[Clip]):
    """Speech as it arrives: iterate over its pieces, or take the whole; from any thread.

    One that is dropped stops by itself.

    Parameters
    ----------
    take : Take
        Where the sound arrives.
    call : Call
        Stops it.
    thread : threading.Thread
        Receives it.
    text : str
        What is spoken.
    order : Order
        By whom and how.
    """

    def __init__(self, take: Take, call: Call, thread: threading.Thread, *, text: str, order: Order) -> None:
        self._take, self._call, self._thread = take, call, thread
        self._text, self._order = text, order
        self._speech: Speech | None = None
        weakref.finalize(self, call.abandon).atexit = False

    def __next__(self) -> Clip:
        return self._take.next()

    def __enter__(self) -> SpeechStream:
        return self

    def __exit__(self, *_: object) -> None:
        self.cancel()

    def __repr__(self) -> str:
        return f"<SpeechStream of {len(self._text)} characters over {self._order.transport}>"

    @property
    def speech(self) -> Speech:
        """The whole speech; waits for what is still to come.

        Raises
        ------
        VcnbError
            If it broke before its end.
        """
        self._take.wait()
        if self._speech is None:
            self._speech = self._take.speech(self._text, self._order)
        return self._speech

    def cancel(self) -> None:
        """Stop now: no more sound, no thread and no socket are left. What was spoken may be billed."""
        self._call.stop("cancelled")
        if threading.current_thread() is not self._thread:
            self._thread.join(PATIENCE)


def started(
    synthesizer: Synthesizer, text: str, order: Order, *, timeout: float, silence: float | None, host: str | None
) -> SpeechStream:
    """Begin to speak on a thread of its own.

    Parameters
    ----------
    synthesizer : Synthesizer
        Speaks.
    text : str
        What.
    order : Order
        By whom and how.
    timeout, silence : float
        Seconds for the whole, and between two pieces.
    host : str or None
        Named in errors.
    """
    take = Take()
    call = Call(timeout, silence=silence, on_stop=lambda why: take.finish(ended(call, why, host, order.region)))
    thread = threading.Thread(target=_speak, args=(synthesizer, text, call, take), name="vcnb-speech", daemon=True)
    stream = SpeechStream(take, call, thread, text=text, order=order)
    thread.start()
    return stream


def ended(call: Call, why: End, host: str | None, region: str) -> VcnbError:
    """Say what it means that a call was stopped before its end."""
    if why == "cancelled":
        return CancelledError("The speech was cancelled.", remedy="what was spoken until then may be billed")
    return lost_speech(stop_reason(call)) if call.sent else unreachable(host, stop_reason(call), region=region)


def _speak(synthesizer: Synthesizer, text: str, call: Call, take: Take) -> None:
    error: VcnbError | None = None
    try:
        with quiet():
            import dashscope  # noqa: F401  # seconds, the first time, and no part of the deadline

            with call:
                for pcm in synthesizer.stream(text, call=call, take=take):
                    call.heard()
                    take.add(pcm)
    except VcnbError as found:
        error = found
    except Exception as found:  # noqa: BLE001  # the thread's last line: whoever listens must learn of it
        error = broken(f"An error that was not foreseen: {type(found).__name__}.")
    if error is not None:
        error = error.with_traceback(None)
        error.__context__ = None
    take.finish(error)
