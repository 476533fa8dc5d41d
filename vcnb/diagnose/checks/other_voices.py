"""Whether a second person speaks.

Source: the page, "Content": no other voices. The thresholds are ours, on the likeness of the two halves of a recording
that are least alike: 56 recordings of one voice stayed above 0.76, a second voice of 4 s and more fell below 0.735.
Two who speak at once all the time are not found: each window holds both. A second series of harmonics, left over when
the first is taken out, was looked for in vain: in 0.24 to 0.43 of their frames at equal levels, and in 0.06 to 0.29 of
those of one voice.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from vcnb.audio.clip import Segment
from vcnb.diagnose.finding import Verdict
from vcnb.diagnose.subject import Judged, Subject, check, elsewhere
from vcnb.measure.runs import runs
from vcnb.measure.speaker import WINDOW_SECONDS, second_voice_similarity

__all__ = ["other_voices"]

WARN_BELOW, FAIL_BELOW = 0.735, 0.71  # cosine
SINGLE = "It sounds like one voice throughout; two that speak at once all the time are not told apart."
ADVICE = "Record one person, and nobody else in the room."


@check(rank=120, unit="cosine", required="one voice", late=True)
def other_voices(subject: Subject) -> Judged:
    """Judge how unlike each other the windows of a recording are."""
    times, embeddings = subject.voices
    likeness, other = second_voice_similarity(times, embeddings)
    if math.isnan(likeness):
        return Judged("unknown", None, "Too little is said to tell one voice from two.")
    value = round(likeness, 3)
    if likeness >= WARN_BELOW:
        return Judged("pass", value, SINGLE)
    verdict: Verdict = "warn" if likeness >= FAIL_BELOW else "fail"
    places = _places(times, other, subject.activity.segments)
    message = f"From {places[0].start:.1f} s it sounds like another voice; the clone becomes a mixture of both."
    return Judged(verdict, value, message, ADVICE, elsewhere(subject, places), places)


def _places(times: np.ndarray, other: np.ndarray, spoken: Sequence[Segment]) -> tuple[Segment, ...]:
    """Where the other voice speaks: from midway between windows of one and of the other, or to where speech ends."""
    middles = times + WINDOW_SECONDS / 2
    edges = [spoken[0].start, *((middles[:-1] + middles[1:]) / 2), spoken[-1].end]
    return tuple(Segment(round(float(edges[start]), 2), round(float(edges[end]), 2)) for start, end in runs(other))
