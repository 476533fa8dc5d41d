"""How a clean recording is spoilt by a known amount."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from vcnb.audio.resample import resample

RATE = 48_000
ACTIVE_DB = 35.0  # frames that far below the loudest are pauses

Floats = npt.NDArray[np.float32]
Rng = np.random.Generator


def gain(db: float) -> float:
    return float(10 ** (db / 20))


def rms(samples: Floats) -> float:
    return float(np.sqrt(np.mean(np.square(samples, dtype=np.float64)) + 1e-20))


def spoken_rms(samples: Floats) -> float:
    frames = samples[: len(samples) // 960 * 960].reshape(-1, 960)
    power = np.square(frames, dtype=np.float64).mean(1)
    return float(np.sqrt(power[power >= power.max() * 10 ** (-ACTIVE_DB / 10)].mean() + 1e-20))


def coloured(n: int, rng: Rng, slope: float) -> Floats:
    """Noise whose amplitude falls with frequency to the power of `slope`: 0 white, 0.5 pink, 1 brown."""
    frequencies = np.maximum(np.fft.rfftfreq(n, 1 / RATE), 40)
    noise = np.fft.irfft(np.fft.rfft(rng.standard_normal(n)) / frequencies**slope, n)
    return (noise / rms(noise)).astype(np.float32)


def fan(n: int, rng: Rng) -> Floats:
    """Blades at a fixed rate in a stream of air."""
    t = np.arange(n) / RATE
    hz = rng.uniform(70, 140)
    blades = sum(np.sin(2 * np.pi * hz * k * t + rng.uniform(0, 6)) / k for k in range(1, 7))
    noise = 0.5 * blades / rms(blades) + coloured(n, rng, 1.0) + 0.4 * coloured(n, rng, 0.5)
    return (noise / rms(noise)).astype(np.float32)


def mains(n: int, hz: float) -> Floats:
    t = np.arange(n) / RATE
    lines = sum(np.sin(2 * np.pi * hz * k * t + k) / k for k in (1, 2, 3, 4, 6))
    return (lines / rms(lines)).astype(np.float32)


def band(n: int, rng: Rng) -> Floats:
    """Plucked chords over a bass and a beat."""
    out = np.zeros(n + RATE, np.float32)
    t = np.arange(RATE) / RATE
    beat = int(RATE * rng.uniform(0.2, 0.35))
    root = 55 * 2 ** (rng.integers(0, 12) / 12)
    for count, start in enumerate(range(0, n, beat)):
        chord = 2 ** (rng.choice([0, 5, 7]) / 12)
        for hz in (root * chord, 4 * root * chord * 2 ** (rng.choice([0, 4, 7, 12]) / 12)):
            out[start : start + RATE] += sum(np.sin(2 * np.pi * hz * k * t) / k for k in range(1, 9)) * np.exp(-4 * t)
        if count % 2:
            hit = rng.standard_normal(RATE // 8) * np.exp(-50 * t[: RATE // 8])
            out[start : start + len(hit)] += hit
    return (out[:n] / rms(out[:n])).astype(np.float32)


def mixed(speech: Floats, other: Floats, snr_db: float) -> Floats:
    other = np.resize(other, len(speech))
    return (speech + other * (spoken_rms(speech) / rms(other) * gain(-snr_db))).astype(np.float32)


def in_room(speech: Floats, rt60: float, direct_db: float, rng: Rng) -> Floats:
    """A direct sound and an exponential tail."""
    t = np.arange(int(1.3 * rt60 * RATE)) / RATE
    tail = rng.standard_normal(len(t)) * 10 ** (-3 * t / rt60)
    tail[: int(0.003 * RATE)] = 0
    tail *= gain(-direct_db) / np.sqrt(np.square(tail).sum())
    tail[0] = 1
    size = 1 << int(np.ceil(np.log2(len(speech) + len(tail))))
    wet = np.fft.irfft(np.fft.rfft(speech, size) * np.fft.rfft(tail, size), size)[: len(speech)]
    return (wet * (spoken_rms(speech) / spoken_rms(wet.astype(np.float32)))).astype(np.float32)


def clarity_db(rt60: float, direct_db: float) -> float:
    """C50 of such a room: what comes within 50 ms against what comes later."""
    late = gain(-direct_db) ** 2 * 10 ** (-6 * 0.05 / rt60)
    return float(10 * np.log10((1 + gain(-direct_db) ** 2 - late) / late))


def clipped(samples: Floats, share: float, *, start: float = 0, end: float = 1e9) -> Floats:
    """Cut the loudest share of the samples flat, in the whole or between two times, and bring the ceiling to full."""
    part = samples[round(start * RATE) : round(min(end, len(samples) / RATE) * RATE)]
    ceiling = np.quantile(np.abs(part), 1 - share)
    out = samples / ceiling * 0.999
    inside = slice(round(start * RATE), round(start * RATE) + len(part))
    if share and len(part) < len(samples):  # elsewhere it stays below the ceiling
        out = out * min(1.0, 0.9 * 0.999 / np.abs(np.delete(out, inside)).max())
        out[inside] = part / ceiling * 0.999
    return np.clip(out, -0.999, 0.999).astype(np.float32)


def through(samples: Floats, rate: int) -> Floats:
    """As if it had been recorded at a lower rate."""
    return resample(resample(samples, RATE, rate), rate, RATE)[: len(samples)]


def telephone(samples: Floats) -> Floats:
    spectrum = np.fft.rfft(samples)
    hz = np.fft.rfftfreq(len(samples), 1 / RATE)
    spectrum[(hz < 300) | (hz > 3400)] = 0
    return np.fft.irfft(spectrum, len(samples)).astype(np.float32)


def holed(samples: Floats, n: int, seconds: float, rng: Rng) -> tuple[Floats, list[float]]:
    """Cut holes of digital silence where it is loud; also gives their starts."""
    out = samples.copy()
    size = round(seconds * RATE)
    power = np.square(samples[: len(samples) // 480 * 480]).reshape(-1, 480).mean(1)
    loud = np.convolve(power > np.quantile(power, 0.6), np.ones(9), "same") == 9
    places: list[int] = []
    for at in rng.permutation(np.flatnonzero(loud)):
        if all(abs(int(at) - other) > 40 for other in places):
            places.append(int(at))
        if len(places) == n:
            break
    for at in places:
        out[at * 480 : at * 480 + size] = 0
    return out, sorted(at / 100 for at in places)


def popped(samples: Floats, starts: list[float], level: float, rng: Rng) -> Floats:
    """Add bursts of breath below the voice."""
    out = samples.copy()
    for start in starts:
        t = np.arange(round(rng.uniform(0.04, 0.08) * RATE)) / RATE
        burst = level * np.sin(2 * np.pi * rng.uniform(30, 55) * t) * np.hanning(len(t))
        out[round(start * RATE) : round(start * RATE) + len(t)] += burst.astype(np.float32)
    return out
