"""Who speaks, as a point in a space of voices.

The encoder is GE2E in numpy [1]: three LSTM layers over 1.6 s of mel bands, with the weights that Resemblyzer trained.
Held against Resemblyzer 0.1.4 in torch 2.15 on 66 windows of the three shipped recordings: the mel bands differ by
2.4e-7 at most, a number of an embedding by 6.3e-4 (its cosine is at least 0.999997), as our weights have 16 bits.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import cache
from importlib import resources

import numpy as np
import numpy.typing as npt

from vcnb.audio.resample import resample

from .frames import framed
from .speech import Activity

__all__ = ["WINDOW_SECONDS", "second_voice_similarity", "speaker_embeddings"]

# The encoder's own, as it was trained.
RATE = 16_000  # Hz
N_FFT, HOP_LENGTH = 400, 160  # samples
N_MELS = 40
WINDOW = 160  # frames of 10 ms
WINDOW_SECONDS = 1.6
LEVEL_DBFS = -30.0
# Ours.
HOP = 0.4  # seconds between two windows
HOP_LONG = 0.8  # of recordings over 25 s, to be twice as fast
LONG = 2_500  # frames
SPOKEN = 0.6  # of a window
FEWEST = 4  # windows, or nothing is said
NEARLY_HALF = 0.35  # of the windows
N_THREADS, ENOUGH = 2, 8  # threads, and windows that are worth one: of fewer the weights alone take as long
N_SETTLING = 8  # rounds, at most
LEAST_TURN = 0.8  # seconds' worth of windows on each side

Floats = npt.NDArray[np.float32]


def speaker_embeddings(
    samples: Floats, sample_rate: int, activity: Activity, *, hop: float | None = None
) -> tuple[npt.NDArray[np.float64], Floats]:
    """Where each 1.6 s of speech lies in the space of voices.

    Parameters
    ----------
    samples : np.ndarray [shape=(n,)]
        Mono amplitudes, full scale at 1.
    sample_rate : int
        Samples per second (Hz).
    activity : Activity
        Where somebody speaks.
    hop : float or None
        Seconds between two windows; None for 0.4, or 0.8 in recordings over 25 s.

    Returns
    -------
    (np.ndarray [shape=(n_windows,)], np.ndarray [shape=(n_windows, 256)])
        Starts of the windows in seconds, and embeddings of length 1. Windows with little speech are left out.

    References
    ----------
    .. [1] L. Wan, Q. Wang, A. Papir and I. Lopez Moreno, "Generalized end-to-end loss for speaker verification",
       ICASSP 2018.
    """
    narrow = resample(np.asarray(samples, np.float32), sample_rate, RATE)
    rms = float(np.sqrt(np.square(narrow, dtype=np.float64).mean() + 1e-12)) if len(narrow) else 1.0
    mel = _mel(narrow * np.float32(10 ** (LEVEL_DBFS / 20) / rms))
    spoken = activity.at(np.arange(len(mel)) * HOP_LENGTH / RATE) > 0.5
    step = round((hop or (HOP if len(mel) <= LONG else HOP_LONG)) * RATE / HOP_LENGTH)
    starts = [at for at in range(0, len(mel) - WINDOW + 1, step) if spoken[at : at + WINDOW].mean() > SPOKEN]
    if not starts:
        return np.zeros(0), np.zeros((0, 256), np.float32)
    from threadpoolctl import threadpool_limits

    # Hundreds of small products: on a busy machine two threads wait for each other twenty times as long as one works.
    # Threads of our own, each with a share of the windows, wait for nobody.
    windows = np.stack([mel[at : at + WINDOW] for at in starts])
    n_threads = int(np.clip(len(windows) // ENOUGH, 1, N_THREADS))
    with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(n_threads) as threads:
        last = np.concatenate(list(threads.map(_lstm, np.array_split(windows, n_threads))))
    weights = _weights()
    found = np.maximum(0, last @ weights["linear.weight"].T + weights["linear.bias"])
    found /= np.linalg.norm(found, axis=1, keepdims=True) + 1e-9
    return np.array(starts) * HOP_LENGTH / RATE, found


def second_voice_similarity(times: npt.NDArray[np.float64], embeddings: Floats) -> tuple[float, npt.NDArray[np.bool_]]:
    """Split the windows into the two groups that are least alike.

    Parameters
    ----------
    times : np.ndarray [shape=(n_windows,)]
        Starts of the windows (s).
    embeddings : np.ndarray [shape=(n_windows, 256)]
        As `speaker_embeddings` gives them.

    Returns
    -------
    (float, np.ndarray [shape=(n_windows,)])
        Cosine of the groups' means, and which windows are in the smaller one, or in the later of two nearly as large.
        One voice stays above 0.74; a second one of 4 s and more lies below 0.735. NaN for too few windows; a second
        voice under 2 s is mostly missed.
    """
    if len(times) < FEWEST:
        return float("nan"), np.zeros(len(times), bool)
    axis = np.linalg.svd(embeddings - embeddings.mean(0), full_matrices=False)[2][0]
    order = np.argsort(embeddings @ axis)
    sums = np.cumsum(embeddings[order], 0)
    hop = float(np.diff(times).min())
    least = max(2, int(LEAST_TURN / hop))
    best, split = 1.0, 0
    for at in range(least - 1, len(times) - least):
        low, high = sums[at], sums[-1] - sums[at]
        cosine = float(low @ high / np.linalg.norm(low) / np.linalg.norm(high))
        if cosine < best:
            best, split = cosine, at + 1
    other = np.zeros(len(times), bool)
    other[order[:split]] = True
    other = _settled(embeddings, other)
    share = other.mean()
    # Of two that speak about as long, the one who comes later is the other.
    if share > 1 - NEARLY_HALF or (share >= NEARLY_HALF and other[0]):
        other = ~other
    return best, other


def _settled(embeddings: Floats, other: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Give each window to the group that it is more like; the least alike of two voices are seldom all of one."""
    for _ in range(N_SETTLING if other.any() else 0):
        means = np.stack([embeddings[~other].mean(0), embeddings[other].mean(0)])
        one, second = (means / np.linalg.norm(means, axis=1, keepdims=True)) @ embeddings.T
        nearer = second > one
        if nearer.all() or not nearer.any() or np.array_equal(nearer, other):
            break
        other = nearer
    return other


@cache
def _weights() -> dict[str, Floats]:
    with resources.files("vcnb").joinpath("data", "models", "ge2e.npz").open("rb") as file, np.load(file) as stored:
        return {name: stored[name].astype(np.float32) for name in stored.files}


@cache
def _mel_weights() -> Floats:
    """Slaney's mel bands: linear to 1 kHz, logarithmic above, each of the same area."""
    bins = np.fft.rfftfreq(N_FFT, 1 / RATE)
    step = np.log(6.4) / 27
    top = 15 + np.log(RATE / 2 / 1000) / step
    mels = np.linspace(0, top, N_MELS + 2)
    edges = np.where(mels >= 15, 1000 * np.exp(step * (mels - 15)), mels * 200 / 3)
    rising = (bins - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    falling = (edges[2:, None] - bins) / (edges[2:] - edges[1:-1])[:, None]
    weights: Floats = (np.maximum(0, np.minimum(rising, falling)) * (2 / (edges[2:] - edges[:-2]))[:, None]).astype(
        "f4"
    )
    return weights


def _mel(narrow: Floats) -> Floats:
    window = np.hanning(N_FFT + 1)[:N_FFT].astype(np.float32)
    frames = framed(narrow, N_FFT, HOP_LENGTH) * window
    mel: Floats = (np.abs(np.fft.rfft(frames)) ** 2).astype(np.float32) @ _mel_weights().T
    return mel


def _lstm(windows: Floats) -> Floats:
    """Last state of the three layers; the gates stand in torch's order: input, forget, cell, output."""
    weights = _weights()
    layer = windows
    for depth in range(3):
        recurrent = np.ascontiguousarray(weights[f"lstm.weight_hh_l{depth}"].T)
        bias = weights[f"lstm.bias_ih_l{depth}"] + weights[f"lstm.bias_hh_l{depth}"]
        driven = layer @ weights[f"lstm.weight_ih_l{depth}"].T + bias
        size = recurrent.shape[0]
        hidden = cell = np.zeros((len(windows), size), np.float32)
        states = np.empty((*driven.shape[:2], size), np.float32)
        for at in range(driven.shape[1]):
            gates = driven[:, at] + hidden @ recurrent
            opened = 0.5 + 0.5 * np.tanh(0.5 * gates)  # the logistic function, which cannot overflow so
            cell = opened[:, size : 2 * size] * cell + opened[:, :size] * np.tanh(gates[:, 2 * size : 3 * size])
            hidden = opened[:, 3 * size :] * np.tanh(cell)
            states[:, at] = hidden
        layer = states
    last: Floats = layer[:, -1]
    return last
