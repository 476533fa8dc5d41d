"""What of a voice do we keep and follow?"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt

from .engine import EngineError, Reference, UnusableReferenceError
from .world import FRAME_PERIOD_MS, pitch_frames

__all__ = ["Voice", "measure_voice"]

# All ours. A fifth of an octave and more off the median are DIO's octave errors, not melody.
OCTAVE_ERROR = 0.55  # natural logarithm; 9.5 semitones
SILENCE_BELOW_PEAK_DB = 35.0
SHORTEST_VOICED = 1.0  # s; three seconds of speech, the service's least, hold about one and a half


@dataclass(frozen=True)
class Voice:
    """Figures of a voice, of a reference as well as of a base speaker.

    Parameters
    ----------
    pitch : float
        Mean of log F0 (natural logarithm, Hz).
    range : float
        Its standard deviation.
    rms_dbfs : float
        Level of the frames that are no pause, in dB of full scale.
    """

    pitch: float
    range: float
    rms_dbfs: float

    def to_bytes(self, version: str) -> bytes:
        """Write it down.

        Parameters
        ----------
        version : str
            Of the engine that measured it.

        Returns
        -------
        bytes
            JSON.
        """
        return json.dumps({"version": version, **asdict(self)}).encode()

    @classmethod
    def from_bytes(cls, data: bytes, version: str) -> Voice:
        """Read it again.

        Parameters
        ----------
        data : bytes
            What `to_bytes` gave.
        version : str
            Of the engine that reads it.

        Returns
        -------
        Voice
            As it was measured.

        Raises
        ------
        EngineError
            If it is none, or another version measured it.
        """
        try:
            fields = json.loads(data)
            made_by = fields.pop("version")
            voice = cls(**fields)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise EngineError("This is no profile of a voice.", remedy="measure the reference again") from error
        if made_by != version:
            raise EngineError(f"{made_by} measured this voice, not {version}.", remedy="measure the reference again")
        return voice


def measure_voice(reference: Reference) -> Voice:
    """Measure pitch, range and level.

    Parameters
    ----------
    reference : Reference
        Speech of one person.

    Returns
    -------
    Voice
        Its figures.

    Raises
    ------
    UnusableReferenceError
        If less than a second of it is voiced.
    """
    _, f0, level_db = pitch_frames(reference.samples, reference.sample_rate)
    loud = level_db > np.percentile(level_db, 97) - SILENCE_BELOW_PEAK_DB
    pitch = _without_octave_errors(np.log(f0[(f0 > 0) & loud]))
    voiced = len(pitch) * FRAME_PERIOD_MS / 1000
    if voiced < SHORTEST_VOICED:
        raise UnusableReferenceError(
            f"Only {voiced:.1f} s of the reference are voiced.",
            remedy="record at least 3 s of clear speech, close to the microphone",
        )
    mean_square = float(np.mean(10 ** (level_db[loud] / 10)))
    return Voice(float(pitch.mean()), float(pitch.std()), 10 * float(np.log10(mean_square)))


def _without_octave_errors(pitch: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return pitch[np.abs(pitch - np.median(pitch)) < OCTAVE_ERROR] if len(pitch) else pitch
