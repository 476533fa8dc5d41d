"""A report says the worst, says it in every form, and never breaks the page it stands on."""

from __future__ import annotations

import json
import re
import threading

import matplotlib.pyplot as plt
import pytest
from recordings import pcm_wav, sine

import vcnb
from vcnb.audio.load import read_clip
from vcnb.diagnose.finding import Finding
from vcnb.diagnose.page import as_page
from vcnb.diagnose.report import Report, undecided, unreadable, worst
from vcnb.errors import CancelledError, ClipError, SettingsError

HOSTILE = "<script>alert(1)</script> & $x_{y$.wav"


@pytest.fixture
def figures(monkeypatch):
    monkeypatch.setattr(plt, "show", lambda: None)
    plt.switch_backend("agg")
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def report():
    return vcnb.diagnose(read_clip(pcm_wav(sine(61.0, 16_000), 16_000, n_channels=2), name=HOSTILE))


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ({"a": "pass", "b": "pass"}, "pass"),
        ({"a": "pass", "b": "warn"}, "warn"),
        ({"a": "fail", "b": "warn"}, "fail"),
        ({"a": "pass", "b": "unknown"}, "warn"),
        ({"a": "fail", "b": "unknown"}, "fail"),
        ({"a": "pass", "language": "unknown", "transcript": "unknown"}, "pass"),
        ({}, "warn"),
    ],
)
def test_the_worst_verdict_counts_and_unknown_is_no_pass(verdicts, expected):
    assert worst(Finding(check, verdict, "") for check, verdict in verdicts.items()) == expected


def test_hard_failures_are_those_that_the_service_would_refuse(report):
    assert [each.check for each in report.hard_failures] == ["duration", "sample_rate", "channels"]
    soft = Finding("noise", "fail", "", hard=False)
    assert Report("", (soft,)).hard_failures == ()
    assert Report("", (soft,)).verdict == "fail"


def test_json_of_a_name_that_no_encoding_can_write_can_be_written():
    assert json.loads(Report("\udcff.wav", ()).to_json().encode())["file"] == "\udcff.wav"


def test_json_is_one_line_of_the_agreed_form(report):
    line = report.to_json()
    assert "\n" not in line
    page = json.loads(line)
    assert (page["file"], page["verdict"]) == (HOSTILE, "fail")
    duration = page["findings"][1]
    assert duration["segments"] == [[60.0, 61.0]]
    assert {"check", "verdict", "value", "unit", "required", "segments", "message", "remedy"} <= set(duration)


def test_one_line_says_what_fails_with_its_value(report):
    line = str(report)
    assert "\n" not in line
    assert line.startswith(f"{HOSTILE}: fail - duration fail (61.0 s), sample_rate fail (16000 Hz), channels fail (2)")
    assert f"of {len(report.findings)} checks pass" in line


def test_praat_gets_a_tier_for_each_marked_check_that_covers_all_of_the_time(report):
    lines = report.to_textgrid().splitlines()
    assert lines[:2] == ['File type = "ooTextFile"', 'Object class = "TextGrid"']
    assert float(lines[4]) == 61.0
    marked = [each for each in report.findings if each.segments]
    assert lines[6] == str(len(marked))
    at = lines.index('"duration"')
    assert lines[at - 1] == '"IntervalTier"'
    assert [float(each) for each in lines[at + 1 : at + 3]] == [0.0, 61.0]
    assert lines[at + 3 : at + 10] == ["2", "0.000000", "60.000000", '""', "60.000000", "61.000000", '"fail"']
    with pytest.raises(ClipError, match="nothing to mark"):
        Report("", ()).to_textgrid()


def test_facts_of_the_file_are_told_before_what_is_measured_and_what_a_network_hears():
    clip = read_clip(pcm_wav(sine(3.5, 16_000, hz=333.0), 16_000))
    told = []
    found = vcnb.diagnose(clip, on_finding=told.append)
    names = [each.check for each in told]
    assert names[:2] == ["format", "duration"]
    assert set(names[-3:]) == {"music", "other_voices", "singing"}
    assert sorted(names) == sorted(each.check for each in found.findings)


def test_no_recording_is_judged_twice_and_what_is_declared_is_judged_anew(monkeypatch):
    from vcnb.diagnose import subject

    data = pcm_wav(sine(3.5, 16_000, hz=222.0), 16_000)
    first = vcnb.diagnose(data)
    monkeypatch.setattr(subject, "sound_events", None)  # to be called again would raise
    again = vcnb.diagnose(data, language="de")
    assert again.findings[:-2] == first.findings[:-2]
    assert [each.verdict for each in again.findings if each.check == "language"] == ["pass"]
    with pytest.raises(TypeError):
        vcnb.diagnose(pcm_wav(sine(3.5, 16_000, hz=221.0), 16_000))


@pytest.mark.parametrize("declared", [{"transcript": 5}, {"language": 5}, {"language": b"en"}])
def test_what_is_declared_is_a_string(declared):
    with pytest.raises(SettingsError, match=f"The {next(iter(declared))} is no string but"):
        vcnb.diagnose(pcm_wav(sine(3.5, 16_000), 16_000), **declared)


def test_a_diagnosis_can_be_stopped():
    cancel = threading.Event()
    told = []

    def stop(finding):
        told.append(finding)
        cancel.set()

    with pytest.raises(CancelledError):
        vcnb.diagnose(pcm_wav(sine(3.5, 16_000, hz=220.0), 16_000), on_finding=stop, cancel=cancel)
    assert len(told) == 1


def test_a_report_comes_back_from_its_plain_values(report):
    again = Report.from_dict(report.to_dict(), report.clip)
    assert again.findings == report.findings
    assert again.verdict == report.verdict


def test_a_page_of_many_lists_them_and_escapes_their_names(report):
    page = as_page([Report(HOSTILE, report.findings), unreadable("b.wav", ClipError("The file is empty."))])
    assert "<script>" not in page
    assert page.count('href="#r') == 2
    assert "color-scheme" in page


def test_the_table_has_a_row_for_each_check(report):
    frame = report.to_frame()
    assert frame.loc["sample_rate", ["verdict", "value", "unit"]].tolist() == ["fail", 16_000, "Hz"]
    assert len(frame) == len(report.findings)


def test_the_page_escapes_what_it_was_given(report):
    page = report._repr_html_()
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert page.count("<tr>") == 1 + len(report.findings)
    assert "data:image/png;base64," in page
    assert len(page) < 200_000


def test_the_plot_marks_the_finding_and_names_its_units(report, figures):
    figure = report.plot()
    figure.canvas.draw()
    assert HOSTILE in figure.get_suptitle()
    wave, mel = figure.axes[:2]
    assert "amplitude" in wave.get_ylabel()
    assert "Hz" in mel.get_ylabel()
    assert "(s)" in mel.get_xlabel()
    names = [text.get_text() for text in wave.texts]
    assert "duration: fail" in names
    assert len(names) == len(set(names)) == sum(bool(each.segments) for each in report.findings)
    assert mel.patches[0].get_extents().width > 0


def test_an_unreadable_file_still_has_a_report():
    report = unreadable("me.wav", ClipError("The file is empty.", remedy="record it again"))
    assert (report.verdict, [each.check for each in report.findings]) == ("fail", ["format"])
    assert "empty" in report._repr_html_()
    with pytest.raises(ClipError, match=r"me\.wav"):
        report.plot()


def test_what_could_not_be_fetched_is_unknown_and_no_pass():
    report = undecided("https://example.org/me.wav", "The address did not answer.")
    assert (report.verdict, {each.verdict for each in report.findings}) == ("warn", {"unknown"})
    assert not report.hard_failures


@pytest.mark.parametrize("name", list(vcnb.samples()))
def test_a_real_recording_is_judged_from_its_path(name):
    report = vcnb.diagnose(vcnb.samples()[name])
    # Thorsten recorded far too quietly.
    assert report.verdict == ("pass" if name == "kathleen_en" else "fail")
    assert (
        [each.check for each in report.findings if each.verdict == "fail"] == [] if name == "kathleen_en" else ["level"]
    )
    assert "duration" in repr(report)


def test_what_cannot_be_read_is_an_error_and_no_report(tmp_path):
    with pytest.raises(ClipError, match="no such file"):
        vcnb.diagnose(tmp_path / "nowhere.wav")


def test_the_page_begins_with_what_is_to_be_done(report):
    page = as_page([unreadable("scan.pdf", ClipError("No sound.", remedy="give a WAV file")), report])
    assert "No sound. Give a WAV file." in page
    verdicts = re.findall(r"<td><span class=\"vcnb-verdict vcnb-(\w+)", page.split('<section id="r1">')[1])
    assert verdicts == sorted(verdicts, key=["fail", "warn", "unknown", "pass"].index)
    assert {"fail", "unknown", "pass"} <= set(verdicts)
