"""How speech is received whole, over HTTP, and from where its file may be fetched."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import requests
import urllib3

from vcnb.errors import VcnbError
from vcnb.settings import Settings

from .call import Call
from .pcm import Unpacker, joined
from .posting import ATTEMPTS, answers
from .take import Order, Take
from .text import split_text
from .wire import BEHIND, CONNECT_TIMEOUT, broken, lost_speech, once, reason_of, silent, stop_reason

__all__ = ["HttpSynthesizer", "check_result_url"]


class HttpSynthesizer:
    """Speaks with one answer a request, whose sound lies at an address.

    Parameters
    ----------
    settings : Settings
        Where to, and with which key.
    order : Order
        Voice, model and language.
    """

    def __init__(self, settings: Settings, order: Order) -> None:
        self._settings = settings
        self._order = order

    def stream(self, text: str, *, call: Call, take: Take) -> Iterator[bytes]:
        """Speak; see :class:`vcnb.client.synthesizer.Synthesizer`."""
        parts = [part.strip() for part in split_text(text) if part.strip()]
        take.begin()
        for number, part in enumerate(parts):
            sound = self._one(part, call, take)
            yield from joined(iter([sound]), first=number == 0, last=number == len(parts) - 1)

    def _one(self, part: str, call: Call, take: Take) -> bytes:
        url, data = "", b""
        for answer in answers(self._settings, self._order, part, stream=False, call=call, take=take):
            url, data = answer.url, answer.data
        if url:
            data = self._fetched(check_result_url(url, self._settings), call)
            if data[:4] != b"RIFF":
                raise broken(f"The result is no WAV file: it begins with {data[:8]!r}.")
        unpacker = Unpacker(whole=True)
        sound = unpacker.feed(data)
        if unpacker.missing:
            raise lost_speech(f"the file ends {unpacker.missing} bytes before its end")
        if not sound:
            raise silent(take)
        return sound

    def _fetched(self, url: str, call: Call) -> bytes:
        """Fetch the file, again where that may help: fetching is free."""
        attempt = 0
        while True:
            attempt += 1
            found = _fetch(url, call)
            if isinstance(found, bytes):
                return found
            passing = call.status is None or call.status >= 500 or call.status in (200, 429)
            if not passing or attempt >= ATTEMPTS or not call.pause(attempt):
                raise found


def _fetch(url: str, call: Call) -> bytes | VcnbError:
    host = urlsplit(url).hostname
    call.status = None
    # No key: the address carries its own permission, and the key is for the service alone.
    with once(call, host=host, key=None) as session:
        try:
            limits = (max(0.001, min(CONNECT_TIMEOUT, call.remaining)), call.remaining + BEHIND)
            with session.get(url, timeout=limits, stream=True) as response:
                data = b"".join(response.iter_content(65_536))
            failed = ""
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            data, failed = b"", reason_of(error)
    call.sent = True  # the text was; the file not being reached changes nothing about that
    if call.stopped:
        return lost_speech(stop_reason(call))
    if failed:
        return lost_speech(f"its file could not be fetched: {failed}")
    if call.status == 200:
        return data
    if call.status in (403, 404, 410):
        return broken(f"The address of the result has expired (status {call.status}).", status=call.status)
    return broken(f"The file of the result is not given out (status {call.status}).", status=call.status)


def check_result_url(url: str, settings: Settings) -> str:
    """Refuse to fetch from anywhere but the service's own storage.

    Parameters
    ----------
    url : str
        As the service gave it.
    settings : Settings
        Which service.

    Returns
    -------
    str
        The address to fetch, https for the hosted service.

    Raises
    ------
    ServiceBrokenError
        If it leads elsewhere.
    """
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError:
        raise broken("The address of the result is none.") from None
    own = urlsplit(settings.base_url)
    if settings.region == "practice":
        fine = (parts.scheme, host, port) == (own.scheme, own.hostname, own.port)
    else:
        fine = parts.scheme in ("http", "https") and host.endswith(".aliyuncs.com") and port in (None, 80, 443)
    if not fine or parts.username is not None or any(letter <= " " or letter == "\\" for letter in url):
        raise broken(f"The result is said to lie at {host or 'no host'}, which is not the service's storage.")
    if settings.region == "practice":
        return url
    # The service writes http; its storage answers https as well.
    return parts._replace(scheme="https", netloc=host).geturl()
