"""Voices side by side: each number is that of its own recording."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest
from recordings import voiced

import vcnb
from vcnb.audio.clip import Clip, Speech
from vcnb.errors import ClipError

RATE = 24_000


@pytest.fixture(scope="module")
def comparison():
    low = Clip(voiced(np.full(2 * RATE, 110.0), RATE), RATE, name="low")
    high = Clip(voiced(np.linspace(200, 240, 3 * RATE), RATE, peak=0.05), RATE, name="high")
    silent = Clip(np.zeros(RATE, np.float32), RATE, name="high")
    return vcnb.compare([low, high, silent, vcnb.samples()["kathleen_en"]])


def test_the_table_is_tidy_and_true(comparison):
    frame = comparison.to_frame()
    assert list(frame.columns) == ["item", "measure", "value", "unit"]
    assert len(frame) == 4 * 11
    value = frame.set_index(["item", "measure"]).value
    assert value["low", "f0_median"] == pytest.approx(110, rel=0.01)
    assert value["high", "f0_median"] == pytest.approx(220, rel=0.03)
    assert value["high", "f0_range"] == pytest.approx(2.8, abs=0.4)
    assert value["low", "level"] - value["high", "level"] == pytest.approx(20, abs=3)
    assert value["high", "duration"] == 3
    assert 3.8 < value["kathleen_en.wav", "pace"] < 6


def test_equal_names_stay_apart_and_silence_has_no_pitch(comparison):
    assert comparison.items == ("low", "high", "high (2)", "kathleen_en.wav")
    assert np.isnan(comparison.measures[2]["f0_median"])


def test_a_name_that_looks_counted_is_counted_on():
    clips = [Clip(np.zeros(RATE, np.float32), RATE, name=name) for name in ("Anna (2)", "Anna", "Anna", "Anna (2)")]
    assert vcnb.compare(clips).items == ("Anna (2)", "Anna", "Anna (3)", "Anna (2) (2)")


def test_a_nameless_speech_is_called_after_its_voice():
    speech = Speech(np.zeros(RATE, np.float32), RATE, voice="qwen-tts-vc-me")
    assert vcnb.compare([speech, Clip(np.zeros(RATE, np.float32), RATE)]).items == ("qwen-tts-vc-me", "clip 2")


def test_the_plot_names_its_units(comparison):
    plt.switch_backend("agg")
    figure = comparison.plot()
    figure.canvas.draw()
    shown = {axes.get_title(): axes for axes in figure.axes if axes.get_visible()}
    assert len(shown) == 11
    assert shown["Median pitch"].get_xlabel() == "Hz"
    assert [text.get_text() for text in shown["Median pitch"].texts][2] == "none"
    assert figure.get_suptitle()
    plt.close(figure)


def test_the_page_escapes_names():
    clip = Clip(np.zeros(RATE, np.float32), RATE, name="<script>")
    assert "<script>" not in vcnb.compare([clip])._repr_html_()


@pytest.mark.parametrize("items", [[], "me.wav", Clip(np.zeros(10, np.float32), RATE), None, 3])
def test_there_must_be_a_list_of_recordings(items):
    with pytest.raises(ClipError, match="compare"):
        vcnb.compare(items)
