"""What all answers of the practice service share: its parts, the request's id, the form of a refusal."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import struct
import sys
import threading
import uuid
from collections.abc import Callable, Coroutine
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, NoReturn, TypeVar

from aiohttp import web

from vcnb.settings import Secret

from .faults import Drawn, Faults
from .rules import Refusal
from .speaking import Speaker
from .state import State

__all__ = [
    "CONTEXT",
    "Context",
    "SETTLE_SECONDS",
    "answer",
    "before",
    "broken",
    "drop",
    "finish_anyway",
    "new_request_id",
    "parse_object",
    "read_message",
    "refused",
    "request_id",
    "send_half",
]

_Result = TypeVar("_Result")
_LOG = logging.getLogger(__name__)
# How long after a lost answer its effect may still appear; said in every answer. Ours.
SETTLE_SECONDS = 2.0
_BIG_BODY_BYTES = 100_000  # ours: above it, reading JSON would be felt by the other connections


@dataclass
class Context:
    """The parts of a running service."""

    state: State
    speaker: Speaker
    faults: Faults
    api_key: Secret
    stay: bool
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    sockets: set[web.WebSocketResponse] = field(default_factory=set)
    leases: int = 0
    lonely_until: float = 0.0  # time.monotonic(): without a lease the service ends then
    tasks: set[asyncio.Task[Any]] = field(default_factory=set)

    def release(self) -> None:
        """Let every request go on that waits to be released."""
        self.gate.set()
        self.gate = asyncio.Event()


CONTEXT = web.AppKey("context", Context)
_REQUEST_ID: ContextVar[str] = ContextVar("request_id", default="")


def request_id() -> str:
    """Return the id of the request that is being answered."""
    return _REQUEST_ID.get()


def new_request_id() -> None:
    """Give the request that is being answered its id."""
    _REQUEST_ID.set(str(uuid.uuid4()))


def parse_object(text: str | bytes) -> dict[str, Any] | None:
    """Parse a JSON object; None where it is none, or holds half a character that can be neither kept nor sent."""
    try:
        if isinstance(text, bytes):
            text = text.decode()  # json.loads would let half a character pass
        found = json.loads(text)
        if "\\ud" in text.lower():
            json.dumps(found, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


async def read_message(request: web.Request) -> dict[str, Any]:
    """Read a body.

    Parameters
    ----------
    request : Request
        Any size below the limit of the server.

    Returns
    -------
    dict
        With a ``model`` (str) and an ``input`` (dict).

    Raises
    ------
    Refusal
        If it has another form.
    """
    body = await request.read()
    found = await asyncio.to_thread(parse_object, body) if len(body) > _BIG_BODY_BYTES else parse_object(body)
    if found is None:
        raise Refusal(400, "BadRequest.IllegalInput", "The input parameter requires json format.")
    if not isinstance(found.get("model"), str) or not found["model"]:
        raise Refusal(400, "BadRequest.EmptyModel", "Required model parameter missing from request.")
    if not isinstance(found.get("input"), dict) or not found["input"]:
        raise Refusal(400, "BadRequest.EmptyInput", "Required input parameter missing from request.")
    return found


def refused(refusal: Refusal) -> web.Response:
    """Write a refusal in the service's form."""
    body = {"request_id": request_id(), "code": refusal.code, "message": refusal.message}
    return web.json_response(body, status=refusal.status)


def broken(error: Exception) -> Refusal:
    """Say what went wrong in here, and leave its traceback in the log."""
    _LOG.error("request %s failed", request_id(), exc_info=error)
    return Refusal(500, "InternalError", f"{type(error).__name__}: {error}")


async def before(request: web.Request, drawn: Drawn) -> web.Response | None:
    """Let a fault strike before anything is done.

    Returns
    -------
    Response or None
        What to answer instead; None: go on.

    Raises
    ------
    Refusal
        If the fault is one.
    """
    context = request.app[CONTEXT]
    for name in ("error", "content_refused", "music", "noise", "other_voices", "singing"):
        if name in drawn:
            raise Refusal(*drawn.refusal(name))
    if "slow" in drawn:
        seconds = drawn["slow"]["seconds"]
        await (context.gate.wait() if seconds is None else asyncio.sleep(float(seconds)))
    if "stall" in drawn:
        await _for_ever()
    if "reset" in drawn:
        return drop(request, reset=True)
    if "empty_error" in drawn:
        return web.json_response({}, status=drawn["empty_error"]["status"])
    if "not_json" in drawn:
        page = "<html><head><title>502 Bad Gateway</title></head></html>"
        return web.Response(text=page, status=drawn["not_json"]["status"], content_type="text/html")
    return None


async def answer(request: web.Request, drawn: Drawn, output: dict[str, Any]) -> web.StreamResponse:
    """Send the answer to what was done, unless a fault strikes.

    Parameters
    ----------
    request : Request
        The request.
    drawn : Drawn
        What it was dealt.
    output : dict
        ``output`` and ``usage``.
    """
    if "stall_after" in drawn:
        await _for_ever()
    if "reset_after" in drawn:
        return drop(request, reset=True)
    if "no_output" in drawn:
        output.pop("output", None)
    body = json.dumps(output | {"request_id": request_id()}, ensure_ascii=False).encode()
    if "half_body" in drawn:
        return await send_half(request, body, "application/json")
    return web.Response(body=body, content_type="application/json", charset="utf-8")


async def send_half(request: web.Request, body: bytes, content_type: str) -> web.StreamResponse:
    """Promise a body, send half of it and close."""
    response = web.StreamResponse(headers={"Content-Length": str(len(body)), "Content-Type": content_type})
    await response.prepare(request)
    await response.write(body[: len(body) // 2])
    # Both ends must see the half: a connection that is cut at once may lose what was written last.
    await asyncio.sleep(0.05)
    drop(request)
    return response


def drop(request: web.Request, *, reset: bool = False) -> web.Response:
    """Break the connection off.

    Parameters
    ----------
    request : Request
        On that connection.
    reset : bool
        By RST, as a gateway that dies; else by FIN.

    Returns
    -------
    Response
        Something for a handler to return; it reaches nobody.
    """
    transport = request.transport
    if transport is not None:
        found = transport.get_extra_info("socket")
        if reset and found is not None:
            form = "hh" if sys.platform == "win32" else "ii"  # struct linger: on, and no seconds
            found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack(form, 1, 0))
        transport.abort()
    return web.Response(status=500)


async def finish_anyway(
    context: Context, work: Callable[[Callable[[], None]], Coroutine[Any, Any, _Result]]
) -> _Result:
    """Go on with work when its client has gone, as the hosted service does, but only until the effect must show.

    Parameters
    ----------
    context : Context
        Knows the work, so that the service does not stop in the middle of it.
    work : callable
        Gives the coroutine that does it. Its last step is its effect, and the last of that, where a thread may be kept
        waiting by the disk, is to call what it was given, which raises once the work is given up.
    """
    given_up = threading.Event()

    def check() -> None:
        if given_up.is_set():
            raise Refusal(400, "ClientDisconnect", "Client disconnected before task finished!")

    def give_up() -> None:
        given_up.set()
        task.cancel()

    task = asyncio.ensure_future(work(check))
    context.tasks.add(task)
    task.add_done_callback(context.tasks.discard)
    task.add_done_callback(lambda done: done.cancelled() or done.exception())  # seen, also when nobody waits any more
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        # What is not done by then is given up: nobody would look for it any more.
        asyncio.get_running_loop().call_later(0.75 * SETTLE_SECONDS, give_up)
        raise


async def _for_ever() -> NoReturn:
    while True:  # ends when the client goes away or the service stops: both cancel
        await asyncio.sleep(3_600)
