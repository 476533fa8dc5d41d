"""A report says the worst, says it in every form, and never breaks the page it stands on."""

from __future__ import annotations

import json

import matplotlib.pyplot as plt
import pytest
from recordings import pcm_wav, sine

import vcnb
from vcnb.audio.load import read_clip
from vcnb.diagnose.finding import Finding
from vcnb.diagnose.report import Report, undecided, unreadable, worst
from vcnb.errors import ClipError

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
