"""How far up the sound reaches."""

from __future__ import annotations

import numpy as np

from .stft import Spectrogram

__all__ = ["bandwidth_hz", "treble_hidden"]

# Ours, set on nine recordings brought to 8, 16, 22.05, 24 and 32 kHz and back: each was found within half a kilohertz.
BAND = 500.0  # Hz
MOVES_DB = 9.0  # a band in which somebody speaks comes and goes by at least this; noise stands still
FAINTEST_DBFS = -103.0  # of a band; the noise of 16 bits is -110
TREBLE = 12_000.0  # Hz
COVERING_DB = 60.0  # noise in a band nearer than this to the loudest frames can hide a voice's treble


def bandwidth_hz(spectrogram: Spectrogram) -> float:
    """Upper end of what moves, whatever the file's rate is.

    Parameters
    ----------
    spectrogram : Spectrogram
        Of the recording.

    Returns
    -------
    float
        Hz, in steps of 500; 0 where nothing moves. Treble that noise covers is missed: see `treble_hidden`.
    """
    quiet, loud = _extremes(spectrogram)
    alive = (loud - quiet >= MOVES_DB) & (loud > FAINTEST_DBFS)
    pairs = np.flatnonzero(alive[1:] & alive[:-1])
    return float((pairs[-1] + 2) * BAND) if len(pairs) else 0.0


def treble_hidden(spectrogram: Spectrogram) -> bool:
    """Whether steady noise above the found end could hide a voice's treble.

    Parameters
    ----------
    spectrogram : Spectrogram
        Of the recording.

    Returns
    -------
    bool
        True where the bandwidth cannot be told.
    """
    first = int(bandwidth_hz(spectrogram) / BAND)
    quiet, _ = _extremes(spectrogram)
    above = quiet[first : int(TREBLE / BAND)]
    loudest = 10 * np.log10(np.percentile(spectrogram.power.sum(1), 98) + 1e-20)
    return bool(len(above) and np.median(above) > loudest - COVERING_DB)


def _extremes(spectrogram: Spectrogram) -> tuple[np.ndarray, np.ndarray]:
    """Level of each band in its quiet and its loud moments, in dBFS."""
    n_bands = max(1, int(spectrogram.frequencies[-1] / BAND))
    edges = np.searchsorted(spectrogram.frequencies, np.arange(n_bands) * BAND)
    bands = np.add.reduceat(spectrogram.power, edges, axis=1)
    quiet, loud = 10 * np.log10(np.percentile(bands, (10, 98), axis=0) + 1e-20)
    return quiet, loud
