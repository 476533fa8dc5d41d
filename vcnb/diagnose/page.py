"""How a report looks in a notebook."""

from __future__ import annotations

import base64
from html import escape
from typing import TYPE_CHECKING

from vcnb.audio.clip import Clip

from .drawing import drawn_png
from .finding import Finding

if TYPE_CHECKING:
    from .report import Report

__all__ = ["as_html"]

HEAD = "".join(f'<th scope="col">{title}</th>' for title in ("Verdict", "Check", "Value", "Required", "What it means"))
GLYPHS = {"pass": "✓", "warn": "!", "fail": "✕", "unknown": "?"}

# The colours are those of the front end where it has any; the fallbacks are readable on white and on black.
STYLE = """
.vcnb-report { font: 14px/1.45 var(--jp-ui-font-family, system-ui, sans-serif); max-width: 960px; }
.vcnb-report img { width: 100%; max-width: 900px; }
.vcnb-report table { border-collapse: collapse; width: 100%; }
.vcnb-report :is(th, td) { text-align: left; vertical-align: top; padding: 6px 10px; white-space: normal;
  border-bottom: 1px solid color-mix(in srgb, currentColor 20%, transparent); }
.vcnb-report .vcnb-verdict { font-weight: 600; white-space: nowrap; }
.vcnb-report .vcnb-pass { color: color-mix(in srgb, var(--jp-success-color1, #388e3c) 80%, currentColor); }
.vcnb-report .vcnb-warn { color: color-mix(in srgb, var(--jp-warn-color1, #f57c00) 64%, currentColor); }
.vcnb-report .vcnb-fail { color: color-mix(in srgb, var(--jp-error-color1, #d32f2f) 80%, currentColor); }
"""


def as_html(report: Report) -> str:
    """Write a report as a piece of HTML.

    Parameters
    ----------
    report : Report
        The findings; every word of them is escaped.

    Returns
    -------
    str
        A ``div`` with its style, its picture and its table.
    """
    rows = "".join(_row(finding) for finding in report.findings)
    return (
        f'<div class="vcnb-report"><style>{STYLE}</style>'
        f"<p><strong>{escape(report.name or 'recording')}</strong> {_verdict(report.verdict)}</p>"
        f"{_picture(report)}"
        f"<table><thead><tr>{HEAD}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _verdict(verdict: str) -> str:
    return f'<span class="vcnb-verdict vcnb-{verdict}">{GLYPHS[verdict]} {verdict.capitalize()}</span>'


def _row(finding: Finding) -> str:
    value = "" if finding.value is None else f"{finding.value:,}" if _is_number(finding.value) else str(finding.value)
    cells = (
        escape(finding.check),
        escape(f"{value} {finding.unit}".strip() if value else ""),
        escape(f"{finding.required} ({'the service' if finding.required_by == 'page' else 'ours'})"),
        escape(f"{finding.message} {finding.advice}".strip()),
    )
    return f"<tr><td>{_verdict(finding.verdict)}</td>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float))


def _picture(report: Report) -> str:
    clip: Clip | None = report.clip
    if clip is None or not len(clip.samples):
        return ""
    encoded = base64.b64encode(drawn_png(clip, report.findings, "")).decode()
    words = escape(f"Waveform and mel spectrogram of {report.name or 'the recording'}, {clip.duration:.1f} s")
    return f'<img alt="{words}" src="data:image/png;base64,{encoded}">'
