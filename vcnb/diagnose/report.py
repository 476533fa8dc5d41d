"""Whether a recording is fit to be cloned, and what stands against it."""

from __future__ import annotations

import json
import os
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

from vcnb.audio.clip import Clip, Segment
from vcnb.audio.load import load
from vcnb.errors import ClipError, SettingsError, visible

from .finding import Finding, Verdict
from .judging import DECLARED, judge
from .subject import Judged, Subject, checks

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

__all__ = ["Finding", "Report", "diagnose", "undecided", "unreadable", "worst"]

_WORST: tuple[Verdict, ...] = ("pass", "warn", "fail")


@dataclass(frozen=True, repr=False)
class Report:
    """Findings about one recording.

    Parameters
    ----------
    name : str
        What the recording is called.
    findings : tuple of Finding
        In the order of the checks.
    clip : Clip or None
        The recording, None where it could not be read.
    """

    name: str
    findings: tuple[Finding, ...]
    clip: Clip | None = None

    @property
    def verdict(self) -> Verdict:
        """The worst of the findings; what could not be judged makes it at best "warn"."""
        return worst(self.findings)

    @property
    def hard_failures(self) -> tuple[Finding, ...]:
        """Findings for which the service would refuse the recording."""
        return tuple(finding for finding in self.findings if finding.hard and finding.verdict == "fail")

    def to_dict(self) -> dict[str, Any]:
        """Give it as plain values, ready for JSON.

        Returns
        -------
        dict
            "file", "verdict" and "findings", each a dict as `Finding.to_dict` gives it.
        """
        source = self.clip.source if self.clip else None
        return {
            "file": (source.path if source else None) or self.name,
            "verdict": self.verdict,
            "findings": [finding.to_dict() for finding in self.findings],
        }

    @classmethod
    def from_dict(cls, document: dict[str, Any], clip: Clip | None = None) -> Report:
        """Make a report again from what `to_dict` gave, as a worker sends it home.

        Parameters
        ----------
        document : dict
            Plain values.
        clip : Clip, optional
            The recording, for the picture.

        Returns
        -------
        Report
            The same findings.
        """
        hard = {each.name for each in checks() if each.hard}
        findings = (
            Finding(
                **{key: value for key, value in each.items() if key != "segments"},
                segments=tuple(Segment(start, end) for start, end in each["segments"]),
                hard=each["check"] in hard,
            )
            for each in document["findings"]
        )
        return cls(document["file"], tuple(findings), clip)

    def to_json(self) -> str:
        """Give it as one line of JSON.

        Returns
        -------
        str
            In ASCII: a file's name may hold what no encoding can write.
        """
        return json.dumps(self.to_dict(), allow_nan=False)

    def to_frame(self) -> pd.DataFrame:
        """Give it as a table.

        Returns
        -------
        pandas.DataFrame
            One row a finding, by its check.
        """
        import pandas as pd

        columns = ["verdict", "value", "unit", "required", "required_by", "message", "advice", "remedy"]
        # A unit beside no value would read as a value.
        rows = [
            {**given, "value": "", "unit": ""} if given["value"] is None else given
            for given in (finding.to_dict() for finding in self.findings)
        ]
        return pd.DataFrame(rows, columns=["check", *columns]).set_index("check")

    def to_textgrid(self) -> str:
        """Give it as a Praat TextGrid: an interval tier for each check that marks a place.

        Returns
        -------
        str
            The file's text; open it in Praat beside the recording.

        Raises
        ------
        ClipError
            If the recording could not be read.
        """
        from .textgrid import textgrid

        if self.clip is None:
            raise ClipError(f"{self.name}: there is nothing to mark.", remedy="give a recording that can be read")
        return textgrid(self.findings, self.clip.duration)

    def plot(self) -> Figure:
        """Draw waveform and mel spectrogram with the findings marked.

        Returns
        -------
        matplotlib.figure.Figure
            Of pyplot, so that `plt.show()` shows it.

        Raises
        ------
        ClipError
            If the recording could not be read.
        """
        if self.clip is None:
            raise ClipError(f"{self.name}: there is nothing to draw.", remedy="give a recording that can be read")
        import matplotlib.pyplot as plt

        from .drawing import SIZE, draw

        figure: Figure = plt.figure(figsize=SIZE, layout="constrained")
        draw(figure, self.clip, self.findings, f"{self.name or 'recording'}: {self.verdict}")
        return figure

    def _repr_html_(self) -> str:
        from .page import as_html

        return visible(as_html(self))

    def __str__(self) -> str:
        """Say it on one line: what fails and what is to be looked at, with their values."""
        counts = Counter(each.verdict for each in self.findings)
        said = [
            f"{each.check} {each.verdict}{'' if each.value is None else f' ({each.value} {each.unit}'.rstrip() + ')'}"
            for verdict in ("fail", "warn")
            for each in self.findings
            if each.verdict == verdict
        ]
        passed = f"{counts['pass']} of {len(self.findings)} checks pass"
        if counts["unknown"]:
            passed += f", {counts['unknown']} unknown"
        return visible(f"{self.name or 'recording'}: {self.verdict} - {', '.join([*said, passed])}")

    def __repr__(self) -> str:
        lines = [f"<Report {self.name!r}: {self.verdict}>"]
        lines += [f"  {each.verdict:7} {each.check:12} {each.message}" for each in self.findings]
        return "\n".join(lines)


def worst(findings: Iterable[Finding]) -> Verdict:
    """Put verdicts together.

    Parameters
    ----------
    findings : iterable of Finding
        Any.

    Returns
    -------
    {"pass", "warn", "fail"}
        Unknown counts as warn, but for what was never declared.
    """
    counted = [
        "warn" if finding.verdict == "unknown" else finding.verdict
        for finding in findings
        if not (finding.verdict == "unknown" and finding.check in DECLARED)
    ]
    return max(counted, key=_WORST.index, default="warn")


def diagnose(
    clip_or_path: Clip | str | os.PathLike[str] | bytes | BinaryIO,
    *,
    language: str | None = None,
    transcript: str | None = None,
    on_finding: Callable[[Finding], None] | None = None,
    cancel: threading.Event | None = None,
) -> Report:
    """Judge a recording as it would be sent.

    Parameters
    ----------
    clip_or_path : Clip, path, bytes or file object
        The recording.
    language : str or None
        Two-letter code of what is spoken.
    transcript : str or None
        What is spoken.
    on_finding : callable, optional
        Called with each `Finding` as soon as it is known: the facts of the file at once, then what is measured, last
        what a network has to listen for (music, singing, other voices). In the thread that called.
    cancel : threading.Event, optional
        Looked at before each check.

    Returns
    -------
    Report
        One finding for each check. The same recording is not judged twice in a process.

    Raises
    ------
    ClipError
        If it cannot be read.
    SettingsError
        If language or transcript is no string.
    CancelledError
        If it was stopped.
    """
    for name, declared in (("language", language), ("transcript", transcript)):
        if not isinstance(declared, str | None):
            raise SettingsError(f"The {name} is no string but {type(declared).__name__}.", remedy="give a str")
    clip = load(clip_or_path)
    return Report(clip.name, judge(Subject(clip, language, transcript), on_finding, cancel), clip)


def unreadable(name: str, error: ClipError) -> Report:
    """Report on a file that could not be read.

    Parameters
    ----------
    name : str
        The file.
    error : ClipError
        What `vcnb.load` said.

    Returns
    -------
    Report
        Verdict fail, one finding: "format".
    """
    judged = Judged("fail", None, error.message, error.remedy)
    return Report(name, tuple(check.finding(judged) for check in checks() if check.name == "format"))


def undecided(name: str, reason: str) -> Report:
    """Report on a recording that the service can fetch and we could not.

    Parameters
    ----------
    name : str
        Its address.
    reason : str
        Why nothing can be said.

    Returns
    -------
    Report
        Every finding "unknown".
    """
    return Report(name, tuple(check.finding(Judged("unknown", None, reason)) for check in checks()))
