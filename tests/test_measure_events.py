"""Music and other voices are found where they were put, and not where one person speaks."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

import vcnb
from vcnb.audio.clip import Segment
from vcnb.audio.resample import resample
from vcnb.measure import events
from vcnb.measure.events import Events, sound_events, widened
from vcnb.measure.speaker import second_voice_similarity, speaker_embeddings
from vcnb.measure.speech import Activity, speech_activity

RATE = 24_000


@pytest.fixture(scope="module")
def kathleen():
    return vcnb.load(vcnb.samples()["kathleen_en"]).samples


@pytest.fixture(scope="module")
def thorsten():
    clip = vcnb.load(vcnb.samples()["thorsten_en"])
    return 10 * resample(clip.samples, clip.sample_rate, RATE)


def band(seconds, rng):
    """A broken chord of plucked strings over a bass, on a beat."""
    out = np.zeros(round(seconds * RATE), np.float32)
    t = np.arange(RATE) / RATE
    for beat in range(int(seconds * 4) - 4):
        for hz in (65.4 * 2 ** (7 * (beat // 8 % 3) / 12), 261.6 * 2 ** (rng.choice([0, 4, 7, 12, 16]) / 12)):
            note = sum(np.sin(2 * np.pi * hz * k * t) / k for k in range(1, 9)) * np.exp(-4 * t)
            out[beat * RATE // 4 :][: len(t)] += 0.1 * note
        hit = rng.standard_normal(RATE // 10) * np.exp(-60 * t[: RATE // 10])
        out[beat * RATE // 4 :][: len(hit)] += 0.05 * hit
    return out


def test_music_is_found_where_it_plays(kathleen, rng):
    mixed = kathleen.copy()
    mixed[5 * RATE : 12 * RATE] += band(7, rng)
    found = sound_events(mixed, RATE).music
    covered = sum(max(0, min(each.end, 12) - max(each.start, 5)) for each in found)
    assert covered / (7 + sum(each.duration for each in found) - covered) > 0.6


def test_a_voice_over_a_telephone_is_heard_when_it_is_given_a_treble(kathleen):
    spectrum = np.fft.rfft(kathleen)
    hz = np.fft.rfftfreq(len(kathleen), 1 / RATE)
    spectrum[(hz < 300) | (hz > 3_400)] = 0
    narrow = np.fft.irfft(spectrum, len(kathleen)).astype(np.float32)
    deaf, hearing = sound_events(narrow, RATE), sound_events(widened(narrow, RATE), 16_000)
    spoken = [sum(each.duration for each in found.speech) for found in (deaf, hearing)]
    assert spoken[1] > max(2 * spoken[0], 0.6 * len(kathleen) / RATE)


@pytest.mark.parametrize("name", list(vcnb.samples()))
def test_a_speaker_makes_no_music(name):
    clip = vcnb.load(vcnb.samples()[name])
    found = sound_events(clip.samples, clip.sample_rate)
    assert sum(each.duration for each in (*found.music, *found.singing)) < 0.08 * clip.duration


def test_nothing_is_said_where_the_network_cannot_run_and_nothing_found_in_nothing(kathleen, monkeypatch):
    assert sound_events(np.zeros(0, np.float32), RATE) == Events((), ())
    assert sound_events(np.zeros(RATE, np.float32), RATE) == Events((), ())
    monkeypatch.setattr(events, "_detector", lambda: None)
    assert sound_events(kathleen, RATE) is None


@pytest.mark.parametrize("who", ["kathleen", "thorsten"])
def test_one_voice_is_like_itself(who, request):
    samples = request.getfixturevalue(who)[: 15 * RATE]
    times, embeddings = speaker_embeddings(samples, RATE, speech_activity(samples, RATE))
    assert np.linalg.norm(embeddings, axis=1) == pytest.approx(np.ones(len(times)), abs=1e-4)
    assert second_voice_similarity(times, embeddings)[0] > 0.74


def test_a_second_voice_is_unlike_the_first_and_its_place_is_told(kathleen, thorsten):
    both = np.r_[kathleen[: 9 * RATE], thorsten[RATE : 6 * RATE]]
    times, embeddings = speaker_embeddings(both, RATE, speech_activity(both, RATE))
    likeness, other = second_voice_similarity(times, embeddings)
    assert likeness < 0.71
    assert other[times >= 9].all()
    assert not other[times + 1.6 <= 9].any()


@pytest.mark.parametrize("n_first", [8, 11])
def test_of_two_who_speak_nearly_as_long_the_later_is_the_other(n_first):
    towards = np.eye(256, dtype=np.float32)[[0] * n_first + [1] * (19 - n_first)]
    likeness, other = second_voice_similarity(0.4 * np.arange(19), towards)
    assert likeness == pytest.approx(0, abs=1e-6)
    assert other.tolist() == [False] * n_first + [True] * (19 - n_first)


def test_all_windows_of_the_other_voice_are_named_and_not_only_those_least_alike():
    one, second = np.eye(256, dtype=np.float32)[:2]
    between = (0.78 * second + 0.62 * one) / np.hypot(0.78, 0.62)
    towards = np.stack([one] * 12 + [between] * 4 + [second] * 2).astype(np.float32)
    likeness, other = second_voice_similarity(0.4 * np.arange(18), towards)
    assert likeness == pytest.approx(0.21, abs=0.02), "that of the two which are least alike"
    assert other.tolist() == [False] * 12 + [True] * 6
    same, nobody = second_voice_similarity(0.4 * np.arange(8), np.stack([one] * 8))
    assert same == pytest.approx(1)
    assert not nobody.all()


@pytest.mark.parametrize("name", ["kathleen_en", "thorsten_de"])
def test_the_encoder_gives_what_its_reference_gives(name):
    """The reference is Resemblyzer's, in torch, asked once: the window at 4 s of the first ten seconds at 16 kHz."""
    reference = json.loads((Path(__file__).parent / "data" / "ge2e_reference.json").read_text(encoding="utf-8"))[name]
    clip = vcnb.load(vcnb.samples()[name])
    samples = resample(clip.samples, clip.sample_rate, 16_000)[:160_000]
    times, found = speaker_embeddings(samples, 16_000, Activity(np.ones(1_001, np.float32), (), "silero"))
    assert times[10] == 4.0
    assert found[10] == pytest.approx(np.array(reference), abs=1e-3)


def test_too_little_speech_says_nothing_about_voices(kathleen):
    for samples in (kathleen[: 2 * RATE], np.zeros(5 * RATE, np.float32), np.zeros(0, np.float32)):
        found = speaker_embeddings(samples, RATE, speech_activity(samples, RATE))
        assert np.isnan(second_voice_similarity(*found)[0])


def test_the_weights_are_those_of_the_notice():
    folder = vcnb.samples()["kathleen_en"].parents[1] / "models"
    notice = (folder / "NOTICE.txt").read_text(encoding="utf-8")
    files = [path for path in folder.iterdir() if path.suffix in (".npz", ".onnx")]
    assert len(files) == 2
    assert sum(path.stat().st_size for path in files) < 4.2e6
    assert all(hashlib.sha256(path.read_bytes()).hexdigest() in notice for path in files)


def test_segments_are_plain_numbers():
    assert events._segments([(np.float32(0.5), 1)]) == (Segment(0.5, 1.0),)
