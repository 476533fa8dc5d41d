"""What a library consists of."""

from __future__ import annotations

from pathlib import Path

from . import accounts, clips, grids, intents, money, takes, voices
from .store import PATIENCE, Store

__all__ = ["MIGRATIONS", "open_store"]

# Version 1: the tables of each module. A later change is one more script here, never an edit of an older one.
MIGRATIONS: tuple[str, ...] = (
    "".join(module.SCHEMA for module in (accounts, clips, voices, takes, money, intents)),
    grids.SCHEMA,
    takes.HEARD,
)


def open_store(folder: Path, *, patience: float = PATIENCE) -> Store:
    """Open the library of a data folder; it is made where there is none.

    Parameters
    ----------
    folder : Path
        The data folder.
    patience : float
        Seconds to wait for another process that is writing.

    Returns
    -------
    Store

    Raises
    ------
    LibraryError
        As `Store`.
    """
    return Store(folder, MIGRATIONS, patience=patience)
