"""How much the mains hums, and what of a sound is its hum."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from vcnb.audio.resample import resample

from .frames import framed
from .level import rms_dbfs

__all__ = ["SHORTEST", "hum", "hum_alone"]

RATE = 1_000  # Hz; eight harmonics of 60 Hz lie below its half
SHORTEST = 2.0  # seconds
WINDOW = 2 * RATE  # samples: bins of half a hertz
HOP = RATE // 4
MAINS = (50.0, 60.0)  # Hz, all the world over
N_HARMONICS = 8
NEAR = 2  # bins on each side that belong to a line
AROUND = 24  # bins on each side that it is compared with
N_COUNTED = 4  # the highest of them: hum often holds only some
EVIDENT_DB = 14.0  # ours: how high these stand on average over what surrounds them
# Ours: hum 30 dB below 23 voices stood 9.8 and more above chance, the voices alone 4 at most, music 7.5.
IN_PHASE_DB = 9.0
FAINTEST_DBFS = -90.0  # nobody hears it; what coding leaves of silence lies below
LINE_DB = 10.0  # a lower line is no line

# To follow the lines. Ours, found with hum of which we knew the shape, under 12 voices.
FOLLOWED_RATE = 4_000  # Hz
HIGHEST = 1_000.0  # Hz
FRAME, FRAME_HOP = 0.2, 0.05  # seconds; lines 50 Hz apart do not mix in a frame
WANDERS, WANDER_STEP = 0.15, 0.005  # Hz; no grid keeps its frequency to the hundredth
N_TURNED = 1 << 14  # frequencies at which the turning of a line is looked at, a thousandth of a hertz apart
STEADY = 1.0  # seconds over which a line keeps its height and phase
REACH = 80  # frames on each side: four times as long
OVERLAP = 3.0  # frames that lie over each other: their errors are not as many as they are


def hum(samples: npt.NDArray[np.float32], sample_rate: int) -> tuple[float, float]:
    """Find the lines of the mains, in the quiet moments of a recording or by their phase.

    Parameters
    ----------
    samples : np.ndarray [shape=(n,)]
        Mono amplitudes, full scale at 1.
    sample_rate : int
        Samples per second (Hz).

    Returns
    -------
    (float, float)
        Frequency of the mains, 50 or 60 Hz, and its level below that of the voice, in dB, up to 3 too many.
        (0, inf) where no hum stands out, and below `SHORTEST` seconds, where it cannot be told from a voice.
    """
    narrow = resample(np.asarray(samples, np.float32), sample_rate, RATE)
    if len(narrow) < WINDOW:
        return 0.0, float("inf")
    window = np.hanning(WINDOW).astype(np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(narrow - narrow.mean(), WINDOW)[::HOP] * window
    power = np.abs(np.fft.rfft(frames)) ** 2 / (np.square(window, dtype=np.float64).sum() * WINDOW / 2)
    # Hum never pauses, a voice does: the quiet windows hold the first and little of the second.
    quiet = np.percentile(power, 10, axis=0)
    scores = {mains: _lines(quiet, mains) for mains in MAINS}
    mains = max(scores, key=lambda each: scores[each][0])
    height, level = scores[mains]
    if height < EVIDENT_DB:
        # Who hardly pauses covers the lines; they keep their phase through the words, and a voice does not.
        scores = {mains: _Lines(samples, sample_rate, mains, N_HARMONICS * mains).standing() for mains in MAINS}
        mains = max(scores, key=lambda each: scores[each][0])
        height, level = scores[mains]
        if height < IN_PHASE_DB:
            return 0.0, float("inf")
    if level < FAINTEST_DBFS:
        return 0.0, float("inf")
    return mains, float(rms_dbfs(samples, sample_rate) - level)


def hum_alone(samples: npt.NDArray[np.float32], sample_rate: int, mains: float) -> npt.NDArray[np.float32]:
    """Tell what of a sound is hum: the lines of the mains that stand through words and pauses alike.

    Each line is followed in height and phase. What is loud counts little, so that they are learnt in the pauses, and a
    voice that crosses a line neither loses by it nor leaves a tone behind.

    Parameters
    ----------
    samples : np.ndarray [shape=(n,)]
        Mono amplitudes, full scale at 1.
    sample_rate : int
        Samples per second (Hz).
    mains : float
        50 or 60 Hz, as it is meant to be; a drift of up to 0.15 Hz is followed.

    Returns
    -------
    np.ndarray [shape=(n,)]
        The hum, to be taken from the sound; zeros where no line keeps its phase.
    """
    found = _Lines(samples, sample_rate, mains, HIGHEST)
    hz, orders, times, weight = found.hz, found.orders, found.times, found.weight
    heard = found.at(hz)
    around = np.exp(-0.5 * np.square(np.arange(-REACH, REACH + 1) * FRAME_HOP / STEADY))
    total = _spread(weight[:, None], around)
    steady = _spread(weight[:, None] * heard, around) / total
    # What a voice that crosses a line leaves of itself by chance is no hum: as much as that is spared.
    chance = _spread(np.square(weight[:, None] * np.abs(heard)), np.square(around)) / np.square(total)
    chance = OVERLAP * chance.mean(0)
    share = np.maximum(0, 1 - chance / (np.square(np.abs(steady)).mean(0) + 1e-20))
    seconds = np.arange(found.n_samples) / FOLLOWED_RATE
    alone = np.zeros(found.n_samples, np.float32)
    for order, line in zip(orders[share > 0], (share * steady).T[share > 0], strict=True):
        turning = np.exp(2j * np.pi * ((hz * order * seconds) % 1))
        alone += (np.interp(seconds, times, line) * turning).real.astype(np.float32)
    whole = resample(alone, FOLLOWED_RATE, sample_rate)[: len(samples)]
    return np.pad(whole, (0, len(samples) - len(whole)))


class _Lines:
    """The lines of the mains in a sound, at the frequency at which they are most in step; the quiet counts most."""

    def __init__(self, samples: npt.NDArray[np.float32], sample_rate: int, mains: float, highest: float) -> None:
        narrow = resample(np.asarray(samples, np.float32), sample_rate, FOLLOWED_RATE)
        n_frame = round(FRAME * FOLLOWED_RATE)
        self.n_samples = len(narrow)
        self.frames = framed(narrow, n_frame, round(FRAME_HOP * FOLLOWED_RATE)) * np.hanning(n_frame + 1)[:-1].astype(
            "f4"
        )
        self.times = np.arange(len(self.frames)) * FRAME_HOP
        self.orders = np.arange(1, int(min(highest, sample_rate / 2) / mains) + 1)
        self.weight = 1 / (np.square(self.frames, dtype=np.float64).mean(1) + 1e-12)
        shifts = np.arange(-WANDERS, WANDERS + WANDER_STEP / 2, WANDER_STEP)
        turning = np.square(np.abs(np.fft.fft(self.weight[:, None] * self.at(mains), N_TURNED, axis=0)))
        turns = np.round(np.outer(shifts, self.orders) * FRAME_HOP * N_TURNED).astype(int) % N_TURNED
        in_step = turning[turns, np.arange(len(self.orders))].sum(1)
        self.hz = mains + float(shifts[in_step.argmax()])

    def at(self, hz: float) -> npt.NDArray[np.complex128]:
        """Height and phase of each line in each frame, as of one that turns with its own frequency."""
        n_frame = self.frames.shape[1]
        lag = (np.arange(n_frame) - n_frame // 2) / FOLLOWED_RATE
        inside = np.exp(-2j * np.pi * hz * np.outer(lag, self.orders)) / (n_frame / 4)
        found: npt.NDArray[np.complex128] = (self.frames @ inside) * np.exp(
            -2j * np.pi * hz * np.outer(self.times, self.orders)
        )
        return found

    def standing(self) -> tuple[float, float]:
        """How far the lines that keep their phase stand above chance (dB), and their power together (dBFS)."""
        weighted = self.weight[:, None] * self.at(self.hz)
        summed = np.square(np.abs(weighted.sum(0)))
        chance = OVERLAP * np.square(np.abs(weighted)).sum(0) + 1e-20
        heights = 10 * np.log10(summed / chance + 1e-10)
        power = float(summed.sum() / self.weight.sum() ** 2 / 2)
        return float(np.mean(np.sort(heights)[-N_COUNTED:])), 10 * float(np.log10(power + 1e-20))


def _spread(columns: npt.NDArray[Any], kernel: npt.NDArray[np.float64]) -> npt.NDArray[Any]:
    """Add up what lies around each row of each column."""
    return np.array([np.convolve(column, kernel)[REACH : REACH + len(column)] for column in columns.T]).T


def _lines(quiet: npt.NDArray[np.float64], mains: float) -> tuple[float, float]:
    """Mean height of the lines over what surrounds them (dB), and their power together (dBFS)."""
    heights, powers = [], []
    for harmonic in range(1, N_HARMONICS + 1):
        at = round(harmonic * mains * WINDOW / RATE)
        line = quiet[at - NEAR : at + NEAR + 1]
        floor = np.median(np.r_[quiet[at - AROUND : at - NEAR], quiet[at + NEAR + 1 : at + AROUND + 1]])
        heights.append(float(np.clip(10 * np.log10((line.max() + 1e-16) / (floor + 1e-16)), 0, 30)))
        powers.append(max(0.0, float(line.sum() - floor * len(line))) if heights[-1] > LINE_DB else 0.0)
    return float(np.mean(sorted(heights)[-N_COUNTED:])), float(10 * np.log10(sum(powers) + 1e-20))
