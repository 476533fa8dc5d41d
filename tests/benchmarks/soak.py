"""Four notebooks work on one library for minutes while the service fails now and then and kernels are killed with -9.

Each is a real kernel. In a turn it asks for a voice that the other three ask for, too, and for one of its own; speaks
with that one, looks it up, deletes it, brings it back, speaks again and deletes it for good. Whatever breaks, a step is
taken again until it is done, as a person runs a cell again.

    python tests/benchmarks/soak.py [--minutes 10] [--seed 0]

Exits 1 where a voice, a recording or a take is lost, a voice is paid twice or left over, speech is billed more often
than it was asked for, a notebook is stuck, or the memory of a kernel that lives all the time, or of the service, grows.
"""

from __future__ import annotations

import argparse
import json
import os
import queue
import random
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import requests
from figures import record
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager

import vcnb
from notebooks import surroundings
from vcnb.practice import launch

TURN = """
import json, os, time
import vcnb

clip = vcnb.load(vcnb.samples()["kathleen_en"])
about = dict(consent="public domain", language="en")
with vcnb.connect("practice") as first:  # as somebody who runs the first cell twice
    first.voices()
account = vcnb.connect("practice")
told = os.open(os.environ["TOLD"], os.O_RDWR | os.O_CREAT | os.O_APPEND)
done = [json.loads(line) for line in os.read(told, 1 << 30).splitlines()]
done = {(each["turn"], each["step"]): each["found"] for each in done if each["found"]}

def tell(turn, step, found, trouble=""):
    line = dict(turn=turn, step=step, found=found, trouble=trouble)
    os.write(told, json.dumps(line).encode() + b"\\n")

def until_done(turn, step, do):
    while (turn, step) not in done:
        tell(turn, step, None)
        try:
            done[turn, step] = do()
            tell(turn, step, done[turn, step])
        except vcnb.VcnbError as error:
            tell(turn, step, None, type(error).__name__)
            time.sleep(0.1)
    return done[turn, step]

def gone(voice):
    try:
        account.delete(voice)
    except vcnb.errors.VoiceNotFoundError:  # by a try of which the answer was lost
        pass
    return voice

def seen(voice):
    table = account.voices()
    state = set(table[table["voice"] == voice]["state"])
    assert state == {"here and there"}, (voice, state)
    return voice

def turn(number):
    def spoken(voice):
        with account.stream(f"This is turn {number}.", voice=voice) as pieces:
            for _ in pieces:
                pass
            return pieces.speech.take
    me = os.environ["NUMBER"]
    until_done(number, "together", lambda: account.enroll(clip, preferred_name=f"all{number}", **about).voice)
    own = until_done(number, "enroll", lambda: account.enroll(clip, preferred_name=f"k{me}_{number}", **about).voice)
    until_done(number, "speak", lambda: spoken(own))
    until_done(number, "list", lambda: seen(own))
    until_done(number, "delete", lambda: gone(own))
    back = until_done(number, "restore", lambda: account.restore(own).voice)
    until_done(number, "speak again", lambda: spoken(back))
    until_done(number, "delete again", lambda: gone(back))
    until_done(number, "end", lambda: "end")
"""
ODDS = {
    "create": {"reset": 0.1, "reset_after": 0.15, "half_body": 0.05, "error": 0.06},
    "list": {"reset": 0.1, "not_json": 0.1},
    "delete": {"reset": 0.1, "reset_after": 0.1},
    "sse": {"reset": 0.05, "cut": 0.1, "end_early": 0.05, "error": 0.05},
}
STUCK = 180.0  # seconds for one turn, on a busy machine
SPACE = 25.0  # MB; ours


class Notebook(threading.Thread):
    """One of the four: drives its kernel from turn to turn, and starts another one when it was killed."""

    def __init__(self, number: int, folder: Path, over: threading.Event) -> None:
        super().__init__(name=f"notebook {number}")
        self._over = over
        self.told = folder / f"told{number}"
        profile = folder / f"kernel{number}"
        profile.mkdir()
        self._env = surroundings(profile) | {"VCNB_DATA": str(folder / "data")}
        self._env |= {"TOLD": str(self.told), "NUMBER": str(number)}
        self.turns, self.kills, self.trouble, self.pid = 0, 0, "", 0

    def run(self) -> None:
        try:
            while not self._lived():
                pass
        except Exception as error:
            self.trouble = f"{type(error).__name__}: {error}"

    def kill(self) -> None:
        """Kill its kernel with -9, wherever it is."""
        if self.pid:
            self.kills += 1
            os.kill(self.pid, signal.SIGKILL)

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.told.read_bytes().splitlines()]

    def _lived(self) -> bool:
        """Work until the time is over and the turn is done; False where the kernel was killed before."""
        manager = KernelManager(kernel_name="python3")
        manager.start_kernel(env=self._env, stderr=subprocess.DEVNULL)
        client = manager.client()
        client.start_channels(iopub=False, stdin=False, control=False)
        try:
            alive = self._ask(manager, client, TURN)
            self.pid = manager.provisioner.process.pid  # type: ignore[union-attr]
            while alive:
                alive = self._ask(manager, client, f"turn({self.turns})")
                self.turns += alive
                if alive and self._over.is_set():
                    return True
            return False
        finally:
            self.pid = 0
            client.stop_channels()
            manager.shutdown_kernel(now=True)

    def _ask(self, manager: KernelManager, client: BlockingKernelClient, code: str) -> bool:
        """Run a cell; False where the kernel was killed meanwhile."""
        asked, until = client.execute(code, store_history=False), time.monotonic() + STUCK
        while True:
            try:
                answer = client.get_shell_msg(timeout=0.5)
            except queue.Empty:
                if not manager.is_alive():
                    return False
                if time.monotonic() > until:
                    raise TimeoutError(f"{code[-20:]!r} is stuck") from None
                continue
            if answer["parent_header"].get("msg_id") != asked:
                continue
            if answer["content"]["status"] != "ok":
                raise RuntimeError("\n".join(answer["content"]["traceback"])[-2000:])
            return True


def megabytes(pid: int) -> float:
    """What a process holds that no file would give back, in MB."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return int(next(line for line in status.splitlines() if line.startswith("RssAnon")).split()[1]) / 1e3


def growth(held: list[float]) -> float:
    """By how much the last quarter is above the second, which begins when all is loaded."""
    quarter = max(1, len(held) // 4)
    return statistics.median(held[-quarter:]) - statistics.median(held[quarter : 2 * quarter] or held)


def faulty(running: launch.Running, rng: random.Random | None) -> dict[str, Any]:
    """Have the service fail now and then; without a generator, no more. Gives what it billed so far."""
    where = running.base_url.removesuffix("/api/v1") + "/practice/faults"
    headers = {"Authorization": f"Bearer {running.api_key.reveal()}"}
    requests.delete(where, headers=headers, timeout=60).raise_for_status()
    if rng is not None:
        rules = [
            {"operation": each, "fault": name, "times": None, "probability": odd, "seed": rng.getrandbits(32)}
            for each, faults in ODDS.items()
            for name, odd in faults.items()
        ]
        requests.post(where, json=rules, headers=headers, timeout=60).raise_for_status()
    billed: dict[str, Any] = requests.get(where, headers=headers, timeout=60).json()
    return billed


def soak(folder: Path, minutes: float, rng: random.Random) -> tuple[list[str], dict[str, list[float]], str]:
    """Let them work; give what is wrong, what was held over time, and what was done."""
    over = threading.Event()
    held: dict[str, list[float]] = defaultdict(list)
    with launch.ensure(folder / "data" / "practice", engine="tone") as running:
        books = [Notebook(number, folder, over) for number in range(4)]
        for each in books:
            each.start()
        try:
            broken(running, books, held, minutes, rng)
            faulty(running, None)
        finally:
            over.set()
            for each in books:
                each.join()
        billed = faulty(running, None)
        wrong = [f"{each.name}: {each.trouble}" for each in books if each.trouble] or judged(folder, books, billed)
    lines = [line for each in books for line in each.lines()]
    done = Counter(line["step"] for line in lines if line["found"])
    trouble = Counter(line["trouble"] for line in lines if line["trouble"])
    said = f"{done['end']} turns, {sum(each.kills for each in books)} kills"
    return wrong, held, f"{said}: {dict(done)}, errors {dict(trouble)}"


def broken(
    running: launch.Running, books: list[Notebook], held: dict[str, list[float]], minutes: float, rng: random.Random
) -> None:
    """Have things break for a while, and watch who holds how much."""
    until, n = time.monotonic() + 60 * minutes, 0
    while time.monotonic() < until and not any(each.trouble for each in books):
        n += 1
        faulty(running, rng if n % 3 else None)
        if n % 3 == 0:
            rng.choice(books[2:]).kill()
        for _ in range(rng.randrange(5, 15)):
            time.sleep(1)
            held["service"].append(megabytes(running.pid))
            for each in books[:2]:
                if each.turns and each.pid:
                    held[each.name].append(megabytes(each.pid))


def judged(folder: Path, books: list[Notebook], billed: dict[str, Any]) -> list[str]:
    """Hold what the notebooks were told against the library and against the service."""
    found: dict[tuple[str, int, int], list[str]] = defaultdict(list)  # step, turn, notebook
    asked = 0
    for number, each in enumerate(books):
        for line in each.lines():
            if line["found"]:
                found[line["step"], line["turn"], number].append(line["found"])
            elif line["step"].startswith("speak") and not line["trouble"]:
                asked += len(f"This is turn {line['turn']}.")
    together: dict[int, set[str]] = defaultdict(set)
    for (step, turn, _), voices in found.items():
        if step == "together":
            together[turn] |= set(voices)
    own = [voice for (step, *_), voices in found.items() if step in ("enroll", "restore") for voice in voices]
    takes = {take for (step, *_), ids in found.items() if step.startswith("speak") for take in ids}
    shared = set().union(*together.values())
    with vcnb.connect("practice", data=folder / "data") as account:
        there = {each.voice for each in account.list_voices()}
        kept, money = account.takes(), account.money()
        lost = takes - set(kept[kept["complete"]]["take"])
        for take in takes - lost:
            account.take(take)  # whole, by its hash
        for voice in shared & there:
            account.reference(voice)
    of = {purpose: money[money["purpose"] == purpose] for purpose in ("creation", "speech")}
    with sqlite3.connect(folder / "data" / "library.sqlite") as db:
        sound = db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        open_ones = db.execute("SELECT count(*) FROM intents WHERE state IN ('planned', 'posted')").fetchone()[0]
    right = {
        "the notebooks hold one voice of those that all asked for": all(len(each) == 1 for each in together.values()),
        "what was made or restored are voices of their own": len({*own, *shared}) == len(own) + len(shared),
        f"{len(own) + len(shared)} voices are billed, {billed['creations']}": billed["creations"]
        == len(own) + len(shared),
        "and booked": int(of["creation"]["n"].sum()) == billed["creations"],
        "what was not deleted is there, and nothing else": there == shared,
        f"no take is lost of {len(takes)}, {len(lost)}": not lost,
        f"{billed['characters']} characters were billed, {asked} asked for": billed["characters"] <= asked,
        "and booked at least": int(of["speech"]["characters"].sum()) >= billed["characters"],
        "the library is sound": sound,
        f"nothing is left open, {open_ones}": not open_ones,
    }
    return [f"NOT: {said}" for said, holds in right.items() if not holds]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="soak-", ignore_cleanup_errors=True) as place:
        wrong, held, said = soak(Path(place), options.minutes, random.Random(options.seed))
    print(said)
    grown = {name: round(growth(each), 1) for name, each in held.items() if each}
    for name, each in held.items():
        course = [round(at) for at in each[:: max(1, len(each) // 20)]]
        print(f"{name}: {course} MB, grown by {grown[name]}")
    print("\n".join(wrong) or "nothing is lost, nothing paid twice")
    on = f"{options.minutes:g} minutes, {said.partition(':')[0]}"
    record("library.soak", len(wrong), on)
    record("library.soak_mb", max(grown.values()), on)
    return int(bool(wrong) or max(grown.values()) > SPACE)


if __name__ == "__main__":
    sys.exit(main())
