"""What each fault ends in, on every transport it can happen to: a complete result or one typed error, in time."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

import dashscope  # noqa: F401  # takes seconds, which are no part of any deadline
import pytest

from vcnb import errors
from vcnb.client.call import Call
from vcnb.client.enrollment import EnrollmentClient
from vcnb.client.speaking import open_stream
from vcnb.practice.documented import DOCUMENTED
from vcnb.practice.faults import FAULTS
from vcnb.protocol.enrollment import data_uri

HTTP, REALTIME = "qwen3-tts-vc-2026-01-22", "qwen3-tts-vc-realtime-2026-01-15"
TEXT = "Hello there, how are you today?"
SHORT = 0.4  # seconds, for faults that end only with the deadline
TWICE = 1.0  # the same, where half of it is left for another attempt

# A transport of the table -> the operation it asks of the service. A result is fetched after a synthesis over HTTP.
OPERATION = {"http": "synthesis", "result": "result", "upgrade": "upgrade"}


@dataclass(frozen=True)
class Row:
    """A fault on a transport, and what must come of it.

    `outcome` is "complete" or the class of the one error; `requests` how often the service was asked, None where a
    deadline decides; `sound` whether the error must hold sound that had come before.
    """

    fault: str
    on: str
    outcome: str
    requests: int | None = 1
    sound: bool = False
    timeout: float = 20.0
    parameters: dict[str, object] = field(default_factory=dict)

    def __str__(self) -> str:
        told = "-".join(f"{value}" for value in self.parameters.values())
        return "-".join(filter(None, [self.fault, told, self.on, self.outcome]))


def rows(fault, outcomes, **given):
    """Lay one fault over several transports: name -> outcome, or (outcome, requests)."""
    for on, expected in outcomes.items():
        outcome, requests = expected if isinstance(expected, tuple) else (expected, 1)
        yield Row(fault, on, outcome, requests, **given)


ALL = ("create", "list", "delete", "http", "sse", "result", "upgrade")
AGAIN = ("complete", 2)  # failed once, asked again, done
UNKNOWN, CUT, BROKEN = "OutcomeUnknownError", "SpeechInterruptedError", "ServiceBrokenError"
RATE = {"parameters": {"code": "Throttling.RateQuota"}}
NOW_NOT = {"parameters": {"code": "ModelUnavailable"}}
ONE = {"after": 1}

TABLE = [
    # an answer that refuses
    *rows("error", {"create": UNKNOWN, "list": AGAIN, "delete": AGAIN, "http": BROKEN, "sse": BROKEN, "result": AGAIN}),
    *rows("error", {"upgrade": BROKEN}),
    *rows("error", {"create": "RateLimitedError"} | dict.fromkeys(ALL[1:], AGAIN), **RATE),
    *rows("error", {"create": UNKNOWN} | dict.fromkeys(ALL[1:], AGAIN), **NOW_NOT),
    *rows("empty_error", dict.fromkeys(("create", "list", "delete", "http", "sse", "upgrade"), "InvalidRequestError")),
    *rows("not_json", {"create": UNKNOWN, "list": AGAIN, "delete": AGAIN, "http": BROKEN, "sse": BROKEN}),
    *rows("not_json", {"upgrade": BROKEN}),
    *rows("content_refused", dict.fromkeys(("create", "list", "delete", "http", "sse"), "ContentRefusedError")),
    *(Row(name, "create", "AudioRejectedError") for name in ("music", "noise", "other_voices", "singing")),
    # no answer
    *rows("slow", dict.fromkeys((*ALL, "realtime"), "complete"), parameters={"seconds": 0.2}),
    *rows("stall", {"create": UNKNOWN, "http": CUT, "sse": CUT, "result": CUT, "realtime": CUT}, timeout=SHORT),
    *rows("stall", {"upgrade": "ServiceUnreachableError"}, timeout=SHORT),
    *rows("stall", {"list": AGAIN, "delete": AGAIN}, timeout=TWICE),
    *rows("reset", {"create": UNKNOWN, "http": CUT, "sse": CUT} | dict.fromkeys(("list", "delete", "result"), AGAIN)),
    *rows("reset", {"upgrade": AGAIN}),
    *rows("reset_after", {"create": UNKNOWN, "list": AGAIN, "delete": AGAIN, "http": CUT}),
    *rows("stall_after", {"create": UNKNOWN, "http": CUT}, timeout=SHORT),
    *rows("stall_after", {"list": AGAIN, "delete": AGAIN}, timeout=TWICE),
    *rows("half_body", {"create": UNKNOWN, "list": AGAIN, "delete": AGAIN, "http": CUT, "result": AGAIN}),
    # an answer that makes no sense
    *rows("no_output", {"create": UNKNOWN, "list": BROKEN, "delete": "complete", "http": BROKEN, "sse": BROKEN}),
    *rows("silent", {"http": BROKEN, "sse": BROKEN, "realtime": BROKEN}),
    *rows("expired_url", {"http": BROKEN, "sse": "complete"}),
    *rows("truncated_result", {"result": CUT}),
    # a stream that breaks: before any sound, and after some
    *rows("stream_error", {"sse": BROKEN, "realtime": BROKEN}),
    *rows("stream_error", {"sse": AGAIN, "realtime": "RateLimitedError"}, **RATE),
    *rows("stream_error", {"sse": CUT, "realtime": CUT}, sound=True, parameters=ONE),
    *rows("cut", {"sse": CUT, "realtime": CUT}, parameters={"after": 0}),
    *rows("cut", {"sse": CUT, "realtime": CUT}, sound=True),
    *rows("end_early", {"sse": CUT, "realtime": CUT}, sound=True),
    *rows("stall_mid", {"sse": CUT, "realtime": CUT}, sound=True, timeout=SHORT),
    *rows("close_at_once", {"realtime": "InvalidRequestError"}),
    *rows("silent_close", {"realtime": CUT}),
    *rows("error_after_finish", {"realtime": CUT}, sound=True),
    *rows("error_after_finish", {"realtime": CUT}, sound=True, parameters={"close": False}),
    *rows("no_finished", {"realtime": CUT}, sound=True),
    # other ways that the service is known for, and that break nothing
    *rows("no_total_count", {"list": AGAIN}),
    *rows("page_size_capped", {"list": ("complete", 3)}, parameters={"limit": 2}),
    *rows("page_size_capped", {"list": ("complete", 3)}, parameters={"limit": 2, "echo": False}),
    *rows("voice_made", {"list": "complete"}),
    *rows("voice_deleted", {"list": "complete"}),
    *rows("bare_delete", {"delete": "complete"}),
    *rows("fallback", {"create": "complete"}),
    *rows("bare_pcm", {"sse": "complete"}),
    *rows("odd_chunks", {"sse": "complete", "realtime": "complete"}),
    *rows("audio_done_first", {"realtime": "complete"}),
    *rows("many_responses", {"realtime": "complete"}),
    *rows("unknown_event", {"realtime": "complete"}),
]


def test_the_table_leaves_no_fault_and_no_transport_out():
    operations = {"realtime": "realtime", **OPERATION} | {name: name for name in ("create", "list", "delete", "sse")}
    covered = {(row.fault, operations[row.on]) for row in TABLE}
    assert covered >= {(name, each) for name, fault in FAULTS.items() for each in fault.operations}


@pytest.fixture
def recording(data_dir):
    from vcnb.audio.samples import samples

    return data_uri(samples()["kathleen_en"].read_bytes(), "audio/wav")


def act(row, practice, recording):
    """Do what the row's transport does, and give what came of it."""
    client = EnrollmentClient(practice.settings(), timeout=row.timeout)
    if row.on == "create":
        return client.create(target_model=HTTP, preferred_name="fault", audio=recording)
    if row.on == "list":
        return client.list_voices()
    if row.on == "delete":
        return client.delete(practice.voice_of_http)
    transport = {"result": "http", "upgrade": "realtime"}.get(row.on, row.on)
    realtime = transport == "realtime"
    stream = open_stream(
        practice.settings(),
        TEXT,
        voice=practice.voice_of_realtime if realtime else practice.voice_of_http,
        target_model=REALTIME if realtime else HTTP,
        transport=transport,
        timeout=row.timeout,
    )
    return stream.speech


@pytest.mark.parametrize("row", TABLE, ids=str)
def test_every_fault_ends_in_a_complete_result_or_one_typed_error(row, practice, recording):
    practice.voice_of_http, practice.voice_of_realtime = practice.voice(HTTP), practice.voice(REALTIME)
    practice.voice(HTTP, name="third")
    operation = OPERATION.get(row.on, row.on)
    practice.fault(row.fault, operation, **row.parameters)
    before, began = practice.counters(), time.monotonic()
    if row.outcome == "complete":
        check_complete(row, act(row, practice, recording), practice)
    else:
        kind = getattr(errors, row.outcome)
        with pytest.raises(errors.VcnbError) as caught:
            act(row, practice, recording)
        assert type(caught.value) is kind, repr(caught.value)
        check_error(row, caught.value)
    assert time.monotonic() - began < row.timeout + 3
    after = practice.counters()
    assert after[operation] == row.requests
    assert after["create"] <= 1, "a creation is one POST"
    assert after["creations"] - before["creations"] <= 1
    no_thread_is_left()


def check_complete(row, result, practice):
    if row.on == "create":
        assert result.voice in {each.voice for each in EnrollmentClient(practice.settings()).list_voices()}
    elif row.on == "list":
        assert {practice.voice_of_http, practice.voice_of_realtime} <= {each.voice for each in result}
    elif row.on == "delete":
        assert practice.counters()["voices"] == 2
    else:
        # The tone engine speaks 60 ms a letter, so the length says whether anything is missing.
        assert result.duration == pytest.approx(0.06 * len(TEXT), abs=0.03)
        assert result.characters == len(TEXT)


def check_error(row, error):
    assert error.message
    assert error.remedy
    if isinstance(error, errors.OutcomeUnknownError):
        assert "fault" in error.intent
        assert HTTP in error.intent
    if isinstance(error, errors.SpeechInterruptedError):
        assert (error.received is not None) == row.sound
        assert "billed" in error.remedy
    if isinstance(error, errors.ServiceError) and row.fault in ("error", "content_refused", "stream_error", "music"):
        assert error.code
        assert error.request_id


def no_thread_is_left():
    until = time.monotonic() + 5
    while names := [each.name for each in threading.enumerate() if each.name in OURS]:
        assert time.monotonic() < until, names
        time.sleep(0.005)


OURS = ("vcnb-speech", "vcnb-deadline", "vcnb-realtime")

# Every error that the service documents: class by code, where needed by status and words.
CLASSES = {
    "InvalidParameter": "InvalidRequestError",
    (400, "InvalidParameter", "Invalid voice"): "ModelMismatchError",
    "BadRequest": "InvalidRequestError",
    "BadRequest.InputDownloadFailed": "AudioRejectedError",
    "BadRequest.UnsupportedFileFormat": "AudioRejectedError",
    "BadRequest.TooLarge": "AudioRejectedError",
    "BadRequest.VoiceNotFound": "VoiceNotFoundError",
    "BadRequest.ResourceNotExist": "VoiceNotFoundError",
    "Audio": "AudioRejectedError",
    (400, "Throttling.AllocationQuota", ""): "QuotaError",
    "Throttling": "RateLimitedError",
    "LimitRequests": "RateLimitedError",
    "DataInspectionFailed": "ContentRefusedError",
    "Arrearage": "QuotaError",
    "InvalidURL": "InvalidRequestError",
    "ClientDisconnect": "InvalidRequestError",
    "InvalidApiKey": "AuthenticationError",
    "invalid_api_key": "AuthenticationError",
    "AccessDenied": "AccessDeniedError",
    "Model.AccessDenied": "AccessDeniedError",
    "Workspace.AccessDenied": "AccessDeniedError",
    "AllocationQuota.FreeTierOnly": "QuotaError",
    "ModelNotFound": "InvalidRequestError",
    "WorkSpaceNotFound": "InvalidRequestError",
    "NotFound": "InvalidRequestError",
    "CommodityNotPurchased": "QuotaError",
    "PrepaidBillOverdue": "QuotaError",
    "PostpaidBillOverdue": "QuotaError",
    "InternalError": "ServiceBrokenError",
    "SystemError": "ServiceBrokenError",
    "ModelServiceFailed": "ServiceBrokenError",
    "RequestTimeOut": "ServiceBrokenError",
    "ModelServingError": "ServiceBrokenError",
    "ModelUnavailable": "ServiceBrokenError",
}


def class_of(status, code, message):
    for key, found in CLASSES.items():
        if isinstance(key, tuple) and key[:2] == (status, code) and message.startswith(key[2]):
            return getattr(errors, found)
    return getattr(errors, CLASSES.get(code) or CLASSES[code.split(".")[0]])


@pytest.mark.parametrize(("status", "code", "message"), DOCUMENTED)
@pytest.mark.parametrize("on", ["create", "http", "in the stream", "upgrade"])
def test_every_documented_error_is_its_class_on_every_transport(on, status, code, message, practice, monkeypatch):
    monkeypatch.setattr(Call, "pause", lambda *_: False)  # as if there were no time for another attempt
    # Only inside a stream is the voice looked at before the fault strikes.
    practice.voice_of_http = practice.voice(HTTP) if on == "in the stream" else "v"
    practice.voice_of_realtime = "v"
    fault, operation = ("stream_error", "sse") if on == "in the stream" else ("error", OPERATION.get(on, on))
    practice.fault(fault, operation, times=None, code=code, status=status, message=message)
    row = Row(fault, "sse" if on == "in the stream" else on, "")
    with pytest.raises(errors.VcnbError) as caught:
        act(row, practice, "data:audio/wav;base64,AAAA")
    expected = errors.OutcomeUnknownError if on == "create" and status >= 500 else class_of(status, code, message)
    assert type(caught.value) is expected
    assert message.strip() in caught.value.message
    if expected is not errors.OutcomeUnknownError:
        assert caught.value.code == code
        assert caught.value.request_id
        assert caught.value.status == (None if on == "in the stream" else status)
    assert practice.counters()[operation] == 1


def test_a_service_that_is_not_there_is_unreachable_and_nothing_was_sent(practice):
    import socket

    with socket.create_server(("127.0.0.1", 0)) as free:
        nobody = f"http://127.0.0.1:{free.getsockname()[1]}/api/v1"
    settings = practice.settings(base_url=nobody)
    client = EnrollmentClient(settings, timeout=1)
    streams = {"http": HTTP, "sse": HTTP, "realtime": REALTIME}
    calls = [
        lambda: client.create(target_model=HTTP, preferred_name="fault", audio="https://example.com/a.wav"),
        client.list_voices,
        lambda: client.delete("v"),
        *(
            lambda transport=transport, model=model: (
                open_stream(settings, "Hi.", voice="v", target_model=model, transport=transport, timeout=1).speech
            )
            for transport, model in streams.items()
        ),
    ]
    for call in calls:
        began = time.monotonic()
        with pytest.raises(errors.ServiceUnreachableError, match=r"nobody listens there\. Nothing was sent"):
            call()
        assert time.monotonic() - began < 4


@pytest.mark.parametrize("on", ["list", "http", "sse", "upgrade"])
def test_a_wrong_key_is_named_at_once(on, practice):
    practice.voice_of_http, practice.voice_of_realtime = practice.voice(HTTP), practice.voice(REALTIME)
    from vcnb.settings import Secret

    wrong = Secret("sk-0123456789-not-the-key")
    right, practice.api_key = practice.api_key, wrong
    began = time.monotonic()
    try:
        with pytest.raises(errors.AuthenticationError, match="the key that `vcnb practice` prints"):
            act(Row("", on, ""), practice, None)
    finally:
        practice.api_key = right
    assert time.monotonic() - began < 5
