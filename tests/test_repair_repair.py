"""What stands against a recording is mended and told, what cannot be is told too, and all of it can be taken back."""

from __future__ import annotations

import importlib
import logging

import numpy as np
import pytest
from recordings import encoded, pcm_wav, sine

import vcnb
from vcnb.audio.clip import Clip
from vcnb.audio.encode import outgoing
from vcnb.audio.load import load
from vcnb.diagnose.report import diagnose
from vcnb.errors import ClipError
from vcnb.repair.proof import similarity
from vcnb.repair.repair import REMEDIES, apply, mend, plan, undo

RATE = 24_000
PEAK = 0.2  # of a sine that is neither faint nor pressed


def names(clip):
    return [edit.name for edit in clip.edits]


def finding(report, check):
    return next(each for each in report.findings if each.check == check)


@pytest.fixture(scope="module")
def kathleen():
    return load(vcnb.samples()["kathleen_en"])


@pytest.fixture(scope="module")
def thorsten():
    """Twenty-nine seconds, far too quiet: the best part of it, raised."""
    return mend(vcnb.samples()["thorsten_en"])


def test_a_fit_recording_is_left_alone_and_sends_its_own_bytes():
    path = vcnb.samples()["kathleen_en"]
    clip = vcnb.load(path)
    mended = vcnb.repair(clip)
    assert mended is clip
    assert outgoing(mended).data == path.read_bytes()


def test_a_long_quiet_recording_comes_out_with_nothing_against_it(thorsten):
    assert names(thorsten.clip) == ["window", "level", "wav16"]
    assert (thorsten.before.verdict, thorsten.after.verdict, thorsten.left) == ("fail", "pass", ())
    assert 10 <= thorsten.clip.duration <= 20
    assert thorsten.similarity >= 0.97
    assert finding(thorsten.before, "level").value < -40 < finding(thorsten.after, "level").value
    assert 0.1 < np.abs(thorsten.clip.samples).max() <= 10 ** (-1 / 20) + 1e-4


def test_a_window_is_a_piece_of_the_recording_and_nothing_else(thorsten):
    piece = undo(thorsten.clip, "level").samples[1000:-1000]
    whole = thorsten.clip.original.samples
    start = int(thorsten.clip.edits[0].change.split("from ")[1].split(".")[0]) * 48_000
    at = next(at for at in range(start, start + 48_001) if np.array_equal(whole[at : at + 100], piece[:100]))
    assert np.array_equal(whole[at : at + len(piece)], piece)


def test_each_edit_can_be_taken_back_alone_and_all_together(thorsten):
    original = thorsten.clip.original
    assert undo(thorsten.clip) is original
    assert not original.edits
    again = undo(thorsten.clip, "window")
    assert names(again) == ["level", "wav16"]
    assert again.duration == original.duration
    with pytest.raises(ClipError, match="no edit 'hum'"):
        undo(thorsten.clip, "hum")


def test_a_faint_voice_with_a_loud_bang_is_raised_only_as_far_as_the_bang_leaves_room():
    faint = sine(12.0, RATE, peak=0.005)
    faint[RATE] = 0.5
    mended = vcnb.repair(Clip(faint.astype(np.float32), RATE))
    assert names(mended) == ["level"]
    assert np.abs(mended.samples).max() == pytest.approx(10 ** (-1 / 20), rel=1e-3)


BROKEN = {
    "stereo": (pcm_wav(sine(12.0, RATE, peak=PEAK), RATE, n_channels=2), ["mono"]),
    "24 bits": (pcm_wav(sine(12.0, RATE, peak=PEAK), RATE, bits=24), ["wav16"]),
    "8 bits": (pcm_wav(sine(12.0, RATE, peak=PEAK), RATE, bits=8), ["wav16"]),
    "16 kHz": (pcm_wav(sine(12.0, 16_000, peak=PEAK), 16_000), ["rate"]),
    "flac": (encoded(sine(12.0, RATE, peak=PEAK), RATE, "flac", "flac", bit_rate=None), ["wav16"]),
    "stereo mp3": (encoded(sine(12.0, RATE, peak=PEAK), RATE, "mp3", "libmp3lame", layout="stereo"), ["mono", "wav16"]),
    "too loud": (pcm_wav(sine(12.0, RATE, peak=2.0), RATE, bits=32, kind=3), ["level", "wav16"]),
    "too large": (pcm_wav(sine(42.0, 96_000, peak=PEAK), 96_000), ["size"]),
    "everything": (
        pcm_wav(sine(62.0, 16_000, peak=PEAK), 16_000, bits=24, n_channels=3),
        ["cut", "rate", "mono", "wav16"],  # cut to a minute it is small enough
    ),
}


@pytest.mark.parametrize(("data", "edits"), BROKEN.values(), ids=BROKEN)
def test_a_broken_rule_is_mended_and_every_edit_says_why_and_what(data, edits):
    clip = vcnb.load(data)
    mended = vcnb.repair(clip)
    assert names(mended) == edits
    assert mended.original is clip
    assert not vcnb.diagnose(mended).hard_failures
    source = outgoing(mended)
    assert (source.container, source.bit_depth, source.n_channels) == ("wav", 16, 1)
    assert all(edit.reason and any(letter.isdigit() for letter in edit.change) for edit in mended.edits)
    assert vcnb.repair(mended) is mended


def test_a_higher_rate_is_told_to_add_no_treble(rng):
    clip = vcnb.load(pcm_wav(0.1 * rng.standard_normal(12 * 16_000), 16_000))
    mended = apply(clip, "rate")
    assert mended.sample_rate == 24_000
    assert mended.duration == pytest.approx(clip.duration)
    assert "8 kHz" in mended.edits[0].change
    spectrum = np.abs(np.fft.rfft(mended.samples)) ** 2
    assert spectrum[np.fft.rfftfreq(len(mended.samples), 1 / 24_000) > 8_500].sum() < 1e-4 * spectrum.sum()


def test_the_cut_falls_into_the_last_pause_before_the_limit(kathleen):
    samples = np.tile(kathleen.samples, 5)
    mended = apply(Clip(samples, kathleen.sample_rate), "cut")
    assert 55 < mended.duration <= 60
    edge = mended.samples[-kathleen.sample_rate // 20 :]
    assert edge.std() < 0.03 * mended.samples.std()
    assert np.array_equal(mended.samples[1000:-1000], samples[1000 : len(mended.samples) - 1000])


def test_without_a_pause_the_cut_is_at_the_limit_and_fades():
    mended = apply(Clip(sine(61.0, RATE), RATE), "cut")
    assert mended.duration == 60.0
    assert abs(mended.samples[-1]) < 1e-3
    assert "fade" in mended.edits[0].change


def test_nothing_is_cut_flat_on_the_way_to_16_bits():
    mended = apply(load((sine(12.0, RATE, peak=1.7), RATE)), "headroom")
    assert np.abs(mended.samples).max() == pytest.approx(10 ** (-1 / 20), abs=1e-3)
    assert "4.6" in mended.edits[0].change  # 20 log10(1.7)


def test_what_cannot_be_mended_is_said(caplog):
    caplog.set_level(logging.WARNING, "vcnb")
    mended = vcnb.repair(Clip(sine(2.0, RATE, peak=PEAK), RATE))
    assert mended.edits == ()
    assert "cannot be mended: 2.00 s cannot hold" in caplog.text


def test_the_plan_names_what_asks_for_each_step_and_nothing_for_a_pass():
    data = pcm_wav(sine(62.0, 16_000, peak=0.001), 16_000, bits=32, n_channels=4)
    steps = plan(diagnose(vcnb.load(data)))
    assert [step.word for step in steps] == ["window", "rate", "level", "mono", "size", "wav16"]
    assert steps[0].checks == ("duration",)
    assert steps[4].checks == ("file_size", "base64_size")
    assert all(step.reason for step in steps)
    assert set(REMEDIES) > {step.word for step in steps}


def test_a_word_that_is_no_remedy_is_refused(kathleen):
    with pytest.raises(ClipError, match="'sing' is no remedy"):
        apply(kathleen, "sing")


def test_a_long_pause_becomes_a_short_one_and_the_words_stay(kathleen, rng):
    quiet = (1e-3 * rng.standard_normal(3 * kathleen.sample_rate)).astype(np.float32)
    half = kathleen.samples[: round(7.6 * kathleen.sample_rate)], kathleen.samples[round(7.6 * kathleen.sample_rate) :]
    given = Clip(np.concatenate([half[0], quiet, half[1]]), kathleen.sample_rate)
    mended = apply(given, "pause")
    assert names(mended) == ["pause"]
    before, after = (finding(diagnose(clip), "longest_pause") for clip in (given, mended))
    assert before.value > 3
    assert 0.8 < after.value < 1.2
    assert mended.duration == pytest.approx(given.duration - (before.value - after.value), abs=0.05)
    assert np.array_equal(mended.samples[: 5 * kathleen.sample_rate], given.samples[: 5 * kathleen.sample_rate])
    assert apply(mended, "pause") is mended


def test_silence_at_the_ends_is_trimmed_and_the_words_are_not(kathleen):
    silence = np.zeros(4 * kathleen.sample_rate, np.float32)
    mended = apply(Clip(np.concatenate([silence, kathleen.samples, silence]), kathleen.sample_rate), "trim")
    assert kathleen.duration - 1 < mended.duration < kathleen.duration + 0.7
    short = np.concatenate([silence, kathleen.samples[: 7 * kathleen.sample_rate], silence])
    kept = apply(Clip(short, kathleen.sample_rate), "trim")
    assert 10 <= kept.duration < 11, "shorter than is recommended it must not become"
    assert np.abs(kept.samples).sum() == pytest.approx(np.abs(short).sum(), rel=5e-3)


def test_a_fit_recording_with_silence_at_an_end_is_only_trimmed(kathleen):
    silence = np.zeros(3 * kathleen.sample_rate, np.float32)
    given = Clip(np.concatenate([kathleen.samples, silence]), kathleen.sample_rate)
    assert "trim" in {step.word for step in plan(diagnose(given))}
    mended = vcnb.repair(given)
    assert names(mended) == ["trim"]
    assert mended.duration < kathleen.duration + 0.5


@pytest.mark.parametrize("mains", [50.0, 60.0])
def test_hum_goes_and_what_was_spoken_stays(kathleen, mains):
    t = np.arange(len(kathleen.samples)) / kathleen.sample_rate
    lines = sum(0.002 / k * np.sin(2 * np.pi * k * mains * t + k) for k in range(1, 6)).astype(np.float32)
    given = Clip(kathleen.samples + lines, kathleen.sample_rate)
    mended = apply(given, "hum")
    assert mended.edits[0].similarity >= 0.97
    assert similarity(mended, kathleen) > 0.99, "it is the voice that was never in the hum"
    wrong_before, wrong_after = (np.square(clip.samples - kathleen.samples).mean() for clip in (given, mended))
    assert wrong_after < 0.1 * wrong_before
    assert apply(kathleen, "hum") is kathleen


def test_a_repair_that_thins_the_voice_is_told_from_one_that_takes_the_hum(kathleen):
    t = np.arange(len(kathleen.samples)) / kathleen.sample_rate
    lines = sum(0.002 / k * np.sin(2 * np.pi * k * 60 * t + k) for k in range(1, 6)).astype(np.float32)
    given = Clip(kathleen.samples + lines, kathleen.sample_rate)
    spectrum = np.fft.rfft(given.samples)
    spectrum[np.fft.rfftfreq(len(given.samples), 1 / kathleen.sample_rate) < 320] = 0
    thinned = Clip(np.fft.irfft(spectrum, len(given.samples)).astype(np.float32), kathleen.sample_rate)
    assert similarity(given, apply(given, "hum")) >= 0.97 > similarity(given, thinned)


def test_a_noisy_room_is_turned_down_and_the_voice_is_not(kathleen, rng):
    noise = (0.0025 * rng.standard_normal(len(kathleen.samples))).astype(np.float32)
    given = Clip(kathleen.samples + noise, kathleen.sample_rate)
    mended = apply(given, "denoise")
    assert mended.edits[0].similarity >= 0.97
    before, after = (finding(diagnose(clip), "noise").value for clip in (given, mended))
    assert after > before + 2
    loud = np.abs(kathleen.samples) > 0.1
    assert np.corrcoef(mended.samples[loud], kathleen.samples[loud])[0, 1] > 0.995


def test_what_was_cut_flat_gets_nearer_to_its_shape(kathleen):
    part = kathleen.samples[: 6 * kathleen.sample_rate]
    ceiling = 0.5 * np.abs(part).max()
    given = Clip(np.clip(part, -ceiling, ceiling), kathleen.sample_rate)
    mended = apply(given, "declip")
    # It was turned down to make room for the peaks: compare the shapes at one scale.
    flat = np.abs(part) > ceiling
    calm = np.abs(part) < 0.5 * ceiling
    scale = np.abs(part[calm]).sum() / np.abs(mended.samples[calm]).sum()
    wrong_before = np.square(part[flat] - given.samples[flat]).mean()
    assert np.square(part[flat] - scale * mended.samples[flat]).mean() < 0.4 * wrong_before
    assert np.abs(mended.samples).max() <= np.abs(given.samples).max() + 1e-6
    assert "declip" not in {step.word for step in plan(diagnose(mended))}


def test_an_offset_goes(kathleen):
    mended = apply(Clip(kathleen.samples + np.float32(0.05), kathleen.sample_rate), "dc")
    assert abs(mended.samples.mean()) < 1e-6
    assert "+5.0" in mended.edits[0].change


def test_what_would_change_the_speaker_is_given_up_and_said(kathleen, monkeypatch):
    offset = Clip(kathleen.samples + np.float32(0.05), kathleen.sample_rate)
    monkeypatch.setattr(importlib.import_module("vcnb.repair.repair"), "similarity", lambda *_: 0.9)
    mended = mend(offset)
    assert "dc" not in names(mended.clip)
    assert any("dc" in sentence and "0.900" in sentence for sentence in mended.refused)
    assert [each.check for each in mended.left] == ["dc_offset"]
