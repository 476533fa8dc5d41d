"""How the best stretches look on the time line of their recording."""

from __future__ import annotations

import base64
import io
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from .windows import Windows

__all__ = ["SIZE", "as_html", "draw"]

SIZE = (9.0, 1.9)  # inches
INK = "#757575"  # readable on white and on black
MARK = "#2f86c8"
QUIET_DB = -80.0
STYLE = """
.vcnb-windows { font: 14px/1.45 var(--jp-ui-font-family, system-ui, sans-serif); max-width: 960px; }
.vcnb-windows img { width: 100%; max-width: 900px; }
.vcnb-windows table { border-collapse: collapse; }
.vcnb-windows :is(th, td) { text-align: left !important; padding: 4px 12px 4px 0; font-variant-numeric: tabular-nums;
  border-bottom: 1px solid color-mix(in srgb, currentColor 20%, transparent); }
"""


def draw(figure: Figure, windows: Windows) -> None:
    """Draw level over time, and the stretches as numbered ranges.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        An empty figure.
    windows : Windows
        What was found.
    """
    axes = figure.subplots()
    minutes = windows.duration > 180
    unit = 60 if minutes else 1
    times = (np.arange(len(windows.level_db)) + 0.5) / unit
    axes.fill_between(times, QUIET_DB, np.maximum(windows.level_db, QUIET_DB), color=INK, alpha=0.5, lw=0)
    for number, window in enumerate(windows, 1):
        hatch = "" if window.report.verdict == "pass" else "//"
        axes.axvspan(window.start / unit, window.end / unit, facecolor=MARK, alpha=0.35, hatch=hatch, edgecolor=MARK)
        place: dict[str, Any] = {
            "xytext": (0, 2),
            "textcoords": "offset points",
            "fontsize": 9,
            "color": MARK,
            "ha": "center",
        }
        axes.annotate(str(number), ((window.start + window.end) / 2 / unit, 0), annotation_clip=False, **place)
    axes.set_xlim(0, max(windows.duration / unit, 0.01))
    axes.set_ylim(QUIET_DB, 0)
    axes.set_xlabel(f"time ({'min' if minutes else 's'})", color=INK, fontsize=9)
    axes.set_ylabel("level (dBFS)", color=INK, fontsize=9)
    axes.set_facecolor("none")
    axes.tick_params(colors=INK, labelsize=8)
    for spine in axes.spines.values():
        spine.set_color(INK)


def as_html(windows: Windows) -> str:
    """Write the time line and the table as a piece of HTML.

    Parameters
    ----------
    windows : Windows
        What was found; every word is escaped.

    Returns
    -------
    str
        A ``div`` with its style, its picture and its table.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=SIZE, layout="constrained")
    draw(figure, windows)
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png", dpi=100, transparent=True)
    picture = base64.b64encode(drawn.getvalue()).decode()
    said = escape(f"Level of {windows.name or 'the recording'} over {windows.duration:.0f} s, with its best stretches")
    titles = ("", "From", "To", "Length", "Score", "Verdict", "Voice over room", "Against it")
    head = "".join(f'<th scope="col">{title}</th>' for title in titles)
    return (
        f'<div class="vcnb-windows"><style>{STYLE}</style>'
        f"<p><strong>{escape(windows.name or 'recording')}</strong></p>"
        f'<img alt="{said}" src="data:image/png;base64,{picture}">'
        f"<table><thead><tr>{head}</tr></thead><tbody>{_rows(windows)}</tbody></table>"
        "<p><code>windows[0].clip</code> plays the first.</p></div>"
    )


def _rows(windows: Windows) -> str:
    rows = []
    for number, each in enumerate(windows, 1):
        against = ", ".join(one.check for one in each.report.findings if one.verdict in ("warn", "fail"))
        cells = (
            str(number),
            _clock(each.start),
            _clock(each.end),
            f"{each.end - each.start:.1f} s",
            f"{each.score:.2f}",
            each.report.verdict,
            f"{each.snr_db:.0f} dB",
            against or "nothing",
        )
        rows.append("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>")
    return "".join(rows)


def _clock(seconds: float) -> str:
    whole = int(seconds)
    return (
        f"{whole // 3600}:{whole // 60 % 60:02}:{seconds % 60:04.1f}"
        if whole >= 3600
        else f"{whole // 60}:{seconds % 60:04.1f}"
    )
