"""Does the guess of quality fall with noise that we added?"""

from __future__ import annotations

import numpy as np
import pytest

import vcnb
from vcnb.audio.clip import Clip
from vcnb.errors import SettingsError


@pytest.mark.figures  # the models take some seconds to load
def test_noise_lowers_the_rating_and_silence_has_none(rng):
    pytest.importorskip("speechmos")
    clean = vcnb.load(vcnb.samples()["kathleen_en"])
    clean = Clip(clean.samples[: 9 * clean.sample_rate], clean.sample_rate, name="clean")
    level = np.sqrt(np.mean(np.square(clean.samples)))
    noisy = Clip(clean.samples + rng.normal(0, level, len(clean.samples)).astype(np.float32), clean.sample_rate)
    silent = Clip(np.zeros(clean.sample_rate, np.float32), clean.sample_rate)
    found = vcnb.compare([clean, noisy, silent], quality=True)
    rated = found.to_frame().query("measure == 'dnsmos'")["value"].to_numpy()
    assert 5 > rated[0] > rated[1] + 0.5 > 1.5
    assert np.isnan(rated[2])
    assert "DNSMOS" in found._repr_html_()


def test_without_the_extra_it_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(SettingsError, match="not installed"):
        vcnb.compare([vcnb.samples()["kathleen_en"]], quality=True)
