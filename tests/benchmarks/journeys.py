"""What people do around the ledger while everything breaks: two notebooks, two restores, a limit, a clock that is set.

The account is the shipped one, with its library, its purse and its restores; time, service and crashes are those of
`ledger.py`, and here the list also lags behind a deletion. Two voices of one request exist, and one or both of them are
deleted; both notebooks bring them back and ask for another voice, each life with a spend limit of its own.

    python tests/benchmarks/journeys.py --schedules 500   0 lost, double, stuck; billed = wanted = booked; else status 1
    python tests/benchmarks/journeys.py --seed 17         one of them again, told step by step
"""

from __future__ import annotations

import argparse
import contextlib
import io
import logging
import shutil
import sys
import tempfile
import time
import wave
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from unittest import mock

import greenlet
import ledger
import numpy as np
from figures import record
from ledger import Life, SimulatedClock, SimulatedService, World

from vcnb.audio.load import read_clip
from vcnb.errors import OutcomeUnknownError, SettingsError, SpendLimitError, VcnbError
from vcnb.library import voices
from vcnb.library.intents import Intents
from vcnb.protocol.voice import Voice
from vcnb.settings import Secret, Settings
from vcnb.workflow import enrollment
from vcnb.workflow.account import Account
from vcnb.workflow.connection import Connection
from vcnb.workflow.creation import Creation
from vcnb.workflow.money import Purse
from vcnb.workflow.sending import Manner

PRICE = 0.01
_LIVES: dict[str, Life] = {}  # by the key that each of them has


class Service(SimulatedService):
    """The simulated service; its list shows a deleted voice for a while, and it counts what it billed for one purse."""

    def __init__(self, life: Life) -> None:
        super().__init__(life)
        self.billed, self._there = 0, life.world
        self._world = _Counting(self)  # type: ignore[assignment]

    def list_voices(self) -> list[Voice]:
        shown, world = super().list_voices(), self._there
        lag = world.rng.uniform(0, world.lag)
        return shown + [voice for voice, at in world.deleted if at > world.time - lag]  # type: ignore[attr-defined]

    def delete(self, voice: str) -> None:
        known = self._there.voices.get(voice)
        super().delete(voice)
        if known:
            self._there.deleted.append((known[0], self._there.time))  # type: ignore[attr-defined]


class _Counting:
    def __init__(self, service: Service) -> None:
        self._service = service

    def __getattr__(self, name: str) -> object:
        return getattr(self._service._there, name)

    def make(self, *given: str) -> Voice:
        self._service.billed += 1
        return self._service._there.make(*given)


class Desk(Account):
    """The shipped account, in one life."""

    def __init__(self, life: Life, folder: Path, limit: float | None, hosted: bool) -> None:
        key = f"sk-{id(life)}-{len(_LIVES)}"
        settings = Settings("singapore", "https://simulated.invalid/api/v1", Secret(key), None, folder)
        super().__init__(Connection(settings), Purse(limit))
        self.life, self.service, self.hosted = life, Service(life), hosted
        _LIVES[key] = life
        _SERVICES[key] = self.service

    def _creation(self, progress: object, cancel: object) -> Creation:
        intents = ledger.mortal(self.life, Intents)(self._shelf.store)
        clock, manner = SimulatedClock(self.life), Manner(not self.hosted)
        return Creation(intents, self.service, manner, keep=self._keep, clock=clock)  # type: ignore[arg-type]

    def make(self, name: str, **options: bool) -> str:
        (made,) = self._make_all(_request(name), progress=None, cancel=None, **options).values()  # type: ignore[arg-type]
        return made.voice


_SERVICES: dict[str, Service] = {}


@cache
def _prepared() -> enrollment.Request:
    """Everything that a recording needs, found out once: what it is worth is judged elsewhere."""
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setparams((1, 2, 24_000, 0, "NONE", ""))
        sound.writeframes(np.arange(2_400, dtype="<i2").tobytes())
    undecided = enrollment.undecided("", "It is judged elsewhere.")
    with mock.patch.object(enrollment, "_judged", return_value=undecided):
        return enrollment.prepare(
            Settings("singapore", "https://simulated.invalid/api/v1", Secret("sk-none")),
            read_clip(file.getvalue(), name="simulated.wav"),
            preferred_name="ada",
            consent="mine",
            target_model=ledger.MODEL,
            language="en",
        )


def _request(name: str) -> enrollment.Request:
    return replace(_prepared(), name=name)


@contextlib.contextmanager
def simulated() -> Iterator[None]:
    def client(settings: Settings) -> Service:
        return _SERVICES[settings.api_key.reveal()]

    def prepared(_settings: Settings, _clip: object, **words: str) -> enrollment.Request:
        return _request(words["preferred_name"])

    def marked(
        store: object, account: str, voice: str, new: str, mark: Callable[..., None] = voices.mark_restored
    ) -> None:
        greenlet.getcurrent().life.point("before it notes what came back")
        mark(store, account, voice, new)

    with contextlib.ExitStack() as patched:
        for module in ("holdings", "shelf"):
            patched.enter_context(mock.patch(f"vcnb.workflow.{module}.EnrollmentClient", client))
        patched.enter_context(mock.patch("vcnb.workflow.restoring.prepare", prepared))
        patched.enter_context(mock.patch.object(voices, "mark_restored", marked))
        yield


@dataclass
class Outcome:
    """What a journey came to; `over` counts purses from which more was billed than their limit."""

    seed: int
    wanted: int
    billed: int
    booked: int
    lost: int
    differing: int
    stuck: int
    over: int
    crashes: int
    asked: int
    limited: int

    def holds(self) -> bool:
        broken = (self.lost, self.differing, self.stuck, self.over)
        return not any(broken) and self.billed == self.wanted == self.booked


def journey(seed: int, told: Callable[[str], None] | None = None) -> Outcome:
    """Let two notebooks bring voices back and make another one while everything breaks; then one more, in peace."""
    world = World(seed, told=told)
    world.deleted = []  # type: ignore[attr-defined]
    world.lag = world.rng.choice([0.0, 0.0, 15.0])
    hosted, both = world.rng.random() < 0.7, world.rng.random() < 0.5
    folder = Path(tempfile.mkdtemp(prefix="journey-", dir="/dev/shm" if Path("/dev/shm").is_dir() else None))
    got: dict[str, set[str]] = defaultdict(set)
    counts: dict[str, int] = defaultdict(int)
    twins: list[str] = []

    def opened(life: Life, limit: float | None) -> Desk:
        greenlet.getcurrent().life = life  # type: ignore[attr-defined]
        return Desk(life, folder, limit, hosted)

    def begin() -> None:
        desk = opened(Life(world, "first", mortal=False), None)
        twins.extend([desk.make("ada"), desk.make("ada", again=True)])
        world.sleep(150)
        desk.delete(twins if both else twins[:1], confirm=True)
        world.sleep(world.rng.choice([0.0, 1.0, 30.0]))
        desk.close()

    def step(desk: Desk, what: str, ask: Callable[[Desk], str]) -> bool:
        """Ask as a person does: once more after an error, and for another try where it is proposed."""
        desk.life.point("between two")
        try:
            voice = ask(desk)
        except SpendLimitError as error:
            world.say(f"{desk.life.name} is told {error.message}")
            counts["limited"] += 1
            return True
        except VcnbError as error:
            world.say(f"{desk.life.name} is told {type(error).__name__}: {error.message}")
            if isinstance(error, OutcomeUnknownError) and error.intent is not None:
                counts["asked"] += 1
                if world.rng.random() < 0.8:
                    with contextlib.suppress(VcnbError):
                        desk.settle(error.intent, retry=hosted)
            world.sleep(world.rng.uniform(1, 90))
        else:
            world.say(f"{desk.life.name} holds {voice} as {what}")
            got[what].add(voice)
        return False

    def restored(voice: str) -> Callable[[Desk], str]:
        def ask(desk: Desk) -> str:
            try:
                return desk.restore(voice).voice
            except SettingsError as error:  # a list that lags shows it yet
                if "is not deleted" not in error.message:
                    raise
                world.sleep(20)
                raise VcnbError(error.message) from None

        return ask

    def live(life: Life, limit: float | None) -> None:
        wants = {"another": lambda desk: desk.make("b")}
        wants |= {f"{voice} again": restored(voice) for voice in (twins if both else twins[:1])}
        order = list(wants)
        world.rng.shuffle(order)
        desk = opened(life, limit)
        for what in order:
            for _ in range(12):
                if step(desk, what, wants[what]):  # the kernel is started anew, and its purse
                    counts["over"] += _over(desk)
                    desk.close()
                    desk = opened(life, limit)
                elif got[what] and world.rng.random() < 0.9:
                    break
        counts["over"] += _over(desk)
        desk.close()

    def notebook(name: str) -> None:
        limits = [None, PRICE, 2 * PRICE]
        crashes = world.lives(name, lambda life, _: live(life, world.rng.choice(limits)))
        counts["crashes"] += crashes

    try:
        with simulated():
            world.in_peace(begin, after=0)
            world.set_clocks()
            running = [greenlet.greenlet(lambda name=name: notebook(name)) for name in ("left", "right")]
            for each in running:
                world.at(world.rng.uniform(0, world.rng.choice([0.1, 20])), each.switch)
            world.run()
            stuck = sum(not each.dead for each in running)
            world.time += 10_000
            booked: list[int] = []

            def last() -> None:
                desk = opened(Life(world, "last", mortal=False), None)
                live(desk.life, None)
                money = desk.money()
                booked.append(round(money["cost"].sum() / PRICE))
                desk.close()

            stuck += not world.in_peace(last)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        _SERVICES.clear()
        _LIVES.clear()
    n = 2 if both else 1
    stuck += sum(not got[what] for what in ("another", *(f"{voice} again" for voice in twins[:n])))
    alone = sum(len(held) > 1 for held in got.values())
    held = [voice for voices_ in got.values() for voice in voices_]
    mixed = len(held) - len(set(held)) + len(set(held) & set(twins))
    lost = len({*held, *twins[n:]} - set(world.voices))
    return Outcome(
        seed, 3 + n, world.billed, sum(booked), lost, alone + mixed, stuck, counts["over"],
        counts["crashes"], counts["asked"], counts["limited"],
    )  # fmt: skip


def _over(desk: Desk) -> int:
    limit = desk.spend_limit
    return int(limit is not None and max(desk.spent, desk.service.billed * PRICE) > limit + 1e-6)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--schedules", type=int, default=500, help="how many seeded journeys")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--seed", type=int, help="one of them again, told step by step")
    asked = parser.parse_args()
    logging.getLogger("vcnb").setLevel(logging.ERROR)
    if asked.seed is not None:
        outcome = journey(asked.seed, told=print)
        print(outcome)
        return 0 if outcome.holds() else 1
    began, outcomes = time.process_time(), [journey(seed) for seed in range(asked.first, asked.first + asked.schedules)]
    sums = {name: sum(getattr(each, name) for each in outcomes) for name in list(Outcome.__dataclass_fields__)[1:]}
    broken = [each.seed for each in outcomes if not each.holds()]
    print(f"{len(outcomes)} journeys, {sums}, {time.process_time() - began:.1f} s of CPU")
    record("library.journeys", len(broken), f"{len(outcomes)} journeys")
    print(f"BROKEN seeds: {broken}" if broken else "all hold")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
