"""Pace is the number of bursts that were made, for each second of them."""

from __future__ import annotations

import numpy as np
import pytest
from recordings import voiced

import vcnb
from vcnb.measure.pace import syllables_per_second

RATE = 24_000


def syllables(per_second: float, seconds: float) -> np.ndarray:
    """A gliding voice whose level rises and falls by 15 dB."""
    time = np.arange(round(seconds * RATE)) / RATE
    voice = voiced(140 * 2 ** (np.sin(2 * np.pi * 0.7 * time) / 4), RATE)
    return (voice * 10 ** (7.5 * (np.sin(2 * np.pi * per_second * time) - 1) / 20)).astype(np.float32)


@pytest.mark.parametrize("per_second", [3.0, 5.0, 7.0])
def test_bursts_are_counted(per_second):
    assert syllables_per_second(syllables(per_second, 6.0), RATE) == pytest.approx(per_second, rel=0.08)


def test_pauses_do_not_slow_it_down():
    part, pause = syllables(5.0, 3.0), np.zeros(2 * RATE, np.float32)
    assert syllables_per_second(np.concatenate([part, pause, part, pause]), RATE) == pytest.approx(5.0, rel=0.1)


def test_where_nobody_speaks_there_is_no_pace():
    assert np.isnan(syllables_per_second(np.zeros(RATE, np.float32), RATE))


def test_a_real_voice_speaks_as_people_do():
    clip = vcnb.load(vcnb.samples()["kathleen_en"])
    # 57 syllables in the transcript, over some 12 to 13.5 s of speech
    assert 3.8 < syllables_per_second(clip.samples, clip.sample_rate) < 6.0
