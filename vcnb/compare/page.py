"""A comparison as one page of HTML that stands by itself, sound included."""

from __future__ import annotations

import base64
import html
import io
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from vcnb.audio.clip import Clip, Speech
from vcnb.audio.mp3 import mp3_bytes
from vcnb.errors import visible

from .calibration import MEANING
from .measures import title_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from .comparison import Comparison

__all__ = ["as_page"]

COLUMNS = 240  # of a waveform; ours
PICTURE_DPI = 90
STYLE = """
:root { color-scheme: light dark; --surface: #fff; --on: #000; --brand: #1976d2; }
@media (prefers-color-scheme: dark) { :root { --surface: #212121; --on: #fff; --brand: #2196f3; } }
body { margin: 0 auto; max-width: 60rem; padding: 24px 16px; font: 15px/1.5 system-ui, sans-serif;
  background: var(--surface); color: color-mix(in srgb, var(--on) 88%, var(--surface)); }
h1 { font-size: 24px; font-weight: 600; } h2 { font-size: 18px; font-weight: 600; margin: 32px 0 8px; }
h3 { font-size: 15px; font-weight: 600; margin: 0; }
p, figcaption { margin: 4px 0; color: color-mix(in srgb, var(--on) 66%, var(--surface)); overflow-wrap: anywhere; }
figure { margin: 0; padding: 16px 0; border-top: 1px solid color-mix(in srgb, var(--on) 13%, var(--surface)); }
svg { display: block; width: 100%; height: 64px; color: color-mix(in srgb, var(--brand) 80%, var(--on)); }
audio { width: 100%; } img { max-width: 100%; }
.wide { overflow-x: auto; } table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: 4px 16px 4px 0; text-align: right; font-weight: 400; }
th { max-width: 16rem; overflow-wrap: anywhere; } td { white-space: nowrap; }
thead th { color: color-mix(in srgb, var(--on) 66%, var(--surface)); vertical-align: bottom; }
th:first-child, td.words { text-align: left; }
tr { border-bottom: 1px solid color-mix(in srgb, var(--on) 13%, var(--surface)); }
"""


def as_page(comparison: Comparison, title: str) -> str:
    """Write the page.

    Parameters
    ----------
    comparison : Comparison
        What it shows and plays.
    title : str
        Its heading.

    Returns
    -------
    str
        HTML without a single address: it plays offline. All that came from outside is escaped.
    """
    spoken = any(isinstance(clip, Speech) for clip in comparison.clips)
    sounds = "\n".join(_sound(name, clip) for name, clip in zip(comparison.items, comparison.clips, strict=True))
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{html.escape(title)}</title>
<style>{STYLE}</style>
</head>
<body>
<main>
<h1>{html.escape(title)}</h1>
{"<p>Recordings marked AI-generated were spoken by a machine.</p>" if spoken else ""}
<h2>Side by side</h2>
<div class="wide" tabindex="0" role="region" aria-label="Table of measures">{_measures(comparison)}</div>
{_alike(comparison)}
<h2>To hear</h2>
{sounds}
</main>
</body>
</html>
"""


def _sound(name: str, clip: Clip) -> str:
    text = clip.text if isinstance(clip, Speech) else ""
    marked = " · AI-generated" if isinstance(clip, Speech) else ""
    source = f"data:audio/mpeg;base64,{base64.b64encode(mp3_bytes(clip)).decode()}"
    return f"""<figure>
<h3>{html.escape(name)}{marked}</h3>
{_waveform(clip, f"Waveform of {name}, {clip.duration:.1f} seconds")}
<audio controls preload="metadata" src="{source}" aria-label="{html.escape(name)}"></audio>
<figcaption>{html.escape(visible(text))}</figcaption>
</figure>"""


def _waveform(clip: Clip, title: str) -> str:
    """Draw the envelope; the exponent lets quiet speech be seen."""
    columns = np.array_split(np.abs(clip.samples), COLUMNS)
    heights = [31 * float(column.max(initial=0.0)) ** 0.62 for column in columns]
    path = "".join(f"M{x + 0.5:g} {32 - height:.1f}V{32 + height:.1f}" for x, height in enumerate(heights))
    return (
        f'<svg viewBox="0 0 {COLUMNS} 64" preserveAspectRatio="none" role="img" aria-label="{html.escape(title)}">'
        f'<path d="{path}" stroke="currentColor" stroke-width="0.8" fill="none"/></svg>'
    )


def _measures(comparison: Comparison) -> str:
    rows = [
        [name, *(values[each] for each in comparison.measured)]
        for name, values in zip(comparison.items, comparison.measures, strict=True)
    ]
    return _table(["sound", *map(title_of, comparison.measured)], rows)


def _alike(comparison: Comparison) -> str:
    pairs = comparison.pairs()
    if not len(pairs) or not np.isfinite(pairs["cosine"]).any():
        return ""
    rows = [
        [f"{pair.item} and {pair.other}", pair.cosine, pair.same_percent, pair.different_percent, pair.words]
        for pair in pairs.itertuples()
    ]
    heads = ["pair", "cosine", "pairs of one speaker at or below it (%)", "pairs of two at or above it (%)", "so"]
    pictures = "".join(
        f'<p><img alt="{html.escape(alt)}" src="data:image/png;base64,{_png(comparison.plot(kind))}"></p>'
        for kind, alt in (
            ("map", "Map of voices; the cosines stand in the table above."),
            ("spectrum", "Long-term spectra of speech in third-octave bands."),
        )
    )
    return (
        f'<h2>How alike the voices sound</h2><p>{html.escape(MEANING)}</p><div class="wide" tabindex="0" role="region" '
        f'aria-label="Table of similarity">{_table(heads, rows)}</div>{pictures}'
    )


def _table(heads: list[str], rows: list[list[Any]]) -> str:
    head = "".join(f'<th scope="col">{html.escape(each)}</th>' for each in heads)
    body = "".join(
        f'<tr><th scope="row">{html.escape(str(name))}</th>{"".join(map(_cell, values))}</tr>' for name, *values in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"<td>{value:.3g}</td>".replace("-", "−") if math.isfinite(value) else "<td></td>"
    return f'<td class="words">{html.escape(str(value))}</td>'


def _png(figure: Figure) -> str:
    import matplotlib.pyplot as plt
    from PIL import Image

    drawn, packed = io.BytesIO(), io.BytesIO()
    figure.savefig(drawn, format="png", dpi=PICTURE_DPI)
    plt.close(figure)
    Image.open(drawn).quantize(48, method=Image.Quantize.FASTOCTREE).save(packed, format="png", optimize=True)
    return base64.b64encode(packed.getvalue()).decode()
