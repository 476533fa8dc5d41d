"""Whether somebody speaks for a while without a break.

Source: the page, "Content": at least 3 s of continuous, clear speech. How short a break does not break it is ours.
"""

from __future__ import annotations

from collections.abc import Sequence

from vcnb.audio.clip import Segment
from vcnb.catalog import SECONDS_OF_SPEECH
from vcnb.diagnose.finding import Verdict
from vcnb.diagnose.subject import Judged, Subject, check
from vcnb.guide.recording import GUIDE

__all__ = ["continuous_speech", "longest_run"]

BREATH = 0.5  # seconds
FAIL_BELOW = 1.5  # seconds; between here and 3 s somebody speaks in phrases, below it in words


@check(rank=80, unit="s", required=f">= {SECONDS_OF_SPEECH:.0f} s")
def continuous_speech(subject: Subject) -> Judged:
    """Judge the longest stretch of speech with no more than a breath in it."""
    run = longest_run(subject.activity.segments)
    if run is None:
        return Judged("fail", 0.0, "Nobody speaks here.", GUIDE["keep_going"].text)
    value = round(run.duration, 2)
    if run.duration >= SECONDS_OF_SPEECH:
        return Judged("pass", value, f"Somebody speaks for {value:.1f} s on end.")
    verdict: Verdict = "warn" if run.duration >= FAIL_BELOW else "fail"
    message = (
        f"The longest stretch of speech lasts {value:.1f} s; the service asks for {SECONDS_OF_SPEECH:.0f} s on end."
    )
    return Judged(verdict, value, message, GUIDE["keep_going"].text, "", (run,))


def longest_run(segments: Sequence[Segment]) -> Segment | None:
    """Join what only a breath parts, and take the longest.

    Parameters
    ----------
    segments : sequence of Segment
        Of speech, in order.

    Returns
    -------
    Segment or None
        None where nobody speaks.
    """
    runs: list[Segment] = []
    for segment in segments:
        if runs and segment.start - runs[-1].end <= BREATH:
            runs[-1] = Segment(runs[-1].start, segment.end)
        else:
            runs.append(segment)
    return max(runs, key=lambda run: run.duration, default=None)
