"""Events are written so that the SDK reads them, and read whoever wrote them."""

from __future__ import annotations

import json

import pytest

from vcnb.protocol import sse


def read(text):
    return list(sse.read_frames(text.split("\n")))


def test_an_event_is_written_without_a_space_and_in_one_line():
    written = sse.frame(3, {"a": "ä\n", "b": [1]}, event="error", status=429)
    assert written.decode() == 'id:3\nevent:error\n:HTTP_STATUS/429\ndata:{"a":"ä\\n","b":[1]}\n\n'
    assert read(written.decode()) == [sse.Frame("error", 429, {"a": "ä\n", "b": [1]})]


@pytest.mark.parametrize(
    ("text", "frames"),
    [
        ("event: error\n: HTTP_STATUS/400\ndata: {}\n\n", [("error", 400, {})]),  # spaces are legal
        ("data:{}\n\n", [("result", 200, {})]),
        ('data:{"a":\ndata:1}\n\n', [("result", 200, {"a": 1})]),  # data in two lines
        (":keep alive\n\n\n", []),
        ("event:error\n\n" + 'data:{"a":1}\n\n', [("result", 200, {"a": 1})]),  # nothing sticks to the next event
        ("data:not json\n\ndata:[1]\n\n", [("result", 200, {}), ("result", 200, {})]),
        ('data:{"a":1}', []),  # broken off inside
        ("retry:10\nid\ndata:{}\n\n", [("result", 200, {})]),
    ],
)
def test_whatever_is_legal_is_read(text, frames):
    assert [(frame.event, frame.status, frame.body) for frame in read(text)] == frames


def test_a_stream_of_many_events_is_read_in_order():
    written = b"".join(sse.frame(number, {"n": number}) for number in range(1, 50)).decode()
    assert [frame.body["n"] for frame in read(written)] == list(range(1, 50))
    assert all(json.loads(line[5:]) for line in written.split("\n") if line.startswith("data:"))
