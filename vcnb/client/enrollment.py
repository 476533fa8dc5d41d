"""How voices are made, listed and deleted, so that nothing is made twice.

A creation is one POST on a fresh connection and is never repeated here: the service knows no key that would make a
second one harmless. Listing and deleting are repeated freely within their deadline.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import requests

from vcnb.errors import (
    OutcomeUnknownError,
    RateLimitedError,
    ServiceBrokenError,
    ServiceError,
    ServiceUnreachableError,
    VcnbError,
    VoiceNotFoundError,
)
from vcnb.protocol.enrollment import ENROLLMENT_PATH, create_payload, delete_payload, list_payload
from vcnb.protocol.envelope import SETTLE_HEADER, decipher, masked, request_headers
from vcnb.protocol.voice import Voice, preferred_name_of, voice_of_row
from vcnb.settings import Settings

from .call import Call, check_timeout
from .listing import read_all
from .posting import attempts
from .wire import BEHIND, CONNECT_TIMEOUT, once, reason_of, stop_reason, unreachable

__all__ = ["EnrollmentClient", "UPLOAD_SPEED"]

TIMEOUT = 60.0  # seconds for list and delete; ours
SECONDS_PER_CREATION = 60.0  # ours: and the time of the upload
UPLOAD_SPEED = 50_000  # bytes a second; ours: a slow line, half of what Binder allows


class EnrollmentClient:
    """The enrollment calls of one account.

    Parameters
    ----------
    settings : Settings
        Where to, and with which key.
    timeout : float, optional
        Seconds for a whole call; without it 60 s, and for a creation the time of the upload besides.

    Attributes
    ----------
    settle : float or None
        Seconds after a lost answer in which its effect may still appear, as the practice service announced them in its
        last answer; None where nothing was announced, as by the hosted service.

    Raises
    ------
    SettingsError
        On a time-out that is none.
    """

    def __init__(self, settings: Settings, *, timeout: float | None = None) -> None:
        self._settings = settings
        self._timeout = check_timeout(timeout)
        self._url = settings.base_url.rstrip("/") + ENROLLMENT_PATH
        self._host = urlsplit(settings.base_url).hostname
        self.settle: float | None = None

    def create(
        self,
        *,
        target_model: str,
        preferred_name: str,
        audio: str,
        text: str | None = None,
        language: str | None = None,
        under_way: Callable[[Call], None] | None = None,
    ) -> Voice:
        """Make a voice, by exactly one POST.

        Parameters
        ----------
        target_model : str
            The model that will speak with it.
        preferred_name : str
            1 to 16 letters, digits, underscores.
        audio : str
            A data URI or a public URL.
        text : str, optional
            The transcript of the recording.
        language : str, optional
            Two-letter code of the recording.
        under_way : callable, optional
            Handed the call before anything is sent: to stop it, or to be told when its last byte was sent.

        Returns
        -------
        Voice

        Raises
        ------
        ServiceUnreachableError
            If the request was provably not sent.
        ServiceError
            If the service refused it; nothing was made.
        OutcomeUnknownError
            If it was sent and no answer says whether the voice was made; `intent` says what to look for.
        """
        payload = create_payload(
            target_model=target_model, preferred_name=preferred_name, audio=audio, text=text, language=language
        )
        body = json.dumps(payload).encode()
        sent_at = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        intent = f"a voice with {preferred_name!r} in its name, for {target_model}, asked for at {sent_at}"
        call = Call(self._timeout or SECONDS_PER_CREATION + len(body) / UPLOAD_SPEED)
        if under_way is not None:
            under_way(call)
        answer = self._post(body, call)
        if isinstance(answer, ServiceUnreachableError) and not call.sent:
            raise answer
        if isinstance(answer, dict):
            voice = answer["output"].get("voice")
            if isinstance(voice, str) and voice:
                return _made(voice, answer["output"], target_model, language, self._settings.region)
            answer = ServiceBrokenError("The answer names no voice.", request_id=str(answer.get("request_id") or ""))
        if isinstance(answer, ServiceError) and _turns_down(answer):
            raise answer
        told = f" (request id {answer.request_id})" if isinstance(answer, ServiceError) and answer.request_id else ""
        raise OutcomeUnknownError(
            f"Whether the voice was made is not known: {answer.message}{told}",
            intent=intent,
            remedy="list the voices and look for the name before asking again: a second one is billed again",
        )

    def list_voices(self) -> list[Voice]:
        """Read all pages of the account's voices.

        Returns
        -------
        list of Voice
            In the service's order, each once.

        Raises
        ------
        ServiceError
            If the service refuses, or the list does not stand still while it is read.
        ServiceUnreachableError
            If it cannot be reached.
        """
        with Call(self._timeout or TIMEOUT) as whole:
            rows = read_all(lambda index, size: self._ask(list_payload(index, size), whole))
        return [voice_of_row(row, region=self._settings.region) for row in rows]

    def delete(self, voice: str) -> None:
        """Delete a voice for good.

        Parameters
        ----------
        voice : str
            The service's id.

        Raises
        ------
        VoiceNotFoundError
            If there was none; not where an attempt of this call may have deleted it.
        ServiceError
            If the service refuses.
        ServiceUnreachableError
            If it cannot be reached.
        """
        with Call(self._timeout or TIMEOUT) as whole:
            self._ask(delete_payload(voice), whole, gone_is_done=True)

    def _ask(self, payload: dict[str, Any], whole: Call, *, gone_is_done: bool = False) -> dict[str, Any]:
        """Ask until there is an answer: only for what may be asked twice."""
        body = json.dumps(payload).encode()
        unsure = False
        attempt = 0
        told: VcnbError | None = None
        while True:
            attempt += 1
            # Half of what is left: where nothing comes, there is time for another attempt.
            call = Call(max(whole.remaining / 2, 0.001))
            answer = self._post(body, call)
            if isinstance(answer, dict):
                return answer
            if gone_is_done and unsure and isinstance(answer, VoiceNotFoundError):
                return {}
            unsure = unsure or call.sent
            passing = not isinstance(answer, ServiceError) or isinstance(answer, RateLimitedError | ServiceBrokenError)
            whole.retry_after = call.retry_after
            if call.sent or not call.stopped or told is None:
                told = answer  # else only the time for another attempt ran out, and what failed before says more
            # After a time-out there was pause enough.
            if not passing or attempt >= attempts(answer) or not (call.stopped or whole.pause(attempt)):
                raise told

    def _post(self, body: bytes, call: Call) -> dict[str, Any] | VcnbError:
        """Send one POST; give its answer or what went wrong, as a value.

        As a value, since an exception out of the depths would carry frames with it, and the header in them.
        """
        settings, key = self._settings, self._settings.api_key
        interrupted = False
        read, failed = b"", ""
        with call, once(call, host=self._host, key=key) as session:
            try:
                with session.post(
                    self._url,
                    data=body,
                    headers=request_headers(settings.workspace),
                    timeout=(min(CONNECT_TIMEOUT, call.timeout), call.timeout + BEHIND),
                    stream=True,
                ) as response:
                    self._note_settle(response.headers.get(SETTLE_HEADER))
                    read = b"".join(response.iter_content(65_536))
            except (requests.RequestException, OSError, ValueError, AttributeError) as error:
                failed = reason_of(error)
            except KeyboardInterrupt:
                interrupted = True
        if interrupted:
            raise KeyboardInterrupt
        if call.stopped:
            failed = stop_reason(call)  # also where the shut line looks like the end of the body
        if failed and not call.sent:
            return unreachable(self._host, failed, region=settings.region)
        if failed or call.status is None:
            return ServiceUnreachableError(f"{self._host} gave no whole answer: {failed}.", remedy="try again")
        # Only a refusal may echo a key; in a success a voice named "sk" would lose its name.
        words = read if call.status == 200 else masked(read.decode("utf-8", "replace"), key).encode()
        try:
            return decipher(call.status, words, region=settings.region, key=key)
        except ServiceError as error:
            refused = error
        return refused.with_traceback(None)

    def _note_settle(self, said: str | None) -> None:
        # Only this machine's own service may say it: on its word a creation is sent again.
        if self._settings.region == "practice" and re.fullmatch(r"[0-9]{1,4}(\.[0-9]{1,6})?", said or ""):
            self.settle = float(said or "")


def _turns_down(answer: ServiceError) -> bool:
    """Say whether it tells that nothing was done; a code of failure under a status of refusal does not."""
    return answer.status is not None and 400 <= answer.status < 500 and not isinstance(answer, ServiceBrokenError)


def _made(voice: str, output: dict[str, Any], target_model: str, language: str | None, region: str) -> Voice:
    reason = output.get("fallback_reason") or ("not said" if output.get("fallback_mode") else None)
    return Voice(
        voice=voice,
        target_model=str(output.get("target_model") or target_model),
        preferred_name=preferred_name_of(voice),
        language=language,
        created_at=datetime.fromtimestamp(time.time(), UTC),
        region=region,
        fallback_reason=str(reason) if reason else None,
    )
