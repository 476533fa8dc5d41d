"""How the responses of a realtime session are spoken, one after the other."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from aiohttp import web

from vcnb.catalog import SPEECH_SAMPLE_RATE
from vcnb.protocol.realtime import Round
from vcnb.protocol.synthesis import characters, language_of

from .context import CONTEXT, drop
from .engines.engine import EngineError
from .faults import Drawn
from .segments import is_whole
from .speaking import chunks, unspoken

__all__ = ["Line", "Rounds"]


class Line(Protocol):
    """Where the events of a session go."""

    async def send(self, event: dict[str, Any]) -> None:
        """Send an event."""

    async def fail(self, code: str, message: str, close_code: int = 1007) -> None:
        """Send an error and end the session."""

    async def close(self, code: int, reason: str) -> None:
        """End the session without a word."""


class Rounds:
    """The queue of what is to be spoken.

    Parameters
    ----------
    request : Request
        The upgrade.
    line : Line
        Where events go.
    session : dict
        The settings, as they are when a round begins.
    drawn : Drawn
        What the session was dealt.
    """

    def __init__(
        self,
        request: web.Request,
        line: Line,
        session: dict[str, Any],
        drawn: Drawn,
    ) -> None:
        self._request = request
        self._context = request.app[CONTEXT]
        self._line = line
        self._session = session
        self._drawn = drawn
        self._texts: asyncio.Queue[str] = asyncio.Queue()
        self._cancelled = asyncio.Event()
        self._running = False
        self._n_deltas = 0
        self._pause = 0  # samples of silence that the next text begins with
        self.n_waiting = 0  # characters that are not spoken yet

    def put(self, text: str) -> None:
        """Have a text spoken after those before it; blanks are not."""
        if text.strip():
            self.n_waiting += len(text)
            self._texts.put_nowait(text)

    @property
    def busy(self) -> bool:
        """Whether something is spoken or waits to be."""
        return self._running or not self._texts.empty()

    def cancel(self) -> None:
        """End the round that runs, if one does."""
        if self._running:
            self._cancelled.set()

    def forget(self) -> None:
        """Let go of what waits to be spoken."""
        while not self._texts.empty():
            self.n_waiting -= len(self._texts.get_nowait())
            self._texts.task_done()

    async def finished(self) -> None:
        """Return when everything is spoken."""
        await self._texts.join()

    async def run(self) -> None:
        """Speak, for as long as nobody cancels this task."""
        while True:
            text = await self._texts.get()
            self._running = True
            try:
                await self._speak(text)
            except ConnectionError:  # the client has gone; whoever reads from it will see
                return
            finally:
                self._running = False
                self._cancelled.clear()
            self.n_waiting -= len(text)
            self._texts.task_done()

    async def _speak(self, text: str) -> None:
        session = self._session
        told = Round(voice=session["voice"], text=text)
        for event in told.opening():
            await self._line.send(event)
        status = "completed"
        stream = chunks(
            self._pieces(text),
            sample_rate=session["sample_rate"],
            header=session["response_format"] == "wav",
            odd="odd_chunks" in self._drawn,
        )
        try:
            if "silent" not in self._drawn:
                await self._strike()
                async with aclosing(stream) as sound:  # type: ignore[type-var]
                    async for chunk in sound:
                        await self._line.send(told.delta(base64.b64encode(chunk).decode("ascii")))
                        self._n_deltas += 1
                        await self._strike()
                        if self._cancelled.is_set():
                            status = "incomplete"
                            break
        except EngineError as error:
            await self._close_round(told, "failed")
            refusal = unspoken(error)
            await self._line.fail(refusal.code, refusal.message, 1007 if refusal.status == 400 else 1011)
            return
        await self._close_round(told, status)

    async def _close_round(self, told: Round, status: str) -> None:
        for event in told.closing(status=status, audio_done_first="audio_done_first" in self._drawn):
            await self._line.send(event)

    async def _pieces(self, text: str) -> AsyncIterator[npt.NDArray[np.int16]]:
        """Speak and bill: from the first piece on it costs."""
        language = language_of(self._session["language_type"])
        billed = False
        source = self._context.speaker.pieces(text, language=language, voice=self._session["voice"])
        try:
            async with aclosing(source) as pieces:  # type: ignore[type-var]
                async for piece in pieces:
                    yield piece if billed else np.concatenate([np.zeros(self._pause, dtype=piece.dtype), piece])
                    billed = True
            follows = self._session["mode"] == "server_commit" and is_whole(text)
            self._pause = round(self._context.speaker.pause * SPEECH_SAMPLE_RATE) if follows else 0
        finally:
            if billed:
                await asyncio.to_thread(self._context.state.bill, characters(text))

    async def _strike(self) -> None:
        """Break off if a fault is due after so many pieces of sound."""
        for name in ("stream_error", "cut", "end_early", "stall_mid"):
            if name not in self._drawn or self._n_deltas != self._drawn[name]["after"]:
                continue
            if name == "stream_error":
                _, code, message = self._drawn.refusal(name)
                await self._line.fail(code, message)
            elif name == "cut":
                drop(self._request)
            elif name == "end_early":
                await self._line.close(1000, "")
            await asyncio.Event().wait()
