"""What an engine is: text and a voice in, pieces of speech out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt

from vcnb.errors import VcnbError

__all__ = ["Engine", "EngineError", "Reference", "UnusableReferenceError"]


class EngineError(VcnbError):
    """The engine cannot speak this."""


class UnusableReferenceError(EngineError):
    """The engine finds no voice in the reference."""


@dataclass(frozen=True, eq=False)
class Reference:
    """The recording that a voice is made from.

    Parameters
    ----------
    samples : np.ndarray [shape=(n,)]
        Mono float32 amplitudes, full scale at 1.
    sample_rate : int
        Samples per second (Hz).
    transcript : str or None
        What is said in it.
    """

    samples: npt.NDArray[np.float32] = field(repr=False)
    sample_rate: int
    transcript: str | None = None


class Engine(Protocol):
    """Speaks text with the voice of a reference."""

    @property
    def version(self) -> str:
        """Name and version; a profile made by another version is made again."""
        ...

    def profile(self, reference: Reference) -> bytes:
        """Measure the voice once, at enrollment.

        Parameters
        ----------
        reference : Reference
            At most 60 s.

        Returns
        -------
        bytes
            All that `speak` needs of the voice; kept by the service.

        Raises
        ------
        UnusableReferenceError
            If there is no voiced speech in it.
        """
        ...

    def speak(self, text: str, *, language: str, profile: bytes) -> Iterator[npt.NDArray[np.int16]]:
        """Speak.

        Parameters
        ----------
        text : str
            What to say.
        language : str
            Two-letter code or "auto".
        profile : bytes
            What `profile` gave.

        Yields
        ------
        np.ndarray [shape=(n,)]
            Pieces of 24 kHz mono 16-bit sound, in order, as they are made.

        Raises
        ------
        EngineError
            If it cannot speak this text.
        """
        ...

    def close(self) -> None:
        """Give back processes and memory."""
        ...
