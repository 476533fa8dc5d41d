"""The tone engine hums at the pitch of its reference, always alike, as long as the text takes."""

from __future__ import annotations

import numpy as np
import pytest

from vcnb.practice.engines.engine import Reference, UnusableReferenceError
from vcnb.practice.engines.tone import ToneEngine


def profile(f0, sample_rate=24_000):
    time = np.arange(sample_rate) / sample_rate
    samples = sum(np.sin(2 * np.pi * f0 * partial * time) / partial for partial in (1, 2, 3)) * 0.2
    return ToneEngine().profile(Reference(samples.astype(np.float32), sample_rate))


def spoken(text, f0, engine=None):
    return list((engine or ToneEngine()).speak(text, language="en", profile=profile(f0)))


@pytest.mark.parametrize("sample_rate", [24_000, 48_000])
@pytest.mark.parametrize("f0", [90.0, 150.0, 250.0])
def test_it_hums_at_the_pitch_of_its_reference(f0, sample_rate):
    pieces = list(ToneEngine().speak("x" * 20, language="en", profile=profile(f0, sample_rate)))
    second = np.concatenate(pieces)[:24_000].astype(float)
    assert np.abs(np.fft.rfft(second)).argmax() == pytest.approx(f0, abs=2)


def test_twice_the_text_is_twice_the_sound_in_pieces_of_100_ms():
    short, long = spoken("x" * 50, 120.0), spoken("x" * 100, 120.0)
    assert sum(map(len, short)) == 50 * 0.06 * 24_000
    assert sum(map(len, long)) == 2 * sum(map(len, short))
    assert {len(piece) for piece in long[:-1]} == {2_400}
    assert {piece.dtype for piece in long} == {np.dtype(np.int16)}


def test_it_says_the_same_again():
    assert all(map(np.array_equal, spoken("again", 130.0), spoken("again", 130.0)))


def test_there_is_no_seam_between_two_pieces():
    samples = np.concatenate(spoken("x" * 30, 137.0)).astype(float)
    assert np.abs(np.diff(samples, 2)).max() < 1.1 * np.abs(np.diff(samples[:2_400], 2)).max()


@pytest.mark.parametrize("samples", [np.zeros(24_000), np.random.default_rng(440).normal(0, 0.1, 24_000)])
def test_silence_and_noise_are_no_voice(samples):
    with pytest.raises(UnusableReferenceError):
        ToneEngine().profile(Reference(samples.astype(np.float32), 24_000))
