"""How many recordings are diagnosed at once, whatever happens to one of them."""

from __future__ import annotations

import json
import os
import sys
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, ProcessPoolExecutor, wait
from contextlib import ExitStack, closing
from multiprocessing.context import SpawnContext, SpawnProcess
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from vcnb.errors import CancelledError, ClipError, SettingsError
from vcnb.settings import data_folder

from .languages import check_language
from .manifest import Manifest

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["answers", "diagnose_many", "judged"]

Document = dict[str, Any]

WORKERS = 4  # at most; ours: more of them wait for the memory of one machine
IN_FLIGHT = 2  # for each worker: few, since all of them are suspects when one dies
IN_FLIGHT_ELSEWHERE = 64  # on an executor that was given, whose workers nobody here can count
POLL = 0.2  # seconds between two looks at `cancel`


def diagnose_many(
    paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    executor: Executor | None = None,
    *,
    language: str | None = None,
    manifest: str | os.PathLike[str] | bool = True,
    progress: Callable[[str, float | None], None] | None = None,
    cancel: threading.Event | None = None,
) -> pd.DataFrame:
    """Diagnose many recordings.

    Parameters
    ----------
    paths : path or iterable of path
        The recordings. One that is named twice is judged once.
    executor : concurrent.futures.Executor, optional
        Where the work is done; a Dask client's ``get_executor()`` too. Not given: processes of this machine.
    language : str, optional
        Two-letter code of what is spoken in all of them.
    manifest : path or bool
        Where the answers are kept, so that a batch that was stopped goes on where it was; True is a file in the data
        folder, False none. A file that changed since is judged again.
    progress : callable, optional
        Called with a sentence and a share (0 to 1). Not given: a progress bar.
    cancel : threading.Event, optional
        What was answered until then stays in the manifest.

    Returns
    -------
    pandas.DataFrame
        One row a file, in the order given, indexed by file: the verdict, what stands against it, what it says about
        itself, and the verdict of each check. A file that cannot be read fails in ``format``, and so does one over
        which a worker dies, by name.

    Raises
    ------
    SettingsError
        If no worker can be started, or on an unknown language.
    ClipError
        If something that is given is no path.
    LibraryError
        If the manifest cannot be written.
    CancelledError
        If it was stopped.
    """
    import pandas as pd

    files = _named(paths)
    found = dict(answers(files, executor, language=language, manifest=manifest, progress=progress, cancel=cancel))
    rows = [{"file": file, **_row(found[file])} for file in files]
    table = pd.DataFrame(rows, columns=None if rows else ["file", "verdict", "against", "sample_rate"])
    return table.astype({"sample_rate": "Int64"}).set_index("file")


def answers(
    files: Iterable[str],
    executor: Executor | None = None,
    *,
    language: str | None = None,
    transcript: str | None = None,
    manifest: str | os.PathLike[str] | bool = True,
    progress: Callable[[str, float | None], None] | None = None,
    cancel: threading.Event | None = None,
) -> Iterator[tuple[str, Document]]:
    """Diagnose many recordings and give each answer as it comes.

    Parameters
    ----------
    files : iterable of str
        Paths, each once.
    executor, language, manifest, progress, cancel
        As in `diagnose_many`.
    transcript : str, optional
        What is spoken in all of them.

    Yields
    ------
    (str, dict)
        The file, and its report as plain values; see `Report.to_dict`.

    Raises
    ------
    SettingsError, LibraryError, CancelledError
        As in `diagnose_many`.
    """
    check_language(language)
    files = list(files)
    declared = json.dumps([language, transcript])
    with ExitStack() as stack:
        tell = stack.enter_context(closing(_Teller(len(files), progress)))
        kept = None
        if manifest is not False:
            place = data_folder(None) / "diagnosed.sqlite" if manifest is True else Path(manifest)
            kept = stack.enter_context(closing(Manifest(place)))
        open_: list[str] = []
        for file in files:
            known = kept.find(file, declared) if kept else None
            if known is None:
                open_.append(file)
            else:
                tell(file)
                yield file, json.loads(known)
        for file, answer in stack.enter_context(closing(_worked(open_, executor, (language, transcript), cancel))):
            if kept:
                kept.keep(file, declared, answer)
            tell(file)
            yield file, json.loads(answer)


def judged(file: str, declared: tuple[str | None, str | None]) -> str:
    """Diagnose one file, in a worker.

    Parameters
    ----------
    file : str
        Its path.
    declared : (str or None, str or None)
        Language and transcript.

    Returns
    -------
    str
        The report, as JSON: nothing that a worker sends home may need more than that to be read.
    """
    from threadpoolctl import threadpool_limits

    from vcnb.diagnose.report import diagnose, unreadable

    # One thread a worker: two workers of two threads each wait for each other longer than they work.
    with threadpool_limits(1):
        try:
            report = diagnose(file, language=declared[0], transcript=declared[1])
        except ClipError as error:
            report = unreadable(file, error)
        return report.to_json()


def _named(paths: Any) -> list[str]:
    """Take one path or several, each once."""
    one = isinstance(paths, str | bytes | os.PathLike) or not isinstance(paths, Iterable)
    several = [paths] if one else list(paths)
    for each in several:
        if not isinstance(each, str | bytes | os.PathLike):
            raise ClipError(
                f"A {type(each).__name__} is no path.", remedy="give paths of files; vcnb.diagnose judges a clip"
            )
    return list(dict.fromkeys(map(os.fsdecode, several)))


def _worked(
    files: list[str], executor: Executor | None, declared: tuple[str | None, str | None], cancel: threading.Event | None
) -> Generator[tuple[str, str], None, None]:
    """Have the files judged; whatever was in flight when workers died is asked again, one at a time."""
    queue = deque(files)
    with ExitStack() as stack:
        pool = executor
        while queue:
            if pool is None:
                pool = stack.enter_context(_pool(min(WORKERS, os.cpu_count() or 1, len(queue))))
            suspects: list[str] = []
            yield from _drained(queue, pool, declared, cancel, suspects, given=pool is executor)
            for file in suspects:
                yield file, _alone(file, declared)
            pool = None  # it is broken, or the queue is empty


def _drained(
    queue: deque[str],
    pool: Executor,
    declared: tuple[str | None, str | None],
    cancel: threading.Event | None,
    suspects: list[str],
    *,
    given: bool,
) -> Iterator[tuple[str, str]]:
    """Empty the queue; end early where the pool breaks, and name whatever it swallowed."""
    most = IN_FLIGHT_ELSEWHERE if given else IN_FLIGHT * min(WORKERS, os.cpu_count() or 1)
    flying: dict[Future[str], str] = {}
    broken = False
    try:
        while flying or (queue and not broken):
            while queue and len(flying) < most and not broken:
                file = queue.popleft()
                try:
                    flying[pool.submit(judged, file, declared)] = file
                except (BrokenExecutor, RuntimeError):  # the second where it was shut down
                    queue.appendleft(file)
                    broken = True
            done, _ = wait(flying, timeout=POLL, return_when=FIRST_COMPLETED)
            if cancel is not None and cancel.is_set():
                raise CancelledError("The batch was stopped.", remedy="start it again: what was answered is kept")
            for future in done:
                file = flying.pop(future)
                trouble = future.exception()
                if trouble is None:
                    yield file, future.result()
                else:
                    suspects.append(file)
                    broken = broken or isinstance(trouble, BrokenExecutor)
    finally:
        for future in flying:
            future.cancel()


def _alone(file: str, declared: tuple[str | None, str | None]) -> str:
    """Judge a suspect in a process of its own, and name it where that dies."""
    from vcnb.diagnose.report import unreadable

    with _pool(1) as pool:
        future = pool.submit(judged, file, declared)
        trouble = future.exception()
    if trouble is None:
        return future.result()
    said = "its process died" if isinstance(trouble, BrokenExecutor) else f"{type(trouble).__name__}: {trouble}"
    error = ClipError(f"This file cannot be judged: {said}.", remedy="convert it to WAV with another program")
    return unreadable(file, error).to_json()


def _pool(n_workers: int) -> ProcessPoolExecutor:
    """Start processes that share nothing with this one, and see one of them answer."""
    pool = ProcessPoolExecutor(n_workers, mp_context=_Apart())
    trouble = pool.submit(os.getpid).exception()
    if trouble is not None:
        pool.shutdown(wait=False)
        raise SettingsError(
            f"No worker process can be started ({type(trouble).__name__}).",
            remedy="give executor=ThreadPoolExecutor()",
        )
    return pool


class _Process(SpawnProcess):
    """A process that does not run the caller's script again, in which a voice may be made and paid."""

    _one_at_a_time = threading.Lock()

    @classmethod
    def _Popen(cls, process_obj: Any) -> Any:
        # A process learns of the script by these two; another thread still finds all the rest under that name.
        nameless = ModuleType("__main__")
        with cls._one_at_a_time:
            main = sys.modules["__main__"]
            vars(nameless).update(vars(main), __spec__=None, __file__=None)
            sys.modules["__main__"] = nameless
            try:
                return SpawnProcess._Popen(process_obj)
            finally:
                sys.modules["__main__"] = main


class _Apart(SpawnContext):
    """How such processes are started, on every system."""

    Process = _Process


def _row(document: Document) -> dict[str, Any]:
    findings = document["findings"]
    values = {each["check"]: each["value"] for each in findings}
    return {
        "verdict": document["verdict"],
        "against": ", ".join(each["check"] for each in findings if each["verdict"] in ("warn", "fail")),
        "duration": values.get("duration"),
        "sample_rate": values.get("sample_rate"),
        **{
            f"{each['check']}": each["verdict"] for each in findings if each["check"] not in ("duration", "sample_rate")
        },
        "message": next((each["message"] for each in findings if each["verdict"] == "fail"), ""),
    }


class _Teller:
    """Counts what is done: for who asked, else on a bar."""

    def __init__(self, n_files: int, progress: Callable[[str, float | None], None] | None) -> None:
        self.n_files, self.n_done, self.progress, self.bar = n_files, 0, progress, None
        if progress is None:
            from tqdm.auto import tqdm

            self.bar = tqdm(total=n_files, delay=1, unit="file")

    def __call__(self, file: str) -> None:
        self.n_done += 1
        if self.progress is not None:
            self.progress(f"judged {os.path.basename(file)}", self.n_done / self.n_files)
        if self.bar is not None:
            self.bar.update()

    def close(self) -> None:
        if self.bar is not None:
            self.bar.close()
