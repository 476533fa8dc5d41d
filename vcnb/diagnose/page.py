"""How a report looks in a notebook."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from vcnb.audio.clip import Clip

from .drawing import drawn_png
from .finding import Finding

if TYPE_CHECKING:
    from .report import Report

__all__ = ["as_html", "as_page"]

HEAD = "".join(f'<th scope="col">{title}</th>' for title in ("Verdict", "Check", "Value", "Required", "What it means"))
MENDED = " <code>vcnb.repair</code> can mend it or part of it."
ORDER = ("fail", "warn", "unknown", "pass")
GLYPHS = {"pass": "✓", "warn": "!", "fail": "✕", "unknown": "?"}

# The colours are those of the front end where it has any; the fallbacks are readable on white and on black.
# JupyterLab's own rules make all columns as wide as each other and set all cells to the right.
STYLE = """
.vcnb-report { font: 14px/1.45 var(--jp-ui-font-family, system-ui, sans-serif); max-width: 960px; }
.vcnb-report img { width: 100%; max-width: 900px; }
.vcnb-report table { border-collapse: collapse; width: 100%; table-layout: auto !important; }
.vcnb-report :is(th, td) { text-align: left !important; vertical-align: top !important; padding: 6px 10px;
  white-space: normal; border-bottom: 1px solid color-mix(in srgb, currentColor 20%, transparent); }
.vcnb-report td:last-child { width: 40%; }
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
    # What is to be done first; among equals as they are judged.
    rows = "".join(_row(each) for each in sorted(report.findings, key=lambda each: ORDER.index(each.verdict)))
    return (
        f'<div class="vcnb-report"><style>{STYLE}</style>'
        f"<p><strong>{escape(report.name or 'recording')}</strong> {_verdict(report.verdict)}</p>"
        f"{_picture(report)}"
        f"<table><thead><tr>{HEAD}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def as_page(reports: Sequence[Report]) -> str:
    """Write reports as one HTML page that needs nothing else.

    Parameters
    ----------
    reports : sequence of Report
        In the order of the page; those without a clip have no picture.

    Returns
    -------
    str
        The whole document, light or dark as its reader has it.
    """
    rows = "".join(
        f'<tr><td>{_verdict(each.verdict)}</td><td><a href="#r{at}">{escape(each.name or "recording")}</a></td>'
        f"<td>{escape(str(each).split(': ', 1)[-1])}</td></tr>"
        for at, each in enumerate(reports)
    )
    several = len(reports) > 1
    listed = f'<div class="vcnb-report"><table><tbody>{rows}</tbody></table></div>' if several else ""
    parts = "".join(f'<section id="r{at}">{as_html(each)}</section>' for at, each in enumerate(reports))
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="color-scheme" content="light dark">'
        '<meta name="viewport" content="width=device-width"><title>Diagnosis by vcnb</title>'
        f"<style>{STYLE}body {{ margin: 24px auto; max-width: 960px; padding: 0 16px; }}</style></head>"
        f"<body><h1>Diagnosis</h1>{listed}{parts}</body></html>"
    )


def _verdict(verdict: str) -> str:
    return f'<span class="vcnb-verdict vcnb-{verdict}">{GLYPHS[verdict]} {verdict.capitalize()}</span>'


def _row(finding: Finding) -> str:
    value = "" if finding.value is None else f"{finding.value:,}" if _is_number(finding.value) else str(finding.value)
    cells = (
        escape(finding.check),
        escape(f"{value} {finding.unit}".strip() if value else ""),
        escape(f"{finding.required} ({'the service' if finding.required_by == 'page' else 'ours'})"),
        escape(f"{finding.message} {_sentence(finding.advice)}".strip()) + (MENDED if finding.remedy else ""),
    )
    return f"<tr><td>{_verdict(finding.verdict)}</td>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def _sentence(advice: str) -> str:
    """Write a remedy as a sentence: that of an error begins small and has no full stop."""
    return advice[:1].upper() + advice[1:] + ("" if not advice or advice.endswith(".") else ".")


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float))


def _picture(report: Report) -> str:
    clip: Clip | None = report.clip
    if clip is None or not len(clip.samples):
        return ""
    encoded = base64.b64encode(drawn_png(clip, report.findings, "")).decode()
    words = escape(f"Waveform and mel spectrogram of {report.name or 'the recording'}, {clip.duration:.1f} s")
    return f'<img alt="{words}" src="data:image/png;base64,{encoded}">'
