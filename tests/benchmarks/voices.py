"""Which voices, pieces of music and songs the benchmarks listen to."""

from __future__ import annotations

import fnmatch
import re
import subprocess
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from vcnb.audio.load import read_clip
from vcnb.audio.resample import resample

RATE = 48_000
QUIET_DB = -38.0  # below the loud frames; what lies there is a pause
ROOM_DB, LEAST_DB = 8.0, -18.0
BREAK = 0.35  # seconds; a longer pause parts two phrases
SHORTEST_PHRASE, LONGEST_PHRASE = 0.8, 5.0  # seconds
LOWEST = 75.0  # Hz
MARGIN = 20  # frames of 10 ms
HALVES = ("tuning", "held-out", "fresh", "latest", "clean")
# What a source is itself, measured otherwise than the checks do: a case's truth must not be what its source lacks.
ACTIVE_DB = 35.0  # frames that far below the loudest are pauses
QUIET_ROOM_DB = 30.0  # of a voice above the quietest twentieth of its frames, which lie up to 3 dB below the mean
STAIRS = (4_500.0, 6_500.0), (8_000.0, 10_000.0), (11_500.0, 12_500.0)  # Hz
CLIFF_DB = 25.0  # no voice falls by more from one of them to the next; a coder or a resampler does

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Voice:
    """One speaker: whole recordings as they are, and their phrases without the pauses between them.

    `wide`: they fill a file of 24 kHz; `quiet`: their own room is quiet.
    """

    name: str
    half: str
    wide: bool
    quiet: bool
    language: str | None
    files: tuple[tuple[Floats, int], ...]
    phrases: tuple[Floats, ...]


@dataclass(frozen=True, eq=False)
class Sounds:
    """What one half may use."""

    voices: tuple[Voice, ...]
    music: tuple[Floats, ...]
    songs: tuple[Floats, ...]


def sounds(folder: Path, half: str) -> Sounds:
    """Read what `voices.toml` names from clones under a folder."""
    table = tomllib.loads((Path(__file__).with_suffix(".toml")).read_text(encoding="utf-8"))
    voices = _voices(folder, table["speech"], half)
    music, songs = (
        tuple(
            _wide(read_clip(data))
            for entry in table[kind]
            if entry["half"] == half
            for _, data in _blobs(folder, entry)
        )
        for kind in ("music", "singing")
    )
    if not voices:
        raise SystemExit(f"no recordings under {folder}: {Path(__file__).with_suffix('.toml').name} says which to get")
    return Sounds(voices, music, songs)


def _voices(folder: Path, entries: list[dict[str, Any]], half: str) -> tuple[Voice, ...]:
    speakers: dict[tuple[str, str], tuple[dict[str, Any], list[bytes]]] = {}
    for entry in entries:
        for path, data in _blobs(folder, entry):
            found = re.search(entry["speaker"], path) if "speaker" in entry else None
            if "speaker" in entry and not found:
                continue
            name = found.group(1) if found else Path(path).parts[-2]
            speakers.setdefault((entry["repository"], name), (entry, []))[1].append(data)
    voices = []
    for index, ((_, name), (entry, blobs)) in enumerate(speakers.items()):
        if entry.get("half", HALVES[index % 2]) != half:
            continue
        clips = [read_clip(data) for data in blobs]
        phrases = tuple(phrase for clip in clips for phrase in phrases_of(_wide(clip)))
        files = tuple((clip.samples, clip.sample_rate) for clip in clips)
        if phrases:
            wides = [_wide(clip) for clip in clips]
            wide = entry.get("wide", False) and all(clip.sample_rate >= 24_000 for clip in clips) and not _cut(wides)
            voices.append(Voice(name, half, wide, _quiet(wides), entry.get("language"), files, phrases))
    return tuple(voices)


def _blobs(folder: Path, entry: dict[str, Any]) -> list[tuple[str, bytes]]:
    clone = folder / entry["repository"].replace("/", "+")
    if not clone.exists():
        print(f"  missing: {entry['repository']} at {entry['commit']}")
        return []

    def git(*words: str) -> bytes:
        return subprocess.run(["git", "-C", str(clone), *words], capture_output=True, check=False).stdout

    paths = git("ls-tree", "-r", "--name-only", "-z", entry["commit"]).decode().split("\0")
    chosen = sorted(path for path in paths if fnmatch.fnmatch(path, entry["files"]))
    found = [(path, git("cat-file", "blob", f"{entry['commit']}:{path}")) for path in chosen]
    return [(path, data) for path, data in found if data]


def _wide(clip: Any) -> Floats:
    return resample(clip.samples, clip.sample_rate, RATE)


def _powers(samples: Floats, *bands: tuple[float, float]) -> npt.NDArray[np.float64]:
    """Power of frames of 20 ms in each band [shape=(n_frames, n_bands)]."""
    frames = samples[: len(samples) // 960 * 960].reshape(-1, 960) * np.hanning(960).astype(np.float32)
    power = np.square(np.abs(np.fft.rfft(frames)), dtype=np.float64)
    hz = np.fft.rfftfreq(960, 1 / RATE)
    return np.stack([power[:, (hz >= low) & (hz < high)].mean(1) for low, high in bands], 1) + 1e-12


def _quiet(recordings: list[Floats]) -> bool:
    """Whether the quietest moments of a speaker's recordings lie far below the voice."""
    power = np.concatenate([_powers(each, (100, 8_000))[:, 0] for each in recordings])
    said = power[power >= power.max() * 10 ** (-ACTIVE_DB / 10)].mean()
    return bool(10 * np.log10(said / np.percentile(power, 5)) >= QUIET_ROOM_DB)


def _cut(recordings: list[Floats]) -> bool:
    """Whether the spectrum of the moments with most treble falls off a cliff below 12 kHz."""
    power = np.concatenate([_powers(each, *STAIRS) for each in recordings])
    for step in range(len(STAIRS) - 1):
        above, below = power[power[:, step] >= np.percentile(power[:, step], 95)].mean(0)[step : step + 2]
        if 10 * np.log10(above / below) > CLIFF_DB:
            return True
    return False


def phrases_of(samples: Floats) -> list[Floats]:
    """Cut a recording at its pauses, and leave out what lies below any voice: pops and rumble of its own."""
    spectrum = np.fft.rfft(samples)
    spectrum[np.fft.rfftfreq(len(samples), 1 / RATE) < LOWEST] = 0
    samples = np.fft.irfft(spectrum, len(samples)).astype(np.float32)
    loud, hop = _loud(samples)
    if not len(loud):
        return []
    breaks = np.flatnonzero(np.diff(loud) > BREAK * 100) + 1
    starts, ends = loud[np.r_[0, breaks]] * hop, (loud[np.r_[breaks - 1, len(loud) - 1]] + 1) * hop
    longest = round(LONGEST_PHRASE * RATE)
    return [
        samples[a : min(b, a + longest)] for a, b in zip(starts, ends, strict=True) if b - a >= SHORTEST_PHRASE * RATE
    ]


def without_ends(samples: Floats) -> Floats:
    """A recording from just before its first word to just after its last."""
    loud, hop = _loud(samples)
    return samples[max(0, (loud[0] - MARGIN) * hop) : (loud[-1] + MARGIN) * hop] if len(loud) else samples


def longest_gap(samples: Floats) -> float:
    """Seconds of the longest stretch in which nothing is loud."""
    loud, hop = _loud(samples)
    return float(np.diff(loud).max(initial=0)) * hop / RATE


def _loud(samples: Floats) -> tuple[npt.NDArray[np.intp], int]:
    """Frames in which something is said, and their length."""
    hop = RATE // 100
    power = np.square(samples[: len(samples) // hop * hop]).reshape(-1, hop).mean(1)
    levels = 10 * np.log10(np.convolve(power, np.ones(5) / 5, "same") + 1e-12)
    loudest, quietest = np.percentile(levels, (97, 20))
    # Where the room is louder than that, a phrase ends at what stands out of the room.
    loud = np.flatnonzero(levels > max(loudest + QUIET_DB, min(quietest + ROOM_DB, loudest + LEAST_DB)))
    return loud, hop
