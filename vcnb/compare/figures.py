"""How a comparison looks: each number in a picture is one of its tables."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .measures import title_of, unit_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from .comparison import Comparison

__all__ = [
    "KINDS",
    "aligned_pitch",
    "measures",
    "pitch",
    "places",
    "similarity",
    "spectrograms",
    "spectrum",
    "voice_map",
]

INK = "#757575"  # readable on white (4.6 : 1) and on black (4.6 : 1): the ground is left to the page
BAR = "#2f86c8"
# Okabe and Ito's colours, told apart by all kinds of colour vision; lines differ by their dash too.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#8a8a00", "#757575")
DASHES = ("-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1, 1, 1)), (0, (1, 1)), (0, (8, 2)))
# From light to dark in one hue, so that the order is seen without colour.
SHADES = ("#ffffff", "#e6eef1", "#bcd7df", "#7fb4c8", "#438cae", "#2b628f", "#283a6c", "#1b1536")
N_ALIGNED = 400  # points of a time axis, more than are seen
MEL_HOP = 0.01  # seconds
DYNAMIC_DB, STEP_DB = 60.0, 4.0  # shades finer than that are not told apart, and take twice the bytes in a notebook
LONGEST_NAME = 32  # characters; longer ones are cut in the middle, where names of a row differ least
MOST_DRAWN = 40  # rows or lines; ours: more cannot be told apart
CELL, MOST_WRITTEN = 0.62, 30  # inches of a cell; of more voices the heat map shows shades without numbers
TITLE_WIDTH = 18  # characters of a line above a small panel


def measures(comparison: Comparison) -> Figure:
    """Draw one panel of bars for each measure that any of the recordings has."""
    shown = comparison.measured
    rows = math.ceil(len(shown) / 5)
    figure = _figure((11, 0.6 + rows * (1.3 + 0.35 * len(comparison.items))), "Voices side by side")
    panels = np.atleast_1d(figure.subplots(rows, min(5, len(shown)), sharey=True, squeeze=False)).ravel()
    heights = range(len(comparison.items))
    for axes, name in zip(panels, shown, strict=False):
        values = [each[name] for each in comparison.measures]
        bars = axes.barh(heights, [value if math.isfinite(value) else 0 for value in values], color=BAR)
        written = [f"{value:.3g}" if math.isfinite(value) else "none" for value in values]
        axes.bar_label(bars, written, padding=3, color=INK, fontsize=8)
        axes.margins(x=0.7)
        title = title_of(name).removesuffix(f" ({unit_of(name)})")
        _dress(axes, textwrap.fill(title, TITLE_WIDTH), unit_of(name) or "share")
        axes.set_yticks(list(heights), _names(comparison), parse_math=False)
    panels[0].invert_yaxis()
    for axes in panels[len(shown) :]:
        axes.set_visible(False)
    return figure


def similarity(comparison: Comparison) -> Figure:
    """Draw a heat map of the cosines, in the order of a dendrogram that joins the most alike first."""
    from matplotlib.colors import LinearSegmentedColormap

    cosines = comparison.similarity().to_numpy()
    size = 2.4 + CELL * min(MOST_WRITTEN, len(comparison.items))
    figure = _figure((size + 2.2, size), "How alike the voices sound: cosine of their embeddings")
    tree, heat = figure.subplots(1, 2, width_ratios=(1, 3.2))
    order = _dendrogram(tree, cosines)
    shown = cosines[np.ix_(order, order)]
    names = [_names(comparison)[each] for each in order]
    known = shown[np.isfinite(shown)]
    low = min(0.5, float(known.min(initial=0.5)))
    shades = LinearSegmentedColormap.from_list("vcnb", SHADES)
    image = heat.imshow(shown, cmap=shades, vmin=low, vmax=1, aspect="auto")
    for (row, column), cosine in np.ndenumerate(shown if len(shown) <= MOST_WRITTEN else shown[:0]):
        dark = math.isfinite(cosine) and (cosine - low) / (1 - low) > 0.55
        heat.text(
            column,
            row,
            f"{cosine:.2f}" if math.isfinite(cosine) else "none",
            ha="center",
            va="center",
            fontsize=8,
            color=INK if not math.isfinite(cosine) else "white" if dark else "black",
        )
    _dress(heat, "", "")
    step = -(-len(names) // MOST_WRITTEN)  # of many only some names can stand beside the map
    heat.set_xticks(range(0, len(names), step), names[::step], rotation=40, ha="right", parse_math=False)
    heat.set_yticks(range(0, len(names), step), names[::step], parse_math=False)
    bar = figure.colorbar(image, ax=heat, pad=0.02)
    bar.set_label("cosine", color=INK)
    bar.ax.tick_params(colors=INK)
    return figure


def voice_map(comparison: Comparison) -> Figure:
    """Lay the voices out as points; what lies near sounds alike."""
    points, kept = places(comparison.similarity().to_numpy())
    figure = _figure((6.4, 5.2), f"Map of voices: near is alike; it keeps {kept:.0%} of the differences")
    axes = figure.subplots()
    placed = [(name, x, y) for name, (x, y) in zip(_names(comparison), points, strict=True) if math.isfinite(x)]
    middle = sum(x for _, x, _ in placed) / max(1, len(placed))
    for at, (name, x, y) in enumerate(placed):
        axes.plot(x, y, "o", ms=9, color=COLOURS[at % len(COLOURS)])
        side = -1 if x > middle else 1  # names stand towards the middle, where there is room
        beside: dict[str, Any] = {"xytext": (6 * side, 6), "textcoords": "offset points", "color": INK, "fontsize": 9}
        text = axes.annotate(name, (x, y), parse_math=False, ha="left" if side > 0 else "right", **beside)
        text.set_in_layout(False)
    axes.margins(0.25)
    axes.set_aspect("equal", adjustable="datalim")
    _dress(axes, "", "distance, √(1 − cosine)")
    axes.set_ylabel("distance, √(1 − cosine)", color=INK, fontsize=9)
    return figure


def pitch(comparison: Comparison) -> Figure:
    """Draw pitch contours on the time axis of the first recording, semitones around each one's own middle."""
    figure = _figure((11, 3.6), "Melody: pitch around each voice's own middle, aligned in time")
    axes = figure.subplots()
    for at, (name, contour) in enumerate(zip(_names(comparison), aligned_pitch(comparison), strict=True)):
        times = np.linspace(0, comparison.clips[0].duration, len(contour))
        style: dict[str, Any] = {"color": COLOURS[at % len(COLOURS)], "ls": DASHES[at % len(DASHES)]}
        axes.plot(times, contour, lw=1.4, label=name, **style)
    _dress(axes, "", f"time of {_names(comparison)[0]} (s)")
    axes.set_ylabel("pitch (semitones)", color=INK, fontsize=9)
    _legend(axes)
    return figure


def spectrum(comparison: Comparison) -> Figure:
    """Draw long-term spectra of speech in third-octave bands."""
    figure = _figure((11, 3.6), "Long-term spectrum of speech, in third-octave bands")
    axes = figure.subplots()
    for at, (name, sound) in enumerate(zip(_names(comparison), comparison.sounds, strict=True)):
        middles, levels = sound.long_term_spectrum
        style: dict[str, Any] = {"color": COLOURS[at % len(COLOURS)], "ls": DASHES[at % len(DASHES)]}
        axes.semilogx(middles, levels, lw=1.6, label=name, **style)
    axes.set_xticks([100, 300, 1000, 3000, 10000], ["100", "300", "1000", "3000", "10000"])
    axes.minorticks_off()
    _dress(axes, "", "frequency (Hz)")
    axes.set_ylabel("level (dB of all)", color=INK, fontsize=9)
    _legend(axes)
    return figure


def spectrograms(comparison: Comparison) -> Figure:
    """Draw mel spectrograms below each other, on one time axis."""
    import librosa
    from librosa.display import specshow
    from matplotlib.colors import LinearSegmentedColormap

    n = len(comparison.items)
    figure = _figure((9, 0.8 + 1.7 * n), "Mel spectrograms on one time axis")
    panels = figure.subplots(n, 1, sharex=True, squeeze=False)[:, 0]
    # From nothing to a middle blue: the quiet end is the page itself, whether light or dark.
    shades = LinearSegmentedColormap.from_list("vcnb", [f"{BAR}00", BAR], N=round(DYNAMIC_DB / STEP_DB))
    for axes, name, clip in zip(panels, _names(comparison), comparison.clips, strict=True):
        hop_length = max(1, round(MEL_HOP * clip.sample_rate))
        mel = librosa.feature.melspectrogram(y=np.asarray(clip.samples), sr=clip.sample_rate, hop_length=hop_length)
        level = librosa.power_to_db(mel, ref=np.max, top_db=DYNAMIC_DB)
        specshow(level, sr=clip.sample_rate, hop_length=hop_length, x_axis="time", y_axis="mel", ax=axes, cmap=shades)
        _dress(axes, "", "")
        axes.set_title(name, fontsize=9, color=INK, parse_math=False)
        axes.set_ylabel("Hz", color=INK, fontsize=9)
    panels[-1].set_xlabel("time (s)", color=INK, fontsize=9)
    return figure


KINDS: dict[str, Callable[[Comparison], Figure]] = {
    "measures": measures,
    "similarity": similarity,
    "map": voice_map,
    "pitch": pitch,
    "spectrum": spectrum,
    "spectrograms": spectrograms,
}


def places(cosines: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.float64], float]:
    """Lay voices out on a plane by classical scaling [1]_.

    Parameters
    ----------
    cosines : np.ndarray [shape=(n, n)]
        Of each two; NaN rows are voices that could not be placed.

    Returns
    -------
    (np.ndarray [shape=(n, 2)], float)
        Their places, NaN where they could not be placed, and the share of the differences (0…1) that the plane keeps.

    References
    ----------
    .. [1] W. S. Torgerson, "Multidimensional scaling: I. Theory and method", Psychometrika 17, 1952.
    """
    found = np.full((len(cosines), 2), np.nan)
    known = np.isfinite(np.diag(cosines))
    n = int(known.sum())
    if n < 2:
        found[known] = 0.0
        return found, 1.0
    squared = np.clip(1 - cosines[np.ix_(known, known)], 0, None)
    centring = np.eye(n) - 1 / n
    values, vectors = np.linalg.eigh(-0.5 * centring @ squared @ centring)
    values, vectors = np.clip(values[::-1], 0, None), vectors[:, ::-1]
    axes = vectors[:, :2] * np.sqrt(values[:2])
    axes *= np.where(axes.sum(0) + axes[0] < 0, -1, 1)  # a mirror image would be as good: always show the same one
    found[known] = axes if n > 1 else 0.0
    return found, float(values[:2].sum() / max(values.sum(), 1e-12))


def aligned_pitch(comparison: Comparison) -> list[npt.NDArray[np.float64]]:
    """Pitch contours in semitones around each one's median, laid on the first one's time by its melody and level.

    Parameters
    ----------
    comparison : Comparison
        Two recordings of one text make sense; others are aligned all the same.

    Returns
    -------
    list of np.ndarray [shape=(400,)]
        NaN where nothing is voiced.
    """
    from librosa.sequence import dtw

    contours = [_contour(sound.f0, sound.clip.duration) for sound in comparison.sounds]
    first = np.nan_to_num(contours[0])
    found = [contours[0]]
    for contour in contours[1:]:
        features = [np.stack([np.nan_to_num(each), 6.0 * np.isfinite(each)]) for each in (contours[0], contour)]
        _, path = dtw(*features)
        laid = np.full(len(first), np.nan)
        laid[path[::-1, 0]] = contour[path[::-1, 1]]
        found.append(laid)
    return found


def _contour(f0: tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]], duration: float) -> npt.NDArray[np.float64]:
    times, hertz = f0
    at = np.linspace(0, duration, N_ALIGNED)
    if not np.isfinite(hertz).any():
        return np.full(N_ALIGNED, np.nan)
    nearest = np.clip(np.searchsorted(times, at), 0, len(times) - 1)
    contour: npt.NDArray[np.float64] = 12 * np.log2(hertz[nearest] / np.nanmedian(hertz))
    return contour


def _dendrogram(axes: Any, cosines: npt.NDArray[np.float64]) -> list[int]:
    """Draw who joins whom, and give the order from top to bottom."""
    from scipy.cluster.hierarchy import dendrogram, linkage
    from scipy.spatial.distance import squareform

    _dress(axes, "", "1 − cosine")
    known = [at for at in range(len(cosines)) if math.isfinite(cosines[at, at])]
    unknown = [at for at in range(len(cosines)) if at not in known]
    if len(known) < 2:
        axes.set_visible(False)
        return known + unknown
    distances = np.clip(1 - cosines[np.ix_(known, known)], 1e-6, None)  # scipy cannot draw a tree without height
    np.fill_diagonal(distances, 0)
    joined = linkage(squareform(distances, checks=False), "average")
    look = {"no_labels": True, "color_threshold": 0, "above_threshold_color": INK}
    drawn = dendrogram(joined, orientation="left", ax=axes, **look)
    axes.set_xlim(max(0.05, 1.05 * joined[-1, 2]), 0)  # two recordings of the same samples join at 0
    axes.set_ylim(10 * len(cosines), 0)  # a leaf takes ten; those that are not known lie below
    return [known[leaf] for leaf in drawn["leaves"]] + unknown


def _names(comparison: Comparison) -> list[str]:
    """Cut names that would leave no room for what is drawn."""
    half = LONGEST_NAME // 2
    return [name if len(name) <= LONGEST_NAME else f"{name[:half]}…{name[-half + 1 :]}" for name in comparison.items]


def _figure(size: tuple[float, float], title: str) -> Figure:
    import matplotlib.pyplot as plt

    figure: Figure = plt.figure(figsize=size, layout="constrained")
    figure.patch.set_alpha(0)
    figure.suptitle(title, color=INK, fontsize=11, parse_math=False)
    return figure


def _dress(axes: Axes, title: str, unit: str) -> None:
    axes.set_facecolor("none")
    axes.tick_params(colors=INK, labelsize=8)
    axes.set_title(title, fontsize=9, color=INK)
    axes.set_xlabel(unit, fontsize=9, color=INK)
    for spine in axes.spines.values():
        spine.set_color(INK)


def _legend(axes: Axes) -> None:
    beside: dict[str, Any] = {"loc": "upper left", "bbox_to_anchor": (1.0, 1.0), "framealpha": 0}  # never on a line
    shown = axes.legend(fontsize=8, labelcolor=INK, **beside)
    for text in shown.get_texts():
        text.set_parse_math(False)
