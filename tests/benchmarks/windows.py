"""Whether the best window is free of every planted defect, and how long an hour takes.

    python tests/benchmarks/windows.py --clips DIR [--first 0] [--n 24] [--hour]

DIR holds ``speech`` (files whose names begin with their speaker, three kinds of name are known below) and ``music``.
Each recording lasts 75 s: one speaker, and noise, clipping, music, another voice and a long pause planted in turn,
so that between a third and a half of it is clean. The truth comes from the recipe.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import av
import numpy as np
from figures import record

from vcnb.audio.clip import Clip, Segment
from vcnb.audio.load import load
from vcnb.audio.resample import resample
from vcnb.repair.windows import best_window

RATE = 48_000
SECONDS = 75
SPEAKERS = {"kathleen": "kathleen*", "nathalie": "nl_rhasspy_*.flac"}
STRANGERS = ("data_ljspeech*", "1688*", "2033*", "p286*", "MOS_ref_de*")
ENOUGH = 0.2  # seconds of a defect inside a window that make it a miss


def sound(path: Path) -> np.ndarray:
    clip = load(path)
    samples = resample(clip.samples, clip.sample_rate, RATE)
    loud = np.abs(samples) > 0.02 * np.abs(samples).max()
    first, last = np.flatnonzero(loud)[[0, -1]]
    return samples[first : last + 1] * np.float32(0.06 / np.sqrt(np.square(samples[first : last + 1]).mean()))


def pools(folder: Path) -> tuple[dict[str, list[np.ndarray]], list[np.ndarray], list[np.ndarray]]:
    speech = {name: [sound(path) for path in sorted((folder / "speech").glob(glob))] for name, glob in SPEAKERS.items()}
    strangers = [sound(path) for glob in STRANGERS for path in sorted((folder / "speech").glob(glob))]
    music = [sound(path) for path in sorted((folder / "music").iterdir())]
    return (
        speech,
        [each for each in strangers if len(each) > 3 * RATE],
        [each for each in music if len(each) > 8 * RATE],
    )


def talk(utterances: list[np.ndarray], seconds: float, rng: np.random.Generator) -> np.ndarray:
    parts, n = [], 0
    while n < seconds * RATE:
        parts += [
            utterances[int(rng.integers(len(utterances)))],
            np.zeros(int(rng.uniform(0.3, 0.8) * RATE), np.float32),
        ]
        n += len(parts[-1]) + len(parts[-2])
    return np.concatenate(parts)[: int(seconds * RATE)].copy()


def planted(
    speech: list[np.ndarray], strangers: list[np.ndarray], music: list[np.ndarray], rng: np.random.Generator
) -> tuple[np.ndarray, list[tuple[str, Segment]]]:
    """Make a recording: five defects of 6 to 9 s, and clean speech between them."""
    samples = talk(speech, SECONDS, rng)
    samples += (2e-4 * rng.standard_normal(len(samples))).astype(np.float32)
    truth: list[tuple[str, Segment]] = []
    # One stretch of 20 to 26 s stays clean, somewhere; the defects share what is left.
    clean = float(rng.uniform(20, 26))
    slots = (SECONDS - clean) / 5
    before_clean = int(rng.integers(0, 6))
    starts = [slots * at + (clean if at >= before_clean else 0) for at in range(5)]
    for kind, start in zip(rng.permutation(["noise", "clipping", "music", "voice", "pause"]), starts, strict=True):
        length = min(float(rng.uniform(6, 9)), slots)
        part = slice(int(start * RATE), int((start + length) * RATE))
        n = len(samples[part])
        if kind == "noise":
            samples[part] += (0.06 * 10 ** (-8 / 20) * rng.standard_normal(n)).astype(np.float32)
        elif kind == "clipping":
            samples[part] = np.clip(6 * samples[part], -0.9, 0.9)  # as when somebody comes too near
        elif kind == "music":
            tune = music[int(rng.integers(len(music)))]
            at = int(rng.integers(len(tune) - n))
            samples[part] += tune[at : at + n] * np.float32(10 ** (-12 / 20))
        elif kind == "voice":
            other = strangers[int(rng.integers(len(strangers)))][:n]
            samples[part] = 0
            samples[part.start : part.start + len(other)] = other
            length = len(other) / RATE
        else:
            samples[part.start : part.start + 3 * RATE] = 0
            length = 3.0
        truth.append((str(kind), Segment(start, start + length)))
    return samples, truth


def missed(start: float, end: float, truth: list[tuple[str, Segment]]) -> list[str]:
    return [kind for kind, at in truth if min(end, at.end) - max(start, at.start) > ENOUGH]


def write_mp3(path: Path, samples: np.ndarray) -> None:
    with av.open(str(path), "w", format="mp3") as file:
        stream = file.add_stream("libmp3lame", rate=RATE)
        stream.layout, stream.bit_rate = "mono", 128_000
        steps = np.clip(samples * 32767, -32768, 32767).astype(np.int16)
        for at in range(0, len(steps), 1152):
            frame = av.AudioFrame.from_ndarray(steps[None, at : at + 1152], format="s16p", layout="mono")
            frame.sample_rate, frame.pts = RATE, at
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))


def an_hour(path: Path, said: Any, strangers: Any, music: Any) -> list[tuple[str, Segment]]:
    """Write an hour of planted stretches, and tell what lies where."""
    rng = np.random.default_rng(0)
    parts, truth = [], []
    for at in range(48):
        samples, found = planted(said, strangers, music, rng)
        parts.append(samples)
        truth += [(kind, Segment(each.start + at * SECONDS, each.end + at * SECONDS)) for kind, each in found]
    write_mp3(path, np.concatenate(parts))
    return truth


def searched(path: Path) -> tuple[list[tuple[float, float, str]], float, float, float]:
    """The windows of a file, best first; seconds on the clock and of CPU, and the most memory held (MB)."""
    began = time.perf_counter()
    found = best_window(path, progress=lambda *_: None)
    told = [(each.start, each.end, repr(each)) for each in found]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return told, time.perf_counter() - began, time.process_time(), peak


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--clips", type=Path, required=True)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--n", type=int, default=24)
    parser.add_argument("--hour", action="store_true")
    given = parser.parse_args()
    speech, strangers, music = pools(given.clips)
    names = list(speech)
    held = True
    if given.hour:
        # In a process of its own that is born while this one is small, or its memory would seem to be ours.
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as aside, tempfile.TemporaryDirectory() as folder:
            aside.submit(int).result()
            path = Path(folder) / "hour.mp3"
            truth = an_hour(path, speech[names[0]], strangers, music)
            windows, wall, cpu, peak = aside.submit(searched, path).result()
        for start, end, told in windows:
            print(told, missed(start, end, truth) or "free")
        fine = cpu <= 60 and peak <= 400 and not missed(*windows[0][:2], truth)
        print(f"{'held ' if fine else 'SHORT'}  an hour: {wall:.1f} s, {cpu:.1f} s of CPU, at most {peak:.0f} MB")
        record("diagnosis.hour_s", cpu, "seconds of CPU")
        record("diagnosis.hour_mb", peak)
        return 0 if fine else 1
    free = 0
    for seed in range(given.first, given.first + given.n):
        rng = np.random.default_rng(seed)
        samples, truth = planted(speech[names[seed % len(names)]], strangers, music, rng)
        best = best_window(Clip(samples, RATE), progress=lambda *_: None).best
        spoilt = missed(best.start, best.end, truth)
        free += not spoilt
        print(f"{seed:3} {names[seed % len(names)]:9} {best!r} {spoilt or 'free'}", flush=True)
    record("diagnosis.windows", free / given.n, f"{given.n} recordings")
    held = free >= 0.95 * given.n
    print(f"{'held ' if held else 'SHORT'}  best window free of every planted defect: {free} of {given.n}")
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
