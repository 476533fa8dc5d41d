"""Another rate is the same sound."""

from __future__ import annotations

import numpy as np
import pytest
from recordings import sine

from vcnb.audio.resample import resample


@pytest.mark.parametrize(("from_rate", "to_rate"), [(16_000, 24_000), (48_000, 24_000), (44_100, 48_000)])
def test_a_tone_keeps_its_pitch_level_and_length(from_rate, to_rate):
    resampled = resample(sine(2.0, from_rate, hz=1000), from_rate, to_rate)
    assert resampled.dtype == np.float32
    assert len(resampled) == 2 * to_rate
    middle = resampled[to_rate // 2 : to_rate // 2 + to_rate]
    assert np.abs(np.fft.rfft(middle)).argmax() == 1000
    assert np.abs(middle).max() == pytest.approx(0.5, rel=0.01)


def test_a_higher_rate_adds_no_treble(rng):
    spectrum = np.abs(np.fft.rfft(resample(rng.standard_normal(32_000).astype(np.float32), 16_000, 48_000))) ** 2
    above = np.fft.rfftfreq(96_000, 1 / 48_000) > 8_500
    assert spectrum[above].sum() < 1e-5 * spectrum.sum()


def test_the_same_rate_is_the_same_array():
    samples = sine(0.1, 24_000)
    assert resample(samples, 24_000, 24_000) is samples
