"""What time it is, how long something takes, and whether a time that somebody wrote down can be trusted."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from vcnb.errors import LibraryError
from vcnb.library.intents import Stamp

__all__ = ["Clock", "SLACK", "elapsed"]

SLACK = 0.5  # seconds; ours: what a clock may be nudged by without having been set
DAY = 86_400.0  # a clock that is set is not set by more; ours


class Clock:
    """The clock of this process; a test has one of its own."""

    def monotonic(self) -> float:
        """Seconds that pass whatever is done to the clock on the wall."""
        return time.monotonic()

    def stamp(self) -> Stamp:
        """Now, for somebody else to read."""
        now = time.time()
        return Stamp(now, now - time.monotonic())

    def wait(self, seconds: float, cancel: threading.Event | None = None) -> None:
        """Wait, at most until somebody cancels."""
        if cancel is None:
            time.sleep(seconds)
        else:
            cancel.wait(seconds)

    @contextmanager
    def beating(
        self, beat: Callable[[], bool], every: float, patience: float, lost: Callable[[], None]
    ) -> Iterator[None]:
        """Show life from a thread while the block runs.

        Parameters
        ----------
        beat : callable
            Shows it; False where it is too late.
        every : float
            Seconds between two.
        patience : float
            Seconds without one that could be written, after which it is too late as well.
        lost : callable
            Told once when it is too late.
        """
        over = threading.Event()

        def go_on() -> None:
            shown = self.monotonic()
            while not over.wait(every):
                try:
                    living = beat()
                except LibraryError:  # a full disk, or somebody else is writing
                    living = self.monotonic() - shown < patience
                else:
                    shown = self.monotonic()
                if not living:
                    lost()
                    return

        thread = threading.Thread(target=go_on, name="vcnb-lease", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()


def elapsed(stamp: Stamp, now: Stamp) -> float | None:
    """Tell how long ago a stamp was written.

    Parameters
    ----------
    stamp, now : Stamp
        By this process or another one.

    Returns
    -------
    float or None
        Seconds, negative for a stamp of what is still to come; None where the clock was set, or the machine slept, in
        between, so that nobody can tell.
    """
    passed = now.at - stamp.at
    return passed if abs(now.clock - stamp.clock) <= SLACK or passed > DAY else None
