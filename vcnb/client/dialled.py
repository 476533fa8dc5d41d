"""How the SDK's realtime client is put on a line that is connected already, and its thread is ended."""

from __future__ import annotations

import contextlib
import threading
from functools import cache
from typing import Any

from vcnb.settings import Secret

from .call import shut
from .sdk import quiet
from .wire import broken

__all__ = ["sdk_class"]

LINE_BYTES_LIMIT = 128_000_000  # ours: half an hour of speech is 115 MB of base64


class _Limited:
    """A line on which no peer can send without end: the SDK's socket would hold all of a frame that says it is long."""

    def __init__(self, line: Any) -> None:
        self._line, self._left = line, LINE_BYTES_LIMIT

    def __getattr__(self, name: str) -> Any:
        return getattr(self._line, name)

    def recv(self, size: int) -> bytes:
        data: bytes = self._line.recv(size)
        self._left -= len(data)
        if self._left < 0:
            raise OSError(f"more than {LINE_BYTES_LIMIT:,} bytes came")
        return data


class _OnceHeaders(dict[str, str]):
    """Headers that are written once: a redirect of the handshake would carry the key to somebody else."""

    def items(self) -> Any:
        found = list(super().items())
        self.pop("Authorization", None)
        return found


@cache
def sdk_class() -> Any:
    """Make the class, once the SDK is needed: importing it takes seconds.

    Returns
    -------
    type
        A `QwenTtsRealtime`. Set `key` and `line` before `connect`, which returns at once; its callback also has an
        event `decided`, a count `events`, a `cause`, and `over(error)`.
    """
    import websocket
    from dashscope.audio.qwen_tts_realtime import QwenTtsRealtime

    class Dialled(QwenTtsRealtime):  # type: ignore[misc]
        """The SDK's client on a line that is connected already."""

        key: Secret
        line: Any

        def connect(self) -> None:
            self.ws = websocket.WebSocketApp(
                self.url,
                header=self._headers,  # called when they are written, so that no object holds the key
                on_open=lambda _: self.callback.on_open(),
                on_message=self.on_message,
                on_error=self.on_error,
                on_close=self.on_close,
                socket=_Limited(self.line),
            )
            self.thread = threading.Thread(target=self._run, name="vcnb-realtime", daemon=True)
            self.thread.start()

        def _headers(self) -> dict[str, str]:
            self.apikey = self.key.reveal()
            try:
                return _OnceHeaders(self._get_websocket_header())
            finally:
                self.apikey = ""

        def _run(self) -> None:
            with quiet():
                self.ws.run_forever()
            self.callback.decided.set()

        def on_message(self, ws: Any, message: Any) -> None:
            before = self.callback.events
            super().on_message(ws, message)
            if self.callback.events == before:  # the SDK logs what it cannot read, and goes on
                self.callback.over(broken("The service sent a message that cannot be read."))

        def on_error(self, ws: Any, error: Any) -> None:  # noqa: ARG002
            if self.callback.cause is None:
                self.callback.cause = error.with_traceback(None) if isinstance(error, BaseException) else error

        def hang_up(self, *, polite: bool) -> None:
            """End the line and its thread, from any thread but its own."""
            if self.thread is threading.current_thread():
                return
            self.ws.keep_running = False
            sock = self.ws.sock
            if polite and sock is not None:
                with contextlib.suppress(OSError, ValueError, AttributeError, websocket.WebSocketException):
                    sock.send_close()
            # The SDK's own close may wait ten seconds for an answer.
            shut(self.line)
            self.thread.join(1)
            self.line.close()

    return Dialled
