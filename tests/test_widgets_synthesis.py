"""How text is spoken by hand, on the kernel's side, against the practice service."""

from __future__ import annotations

import time

import numpy as np
import pytest

import vcnb
from vcnb.catalog import MODELS
from vcnb.widgets.synthesis import Synthesis
from vcnb.workflow.money import estimate

WHOLE, LIVE = "qwen3-tts-vc-2026-01-22", "qwen3-tts-vc-realtime-2026-01-15"
TEXT = "Thank you for calling today."


@pytest.fixture
def account(practice):
    with_it = vcnb.connect("practice", base_url=practice.base_url, api_key=practice.api_key)
    yield with_it
    with_it.close()


@pytest.fixture
def sent(monkeypatch):
    """Collect what panels send."""
    messages = []
    monkeypatch.setattr(Synthesis, "send", lambda self, content, buffers=None: messages.append((content, buffers)))
    return messages


def until(condition, limit=20.0):
    deadline = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.005)


def opened(account):
    panel = Synthesis(account=account)
    until(lambda: panel.working is None)
    return panel


def press(panel, kind, voice, text=TEXT, transport="sse", language=""):
    order = {"text": text, "voice": voice, "transport": transport, "language": language}
    panel._handle_custom_msg({"type": kind, **order}, [])


def of_type(sent, kind):
    return [content for content, _ in sent if content["type"] == kind]


def snapshot(panel, sent):
    sent.clear()
    panel._handle_custom_msg({"type": "hello", "client": "me"}, [])
    return of_type(sent, "snapshot")[0]


def heard(sent, key):
    """What the browser has of a sound."""
    pieces = [(c["at"], np.frombuffer(b[0], "<i2")) for c, b in sent if c["type"] == "sound" and c["key"] == key]
    got = np.zeros(max(at + len(piece) for at, piece in pieces), np.int16)
    for at, piece in pieces:
        got[at : at + len(piece)] = piece
    return got / np.float32(32768)


def test_it_offers_the_voices_of_the_account_and_only_the_ways_of_their_models(account, practice, sent):
    practice.voice(WHOLE, name="whole")
    practice.voice(LIVE, name="live")
    panel = opened(account)
    found = {voice["name"]: voice for voice in snapshot(panel, sent)["voices"]}
    assert found["whole"]["ways"] == ["sse", "http"]
    assert found["live"]["ways"] == ["realtime"]
    assert found["live"]["model"] == LIVE
    assert panel.error is None


def test_no_voice_and_no_take_are_no_error(account, sent):
    panel = opened(account)
    told = snapshot(panel, sent)
    assert (told["voices"], told["takes"], told["free"], told["spent"]) == ([], [], True, 0.0)
    assert (panel.speech, panel.takes, panel.figures) == (None, [], {})
    assert repr(panel) == "<Synthesis>"


def test_a_text_is_counted_and_priced_before_anything_is_sent(account, practice, sent, monkeypatch):
    voice = practice.voice()
    panel = opened(account)
    # The practice service is free; the price list is not.
    monkeypatch.setattr("vcnb.workflow.account.estimate", lambda **given: estimate(**given | {"free": False}))
    for text in ("", "Hi 你好"):
        panel._handle_custom_msg({"type": "estimate", "client": "me", "text": text, "voice": voice}, [])
    empty, some = of_type(sent, "estimate")
    assert (empty["characters"], empty["cost"]) == (0, 0.0)
    assert (some["text"], some["characters"]) == ("Hi 你好", 7)
    assert some["cost"] == pytest.approx(7 * 0.115 / 10_000)
    assert practice.counters()["characters"] == 0


@pytest.mark.parametrize(
    ("model", "transport", "counter"),
    [(WHOLE, "http", "synthesis"), (WHOLE, "sse", "sse"), (LIVE, "realtime", "realtime")],
)
def test_a_take_is_spoken_over_its_transport_heard_and_kept(account, practice, sent, model, transport, counter):
    voice = practice.voice(model)
    panel = opened(account)
    press(panel, "speak", voice, transport=transport, language="en")
    until(lambda: panel.working is None)
    assert panel.error is None
    (speech,) = panel.takes
    assert panel.speech is speech
    assert (speech.text, speech.transport, speech.language) == (TEXT, transport, "en")
    assert practice.counters()[counter] == 1
    began, ended = of_type(sent, "take")
    key = began["take"]["key"]
    assert (began["take"]["live"], ended["take"]["live"]) == (True, False)
    assert ended["take"]["take"] == speech.take != ""
    assert ended["take"]["n_samples"] == len(speech.samples)
    assert 0 < ended["take"]["rtf"] < 20
    np.testing.assert_array_equal(heard(sent, key), speech.samples)
    kinds = [content["type"] for content, _ in sent]
    assert kinds.index("take") < kinds.index("sound"), "the browser knows a take before its sound comes"


def test_one_press_is_one_take(account, practice, sent):
    voice = practice.voice()
    panel = opened(account)
    practice.engine.piece_delay = 0.05
    for _ in range(3):
        press(panel, "speak", voice)
    until(lambda: panel.working is None)
    assert len(panel.takes) == 1
    assert practice.counters()["sse"] == 1


def test_what_is_typed_into_a_live_line_is_spoken_sentence_by_sentence_and_silence_is_told(account, practice, sent):
    voice = practice.voice(LIVE)
    panel = opened(account)
    press(panel, "say", voice, "One moment.", "realtime")
    until(lambda: any(state["resting_at"] for state in of_type(sent, "sound.state")))
    first = of_type(sent, "sound.state")[-1]
    assert first["live"]
    assert panel.working["kind"] == "line", "the line stays open"
    press(panel, "say", voice, " It is here.", "realtime")
    until(lambda: of_type(sent, "sound.state")[-1]["resting_at"] not in (None, first["resting_at"]))
    panel._handle_custom_msg({"type": "finish"}, [])
    until(lambda: panel.working is None)
    assert panel.error is None
    assert panel.speech.text == "One moment. It is here."
    assert len(panel.speech.samples) > first["resting_at"]
    assert practice.counters()["realtime"] == 1
    np.testing.assert_array_equal(heard(sent, of_type(sent, "take")[0]["take"]["key"]), panel.speech.samples)


def test_what_an_old_line_left_unsaid_is_not_spoken_by_the_next(account, practice, sent):
    voice = practice.voice(LIVE)
    panel = opened(account)
    press(panel, "say", voice, "One.", "realtime")
    panel._handle_custom_msg({"type": "finish"}, [])
    press(panel, "say", voice, "Too late.", "realtime")
    until(lambda: panel.working is None)
    press(panel, "say", voice, "Two.", "realtime")
    panel._handle_custom_msg({"type": "finish"}, [])
    until(lambda: panel.working is None)
    assert [take.text for take in panel.takes] == ["One.", "Two."]


def test_a_text_that_is_refused_is_said_and_the_line_goes_on(account, practice, sent):
    voice = practice.voice(LIVE)
    panel = opened(account)
    press(panel, "say", voice, "A page\x0cbreak.", "realtime")
    until(lambda: panel.error is not None)
    press(panel, "say", voice, "Two.", "realtime")
    panel._handle_custom_msg({"type": "finish"}, [])
    until(lambda: panel.working is None)
    assert [take.text for take in panel.takes] == ["Two."]


@pytest.mark.parametrize(("kind", "model", "way"), [("speak", WHOLE, "stream"), ("say", LIVE, "converse")])
def test_a_stop_while_it_is_opened_stops_it_too(account, practice, sent, monkeypatch, kind, model, way):
    voice = practice.voice(model)
    panel = opened(account)
    real = getattr(account, way)

    def stopped_meanwhile(*args, **options):
        opening = real(*args, **options)
        panel._handle_custom_msg({"type": "cancel"}, [])
        return opening

    monkeypatch.setattr(account, way, stopped_meanwhile)
    press(panel, kind, voice, TEXT, MODELS[model].transport if kind == "say" else "sse")
    until(lambda: panel.working is None)
    assert (panel.error, panel.takes, panel.rows) == (None, [], [])


@pytest.mark.parametrize(("kind", "model", "transport"), [("speak", WHOLE, "sse"), ("say", LIVE, "realtime")])
def test_stop_ends_the_synthesis_itself_and_is_no_error(account, practice, sent, kind, model, transport):
    voice = practice.voice(model)
    panel = opened(account)
    practice.engine.piece_delay = 0.05
    press(panel, kind, voice, "A long text. " * 40, transport)
    until(lambda: of_type(sent, "sound"))
    n_before = practice.engine.n_pieces
    panel._handle_custom_msg({"type": "cancel"}, [])
    until(lambda: panel.working is None)
    until(lambda: practice.engine.n_running == 0)
    assert panel.error is None
    assert practice.engine.n_pieces - n_before < 40, "it was not spoken to its end"
    kept = of_type(sent, "take")[-1]["take"]
    assert not kept["live"]
    assert kept["n_samples"] > 0


def test_a_refusal_is_shown_and_leaves_no_empty_take(account, practice, sent):
    voice = practice.voice()
    panel = opened(account)
    practice.fault("content_refused", "sse")
    press(panel, "speak", voice)
    until(lambda: panel.working is None)
    assert panel.error["kind"] == "ContentRefusedError"
    assert panel.takes == []
    assert len(of_type(sent, "dropped")) == 1
    press(panel, "speak", voice)
    until(lambda: panel.working is None)
    dropped, new = of_type(sent, "dropped")[0]["key"], of_type(sent, "take")[-1]["take"]["key"]
    assert new != dropped, "a page still knows the sound of the one that was dropped"
    assert len(snapshot(panel, sent)["takes"]) == 1


def test_another_panel_shows_the_takes_of_the_library_and_plays_them_unbilled(account, practice, sent):
    voice = practice.voice()
    speech = account.speak(TEXT, voice=voice)
    billed = practice.counters()["characters"]
    panel = opened(account)
    (take,) = snapshot(panel, sent)["takes"]
    assert (take["key"], take["text"], take["earlier"]) == (speech.take, TEXT, True)
    assert take["n_samples"] == len(speech.samples)
    assert take["outline"]
    need = {"type": "need", "key": take["key"], "client": "me", "ranges": [[0, 10**7]]}
    panel._handle_custom_msg(need, [])
    np.testing.assert_array_equal(heard(sent, take["key"]), speech.samples)
    assert practice.counters()["characters"] == billed


def test_figures_of_the_browser_are_kept_with_their_take(account, practice, sent):
    voice = practice.voice()
    panel = opened(account)
    press(panel, "speak", voice)
    until(lambda: panel.working is None)
    key = of_type(sent, "take")[0]["take"]["key"]
    figures = {"first_sound": 0.3, "underruns": 0, "gap": 0.0, "buffer": 0.2, "start_delay": 0.01}
    panel._handle_custom_msg({"type": "figures", "key": key, "client": "me", "figures": figures}, [])
    assert panel.figures == {panel.speech.take: figures}
    assert snapshot(panel, sent)["takes"][0]["heard"] == figures
    until(lambda: account.heard(panel.speech.take) == figures)
    assert snapshot(opened(account), sent)["takes"][0]["heard"] == figures, "as the library tells another day"


@pytest.mark.parametrize("whole", [False, True])
def test_a_player_of_a_stream_keeps_its_figures_with_the_take_whichever_ends_first(account, practice, sent, whole):
    voice = practice.voice()
    player = vcnb.Player(account.stream(TEXT, voice=voice))
    if whole:
        until(lambda: player.clip is not None)
    figures = {"first_sound": 0.4, "underruns": 2, "gap": 0.1, "buffer": 0.2, "start_delay": 0.02}
    player._handle_custom_msg({"type": "figures", "key": "A", "client": "me", "figures": figures}, [])
    until(lambda: player.clip is not None)
    until(lambda: account.heard(player.clip.take) == figures)


def test_what_was_typed_outlives_the_page_and_nothing_of_it_is_a_trait(account, practice, sent):
    voice = practice.voice(name="guanyu")
    panel = opened(account)
    draft = {"text": "A secret.", "voice": voice, "transport": "sse", "language": "en"}
    panel._handle_custom_msg({"type": "draft", "draft": draft | {"other": 1}}, [])
    assert snapshot(panel, sent)["draft"] == draft
    state = {name: value for name, value in panel.get_state().items() if name not in ("_esm", "_css")}
    assert "secret" not in str(state)
    assert "guanyu" not in str(state)
    assert len(str(state)) < 2000


def test_a_voice_that_is_gone_is_said_before_any_request(account, practice, sent):
    panel = opened(account)
    press(panel, "speak", "no-such-voice")
    until(lambda: panel.working is None)
    assert "not in the list" in panel.error["what"]
    assert practice.counters()["sse"] == 0
