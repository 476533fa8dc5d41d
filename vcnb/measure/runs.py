"""Where something holds without a break."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["runs"]


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
