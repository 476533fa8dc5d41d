"""How the one practice service of a folder is found, started, kept alive and let go.

A running service holds a lock on its folder, which the system takes away when it dies, and writes its address and key
into a file that only its user can read. Whoever needs it reads the file and asks; only if nobody answers, starts it.
Each user holds one open connection, a lease; the system closes it even under ``kill -9``, and the service ends with
its last one.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from vcnb.errors import ServiceUnreachableError, SettingsError
from vcnb.settings import Secret

from .register import Record, forget, only_one, own_version, prepared, read, write

if TYPE_CHECKING:
    from .serve import Service

__all__ = ["Running", "TAKEN_STATUS", "ensure", "find", "run"]

TAKEN_STATUS = 75  # exit status of a service that found another one (EX_TEMPFAIL of sysexits.h)

_LOG = "service.log"
_LOG_BYTES = 1_000_000  # ours: a longer one is begun anew
# All seconds are ours: a start takes about one, a loaded machine several.
_START_SECONDS = 30.0
_ANSWER_SECONDS = 3.0
_HANDOVER_SECONDS = 4.0  # what a service that has lost its last user needs to end
_POLL_SECONDS = 0.02
# How a port shows that there is no practice service, or somebody else's.
_NO_ANSWER = (OSError, http.client.HTTPException, ValueError, KeyError, TypeError, OverflowError, RecursionError)


@dataclass(frozen=True, eq=False)
class Running:
    """A practice service that runs, and our hold on it.

    Parameters
    ----------
    base_url : str
        HTTP base, ending in ``/api/v1``.
    realtime_url : str
        WebSocket address.
    api_key : Secret
        Its key.
    folder_id : str
        What tells its account from another.
    settle : float
        How long after a lost answer its effect may still appear (s).
    pid : int
        Its process.
    """

    base_url: str
    realtime_url: str
    api_key: Secret = field(repr=False)
    folder_id: str
    settle: float
    pid: int
    _lease: http.client.HTTPConnection = field(repr=False)

    def alive(self) -> bool:
        """Say whether the service still holds the line; False after `release`."""
        line = self._lease.sock
        if line is None:
            return False
        try:
            while line.recv(65_536):  # its heartbeats; they are taken off the line here
                pass
        except (BlockingIOError, InterruptedError):
            return True
        except OSError:
            pass
        return False

    def release(self) -> None:
        """Let the service go; it ends when nobody else needs it."""
        self._lease.close()

    def __enter__(self) -> Running:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


def ensure(folder: Path, *, engine: str | None = None) -> Running:
    """Join the practice service of a folder; start it where none runs.

    Parameters
    ----------
    folder : Path
        Made if it is not there, for its user alone.
    engine : str, optional
        "tone" or "practice"; not given, whichever runs.

    Returns
    -------
    Running
        To be released; the end of this process releases it, too.

    Raises
    ------
    SettingsError
        If the folder cannot be used, or it runs with another engine than the one that was asked for.
    ServiceUnreachableError
        If it cannot be started or does not answer.
    """
    folder = prepared(folder)
    deadline = time.monotonic() + _START_SECONDS
    started: subprocess.Popen[bytes] | None = None
    while True:
        record = read(folder)
        if record is not None:
            running = _join(record)
            if running is not None and _suits(running, record, engine):
                if started is not None:
                    # Somebody has to read its exit status, or it stays as a zombie.
                    threading.Thread(target=started.wait, name="vcnb-practice-status", daemon=True).start()
                return running
        if started is None:
            started = _start(folder, engine)
        status = started.poll()
        if status == TAKEN_STATUS:
            started = None
            time.sleep(5 * _POLL_SECONDS)
        elif status is not None and read(folder) == record:
            raise _failed(folder, f"it ended with status {status}")
        if time.monotonic() > deadline:
            if started is not None:
                started.kill()
                started.wait()
            raise _failed(folder, f"it did not answer within {_START_SECONDS:.0f} s")
        time.sleep(_POLL_SECONDS)


def find(folder: Path, *, base_url: str | None = None) -> Running | None:
    """Join the practice service of a folder if it runs.

    Parameters
    ----------
    folder : Path
        Where its file lies.
    base_url : str, optional
        Only if it is reached there.

    Returns
    -------
    Running or None
    """
    record = read(folder)
    if record is None or (base_url is not None and urlsplit(base_url).port != record.port):
        return None
    return _join(record)


def run(
    folder: Path,
    *,
    port: int = 0,
    api_key: str | Secret | None = None,
    engine: str | None = None,
    on_ready: Callable[[Service], None] | None = None,
    stay: bool = True,
) -> None:
    """Be the practice service of a folder, in this process, where others find it.

    Parameters
    ----------
    folder : Path
        Made if it is not there, for its user alone.
    port : int
        0: any free one.
    api_key : str, Secret, optional
        Not given: a new random one.
    engine : str, optional
        "tone" or "practice".
    on_ready : callable, optional
        Called with the `Service` once others can find it.
    stay : bool
        False: it ends with its last user.

    Raises
    ------
    AlreadyRunningError
        If a service runs for the folder.
    SettingsError
        If the folder or the key cannot be used.
    OSError
        If the port is taken.
    """
    folder = prepared(folder)
    given = api_key.reveal() if isinstance(api_key, Secret) else api_key
    if given and not re.fullmatch(r"[!-~]+", given):
        raise SettingsError("The key holds characters that no header can carry.", remedy="use ASCII without spaces")
    with only_one(folder, wait=_HANDOVER_SECONDS if stay else 0):
        # Loaded behind the lock: of several that start at once, all but one end before this.
        from .serve import serve

        def ready(service: Service) -> None:
            write(folder, Record(service.base_url, service.api_key, service.folder_id, own_version(), engine, stay))
            if on_ready is not None:
                on_ready(service)

        try:
            serve(folder, port=port, api_key=api_key, engine=engine, on_ready=ready, stay=stay)
        finally:
            forget(folder)


def _start(folder: Path, engine: str | None) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-P", "-m", "vcnb.practice", str(folder), *([engine] if engine else [])]
    # The keys of the hosted service are none of its business.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DASHSCOPE_")}
    apart: dict[str, Any] = {"start_new_session": True}
    if sys.platform == "win32":
        apart = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW}
    try:
        log = os.open(folder / _LOG, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            if os.fstat(log).st_size > _LOG_BYTES:
                os.ftruncate(log, 0)
            # A file and never a pipe: nobody would read that to its end.
            return subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=folder, env=environment, **apart
            )
        finally:
            os.close(log)
    except OSError as error:
        raise _failed(folder, str(error)) from None


def _join(record: Record) -> Running | None:
    """Take a lease, then look whose it is; None where nobody answers, or somebody else."""
    with contextlib.ExitStack() as unless_joined, contextlib.suppress(*_NO_ANSWER):
        lease = unless_joined.enter_context(contextlib.closing(_connected(record)))
        # An answer is closed, too: with "Connection: close" it alone holds the socket.
        given = unless_joined.enter_context(_ask(lease, "/practice/lease", record))
        if given.status != 200 or lease.sock is None:
            return None
        about = _health(record)
        if about.get("folder") == record.folder:
            realtime = f"ws://127.0.0.1:{record.port}/api-ws/v1/realtime"
            settle, pid = float(about["settle"]), int(about["pid"])
            lease.sock.setblocking(False)
            unless_joined.pop_all()
            return Running(record.base_url, realtime, record.api_key, record.folder, settle, pid, lease)
    return None


def _health(record: Record) -> dict[str, Any]:
    with contextlib.closing(_connected(record)) as line, _ask(line, "/practice/health", record) as answer:
        about = json.loads(answer.read(65_536)) if answer.status == 200 else {}
    return about if isinstance(about, dict) else {}


def _connected(record: Record) -> http.client.HTTPConnection:
    line = http.client.HTTPConnection("127.0.0.1", record.port, timeout=_ANSWER_SECONDS)
    line.set_debuglevel(0)  # http.client's own, if somebody sets it, would print the key
    return line


def _ask(line: http.client.HTTPConnection, path: str, record: Record) -> http.client.HTTPResponse:
    line.request("GET", path, headers={"Authorization": f"Bearer {record.api_key.reveal()}"})
    return line.getresponse()


def _suits(running: Running, record: Record, engine: str | None) -> bool:
    """Say whether we can use it; one of another version is ended, unless a person started it."""
    if record.version != own_version():
        running.release()
        if record.stay:
            raise SettingsError(
                f"The practice service at {record.base_url} is of vcnb {record.version}, not {own_version()}.",
                remedy="end it where it runs (vcnb practice) and start it again",
            )
        with contextlib.suppress(OSError):
            os.kill(running.pid, signal.SIGTERM)
        return False
    if engine is not None and engine != (record.engine or "practice"):
        running.release()
        raise SettingsError(
            f"The practice service of this folder speaks with the engine {record.engine or 'practice'!r}, "
            f"not {engine!r}.",
            remedy="close what uses it, or give another folder",
        )
    return True


def _failed(folder: Path, reason: str) -> ServiceUnreachableError:
    try:
        lines = (folder / _LOG).read_text(encoding="utf-8", errors="replace").split("\n")
    except OSError:
        lines = []
    said = next((line.strip()[:300] for line in reversed(lines) if line.strip()), "")
    return ServiceUnreachableError(
        f"The practice service of {folder} could not be reached: {reason}{f' ({said})' if said else ''}.",
        remedy=f"look into {folder / _LOG}, or start it by hand: vcnb practice",
    )
