"""How a request is sent exactly once, by whom, and what it means when the line breaks."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from typing import Any

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from vcnb.errors import ServiceBrokenError, ServiceUnreachableError, SpeechInterruptedError, VcnbError
from vcnb.settings import Secret, is_loopback

from .call import Call
from .take import Take

__all__ = [
    "BrokenLineError",
    "KeyAuth",
    "Once",
    "UNTRUSTED",
    "broken",
    "interrupted",
    "lost_speech",
    "once",
    "reason_of",
    "silent",
    "stop_reason",
    "unreachable",
]

CONNECT_TIMEOUT = 10.0  # seconds; ours: the other end of the world answers in one
BEHIND = 1.0  # seconds; ours: the library's own time-out stands behind the call's deadline, which names the cause
UNTRUSTED = "its certificate is not trusted"
BYTES_LIMIT = 64_000_000  # ours: 600 characters are about 5 MB of base64, 1,000 voices about 0.3 MB


class BrokenLineError(requests.RequestException):
    """A request got no whole answer. No `requests.ConnectionError`: those the SDK sends again by itself."""


class KeyAuth(requests.auth.AuthBase):
    """Adds the key where the request is written, so that no object before it holds the key.

    It also keeps ``~/.netrc`` from putting another one in its place.

    Parameters
    ----------
    key : Secret
        The key.
    """

    def __init__(self, key: Secret) -> None:
        self._key = key

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Write the header."""
        request.headers["Authorization"] = "Bearer " + self._key.reveal()
        return request


class Once(requests.Session):
    """A session that sends one request, follows no redirect, and is stopped by its call."""

    def get_redirect_target(self, resp: requests.Response) -> None:  # noqa: ARG002
        """Follow nothing: a redirect would carry the request, and perhaps the key, to somebody else."""
        return


def once(call: Call, *, host: str | None, key: Secret | None) -> Once:
    """Open a session for one request.

    Parameters
    ----------
    call : Call
        Stops it.
    host : str or None
        Where it goes; for this machine itself no proxy of the environment is asked.
    key : Secret or None
        None: no key is sent.

    Returns
    -------
    Once
        To be closed by the caller.
    """
    session = Once()
    session.trust_env = not is_loopback(host)
    session.auth = KeyAuth(key) if key is not None else _nobody
    adapter = _OneShot(call)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


def _nobody(request: requests.PreparedRequest) -> requests.PreparedRequest:
    request.headers.pop("Authorization", None)
    return request


class _OneShot(HTTPAdapter):
    """Sends one request on a fresh connection, and never a second one."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._used = False
        self._response: requests.Response | None = None
        super().__init__(pool_connections=1, pool_maxsize=1, max_retries=0)

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = _pools(self._call)

    def proxy_manager_for(self, *args: Any, **options: Any) -> Any:
        manager = super().proxy_manager_for(*args, **options)
        manager.pool_classes_by_scheme = _pools(self._call)
        return manager

    def close(self) -> None:
        # A stream that is left before its end would keep its connection: the session knows only idle ones.
        if self._response is not None:
            self._response.close()
        super().close()

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        if self._used:
            raise BrokenLineError("a request is sent once")
        self._used = True
        failed = ""
        try:
            response = super().send(request, *args, **options)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError, AttributeError) as error:
            failed = _reason(error)
        if failed:
            raise BrokenLineError(failed)
        self._response = response
        self._call.status = response.status_code
        self._call.retry_after = response.headers.get("Retry-After")
        # setattr: the one place through which every reader of the body goes, ours and the SDK's.
        setattr(response.raw, "stream", _counted(response.raw.stream, self._call))  # noqa: B010
        return response


def _counted(stream: Any, call: Call) -> Any:
    def read(*args: Any, **options: Any) -> Iterator[bytes]:
        total = 0
        for chunk in stream(*args, **options):
            total += len(chunk)
            if total > BYTES_LIMIT:
                raise BrokenLineError(f"the answer is longer than {BYTES_LIMIT:,} bytes")
            if call.stopped:  # what came before the line was shut may take long to go through
                raise BrokenLineError(stop_reason(call))
            yield chunk

    return read


def _pools(call: Call) -> dict[str, type[HTTPConnectionPool]]:
    """Make connections that put themselves within the call's reach as soon as they stand."""

    class Plain(HTTPConnection):
        debuglevel = 0  # http.client's, if somebody sets it, would print every header

        def connect(self) -> None:
            super().connect()
            call.hold(self.sock)

        def getresponse(self) -> Any:
            _say_sent(call)
            return super().getresponse()

    class Sealed(HTTPSConnection):
        debuglevel = 0  # http.client's, if somebody sets it, would print every header

        def connect(self) -> None:
            super().connect()
            call.hold(self.sock)

        def getresponse(self) -> Any:
            _say_sent(call)
            return super().getresponse()

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class SealedPool(HTTPSConnectionPool):
        ConnectionCls = Sealed

    return {"http": PlainPool, "https": SealedPool}


def _say_sent(call: Call) -> None:
    """Tell that a whole request was written: what comes next is waiting for its answer."""
    if call.on_sent is not None:
        call.on_sent()


def _reason(error: BaseException) -> str:
    """Say in a few words why a line broke; never the request, which bears the key."""
    seen: list[Any] = []
    inner: Any = error
    while inner is not None and len(seen) < 6:
        seen.append(inner)
        reason = getattr(inner, "reason", None)
        wrapped = next((each for each in getattr(inner, "args", ()) if isinstance(each, BaseException)), None)
        inner = reason if isinstance(reason, BaseException) else wrapped or inner.__cause__ or inner.__context__
    for each in reversed(seen):
        if isinstance(each, socket.gaierror):
            return "its name is not known"
        if isinstance(each, ConnectionRefusedError):
            return "nobody listens there"
        if isinstance(each, ConnectionResetError | BrokenPipeError):
            return "the line was cut"
        if isinstance(each, TimeoutError | urllib3.exceptions.TimeoutError):
            return "no answer in time"
        if isinstance(each, ssl.SSLCertVerificationError):
            return UNTRUSTED
        if isinstance(each, ssl.SSLError):
            return f"the encrypted line failed ({getattr(each, 'reason', None) or type(each).__name__})"
    if any(isinstance(each, urllib3.exceptions.ProxyError) for each in seen):
        return "the proxy of the environment failed"
    if any(isinstance(each, urllib3.exceptions.ProtocolError) for each in seen):
        return "the line was cut"
    return type(seen[-1]).__name__


def reason_of(error: BaseException) -> str:
    """Say in a few words why a line broke."""
    return str(error) if isinstance(error, BrokenLineError) and not error.__cause__ else _reason(error)


def unreachable(host: str | None, reason: str, *, region: str) -> ServiceUnreachableError:
    """Make the error for a request that was provably not sent.

    Parameters
    ----------
    host : str or None
        Where it should have gone.
    reason : str
        Why not.
    region : str
        Decides the remedy.
    """
    if reason == UNTRUSTED:
        remedy = "check the clock; a proxy that opens encrypted lines needs its certificate in REQUESTS_CA_BUNDLE"
    elif region == "practice":
        remedy = "start the practice service again (vcnb.connect does)"
    else:
        remedy = "check the network, the proxy and base_url, then try again"
    return ServiceUnreachableError(f"{host} could not be reached: {reason}. Nothing was sent.", remedy=remedy)


def lost_speech(reason: str) -> SpeechInterruptedError:
    """Make the error for speech that was asked for and did not come whole."""
    return SpeechInterruptedError(
        f"The speech broke off: {reason}.",
        remedy="it may have been billed; asking again is billed again",
    )


def broken(message: str, *, status: int | None = None, request_id: str = "") -> ServiceBrokenError:
    """Make the error for an answer that makes no sense."""
    return ServiceBrokenError(
        message,
        status=status,
        request_id=request_id,
        remedy="it may have been billed; if it stays, give the request id to the service's support",
    )


def silent(take: Take) -> ServiceBrokenError:
    """Make the error for an answer that ended well and held no sound."""
    return broken("The service said that it was done and sent no sound.", request_id=(take.request_ids or [""])[-1])


def stop_reason(call: Call) -> str:
    """Say why a call was stopped."""
    if call.stopped == "silence":
        return f"nothing was heard for {call.silence:g} s"
    if call.stopped == "cancelled":
        return "it was cancelled"
    return f"the deadline of {round(call.timeout, 2):g} s passed"


def interrupted(call: Call, reason: str, *, host: str | None, region: str) -> VcnbError:
    """Say what it means that a request for speech got no whole answer."""
    reason = stop_reason(call) if call.stopped else reason
    return lost_speech(reason) if call.sent else unreachable(host, reason, region=region)
