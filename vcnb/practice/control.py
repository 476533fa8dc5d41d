"""How the practice service itself is asked: health, leases, and faults on demand, under /practice.

With the same key as everything else::

    POST   /practice/faults   {"fault": "error", "operation": "list", "code": "Throttling.RateQuota", "times": 2}
                              one rule or a list of them; what they may say stands in `faults.FAULTS`
    GET    /practice/faults   what is pending, how often each operation was asked, what was billed, every fault in words
    DELETE /practice/faults   forgets rules and counts, and releases
    POST   /practice/release  lets go on what waits by the fault "slow" without seconds
    GET    /practice/health   who answers
    GET    /practice/lease    an answer that never ends: whoever holds it needs the service
"""

from __future__ import annotations

import asyncio
import json
import os
import time

from aiohttp import web

from vcnb import __name__ as _package

from .context import CONTEXT, SETTLE_SECONDS, Context
from .faults import FAULTS, parse_rule
from .rules import Refusal

__all__ = ["FIRST_LEASE_SECONDS", "add_routes", "watch_leases"]

_HEARTBEAT_SECONDS = 1.0
_GRACE_SECONDS = 1.5  # ours: a user that only restarts its kernel finds the service still there
FIRST_LEASE_SECONDS = 30.0  # ours: whoever started it takes a lease within seconds


def add_routes(app: web.Application) -> None:
    """Add the paths of the control endpoint."""
    app.router.add_get("/practice/health", _health)
    app.router.add_get("/practice/lease", _lease)
    app.router.add_get("/practice/faults", _show)
    app.router.add_post("/practice/faults", _add)
    app.router.add_delete("/practice/faults", _clear)
    app.router.add_post("/practice/release", _release)


async def watch_leases(context: Context) -> None:
    """Return when the last user has gone, or when none ever came."""
    if not context.stay:
        context.lonely_until = time.monotonic() + FIRST_LEASE_SECONDS
    while context.stay or context.leases or time.monotonic() < context.lonely_until:
        await asyncio.sleep(0.1)
    context.ended.set()  # from here on nobody is let in any more


async def _health(request: web.Request) -> web.Response:
    context = request.app[CONTEXT]
    about = {"folder": context.state.folder_id, "pid": os.getpid(), "settle": SETTLE_SECONDS, "leases": context.leases}
    return web.json_response(about | {"version": _version(), "engine": context.speaker.version})


async def _lease(request: web.Request) -> web.StreamResponse:
    """Hold a connection open; the system closes it also when its owner is killed."""
    context = request.app[CONTEXT]
    if context.ended.is_set():
        raise Refusal(503, "ModelUnavailable", "This service is about to end.")
    response = web.StreamResponse(headers={"Content-Type": "text/plain"})
    response.enable_chunked_encoding()
    context.leases += 1
    try:
        await response.prepare(request)
        while not context.ended.is_set():
            await response.write(b"\n")
            await asyncio.sleep(_HEARTBEAT_SECONDS)
    finally:
        context.leases -= 1
        context.lonely_until = time.monotonic() + _GRACE_SECONDS
    return response


async def _show(request: web.Request) -> web.Response:
    context = request.app[CONTEXT]
    billed = await asyncio.to_thread(context.state.counters)
    shown = {
        "pending": [rule.shown() for rule in context.faults.pending()],
        "requests": dict(context.faults.requests),
        **billed,
        "faults": {name: fault.doc for name, fault in FAULTS.items()},
    }
    return web.json_response(shown)


async def _add(request: web.Request) -> web.Response:
    try:
        asked = json.loads(await request.read())
        rules = [parse_rule(each) for each in (asked if isinstance(asked, list) else [asked])]
    except (ValueError, RecursionError) as error:
        raise Refusal(400, "InvalidParameter", str(error)) from None
    context = request.app[CONTEXT]
    context.faults.add(rules)
    return web.json_response({"pending": [rule.shown() for rule in context.faults.pending()]})


async def _clear(request: web.Request) -> web.Response:
    context = request.app[CONTEXT]
    context.faults.clear()
    context.release()
    return web.json_response({"pending": []})


async def _release(request: web.Request) -> web.Response:
    request.app[CONTEXT].release()
    return web.json_response({})


def _version() -> str:
    from importlib.metadata import version

    return version(_package)
