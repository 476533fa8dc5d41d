"""The drawn spectrum has a tone where the tone is."""

from __future__ import annotations

import numpy as np
import pytest
from recordings import sine

from vcnb.measure.spectrum import mel_spectrogram_db


@pytest.mark.parametrize("hz", [200.0, 1000.0, 6000.0])
@pytest.mark.parametrize("sample_rate", [24_000, 48_000])
def test_a_tone_lies_in_its_band_at_its_level(hz, sample_rate):
    centres, power = mel_spectrogram_db(sine(1.0, sample_rate, hz=hz, peak=0.1), sample_rate, hop_length=240)
    column = power[:, power.shape[1] // 2]
    assert centres[column.argmax()] == pytest.approx(hz, rel=0.06)
    assert column.max() == pytest.approx(-20, abs=3.5)


def test_silence_lies_on_the_floor():
    _, power = mel_spectrogram_db(np.zeros(24_000, np.float32), 24_000, hop_length=240)
    assert power.max() <= -100
