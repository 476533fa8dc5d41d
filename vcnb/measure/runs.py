"""Where something holds without a break."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from vcnb.audio.clip import Segment

__all__ = ["inside", "runs"]


def inside(places: Iterable[Segment], times: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """Say which moments lie in any of some places.

    Parameters
    ----------
    places : iterable of Segment
        Each holds its start and not its end.
    times : np.ndarray [shape=(n,)]
        In seconds.

    Returns
    -------
    np.ndarray [shape=(n,)]
        One flag a moment.
    """
    found = np.zeros(len(times), bool)
    for place in places:
        found |= (times >= place.start) & (times < place.end)
    return found


def runs(flags: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Find the stretches in which a flag is set.

    Parameters
    ----------
    flags : np.ndarray [shape=(n,)]
        One flag a frame.

    Returns
    -------
    list of (int, int)
        First frame of each stretch, and the first after it.
    """
    edges = np.flatnonzero(np.diff(np.r_[False, flags, False]))
    return [(int(start), int(end)) for start, end in edges.reshape(-1, 2)]
