"""Characters are counted as they are billed, and languages and headers are written as the service does."""

from __future__ import annotations

import io
import wave

import pytest

from vcnb.protocol import synthesis


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0),
        ("hello, world", 12),
        ("你好", 4),
        ("你好，a", 6),  # the comma is no ideograph
        ("豈", 2),  # a compatibility ideograph
        ("𠮷", 2),  # outside the first plane
        ("カタかな", 4),
        ("안녕", 2),
        ("。、「」", 4),
        ("\n\t", 2),
    ],
)
def test_an_ideograph_counts_two_and_anything_else_one(text, count):
    assert synthesis.characters(text) == count


def test_languages_travel_by_name_and_come_back_as_codes():
    for code in ("zh", "en", "de", "it", "pt", "es", "ja", "ko", "fr", "ru"):
        assert synthesis.language_of(synthesis.language_type(code)) == code
    assert synthesis.language_type("de") == "German"
    assert synthesis.language_type(None) == "Auto"
    assert synthesis.language_of(None) == synthesis.language_of("auto") == "auto"
    for wrong in ("de", "Klingon"):
        with pytest.raises(KeyError):
            synthesis.language_of(wrong)


@pytest.mark.parametrize("sample_rate", [8_000, 24_000, 48_000])
def test_a_header_makes_a_wav_of_the_sound_behind_it(sample_rate):
    pcm = bytes(range(200))
    with wave.open(io.BytesIO(synthesis.wav_header(len(pcm), sample_rate) + pcm)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (sample_rate, 1, 2)
        assert file.readframes(1_000) == pcm


def test_the_header_of_a_stream_says_nothing_of_its_length():
    header = synthesis.streaming_wav_header()
    assert len(header) == len(synthesis.wav_header(0)) == 44
    assert int.from_bytes(header[4:8], "little") == 0x7FFFFFFF
    assert header[8:36] == synthesis.wav_header(0)[8:36]
