"""What the diagnosis panel tells the browser, and what its buttons do."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest
from recordings import pcm_wav, sine

import vcnb
from vcnb.audio.clip import Clip, Segment
from vcnb.diagnose.finding import Finding
from vcnb.diagnose.subject import checks
from vcnb.errors import SettingsError
from vcnb.widgets.diagnosis import PLACES, Diagnosis, _shown


@pytest.fixture(autouse=True)
def folder(monkeypatch, tmp_path):
    monkeypatch.setenv("VCNB_DATA", str(tmp_path))
    return tmp_path / "uploads"


@pytest.fixture(scope="module")
def clip():
    return vcnb.load(vcnb.samples()["kathleen_en"])


@pytest.fixture(scope="module")
def poor(clip):
    """Too quiet, and with 2.6 s of silence from 4 s on."""
    rate, samples = clip.sample_rate, clip.samples * 0.25
    parts = [samples[: 4 * rate], np.zeros(int(2.6 * rate), np.float32), samples[4 * rate : 6 * rate]]
    return Clip(np.concatenate(parts), rate, name="balcony.wav")


def until(condition, limit=60.0):
    deadline = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.005)


def judged(panel):
    until(lambda: (panel.verdict and panel.working is None) or panel.error)
    assert panel.error is None, panel.error
    return panel


def tell(panel, kind, **rest):
    panel._handle_custom_msg({"type": kind, **rest}, [])
    until(lambda: panel.working is None)


def by_check(found):
    return {finding["check"]: finding for finding in found}


def test_every_check_is_shown_and_the_report_is_the_kernel_s_own(clip):
    panel, seen = Diagnosis(), []
    panel.observe(lambda change: seen.append(change["new"]), "report")
    panel.clip = clip
    assert panel.clip is clip
    judged(panel)
    assert seen[-1] is panel.report
    assert [finding["check"] for finding in panel.found] == [check.name for check in checks()]
    assert panel.verdict == panel.report.verdict == vcnb.diagnose(clip).verdict
    assert panel.facts == {
        "name": "kathleen_en.wav", "duration": clip.duration, "rate": 24_000, "channels": 1, "depth": 16,
        "format": "WAV", "total": len(checks()),
    }  # fmt: skip
    assert repr(panel) == f"<Diagnosis of {clip!r}>"
    assert panel.before == panel.edits == []


def test_findings_arrive_one_after_the_other_and_the_facts_of_the_file_first(clip, monkeypatch):
    other = Clip(clip.samples[24_000:], 24_000, name="other.wav")
    lengths, real = [], Diagnosis.__setattr__

    def watch(self, name, value):
        if name == "found":
            lengths.append([finding["check"] for finding in value])
        real(self, name, value)

    monkeypatch.setattr(Diagnosis, "__setattr__", watch)
    judged(Diagnosis(other))
    assert lengths[1][0] == "format"
    assert lengths[-2][-1] in ("music", "other_voices", "singing"), "what a network listens for comes last"
    sizes = [len(each) for each in lengths]
    assert sizes == [0, *range(1, len(checks()) + 1), len(checks())]


def test_what_was_declared_is_judged(clip):
    panel = judged(Diagnosis(clip, language="xx"))
    assert by_check(panel.found)["language"]["verdict"] == "fail"
    with pytest.raises(SettingsError, match="no option 'languages'"):
        Diagnosis(clip, languages="en")


def test_one_remedy_is_applied_to_a_copy_and_taken_back(poor):
    panel = judged(Diagnosis(poor))
    was = panel.found
    assert by_check(was)["longest_pause"]["verdict"] == "fail"
    assert [[round(a), round(b)] for a, b in by_check(was)["longest_pause"]["segments"]] == [[4, 7]]
    assert "pause" in [step["word"] for step in panel.steps]
    tell(panel, "mend", word="pause")
    judged(panel)
    assert panel.clip.original is poor
    assert panel.clip.duration < poor.duration - 1
    assert by_check(panel.found)["longest_pause"]["verdict"] == "pass"
    assert [edit["name"] for edit in panel.edits] == ["pause"]
    assert panel.before == was
    assert [clip.name for clip in panel.player.clips] == [poor.name, poor.name]
    assert panel.player.clips[0] is poor
    assert panel.player.clips[1] is panel.clip
    tell(panel, "undo", word="pause")
    judged(panel)
    assert panel.clip is poor
    assert (panel.before, panel.edits, panel.found) == ([], [], was)


def test_all_is_mended_with_its_proof_and_taken_back_one_by_one(poor):
    panel = judged(Diagnosis(poor))
    steps = [step["word"] for step in panel.steps]
    tell(panel, "mend", word=None)
    judged(panel)
    assert panel.report.verdict == "warn"
    assert [finding["check"] for finding in panel.found if finding["verdict"] == "warn"] == ["duration"]
    assert [edit["name"] for edit in panel.edits] == steps == ["pause", "level"]
    assert panel.proof["similarity"] >= 0.97
    peak = 20 * np.log10(np.abs(panel.clip.samples).max())
    assert panel.proof["peak"] == pytest.approx(peak, abs=0.06)
    tell(panel, "undo", word="pause")
    judged(panel)
    assert [edit["name"] for edit in panel.edits] == ["level"]
    assert by_check(panel.found)["longest_pause"]["verdict"] == "fail"
    tell(panel, "undo", word=None)
    assert judged(panel).clip is poor


def test_a_remedy_that_finds_nothing_to_do_says_so(clip):
    panel = judged(Diagnosis(clip))
    tell(panel, "mend", word="rate")
    assert judged(panel).proof["refused"] == ["There was nothing to do; the recording is as it was."]
    assert panel.clip is clip


@pytest.mark.parametrize("given", ["nowhere.wav", b"%PDF-1.7 no sound at all", b""])
def test_what_cannot_be_read_is_shown_as_what_it_is(clip, given):
    threads = threading.active_count()
    panel = Diagnosis(clip)
    panel.clip = given
    assert panel.verdict == "fail"
    (finding,) = panel.found
    assert (finding["check"], finding["verdict"]) == ("format", "fail")
    assert panel.report.findings[0].message == finding["message"]
    assert panel.clip is None
    assert panel.player is None
    until(lambda: threading.active_count() <= threads)
    assert panel.verdict == "fail", "the judgement of the clip before says nothing any more"
    panel.clip = clip
    judged(panel)
    assert len(panel.found) == len(checks())


def test_a_file_that_is_dropped_is_judged_and_leaves_no_copy(folder):
    panel, said = Diagnosis(), []
    panel.send = lambda content, buffers=None: said.append(content["type"])
    assert (panel.clip, panel.report, panel.facts) == (None, None, None)
    for data, last in ((pcm_wav(sine(4, 24_000), 24_000), "arrived"), (b"fLaC" + bytes(3000), "decode")):
        to = {"client": "tab", "id": "1"}
        begin = {"type": "begin", "name": "tone.wav", "size": len(data), "modified": 1, "decoded": False}
        panel._handle_custom_msg(begin | to, [data[:65536]])
        panel._handle_custom_msg({"type": "piece", "offset": 0} | to, [data])
        until(lambda last=last: said[-1] == last)
        judged(panel)
        assert list(folder.iterdir()) == []
    assert panel.found[0]["check"] == "format"
    assert len(panel.found) == 1
    assert panel.clip is None


def test_a_finding_in_very_many_places_stays_small():
    places = tuple(Segment(at / 10, at / 10 + 0.05) for at in range(3 * PLACES))
    shown = _shown(Finding("dropouts", "fail", "Holes.", len(places), "holes", segments=places))
    assert len(shown["segments"]) == PLACES
    assert shown["segments"][0] == [0.0, 0.05]
    assert shown["value"] == 3 * PLACES


def test_a_judgement_ends_with_its_panel(clip):
    panel = Diagnosis(Clip(clip.samples[:-24_000], 24_000))
    panel.close()
    until(lambda: not any(thread.name == "vcnb-diagnosis" for thread in threading.enumerate()))
    assert panel.report is None


def test_a_file_that_is_too_long_is_refused_and_not_left_to_the_browser():
    panel, said = Diagnosis(), []
    panel.send = lambda content, buffers=None: said.append(content)
    data = pcm_wav(np.zeros(601 * 4000, np.float32), 4000, bits=8)
    to = {"client": "tab", "id": "1"}
    begin = {"type": "begin", "name": "lecture.wav", "size": len(data), "modified": 1, "decoded": False}
    panel._handle_custom_msg(begin | to, [data[:65536]])
    for at in range(0, len(data), 1 << 20):
        panel._handle_custom_msg({"type": "piece", "offset": at} | to, [data[at : at + (1 << 20)]])
    until(lambda: said[-1]["type"] != "go")
    assert said[-1]["type"] == "refused"
    assert "best_window" in said[-1]["remedy"]
    assert panel.verdict == "fail"
