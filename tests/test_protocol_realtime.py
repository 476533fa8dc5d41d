"""Events of the service: ids, the order of a round, and which errors a session survives."""

from __future__ import annotations

import re

import pytest

from vcnb.protocol import realtime


def test_ids_are_a_prefix_and_21_letters_or_digits_and_never_the_same():
    made = {realtime.new_id("resp") for _ in range(1_000)}
    assert len(made) == 1_000
    assert all(re.fullmatch("resp_[A-Za-z0-9]{21}", each) for each in made)


@pytest.mark.parametrize(
    ("event", "rest"),
    [
        (realtime.cleared(), {"type": "input_text_buffer.cleared"}),
        (realtime.finished(), {"type": "session.finished"}),
    ],
)
def test_an_event_holds_an_id_a_type_and_what_it_says(event, rest):
    assert event == {"event_id": event["event_id"]} | rest
    assert list(event)[:2] == ["event_id", "type"]


@pytest.mark.parametrize("audio_done_first", [False, True])
@pytest.mark.parametrize("status", ["completed", "failed", "incomplete"])
def test_a_round_closes_with_one_status_throughout(status, audio_done_first):
    told = realtime.Round(voice="v", text="你好")
    events = told.closing(status=status, audio_done_first=audio_done_first)
    kinds = [event["type"].removeprefix("response.") for event in events]
    middle = ["content_part.done", "output_item.done"]
    assert kinds == [*(["audio.done", *middle] if audio_done_first else [*middle, "audio.done"]), "done"]
    response = events[-1]["response"]
    assert [response["status"], response["output"][0]["status"]] == [status, status]
    assert response["id"] == told.id
    assert response["output"][0]["id"] == told.item_id
    assert response["usage"] == {"characters": 4}


def test_only_an_error_with_a_cause_says_that_the_session_goes_on():
    fatal = realtime.error("invalid_value", realtime.LATE_UPDATE_MESSAGE)["error"]
    assert fatal == {"code": "invalid_value", "message": realtime.LATE_UPDATE_MESSAGE}
    mild = realtime.error("invalid_value", "no", param="session.mode", cause="event_1")["error"]
    assert mild == {
        "code": "invalid_value",
        "message": "no",
        "param": "session.mode",
        "type": "invalid_request_error",
        "event_id": "event_1",
    }


def test_a_session_is_greeted_with_what_the_reference_shows():
    session = realtime.new_session("m")
    assert set(realtime.session_created(session)["session"]) == {
        "object",
        "mode",
        "model",
        "voice",
        "response_format",
        "sample_rate",
        "id",
    }
    updated = realtime.session_updated(session)["session"]
    assert updated == session
    assert updated is not session
