"""How findings look on the waveform and the spectrogram.

By matplotlib alone: a report shows itself, and librosa's display would first load numba for seconds to draw the same.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from vcnb.audio.clip import Clip
from vcnb.measure.spectrum import mel_spectrogram_db

from .finding import Finding

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["COLOURS", "SIZE", "draw", "drawn_png"]

SIZE = (9.0, 4.2)  # inches
COLUMNS = 900  # of the picture; more would not be seen
DYNAMIC_DB = 58.0
SHADES = 20  # a step of 3 dB: no difference to the eye, and less than half the bytes in a saved notebook
INK = "#757575"  # readable on white (4.6 : 1) and on black (4.6 : 1)
COLOURS = {"pass": "#2e7d32", "warn": "#b26a00", "fail": "#d8453f", "unknown": INK}
HATCHES = {"warn": "..", "fail": "/", "unknown": ""}
TICKS_HZ = (100, 300, 1000, 3000, 6000, 12000)


def draw(figure: Figure, clip: Clip, findings: Sequence[Finding], title: str) -> None:
    """Draw waveform over mel spectrogram, and mark where findings lie.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        An empty figure.
    clip : Clip
        The recording.
    findings : sequence of Finding
        Those with segments are marked, by colour, hatch and name.
    title : str
        Of the whole figure; taken as it is, never as mathematics.
    """
    wave, mel = figure.subplots(2, 1, sharex=True, height_ratios=(1, 2.4))
    figure.suptitle(title, fontsize=11, color=INK, parse_math=False)
    _draw_wave(wave, clip)
    _draw_mel(mel, clip)
    for finding in findings:
        for segment in finding.segments:
            for axes in (wave, mel):
                colour, hatch = COLOURS[finding.verdict], HATCHES.get(finding.verdict)
                axes.axvspan(segment.start, segment.end, facecolor="none", edgecolor=colour, hatch=hatch, lw=0.6)
        for segment in finding.segments[:1]:  # one name for all its places
            words = f"{finding.check}: {finding.verdict}"
            place = {"xytext": (0, 3), "textcoords": "offset points", "fontsize": 8, "color": COLOURS[finding.verdict]}
            wave.annotate(words, (segment.start, 1), annotation_clip=False, **place)
    for axes in (wave, mel):
        axes.set_facecolor("none")
        axes.tick_params(colors=INK, labelsize=8)
        for spine in axes.spines.values():
            spine.set_color(INK)
    mel.set_xlim(0, max(clip.duration, 0.01))
    mel.set_xlabel("time (s)", color=INK, fontsize=9)


def drawn_png(clip: Clip, findings: Sequence[Finding], title: str) -> bytes:
    """Draw on a transparent ground, for a page of any colour.

    Parameters
    ----------
    clip, findings, title
        As in `draw`.

    Returns
    -------
    bytes
        A PNG file.
    """
    from matplotlib.figure import Figure
    from PIL import Image

    figure = Figure(figsize=SIZE, layout="constrained")
    draw(figure, clip, findings, title)
    drawn, packed = io.BytesIO(), io.BytesIO()
    figure.savefig(drawn, format="png", dpi=100, transparent=True)
    # A third of the bytes in the saved notebook, and no difference to the eye.
    Image.open(drawn).quantize(96, method=Image.Quantize.FASTOCTREE).save(packed, format="png", optimize=True)
    return packed.getvalue()


def _draw_wave(axes: Any, clip: Clip) -> None:
    """Draw the envelope: the extremes of each column of the picture."""
    step = max(1, len(clip.samples) // COLUMNS)
    columns = clip.samples[: len(clip.samples) // step * step].reshape(-1, step)
    times = np.arange(len(columns)) * step / clip.sample_rate
    axes.fill_between(times, columns.min(1, initial=0), columns.max(1, initial=0), color=INK, lw=0)
    axes.set_ylim(-1, 1)
    axes.set_ylabel("amplitude\n(full scale 1)", color=INK, fontsize=9)


def _draw_mel(axes: Any, clip: Clip) -> None:
    from matplotlib.colors import LinearSegmentedColormap

    hop_length = max(round(0.005 * clip.sample_rate), len(clip.samples) // COLUMNS, 1)
    centres, power = mel_spectrogram_db(clip.samples, clip.sample_rate, hop_length=hop_length)
    loudest = float(power.max(initial=-100))
    # From nothing to a middle blue: the quiet end is the page itself, whether light or dark.
    shades = LinearSegmentedColormap.from_list("vcnb", [(0.18, 0.53, 0.78, 0.0), (0.18, 0.53, 0.78, 1.0)], N=SHADES)
    image = axes.imshow(
        power,
        origin="lower",
        aspect="auto",
        cmap=shades,
        interpolation="nearest",
        vmin=loudest - DYNAMIC_DB,
        vmax=loudest,
        extent=(0, power.shape[1] * hop_length / clip.sample_rate, 0, len(centres)),
    )
    shown = [hz for hz in TICKS_HZ if hz < centres[-1]]
    axes.set_yticks([float(np.interp(hz, centres, np.arange(len(centres)))) for hz in shown], [str(hz) for hz in shown])
    axes.set_ylabel("frequency (Hz, mel scale)", color=INK, fontsize=9)
    bar = axes.figure.colorbar(image, ax=axes, pad=0.01)
    bar.set_label("level (dB)", color=INK, fontsize=9)
    bar.ax.tick_params(colors=INK, labelsize=8)
    bar.outline.set_edgecolor(INK)
