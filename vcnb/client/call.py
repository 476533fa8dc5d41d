"""How long a call to the service may take, and how it is stopped."""

from __future__ import annotations

import contextlib
import queue
import random
import socket
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from numbers import Real
from typing import Literal

from vcnb.errors import SettingsError

__all__ = ["Call", "End", "check_timeout", "shut"]

TIMEOUT_LIMIT = 86_400.0  # seconds; ours: no call takes a day, and the system's clocks have limits of their own

End = Literal["deadline", "silence", "cancelled"]


def check_timeout(timeout: float | None) -> float | None:
    """Refuse a time-out that is none.

    Parameters
    ----------
    timeout : float or None
        Seconds; None where none was given.

    Returns
    -------
    float or None
        The same.

    Raises
    ------
    SettingsError
        If it is no number above 0 and up to a day.
    """
    if timeout is not None and not (isinstance(timeout, Real) and 0 < timeout <= TIMEOUT_LIMIT):
        raise SettingsError(
            f"A timeout of {timeout!r} s is impossible.",
            remedy=f"give seconds above 0 and up to {TIMEOUT_LIMIT:,.0f}, or none",
        )
    return timeout


class Call:
    """One call: its deadlines, its sockets, and the hand that stops it from any thread.

    The time-outs of a socket count from byte to byte, so a peer that drips holds a caller for ever. Here a thread
    waits for the deadline and shuts the sockets, which wakes whoever reads or writes on them.

    Parameters
    ----------
    timeout : float
        Seconds for the whole call.
    silence : float, optional
        Seconds between two sounds (`heard`), at most.
    on_stop : callable, optional
        Told once, when the call is stopped before its end.

    Attributes
    ----------
    on_sent : callable or None
        Told when the last byte of a request was handed to the system, which may still be sending it.
    """

    def __init__(
        self, timeout: float, *, silence: float | None = None, on_stop: Callable[[End], None] | None = None
    ) -> None:
        self.timeout = timeout
        self.silence = silence
        self.sent = False  # whether a byte of a request may have reached the service
        self.status: int | None = None  # of the last answer
        self.retry_after: str | None = None
        self.on_sent: Callable[[], None] | None = None
        self._on_stop = on_stop
        self._began = self._heard = time.monotonic()
        self._stopped: End | None = None
        self._over = False
        self._changed = threading.Condition()
        self._sockets: list[socket.socket] = []
        # Its put may be called in the middle of anything, also by the garbage collector on a thread that holds locks.
        self._wake: queue.SimpleQueue[End | None] = queue.SimpleQueue()
        self._watch = threading.Thread(target=self._wait_for_the_deadline, name="vcnb-deadline", daemon=True)

    def __enter__(self) -> Call:
        self._began = self._heard = time.monotonic()
        self._watch.start()
        return self

    def __exit__(self, *_: object) -> None:
        with self._changed:
            self._over = True
            self._sockets.clear()
        self._wake.put(None)
        if threading.current_thread() is not self._watch:
            self._watch.join(1)

    @property
    def stopped(self) -> End | None:
        """Why it was stopped before its end; None while it was not."""
        return self._stopped

    @property
    def elapsed(self) -> float:
        """Seconds since the call began."""
        return time.monotonic() - self._began

    @property
    def remaining(self) -> float:
        """Seconds to the deadline, 0 after it."""
        return max(0.0, self.timeout - self.elapsed)

    def heard(self) -> None:
        """Note that sound arrived."""
        self._heard = time.monotonic()

    def expect_within(self, silence: float | None) -> None:
        """From now on sound is expected within so many seconds, or not expected."""
        with self._changed:
            self.silence = silence
            self._heard = time.monotonic()
        self._wake.put(None)

    def hold(self, sock: socket.socket) -> None:
        """Keep a socket within reach of `stop`; from here on the request may arrive."""
        with self._changed:
            self.sent = True
            self._sockets.append(sock)
            stopped = self._stopped
        if stopped:
            shut(sock)

    def stop(self, why: End = "cancelled") -> None:
        """End the call now, from any thread; nothing happens after its end.

        Parameters
        ----------
        why : {"deadline", "silence", "cancelled"}
            The first reason counts.
        """
        with self._changed:
            if self._over or self._stopped:
                return
            self._stopped = why
            sockets = list(self._sockets)
            self._changed.notify_all()
        self._wake.put(None)
        if self._on_stop:
            self._on_stop(why)
        for sock in sockets:
            shut(sock)

    def abandon(self) -> None:
        """Have the call cancelled by its own thread; takes no lock, so that a finalizer may call it."""
        self._wake.put("cancelled")

    def pause(self, attempt: int) -> bool:
        """Wait before another attempt, at least as long as the service asked.

        Parameters
        ----------
        attempt : int
            Number of attempts that were made.

        Returns
        -------
        bool
            False where the deadline leaves no time for it, or the call was stopped.
        """
        seconds = random.uniform(0.5, 1.0) * min(8.0, 0.25 * 2**attempt)
        seconds = max(seconds, _asked_for(self.retry_after))
        self.retry_after = None
        if seconds >= self.remaining:
            return False
        until = time.monotonic() + seconds
        with self._changed:
            while not self._stopped and (left := until - time.monotonic()) > 0:
                self._changed.wait(left)
            # Silence is counted from the attempt on, not from the pause before it.
            self._heard = time.monotonic()
        return self._stopped is None

    def _wait_for_the_deadline(self) -> None:
        while not (self._over or self._stopped):
            due, why = self._due()
            try:
                asked = self._wake.get(timeout=max(0.0, due - time.monotonic()))
            except queue.Empty:
                # Sound may have come meanwhile: then it is due later.
                if time.monotonic() >= self._due()[0]:
                    self.stop(why)
            else:
                if asked:
                    self.stop(asked)

    def _due(self) -> tuple[float, End]:
        whole = self._began + self.timeout
        if self.silence is not None and self._heard + self.silence < whole:
            return self._heard + self.silence, "silence"
        return whole, "deadline"


def _asked_for(retry_after: str | None) -> float:
    """Read Retry-After: seconds, or a date (RFC 9110 10.2.3)."""
    written = (retry_after or "").strip()
    if written.isdigit():
        return float(written[:9])
    try:
        return (parsedate_to_datetime(written) - datetime.now(UTC)).total_seconds()
    except (ValueError, TypeError):  # no date, or one without a zone
        return 0.0


def shut(sock: socket.socket) -> None:
    """Shut a socket down from any thread; whoever reads or writes on it wakes."""
    with contextlib.suppress(OSError):  # closed already is what was wanted
        # The plain socket's own method: the one of TLS would forget its state under a reader's feet.
        socket.socket.shutdown(sock, socket.SHUT_RDWR)
