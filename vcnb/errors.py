"""The errors of vcnb, one tree by meaning.

::

    VcnbError                              .remedy
    ├─ ClipError(ValueError)               a recording that cannot be read, judged or sent
    ├─ SettingsError(ValueError)           a setting or an argument that cannot work; nothing was sent
    ├─ ConsentMissingError                 nobody said that the speaker agreed; nothing was sent
    ├─ SpendLimitError                     the next step would pass the limit; nothing was sent
    ├─ LibraryError                        the library cannot be read or written
    ├─ CancelledError                      the user stopped it
    ├─ OutcomeUnknownError                 .intent; sent, and no answer says whether it was done
    ├─ ServiceError                        .code .status .request_id; the service answered no
    │  ├─ AuthenticationError              the key is not known there
    │  ├─ AccessDeniedError                the key is known and may not
    │  ├─ InvalidRequestError(ValueError)  the request itself is wrong
    │  ├─ AudioRejectedError               the recording was refused
    │  ├─ ContentRefusedError              moderation
    │  ├─ VoiceNotFoundError(LookupError)  no such voice in this account
    │  ├─ ModelMismatchError               the voice was made for another model
    │  ├─ QuotaError                       no place or no money left; asking again changes nothing
    │  ├─ RateLimitedError                 too fast; later it works
    │  └─ ServiceBrokenError               the service's own fault, or an answer that makes no sense
    ├─ ServiceUnreachableError(OSError)    no conversation came about
    └─ SpeechInterruptedError              .received; sound broke off before its end

The message holds the value, `remedy` one sentence that the reader can act on.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Sequence
from types import TracebackType
from typing import Any

__all__ = [
    "AccessDeniedError",
    "AudioRejectedError",
    "AuthenticationError",
    "CancelledError",
    "ClipError",
    "ConsentMissingError",
    "ContentRefusedError",
    "InvalidRequestError",
    "LibraryError",
    "ModelMismatchError",
    "OutcomeUnknownError",
    "QuotaError",
    "RateLimitedError",
    "ServiceBrokenError",
    "ServiceError",
    "ServiceUnreachableError",
    "SettingsError",
    "SpeechInterruptedError",
    "SpendLimitError",
    "VcnbError",
    "VoiceNotFoundError",
    "visible",
]

# Control characters but the line break, those that turn the direction of what follows, and halves of characters.
_INVISIBLE = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")

LONGEST = 2_000  # characters of a message; ours: a service, a file or a page may put a megabyte into it


def visible(text: str) -> str:
    """Write control and direction characters as escapes, so that a text of others cannot act on a screen.

    Parameters
    ----------
    text : str
        From a service, a file's name or a person.

    Returns
    -------
    str
        For example ``"\\x1b[2J"`` for the order that clears a terminal.
    """
    return _INVISIBLE.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)


class VcnbError(Exception):
    """Anything that vcnb cannot go on from.

    Parameters
    ----------
    message : str
        What happened, with the value it happened to.
    remedy : str
        One sentence: what to do.
    """

    def __init__(self, message: str, *, remedy: str = "") -> None:
        if len(message) > LONGEST:  # what happened stands first or last, and what it happened to may be long
            message = f"{message[: LONGEST // 2]}…{message[-LONGEST // 2 :]}"
        self.message = visible(message)
        self.remedy = visible(remedy)
        super().__init__(self.message)

    def __str__(self) -> str:
        return f"{self.message}\n  try: {self.remedy}" if self.remedy else self.message

    def __reduce__(self) -> tuple[Any, ...]:
        # Keyword-only fields do not survive the default pickling, and workers send errors home.
        return _rebuilt, (type(self), self.message), self.__dict__

    def _render_traceback_(self) -> list[str]:
        # IPython asks for this. A notebook shows the line of one's own that led here; ours too under `%xmode Verbose`.
        from IPython import get_ipython

        formatter = get_ipython().InteractiveTB
        whole = formatter.mode == "Verbose"
        error, path = (self, self.__traceback__) if whole else (copy.copy(self), _outside(self.__traceback__))
        lines: list[str] = formatter.structured_traceback(type(self), error, path)
        return lines


def _rebuilt(kind: type[VcnbError], message: str) -> VcnbError:
    return kind(message)


def _outside(path: TracebackType | None) -> TracebackType | None:
    """Keep of a traceback what comes before the first line of ours."""
    if path is None or path.tb_frame.f_globals.get("__name__", "").partition(".")[0] == "vcnb":
        return None
    return TracebackType(_outside(path.tb_next), path.tb_frame, path.tb_lasti, path.tb_lineno)


class ClipError(VcnbError, ValueError):
    """A recording that cannot be read, judged or sent."""


class SettingsError(VcnbError, ValueError):
    """A setting or an argument that cannot work; nothing was sent."""


class ConsentMissingError(VcnbError):
    """Nobody said that the speaker agreed; nothing was sent."""


class SpendLimitError(VcnbError):
    """The next step would pass the spending limit; nothing was sent."""


class LibraryError(VcnbError):
    """The library cannot be read or written: disk full, no permission, another process, a newer version."""


class CancelledError(VcnbError):
    """The user stopped it."""


class OutcomeUnknownError(VcnbError):
    """A request was sent and no answer says whether it was carried out.

    Parameters
    ----------
    message : str
        What happened.
    intent : object or None
        What was asked for; its text helps to find it again. An account's is what `account.settle` takes.
    candidates : sequence of Voice
        The voices that it may have become, where nobody but a person can tell.
    remedy : str
        What to do.
    """

    def __init__(self, message: str, *, intent: Any = None, candidates: Sequence[Any] = (), remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.intent = intent
        self.candidates = tuple(candidates)


class ServiceError(VcnbError):
    """The service answered, and refused or failed.

    Parameters
    ----------
    message : str
        The service's words.
    code : str
        The service's code, "" where the answer had none.
    status : int or None
        HTTP status, or None where the transport has none.
    request_id : str
        For a question to the service's support, "" where unknown.
    remedy : str
        What to do.
    """

    def __init__(
        self, message: str, *, code: str = "", status: int | None = None, request_id: str = "", remedy: str = ""
    ) -> None:
        super().__init__(message, remedy=remedy)
        self.code = code
        self.status = status
        self.request_id = request_id


class AuthenticationError(ServiceError):
    """The service does not know the key."""


class AccessDeniedError(ServiceError):
    """The service knows the key and does not allow this."""


class InvalidRequestError(ServiceError, ValueError):
    """The service found the request itself wrong."""


class AudioRejectedError(ServiceError):
    """The service refused the recording."""


class ContentRefusedError(ServiceError):
    """The service's moderation refused the content."""


class VoiceNotFoundError(ServiceError, LookupError):
    """No such voice in this account."""


class ModelMismatchError(ServiceError):
    """The voice was made for another model."""


class QuotaError(ServiceError):
    """No place or no money is left; asking again changes nothing."""


class RateLimitedError(ServiceError):
    """Too many requests; later it works."""


class ServiceBrokenError(ServiceError):
    """The service failed, or its answer makes no sense."""

    @property
    def was_busy(self) -> bool:
        """Whether it had no room for the request (503), and so did nothing; in a stream two codes stand for it."""
        return self.status == 503 or (self.status is None and self.code in ("ModelServingError", "ModelUnavailable"))


class ServiceUnreachableError(VcnbError, OSError):
    """No conversation with the service came about."""


class SpeechInterruptedError(VcnbError):
    """Speech broke off before its end.

    Parameters
    ----------
    message : str
        What happened.
    received : Clip or None
        The sound that did arrive, in order.
    remedy : str
        What to do.
    code : str
        The service's code, "" where it said none.
    request_id : str
        Of the request that broke off, "" where unknown.
    """

    def __init__(
        self, message: str, *, received: Any = None, remedy: str = "", code: str = "", request_id: str = ""
    ) -> None:
        super().__init__(message, remedy=remedy)
        self.received = received
        self.code = code
        self.request_id = request_id
