"""The fault programme of the ledger: is a voice made exactly once, whatever breaks?

The code under test is the shipped one, on a real sqlite file; only the clock and the service are made here, so that a
day of faults takes a moment and a seed repeats it. Run from the repository:

    python tests/benchmarks/ledger.py --schedules 500     0 lost, duplicate, stuck; billed = wanted; else status 1
    python tests/benchmarks/ledger.py --seed 17           one of them again, told step by step
    python tests/benchmarks/ledger.py --mutants           each of six broken ledgers must be caught within 200 seeds
    python tests/benchmarks/ledger.py --kills 20          real processes, kill -9, the real practice service
"""

from __future__ import annotations

import argparse
import contextlib
import heapq
import itertools
import logging
import multiprocessing
import random
import shutil
import sqlite3
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import greenlet
import requests
from figures import record

from vcnb.audio.samples import samples
from vcnb.client.enrollment import EnrollmentClient
from vcnb.errors import (
    OutcomeUnknownError,
    RateLimitedError,
    ServiceBrokenError,
    ServiceUnreachableError,
    VcnbError,
)
from vcnb.library.intents import Intent, Intents, Stamp
from vcnb.library.opening import open_store
from vcnb.practice.engines.engine import Reference
from vcnb.practice.engines.tone import ToneEngine
from vcnb.practice.serve import Service
from vcnb.protocol.enrollment import data_uri
from vcnb.protocol.voice import Voice
from vcnb.settings import Secret, Settings
from vcnb.workflow.clock import Clock
from vcnb.workflow.creation import Creation
from vcnb.workflow.holding import Holder
from vcnb.workflow.intending import Seen, Wanted
from vcnb.workflow.money import Purse
from vcnb.workflow.sending import Manner

MODEL = "qwen3-tts-vc-2026-01-22"
# What happens to one request, as the study that the protocol rests on had it, and refusals besides.
FAULTS = {
    "refused": 0.05,
    "limited": 0.03,
    "lost request": 0.05,
    "acts late": 0.06,
    "lost answer": 0.08,
    "5xx with effect": 0.05,
    "5xx without effect": 0.05,
}
CRASH, FREEZE = 0.03, 0.01  # at each of some dozens of points
GIVES_UP, LATEST = 30.0, 100.0  # seconds: when a client gives up, and when the service acts at the latest
EXACT = "kathleen_and_all"
LIVES = 7  # of a notebook; in its last one it is not killed


_FORKED = multiprocessing.get_context("forkserver" if sys.platform != "win32" else "spawn")
if sys.platform != "win32":
    _FORKED.set_forkserver_preload(
        ["vcnb.workflow.creation", "vcnb.library.opening", "vcnb.practice.serve", "greenlet"]
    )


class Crash(BaseException):
    """The process is gone; nothing that it would still do has an effect."""


@dataclass
class World:
    """Time, the service and what happens next; one for each seed."""

    seed: int
    lag: float = 0.0
    told: Callable[[str], None] | None = None
    faults: dict[str, float] = field(default_factory=lambda: dict(FAULTS))
    crash: float = field(default_factory=lambda: CRASH)
    freeze: float = FREEZE
    time: float = 1_000_000.0
    offset: float = 0.0  # what the clock on the wall is ahead
    voices: dict[str, tuple[Voice, float]] = field(default_factory=dict)
    billed: int = 0

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)
        self.hub = greenlet.getcurrent()
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._number = itertools.count()

    def at(self, seconds: float, event: Callable[[], None]) -> None:
        heapq.heappush(self._events, (self.time + seconds, next(self._number), event))

    def run(self, limit: float = 1e9) -> None:
        until = self.time + limit
        while self._events and self._events[0][0] <= until:
            self.time, _, event = heapq.heappop(self._events)
            event()

    def set_clocks(self) -> None:
        """Have the clock on the wall set, never, once or three times."""

        def jump(by: float) -> None:
            self.offset += by
            self.say(f"the clock is set by {by:+.0f} s")

        for _ in range(self.rng.choice([0, 0, 1, 3])):
            by = self.rng.choice([-3600.0, 3600.0, -40.0, 40.0])
            self.at(self.rng.uniform(0, 1500), lambda by=by: jump(by))

    def lives(self, name: str, live: Callable[[Life, int], None]) -> int:
        """Run a notebook from the top until it is not killed on its way; say how often it was."""
        for number in range(LIVES):
            try:
                live(Life(self, f"{name}.{number}", mortal=number < LIVES - 1), number)
                return number
            except Crash:
                self.sleep(self.rng.uniform(1, 200))
        return LIVES

    def in_peace(self, work: Callable[[], None], *, after: float = 1.0) -> bool:
        """Do something while nothing breaks; say whether it came to its end."""
        breaking = self.faults, self.crash, self.freeze
        self.faults, self.crash, self.freeze = {}, 0.0, 0.0
        doing = greenlet.greenlet(work)
        self.at(after, doing.switch)
        self.run()
        self.faults, self.crash, self.freeze = breaking
        return bool(doing.dead)

    def sleep(self, seconds: float, call: Line | None = None) -> None:
        me, awake = greenlet.getcurrent(), [False]

        def wake() -> None:
            if not awake[0]:
                awake[0] = True
                me.switch()

        self.at(seconds, wake)
        if call is not None:
            call.wake = lambda: self.at(0.0, wake)
        self.hub.switch()

    def say(self, text: str) -> None:
        if self.told:
            self.told(f"{self.time - 1_000_000:9.2f} s  {text}")

    def make(self, preferred_name: str, model: str) -> Voice:
        at = datetime.fromtimestamp(self.time, UTC) + timedelta(hours=8)
        stamp = at.strftime("%Y%m%d%H%M%S") + f"{at.microsecond // 1000:03d}"
        made = Voice(f"qwen-tts-vc-{preferred_name}-voice-{stamp}-{self.rng.getrandbits(16):04x}", model)
        made = Voice(made.voice, model, preferred_name, created_at=at)
        self.voices[made.voice] = (made, self.time)
        self.billed += 1
        self.say(f"SERVICE made {made.voice}")
        return made


class Line:
    """What a client's `Call` is to the code under test."""

    def __init__(self) -> None:
        self.on_sent: Callable[[], None] | None = None
        self.stopped = False
        self.wake: Callable[[], None] = lambda: None

    def stop(self, why: str = "cancelled") -> None:
        self.stopped = True
        self.wake()


class Life:
    """One process: whoever asks after it was killed is killed again, so that its last blocks change nothing."""

    def __init__(self, world: World, name: str, *, mortal: bool) -> None:
        self.world, self.name, self.mortal, self.dead = world, name, mortal, False

    def point(self, where: str) -> None:
        if self.dead:
            raise Crash
        if self.mortal and self.world.rng.random() < self.world.crash:
            self.dead = True
            self.world.say(f"{self.name} is killed {where}")
            raise Crash

    def freeze(self) -> None:
        """Stand still for a while, as a busy kernel or a sleeping laptop does."""
        if self.world.rng.random() < self.world.freeze:
            seconds = self.world.rng.uniform(10, 60)
            self.world.say(f"{self.name} stands still for {seconds:.0f} s")
            self.world.sleep(seconds)


class SimulatedClock(Clock):
    def __init__(self, life: Life) -> None:
        self._life, self._world = life, life.world

    def monotonic(self) -> float:
        return self._world.time

    def stamp(self) -> Stamp:
        return Stamp(self._world.time + self._world.offset, self._world.offset)

    def wait(self, seconds: float, cancel: object = None) -> None:
        self._life.point("while it waits")
        self._world.sleep(seconds)

    @contextmanager
    def beating(
        self, beat: Callable[[], bool], *, every: float, patience: float, lost: Callable[[], None]
    ) -> Iterator[None]:
        over = [False]

        def show() -> None:
            if over[0] or self._life.dead:
                return
            try:
                living = beat()
            except Crash:
                return
            if living:
                self._world.at(every, show)
            else:
                lost()

        self._world.at(every, show)
        try:
            yield
        finally:
            over[0] = True


class SimulatedService:
    """The hosted service behind a bad line."""

    settle = None

    def __init__(self, life: Life) -> None:
        self._life, self._world = life, life.world

    def list_voices(self) -> list[Voice]:
        self._life.point("before a list")
        fate, world = self._fate(), self._world
        if fate in ("refused", "limited"):
            world.sleep(0.1)
            raise ServiceUnreachableError("simulated: refused")
        world.sleep(world.rng.uniform(0.1, 2.0))
        lag = world.rng.uniform(0, world.lag)
        shown = [voice for voice, made in world.voices.values() if made <= world.time - lag]
        if fate is not None:
            world.sleep(world.rng.uniform(0.1, GIVES_UP))
            world.say(f"{self._life.name} gets no list: {fate}")
            raise ServiceBrokenError(f"simulated: {fate}", status=500)
        self._life.freeze()
        self._life.point("after a list")
        return shown

    def create(self, *, target_model, preferred_name, audio, text=None, language=None, under_way=None) -> Voice:  # type: ignore[no-untyped-def]
        life, world, line = self._life, self._world, Line()
        life.point("before it sends")
        under_way(line)
        fate = self._fate()
        world.say(f"{life.name} sends {preferred_name}: {fate or 'all well'}")
        if fate == "refused":
            world.sleep(0.1)
            raise ServiceUnreachableError("simulated: refused")
        world.sleep(world.rng.uniform(0.1, 3.0), line)
        if line.stopped:
            raise OutcomeUnknownError("simulated: stopped while it was sent")
        if line.on_sent is not None:
            line.on_sent()
        life.point("when it was sent")
        if fate == "limited":
            raise RateLimitedError("simulated", status=429)
        if fate == "acts late":
            world.at(world.rng.uniform(GIVES_UP, LATEST), lambda: world.make(preferred_name, target_model))
        if fate in ("acts late", "lost request"):
            world.sleep(GIVES_UP, line)
            self._gone(fate)
        world.sleep(world.rng.uniform(0.5, 5.0), line)
        if fate == "5xx without effect":
            self._gone(fate)
        made = world.make(preferred_name, target_model)
        if not line.stopped:
            world.sleep(0.2, line)
        if fate is not None or line.stopped:
            self._gone(str(fate))
        life.freeze()
        life.point("before it notes the answer")
        return made

    def delete(self, voice: str) -> None:
        self._life.point("before it deletes")
        self._world.voices.pop(voice, None)
        self._world.say(f"{self._life.name} deletes {voice}")

    def _gone(self, fate: str) -> None:
        self._life.point("when the answer is lost")
        raise OutcomeUnknownError(f"simulated: {fate}")

    def _fate(self) -> str | None:
        drawn = self._world.rng.random()
        for name, probability in self._world.faults.items():
            drawn -= probability
            if drawn < 0:
                return name
        return None


def mortal(life: Life, kind: type[Intents]) -> type[Intents]:
    """Make each change of the ledger a point at which its process can be killed."""

    def killed_before(name: str) -> Callable[..., object]:
        inner = getattr(kind, name)

        def change(self: Intents, *args: object) -> object:
            life.point(f"before {name}")
            # A busy disk lets others come between; not inside a transaction, and not in a beat, which is no process.
            if not self.store._db.in_transaction and greenlet.getcurrent() is not life.world.hub:
                life.world.sleep(life.world.rng.choice([0.0, 0.0, 0.01, 0.5]))
            return inner(self, *args)

        return change

    names = ("of_request", "find", "add", "write", "hold", "show_life", "let_go", "end")
    return type("MortalIntents", (kind,), {name: killed_before(name) for name in names})


@dataclass(frozen=True)
class Ledger:
    """What is put to the test: the shipped ledger, or one that was broken on purpose.

    `shared`: whether the notebooks share a library; without that, duplicates cannot be excluded, only losses.
    """

    name: str = "as shipped"
    creation: type[Creation] = Creation
    intents: type[Intents] = Intents
    settle: float = 120.0
    journal: bool = True
    shared: bool = True


@dataclass
class Outcome:
    """What a schedule came to."""

    seed: int
    wanted: int
    billed: int
    lost: int
    differing: int
    stuck: int
    crashes: int
    asked: int

    def holds(self, ledger: Ledger) -> bool:
        kept = self.lost == 0 and self.stuck == 0
        return kept and (not ledger.shared or (self.billed == self.wanted and self.differing == 0))


AS_SHIPPED = Ledger()


def schedule(seed: int, ledger: Ledger = AS_SHIPPED, told: Callable[[str], None] | None = None) -> Outcome:
    """Let two notebooks ask for the same four voices while everything breaks; then one more, in peace."""
    world = World(seed, told=told)
    world.lag = world.rng.choice([0.0, 0.0, 15.0])
    hosted = world.rng.random() < 0.5
    manner = Manner(not hosted, settle=ledger.settle)
    folder = Path(tempfile.mkdtemp(prefix="ledger-", dir="/dev/shm" if Path("/dev/shm").is_dir() else None))
    wants = [
        Wanted("account", MODEL, name, f"{number:064x}", None, "en", "mine", exact=name == EXACT)
        for number, name in enumerate(["ada", "ada", EXACT, "b"])  # two recordings of one name
    ]
    together = world.rng.random() < 0.5  # both notebooks are run from the top at once
    got: dict[int, set[str]] = defaultdict(set)
    counts: Counter[str] = Counter()
    world.set_clocks()

    def live(notebook: str, life: Life, number: int) -> None:
        place = folder / ("library" if ledger.shared else notebook)
        if not ledger.journal:
            place = folder / f"{notebook}-{number}"
        with contextlib.closing(open_store(place)) as store:
            intents = mortal(life, ledger.intents)(store)
            purse, service, clock = Purse(), SimulatedService(life), SimulatedClock(life)
            order = list(enumerate(wants))
            if not together:
                world.rng.shuffle(order)
            for index, wanted in order:
                retry = False
                for _ in range(12):
                    life.point("between two")
                    made = ledger.creation(intents, service, manner, clock=clock)  # type: ignore[arg-type]
                    try:
                        voice = made.make(wanted, "data:", lambda _: purse.reserve(0.01), retry=retry)
                    except VcnbError as error:
                        world.say(f"{life.name} is told {type(error).__name__}: {error.message}")
                        counts["asked"] += isinstance(error, OutcomeUnknownError)
                        retry = hosted and isinstance(error, OutcomeUnknownError) and world.rng.random() < 0.8
                        world.sleep(world.rng.uniform(1, 90))
                    else:
                        world.say(f"{life.name} holds {voice.voice}")
                        got[index].add(voice.voice)
                        break

    def notebook(name: str) -> None:
        crashes = world.lives(name, lambda life, number: live(name, life, number))
        counts["crashes"] += crashes  # not in one line: the other notebook counts meanwhile

    try:
        running = [greenlet.greenlet(lambda name=name: notebook(name)) for name in ("left", "right")]
        for each in running:
            world.at(world.rng.uniform(0, 1 if together else 20), each.switch)
        world.run()
        stuck = sum(not each.dead for each in running)
        world.time += 10_000
        stuck += not world.in_peace(lambda: live("left", Life(world, "last", mortal=False), LIVES))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    held = set().union(*got.values())
    differing = sum(len(voices) > 1 for voices in got.values())
    stuck += sum(not got[index] for index in range(len(wants)))
    lost = len(held - set(world.voices))
    return Outcome(seed, len(wants), world.billed, lost, differing, stuck, counts["crashes"], counts["asked"])


class _TakesFailureForEmpty(Creation):
    """Its list, where it fails, shows nothing: so it is sent again while it may have been made."""

    def _look(self) -> Seen:
        try:
            return super()._look()
        except VcnbError:
            return Seen((), self._clock.monotonic())


class _CleansUp(Creation):
    """It deletes what looks like a second voice of the same request."""

    def _done(self, intent: Intent, voice: Voice) -> Voice:
        made = super()._done(intent, voice)
        with contextlib.suppress(VcnbError):
            for other in self._look().bearing(intent.preferred_name, MODEL, exact=False):
                if other.voice != made.voice:
                    self._service.delete(other.voice)  # type: ignore[attr-defined]
        return made


class _FreeForAll(Holder):
    def _free(self, intent: Intent, watched: float) -> bool:
        return True


class _KnowsNoOwner(Creation):
    """Whoever comes takes an intent over, and what the one before finds out counts as well."""

    def __init__(self, *args: object, **options: object) -> None:
        super().__init__(*args, **options)  # type: ignore[arg-type]
        self._holder = _FreeForAll(self._intents, self._clock, self._manner.lease)


class _OwnedByNobody(Intents):
    def write(self, intent: Intent) -> bool:
        found = self.find(intent.id)
        return super().write(replace(intent, owner=found.owner) if found else intent)

    def show_life(self, intent: Intent, now: Stamp) -> bool:
        return True


MUTANTS = (
    Ledger("no journal", journal=False),
    Ledger("no settle", settle=0.0),
    Ledger("settle too short", settle=20.0),
    Ledger("blind re-post on a failed list", creation=_TakesFailureForEmpty),
    Ledger("no lease", creation=_KnowsNoOwner, intents=_OwnedByNobody),
    Ledger("automatic delete", creation=_CleansUp, shared=False),
)
APART = Ledger("as shipped, libraries apart", shared=False)


def caught_at(mutant: Ledger, seeds: int = 200) -> Outcome | None:
    """Give the first schedule that a broken ledger does not stand."""
    return next((found for seed in range(seeds) if not (found := schedule(seed, mutant)).holds(mutant)), None)


# Real processes. They are forked from one that has loaded everything, so that a life costs no start.


def worker(base_url: str, key: str, folder: str, names: list[str], told: str, seed: int) -> None:
    """Ask for voices until all are there, as a notebook that is run from the top again and again."""
    logging.getLogger("vcnb").setLevel(logging.ERROR)
    settings = Settings("practice", base_url, Secret(key), None, Path(folder))
    audio = data_uri(samples()["kathleen_en"].read_bytes(), "audio/wav")
    purse, rng = Purse(), random.Random(seed)
    rng.shuffle(names)
    with contextlib.closing(open_store(Path(folder))) as store:
        for name in names:
            wanted = Wanted("account", MODEL, name, "0" * 64, None, "en", "mine")
            while True:
                manner = Manner(True, lease=2.0, pause=0.3)
                creation = Creation(Intents(store), EnrollmentClient(settings, timeout=20.0), manner)
                try:
                    voice = creation.make(wanted, audio, lambda _: purse.reserve(0.0))
                except VcnbError:
                    time.sleep(0.1)
                else:
                    with open(told, "a", encoding="utf-8") as file:
                        file.write(f"{name} {voice.voice}\n")
                    break


class SlowEngine(ToneEngine):
    """Takes its time over a voice, so that a client can be dead before it is made."""

    def profile(self, reference: Reference) -> bytes:
        time.sleep(random.uniform(0.0, 0.8))
        return super().profile(reference)


@dataclass
class Killed:
    """What runs of real processes came to."""

    runs: int
    wanted: int
    billed: int
    lost: int
    differing: int
    kills: int
    sound: bool

    def holds(self) -> bool:
        return self.billed == self.wanted and self.lost == 0 and self.differing == 0 and self.sound


def kill_runs(runs: int, *, seed: int = 0, limit: float = 300.0, at_once: int = 5) -> Killed:
    """Kill notebooks with -9 at random moments while they ask a practice service behind a bad line."""
    with tempfile.TemporaryDirectory(prefix="ledger-kills-") as place:
        service = Service(Path(place) / "practice", engine=SlowEngine())
        service.start_thread()
        try:
            _break_line(service, seed)
            found: list[_FinishedRun] = []
            for first in range(0, runs, at_once):
                found += _some_runs(service, Path(place), range(first, min(runs, first + at_once)), seed, limit)
            settings = Settings("practice", service.base_url, service.api_key)
            _ask_service(service, "DELETE")
            alive = {voice.voice for voice in EnrollmentClient(settings).list_voices()}
            assert service.state is not None
            billed = service.state.counters()["creations"]
        finally:
            service.stop_thread()
    held = [voices for run in found for voices in run.got.values()]
    lost = sum(len(voices - alive) for voices in held) + sum(len(run.names) - len(run.got) for run in found)
    differing = sum(len(voices) > 1 for voices in held)
    wanted = sum(len(run.names) for run in found)
    return Killed(
        runs, wanted, billed, lost, differing, sum(run.kills for run in found), all(run.sound for run in found)
    )


def _break_line(service: Service, seed: int) -> None:
    odds = {
        "create": {"reset": 0.1, "reset_after": 0.15, "half_body": 0.05, "error": 0.06},
        "list": {"reset": 0.1, "not_json": 0.1},
    }
    rules = [
        {"operation": operation, "fault": fault, "times": None, "probability": odd, "seed": seed + number}
        for operation, faults in odds.items()
        for number, (fault, odd) in enumerate(faults.items())
    ]
    _ask_service(service, "POST", rules)


def _ask_service(service: Service, method: str, rules: object = None) -> None:
    where = service.base_url.removesuffix("/api/v1") + "/practice/faults"
    headers = {"Authorization": f"Bearer {service.api_key.reveal()}"}
    requests.request(method, where, json=rules, headers=headers, timeout=30).raise_for_status()


class _Run:
    """Two notebooks over one library, each killed up to twice."""

    def __init__(self, service: Service, place: Path, number: int, seed: int) -> None:
        self.names = [f"run{number}_{letter}" for letter in "abc"]
        self.kills, self.sound = 0, False
        self._rng = random.Random(f"{seed}-{number}")
        self._folder, self._told = place / f"run{number}", place / f"told{number}"
        self._told.touch()
        self._arguments = (service.base_url, service.api_key.reveal(), str(self._folder))
        self._left = {0: 2, 1: 2}
        self._working = {each: self._start(each) for each in self._left}

    def _start(self, notebook: int) -> tuple[multiprocessing.process.BaseProcess, float]:
        arguments = (*self._arguments, list(self.names), str(self._told), self._rng.getrandbits(32))
        process = _FORKED.Process(target=worker, args=arguments, daemon=True)
        process.start()
        return process, time.monotonic() + self._rng.uniform(0.1, 3.0)

    def step(self) -> bool:
        """Kill what is due; say whether all is done."""
        for notebook, (process, due) in list(self._working.items()):
            if not process.is_alive():
                del self._working[notebook]
                if process.exitcode != 0:
                    raise RuntimeError(f"a worker ended with {process.exitcode}")
            elif self._left[notebook] and time.monotonic() > due:
                self._left[notebook] -= 1
                self.kills += 1
                process.kill()
                process.join()
                self._working[notebook] = self._start(notebook)
        if not self._working:
            self.sound = _intact(self._folder)
        return not self._working

    def end(self) -> None:
        for process, _ in self._working.values():
            process.kill()

    @property
    def got(self) -> dict[str, set[str]]:
        found: dict[str, set[str]] = defaultdict(set)
        for line in self._told.read_text(encoding="utf-8").splitlines():
            name, _, voice = line.partition(" ")
            found[name].add(voice)
        return found


def _some_runs(service: Service, place: Path, numbers: range, seed: int, limit: float) -> list[_FinishedRun]:
    runs = [_Run(service, place, number, seed) for number in numbers]
    until, open_runs = time.monotonic() + limit, list(runs)
    try:
        while open_runs:
            if time.monotonic() > until:
                raise TimeoutError(f"{len(open_runs)} runs are stuck")
            open_runs = [run for run in open_runs if not run.step()]
            time.sleep(0.02)
    finally:
        for run in open_runs:
            run.end()
    return [_FinishedRun(run.names, run.got, run.kills, run.sound) for run in runs]


@dataclass
class _FinishedRun:
    names: list[str]
    got: dict[str, set[str]]
    kills: int
    sound: bool


def _intact(folder: Path) -> bool:
    with contextlib.closing(sqlite3.connect(folder / "library.sqlite")) as db:
        states = {state for (state,) in db.execute("SELECT state FROM intents")}
        return db.execute("PRAGMA integrity_check").fetchone()[0] == "ok" and states == {"done"}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--schedules", type=int, default=0, help="how many seeded schedules")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--seed", type=int, help="one schedule again, told step by step")
    parser.add_argument("--ledger", default="as shipped", help="with --seed: whose schedule, by the name of a mutant")
    parser.add_argument("--mutants", action="store_true", help="catch the six broken ledgers")
    parser.add_argument("--kills", type=int, default=0, help="how many runs of real processes")
    asked = parser.parse_args()
    logging.getLogger("vcnb").setLevel(logging.ERROR)
    if asked.seed is not None:
        ledger = {each.name: each for each in (AS_SHIPPED, APART, *MUTANTS)}[asked.ledger]
        outcome = schedule(asked.seed, ledger, told=print)
        print(outcome)
        return 0 if outcome.holds(ledger) else 1
    held = True
    if asked.mutants:
        held &= catch_mutants()
    if asked.schedules:
        held &= run_schedules(range(asked.first, asked.first + asked.schedules))
    if asked.kills:
        began, killed = time.monotonic(), kill_runs(asked.kills, limit=120.0 + 60.0 * asked.kills)
        print(f"{killed}, {time.monotonic() - began:.0f} s")
        held &= killed.holds()
        record("library.kills", int(not killed.holds()), str(killed))
    return 0 if held else 1


def catch_mutants() -> bool:
    n_caught = 0
    for mutant in MUTANTS:
        found = caught_at(mutant)
        n_caught += found is not None
        print(f"{mutant.name:32} {'caught: ' + repr(found) if found else 'NOT CAUGHT within 200 seeds'}", flush=True)
    record("library.mutants", n_caught)
    return n_caught == len(MUTANTS)


def run_schedules(seeds: range) -> bool:
    for ledger in (AS_SHIPPED, APART):
        began, outcomes = time.process_time(), [schedule(seed, ledger) for seed in seeds]
        sums = {name: sum(getattr(each, name) for each in outcomes) for name in list(Outcome.__dataclass_fields__)[1:]}
        broken = [each.seed for each in outcomes if not each.holds(ledger)]
        print(f"{ledger.name}: {len(seeds)} schedules, {sums}, {time.process_time() - began:.1f} s of CPU")
        record("library.schedules", len(broken), f"{len(seeds)} schedules, {ledger.name}")
        if broken:
            print(f"  BROKEN seeds: {broken}")
            return False
    return True


if __name__ == "__main__":
    sys.exit(main())
