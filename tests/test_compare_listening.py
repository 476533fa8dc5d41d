"""A blind test is blind, fair, and remembers."""

from __future__ import annotations

import numpy as np
import pytest
from recordings import voiced

from vcnb.audio.clip import Clip
from vcnb.compare.listening import Listening, matched
from vcnb.errors import ClipError
from vcnb.measure.loudness import integrated_loudness

RATE = 24_000


def clip(f0, *, peak=0.5, seconds=1.0, rate=RATE, name=""):
    return Clip(voiced(np.full(round(seconds * rate), f0), rate, peak=peak), rate, name=name)


@pytest.fixture(scope="module")
def clips():
    return clip(110.0), clip(180.0, peak=0.05, seconds=1.4), clip(240.0, peak=0.9, rate=16_000)


NAMES = ("low", "middle", "high")


def test_what_is_heard_is_equally_loud_at_one_rate_and_of_one_length(clips):
    sounds = Listening(NAMES, clips).sounds()
    assert list(sounds) == list(NAMES)
    assert {(each.sample_rate, len(each.samples)) for each in sounds.values()} == {(RATE, round(1.4 * RATE))}
    loud = [integrated_loudness(each.samples, RATE) for each in sounds.values()]
    assert np.ptp(loud) < 0.1
    assert max(np.abs(each.samples).max() for each in sounds.values()) <= 0.9


@pytest.mark.parametrize(("peak", "lufs"), [(1.0, -3.01), (0.1, -23.01)])
@pytest.mark.parametrize("rate", [24_000, 44_100, 48_000])
def test_loudness_is_that_of_the_recommendation(peak, lufs, rate):
    sine = (peak * np.sin(2 * np.pi * 997 * np.arange(3 * rate) / rate)).astype(np.float32)
    assert integrated_loudness(sine, rate) == pytest.approx(lufs, abs=0.05)


def test_the_order_follows_from_the_seed_alone(clips):
    plans = [[Listening(NAMES, clips, seed=seed).trial(n) for n in range(30)] for seed in (1, 1, 2)]
    assert plans[0] == plans[1] != plans[2]


def test_pairs_places_and_answers_are_balanced(clips):
    trials = [Listening(NAMES, clips, seed=4).trial(n) for n in range(300)]
    pairs = [frozenset(trial.buttons) for trial in trials]
    assert all(pairs.count(pair) == 100 for pair in set(pairs))
    assert len(set(pairs)) == 3
    assert 120 < sum(trial.correct == "A" for trial in trials) < 180
    assert 30 < sum(trial.buttons == ("low", "high") for trial in trials) < 70


def test_a_listener_who_always_hears_it_is_proved_right_and_a_guesser_is_not(clips):
    test = Listening(NAMES[:2], clips[:2], seed=1)
    for _ in range(12):
        test.answer(test.trial().correct)
    row = test.results().iloc[0]
    assert (row["n"], row["share"], row["high"]) == (12, 1.0, 1.0)
    assert row["low"] > 0.5
    assert row["p_value"] < 0.05
    assert test.to_frame()["correct"].all()
    guesser = Listening(NAMES[:2], clips[:2], seed=1)
    for _ in range(12):
        guesser.answer("A")
    assert guesser.results()["low"][0] < 0.5 < guesser.results()["high"][0]


def test_preferences_are_counted_for_the_voice_wherever_it_stood(clips):
    test = Listening(NAMES, clips, "ab", seed=3)
    for _ in range(45):
        buttons = test.trial().buttons
        test.answer("A" if NAMES.index(buttons[0]) > NAMES.index(buttons[1]) else "B")  # higher is better
    assert test.ranking()["voice"].tolist() == ["high", "middle", "low"]
    assert test.results()["share"].tolist() == [0, 0, 0]  # "item" is always the lower one
    assert test.to_frame()["correct"].isna().all()


def test_scores_belong_to_their_voices_and_the_hidden_reference_is_among_them(clips):
    test = Listening(NAMES, clips, "mushra", seed=3)
    truth = {"reference": 100.0, "middle": 70.0, "high": 40.0, "anchor": 10.0}
    for offset in (-1, 0, 1):
        test.answer([min(100, truth[each] + offset) for each in test.trial().buttons])
    found = test.results().set_index("item")
    assert found.index.tolist() == list(truth)
    assert found["score"].to_dict() == pytest.approx(truth, abs=0.4)
    assert (found["low"] <= found["score"]).all()
    assert found.loc["middle", "high"] == pytest.approx(70 + 4.303 / np.sqrt(3), abs=0.01)
    assert set(test.sounds()) == set(truth)


def test_the_anchor_lost_its_brightness(clips):
    anchor = Listening(NAMES, clips, "mushra").sounds()["anchor"]
    power = np.abs(np.fft.rfft(anchor.samples)) ** 2
    above = np.fft.rfftfreq(len(anchor.samples), 1 / RATE) > 4000
    assert power[above].sum() < 1e-4 * power.sum()


def test_answers_are_kept_before_they_count_and_taken_up_again(clips):
    kept = []
    test = Listening(NAMES, clips, seed=5)
    test.keep([], kept.append)
    for answer in ("A", "B", "A"):
        test.answer(answer)
    again = Listening(NAMES, clips, seed=5)
    assert again.key == test.key != Listening(NAMES, clips, seed=6).key
    again.keep(kept, kept.append)
    assert again.trial() == test.trial()
    assert again.to_frame().equals(test.to_frame())

    def full(_answer):
        raise OSError("no space")

    again.keep(kept, full)
    with pytest.raises(OSError, match="no space"):
        again.answer("B")
    assert len(again.answers) == 3


@pytest.mark.parametrize(
    ("kind", "answer"),
    [("abx", "X"), ("abx", None), ("ab", 1), ("mushra", "A"), ("mushra", [1, 2]), ("mushra", [1, 2, 3, 101])],
)
def test_no_other_answer_counts(clips, kind, answer):
    test = Listening(NAMES, clips, kind)
    with pytest.raises(ClipError, match="no answer"):
        test.answer(answer)
    assert test.answers == []


def test_what_cannot_be_tested_is_said(clips):
    with pytest.raises(ClipError, match="One recording"):
        Listening(NAMES[:1], clips[:1])
    with pytest.raises(ClipError, match="no listening test 'xyz'"):
        Listening(NAMES, clips, "xyz")
    with pytest.raises(ClipError, match="silent: nothing"):
        matched({"low": clips[0], "silent": Clip(np.zeros(RATE, np.float32), RATE)})
    with pytest.raises(ClipError, match="no preferences"):
        Listening(NAMES, clips).ranking()
