"""Recordings that never were, for the coach: real and made voices, pauses, levels, clipping and stationary noise."""

from __future__ import annotations

import numpy as np

import vcnb
from vcnb.audio.clip import Clip
from vcnb.audio.resample import resample
from vcnb.guide.scripts import scripts
from vcnb.measure.activity import speech_segments
from vcnb.practice.engines.espeak import Espeak

RATES = (44_100, 48_000, 48_000, 16_000)
SNR_DB = (15.0, 20.0, 25.0, 30.0, 40.0)


def phrases(rate: int, rng: np.random.Generator, espeak: Espeak) -> list[np.ndarray]:
    """Stretches of speech by one voice, without what lies between them."""
    if rng.random() < 0.5:
        clip = vcnb.load(vcnb.samples()[str(rng.choice(sorted(vcnb.samples())))])
        segments = speech_segments(clip.samples, clip.sample_rate)
        pieces = [
            clip.samples[int(each.start * clip.sample_rate) : int(each.end * clip.sample_rate)] for each in segments
        ]
        return [resample(piece, clip.sample_rate, rate) for piece in pieces if len(piece) > 0.3 * clip.sample_rate]
    text = rng.choice([each for each in scripts() if each.language in ("en", "de", "es", "fr", "it", "pt", "ru")])
    clauses = [clause for clause in text.text.replace(".", ",").split(",") if clause.strip()]
    high = bool(rng.random() < 0.5)
    spoken = [espeak.speak(clause, text.language, high=high, pace=rng.uniform(0.8, 1.2)) for clause in clauses]
    return [resample(each.astype(np.float32), 24_000, rate) for each in spoken if len(each)]


def noise(n: int, rate: int, rng: np.random.Generator) -> np.ndarray:
    """Stationary noise of one of four colours, of level 1."""
    slope = rng.choice([0.0, 0.5, 0.8, 1.0])
    spectrum = np.fft.rfft(rng.standard_normal(n))
    frequencies = np.maximum(np.fft.rfftfreq(n, 1 / rate), 30.0)
    shaped = np.fft.irfft(spectrum / frequencies**slope, n)
    return shaped / shaped.std()


def recording(seed: int, espeak: Espeak) -> Clip:
    """One recording of 5 to 20 seconds, in steps of 16 bits as a microphone gives them."""
    rng = np.random.default_rng(seed)
    rate, snr_db = int(rng.choice(RATES)), float(rng.choice(SNR_DB))
    wanted, parts = rng.uniform(5, 20) * rate, [np.zeros(int(rng.uniform(0.2, 1.5) * rate))]
    spoken = phrases(rate, rng, espeak)
    start = int(rng.integers(len(spoken)))
    for i in range(60):
        parts += [spoken[(start + i) % len(spoken)], np.zeros(int(rng.choice([0.1, 0.3, 0.6, 1.0, 2.5]) * rate))]
        if sum(map(len, parts)) > wanted:
            break
    voice = np.concatenate(parts)[: 20 * rate]
    level = np.sqrt(np.mean(np.concatenate(spoken) ** 2))
    sound = voice / level + noise(len(voice), rate, rng) * 10 ** (-snr_db / 20)
    sound *= 10 ** (rng.uniform(-38, -14) / 20)
    if rng.random() < 0.2:
        sound = np.clip(sound, -0.6 * np.abs(sound).max(), 0.6 * np.abs(sound).max())
    steps = np.clip(np.rint(sound * 32768), -32768, 32767)
    return Clip((steps / 32768).astype(np.float32), rate)
