"""Whether the sound hits the ceiling.

Source: the page asks for clear speech and gives no number; the thresholds are ours. Runs of samples at the extreme
are counted on the file's own channels; where coding has blurred them, peaks still pile up. Only the loud syllables of
a passage reach the ceiling: places less than a pause apart are marked as one range, which can be listened to.
"""

from __future__ import annotations

from vcnb.audio.clip import Segment
from vcnb.catalog import SECONDS_LIMIT
from vcnb.diagnose.finding import Verdict
from vcnb.diagnose.subject import Judged, Subject, check
from vcnb.guide.recording import GUIDE
from vcnb.measure.clipping import pile_up

__all__ = ["clipping"]

WARN_FROM_PLACES = 3
FAIL_FROM_SHARE = 0.02  # of the time; about 0.3 % of the samples
APART = 1.0  # seconds
WARN_FROM_PILE, FAIL_FROM_PILE = 2.5, 5.0  # an archive recording that nobody clipped has 2.2


@check(rank=160, unit="places", required=f"< {WARN_FROM_PLACES}", required_by="ours")
def clipping(subject: Subject) -> Judged:
    """Judge how often samples stay at the extreme."""
    places = tuple(each for each in subject.source.clipped if each.start < SECONDS_LIMIT)
    share = sum(each.duration for each in places) / max(subject.duration, 1e-9)
    pile = pile_up(subject.samples, subject.sample_rate)
    verdict: Verdict = "pass"
    if share >= FAIL_FROM_SHARE or pile >= FAIL_FROM_PILE:
        verdict = "fail"
    elif len(places) >= WARN_FROM_PLACES or pile >= WARN_FROM_PILE:
        verdict = "warn"
    if verdict == "pass":
        return Judged("pass", len(places), "The loudest places keep their shape.")
    if len(places) >= WARN_FROM_PLACES:
        message = f"The sound is cut flat in {len(places)} places; the clone learns the crackle."
    else:
        message = "Peaks crowd under one level, as after clipping; the clone learns the crackle."
    # What coding has blurred has no edges from which its shape could be told.
    remedy = "declip" if len(places) >= WARN_FROM_PLACES else ""
    return Judged(
        verdict, len(places), message, f"Record at a lower level. {GUIDE['distance'].text}", remedy, _passages(places)
    )


def _passages(places: tuple[Segment, ...]) -> tuple[Segment, ...]:
    passages: list[Segment] = []
    for place in places:
        if passages and place.start - passages[-1].end < APART:
            passages[-1] = Segment(passages[-1].start, max(passages[-1].end, place.end))
        else:
            passages.append(place)
    return tuple(passages)
