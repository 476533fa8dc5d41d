"""A clip goes out as the bytes it came with, or as a WAV file that is true to it."""

from __future__ import annotations

import struct
import wave
from dataclasses import replace

import av
import numpy as np
import pytest
from recordings import pcm_wav, sine

from vcnb.audio.clip import Clip, Edit, Speech
from vcnb.audio.encode import outgoing, save, wav_bytes
from vcnb.audio.load import load
from vcnb.errors import ClipError


def test_encoding_and_decoding_are_within_half_a_step(rng):
    samples = rng.uniform(-1, 1 - 2**-15, 4000).astype(np.float32)
    back = load(wav_bytes(samples, 24_000))
    assert np.abs(back.samples - samples).max() <= 2**-16
    assert (back.sample_rate, back.source.bit_depth, back.source.n_channels) == (24_000, 16, 1)


def test_what_passes_full_scale_is_held_and_never_wraps():
    back = load(wav_bytes(np.array([1.0, 1.5, 100.0, -1.0, -3.0], np.float32), 24_000))
    assert back.samples.tolist() == [32767 / 32768] * 3 + [-1.0] * 2


def test_the_header_counts_its_bytes():
    data = wav_bytes(np.zeros(100, np.float32), 44_100)
    assert struct.unpack("<I", data[4:8])[0] == len(data) - 8
    assert struct.unpack("<I", data[40:44])[0] == 200 == len(data) - 44


def test_an_untouched_clip_sends_its_own_bytes_and_an_edited_one_a_wav():
    data = pcm_wav(sine(1.0, 48_000), 48_000, bits=24)
    clip = load(data)
    assert outgoing(clip).data == data
    edited = outgoing(replace(clip, edits=(Edit("x", "y", "z"),)))
    assert edited.data != data
    assert (edited.container, edited.bit_depth, edited.n_channels) == ("wav", 16, 1)
    assert outgoing(Clip(clip.samples, clip.sample_rate)).data == edited.data


def test_saving_writes_the_whole_file_and_nothing_beside_it(tmp_path):
    path = save(Clip(sine(0.5, 24_000), 24_000), tmp_path / "me.wav")
    with wave.open(str(path)) as file:
        assert (file.getnframes(), file.getframerate(), file.getsampwidth()) == (12_000, 24_000, 2)
    assert [each.name for each in tmp_path.iterdir()] == ["me.wav"]


def test_a_failed_save_leaves_what_was_there(tmp_path):
    (tmp_path / "me.wav").mkdir()
    (tmp_path / "me.wav" / "kept").touch()
    with pytest.raises(ClipError, match="cannot be written"):
        save(Clip(sine(0.5, 24_000), 24_000), tmp_path / "me.wav")
    assert [each.name for each in tmp_path.rglob("*")] == ["me.wav", "kept"]


@pytest.mark.parametrize("name", ["me.mp3", "me"])
def test_a_name_that_promises_something_else_is_refused(name, tmp_path):
    with pytest.raises(ClipError, match="only WAV"):
        save(Clip(sine(0.5, 24_000), 24_000), tmp_path / name)


@pytest.mark.parametrize("place", ["nowhere/me.wav", "x" * 300 + ".wav", "me\0.wav"])
def test_a_place_that_cannot_be_written_is_said(tmp_path, place):
    with pytest.raises(ClipError, match="cannot be written"):
        save(Clip(sine(0.5, 24_000), 24_000), tmp_path / place)


def test_speech_says_in_its_file_that_it_is_generated_whose_voice_and_by_which_consent(tmp_path, rng):
    samples = np.rint(rng.uniform(-1, 1, 4001) * 32767).astype(np.float32) / 32768
    speech = Speech(samples, 24_000, voice="qwen-vc-käthe", target_model="qwen3", consent="consent-12", take="take-7")
    path = save(speech, tmp_path / "speech.wav")
    with av.open(str(path)) as file:  # a reader that is not ours
        told = dict(file.metadata)
    assert told == {
        "artist": "qwen-vc-käthe",
        "comment": "AI-generated speech; voice: qwen-vc-käthe; model: qwen3; consent: consent-12; take: take-7",
        "encoder": "vcnb",
    }
    practised = save(replace(speech, practice=True), tmp_path / "practised.wav")
    with av.open(str(practised)) as file:
        assert file.metadata["comment"].startswith("AI-generated speech of a practice voice; voice: ")
    with wave.open(str(path)) as file:
        assert file.readframes(9999) == wav_bytes(samples, 24_000)[44:]
    assert struct.unpack("<I", path.read_bytes()[4:8])[0] == path.stat().st_size - 8
    plain = save(Clip(samples, 24_000), tmp_path / "clip.wav").read_bytes()
    assert plain == wav_bytes(samples, 24_000), "a recording says nothing of the kind"
