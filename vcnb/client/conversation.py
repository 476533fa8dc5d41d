"""How text is spoken that is still being written."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterator
from typing import Literal
from urllib.parse import urlsplit

from vcnb.audio.clip import Clip, Speech
from vcnb.errors import SettingsError
from vcnb.settings import Settings

from .call import Call, check_timeout
from .realtime import Line
from .sdk import quiet
from .speaking import SILENCE, check_order
from .stream import ended
from .take import Take
from .text import check_text

__all__ = ["Conversation"]

TIMEOUT = 1800.0  # seconds; ours: no session is known to live longer


class Conversation(Iterator[Clip]):
    """A live line: text goes in as it is written, and sound comes out, on the same thread or another.

    Leaving the block finishes: what is buffered is spoken to its end. Leaving it by an exception hangs up.

    Parameters
    ----------
    settings : Settings
        Where to, and with which key.
    voice, target_model : str
        As the service names them; a realtime model.
    mode : {"server_commit", "commit"}
        Who decides when text is spoken: the service, or `commit`.
    language : str, optional
        Two-letter code of the text.
    timeout : float, optional
        Seconds for the whole conversation, 1800 without.

    Raises
    ------
    SettingsError
        If it cannot work; nothing was sent.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        voice: str,
        target_model: str,
        mode: Literal["server_commit", "commit"] = "server_commit",
        language: str | None = None,
        timeout: float | None = None,
    ) -> None:
        if mode not in ("server_commit", "commit"):
            raise SettingsError(f"There is no mode {mode!r}.", remedy="use 'server_commit' or 'commit'")
        self._order = check_order(
            voice=voice, target_model=target_model, transport="realtime", language=language, region=settings.region
        )
        self._mode = mode
        host = urlsplit(settings.base_url).hostname
        # Nothing that lives on other threads holds the conversation itself: one that is dropped hangs up.
        self._take = take = Take()
        self._call = call = Call(
            check_timeout(timeout) or TIMEOUT, on_stop=lambda why: take.finish(ended(call, why, host, settings.region))
        )
        weakref.finalize(self, call.abandon).atexit = False
        self._awaited = _Awaited(call)
        self._line = Line(settings, self._order, mode=mode, call=self._call, take=self._take)
        self._line.listen(take.add, take.finish, self._awaited.said)
        self._spoken: list[str] = []
        self._buffer: list[str] = []
        self._lock = threading.Lock()
        self._entered = self._finished = False

    def __enter__(self) -> Conversation:
        if self._entered:
            raise SettingsError("The conversation was opened before.", remedy="open another one")
        self._entered = True
        self._call.__enter__()
        try:
            with quiet():
                self._line.open()
        except BaseException:
            self._hang_up()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                self.finish()
                self._take.wait()
        finally:
            self._hang_up()

    def __next__(self) -> Clip:
        self._was_entered()
        return self._take.next()

    def __repr__(self) -> str:
        return f"<Conversation in mode {self._mode!r}>"

    def say(self, text: str) -> None:
        """Write text into the buffer.

        Parameters
        ----------
        text : str
            Any part of what is to be spoken; also the white space between two words, or nothing.

        Raises
        ------
        SettingsError
            If it cannot be spoken, outside the block, or after `finish`.
        VcnbError
            If the line broke.
        """
        check_text(text, blank=True)
        with self._lock:
            self._still_open()
            if text:
                self._line.append(text)
                self._buffer.append(text)

    def commit(self) -> None:
        """Have what was said until now spoken at once.

        Raises
        ------
        SettingsError
            If nothing is buffered (mode "commit").
        """
        with self._lock:
            self._still_open()
            if not "".join(self._buffer).strip() and self._mode == "commit":
                raise SettingsError("Nothing was said since the last commit.", remedy="say something first")
            self._awaited.asked()
            self._line.commit()
            self._keep()

    def clear(self) -> None:
        """Forget what was said since the last commit.

        Raises
        ------
        SettingsError
            In mode "server_commit", where the service may have spoken it already.
        """
        with self._lock:
            self._still_open()
            if self._mode != "commit":
                raise SettingsError("Only mode 'commit' can clear.", remedy="open the line with mode='commit'")
            self._line.clear()
            self._buffer.clear()

    def cancel(self) -> None:
        """Have the speech under way ended and go on, to let somebody interrupt.

        Notes
        -----
        In mode "server_commit" that is all that was said; in mode "commit" the oldest commit that still speaks. So the
        practice service does it; the service documents no answer to it. Sound that came before can still be iterated.
        """
        with self._lock:
            self._still_open()
            self._line.cancel()

    @property
    def awaiting(self) -> bool:
        """Whether sound is due: something was committed whose speech has not ended yet."""
        return self._awaited.due

    def finish(self) -> None:
        """Say that no more comes: the rest is spoken, and iterating ends with it. A second time changes nothing."""
        with self._lock:
            self._was_entered()
            if self._finished:
                return
            self._finished = True
            self._keep()
            self._awaited.asked(last=True)
            self._line.finish()

    @property
    def speech(self) -> Speech:
        """All that was spoken, after `finish`; waits for what is still to come.

        Raises
        ------
        VcnbError
            If it broke before its end, or was not finished.
        """
        if not self._finished:
            raise SettingsError("The conversation is not finished.", remedy="call finish(), or leave the block")
        self._take.wait()
        return self._take.speech("".join(self._spoken), self._order)

    def _keep(self) -> None:
        self._spoken += self._buffer
        self._buffer.clear()

    def _was_entered(self) -> None:
        if not self._entered:
            raise SettingsError("The conversation is not open.", remedy="use it as: with account.converse(...) as line")

    def _still_open(self) -> None:
        self._was_entered()
        if self._finished:
            raise SettingsError("The conversation is finished.", remedy="open another one")

    def _hang_up(self) -> None:
        self._call.stop("cancelled")
        self._line.close()
        self._call.__exit__()


class _Awaited:
    """Knows whether sound is due: after a commit until its response ends, and after the finish until the end.

    While the writer thinks, silence is no fault.
    """

    def __init__(self, call: Call) -> None:
        self._call = call
        self._lock = threading.Lock()
        self._responses = 0
        self._finishing = False

    @property
    def due(self) -> bool:
        with self._lock:
            return self._responses > 0 or self._finishing

    def asked(self, *, last: bool = False) -> None:
        with self._lock:
            self._responses += 1
            self._finishing = self._finishing or last
            self._call.expect_within(SILENCE)

    def said(self) -> None:
        with self._lock:
            self._responses = max(0, self._responses - 1)
            self._call.expect_within(SILENCE if self._responses or self._finishing else None)
