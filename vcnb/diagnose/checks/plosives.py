"""Whether breath hits the microphone.

Source: the recording guide names a distance "to avoid plosives" and gives no number; the threshold is ours.
"""

from __future__ import annotations

from vcnb.diagnose.subject import Judged, Subject, check, elsewhere
from vcnb.guide.recording import GUIDE
from vcnb.measure.plosives import plosives as find_plosives

__all__ = ["plosives"]

WARN_FROM = 3  # in ten seconds; one or two are heard by few


@check(rank=230, unit="in 10 s", required=f"< {WARN_FROM} in 10 s", required_by="ours")
def plosives(subject: Subject) -> Judged:
    """Judge short bursts below the voice."""
    pops = find_plosives(subject.spectrogram)
    value = round(10 * len(pops) / max(subject.duration, 10.0), 1)
    if value < WARN_FROM:
        return Judged("pass", value, "Breath stays off the microphone.")
    message = f"Breath hits the microphone {len(pops)} times, {pops[0].start:.1f} s the first: P and B pop."
    return Judged("warn", value, message, GUIDE["distance"].text, elsewhere(subject, pops), pops)
