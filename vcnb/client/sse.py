"""How speech is received as it is made, over HTTP."""

from __future__ import annotations

from collections.abc import Iterator

from vcnb.settings import Settings

from .call import Call
from .pcm import Unpacker, joined
from .posting import answers
from .take import Order, Take
from .text import split_text
from .wire import lost_speech, silent

__all__ = ["SseSynthesizer"]


class SseSynthesizer:
    """Speaks over server-sent events.

    Parameters
    ----------
    settings : Settings
        Where to, and with which key.
    order : Order
        Voice, model and language.
    """

    def __init__(self, settings: Settings, order: Order) -> None:
        self._settings = settings
        self._order = order

    def stream(self, text: str, *, call: Call, take: Take) -> Iterator[bytes]:
        """Speak; see :class:`vcnb.client.synthesizer.Synthesizer`."""
        parts = [part.strip() for part in split_text(text) if part.strip()]
        take.begin()
        for number, part in enumerate(parts):
            sound = self._one(part, call, take)
            yield from joined(sound, first=number == 0, last=number == len(parts) - 1)

    def _one(self, part: str, call: Call, take: Take) -> Iterator[bytes]:
        unpacker = Unpacker()
        sounded = False
        for answer in answers(self._settings, self._order, part, stream=True, call=call, take=take):
            if answer.data and (piece := unpacker.feed(answer.data)):
                sounded = True
                yield piece
            if answer.finished and sounded:
                return
            if answer.finished:
                raise silent(take)
        raise lost_speech("the stream ended before its end was told")
