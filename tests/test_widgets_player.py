"""How a clip is heard and seen, on the kernel's side."""

from __future__ import annotations

import numpy as np
import pytest

from vcnb.audio.clip import Clip, Speech
from vcnb.errors import SettingsError
from vcnb.widgets.player import BYTES_PER_CHUNK, Player, as_sent


@pytest.fixture
def sent(monkeypatch):
    """Collect what a panel sends."""
    messages = []
    monkeypatch.setattr(Player, "send", lambda self, content, buffers=None: messages.append((content, buffers)))
    return messages


def whole_steps(rng, n):
    return np.float32(rng.integers(-32768, 32768, n) / 32768)


@pytest.mark.parametrize("kind", ["16 bit", "float"])
def test_the_pieces_together_are_the_clip(rng, sent, kind):
    samples = whole_steps(rng, 1_300_000) if kind == "16 bit" else np.float32(rng.normal(0, 0.1, 700_000))
    player = Player(Clip(samples, 48000))
    n = -(-player.sound["n_samples"] // player.sound["chunk"])
    assert n > 2
    for seq in reversed(range(n)):
        player._handle_custom_msg({"type": "need", "client": "me", "seqs": [seq]}, [])
    assert [message["seq"] for message, _ in sent] == list(reversed(range(n)))
    assert {message["client"] for message, _ in sent} == {"me"}
    pieces = [buffers[0] for _, buffers in reversed(sent)]
    assert max(map(len, pieces)) <= BYTES_PER_CHUNK
    if kind == "16 bit":
        got = np.frombuffer(b"".join(pieces), "<i2").astype(np.float32) / 32768
    else:
        got = np.frombuffer(b"".join(pieces), "<f4")
    assert player.sound["format"] == {"16 bit": "s16", "float": "f32"}[kind]
    np.testing.assert_array_equal(got, samples)


def test_only_what_16_bits_hold_exactly_is_halved():
    assert as_sent(np.float32([-1.0, 0.0, 32767 / 32768])).dtype == np.dtype("<i2")
    for beyond in (1.0, 1.5, -32769 / 32768, 0.5 / 32768):
        assert as_sent(np.float32([0.0, beyond])).dtype == np.dtype("<f4")


def test_a_piece_that_does_not_exist_is_empty(sent):
    player = Player(Clip([0.0, 0.5], 24000))
    player._handle_custom_msg({"type": "need", "client": "me", "seqs": [5]}, [])
    assert sent[0][1] == [b""]
    assert player.error is None


def test_no_trait_holds_sound(rng):
    state = Player(Clip(whole_steps(rng, 24000), 24000)).get_state()
    small = {name: value for name, value in state.items() if name not in ("_esm", "_css", "_words")}
    assert not [
        name for name, value in small.items() if isinstance(value, bytes | bytearray | memoryview | list) and value
    ]
    assert len(repr(small)) < 2000


def test_speech_says_that_it_was_generated_and_what_it_says():
    voice = "qwen-tts-vc-guanyu-voice-20250812105009984-838b"
    sound = Player(Speech([0.0], 24000, text="Hello.", voice=voice)).sound
    assert (sound["generated"], sound["text"], sound["name"]) == (True, "Hello.", "guanyu")
    assert Player(Clip([0.0], 24000, name="me.wav")).sound["generated"] is False


def test_its_text_in_a_notebook_stays_the_same():
    clip = Clip(np.zeros(12000), 24000, name="me.wav")
    data, _ = Player(clip)._repr_mimebundle_()
    assert data["text/plain"] == "<Player of <Clip 0.50 s at 24000 Hz 'me.wav'>>"
    assert "application/vnd.jupyter.widget-view+json" in data


def test_what_is_no_clip_is_refused():
    with pytest.raises(SettingsError, match=r"'me\.wav' is no clip"):
        Player("me.wav")
