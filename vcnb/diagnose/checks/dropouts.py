"""Whether sound is missing.

Source: the page asks for continuous, clear speech; how many holes are too many is ours.
"""

from __future__ import annotations

from vcnb.diagnose.subject import Judged, Subject, check, elsewhere
from vcnb.measure.dropouts import dropouts as find_dropouts

__all__ = ["dropouts"]

FAIL_FROM = 5


@check(rank=220, unit="holes", required="0", required_by="ours")
def dropouts(subject: Subject) -> Judged:
    """Judge digital silence in the middle of sound."""
    holes = find_dropouts(subject.samples, subject.sample_rate)
    if not holes:
        return Judged("pass", 0, "No sound is missing.")
    message = f"Sound is missing in {len(holes)} places, {holes[0].start:.2f} s the first: words lose their middle."
    advice = "Record again with fewer programs running, or over a cable instead of wireless."
    return Judged(
        "fail" if len(holes) >= FAIL_FROM else "warn", len(holes), message, advice, elsewhere(subject, holes), holes
    )
