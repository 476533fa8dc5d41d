"""Who may talk to the practice service: programs of this machine that hold its key, and no page of a browser.

The service is bound to 127.0.0.1. A page in a browser reaches that address, too: under a name that was rebound to it
(so every Host but our own is refused) or from another site (so every foreign Origin is refused).
"""

from __future__ import annotations

import hmac
import logging
import re

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from vcnb.settings import Secret

from .rules import Refusal

__all__ = ["LOG", "check_key", "check_origin"]


def _quotes_nobody(record: logging.LogRecord) -> bool:
    """Drop what the web server says of a request that is no HTTP: it quotes it, key and all."""
    return not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError))


LOG = logging.getLogger(__name__)
LOG.addFilter(_quotes_nobody)


def check_origin(request: web.Request) -> None:
    """Refuse a request that was meant for another host or comes from another site.

    Raises
    ------
    Refusal
        With status 403.
    """
    address = request.transport.get_extra_info("sockname") if request.transport else None
    port = address[1] if address else 0
    own = {f"127.0.0.1:{port}", f"localhost:{port}"}
    if request.headers.get("Host", "").lower() not in own:
        raise Refusal(403, "AccessDenied", "Access denied: this host is not served here.")
    # The SDK's socket sends its own address as the origin.
    origin = request.headers.get("Origin")
    if origin is not None and origin.lower() not in {f"http://{each}" for each in own}:
        raise Refusal(403, "AccessDenied", "Access denied: another site may not ask here.")


def check_key(request: web.Request, api_key: Secret) -> None:
    """Refuse a request without the key.

    Raises
    ------
    Refusal
        With status 401.
    """
    # RFC 9110 11.1: the name of a scheme has no case.
    given = re.fullmatch(r"bearer +(.+)", request.headers.get("Authorization", ""), re.IGNORECASE)
    known = api_key.reveal().encode()
    if not hmac.compare_digest((given[1] if given else "").encode("utf-8", "surrogateescape"), known):
        raise Refusal(401, "InvalidApiKey", "Invalid API-key provided.")
