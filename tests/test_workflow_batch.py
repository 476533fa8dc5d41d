"""Many recordings are judged, each answered once, whatever happens to a worker."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from pathlib import Path

import pytest
from recordings import pcm_wav, sine

from vcnb.audio.clip import Clip
from vcnb.errors import CancelledError, ClipError, SettingsError
from vcnb.workflow import batch
from vcnb.workflow.batch import answers, diagnose_many

RATE = 24_000


@pytest.fixture
def files(tmp_path):
    paths = [tmp_path / f"{at}.wav" for at in range(5)]
    for at, path in enumerate(paths):
        path.write_bytes(pcm_wav(sine(0.5 + 0.1 * at, RATE, peak=0.2), RATE))
    return [str(path) for path in paths]


@pytest.fixture
def threads():
    with ThreadPoolExecutor(2) as pool:
        yield pool


class Counting(Executor):
    """Counts what it is asked, and can break after some of it."""

    def __init__(self, pool: Executor, breaks_after: int = 1_000) -> None:
        self.pool, self.asked, self.breaks_after = pool, [], breaks_after

    def submit(self, call, /, *given, **named):
        if len(self.asked) >= self.breaks_after:
            raise BrokenExecutor("a worker died")
        self.asked.append(given[0])
        return self.pool.submit(call, *given, **named)


class DyingOn(Executor):
    """Loses the answer to one file, as where its worker was killed."""

    def __init__(self, pool: Executor, file: str) -> None:
        self.pool, self.file = pool, file

    def submit(self, call, /, *given, **named):
        if given and given[0] == self.file:
            lost: Future = Future()
            lost.set_exception(BrokenExecutor("the worker was killed"))
            return lost
        return self.pool.submit(call, *given, **named)


def test_a_table_has_a_row_for_each_file_in_its_order_and_says_what_stands_against_it(files, threads, tmp_path):
    (tmp_path / "empty.wav").write_bytes(b"")
    asked = [files[1], str(tmp_path / "empty.wav"), files[0], files[1], "nowhere.wav"]
    told = []
    table = diagnose_many(asked, threads, manifest=False, progress=lambda said, share: told.append(share))
    assert list(table.index) == [files[1], str(tmp_path / "empty.wav"), files[0], "nowhere.wav"]
    assert list(table["verdict"]) == ["fail"] * 4
    assert "duration" in table.loc[files[0], "against"]
    assert table.loc[files[0], "sample_rate"] == RATE
    assert table.loc["nowhere.wav", "format"] == "fail"
    assert "no such file" in table.loc["nowhere.wav", "message"]
    assert told == [0.25, 0.5, 0.75, 1.0]
    assert diagnose_many([], threads, manifest=False).empty


@pytest.mark.parametrize("kind", [str, Path])
def test_one_path_is_one_recording(files, threads, kind):
    assert list(diagnose_many(kind(files[0]), threads, manifest=False).index) == files[:1]


@pytest.mark.parametrize("given", [None, 5, [None], Clip(sine(0.5, RATE, peak=0.2), RATE)])
@pytest.mark.parametrize("wrapped", [False, True])
def test_what_is_no_path_is_refused_before_anything_is_asked(given, wrapped):
    with pytest.raises(ClipError, match="is no path"):
        diagnose_many([given] if wrapped else given, Counting(Executor()), manifest=False)


def test_a_batch_goes_on_where_it_was_stopped_and_asks_again_what_changed(files, threads, tmp_path):
    manifest = tmp_path / "kept" / "manifest.sqlite"
    cancel = threading.Event()
    first = Counting(threads)
    stopped = answers(files, first, manifest=manifest, progress=lambda *_: None, cancel=cancel)
    done = [next(stopped)[0], next(stopped)[0]]
    cancel.set()
    with pytest.raises(CancelledError):
        list(stopped)
    second = Counting(threads)
    assert len(diagnose_many(files, second, manifest=manifest, progress=lambda *_: None)) == 5
    assert not set(second.asked) & set(done)
    third = Counting(threads)
    os.utime(files[3], ns=(1, 1))
    diagnose_many(files, third, manifest=manifest, progress=lambda *_: None)
    assert third.asked == [files[3]]
    fourth = Counting(threads)
    diagnose_many(files[:1], fourth, language="de", manifest=manifest, progress=lambda *_: None)
    assert fourth.asked == files[:1]


def test_a_newer_judge_is_asked_again(files, threads, tmp_path, monkeypatch):
    manifest = tmp_path / "manifest.sqlite"
    diagnose_many(files[:1], threads, manifest=manifest, progress=lambda *_: None)
    monkeypatch.setattr("vcnb.workflow.manifest._judge", lambda: "of tomorrow")
    again = Counting(threads)
    diagnose_many(files[:1], again, manifest=manifest, progress=lambda *_: None)
    assert again.asked == files[:1]


def test_where_an_executor_breaks_half_way_every_file_is_still_answered_once(files, threads, monkeypatch):
    monkeypatch.setattr(batch, "_pool", lambda n: ThreadPoolExecutor(n))
    broken = Counting(threads, breaks_after=2)
    found = [file for file, _ in answers(files, broken, manifest=False, progress=lambda *_: None)]
    assert sorted(found) == files


def test_a_file_whose_worker_dies_alone_too_is_named_and_the_rest_finish(files, threads, monkeypatch):
    monkeypatch.setattr(batch, "_pool", lambda n: DyingOn(ThreadPoolExecutor(n), files[2]))
    table = diagnose_many(files, DyingOn(threads, files[2]), manifest=False, progress=lambda *_: None)
    assert "its process died" in table.loc[files[2], "message"]
    assert table.loc[files[2], "against"] == "format"
    assert all("duration" in table.loc[file, "against"] for file in files if file != files[2])


def test_a_worker_that_is_killed_loses_no_file(files, monkeypatch):
    """Real processes: whoever answers first has a worker killed under it."""
    pools = []
    ours = batch._pool
    monkeypatch.setattr(batch, "_pool", lambda n: pools.append(ours(n)) or pools[-1])
    found = []
    for file, _ in answers(files, manifest=False, progress=lambda *_: None):
        if not found:
            os.kill(next(iter(pools[0]._processes)), signal.SIGKILL)
        found.append(file)
    assert sorted(found) == files


class Dead(ThreadPoolExecutor):
    """Its workers die while they start."""

    def __init__(self, n_workers: int, mp_context: object = None) -> None:
        super().__init__(n_workers)

    def submit(self, call, /, *given, **named):
        lost: Future = Future()
        lost.set_exception(BrokenExecutor("a worker died while it started"))
        return lost


def test_where_no_worker_starts_it_is_said_how(files, monkeypatch):
    monkeypatch.setattr(batch, "ProcessPoolExecutor", Dead)
    with pytest.raises(SettingsError, match="No worker process") as raised:
        diagnose_many(files, manifest=False, progress=lambda *_: None)
    assert "ThreadPoolExecutor" in raised.value.remedy


SCRIPT = """
import sys, vcnb
with open("paid", "a") as ledger:
    ledger.write("once\\n")
table = vcnb.diagnose_many(["0.wav", "1.wav"], manifest=False, progress=lambda *_: None)
print(list(table.index), list(table["duration"]), sys.modules["__main__"].ledger is ledger)
"""


@pytest.mark.parametrize("way", ["a file", "standard input"])
def test_a_script_without_a_guard_runs_once(files, tmp_path, way):
    (tmp_path / "mine.py").write_text(SCRIPT)
    done = subprocess.run(
        [sys.executable, "mine.py" if way == "a file" else "-"],
        input=None if way == "a file" else SCRIPT,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(batch.__file__).parents[2])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("['0.wav', '1.wav'] [0.5, 0.6] True\n", "")
    assert (tmp_path / "paid").read_text() == "once\n"


def test_an_unknown_language_is_refused_before_anything_is_asked(files, threads):
    pool = Counting(threads)
    with pytest.raises(SettingsError, match="'xx'"):
        diagnose_many(files, pool, language="xx", manifest=False)
    assert pool.asked == []


@pytest.mark.figures
def test_a_dask_cluster_of_which_a_worker_is_killed_half_way_answers_every_file_once(tmp_path):
    distributed = pytest.importorskip("distributed")
    files = [str(tmp_path / f"{at}.wav") for at in range(24)]
    for at, file in enumerate(files):
        with open(file, "wb") as target:
            target.write(pcm_wav(sine(2.0 + 0.1 * at, RATE, peak=0.2), RATE))
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        found = []
        for file, _ in answers(files, client.get_executor(), manifest=False, progress=lambda *_: None):
            found.append(file)
            if len(found) == 12:
                victims = client.run(os.getpid)
                os.kill(next(iter(victims.values())), signal.SIGKILL)
        deadline = time.monotonic() + 30
        while len(client.scheduler_info()["workers"]) < 2 and time.monotonic() < deadline:
            time.sleep(0.1)
    assert sorted(found) == sorted(files)
