"""What every test stands on: no key, no address but loopback, a folder of its own."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from figures import record_test
from held import Practice, WatchedEngine

from vcnb.practice.serve import Service

# Set before anything is imported: the SDK reads some of these only once.
for name in [name for name in os.environ if name.startswith("DASHSCOPE_") or name.lower().endswith("_proxy")]:
    del os.environ[name]

# What a kernel of a notebook does when a thread of its own crashes: nbval would not see it.
_TELL_OF_CRASHED_THREADS = """
import os, threading
_hook = threading.excepthook
def _told(crash):
    with open(os.environ["VCNB_CRASHES"], "a", encoding="utf-8") as record:
        record.write(f"{crash.thread}: {crash.exc_type.__name__}: {crash.exc_value}\\n")
    _hook(crash)
threading.excepthook = _told
"""


class Told:
    """Writes down how each test ended, for the page of figures."""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take what was called, and what broke before or after."""
        if report.failed or (report.passed and report.when == "call"):
            record_test(report.nodeid, passed=report.passed)


def pytest_configure(config: pytest.Config) -> None:
    """Give the kernels of the notebooks a folder of their own, and a hook that tells of crashed threads."""
    if hasattr(config, "workerinput"):  # one of several workers: the crashes of all are told by who leads them
        os.environ["VCNB_DATA"] = str(Path(os.environ["VCNB_DATA"]) / config.workerinput["workerid"])
        return
    folder = Path(tempfile.mkdtemp(prefix="vcnb-tests-"))
    startup = folder / "ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "00-crashes.py").write_text(_TELL_OF_CRASHED_THREADS, encoding="utf-8")
    config.pluginmanager.register(Told())
    os.environ["VCNB_DATA"] = str(folder / "data")
    os.environ["VCNB_CRASHES"] = str(folder / "crashes")
    os.environ["IPYTHONDIR"] = str(folder / "ipython")
    config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Give the kernel of each notebook an empty data folder, so that no notebook sees what another one left."""
    shared = os.environ["VCNB_DATA"]
    if item.path.suffix == ".ipynb":
        os.environ["VCNB_DATA"] = str(Path(shared) / item.path.stem)
    yield
    os.environ["VCNB_DATA"] = shared


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests with a browser last: Playwright leaves its loop running in the thread, where no other can begin."""
    items.sort(key=lambda item: "browser" in item.path.parts)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    crashes = Path(os.environ["VCNB_CRASHES"])
    if crashes.exists() and not hasattr(session.config, "workerinput"):
        print(f"\nthreads crashed in the kernels of the notebooks:\n{crashes.read_text(encoding='utf-8')}")
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


_CONNECT = socket.socket.connect


def _only_loopback(self: socket.socket, address: object) -> None:
    if self.family in (socket.AF_INET, socket.AF_INET6):
        host = str(address[0]) if isinstance(address, tuple) else ""
        if host not in ("localhost", "::1") and not host.startswith("127."):
            pytest.fail(f"a test reached out of this machine, to {address}", pytrace=True)
    _CONNECT(self, address)  # type: ignore[arg-type]


socket.socket.connect = _only_loopback  # type: ignore[assignment,method-assign]


@pytest.fixture(autouse=True)
def _no_key_and_a_folder_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("DASHSCOPE_API_KEY", raising=False)
    monkeypatch.setenv("DASHSCOPE_API_KEY_FILE_PATH", str(tmp_path / "no-key-here"))
    monkeypatch.setenv("VCNB_DATA", str(tmp_path / "data"))


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(440)


@pytest.fixture(scope="session")
def data_dir() -> Path:
    return Path(__file__).parent / "data"


@pytest.fixture(scope="session")
def session_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("practice")


@pytest.fixture(scope="session")
def _practice(session_folder: Path) -> Iterator[Practice]:
    engine = WatchedEngine()
    service = Service(session_folder, engine=engine)
    service.start_thread()
    yield Practice(service, engine)
    service.stop_thread()


@pytest.fixture
def practice(_practice: Practice) -> Iterator[Practice]:
    """The practice service with the tone engine: no voices, no faults."""
    _practice.service.reset()
    _practice.engine.piece_delay = 0.0
    _practice.engine.n_pieces = 0
    _practice.patience = 20.0
    yield _practice
    _practice.service.reset()
