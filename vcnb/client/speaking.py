"""How text is spoken with a voice that the service holds."""

from __future__ import annotations

from typing import Literal, get_args
from urllib.parse import urlsplit

from vcnb.catalog import LANGUAGES, MODELS, SYSTEM_VOICES
from vcnb.errors import SettingsError
from vcnb.settings import Settings

from .call import check_timeout
from .http import HttpSynthesizer
from .realtime import RealtimeSynthesizer
from .sse import SseSynthesizer
from .stream import SpeechStream, started
from .synthesizer import Synthesizer
from .take import Order
from .text import check_text

__all__ = ["SILENCE", "SpeechStream", "Transport", "check_order", "open_stream"]

Transport = Literal["http", "sse", "realtime"]

SILENCE = 30.0  # seconds between two sounds; ours: the first comes in about one
SECONDS_PER_CALL = 60.0  # ours
SECONDS_PER_CHARACTER = 0.5  # ours: speech takes about 0.07, and a busy service makes it slower than it is heard


def check_order(*, voice: str, target_model: str, transport: str, language: str | None, region: str) -> Order:
    """Refuse what the service would refuse, before any request.

    Parameters
    ----------
    voice, target_model : str
        As the service names them.
    transport : {"http", "sse", "realtime"}
        How to speak.
    language : str or None
        Two-letter code, None for automatic.
    region : str
        Where.

    Returns
    -------
    Order

    Raises
    ------
    SettingsError
        On a system voice, a model that is unknown or does not speak over the transport, or an unknown language.
    """
    if not isinstance(voice, str) or not voice.strip() or not voice.isprintable():
        raise SettingsError(f"{voice!r} names no voice.", remedy="give the id of an enrolled voice")
    if voice in SYSTEM_VOICES:
        raise SettingsError(
            f"{voice!r} is a voice of the system, which models for cloned voices refuse.",
            remedy="enroll a voice and speak with that",
        )
    if transport not in get_args(Transport):
        raise SettingsError(f"There is no transport {transport!r}.", remedy="use 'http', 'sse' or 'realtime'")
    model = MODELS.get(str(target_model))
    if model is None:
        raise SettingsError(
            f"{target_model!r} is no model for cloned voices.", remedy=f"use one of {', '.join(MODELS)}"
        )
    if (model.transport == "realtime") != (transport == "realtime"):
        fitting = "'realtime'" if model.transport == "realtime" else "'http' or 'sse'"
        raise SettingsError(
            f"{target_model} does not speak over {transport!r}.",
            remedy=f"use {fitting}, or a voice that was enrolled for another model",
        )
    if language is not None and language not in LANGUAGES:
        raise SettingsError(f"{language!r} is no language of the service.", remedy=f"use one of {', '.join(LANGUAGES)}")
    return Order(voice, target_model, transport, language, region)


def open_stream(
    settings: Settings,
    text: str,
    *,
    voice: str,
    target_model: str,
    transport: Transport,
    language: str | None = None,
    timeout: float | None = None,
) -> SpeechStream:
    """Begin to speak; the sound is heard as it arrives.

    Parameters
    ----------
    settings : Settings
        Where to, and with which key.
    text : str
        What to say; over HTTP more than 600 characters go in several requests and are joined.
    voice : str
        The service's id.
    target_model : str
        The model that the voice was made for.
    transport : {"http", "sse", "realtime"}
        How to speak.
    language : str, optional
        Two-letter code of the text; the service guesses without.
    timeout : float, optional
        Seconds for the whole; without it 60 s and half a second a character.

    Returns
    -------
    SpeechStream
        Raises, where it is read, one typed error if the speech does not come whole.

    Raises
    ------
    SettingsError
        If it cannot work; nothing was sent.
    """
    check_text(text)
    order = check_order(
        voice=voice, target_model=target_model, transport=transport, language=language, region=settings.region
    )
    whole = check_timeout(timeout) or SECONDS_PER_CALL + SECONDS_PER_CHARACTER * len(text)
    kinds: dict[str, type[HttpSynthesizer] | type[SseSynthesizer] | type[RealtimeSynthesizer]] = {
        "http": HttpSynthesizer,
        "sse": SseSynthesizer,
        "realtime": RealtimeSynthesizer,
    }
    synthesizer: Synthesizer = kinds[transport](settings, order)
    # Without streaming the first byte comes when all is spoken: only the deadline can tell silence from work.
    silence = None if transport == "http" else SILENCE
    host = urlsplit(settings.base_url).hostname
    return started(synthesizer, text, order, timeout=whole, silence=silence, host=host)
