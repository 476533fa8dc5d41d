"""Which path leads where, and what holds for every answer of the practice service."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable

from aiohttp import WSCloseCode, web
from aiohttp.web_protocol import RequestPayloadError

from vcnb.protocol.enrollment import ENROLLMENT_PATH
from vcnb.protocol.envelope import FOLDER_HEADER, SETTLE_HEADER
from vcnb.protocol.realtime import REALTIME_PATH
from vcnb.protocol.synthesis import SYNTHESIS_PATH

from . import control
from .context import CONTEXT, SETTLE_SECONDS, Context, broken, drop, new_request_id, refused, request_id
from .engines.engine import EngineError
from .enrollment import customization
from .realtime import realtime
from .rules import Refusal
from .security import check_key, check_origin
from .synthesis import generation, result

__all__ = ["build"]

_BODY_LIMIT_BYTES = 32 * 2**20  # ours: above 10 MB a body must still be read to be refused in the service's words
_GOODBYE_SECONDS = 1.0  # ours: what a client gets to answer once the service ends; some never read
_HTTP_BASE = "/api/v1"
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def build(context: Context) -> web.Application:
    """Put the service together.

    Parameters
    ----------
    context : Context
        Its parts.

    Returns
    -------
    Application
        Ready to be run; it closes the open sockets when it is shut down.
    """
    app = web.Application(client_max_size=_BODY_LIMIT_BYTES, middlewares=[_guarded])
    app[CONTEXT] = context
    app.router.add_post(_HTTP_BASE + ENROLLMENT_PATH, customization)
    app.router.add_post(_HTTP_BASE + SYNTHESIS_PATH, generation)
    app.router.add_get(REALTIME_PATH, realtime)
    app.router.add_get("/results/{token}.wav", result)
    control.add_routes(app)
    app.on_response_prepare.append(_sign)
    app.on_shutdown.append(_hang_up)
    return app


@web.middleware
async def _guarded(request: web.Request, handler: _Handler) -> web.StreamResponse:
    new_request_id()
    try:
        check_origin(request)
        # The address of a result is its own key, as with the hosted service.
        if not request.path.startswith("/results/"):
            check_key(request, request.app[CONTEXT].api_key)
        return await handler(request)
    except Refusal as refusal:
        return refused(refusal)
    except web.HTTPRequestEntityTooLarge:
        return refused(Refusal(400, "BadRequest.TooLarge", "Payload Too Large."))
    except web.HTTPMethodNotAllowed as error:
        message = f"Request method '{error.method}' is not supported."
        return refused(Refusal(405, "InvalidParameter", message))
    except web.HTTPNotFound:
        return refused(Refusal(404, "NotFound", "Not found!"))
    except (web.HTTPException, RequestPayloadError) as error:  # an upgrade without its key, a body that is no gzip
        return refused(Refusal(400, "BadRequest.IllegalInput", " ".join(str(error).split())))
    except ConnectionError:
        return drop(request)  # the client has gone
    except (sqlite3.Error, EngineError, OSError) as error:
        return refused(broken(error))


async def _sign(request: web.Request, response: web.StreamResponse) -> None:
    context = request.app[CONTEXT]
    response.headers["x-request-id"] = request_id()
    response.headers[FOLDER_HEADER] = context.state.folder_id
    response.headers[SETTLE_HEADER] = f"{SETTLE_SECONDS:g}"


async def _hang_up(app: web.Application) -> None:
    context = app[CONTEXT]
    context.ended.set()
    context.release()
    goodbyes = [asyncio.create_task(each.close(code=WSCloseCode.GOING_AWAY)) for each in context.sockets]
    if goodbyes:
        _, unheard = await asyncio.wait(goodbyes, timeout=_GOODBYE_SECONDS)
        for goodbye in unheard:
            goodbye.cancel()
        await asyncio.gather(*goodbyes, return_exceptions=True)
