"""Whether the room rings.

Source: the recording guide warns of reverberant rooms and gives no number; the thresholds are ours. Noise stretches
every decay, so that nothing is said about a noisy recording. Only noise that never stops counts for that: the tails of
words, which fill the pauses in a hall, are what is looked for.
"""

from __future__ import annotations

import math

from vcnb.diagnose.finding import Verdict
from vcnb.diagnose.subject import Judged, Subject, check
from vcnb.guide.recording import GUIDE
from vcnb.measure.noise import steady_snr_db
from vcnb.measure.reverberation import decay_time

__all__ = ["reverberation"]

# Rooms of 12 dB clarity (C50) read 0.40 to 0.49, halls of 5 dB and less 0.55 and more, dry places up to 0.30.
WARN_ABOVE, FAIL_ABOVE = 0.38, 0.52  # seconds
LEAST_SNR_DB = 20.0


@check(rank=180, unit="s", required=f"<= {WARN_ABOVE:g} s", required_by="ours")
def reverberation(subject: Subject) -> Judged:
    """Judge how long the ends of sounds linger."""
    if not subject.activity.segments or math.isnan(subject.snr_db):
        return Judged("unknown", None, "Hardly anybody speaks, so that no sound ends.")
    if max(subject.snr_db, steady_snr_db(subject.spectrogram, subject.activity)) < LEAST_SNR_DB:
        return Judged("unknown", None, "The noise hides how sounds end.", GUIDE["indoor_noise"].text)
    seconds = decay_time(subject.spectrogram)
    if math.isnan(seconds):
        return Judged("unknown", None, "Too few sounds end freely.")
    value = round(seconds, 2)
    if seconds <= WARN_ABOVE:
        return Judged("pass", value, "The room hardly rings.")
    verdict: Verdict = "warn" if seconds <= FAIL_ABOVE else "fail"
    message = f"Sounds linger for {value:.2f} s; the clone sounds as far away as the room is large."
    return Judged(verdict, value, message, f"{GUIDE['smooth_surfaces'].text} {GUIDE['distance'].text}")
