"""Makes `vcnb/data/calibration/scores.npz`: cosines of pairs of recordings of people whose identity is known.

Run it as ``python tests/benchmarks/calibration.py FOLDER``: FOLDER/public/SPEAKER and FOLDER/other/SPEAKER hold
recordings; embeddings of the public ones travel as a cohort. Parts of 10 s are cut, of several recordings where one
is short. Where the shipped numbers came from stands in ``vcnb/data/calibration/NOTICE.md``.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

import vcnb
from vcnb.audio.clip import Clip
from vcnb.audio.load import load
from vcnb.audio.resample import resample
from vcnb.compare.sound import Sound

__all__ = ["main"]

SECONDS = 10
RATE = 24_000
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
        parts = [Sound(Clip(part, RATE)).embedding for part in _parts(speaker)]
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


def _parts(speaker: Path) -> list[np.ndarray]:
    """Cut recordings into parts; short ones are joined until a part is full, and shared out so that parts differ."""
    files = sorted(path for path in speaker.rglob("*") if path.is_file())
    joined: list[np.ndarray] = []
    for path in files:
        clip = load(path)
        joined.append(resample(clip.samples, clip.sample_rate, RATE))
        if sum(map(len, joined)) > (MOST_PARTS + 1) * SECONDS * RATE:
            break
    whole = np.concatenate(joined) if joined else np.zeros(0, np.float32)
    step = SECONDS * RATE
    return [whole[at : at + step] for at in range(0, len(whole) - step + 1, step)][:MOST_PARTS]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
