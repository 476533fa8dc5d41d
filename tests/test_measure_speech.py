"""Speech, pauses, noise and rooms are measured as they were made."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from recordings import sine

import vcnb
from vcnb.audio.resample import resample
from vcnb.measure import speech
from vcnb.measure.noise import snr_db, steady_snr_db
from vcnb.measure.reverberation import decay_time
from vcnb.measure.speech import Activity, speech_activity
from vcnb.measure.stft import spectrogram

RATE = 24_000


@pytest.fixture(scope="module")
def voice():
    """Four sentences and three pauses of 0.4 s."""
    return vcnb.load(vcnb.samples()["kathleen_en"]).samples


@pytest.fixture(scope="module")
def clean(voice):
    """The same without its room: sentences between silences."""
    quiet = voice.copy()
    found = speech_activity(voice, RATE).segments
    for before, after in pairwise((speech.Segment(0, 0), *found, speech.Segment(len(voice) / RATE, 99))):
        quiet[round((before.end + 0.05) * RATE) : round((after.start - 0.05) * RATE)] = 0
    return quiet


def measured(samples):
    return snr_db(spectrogram(samples, RATE), speech_activity(samples, RATE))


@pytest.mark.parametrize("seconds", [0.8, 1.8, 3.0])
def test_a_pause_is_as_long_as_it_was_made(voice, rng, seconds):
    first = speech_activity(voice, RATE).segments[0]
    sentence = voice[round(first.start * RATE) : round(first.end * RATE)]
    gap = 1e-4 * rng.standard_normal(round(seconds * RATE)).astype(np.float32)
    found = speech_activity(np.r_[gap, sentence, gap, sentence, gap], RATE)
    longest = max(after.start - before.end for before, after in pairwise(found.segments))
    assert found.judge == "silero"
    assert longest == pytest.approx(seconds, abs=0.15)
    assert found.segments[0].start == pytest.approx(seconds, abs=0.15)


def test_it_does_not_matter_where_a_block_of_the_network_ends(voice):
    twice = speech_activity(np.r_[voice, voice], RATE)  # 958 frames, two blocks
    alone = speech_activity(voice, RATE)
    assert twice.seconds == pytest.approx(2 * alone.seconds, abs=0.3)


def test_a_word_with_which_the_recording_begins_is_heard(voice):
    first = speech_activity(voice, RATE).segments[0]
    inside = voice[round((first.start + 0.1) * RATE) :]
    assert speech_activity(inside, RATE).segments[0].start < 0.05


def test_a_first_word_over_the_telephone_is_heard(voice):
    first = speech_activity(voice, RATE).segments[0]
    sentence = voice[round(first.start * RATE) : round(first.end * RATE)]
    spectrum = np.fft.rfft(np.r_[np.zeros(RATE // 4, np.float32), sentence])
    hz = np.fft.rfftfreq(RATE // 4 + len(sentence), 1 / RATE)
    spectrum[(hz < 300) | (hz > 3_400)] = 0
    narrow = np.fft.irfft(spectrum, len(hz) * 2 - 2).astype(np.float32)
    assert speech_activity(narrow, RATE).segments[0].start == pytest.approx(0.25, abs=0.15)


@pytest.mark.parametrize("samples", [np.zeros(0), np.zeros(100), np.zeros(3 * RATE), sine(3.0, RATE)])
def test_nobody_speaks_in_silence_or_a_tone(samples):
    found = speech_activity(np.asarray(samples, np.float32), RATE)
    assert found.segments == ()
    assert found.at(np.array([0.0, 1.0])).max() < 0.5


def test_without_onnxruntime_level_and_pitch_decide_and_it_is_said(voice, monkeypatch):
    better = speech_activity(voice, RATE)
    monkeypatch.setattr(speech, "_session", lambda: None)
    found = speech_activity(voice, RATE)
    assert found.judge == "level and pitch"
    assert found.seconds == pytest.approx(better.seconds, rel=0.15)
    assert set(np.unique(found.probability)) == {0.0, 1.0}
    assert speech_activity(np.zeros(RATE, np.float32), RATE).at(np.zeros(1)).tolist() == [0]


@pytest.mark.parametrize("faster", [2.3, 2.9])
def test_a_voice_too_high_for_the_network_is_heard_where_it_speaks(voice, faster):
    child = resample(voice, round(RATE * faster), RATE)
    adult = speech_activity(voice, RATE)
    found = speech_activity(child, RATE)
    assert (adult.judge, found.judge) == ("silero", "level and pitch")
    assert found.seconds == pytest.approx(adult.seconds / faster, rel=0.1)
    longest = max(after.start - before.end for before, after in pairwise(found.segments))
    assert longest == pytest.approx(0.4 / faster, abs=0.15)


def test_a_high_voice_beside_a_common_one_is_heard_and_no_pause(voice):
    child = resample(voice[: 8 * RATE], round(RATE * 2.6), RATE)
    both = speech_activity(np.r_[voice[: 11 * RATE], child], RATE)
    assert both.judge == "level and pitch"
    assert max(after.start - before.end for before, after in pairwise(both.segments)) < 0.7
    assert both.segments[-1].end == pytest.approx(11 + 8 / 2.6, abs=0.3)


def test_the_shortest_word_of_a_high_voice_is_no_error(voice):
    assert speech_activity(resample(voice[10_000:60_000], round(RATE * 2.6), RATE), RATE).seconds < 1


@pytest.mark.parametrize("vibrato", [0.3, 0.6, 1.0])  # semitones
def test_a_melody_that_level_and_pitch_take_for_a_voice_is_none(vibrato):
    t = np.arange(round(0.4 * RATE)) / RATE
    wave = 2 ** (vibrato * np.sin(2 * np.pi * 5 * t) / 12)
    notes = [np.cumsum(hz * wave) * 2 * np.pi / RATE for hz in (262, 330, 392, 523, 440, 349, 392, 294) * 3]
    plucked = [sum(np.sin(order * note) / order for order in range(1, 9)) * np.exp(-4 * t) for note in notes]
    melody = (0.1 * np.concatenate(plucked)).astype(np.float32)
    assert sum(each.duration for each in speech.speech_segments(melody, RATE)) > 5
    assert speech_activity(melody, RATE).seconds < 1


@pytest.mark.parametrize("known", [10.0, 20.0, 30.0])
def test_snr_follows_the_noise_that_was_mixed_in(clean, rng, known):
    power = np.square(clean[np.abs(clean) > 0]).mean()
    noisy = clean + np.float32(np.sqrt(power) * 10 ** (-known / 20)) * rng.standard_normal(len(clean)).astype(
        np.float32
    )
    # White noise up to 12 kHz: 8 kHz of it are measured, 1.8 dB less.
    assert measured(noisy) == pytest.approx(known + 1.8, abs=2.5)


def test_a_word_that_nobody_heard_does_not_pass_for_the_room(rng):
    """Four pauses, and in one of them something loud."""
    samples = 1e-4 * rng.standard_normal(10 * RATE).astype(np.float32)
    spoken = tuple(speech.Segment(2 * at, 2 * at + 1) for at in range(5))
    for each in spoken:
        samples[round(each.start * RATE) : round(each.end * RATE)] *= 1_000
    probability = np.repeat(np.tile(np.float32([1, 0]), 5), 100)
    heard = Activity(probability, spoken, "silero")
    clean = snr_db(spectrogram(samples, RATE), heard)
    missed = samples.copy()
    missed[round(3.3 * RATE) : round(3.6 * RATE)] *= 1_000
    assert snr_db(spectrogram(missed, RATE), heard) == pytest.approx(clean, abs=1)
    for start in (1.3, 5.3, 7.3):
        missed[round(start * RATE) : round((start + 0.3) * RATE)] *= 1_000
    assert snr_db(spectrogram(missed, RATE), heard) < clean - 40


def test_the_tail_of_a_hall_is_no_steady_noise(rng):
    """A second of speech, then half a second of its tail, which falls by 33 dB; the same with noise of 20 dB."""
    pause = 10 ** (-3 * np.arange(RATE // 2) / RATE / 0.9)
    hall = 0.1 * rng.standard_normal(9 * RATE) * np.tile(np.r_[np.ones(RATE), pause], 6)
    heard = Activity(np.tile(np.repeat(np.float32([1, 0]), (100, 50)), 6), (speech.Segment(0, 1),), "silero")
    assert snr_db(spectrogram(hall.astype("f4"), RATE), heard) < 19
    assert steady_snr_db(spectrogram(hall.astype("f4"), RATE), heard) > 20.5
    noisy = (hall + 0.01 * rng.standard_normal(len(hall))).astype("f4")
    assert 14 < steady_snr_db(spectrogram(noisy, RATE), heard) < 20
    nobody = Activity(np.zeros(100, np.float32), (), "silero")
    assert np.isnan(steady_snr_db(spectrogram(noisy, RATE), nobody))


def test_snr_without_a_pause_without_speech_and_without_noise(voice, rng):
    inner = voice[2 * RATE : round(3.3 * RATE)]
    no_pause = Activity(np.ones(140, np.float32), (speech.Segment(0, 1.3),), "silero")
    assert 10 < snr_db(spectrogram(inner, RATE), no_pause) < 60
    assert np.isnan(measured(np.zeros(RATE, np.float32)))
    half = np.r_[np.zeros(RATE, np.float32), 0.1 * rng.standard_normal(RATE).astype(np.float32)]
    sure = Activity(np.repeat(np.float32([0, 1]), 100), (speech.Segment(1, 2),), "silero")
    assert snr_db(spectrogram(half[: 2 * RATE], RATE), sure) > 60


def test_the_longer_a_room_rings_the_longer_sounds_linger(clean, rng):
    def in_room(rt60, direct_db):
        t = np.arange(round(1.3 * rt60 * RATE)) / RATE
        tail = rng.standard_normal(len(t)) * 10 ** (-3 * t / rt60)
        tail *= 10 ** (-direct_db / 20) / np.sqrt(np.square(tail).sum())
        tail[0] = 1
        n = len(clean) + len(tail)
        return np.fft.irfft(np.fft.rfft(clean, n) * np.fft.rfft(tail, n), n)[: len(clean)].astype(np.float32)

    dry, room, hall = (decay_time(spectrogram(each, RATE)) for each in (clean, in_room(0.4, 3), in_room(0.9, 0)))
    assert dry < 0.3 < room < 0.5 < hall
    assert np.isnan(decay_time(spectrogram(np.zeros(RATE, np.float32), RATE)))
