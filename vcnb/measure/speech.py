"""Where somebody speaks, as sure as this machine can tell.

The better judge is a small neural network, and needs onnxruntime; where that cannot be had, `activity` judges by level
and pitch, and `Activity.judge` says so. The network is deaf to very high voices, children's among them: where it
hears hardly any of what level and pitch take for a voice and the network of `events` for one, it listens again, to
the same played slower, and knows the voice.
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
from .events import sound_events
from .runs import inside, runs

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
# When a second opinion is asked for, and when it counts. Ours, set on voices played up to 3.4 times too fast.
MOST = 0.8  # of the recording; where so much is speech there is no need to ask
HEARD = 0.7  # of what the others hear; the network hears .8 and more of any voice that it hears at all
AROUND = 1.0  # seconds on each side
UNSURE = 0.4  # probability of what only one of the others takes for speech: neither a word nor the room
FEWEST = 1.0  # seconds
SLOWER = (1.3, 1.6)
PIECE = 64 * FRAME  # samples; the network's memory, once it took a voice for something else, hardly lets go of that
HEARD_SLOWLY = 0.25  # of high voices the network then hears .55 to .99, of melodies less than .06

Floats = npt.NDArray[np.float32]
Times = npt.NDArray[np.float64]


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
        Who decided; the second also where it only filled in what the first missed.
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
    times = np.arange(int(duration / HOP) + 1, dtype=np.float64) * HOP
    if session is None:
        found = tuple(speech_segments(samples, sample_rate))
        return Activity(inside(found, times).astype(np.float32), found, "level and pitch")
    narrow = resample(np.asarray(samples, np.float32), sample_rate, RATE)
    probability = _at(times, _probabilities(session, narrow), RATE)
    if (probability > SPEECH).mean() < MOST:
        missed = _missed(session, probability, times, samples, sample_rate)
        if missed is not None:
            probability = np.maximum(probability, missed)
            return Activity(probability.astype(np.float32), _segments(probability, duration), "level and pitch")
    return Activity(probability.astype(np.float32), _segments(probability, duration), "silero")


def _missed(session: Any, probability: Times, times: Times, samples: Floats, sample_rate: int) -> Times | None:
    """Judge by two others where the network hears too little of what both take for speech; None where it hears it all.

    Played slower, the voice is one that the network knows; a melody that fools both others is none even so.
    """
    voiced = inside(speech_segments(samples, sample_rate), times)
    deaf = _deaf(voiced, probability)
    events = sound_events(samples, sample_rate) if deaf.sum() * HOP >= FEWEST else None
    if events is None:
        return None
    said = inside((*events.speech, *events.singing), times)
    missed = _deaf(voiced & said, probability)
    if missed.sum() * HOP < FEWEST:
        return None
    slowly = np.zeros(len(times))
    for slower in SLOWER:
        rate = round(RATE * slower)
        narrow = resample(np.asarray(samples, np.float32), sample_rate, rate)
        pieces = [_probabilities(session, narrow[at : at + PIECE], 0) for at in range(0, len(narrow), PIECE)]
        slowly = np.maximum(slowly, _at(times, np.concatenate(pieces), rate))
    if (slowly[missed] > SPEECH).mean() < HEARD_SLOWLY:
        return None
    unsure = (_around(missed) > 0) & (voiced | said)
    return np.where(missed, 1.0, np.where(unsure, UNSURE, 0.0))


def _deaf(spoken: npt.NDArray[np.bool_], probability: Times) -> npt.NDArray[np.bool_]:
    """Flag the speech around which the network hears too little of it."""
    return spoken & (_around(spoken & (probability > SPEECH)) < HEARD * _around(spoken))


def _around(flags: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """Count the flags that are set near each moment."""
    counted = np.r_[0, np.cumsum(flags)]
    at, reach = np.arange(len(flags)), round(AROUND / HOP)
    found: npt.NDArray[np.int64] = counted[np.minimum(at + reach + 1, len(flags))] - counted[np.maximum(at - reach, 0)]
    return found


def _at(times: Times, coarse: Floats, rate: int) -> Times:
    """Probability at given times from that of each frame."""
    middles = (np.arange(len(coarse)) + 0.5) * (FRAME / rate)
    return np.interp(times, middles, coarse) if len(coarse) else np.zeros(len(times))


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


def _probabilities(session: Any, narrow: Floats, lead: int = LEAD) -> Floats:
    """Ask the network, a block of frames a call, with its memory carried over."""
    if not len(narrow):
        return np.zeros(0, np.float32)
    n_led = min(lead, len(narrow) // FRAME)
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
