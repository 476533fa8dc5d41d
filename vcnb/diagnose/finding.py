"""What a finding is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from vcnb.audio.clip import Segment

__all__ = ["Finding", "RequiredBy", "Verdict"]

Verdict = Literal["pass", "warn", "fail", "unknown"]
RequiredBy = Literal["page", "ours"]


@dataclass(frozen=True)
class Finding:
    """What one check has to say about a recording.

    Parameters
    ----------
    check : str
        Name of the check, for example "duration".
    verdict : {"pass", "warn", "fail", "unknown"}
        Unknown where it cannot be judged; never counted as a pass.
    message : str
        One sentence: what was found and why it matters.
    value : float, int, str or None
        What was measured, in `unit`.
    unit : str
        "" where the value has none.
    required : str
        What would pass.
    required_by : {"page", "ours"}
        Whether the service's page asks for it, or we do.
    segments : tuple of Segment
        Where in the recording, empty for all of it.
    advice : str
        One sentence: what to do; empty for a pass.
    remedy : str
        The word under which it can be mended by `vcnb.repair`, empty where it cannot.
    hard : bool
        Whether the service would refuse a recording that fails here.
    """

    check: str
    verdict: Verdict
    message: str
    value: float | int | str | None = None
    unit: str = ""
    required: str = ""
    required_by: RequiredBy = "page"
    segments: tuple[Segment, ...] = ()
    advice: str = ""
    remedy: str = ""
    hard: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Give it as plain values, ready for JSON.

        Returns
        -------
        dict
            One item for each of its fields.
        """
        return {
            "check": self.check,
            "verdict": self.verdict,
            "value": self.value,
            "unit": self.unit,
            "required": self.required,
            "required_by": self.required_by,
            "segments": [[segment.start, segment.end] for segment in self.segments],
            "message": self.message,
            "advice": self.advice,
            "remedy": self.remedy,
        }

    def __repr__(self) -> str:
        value = "" if self.value is None else f" {self.value}{' ' if self.unit else ''}{self.unit}"
        return f"<Finding {self.check}: {self.verdict}{value}>"
