"""What is measured in a recording is what was put into it."""

from __future__ import annotations

import numpy as np
import pytest
from recordings import encoded, sine

import vcnb
from vcnb.audio.load import read_clip
from vcnb.audio.resample import resample
from vcnb.measure.bandwidth import bandwidth_hz, treble_hidden
from vcnb.measure.clipping import pile_up
from vcnb.measure.dropouts import dropouts
from vcnb.measure.hum import hum, hum_alone
from vcnb.measure.level import rms_dbfs
from vcnb.measure.loudness import loudness_lufs
from vcnb.measure.plosives import plosives
from vcnb.measure.stft import spectrogram

RATE = 24_000


@pytest.fixture(scope="module")
def voice():
    return vcnb.load(vcnb.samples()["kathleen_en"]).samples


@pytest.mark.parametrize("rate", [8_000, 22_050, 48_000, 96_000])
def test_the_bins_of_a_frame_add_up_to_its_power(rate):
    found = spectrogram(sine(1.0, rate, hz=1_000, peak=0.5), rate)
    inner = found.power[3:-3].sum(1)
    assert 10 * np.log10(inner) == pytest.approx(np.full(len(inner), -9.03), abs=0.05)
    assert found.frequencies[found.power[10].argmax()] == pytest.approx(1_000, abs=25)
    assert found.band(900, 1_100)[10] == pytest.approx(inner[10], rel=0.05)
    assert found.times[-1] == pytest.approx(1.0, abs=0.011)


@pytest.mark.parametrize("rate", [44_100, 48_000])
def test_loudness_of_the_sine_that_the_recommendation_names(rate):
    # BS.1770: a sine of 997 Hz at 0 dBFS in one channel reads -3.01 LUFS.
    assert loudness_lufs(spectrogram(sine(3.0, rate, hz=997, peak=1.0), rate)) == pytest.approx(-3.01, abs=0.05)


def test_loudness_follows_the_level_and_leaves_pauses_out(voice):
    said = loudness_lufs(spectrogram(voice, RATE))
    assert loudness_lufs(spectrogram(voice * np.float32(0.5), RATE)) == pytest.approx(said - 6.02, abs=0.05)
    longer = np.r_[voice, np.zeros(20 * RATE, np.float32)]
    assert loudness_lufs(spectrogram(longer, RATE)) == pytest.approx(said, abs=0.2)
    assert loudness_lufs(spectrogram(np.zeros(RATE, np.float32), RATE)) == float("-inf")
    assert loudness_lufs(spectrogram(voice[:100], RATE)) == float("-inf")


@pytest.mark.parametrize("narrow", [8_000, 16_000, 22_050])
def test_what_was_recorded_at_a_low_rate_ends_at_its_half(voice, narrow, rng):
    widened = resample(resample(voice, RATE, narrow), narrow, 48_000)
    widened = widened + np.float32(1e-5) * rng.standard_normal(len(widened)).astype(np.float32)
    found = spectrogram(widened, 48_000)
    assert bandwidth_hz(found) == pytest.approx(narrow / 2, abs=500)
    assert not treble_hidden(found)


def test_noise_that_covers_the_treble_is_told(voice, rng):
    narrow = resample(resample(voice, RATE, 16_000), 16_000, 48_000)
    noisy = narrow + np.float32(0.01) * rng.standard_normal(len(narrow)).astype(np.float32)
    assert treble_hidden(spectrogram(noisy, 48_000))
    assert bandwidth_hz(spectrogram(np.zeros(48_000, np.float32), 48_000)) == 0


@pytest.mark.parametrize("mains", [50.0, 60.0])
@pytest.mark.parametrize("below_db", [15.0, 25.0])
def test_hum_is_found_at_its_frequency_and_level(voice, mains, below_db):
    t = np.arange(len(voice)) / RATE
    lines = sum(np.sin(2 * np.pi * mains * k * t + k) / k for k in (1, 2, 3, 5))
    lines *= 10 ** ((rms_dbfs(voice, RATE) - below_db) / 20) / np.sqrt(np.mean(lines**2))
    found, level = hum((voice + lines).astype(np.float32), RATE)
    assert found == mains
    assert level == pytest.approx(below_db, abs=2)


@pytest.mark.parametrize(("hz", "mains"), [(50.04, 50.0), (60.0, 60.0)])
def test_hum_under_somebody_who_never_pauses_is_found_by_its_phase(voice, hz, mains):
    spoken = np.concatenate(
        [voice[round(a * RATE) : round(b * RATE)] for a, b in ((0.5, 3.6), (4.2, 7.3), (7.9, 10.8))]
    )
    t = np.arange(len(spoken)) / RATE
    lines = sum(np.sin(2 * np.pi * hz * k * t + k) / k for k in (1, 2, 3, 4, 6))
    lines *= 10 ** ((rms_dbfs(spoken, RATE) - 30) / 20) / np.sqrt(np.mean(lines**2))
    found, level = hum((spoken + lines).astype(np.float32), RATE)
    assert found == mains
    assert level == pytest.approx(30, abs=2)
    assert hum(spoken, RATE) == (0.0, float("inf"))
    unsteady = np.sin(2 * np.pi * np.cumsum(mains + 2 * np.sin(2 * np.pi * 0.3 * t)) / RATE)
    assert hum((spoken + 0.02 * unsteady).astype(np.float32), RATE)[0] == 0, "what wavers is not the mains"


@pytest.mark.parametrize(("hz", "mains"), [(50.0, 50.0), (60.07, 60.0)])
def test_the_hum_that_was_mixed_in_is_told_from_the_voice_in_it(voice, hz, mains):
    t = np.arange(len(voice)) / RATE
    lines = sum(0.01 / k * np.sin(2 * np.pi * hz * k * t + k) for k in (1, 2, 3, 5)).astype(np.float32)
    left = lines - hum_alone(voice + lines, RATE, mains)
    assert np.square(left).mean() < 0.1 * np.square(lines).mean(), "10 dB of it are gone, though the grid drifts"
    spared = hum_alone(voice, RATE, mains)
    assert np.square(spared).mean() < 1e-3 * np.square(voice).mean(), "of a voice alone nothing is taken for hum"


def test_a_voice_does_not_hum(voice):
    assert hum(voice, RATE) == (0.0, float("inf"))
    assert hum(voice[:RATE], RATE) == (0.0, float("inf"))


@pytest.mark.parametrize("seconds", [0.005, 0.03, 0.2])
def test_holes_are_found_where_they_were_cut(voice, seconds):
    holed, frames = voice.copy(), np.square(voice[: len(voice) // 240 * 240]).reshape(-1, 240).mean(1)
    loud = np.convolve(frames > np.percentile(frames, 60), np.ones(30), "same") > 25
    starts = np.flatnonzero(loud)[[0, len(np.flatnonzero(loud)) // 2]] * 240
    for start in starts:
        holed[start : start + round(seconds * RATE)] = 0
    found = dropouts(holed, RATE)
    assert [each.start for each in found] == pytest.approx(starts / RATE, abs=0.001)
    assert [each.duration for each in found] == pytest.approx([seconds] * 2, abs=0.001)


def test_pauses_and_short_zeros_are_no_holes(voice):
    assert dropouts(voice, RATE) == ()
    assert dropouts(np.zeros(RATE, np.float32), RATE) == ()
    tone = sine(1.0, RATE) + np.float32(0.01)
    tone[5_000 : 5_000 + round(0.003 * RATE)] = 0
    assert dropouts(tone, RATE) == ()
    tone[5_000 : 5_000 + round(0.3 * RATE)] = 0
    assert dropouts(tone, RATE) == ()


def test_bursts_of_breath_are_found_and_a_steady_rumble_is_not(voice):
    starts = np.array([2.0, 5.0, 9.0])
    t = np.arange(round(0.05 * RATE)) / RATE
    burst = (0.25 * np.sin(2 * np.pi * 45 * t) * np.hanning(len(t))).astype(np.float32)
    popped = voice.copy()
    for start in starts:
        at = round(start * RATE)
        popped[at : at + len(t)] *= 0.2
        popped[at : at + len(t)] += burst
    assert plosives(spectrogram(voice, RATE)) == ()
    found = plosives(spectrogram(popped, RATE))
    assert [each.start for each in found] == pytest.approx(starts, abs=0.05)
    assert plosives(spectrogram(voice + sine(len(voice) / RATE, RATE, hz=45, peak=0.2), RATE)) == ()


def test_a_burst_that_swings_back_is_one(voice):
    t = np.arange(round(0.05 * RATE)) / RATE
    burst = (0.4 * np.sin(2 * np.pi * 45 * t) * np.hanning(len(t))).astype(np.float32)
    popped = voice.copy()
    for start in (2.0, 2.1, 5.0):
        popped[round(start * RATE) : round(start * RATE) + len(t)] = burst
    assert [each.start for each in plosives(spectrogram(popped, RATE))] == pytest.approx([2.0, 5.0], abs=0.05)


@pytest.mark.parametrize("coded", [False, True])
def test_peaks_pile_up_under_a_ceiling_that_coding_has_blurred(voice, coded):
    def measured(samples):
        samples = (samples * 0.5 / np.abs(samples).max()).astype(np.float32)
        return pile_up(read_clip(encoded(samples, RATE, "mp3", "libmp3lame")).samples if coded else samples, RATE)

    ceiling = float(np.quantile(np.abs(voice), 0.98))
    assert measured(voice) < 1
    assert measured(voice.clip(-ceiling, ceiling)) > 4
    assert pile_up(np.zeros(RATE, np.float32), RATE) == 0
