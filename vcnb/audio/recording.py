"""What a take from a microphone is: a clip, and how it came about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .clip import Clip, Segment

__all__ = ["Recording"]


@dataclass(frozen=True, eq=False, repr=False)
class Recording(Clip):
    """A clip that a microphone took, with its story.

    Parameters
    ----------
    take : str
        Its id, begun with the time by UTC.
    microphone : str
        Name of the device as the browser tells it; "" for what was loaded.
    settings : mapping
        What the browser says it really did to the sound: ``MediaTrackSettings`` without the ids of the device, so
        ``echoCancellation``, ``noiseSuppression``, ``autoGainControl``, ``sampleRate`` ...
    recorded_at : str
        ISO 8601 with its zone; "" where nobody knows.
    language : str or None
        Two-letter code of the script that was shown.
    script : str
        The text that was shown to be read. Nobody has checked that it was read so.
    slips : tuple of Segment
        Where sound was lost before it reached the recorder.
    ended : str
        "stopped", "ready" (by itself), "limit", "unplugged", "interrupted" (page or kernel went away) or "closed".
    """

    take: str = ""
    microphone: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    recorded_at: str = ""
    language: str | None = None
    script: str = ""
    slips: tuple[Segment, ...] = ()
    ended: str = "stopped"
