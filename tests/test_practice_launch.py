"""One practice service a folder, for as long as somebody needs it: with real processes, real sockets and real kills."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import requests

from vcnb.audio.samples import samples
from vcnb.errors import ServiceUnreachableError, SettingsError
from vcnb.practice import launch
from vcnb.practice.launch import Running, ensure, find, run
from vcnb.practice.register import AlreadyRunningError, read

USER = """
import sys
from pathlib import Path
from vcnb.practice.launch import ensure
running = ensure(Path(sys.argv[1]), engine="tone")
print(running.pid, running.api_key.reveal(), flush=True)
sys.stdin.read()
"""
FOREGROUND = """
import sys
from pathlib import Path
from vcnb.practice.launch import run
run(Path(sys.argv[1]), api_key="sk-my-own-key-0123456789", engine="tone", on_ready=lambda _: print("ready", flush=True))
"""


KILL = getattr(signal, "SIGKILL", signal.SIGTERM)  # Windows kills with either


def until(holds: Callable[[], object], *, seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.02)


def call(running: Running, path: str, *, key: str | None = None, **body: object) -> requests.Response:
    root = running.base_url.removesuffix("/api/v1")
    headers = {"Authorization": f"Bearer {key or running.api_key.reveal()}"}
    return requests.request("POST" if body else "GET", root + path, headers=headers, json=body or None, timeout=10)


def enrollment(running: Running, **message: object) -> dict:
    path = "/api/v1/services/audio/tts/customization"
    answer = call(running, path, model="qwen-voice-enrollment", input=message)
    assert answer.status_code == 200, answer.text
    return answer.json()["output"]


def gone(running: Running) -> bool:
    with socket.socket() as line:
        return line.connect_ex(("127.0.0.1", int(running.base_url.split(":")[2].split("/")[0]))) != 0


@pytest.fixture
def user() -> Iterator[Callable[..., Running]]:
    """What `ensure` gives, let go and ended after the test."""
    held: list[Running] = []

    def ensured(folder: Path, engine: str | None = "tone") -> Running:
        held.append(ensure(folder, engine=engine))
        return held[-1]

    yield ensured
    for each in held:
        if each.alive():
            os.kill(each.pid, signal.SIGTERM)
        each.release()


@pytest.fixture
def process() -> Iterator[Callable[[str, Path], subprocess.Popen[str]]]:
    """Another Python, ended after the test."""
    started: list[subprocess.Popen[str]] = []

    def begin(code: str, folder: Path) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", code, str(folder)]
        pipe = subprocess.PIPE
        started.append(subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True))
        return started[-1]

    yield begin
    for each in started:
        each.kill()
        each.communicate()


def test_two_users_share_one_service_that_only_they_can_enter(user, tmp_path, monkeypatch):
    monkeypatch.setenv("DASHSCOPE_API_KEY", "sk-canary-of-the-hosted-service")
    (tmp_path / "practice").mkdir(mode=0o755)
    first, second = user(tmp_path / "practice"), user(tmp_path / "practice")
    assert first.pid == second.pid != os.getpid()
    assert first.api_key == second.api_key
    assert first.folder_id == second.folder_id
    key = first.api_key.reveal()
    assert key.startswith("sk-practice-")
    assert len(key) > 12 + 40
    assert key not in repr(first)
    assert call(first, "/practice/health", key="sk-practice-of-somebody-else").status_code == 401
    assert call(first, "/practice/health").json()["leases"] == 2
    if os.name == "posix":
        folder = tmp_path / "practice"
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        for name in ("service.json", "service.log"):
            assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600
        assert os.getsid(first.pid) != os.getsid(0)  # a Ctrl-C here is not meant for it
    if (shown := Path(f"/proc/{first.pid}")).exists():
        for name in ("cmdline", "environ"):
            assert key.encode() not in (shown / name).read_bytes()
            assert b"canary" not in (shown / name).read_bytes()


def test_eight_at_once_make_one_which_lives_until_the_last_was_killed(process, tmp_path):
    users = [process(USER, tmp_path) for _ in range(8)]
    told = {each.stdout.readline() for each in users}
    assert len(told) == 1, told
    watcher = find(tmp_path)
    assert watcher is not None
    for each in users[1:]:
        each.kill()
    until(lambda: call(watcher, "/practice/health").json()["leases"] == 2)
    watcher.release()
    # Longer than the service waits before it ends: one user is left.
    deadline = time.monotonic() + 2.5
    while time.monotonic() < deadline:
        assert call(watcher, "/practice/health").status_code == 200
        time.sleep(0.1)
    users[0].kill()
    until(lambda: gone(watcher))
    until(lambda: not (tmp_path / "service.json").exists())
    assert find(tmp_path) is None


def test_a_killed_service_is_noticed_and_the_next_has_the_same_voices(user, tmp_path):
    # As deep as a home of people with long names and spaces in them.
    folder = tmp_path / "Größe und Weite" / ("eine Mappe mit Stimmen " * 8).strip()
    running = user(folder)
    assert running.alive()
    sound = base64.b64encode(samples()["kathleen_en"].read_bytes()).decode()
    made = enrollment(
        running,
        action="create",
        target_model="qwen3-tts-vc-2026-01-22",
        preferred_name="kept",
        audio={"data": f"data:audio/wav;base64,{sound}"},
    )
    os.kill(running.pid, KILL)
    until(lambda: not running.alive())
    assert find(folder) is None  # the dead one's file still lies there
    assert (folder / "service.json").exists()
    again = user(folder)
    assert again.pid != running.pid
    assert again.folder_id == running.folder_id
    listed = enrollment(again, action="list", page_index=0, page_size=10)
    assert [each["voice"] for each in listed["voice_list"]] == [made["voice"]]


class Stranger(BaseHTTPRequestHandler):
    """Another program, which says yes to everything."""

    says = b'{"folder": "f", "pid": 100}'

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.says)))
        self.end_headers()
        self.wfile.write(self.says)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def stranger() -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Stranger)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


def record(port: int, **changed: object) -> str:
    about = {"base_url": f"http://127.0.0.1:{port}/api/v1", "api_key": "sk-practice-x", "folder": "other"}
    return json.dumps(about | {"version": "0", "engine": None, "stay": False} | changed)


@pytest.mark.parametrize(
    "written",
    [
        "",
        "\x00\xff garbage",
        "[]",
        "null",
        '"text"',
        "{}",
        "[" * 100_000,
        record(0),
        record(70_000),
        record(80, base_url="https://dashscope-intl.aliyuncs.com/api/v1"),
        record(80, base_url="http://127.0.0.1:80@example.com/api/v1"),
        record(80, api_key="a\r\nHost: b"),
        record(80, base_url=["http://127.0.0.1:80/api/v1"]),
    ],
)
def test_a_file_that_says_nothing_sensible_leads_nowhere(written, tmp_path):
    (tmp_path / "service.json").write_text(written, encoding="utf-8")
    assert read(tmp_path) is None
    assert find(tmp_path) is None


def test_the_file_of_a_dead_service_or_of_another_program_is_passed_over(user, stranger, tmp_path):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        (tmp_path / "service.json").write_text(record(closed.getsockname()[1]), encoding="utf-8")
        assert read(tmp_path) is not None
        assert find(tmp_path) is None
    (tmp_path / "service.json").write_text(record(stranger), encoding="utf-8")
    assert find(tmp_path) is None
    running = user(tmp_path)
    assert call(running, "/practice/health").json()["folder"] == running.folder_id
    # The service of one folder is none for another, even for somebody who has its key.
    other = tmp_path / "other"
    other.mkdir()
    known = json.loads((tmp_path / "service.json").read_text(encoding="utf-8"))
    (other / "service.json").write_text(json.dumps(known | {"folder": "other"}), encoding="utf-8")
    assert find(other) is None
    (other / "service.json").write_text(json.dumps(known | {"api_key": "sk-practice-wrong"}), encoding="utf-8")
    assert find(other) is None
    (other / "service.json").write_text(json.dumps(known), encoding="utf-8")
    found = find(other, base_url=running.base_url)
    assert found is not None
    found.release()
    assert find(other, base_url="http://127.0.0.1:9/api/v1") is None


@pytest.mark.parametrize(
    "says",
    [b'{"folder": "other", "settle": 2, "pid": Infinity}', b'{"folder": "other"}', b"[" * 60_000, b"[]", b"\xff"],
)
def test_a_stranger_who_says_strange_things_is_passed_over(stranger, monkeypatch, tmp_path, says):
    monkeypatch.setattr(Stranger, "says", says)
    monkeypatch.setattr(Stranger, "protocol_version", "HTTP/1.1")  # so that it keeps the line, as we do
    (tmp_path / "service.json").write_text(record(stranger), encoding="utf-8")
    assert find(tmp_path) is None


def test_a_port_that_never_answers_costs_a_moment_and_not_the_start(tmp_path, user, monkeypatch):
    monkeypatch.setattr(launch, "_ANSWER_SECONDS", 0.5)
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen()
        (tmp_path / "service.json").write_text(record(mute.getsockname()[1]), encoding="utf-8")
        assert user(tmp_path).alive()


def test_a_service_of_another_version_makes_way(user, tmp_path):
    old = user(tmp_path)
    file = tmp_path / "service.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"version": "0.0.0"}))
    new = user(tmp_path)
    assert new.pid != old.pid
    assert new.folder_id == old.folder_id
    assert not old.alive()


def test_another_engine_than_the_running_one_is_an_error(user, tmp_path):
    running = user(tmp_path, "tone")
    with pytest.raises(SettingsError, match="speaks with the engine 'tone', not 'practice'"):
        ensure(tmp_path, engine="practice")
    assert user(tmp_path, None).pid == running.pid


def test_a_service_in_the_foreground_is_found_by_others_and_stays(process, user, tmp_path):
    foreground = process(FOREGROUND, tmp_path)
    assert foreground.stdout.readline() == "ready\n"
    running = user(tmp_path, None)
    assert running.pid == foreground.pid
    assert running.api_key.reveal() == "sk-my-own-key-0123456789"
    with pytest.raises(AlreadyRunningError, match=f"running already at {running.base_url}"):
        run(tmp_path, stay=False)
    running.release()
    assert not running.alive()
    deadline = time.monotonic() + 2.5  # longer than a service without a user lives
    while time.monotonic() < deadline:
        assert call(running, "/practice/health").status_code == 200
        time.sleep(0.1)
    if os.name == "posix":
        foreground.send_signal(signal.SIGINT)
        assert foreground.wait(10) == 0
        assert not (tmp_path / "service.json").exists()


def test_a_service_that_cannot_start_says_why_in_one_line(tmp_path):
    with pytest.raises(ServiceUnreachableError, match="There is no engine 'kazoo'") as caught:
        ensure(tmp_path / "practice", engine="kazoo")
    assert "\n" not in caught.value.message
    assert "service.log" in caught.value.remedy
    (tmp_path / "file").write_text("no folder")
    for unusable in (tmp_path / "file", tmp_path / "file" / "practice"):
        with pytest.raises(SettingsError, match="cannot use the folder"):
            ensure(unusable)
    (tmp_path / "locked").mkdir()
    (tmp_path / "locked" / "service.lock").mkdir()
    with pytest.raises(SettingsError, match="unable to open database file"):
        run(tmp_path / "locked")
    with pytest.raises(SettingsError, match="no header can carry"):
        run(tmp_path / "practice", api_key="two words")


@pytest.mark.skipif(os.name != "posix", reason="stops a process by a signal")
def test_a_service_that_hangs_is_given_up(user, tmp_path, monkeypatch):
    running = user(tmp_path)
    os.kill(running.pid, signal.SIGSTOP)
    try:
        monkeypatch.setattr(launch, "_ANSWER_SECONDS", 0.2)
        monkeypatch.setattr(launch, "_START_SECONDS", 1.0)
        with pytest.raises(ServiceUnreachableError, match="did not answer within 1 s"):
            ensure(tmp_path)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(running.pid, signal.SIGCONT)
