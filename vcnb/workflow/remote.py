"""A recording that lies at a URL: fetched once, guarded, so that it can be judged before the service fetches it."""

from __future__ import annotations

import ipaddress
import os
import socket
import time
from urllib.parse import unquote, urljoin, urlsplit

import requests

from vcnb.audio.clip import Clip
from vcnb.audio.load import read_clip
from vcnb.catalog import BYTES_REFUSED
from vcnb.errors import ClipError, SettingsError
from vcnb.settings import Settings

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
    deadline = time.monotonic() + timeout
    with requests.Session() as session:
        session.trust_env = urlsplit(url).scheme == "https"
        session.auth = _nobody  # keeps ~/.netrc out of it
        at = url
        for _ in range(REDIRECTS + 1):
            if settings.region != "practice" or urlsplit(at).netloc != urlsplit(settings.base_url).netloc:
                _refuse_private(urlsplit(at).hostname or "")
            with session.get(at, stream=True, timeout=(10, 10), allow_redirects=False) as response:
                if response.is_redirect:
                    at = check_url(urljoin(at, response.headers["Location"]), settings)
                    continue
                if response.status_code != 200:
                    raise OSError(f"status {response.status_code}")
                data = _read(response, deadline)
            name = os.path.basename(unquote(urlsplit(url).path)) or "recording"
            return read_clip(data, url=url, name=name)
    raise OSError("too many redirects")


def _read(response: requests.Response, deadline: float) -> bytes:
    pieces, size = [], 0
    for piece in response.iter_content(65536):
        size += len(piece)
        if size >= BYTES_REFUSED:
            raise ClipError(
                f"The file at the address has more than {BYTES_REFUSED / 2**20:g} MiB; the service takes less.",
                remedy="load the file, run vcnb.repair on it and send it from here",
            )
        if time.monotonic() > deadline:
            raise TimeoutError("too slow")
        pieces.append(piece)
    return b"".join(pieces)


def _refuse_private(host: str) -> None:
    """Keep requests out of this machine and its network: the service could not go there either."""
    for found in socket.getaddrinfo(host, 443, type=socket.SOCK_STREAM):
        if not ipaddress.ip_address(str(found[4][0]).split("%")[0]).is_global:
            raise OSError(f"{host} is not public")


def _nobody(request: requests.PreparedRequest) -> requests.PreparedRequest:
    request.headers.pop("Authorization", None)
    return request
