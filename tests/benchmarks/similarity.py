"""How well the speaker encoder and its calibration tell people apart whom neither has met, and what it costs.

    python tests/benchmarks/similarity.py FOLDER

FOLDER/SPEAKER holds recordings of a speaker; they are joined and cut into windows of 10 s. Prints the equal error rate
over all pairs of windows, the expected calibration error of the chances that the built-in calibration gives them (both
kinds of pair weighing the same, ten bins), and the time and memory of the encoder on one core. Exits 1 beyond what is
promised. A speaker of the built-in set (see ``vcnb/data/calibration/NOTICE.md``) must not be among them.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import numpy.typing as npt
from calibration import parts_of
from figures import record
from spoiling import RATE
from threadpoolctl import threadpool_limits
from weight import megabytes

import vcnb
from vcnb.audio.clip import Clip
from vcnb.compare.calibration import Calibration, Scores, calibrated
from vcnb.compare.sound import Sound
from vcnb.measure.speaker import speaker_embeddings

MOST_WINDOWS = 12  # of one speaker
BINS = 10
MOST_EER, MOST_ECE, LEAST_SPEED, MOST_MB = 0.05, 0.05, 10.0, 400.0
Floats = npt.NDArray[np.float64]


def windows(folder: Path) -> tuple[Floats, npt.NDArray[np.int64], list[str]]:
    """Embeddings of the windows, whose each is, and the speakers' names."""
    points, who, names = [], [], []
    for speaker in sorted(path for path in folder.iterdir() if path.is_dir()):
        found = [Sound(Clip(part, RATE)).embedding for part in parts_of(speaker, most=MOST_WINDOWS)]
        found = [point for point in found if np.isfinite(point).all()]
        points += found
        who += [len(names)] * len(found)
        names.append(f"{speaker.name} {len(found)}")
    return np.array(points, float), np.array(who), names


def calibration_error(calibration: Calibration, cosines: Floats, same: npt.NDArray[np.bool_]) -> float:
    """How far stated chances lie from what happened, on average."""
    offset, slope = calibration.coefficients[0]
    chances = 1 / (1 + np.exp(-(offset + slope * cosines)))
    weights = np.where(same, 0.5 / same.sum(), 0.5 / (~same).sum())
    bins = np.clip((chances * BINS).astype(int), 0, BINS - 1)
    inside = [bins == each for each in range(BINS)]
    return float(sum(abs(weights[each] @ (chances[each] - same[each])) for each in inside))


def cost() -> tuple[float, float]:
    """Seconds of sound in a second on one core, and the memory of it all in MB; run it in a process of its own."""
    clip = vcnb.load(vcnb.samples()["thorsten_en"])
    sound = Sound(clip)
    with threadpool_limits(1):
        _ = sound.activity
        speaker_embeddings(clip.samples, clip.sample_rate, sound.activity)  # reads the weights
        times = []
        for _ in range(5):
            begun = time.process_time()
            speaker_embeddings(clip.samples, clip.sample_rate, sound.activity)
            times.append(time.process_time() - begun)
    return clip.duration / float(np.median(times)), megabytes()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--cost", action="store_true", help="only time and memory")
    options = parser.parse_args()
    if options.cost:
        print(*cost())
        return 0
    asked = [sys.executable, __file__, "--cost"]
    speed, megabytes = map(float, subprocess.run(asked, capture_output=True, text=True, check=True).stdout.split())
    print(f"encoder: {speed:.0f} times real time on one core, {megabytes:.0f} MB with all that is imported")
    record("comparison.encoder_speed", speed)
    record("comparison.encoder_mb", megabytes)
    right = speed >= LEAST_SPEED and megabytes <= MOST_MB
    if options.folder is not None:
        points, who, names = windows(options.folder)
        one, other = np.triu_indices(len(who), 1)
        cosines, same = (points @ points.T)[one, other], who[one] == who[other]
        none = np.zeros(0, int)
        rate = Calibration(Scores(cosines[same], none, cosines[~same], none, none, points)).equal_error_rate
        error = calibration_error(calibrated(), cosines, same)
        print(f"windows: {', '.join(names)}")
        print(f"pairs: {same.sum()} of one speaker, {(~same).sum()} of two")
        print(f"equal error rate {100 * rate:.1f} %, expected calibration error {error:.3f}")
        on = f"{len(names)} speakers"
        record("comparison.eer", rate, on)
        record("comparison.ece", error, on)
        right &= rate <= MOST_EER and error <= MOST_ECE
    print("right" if right else "WRONG")
    return 0 if right else 1


if __name__ == "__main__":
    raise SystemExit(main())
