"""What breaks a hard rule is mended and told; everything else stays as it is."""

from __future__ import annotations

import numpy as np
import pytest
from recordings import encoded, pcm_wav, sine

import vcnb
from vcnb.audio.clip import Clip
from vcnb.audio.encode import outgoing

RATE = 24_000


def names(clip):
    return [edit.name for edit in clip.edits]


def test_a_fit_recording_is_left_alone_and_sends_its_own_bytes():
    path = vcnb.samples()["kathleen_en"]
    clip = vcnb.load(path)
    mended = vcnb.repair(clip)
    assert mended is clip
    assert outgoing(mended).data == path.read_bytes()


@pytest.mark.parametrize("name", ["thorsten_en", "thorsten_de"])
def test_a_recording_that_is_too_quiet_is_raised_and_nothing_else_changes(name):
    clip = vcnb.load(vcnb.samples()[name])
    mended = vcnb.repair(clip)
    assert names(mended) == ["level", "wav16"]
    gain = np.abs(mended.samples).max() / np.abs(clip.samples).max()
    assert gain > 5
    np.testing.assert_allclose(mended.samples, clip.samples * gain, atol=1e-6)
    assert next(each for each in vcnb.diagnose(mended).findings if each.check == "level").verdict == "pass"


def test_a_faint_voice_with_a_loud_bang_is_raised_only_as_far_as_the_bang_leaves_room():
    faint = sine(12.0, RATE, peak=0.005)
    faint[RATE] = 0.5
    mended = vcnb.repair(Clip(faint.astype(np.float32), RATE))
    assert names(mended) == ["level"]
    assert np.abs(mended.samples).max() == pytest.approx(10 ** (-1 / 20), rel=1e-3)


BROKEN = {
    "stereo": (pcm_wav(sine(12.0, RATE), RATE, n_channels=2), ["mono"]),
    "24 bits": (pcm_wav(sine(12.0, RATE), RATE, bits=24), ["wav16"]),
    "8 bits": (pcm_wav(sine(12.0, RATE), RATE, bits=8), ["wav16"]),
    "16 kHz": (pcm_wav(sine(12.0, 16_000), 16_000), ["rate"]),
    "flac": (encoded(sine(12.0, RATE), RATE, "flac", "flac", bit_rate=None), ["wav16"]),
    "stereo mp3": (encoded(sine(12.0, RATE), RATE, "mp3", "libmp3lame", layout="stereo"), ["mono", "wav16"]),
    "too loud": (pcm_wav(sine(12.0, RATE, peak=2.0), RATE, bits=32, kind=3), ["wav16", "headroom"]),
    "too large": (pcm_wav(sine(42.0, 96_000), 96_000), ["size"]),
    "everything": (
        pcm_wav(sine(62.0, 16_000), 16_000, bits=24, n_channels=3),
        ["cut", "mono", "rate", "size", "wav16"],
    ),
}


@pytest.mark.parametrize(("data", "edits"), BROKEN.values(), ids=BROKEN)
def test_a_broken_rule_is_mended_and_every_edit_says_why_and_what(data, edits):
    clip = vcnb.load(data)
    mended = vcnb.repair(clip)
    assert names(mended) == edits
    assert not vcnb.diagnose(mended).hard_failures
    source = outgoing(mended)
    assert (source.container, source.bit_depth, source.n_channels) == ("wav", 16, 1)
    assert all(edit.reason and any(letter.isdigit() for letter in edit.change) for edit in mended.edits)
    assert vcnb.repair(mended) is mended


def test_a_higher_rate_is_told_to_add_no_treble(rng):
    clip = vcnb.load(pcm_wav(0.1 * rng.standard_normal(12 * 16_000), 16_000))
    mended = vcnb.repair(clip)
    assert mended.sample_rate == 24_000
    assert mended.duration == pytest.approx(clip.duration)
    assert "8 kHz" in mended.edits[0].change
    spectrum = np.abs(np.fft.rfft(mended.samples)) ** 2
    assert spectrum[np.fft.rfftfreq(len(mended.samples), 1 / 24_000) > 8_500].sum() < 1e-4 * spectrum.sum()


def test_the_cut_falls_into_the_last_pause_before_the_limit():
    speech = vcnb.load(vcnb.samples()["kathleen_en"])
    samples = np.tile(speech.samples, 5)
    mended = vcnb.repair(vcnb.load(pcm_wav(samples, speech.sample_rate)))
    assert names(mended) == ["cut"]
    assert 55 < mended.duration <= 60
    edge = mended.samples[-speech.sample_rate // 20 :]
    assert edge.std() < 0.03 * mended.samples.std()
    assert np.array_equal(mended.samples, samples[: len(mended.samples)])


def test_without_a_pause_the_cut_is_at_the_limit_and_fades():
    mended = vcnb.repair(vcnb.load(pcm_wav(sine(61.0, RATE), RATE)))
    assert mended.duration == 60.0
    assert abs(mended.samples[-1]) < 1e-3
    assert "fade" in mended.edits[0].change


def test_nothing_is_cut_flat_on_the_way_to_16_bits():
    mended = vcnb.repair(vcnb.load((sine(12.0, RATE, peak=1.7), RATE)))
    assert names(mended) == ["headroom"]
    assert np.abs(mended.samples).max() == pytest.approx(10 ** (-1 / 20), abs=1e-3)
    assert "4.6" in mended.edits[0].change  # 20 log10(1.7)


def test_what_is_too_short_stays_so_and_is_not_hidden():
    mended = vcnb.repair(Clip(sine(2.0, RATE), RATE))
    assert mended.edits == ()
    assert [each.check for each in vcnb.diagnose(mended).hard_failures] == ["duration"]


def test_every_remedy_of_a_finding_is_known():
    from vcnb.repair.steps import REMEDIES

    data = pcm_wav(sine(62.0, 16_000, peak=0.001), 16_000, bits=32, n_channels=4)
    words = {each.remedy for each in vcnb.diagnose(vcnb.load(data)).findings if each.remedy}
    assert words == {"cut", "level", "mono", "rate", "size", "wav16"} == set(REMEDIES)
