"""How loud the speech is."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["rms_dbfs"]

FRAME = 0.02  # seconds
ACTIVE_DB = 35.0  # ours: frames this far below the loudest one are pauses


def rms_dbfs(samples: npt.NDArray[np.float32], sample_rate: int) -> float:
    """Root mean square of the frames in which something is said.

    Parameters
    ----------
    samples : np.ndarray [shape=(n,)]
        Mono amplitudes, full scale at 1.
    sample_rate : int
        Samples per second (Hz).

    Returns
    -------
    float
        dB relative to full scale 1, so that a full-scale sine reads -3.01; -inf for silence. Pauses do not count,
        but a loud noise counts as if it were said.
    """
    frame_length = max(1, min(round(FRAME * sample_rate), len(samples)))
    frames = np.asarray(samples, np.float32)[: len(samples) // frame_length * frame_length].reshape(-1, frame_length)
    power = np.einsum("ij,ij->i", frames, frames) / frame_length
    loudest = float(power.max(initial=0))
    if loudest <= 0:
        return float("-inf")
    return float(10 * np.log10(power[power > loudest * 10 ** (-ACTIVE_DB / 10)].mean(dtype=np.float64)))
