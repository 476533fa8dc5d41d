"""How voices differ: pitch, how far it moves, pace, level."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vcnb.audio.clip import Clip, Speech
from vcnb.audio.load import load
from vcnb.errors import ClipError
from vcnb.measure.level import rms_dbfs
from vcnb.measure.pace import syllables_per_second
from vcnb.measure.pitch import f0_range_semitones, median_f0

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

__all__ = ["Comparison", "compare"]

# Measure -> its unit, in the order of table and plot.
UNITS = {"duration": "s", "f0_median": "Hz", "f0_range": "semitones", "pace": "syllables/s", "level": "dBFS"}
TITLES = {
    "duration": "Duration",
    "f0_median": "Median pitch",
    "f0_range": "Pitch range",
    "pace": "Pace",
    "level": "Speech level",
}


@dataclass(frozen=True, repr=False)
class Comparison:
    """Recordings side by side.

    Parameters
    ----------
    items : tuple of str
        Names, each once.
    clips : tuple of Clip
        The recordings.
    measures : tuple of dict
        For each recording, measure -> value; NaN where it cannot be measured.
    """

    items: tuple[str, ...]
    clips: tuple[Clip, ...]
    measures: tuple[dict[str, float], ...]

    def to_frame(self) -> pd.DataFrame:
        """Give a tidy table: item, measure, value, unit; one row an item and measure."""
        import pandas as pd

        rows = [
            (item, measure, values[measure], unit)
            for item, values in zip(self.items, self.measures, strict=True)
            for measure, unit in UNITS.items()
        ]
        return pd.DataFrame(rows, columns=["item", "measure", "value", "unit"])

    def plot(self) -> Figure:
        """Draw one panel of bars for each measure.

        Returns
        -------
        matplotlib.figure.Figure
            Of pyplot, so that `plt.show()` shows it.
        """
        import matplotlib.pyplot as plt

        size = (11, 1.6 + 0.35 * len(self.items))
        figure: Figure = plt.figure(figsize=size, layout="constrained")
        panels = figure.subplots(1, len(UNITS), sharey=True)
        figure.suptitle("Voices side by side")
        places = range(len(self.items))
        for axes, (measure, unit) in zip(panels, UNITS.items(), strict=True):
            values = [values[measure] for values in self.measures]
            bars = axes.barh(places, [value if math.isfinite(value) else 0 for value in values], color="#2f86c8")
            axes.bar_label(bars, [f"{value:.1f}" if math.isfinite(value) else "none" for value in values], padding=3)
            axes.margins(x=0.7)
            axes.set_title(TITLES[measure])
            axes.set_xlabel(unit)
        panels[0].set_yticks(list(places), list(self.items), parse_math=False)
        panels[0].invert_yaxis()
        return figure

    def _repr_html_(self) -> str:
        import pandas as pd

        wide = pd.DataFrame(self.measures, index=pd.Index(self.items, name="item"), columns=list(UNITS))
        wide.columns = pd.Index([f"{TITLES[measure]} ({unit})" for measure, unit in UNITS.items()])
        return str(wide.round(1).to_html())

    def __repr__(self) -> str:
        return f"<Comparison of {len(self.items)}: {', '.join(self.items)}>"


def compare(items: Iterable[Clip | str | os.PathLike[str]]) -> Comparison:
    """Measure recordings and put them side by side.

    Parameters
    ----------
    items : iterable of Clip, Speech or path
        At least one.

    Returns
    -------
    Comparison
        Of all of them, in their order.

    Raises
    ------
    ClipError
        If there is nothing to compare, or a file cannot be read.
    """
    if isinstance(items, (str, bytes, os.PathLike, Clip)):
        raise ClipError("One recording alone cannot be compared.", remedy="give a list of them")
    if not isinstance(items, Iterable):
        raise ClipError(f"{type(items).__name__} cannot be compared.", remedy="give a list of clips or paths")
    clips = tuple(load(item) for item in items)
    if not clips:
        raise ClipError("There is nothing to compare.", remedy="give a list of clips or paths")
    return Comparison(_named(clips), clips, tuple(_measured(clip) for clip in clips))


def _measured(clip: Clip) -> dict[str, float]:
    sound: tuple[Any, int] = (clip.samples, clip.sample_rate)
    return {
        "duration": clip.duration,
        "f0_median": median_f0(*sound),
        "f0_range": f0_range_semitones(*sound),
        "pace": syllables_per_second(*sound),
        "level": rms_dbfs(*sound),
    }


def _named(clips: tuple[Clip, ...]) -> tuple[str, ...]:
    """Name each clip once: its own name, else its voice, else its place; equal names are counted."""
    names: list[str] = []
    for place, clip in enumerate(clips, 1):
        name = clip.name or (clip.voice if isinstance(clip, Speech) else "") or f"clip {place}"
        taken = sum(other == name or other.startswith(f"{name} (") for other in names)
        names.append(f"{name} ({taken + 1})" if taken else name)
    return tuple(names)
