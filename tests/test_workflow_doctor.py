"""The doctor says what is there and what is not, and shows no key."""

from __future__ import annotations

import importlib.util

import pytest

from vcnb.practice.rules import NOT_CHECKED
from vcnb.workflow.doctor import doctor


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


def test_it_tells_where_requests_would_go_and_masks_the_key(monkeypatch):
    assert "none is needed" in found(doctor(), "service")[0].found
    monkeypatch.setenv("DASHSCOPE_API_KEY", "sk-0123456789abcdefghij")
    health = doctor()
    assert "'singapore'" in found(health, "service")[0].found
    assert "0123456789" not in repr(health) + health._repr_html_() + str(health.to_dict())


def test_settings_that_cannot_work_are_a_finding_and_no_crash():
    item = found(doctor("mars"), "service")[0]
    assert item.state == "missing"
    assert "mars" in item.found


def test_what_it_found_is_escaped_in_a_notebook(tmp_path):
    assert "<b>" not in doctor(data=tmp_path / "<b>")._repr_html_()


def test_a_folder_that_cannot_be_written_is_missing(tmp_path):
    (tmp_path / "file").write_text("")
    assert found(doctor(data=tmp_path / "file" / "deeper"), "data folder")[0].state == "missing"
