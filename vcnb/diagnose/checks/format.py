"""Whether the service takes this kind of file.

Source: the page, "Supported formats": WAV (16-bit), MP3, M4A. The depth has a check of its own.
"""

from __future__ import annotations

import re

from vcnb.audio.clip import Source
from vcnb.audio.containers import SUFFIXES
from vcnb.diagnose.subject import Judged, Subject, check

__all__ = ["format"]

WORDS = {"wav": "WAV", "mp3": "MP3", "mp4": "M4A"}
LENGTHS_DIFFER = 0.25  # seconds between header and content that no codec's padding explains; ours


@check(rank=10, required="WAV, MP3 or M4A", hard=True)
def format(subject: Subject) -> Judged:
    """Judge container and codec, then name and health."""
    source = subject.source
    value = f"{source.container}/{source.codec}"
    kind = WORDS.get(source.container, source.container)
    if not _taken(source):
        message = f"The service takes no {source.codec} in {kind}."
        return Judged("fail", value, message, "Convert it to a 16-bit WAV file.", "wav16")
    if source.suffix and source.suffix not in SUFFIXES[source.container]:
        message = f"The name ends in {source.suffix}, the content is {kind}: who trusts the name will stumble."
        return Judged("warn", value, message, "Rename or convert it.", "wav16")
    if trouble := _trouble(source):
        return Judged("warn", value, trouble, "Export it again, or convert what could be read.", "wav16")
    return Judged("pass", value, f"The service takes {source.codec} in {kind}.")


def _taken(source: Source) -> bool:
    if source.container == "wav":
        return re.match(r"pcm_[suf]\d", source.codec) is not None
    return (source.container, source.codec) in (("mp3", "mp3"), ("mp4", "aac"), ("mp4", "alac"))


def _trouble(source: Source) -> str:
    """Say in one sentence what is wrong with a file that can be read all the same."""
    declared, held = source.declared_duration, source.decoded_duration
    if source.codec == "alac":
        return "M4A with ALAC is lossless; the page does not say whether the service reads it."
    if source.truncated:
        return f"The file ends early: it says {declared or 0:.1f} s and holds {held:.1f} s."
    if source.n_errors:
        return f"{source.n_errors} damaged packets were passed over."
    if source.n_nonfinite:
        return f"{source.n_nonfinite} samples are no numbers; they were read as silence."
    if source.container == "wav" and declared is None:
        return "The header does not say how long the file is."
    if declared is not None and abs(declared - held) > max(LENGTHS_DIFFER, 0.02 * held):
        return f"The header says {declared:.1f} s, the file holds {held:.1f} s."
    return ""
