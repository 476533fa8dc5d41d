"""`vcnb lab` lays tutorials out without touching what a user changed, and ends without leaving anything behind."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request

import pytest

from vcnb.cli.lab import FIRST, copy_tutorials, tutorials
from vcnb.errors import SettingsError


@pytest.fixture
def shipped(tmp_path):
    folder = tmp_path / "shipped"
    (folder / "more").mkdir(parents=True)
    (folder / FIRST).write_text("one")
    (folder / "more" / "02.ipynb").write_text("two")
    return folder


def test_tutorials_are_laid_out_as_they_were_shipped(shipped, tmp_path):
    target = copy_tutorials(shipped, tmp_path / "mine")
    assert (target / FIRST).read_text() == "one"
    assert (target / "more" / "02.ipynb").read_text() == "two"


def test_what_a_user_changed_is_never_overwritten(shipped, tmp_path):
    target = copy_tutorials(shipped, tmp_path / "mine")
    (target / FIRST).write_text("my notes")
    copy_tutorials(shipped, target)
    assert (target / FIRST).read_text() == "my notes"
    assert not list(target.glob("*-new*"))
    (shipped / FIRST).write_text("one, better")
    copy_tutorials(shipped, target)
    assert (target / FIRST).read_text() == "my notes"
    assert (target / "00_start_here-new.ipynb").read_text() == "one, better"


def test_what_a_user_left_alone_follows_a_newer_version(shipped, tmp_path):
    target = copy_tutorials(shipped, tmp_path / "mine")
    (shipped / FIRST).write_text("one, better")
    copy_tutorials(shipped, target)
    assert (target / FIRST).read_text() == "one, better"
    assert not list(target.glob("*-new*"))


def test_a_newer_version_that_was_laid_beside_and_changed_is_kept_too(shipped, tmp_path):
    target = copy_tutorials(shipped, tmp_path / "mine")
    (target / FIRST).write_text("my notes")
    for version in ("one, better", "one, best"):
        (shipped / FIRST).write_text(version)
        copy_tutorials(shipped, target)
        beside = target / "00_start_here-new.ipynb"
        assert beside.read_text() == version
    beside.write_text("my notes on the new one")
    (shipped / FIRST).write_text("one, at last")
    copy_tutorials(shipped, target)
    kept = {path.read_text() for path in target.glob("*.ipynb")}
    assert {"my notes", "my notes on the new one", "one, at last"} <= kept


def test_in_a_clone_the_repositorys_own_notebooks_are_opened(tmp_path):
    assert (tutorials(tmp_path) / FIRST).is_file()
    assert not list(tmp_path.iterdir())


def test_a_port_that_is_taken_is_said_so(tmp_path, monkeypatch):
    from vcnb.cli import lab

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(SettingsError, match="is taken"):
            lab._free_port(taken.getsockname()[1])
        assert lab._free_port(None) != taken.getsockname()[1]


@pytest.mark.skipif(os.name == "nt", reason="signals are told otherwise there")
def test_it_starts_says_where_and_ends_cleanly(tmp_path):
    surroundings = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}
    command = [sys.executable, "-m", "vcnb", "lab", "--json", "--data", str(tmp_path / "data")]
    with subprocess.Popen(
        command, env=surroundings, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True
    ) as process:
        try:
            url = json.loads(process.stdout.readline())["url"]
            opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
            with opener.open(url, timeout=30) as page:
                assert page.status == 200
                assert "apputils-extension:announcements" in page.read().decode()  # among what is switched off
            service = json.loads((tmp_path / "data" / "practice" / "service.json").read_text())
            assert service["base_url"].startswith("http://127.0.0.1:")
            process.send_signal(signal.SIGTERM)
            assert process.wait(40) == 0
            with pytest.raises(OSError, match=r"."):
                opener.open(url, timeout=5)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
