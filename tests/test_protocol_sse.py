"""Events are written so that the SDK reads them; that it does is seen in the witness tests."""

from __future__ import annotations

from vcnb.protocol import sse


def test_an_event_is_written_without_a_space_and_in_one_line():
    written = sse.frame(3, {"a": "ä\n\r", "b": [1]}, event="error", status=429)
    assert written.decode() == 'id:3\nevent:error\n:HTTP_STATUS/429\ndata:{"a":"ä\\n\\r","b":[1]}\n\n'
