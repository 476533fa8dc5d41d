"""The doctor says what is there and what is not, and shows no key."""

from __future__ import annotations

import importlib.util
import shutil
import socket
import sys
from types import SimpleNamespace

import pytest

from vcnb.library.opening import open_store
from vcnb.library.store import FILE_NAME
from vcnb.practice.rules import NOT_CHECKED
from vcnb.workflow import abilities
from vcnb.workflow.doctor import doctor
from vcnb.workflow.health import Health, Item


def found(health, name):
    return [item for item in health.items if item.name == name]


def test_it_names_everything_the_practice_service_does_not_check():
    said = "\n".join(item.found for item in found(doctor(), "practice service"))
    assert NOT_CHECKED
    assert all(each in said for each in NOT_CHECKED)


def test_it_starts_nothing_and_makes_no_folder(tmp_path):
    health = doctor(data=tmp_path / "new")
    assert not (tmp_path / "new").exists()
    assert "not running" in found(health, "practice service")[0].found
    assert str(tmp_path / "new") in found(health, "data folder")[0].found


@pytest.mark.parametrize(
    ("absent", "name", "state", "said"),
    [
        ("espeakng_loader", "practice voice", "note", "speaks English: English by hibari-tts"),
        ("espeakng_loader", "practice voice", "note", "does not speak Chinese, German, Italian"),
        ("lindera", "practice voice, Japanese", "note", "kana"),
        ("hibari", "practice voice, English", "note", "speaks less clearly: hibari-tts is not installed"),
        ("pyworld", "packages", "missing", "pyworld (pitch)"),
        ("websocket", "streaming", "missing", "not live"),
    ],
)
def test_it_says_what_is_lost_without_a_part(monkeypatch, absent, name, state, said):
    look = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda module: None if module == absent else look(module))
    item = found(doctor(), name)[0]
    assert item.state == state
    assert said in item.found
    assert item.remedy or absent == "hibari"


def test_it_names_the_languages_that_this_install_speaks(monkeypatch):
    assert "speaks Chinese, English, German, Italian, " in found(doctor(), "practice voice")[0].found
    look = importlib.util.find_spec
    lost = ("hibari", "espeakng_loader")
    monkeypatch.setattr(importlib.util, "find_spec", lambda module: None if module in lost else look(module))
    item = found(doctor(), "practice voice")[0]
    assert (item.state, item.remedy) == ("missing", "pip install 'vcnb[practice]'")


def test_all_is_well_where_the_tests_run():
    health = doctor()
    assert health.ok, repr(health)
    assert health.to_dict()["ok"] is True


@pytest.fixture
def nobody_dials(monkeypatch):
    """No test reaches a region: what the line would say is given."""
    line = SimpleNamespace(trouble="")
    monkeypatch.setattr(abilities, "reached", lambda base: line.trouble)
    return line


def test_it_tells_where_requests_would_go_and_masks_the_key(monkeypatch, tmp_path, nobody_dials):
    assert "nothing leaves it" in found(doctor(), "service")[0].found
    assert "practising needs none" in found(doctor(), "key")[0].found
    monkeypatch.setenv("DASHSCOPE_API_KEY", "sk-0123456789abcdefghij")
    health = doctor()
    assert "'singapore'" in found(health, "service")[0].found
    assert "found in DASHSCOPE_API_KEY" in found(health, "key")[0].found
    assert "0123456789" not in repr(health) + health._repr_html_() + str(health.to_dict())
    monkeypatch.delenv("DASHSCOPE_API_KEY")
    (tmp_path / "kept").write_text("sk-0123456789abcdefghij")
    monkeypatch.setenv("DASHSCOPE_API_KEY_FILE_PATH", str(tmp_path / "kept"))
    assert "the SDK's key file" in found(doctor(), "key")[0].found


def test_a_region_that_cannot_be_reached_is_missing_and_says_why(monkeypatch, nobody_dials):
    monkeypatch.setenv("DASHSCOPE_API_KEY", "sk-0123456789abcdefghij")
    assert found(doctor("beijing"), "service")[0].state == "ok"
    nobody_dials.trouble = "its name is not known"
    item = found(doctor("beijing"), "service")[0]
    assert item.state == "missing"
    assert "dashscope.aliyuncs.com/api/v1: its name is not known" in item.found
    assert "proxy" in item.remedy


def test_a_service_is_reached_where_somebody_listens_and_not_where_nobody_does(practice):
    assert abilities.reached(practice.base_url) == ""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{closed.getsockname()[1]}/api/v1"
        assert abilities.reached(address) == "nobody listens there"
    health = doctor(base_url=address)
    assert not health.ok
    assert str(health) == "Missing: service."


@pytest.mark.parametrize(
    ("sign", "where", "state", "said"),
    [
        (None, "jupyter", "ok", "the browser asks"),
        ("COLAB_RELEASE_TAG", "colab", "note", "never tried in Colab"),
        ("BINDER_LAUNCH_HOST", "binder", "ok", "over https"),
        ("__vsc_ipynb_file__", "vscode", "note", "VS Code lets no notebook use one"),
        ("SERVER_SOFTWARE", "voila", "ok", "the browser asks"),
    ],
)
def test_each_front_end_is_known_by_its_sign_and_told_about_its_microphone(monkeypatch, sign, where, state, said):
    assert abilities.front_end() == ""
    names = {sign: "x.ipynb"} if sign == "__vsc_ipynb_file__" else {}
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: SimpleNamespace(user_ns=names)))
    for name in ("COLAB_RELEASE_TAG", "BINDER_LAUNCH_HOST", "SERVER_SOFTWARE"):
        monkeypatch.delenv(name, raising=False)
    if sign and not names:
        monkeypatch.setenv(sign, "voila/0.5.13")
    assert abilities.front_end() == where
    item = abilities.microphone()
    assert (item.state, said in item.found) == (state, True)
    assert item.remedy or where == "binder"


def test_a_full_disk_is_noted_for_what_it_has_no_room_for(monkeypatch, tmp_path):
    for free, upload, space in ((2e9, "ok", "ok"), (0.9e9, "ok", "note"), (0.5e9, "note", "note")):
        monkeypatch.setattr(shutil, "disk_usage", lambda _, free=free: SimpleNamespace(free=free))
        assert [abilities.upload(tmp_path).state, abilities.space(tmp_path).state] == [upload, space]


def test_the_library_is_counted_where_it_is_and_what_is_none_is_left_alone(tmp_path):
    assert "empty" in abilities.library(tmp_path).found
    open_store(tmp_path).close()
    assert abilities.library(tmp_path).found == "0 voices, 0 recordings, 0 takes"
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / FILE_NAME).write_bytes(b"no library, but a hundred bytes of something else entirely" * 2)
    item = abilities.library(tmp_path / "other")
    assert item.state == "missing"
    assert "move the file away" in item.remedy


def test_a_table_in_a_notebook_says_the_verdict_first_and_marks_each_row():
    shown = Health((Item("upload", "ok", "fine"), Item("key", "missing", "a < b", "mend it")))._repr_html_()
    assert shown.index("Missing: key.") < shown.index("<table>")
    assert '<td class="vcnb-ok">✓ ok</td><td>upload</td>' in shown
    assert "<td>a &lt; b</td><td>mend it</td>" in shown


def test_settings_that_cannot_work_are_a_finding_and_no_crash():
    item = found(doctor("mars"), "service")[0]
    assert item.state == "missing"
    assert "mars" in item.found


def test_what_it_found_is_escaped_in_a_notebook(tmp_path):
    assert "<b>" not in doctor(data=tmp_path / "<b>")._repr_html_()


def test_a_folder_that_cannot_be_written_is_missing(tmp_path):
    (tmp_path / "file").write_text("")
    assert found(doctor(data=tmp_path / "file" / "deeper"), "data folder")[0].state == "missing"
