"""Server-sent events as this service writes them, and how to read them back.

The status of an error inside a stream travels only in a comment line, ``:HTTP_STATUS/429``; the HTTP status stays 200.
The SDK knows an error only by ``event:error`` without a space, and its asynchronous half ends at lines of 512 KiB.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

__all__ = ["CONTENT_TYPE", "Frame", "LINE_LIMIT_BYTES", "frame", "read_frames"]

CONTENT_TYPE = "text/event-stream;charset=UTF-8"
LINE_LIMIT_BYTES = 524_288  # aiohttp's limit as the SDK sets it; a longer line ends its asynchronous stream
_STATUS = re.compile(r":\s*HTTP_STATUS/(\d{3})")


@dataclass(frozen=True)
class Frame:
    """One event of a stream.

    Parameters
    ----------
    event : str
        "result" or "error".
    status : int
        What HTTP would have said.
    body : dict
        The message, {} where it is no JSON object.
    """

    event: str
    status: int
    body: dict[str, Any]


def frame(number: int, body: dict[str, Any], *, event: str = "result", status: int = 200) -> bytes:
    """Write one event.

    Parameters
    ----------
    number : int
        Counted from 1.
    body : dict
        The message.
    event : {"result", "error"}
        What it is.
    status : int
        What HTTP would have said.
    """
    data = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return f"id:{number}\nevent:{event}\n:HTTP_STATUS/{status}\ndata:{data}\n\n".encode()


def read_frames(lines: Iterable[str]) -> Iterator[Frame]:
    """Read events from lines without their ends, as they come.

    Parameters
    ----------
    lines : iterable of str
        Lines; an empty one ends an event. A stream that breaks off inside an event loses that event, as it must.

    Yields
    ------
    Frame
    """
    event, status, data = "result", 200, ""
    for line in lines:
        if not line:
            if data:
                yield Frame(event, status, _object(data))
            event, status, data = "result", 200, ""
        elif found := _STATUS.match(line):
            status = int(found[1])
        else:
            name, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if name == "event":
                event = value
            elif name == "data":
                data += value


def _object(data: str) -> dict[str, Any]:
    try:
        found = json.loads(data)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
