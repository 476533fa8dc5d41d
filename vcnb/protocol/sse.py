"""Server-sent events as this service writes them.

The status of an error inside a stream travels only in a comment line, ``:HTTP_STATUS/429``; the HTTP status stays 200.
The SDK, which reads them, knows an error only by ``event:error`` without a space.
"""

from __future__ import annotations

import json
from typing import Any

__all__ = ["CONTENT_TYPE", "frame"]

CONTENT_TYPE = "text/event-stream;charset=UTF-8"


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
