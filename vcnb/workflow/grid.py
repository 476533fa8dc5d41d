"""How every voice says every text, whatever happens on the way."""

from __future__ import annotations

import itertools
import logging
import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, as_completed
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, Any

from vcnb.catalog import REQUESTS_PER_MINUTE
from vcnb.client.text import check_text, count_characters
from vcnb.errors import (
    CancelledError,
    LibraryError,
    RateLimitedError,
    ServiceUnreachableError,
    SettingsError,
    SpendLimitError,
    VcnbError,
)
from vcnb.library.grids import Cell, claim, claimed_slot, finish, keep_measures, read_cell, release
from vcnb.library.presence import Presence, lives
from vcnb.protocol.voice import Voice

from .grids import Grid, Row
from .languages import check_language
from .measuring import Numbers, measure_take
from .money import estimate
from .voices import voices_of

if TYPE_CHECKING:
    from vcnb.audio.clip import Clip

    from .account import Account

__all__ = ["fill"]

THREADS = 4  # ours: four requests at once, each waits mostly
BURST = 3  # requests that may follow each other at once; ours
SLOWED = 2.0  # after a refusal for haste everything is slower by this factor, as the service asks for a gentle start
PATIENCE = 6  # refusals for haste or without a connection in a row, for one cell
POLL = 0.2  # seconds

Progress = Callable[[str, float | None], None]
log = logging.getLogger("vcnb")


def fill(
    account: Account,
    voices: Any,
    texts: str | Iterable[str],
    *,
    language: str | None = None,
    repeats: int = 1,
    executor: Executor | None = None,
    progress: Progress | None = None,
    cancel: threading.Event | None = None,
) -> Grid:
    """Have every voice say every text, and measure it; see :meth:`vcnb.Account.grid`."""
    named = [account.find(voice) for voice in voices_of(voices, region=account.region)]
    wanted = list(dict.fromkeys([texts] if isinstance(texts, str) else texts))
    if not named or not wanted or not isinstance(repeats, int) or repeats < 1:
        raise SettingsError("A grid needs voices, texts and at least one repeat.", remedy="give some of each")
    check_language(language)
    for text in wanted:
        check_text(text)
    with closing(_Work(account, language, cancel)) as work:
        cells = [
            (voice, Cell(work.pays(voice), voice.voice, text, language or "", repeat))
            for text, repeat, voice in itertools.product(wanted, range(repeats), named)
        ]
        work.afford(cells)
        with _Bar(2 * len(cells), progress) as tell:
            work.speak(cells, tell)
            rows = list(work.measured(cells, executor, tell))
    return Grid(tuple(rows), account)


class _Work:
    """One run over a grid; its threads share the account, and the key stays in this process."""

    def __init__(self, account: Account, language: str | None, cancel: threading.Event | None) -> None:
        self._account, self._language = account, language
        self._shelf = account._shelf
        self._store = account._shelf.store
        self._stop = threading.Event()
        self._cancel = cancel
        self._interval = 0.0 if account.region == "practice" else 60.0 / REQUESTS_PER_MINUTE
        self._errors: dict[str, VcnbError] = {}
        self._recording: dict[str, Clip | None] = {}  # of the voice that is measured
        self._fatal: BaseException | None = None
        self._presence = Presence(self._store.folder)

    def close(self) -> None:
        """Give back what was claimed and not made."""
        self._presence.close()

    def pays(self, voice: Voice) -> str:
        """Whose books the voice is in."""
        return self._shelf.account_of(voice)

    def afford(self, cells: list[tuple[Voice, Cell]]) -> None:
        """Refuse a grid that would pass the limit, before its first request."""
        missing: dict[str, list[str]] = {}
        for voice, cell in cells:
            row = read_cell(self._store, cell)
            if row is None or row["take"] is None:
                missing.setdefault(voice.target_model, []).append(cell.text)
        free = self._account.region == "practice"
        cost = sum(estimate(texts=texts, target_model=model, free=free).cost for model, texts in missing.items())
        self._account._purse.reserve(cost).give_back()

    def speak(self, cells: list[tuple[Voice, Cell]], tell: Callable[[str], None]) -> None:
        """Fill every cell that is empty; ends when all are filled, or cannot be."""
        waiting: queue.SimpleQueue[tuple[Voice, Cell]] = queue.SimpleQueue()
        for each in cells:
            waiting.put(each)

        def run() -> None:
            while not self._stopped():
                try:
                    voice, cell = waiting.get_nowait()
                except queue.Empty:
                    return
                try:
                    self._fill(voice, cell)
                except (SpendLimitError, LibraryError, CancelledError) as error:
                    self._fatal = self._fatal or error
                    self._stop.set()
                except VcnbError as error:
                    self._errors[cell.id] = error
                except BaseException as error:  # noqa: BLE001 - the thread's last line
                    self._fatal = error
                    self._stop.set()
                tell(f"{voice.preferred_name or voice.voice}: {cell.text[:40]}")

        threads = [threading.Thread(target=run, name=f"vcnb-grid-{n}", daemon=True) for n in range(THREADS)]
        for thread in threads:
            thread.start()
        try:
            for thread in threads:
                while thread.is_alive():
                    thread.join(POLL)
        except BaseException:  # a person pressed stop: what is on its way is paid, so it is waited for
            self._stop.set()
            for thread in threads:
                thread.join()
            raise
        if self._cancel is not None and self._cancel.is_set():
            raise CancelledError("The grid was stopped.", remedy="call it again: what is spoken is kept")
        if self._fatal is not None:
            raise self._fatal

    def _stopped(self) -> bool:
        return self._stop.is_set() or (self._cancel is not None and self._cancel.is_set())

    def _fill(self, voice: Voice, cell: Cell) -> None:
        while (row := self._claimed(voice, cell)) is None:  # another notebook is at it
            if self._stopped():
                return
            self._wait(POLL)
        if row["take"] is not None:
            return
        try:
            speech = self._spoken(voice, cell)
        except BaseException:
            release(self._store, cell)
            raise
        if not speech.take:
            release(self._store, cell)
            raise LibraryError("A take could not be kept.", remedy="see the log; make room and call it again")
        finish(self._store, cell, speech.take)

    def _claimed(self, voice: Voice, cell: Cell) -> Any:
        free = self._account.region == "practice"
        cost = estimate(texts=cell.text, target_model=voice.target_model, free=free).cost
        figures: dict[str, Any] = {"cost": cost, "characters": count_characters(cell.text)}
        return claim(self._store, cell, self._presence.id, lives=partial(lives, self._store.folder), **figures)

    def _spoken(self, voice: Voice, cell: Cell) -> Any:
        for attempt in range(PATIENCE):
            if self._interval:
                asked: dict[str, Any] = {"interval": self._interval, "burst": BURST, "now": time.time()}
                self._wait(claimed_slot(self._store, cell.account, voice.target_model, **asked))
            if self._stopped():
                raise CancelledError("The grid was stopped.", remedy="call it again: what is spoken is kept")
            try:
                return self._account.speak(cell.text, voice=voice, language=self._language)
            except (RateLimitedError, ServiceUnreachableError) as error:  # nothing was spoken, nothing billed
                if attempt == PATIENCE - 1:
                    raise
                if isinstance(error, RateLimitedError):
                    self._interval = max(self._interval, 60.0 / REQUESTS_PER_MINUTE) * SLOWED
                log.info("%s Waiting before it is asked again.", error.message)
                self._wait(min(30.0, 0.5 * 2**attempt))
        return None

    def _wait(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0 and not self._stopped():
            time.sleep(min(left, POLL))

    def measured(
        self, cells: list[tuple[Voice, Cell]], executor: Executor | None, tell: Callable[[str], None]
    ) -> Iterator[Row]:
        """Measure every filled cell once, here or by the executor; what a worker drops is measured here."""
        flying: dict[Future[Numbers], tuple[Voice, Cell]] = {}
        found: dict[str, Numbers] = {}
        for voice, cell in sorted(cells, key=lambda each: each[0].voice):  # a voice's recording is looked at once
            row = read_cell(self._store, cell)
            if row is None or row["take"] is None:
                continue
            kept = Numbers.read(row["measures"])
            if kept is not None:
                found[cell.id] = kept
                tell("measured before")
            elif executor is None:
                found[cell.id] = self._keep(cell, self._measure(voice, row["take"]))
                tell("measuring")
            else:
                future = _submitted(executor, *self._pair(voice, row["take"]))
                flying[future] = voice, cell
        for future in as_completed(flying):
            voice, cell = flying[future]
            if future.cancelled() or future.exception() is not None:  # its worker is gone; the take is here
                row = read_cell(self._store, cell)
                numbers = self._measure(voice, row["take"]) if row is not None else None
            else:
                numbers = future.result()
            if numbers is not None:
                found[cell.id] = self._keep(cell, numbers)
            tell("measuring")
        for voice, cell in cells:
            row = read_cell(self._store, cell)
            take = row["take"] if row is not None else None
            yield Row(voice, cell.text, cell.repeat, take, found.get(cell.id), self._errors.get(cell.id))

    def _pair(self, voice: Voice, take: str) -> tuple[Any, Any]:
        if voice.voice not in self._recording:
            try:
                self._recording = {voice.voice: self._account.reference(voice)}
            except VcnbError:  # a voice that was made elsewhere
                self._recording = {voice.voice: None}
        return self._account.take(take), self._recording[voice.voice]

    def _measure(self, voice: Voice, take: str) -> Numbers:
        return measure_take(*self._pair(voice, take))

    def _keep(self, cell: Cell, numbers: Numbers) -> Numbers:
        keep_measures(self._store, cell, numbers.to_dict())
        return numbers


def _submitted(executor: Executor, take: Any, reference: Any) -> Future[Numbers]:
    """Hand a take to the executor; one that is broken or shut down gives a future that failed."""
    try:
        return executor.submit(measure_take, take, reference)
    except RuntimeError as error:  # BrokenExecutor is one
        failed: Future[Numbers] = Future()
        failed.set_exception(error)
        return failed


class _Bar:
    """A progress bar, or what the caller has in its place."""

    def __init__(self, total: int, progress: Progress | None) -> None:
        self._total, self._progress, self._done = total, progress, 0
        self._lock = threading.Lock()
        self._bar: Any = None

    def __enter__(self) -> Callable[[str], None]:
        if self._progress is None:
            from tqdm.auto import tqdm

            self._bar = tqdm(total=self._total, desc="grid", unit="step", leave=False)
        return self._tell

    def _tell(self, step: str) -> None:
        with self._lock:
            self._done += 1
            if self._bar is not None:
                self._bar.update()
            elif self._progress is not None:
                self._progress(step, self._done / self._total)

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()
