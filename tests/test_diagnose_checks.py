"""Each hard rule of the page is judged on both sides of its threshold."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from recordings import encoded, pcm_wav, sine

import vcnb
from vcnb.audio.clip import Clip, Segment
from vcnb.audio.load import read_clip
from vcnb.diagnose.checks.base64_size import encoded_bytes
from vcnb.diagnose.subject import checks

RATE = 24_000
GOOD = sine(12.0, RATE)


def finding(report, name):
    return next(each for each in report.findings if each.check == name)


def judged(name, data, **where):
    return finding(vcnb.diagnose(read_clip(data, **where)), name)


@pytest.fixture(scope="module")
def good():
    return read_clip(pcm_wav(GOOD, RATE), path="me.wav")


def of_source(clip, name, **changed):
    """Judge a clip whose file is said to be different: for sizes and lengths that no test should have to write."""
    return finding(vcnb.diagnose(replace(clip, source=replace(clip.source, **changed))), name)


def test_the_checks_are_those_of_the_page_in_order():
    names = [check.name for check in checks()]
    assert names[:7] == ["format", "duration", "file_size", "base64_size", "sample_rate", "channels", "bit_depth"]
    assert all(check.hard and check.required_by == "page" and check.required for check in checks()[:7])


def test_a_good_file_passes_every_hard_rule(good):
    findings = [each for each in vcnb.diagnose(good).findings if each.hard]
    assert (len(findings), {each.verdict for each in findings}) == (7, {"pass"})
    assert not any(each.advice or each.remedy for each in findings)


@pytest.mark.parametrize(
    ("seconds", "verdict"),
    [
        (2.99, "fail"),
        (3.0, "warn"),
        (9.8, "warn"),
        (10.0, "pass"),
        (20.0, "pass"),
        (20.2, "warn"),
        (60.0, "warn"),
        (60.01, "fail"),
    ],
)
def test_duration(good, seconds, verdict):
    found = of_source(good, "duration", decoded_duration=seconds)
    assert (found.verdict, found.value) == (verdict, seconds)
    assert found.segments == ((Segment(60.0, seconds),) if seconds > 60 else ())
    assert found.remedy == ("window" if seconds > 20.1 else "")


@pytest.mark.parametrize(
    ("n_bytes", "verdict"),
    [(9_999_999, "pass"), (10_000_000, "warn"), (10_485_759, "warn"), (10_485_760, "fail")],
)
def test_file_size(good, n_bytes, verdict):
    assert of_source(good, "file_size", data=bytes(n_bytes)).verdict == verdict


@pytest.mark.parametrize(
    ("n_bytes", "verdict"),
    # 22 characters of prefix, then four for every three bytes begun: 7,499,982 bytes are the last that pass.
    [(7_499_982, "pass"), (7_499_983, "warn"), (7_864_302, "warn"), (7_864_304, "fail")],
)
def test_base64_size(good, n_bytes, verdict):
    found = of_source(good, "base64_size", data=bytes(n_bytes))
    assert (found.verdict, of_source(good, "file_size", data=bytes(n_bytes)).verdict) == (verdict, "pass")
    assert found.value == 22 + 4 * -(-n_bytes // 3)


def test_nothing_is_encoded_when_the_service_fetches_the_file(good):
    assert of_source(good, "base64_size", data=bytes(9_000_000), url="https://example.org/me.wav").verdict == "pass"


def test_the_prefix_is_that_of_the_content():
    assert encoded_bytes(vcnb.load(pcm_wav(np.zeros(3000), RATE)).source) == 8060 + len("data:audio/wav;base64,")


@pytest.mark.parametrize(("rate", "verdict"), [(23_999, "fail"), (24_000, "pass"), (48_000, "pass")])
def test_sample_rate(rate, verdict):
    found = judged("sample_rate", pcm_wav(sine(3.0, rate), rate))
    assert (found.verdict, found.value) == (verdict, rate)


@pytest.mark.parametrize(("n_channels", "verdict"), [(1, "pass"), (2, "fail"), (6, "fail")])
def test_channels(n_channels, verdict):
    found = judged("channels", pcm_wav(GOOD, RATE, n_channels=n_channels))
    assert (found.verdict, found.value) == (verdict, n_channels)


@pytest.mark.parametrize(
    ("bits", "kind", "verdict"), [(8, 1, "fail"), (16, 1, "pass"), (24, 1, "fail"), (32, 1, "fail"), (32, 3, "fail")]
)
def test_bit_depth(bits, kind, verdict):
    data = pcm_wav(GOOD, RATE, bits=bits, kind=kind)
    assert judged("bit_depth", data).verdict == verdict
    assert judged("format", data).verdict == "pass"


@pytest.mark.parametrize(
    ("container", "codec", "name", "verdict"),
    [
        ("wav", "pcm_s16le", "me.wav", "pass"),
        ("wav", "pcm_s16le", "", "pass"),
        ("wav", "pcm_s16le", "me.mp3", "warn"),
        ("wav", "pcm_mulaw", "me.wav", "fail"),
        ("mp3", "libmp3lame", "me.MP3", "pass"),
        ("mp3", "libmp3lame", "me.wav", "warn"),
        ("ipod", "aac", "me.m4a", "pass"),
        ("mp4", "aac", "me.mp4", "pass"),
        ("ipod", "aac", "me.mp3", "warn"),
        ("ipod", "alac", "me.m4a", "warn"),
        ("adts", "aac", "me.aac", "fail"),
        ("flac", "flac", "me.flac", "fail"),
        ("ogg", "libopus", "me.opus", "fail"),
        ("webm", "libopus", "me.webm", "fail"),
        ("aiff", "pcm_s16be", "me.aiff", "fail"),
    ],
)
def test_format(container, codec, name, verdict):
    rate = 48_000 if codec == "libopus" else RATE
    bit_rate = None if "pcm" in codec else 64_000
    found = judged("format", encoded(sine(3.0, rate), rate, container, codec, bit_rate=bit_rate), path=name or None)
    assert found.verdict == verdict
    assert (found.remedy == "wav16") == (verdict != "pass")


def test_format_warns_of_a_file_that_ends_early_or_is_damaged(good):
    data = good.source.data
    assert judged("format", data[: len(data) // 2]).verdict == "warn"
    assert of_source(good, "format", n_errors=1).verdict == "warn"
    assert of_source(good, "format", n_nonfinite=1).verdict == "warn"
    assert of_source(good, "format", declared_duration=None).verdict == "warn"
    assert of_source(good, "format", declared_duration=12.5).verdict == "warn"
    assert of_source(good, "format", declared_duration=12.2).verdict == "pass"


def test_sound_without_a_file_is_judged_as_the_wav_that_would_be_sent():
    report = vcnb.diagnose(Clip(sine(12.0, 16_000), 16_000))
    assert [each.check for each in report.hard_failures] == ["sample_rate"]
