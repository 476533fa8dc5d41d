"""What a recording of any length is like from moment to moment, for little work."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from vcnb.audio.clip import Segment
from vcnb.audio.clipping import clipped_segments
from vcnb.audio.resample import resample
from vcnb.measure.runs import runs
from vcnb.measure.speech import speech_activity
from vcnb.measure.stft import spectrogram

__all__ = ["HOP", "Survey", "survey"]

HOP = 0.01  # seconds
RATE = 16_000  # Hz, enough to hear where somebody speaks and how loud the room is
BAND = (100.0, 8_000.0)  # Hz
SPEECH = 0.5  # probability
BRIDGE, SHORTEST = 10, 10  # frames: shorter gaps are stop consonants, shorter speech is none
# Who never pauses must still be cut somewhere: at the quietest moment of each second.
LONG, SECOND = 800, 100  # frames
ROOM, STEP, QUIET = 300, 25, 8  # frames of a running percentile of the level, its step, and which one

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Survey:
    """A value each 10 ms.

    Parameters
    ----------
    speech : np.ndarray [shape=(n,)]
        Probability that somebody speaks.
    power : np.ndarray [shape=(n,)]
        Mean square between 100 Hz and 8 kHz, full scale 1.
    clipped : tuple of Segment
        Places at the ceiling.
    """

    speech: Floats
    power: Floats
    clipped: tuple[Segment, ...]

    @property
    def duration(self) -> float:
        """Length in seconds, on the grid of 10 ms."""
        return len(self.speech) * HOP

    @property
    def room(self) -> Floats:
        """Power of the room around each moment: the quiet end of the three seconds about it."""
        padded = np.pad(self.power, ROOM // 2, mode="edge")
        windows = np.lib.stride_tricks.sliding_window_view(padded, ROOM)[: len(self.power) : STEP]
        quiet = np.percentile(windows, QUIET, axis=1)
        return np.interp(np.arange(len(self.power)), np.arange(len(quiet)) * STEP, quiet).astype(np.float32)

    def phrases(self) -> list[tuple[int, int]]:
        """Find the stretches of speech between which it can be cut, as frames from and to."""
        speaking = self.speech > SPEECH
        for start, end in runs(~speaking):
            if start > 0 and end < len(speaking) and end - start < BRIDGE:
                speaking[start:end] = True
        found: list[tuple[int, int]] = []
        for start, end in runs(speaking):
            if end - start < SHORTEST:
                continue
            seconds = range(start + SECOND, end - SECOND, SECOND) if end - start > LONG else ()
            cuts = [start, *(at + int(self.power[at : at + SECOND].argmin()) for at in seconds), end]
            found += list(pairwise(cuts))
        return found


def survey(
    blocks: Iterable[tuple[Floats, int, Iterable[Segment] | None]], on_seconds: Callable[[float], None] | None = None
) -> Survey:
    """Listen to a recording block by block.

    Parameters
    ----------
    blocks : iterable of (np.ndarray [shape=(n,)], int, iterable of Segment or None)
        Mono samples, their rate, and where they are clipped, None to look for it here. All but the last are whole
        multiples of 10 ms long.
    on_seconds : callable, optional
        Called with the seconds that were heard so far.

    Returns
    -------
    Survey
        A few bytes for each 10 ms, whatever the rate.
    """
    speech, power, clipped, seconds = [], [], [], 0.0
    for samples, sample_rate, known in blocks:
        n_frames = round(len(samples) / sample_rate / HOP)
        found = clipped_segments(samples, sample_rate) if known is None else known
        clipped += [Segment(seconds + each.start, seconds + each.end) for each in found]
        narrow = resample(samples, sample_rate, RATE)
        speech.append(_fitted(speech_activity(narrow, RATE).probability, n_frames))
        power.append(_fitted(spectrogram(narrow, RATE).band(*BAND), n_frames))
        seconds += len(samples) / sample_rate
        if on_seconds is not None:
            on_seconds(seconds)
    nothing = np.zeros(0, np.float32)
    return Survey(np.concatenate([nothing, *speech]), np.concatenate([nothing, *power]), tuple(clipped))


def _fitted(values: Floats, n: int) -> Floats:
    return (
        values[:n]
        if len(values) >= n
        else np.pad(values, (0, n - len(values)), mode="edge" if len(values) else "constant")
    )
