"""How the SDK is made to post a text exactly once, and what it brought back.

`MultiModalConversation` sends a POST again by itself when the line broke, follows redirects, knows no deadline and
reports a refusal as a field of its answer. The session it is given here allows one request; what comes back is an
answer or one typed error.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3

from vcnb.errors import RateLimitedError, ServiceBrokenError, ServiceUnreachableError, VcnbError
from vcnb.protocol.envelope import error_of
from vcnb.protocol.synthesis import language_type
from vcnb.settings import Settings

from .call import Call
from .take import Order, Take
from .wire import BEHIND, CONNECT_TIMEOUT, UNTRUSTED, Once, broken, interrupted, once, reason_of

__all__ = ["ATTEMPTS", "Answer", "answers", "attempts", "may_repeat"]

ATTEMPTS = 5  # ours, where the service says that it is busy
ATTEMPTS_TO_REACH = 3  # ours, where nobody answers: that is mostly for good


@dataclass(frozen=True)
class Answer:
    """One answer, or one piece of a streamed one.

    Parameters
    ----------
    data : bytes
        Sound.
    url : str
        Where the whole file lies, "" where it was not said.
    finished : bool
        Whether the service said that this is the end.
    """

    data: bytes
    url: str
    finished: bool


def may_repeat(error: VcnbError, call: Call) -> bool:
    """Say whether speech may be asked for again: it was not sent, or refused for now."""
    if call.stopped:
        return False
    if isinstance(error, ServiceUnreachableError):
        return not call.sent
    if isinstance(error, ServiceBrokenError):
        return error.was_busy
    return isinstance(error, RateLimitedError)


def attempts(error: VcnbError) -> int:
    """Say how often a request that ended so is made at most."""
    if isinstance(error, ServiceUnreachableError):
        return 1 if UNTRUSTED in error.message else ATTEMPTS_TO_REACH
    return ATTEMPTS


def answers(settings: Settings, order: Order, text: str, *, stream: bool, call: Call, take: Take) -> Iterator[Answer]:
    """Post a text and bring back what is said to it.

    Parameters
    ----------
    settings : Settings
        Where to, and with which key.
    order : Order
        Voice, model and language.
    text : str
        At most 600 characters.
    stream : bool
        Whether the sound comes in pieces.
    call : Call
        Deadline and stop.
    take : Take
        Learns request ids and characters.

    Yields
    ------
    Answer

    Raises
    ------
    VcnbError
        One typed error.
    """
    host = urlsplit(settings.base_url).hostname
    before = take.characters
    for attempt in range(1, ATTEMPTS + 1):
        call.sent, call.status = False, None
        with once(call, host=host, key=settings.api_key) as session:
            sdk = _sdk(settings, order, text, stream=stream, session=session, timeout=call.remaining)
            took = 0
            while (found := _next(sdk, settings, call)) is not None:
                if isinstance(found, VcnbError):
                    break
                answer, request_id, characters = found
                take.note(request_id)
                take.characters = before + characters
                took += 1
                yield answer
            if not isinstance(found, VcnbError):
                return
        if took or attempt == attempts(found) or not may_repeat(found, call) or not call.pause(attempt):
            raise found


def _sdk(settings: Settings, order: Order, text: str, *, stream: bool, session: Once, timeout: float) -> Iterator[Any]:
    from dashscope import MultiModalConversation

    found: Any = MultiModalConversation.call(
        model=order.target_model,
        # The session writes the key into the request itself, so the SDK's objects and logs never hold it.
        api_key="in-the-session",
        workspace=settings.workspace,
        base_address=settings.base_url,
        text=text,
        voice=order.voice,
        language_type=language_type(order.language),
        stream=stream,
        session=session,
        request_timeout=(max(0.001, min(CONNECT_TIMEOUT, timeout)), timeout + BEHIND),
    )
    if stream:
        yield from found
    else:
        yield found


def _next(sdk: Iterator[Any], settings: Settings, call: Call) -> tuple[Answer, str, int] | VcnbError | None:
    """Let the SDK go one step; a failure is a value, so that no frame with the key in it is carried along."""
    host = urlsplit(settings.base_url).hostname
    try:
        response = next(sdk, None)
        failed, reason = None, ""
    except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
        # A body that is no JSON comes as a RequestException too, and is no broken line.
        failed, reason = (ValueError if isinstance(error, ValueError) else OSError), reason_of(error)
    except (ValueError, TypeError, KeyError, AttributeError):
        failed, reason = ValueError, ""
    if call.stopped or failed is OSError or (failed and not call.sent):
        return interrupted(call, reason, host=host, region=settings.region)
    if failed is ValueError and call.status is not None and call.status >= 300:
        return error_of("", "", status=call.status, region=settings.region)
    if failed is ValueError:
        return broken("The service's answer holds no output that can be read.", status=call.status)
    if response is None:
        return None
    if response.status_code != 200 or response.output is None:
        return _refusal(response, settings, call)
    return _read(response, call)


def _refusal(response: Any, settings: Settings, call: Call) -> VcnbError:
    # Inside a stream the SDK says 400 whatever it was; the line's own status was 200 then.
    code = response.code or ""
    return error_of(
        "" if code == "Unknown" else str(code),
        str(response.message or ""),
        status=None if call.status == 200 else call.status,
        request_id=str(response.request_id or ""),
        region=settings.region,
        key=settings.api_key,
    )


def _read(response: Any, call: Call) -> tuple[Answer, str, int] | VcnbError:
    audio = response.output.audio
    try:
        data = base64.b64decode((audio.data if audio is not None else "") or "", validate=True)
    except ValueError:
        return broken("A piece of sound is no base64.", status=call.status, request_id=str(response.request_id or ""))
    characters = getattr(response.usage, "characters", 0) if response.usage else 0
    return (
        Answer(data, str((audio.url if audio is not None else "") or ""), response.output.finish_reason == "stop"),
        str(response.request_id or ""),
        int(characters or 0),
    )
