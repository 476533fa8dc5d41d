"""Speech is found where it was put, and in nothing else."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from recordings import sine

import vcnb
from vcnb.measure.activity import speech_segments

RATE = 24_000

# How kathleen_en was joined: four sentences, with 0.4 s of room tone before, between and after them.
SENTENCES = [(0.400, 3.696), (4.096, 7.443), (7.843, 10.923), (11.323, 14.925)]


@pytest.fixture(scope="module")
def kathleen():
    return vcnb.load(vcnb.samples()["kathleen_en"]).samples


def spoken(samples):
    return sum(segment.duration for segment in speech_segments(np.asarray(samples, np.float32), RATE))


def noise(rng, n, *, pink=False):
    spectrum = np.fft.rfft(rng.standard_normal(n))
    if pink:
        spectrum /= np.sqrt(np.maximum(np.fft.rfftfreq(n, 1 / RATE), 30))
    made = np.fft.irfft(spectrum, n)
    return (made / made.std()).astype(np.float32)


def test_every_pause_between_sentences_is_found(kathleen):
    segments = speech_segments(kathleen, RATE)
    for (_, before), (after, _) in pairwise(SENTENCES):
        middle = (before + after) / 2
        end = max(segment.end for segment in segments if segment.end < middle)
        start = min(segment.start for segment in segments if segment.start > middle)
        assert (end, start) == pytest.approx((before, after), abs=0.12)


@pytest.mark.parametrize("lead", [0.5, 2.37])
@pytest.mark.parametrize("snr_db", [60.0, 20.0])
def test_a_sentence_in_a_quiet_room_is_found_where_it_was_put(kathleen, rng, lead, snr_db):
    sentence = kathleen[round(7.85 * RATE) : round(10.85 * RATE)]
    samples = noise(rng, 8 * RATE, pink=True) * sentence.std() * 10 ** (-snr_db / 20)
    start = round(lead * RATE)
    samples[start : start + len(sentence)] += sentence
    segments = speech_segments(samples, RATE)
    assert segments[0].start == pytest.approx(lead, abs=0.15)
    assert segments[-1].end == pytest.approx(lead + 3.0, abs=0.2)


@pytest.mark.parametrize("name", list(vcnb.samples()))
def test_a_real_recording_holds_more_than_3_s_of_speech(name):
    clip = vcnb.load(vcnb.samples()[name])
    found = sum(segment.duration for segment in speech_segments(clip.samples, clip.sample_rate))
    assert 0.6 * clip.duration < found < clip.duration


@pytest.mark.parametrize("gain", [0.03, 3.0])
def test_loudness_does_not_matter(kathleen, gain):
    assert spoken(kathleen * gain) == pytest.approx(spoken(kathleen), rel=0.05)


def test_noise_near_the_speech_hides_little_of_it(kathleen, rng):
    clean = spoken(kathleen)
    noisy = kathleen + noise(rng, len(kathleen), pink=True) * kathleen.std() * 10 ** (-15 / 20)
    assert spoken(noisy) > 0.7 * clean


TIME = np.arange(10 * RATE) / RATE
GATE = (TIME * 2).astype(int) % 2
CHORD = sum(np.sin(2 * np.pi * hz * TIME) for hz in (261.6, 329.6, 392.0)) / 6
NOTES = np.array([196.0, 220.0, 247.0, 262.0, 294.0])[(TIME * 2).astype(int) % 5]
PLUCKED = np.exp(-4 * (TIME % 0.5)) * sum(np.sin(2 * np.pi * NOTES * k * TIME) / k for k in (1, 2, 3, 4)) / 4
NO_SPEECH = {
    "silence": np.zeros(10 * RATE),
    "nothing": np.zeros(0),
    "white noise": 0.1 * noise(np.random.default_rng(1), 10 * RATE),
    "pink noise": 0.1 * noise(np.random.default_rng(2), 10 * RATE, pink=True),
    "noise in bursts": 0.1 * GATE * noise(np.random.default_rng(3), 10 * RATE),
    "440 Hz": sine(10.0, RATE),
    "440 Hz in bursts": GATE * sine(10.0, RATE),
    "hum": sum(0.1 * np.sin(2 * np.pi * 50 * k * TIME) / k for k in (1, 2, 3, 5)),
    "a chord": CHORD,
    "a chord in bursts": GATE * CHORD,
    "plucked notes": PLUCKED,
    "a siren": 0.3 * np.sin(2 * np.pi * (100 * TIME + 10 * TIME**2)),
    "a constant": np.full(10 * RATE, 0.3),
    "clicks": 0.5 * (np.random.default_rng(4).random(10 * RATE) < 2e-4),
}


@pytest.mark.parametrize("samples", NO_SPEECH.values(), ids=NO_SPEECH)
def test_what_nobody_says_is_no_speech(samples):
    assert speech_segments(np.asarray(samples, np.float32), RATE) == []
