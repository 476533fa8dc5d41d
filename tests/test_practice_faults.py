"""Every fault strikes the request it was asked for, does what it says, and leaves the next one alone."""

from __future__ import annotations

import http.client
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
import websocket
from test_practice_enrollment import MODEL, create, listed, recorded_uri
from test_practice_realtime import MODEL as REALTIME_MODEL
from test_practice_realtime import ROUND, Line, kinds, sound_of, spoken
from test_practice_synthesis import frames_of, post

from vcnb.practice import context
from vcnb.practice.documented import DOCUMENTED
from vcnb.practice.faults import FAULTS, OPERATIONS, Faults, parse_rule
from vcnb.protocol.enrollment import create_payload, delete_payload, list_payload

PATH = "/api/v1/services/audio/tts/customization"
FORM = ("create", "list", "delete")
TEXT = "a text that takes ten pieces or more"


def act(practice, operation):
    """Make one request of a kind, in the plainest way."""
    if operation == "create":
        return create(practice)
    if operation == "list":
        return practice.ask("POST", PATH, json=list_payload(0, 10))
    if operation == "delete":
        return practice.ask("POST", PATH, json=delete_payload(practice.voice()))
    if operation == "result":
        url = post(practice, text="x", voice=practice.voice()).json()["output"]["audio"]["url"]
        return practice.ask("GET", url.removeprefix(practice.root_url))
    if operation == "upgrade":
        with Line(practice):
            return None
    return post(practice, text=TEXT, voice=practice.voice(), stream=operation == "sse")


def where(name, among=OPERATIONS):
    return sorted(FAULTS[name].operations & set(among))


HTTP = ("create", "list", "delete", "synthesis", "sse")


@pytest.mark.parametrize("operation", ["list", "synthesis"])
@pytest.mark.parametrize("row", DOCUMENTED, ids=lambda row: f"{row[0]}-{row[1]}")
def test_every_documented_error_can_be_had_by_its_code(practice, operation, row):
    status, code, message = row
    practice.fault("error", operation, status=status, code=code, message=message)
    answer = act(practice, operation)
    assert answer.status_code == status
    found = answer.json()
    assert (found["code"], found["message"], set(found)) == (code, message, {"code", "message", "request_id"})
    assert act(practice, operation).status_code == 200


def test_a_code_alone_brings_its_documented_status_and_words(practice):
    practice.fault("error", "list", code="Throttling.RateQuota", times=2)
    for _ in range(2):
        answer = act(practice, "list")
        assert (answer.status_code, answer.json()["message"][:19]) == (429, "Requests rate limit")
    assert act(practice, "list").status_code == 200


@pytest.mark.parametrize("name", ["content_refused", "music", "noise", "other_voices", "singing"])
def test_what_the_service_cannot_hear_can_be_pretended(practice, name):
    practice.fault(name, "create")
    answer = act(practice, "create")
    code = "DataInspectionFailed" if name == "content_refused" else "Audio.PreprocessError"
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert practice.counters()["creations"] == 0


@pytest.mark.parametrize("operation", HTTP)
def test_an_error_can_have_an_empty_body_or_none_that_is_json(practice, operation):
    practice.schedule({"fault": "empty_error", "operation": operation}, {"fault": "not_json", "operation": operation})
    first, second = act(practice, operation), act(practice, operation)
    assert (first.status_code, first.json()) == (400, {})
    assert second.status_code == 502
    with pytest.raises(ValueError, match=r"."):
        second.json()


BROKEN = (requests.ConnectionError, requests.exceptions.ChunkedEncodingError)


@pytest.mark.parametrize("operation", where("reset", [*HTTP, "result"]))
def test_a_reset_before_the_work_breaks_off_and_does_nothing(practice, operation):
    practice.fault("reset", operation)
    with pytest.raises(BROKEN):
        act(practice, operation)
    counted = practice.counters()
    assert counted[operation] == 1
    assert counted["creations"] == (
        1 if operation in ("delete", "synthesis", "sse", "result") else 0
    )  # act's own voice


@pytest.mark.parametrize("name", ["reset_after", "half_body"])
def test_an_answer_can_be_lost_after_the_work_was_done(practice, name):
    practice.schedule(*({"fault": name, "operation": operation} for operation in (*FORM, "synthesis")))
    voice = practice.voice()
    before = practice.counters()
    for send in (
        lambda: create(practice),
        lambda: practice.ask("POST", PATH, json=list_payload(0, 10)),
        lambda: practice.ask("POST", PATH, json=delete_payload(voice)),
    ):
        with pytest.raises(BROKEN):
            send()
    after = practice.counters()
    assert after["creations"] - before["creations"] == 1
    assert after["create"] == 1  # seen once: `requests` does not send a POST again by itself
    assert after["voices"] == before["voices"]  # one made, one deleted
    voice = practice.voice()
    with pytest.raises(BROKEN):
        post(practice, text="twelve chars", voice=voice)
    assert practice.counters()["characters"] == 12


@pytest.mark.parametrize("operation", where("stall", [*HTTP, "result"]))
def test_a_stalled_request_never_ends_and_the_service_goes_on(practice, operation):
    practice.fault("stall", operation)
    practice.patience = 0.3
    with pytest.raises((requests.Timeout, requests.ConnectionError)):
        act(practice, operation)
    practice.patience = 20.0
    assert act(practice, operation).status_code == 200


def test_a_creation_may_be_done_although_its_answer_never_comes(practice):
    practice.fault("stall_after", "create")
    practice.patience = 1.0
    with pytest.raises(requests.Timeout):
        create(practice)
    practice.patience = 20.0
    assert creations_within(practice, 5.0) == 1
    assert listed(practice)["total_count"] == 1


@pytest.mark.parametrize("slow", ["engine", "disk"])
@pytest.mark.parametrize(("settle", "made"), [(40.0, 1), (0.2, 0)])
def test_a_creation_whose_client_has_gone_is_done_within_its_time_or_never(practice, monkeypatch, settle, made, slow):
    monkeypatch.setattr(context, "SETTLE_SECONDS", settle)
    asked, going, done = threading.Event(), threading.Event(), threading.Event()
    place, name = (practice.engine, "profile") if slow == "engine" else (practice.service.state, "create")
    work = getattr(place, name)

    def waits(*given, **named):
        asked.set()
        going.wait(10)
        try:
            return work(*given, **named)
        finally:
            done.set()

    monkeypatch.setattr(place, name, waits)
    line = http.client.HTTPConnection("127.0.0.1", practice.service.port, timeout=10)
    body = json.dumps(create_payload(target_model=MODEL, preferred_name="left", audio=recorded_uri()))
    line.request("POST", PATH, body, {"Authorization": f"Bearer {practice.api_key.reveal()}"})
    assert asked.wait(10)
    line.close()
    deadline = time.monotonic() + 5
    while not made and practice.service._context.tasks and time.monotonic() < deadline:
        time.sleep(0.01)
    going.set()
    assert done.wait(5)
    assert creations_within(practice, 10.0 if made else 0.2) == made


def creations_within(practice, seconds):
    deadline = time.monotonic() + seconds
    while practice.counters()["creations"] == 0 and time.monotonic() < deadline:
        time.sleep(0.01)
    return practice.counters()["creations"]


@pytest.mark.parametrize("operation", where("slow", [*HTTP, "result", "upgrade"]))
def test_a_slow_answer_comes_when_it_is_released(practice, operation):
    practice.fault("slow", operation)
    with ThreadPoolExecutor(1) as other:
        answer = other.submit(act, practice, operation)
        deadline = time.monotonic() + 5
        while practice.counters()[operation] == 0 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert not answer.done()
        practice.release()
        answer.result(10)


def test_a_slow_answer_can_be_given_its_seconds(practice):
    practice.fault("slow", "list", seconds=0.3)
    begun = time.monotonic()
    act(practice, "list")
    assert 0.3 <= time.monotonic() - begun < 1.5
    begun = time.monotonic()
    act(practice, "list")
    assert time.monotonic() - begun < 0.3


@pytest.mark.parametrize("operation", [*FORM, "synthesis"])
def test_an_answer_can_lack_its_output(practice, operation):
    practice.fault("no_output", operation)
    answer = act(practice, operation)
    assert answer.status_code == 200
    assert "output" not in answer.json()


@pytest.mark.parametrize(("name", "holds"), [("truncated_result", 0.5), ("half_body", None)])
def test_a_file_can_be_cut(practice, name, holds):
    whole = act(practice, "result").content
    practice.fault(name, "result")
    if holds is None:
        with pytest.raises(BROKEN):
            act(practice, "result")
    else:
        assert act(practice, "result").content == whole[: int(len(whole) * holds)]


def test_a_stream_without_a_sound_ends_properly(practice):
    practice.fault("silent")
    practice.fault("bare_pcm")
    (last,) = frames_of(act(practice, "sse"))
    assert last.body["output"]["finish_reason"] == "stop"
    assert last.body["output"]["audio"]["data"] == ""


@pytest.mark.parametrize("after", [0, 1, 3, 999])
def test_an_error_can_come_at_any_place_of_a_stream(practice, after):
    practice.fault("stream_error", "sse", after=after, code="Throttling.RateQuota")
    frames = frames_of(act(practice, "sse"))
    assert (frames[-1].event, frames[-1].status) == ("error", 429)
    assert frames[-1].body["code"] == "Throttling.RateQuota"
    assert "stop" not in [frame.body.get("output", {}).get("finish_reason") for frame in frames]
    if after < 999:
        assert len(frames) == after + 1


def test_a_stream_can_end_early_be_cut_or_stand_still(practice):
    practice.schedule(*({"fault": name, "operation": "sse", "after": 2} for name in ("end_early", "cut", "stall_mid")))
    assert [frame.body["output"]["finish_reason"] for frame in frames_of(act(practice, "sse"))] == ["null", "null"]
    with pytest.raises(BROKEN):
        _ = act(practice, "sse").content
    practice.patience = 0.3
    with pytest.raises(requests.ConnectionError, match="Read timed out"):
        _ = act(practice, "sse").content
    practice.patience = 20.0
    assert frames_of(act(practice, "sse"))[-1].body["output"]["finish_reason"] == "stop"


@pytest.mark.parametrize(
    ("name", "status", "body"),
    [("error", 401, "InvalidApiKey"), ("empty_error", 400, "{}"), ("not_json", 502, "<html>")],
)
def test_an_upgrade_can_be_refused(practice, name, status, body):
    practice.fault(name, "upgrade", **({"code": "InvalidApiKey"} if name == "error" else {}))
    with pytest.raises(websocket.WebSocketBadStatusException) as refused:
        Line(practice)
    assert refused.value.status_code == status
    assert body in refused.value.resp_body.decode()
    with Line(practice) as line:
        assert line.hear()["type"] == "session.created"


def test_an_upgrade_can_be_reset(practice):
    practice.fault("reset", "upgrade")
    with pytest.raises((ConnectionError, websocket.WebSocketException)):
        Line(practice)


@pytest.mark.parametrize(
    ("name", "heard", "closed_with"),
    [("close_at_once", [], (1007, "Model not found")), ("silent_close", ["session.created"], (1000, ""))],
)
def test_a_socket_can_be_closed_before_anything_was_said(practice, name, heard, closed_with):
    practice.fault(name)
    with Line(practice) as line:
        assert kinds(line.hear_all()) == heard
        assert line.closed_with == closed_with


@pytest.mark.parametrize("name", ["slow", "stall"])
def test_a_session_can_keep_its_client_waiting(practice, name):
    practice.fault(name, "realtime")
    with Line(practice) as line:
        line._own.settimeout(0.3)
        with pytest.raises(websocket.WebSocketTimeoutException):
            line.hear()
        practice.release()
        line._own.settimeout(10 if name == "slow" else 0.3)
        if name == "slow":
            assert line.hear()["type"] == "session.created"
        else:
            with pytest.raises(websocket.WebSocketTimeoutException):
                line.hear()


def test_an_error_can_stand_where_the_end_belongs(practice):
    practice.fault("error_after_finish", code="InternalError")
    *before, last = spoken(practice, TEXT)
    assert kinds(before) == ROUND
    assert (last["type"], last["error"]["code"]) == ("error", "InternalError")


def test_after_such_an_error_the_socket_may_stay_open(practice):
    practice.fault("error_after_finish", close=False)
    with Line(practice) as line:
        line.configure(practice)
        line.say("session.finish")
        assert line.hear()["type"] == "error"
        line._own.settimeout(0.2)
        with pytest.raises(websocket.WebSocketTimeoutException):
            line.hear()


def test_the_end_can_be_missing(practice):
    practice.fault("no_finished")
    assert kinds(spoken(practice, TEXT)) == ROUND


@pytest.mark.parametrize("after", [0, 2])
@pytest.mark.parametrize("name", ["stream_error", "cut", "end_early", "stall_mid"])
def test_the_sound_of_a_session_can_break_off(practice, name, after):
    practice.fault(name, "realtime", after=after)
    with Line(practice) as line:
        line.configure(practice, mode="commit")
        line.say("input_text_buffer.append", text=TEXT)
        line.say("input_text_buffer.commit")
        line._own.settimeout(0.4 if name == "stall_mid" else 10)
        events = []
        try:
            while (event := line.hear()) is not None:
                events.append(event)
        except websocket.WebSocketTimeoutException:
            assert name == "stall_mid"
        except (ConnectionError, websocket.WebSocketConnectionClosedException):
            assert name == "cut"
        else:
            assert name in ("stream_error", "end_early")
    found = [event["type"] for event in events]
    assert found.count("response.audio.delta") == after
    assert "response.done" not in found
    assert ("error" in found) == (name == "stream_error")


def test_a_session_can_end_without_a_sound(practice):
    practice.fault("silent")
    events = spoken(practice, TEXT)
    assert kinds(events) == [kind for kind in ROUND if "delta" not in kind] + ["session.finished"]


def test_the_ways_of_a_session_can_be_changed(practice):
    practice.fault("many_responses")
    practice.fault("odd_chunks")
    practice.fault("unknown_event")
    with Line(practice) as line:
        line.hear()
        assert line.hear()["type"] == "session.practice_note"
        line.say("session.update", session={"voice": practice.voice(REALTIME_MODEL)})
        line.say("input_text_buffer.append", text="one two three four five six seven eight nine ten eleven")
        line.say("session.finish")
        events = line.hear_all()
    assert kinds(events).count("response.done") >= 3
    assert len(sound_of(events)) % 2 == 0
    assert any(len(sound_of([event])) % 2 for event in events)


def test_a_list_can_be_the_pages_own_or_capped_or_move(practice):
    made = [practice.voice() for _ in range(5)]
    practice.fault("no_total_count", times=1)
    assert "total_count" not in listed(practice)
    practice.fault("page_size_capped", limit=2, times=1)
    capped = listed(practice, 0, 1_000)
    assert (len(capped["voice_list"]), capped["page_size"], capped["total_count"]) == (2, 2, 5)
    practice.fault("page_size_capped", limit=2, echo=False, times=1)
    assert (len(listed(practice, 0, 9)["voice_list"]), listed(practice, 0, 9)["page_size"]) == (2, 9)
    practice.fault("voice_made", times=1)
    assert listed(practice)["total_count"] == 5
    assert listed(practice)["total_count"] == 6
    practice.fault("voice_deleted", times=2)
    assert [listed(practice)["total_count"] for _ in range(3)] == [6, 5, 4]
    assert [row["voice"] for row in listed(practice)["voice_list"]] == made[3::-1]


def test_a_deletion_may_say_nothing_and_a_creation_that_it_was_degraded(practice):
    practice.fault("bare_delete")
    practice.fault("fallback", reason="no_valid_asr_segments")
    assert set(act(practice, "delete").json()) == {"usage", "request_id"}
    output = act(practice, "create").json()["output"]
    assert (output["fallback_mode"], output["fallback_reason"]) == (True, "no_valid_asr_segments")


def test_faults_come_in_their_order_and_switches_beside_them(practice):
    codes = ["Throttling", "InternalError", "ModelUnavailable"]
    practice.schedule(*({"fault": "error", "operation": "list", "code": code} for code in codes))
    practice.fault("error", "list", code="SystemError", skip=1)
    practice.fault("no_total_count")
    statuses = [act(practice, "list").status_code for _ in range(6)]
    assert statuses == [429, 500, 503, 200, 500, 200]
    assert "total_count" not in listed(practice)
    assert practice.counters()["list"] == 7
    practice.ask("DELETE", "/practice/faults")
    assert "total_count" in listed(practice)


@pytest.mark.parametrize("seed", [0, 1])
def test_chance_is_repeatable(seed):
    def strikes():
        faults = Faults()
        faults.add([parse_rule({"fault": "cut", "times": None, "probability": 0.3, "seed": seed})])
        return [bool(faults.draw("sse")) for _ in range(200)]

    assert strikes() == strikes()
    assert 40 < sum(strikes()) < 80


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ([], "an object"),
        ({"fault": "nonsense"}, "there is no fault 'nonsense'"),
        ({"fault": "cut", "operation": "list"}, "'cut' happens to realtime, sse, not to 'list'"),
        ({"fault": "cut", "code": 1}, "'cut' has no parameter code"),
        ({"fault": "cut", "times": "2"}, "whole numbers"),
        ({"fault": "cut", "probability": 2}, "from 0 to 1"),
        ({"fault": "cut", "times": -1}, "not negative"),
        ({"fault": "cut", "after": "1"}, "after of 'cut' cannot be '1'"),
        ({"fault": "slow", "seconds": "abc"}, "seconds of 'slow' cannot be 'abc'"),
        ({"fault": "slow", "seconds": float("nan")}, "seconds of 'slow' cannot be nan"),
        ({"fault": "error", "status": 204}, "status of 'error' cannot be 204"),
        ({"fault": "error", "code": "\ud800"}, "code of 'error' cannot be"),
        ({"fault": "close_at_once", "code": "1007"}, "code of 'close_at_once' cannot be '1007'"),
        ({"fault": "page_size_capped", "limit": 0}, "limit of 'page_size_capped' cannot be 0"),
    ],
)
def test_a_rule_that_cannot_be_is_refused(practice, asked, message):
    with pytest.raises(ValueError, match=message):
        parse_rule(asked)
    answer = practice.ask("POST", "/practice/faults", data=json.dumps([asked]))
    assert (answer.status_code, message in answer.json()["message"]) == (400, True)


def test_every_fault_says_what_it_does(practice):
    shown = practice.ask("GET", "/practice/faults").json()["faults"]
    assert set(shown) == set(FAULTS)
    assert all(shown.values())
    assert all(fault.operations <= OPERATIONS for fault in FAULTS.values())
