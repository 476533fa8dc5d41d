"""Whether the mains hums.

Source: the recording guide warns of lamps and appliances and gives no number; the thresholds are ours.
"""

from __future__ import annotations

import math

from vcnb.diagnose.finding import Verdict
from vcnb.diagnose.subject import Judged, Subject, check
from vcnb.guide.recording import GUIDE
from vcnb.measure.hum import SHORTEST

__all__ = ["hum"]

WARN_BELOW_DB, FAIL_BELOW_DB = 40.0, 20.0


@check(rank=200, unit="dB below the voice", required=f">= {WARN_BELOW_DB:.0f} dB below the voice", required_by="ours")
def hum(subject: Subject) -> Judged:
    """Judge lines at the multiples of 50 or 60 Hz."""
    if subject.duration < SHORTEST:
        return Judged("unknown", None, f"Hum cannot be told from a voice in less than {SHORTEST:.0f} s.")
    mains, below_db = subject.hum
    if math.isinf(below_db):
        return Judged("pass", None, "No hum of the mains stands out.")
    value = round(below_db, 1)
    if below_db >= WARN_BELOW_DB:
        return Judged("pass", value, f"A hum of {mains:.0f} Hz is faint.")
    verdict: Verdict = "warn" if below_db >= FAIL_BELOW_DB else "fail"
    message = f"The mains hums at {mains:.0f} Hz, {below_db:.0f} dB below the voice; the clone may hum too."
    return Judged(verdict, value, message, GUIDE["indoor_noise"].text, "hum")
