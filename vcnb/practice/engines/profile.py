"""What of a voice is kept and followed."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from vcnb.measure.activity import speech_segments
from vcnb.measure.events import sound_events
from vcnb.measure.level import rms_dbfs
from vcnb.measure.pace import syllables_per_second
from vcnb.measure.pitch import HOP, f0_track

from .engine import EngineError, Reference, UnusableReferenceError
from .timbre import Timbre, timbre

__all__ = ["Profile", "enough", "measure", "no_song"]

# All ours. A fifth of an octave and more off the median are DIO's octave errors, not melody.
OCTAVE_ERROR = 0.55  # natural logarithm; 9.5 semitones
SHORTEST_VOICED = 1.0  # s; three seconds of speech hold about one and a half
SHORTEST_SPEECH = 3.0  # s; the service's least
LISTENED = 15.0  # s
# Of the recording, and times what is spoken. Songs had .34 and more, and 5 and more; speech over a song at most .6.
MUSIC = 0.3
SUNG = 3.0

_REMEDY = "record at least 3 s of clear speech, close to the microphone"
_FIGURES = ("pitch", "range", "pace", "rms_dbfs")
_FRAMES = ("voiced", "unvoiced", "breath")


@dataclass(frozen=True, eq=False)
class Profile:
    """Figures of a voice, of a reference as well as of a base speaker.

    Parameters
    ----------
    pitch : float
        Median of log F0 (natural logarithm, Hz): creak pulls the mean down.
    range : float
        Its standard deviation.
    pace : float
        Syllables a second, pauses left out.
    rms_dbfs : float
        Level of its speech without the pauses, in dB of full scale.
    timbre : Timbre
        Its colour.
    """

    pitch: float
    range: float
    pace: float
    rms_dbfs: float
    timbre: Timbre = field(repr=False)

    def to_bytes(self, version: str) -> bytes:
        """Write it down.

        Parameters
        ----------
        version : str
            Of the engine that measured it.

        Returns
        -------
        bytes
            NumPy's npz with half floats; some 150 kB, whatever the reference's length.
        """
        file = io.BytesIO()
        np.savez(
            file,
            version=np.array(version),
            figures=np.array([getattr(self, name) for name in _FIGURES]),
            bandwidth=np.array(self.timbre.bandwidth),
            **{name: getattr(self.timbre, name).astype(np.float16) for name in _FRAMES},
        )
        return file.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes, version: str) -> Profile:
        """Read it again.

        Parameters
        ----------
        data : bytes
            What `to_bytes` gave.
        version : str
            Of the engine that reads it.

        Returns
        -------
        Profile
            As it was measured.

        Raises
        ------
        EngineError
            If it is none, or another version measured it.
        """
        try:
            kept = dict(np.load(io.BytesIO(data), allow_pickle=False))
            made_by = str(kept["version"])
            colour = Timbre(
                **{name: kept[name].astype(np.float32) for name in _FRAMES}, bandwidth=float(kept["bandwidth"])
            )
            voice = cls(**dict(zip(_FIGURES, map(float, kept["figures"]), strict=True)), timbre=colour)
        except (ValueError, TypeError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise EngineError("This is no profile of a voice.", remedy="measure the reference again") from error
        if made_by != version:
            raise EngineError(f"{made_by} measured this voice, not {version}.", remedy="measure the reference again")
        return voice


def measure(reference: Reference) -> Profile:
    """Measure pitch, range, pace, level and colour.

    Parameters
    ----------
    reference : Reference
        Speech of one person.

    Returns
    -------
    Profile
        Its figures.

    Raises
    ------
    UnusableReferenceError
        If it holds less than 3 s of clear speech, or less than a second of it is voiced.
    """
    samples, sample_rate = reference.samples, reference.sample_rate
    times, f0 = f0_track(samples, sample_rate)
    spoken = np.zeros(len(times), dtype=bool)
    segments = speech_segments(samples, sample_rate)
    for segment in segments:
        spoken |= (times >= segment.start) & (times < segment.end)
    enough(sum(segment.duration for segment in segments))
    pitch = _without_octave_errors(np.log(f0[spoken & np.isfinite(f0)]))
    voiced = len(pitch) * HOP
    if voiced < SHORTEST_VOICED:
        raise UnusableReferenceError(
            f"Only {voiced:.1f} s of the reference are voiced speech.",
            remedy=_REMEDY,
        )
    return Profile(
        float(np.median(pitch)),
        float(pitch.std()),
        syllables_per_second(samples, sample_rate),
        rms_dbfs(samples, sample_rate),
        timbre(samples, sample_rate, times=times, f0=f0, spoken=spoken),
    )


def enough(speech: float) -> None:
    """Insist on enough clear speech to make a voice from.

    Parameters
    ----------
    speech : float
        Seconds of it.

    Raises
    ------
    UnusableReferenceError
        If it is less than 3 s.
    """
    if speech < SHORTEST_SPEECH:
        raise UnusableReferenceError(f"Only {speech:.1f} s of the reference are clear speech.", remedy=_REMEDY)


def no_song(reference: Reference) -> None:
    """Insist on speech where music plays: a singer's voice is one, and the band's is not.

    Parameters
    ----------
    reference : Reference
        Its first 15 s are listened to, where a network for that can be had.

    Raises
    ------
    UnusableReferenceError
        If somebody sings to music.
    """
    some = reference.samples[: round(LISTENED * reference.sample_rate)]
    events = sound_events(some, reference.sample_rate)
    if events is None:
        return
    music, singing, speech = (
        sum(segment.duration for segment in kind) for kind in (events.music, events.singing, events.speech)
    )
    if music > MUSIC * len(some) / reference.sample_rate and singing > SUNG * speech:
        raise UnusableReferenceError("The reference is a song with music.", remedy=_REMEDY)


def _without_octave_errors(pitch: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return pitch[np.abs(pitch - np.median(pitch)) < OCTAVE_ERROR] if len(pitch) else pitch
