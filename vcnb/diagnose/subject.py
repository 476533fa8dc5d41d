"""What the checks look at, and how a function becomes a check."""

from __future__ import annotations

import importlib
import pkgutil
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt

from vcnb.audio.clip import Clip, Segment, Source
from vcnb.audio.encode import outgoing
from vcnb.catalog import SECONDS_LIMIT
from vcnb.measure.bandwidth import bandwidth_hz
from vcnb.measure.events import RATE, Events, sound_events, widened
from vcnb.measure.hum import hum, hum_alone
from vcnb.measure.noise import snr_db
from vcnb.measure.speaker import second_voice_similarity, speaker_embeddings
from vcnb.measure.speech import Activity, speech_activity
from vcnb.measure.stft import Spectrogram, spectrogram

from .finding import Finding, RequiredBy, Verdict

__all__ = ["Check", "Judged", "Subject", "check", "checks", "elsewhere"]

STRETCH = 10.0  # seconds; the least that the service recommends
# A quarter of the windows tells most recordings of one voice from those of two. Of 2,245 in which all of them found a
# second voice of 3 to 5 s, one in twenty would be passed over; 85 of 100 of one voice need no closer look. Ours.
LOOK = 1.6  # seconds between two windows
SURELY_ONE = 0.82  # cosine
NARROW = 4_600.0  # Hz

Found = TypeVar("Found")


class _once(Generic[Found]):
    """Found by the first thread that asks; the others wait for it, where they would find it a second time."""

    def __init__(self, find: Callable[[Any], Found]) -> None:
        self.find, self.name, self.__doc__ = find, find.__name__, find.__doc__

    def __get__(self, subject: Any, _owner: type[Any] | None = None) -> Found:
        if subject is None:
            return self  # type: ignore[return-value]
        kept = vars(subject)
        with kept.setdefault(f"{self.name} is sought", threading.Lock()):
            if self.name not in kept:
                kept[self.name] = self.find(subject)
            found: Found = kept[self.name]
            return found


@dataclass(frozen=True)
class Subject:
    """A recording under judgement, with what was declared about it.

    Parameters
    ----------
    clip : Clip
        The recording.
    language : str or None
        Two-letter code that was declared.
    transcript : str or None
        What was spoken, as declared.
    """

    clip: Clip
    language: str | None = None
    transcript: str | None = None

    @_once
    def source(self) -> Source:
        """Make the file that would be sent."""
        return outgoing(self.clip)

    @property
    def sample_rate(self) -> int:
        """Samples per second (Hz)."""
        return self.clip.sample_rate

    @_once
    def samples(self) -> npt.NDArray[np.float32]:
        """Take what is listened to: the recording up to the service's limit, beyond which it is refused anyway."""
        return self.clip.samples[: round(SECONDS_LIMIT * self.sample_rate)]

    @property
    def duration(self) -> float:
        """Seconds that are listened to."""
        return len(self.samples) / self.sample_rate

    @_once
    def spectrogram(self) -> Spectrogram:
        """Made once for all checks."""
        return spectrogram(self.samples, self.sample_rate)

    @_once
    def activity(self) -> Activity:
        """Where somebody speaks; found once for all checks."""
        return speech_activity(self.samples, self.sample_rate)

    @_once
    def hum(self) -> tuple[float, float]:
        """Frequency of the mains that hums (Hz), and its level below the voice (dB); see `vcnb.measure.hum`."""
        return hum(self.samples, self.sample_rate)

    @_once
    def events(self) -> Events | None:
        """Where music plays and somebody sings; None where nothing here can tell."""
        mains, _ = self.hum
        # The network takes the chord of the mains for music; whoever listens does not.
        hums = hum_alone(self.samples, self.sample_rate, mains) if mains else np.float32(0)
        bare = self.samples - hums
        if self.narrow:
            return sound_events(widened(bare, self.sample_rate), RATE)
        return sound_events(bare, self.sample_rate)

    @_once
    def bandwidth_hz(self) -> float:
        """How far up something moves, in Hz; 0 where nothing does."""
        return bandwidth_hz(self.spectrogram)

    @property
    def narrow(self) -> bool:
        """Whether it has the band of a telephone, or nothing moves in it."""
        return self.bandwidth_hz < NARROW

    @_once
    def voices(self) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float32]]:
        """Where the windows of the recording lie in the space of voices; closer by only where a look does not do."""
        for hop in (LOOK, None):
            found = speaker_embeddings(self.samples, self.sample_rate, self.activity, hop=hop)
            if second_voice_similarity(*found)[0] >= SURELY_ONE:
                break
        return found

    @_once
    def snr_db(self) -> float:
        """How far the voice stands above the room, in dB; NaN where hardly anybody speaks."""
        return snr_db(self.spectrogram, self.activity)


def elsewhere(subject: Subject, places: Sequence[Segment]) -> str:
    """Name the remedy for what lies in some places only.

    Parameters
    ----------
    subject : Subject
        The recording.
    places : sequence of Segment
        Where the trouble is, in order.

    Returns
    -------
    str
        "window" where a stretch of ten seconds is free of it, else "".
    """
    edges = [0.0, *(edge for place in places for edge in (place.start, place.end)), subject.duration]
    free = max(end - start for start, end in zip(edges[::2], edges[1::2], strict=True))
    return "window" if places and free >= STRETCH else ""


@dataclass(frozen=True)
class Judged:
    """What a check found; the check itself knows the rest.

    Parameters
    ----------
    verdict, value, message, advice, remedy, segments
        As in `Finding`.
    """

    verdict: Verdict
    value: float | int | str | None
    message: str
    advice: str = ""
    remedy: str = ""
    segments: tuple[Segment, ...] = ()


@dataclass(frozen=True)
class Check:
    """One thing that is judged.

    Parameters
    ----------
    name, unit, required, required_by, hard
        As in `Finding`.
    rank : int
        Place in the report, small first.
    judge : callable
        From a Subject to what was found.
    late : bool
        Whether a network has to listen first, so that the others are judged before it.
    """

    name: str
    rank: int
    judge: Callable[[Subject], Judged]
    unit: str = ""
    required: str = ""
    required_by: RequiredBy = "page"
    hard: bool = False
    late: bool = False

    def finding(self, judged: Judged) -> Finding:
        """Complete what was found by what the check asks for."""
        return Finding(
            self.name,
            judged.verdict,
            judged.message,
            judged.value,
            self.unit,
            self.required,
            self.required_by,
            judged.segments,
            judged.advice,
            judged.remedy,
            self.hard,
        )


def check(
    *,
    rank: int,
    required: str,
    unit: str = "",
    required_by: RequiredBy = "page",
    hard: bool = False,
    late: bool = False,
) -> Callable[[Callable[[Subject], Judged]], Check]:
    """Make a function a check; a module in ``checks`` needs no more to take part.

    Parameters
    ----------
    rank : int
        Place in the report, small first.
    required, unit, required_by, hard
        As in `Finding`.
    late : bool
        As in `Check`.

    Returns
    -------
    callable
        The decorator. The check bears the function's name.
    """

    def made(judge: Callable[[Subject], Judged]) -> Check:
        return Check(judge.__name__, rank, judge, unit, required, required_by, hard, late)

    return made


@cache
def checks() -> tuple[Check, ...]:
    """Find the checks, one in each module of the folder ``checks``.

    Returns
    -------
    tuple of Check
        In the order of the report.
    """
    from . import checks as folder

    names = [found.name for found in pkgutil.iter_modules(folder.__path__)]
    modules = [importlib.import_module(f"{folder.__name__}.{name}") for name in names]
    found = [value for module in modules for value in vars(module).values() if isinstance(value, Check)]
    return tuple(sorted(found, key=lambda each: each.rank))
