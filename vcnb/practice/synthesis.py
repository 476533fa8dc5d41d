"""How a text is spoken over HTTP, whole or as a stream of events."""

from __future__ import annotations

import asyncio
import base64
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from aiohttp import web

from vcnb.catalog import CHARACTERS_PER_REQUEST, MODELS
from vcnb.protocol import sse
from vcnb.protocol import synthesis as messages

from .context import CONTEXT, answer, before, broken, drop, read_message, request_id, send_half
from .engines.engine import EngineError
from .faults import Drawn
from .rules import Refusal
from .speaking import chunks, unspoken

__all__ = ["generation", "result"]

_RESULT_SECONDS = 86_400  # reference: the address of a result is valid for 24 hours
_STREAM_HEADERS = {
    "Content-Type": sse.CONTENT_TYPE,
    "Cache-Control": "no-cache",
    "x-dashscope-call-gateway": "true",
    "x-dashscope-timeout": "298",
    "x-dashscope-finished": "false",
}


@dataclass(frozen=True)
class _Asked:
    text: str
    language: str
    voice: str


async def generation(request: web.Request) -> web.StreamResponse:
    """Speak; as a stream if and only if the header X-DashScope-SSE says so.

    Raises
    ------
    Refusal
        If the request is wrong.
    """
    message = await read_message(request)
    streaming = request.headers.get("X-DashScope-SSE", "").strip().lower() == "enable"
    drawn = request.app[CONTEXT].faults.draw("sse" if streaming else "synthesis")
    instead = await before(request, drawn)
    if instead is not None:
        return instead
    if streaming:
        return await _stream(request, message, drawn)
    return await _whole(request, message, drawn)


async def result(request: web.Request) -> web.StreamResponse:
    """Give out a file until it expires; then, and for any other name, 403."""
    context = request.app[CONTEXT]
    drawn = context.faults.draw("result")
    instead = await before(request, drawn)
    if instead is not None:
        return instead
    wav = await asyncio.to_thread(context.state.result, request.match_info["token"])
    if wav is None:
        raise Refusal(403, "AccessDenied", "Request has expired.")
    if "half_body" in drawn:
        return await send_half(request, wav, "audio/wav")
    if "truncated_result" in drawn:
        wav = wav[: len(wav) // 2]
    return web.Response(body=wav, content_type="audio/wav")


async def _whole(request: web.Request, message: dict[str, Any], drawn: Drawn) -> web.StreamResponse:
    asked = await _checked(request, message)
    spoken: list[bytes] = []
    async with aclosing(_pieces(request, asked, drawn)) as pieces:  # type: ignore[type-var]
        try:
            async for piece in pieces:
                spoken.append(piece.astype("<i2", copy=False).tobytes())
        except EngineError as error:
            raise unspoken(error) from error
    last = await _kept(request, b"".join(spoken), _expiry(drawn))
    body = messages.answer(request_id(), last, text=asked.text, finish_reason="stop")
    return await answer(request, drawn, body)


async def _stream(request: web.Request, message: dict[str, Any], drawn: Drawn) -> web.StreamResponse:
    response = web.StreamResponse(headers=_STREAM_HEADERS)
    response.enable_chunked_encoding()
    await response.prepare(request)
    stream = _Stream(request, response, drawn)
    try:
        return await stream.run(await _checked(request, message))
    except Refusal as refusal:
        # Wrong voices and the like are refused inside a stream whose HTTP status is 200.
        return await stream.fail(refusal.status, refusal.code, refusal.message)
    except EngineError as error:
        answered = unspoken(error)
        return await stream.fail(answered.status, answered.code, answered.message)
    except sqlite3.Error as error:
        broke = broken(error)
        return await stream.fail(broke.status, broke.code, broke.message)


class _Stream:
    """The frames of one streamed answer."""

    def __init__(self, request: web.Request, response: web.StreamResponse, drawn: Drawn) -> None:
        self._request = request
        self._response = response
        self._drawn = drawn
        self._n_frames = 0
        self._expires_at = _expiry(drawn)

    async def run(self, asked: _Asked) -> web.StreamResponse:
        """Send sound as it is made, then the address of the whole file."""
        spoken: list[bytes] = []
        form = {"header": "bare_pcm" not in self._drawn, "odd": "odd_chunks" in self._drawn}
        if await self._struck(0):
            return self._response
        pieces = _kept_too(_pieces(self._request, asked, self._drawn), spoken)
        async with aclosing(chunks(pieces, **form)) as stream:  # type: ignore[type-var]
            async for chunk in stream:
                data = base64.b64encode(chunk).decode("ascii")
                part = messages.audio(request_id(), data=data, expires_at=self._expires_at)
                await self._send(messages.answer(request_id(), part, text=asked.text, finish_reason="null"))
                if await self._struck(self._n_frames):
                    return self._response
        if any(name in self._drawn for name in ("stream_error", "cut", "end_early", "stall_mid")):
            # Asked for after more pieces than there were: it must strike all the same.
            await self._struck(None)
            return self._response
        last = await _kept(self._request, b"".join(spoken), self._expires_at)
        await self._send(messages.answer(request_id(), last, text=asked.text, finish_reason="stop"))
        await self._response.write_eof()
        return self._response

    async def fail(self, status: int, code: str, message: str) -> web.StreamResponse:
        """Send an error and end."""
        body = {"code": code, "message": message, "request_id": request_id()}
        await self._send(body, event="error", status=status)
        await self._response.write_eof()
        return self._response

    async def _send(self, body: dict[str, Any], *, event: str = "result", status: int = 200) -> None:
        self._n_frames += 1
        if "no_output" in self._drawn:
            body.pop("output", None)
        await self._response.write(sse.frame(self._n_frames, body, event=event, status=status))

    async def _struck(self, n_pieces: int | None) -> bool:
        """Break off if a fault is due after so many pieces; None: whatever was asked for."""
        for name in ("stream_error", "cut", "end_early", "stall_mid"):
            if name not in self._drawn or n_pieces not in (None, self._drawn[name]["after"]):
                continue
            if name == "stream_error":
                await self.fail(*self._drawn.refusal(name))
            elif name == "cut":
                drop(self._request)
            elif name == "end_early":
                await self._response.write_eof()
            else:
                await asyncio.Event().wait()
            return True
        return False


async def _kept_too(
    pieces: AsyncIterator[npt.NDArray[np.int16]], spoken: list[bytes]
) -> AsyncIterator[npt.NDArray[np.int16]]:
    async with aclosing(pieces) as source:  # type: ignore[type-var]
        async for piece in source:
            spoken.append(piece.astype("<i2", copy=False).tobytes())
            yield piece


async def _pieces(request: web.Request, asked: _Asked, drawn: Drawn) -> AsyncIterator[npt.NDArray[np.int16]]:
    """Speak and bill: from the first piece on it costs, whether or not somebody listens to the end."""
    context = request.app[CONTEXT]
    billed = False
    if "silent" not in drawn:
        source = context.speaker.pieces(asked.text, language=asked.language, voice=asked.voice)
        try:
            async with aclosing(source) as pieces:  # type: ignore[type-var]
                async for piece in pieces:
                    billed = True
                    yield piece
        finally:
            if billed:
                await asyncio.to_thread(context.state.bill, messages.characters(asked.text))


def _expiry(drawn: Drawn) -> int:
    return int(time.time()) + (-1 if "expired_url" in drawn else _RESULT_SECONDS)


async def _kept(request: web.Request, pcm: bytes, expires_at: int) -> dict[str, Any]:
    """Keep the whole file; return ``output.audio`` with its address."""
    wav = messages.wav_header(len(pcm)) + pcm
    token = await asyncio.to_thread(request.app[CONTEXT].state.keep_result, wav, expires_at)
    url = f"http://{request.headers['Host']}/results/{token}.wav?Expires={expires_at}"
    return messages.audio(request_id(), url=url, expires_at=expires_at)


async def _checked(request: web.Request, message: dict[str, Any]) -> _Asked:
    asked = message["input"]
    parameters = message.get("parameters")
    known = MODELS.get(message["model"])
    if known is None:
        raise Refusal(400, "InvalidParameter", "Model not exist.")
    if known.transport != "http":
        raise Refusal(400, "InvalidParameter", messages.REALTIME_MODEL_MESSAGE)
    text = asked.get("text")
    if not isinstance(text, str) or not 1 <= len(text) <= CHARACTERS_PER_REQUEST:
        raise Refusal(400, "InvalidParameter", f"Range of input length should be [1, {CHARACTERS_PER_REQUEST}]")
    # The SDK's two classes send the language in two places.
    elsewhere = parameters.get("language_type") if isinstance(parameters, dict) else None
    named = asked.get("language_type", elsewhere)
    try:
        language = messages.language_of(named)
    except (KeyError, AttributeError):
        raise Refusal(400, "InvalidParameter", f"language_type {named!r:.100} is not supported.") from None
    voice = await asyncio.to_thread(request.app[CONTEXT].state.find, str(asked.get("voice")))
    if voice is None or voice.target_model != message["model"]:
        raise Refusal(400, "InvalidParameter", messages.VOICE_MESSAGE)
    return _Asked(text, language, voice.voice)
