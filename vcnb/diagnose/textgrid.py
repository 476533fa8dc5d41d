"""How findings become tiers that Praat shows beside the sound."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from vcnb.audio.clip import Segment

from .finding import Finding

__all__ = ["textgrid"]


def textgrid(findings: Sequence[Finding], duration: float) -> str:
    """Write a TextGrid.

    Parameters
    ----------
    findings : sequence of Finding
        Each with segments becomes an interval tier of its name; the marked intervals bear the verdict.
    duration : float
        Of the recording, in seconds.

    Returns
    -------
    str
        Praat's short text format. A recording on which nothing lies has one empty tier, as Praat wants at least one.

    References
    ----------
    .. [1] P. Boersma and D. Weenink, "Praat: doing phonetics by computer", manual page "TextGrid file formats".
    """
    marked = [finding for finding in findings if finding.segments]
    tiers = [(each.check, list(_filled(each.segments, duration, each.verdict))) for each in marked]
    tiers = tiers or [("findings", [(0.0, duration, "")])]
    lines = ['File type = "ooTextFile"', 'Object class = "TextGrid"', "", "0", f"{duration:.6f}", "<exists>"]
    lines.append(str(len(tiers)))
    for name, intervals in tiers:
        lines += ['"IntervalTier"', f'"{name}"', "0", f"{duration:.6f}", str(len(intervals))]
        for start, end, label in intervals:
            lines += [f"{start:.6f}", f"{end:.6f}", f'"{label}"']
    return "\n".join(lines) + "\n"


def _filled(segments: Sequence[Segment], duration: float, label: str) -> Iterator[tuple[float, float, str]]:
    """Fill the gaps: the intervals of a tier cover all of it and never overlap."""
    at = 0.0
    for segment in sorted(segments):
        start, end = max(at, segment.start), min(segment.end, duration)
        if end <= start:
            continue
        if start > at:
            yield at, start, ""
        yield start, end, label
        at = end
    if at < duration:
        yield at, duration, ""
