"""Recordings with one thing wrong each, made of the two shipped speakers, to see who notices."""

from __future__ import annotations

from pathlib import Path

import numpy as np

import vcnb
from vcnb.audio.resample import resample

__all__ = ["SPOILT", "written"]

RATE = 24_000
SECONDS = 14
# What the service asks for and each does not have; the first is as it should be.
SPOILT = {
    "a clean speaker": "",
    "two people at once": "one voice alone",
    "a telephone band": "the upper band",
    "a hall, RT60 0.9 s": "a dry room",
    "chords and no speech": "speech",
    "3 s of speech and 11 s of silence": "speech throughout",
    "white noise": "speech",
    "speech over a piano": "silence behind it",
}


def written(folder: Path) -> dict[str, Path]:
    """Write each as WAV; give their paths by name."""
    rng = np.random.default_rng(7)
    one, other = (_speaker(name) for name in ("kathleen_en", "thorsten_en"))
    at = np.arange(SECONDS * RATE) / RATE
    silence = np.zeros(SECONDS * RATE - 3 * RATE)
    decay = rng.standard_normal(int(0.9 * RATE)) * 10 ** (-3 * np.arange(int(0.9 * RATE)) / (0.9 * RATE))
    decay[0] = 6.0
    sounds = {
        "a clean speaker": one,
        "two people at once": one + other,
        "a telephone band": _band(one, 300, 3_400),
        "a hall, RT60 0.9 s": np.convolve(one, decay)[: len(one)],
        "chords and no speech": _chords(at),
        "3 s of speech and 11 s of silence": np.concatenate([one[RATE : 4 * RATE], silence]),
        "white noise": rng.standard_normal(len(at)),
        "speech over a piano": one + 0.3 * _chords(at),
    }
    paths = {}
    for n, name in enumerate(SPOILT):
        sound = sounds[name] + 1e-5 * rng.standard_normal(len(sounds[name]))
        paths[name] = folder / f"{n}.wav"
        vcnb.save(vcnb.Clip((0.5 * sound / np.abs(sound).max()).astype(np.float32), RATE), paths[name])
    return paths


def _speaker(name: str) -> np.ndarray:
    clip = vcnb.load(vcnb.samples()[name])
    sound = resample(clip.samples, clip.sample_rate, RATE)[: SECONDS * RATE].astype(float)
    return sound / np.sqrt(np.mean(sound**2)) * 0.1


def _band(sound: np.ndarray, low: float, high: float) -> np.ndarray:
    spectrum, frequencies = np.fft.rfft(sound), np.fft.rfftfreq(len(sound), 1 / RATE)
    return np.fft.irfft(np.where((frequencies > low) & (frequencies < high), spectrum, 0), len(sound))


def _chords(at: np.ndarray) -> np.ndarray:
    """A chord a second, struck and dying away, each note with six partials."""
    sound = np.zeros(len(at))
    for second in range(SECONDS):
        for note in ((0, 4, 7), (5, 9, 12), (7, 11, 14))[second % 3]:
            since = np.clip(at - second, 0, None)
            struck = (at >= second) * np.exp(-2 * since)
            pitch = 220 * 2 ** (note / 12)
            sound += struck * sum(np.sin(2 * np.pi * pitch * n * since) / n for n in range(1, 7))
    return sound / np.sqrt(np.mean(sound**2)) * 0.1
