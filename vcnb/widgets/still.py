"""What is seen of a sound where no panel can be: on GitHub, in an exported page, before the kernel answers."""

from __future__ import annotations

import html

import numpy as np
import numpy.typing as npt

from vcnb.audio.clip import Clip, Speech
from vcnb.protocol.voice import preferred_name_of

__all__ = ["display_still", "name_of", "outline", "still"]

DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_"
LOUDNESS = 0.62  # as in wave.js: |x|^0.62 lifts quiet speech without hiding how quiet it is
WIDTH, HEIGHT, HEAD = 640, 48, 20
GREY = "#808080"  # 3.9 to 1 on white and 4.6 to 1 on #0d1117: a file cannot know what it will lie on


def name_of(clip: Clip | None) -> str:
    """Name a clip as people know it: by its own name, else by the voice that speaks; empty where it has neither."""
    named = preferred_name_of(clip.voice) or clip.voice if isinstance(clip, Speech) else ""
    name = (clip.name if clip else "") or named
    # Beside its original, both would be called the same.
    return f"{name}, mended" if name and clip and clip.edits else name


def display_still(clip: Clip) -> None:
    """Show a clip's picture as an output of its own, before the panel that is the cell's value.

    Where the state of widgets is saved, what exports a notebook takes a panel's output for the panel alone, and shows
    nothing where it cannot run. As long as the panel stands below it, its style sheet hides the picture.

    Parameters
    ----------
    clip : Clip
        What the panel plays.

    Raises
    ------
    NotImplementedError
        Always: it tells IPython that the object is still to be shown as what it is.
    """
    from IPython.display import display

    made = ["AI-generated"] if isinstance(clip, Speech) else []
    made += ["practice voice"] if getattr(clip, "practice", False) else []
    title = " · ".join([*filter(None, [name_of(clip)]), f"{clip.duration:.1f} s", *made])
    display({"image/svg+xml": still(clip.samples, title)}, raw=True)
    raise NotImplementedError


def outline(samples: npt.NDArray[np.float32], n_columns: int) -> str:
    """Write the peaks of a sound as one digit a column.

    Parameters
    ----------
    samples : np.ndarray [shape=(n,)]
        Mono amplitudes, full scale at 1.
    n_columns : int
        Length of the outline; fewer where there are fewer samples.

    Returns
    -------
    str
        Each digit is the height of a column in steps of 1/63.
    """
    n_columns = min(n_columns, len(samples))
    if n_columns < 1:
        return ""
    starts = np.arange(n_columns) * len(samples) // n_columns
    peaks = np.maximum.reduceat(np.abs(samples), starts)
    heights = np.rint(np.minimum(peaks, 1.0) ** LOUDNESS * 63).astype(int)
    return "".join(DIGITS[height] for height in heights)


def still(samples: npt.NDArray[np.float32], title: str) -> str:
    """Draw a sound as an SVG of at most 6 kB.

    Parameters
    ----------
    samples : np.ndarray [shape=(n,)]
        Mono amplitudes, full scale at 1.
    title : str
        Written above it and read aloud; its first 90 characters.

    Returns
    -------
    str
        One `<svg>` element, the same for the same sound.
    """
    digits = outline(samples, WIDTH // 4)
    middle = HEAD + HEIGHT // 2
    bars = []
    for column, digit in enumerate(digits):
        half = max(1, round(DIGITS.index(digit) / 63 * (HEIGHT / 2 - 1)))
        bars.append(f"M{4 * column + 2} {middle - half}v{2 * half}")
    said = html.escape(title[:90])
    return (
        f'<svg class="vcnb-still" xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{said}" '
        f'viewBox="0 0 {WIDTH} {HEAD + HEIGHT}" width="{WIDTH}" height="{HEAD + HEIGHT}">'
        f'<text x="0" y="13" font-family="system-ui,sans-serif" font-size="12" fill="{GREY}">{said}</text>'
        f'<path d="M0 {middle}h{WIDTH}{"".join(bars)}" stroke="{GREY}" stroke-width="2" fill="none"/></svg>'
    )
