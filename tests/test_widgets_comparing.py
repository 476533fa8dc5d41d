"""Comparing and grids on the kernel's side: what is drawn is what the tables say."""

from __future__ import annotations

import dataclasses
import json
import threading
import time

import numpy as np
import pytest
from recordings import voiced

import vcnb
from vcnb.audio.clip import Clip, Speech
from vcnb.compare.comparison import compare
from vcnb.compare.drawn import drawn
from vcnb.errors import CancelledError, ClipError
from vcnb.protocol.voice import Voice
from vcnb.widgets.comparing import Comparing
from vcnb.widgets.grid import GridPanel
from vcnb.workflow.grids import Grid, Row
from vcnb.workflow.measuring import measure_take

HOSTILE = "<script>alert(1)</script>"


def cut(name, start, stop, called):
    clip = vcnb.load(vcnb.samples()[name])
    return Clip(
        clip.samples[round(start * clip.sample_rate) : round(stop * clip.sample_rate)], clip.sample_rate, name=called
    )


@pytest.fixture(scope="module")
def comparison():
    return compare(
        [
            cut("kathleen_en", 0, 4, "kathleen"),
            cut("thorsten_en", 2, 6, HOSTILE),
            cut("kathleen_en", 1, 2, "one second"),
            cut("kathleen_en", 6, 10, "kathleen, later"),
        ]
    )


@pytest.fixture
def sent(monkeypatch):
    """Collect what a panel sends; its long work runs at once."""
    messages = []
    for panel in (Comparing, GridPanel):
        monkeypatch.setattr(panel, "send", lambda self, content, buffers=None: messages.append((content, buffers)))
        monkeypatch.setattr(panel, "work", lambda self, kind, run: run(lambda *_: None, threading.Event()))
    return messages


def test_what_is_drawn_is_what_the_tables_say(comparison):
    told = json.loads(json.dumps(drawn(comparison), allow_nan=False))
    cosines = comparison.similarity().to_numpy()
    np.testing.assert_allclose(np.array(told["cosines"], float), cosines, rtol=1e-4)
    table = comparison.pairs().set_index(["item", "other"])
    places = [(i, j) for i in range(4) for j in range(i + 1, 4)]
    for (i, j), pair in zip(places, told["pairs"], strict=True):
        wanted = table.loc[(comparison.items[i], comparison.items[j])]
        assert pair["words"] == wanted["words"]
        assert (pair["likelihood_ratio"] is None) == bool(np.isnan(wanted["likelihood_ratio"]))
        if pair["low"] is not None:
            assert pair["low"] == pytest.approx(wanted["low"], rel=1e-4)
    frame = comparison.to_frame().set_index(["item", "measure"])["value"]
    for item, values in zip(told["items"], told["values"], strict=True):
        for measure, value in zip(told["measures"], values, strict=True):
            wanted = frame.loc[(item, measure["name"])]
            assert value is None if np.isnan(wanted) else value == pytest.approx(wanted, rel=1e-4)


def test_the_tree_joins_the_same_speaker_first_and_leaves_out_what_is_not_known(comparison):
    told = drawn(comparison)
    assert told["order"][-1] == 2, "one second is too little to know a voice by"
    first = told["order"][:3]
    assert abs(first.index(0) - first.index(3)) == 1, "kathleen beside kathleen"
    heights = sorted(max(y for _, y in joint) for joint in told["tree"])
    assert heights[0] == pytest.approx(1 - comparison.similarity().to_numpy()[0, 3], rel=1e-3)
    assert len(heights) == 2
    assert told["map"]["points"][2] == [None, None]


def test_the_curves_are_densities_and_the_pair_of_one_speaker_lies_under_the_right_one(comparison):
    curves = drawn(comparison)["curves"]
    cosine = np.array(curves["cosine"])
    for name in ("same", "different"):
        assert np.trapezoid(curves[name], cosine) == pytest.approx(1, abs=0.05)
    assert cosine[np.argmax(curves["same"])] > 0.7 > cosine[np.argmax(curves["different"])]


def test_the_panel_has_the_comparison_and_saves_nothing_of_it(comparison, sent):
    panel = Comparing(comparison)
    assert panel.comparison is comparison
    (told,) = [content for content, _ in sent if content["type"] == "drawn"]
    assert told["items"][1] == HOSTILE
    assert len(told["sounds"]) == 4
    assert HOSTILE not in repr(panel.get_state())
    sent.clear()
    panel._handle_custom_msg({"type": "need", "key": "3", "client": "me", "ranges": [[0, 100]]}, [])
    content, buffers = sent[-1]
    scale, kind = {"s16": (32768, "<i2"), "f32": (1, "<f4")}[content["format"]]
    np.testing.assert_array_equal(np.frombuffer(buffers[0], kind) / scale, comparison.clips[3].samples[:100])


def test_a_blind_test_is_of_the_chosen_ones_and_the_report_goes_to_who_asked(comparison, sent):
    panel = Comparing(comparison)
    panel._handle_custom_msg({"type": "listen", "kind": "ab", "items": [3, 0], "client": "me"}, [])
    assert panel.test.listening.items == ("kathleen, later", "kathleen")
    panel._handle_custom_msg({"type": "report", "client": "me"}, [])
    content, (page,) = sent[-1]
    assert content == {"type": "report", "client": "me"}
    assert page.decode().count("<audio") == 4
    assert HOSTILE not in page.decode()


def test_measuring_can_be_stopped_between_two_clips(comparison):
    seen = []

    def stop(name, share):
        seen.append((name, share))
        if len(seen) == 2:
            raise CancelledError("stopped", remedy="go on")

    with pytest.raises(CancelledError):
        compare(comparison.clips, progress=stop)
    assert seen == [("kathleen", 0.0), (HOSTILE, 0.25)]


@pytest.mark.parametrize("wrong", ["one.wav", 5, Clip(np.zeros(10, np.float32), 8000)])
def test_what_is_no_list_is_refused(wrong):
    with pytest.raises(ClipError, match=r"One recording alone|int cannot be compared"):
        Comparing(wrong)


def test_more_clips_than_a_picture_can_hold_are_refused_before_they_are_measured():
    clip = Clip(np.zeros(10, np.float32), 8000)
    with pytest.raises(ClipError, match="41 recordings"):
        Comparing([clip] * 41)


def test_nothing_and_silence_are_no_errors(sent):
    assert Comparing().comparison is None
    rate = 16_000
    silent = Clip(np.zeros(2 * rate, np.float32), rate, name="silent")
    tone = Clip(voiced(np.full(2 * rate, 120.0), rate), rate, name="tone")
    panel = Comparing([silent, tone])
    assert panel.comparison.items == ("silent", "tone")
    told = next(content for content, _ in sent if content["type"] == "drawn")
    json.dumps(told, allow_nan=False)
    assert told["sounds"][0]["lufs"] is None


@pytest.fixture(scope="module")
def grid():
    """A grid of one voice and a text that was spoken five times, and a sixth time by somebody else."""
    voice = Voice("qwen-tts-vc-kathleen-voice-1", "kathleen", "qwen3-tts-vc-2026-01-22")
    parts = [cut("kathleen_en", at, at + 5, "") for at in (0, 2, 4, 6, 8)] + [cut("thorsten_en", 2, 7, "")]
    takes = [
        Speech(part.samples, part.sample_rate, text="Some words that are said.", voice=voice.voice) for part in parts
    ]
    rows = [
        Row(voice, "Some words that are said.", at, str(at), measure_take(take, None), None)
        for at, take in enumerate(takes)
    ]
    lost = Row(voice, "Never said.", 0, None, None, ClipError("The service refused it.", remedy="change it"))
    return Grid((*rows, lost), None)


def test_each_cell_has_its_verdict_its_evidence_and_its_error(grid, sent):
    panel = GridPanel(grid)
    panel._handle_custom_msg({"type": "hello", "client": "me"}, [])
    assert panel.error is None
    cells = json.loads(json.dumps(sent[-1][0], allow_nan=False))["cells"]
    table = grid.to_frame()
    assert [cell["verdict"] for cell in cells] == list(table["verdict"])
    assert [cell["words"] for cell in cells] == list(table["evidence"])
    speaker = {check["check"]: check["verdict"] for check in cells[5]["checks"]}["speaker"]
    assert speaker == "fail", "the one who is somebody else"
    assert cells[6]["error"] == "The service refused it."
    assert not cells[6]["spoken"]
    measures = [measure["name"] for measure in sent[-1][0]["measures"]]
    assert cells[0]["values"][measures.index("duration")] == pytest.approx(5.0, abs=0.01)
    assert "Some words" not in repr(panel.get_state())


def test_a_thousand_cells_are_told_in_seconds(grid, sent):
    many = dataclasses.replace(grid, rows=grid.rows[:5] * 200)
    began = time.process_time()
    GridPanel(many)._handle_custom_msg({"type": "hello", "client": "me"}, [])
    assert len(sent[-1][0]["cells"]) == 1000
    assert time.process_time() - began < 8
    assert len(json.dumps(sent[-1][0])) < 2_000_000
