"""Kills a grid of 20 voices and 50 texts at random moments until it finishes, and holds its books against the service.

    python tests/benchmarks/grid.py [--voices 20] [--texts 50] [--kills 5] [--seed 0]

Prints how often it was killed, what the service billed, and what the library says; exits 1 where a cell is missing, one
was made again beyond one for each thread and kill, or the books are below the bill.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
import time

import requests
from figures import record

import vcnb
from vcnb.workflow.grid import THREADS

WORK = """
import sys, vcnb
account = vcnb.connect("practice", data=sys.argv[1])
table = account.voices()
texts = [f"This is sentence number {n}." for n in range(int(sys.argv[2]))]
print("begun", flush=True)
grid = account.grid(table, texts, language="en", progress=lambda step, share: None)
frame = grid.to_frame()
print(len(frame), frame["take"].nunique(), int(frame["error"].notna().sum()), flush=True)
"""


def billed(account: vcnb.Account) -> tuple[int, int]:
    """Requests and characters, as the service counts them."""
    settings = account.settings
    root = settings.base_url.removesuffix("/api/v1")
    headers = {"Authorization": f"Bearer {settings.api_key.reveal()}"}
    seen = requests.get(f"{root}/practice/faults", headers=headers, timeout=30).json()
    return int(seen["requests"].get("synthesis", 0)), int(seen["characters"])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    for name, value in (("voices", 20), ("texts", 50), ("kills", 5), ("seed", 0)):
        parser.add_argument(f"--{name}", type=int, default=value)
    options = parser.parse_args()
    rng, samples = random.Random(options.seed), list(vcnb.samples().values())
    with tempfile.TemporaryDirectory() as folder, vcnb.connect("practice", data=folder) as account:
        for n in range(options.voices):
            account.enroll(
                samples[n % 3], preferred_name=f"v{n}", consent="public recordings", language=None, again=True
            )
        n_cells = options.voices * options.texts
        moments = sorted(rng.sample(range(1, n_cells), options.kills))  # anywhere on the way, on any machine
        for kill in range(options.kills + 1):
            process = subprocess.Popen(
                [sys.executable, "-c", WORK, folder, str(options.texts)], stdout=subprocess.PIPE, text=True
            )
            assert process.stdout is not None
            process.stdout.readline()
            if kill < options.kills:
                while process.poll() is None and len(account.takes()) < moments[kill]:
                    time.sleep(rng.uniform(0, 0.1))
                process.kill()
                process.wait()
                print(f"killed: {len(account.takes())} of {n_cells} spoken", flush=True)
            else:
                said = process.communicate()[0].split()
        requests_, characters = billed(account)
        money = account.money()
        speech = money[money["purpose"] == "speech"]
        booked = int(speech["characters"].sum())
        again = requests_ - n_cells
        print(f"cells {said[0]}, takes {said[1]}, errors {said[2]}; requests {requests_} ({again} beyond one a cell)")
        print(f"characters billed {characters}, booked {booked}")
        right = (
            said == [str(n_cells), str(n_cells), "0"] and 0 <= again <= options.kills * THREADS and booked >= characters
        )
        record("comparison.grid", right, f"{options.voices} x {options.texts}, {options.kills} kills")
        print("right" if right else "WRONG")
        return 0 if right else 1


if __name__ == "__main__":
    raise SystemExit(main())
