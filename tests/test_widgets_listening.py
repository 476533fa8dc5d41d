"""A blind test on the kernel's side: what the browser gets to know, and what outlives a crash."""

from __future__ import annotations

import json

import numpy as np
import pytest
from recordings import sine

from vcnb.audio.clip import Clip
from vcnb.compare.listening import Listening
from vcnb.errors import LibraryError
from vcnb.widgets.listening import BlindTest, panel_of
from vcnb.workflow.listening import keep_answers

RATE = 16_000
NAMES = ("kathleen take 6", "kathleen take 7", "thorsten")


def clips(n=2):
    shapes = [sine(1.0, RATE, hz=hz, peak=peak) for hz, peak in ((400, 0.5), (700, 0.1), (1100, 0.3))]
    return tuple(Clip(samples, RATE, name=name) for samples, name in zip(shapes[:n], NAMES, strict=False))


def blind(kind="abx", *, seed=0, n=2):
    return Listening(NAMES[:n], clips(n), kind, seed=seed)


@pytest.fixture
def sent(monkeypatch):
    """Collect what a panel sends; its long work runs at once."""
    messages = []
    monkeypatch.setattr(BlindTest, "send", lambda self, content, buffers=None: messages.append((content, buffers)))
    monkeypatch.setattr(BlindTest, "work", lambda self, kind, function: function(lambda *_: None, None))
    return messages


def trials(messages):
    return [content for content, _ in messages if content["type"] == "trial"]


def hello(panel, client="me"):
    panel._handle_custom_msg({"type": "hello", "client": client}, [])


def tell(panel, kind, **values):
    panel._handle_custom_msg({"type": kind, "client": "me", **values}, [])
    assert panel.error is None


def played(panel, sounds, messages):
    """Read the samples behind each button as the browser would."""
    found = []
    for facts in sounds:
        messages.clear()
        need = {"type": "need", "key": facts["key"], "client": "me", "ranges": [[0, facts["n_samples"]]]}
        panel._handle_custom_msg(need, [])
        content, buffers = messages[-1]
        kind, scale = {"s16": ("<i2", 32768), "f32": ("<f4", 1)}[content["format"]]
        found.append(np.frombuffer(buffers[0], kind) / scale)
    return found


def pitch(samples):
    return round(float(np.argmax(np.abs(np.fft.rfft(samples)))))


@pytest.mark.parametrize("seed", range(6))
def test_x_is_the_one_that_the_plan_says_and_the_others_stand_left_and_right_of_it(sent, seed):
    panel = BlindTest(blind(seed=seed))
    hello(panel)
    a, x, b = (pitch(each) for each in played(panel, trials(sent)[-1]["sounds"], sent))
    trial = panel.listening.trial()
    assert (a, b) == tuple({NAMES[0]: 400, NAMES[1]: 700}[name] for name in trial.buttons)
    assert x == {"A": a, "B": b}[trial.correct]


def test_in_mushra_the_open_reference_is_the_first_and_is_hidden_among_the_others(sent):
    panel = BlindTest(blind("mushra", n=3))
    hello(panel)
    pitches = [pitch(each) for each in played(panel, trials(sent)[-1]["sounds"], sent)]
    wanted = {"reference": 400, "anchor": 400, NAMES[1]: 700, NAMES[2]: 1100}
    assert pitches == [400, *(wanted[name] for name in panel.listening.trial().buttons)]


@pytest.mark.parametrize("kind", ["abx", "ab", "mushra"])
def test_before_the_end_the_browser_gets_no_name_and_no_sign_of_which_is_which(sent, kind):
    panel = BlindTest(blind(kind, n=3))
    for number in range(3):
        hello(panel)
        tell(panel, "answer", trial=number, answer=[50.0] * 4 if kind == "mushra" else "A")
    asked = trials(sent)
    told = json.dumps([content for content, _ in sent])
    assert len(asked) == 6
    assert not any(name in told for name in (*NAMES, "anchor", "correct", "share"))
    for trial in asked:
        alike = [{k: v for k, v in facts.items() if k not in ("key", "id")} for facts in trial["sounds"]]
        assert all(facts == alike[0] for facts in alike), "all that is told of one sound is told of each"
    assert not any(name in repr(panel.get_state()) for name in NAMES)


def test_answers_are_kept_before_they_count_and_another_kernel_goes_on(sent):
    panel = BlindTest(blind())
    hello(panel)
    for number, answer in enumerate("ABB"):
        tell(panel, "answer", trial=number, answer=answer)
    again = BlindTest(blind())
    assert again.listening.answers == ["A", "B", "B"]
    hello(again)
    assert trials(sent)[-1]["number"] == 3
    assert BlindTest(blind(seed=1)).listening.answers == [], "another seed is another test"


def test_an_answer_that_was_cut_off_by_a_crash_was_never_given():
    path = keep_answers(test := blind())
    test.answer("A")
    test.answer("B")
    path.write_bytes(path.read_bytes()[:-6])
    keep_answers(after := blind())
    assert after.answers == ["A"]
    after.answer("A")
    keep_answers(last := blind())
    assert last.answers == ["A", "A"]


def test_what_cannot_be_kept_does_not_count_and_is_asked_again(sent, tmp_path):
    test = blind()
    panel = BlindTest(test, data=tmp_path)
    hello(panel)
    path = tmp_path / "listening" / f"{test.key}.jsonl"
    path.mkdir()
    panel._handle_custom_msg({"type": "answer", "trial": 0, "answer": "A", "client": "me"}, [])
    assert panel.error["kind"] == "LibraryError"
    assert test.answers == []
    assert trials(sent)[-1]["number"] == 0
    with pytest.raises(LibraryError, match="cannot be kept"):
        keep_answers(blind(), data=tmp_path)


def test_a_second_answer_to_one_trial_changes_nothing(sent):
    panel = BlindTest(blind())
    hello(panel)
    for answer in "AB":
        tell(panel, "answer", trial=0, answer=answer)
    assert panel.listening.answers == ["A"]


def test_results_come_at_the_end_or_where_one_stops_and_one_can_go_on(sent):
    panel = BlindTest(blind())
    hello(panel)
    for number in range(16):
        assert "results" not in trials(sent)[-1]
        tell(panel, "answer", trial=number, answer=panel.listening.trial().correct)
    (row,) = trials(sent)[-1]["results"]["rows"]
    assert (row["n"], row["share"], row["high"]) == (16, 1.0, 1.0)
    assert row["low"] > 0.5
    tell(panel, "more")
    assert (trials(sent)[-1]["number"], trials(sent)[-1]["planned"]) == (16, 32)
    tell(panel, "stop")
    assert trials(sent)[-1]["results"]["rows"] == [row]
    assert panel._tracks == {}, "no sound of it is sent any more"


def test_many_voices_are_ranked_by_what_was_preferred(sent):
    panel = BlindTest(blind("ab", n=3))
    hello(panel)
    for number in range(12):
        buttons = panel.listening.trial().buttons
        best = min(buttons, key=NAMES.index)
        tell(panel, "answer", trial=number, answer="AB"[buttons.index(best)])
    tell(panel, "stop")
    assert [row["voice"] for row in trials(sent)[-1]["results"]["ranking"]] == list(NAMES)


def test_a_silent_clip_is_said_and_leaves_no_trial(sent, monkeypatch):
    monkeypatch.undo()
    silent = Clip(np.zeros(RATE, np.float32), RATE, name="nothing")
    panel = BlindTest(Listening(("a", "nothing"), (clips()[0], silent)))
    with pytest.raises(Exception, match="nothing can be heard"):
        panel._prepare(lambda *_: None, None)  # type: ignore[arg-type]


def test_a_test_that_is_shown_twice_is_one_panel():
    test = blind()
    first = panel_of(test)
    assert panel_of(test) is first
    first.close()
    assert panel_of(test) is not first
