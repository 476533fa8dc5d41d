"""Whether the speaker stops for too long.

Source: the page, "Content": short pauses of at most 2 s are acceptable. A fifth of a second either way is a warning:
the edges of speech are no better known, ours.
"""

from __future__ import annotations

from itertools import pairwise

from vcnb.audio.clip import Segment
from vcnb.diagnose.finding import Verdict
from vcnb.diagnose.subject import Judged, Subject, check
from vcnb.guide.recording import GUIDE

__all__ = ["longest_pause"]

LIMIT = 2.0  # seconds; page
UNSURE = 0.2  # seconds


@check(rank=90, unit="s", required=f"<= {LIMIT:.0f} s")
def longest_pause(subject: Subject) -> Judged:
    """Judge the pauses between the first and the last word."""
    spoken = subject.activity.segments
    if not spoken:
        return Judged("unknown", None, "Where nobody speaks, nobody pauses.")
    pauses = [Segment(before.end, after.start) for before, after in pairwise(spoken)]
    longest = max((pause.duration for pause in pauses), default=0.0)
    value = round(longest, 2)
    if longest <= LIMIT - UNSURE:
        message = f"No pause is longer than {max(value, 0.1):.1f} s."
        silent = max(spoken[0].start, subject.duration - spoken[-1].end)
        if silent <= LIMIT:
            return Judged("pass", value, message)
        # Nobody asks for it, and it teaches a clone nothing.
        return Judged("pass", value, f"{message} At an end nobody speaks for {silent:.1f} s.", "", "trim")
    verdict: Verdict = "warn" if longest <= LIMIT + UNSURE else "fail"
    message = f"A pause lasts {value:.1f} s; the service takes pauses of up to {LIMIT:.0f} s."
    long = tuple(pause for pause in pauses if pause.duration > LIMIT - UNSURE)
    return Judged(verdict, value, message, GUIDE["keep_going"].text, "pause", long)
