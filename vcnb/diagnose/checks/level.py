"""Whether the recording is loud enough, and not too loud.

Source: the page warns of weak signals and gives no number; the thresholds are ours, in loudness after ITU-R BS.1770.
"""

from __future__ import annotations

import math

from vcnb.diagnose.finding import Verdict
from vcnb.diagnose.subject import Judged, Subject, check
from vcnb.guide.recording import GUIDE
from vcnb.measure.loudness import loudness_lufs

__all__ = ["level"]

FAIL_BELOW, WARN_BELOW, WARN_ABOVE, FAIL_ABOVE = -40.0, -31.0, -13.0, -8.0  # LUFS


@check(rank=170, unit="LUFS", required=f"{WARN_BELOW:.0f} to {WARN_ABOVE:.0f} LUFS", required_by="ours")
def level(subject: Subject) -> Judged:
    """Judge the loudness of the whole recording."""
    loudness = loudness_lufs(subject.spectrogram)
    if math.isinf(loudness):
        return Judged("fail", None, "Nothing is loud enough to be heard.", GUIDE["distance"].text)
    value = round(loudness, 1)
    if WARN_BELOW <= loudness <= WARN_ABOVE:
        return Judged("pass", value, "The recording is neither faint nor pressed.")
    verdict: Verdict = "warn" if FAIL_BELOW <= loudness <= FAIL_ABOVE else "fail"
    if loudness < WARN_BELOW:
        message = f"{value:.1f} LUFS is faint; noise comes up with the voice when it is raised."
        return Judged(verdict, value, message, GUIDE["distance"].text, "level")
    message = f"{value:.1f} LUFS is pressed; what is that loud is seldom clean."
    return Judged(verdict, value, message, "Turn the recording level down.", "level")
