"""Makes `vcnb/data/calibration/scores.npz`: cosines of pairs of recordings of people whose identity is known.

Run it as ``python tests/benchmarks/calibration.py FOLDER``: FOLDER/public/SPEAKER and FOLDER/other/SPEAKER hold
recordings; embeddings of the public ones travel as a cohort. Parts of 10 s are cut, of several recordings where one
is short. Every other part is heard once more in another room, over another microphone, with other noise: nearly all
recordings of one speaker are of one session, and what people compare is not. Where the shipped numbers came from stands
in ``vcnb/data/calibration/NOTICE.md``.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from spoiling import RATE, coloured, in_room, mixed, through

import vcnb
from vcnb.audio.clip import Clip
from vcnb.audio.load import load
from vcnb.audio.resample import resample
from vcnb.compare.sound import Sound

__all__ = ["main", "parts_of"]

SECONDS = 10
MOST_PARTS = 6  # of one speaker
MOST_DIFFERENT = 4_000


def main(folder: Path) -> None:
    """Write the file.

    Parameters
    ----------
    folder : Path
        Speakers.
    """
    rng = np.random.default_rng(0)
    speakers = sorted(path for path in folder.glob("*/*") if path.is_dir())
    points, number, cohort = [], [], []
    for at, speaker in enumerate(speakers):
        cut = parts_of(speaker)
        cut[1::2] = [elsewhere(part, rng) for part in cut[1::2]]
        parts = [Sound(Clip(part, RATE)).embedding for part in cut]
        parts = [part for part in parts if np.isfinite(part).all()]
        points += parts
        number += [at] * len(parts)
        if speaker.parent.name == "public" and parts:
            mean = np.mean(parts, axis=0)
            cohort.append(mean / np.linalg.norm(mean))
        print(speaker.name, len(parts))
    cosines, who = np.array(points) @ np.array(points).T, np.array(number)
    one, other = np.triu_indices(len(who), 1)
    same = who[one] == who[other]
    strange = rng.permutation(np.flatnonzero(~same))[:MOST_DIFFERENT]
    target = Path(vcnb.__file__).parent / "data" / "calibration" / "scores.npz"
    target.parent.mkdir(exist_ok=True)
    np.savez_compressed(
        target,
        same=cosines[one[same], other[same]].astype(np.float16),
        speaker=who[one[same]].astype(np.uint8),
        different=cosines[one[strange], other[strange]].astype(np.float16),
        first=who[one[strange]].astype(np.uint8),
        second=who[other[strange]].astype(np.uint8),
        cohort=np.array(cohort, np.float16),
    )


def elsewhere(part: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Hear a part in another room, over another microphone."""
    hz = np.fft.rfftfreq(len(part), 1 / RATE)
    tilt = 10 ** (rng.uniform(-4, 4) * np.log2(np.clip(hz, 100, 10_000) / 1_000) / 20)  # dB an octave
    part = np.fft.irfft(np.fft.rfft(part) * tilt, len(part)).astype(np.float32)
    part = in_room(part, rng.uniform(0.2, 0.6), rng.uniform(0, 12), rng)
    part = through(part, int(rng.choice([8_000, 16_000, 24_000, 44_100], p=[0.1, 0.3, 0.3, 0.3])))
    return mixed(part, coloured(len(part), rng, 0.5), rng.uniform(20, 45))


def parts_of(speaker: Path, *, most: int = MOST_PARTS) -> list[np.ndarray]:
    """Cut recordings into parts; short ones are joined until a part is full, and shared out so that parts differ."""
    files = sorted(path for path in speaker.rglob("*") if path.is_file())
    joined: list[np.ndarray] = []
    for path in files:
        clip = load(path)
        joined.append(resample(clip.samples, clip.sample_rate, RATE))
        if sum(map(len, joined)) > (most + 1) * SECONDS * RATE:
            break
    whole = np.concatenate(joined) if joined else np.zeros(0, np.float32)
    step = SECONDS * RATE
    return [whole[at : at + step] for at in range(0, len(whole) - step + 1, step)][:most]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
