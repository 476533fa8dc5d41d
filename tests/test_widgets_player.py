"""How a clip, several, or a stream are heard and seen, on the kernel's side."""

from __future__ import annotations

import json
import sys
import threading
import time
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from recordings import sine

from vcnb.audio.clip import Clip, Segment, Speech
from vcnb.diagnose.finding import Finding
from vcnb.errors import CancelledError, SettingsError, SpeechInterruptedError
from vcnb.repair.repair import apply
from vcnb.widgets import sounds
from vcnb.widgets.player import Player
from vcnb.widgets.sounds import SAMPLES_PER_MESSAGE, as_sent
from vcnb.widgets.still import outline, still


@pytest.fixture
def sent(monkeypatch):
    """Collect what a panel sends."""
    messages = []
    monkeypatch.setattr(Player, "send", lambda self, content, buffers=None: messages.append((content, buffers)))
    return messages


def whole_steps(rng, n):
    return np.float32(rng.integers(-32768, 32768, n) / 32768)


def until(condition, limit=10.0):
    deadline = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.002)


def heard_by(messages, n):
    """Put sound messages together as the browser does: each at its place."""
    got = np.full(n, np.nan, np.float32)
    for content, buffers in messages:
        if content["type"] == "sound":
            scale, kind = {"s16": (32768, "<i2"), "f32": (1, "<f4")}[content["format"]]
            part = np.frombuffer(buffers[0], kind).astype(np.float32) / np.float32(scale)
            got[content["at"] : content["at"] + len(part)] = part
    return got


@pytest.mark.parametrize("kind", ["16 bit", "float"])
def test_the_ranges_that_are_asked_for_together_are_the_clip(rng, sent, kind):
    samples = whole_steps(rng, 1_300_000) if kind == "16 bit" else np.float32(rng.normal(0, 0.1, 700_000))
    player = Player(Clip(samples, 48000))
    starts = range(0, len(samples), SAMPLES_PER_MESSAGE)
    for start in reversed(starts):
        need = {"type": "need", "key": "A", "client": "me", "ranges": [[start, start + SAMPLES_PER_MESSAGE]]}
        player._handle_custom_msg(need, [])
    assert len(starts) > 2
    assert {content["client"] for content, _ in sent} == {"me"}
    assert {content["format"] for content, _ in sent} == {{"16 bit": "s16", "float": "f32"}[kind]}
    assert max(len(buffers[0]) for _, buffers in sent) <= 1 << 20
    np.testing.assert_array_equal(heard_by(sent, len(samples)), samples)


def test_a_range_without_end_is_no_message_without_end(rng, sent):
    player = Player(Clip(whole_steps(rng, 3 * SAMPLES_PER_MESSAGE), 48000))
    player._handle_custom_msg({"type": "need", "key": "A", "client": "me", "ranges": [[5, 10**9]]}, [])
    assert len(sent[0][1][0]) == 2 * SAMPLES_PER_MESSAGE


def test_only_what_16_bits_hold_exactly_is_halved():
    assert as_sent(np.float32([-1.0, 0.0, 32767 / 32768])).dtype == np.dtype("<i2")
    for beyond in (1.0, 1.5, -32769 / 32768, 0.5 / 32768):
        assert as_sent(np.float32([0.0, beyond])).dtype == np.dtype("<f4")


def test_a_sound_that_does_not_exist_is_no_error(sent):
    player = Player(Clip([0.0, 0.5], 24000))
    for key, start in (("A", 5), ("Z", 0)):
        player._handle_custom_msg({"type": "need", "key": key, "client": "me", "ranges": [[start, 9]]}, [])
    assert [buffers for _, buffers in sent] == [[b""]]
    assert player.error is None


def test_the_state_beside_the_code_is_small_and_holds_nothing_that_is_said(rng):
    long = "a name " * 40
    speech = [Speech(whole_steps(rng, 24000), 24000, name=long, text="A secret. " * 200) for _ in range(2)]
    state = Player(speech, marks=[Segment(i, i + 0.5) for i in range(100)]).get_state()
    small = {name: value for name, value in state.items() if name not in ("_esm", "_css")}
    assert len(json.dumps(small)) <= 2000
    assert "secret" not in json.dumps(small)


def test_a_page_learns_text_and_marks_when_it_asks(sent):
    finding = Finding("longest_pause", "fail", "Too long.", 2.6, "s", segments=(Segment(1, 3.6),))
    player = Player(Speech(np.zeros(24000 * 5), 24000, text="Hello."), marks=[Segment(0.5, 1), finding])
    player._handle_custom_msg({"type": "hello", "client": "me"}, [])
    state, marks = (content for content, _ in sent)
    assert (state["text"], state["live"], state["n_samples"], state["client"]) == ("Hello.", False, 120_000, "me")
    assert marks["marks"] == [
        {"row": "", "verdict": "info", "text": "0.5 s", "start": 0.5, "end": 1},
        {"row": "longest_pause", "verdict": "fail", "text": "2.6 s", "start": 1, "end": 3.6},
    ]


def test_speech_says_that_it_was_generated():
    voice = "qwen-tts-vc-guanyu-voice-20250812105009984-838b"
    facts = Player(Speech([0.0], 24000, text="Hello.", voice=voice)).sounds[0]
    assert (facts["generated"], facts["name"]) == (True, "guanyu")
    assert Player(Clip([0.0], 24000, name="me.wav")).sounds[0]["generated"] is False


def test_several_say_how_loud_they_are_so_that_they_can_be_balanced():
    loud, soft = (Clip(sine(2, 24000, peak=peak), 24000) for peak in (0.5, 0.05))
    first, second, silent = (facts["lufs"] for facts in Player([loud, soft, Clip(np.zeros(24000), 24000)]).sounds)
    assert first - second == pytest.approx(20, abs=0.05)
    assert silent is None
    assert Player(loud).sounds[0]["lufs"] is None


def test_a_mended_copy_is_not_called_as_its_original_is(rng):
    clip = Clip(0.2 + whole_steps(rng, 48_000) / 4, 24_000, name="mine")
    assert [facts["name"] for facts in Player([clip, apply(clip, "dc")]).sounds] == ["mine", "mine, mended"]


def test_its_output_stays_the_same_and_stands_without_a_browser(rng):
    clip = Clip(whole_steps(rng, 12000), 24000, name="<me> & you.wav")
    data, _ = Player(clip)._repr_mimebundle_()
    assert data["text/plain"] == "<Player of <Clip 0.50 s at 24000 Hz '<me> & you.wav'>>"
    assert "application/vnd.jupyter.widget-view+json" in data


def test_the_still_picture_is_small_and_shows_how_loud_it_was(rng):
    for n in (0, 1, 50, 24000 * 60):
        drawn = still(np.float32(rng.uniform(-1, 1, n)), "x" * 500)
        assert len(drawn.encode()) <= 6000
        ET.fromstring(drawn)
    half = np.concatenate([np.zeros(1000), np.full(1000, 0.5), np.full(1000, -1.0)]).astype(np.float32)
    assert outline(half, 6) == "00ff__"
    title = ET.fromstring(still(half, '<a> "b" & c')).get("aria-label")
    assert title == '<a> "b" & c'


@pytest.mark.parametrize("what", ["me.wav", [], 7, ["me.wav"], [Clip([0.0], 24000)] * 9])
def test_what_is_no_clip_is_refused(what):
    with pytest.raises(SettingsError, match="clip"):
        Player(what)
    with pytest.raises(SettingsError, match="no mark"):
        Player(Clip([0.0], 24000), marks=[(1, 2)])


class Pieces:
    """A stream that a test lets go on, as `account.stream` gives one."""

    def __init__(self, pieces, *, end=None, speech=None):
        self._pieces, self._end, self._speech = iter(pieces), end, speech
        self.go = threading.Semaphore(0)
        self.cancelled = threading.Event()

    def __iter__(self):
        return self

    def __next__(self):
        self.go.acquire()
        if self.cancelled.is_set():
            raise CancelledError("Stopped.", remedy="start again")
        piece = next(self._pieces, None)
        if piece is None:
            raise self._end or StopIteration
        return piece

    @property
    def speech(self):
        return self._speech

    def cancel(self):
        self.cancelled.set()
        self.go.release()


def test_a_stream_is_sent_as_it_arrives_and_becomes_the_joined_clip(rng, sent):
    samples = whole_steps(rng, 2400)
    speech = Speech(samples, 24000, text="Hello.")
    pieces = Pieces([Clip(part, 24000) for part in np.split(samples, 5)], speech=speech)
    player = Player(pieces)
    assert (player.clip, player.figures, repr(player)) == (None, None, "<Player of a stream>")
    assert player.sounds[0]["live"]
    pieces.go.release()
    until(lambda: sent)
    assert (sent[0][0]["at"], sent[0][0]["client"], len(sent[0][1][0])) == (0, None, 2 * 480)
    assert 0 <= sent[0][0]["since"] < 10
    for _ in range(5):
        pieces.go.release()
    until(lambda: not player.sounds[0]["live"])
    np.testing.assert_array_equal(heard_by(sent, 2400), samples)
    assert player.clip is speech
    assert sent[-1][0] | {"client": None} == sent[-1][0]
    assert (sent[-1][0]["live"], sent[-1][0]["n_samples"], sent[-1][0]["text"]) == (False, 2400, "Hello.")
    assert player.sounds[0]["n_samples"] == 2400


def test_the_first_piece_waits_for_none_and_little_ones_go_together(rng, sent, monkeypatch):
    monkeypatch.setattr(sounds, "TOGETHER", 60.0)
    pieces = Pieces([Clip(part, 24000) for part in np.split(whole_steps(rng, 4800), 10)])
    player = Player(pieces)
    pieces.go.release()
    until(lambda: sent)
    for _ in range(10):
        pieces.go.release()
    until(lambda: not player.sounds[0]["live"])
    assert [content["at"] for content, _ in sent if content["type"] == "sound"] == [0, 480]


def test_a_generator_is_joined_without_a_gap(rng, sent):
    samples = whole_steps(rng, 50_000)
    player = Player(Clip(part, 48000) for part in np.array_split(samples, 7))
    until(lambda: player.clip is not None)
    np.testing.assert_array_equal(player.clip.samples, samples)
    assert player.clip.sample_rate == 48000


def test_a_page_that_comes_late_gets_what_it_missed(rng, sent):
    samples = whole_steps(rng, 960)
    pieces = Pieces([Clip(part, 24000) for part in np.split(samples, 2)])
    player = Player(pieces)
    pieces.go.release()
    until(lambda: sent)
    sent.clear()
    player._handle_custom_msg({"type": "hello", "client": "late"}, [])
    assert (sent[0][0]["n_samples"], sent[0][0]["live"]) == (480, True)
    need = {"type": "need", "key": "A", "client": "late", "ranges": [[0, 480]]}
    player._handle_custom_msg(need, [])
    np.testing.assert_array_equal(heard_by(sent, 480), samples[:480])
    for _ in range(2):
        pieces.go.release()
    until(lambda: player.clip is not None)


def test_stop_cancels_the_synthesis_and_keeps_what_came(rng, sent):
    samples = whole_steps(rng, 480)
    pieces = Pieces([Clip(samples, 24000)] * 100)
    player = Player(pieces)
    pieces.go.release()
    until(lambda: sent)
    player._handle_custom_msg({"type": "stop"}, [])
    until(lambda: player.clip is not None)
    assert pieces.cancelled.is_set()
    np.testing.assert_array_equal(player.clip.samples, samples)
    assert player.error is None, "it was wished"


def test_what_broke_a_stream_off_is_shown_and_what_came_is_kept(rng, sent):
    samples = whole_steps(rng, 480)
    end = SpeechInterruptedError("It broke off.", received=Clip(samples, 24000), remedy="speak again")
    pieces = Pieces([Clip(samples, 24000)], end=end)
    player = Player(pieces)
    for _ in range(2):
        pieces.go.release()
    until(lambda: player.error is not None)
    assert player.error["what"] == "It broke off."
    np.testing.assert_array_equal(player.clip.samples, samples)


def test_threads_take_turns_more_often_as_long_as_any_stream_is_under_way(rng, sent):
    before = sys.getswitchinterval()
    streams = [Pieces([Clip(whole_steps(rng, 480), 24000)]) for _ in range(2)]
    players = [Player(each) for each in streams]
    until(lambda: sys.getswitchinterval() < before / 5)
    for stream, player in zip(streams, players, strict=True):
        assert sys.getswitchinterval() < before / 5
        for _ in range(2):
            stream.go.release()
        until(lambda player=player: player.clip is not None)
    until(lambda: sys.getswitchinterval() == pytest.approx(before))


def test_the_figures_of_the_browser_are_kept(sent):
    player = Player(iter([Clip(np.zeros(480), 24000)]))
    figures = {"first_sound": 0.31, "underruns": 1, "gap": 0.06, "buffer": 0.2, "start_delay": 0.01}
    player._handle_custom_msg({"type": "figures", "key": "A", "client": "me", "figures": figures}, [])
    assert player.figures == figures
    until(lambda: player.clip is not None)
