"""What speaks instantly and always alike, for tests and timing: a tone at the pitch of the reference."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from vcnb.catalog import SPEECH_SAMPLE_RATE
from vcnb.measure.pitch import median_f0

from .engine import Reference, UnusableReferenceError

__all__ = ["ToneEngine"]

SECONDS_PER_CHARACTER = 0.06  # about the pace of read English
PIECE_LENGTH = SPEECH_SAMPLE_RATE // 10  # 100 ms
PEAK = 8_000.0


class ToneEngine:
    """Hum a text: as long as it would take to say it, at the median pitch of the reference.

    Parameters
    ----------
    piece_delay : float
        Seconds of waiting before each piece, to make time visible.
    """

    def __init__(self, *, piece_delay: float = 0.0) -> None:
        self.piece_delay = piece_delay

    @property
    def version(self) -> str:
        """Name and version."""
        return "tone-1"

    def profile(self, reference: Reference) -> bytes:
        """Measure the median pitch of the reference.

        Parameters
        ----------
        reference : Reference
            At most 60 s.

        Raises
        ------
        UnusableReferenceError
            If nothing in it has a pitch.
        """
        f0 = median_f0(reference.samples, reference.sample_rate)
        if not math.isfinite(f0):
            raise UnusableReferenceError("Nothing in the reference has a pitch.", remedy="record a speaking voice")
        return json.dumps({"f0_hz": round(f0, 2)}).encode()

    def speak(self, text: str, *, language: str, profile: bytes) -> Iterator[npt.NDArray[np.int16]]:  # noqa: ARG002
        """Hum.

        Parameters
        ----------
        text : str
            Only its length matters.
        language : str
            Does not matter.
        profile : bytes
            What `profile` gave.

        Yields
        ------
        np.ndarray [shape=(n,)]
            Pieces of 100 ms, 24 kHz mono 16-bit; the last one may be shorter.
        """
        f0 = float(json.loads(profile)["f0_hz"])
        n_samples = max(1, round(len(text) * SECONDS_PER_CHARACTER * SPEECH_SAMPLE_RATE))
        for start in range(0, n_samples, PIECE_LENGTH):
            if self.piece_delay:
                time.sleep(self.piece_delay)
            index = np.arange(start, min(start + PIECE_LENGTH, n_samples))
            phase = 2 * np.pi * f0 * index / SPEECH_SAMPLE_RATE
            # Two partials: a bare sine has no octave for a pitch tracker to hold on to.
            yield (PEAK * (np.sin(phase) + 0.5 * np.sin(2 * phase))).astype(np.int16)

    def close(self) -> None:
        """Give nothing back: nothing is held."""
