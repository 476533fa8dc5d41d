"""What diagnosis and repair take, as ratios in one run, and how many cases a repair leaves clean.

    python tests/benchmarks/diagnosis.py [--cases DIR] [--hostile DIR] [--many N]

Without options: the ratios of one clip of 20 s and of a cold start. ``--cases`` holds ``expected.json`` and its files;
``--hostile`` files of any kind; ``--many`` compares that many clips from the shell with two processes doing half each.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

import numpy as np
from figures import record_shown

import vcnb
from vcnb.audio.encode import wav_bytes
from vcnb.audio.load import load
from vcnb.audio.resample import resample
from vcnb.diagnose import judging
from vcnb.diagnose.report import diagnose, unreadable
from vcnb.errors import ClipError
from vcnb.measure.stft import spectrogram
from vcnb.repair.repair import mend

ROUNDS = 7
HEARD = ("clipping", "noise", "level", "longest_pause")  # of the first verdicts: all but what a network hears
# Truth by recipe: what cannot be mended in a case, so that it is not counted as one that can.
HOPELESS = {"bandwidth", "reverberation", "singing", "music", "other_voices", "continuous_speech", "dropouts"}
SHORT = 10.0  # seconds; nothing makes a recording longer
FAINT_ROOM = 15.0  # dB; nearer noise than this would take the voice with it
Row = tuple[str, str, str, bool]
FIGURES = {  # what a row begins with -> its name in the table of figures
    "first verdicts": "diagnosis.first_verdicts",
    "complete": "diagnosis.complete",
    "cold start": "diagnosis.cold",
    "100 clips": "diagnosis.shell",
    "asserted verdicts": "diagnosis.cases",
    "worst check": "diagnosis.cases_worst",
    "repairable": "diagnosis.repaired",
    "speaker before": "diagnosis.harmless",
    "hostile files": "diagnosis.hostile",
    "slowest hostile": "diagnosis.hostile",
    "largest hostile": "diagnosis.hostile",
}


def median(work: object, rounds: int = ROUNDS) -> float:
    took = []
    for _ in range(rounds):
        began = time.perf_counter()
        work()  # type: ignore[operator]
        took.append(time.perf_counter() - began)
    return statistics.median(took)


def twenty_seconds(folder: Path) -> Path:
    clip = load(vcnb.samples()["kathleen_en"])
    path = folder / "twenty.wav"
    samples = np.resize(clip.samples, 20 * clip.sample_rate)
    path.write_bytes(wav_bytes(resample(samples, clip.sample_rate, 48_000), 48_000))
    return path


def one_clip(path: Path) -> list[Row]:
    def bare() -> None:
        clip = load(path)
        spectrogram(clip.samples, clip.sample_rate)

    firsts: list[float] = []

    def whole() -> None:
        judging._kept.clear()
        began, told = time.perf_counter(), {}
        diagnose(load(path), on_finding=lambda each: told.setdefault(each.check, time.perf_counter() - began))
        firsts.append(max(told[name] for name in HEARD))

    whole()
    firsts.clear()
    base, full = median(bare), median(whole)
    first = statistics.median(firsts)
    figure = f"{1000 * first:.0f} and {1000 * full:.0f} ms against {1000 * base:.0f} ms"
    return [
        ("first verdicts, 20 s", "at most 8x decode and STFT", f"{first / base:.1f}x ({figure})", first <= 8 * base),
        ("complete, 20 s", "at most 25x decode and STFT", f"{full / base:.1f}x", full <= 25 * base),
    ]


def cold_start(path: Path) -> Row:
    def ours() -> None:
        shell = Path(sys.executable).with_name("vcnb")
        subprocess.run([shell, "diagnose", str(path), "--json"], stdout=subprocess.DEVNULL)

    def theirs() -> None:
        subprocess.run([sys.executable, "-c", "import numpy, av, onnxruntime"], check=True)

    pairs = [(median(ours, 1), median(theirs, 1)) for _ in range(5)]
    ratio = statistics.median(mine / other for mine, other in pairs)
    figure = f"{ratio:.1f}x ({pairs[0][0]:.2f} s against {pairs[0][1]:.2f} s)"
    return "cold start of the shell, one file", "at most 3x its imports", figure, ratio <= 3


def many(path: Path, n: int, folder: Path) -> Row:
    # Each differs, or those who remember what they judged would judge one.
    clip, files = load(path), [str(folder / f"clip{at}.wav") for at in range(n)]
    for at, file in enumerate(files):
        Path(file).write_bytes(wav_bytes(np.roll(clip.samples, at * clip.sample_rate // 7), clip.sample_rate))
    environment = os.environ | {"VCNB_DATA": str(folder / "data")}
    command = [sys.executable, "-m", "vcnb", "diagnose", "--json"]

    def ours() -> None:
        shutil.rmtree(folder / "data", ignore_errors=True)
        subprocess.run([*command, *files], stdout=subprocess.DEVNULL, env=environment)

    code = (
        "import sys\nfrom threadpoolctl import threadpool_limits\nfrom vcnb.diagnose.report import diagnose\n"
        "with threadpool_limits(1):\n    for file in sys.argv[1:]:\n        print(diagnose(file).to_json())\n"
    )

    def theirs() -> None:
        halves = [files[: n // 2], files[n // 2 :]]
        running = [subprocess.Popen([sys.executable, "-c", code, *each], stdout=subprocess.DEVNULL) for each in halves]
        assert [each.wait() for each in running] == [0, 0]

    mine, other = median(ours, 1), median(theirs, 1)
    ratio = other / mine
    figure = f"{ratio:.2f} ({n / mine:.1f} against {n / other:.1f} clips a second)"
    return f"{n} clips from the shell", "0.9 of two processes", figure, ratio >= 0.9


def judge(path: Path, language: str | None) -> dict[str, str]:
    """The verdict of each check, also of what cannot be read."""
    try:
        report = diagnose(path, language=language)
    except ClipError as error:
        report = unreadable(path.name, error)
    return {finding.check: finding.verdict for finding in report.findings}


def asserted(folder: Path) -> list[Row]:
    """Verdicts that the cases of a folder must get, as its `expected.json` says."""
    right: dict[str, list[bool]] = defaultdict(list)
    for name, case in json.loads((folder / "expected.json").read_text()).items():
        found = judge(folder / case["file"], case.get("declared_language"))
        for check, wanted in case["expect"].items():
            right[check].append(found.get(check) in ([wanted] if isinstance(wanted, str) else wanted))
            if not right[check][-1]:
                print(f"  {name} {check}: wanted {wanted}, said {found.get(check)}", flush=True)
    shares = {check: sum(each) / len(each) for check, each in right.items()}
    n, worst = sum(map(len, right.values())), min(shares, key=lambda check: shares[check])
    n_right = sum(map(sum, right.values()))
    return [
        ("asserted verdicts", "99 %", f"{n_right} of {n}", n_right >= 0.99 * n),
        ("worst check", "95 %", f"{shares[worst]:.1%} {worst}", shares[worst] >= 0.95),
    ]


def repairs(folder: Path) -> list[Row]:
    counted = clean = alike = upsampled = 0
    cases = json.loads((folder / "expected.json").read_text())
    for name, case in cases.items():
        try:
            mended = mend(folder / case["file"])
        except ClipError:
            continue
        against = {each.check: each for each in mended.before.findings if each.verdict in ("warn", "fail")}
        hopeless = HOPELESS & set(against) or mended.before.clip.duration < SHORT  # type: ignore[union-attr]
        blurred = "clipping" in against and not against["clipping"].remedy
        noisy = "noise" in against and float(against["noise"].value or 0) < FAINT_ROOM
        if not against or hopeless or blurred or noisy:
            continue
        counted += 1
        clean += not mended.left
        alike += not mended.similarity < 0.97
        before, after = mended.before.clip.sample_rate, mended.clip.sample_rate  # type: ignore[union-attr]
        upsampled += after > before and "rate" not in {edit.name for edit in mended.clip.edits}
        print(
            f"  {name:24} {[edit.name for edit in mended.clip.edits]} {mended.similarity:.3f} "
            f"{'clean' if not mended.left else [each.check for each in mended.left]}",
            flush=True,
        )
    return [
        ("repairable cases", "95 % with no warn or fail", f"{clean} of {counted}", clean >= 0.95 * counted),
        ("speaker before and after", "0.97", f"{alike} of {counted}", alike == counted),
        ("silent upsampling", "never", str(upsampled), not upsampled),
    ]


def hostile(folder: Path) -> list[Row]:
    """Each file in a process of its own: seconds from its start, and the most memory it held."""
    code = (
        "import resource, sys, time\nfrom vcnb.diagnose.report import diagnose, unreadable\n"
        "from vcnb.errors import ClipError\nbegan = time.perf_counter()\n"
        "try:\n    report = diagnose(sys.argv[1])\n"
        "except ClipError as error:\n    report = unreadable(sys.argv[1], error)\n"
        "held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024\n"
        "print(report.verdict, time.perf_counter() - began, held)\n"
    )
    slowest, largest, crashed, files = (
        ("", 0.0),
        ("", 0.0),
        [],
        sorted(each for each in folder.iterdir() if each.is_file()),
    )
    for path in files:
        ran = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True)
        if ran.returncode or ran.stderr:
            crashed.append(path.name)
            continue
        _, took, held = ran.stdout.split()
        slowest = max(slowest, (path.name, float(took)), key=lambda each: each[1])
        largest = max(largest, (path.name, float(held)), key=lambda each: each[1])
    return [
        ("hostile files answered", "all", f"{len(files) - len(crashed)} of {len(files)} {crashed or ''}", not crashed),
        ("slowest hostile file", "3 s", f"{slowest[1]:.1f} s {slowest[0]}", slowest[1] <= 3),
        ("largest hostile file", "700 MB", f"{largest[1]:.0f} MB {largest[0]}", largest[1] <= 700),
    ]


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--cases", type=Path)
    parser.add_argument("--hostile", type=Path)
    parser.add_argument("--many", type=int, default=0, help="so many different clips")
    given = parser.parse_args()
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = twenty_seconds(folder)
        rows += [*one_clip(path), cold_start(path)]
        if given.many:
            rows.append(many(path, given.many, folder))
    if given.cases:
        rows += [*asserted(given.cases), *repairs(given.cases)]
    if given.hostile:
        rows += hostile(given.hostile)
    for label, asked, figure, held in rows:
        name = next((name for start, name in FIGURES.items() if label.startswith(start)), None)
        if name:
            record_shown(name, figure, held, label)
        print(f"{'held ' if held else 'SHORT'}  {label:34} {asked:30} {figure}")
    return 0 if all(held for *_, held in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
