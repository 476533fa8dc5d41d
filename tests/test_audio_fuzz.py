"""Damaged files are answered or refused; `tests/benchmarks/fuzz.py` tries thousands, here is a slice."""

from __future__ import annotations

import numpy as np
import pytest
from benchmarks import fuzz
from recordings import pcm_wav

import vcnb
from vcnb.errors import ClipError


def test_damaged_files_of_every_kind_are_answered_or_refused():
    n_files = 5 * len(fuzz.good_files())
    outcomes = {number: fuzz.answered(number, seed=7) for number in range(n_files)}
    assert {number: each for number, each in outcomes.items() if each not in ("answered", "refused")} == {}
    assert set(outcomes.values()) == {"answered", "refused"}


def test_the_fuzz_names_what_goes_wrong(monkeypatch):
    def broken(*_, **__):
        raise IndexError("behind the end")

    monkeypatch.setattr(fuzz, "read_clip", broken)
    assert fuzz.answered(0, seed=7) == "IndexError: behind the end"


def test_a_number_makes_its_file_again():
    assert fuzz.damaged(31, 7) == fuzz.damaged(31, 7)
    assert fuzz.damaged(31, 7) != fuzz.damaged(31, 8)


def test_a_rate_that_no_converter_has_is_refused():
    data = bytearray(pcm_wav(np.zeros(4_800), 48_000))
    data[24:28] = (2_130_730_432).to_bytes(4, "little")
    with pytest.raises(ClipError, match="2130730432 Hz"):
        vcnb.load(bytes(data))


@pytest.mark.parametrize("kind", [32, 64])
def test_floats_that_no_sound_can_be_are_counted_and_read_as_silence(kind):
    samples = 0.1 * np.sin(np.arange(24_000) / 9)
    samples[100:103] = 1e30 if kind == 32 else 1e300
    clip = vcnb.load(pcm_wav(samples, 24_000, bits=kind, kind=3))
    assert clip.source.n_nonfinite == 3
    assert np.abs(clip.samples).max() <= 0.1
    assert next(each for each in vcnb.diagnose(clip).findings if each.check == "format").verdict == "warn"
    with pytest.raises(ClipError, match="no numbers"):
        vcnb.load((np.array([0.0, 1e11]), 24_000))
