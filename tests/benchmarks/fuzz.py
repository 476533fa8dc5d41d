"""Whether any damaged file brings the diagnosis down, or holds it up.

    python tests/benchmarks/fuzz.py [--files 2000] [--seed 1] [--keep FOLDER]

Small good files of every container that people bring are damaged: bytes flipped, fields set to extremes, pieces cut
out, doubled, swapped with those of another format. Each file is read and judged in a process of its own kind, so that
a crash of a decoder's C code is seen as such. It may be answered or refused by a ClipError; anything else, or more than
LIMIT seconds, is named with the number that makes it again.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import sys
import time
import warnings
from collections import Counter
from functools import cache
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from figures import record
from recordings import encoded, pcm_wav, voiced

from vcnb.audio.load import read_clip
from vcnb.diagnose.report import diagnose
from vcnb.errors import ClipError

LIMIT = 10.0  # seconds; the hostile files are asked for within 3 on an idle machine, and this one is shared
SECONDS = 1.5
RATE = 24_000
DEPTHS = ((8, 1), (16, 1), (24, 1), (32, 1), (32, 3), (64, 3))
CODED = (
    ("mp3", "libmp3lame", ".mp3"),
    ("ipod", "aac", ".m4a"),
    ("ipod", "alac", ".m4a"),
    ("mp4", "aac", ".mp4"),
    ("adts", "aac", ".aac"),
    ("flac", "flac", ".flac"),
    ("ogg", "flac", ".oga"),
    ("ogg", "libopus", ".opus"),
    ("webm", "libopus", ".webm"),
    ("matroska", "flac", ".mka"),
    ("aiff", "pcm_s16be", ".aiff"),
    ("caf", "pcm_s16le", ".caf"),
    ("au", "pcm_s16be", ".au"),
    ("w64", "pcm_s16le", ".w64"),
    ("wav", "pcm_mulaw", ".wav"),
    ("wav", "adpcm_ms", ".wav"),
    ("ac3", "ac3", ".ac3"),
)
EXTREMES = (b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f", b"\0\0\0\1", b"\x80\0\0\0")


@cache
def good_files() -> tuple[tuple[str, bytes], ...]:
    """One small file of each kind, and its name."""
    t = np.arange(round(SECONDS * RATE)) / RATE
    said = voiced(120 + 40 * np.sin(2 * np.pi * 1.5 * t), RATE) * np.float32(0.5)
    wide = np.repeat(said, 2)
    files = [(f"pcm{bits}_{kind}.wav", pcm_wav(said, RATE, bits=bits, kind=kind)) for bits, kind in DEPTHS]
    for container, codec, suffix in CODED:
        rate = 2 * RATE
        data = encoded(wide, rate, container, codec, bit_rate=None if "pcm" in codec or "law" in codec else 64_000)
        files.append((f"{container}_{codec}{suffix}", data))
    return tuple(files)


def damaged(number: int, seed: int) -> tuple[str, bytes]:
    """The file that belongs to a number."""
    rng = np.random.default_rng([seed, number])
    files = good_files()
    name, data = files[number % len(files)]
    out = bytearray(data)
    for _ in range(int(rng.integers(1, 5))):
        # Headers are where decoders believe what they read: half of the damage goes there.
        end = min(len(out), 512) if rng.random() < 0.5 else len(out)
        at = int(rng.integers(0, max(1, end)))
        size = int(rng.integers(1, 1 + min(4_000, max(1, len(out) // 3))))
        kind = int(rng.integers(7))
        if kind == 0:
            for place in rng.integers(0, max(1, end), int(rng.integers(1, 60))):
                out[place : place + 1] = bytes([int(rng.integers(256))])
        elif kind == 1:
            out[at : at + 4] = EXTREMES[int(rng.integers(len(EXTREMES)))]
        elif kind == 2:
            del out[at : at + size]
        elif kind == 3:
            out[at:at] = out[at : at + size]
        elif kind == 4:
            other = files[int(rng.integers(len(files)))][1]
            start = int(rng.integers(len(other)))
            out[at : at + size] = other[start : start + size]
        elif kind == 5:
            out[at:at] = rng.bytes(size)
        else:
            del out[max(1, at) :]
    return name, bytes(out)


def answered(number: int, seed: int) -> str:
    """Read and judge one file: "answered" or "refused", or what went wrong."""
    name, data = damaged(number, seed)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # a number that overflows is a fault too
            clip = read_clip(data, path=name)
            diagnose(clip).to_json()
    except ClipError as error:
        return "refused" if error.message and error.remedy else "a refusal says nothing"
    except Exception as error:  # just what is looked for
        return f"{type(error).__name__}: {error}"[:200]
    return "answered"


def work(line: Connection, seed: int) -> None:
    """Answer numbers until there are no more."""
    while (number := line.recv()) is not None:
        line.send((answered(number, seed), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss))


def main() -> int:
    """Send every number to a worker, and replace a worker that dies or hangs."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--files", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="write the files that broke something here")
    given = parser.parse_args()
    spawned = multiprocessing.get_context("spawn")
    counted: Counter[str] = Counter()
    slowest, most, number, broken = 0.0, 0, 0, []
    while number < given.files:
        ours, theirs = spawned.Pipe()
        worker = spawned.Process(target=work, args=(theirs, given.seed), daemon=True)
        worker.start()
        theirs.close()
        first = True
        while number < given.files and worker.is_alive():
            began = time.monotonic()
            ours.send(number)
            try:
                if not ours.poll(LIMIT + (60 if first else 0)):  # the first waits for imports and networks
                    worker.kill()
                    outcome = f"no answer in {LIMIT:.0f} s"
                else:
                    outcome, memory = ours.recv()
                    most = max(most, memory)
            except EOFError:
                worker.join()
                outcome = f"the process died, exit code {worker.exitcode}"
            slowest = slowest if first else max(slowest, time.monotonic() - began)
            first = False
            counted[outcome if outcome in ("answered", "refused") else "broken"] += 1
            if outcome not in ("answered", "refused"):
                broken.append(number)
                print(f"file {number} of seed {given.seed}, {damaged(number, given.seed)[0]}: {outcome}")
            number += 1
        worker.kill()
    if given.keep:
        given.keep.mkdir(parents=True, exist_ok=True)
        for each in broken:
            name, data = damaged(each, given.seed)
            (given.keep / f"{each}_{name}").write_bytes(data)
    told = ", ".join(f"{n} {what}" for what, n in sorted(counted.items()))
    print(f"{given.files} files of {len(good_files())} kinds: {told}")
    print(f"slowest {slowest:.1f} s, at most {most / 1024:.0f} MB")
    record("diagnosis.fuzz", len(broken), f"{given.files} files")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
