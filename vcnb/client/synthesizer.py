"""What is common to the ways of speaking: text in, pieces of sound out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from .call import Call
from .take import Take

__all__ = ["Synthesizer"]


class Synthesizer(Protocol):
    """Text in, sound out, over one transport."""

    def stream(self, text: str, *, call: Call, take: Take) -> Iterator[bytes]:
        """Speak.

        Parameters
        ----------
        text : str
            What to say, of any length.
        call : Call
            Deadline and stop.
        take : Take
            Learns when the first request began, request ids and characters.

        Yields
        ------
        bytes
            24 kHz, 16-bit samples, as they arrive.

        Raises
        ------
        VcnbError
            One typed error, if the sound does not come whole.
        """
        ...
