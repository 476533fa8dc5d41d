"""What is measured of a take, in whatever process; nothing here needs a notebook, a key or a network."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from vcnb.audio.clip import Clip, Segment, Speech
from vcnb.compare.measures import measured
from vcnb.compare.sentinel import Evidence, Traits, alone
from vcnb.compare.sound import Sound

__all__ = ["METHOD", "Numbers", "measure_take"]

METHOD = 3  # of the measuring: what another one measured is measured again
_LAST: dict[str, Sound] = {}  # the last recording, by its samples: takes are measured voice by voice


@dataclass(frozen=True, eq=False)
class Numbers:
    """What one take measures.

    Parameters
    ----------
    values : dict
        Name of a measure -> number.
    traits : Traits
        What other takes of the voice are judged by.
    evidence : tuple of Evidence
        What it shows by itself.
    reference_cosine : float
        Between the voice and the recording it was made from; NaN without one.
    """

    values: dict[str, float]
    traits: Traits
    evidence: tuple[Evidence, ...]
    reference_cosine: float

    def to_dict(self) -> dict[str, Any]:
        """Write it as plain values."""
        return {
            "method": METHOD,
            "values": self.values,
            "embedding": [round(float(each), 5) for each in self.traits.embedding],
            "spoken": [asdict(each) for each in self.traits.spoken],
            "phrases": self.traits.phrases,
            "language": self.traits.language,
            "evidence": [asdict(each) for each in self.evidence],
            "reference_cosine": self.reference_cosine,
        }

    @classmethod
    def read(cls, written: str | None) -> Numbers | None:
        """Read what was kept; None where there is nothing, or another method measured it."""
        kept = json.loads(written) if written else {}
        if kept.get("method") != METHOD:
            return None
        evidence = (Evidence(**{**each, "segments": _segments(each["segments"])}) for each in kept["evidence"])
        embedding = np.array(kept["embedding"], np.float32)
        traits = Traits(embedding, _segments(kept["spoken"]), tuple(kept["phrases"]), kept["language"])
        return cls(kept["values"], traits, tuple(evidence), kept["reference_cosine"])


def _segments(written: list[dict[str, float]]) -> tuple[Segment, ...]:
    return tuple(Segment(**each) for each in written)


def measure_take(take: Speech, reference: Clip | None) -> Numbers:
    """Measure a take.

    Parameters
    ----------
    take : Speech
        What was spoken.
    reference : Clip, optional
        The recording that the voice was made from.

    Returns
    -------
    Numbers
    """
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        sound = Sound(take)
        recorded = _recorded(reference) if reference is not None else None
        cosine = float(sound.embedding @ recorded.embedding) if recorded is not None else float("nan")
        return Numbers(measured(sound), Traits.of(sound), alone(sound, recorded), cosine)


def _recorded(reference: Clip) -> Sound:
    """Give the pictures of a recording; they take ten times as long as those of a short take."""
    digest = hashlib.sha256(reference.samples.tobytes()).hexdigest()
    sound = _LAST.get(digest)
    if sound is None:
        sound = Sound(reference)
        _LAST.clear()
        _LAST[digest] = sound
    return sound
