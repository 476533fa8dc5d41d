"""Whether somebody sings.

Source: the page, "Content": normal speech only, no singing. How much of it is too much is ours.
"""

from __future__ import annotations

from vcnb.diagnose.subject import Judged, Subject, check
from vcnb.guide.recording import GUIDE
from vcnb.measure.pitch import held_share

from .music import NOT_HEARD, judged_share

__all__ = ["singing"]

WARN_ABOVE, FAIL_ABOVE = 0.20, 0.40  # of the recording; lively speech reaches 0.1
# A hall, a telephone and a lively voice can sound like singing to the network; who sings holds notes, and hardly
# anything of it sounds like speech. Of seven songs one held 0.15, the others 0.3 and more; speech 0.13 and less. Ours.
HELD = 0.16  # of what is voiced there
SPOKEN = 0.1  # of the recording
NOT_TOLD = "It is read as singing, as a voice over a telephone can be; whether it is cannot be told."


@check(rank=130, unit="%", required="no singing", late=True)
def singing(subject: Subject) -> Judged:
    """Judge the share of the recording in which somebody sings."""
    if subject.events is None:
        return Judged("unknown", None, NOT_HEARD)
    found = subject.events.singing
    sung, spoken = (sum(each.duration for each in kind) / subject.duration for kind in (found, subject.events.speech))
    if sung > WARN_ABOVE and held_share(subject.samples, subject.sample_rate, found) < HELD:
        # Over a telephone the pitch of a song may not be found.
        if spoken > (sung if subject.narrow else SPOKEN):
            return Judged("pass", 0.0, "Nobody sings: what could be taken for it holds no note.")
        if subject.narrow:
            return Judged("unknown", None, NOT_TOLD, GUIDE["microphone"].text)
    message = "Somebody sings in {share:.0f} % of the recording; the service takes speech only."
    return judged_share(
        subject,
        found,
        (WARN_ABOVE, FAIL_ABOVE),
        "Nobody sings.",
        message,
        f"Speak instead of singing. {GUIDE['natural'].text}",
    )
