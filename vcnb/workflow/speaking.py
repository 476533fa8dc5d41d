"""How a voice speaks: the target model follows the voice, and what cannot work is refused before any request."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator, Mapping
from types import TracebackType
from typing import Any, Literal

from vcnb.audio.clip import Clip, Speech
from vcnb.catalog import MODELS
from vcnb.client.conversation import Conversation
from vcnb.client.speaking import open_stream
from vcnb.client.stream import SpeechStream
from vcnb.client.text import check_text
from vcnb.errors import SettingsError
from vcnb.protocol.voice import Voice
from vcnb.settings import Settings

from .keeping import Keeper, Replay
from .languages import check_language
from .money import Purse, Ticket, estimate
from .shelf import Shelf

__all__ = ["Line", "Stream", "Transport", "choose_transport", "converse", "speak", "stream"]

Transport = Literal["http", "sse", "realtime"]


class Stream:
    """Speech as it arrives: iterate for Clips, or ask for `speech`; at its end it is counted and kept.

    Parameters
    ----------
    inner : SpeechStream or Replay
        The sound.
    ticket : Ticket
        The money set aside for it.
    keeper : Keeper, optional
        Keeps it.
    """

    def __init__(self, inner: SpeechStream | Replay, ticket: Ticket, keeper: Keeper | None = None) -> None:
        self._inner, self._ticket, self._keeper = inner, ticket, keeper
        self._pieces = iter(inner)
        # One that is dropped half-way was asked for all the same.
        weakref.finalize(self, _drop, ticket, keeper).atexit = False

    def __iter__(self) -> Iterator[Clip]:
        return self

    def __next__(self) -> Clip:
        try:
            piece = next(self._pieces)
        except StopIteration:
            self._end(self._inner.speech)
            raise
        except BaseException as error:
            self._break(error)
            raise
        if self._keeper is not None:
            self._keeper.add(piece)
        return piece

    @property
    def speech(self) -> Speech:
        """The whole, once what is left has arrived; raises what broke it off."""
        try:
            whole = self._inner.speech
        except BaseException as error:
            self._break(error)
            raise
        return self._end(whole)

    def cancel(self) -> None:
        """Stop it; what was asked for may be billed."""
        self._inner.cancel()
        _drop(self._ticket, self._keeper)

    def note_heard(self, figures: Mapping[str, float | None]) -> None:
        """Keep how it was heard in a browser while it arrived; `Account.heard` tells it."""
        if self._keeper is not None:
            self._keeper.heard(figures)

    def __enter__(self) -> Stream:
        self._inner.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._inner.__exit__(kind, error, trace)
        _drop(self._ticket, self._keeper)

    def _end(self, whole: Speech) -> Speech:
        self._ticket.settle(whole.cost)
        return self._keeper.whole(whole) if self._keeper is not None else whole

    def _break(self, error: BaseException) -> None:
        self._ticket.fail(error)
        if self._keeper is not None and isinstance(error, Exception):  # after an interrupt the rest may be read yet
            self._keeper.broken(self._ticket.cost, getattr(error, "received", None))


def _drop(ticket: Ticket, keeper: Keeper | None) -> None:
    ticket.settle()
    if keeper is not None:
        keeper.broken(ticket.cost)


class Line(Conversation):
    """A conversation whose words are paid for as they are said, and whose speech is kept at its end."""

    _reserve: Callable[[str], Ticket] | None = None
    _keeper: Keeper | None = None
    _tickets: tuple[Ticket, ...] = ()

    def say(self, text: str) -> None:
        """Say something more, if the spend limit allows it.

        Parameters
        ----------
        text : str
            What to speak.

        Raises
        ------
        SpendLimitError
            Before it is sent.
        """
        if self._reserve is None or not isinstance(text, str):
            super().say(text)
            return
        # Counted when it is said: which of the words were spoken at a broken end is not known.
        with self._reserve(text) as ticket:
            super().say(text)
        self._tickets += (ticket,)
        if self._keeper is not None:
            self._keeper.text += text

    def __next__(self) -> Clip:
        piece = super().__next__()
        if self._keeper is not None:
            self._keeper.add(piece)
        return piece

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        try:
            super().__exit__(kind, *rest)
        except BaseException as error:
            self._break(getattr(error, "received", None))
            raise
        if kind is None:
            self._kept()
        else:
            self._break(getattr(rest[0], "received", None))

    @property
    def speech(self) -> Speech:
        """All that was spoken, after `finish`; waits for what is still to come, and raises what broke it off."""
        return self._kept()

    def note_heard(self, figures: Mapping[str, float | None]) -> None:
        """Keep how it was heard in a browser while it arrived; `Account.heard` tells it."""
        if self._keeper is not None:
            self._keeper.heard(figures)

    def _kept(self) -> Speech:
        whole = super().speech
        return self._keeper.whole(whole) if self._keeper is not None and len(whole.samples) else whole

    def _break(self, received: object = None) -> None:
        if self._keeper is not None and self._tickets:
            self._keeper.broken(sum(ticket.cost for ticket in self._tickets), received)


def choose_transport(voice: Voice, *, target_model: str | None, wanted: str | None, streaming: bool) -> Transport:
    """Decide how a voice speaks; it can do so in one family of ways only.

    Parameters
    ----------
    voice : Voice
        With its target model.
    target_model : str or None
        A model that the caller asks for; it must be the voice's own.
    wanted : {"http", "sse", "realtime"} or None
        A transport that the caller asks for.
    streaming : bool
        Whether pieces are wanted as they are made.

    Returns
    -------
    {"http", "sse", "realtime"}

    Raises
    ------
    SettingsError
        On another model, an unknown model, or a transport that the voice's model does not have.
    """
    if target_model is not None and target_model != voice.target_model:
        raise SettingsError(
            f"{voice.voice} was made for {voice.target_model}, not for {target_model}.",
            remedy="leave out target_model: it follows the voice; or enroll the recording for the other model",
        )
    model = MODELS.get(voice.target_model)
    if model is None:
        raise SettingsError(
            f"{voice.voice} was made for {voice.target_model!r}, which is no known model for cloned voices.",
            remedy=f"use a voice for one of {', '.join(MODELS)}",
        )
    possible = ("realtime",) if model.transport == "realtime" else ("sse", "http") if streaming else ("http", "sse")
    if wanted is not None and wanted not in possible:
        raise SettingsError(
            f"{voice.voice} was made for {model.name}, which does not speak over {wanted!r}.",
            remedy=f"use transport={' or '.join(repr(each) for each in sorted(possible))}, or leave it out",
        )
    return wanted or possible[0]  # type: ignore[return-value]


def stream(
    settings: Settings,
    purse: Purse,
    text: str,
    *,
    voice: Voice,
    target_model: str | None = None,
    transport: str | None = None,
    language: str | None = None,
    timeout: float | None = None,
    streaming: bool = True,
    reuse: bool = False,
    shelf: Shelf | None = None,
    account: str = "",
) -> Stream:
    """Ask for speech and hand out its pieces as they arrive.

    Parameters
    ----------
    settings : Settings
        Where to.
    purse : Purse
        Pays for it.
    text : str
        What to speak.
    voice : Voice
        With its target model.
    target_model, transport, language, timeout
        See :meth:`vcnb.Account.speak`.
    streaming : bool
        Whether a transport that streams is preferred.
    reuse : bool
        Whether a kept take of the same words, voice, transport and language will do.
    shelf, account : Shelf, str
        Where it is kept; nowhere without.

    Returns
    -------
    Stream

    Raises
    ------
    SettingsError, SpendLimitError
        Before any request.
    VcnbError
        What the client says.
    """
    check_text(text)
    check_language(language)
    way = choose_transport(voice, target_model=target_model, wanted=transport, streaming=streaming)
    keeper = (
        Keeper(shelf, account, voice=voice, transport=way, language=language, text=text) if shelf is not None else None
    )
    if reuse and keeper is not None and (again := keeper.again()) is not None:
        paid = purse.reserve(0.0)
        paid.give_back()
        return Stream(Replay(again), paid)
    ticket = purse.reserve(_price(settings, text, voice))
    try:
        inner = open_stream(
            settings,
            text,
            voice=voice.voice,
            target_model=voice.target_model,
            transport=way,
            language=language,
            timeout=timeout,
        )
    except BaseException as error:
        ticket.fail(error)
        raise
    return Stream(inner, ticket, keeper)


def speak(settings: Settings, purse: Purse, text: str, *, voice: Voice, **options: Any) -> Speech:
    """Speak and wait for the whole; options as in `stream`."""
    with stream(settings, purse, text, voice=voice, streaming=False, **options) as pieces:
        return pieces.speech


def converse(
    settings: Settings,
    purse: Purse,
    *,
    voice: Voice,
    mode: Literal["server_commit", "commit"] = "server_commit",
    target_model: str | None = None,
    language: str | None = None,
    timeout: float | None = None,
    shelf: Shelf | None = None,
    account: str = "",
) -> Line:
    """Open a line to a realtime voice.

    Parameters
    ----------
    settings : Settings
        Where to.
    purse : Purse
        Pays for what is said.
    voice : Voice
        A realtime voice.
    mode : {"server_commit", "commit"}
        Who decides when to speak: the service, or the caller.
    target_model, language, timeout
        See :meth:`vcnb.Account.converse`.
    shelf, account : Shelf, str
        Where it is kept; nowhere without.

    Returns
    -------
    Line

    Raises
    ------
    SettingsError
        Before any request.
    """
    check_language(language)
    choose_transport(voice, target_model=target_model, wanted="realtime", streaming=True)
    line = Line(
        settings, voice=voice.voice, target_model=voice.target_model, mode=mode, language=language, timeout=timeout
    )

    line._reserve = lambda text: purse.reserve(_price(settings, text, voice))
    if shelf is not None:
        line._keeper = Keeper(shelf, account, voice=voice, transport="realtime", language=language)
    return line


def _price(settings: Settings, text: str, voice: Voice) -> float:
    return estimate(texts=text, target_model=voice.target_model, free=settings.region == "practice").cost
