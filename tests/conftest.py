"""What every test stands on: no key, no address but loopback, a folder of its own."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

# Set before anything is imported: the SDK reads some of these only once.
for name in [name for name in os.environ if name.startswith("DASHSCOPE_") or name.lower().endswith("_proxy")]:
    del os.environ[name]

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
def session_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    yield tmp_path_factory.mktemp("practice")
