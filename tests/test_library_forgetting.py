"""A withdrawal is carried out whole, also where it is interrupted, and takes nothing that is not its own."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from vcnb.audio.clip import Edit, Source
from vcnb.errors import LibraryError
from vcnb.library import sounds, voices
from vcnb.library.accounts import Place, new_account
from vcnb.library.clips import keep_clip
from vcnb.library.forgetting import forget
from vcnb.library.intents import Intent, Intents
from vcnb.library.opening import open_store
from vcnb.library.sounds import read_sound
from vcnb.protocol.voice import Voice

MODEL = "qwen3-tts-vc-2026-01-22"


@pytest.fixture
def store(tmp_path):
    found = open_store(tmp_path)
    yield found
    found.close()


def source(data: bytes = b"a recording") -> Source:
    return Source(data, hashlib.sha256(data).hexdigest(), "wav", "pcm_s16le", 16, False, 1, 24_000, 1.0, 1.0)


@pytest.fixture
def account(store):
    """One voice from one recording, after an attempt that was refused."""
    account = new_account(store, Place("singapore"))
    clip = keep_clip(store, source(), name="me.wav")
    words = {"transcript": "the secret words", "consent": "the secret consent"}
    refused = Intent(
        "refused", account, "key", "base", 0, MODEL, "me", "me_abc", False, clip, words["transcript"], None,
        words["consent"], 0.0, clip=clip, state="failed",
    )  # fmt: skip
    Intents(store).add(refused)
    voices.keep_voice(store, account, Voice("me-1", MODEL, "me"), clip=clip, **words)
    return account


def kept(store) -> list[Path]:
    return [path for path in (store.folder / "sounds").rglob("*") if path.is_file()]


def test_a_refused_attempt_is_forgotten_with_the_voice_that_came_of_it(store, account):
    forget(store, account, "me-1")
    store.close()
    assert not any(b"secret" in path.read_bytes() for path in store.folder.rglob("*") if path.is_file())


def test_what_a_panel_keeps_of_the_recording_goes_with_it(store, account, tmp_path):
    data, digest = source().data, source().sha256
    theirs = [tmp_path / "recordings" / "a.wav", tmp_path / "recordings" / "a.json"]
    theirs += [tmp_path / "uploads" / f"{digest}-0001.wav"]
    others = [tmp_path / "recordings" / "b.wav", tmp_path / "uploads" / f"{'0' * 64}-0001.wav"]
    for path in (*theirs, *others):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data if path in theirs else b"another")
    forget(store, account, "me-1", arrived=[tmp_path])
    assert [path.exists() for path in (*theirs, *others)] == [False] * 3 + [True] * 2


def test_a_withdrawal_that_could_not_remove_a_sound_goes_on_when_asked_again(store, account, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", lambda *_, **__: (_ for _ in ()).throw(PermissionError(13, "held by another")))
        with pytest.raises(LibraryError, match="cannot be removed"):
            forget(store, account, "me-1")
    assert len(kept(store)) == 1
    line = forget(store, account, "me-1")
    assert kept(store) == []
    assert "its recording" in line
    assert forget(store, account, "me-1") == line, "the one line stays as it was"


def test_a_sound_that_rotted_is_made_whole_when_it_is_kept_again(store, account):
    [path] = kept(store)
    path.write_bytes(bytes(len(source().data)))
    keep_clip(store, source())
    assert sounds.read_sound(store.folder, source().sha256) == source().data


@pytest.mark.parametrize("text", ["label \ud800", "\udfff"])
def test_half_a_character_is_said_so_and_a_files_odd_name_is_kept_in_letters(store, account, text):
    with pytest.raises(LibraryError, match="half a character"):
        voices.describe(store, account, "me-1", label=text)
    clip = keep_clip(store, source(b"another"), name="caf\udce9.wav")
    assert store.row("SELECT name FROM clips WHERE id = ?", clip)["name"] == "caf\\udce9.wav"


def test_a_recording_keeps_the_first_original_and_nothing_of_a_second_one_is_left_behind(store):
    first, second = Edit("mono", "two channels", "one"), Edit("level", "too soft", "louder")
    clip = keep_clip(store, source(), edits=[first], original=source(b"first"), verdict="warn")
    assert keep_clip(store, source(), edits=[second], original=source(b"second"), verdict="pass") == clip
    row = store.row("SELECT * FROM clips")
    assert read_sound(store.folder, row["original"]) == b"first"
    assert [each["name"] for each in json.loads(row["edits"])] == ["mono"]
    assert row["verdict"] == "pass", "the newer diagnosis counts"
    assert {path.read_bytes() for path in kept(store)} == {source().data, b"first"}
