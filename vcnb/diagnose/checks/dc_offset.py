"""Whether the sound stands on zero.

Source: the page has no such rule; the thresholds are ours. An offset takes room from the loud places and clicks at
every cut.
"""

from __future__ import annotations

from vcnb.diagnose.finding import Verdict
from vcnb.diagnose.subject import Judged, Subject, check

__all__ = ["dc_offset"]

WARN_FROM, FAIL_FROM = 1.0, 5.0  # % of full scale; clean recordings by ten devices had at most 0.6


@check(rank=210, unit="%", required=f"< {WARN_FROM:g} % of full scale", required_by="ours")
def dc_offset(subject: Subject) -> Judged:
    """Judge the mean of the samples."""
    mean = float(subject.samples.mean(dtype="float64")) if len(subject.samples) else 0.0
    value = round(100 * mean, 2) + 0.0  # no minus before a zero
    if abs(value) < WARN_FROM:
        return Judged("pass", value, "The sound swings around zero.")
    verdict: Verdict = "warn" if abs(value) < FAIL_FROM else "fail"
    message = f"The sound is shifted by {value:.1f} % of full scale, which clicks at every cut."
    return Judged(verdict, value, message, "Use another microphone input, or switch its high-pass filter on.", "dc")
