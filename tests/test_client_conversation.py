"""A live line: said, committed, cleared, cancelled, finished; on one thread or two."""

from __future__ import annotations

import gc
import threading
import time

import pytest
from dashscope.audio.qwen_tts_realtime import QwenTtsRealtime

from vcnb import errors
from vcnb.client.call import Call
from vcnb.client.conversation import Conversation
from vcnb.client.realtime import Line, _Ears
from vcnb.client.take import Order, Take

MODEL = "qwen3-tts-vc-realtime-2026-01-15"
SECONDS_A_LETTER = 0.06  # of the tone engine


@pytest.fixture
def open_line(practice):
    voice = practice.voice(MODEL)
    return lambda **options: Conversation(
        practice.settings(), **({"voice": voice, "target_model": MODEL, "mode": "server_commit"} | options)
    )


def spoken(speech):
    return speech.duration / SECONDS_A_LETTER


def test_leaving_the_block_speaks_the_rest(open_line):
    with open_line() as line:
        line.say("Right? ")
        line.say("I love it.")
    assert spoken(line.speech) == pytest.approx(17, abs=1.5)
    assert line.speech.text == "Right? I love it."
    assert line.speech.characters == pytest.approx(17, abs=1)
    assert sum(piece.duration for piece in line) == pytest.approx(line.speech.duration)


@pytest.mark.parametrize("mode", ["server_commit", "commit"])
def test_a_text_may_come_in_whatever_pieces_it_is_written_in(open_line, mode):
    with open_line(mode=mode) as line:
        for token in ["Hello", "", " ", "world", ",\n", "\n", "again", "."]:
            line.say(token)
    assert line.speech.text == "Hello world,\n\nagain."
    assert spoken(line.speech) == pytest.approx(21, abs=2)


@pytest.mark.parametrize("act", [next, list, lambda line: line.say("Hi."), Conversation.commit, Conversation.finish])
def test_a_line_outside_its_block_is_refused_and_nobody_waits(open_line, act):
    with pytest.raises(errors.SettingsError, match="not open"):
        act(open_line())


def test_a_line_is_opened_once(open_line):
    with open_line() as line:
        pass
    with pytest.raises(errors.SettingsError, match="opened before"):
        line.__enter__()


@pytest.mark.parametrize("timeout", [0, -1, float("nan"), float("inf"), "5"])
def test_a_timeout_that_is_none_is_refused(open_line, timeout):
    with pytest.raises(errors.SettingsError, match="impossible"):
        open_line(timeout=timeout)


@pytest.mark.parametrize(
    ("statuses", "n_cancelled", "broke"),
    [
        (["completed"], 0, False),
        (["incomplete"], 0, True),
        (["failed"], 1, True),
        (["incomplete"], 1, False),
        (["completed", "incomplete"], 1, False),  # it came late, and struck the next response
        (["incomplete", "incomplete"], 1, True),
        (["incomplete", "incomplete"], 2, False),
    ],
)
def test_each_cancel_excuses_one_response(practice, statuses, n_cancelled, broke):
    call, ends = Call(1), []
    order = Order("v", MODEL, "realtime", None, "practice")
    line = Line(practice.settings(), order, mode="commit", call=call, take=Take())
    line.listen(lambda _: None, ends.append)
    ears = line._ears = _Ears(line)
    line._say = lambda *_: None
    line._sdk = QwenTtsRealtime
    for _ in range(n_cancelled):
        line.cancel()
    for status in statuses:
        ears.on_event({"type": "response.done", "response": {"status": status}})
    assert bool(ends) == broke


def test_another_thread_may_listen(open_line):
    heard = []
    with open_line(mode="commit") as line:
        listener = threading.Thread(target=lambda: heard.extend(line))
        listener.start()
        line.say("One. ")
        line.commit()
        until = time.monotonic() + 5
        while not heard:
            assert time.monotonic() < until
            time.sleep(0.002)
        line.say("Two.")
        line.commit()
    listener.join(5)
    assert sum(piece.duration for piece in heard) == pytest.approx(line.speech.duration)
    assert spoken(line.speech) == pytest.approx(9, abs=1.5)


def test_what_is_cleared_is_not_spoken(open_line):
    with open_line(mode="commit") as line:
        line.say("This was a mistake, and a long one. ")
        line.clear()
        line.say("Better.")
        line.commit()
    assert line.speech.text == "Better."
    assert spoken(line.speech) == pytest.approx(7, abs=1)


@pytest.mark.parametrize(
    ("mode", "text"),
    [
        ("commit", "A very long sentence that nobody wants to hear to its very end, and so it is broken off. "),
        (
            "server_commit",
            "A first one comes. A second that nobody wants to hear. A third one, and a fourth one after. ",
        ),
    ],
)
def test_cancel_ends_the_speech_under_way_and_not_the_line(open_line, practice, mode, text):
    practice.engine.piece_delay = 0.05
    with open_line(mode=mode) as line:
        line.say(text)
        if mode == "commit":
            line.commit()
        next(line)
        line.cancel()
        line.say("Short.")
        line.finish()
    assert len("Short") - 1 < spoken(line.speech) < 60


def test_a_commit_too_many_in_server_mode_is_nothing(open_line):
    with open_line() as line:
        line.say("One. ")
        line.commit()
        line.commit()
        line.say("Two.")
    assert spoken(line.speech) == pytest.approx(8, abs=1.5)


def test_a_conversation_in_which_nothing_is_said_just_ends(open_line):
    with open_line() as line:
        pass
    assert list(line) == []


@pytest.mark.parametrize("mode", ["server_commit", "commit"])
def test_what_makes_no_sense_is_refused_here(open_line, mode):
    with open_line(mode=mode) as line:
        with pytest.raises(errors.SettingsError, match="not finished"):
            line.speech  # noqa: B018
        with pytest.raises(errors.SettingsError, match="half a character"):
            line.say("\ud83d")
        line.say(" ")
        if mode == "commit":
            with pytest.raises(errors.SettingsError, match="Nothing was said"):
                line.commit()
        else:
            with pytest.raises(errors.SettingsError, match="Only mode 'commit'"):
                line.clear()
        line.finish()
        line.finish()
        with pytest.raises(errors.SettingsError, match="is finished"):
            line.say("More.")


def test_leaving_by_an_exception_hangs_up(open_line, practice):
    practice.engine.piece_delay = 0.2
    began = time.monotonic()
    with pytest.raises(ZeroDivisionError), open_line() as line:  # noqa: PT012
        line.say("A text that takes a good while to be spoken, with two hundred milliseconds a piece. ")
        raise ZeroDivisionError
    assert time.monotonic() - began < 4
    with pytest.raises(errors.CancelledError):
        list(line)


@pytest.mark.parametrize("fault", ["cut", "error_after_finish", "no_finished", "end_early"])
def test_a_line_that_breaks_raises_where_it_is_left_and_where_it_is_heard(open_line, practice, fault):
    practice.fault(fault, "realtime")
    with pytest.raises(errors.SpeechInterruptedError) as caught, open_line() as line:
        line.say("A text with more than one piece of sound.")
    assert caught.value.received.duration > 0
    with pytest.raises(errors.SpeechInterruptedError):
        list(line)


def test_a_broken_line_refuses_more_text_with_its_cause(open_line, practice):
    practice.fault("stream_error", "realtime", code="DataInspectionFailed")
    with pytest.raises(errors.ContentRefusedError), open_line(mode="commit") as line:  # noqa: PT012
        line.say("Bad words.")
        line.commit()
        until = time.monotonic() + 5
        while time.monotonic() < until:
            line.say("More.")
            time.sleep(0.01)


def test_the_deadline_holds_for_a_line_that_nobody_leaves(open_line):
    line = open_line(timeout=0.3)
    with pytest.raises(errors.VcnbError, match=r"deadline of 0\.3 s"), line:  # noqa: PT012
        line.say("Hello.")
        line.commit()
        for _ in line:
            pass


def test_a_commit_that_is_never_spoken_is_missed(open_line, practice, monkeypatch):
    monkeypatch.setattr("vcnb.client.conversation.SILENCE", 0.3)
    practice.fault("stall_mid", "realtime", after=1)
    began = time.monotonic()
    line = open_line(mode="commit")
    with pytest.raises(errors.SpeechInterruptedError, match=r"nothing was heard for 0\.3 s"), line:  # noqa: PT012
        line.say("A text with more than one piece of sound.")
        line.commit()
        list(line)
    assert time.monotonic() - began < 5


def test_silence_while_nothing_is_due_is_no_fault(open_line, monkeypatch):
    monkeypatch.setattr("vcnb.client.conversation.SILENCE", 0.2)
    with open_line(mode="commit") as line:
        line.say("One.")
        line.commit()
        time.sleep(0.5)  # the writer thinks: the very thing that is tested
        line.say("Two.")
    assert spoken(line.speech) == pytest.approx(8, abs=1.5)


def test_a_conversation_that_is_dropped_hangs_up(open_line):
    line = open_line()
    line.__enter__()
    line.say("Hello.")
    del line
    gc.collect()
    until = time.monotonic() + 5
    while any(each.name in ("vcnb-realtime", "vcnb-deadline") for each in threading.enumerate()):
        assert time.monotonic() < until
        time.sleep(0.005)


@pytest.mark.parametrize(
    "changed", [{"mode": "auto"}, {"voice": "Cherry"}, {"target_model": "qwen3-tts-vc-2026-01-22"}, {"language": "xx"}]
)
def test_what_cannot_work_is_refused_before_any_request(open_line, practice, changed):
    with pytest.raises(errors.SettingsError):
        open_line(**changed)
    assert practice.counters()["upgrade"] == 0
