"""Levels are those that were made."""

from __future__ import annotations

import numpy as np
import pytest
from recordings import sine

from vcnb.measure.frames import framed, levels_db
from vcnb.measure.level import rms_dbfs


@pytest.mark.parametrize("gain_db", [0.0, -20.0, -45.0])
def test_a_tone_reads_its_own_level_whatever_the_pauses(gain_db):
    tone = sine(1.0, 24_000, peak=10 ** (gain_db / 20))
    paused = np.concatenate([tone, np.zeros(48_000, np.float32), tone])
    assert rms_dbfs(tone, 24_000) == pytest.approx(gain_db - 3.01, abs=0.05)
    assert rms_dbfs(paused, 24_000) == pytest.approx(gain_db - 3.01, abs=0.2)


@pytest.mark.parametrize("n", [0, 1, 24_000])
def test_silence_has_no_level(n):
    assert rms_dbfs(np.zeros(n, np.float32), 24_000) == -np.inf


def test_frames_are_centred_and_cover_everything():
    frames = framed(np.arange(100, dtype=np.float32), 10, 5)
    assert frames.shape == (21, 10)
    assert frames[4].tolist() == list(range(15, 25))
    assert levels_db(np.full((2, 4), 0.1, np.float32)) == pytest.approx(-20, abs=0.01)
