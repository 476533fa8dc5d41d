"""Whether somebody sings.

Source: the page, "Content": normal speech only, no singing. How much of it is too much is ours.
"""

from __future__ import annotations

from vcnb.diagnose.subject import Judged, Subject, check
from vcnb.guide.recording import GUIDE

from .music import NOT_HEARD, judged_share

__all__ = ["singing"]

WARN_ABOVE, FAIL_ABOVE = 0.20, 0.40  # of the recording; lively speech reaches 0.1


@check(rank=130, unit="%", required="no singing", late=True)
def singing(subject: Subject) -> Judged:
    """Judge the share of the recording in which somebody sings."""
    if subject.events is None:
        return Judged("unknown", None, NOT_HEARD)
    message = "Somebody sings in {share:.0f} % of the recording; the service takes speech only."
    return judged_share(
        subject,
        subject.events.singing,
        (WARN_ABOVE, FAIL_ABOVE),
        "Nobody sings.",
        message,
        f"Speak instead of singing. {GUIDE['natural'].text}",
    )
