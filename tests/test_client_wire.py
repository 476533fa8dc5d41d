"""A peer that the practice service never is: one that drips, redirects, floods, or listens for a key."""

from __future__ import annotations

import base64
import hashlib
import itertools
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import dashscope  # noqa: F401  # takes seconds, which are no part of any deadline
import pytest

from vcnb import errors
from vcnb.client.call import Call
from vcnb.client.enrollment import EnrollmentClient
from vcnb.client.speaking import open_stream
from vcnb.client.wire import BrokenLineError, _counted, stop_reason, unreachable
from vcnb.settings import Secret, Settings
from vcnb.workflow.connection import Connection

HTTP, REALTIME = "qwen3-tts-vc-2026-01-22", "qwen3-tts-vc-realtime-2026-01-15"
KEY = "sk-the-key-that-nobody-else-may-see"


class Peer:
    """A server on one port that answers each connection with bytes of the test's choosing."""

    def __init__(self, answers) -> None:
        self.answers = answers
        self.heard: list[bytes] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True, name="peer").start()

    def _serve(self) -> None:
        while True:
            try:
                line, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(line,), daemon=True, name="peer").start()

    def _answer(self, line) -> None:
        with line:
            try:
                heard = b""
                while b"\r\n\r\n" not in heard:
                    heard += line.recv(65_536) or b"\r\n\r\n"
                head, _, body = heard.partition(b"\r\n\r\n")
                size = next(
                    (int(each[15:]) for each in head.lower().split(b"\r\n") if each.startswith(b"content-length")), 0
                )
                while len(body) < size:
                    body += line.recv(65_536) or b" " * size
                self.heard.append(heard)
                for piece in self.answers(len(self.heard)):
                    line.sendall(piece)
            except OSError:
                return

    def settings(self) -> Settings:
        return Settings("practice", f"http://127.0.0.1:{self.port}/api/v1", Secret(KEY))

    def close(self) -> None:
        self._listener.close()


@contextmanager
def peer(answers) -> Iterator[Peer]:
    found = Peer(answers)
    try:
        yield found
    finally:
        found.close()


def whole(body: bytes, *, status: str = "200 OK", more: str = "", kind: str = "application/json") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n{more}\r\n".encode() + body


def drip(body: bytes, kind: str = "application/json"):
    yield f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\n\r\n".encode()
    while True:
        yield body
        time.sleep(0.05)


def speak(settings, transport, timeout=0.5):
    model = REALTIME if transport == "realtime" else HTTP
    return open_stream(settings, "Hi.", voice="v", target_model=model, transport=transport, timeout=timeout).speech


def test_whose_service_it_is_is_asked_without_the_key_and_not_for_long(monkeypatch):
    monkeypatch.setattr("vcnb.workflow.connection.PATIENCE", 0.3)
    folder = "X-Vcnb-Practice-Folder: here\r\nLocation: /there\r\n"
    with peer(lambda _: [whole(b"{}", status="302 Found", more=folder)]) as found:
        assert Connection(found.settings()).folder_id() == "here"
    assert len(found.heard) == 1
    assert KEY.encode() not in found.heard[0]
    with peer(lambda _: drip(b" ")) as endless:
        assert Connection(endless.settings()).folder_id() == f"at-{endless.settings().base_url}"
    with (
        peer(lambda _: itertools.chain([b"HTTP/1.1 200 OK\r\n"], itertools.islice(drip(b"X: y\r\n"), 1, None))) as slow,
        pytest.raises(errors.ServiceUnreachableError, match=r"deadline of 0\.3 s"),
    ):
        Connection(slow.settings()).folder_id()


@pytest.mark.parametrize("transport", ["http", "sse"])
@pytest.mark.parametrize("kind", ["application/json", "text/event-stream"])
def test_a_peer_that_drips_holds_nobody_beyond_the_deadline(transport, kind):
    with peer(lambda n: drip(b": still here\n\n", kind)) as other:
        began = time.monotonic()
        with pytest.raises(errors.SpeechInterruptedError, match="deadline") as caught:
            speak(other.settings(), transport)
        assert time.monotonic() - began < 3
        assert "billed" in caught.value.remedy
        assert len(other.heard) == 1


def test_a_creation_that_drips_is_unknown_and_a_list_unreachable():
    with peer(lambda n: drip(b" ")) as other:
        client = EnrollmentClient(other.settings(), timeout=0.4)
        began = time.monotonic()
        with pytest.raises(errors.OutcomeUnknownError, match=r"deadline of 0\.4 s"):
            client.create(target_model=HTTP, preferred_name="a", audio="data:audio/wav;base64,AA")
        assert len(other.heard) == 1
        with pytest.raises(errors.ServiceUnreachableError, match="no whole answer"):
            client.list_voices()
        assert time.monotonic() - began < 5


@pytest.mark.parametrize("transport", ["http", "sse", "realtime"])
def test_a_redirect_is_not_followed_with_the_key(transport):
    with peer(lambda n: [whole(b"{}")]) as stranger:
        to = f"Location: http://127.0.0.1:{stranger.port}/api/v1\r\n"
        with peer(lambda n: [whole(b"", status="307 Temporary Redirect", more=to)]) as other:
            with pytest.raises(errors.VcnbError):
                speak(other.settings(), transport)
            with pytest.raises(errors.VcnbError):
                EnrollmentClient(other.settings(), timeout=0.5).list_voices()
        assert not any(KEY.encode() in each for each in stranger.heard)


@pytest.mark.parametrize("transport", ["http", "sse", "realtime", "list"])
def test_the_workspace_travels_and_only_ours(monkeypatch, transport):
    monkeypatch.setenv("DASHSCOPE_WORKSPACE_ID", "the-users-own")
    for workspace, sent in (("ws_1", [b"ws_1"]), (None, [])):
        with peer(lambda n: [whole(b"{}", status="400 Bad Request")]) as other:
            settings = replace(other.settings(), workspace=workspace)
            with pytest.raises(errors.InvalidRequestError):
                EnrollmentClient(settings).list_voices() if transport == "list" else speak(settings, transport, 5)
            lines = [line.split(b": ") for line in other.heard[0].split(b"\r\n") if line.lower().startswith(b"x-dash")]
            assert [value for name, value in lines if name.lower() == b"x-dashscope-workspace"] == sent


@pytest.mark.parametrize(
    "answer",
    [
        whole(b"", status="204 No Content"),
        whole(b"", status="302 Found", more="Location: /x\r\n"),
        whole(b'{"code": "RequestTimeOut", "message": "late"}', status="400 Bad Request"),
        whole(b'{"code": "Success", "output": {"voice": "v"}}'),
        whole(b'{"output": {"voice": ["v"]}}'),
        whole(b"[" * 200_000),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n{}\r\n",
        b"hello\r\n",
    ],
)
def test_an_answer_to_a_creation_that_is_no_refusal_and_no_voice_leaves_it_unknown(answer):
    with peer(lambda n: [answer]) as other:
        with pytest.raises(errors.OutcomeUnknownError):
            EnrollmentClient(other.settings(), timeout=5).create(target_model=HTTP, preferred_name="a", audio="x")
        assert len(other.heard) == 1


def test_a_flood_ends():
    def flood(_):
        yield b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"
        while True:
            yield b" " * 1_000_000

    with peer(flood) as other, pytest.raises(errors.OutcomeUnknownError, match="longer than 64,000,000"):
        EnrollmentClient(other.settings(), timeout=20).create(
            target_model=HTTP, preferred_name="a", audio="data:audio/wav;base64,AA"
        )


def test_a_frame_without_end_ends(monkeypatch):
    monkeypatch.setattr("vcnb.client.dialled.LINE_BYTES_LIMIT", 1_000_000)

    def flood(n):
        key = re.search(rb"(?i)sec-websocket-key: (\S+)", other.heard[n - 1])[1]
        accept = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())  # RFC 6455, 1.3
        yield (
            b"HTTP/1.1 101 Go\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %b\r\n\r\n" % accept
        )
        yield b"\x81\x7f" + (1 << 40).to_bytes(8, "big")
        while True:
            yield b"x" * 100_000

    # It may be cut before a word was sent.
    cut = (errors.SpeechInterruptedError, errors.ServiceUnreachableError)
    with peer(flood) as other, pytest.raises(cut, match="the line was cut"):
        speak(other.settings(), "realtime", timeout=20)


def test_what_came_before_a_call_was_stopped_is_not_gone_through():
    with Call(5) as call:
        call.stop()
        with pytest.raises(BrokenLineError, match="cancelled"):
            next(_counted(lambda: iter([b"x"]), call)())


def test_no_file_of_the_user_puts_another_key_in_its_place(monkeypatch, tmp_path):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    with peer(lambda n: [whole(b'{"output": {"total_count": 0}}')]) as other:
        EnrollmentClient(other.settings()).list_voices()
        assert f"Authorization: Bearer {KEY}".encode() in other.heard[0]


def test_the_service_says_how_long_to_wait():
    slow = whole(b'{"code": "Throttling", "message": "slow"}', status="429 x", more="Retry-After: 1\r\n")
    good = whole(b'{"output": {"total_count": 0}}')
    with peer(lambda n: [slow if n == 1 else good]) as other:
        began = time.monotonic()
        assert EnrollmentClient(other.settings()).list_voices() == []
        assert 1 <= time.monotonic() - began < 5
        other.heard.clear()
        began = time.monotonic()
        with pytest.raises(errors.RateLimitedError):
            EnrollmentClient(other.settings(), timeout=0.9).list_voices()
        assert time.monotonic() - began < 0.85, "there is no time for it, so it is said at once"


@pytest.mark.parametrize("written", ["soon", "-1", "1e9", "Mon, 01 Jan 2001 00:00:00 GMT", "Mon, 99 Jan 2001"])
def test_a_wait_that_cannot_be_read_or_is_over_is_our_own(written):
    slow = whole(b'{"code": "Throttling", "message": "slow"}', status="429 x", more=f"Retry-After: {written}\r\n")
    with peer(lambda n: [slow if n == 1 else whole(b'{"output": {"total_count": 0}}')]) as other:
        assert EnrollmentClient(other.settings(), timeout=5).list_voices() == []


def test_a_wait_until_a_date_is_kept():
    later = format_datetime(datetime.now(UTC) + timedelta(days=1), usegmt=True)
    slow = whole(b'{"code": "Throttling", "message": "slow"}', status="429 x", more=f"Retry-After: {later}\r\n")
    with peer(lambda n: [slow]) as other:
        with pytest.raises(errors.RateLimitedError):
            EnrollmentClient(other.settings(), timeout=5).list_voices()
        assert len(other.heard) == 1


def test_where_the_time_runs_out_over_another_attempt_the_cause_before_it_is_told(monkeypatch):
    real = EnrollmentClient._post
    asked = []

    def post(self, body, call):
        asked.append(call)
        if len(asked) == 1:
            return real(self, body, call)
        call.stop("deadline")  # before a socket stands
        return unreachable("somebody", stop_reason(call), region="singapore")

    monkeypatch.setattr(EnrollmentClient, "_post", post)
    slow = whole(b'{"code": "Throttling", "message": "slow down"}', status="429 x")
    with peer(lambda n: [slow]) as other, pytest.raises(errors.RateLimitedError, match="slow down"):
        EnrollmentClient(other.settings(), timeout=2).list_voices()
    assert len(asked) > 1


def test_a_result_is_fetched_without_the_key(tmp_path):
    def answers(n):
        if n == 1:
            url = f"http://127.0.0.1:{other.port}/r.wav"
            yield whole(f'{{"output": {{"finish_reason": "stop", "audio": {{"data": "", "url": "{url}"}}}}}}'.encode())
        else:
            yield whole(b"<html>sign in</html>", kind="text/html")

    with peer(answers) as other:
        with pytest.raises(errors.ServiceBrokenError, match="no WAV"):
            speak(other.settings(), "http", timeout=5)
        assert KEY.encode() in other.heard[0]
        assert KEY.encode() not in other.heard[1]


@pytest.mark.parametrize(
    ("url", "match"), [("http://127.0.0.1:1/r.wav", "not the service's storage"), ("nonsense", "no host")]
)
def test_a_result_elsewhere_is_refused(url, match):
    body = f'{{"output": {{"finish_reason": "stop", "audio": {{"data": "", "url": "{url}"}}}}}}'.encode()
    with peer(lambda n: [whole(body)]) as other:
        with pytest.raises(errors.ServiceBrokenError, match=match):
            speak(other.settings(), "http", timeout=5)
        assert len(other.heard) == 1


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"3", b'"x"', b"null", b"{", b'{"output": null}', b'{"output": {"audio": 3}}']
)
@pytest.mark.parametrize("transport", ["http", "sse"])
def test_a_body_that_makes_no_sense_is_one_typed_error(body, transport):
    with peer(lambda n: [whole(body)]) as other:
        with pytest.raises(errors.VcnbError) as caught:
            speak(other.settings(), transport, timeout=5)
        assert isinstance(caught.value, errors.ServiceBrokenError | errors.SpeechInterruptedError)
        assert len(other.heard) == 1


@pytest.mark.parametrize(
    "frame",
    [
        b'event: error\ndata:{"code":"InternalError","message":"x"}\n\n',
        b"event:result\ndata:not json\n\n",
        b'event:result\ndata:{"output":{"audio":{"data":"!!!"},"finish_reason":"null"}}\n\n',
        b'event:result\ndata:{"output":{"audio":{"data":"T2dnUw=="},"finish_reason":"null"}}\n\n',
        b"event:result\ndata:\xff\xfe\n\n",
        b"event:error\ndata:{}\n\n",
    ],
)
def test_a_frame_that_makes_no_sense_is_one_typed_error(frame):
    with peer(lambda n: [whole(frame, kind="text/event-stream")]) as other:
        with pytest.raises(errors.ServiceBrokenError):
            speak(other.settings(), "sse", timeout=5)
        assert len(other.heard) == 1


@pytest.mark.parametrize("transport", ["http", "sse", "realtime", "list"])
def test_the_hosted_service_is_reached_through_the_proxy_of_the_environment(monkeypatch, transport):
    with peer(lambda n: [whole(b"", status="403 Forbidden")]) as proxy:
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{proxy.port}")
        settings = Settings("singapore", "https://dashscope-intl.aliyuncs.com/api/v1", Secret(KEY))
        client = EnrollmentClient(settings, timeout=0.5)
        call = client.list_voices if transport == "list" else lambda: speak(settings, transport)
        with pytest.raises(errors.ServiceUnreachableError, match="Nothing was sent"):
            call()
        assert proxy.heard[0].startswith(b"CONNECT dashscope-intl.aliyuncs.com:443 HTTP/1.")
        assert not any(KEY.encode() in each for each in proxy.heard)


def headers_without_end(_):
    yield b"HTTP/1.1 101 Switching Protocols\r\n"
    while True:
        yield b"X-More: to come\r\n"
        time.sleep(0.02)


def test_an_answer_to_the_upgrade_that_is_no_upgrade_is_named():
    page = whole(b"<html>sign in</html>", kind="text/html")
    with peer(lambda n: [page]) as other:
        with pytest.raises(errors.ServiceBrokenError, match="upgrade with status 200") as caught:
            speak(other.settings(), "realtime", timeout=5)
        assert "billed" not in caught.value.remedy


def test_an_upgrade_that_never_comes_leaves_no_thread():
    with peer(headers_without_end) as other:
        with pytest.raises(errors.ServiceUnreachableError, match="deadline"):
            speak(other.settings(), "realtime", timeout=0.3)
        until = time.monotonic() + 5
        while any(each.name.startswith("vcnb-") and "practice" not in each.name for each in threading.enumerate()):
            assert time.monotonic() < until
            time.sleep(0.01)
