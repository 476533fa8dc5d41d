"""Clipping is found where it was made, and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest
from recordings import sine

import vcnb
from vcnb.audio.clip import Segment
from vcnb.audio.clipping import clipped_segments, merged


@pytest.fixture(scope="module")
def speech():
    clip = vcnb.load(vcnb.samples()["kathleen_en"])
    return clip.samples, clip.sample_rate


@pytest.mark.parametrize("gain", [1.0, 0.5])
def test_a_cut_stretch_of_speech_is_found_where_it_lies(speech, gain):
    samples, sample_rate = speech
    samples = samples / np.abs(samples).max()
    start, end = 4 * sample_rate, 6 * sample_rate
    ceiling = np.quantile(np.abs(samples[start:end]), 0.98)
    loud = samples * min(1, 0.95 * ceiling)
    loud[start:end] = np.clip(samples[start:end], -ceiling, ceiling)
    found = clipped_segments((loud * gain).astype(np.float32), sample_rate)
    assert len(found) > 3
    assert found[0].start >= 4
    assert found[-1].end <= 6


@pytest.mark.parametrize("peak", [1.0, 0.3])
def test_speech_that_just_reaches_its_peak_is_not_clipped(speech, peak):
    samples, sample_rate = speech
    assert clipped_segments((samples * peak / np.abs(samples).max()).astype(np.float32), sample_rate) == ()


def test_silence_and_nothing_are_not_clipped():
    assert clipped_segments(np.zeros(1000, np.float32), 48_000) == ()
    assert clipped_segments(np.zeros(0, np.float32), 48_000) == ()


def test_both_signs_count():
    up = sine(2.0, 48_000, hz=5, peak=2.0).clip(-0.2, 1)
    found = clipped_segments(up, 48_000)
    assert found == clipped_segments(-up, 48_000)
    assert len(found) == 20


def test_near_places_are_one_place():
    near = [Segment(1.0, 1.1), Segment(1.105, 1.2), Segment(0.0, 0.1), Segment(1.0, 1.05)]
    assert merged(near) == (Segment(0.0, 0.1), Segment(1.0, 1.2))
