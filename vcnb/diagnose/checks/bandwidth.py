"""Whether the sound fills the rate that the file claims.

Source: the page asks for at least 24 kHz, that is for sound up to 12 kHz; that it must be there and not only fit is
ours. A file of a low rate fails here and at `sample_rate`: the two are independent.
"""

from __future__ import annotations

from vcnb.diagnose.finding import Verdict
from vcnb.diagnose.subject import Judged, Subject, check
from vcnb.guide.recording import GUIDE
from vcnb.measure.bandwidth import treble_hidden

__all__ = ["bandwidth"]

WARN_BELOW, FAIL_BELOW = 11_400.0, 8_600.0  # Hz


@check(rank=190, unit="Hz", required=f">= {WARN_BELOW:.0f} Hz", required_by="ours")
def bandwidth(subject: Subject) -> Judged:
    """Judge how far up something moves."""
    hz = subject.bandwidth_hz
    if hz <= 0:
        return Judged("unknown", None, "Nothing moves from which it could be told.")
    if hz >= WARN_BELOW:
        return Judged("pass", hz, f"The sound reaches {hz / 1000:.1f} kHz.")
    if treble_hidden(subject.spectrogram):
        return Judged("unknown", None, "Noise covers the treble, if there is any.", GUIDE["indoor_noise"].text)
    verdict: Verdict = "warn" if hz >= FAIL_BELOW else "fail"
    message = (
        f"The sound ends at {hz / 1000:.1f} kHz; what lies above cannot be made from it, and the clone sounds dull."
    )
    advice = f"Record at 48 kHz and not over a telephone or a headset without a cable. {GUIDE['microphone'].text}"
    return Judged(verdict, hz, message, advice)
