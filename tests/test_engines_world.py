"""Pitch and colour change by as much as they are told, part by part, and nobody hears the joins."""

from __future__ import annotations

import numpy as np
import pytest

import vcnb
from vcnb.audio.resample import resample
from vcnb.catalog import SPEECH_SAMPLE_RATE
from vcnb.measure.pitch import median_f0
from vcnb.practice.engines.world import PART, _breath, track, with_colour, with_pitch


def vowel(f0: float, duration: float) -> np.ndarray:
    """Harmonics of `f0` that fall by 6 dB an octave."""
    times = np.arange(round(duration * SPEECH_SAMPLE_RATE)) / SPEECH_SAMPLE_RATE
    harmonics = range(1, int(8000 / f0))
    return 0.2 * sum(np.sin(2 * np.pi * n * f0 * times) / n for n in harmonics)


@pytest.mark.parametrize("semitones", [-9.0, 0.0, 7.0])
def test_the_pitch_moves_by_as_much_as_it_is_told(semitones):
    sound = vowel(150.0, 2.0)
    base = (float(np.log(150.0)), 0.1)
    parts = list(with_pitch(sound, base=base, target=(base[0] + semitones * np.log(2) / 12, 0.1)))
    assert len(parts) == 1, "a vowel is never cut"
    moved = median_f0(parts[0].astype(np.float32), SPEECH_SAMPLE_RATE)
    assert 12 * np.log2(moved / 150.0) == pytest.approx(semitones, abs=0.2)
    assert len(parts[0]) == len(sound)


def test_of_two_frames_that_share_their_breath_the_voiced_one_is_measured():
    times = np.arange(100) * 0.005 + 0.1
    f0 = np.full(100, 150.0)
    f0[40:51], f0[70:81] = 0.0, 0.0  # one pair begins unvoiced, the other ends so
    share = _breath(vowel(150.0, 1.0), f0, times)[:, 20]
    assert share.shape == (100,)
    assert share[f0 > 0].max() < 0.5 < share[42:50].min()


@pytest.mark.parametrize(("off", "left"), [(0.3, 0.3), (3.0, 0.5), (-3.0, -0.5)])
def test_a_clause_lies_at_most_half_a_semitone_off_the_voice(off, left):
    base = (float(np.log(150.0)), 0.1)
    sound = vowel(150.0 * 2 ** (off / 12), 1.5)
    moved = median_f0(
        np.concatenate(list(with_pitch(sound, base=base, target=base))).astype(np.float32), SPEECH_SAMPLE_RATE
    )
    assert 12 * np.log2(moved / 150.0) == pytest.approx(left, abs=0.15)


def test_the_gain_is_told_what_the_clause_is_and_scales_all_of_it():
    sound = np.concatenate([vowel(150.0, 1.0), np.zeros(2400), vowel(150.0, 1.0)])
    pitch = (float(np.log(150.0)), 0.1)
    told = []
    plain = np.concatenate(list(with_pitch(sound, base=pitch, target=(float(np.log(200.0)), 0.1))))
    louder = np.concatenate(
        list(
            with_pitch(
                sound,
                base=pitch,
                target=(float(np.log(200.0)), 0.1),
                gain=lambda power, voiced, f0: told.append((power.shape, voiced.mean(), f0)) or 2.0,
            )
        )
    )
    np.testing.assert_allclose(louder, 2 * plain, atol=1e-12)
    ((shape, share, f0),) = told
    assert 0.8 < share < 1
    assert shape[0] > 50
    assert f0 == pytest.approx((150.0, 200.0), rel=0.02)


@pytest.mark.parametrize("share", [0.6, 1.0, 1.8])
def test_the_melody_is_stretched_by_the_spread(share):
    steps = [np.concatenate([vowel(f0, 1.0), np.zeros(6000)]) for f0 in (130.0, 170.0)]
    middle = float(np.log(np.sqrt(130.0 * 170.0)))
    sound = np.concatenate(list(with_pitch(np.concatenate(steps), base=(middle, 0.1), target=(middle, 0.1 * share))))
    low, high = (median_f0(half.astype(np.float32), SPEECH_SAMPLE_RATE) for half in np.array_split(sound, 2))
    assert np.log(high / low) / np.log(170.0 / 130.0) == pytest.approx(share, rel=0.05)


def test_parts_join_without_a_click():
    clip = vcnb.load(vcnb.samples()["kathleen_en"])
    speech = resample(clip.samples, clip.sample_rate, SPEECH_SAMPLE_RATE).astype(np.float64)
    pitch = (float(np.log(155.0)), 0.16)
    parts = list(with_pitch(speech, base=pitch, target=pitch))
    whole = np.concatenate(parts)
    assert len(whole) == len(speech)
    assert len(parts) > 8
    assert max(map(len, parts[:-1])) < 3 * PART[1] * SPEECH_SAMPLE_RATE / 200
    steps = np.abs(np.diff(whole))
    cuts = np.cumsum([len(part) for part in parts[:-1]])
    assert max(steps[cut - 3 : cut + 3].max() for cut in cuts) < 0.25 * steps.max()


def test_where_nothing_is_amplified_the_filter_gives_back_what_it_got():
    clip = vcnb.load(vcnb.samples()["kathleen_en"])
    speech = resample(clip.samples, clip.sample_rate, SPEECH_SAMPLE_RATE).astype(np.float64)
    parts = list(with_colour(speech, track(speech), amplify=lambda power, _: np.ones_like(power)))
    assert len(parts) > 8
    whole = np.concatenate(parts)
    assert len(whole) == len(speech)
    inner = slice(360, -360)  # it fades in and out, within 15 ms
    np.testing.assert_allclose(whole[inner], speech[inner], atol=1e-6)
    assert np.all(np.abs(whole) <= np.abs(speech) + 1e-6)


@pytest.mark.parametrize(("factor", "gain"), [(4.0, 1.0), (0.25, 2.0)])
def test_the_filter_amplifies_what_it_is_told_and_leaves_the_pitch(factor, gain):
    sound = np.concatenate([vowel(150.0, 2.0), np.zeros(6000), vowel(150.0, 2.0)])
    pitch = track(sound)
    hz = np.arange(513) * SPEECH_SAMPLE_RATE / 1024
    above = np.where(hz > 2000, factor, 1.0)

    def asked(power, voiced, f0s):
        # All of it is looked at: of a clause seen in part the loudness was up to 3 dB off.
        assert power.shape == (len(pitch.f0), 513)
        np.testing.assert_array_equal(voiced, pitch.f0 > 0)
        assert f0s == pytest.approx((150, 150), rel=0.01)
        return gain

    coloured = np.concatenate(
        list(with_colour(sound, pitch, amplify=lambda power, _: np.broadcast_to(above, power.shape), gain=asked))
    )
    assert len(coloured) == len(sound)
    before, after = (np.abs(np.fft.rfft(each[6000:30_000])) for each in (sound, coloured))
    for harmonic in (300, 1050, 1500, 2700, 4500, 7500):  # a second of sound: one bin a hertz
        wanted = gain * (factor if harmonic > 2000 else 1.0)
        assert after[harmonic] / before[harmonic] == pytest.approx(wanted, rel=0.03)
    for each in (coloured[:48_000], coloured[-48_000:]):
        assert median_f0(each.astype(np.float32), SPEECH_SAMPLE_RATE) == pytest.approx(150.0, rel=0.005)
    assert np.abs(coloured[49_000:53_000]).max() < 1e-6, "what is silent stays so"


def test_very_short_and_silent_sounds_pass():
    for sound in (np.zeros(100), np.zeros(24_000), vowel(200.0, 0.02)):
        for again in (
            with_pitch(sound, base=(5.0, 0.1), target=(5.5, 0.1)),
            with_colour(sound, track(sound), amplify=lambda power, _: np.full_like(power, 2.0)),
        ):
            spoken = np.concatenate(list(again))
            assert len(spoken) == len(sound)
            assert np.isfinite(spoken).all()
