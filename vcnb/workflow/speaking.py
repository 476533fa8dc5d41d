"""How a voice speaks: the target model follows the voice, and what cannot work is refused before any request."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
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

from .enrollment import check_language
from .money import Purse, Ticket, estimate

__all__ = ["Line", "Stream", "Transport", "choose_transport", "converse", "speak", "stream"]

Transport = Literal["http", "sse", "realtime"]


class Stream:
    """Speech as it arrives: iterate for Clips, or ask for `speech`; the money is counted at its end.

    Parameters
    ----------
    inner : SpeechStream
        The sound.
    ticket : Ticket
        The money set aside for it.
    """

    def __init__(self, inner: SpeechStream, ticket: Ticket) -> None:
        self._inner = inner
        self._ticket = ticket
        self._pieces = iter(inner)
        # One that is dropped half-way was asked for all the same.
        weakref.finalize(self, ticket.settle).atexit = False

    def __iter__(self) -> Iterator[Clip]:
        return self

    def __next__(self) -> Clip:
        try:
            return next(self._pieces)
        except StopIteration:
            self._ticket.settle(self._inner.speech.cost)
            raise
        except BaseException as error:
            self._ticket.fail(error)
            raise

    @property
    def speech(self) -> Speech:
        """The whole, once what is left has arrived; raises what broke it off."""
        try:
            whole = self._inner.speech
        except BaseException as error:
            self._ticket.fail(error)
            raise
        self._ticket.settle(whole.cost)
        return whole

    def cancel(self) -> None:
        """Stop it; what was asked for may be billed."""
        self._inner.cancel()
        self._ticket.settle()

    def __enter__(self) -> Stream:
        self._inner.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._inner.__exit__(kind, error, trace)
        self._ticket.settle()


class Line(Conversation):
    """A conversation whose words are paid for as they are said."""

    _reserve: Callable[[str], Ticket] | None = None

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
        with self._reserve(text):
            super().say(text)


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
    return Stream(inner, ticket)


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
    return line


def _price(settings: Settings, text: str, voice: Voice) -> float:
    return estimate(texts=text, target_model=voice.target_model, free=settings.region == "practice").cost
