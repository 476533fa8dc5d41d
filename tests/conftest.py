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
import requests

from vcnb.practice.engines.engine import Reference
from vcnb.practice.engines.tone import ToneEngine
from vcnb.practice.serve import Service
from vcnb.settings import Settings

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


def pytest_configure(config: pytest.Config) -> None:
    """Give the kernels of the notebooks a folder of their own, and a hook that tells of crashed threads."""
    folder = Path(tempfile.mkdtemp(prefix="vcnb-tests-"))
    startup = folder / "ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "00-crashes.py").write_text(_TELL_OF_CRASHED_THREADS, encoding="utf-8")
    os.environ["VCNB_DATA"] = str(folder / "data")
    os.environ["VCNB_CRASHES"] = str(folder / "crashes")
    os.environ["IPYTHONDIR"] = str(folder / "ipython")
    config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    crashes = Path(os.environ["VCNB_CRASHES"])
    if crashes.exists():
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


class WatchedEngine(ToneEngine):
    """The tone engine, and what became of its work."""

    n_pieces = 0  # made since the test began
    n_running = 0  # begun and neither finished nor closed

    def speak(self, text: str, *, language: str, profile: bytes) -> Iterator[np.ndarray]:
        self.n_running += 1
        try:
            for piece in super().speak(text, language=language, profile=profile):
                self.n_pieces += 1
                yield piece
        finally:
            self.n_running -= 1


class Practice:
    """A running practice service, as a test holds it: where it is, what goes wrong, what it was asked."""

    def __init__(self, service: Service, engine: WatchedEngine) -> None:
        self.service = service
        self.engine = engine
        self.base_url = service.base_url
        self.realtime_url = service.realtime_url
        self.api_key = service.api_key
        self.root_url = service.base_url.removesuffix("/api/v1")
        self._profiles: dict[float, bytes] = {}
        self.patience = 20.0  # seconds that `ask` waits for an answer

    def settings(self, **changed: object) -> Settings:
        given = {"region": "practice", "base_url": self.base_url, "api_key": self.api_key}
        return Settings(**(given | changed))  # type: ignore[arg-type]

    def ask(self, method: str, path: str, **options: object) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.api_key.reveal()}"} | dict(options.pop("headers", {}))  # type: ignore[call-overload]
        return requests.request(method, self.root_url + path, headers=headers, timeout=self.patience, **options)  # type: ignore[arg-type]

    def fault(self, name: str, operation: str = "any", **parameters: object) -> None:
        """Ask for a fault or a switch; see vcnb.practice.faults.FAULTS."""
        self.schedule({"fault": name, "operation": operation, **parameters})

    def schedule(self, *rules: dict[str, object]) -> None:
        answer = self.ask("POST", "/practice/faults", json=list(rules))
        assert answer.status_code == 200, answer.text

    def release(self) -> None:
        """Let go on what waits to be released."""
        assert self.ask("POST", "/practice/release").status_code == 200

    def counters(self) -> dict[str, int]:
        """Requests seen by operation, 0 where none, and creations, characters and voices."""
        seen = self.ask("GET", "/practice/faults").json()
        zero = dict.fromkeys(["create", "list", "delete", "synthesis", "sse", "result", "upgrade", "realtime"], 0)
        return zero | seen["requests"] | {name: seen[name] for name in ("creations", "characters", "voices")}

    def voice(self, target_model: str = "qwen3-tts-vc-2026-01-22", *, f0: float = 120.0, name: str = "made") -> str:
        """Put a voice into the account, past all rules: a second of a tone."""
        sound = 0.3 * np.sin(2 * np.pi * f0 * np.arange(24_000) / 24_000).astype(np.float32)
        reference = Reference(sound, 24_000)
        if f0 not in self._profiles:
            self._profiles[f0] = ToneEngine().profile(reference)
        assert self.service.state is not None
        return self.service.state.create(
            preferred_name=name,
            target_model=target_model,
            language=None,
            reference=reference,
            profile=self._profiles[f0],
            version=self.engine.version,
        ).voice


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
