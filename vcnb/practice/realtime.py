"""How a realtime session goes, from the upgrade to its last event.

One task reads the client's events; another speaks the rounds they lead to, strictly one after the other.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sqlite3
from typing import Any

from aiohttp import WSMsgType, web

from vcnb.catalog import MODELS
from vcnb.protocol import realtime as messages
from vcnb.protocol.synthesis import language_of

from .context import CONTEXT, before, parse_object
from .faults import Drawn
from .rounds import Rounds
from .rules import Refusal
from .segments import is_whole, split_ready
from .session import update_session

__all__ = ["realtime"]

_LOG = logging.getLogger(__name__)
_FRAME_LIMIT_BYTES = 262_144
_SOCKET_LIMIT = 64  # ours
_WAITING_LIMIT = 100_000  # ours, characters that were sent and are not spoken yet: more than an hour of speech
_QUIET_SECONDS = 1.0  # ours; a model that writes while it is spoken pauses for less between two sentences
_IDLE_SECONDS = 300.0  # ours; 60 s is reported of other sockets of the service, and the page's sample may need longer
# The SDK looks every 0.1 s whether it is connected; a socket that is closed before it looked reads as a time-out.
_TURN_AWAY_SECONDS = 0.25


async def realtime(request: web.Request) -> web.StreamResponse:
    """Serve one socket, which is one session.

    Raises
    ------
    Refusal
        Before the upgrade only.
    """
    context = request.app[CONTEXT]
    drawn = context.faults.draw("upgrade")
    instead = await before(request, drawn)
    if instead is not None:
        return instead
    if request.headers.get("Upgrade", "").lower() != "websocket":
        raise Refusal(400, "InvalidParameter", "This address is served by WebSocket only.")
    if len(context.sockets) >= _SOCKET_LIMIT:
        raise Refusal(429, "Throttling", "Requests throttling triggered.")
    socket = web.WebSocketResponse(compress=False, max_msg_size=_FRAME_LIMIT_BYTES, timeout=2.0)
    await socket.prepare(request)
    context.sockets.add(socket)
    try:
        await _Session(request, socket, context.faults.draw("realtime")).run()
    except ConnectionError:
        pass  # the client has gone
    finally:
        context.sockets.discard(socket)
    return socket


class _Session:
    """One session: its buffer, its settings, and what each event does to them."""

    def __init__(self, request: web.Request, socket: web.WebSocketResponse, drawn: Drawn) -> None:
        self._request = request
        self._state = request.app[CONTEXT].state
        self._socket = socket
        self._drawn = drawn
        self._session = messages.new_session(request.query.get("model", ""))
        self._buffer = ""
        self._text_came = False
        self._over = False
        self._farewell: asyncio.Future[None] | None = None
        self._rounds = Rounds(request, self, self._session, drawn)

    async def run(self) -> None:
        """Answer events until the session is over or the client is gone."""
        if not await self._open():
            return
        speaking = asyncio.create_task(self._rounds.run())
        speaking.add_done_callback(self._broken)
        try:
            while not self._over:
                message = await self._receive()
                if message is None:
                    break
                await self._answer(message)
        except sqlite3.Error as error:
            _LOG.error("a session broke", exc_info=error)
            await self.fail("InternalError", type(error).__name__, 1011)
        finally:
            speaking.cancel()
            await asyncio.gather(speaking, return_exceptions=True)

    async def _open(self) -> bool:
        """Greet; False if that was all."""
        drawn = self._drawn
        if "slow" in drawn and drawn["slow"]["seconds"] is not None:
            await asyncio.sleep(float(drawn["slow"]["seconds"]))
        elif "slow" in drawn:
            await self._request.app[CONTEXT].gate.wait()
        if "stall" in drawn:
            while await self._receive() is not None:
                pass
            return False
        if "close_at_once" in drawn:
            asked = drawn["close_at_once"]
            await self._turn_away(int(asked["code"]), str(asked["reason"]))
            return False
        model = MODELS.get(self._session["model"])
        if "silent_close" not in drawn and (model is None or model.transport != "realtime"):
            await self._turn_away(messages.MODEL_CLOSE_CODE, messages.MODEL_MESSAGE)
            return False
        await self.send(messages.session_created(self._session))
        if "silent_close" in drawn:
            await self._turn_away(1000, "")
            return False
        if "unknown_event" in drawn:
            await self.send({"event_id": messages.new_id("event"), "type": "session.practice_note", "note": {"n": 1}})
        return True

    def _broken(self, speaking: asyncio.Task[None]) -> None:
        """Hang up when speaking ends by an error that nobody expected: silence would last for ever."""
        error = None if speaking.cancelled() else speaking.exception()
        if error is not None:
            _LOG.error("a session broke", exc_info=error)
            self._farewell = asyncio.ensure_future(self.fail("InternalError", type(error).__name__, 1011))

    async def _turn_away(self, code: int, reason: str) -> None:
        await asyncio.sleep(_TURN_AWAY_SECONDS)
        await self.close(code, reason)

    async def _receive(self) -> dict[str, Any] | None:
        """Read the next event; None when there is none any more."""
        while True:
            try:
                found = await self._socket.receive(timeout=_QUIET_SECONDS if self._may_speak() else _IDLE_SECONDS)
            except TimeoutError:
                if self._may_speak():
                    self._flush()
                    continue
                if self._rounds.busy:
                    continue
                await self.close(1000, "idle")
                return None
            if found.type is WSMsgType.TEXT:
                event = parse_object(found.data)
                if event is not None:
                    return event
                await self._refuse({}, "invalid_value", "an event is a JSON object")
            elif found.type is WSMsgType.BINARY:
                await self._refuse({}, "invalid_value", "binary frames are not supported")
            else:  # closed, closing or broken
                return None

    def _may_speak(self) -> bool:
        """Tell whether a sentence waits that was too short to be spoken before more came."""
        return self._session["mode"] == "server_commit" and is_whole(self._buffer)

    async def _answer(self, event: dict[str, Any]) -> None:
        kind = event.get("type")
        action = {
            "session.update": self._update,
            "input_text_buffer.append": self._append,
            "input_text_buffer.commit": self._commit,
            "input_text_buffer.clear": self._clear,
            "response.cancel": self._cancel,
            "session.finish": self._finish,
        }.get(str(kind))
        if action is None:
            await self._refuse(event, "invalid_value", f"unknown event type: {kind!s:.100}", param="type")
        elif not self._session["voice"] and kind not in ("session.update", "session.finish", "response.cancel"):
            await self._refuse(event, "invalid_value", "session.voice is not set", param="session.voice")
        else:
            await action(event)

    async def _update(self, event: dict[str, Any]) -> None:
        if self._text_came:
            await self.fail("invalid_value", messages.LATE_UPDATE_MESSAGE)
            return
        problem = update_session(self._session, event.get("session"))
        if problem is not None:
            await self._refuse(event, "invalid_value", problem[1], param=f"session.{problem[0]}")
            return
        voice = await asyncio.to_thread(self._state.find, self._session["voice"])
        if voice is None or voice.target_model != self._session["model"]:
            await self.fail("CLIENT_ERROR", messages.ENGINE_VOICE_MESSAGE)
            return
        await self.send(messages.session_updated(self._session))

    async def _append(self, event: dict[str, Any]) -> None:
        # Text under any other name is not seen and not complained about, as reported of the hosted service.
        text = event.get("text", "")
        if not isinstance(text, str):
            await self._refuse(event, "invalid_value", "text must be a string", param="text")
            return
        if len(self._buffer) + self._rounds.n_waiting + len(text) > _WAITING_LIMIT:
            await self._refuse(event, "invalid_value", f"over {_WAITING_LIMIT} characters wait", param="text")
            return
        self._text_came = True
        self._buffer += text
        if self._session["mode"] == "server_commit":
            limits = {"shortest": 1, "longest": 24} if "many_responses" in self._drawn else {}
            language = language_of(self._session.get("language_type"))
            ready, self._buffer = split_ready(self._buffer, language=language, **limits)
            for each in ready:
                self._rounds.put(each)

    async def _commit(self, event: dict[str, Any]) -> None:
        if not self._buffer.strip():
            await self._refuse(event, "invalid_value", "the input text buffer is empty")
            return
        self._flush()

    async def _clear(self, event: dict[str, Any]) -> None:
        if self._session["mode"] == "server_commit":
            await self._refuse(event, "invalid_value", messages.CLEAR_MESSAGE)
            return
        self._buffer = ""
        await self.send(messages.cleared())

    async def _cancel(self, _event: dict[str, Any]) -> None:
        # Not documented: the response that runs ends as "incomplete". Where the service parts the text, whoever cancels
        # does not know of the parts that wait: they are the same speech.
        if self._session["mode"] == "server_commit":
            self._buffer = ""
            self._rounds.forget()
        self._rounds.cancel()

    async def _finish(self, _event: dict[str, Any]) -> None:
        self._flush()
        # The client may still hang up or cancel while the rest is spoken.
        rest = asyncio.create_task(self._rounds.finished())
        listening = asyncio.create_task(self._listen())
        await asyncio.wait({rest, listening}, return_when=asyncio.FIRST_COMPLETED)
        done = rest.done()
        for task in (rest, listening):
            task.cancel()
        await asyncio.gather(rest, listening, return_exceptions=True)
        if done:
            await self._end()

    async def _listen(self) -> None:
        """Return when the client has gone; of what it says once it has finished, only a cancel counts."""
        while (event := await self._receive()) is not None:
            if event.get("type") == "response.cancel":
                await self._cancel(event)

    async def _end(self) -> None:
        drawn = self._drawn
        if self._over:
            return
        if "error_after_finish" in drawn:
            _, code, message = drawn.refusal("error_after_finish")
            await self.send(messages.error(code, message))
            if not drawn["error_after_finish"]["close"]:
                await self._listen()
                return
        elif "no_finished" not in drawn:
            await self.send(messages.finished())
        await self.close(1000, "")

    def _flush(self) -> None:
        if self._buffer.strip():
            self._rounds.put(self._buffer)
        self._buffer = ""

    async def _refuse(self, event: dict[str, Any], code: str, message: str, *, param: str | None = None) -> None:
        """Say no to one event; the session goes on."""
        await self.send(messages.error(code, message, param=param, cause=str(event.get("event_id") or "")[:100]))

    async def fail(self, code: str, message: str, close_code: int = 1007) -> None:
        """Say no and end the session."""
        self._over = True
        await self.send(messages.error(code, message))
        await self.close(close_code, message)

    async def send(self, event: dict[str, Any]) -> None:
        """Send an event, if the socket is still open."""
        if not self._socket.closed:
            await self._socket.send_str(json.dumps(event, ensure_ascii=False, separators=(",", ":")))

    async def close(self, code: int, reason: str) -> None:
        """Close the socket."""
        self._over = True
        # A close frame holds 125 bytes, two of them the code (RFC 6455 5.5).
        await self._socket.close(code=code, message=reason.encode()[:123])
