"""Speech over HTTP has the recorded shape, streams while it is made, and stops when nobody listens."""

from __future__ import annotations

import base64
import json
import re
import socket
import sqlite3
import time
from typing import NamedTuple
from urllib.parse import urlsplit

import numpy as np
import pytest
import requests

from vcnb.practice.engines.engine import EngineError

MODEL = "qwen3-tts-vc-2026-01-22"
PATH = "/api/v1/services/aigc/multimodal-generation/generation"


def post(practice, *, stream=False, model=MODEL, parameters=None, header="enable", **message):
    body = {"model": model, "input": message} | ({} if parameters is None else {"parameters": parameters})
    headers = {"X-DashScope-SSE": header} if stream else {}
    return practice.ask("POST", PATH, json=body, headers=headers, stream=stream)


class Frame(NamedTuple):
    event: str
    status: int
    body: dict


def frames_of(answer):
    """Read a stream that must have the recorded form, letter for letter."""
    text = answer.content.decode()
    found = re.findall(r"id:(\d+)\nevent:(\w+)\n:HTTP_STATUS/(\d{3})\ndata:(.*)\n\n", text)
    assert [int(number) for number, *_ in found] == list(range(1, len(found) + 1))
    assert len(found) == text.count("\n\n")
    return [Frame(event, int(status), json.loads(data)) for _, event, status, data in found]


def test_a_whole_answer_has_the_recorded_fields_and_no_others(practice):
    answer = post(practice, text="你好 all", voice=practice.voice(), language_type="Chinese")
    body = answer.json()
    audio = body["output"].pop("audio")
    assert body == {
        "output": {"finish_reason": "stop"},
        "usage": {"characters": 8},
        "request_id": answer.headers["x-request-id"],
    }
    assert set(audio) == {"data", "expires_at", "id", "url"}
    assert audio["id"] == "audio_" + body["request_id"]
    assert audio["expires_at"] == pytest.approx(time.time() + 86_400, abs=5)
    assert practice.counters()["characters"] == 8


def test_a_result_needs_no_key_but_its_name_and_nothing_near_it_opens(practice):
    url = post(practice, text="hello", voice=practice.voice()).json()["output"]["audio"]["url"]
    answer = requests.get(url, timeout=10)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "audio/wav")
    assert answer.headers["X-Vcnb-Practice-Folder"] == practice.service.folder_id
    token = urlsplit(url).path.removeprefix("/results/").removesuffix(".wav")
    assert len(token) >= 32
    assert requests.get(url.replace(token, token[:-1]), timeout=10).status_code == 403


def test_a_result_is_gone_when_it_has_expired(practice):
    practice.fault("expired_url", "synthesis")
    audio = post(practice, text="hello", voice=practice.voice()).json()["output"]["audio"]
    assert audio["expires_at"] < time.time()
    assert requests.get(audio["url"], timeout=10).status_code == 403


@pytest.mark.parametrize("header", ["enable", "ENABLE", "Enable"])
def test_a_stream_is_written_byte_for_byte_as_recorded(practice, header):
    answer = post(practice, text="hello there", voice=practice.voice(), stream=True, header=header)
    assert answer.headers["Content-Type"] == "text/event-stream;charset=UTF-8"
    assert answer.headers["Transfer-Encoding"] == "chunked"
    assert answer.headers["X-Vcnb-Practice-Folder"] == practice.service.folder_id
    assert answer.headers["X-Vcnb-Practice-Settle"] == "2"
    blocks = answer.content.decode().split("\n\n")
    assert blocks.pop() == ""
    for number, block in enumerate(blocks, start=1):
        assert re.fullmatch(rf'id:{number}\nevent:result\n:HTTP_STATUS/200\ndata:\{{"output":.*\}}', block)
    bodies = [json.loads(block.partition("data:")[2]) for block in blocks]
    assert {body["usage"]["characters"] for body in bodies} == {11}
    assert {body["request_id"] for body in bodies} == {answer.headers["x-request-id"]}
    assert [set(body["output"]["audio"]) for body in bodies[:-1]] == [{"data", "expires_at", "id"}] * (len(bodies) - 1)
    assert bodies[-1]["output"]["audio"]["data"] == ""
    whole = requests.get(bodies[-1]["output"]["audio"]["url"], timeout=10).content
    sound = b"".join(base64.b64decode(body["output"]["audio"]["data"]) for body in bodies)
    assert sound[:4] == b"RIFF"
    assert int.from_bytes(sound[4:8], "little") == 0x7FFFFFFF
    assert sound[44:] == whole[44:]


def test_only_the_header_asks_for_a_stream(practice):
    body = {"model": MODEL, "input": {"text": "hello", "voice": practice.voice()}}
    answer = practice.ask("POST", PATH, json=body, headers={"Accept": "text/event-stream"})
    assert answer.headers["Content-Type"].startswith("application/json")


def test_a_stream_can_be_bare_and_its_pieces_odd(practice):
    practice.fault("bare_pcm")
    practice.fault("odd_chunks")
    bodies = [
        frame.body for frame in frames_of(post(practice, text="hello there", voice=practice.voice(), stream=True))
    ]
    pieces = [base64.b64decode(body["output"]["audio"]["data"]) for body in bodies[:-1]]
    assert [len(piece) % 2 for piece in pieces[:-1]] == [1] * (len(pieces) - 1)
    whole = requests.get(bodies[-1]["output"]["audio"]["url"], timeout=10).content
    assert b"".join(pieces) == whole[44:]


def test_no_line_is_longer_than_the_sdk_can_read(practice):
    answer = post(practice, text="x" * 600, voice=practice.voice(), stream=True)
    limit = 524_288  # bytes; aiohttp's as the SDK sets it: a longer line ends its asynchronous stream
    assert max(map(len, answer.content.splitlines())) < limit / 2


VOICE = (
    "Invalid voice specified, the requested voice does not exist or is not licensed for use—please select a supported"
)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"text": ""}, "Range of input length should be [1, 600]"),
        ({"text": None}, "Range of input length should be [1, 600]"),
        ({"text": "x" * 601}, "Range of input length should be [1, 600]"),
        ({"voice": "Cherry"}, VOICE),
        ({"voice": None}, VOICE),
        ({"voice": "realtime"}, VOICE),
        ({"model": "qwen3-tts-vc-realtime-2026-01-15", "voice": "realtime"}, "Invalid message type: "),
        ({"model": "qwen3-tts-nonsense"}, "Model not exist."),
        ({"language_type": "Klingon"}, "language_type 'Klingon' is not supported."),
    ],
)
def test_what_cannot_be_spoken_is_refused_in_the_services_words(practice, stream, changed, message):
    if changed.get("voice") == "realtime":
        changed = changed | {"voice": practice.voice("qwen3-tts-vc-realtime-2026-01-15")}
    answer = post(practice, stream=stream, **({"text": "hello", "voice": practice.voice()} | changed))
    if stream:
        # Refused inside a stream: the HTTP status stays 200, a comment carries the true one.
        assert answer.status_code == 200
        (frame,) = frames_of(answer)
        assert (frame.event, frame.status) == ("error", 400)
        body = frame.body
    else:
        assert answer.status_code == 400
        body = answer.json()
    assert body["code"] == "InvalidParameter"
    assert body["message"].startswith(message)
    assert practice.counters()["characters"] == 0


@pytest.mark.parametrize(("length", "status"), [(1, 200), (600, 200), (601, 400)])
def test_the_limit_of_characters_has_two_sides(practice, length, status):
    assert post(practice, text="x" * length, voice=practice.voice()).status_code == status


@pytest.mark.parametrize("place", ["input", "parameters", "nowhere"])
def test_the_language_is_taken_from_either_place(practice, place):
    message = {"language_type": "German"} if place == "input" else {}
    parameters = {"language_type": "German"} if place == "parameters" else None
    assert post(practice, text="ja", voice=practice.voice(), parameters=parameters, **message).status_code == 200


def test_the_first_piece_leaves_when_it_is_made_and_not_at_the_end(practice):
    practice.engine.piece_delay = 0.05
    begun = time.monotonic()
    answer = post(practice, text="x" * 40, voice=practice.voice(), stream=True)  # 24 pieces: 1.2 s
    first = next(answer.iter_lines())
    assert first == b"id:1"
    assert time.monotonic() - begun < 0.6
    answer.close()


@pytest.mark.parametrize("stream", [False, True])
def test_the_engine_stops_when_the_client_has_gone(practice, stream):
    practice.engine.piece_delay = 0.02
    body = json.dumps({"model": MODEL, "input": {"text": "x" * 600, "voice": practice.voice()}}).encode()
    extra = "X-DashScope-SSE: enable\r\n" if stream else ""
    head = (
        f"POST {PATH} HTTP/1.1\r\nHost: 127.0.0.1:{practice.service.port}\r\n{extra}"
        f"Authorization: Bearer {practice.api_key.reveal()}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    deadline = time.monotonic() + 10
    with socket.create_connection(("127.0.0.1", practice.service.port), timeout=10) as line:
        line.sendall(head.encode() + body)
        while practice.engine.n_pieces < 3 and time.monotonic() < deadline:
            time.sleep(0.01)
    while practice.engine.n_running and time.monotonic() < deadline:
        time.sleep(0.01)
    assert practice.engine.n_running == 0
    assert 3 <= practice.engine.n_pieces < 60  # of 360


@pytest.mark.parametrize("stream", [False, True])
def test_an_account_that_cannot_be_written_is_an_answer_of_the_service(practice, monkeypatch, stream):
    def full(*_):
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(practice.service.state, "bill", full)
    answer = post(practice, text="hello", voice=practice.voice(), stream=stream)
    body = frames_of(answer)[-1].body if stream else answer.json()
    assert (body["code"], body["message"]) == ("InternalError", "OperationalError: database or disk is full")
    assert stream or answer.status_code == 500


@pytest.mark.parametrize("stream", [False, True])
def test_what_an_engine_cannot_speak_is_no_fault_of_the_service(practice, monkeypatch, stream):
    def speak(*_, **__):
        raise EngineError("Speaking German needs an extra.", remedy="install it")

    monkeypatch.setattr(practice.engine, "speak", speak)
    answer = post(practice, text="hello", voice=practice.voice(), stream=stream)
    body = frames_of(answer)[-1].body if stream else answer.json()
    assert (body["code"], body["message"]) == ("InvalidParameter", "Speaking German needs an extra.")
    assert stream or answer.status_code == 400


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("error", [EngineError("no voice left"), ValueError("a bug")])
def test_an_engine_that_fails_is_an_answer_of_the_service(practice, monkeypatch, error, stream):
    def speak(*_, **__):
        yield np.zeros(2_400, np.int16)
        raise error

    monkeypatch.setattr(practice.engine, "speak", speak)
    answer = post(practice, text="hello", voice=practice.voice(), stream=stream)
    body = frames_of(answer)[-1].body if stream else answer.json()
    assert body["code"] == "InternalError.Algo"
    assert str(error) in body["message"]
    assert stream or answer.status_code == 500
