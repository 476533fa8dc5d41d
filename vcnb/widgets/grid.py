"""How a grid of voices and texts is looked through: each take to hear, with the sentinel's verdict and why."""

from __future__ import annotations

import threading
import weakref
from functools import partial
from typing import Any

from vcnb.compare.drawn import plain
from vcnb.compare.measures import title_of
from vcnb.compare.sentinel import Evidence
from vcnb.workflow.grids import Grid

from .base import Progress, joined
from .sounds import PLAYER_FILES, SoundPanel

__all__ = ["GridPanel", "grid_panel_of"]

SHOWN = ("likeness", "duration", "f0_median", "pace", "first_audio_delay")
LONGEST_TEXT = 300  # characters of a cell's text


class GridPanel(SoundPanel):
    """Show the cells of a grid: sort, search, see only what failed, hear each take.

    Parameters
    ----------
    grid : Grid
        As ``account.grid(...)`` gives it.
    **options
        Traits of the widget, such as ``layout``.

    Raises
    ------
    SettingsError
        On an option that does not exist.

    Notes
    -----
    Texts, figures and sound travel as messages and are not saved in the notebook.
    """

    _esm = joined(*PLAYER_FILES, "sounding", "sorted", "grid")
    _css = joined("voices", "comparing", "grid", kind="css")
    _parts = ("grid",)

    def __init__(self, grid: Grid, **options: Any) -> None:
        self._grid = grid
        self._cells: dict[str, Any] | None = None
        super().__init__((), **options)

    @property
    def grid(self) -> Grid:
        """What is shown."""
        return self._grid

    def __repr__(self) -> str:
        return f"<GridPanel of {len(self._grid)}>"

    def _receive_hello(self, message: dict[str, Any], _buffers: list[Any]) -> None:
        """Give a page the cells; the first one waits for the sentinel."""
        if self._cells is None:
            self.work("judge", self._judge)
        else:
            self._show(client=message["client"])

    def _receive_hear(self, message: dict[str, Any], _buffers: list[Any]) -> None:
        """Read a take from the library, for the page that asked."""
        key = str(message["key"])
        self._offer(key, partial(self._grid.speech, int(key)), client=message["client"], n_columns=0)

    def _judge(self, _progress: Progress, _stopping: threading.Event) -> None:
        self._cells = _cells(self._grid)
        self._show()

    def _show(self, *, client: str | None = None) -> None:
        if self._cells is not None:
            self._post({"type": "cells", "client": client} | self._cells)


def _cells(grid: Grid) -> dict[str, Any]:
    """Write the cells down as plain values."""
    table = grid.to_frame()
    shown = [name for name in SHOWN if name in table.columns and table[name].notna().any()]
    cells = []
    for at, (row, values) in enumerate(zip(grid.rows, table[shown].to_numpy(float), strict=True)):
        drift = grid.drifts[at]
        checks = [_check(each) for each in (drift.evidence if drift else ())]
        cell: dict[str, Any] = {
            "key": str(at),
            "name": table["name"].iat[at] or row.voice.voice,
            "text": row.text[:LONGEST_TEXT],
        }
        cell |= {"voice": row.voice.voice, "repeat": row.repeat + 1, "spoken": row.take is not None}
        cell |= {"verdict": table["verdict"].iat[at], "words": table["evidence"].iat[at], "checks": checks}
        error = row.error.message if row.error else None
        cells.append(cell | {"error": error, "values": [plain(value) for value in values]})
    titles = [{"name": name, "title": "" if name == "likeness" else title_of(name)} for name in shown]
    return {"cells": cells, "measures": titles, "repeats": max((row.repeat for row in grid.rows), default=0) > 0}


def _check(evidence: Evidence) -> dict[str, Any]:
    said = {name: getattr(evidence, name) for name in ("check", "verdict", "message", "unit")}
    places = [[part.start, part.end] for part in evidence.segments]
    return said | {"value": plain(evidence.value), "places": places}


_PANELS: weakref.WeakKeyDictionary[Grid, GridPanel] = weakref.WeakKeyDictionary()


def grid_panel_of(grid: Grid) -> GridPanel:
    """Give the panel of a grid: shown in two cells it is one."""
    panel = _PANELS.get(grid)
    if panel is None or panel.comm is None:  # closed
        panel = _PANELS[grid] = GridPanel(grid)
    return panel
