"""Whether uncompressed samples have 16 bits.

Source: the page, "Supported formats": WAV (16-bit). MP3 and AAC have no depth.
"""

from __future__ import annotations

from vcnb.diagnose.subject import Judged, Subject, check

__all__ = ["bit_depth"]

UNCOMPRESSED = frozenset({"wav", "w64", "aiff", "caf", "au"})


@check(rank=70, unit="bit", required="16 bit in WAV", hard=True)
def bit_depth(subject: Subject) -> Judged:
    """Judge the bits of a sample in the file."""
    source = subject.source
    depth = source.bit_depth
    if source.container not in UNCOMPRESSED:
        return Judged("pass", depth, f"{source.codec} is coded; the rule is for WAV.")
    if depth == 16 and not source.is_float:
        return Judged("pass", depth, "The samples have 16 bits.")
    kind = f"{depth}-bit {'floats' if source.is_float else 'integers'}" if depth else source.codec
    message = f"The samples are {kind}; the service takes WAV of 16 bits."
    return Judged("fail", depth, message, "Convert it to 16 bits.", "wav16")
