"""Whether the recording has a fitting length.

Source: the page, "Duration": 10 to 20 seconds recommended, at most 60; and "Content": at least 3 s of speech, which
no shorter file can hold.
"""

from __future__ import annotations

from vcnb.audio.clip import Segment
from vcnb.catalog import SECONDS_LIMIT, SECONDS_OF_SPEECH
from vcnb.diagnose.subject import Judged, Subject, check

__all__ = ["duration"]

RECOMMENDED = (10.0, 20.0)  # page
PADDING = 0.1  # seconds that coded formats add at the ends; ours, and only for the recommendation


@check(rank=20, unit="s", required="10 to 20 s, at most 60 s", hard=True)
def duration(subject: Subject) -> Judged:
    """Judge the length in seconds that could be decoded."""
    seconds = subject.source.decoded_duration
    value = round(seconds, 3)
    shortest, longest = RECOMMENDED
    if seconds > SECONDS_LIMIT:
        message = f"{seconds:.2f} s is more than the {SECONDS_LIMIT:.0f} s that the service takes."
        beyond = (Segment(SECONDS_LIMIT, seconds),)
        return Judged("fail", value, message, "Cut it to its best 10 to 20 seconds.", "window", beyond)
    if seconds < SECONDS_OF_SPEECH:
        message = f"{seconds:.2f} s cannot hold the {SECONDS_OF_SPEECH:.0f} s of speech that the service asks for."
        return Judged("fail", value, message, "Record 10 to 20 seconds.")
    if seconds < shortest - PADDING:
        message = f"{seconds:.2f} s is short; more of the voice makes a better clone."
        return Judged("warn", value, message, "Record 10 to 20 seconds.")
    if seconds > longest + PADDING:
        message = f"{seconds:.2f} s is long; the service recommends 10 to 20 s."
        return Judged("warn", value, message, "Keep its best 10 to 20 seconds.", "window")
    return Judged("pass", value, f"{seconds:.2f} s lies in the recommended range.")
