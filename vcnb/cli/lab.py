"""How JupyterLab is started on the first tutorial, with a practice service that the notebooks share."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import itertools
import json as jsonlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import webbrowser
from pathlib import Path

from vcnb.errors import SettingsError, VcnbError

from .output import document, result, say

__all__ = ["copy_tutorials", "start", "tutorials"]

FIRST = "00_start_here.ipynb"
FIRST_PORT = 8888
# Keeps JupyterLab from asking at its first start whether its news may be fetched; --LabApp.news_url=None does not.
OWN_CONFIG = Path(__file__).with_name("jupyter")
SECONDS_TO_START = 120.0  # ours: a first start on a slow machine was seen to take 22 s


def start(
    *,
    port: int | None,
    browser: bool,
    json: bool,
    region: str | None,
    base_url: str | None,
    data: str | None,
) -> int:
    """Start JupyterLab and stay until it ends.

    Parameters
    ----------
    port : int or None
        None: a free one from 8888 on.
    browser : bool
        Whether to open a browser where there is one.
    json : bool
        Whether the address is printed as a JSON document.
    region, base_url, data : str or None
        `data` holds the library; the other two are checked.

    Returns
    -------
    int
        Exit status of JupyterLab; 0 where it was stopped by Ctrl-C.

    Raises
    ------
    SettingsError
        If JupyterLab is not installed, or the port is taken.
    """
    if importlib.util.find_spec("jupyterlab") is None:
        raise SettingsError("JupyterLab is not installed.", remedy="pip install 'vcnb[lab]'")
    from vcnb.settings import data_folder, resolve

    resolve(region, base_url=base_url, data=data)
    folder = tutorials(Path.cwd())
    say("starting the practice service and JupyterLab")
    practice = _practice(data_folder(data) / "practice")
    token = secrets.token_hex(24)
    chosen = _free_port(port)
    address = f"http://127.0.0.1:{chosen}/lab/tree/{FIRST}?token={token}"
    surroundings = {**os.environ, "JUPYTER_TOKEN": token, **({"VCNB_DATA": str(data_folder(data))} if data else {})}
    own, others = str(OWN_CONFIG), surroundings.get("JUPYTER_CONFIG_PATH")
    surroundings["JUPYTER_CONFIG_PATH"] = os.pathsep.join([own, others] if others else [own])
    for number in (signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM)):
        signal.signal(number, _interrupt)  # a closed terminal must not leave JupyterLab behind
    process = subprocess.Popen(_command(folder, chosen), env=surroundings, stdout=sys.stderr, stdin=subprocess.DEVNULL)
    try:
        _wait_until_ready(process, f"http://127.0.0.1:{chosen}/api")
        opened = browser and _can_open() and webbrowser.open(address)
        if json:
            document({"url": address, "notebooks": str(folder)})
        else:
            result(f"JupyterLab runs at {address}")
            say("Your browser shows it." if opened else "Open that address in a browser.")
            say("Ctrl-C ends it.")
        return process.wait()
    except KeyboardInterrupt:
        return 0
    finally:
        _end(process)
        with contextlib.suppress(VcnbError, OSError):
            practice.close()


def tutorials(here: Path) -> Path:
    """Find the notebooks of the clone, or lay out those of the wheel.

    Parameters
    ----------
    here : Path
        Where a folder for them may be made.

    Returns
    -------
    Path
        The folder with the notebooks.
    """
    package = Path(__file__).parents[1]
    own = package.parent / "notebooks"
    if (own / FIRST).is_file() and (package.parent / "pyproject.toml").is_file():
        return own
    shipped = package / "_notebooks"
    if not (shipped / FIRST).is_file():
        raise SettingsError("The tutorials are not part of this installation.", remedy="install vcnb again")
    return copy_tutorials(shipped, here / "vcnb-notebooks")


def copy_tutorials(shipped: Path, target: Path) -> Path:
    """Copy tutorials, never over what a user changed.

    Parameters
    ----------
    shipped : Path
        Where they come from.
    target : Path
        Where they go. A file that was changed since it was copied keeps its name; a newer one is laid beside it.

    Returns
    -------
    Path
        `target`.
    """
    target.mkdir(parents=True, exist_ok=True)
    record = target / ".vcnb-copied.json"
    try:
        copied = jsonlib.loads(record.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        copied = {}
    for source in sorted(path for path in shipped.rglob("*") if path.is_file()):
        name, new = source.relative_to(shipped).as_posix(), _sha256(source)
        # The first place that is free or holds what was laid there: a changed file keeps its own.
        for number in itertools.count():
            place = (target / name).with_stem(source.stem + ("-new" * bool(number)) + (f"-{number}" * (number > 1)))
            known = copied.setdefault(place.relative_to(target).as_posix(), [])
            if place.exists() and _sha256(place) not in known:
                if new in known:
                    break  # theirs is changed, ours is not
                continue
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, place)
            known.append(new)
            break
    record.write_text(jsonlib.dumps(copied, indent=1), encoding="utf-8")
    return target


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _practice(folder: Path) -> contextlib.ExitStack:
    """Hold the practice service open as long as the lab runs."""
    from vcnb.practice.launch import ensure

    held = contextlib.ExitStack()
    held.callback(ensure(folder).release)
    return held


def _command(folder: Path, port: int) -> list[str]:
    return [
        *(sys.executable, "-m", "jupyterlab", "--no-browser", "--ip=127.0.0.1"),
        *(f"--port={port}", "--ServerApp.port_retries=0", f"--ServerApp.root_dir={folder}"),
        # A container's only user is often root; the server listens on this machine alone and asks for a token.
        *(("--allow-root",) if hasattr(os, "geteuid") and os.geteuid() == 0 else ()),
        *("--LabApp.news_url=None", "--log-level=WARN"),
    ]


def _free_port(wanted: int | None) -> int:
    for port in [wanted] if wanted else [*range(FIRST_PORT, FIRST_PORT + 50), 0]:
        with socket.socket() as probe:
            if os.name != "nt":
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise SettingsError(f"Port {wanted} is taken.", remedy="leave out --port, or choose another")


def _wait_until_ready(process: subprocess.Popen[bytes], url: str) -> None:
    # No proxy of the environment may catch an address of this machine.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise SettingsError(
                f"JupyterLab ended with status {process.returncode}.",
                remedy="read its lines above; `vcnb doctor` helps",
            )
        try:
            with opener.open(url, timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise SettingsError(f"JupyterLab did not start in {SECONDS_TO_START:g} s.", remedy="read its lines above")


def _can_open() -> bool:
    """Say whether a browser would be seen: webbrowser alone would start a text browser in this terminal."""
    if sys.platform in ("win32", "darwin"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


def _end(process: subprocess.Popen[bytes]) -> None:
    """End JupyterLab and its kernels; it asks before the first signal, not before the second."""
    for number in (signal.SIGTERM, signal.SIGTERM):
        if process.poll() is not None:
            return
        process.send_signal(number)
        with contextlib.suppress(subprocess.TimeoutExpired, KeyboardInterrupt):
            process.wait(10)
    if process.poll() is None:
        process.kill()
        process.wait()
