"""The key is nowhere to be seen, whatever goes wrong."""

from __future__ import annotations

import contextlib
import http.client
import logging
import pickle
import socket
import traceback

import pytest

from vcnb import errors
from vcnb.client.conversation import Conversation
from vcnb.client.enrollment import EnrollmentClient
from vcnb.client.speaking import open_stream
from vcnb.protocol.enrollment import data_uri
from vcnb.workflow.connecting import connect

KEY = "sk-0123456789abcdef"
HTTP, REALTIME = "qwen3-tts-vc-2026-01-22", "qwen3-tts-vc-realtime-2026-01-15"

FAULTS = [
    ("error", "InternalError"),
    ("error", "InvalidApiKey"),
    ("empty_error", None),
    ("not_json", None),
    ("reset", None),
    ("stall", None),
    ("half_body", None),
    ("no_output", None),
    ("cut", None),
    ("stream_error", "InternalError"),
    ("close_at_once", None),
]


def converse(settings):
    with Conversation(settings, voice="v", target_model=REALTIME, timeout=0.4) as line:
        line.say("Hi.")
        list(line)


CALLS = {
    "create": lambda settings: EnrollmentClient(settings, timeout=0.4).create(
        target_model=HTTP, preferred_name="a", audio=data_uri(b"RIFF", "audio/wav")
    ),
    "list": lambda settings: EnrollmentClient(settings, timeout=0.4).list_voices(),
    "delete": lambda settings: EnrollmentClient(settings, timeout=0.4).delete("v"),
    "http": lambda settings: speak(settings, "http"),
    "sse": lambda settings: speak(settings, "sse"),
    "realtime": lambda settings: speak(settings, "realtime"),
    "converse": converse,
}


def speak(settings, transport):
    model = REALTIME if transport == "realtime" else HTTP
    voice = "v"
    stream = open_stream(settings, "Hi.", voice=voice, target_model=model, transport=transport, timeout=0.4)
    assert settings.api_key.reveal() not in repr(stream) + repr(vars(stream))
    return list(stream)


def everything_about(error: BaseException) -> str:
    """Say all that any reporter could: the words, the stack with every local, the whole chain, the pickle."""
    told, seen = [], set()
    pending: list[BaseException | None] = [error]
    while pending:
        each = pending.pop()
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        pending += [each.__cause__, each.__context__]
        each.__traceback__ = past_this_file(each.__traceback__)
        told += [str(each), repr(each), repr(vars(each)), repr(each.args)]
        told += traceback.TracebackException.from_exception(each, capture_locals=True).format()
        for frame, _ in traceback.walk_tb(each.__traceback__):
            # Deeper than a reporter goes: what the locals hold, one level down.
            told += [repr(getattr(value, "__dict__", "")) for value in frame.f_locals.values()]
    told.append(repr(pickle.dumps(error)))
    return "\n".join(told)


def past_this_file(stack):
    """Leave out the frames of the test itself, which does hold the key."""
    while stack is not None and stack.tb_frame.f_code.co_filename == __file__:
        stack = stack.tb_next
    return stack


@pytest.mark.parametrize(("fault", "code"), FAULTS)
@pytest.mark.parametrize("call", list(CALLS))
def test_no_error_log_or_stack_shows_it(practice, caplog, fault, code, call):
    key = practice.api_key.reveal()
    more = {"code": code} if code else {}
    if code == "InvalidApiKey":
        more["message"] = f"Invalid API-key provided: {key} (Bearer {key})"
    practice.fault(fault, times=None, **more)
    caplog.set_level(logging.DEBUG)
    told = ""
    try:
        CALLS[call](practice.settings())
    except errors.VcnbError as error:
        told = everything_about(error)
    assert key not in told
    assert key not in caplog.text
    assert all(key not in repr(record.__dict__) for record in caplog.records)


@pytest.mark.parametrize("call", list(CALLS))
def test_nor_where_nobody_answers(practice, call):
    with socket.create_server(("127.0.0.1", 0)) as free:
        nobody = f"http://127.0.0.1:{free.getsockname()[1]}/api/v1"
    with pytest.raises(errors.VcnbError) as caught:
        CALLS[call](practice.settings(base_url=nobody))
    assert practice.api_key.reveal() not in everything_about(caught.value)


def test_nor_when_a_creation_is_interrupted_by_hand(practice, monkeypatch):
    import urllib3

    def interrupt(*_args, **_options):
        raise KeyboardInterrupt

    monkeypatch.setattr(urllib3.connection.HTTPConnection, "getresponse", interrupt)
    with pytest.raises(KeyboardInterrupt) as caught:
        CALLS["create"](practice.settings())
    assert practice.api_key.reveal() not in everything_about(caught.value)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"region": "singapur"}, "no region"),
        ({"base_url": "https://evil.example/api/v1"}, "not sent there"),
        ({"workspace": "a b"}, "no workspace"),
        ({"spend_limit": -1}, "no amount"),
        ({"data": 3}, "no path"),
        ({"api_key": KEY + " x"}, "no key has"),
        ({"api_key": None, "environment": KEY + " x"}, "no key has"),
        ({"api_key": None, "environment": KEY, "region": "x"}, "no region"),
        ({"api_key": KEY.encode()}, "no key has"),
    ],
)
def test_nor_where_the_settings_cannot_work(monkeypatch, given, said):
    given = {"api_key": KEY} | given
    if environment := given.pop("environment", None):
        monkeypatch.setenv("DASHSCOPE_API_KEY", environment)
    with pytest.raises(errors.SettingsError, match=said) as caught:
        connect(**given)
    assert KEY not in everything_about(caught.value)


@pytest.mark.parametrize("call", list(CALLS))
def test_nor_does_anybody_else_print_it(practice, monkeypatch, capfd, call):
    import websocket

    monkeypatch.setattr(http.client.HTTPConnection, "debuglevel", 1)
    handler = logging.StreamHandler()
    websocket.enableTrace(True, handler)
    try:
        with contextlib.suppress(errors.VcnbError):
            CALLS[call](practice.settings())
    finally:
        websocket.enableTrace(False, handler, level="WARNING")
        logging.getLogger("websocket").removeHandler(handler)
    assert practice.api_key.reveal() not in "".join(capfd.readouterr())


def test_the_looking_would_find_it(practice):
    key = practice.api_key.reveal()
    with pytest.raises(ValueError, match="no") as caught:
        exec(compile("headers = {'Authorization': key}\nraise ValueError('no')", "elsewhere.py", "exec"), {"key": key})
    assert key in everything_about(caught.value)
