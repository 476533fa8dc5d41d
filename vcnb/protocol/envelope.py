"""What an answer of the service means: a result, or which error with which remedy.

The codes are those of the service's page on error codes (reference, November 2026). One code can mean two things by
status, and one transport hides the status, so the code is read first, then the status, then the words.
"""

from __future__ import annotations

import json
import re
from typing import Any, Protocol

from vcnb.errors import (
    AccessDeniedError,
    AudioRejectedError,
    AuthenticationError,
    ContentRefusedError,
    InvalidRequestError,
    ModelMismatchError,
    QuotaError,
    RateLimitedError,
    ServiceBrokenError,
    ServiceError,
    VoiceNotFoundError,
)

__all__ = ["FOLDER_HEADER", "Revealing", "SETTLE_HEADER", "decipher", "error_of", "masked", "request_headers"]

# What each answer of the practice service says: whose it is, and how soon its list shows what was made (s).
FOLDER_HEADER = "X-Vcnb-Practice-Folder"
SETTLE_HEADER = "X-Vcnb-Practice-Settle"

Verdict = tuple[type[ServiceError], str]

_WORDS_LIMIT = 500  # ours: a page of HTML from a proxy is no message

_KEY: Verdict = (AuthenticationError, 'keys differ between Singapore and Beijing; region is now "{region}"')
_PRACTICE_KEY = "give the key that `vcnb practice` prints"
_MAY: Verdict = (AccessDeniedError, "check in the console what the key's workspace may use")
_PAY: Verdict = (QuotaError, "settle the account in the console; nothing was billed for this request")
_SLOW: Verdict = (RateLimitedError, "wait a minute and ask again, or ask for fewer at once")
_BROKEN: Verdict = (ServiceBrokenError, "try again later; if it stays, give the request id to the service's support")
_REQUEST: Verdict = (InvalidRequestError, "compare the arguments with the service's page")
_EMPTY: Verdict = (InvalidRequestError, "a needed field is missing: compare the arguments with the service's page")
_AUDIO: Verdict = (AudioRejectedError, "run vcnb.diagnose on the clip, and vcnb.repair where it says so")
_FORMAT: Verdict = (AudioRejectedError, "send WAV (16-bit), MP3 or M4A; vcnb.repair makes a WAV that fits")
_RATE: Verdict = (AudioRejectedError, "record at 24 kHz or more; vcnb.repair raises the rate of a file")
_SPEECH: Verdict = (
    AudioRejectedError,
    "give at least 3 s of clear, continuous speech, and a transcript word for word or none",
)
_MODEL: Verdict = (InvalidRequestError, "use one of the models for cloned voices, spelled as on the service's page")
_VOICE: Verdict = (
    ModelMismatchError,
    "look in the list of voices that it exists, and speak with the target_model and region it was made for",
)

# The table: code -> class and remedy, the same for every status.
_CODES: dict[str, Verdict] = {
    "InvalidParameter": _REQUEST,
    "invalid_value": _REQUEST,
    "InvalidURL": (InvalidRequestError, "give an https address that anybody can open"),
    "ClientDisconnect": (InvalidRequestError, "the upload broke off: try again on a steadier line"),
    "BadRequest.EmptyInput": _EMPTY,
    "BadRequest.EmptyParameters": _EMPTY,
    "BadRequest.EmptyModel": _EMPTY,
    "BadRequest.IllegalInput": _REQUEST,
    "BadRequest.ResourceNotExist": (VoiceNotFoundError, "list the voices; it may have been deleted"),
    "BadRequest.VoiceNotFound": (VoiceNotFoundError, "list the voices; it may have been deleted"),
    "BadRequest.InputDownloadFailed": (AudioRejectedError, "publish the file without a login, or send it from here"),
    "BadRequest.UnsupportedFileFormat": _FORMAT,
    "BadRequest.TooLarge": (AudioRejectedError, "send less than 10 MB; vcnb.repair makes it small enough"),
    "Audio.PreprocessError": _SPEECH,
    "Audio.DecoderError": _FORMAT,
    "Audio.AudioRateError": _RATE,
    "Audio.DurationLimitError": (AudioRejectedError, "send at most 60 s; vcnb.repair cuts it"),
    "Audio.FileSizeExceed": (AudioRejectedError, "send less than 10 MB; vcnb.repair makes it small enough"),
    "Audio.AudioShortError": _SPEECH,
    "Audio.AudioSilentError": _SPEECH,
    "DataInspectionFailed": (ContentRefusedError, "change the words or the recording that moderation refused"),
    "data_inspection_failed": (ContentRefusedError, "change the words or the recording that moderation refused"),
    "Arrearage": _PAY,
    "CommodityNotPurchased": _PAY,
    "PrepaidBillOverdue": _PAY,
    "PostpaidBillOverdue": _PAY,
    "AllocationQuota.FreeTierOnly": (QuotaError, "the free quota is used up: allow paid use in the console"),
    "InvalidApiKey": _KEY,
    "invalid_api_key": _KEY,
    "AccessDenied": _MAY,
    "AccessDenied.Unpurchased": _MAY,
    "Model.AccessDenied": _MAY,
    "Workspace.AccessDenied": _MAY,
    "ModelNotFound": _MODEL,
    "WorkSpaceNotFound": (InvalidRequestError, "check the workspace's id in the console, or leave it out"),
    "NotFound": (InvalidRequestError, "check base_url: it ends in /api/v1"),
    "Throttling": _SLOW,
    "Throttling.RateQuota": _SLOW,
    "Throttling.BurstRate": _SLOW,
    "Throttling.AllocationQuota": _SLOW,
    "LimitRequests": _SLOW,
    "InternalError": _BROKEN,
    "InternalError.Algo": _BROKEN,
    "InternalError.Timeout": _BROKEN,
    "SystemError": _BROKEN,
    "ModelServiceFailed": _BROKEN,
    "RequestTimeOut": _BROKEN,
    "ModelServingError": _BROKEN,
    "ModelUnavailable": _BROKEN,
}
# Codes of a family that the page does not list are still of the family.
_FAMILIES: tuple[tuple[str, Verdict], ...] = (
    ("Throttling", _SLOW),
    ("Audio.", _AUDIO),
    ("BadRequest.", _REQUEST),
    ("InternalError", _BROKEN),
    ("AccessDenied", _MAY),
)
_STATUSES: dict[int, Verdict] = {
    401: _KEY,
    403: _MAY,
    404: (InvalidRequestError, "check base_url: it ends in /api/v1"),
    413: (AudioRejectedError, "send less than 10 MB; vcnb.repair makes it small enough"),
    429: _SLOW,
    430: _AUDIO,  # reference: the service's own, for recordings
}
# A general code whose words say which of its meanings it is. The first that is found counts.
_SAYINGS: tuple[tuple[str, Verdict], ...] = (
    (r"voice storage limit", (QuotaError, "1,000 voices are stored: delete some")),
    (r"invalid voice specified|engine return error code: ?(411|418)|input should be 'cherry'", _VOICE),
    (
        r"url error|invalid message type",
        (InvalidRequestError, "realtime models speak over the realtime transport only, the others over HTTP only"),
    ),
    (r"model (can )?not (be )?(found|exist)", _MODEL),
    (r"range of input length", (InvalidRequestError, "give 1 to 600 characters a request")),
)
_GENERAL = frozenset(["", "Unknown", "InvalidParameter", "invalid_value", "Throttling.AllocationQuota", "CLIENT_ERROR"])


class Revealing(Protocol):
    """Something that holds a key and shows it only when asked."""

    def reveal(self) -> str:
        """Return the key."""
        ...


def request_headers(workspace: str | None = None) -> dict[str, str]:
    """Write the headers of a request, without its key: that is added where it is sent.

    Parameters
    ----------
    workspace : str, optional
        Id of the workspace.

    Returns
    -------
    dict
        Header names and values.
    """
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    if workspace:
        headers["X-DashScope-WorkSpace"] = workspace
    return headers


def masked(words: str, key: Revealing | None = None) -> str:
    """Blot out keys that somebody echoed.

    Parameters
    ----------
    words : str
        A message from outside.
    key : Revealing, optional
        The key in use; whatever looks like a key of the service goes in any case.

    Returns
    -------
    str
        The same words without a key.
    """
    if key is not None and key.reveal():
        words = words.replace(key.reveal(), "…")
    words = re.sub(r"\b(sk|st)-[A-Za-z0-9_\-]{6,}", r"\1-…", words)
    return re.sub(r"(?i)\b(bearer)\s+\S+", r"\1 …", words)


def decipher(status: int, body: bytes, *, region: str, key: Revealing | None = None) -> dict[str, Any]:
    """Read the whole answer to a request.

    Parameters
    ----------
    status : int
        HTTP status.
    body : bytes
        The body as it came.
    region : str
        Named in remedies.
    key : Revealing, optional
        Blotted out of messages.

    Returns
    -------
    dict
        The body of a success: ``output`` (made empty where it is missing), ``usage``, ``request_id``.

    Raises
    ------
    ServiceError
        The class that code and status mean; `ServiceBrokenError` for a success that is no JSON object.
    """
    found = _parsed(body)
    if 200 <= status < 300 and found is not None and not found.get("code"):
        output = found.get("output")
        return {**found, "output": output if isinstance(output, dict) else {}}
    if found is None:
        words = re.sub(r"<[^>]*>|\s+", " ", body[:4000].decode("utf-8", "replace")).strip()
        if 200 <= status < 300:
            said = masked(words, key)[:80]
            raise ServiceBrokenError(f"The answer is no JSON object: {said!r}.", status=status, remedy=_BROKEN[1])
        found = {"message": words}
    raise error_of(
        str(found.get("code") or ""),
        str(found.get("message") or ""),
        status=status,
        request_id=str(found.get("request_id") or ""),
        region=region,
        key=key,
    )


def error_of(
    code: str,
    message: str,
    *,
    status: int | None,
    request_id: str = "",
    region: str = "",
    key: Revealing | None = None,
) -> ServiceError:
    """Make the one error that a code and a status mean.

    Parameters
    ----------
    code : str
        The service's code, "" where there was none.
    message : str
        The service's words.
    status : int or None
        HTTP status; None where the transport tells none (inside a stream, on the socket).
    request_id : str
        The service's id of the request.
    region : str
        Named in remedies.
    key : Revealing, optional
        Blotted out of the message.

    Returns
    -------
    ServiceError
        A member of the tree in :mod:`vcnb.errors`, not raised.
    """
    # One line, and nothing that a terminal would obey.
    words = re.sub(r"[\s\x00-\x1f\x7f-\x9f]+", " ", masked(message, key)).strip()[:_WORDS_LIMIT]
    kind, remedy = _verdict(code, words, status)
    if kind is AuthenticationError and region == "practice":
        remedy = _PRACTICE_KEY
    if not code and not words:
        words = f"The service refused with status {status} and said nothing."
        if status is not None and status < 500:
            # Reference: workspace hosts answer 4xx with {}, the public host names code and message.
            remedy = f"leave out base_url: the region's public address says why (or {remedy})"
    return kind(
        words or f"The service answered {code}.",
        code=masked(code, key),
        status=status,
        request_id=masked(request_id, key),
        remedy=remedy.format(region=region or "unknown"),
    )


def _verdict(code: str, words: str, status: int | None) -> Verdict:
    if code in _GENERAL or code.startswith("CLIENT_ERROR"):
        for saying, verdict in _SAYINGS:
            if re.search(saying, f"{code} {words}", re.IGNORECASE):
                return verdict
    if code == "Throttling.AllocationQuota" and status == 400:
        return QuotaError, "1,000 voices are stored: delete some"
    if code in _CODES:
        return _CODES[code]
    for family, verdict in _FAMILIES:
        if code.startswith(family):
            return verdict
    if status in _STATUSES:
        return _STATUSES[status]
    return _REQUEST if status is not None and 400 <= status < 500 else _BROKEN


def _parsed(body: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(body)
        if b"\\ud" in body.lower() or b"\xed" in body:  # halves of characters can be neither kept nor shown
            found = json.loads(json.dumps(found, ensure_ascii=False).encode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
