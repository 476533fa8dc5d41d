"""A recording that lies at a URL: fetched once, guarded, so that it can be judged before the service fetches it."""

from __future__ import annotations

import os
import socket
from urllib.parse import unquote, urljoin, urlsplit

import requests
import urllib3

from vcnb.audio.clip import Clip
from vcnb.audio.load import read_clip
from vcnb.catalog import BYTES_REFUSED
from vcnb.client.call import Call
from vcnb.client.wire import BEHIND, CONNECT_TIMEOUT, once, reason_of, stop_reason
from vcnb.errors import ClipError, SettingsError
from vcnb.settings import Settings, is_public

__all__ = ["check_url", "fetch", "is_url"]

TIMEOUT = 30.0  # seconds for the whole file; ours
REDIRECTS = 3  # ours


def is_url(source: object) -> bool:
    """Say whether a source is an address on the web.

    Parameters
    ----------
    source : object
        What a user gave as a recording.
    """
    return isinstance(source, str) and source.lower().startswith(("http://", "https://"))


def check_url(url: str, settings: Settings) -> str:
    """Refuse an address that the service could not or should not fetch.

    Parameters
    ----------
    url : str
        Where the recording lies.
    settings : Settings
        Whose service would fetch it.

    Returns
    -------
    str
        The same address.

    Raises
    ------
    SettingsError
        Unless it is https without a user name, or lies at the practice service itself.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise SettingsError(f"{url!r} is no address.", remedy="it looks like https://HOST/FILE.wav") from None
    own = urlsplit(settings.base_url)
    if settings.region == "practice" and (parts.scheme, host, port) == (own.scheme, own.hostname, own.port):
        return url
    if not host or parts.username is not None:
        raise SettingsError(
            "The address of the recording has no host, or a user name in it.",
            remedy="the service fetches it without a login: give a public https address",
        )
    if parts.scheme != "https":
        raise SettingsError(f"{url} is not https.", remedy="give an https address, or send the file from here")
    return url


def fetch(url: str, settings: Settings, *, timeout: float = TIMEOUT) -> Clip:
    """Fetch a recording once, to judge it; no key goes with it.

    Parameters
    ----------
    url : str
        Where it lies; see `check_url`.
    settings : Settings
        Whose service would fetch it.
    timeout : float
        Seconds for the whole file.

    Returns
    -------
    Clip
        Its source keeps the address.

    Raises
    ------
    OSError
        If it cannot be fetched from here: not there, not public, too slow. The service may still be able to.
    ClipError
        If what lies there is longer than the service takes, or no recording.
    """
    at, own = url, urlsplit(settings.base_url).netloc
    with Call(timeout) as call:
        for _ in range(REDIRECTS + 1):
            if settings.region != "practice" or urlsplit(at).netloc != own:
                _refuse_private(urlsplit(at).hostname or "")
            moved, data = _asked(at, call)
            if not moved:
                name = os.path.basename(unquote(urlsplit(url).path)) or "recording"
                return read_clip(data, url=url, name=name)
            at = check_url(urljoin(at, moved), settings)
    raise OSError("too many redirects")


def _asked(at: str, call: Call) -> tuple[str, bytes]:
    """Ask one address, without a key; give where it leads, or what lies there."""
    failed, moved, data = "", "", b""
    with once(call, host=urlsplit(at).hostname, key=None) as session:
        limits = (max(0.001, min(CONNECT_TIMEOUT, call.remaining)), call.remaining + BEHIND)
        try:
            with session.get(at, stream=True, timeout=limits) as response:
                if response.is_redirect:
                    moved = response.headers["Location"]
                elif response.status_code == 200:
                    data = _read(response)
                else:
                    failed = f"status {response.status_code}"
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            failed = reason_of(error)
    if call.stopped or failed:
        raise OSError(stop_reason(call) if call.stopped else failed)
    return moved, data


def _read(response: requests.Response) -> bytes:
    pieces, size = [], 0
    for piece in response.iter_content(65536):
        size += len(piece)
        if size >= BYTES_REFUSED:
            raise ClipError(
                f"The file at the address has more than {BYTES_REFUSED / 2**20:g} MiB; the service takes less.",
                remedy="load the file, run vcnb.repair on it and send it from here",
            )
        pieces.append(piece)
    return b"".join(pieces)


def _refuse_private(host: str) -> None:
    """Keep requests out of this machine and its network: the service could not go there either."""
    try:
        found = {str(each[4][0]) for each in socket.getaddrinfo(host, 443, type=socket.SOCK_STREAM)}
    except UnicodeError:  # a label that is empty or too long
        raise OSError(f"{host[:80]!r} is no name of a host") from None
    if not all(is_public(each) for each in found):
        raise OSError(f"{host} is not public")
