"""A session goes through the documented states, with every event and every field, and says no in between."""

from __future__ import annotations

import base64
import contextlib
import json
import re
import socket
import sqlite3
import time

import numpy as np
import pytest
import websocket

from vcnb.client.conversation import Conversation
from vcnb.errors import ServiceUnreachableError
from vcnb.practice.engines.engine import EngineError

MODEL = "qwen3-tts-vc-realtime-2026-01-15"
ROUND = [
    "input_text_buffer.committed",
    "response.created",
    "response.output_item.added",
    "response.content_part.added",
    "response.audio.delta",
    "response.content_part.done",
    "response.output_item.done",
    "response.audio.done",
    "response.done",
]
LATE = "Session update error: session already started or finished or failed."


class Line:
    """A client that does nothing by itself."""

    def __init__(self, practice, *, model=MODEL, key=None):
        key = practice.api_key.reveal() if key is None else key
        self.closed_with = None
        # websocket-client forgets to close a socket that was refused; so the socket is ours.
        self._own = socket.create_connection(("127.0.0.1", practice.service.port), timeout=10)
        url = f"{practice.realtime_url}?model={model}"
        try:
            self.socket = websocket.create_connection(url, header=[f"Authorization: Bearer {key}"], socket=self._own)
        except BaseException:
            self._own.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._own.close()

    def say(self, kind, **fields):
        self.socket.send(json.dumps({"event_id": f"event_{kind}", "type": kind, **fields}))

    def configure(self, practice, **session):
        self.voice = practice.voice(MODEL)
        self.say("session.update", session={"voice": self.voice, **session})
        assert [self.hear()["type"], self.hear()["type"]] == ["session.created", "session.updated"]

    def hear(self):
        """The next event, or None once the service has closed."""
        opcode, data = self.socket.recv_data()
        if opcode == websocket.ABNF.OPCODE_CLOSE:
            self.closed_with = int.from_bytes(data[:2], "big"), data[2:].decode()
            return None
        assert opcode == websocket.ABNF.OPCODE_TEXT
        return json.loads(data)

    def hear_all(self):
        return list(iter(self.hear, None))


def kinds(events):
    """Types in order, runs of sound drawn together."""
    found = [event["type"] for event in events]
    return [kind for last, kind in zip([None, *found], found, strict=False) if kind != last or "delta" not in kind]


def sound_of(events):
    return b"".join(base64.b64decode(event["delta"]) for event in events if event["type"] == "response.audio.delta")


def spoken(practice, text="a text of thirty characters ok", **session):
    with Line(practice) as line:
        line.configure(practice, **({"mode": "commit"} | session))
        line.say("input_text_buffer.append", text=text)
        line.say("session.finish")
        return line.hear_all()


def test_a_session_opens_with_its_defaults_and_echoes_what_it_takes(practice):
    with Line(practice) as line:
        greeting = line.socket.getheaders()
        assert greeting["x-vcnb-practice-folder"] == practice.service.folder_id
        assert not {"sec-websocket-protocol", "sec-websocket-extensions"} & set(greeting)
        defaults = line.hear()["session"]
        assert re.fullmatch("sess_[A-Za-z0-9]{21}", defaults["id"])
        assert defaults == {
            "id": defaults["id"],
            "object": "realtime.session",
            "mode": "server_commit",
            "model": MODEL,
            "voice": "",
            "response_format": "pcm",
            "sample_rate": 24_000,
        }
        asked = {
            "voice": practice.voice(MODEL),
            "mode": "commit",
            "language_type": "English",
            "response_format": "wav",
            "sample_rate": 16_000,
            "volume": 80,
            "speech_rate": 1.2,
            "pitch_rate": 0.9,
            "bit_rate": 64,
            "enable_tn": True,
            "instructions": "calm",
            "optimize_instructions": True,
        }
        line.say("session.update", session=asked | {"foo": "bar"})
        assert line.hear()["session"] == defaults | asked


def test_a_round_holds_every_event_with_every_field(practice):
    events = spoken(practice, "你好 all")
    assert kinds(events) == [*ROUND, "session.finished"]
    ids = [event["event_id"] for event in events]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch("event_[A-Za-z0-9]{21}", each) for each in ids)
    by_kind = {event["type"]: event for event in events}
    response = by_kind["response.created"]["response"]
    assert re.fullmatch("resp_[A-Za-z0-9]{21}", response["id"])
    voice = response.pop("voice")
    assert voice.startswith("qwen-tts-vc-made-voice-")
    assert response == {
        "id": response["id"],
        "object": "realtime.response",
        "conversation_id": "",
        "status": "in_progress",
        "output": [],
    }
    item = by_kind["response.output_item.added"]["item"]
    assert re.fullmatch("item_[A-Za-z0-9]{21}", item["id"])
    assert item == {
        "id": item["id"],
        "object": "realtime.item",
        "type": "message",
        "status": "in_progress",
        "role": "assistant",
        "content": [],
    }
    place = {"response_id": response["id"], "item_id": item["id"], "output_index": 0, "content_index": 0}
    part = {"part": {"type": "audio", "text": ""}}
    for kind, more in {"content_part.added": part, "content_part.done": part, "audio.done": {}}.items():
        found = by_kind[f"response.{kind}"]
        assert found == {"event_id": found["event_id"], "type": f"response.{kind}"} | place | more
    done_item = item | {"status": "completed", "content": [{"type": "audio", "text": ""}]}
    assert by_kind["response.output_item.done"]["item"] == done_item
    assert by_kind["response.output_item.done"]["response_id"] == response["id"]
    assert by_kind["response.done"]["response"] == {
        "id": response["id"],
        "object": "realtime.response",
        "conversation_id": "",
        "status": "completed",
        "modalities": ["text", "audio"],
        "voice": voice,
        "output": [done_item | {"content": [{"type": "audio", "transcript": ""}]}],
        "usage": {"characters": 8},
    }
    assert by_kind["input_text_buffer.committed"]["item_id"] == ""
    assert practice.counters()["characters"] == 8


def test_both_orders_of_the_done_events_can_be_had(practice):
    practice.fault("audio_done_first")
    found = kinds(spoken(practice))
    assert found[5:9] == ["response.audio.done", *ROUND[5:7], "response.done"]


def test_the_server_speaks_each_sentence_as_soon_as_it_is_whole(practice):
    with Line(practice) as line:
        line.configure(practice, mode="server_commit")
        line.say("input_text_buffer.append", text="Right? I love this")
        line.say("input_text_buffer.append", text=" shop. And")
        first = [line.hear()]
        while first[-1]["type"] != "response.done":
            first.append(line.hear())
        assert first[-1]["response"]["usage"]["characters"] == len("Right? I love this shop. ")
        line.say("input_text_buffer.append", text=" then home")
        line.say("session.finish")
        rest = line.hear_all()
    assert kinds(rest) == [*ROUND, "session.finished"]
    assert line.closed_with == (1000, "")
    assert rest[-2]["response"]["usage"]["characters"] == len("And then home")


def test_a_short_sentence_is_spoken_when_nothing_follows_it(practice, monkeypatch):
    monkeypatch.setattr("vcnb.practice.realtime._QUIET_SECONDS", 0.05)
    with Line(practice) as line:
        line.configure(practice, mode="server_commit")
        line.say("input_text_buffer.append", text="Right? ")
        heard = [line.hear()]
        while heard[-1]["type"] != "response.done":
            heard.append(line.hear())
        assert heard[-1]["response"]["usage"]["characters"] == len("Right? ")
        line.say("session.finish")
        assert kinds(line.hear_all()) == ["session.finished"]


def test_a_line_on_which_nothing_is_said_for_long_is_closed_and_says_why(practice, monkeypatch):
    monkeypatch.setattr("vcnb.practice.realtime._IDLE_SECONDS", 0.05)
    line = Conversation(practice.settings(), voice=practice.voice(MODEL), target_model=MODEL)
    with pytest.raises(ServiceUnreachableError, match=r"closed the line \(idle\)"), line:
        list(line)


def test_commit_while_the_server_decides_speaks_what_is_there(practice):
    with Line(practice) as line:
        line.configure(practice, mode="server_commit")
        line.say("input_text_buffer.append", text="no end in sight")
        line.say("input_text_buffer.commit")
        assert [line.hear()["type"] for _ in range(2)] == ROUND[:2]


def test_while_the_client_decides_nothing_is_spoken_before_it_says_so(practice):
    with Line(practice) as line:
        line.configure(practice, mode="commit")
        line.say("input_text_buffer.append", text="A whole sentence. And one more. ")
        line.say("input_text_buffer.clear")
        assert line.hear()["type"] == "input_text_buffer.cleared"
        line.say("input_text_buffer.append", text="kept")
        line.say("input_text_buffer.commit")
        line.say("input_text_buffer.append", text="and more")
        line.say("session.finish")
        events = line.hear_all()
    assert kinds(events) == [*ROUND, *ROUND, "session.finished"]
    counted = [event["response"]["usage"]["characters"] for event in events if event["type"] == "response.done"]
    assert counted == [4, 8]


def test_an_empty_session_finishes_at_once(practice):
    with Line(practice) as line:
        line.configure(practice)
        line.say("session.finish")
        assert kinds(line.hear_all()) == ["session.finished"]


@pytest.mark.parametrize(
    ("mode", "kind", "message"),
    [
        ("commit", "input_text_buffer.commit", "the input text buffer is empty"),
        ("server_commit", "input_text_buffer.commit", "the input text buffer is empty"),
        ("server_commit", "input_text_buffer.clear", "only client commit mode supports clear operation"),
        ("commit", "nothing.known", "unknown event type: nothing.known"),
    ],
)
def test_what_does_not_fit_is_refused_and_the_session_goes_on(practice, mode, kind, message):
    with Line(practice) as line:
        line.configure(practice, mode=mode)
        line.say(kind)
        error = line.hear()["error"]
        assert (error["message"], error["type"]) == (message, "invalid_request_error")
        assert error["event_id"] == f"event_{kind}"
        line.say("input_text_buffer.append", text="still here")
        line.say("session.finish")
        assert kinds(line.hear_all()) == [*ROUND, "session.finished"]


@pytest.mark.parametrize(
    "frame",
    [b"\x00\x01", "not json {", "[]", "[" * 100_000, '{"type": "\\ud800"}'],
    ids=["binary", "text", "array", "deep", "half"],
)
def test_a_frame_that_is_no_event_is_refused_and_the_session_goes_on(practice, frame):
    with Line(practice) as line:
        line.configure(practice)
        line.socket.send(frame) if isinstance(frame, str) else line.socket.send_binary(frame)
        assert line.hear()["error"]["code"] == "invalid_value"
        line.say("session.finish")
        assert kinds(line.hear_all()) == ["session.finished"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("mode", "both"),
        ("sample_rate", 22_050),
        ("sample_rate", True),
        ("response_format", "flac"),
        ("response_format", "mp3"),
        ("response_format", "opus"),
        ("language_type", "en"),
        ("language_type", 7),
        ("language_type", []),
        ("speech_rate", 2.1),
        ("volume", 101),
    ],
)
def test_a_setting_that_cannot_be_is_refused_and_named(practice, field, value):
    with Line(practice) as line:
        line.hear()
        line.say("session.update", session={"voice": practice.voice(MODEL), field: value})
        error = line.hear()["error"]
        assert (error["type"], error["param"]) == ("invalid_request_error", f"session.{field}")
        line.say("session.update", session={"voice": practice.voice(MODEL)})
        assert line.hear()["type"] == "session.updated"


def test_text_before_a_voice_is_refused(practice):
    with Line(practice) as line:
        line.hear()
        line.say("input_text_buffer.append", text="who speaks?")
        assert line.hear()["error"]["param"] == "session.voice"


def test_settings_that_come_after_text_end_the_session(practice):
    with Line(practice) as line:
        line.configure(practice)
        line.say("input_text_buffer.append", text="x")
        line.say("session.update", session={"voice": line.voice})
        events = line.hear_all()
    assert [event["error"] for event in events] == [{"code": "invalid_value", "message": LATE}]
    assert line.closed_with == (1007, LATE)


@pytest.mark.parametrize(
    "voice", ["Cherry", "qwen-tts-vc-no-voice-20260101000000000-0000", "other model", "other date"]
)
def test_a_voice_that_is_not_for_this_model_ends_the_session(practice, voice):
    made = {"other model": "qwen3-tts-vc-2026-01-22", "other date": "qwen3-tts-vc-realtime-2025-11-27"}
    with Line(practice) as line:
        line.hear()
        line.say("session.update", session={"voice": practice.voice(made[voice]) if voice in made else voice})
        assert line.hear()["error"]["message"] == "CLIENT_ERROR-[qwen-tts:]Engine return error code: 411"
        assert line.hear() is None


@pytest.mark.parametrize("model", ["qwen3-tts-vc-2026-01-22", "nonsense", ""])
def test_a_model_that_does_not_speak_here_is_closed_but_not_before_the_sdk_has_looked(practice, model):
    opened = time.monotonic()
    with Line(practice, model=model) as line:
        assert line.hear() is None
        assert line.closed_with == (1007, "Model not found")
    assert time.monotonic() - opened >= 0.2


def test_a_wrong_key_gets_no_socket(practice):
    with pytest.raises(websocket.WebSocketBadStatusException) as refused:
        Line(practice, key="sk-wrong")
    assert refused.value.status_code == 401
    assert json.loads(refused.value.resp_body)["code"] == "InvalidApiKey"


def test_a_plain_get_is_told_what_it_is(practice):
    assert practice.ask("GET", f"/api-ws/v1/realtime?model={MODEL}").status_code == 400


def test_text_under_another_name_is_not_heard(practice):
    with Line(practice) as line:
        line.configure(practice)
        line.say("input_text_buffer.append", delta="under the wrong name")
        line.say("session.finish")
        assert kinds(line.hear_all()) == ["session.finished"]


@pytest.mark.parametrize("sample_rate", [8_000, 16_000, 24_000, 48_000])
def test_another_rate_is_the_same_sound_without_a_seam(practice, sample_rate):
    text = "a sound of some pieces, all of one tone"
    samples = np.frombuffer(sound_of(spoken(practice, text, sample_rate=sample_rate)), "<i2").astype(float)
    assert len(samples) / sample_rate == pytest.approx(len(text) * 0.06, abs=0.001)
    middle = samples[sample_rate // 5 : sample_rate // 5 + sample_rate]
    assert np.abs(np.fft.rfft(middle)).argmax() == pytest.approx(120, abs=2)
    # A seam between two pieces would be a step; the tone itself moves by far less from one sample to the next.
    steepest = 2 * np.pi * 120 / sample_rate * 8_000 * 2
    assert np.abs(np.diff(middle)).max() < 1.3 * steepest


def test_wav_begins_with_a_header_that_says_nothing_of_its_length(practice):
    first = next(each for each in spoken(practice, response_format="wav") if each["type"] == "response.audio.delta")
    header = base64.b64decode(first["delta"])[:44]
    assert header[:4] == b"RIFF"
    assert int.from_bytes(header[4:8], "little") == 0x7FFFFFFF


def test_sound_leaves_while_it_is_still_being_made(practice):
    practice.engine.piece_delay = 0.05
    with Line(practice) as line:
        line.configure(practice, mode="commit")
        line.say("input_text_buffer.append", text="x" * 40)  # 24 pieces: 1.2 s
        line.say("input_text_buffer.commit")
        begun = time.monotonic()
        while line.hear()["type"] != "response.audio.delta":
            pass
        assert time.monotonic() - begun < 0.6


def test_a_cancelled_response_ends_as_incomplete_and_the_next_one_is_whole(practice):
    practice.engine.piece_delay = 0.02
    with Line(practice) as line:
        line.configure(practice, mode="commit")
        line.say("response.cancel")  # nothing runs: nothing happens
        line.say("input_text_buffer.append", text="x" * 600)
        line.say("input_text_buffer.commit")
        while line.hear()["type"] != "response.audio.delta":
            pass
        line.say("response.cancel")
        while (event := line.hear())["type"] != "response.done":
            pass
        assert event["response"]["status"] == "incomplete"
        practice.engine.piece_delay = 0.0
        line.say("input_text_buffer.append", text="again")
        line.say("session.finish")
        assert line.hear_all()[-2]["response"]["status"] == "completed"


@pytest.mark.parametrize("error", [EngineError("no voice left"), ValueError("a bug")])
def test_an_engine_that_fails_ends_the_session_and_says_so(practice, monkeypatch, error):
    def speak(*_, **__):
        yield np.zeros(2_400, np.int16)
        raise error

    monkeypatch.setattr(practice.engine, "speak", speak)
    events = spoken(practice)
    assert [event["type"] for event in events][-2:] == ["response.done", "error"]
    assert events[-2]["response"]["status"] == "failed"
    assert events[-1]["error"]["code"] == "InternalError.Algo"
    assert str(error) in events[-1]["error"]["message"]


def test_a_service_that_breaks_hangs_up_and_does_not_fall_silent(practice, monkeypatch):
    def broken(*_):
        raise sqlite3.OperationalError("disk full")

    monkeypatch.setattr(practice.service.state, "bill", broken)
    assert spoken(practice)[-1]["error"]["code"] == "InternalError"


def test_an_account_that_cannot_be_read_ends_the_session_and_says_so(practice, monkeypatch):
    def broken(*_):
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr(practice.service.state, "find", broken)
    with Line(practice) as line:
        line.hear()
        line.say("session.update", session={"voice": "any"})
        assert [event["error"]["code"] for event in line.hear_all()] == ["InternalError"]
        assert line.closed_with[0] == 1011


@pytest.mark.parametrize("mode", ["commit", "server_commit"])
def test_only_so_much_text_may_wait_to_be_spoken(practice, mode):
    practice.engine.piece_delay = 0.5  # nothing of it is spoken meanwhile
    with Line(practice) as line:
        line.configure(practice, mode=mode)
        for letters in (50_000, 50_000, 1):
            line.say("input_text_buffer.append", text="x" * letters)
        while (event := line.hear())["type"] != "error":
            assert event["type"] != "response.done"
        assert (event["error"]["param"], event["error"]["type"]) == ("text", "invalid_request_error")
        line.say("unknown")
        while (event := line.hear())["type"] != "error":
            pass
        assert event["error"]["param"] == "type"  # the 100,000 before it were taken


def test_an_error_does_not_send_back_all_that_was_sent(practice):
    with Line(practice) as line:
        line.hear()
        line.say("x" * 100_000)  # its event_id is as long
        error = line.hear()["error"]
        assert error["message"].startswith("unknown event type: xxx")
        assert len(json.dumps(error)) < 1_000


def test_the_engine_stops_when_the_client_hangs_up(practice):
    practice.engine.piece_delay = 0.02
    deadline = time.monotonic() + 10
    with Line(practice) as line:
        line.configure(practice, mode="commit")
        line.say("input_text_buffer.append", text="x" * 600)
        line.say("session.finish")
        while line.hear()["type"] != "response.audio.delta":
            pass
    while practice.engine.n_running and time.monotonic() < deadline:
        time.sleep(0.01)
    assert practice.engine.n_running == 0
    assert practice.engine.n_pieces < 60  # of 360


def test_there_is_place_for_64_sockets_and_then_for_none(practice):
    with contextlib.ExitStack() as lines:
        for _ in range(64):
            lines.enter_context(Line(practice))
        with pytest.raises(websocket.WebSocketBadStatusException) as refused:
            Line(practice)
        assert refused.value.status_code == 429
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            with Line(practice) as line:
                assert line.hear()["type"] == "session.created"
                return
        except websocket.WebSocketBadStatusException:
            time.sleep(0.01)
    pytest.fail("a place that was left is not given again")
