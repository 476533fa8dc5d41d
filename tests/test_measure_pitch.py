"""Pitch is the pitch that was made."""

from __future__ import annotations

import numpy as np
import pytest
from recordings import voiced

import vcnb
from vcnb.audio.clip import Segment
from vcnb.measure.pitch import f0_range_semitones, f0_track, held_share, median_f0

RATE = 24_000


@pytest.mark.parametrize("hz", [85.0, 140.0, 220.0, 380.0])
def test_the_median_is_that_of_the_pulses(hz):
    assert median_f0(voiced(np.full(2 * RATE, hz), RATE), RATE) == pytest.approx(hz, rel=0.01)


def test_a_glide_is_followed_in_time():
    made = np.linspace(120, 240, 2 * RATE)
    times, f0 = f0_track(voiced(made, RATE), RATE)
    inside = (times > 0.2) & (times < 1.8)
    assert np.isfinite(f0[inside]).mean() > 0.95
    expected = np.interp(times[inside], np.arange(2 * RATE) / RATE, made)
    assert np.nanmedian(np.abs(f0[inside] / expected - 1)) < 0.01


@pytest.mark.parametrize("semitones", [3.0, 9.0])
def test_the_range_is_that_of_the_glide(semitones):
    made = 130 * 2 ** (np.linspace(0, semitones, 4 * RATE) / 12)
    assert f0_range_semitones(voiced(made, RATE), RATE) == pytest.approx(0.9 * semitones, abs=0.4)


@pytest.mark.parametrize(("depth", "slope", "held"), [(0.0, 0.0, True), (0.5, 0.0, True), (0.0, 9.0, False)])
def test_a_note_is_held_with_vibrato_and_a_glide_is_none(depth, slope, held):
    t = np.arange(4 * RATE) / RATE
    made = 220 * 2 ** ((depth * np.sin(2 * np.pi * 5 * t) + slope * np.abs(t % 2 - 1)) / 12)
    share = held_share(voiced(made, RATE), RATE, [Segment(0, 4)])
    assert share > 0.7 if held else share < 0.16
    assert held_share(voiced(made, RATE), RATE, [Segment(5, 6)]) == 0


@pytest.mark.parametrize("name", list(vcnb.samples()))
def test_a_speaker_holds_no_notes(name):
    clip = vcnb.load(vcnb.samples()[name])
    assert held_share(clip.samples, clip.sample_rate, [Segment(0, clip.duration)]) < 0.13


def test_a_pause_has_no_pitch():
    tone = voiced(np.full(RATE, 150.0), RATE)
    times, f0 = f0_track(np.concatenate([tone, np.zeros(RATE, np.float32), tone]), RATE)
    assert np.isnan(f0[(times > 1.1) & (times < 1.9)]).all()


@pytest.mark.parametrize("n", [0, 10, RATE])
def test_silence_has_no_pitch(n):
    assert np.isnan(median_f0(np.zeros(n, np.float32), RATE))
    assert np.isnan(f0_range_semitones(np.zeros(n, np.float32), RATE))


def test_the_man_speaks_lower_than_the_woman_in_both_languages():
    f0 = {name: median_f0((clip := vcnb.load(path)).samples, clip.sample_rate) for name, path in vcnb.samples().items()}
    assert f0["thorsten_en"] == pytest.approx(f0["thorsten_de"], rel=0.15)
    assert f0["kathleen_en"] > 1.15 * max(f0["thorsten_en"], f0["thorsten_de"])
