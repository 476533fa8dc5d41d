"""Whatever people bring comes in as it is, or is refused in one clear line."""

from __future__ import annotations

import contextlib
import io
import os
import struct
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from recordings import encoded, pcm_wav, sine

import vcnb
from vcnb.audio.load import load, read_clip
from vcnb.errors import ClipError

RATE = 48_000

FILES = {
    "wav": ("wav", "pcm_s16le", "pcm_s16le", 16),
    "wav of 24 bits": ("wav", "pcm_s24le", "pcm_s24le", 24),
    "wav of 8 bits": ("wav", "pcm_u8", "pcm_u8", 8),
    "wav of floats": ("wav", "pcm_f32le", "pcm_f32le", 32),
    "mp3": ("mp3", "libmp3lame", "mp3", None),
    "mp4": ("ipod", "aac", "aac", None),
    "mp4 with alac": ("ipod", "alac", "alac", 24),
    "flac": ("flac", "flac", "flac", 16),
    "ogg": ("ogg", "libopus", "opus", None),
    "matroska": ("webm", "libopus", "opus", None),
    "aiff": ("aiff", "pcm_s16be", "pcm_s16be", 16),
    "caf": ("caf", "pcm_s16be", "pcm_s16be", 16),
    "w64": ("w64", "pcm_s16le", "pcm_s16le", 16),
    "adts": ("adts", "aac", "aac", None),
    "au": ("au", "pcm_s16be", "pcm_s16be", 16),
}


@cache
def file(name: str) -> bytes:
    container, encoder, _, _ = FILES[name]
    return encoded(sine(2.0, RATE), RATE, container, encoder, bit_rate=None if "pcm" in encoder else 128_000)


@pytest.mark.parametrize("name", FILES)
def test_every_container_gives_back_the_tone_that_was_put_in(name):
    clip = load(file(name))
    _, _, codec, bits = FILES[name]
    assert (clip.source.container, clip.source.codec) == (name.split()[0], codec)
    assert clip.source.bit_depth == bits or name == "mp4 with alac"
    assert clip.duration == pytest.approx(2.0, abs=0.06)
    middle = clip.samples[RATE // 2 : RATE // 2 + RATE]
    assert np.abs(np.fft.rfft(middle)).argmax() == 440
    assert np.sqrt(np.mean(middle**2)) == pytest.approx(0.5 / np.sqrt(2), rel=0.06)


def test_16_bits_come_in_exactly(rng):
    steps = rng.integers(-32768, 32768, 5000)
    clip = load(pcm_wav(steps / 32768, 24_000))
    assert np.array_equal(clip.samples * 32768, steps)


def test_every_way_in_gives_the_same_clip(tmp_path):
    data = file("wav")
    path = tmp_path / "me.wav"
    path.write_bytes(data)
    with path.open("rb") as opened:
        clips = [
            load(path),
            load(str(path)),
            load(opened),
            load(io.BytesIO(data), name="me.wav"),
            load(bytearray(data)),
        ]
    assert len({clip.source.sha256 for clip in clips}) == 1
    assert [clip.name for clip in clips] == ["me.wav"] * 4 + [""]
    assert clips[0].source.path == str(path)
    assert clips[0].source.suffix == ".wav"
    assert clips[0].source.data == data
    assert load(clips[0]) is clips[0]


@pytest.mark.parametrize("rows_first", [True, False])
def test_samples_of_two_channels_are_averaged_whichever_way_they_lie(rows_first):
    two = np.stack([sine(0.1, RATE), np.zeros(RATE // 10, np.float32)])
    clip = load((two if rows_first else two.T, RATE))
    assert np.allclose(clip.samples, sine(0.1, RATE) / 2)
    assert clip.source is None


@pytest.mark.parametrize("kind", [np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint16, np.uint32])
def test_integer_samples_are_scaled_by_their_type(kind):
    low, high = (int(each) for each in (np.iinfo(kind).min, np.iinfo(kind).max))
    quarter = low + (high - low + 1) * 3 // 4
    assert load((np.array([low, quarter], kind), RATE)).samples.tolist() == [-1.0, 0.5]


@pytest.mark.parametrize("other", [0.0, -1.0], ids=["dead", "in opposite phase"])
def test_a_channel_that_only_takes_from_the_other_is_left_out(other):
    left = sine(1.0, RATE, peak=0.5)
    clip = load(pcm_wav(np.stack([left, other * left], 1), RATE))
    assert np.allclose(clip.samples, left, atol=1e-4)


def test_stereo_is_averaged_and_clipping_is_seen_on_the_channel_that_has_it():
    left = np.clip(sine(1.0, RATE, hz=200, peak=1.5), -1, 1)
    clip = load(pcm_wav(np.stack([left, 0.5 * left], 1), RATE))
    assert clip.source.n_channels == 2
    assert np.allclose(clip.samples, 0.75 * left, atol=1e-4)
    assert sum(segment.duration for segment in clip.source.clipped) > 0.5
    assert not load(pcm_wav(0.2 * sine(1.0, RATE), RATE)).source.clipped


def test_values_that_are_no_numbers_are_counted_and_silent():
    samples = sine(1.0, RATE)
    samples[100:110] = np.nan
    samples[200] = np.inf
    clip = load(pcm_wav(samples, RATE, bits=32, kind=3))
    assert clip.source.n_nonfinite == 11
    assert not clip.samples[100:110].any()


@pytest.mark.parametrize("name", ["wav", "mp3", "flac"])
def test_a_file_that_ends_early_says_so(name):
    data = file(name)
    assert not load(data).source.truncated
    clip = load(data[: len(data) // 2])
    assert clip.source.truncated
    assert clip.source.declared_duration == pytest.approx(2.0, abs=0.1)
    assert clip.duration < 1.2


@pytest.mark.parametrize("size", [0, 0x7FFFFFFF, 0xFFFFFFFF])
def test_a_wav_whose_header_knows_no_length_is_read_to_its_end(size):
    data = file("wav")
    at = data.index(b"data") + 4
    clip = load(data[:at] + struct.pack("<I", size) + data[at + 4 :])
    assert clip.source.declared_duration is None
    assert not clip.source.truncated
    assert clip.duration == pytest.approx(2.0)


def test_damage_in_the_middle_costs_only_itself(rng):
    data = bytearray(encoded(sine(8.0, RATE), RATE, "mp3", "libmp3lame"))
    for at in rng.integers(4000, len(data), 60):
        data[at] ^= 0xFF
    clip = load(bytes(data))
    assert clip.source.n_errors > 0
    assert clip.duration > 5


HOSTILE = {
    "empty": b"",
    "text": b"hello, this is not audio\n" * 100,
    "a header and no sound": pcm_wav(np.zeros(0), RATE),
    "half a header": pcm_wav(np.zeros(100), RATE)[:30],
    "zero channels": pcm_wav(np.zeros(100), RATE)[:22] + b"\0\0" + pcm_wav(np.zeros(100), RATE)[24:],
    "a picture": b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20,
    "a tag and no sound": b"ID3\x03\0\0" + bytes([0, 0, 16, 0]) + bytes(2048),
    "noise": np.random.default_rng(0).bytes(100_000),
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE)
def test_what_is_no_recording_is_refused_with_a_remedy(data, tmp_path):
    path = tmp_path / "me.wav"
    path.write_bytes(data)
    with pytest.raises(ClipError, match=r"me\.wav") as caught:
        load(path)
    assert "\n" not in caught.value.message
    assert caught.value.remedy


def test_half_an_m4a_has_lost_its_index():
    with pytest.raises(ClipError, match="cannot be read"):
        load(file("mp4")[: len(file("mp4")) // 2])


def test_a_text_that_points_to_another_file_opens_nothing(tmp_path):
    (tmp_path / "secret.wav").write_bytes(file("wav"))
    trap = tmp_path / "trap.wav"
    trap.write_text(f"ffconcat version 1.0\nfile {tmp_path / 'secret.wav'}\n")
    with pytest.raises(ClipError, match="no sound in a known format"):
        load(trap)


def test_a_small_file_that_unpacks_to_more_than_ten_minutes_is_refused():
    bomb = encoded(np.zeros(8000 * 640, np.float32), 8000, "flac", "flac", bit_rate=None)
    assert len(bomb) < 300_000
    with pytest.raises(ClipError, match="longer than 10 minutes") as caught:
        load(bomb)
    assert "best_window" in caught.value.remedy


@pytest.mark.parametrize("place", ["nowhere.wav", "."])
def test_a_path_without_a_file_is_named(place, tmp_path):
    with pytest.raises(ClipError, match="no"):
        load(tmp_path / place)


@pytest.mark.parametrize(
    "given",
    [
        (np.zeros(10), 0),
        (np.zeros(10), -1),
        (np.zeros(10), float("inf")),
        (np.zeros(10),),
        (np.zeros((2, 2, 2)), RATE),
        (["a"], RATE),
        (np.array([np.nan]), RATE),
        (np.array([1e300]), RATE),
        (np.zeros(0), RATE),
        3,
        "https://example.org/me.wav",
        io.StringIO("text"),
    ],
    ids=lambda given: type(given).__name__ + (f" {given}" if isinstance(given, str | int) else ""),
)
def test_what_is_no_sound_is_refused(given):
    with pytest.raises(ClipError) as caught:
        vcnb.load(given)
    assert caught.value.remedy


def closed():
    file = io.BytesIO(b"RIFF")
    file.close()
    return file


class Gone(io.RawIOBase):
    def read(self, size=-1):
        raise OSError(5, "the disk is gone")


class Asleep(io.RawIOBase):
    def read(self, size=-1):
        return None


@pytest.mark.parametrize(("given", "match"), [(closed(), "closed"), (Gone(), "disk is gone"), (Asleep(), "no bytes")])
def test_a_file_object_that_gives_nothing_is_refused(given, match):
    with pytest.raises(ClipError, match=match) as caught:
        load(given)
    assert caught.value.remedy


@pytest.mark.parametrize("path", ["~nobody-of-that-name/me.wav", "me\0.wav", "x" * 5000])
def test_a_path_that_cannot_be_is_no_file(path):
    with pytest.raises(ClipError, match=r"no such file|cannot be read"):
        load(path)


def test_a_name_in_another_encoding_is_read(tmp_path):
    path = os.fsencode(tmp_path) + b"/\xff.wav"
    try:
        Path(os.fsdecode(path)).write_bytes(file("wav"))
    except OSError:
        pytest.skip("this file system knows no such name")
    clip = load(os.fsdecode(path))
    assert clip.duration == pytest.approx(2.0)
    repr(vcnb.diagnose(clip)).encode("utf-8", "backslashreplace")


def test_the_ending_of_an_address_is_kept_without_its_query():
    assert read_clip(file("wav"), url="https://example.org/a/me.WAV?x=1.mp3").source.suffix == ".wav"


@settings(
    max_examples=120, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    name=st.sampled_from(["wav", "mp3", "mp4", "flac", "ogg", "matroska"]),
    changes=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=20),
    early=st.booleans(),
    kept=st.floats(0.05, 1),
)
def test_a_mutated_file_is_read_or_refused_and_nothing_else(name, changes, early, kept):
    data = bytearray(file(name))
    for share, value in changes:
        data[int(share * (min(400, len(data)) if early else len(data)) * 0.999)] = value
    with contextlib.suppress(ClipError):  # anything else fails
        assert np.isfinite(load(bytes(data[: int(kept * len(data))])).samples).all()
