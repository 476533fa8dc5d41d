"""How sound gets another rate."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["resample"]


def resample(samples: npt.NDArray[np.float32], from_rate: int, to_rate: int) -> npt.NDArray[np.float32]:
    """Change the sample rate.

    Parameters
    ----------
    samples : np.ndarray [shape=(n,)]
        Mono amplitudes, full scale at 1.
    from_rate, to_rate : int
        Samples per second (Hz).

    Returns
    -------
    np.ndarray [shape=(round(n * to_rate / from_rate),)]
        The same sound. A higher rate adds no bandwidth: what was not recorded stays silent.
    """
    if from_rate == to_rate:
        return samples
    import soxr

    resampled: npt.NDArray[np.float32] = soxr.resample(np.asarray(samples, np.float32), from_rate, to_rate)
    return resampled
