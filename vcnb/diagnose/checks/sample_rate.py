"""Whether the file has enough samples a second.

Source: the page, "Sample rate": at least 24 kHz.
"""

from __future__ import annotations

from vcnb.catalog import SAMPLE_RATE_LIMIT
from vcnb.diagnose.subject import Judged, Subject, check

__all__ = ["sample_rate"]


@check(rank=50, unit="Hz", required=f">= {SAMPLE_RATE_LIMIT} Hz", hard=True)
def sample_rate(subject: Subject) -> Judged:
    """Judge the rate in Hz; whether the sound fills it is another question."""
    rate = subject.source.sample_rate
    if rate >= SAMPLE_RATE_LIMIT:
        return Judged("pass", rate, f"{rate} Hz is enough for the service.")
    message = f"{rate} Hz is less than the {SAMPLE_RATE_LIMIT} Hz that the service asks for."
    advice = "Record at 48 kHz; converting makes the file acceptable but adds no treble."
    return Judged("fail", rate, message, advice, "rate")
