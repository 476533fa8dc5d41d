"""What a command prints: documents and results on stdout, words for people on stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from vcnb.errors import visible

__all__ = ["document", "result", "say", "steady", "table"]

LONGEST_CELL = 400  # characters; ours: ten times any name, and what a hostile service sends has no end


def steady() -> None:
    """Let no character that a terminal lacks, and no odd byte of a file's name, end a command."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


def document(content: dict[str, Any]) -> None:
    """Print one JSON document on one line; in ASCII, which every pipe carries unharmed."""
    sys.stdout.write(json.dumps(content, allow_nan=False, default=str) + "\n")
    sys.stdout.flush()


def result(line: str) -> None:
    """Print a line of the result."""
    sys.stdout.write(visible(line) + "\n")
    sys.stdout.flush()


def say(line: str) -> None:
    """Tell a person something."""
    sys.stderr.write(visible(line) + "\n")
    sys.stderr.flush()


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, title: str = "", fold: bool = True) -> None:
    """Print a table for people.

    Parameters
    ----------
    columns : sequence of str
        Headings.
    rows : iterable of sequences
        Cells; None is left empty.
    title : str
        Above it.
    fold : bool
        Whether a narrow terminal folds the columns; an id that is to be copied must not be folded.
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table(title=Text(visible(title)) if title else None, title_justify="left", box=None, pad_edge=False)
    for column in columns:
        drawn.add_column(column, overflow="fold", no_wrap=not fold)
    for cells in rows:
        # Text: what comes from files and services is never read as markup.
        drawn.add_row(*(Text("" if cell is None else _cell(visible(str(cell)))) for cell in cells))
    # A pipe has no width: what reads it wants a row on one line, and some characters are two columns wide.
    width = None if fold and sys.stdout.isatty() else 2 * (LONGEST_CELL + 1) * len(columns)
    Console(soft_wrap=False, highlight=False, width=width).print(drawn)


def _cell(text: str) -> str:
    return text if len(text) <= LONGEST_CELL else text[: LONGEST_CELL - 1] + "…"
