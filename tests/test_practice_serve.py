"""The service as a process: it keeps its account through kill -9, and ends when its last user has gone."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import requests
from held import Practice, WatchedEngine
from test_practice_realtime import Line

import vcnb
from vcnb.practice import serve as serving
from vcnb.practice.serve import Service, serve
from vcnb.protocol.enrollment import create_payload, data_uri, list_payload

MODEL = "qwen3-tts-vc-2026-01-22"
SCRIPT = """
import json, sys
from pathlib import Path
from vcnb.practice import control
from vcnb.practice.serve import serve

control.FIRST_LEASE_SECONDS = float(sys.argv[3])

def ready(service):
    about = {"base_url": service.base_url, "folder": service.folder_id, "key": service.api_key.reveal()}
    sys.stdout.write(json.dumps(about) + "\\n")
    sys.stdout.flush()

serve(Path(sys.argv[1]), engine="tone", on_ready=ready, stay=sys.argv[2] == "stay")
"""


class Process:
    """A practice service in a process of its own."""

    def __init__(self, folder: Path, *, stay: bool = True, first_lease: float = 30.0) -> None:
        arguments = [str(folder), "stay" if stay else "leave", str(first_lease)]
        self.popen = subprocess.Popen([sys.executable, "-c", SCRIPT, *arguments], stdout=subprocess.PIPE, text=True)
        assert self.popen.stdout is not None
        about = json.loads(self.popen.stdout.readline())
        self.base_url, self.folder_id = about["base_url"], about["folder"]
        self.headers = {"Authorization": f"Bearer {about['key']}"}

    def ask(self, path, payload):
        return requests.post(self.base_url + path, json=payload, headers=self.headers, timeout=20)

    def health(self):
        root = self.base_url.removesuffix("/api/v1")
        return requests.get(root + "/practice/health", headers=self.headers, timeout=20).json()


@contextlib.contextmanager
def process(folder, **options):
    running = Process(folder, **options)
    try:
        yield running
    finally:
        running.popen.kill()
        running.popen.wait(10)
        running.popen.stdout.close()


def test_what_was_answered_is_still_there_after_kill_9(tmp_path):
    uri = data_uri(vcnb.samples()["kathleen_en"].read_bytes(), "audio/wav")
    message = {"model": MODEL, "input": {"text": "hello there"}}
    customization, generation = "/services/audio/tts/customization", "/services/aigc/multimodal-generation/generation"
    with process(tmp_path) as first:
        made = first.ask(customization, create_payload(target_model=MODEL, preferred_name="kept", audio=uri)).json()
        message["input"]["voice"] = made["output"]["voice"]
        url = first.ask(generation, message).json()["output"]["audio"]["url"]
        sound = requests.get(url, timeout=10).content
        first.popen.send_signal(signal.SIGKILL)
        first.popen.wait(10)
    with process(tmp_path) as second:
        assert second.folder_id == first.folder_id
        rows = second.ask(customization, list_payload(0, 10)).json()["output"]["voice_list"]
        assert [row["voice"] for row in rows] == [made["output"]["voice"]]
        again = second.ask(generation, message).json()["output"]["audio"]["url"]
        assert requests.get(again, timeout=10).content == sound
        # The address of a result outlives the process as well; only the port is another one.
        moved = url.replace(first.base_url.removesuffix("/api/v1"), second.base_url.removesuffix("/api/v1"))
        assert requests.get(moved, timeout=10).content == sound


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGTERM there")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_in_order(tmp_path, number):
    with process(tmp_path) as running:
        running.popen.send_signal(number)
        assert running.popen.wait(10) == 0
    assert not (tmp_path / "practice.sqlite-wal").exists()


def lease(running):
    host, port = running.base_url.split("/")[2].split(":")
    line = socket.create_connection((host, int(port)), timeout=10)
    key = running.headers["Authorization"]
    head = f"GET /practice/lease HTTP/1.1\r\nHost: {host}:{port}\r\nAuthorization: {key}\r\n\r\n"
    line.sendall(head.encode())
    assert line.recv(12) == b"HTTP/1.1 200"
    return line


def test_it_ends_soon_after_its_last_user(tmp_path):
    with process(tmp_path, stay=False) as running:
        one, other = lease(running), lease(running)
        assert running.health()["leases"] == 2
        one.close()
        with pytest.raises(subprocess.TimeoutExpired):
            running.popen.wait(2.5)
        other.close()
        gone = time.monotonic()
        assert running.popen.wait(10) == 0
        assert time.monotonic() - gone < 5


def test_it_ends_when_nobody_ever_came(tmp_path):
    with process(tmp_path, stay=False, first_lease=0.5) as running:
        assert running.popen.wait(10) == 0


def test_a_user_who_stays_for_a_moment_was_a_user(tmp_path):
    with process(tmp_path, stay=False) as running:
        lease(running).close()
        assert running.popen.wait(10) == 0


def test_it_stops_although_its_clients_have_stopped_reading(tmp_path):
    engine = WatchedEngine()
    service = Service(tmp_path, engine=engine)
    service.start_thread()
    deaf = Practice(service, engine)
    with contextlib.ExitStack() as lines:
        for _ in range(4):
            line = lines.enter_context(Line(deaf))
            line.configure(deaf, mode="commit")
            line.say("input_text_buffer.append", text="x" * 20_000)
            line.say("input_text_buffer.commit")
        before, deadline = -1, time.monotonic() + 20
        while before != engine.n_pieces and time.monotonic() < deadline:  # until all buffers on the way are full
            before = engine.n_pieces
            time.sleep(0.3)
        begun = time.monotonic()
        stopping = threading.Thread(target=service.stop_thread, daemon=True)
        stopping.start()
        stopping.join(15)
        assert time.monotonic() - begun < 10


def test_a_port_that_is_taken_is_said_and_leaves_nothing_open(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(OSError, match="address already in use"):
            serve(tmp_path, port=taken.getsockname()[1], engine="tone")
    assert not (tmp_path / "practice.sqlite-wal").exists()


@pytest.mark.parametrize(("named", "warmed"), [(None, True), ("tone", False)])
def test_only_the_real_engine_says_a_word_before_it_is_asked(tmp_path, monkeypatch, named, warmed):
    engine = WatchedEngine()
    monkeypatch.setattr(serving, "choose", lambda _: engine)
    service = Service(tmp_path, engine=named)
    service.start_thread()
    deadline = time.monotonic() + 10
    while warmed and not engine.n_pieces and time.monotonic() < deadline:
        time.sleep(0.01)
    service.stop_thread()
    assert engine.n_pieces == (1 if warmed else 0)


def test_health_says_who_it_is(practice):
    about = practice.ask("GET", "/practice/health").json()
    assert about == about | {"folder": practice.service.folder_id, "pid": os.getpid(), "settle": 2, "engine": "tone-1"}


def test_the_key_shows_nowhere(practice):
    assert practice.api_key.reveal() not in repr(practice.service) + repr(vars(practice.service)) + str(
        practice.api_key
    )


def test_it_stops_although_a_request_hangs_and_a_socket_is_open(tmp_path):
    service = Service(tmp_path, engine="tone")
    service.start_thread()
    headers = {"Authorization": f"Bearer {service.api_key.reveal()}"}
    root = service.base_url.removesuffix("/api/v1")
    requests.post(root + "/practice/faults", json={"fault": "stall", "operation": "list"}, headers=headers, timeout=5)
    body = b'{"model": "qwen-voice-enrollment", "input": {"action": "list"}}'
    head = f"POST /api/v1/services/audio/tts/customization HTTP/1.1\r\nHost: 127.0.0.1:{service.port}\r\n"
    head += f"Authorization: {headers['Authorization']}\r\nContent-Length: {len(body)}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", service.port)) as line:
        line.sendall(head.encode() + body)
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            if requests.get(root + "/practice/faults", headers=headers, timeout=5).json()["requests"]:
                break
        begun = time.monotonic()
        service.stop_thread()
        assert time.monotonic() - begun < 5
