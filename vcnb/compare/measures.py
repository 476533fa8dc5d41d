"""What is measured of each recording, in which unit, and by whose method."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from vcnb.audio.clip import Speech
from vcnb.measure.level import rms_dbfs
from vcnb.measure.pace import syllables_per_second
from vcnb.measure.pitch import f0_range_semitones, median_f0

from .sound import Sound

__all__ = ["MEASURES", "Measure", "measured", "title_of", "unit_of"]

SHORTEST_PAUSE = 0.2  # seconds; ours: stop consonants stay below it
# Measured only where somebody asks for it: title and unit.
ASKED = {"error_rate": ("Text heard wrong", ""), "dnsmos": ("DNSMOS quality", "1 to 5")}
SPLIT_HZ = 1000.0  # Where the spectral balance divides: below lie the voice's fundamentals, above its brightness


@dataclass(frozen=True)
class Measure:
    """One number about a recording.

    Parameters
    ----------
    title : str
        For people.
    unit : str
        Of the number.
    of : callable
        From a `Sound` to the number; NaN where it cannot be measured.
    """

    title: str
    unit: str
    of: Callable[[Sound], float]


def measured(sound: Sound) -> dict[str, float]:
    """Measure a recording by everything there is.

    Parameters
    ----------
    sound : Sound
        The recording.

    Returns
    -------
    dict
        Name of `MEASURES` -> number, NaN where it cannot be measured.
    """
    return {name: float(measure.of(sound)) for name, measure in MEASURES.items()}


def unit_of(name: str) -> str:
    """Name the unit of a measure; what has none is a share or a ratio."""
    return MEASURES[name].unit if name in MEASURES else ASKED[name][1] if name in ASKED else ""


def title_of(name: str) -> str:
    """Name a measure for people, with its unit."""
    title = MEASURES[name].title if name in MEASURES else ASKED[name][0]
    return f"{title} ({unit_of(name)})" if unit_of(name) else title


def _whole(function: Callable[..., float]) -> Callable[[Sound], float]:
    return lambda sound: function(sound.clip.samples, sound.clip.sample_rate)


def _pauses(sound: Sound) -> list[float]:
    spoken = sound.activity.segments
    gaps = [after.start - before.end for before, after in itertools.pairwise(spoken)]
    return [gap for gap in gaps if gap >= SHORTEST_PAUSE]


def _longest_pause(sound: Sound) -> float:
    return max(_pauses(sound), default=0.0) if sound.activity.segments else math.nan


def _pause_share(sound: Sound) -> float:
    spoken = sound.activity.segments
    return 100 * sum(_pauses(sound)) / (spoken[-1].end - spoken[0].start) if spoken else math.nan


def _balance(sound: Sound) -> float:
    """Level above 1 kHz against the level below, in speech; below 0 for nearly every voice."""
    middles, levels = sound.long_term_spectrum
    power = np.where(np.isfinite(levels), 10 ** (np.nan_to_num(levels) / 10), 0)
    high, low = power[middles > SPLIT_HZ].sum(), power[middles <= SPLIT_HZ].sum()
    return 10 * math.log10(high / low) if high > 0 and low > 0 else math.nan


def _of_speech(function: Callable[[Speech], float | None]) -> Callable[[Sound], float]:
    def value(sound: Sound) -> float:
        found = function(sound.clip) if isinstance(sound.clip, Speech) else None
        return math.nan if found is None else found

    return value


def _real_time_factor(speech: Speech) -> float | None:
    """Time until the last piece was here, against what it plays."""
    return speech.arrivals[-1][0] / speech.duration if speech.arrivals and speech.duration else None


def _jitter(speech: Speech) -> float | None:
    """Seconds by which the latest piece would have been too late, had playing begun with the first one."""
    if not speech.arrivals:
        return None
    start, due, worst = speech.arrivals[0][0], 0.0, 0.0
    for arrival, seconds in speech.arrivals:
        worst = max(worst, arrival - start - due)
        due += seconds
    return worst


MEASURES = {
    "duration": Measure("Duration", "s", lambda sound: sound.clip.duration),
    "speech": Measure("Speech without pauses", "s", lambda sound: sound.activity.seconds),
    "f0_median": Measure("Median pitch", "Hz", _whole(median_f0)),
    "f0_range": Measure("Pitch range", "semitones", _whole(f0_range_semitones)),
    "pace": Measure("Pace", "syllables/s", _whole(syllables_per_second)),
    "longest_pause": Measure("Longest pause", "s", _longest_pause),
    "pause_share": Measure("Share of pauses", "%", _pause_share),
    "brightness": Measure("Above against below 1 kHz", "dB", _balance),
    "level": Measure("Speech level", "dBFS", _whole(rms_dbfs)),
    "loudness": Measure("Loudness", "LUFS", lambda sound: sound.loudness_lufs),
    "snr": Measure("Voice above the room", "dB", lambda sound: sound.snr_db),
    "first_audio_delay": Measure("First sound", "s", _of_speech(lambda speech: speech.first_audio_delay)),
    "real_time_factor": Measure("Time to arrive, of its length", "", _of_speech(_real_time_factor)),
    "jitter": Measure("Start buffer needed", "s", _of_speech(_jitter)),
}
