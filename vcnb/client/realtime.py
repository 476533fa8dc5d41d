"""How speech is received over the socket, as the text is written.

The SDK's `QwenTtsRealtime` does the talking. What it would do with the connection is done here instead: it polls for
five seconds and then hides the cause, leaves its thread behind, asks a proxy for this very machine, follows redirects
with the key, and swallows what its callback raises. None of its globals and threads leave this module.
"""

from __future__ import annotations

import base64
import queue
import threading
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote, urlsplit

from vcnb.errors import ServiceBrokenError, ServiceError, VcnbError
from vcnb.protocol.envelope import decipher, error_of
from vcnb.protocol.synthesis import language_type
from vcnb.settings import Settings

from .call import Call
from .dial import dial
from .dialled import sdk_class
from .pcm import Unpacker
from .posting import ATTEMPTS, attempts, may_repeat
from .take import Order, Take
from .text import split_text
from .wire import broken, interrupted, reason_of, silent

__all__ = ["Line", "RealtimeSynthesizer"]

APPEND_LENGTH = 200  # characters; ours: about a sentence, so that nothing waits for a long frame
HANDSHAKE = 30.0  # seconds; ours: a conversation's own deadline is far too long for it
PATIENCE = 0.1  # seconds for the cause of a broken line to arrive; ours

Over = Callable[[VcnbError | None], None]


class RealtimeSynthesizer:
    """Speaks over the socket.

    Parameters
    ----------
    settings : Settings
        Where to, and with which key.
    order : Order
        Voice, model and language.
    """

    def __init__(self, settings: Settings, order: Order) -> None:
        self._settings = settings
        self._order = order

    def stream(self, text: str, *, call: Call, take: Take) -> Iterator[bytes]:
        """Speak; see :class:`vcnb.client.synthesizer.Synthesizer`."""
        inbox: queue.SimpleQueue[bytes | VcnbError | None] = queue.SimpleQueue()
        line = Line(self._settings, self._order, mode="server_commit", call=call, take=take)
        line.listen(inbox.put, inbox.put)
        try:
            line.open()
            for piece in split_text(text, APPEND_LENGTH):
                line.append(piece)
            line.finish()
            sounded = False
            while (found := inbox.get()) is not None:
                if isinstance(found, VcnbError):
                    raise found
                sounded = True
                yield found
            if not sounded:
                raise silent(take)
        finally:
            line.close()


class Line:
    """One session on the socket, from the handshake to ``session.finished``.

    Parameters
    ----------
    settings : Settings
        Where to, and with which key.
    order : Order
        Voice, model and language.
    mode : {"server_commit", "commit"}
        Who decides when buffered text is spoken.
    call : Call
        Deadline and stop.
    take : Take
        Learns session id and characters.
    """

    def __init__(self, settings: Settings, order: Order, *, mode: str, call: Call, take: Take) -> None:
        self._settings, self._order, self._mode = settings, order, mode
        self._call, self._take = call, take
        self._sdk: Any = None
        self._ears: _Ears | None = None
        self._sound: Callable[[bytes], None] = lambda _: None
        self._over: Over = lambda _: None
        self._said: Callable[[], None] = lambda: None

    def listen(self, sound: Callable[[bytes], None], over: Over, said: Callable[[], None] | None = None) -> None:
        """Name who hears each piece of sound, the end with what broke, and the end of each response.

        They are called on the socket's thread.
        """
        self._sound, self._over = sound, over
        self._said = said or self._said

    def open(self) -> None:
        """Connect, again where it was refused for now or nobody answered, and set up the session.

        Raises
        ------
        VcnbError
            One typed error that names the real cause.
        """
        for attempt in range(1, ATTEMPTS + 1):
            error = self._connect()
            if error is None:
                break
            if attempt == attempts(error) or not may_repeat(error, self._call) or not self._call.pause(attempt):
                raise error
        from dashscope.audio.qwen_tts_realtime import AudioFormat

        self._say(
            self._sdk.update_session,
            voice=self._order.voice,
            response_format=AudioFormat.PCM_24000HZ_MONO_16BIT,
            mode=self._mode,
            language_type=language_type(self._order.language),
        )

    def append(self, text: str) -> None:
        """Write text into the service's buffer; from here on it may be billed."""
        self._take.begin()
        self._call.sent = True
        self._say(self._sdk.append_text, text)

    def commit(self) -> None:
        """Have the buffer spoken now."""
        self._say(self._sdk.commit)

    def clear(self) -> None:
        """Empty the buffer."""
        self._say(self._sdk.clear_appended_text)

    def cancel(self) -> None:
        """Have the speech that is under way ended."""
        if self._ears:
            self._ears.n_cancelled += 1
        self._say(self._sdk.cancel_response)

    def finish(self) -> None:
        """Say that no more text comes."""
        self._say(self._sdk.finish)

    def close(self) -> None:
        """Hang up and end the thread."""
        if self._sdk is not None:
            self._sdk.hang_up(polite=self._ears is not None and self._ears.finished)

    def _connect(self) -> VcnbError | None:
        self._call.sent = False
        region = self._settings.region
        address = urlsplit(self._settings.realtime_url)
        found = dial(address, self._call)
        if isinstance(found, str):
            return interrupted(self._call, found, host=address.hostname, region=region)
        self._call.sent = False  # the socket stands, and no text is on it yet
        self._ears = _Ears(self)
        self._sdk = sdk_class()(
            model=quote(self._order.target_model, safe=""),
            callback=self._ears,
            url=self._settings.realtime_url,
            workspace=self._settings.workspace,
        )
        # The constructor copies the key of the whole process, which may be for another account.
        self._sdk.apikey, self._sdk.key, self._sdk.line = "", self._settings.api_key, found
        self._sdk.connect()
        self._ears.decided.wait(min(HANDSHAKE, self._call.remaining + 1))
        if self._ears.opened:
            return None
        self._sdk.hang_up(polite=False)
        return self._refusal(self._ears.cause)

    def _refusal(self, cause: Any) -> VcnbError:
        """Say why the handshake failed."""
        status = getattr(cause, "status_code", None)
        if not self._call.stopped and isinstance(status, int) and status < 400:
            return ServiceBrokenError(
                f"The service answered the upgrade with status {status}.",
                status=status,
                remedy="no text was sent; look what stands between: a proxy, a page to sign in, another base_url",
            )
        if not self._call.stopped and isinstance(status, int):
            self._call.retry_after = (getattr(cause, "resp_headers", None) or {}).get("retry-after")
            try:
                decipher(
                    status,
                    getattr(cause, "resp_body", None) or b"{}",
                    region=self._settings.region,
                    key=self._settings.api_key,
                )
            except ServiceError as error:
                return error.with_traceback(None)
        reason = reason_of(cause) if isinstance(cause, BaseException) else "no answer in time"
        host = urlsplit(self._settings.realtime_url).hostname
        return interrupted(self._call, reason, host=host, region=self._settings.region)

    def _say(self, send: Callable[..., None], *args: Any, **options: Any) -> None:
        import websocket

        failed = False
        try:
            send(*args, **options)
        except (OSError, ValueError, AttributeError, websocket.WebSocketException):
            failed = True
        if failed and self._ears is not None:
            self._ears.decided_end.wait(PATIENCE)
            raise self._ears.end or self._lost("the line was cut")

    def _lost(self, reason: str) -> VcnbError:
        host = urlsplit(self._settings.realtime_url).hostname
        return interrupted(self._call, reason, host=host, region=self._settings.region)


class _Ears:
    """The SDK's callback: turns events into sound and one end, and never raises (the SDK would swallow it)."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._unpacker = Unpacker()
        self.events = 0
        self.opened = self.finished = False
        self.n_cancelled = 0  # asked for and not seen yet: one that comes late strikes the next response
        self.cause: Any = None
        self.decided, self.decided_end = threading.Event(), threading.Event()
        self.end: VcnbError | None = None

    def on_open(self) -> None:
        self.opened = True
        self.decided.set()

    def on_event(self, event: dict[str, Any]) -> None:
        self.events += 1
        try:
            self._hear(event)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            self.over(broken(f"An event of the service cannot be read ({type(error).__name__})."))
        except ServiceBrokenError as error:
            self.over(error.with_traceback(None))

    def on_close(self, code: int | None, reason: str | None) -> None:
        if not self.opened:
            self.decided.set()
            return
        if reason and code != 1000:  # an ordinary end, as of a line on which nothing was said for long
            # The service closes with 1007 and words where it refuses, for example the model.
            settings = self._line._settings
            error = error_of("", str(reason), status=400, region=settings.region, key=settings.api_key)
            error.status = None
            self.over(error)
        else:
            self.over(
                self._line._lost(
                    f"the service closed the line{f' ({reason})' * bool(reason)}" if code else "the line was cut"
                )
            )

    def over(self, error: VcnbError | None) -> None:
        """End once; what comes after the end is not heard."""
        if self.decided_end.is_set():
            return
        self.finished = error is None
        self.end = error or broken("The session is over.")
        self.decided_end.set()
        self._line._over(error)

    def _hear(self, event: dict[str, Any]) -> None:
        if self.decided_end.is_set():
            return
        kind = event["type"]
        if kind == "response.audio.delta":
            pcm = self._unpacker.feed(base64.b64decode(event["delta"], validate=True))
            if pcm:
                self._line._call.heard()
                self._line._sound(pcm)
        elif kind == "session.created":
            self._line._take.note(str(event["session"]["id"]))
        elif kind == "response.created":
            self._unpacker = Unpacker()
        elif kind == "response.done":
            self._settle(event["response"])
        elif kind == "error":
            self._refused(event.get("error") or {})
        elif kind == "session.finished":
            self.over(None)

    def _settle(self, response: dict[str, Any]) -> None:
        take = self._line._take
        take.characters += int((response.get("usage") or {}).get("characters") or 0)
        status = response.get("status", "completed")
        if status == "incomplete" and self.n_cancelled:
            self.n_cancelled -= 1
        elif status in ("failed", "incomplete"):
            self.over(self._line._lost(f"the service calls its response {status}"))
        self._line._said()

    def _refused(self, error: dict[str, Any]) -> None:
        line = self._line
        if line._mode == "server_commit" and error.get("type") == "invalid_request_error" and _is_idle(error):
            return  # the service had spoken the buffer before we asked for it: nothing is lost
        said = error_of(
            str(error.get("code") or ""),
            str(error.get("message") or ""),
            status=None,
            request_id=(line._take.request_ids or [""])[-1],
            region=line._settings.region,
            key=line._settings.api_key,
        )
        self.over(said)


def _is_idle(error: dict[str, Any]) -> bool:
    """Say whether an error only tells that a commit found nothing to speak."""
    words = f"{error.get('code')} {error.get('message')}".lower()
    return "empty" in words and ("buffer" in words or "commit" in words)
