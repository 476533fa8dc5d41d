"""How the SDK is used without its noise."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["quiet"]

_ours = threading.local()


class _NotOurs(logging.Filter):
    """Drops what the SDK logs on our own threads: a clean close as an ERROR, each failure with its whole stack.

    What went wrong is raised as one typed error; records of the user's own use of the SDK pass.
    """

    def filter(self, record: logging.LogRecord) -> bool:  # noqa: ARG002
        return not getattr(_ours, "quiet", False)


_filter = _NotOurs()


@contextmanager
def quiet() -> Iterator[None]:
    """Keep the loggers of the SDK and of its socket still on this thread."""
    for name in ("dashscope", "websocket"):
        logging.getLogger(name).addFilter(_filter)  # the same filter is added once
    before = getattr(_ours, "quiet", False)
    _ours.quiet = True
    try:
        yield
    finally:
        _ours.quiet = before
