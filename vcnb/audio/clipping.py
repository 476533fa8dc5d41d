"""Where a recording hit the ceiling."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .clip import Segment

__all__ = ["clipped_segments", "merged"]

# Ours, measured on twelve voices clipped from 0.02 % of their samples up, and on clean and peak-normalised ones.
RUN = 3 / 48_000  # seconds at the extreme: three samples at 48 kHz, scaled with the rate
TOLERANCE = 2e-4  # of the extreme; dither moves a ceiling by less
FLOOR = 0.01  # an extreme below this is no ceiling but silence
BRIDGE = 0.01  # seconds; places nearer than this are one place


def clipped_segments(
    samples: npt.NDArray[np.float32], sample_rate: int, *, step: float = 1 / 32768
) -> tuple[Segment, ...]:
    """Find runs of samples that stay at the extreme of one channel.

    Judge a file's own channels: a downmix, a resampling or lossy coding hides the ceiling.

    Parameters
    ----------
    samples : np.ndarray [shape=(n,)]
        One channel, full scale at 1.
    sample_rate : int
        Samples per second (Hz).
    step : float
        Size of one quantisation step, where it is coarse.

    Returns
    -------
    tuple of Segment
        In order, near ones joined. Blind after lossy coding.
    """
    if not len(samples):
        return ()
    shortest = max(2, round(RUN * sample_rate))
    found: list[Segment] = []
    for sign in (1, -1):
        extreme = float(sign * (samples.max() if sign > 0 else samples.min()))
        if extreme < max(FLOOR, 4 * step):
            continue
        hits = np.flatnonzero(sign * samples >= extreme - max(step, TOLERANCE * extreme))
        breaks = np.flatnonzero(np.diff(hits) > 1) + 1
        starts, ends = hits[np.r_[0, breaks]], hits[np.r_[breaks - 1, len(hits) - 1]] + 1
        long = ends - starts >= shortest
        found += [Segment(a / sample_rate, b / sample_rate) for a, b in zip(starts[long], ends[long], strict=True)]
    return merged(found)


def merged(segments: list[Segment]) -> tuple[Segment, ...]:
    """Sort segments and join those that overlap or nearly touch.

    Parameters
    ----------
    segments : list of Segment
        In any order.

    Returns
    -------
    tuple of Segment
        In order, at least 10 ms apart.
    """
    joined: list[Segment] = []
    for segment in sorted(segments):
        if joined and segment.start - joined[-1].end < BRIDGE:
            joined[-1] = Segment(joined[-1].start, max(joined[-1].end, segment.end))
        else:
            joined.append(Segment(float(segment.start), float(segment.end)))
    return tuple(joined)
