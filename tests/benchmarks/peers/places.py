"""Where each peer lives: an environment of its own, and what it weighs there."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["PEERS", "Peer", "Place", "answer_of", "place_of"]

INSIDE = Path(__file__).parent / "inside"
LAB = ("jupyterlab==4.6.*", "ipywidgets", "anywidget")
MEGABYTE = 1e6


@dataclass(frozen=True)
class Peer:
    """What is installed, what is imported, whether it is tried in a notebook, and what it forgets to ask for."""

    package: str
    module: str
    in_lab: bool = False
    missing: tuple[str, ...] = ()


PEERS = {
    peer.package: peer
    for peer in (
        Peer("dashscope", "dashscope"),
        Peer("ipywidgets", "ipywidgets", True),
        Peer("ipyaudioworklet", "ipyaudioworklet", True),
        Peer("ipyaudio", "ipyaudio", True),
        Peer("wavesurfer", "wavesurfer", True),
        Peer("plotwave", "plotwave", True),
        Peer("audio-data-quality-toolkit", "audio_qa"),
        Peer("resemblyzer", "resemblyzer", missing=("setuptools<81",)),
    )
}


@dataclass(frozen=True)
class Place:
    """An environment: its Python, what the peer alone weighs (MB), and how many packages came."""

    python: Path
    megabytes: float
    n_packages: int


def place_of(peer: Peer, folder: Path) -> Place:
    """Make an environment with a peer, weigh it, and add what a notebook needs."""
    root = folder / peer.package
    weighed = root / "weighed.json"
    python = root / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    if not weighed.exists():
        venv.create(root, with_pip=True, clear=True)
        bare = _size(root), len(_packages(python))
        _install(python, peer.package)
        weighed.write_text(json.dumps([_size(root) - bare[0], len(_packages(python)) - bare[1]]))
        if peer.in_lab or peer.missing:
            _install(python, *peer.missing, *((*LAB, "numpy") if peer.in_lab else ()))
    return Place(python, *json.loads(weighed.read_text()))


def answer_of(python: Path | str, script: str, *words: str) -> dict[str, Any]:
    """Run a script of `inside` in an environment; its last line is what it found."""
    command = [str(python), str(INSIDE / f"{script}.py"), *words]
    surroundings = os.environ | {"PYTHONPATH": str(INSIDE.parents[1])}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=surroundings)
    if done.returncode:
        raise SystemExit(f"{script} {' '.join(words)} failed:\n{done.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _install(python: Path, *packages: str) -> None:
    tool = ["uv", "pip", "install", "-q", "--python", str(python)]
    if shutil.which("uv") is None:
        tool = [str(python), "-m", "pip", "install", "-q"]
    subprocess.run([*tool, *packages], check=True)


def _size(root: Path) -> float:
    return sum(path.stat().st_size for path in root.rglob("*") if path.is_file()) / MEGABYTE


def _packages(python: Path) -> list[str]:
    code = "import importlib.metadata as found; print([each.name for each in found.distributions()])"
    said = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True).stdout
    return said.split(",")
