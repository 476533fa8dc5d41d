"""How a socket to the service is opened, with a deadline and a cause that can be named."""

from __future__ import annotations

import os
import socket
from typing import Any
from urllib.parse import SplitResult, urlsplit

import requests.utils
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection

from vcnb.settings import is_loopback

from .call import Call
from .wire import CONNECT_TIMEOUT, reason_of

__all__ = ["dial"]


def dial(address: SplitResult, call: Call) -> socket.socket | str:
    """Connect to a WebSocket address: through the environment's proxy, but never for this machine itself.

    Parameters
    ----------
    address : SplitResult
        ``ws`` or ``wss``.
    call : Call
        Deadline and stop; holds the socket.

    Returns
    -------
    socket.socket or str
        The connected socket, encrypted for ``wss``; or why there is none.
    """
    connection = _connection(address, timeout=max(0.001, min(CONNECT_TIMEOUT, call.remaining)))
    if isinstance(connection, str):
        return connection
    try:
        connection.connect()
    except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
        failed = reason_of(error)
    else:
        sock: socket.socket = connection.sock
        sock.settimeout(None)  # from here on the call's deadline counts
        call.hold(sock)
        return sock
    connection.close()
    return failed


def _connection(address: SplitResult, *, timeout: float) -> HTTPConnection | str:
    host, secure = address.hostname or "", address.scheme == "wss"
    port = address.port or (443 if secure else 80)
    kind = HTTPSConnection if secure else HTTPConnection
    url = f"{'https' if secure else 'http'}://{address.netloc}"
    with requests.Session() as session:
        session.trust_env = not is_loopback(host)
        environment = session.merge_environment_settings(url, {}, None, None, None)
    # What requests trusts: the file or folder that the environment names, else its own.
    bundle = environment["verify"] if isinstance(environment["verify"], str) else requests.utils.DEFAULT_CA_BUNDLE_PATH
    options: dict[str, Any] = {"ca_cert_dir" if os.path.isdir(bundle) else "ca_certs": bundle} if secure else {}
    proxy = requests.utils.select_proxy(url, environment["proxies"])
    if not proxy:
        return kind(host, port, timeout=timeout, **options)
    parts = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return f"a {parts.scheme} proxy cannot carry the socket"
    through = kind(parts.hostname, parts.port or 80, timeout=timeout, **options)
    through.set_tunnel(host, port, headers=HTTPAdapter().proxy_headers(parts.geturl()), scheme=parts.scheme)
    return through
