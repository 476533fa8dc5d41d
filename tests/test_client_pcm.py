"""Bytes to samples: headers that lie, pieces that split a sample, joints that do not click."""

from __future__ import annotations

import io
import wave

import numpy as np
import pytest

from vcnb.client.pcm import JOINT, Unpacker, as_samples, joined
from vcnb.errors import ServiceBrokenError

PCM = (np.arange(5_000, dtype="<i2") - 2_500).tobytes()


def wav(pcm: bytes = PCM, *, rate: int = 24_000, channels: int = 1, width: int = 2) -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(rate)
        file.writeframes(pcm)
    return out.getvalue()


def lying(data: bytes) -> bytes:
    """Give both lengths of the header the value that was seen of the service."""
    return data[:4] + b"\xff\xff\xff\x7f" + data[8:40] + b"\xff\xff\xff\x7f" + data[44:]


@pytest.mark.parametrize("size", [1, 3, 7, 43, 45, 1000, 100_000])
@pytest.mark.parametrize("whole", [wav(), lying(wav()), PCM], ids=["wav", "lying", "bare"])
def test_every_way_to_cut_the_bytes_gives_the_same_samples(whole, size):
    unpacker = Unpacker()
    pieces = [unpacker.feed(whole[at : at + size]) for at in range(0, len(whole), size)]
    assert all(len(piece) % 2 == 0 for piece in pieces)
    assert b"".join(pieces) == PCM


def test_what_stands_behind_the_samples_of_a_file_is_no_sound():
    listed = wav() + b"LIST\x04\x00\x00\x00abcd"
    assert Unpacker(whole=True).feed(listed) == PCM


def test_a_file_that_is_shorter_than_it_says_is_found_out():
    unpacker = Unpacker(whole=True)
    unpacker.feed(wav()[:-1000])
    assert unpacker.missing == 1000


@pytest.mark.parametrize(
    "data",
    [wav(rate=16_000), wav(channels=2), wav(width=1), b"ID3\x04rest", b"OggSrest", b"RIFF____WAVE" + b"\x00" * 70_000],
)
def test_another_format_is_refused(data):
    with pytest.raises(ServiceBrokenError, match="24 kHz"):
        Unpacker().feed(data + b"JUNK\xff\xff\xff\x7f")


def test_full_scale_is_one():
    assert as_samples(np.array([-32768, 0, 16384], dtype="<i2").tobytes()).tolist() == [-1.0, 0.0, 0.5]


@pytest.mark.parametrize("size", [2, 100, 478, 10_000])
def test_two_answers_meet_without_a_click(size):
    # A tone broken off at its crest on both sides: joined as it is, the level would jump by 1.6 of full scale.
    tone = 0.8 * np.cos(2 * np.pi * 200 * np.arange(2_400) / 24_000)
    parts = [(sign * tone * 32767).astype("<i2").tobytes() for sign in (1, -1, 1)]
    cut = [[part[at : at + size] for at in range(0, len(part), size)] for part in parts]
    last = len(parts) - 1
    out = b"".join(b"".join(joined(iter(each), first=n == 0, last=n == last)) for n, each in enumerate(cut))
    samples = as_samples(out)
    assert len(samples) == 3 * 2_400
    step = np.abs(np.diff(tone)).max()
    assert np.abs(np.diff(samples)).max() < 1.5 * step
    away = np.ones(len(samples), bool)
    for joint in (2_400, 4_800):
        away[joint - JOINT : joint + JOINT] = False
    assert np.array_equal(samples[away], as_samples(b"".join(parts))[away])


def test_a_single_answer_is_left_as_it_is():
    assert list(joined(iter([b"\x01\x02", b"\x03\x04"]), first=True, last=True)) == [b"\x01\x02", b"\x03\x04"]


@pytest.mark.parametrize(("first", "last"), [(True, False), (False, False), (False, True)])
def test_an_answer_shorter_than_the_fade_is_kept(first, last):
    assert len(b"".join(joined(iter([b"\x01\x00" * 20]), first=first, last=last))) == 40
