"""What the remedies of hum, noise and clipping do."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from vcnb.audio.clip import Clip, Edit, Source
from vcnb.audio.clipping import clipped_segments
from vcnb.measure.hum import hum as find_hum
from vcnb.measure.hum import hum_alone
from vcnb.measure.noise import snr_db
from vcnb.measure.runs import runs
from vcnb.measure.speech import speech_activity
from vcnb.measure.stft import spectrogram

from .steps import edited

__all__ = ["declip", "denoise", "hum"]

Floats = npt.NDArray[np.float32]

HUM_ROUNDS = 2  # what the first leaves stands clearer without the rest

# Noise. Ours: never more than 12 dB, so that the room stays a room and no tones warble in it.
N_FFT = 0.042  # seconds, at least
AIM_DB, MOST_DB, LEAST_DB = 30.0, 12.0, 1.0
PAUSE, GUARD, FEWEST = 0.25, 8, 20  # probability of speech; frames left out beside it; frames that are enough
SMOOTHED = 0.92  # of the last frame's estimate (Ephraim and Malah 1984 take 0.98, for lighter noise less will do)

# Clipping. After Janssen, Veldhuis and Vries 1986: what is missing follows from what is linear in the rest.
ORDER, ROUNDS = 32, 3
AROUND = 0.006  # seconds on each side that a place is told from
BLOCK = 0.016  # seconds that are solved at once, or it takes for ever
NEAR_CEILING = 0.995
LONGEST = 0.004  # seconds; nothing is made up for more


def hum(clip: Clip, _source: Source) -> Clip:
    """Take out what stands through words and pauses alike on the lines of the mains."""
    mains, below_db = find_hum(clip.samples, clip.sample_rate)
    if not mains:
        return clip
    samples = clip.samples
    for _ in range(HUM_ROUNDS):
        samples = samples - hum_alone(samples, clip.sample_rate, mains)
    _, after_db = find_hum(samples, clip.sample_rate)
    if not after_db > below_db:
        return clip
    now = "no longer stands out" if np.isinf(after_db) else f"lies {after_db:.0f} dB below it"
    change = f"The hum of {mains:.0f} Hz was {below_db:.0f} dB below the voice and {now}."
    return edited(clip, Edit("hum", "A clone learns the hum with the voice.", change), samples)


def denoise(clip: Clip, _source: Source, strength: float = 1.0) -> Clip:
    """Turn a steady room down by at most 12 dB times a strength, bin by bin, where it is louder than the voice."""
    activity = speech_activity(clip.samples, clip.sample_rate)
    before = snr_db(spectrogram(clip.samples, clip.sample_rate), activity)
    depth = strength * float(np.clip(AIM_DB - before, 0, MOST_DB)) if np.isfinite(before) else 0.0
    if depth < LEAST_DB:
        return clip
    n_fft = 1 << int(np.ceil(np.log2(N_FFT * clip.sample_rate)))
    hop = n_fft // 4
    spectrum = _frames(clip.samples, n_fft, hop)
    power = np.square(np.abs(spectrum))
    quiet = activity.at(np.arange(len(power)) * hop / clip.sample_rate) < PAUSE
    width = np.ones(2 * round(GUARD * 0.01 * clip.sample_rate / hop) + 1)
    quiet &= np.convolve(quiet, width, "same") >= len(width)
    if quiet.sum() < FEWEST:
        return clip
    room = power[quiet].mean(0) + 1e-20
    gains = _wiener(power / room, 10 ** (-depth / 20))
    samples = _joined(spectrum * gains, n_fft, hop, len(clip.samples))
    after = snr_db(spectrogram(samples, clip.sample_rate), speech_activity(samples, clip.sample_rate))
    if after < before + LEAST_DB:
        return clip
    change = f"The voice stood {before:.1f} dB above the room and now stands {after:.1f} dB above it."
    return edited(clip, Edit("denoise", "A clone learns the room's noise with the voice.", change), samples)


def declip(clip: Clip, source: Source) -> Clip:
    """Give short places that were cut flat the shape that the sound around them asks for."""
    places = clipped_segments(clip.samples, clip.sample_rate) or source.clipped
    ceiling = float(np.abs(clip.samples).max(initial=0))
    samples = clip.samples.copy()
    around, longest = round(AROUND * clip.sample_rate), round(LONGEST * clip.sample_rate)
    missing = np.abs(samples) >= NEAR_CEILING * ceiling
    n_mended = n_left = 0
    for start, end in _blocks(missing, round(BLOCK * clip.sample_rate)):
        part = slice(max(0, start - around), end + around)
        block, lost = samples[part], missing[part]
        if max(stop - begin for begin, stop in runs(lost)) > longest or lost.mean() > 0.5 or len(block) < 3 * ORDER:
            n_left += 1
            continue
        block[lost] = _regressed(block, lost, ceiling)
        missing[start:end] = False
        n_mended += 1
    if not n_mended or not places:
        return clip
    peak = float(np.abs(samples).max())
    left = f"; {n_left} are too long to be known" if n_left else ""
    higher = 20 * np.log10(peak / ceiling)
    change = f"{n_mended} flat places got a shape, up to {higher:.1f} dB higher{left}."
    # What reaches above full scale now would only be cut again.
    samples *= np.float32(min(1.0, ceiling / peak))
    return edited(clip, Edit("declip", "A clone learns the crackle of a clipped voice.", change), samples)


def _frames(samples: Floats, n_fft: int, hop: int) -> npt.NDArray[np.complex64]:
    """Short-time spectra under the square root of Hann's window, a row a frame."""
    window = np.sqrt(np.hanning(n_fft + 1)[:n_fft]).astype(np.float32)
    padded = np.pad(samples, (n_fft // 2, n_fft))
    frames = np.lib.stride_tricks.sliding_window_view(padded, n_fft)[::hop]
    return np.fft.rfft(frames * window).astype(np.complex64)


def _joined(spectrum: npt.NDArray[np.complex64], n_fft: int, hop: int, length: int) -> Floats:
    window = np.sqrt(np.hanning(n_fft + 1)[:n_fft]).astype(np.float32)
    frames = np.fft.irfft(spectrum, n_fft).astype(np.float32) * window
    samples = np.zeros(n_fft + hop * (len(frames) - 1), np.float32)
    for at, frame in enumerate(frames):
        samples[at * hop : at * hop + n_fft] += frame
    whole = samples[n_fft // 2 : n_fft // 2 + length] / 2  # four windows overlap and add up to 2
    return np.pad(whole, (0, length - len(whole)))


def _wiener(ratio: Floats, floor: float) -> Floats:
    """Gain of each bin from its power over the room's, smoothed over time so that nothing warbles [1].

    .. [1] Y. Ephraim and D. Malah, "Speech enhancement using a minimum mean-square error short-time spectral amplitude
       estimator", IEEE Trans. ASSP 32, 1984: the decision-directed estimate.
    """
    gains = np.empty_like(ratio, dtype=np.float32)
    said = np.zeros(ratio.shape[1], np.float32)
    for at, now in enumerate(ratio):
        prior = SMOOTHED * said + (1 - SMOOTHED) * np.maximum(now - 1, 0)
        gain = np.maximum(prior / (1 + prior), floor)
        gains[at], said = gain, np.square(gain) * now
    return gains


def _regressed(block: Floats, missing: npt.NDArray[np.bool_], ceiling: float) -> Floats:
    """Solve for the missing samples so that the block is as predictable as it can be."""
    places = np.flatnonzero(missing)
    signs = np.sign(block[places])
    apart = np.minimum(np.abs(np.subtract.outer(places, places)), ORDER + 1)
    whole = block.astype(np.float64)
    for _ in range(ROUNDS):
        correlation = _correlation(whole)
        correlation[0] = correlation[0] * (1 + 1e-6) + 1e-12
        lags = np.abs(np.subtract.outer(np.arange(ORDER), np.arange(ORDER)))
        predictor = np.r_[1.0, -np.linalg.solve(correlation[lags], correlation[1:])]
        # The least squares of the prediction's errors: their normal equations hold the predictor's own correlation.
        own = np.r_[_correlation(predictor), 0.0]
        own[0] *= 1 + 1e-9
        whole[places] = 0
        known = np.convolve(whole, np.r_[own[ORDER:0:-1], own[: ORDER + 1]], "same")[places]
        found = np.linalg.solve(own[apart], -known)
        # What was cut was at least as high as the ceiling.
        whole[places] = signs * np.clip(signs * found, ceiling, 2 * ceiling)
    return whole[places].astype(np.float32)


def _correlation(signal: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Correlate a signal with itself, at lags of 0 to the order of the prediction."""
    return np.array([signal[lag:] @ signal[: len(signal) - lag] for lag in range(ORDER + 1)])


def _blocks(missing: npt.NDArray[np.bool_], longest: int) -> list[tuple[int, int]]:
    """Put runs that lie near each other into blocks, as samples from and to."""
    blocks: list[tuple[int, int]] = []
    for start, end in runs(missing):
        if blocks and end - blocks[-1][0] <= longest:
            blocks[-1] = blocks[-1][0], end
        else:
            blocks.append((start, end))
    return blocks
