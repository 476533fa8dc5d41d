"""How far the voice stands above the room."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .runs import runs
from .speech import Activity
from .stft import Spectrogram

__all__ = ["snr_db", "steady_snr_db"]

# Ours, set on 12 voices under nine kinds of noise from 5 to 40 dB.
BAND = (100.0, 8_000.0)  # Hz
SURE_SPEECH, SURE_PAUSE = 0.6, 0.25  # probability
GUARDS = (15, 10, 6)  # frames next to speech that do not count as room: reverberation and missed onsets
ENOUGH = 40  # frames of room for the wider guards, 0.4 s
FEWEST = 10
FEWEST_PAUSES = 2  # besides the loudest
FEWEST_SPOKEN = 30
# Without a pause: per band the quietest moments, which lie below the mean of noise by about this factor.
QUIETEST_PERCENTILE = 8
BELOW_MEAN = 1.3
SMOOTHED = 7  # frames
GROUPED = 4  # bins


def snr_db(spectrogram: Spectrogram, activity: Activity) -> float:
    """Signal-to-noise ratio from the mean power of speech and of pauses.

    Parameters
    ----------
    spectrogram : Spectrogram
        Of the recording.
    activity : Activity
        Where somebody speaks.

    Returns
    -------
    float
        Between 100 Hz and 8 kHz, in dB; about 4 dB above the ratio of the levels, as the loud half of speech counts.
        NaN where hardly anybody speaks, inf where the pauses are digital silence. Noise that sounds only while somebody
        speaks is not heard.
    """
    power = spectrogram.band(*BAND)
    probability = activity.at(spectrogram.times)
    spoken = probability > SURE_SPEECH
    if spoken.sum() < FEWEST_SPOKEN:
        return float("nan")
    noise = _room(power, probability)
    if noise is None:
        noise = _quietest(spectrogram)
    said = float(power[spoken].mean()) - noise
    if noise <= 1e-14:
        return float("inf")
    return float(10 * np.log10(max(said, 1e-12) / noise))


def steady_snr_db(spectrogram: Spectrogram, activity: Activity) -> float:
    """Signal-to-noise ratio against what never stops: hiss and hum, but not the tail of a word in a ringing room.

    Parameters
    ----------
    spectrogram, activity
        As in `snr_db`.

    Returns
    -------
    float
        In dB; NaN where hardly anybody speaks, inf over digital silence.
    """
    spoken = activity.at(spectrogram.times) > SURE_SPEECH
    if spoken.sum() < FEWEST_SPOKEN:
        return float("nan")
    noise = _quietest(spectrogram)
    said = float(spectrogram.band(*BAND)[spoken].mean()) - noise
    return float(10 * np.log10(max(said, 1e-12) / noise)) if noise > 1e-14 else float("inf")


def _room(power: npt.NDArray[np.float32], probability: npt.NDArray[np.float32]) -> float | None:
    """Mean power of the pauses; the mean hears clicks that a median would not.

    The loudest pause is left out where that leaves enough: a word that the network missed would pass for the room.
    """
    pausing = probability < SURE_PAUSE
    for guard in GUARDS:
        window = np.ones(2 * guard + 1, int)
        inner = np.convolve(pausing, window, "same") == len(window)
        if inner.sum() >= ENOUGH:
            break
    if inner.sum() < FEWEST:
        return None
    pauses = [power[start:end].astype(np.float64) for start, end in runs(inner)]
    loudest = max(range(len(pauses)), key=lambda at: float(pauses[at].mean()))
    others = [pause for at, pause in enumerate(pauses) if at != loudest]
    kept = others if sum(map(len, others)) >= FEWEST and len(others) >= FEWEST_PAUSES else pauses
    return float(np.concatenate(kept).mean())


def _quietest(spectrogram: Spectrogram) -> float:
    first, last = np.searchsorted(spectrogram.frequencies, BAND)
    bins = spectrogram.power[:, first:last]
    n_groups = max(1, bins.shape[1] // GROUPED)
    groups = bins[:, : n_groups * GROUPED].reshape(len(bins), n_groups, -1).sum(2, dtype=np.float64)
    sums = np.cumsum(np.vstack([np.zeros((1, n_groups)), groups]), 0)
    smooth = (sums[SMOOTHED:] - sums[:-SMOOTHED]) / SMOOTHED
    return float(np.percentile(smooth, QUIETEST_PERCENTILE, axis=0).sum() * BELOW_MEAN)
