"""Where somebody speaks, as sure as this machine can tell.

The better judge is a small neural network, and needs onnxruntime; where that cannot be had, `activity` judges by level
and pitch, and `Activity.judge` says so.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from vcnb.audio.clip import Segment
from vcnb.audio.resample import resample

from .activity import speech_segments
from .runs import runs

__all__ = ["Activity", "speech_activity"]

RATE = 16_000  # Hz; what the network was trained on
MODEL = "silero_vad_16k_sequence.onnx"
FRAME, CONTEXT = 512, 64  # samples, the model's own: each frame is led by the end of the one before
BLOCK = 512  # frames a call; the model's authors' choice
# Frames of the beginning, heard once before it counts: cold, the network misses the first 0.3 s of some voices, and
# most of them over the telephone. Of 0.5 to 5 s, forwards and backwards, these 2 s missed least.
LEAD = 64
HOP = 0.01  # seconds
SPEECH = 0.5  # probability, the authors' own
BRIDGE = 0.1  # seconds; a shorter gap is a stop consonant, not a pause
SHORTEST = 0.1  # seconds

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Activity:
    """Speech over time.

    Parameters
    ----------
    probability : np.ndarray [shape=(n,)]
        That somebody speaks, one value each 10 ms; 0 or 1 where level and pitch had to decide.
    segments : tuple of Segment
        In order; gaps under 0.1 s are bridged.
    judge : {"silero", "level and pitch"}
        Who decided.
    """

    probability: Floats
    segments: tuple[Segment, ...]
    judge: Literal["silero", "level and pitch"]

    @property
    def seconds(self) -> float:
        """Speech without its pauses."""
        return sum(segment.duration for segment in self.segments)

    def at(self, times: npt.NDArray[np.float64]) -> Floats:
        """Probability of speech at given times.

        Parameters
        ----------
        times : np.ndarray [shape=(n,)]
            In seconds.

        Returns
        -------
        np.ndarray [shape=(n,)]
            0 where there is no sound at all.
        """
        if not len(self.probability):
            return np.zeros(len(times), np.float32)
        return np.interp(times, np.arange(len(self.probability)) * HOP, self.probability).astype(np.float32)


def speech_activity(samples: Floats, sample_rate: int) -> Activity:
    """Find speech, pauses and their edges.

    Parameters
    ----------
    samples : np.ndarray [shape=(n,)]
        Mono amplitudes, full scale at 1.
    sample_rate : int
        Samples per second (Hz).

    Returns
    -------
    Activity
        Singing counts as speech, and so does chatter behind the voice.

    References
    ----------
    .. [1] Silero Team, "Silero VAD: pre-trained enterprise-grade voice activity detector", 2024,
       https://github.com/snakers4/silero-vad
    """
    session = _session()
    duration = len(samples) / sample_rate
    n_frames = int(duration / HOP) + 1
    if session is None:
        found = tuple(speech_segments(samples, sample_rate))
        times = np.arange(n_frames) * HOP
        inside = np.any([(times >= each.start) & (times < each.end) for each in found], axis=0) if found else times < 0
        return Activity(inside.astype(np.float32), found, "level and pitch")
    narrow = resample(np.asarray(samples, np.float32), sample_rate, RATE)
    coarse = _probabilities(session, narrow)
    middles = (np.arange(len(coarse)) + 0.5) * (FRAME / RATE)
    probability = np.interp(np.arange(n_frames) * HOP, middles, coarse) if len(coarse) else np.zeros(n_frames)
    return Activity(probability.astype(np.float32), _segments(probability, duration), "silero")


@cache
def _session() -> Any:
    """Load the network, once; None where it cannot run."""
    if importlib.util.find_spec("onnxruntime") is None:
        return None
    try:
        import onnxruntime
    except (ImportError, OSError):  # it is there and its libraries are not
        return None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    model = resources.files("vcnb").joinpath("data", "models", MODEL).read_bytes()
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def _probabilities(session: Any, narrow: Floats) -> Floats:
    """Ask the network, a block of frames a call, with its memory carried over."""
    if not len(narrow):
        return np.zeros(0, np.float32)
    n_led = min(LEAD, len(narrow) // FRAME)
    led = np.r_[narrow[: n_led * FRAME], narrow]
    n_frames = -(-len(led) // FRAME)
    padded = np.zeros(CONTEXT + n_frames * FRAME, np.float32)
    padded[CONTEXT : CONTEXT + len(led)] = led
    frames = np.lib.stride_tricks.sliding_window_view(padded, CONTEXT + FRAME)[::FRAME]
    h = c = np.zeros((1, 1, 128), np.float32)
    found = []
    for start in range(0, n_frames, BLOCK):
        block = np.ascontiguousarray(frames[start : start + BLOCK])
        probability, h, c = session.run(None, {"input": block, "h": h, "c": c})
        found.append(probability)
    return np.concatenate(found)[n_led:]


def _segments(probability: npt.NDArray[np.floating], duration: float) -> tuple[Segment, ...]:
    speaking = probability > SPEECH
    for start, end in runs(~speaking):
        if start > 0 and end < len(speaking) and (end - start) * HOP < BRIDGE:
            speaking[start:end] = True
    return tuple(
        Segment(round(start * HOP, 2), min(round(end * HOP, 2), duration))
        for start, end in runs(speaking)
        if (end - start) * HOP >= SHORTEST
    )
