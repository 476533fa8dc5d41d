"""How a recording comes in by its address without this machine being used to look behind its walls.

The address comes from outside. Only public addresses are connected to, over https, and the very address that was
checked is the one that is connected to, so that a name that changes its mind in between gains nothing. The service's
own address, over plain http, is the one exception: results of the service lie there.
"""

from __future__ import annotations

import asyncio
import functools
import re
import socket
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from vcnb.catalog import BYTES_REFUSED
from vcnb.settings import is_public

from .rules import Refusal

__all__ = ["Network", "fetch"]

_REDIRECTS = 3  # ours
_SECONDS = 20.0  # ours, from the look-up to the last byte
_PIECE_BYTES = 65_536
_OWN_HOSTS = frozenset({"127.0.0.1", "localhost"})


async def _look_up(host: str) -> list[str]:
    found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


@functools.cache
def _trusted() -> ssl.SSLContext:
    import certifi

    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())  # some Pythons on macOS find no certificates of the system
    return context


@dataclass(frozen=True)
class Network:
    """How the outside is reached.

    Parameters
    ----------
    look_up : callable
        Host -> addresses.
    certificates : callable
        Makes the TLS context.
    route : callable
        Address that passed the check -> address to connect to. The same one; only tests, which never leave the
        machine, stand another in for it.
    """

    look_up: Callable[[str], Awaitable[list[str]]] = _look_up
    certificates: Callable[[], ssl.SSLContext] = _trusted
    route: Callable[[str], str] = str


_INTERNET = Network()


async def fetch(url: str, *, own_port: int, seconds: float = _SECONDS, network: Network = _INTERNET) -> bytes:
    """Download a recording.

    Parameters
    ----------
    url : str
        ``audio.data``.
    own_port : int
        Where this service listens on 127.0.0.1.
    seconds : float
        For all of it.
    network : Network
        How the outside is reached.

    Returns
    -------
    bytes
        At most 10 MiB; whatever they are.

    Raises
    ------
    Refusal
        If the address is not allowed, gives no file in time, or gives more than 10 MiB.
    """
    try:
        at = URL(url)
        own = at.scheme == "http" and at.raw_host in _OWN_HOSTS and at.explicit_port == own_port and not _login(at)
        if own:
            at = at.with_host("127.0.0.1")
        certificates = await asyncio.to_thread(network.certificates)
        async with asyncio.timeout(seconds), _session(network, certificates) as session:
            return await _follow(session, at, _REDIRECTS, own=own)
    except (aiohttp.ClientError, OSError, ValueError):  # a time-out is an OSError, a URL that is none a ValueError
        raise _failed() from None


def _session(network: Network, certificates: ssl.SSLContext) -> aiohttp.ClientSession:
    connector = aiohttp.TCPConnector(
        resolver=_Checked(network), use_dns_cache=False, ssl=certificates, force_close=True
    )
    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=False,  # neither a proxy nor a password of the user
        auto_decompress=False,  # 10 MiB are counted as they travel
        headers={"Accept-Encoding": "identity", "User-Agent": "vcnb-practice"},
        timeout=aiohttp.ClientTimeout(total=None),
    )


async def _follow(session: aiohttp.ClientSession, at: URL, redirects: int, *, own: bool) -> bytes:
    if not own:
        _check(at)
    async with session.get(at, allow_redirects=False) as response:
        if response.status == 200:
            return await _read(response)
        moved = response.headers.get("Location")
        if response.status not in (301, 302, 303, 307, 308) or not moved or not redirects:
            raise _failed()
    # Nobody is sent on to this service's own address: only who asked may name it.
    return await _follow(session, at.join(URL(moved)), redirects - 1, own=False)


def _check(at: URL) -> None:
    """Look at all that can be seen before a name is looked up."""
    host = at.raw_host or ""
    if at.scheme != "https" or _login(at) or not host:
        raise _failed()
    # 127.1, 0x7f.0.0.1 and 2130706433 are addresses to the system; names do not end in a number (RFC 3696, 2).
    last = host.rstrip(".").rsplit(".", 1)[-1]
    if (":" in host or re.fullmatch(r"0[xX][0-9a-fA-F]*|\d+", last)) and not is_public(host):
        raise _failed()


def _login(at: URL) -> bool:
    return at.raw_user is not None or at.raw_password is not None


async def _read(response: aiohttp.ClientResponse) -> bytes:
    found = bytearray()
    if (response.content_length or 0) > BYTES_REFUSED:
        raise _too_large()
    async for piece in response.content.iter_chunked(_PIECE_BYTES):
        found += piece
        if len(found) > BYTES_REFUSED:
            raise _too_large()
    return bytes(found)


class _Checked(AbstractResolver):
    """Gives out only addresses that were checked; aiohttp connects to just these."""

    def __init__(self, network: Network) -> None:
        self._network = network

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        addresses = await self._network.look_up(host)
        # One bad address spoils the name: a mixed answer is how rebinding looks.
        if not addresses or not all(is_public(address) for address in addresses):
            raise OSError(f"{host} does not lead to a public address")
        found = [self._result(host, self._network.route(address), port) for address in addresses]
        return [each for each in found if family in (socket.AF_UNSPEC, each["family"])]

    async def close(self) -> None:
        """Nothing is held."""

    @staticmethod
    def _result(host: str, address: str, port: int) -> ResolveResult:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        return ResolveResult(
            hostname=host, host=address, port=port, family=family, proto=0, flags=int(socket.AI_NUMERICHOST)
        )


def _failed() -> Refusal:
    return Refusal(400, "BadRequest.InputDownloadFailed", "Failed to download the input file.")


def _too_large() -> Refusal:
    return Refusal(400, "BadRequest.TooLarge", "Payload Too Large.")
