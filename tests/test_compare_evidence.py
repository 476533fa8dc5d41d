"""Is what we say of listeners true of listeners whose truth we made?"""

from __future__ import annotations

import numpy as np
import pytest

from vcnb.compare.evidence import anytime_interval, anytime_p_value
from vcnb.compare.ranking import bradley_terry
from vcnb.errors import ClipError

N_TRIALS = 40


def peeking(rng, share, *, until):
    """A listener who looks after every answer and stops when the result looks good."""
    answers = []
    while len(answers) < N_TRIALS:
        answers.append(bool(rng.random() < share))
        if until(answers):
            break
    return answers


def wilson(n_yes, n, z=1.959964):
    share = n_yes / n
    return 2 * z * np.sqrt(share * (1 - share) / n + z * z / 4 / n / n) / (1 + z * z / n)


def test_a_guesser_who_stops_at_the_best_moment_proves_something_one_time_in_twenty_at_most(rng):
    stopped = [peeking(rng, 0.5, until=lambda heard: anytime_p_value(heard) < 0.05) for _ in range(300)]
    wrong = np.mean([anytime_p_value(heard) < 0.05 for heard in stopped])
    assert 0 < wrong <= 0.05


@pytest.mark.parametrize("share", [0.5, 0.7, 0.9])
def test_the_interval_covers_the_truth_although_one_stopped_when_it_left_chance(rng, share):
    runs = [peeking(rng, share, until=lambda heard: anytime_p_value(heard) < 0.05) for _ in range(150)]
    covered = [low <= share <= high for low, high in map(anytime_interval, runs)]
    assert np.mean(covered) >= 0.95


@pytest.mark.parametrize("n", [8, 20, 60, 120])
@pytest.mark.parametrize("share", [0.5, 0.75])
def test_the_freedom_to_stop_costs_little_width(rng, n, share):
    answers = rng.permutation(np.arange(n) < round(share * n)).tolist()
    low, high = anytime_interval(answers)
    assert high - low <= 1.6 * wilson(round(share * n), n)


def test_a_listener_who_hears_it_is_believed_soon():
    assert anytime_p_value([True] * 8) > 0.05 > anytime_p_value([True] * 9)
    assert anytime_interval([True] * 8)[0] < 0.5 < anytime_interval([True] * 9)[0]


def test_no_answer_says_nothing():
    assert anytime_interval([]) == (0.0, 1.0)
    assert anytime_p_value([]) == 1.0


def test_the_ranking_recovers_the_worths_that_made_the_choices(rng):
    worth = {"ann": 1.5, "bob": 0.0, "cai": -1.5}
    names = list(worth)
    choices = []
    for _ in range(600):
        one, other = rng.choice(names, 2, replace=False)
        wins = rng.random() < 1 / (1 + np.exp(worth[other] - worth[one]))
        choices.append((one, other) if wins else (other, one))
    table = bradley_terry(choices)
    assert table["voice"].tolist() == names
    assert table["n_choices"].sum() == 1200
    truth = [1 / (1 + np.exp(-worth[name])) for name in names]
    assert table["share"].to_numpy() == pytest.approx(truth, abs=0.07)
    assert (table["low"] < truth).all()
    assert (table["high"] > truth).all()


def test_a_voice_that_never_lost_is_not_infinitely_good():
    table = bradley_terry([("ann", "bob")] * 3)
    assert 0.5 < table["share"][0] < 0.95
    assert table["low"][0] < 0.5 < table["high"][0]


@pytest.mark.parametrize("choices", [[], [("ann", "ann")]])
def test_nothing_to_rank_is_said(choices):
    with pytest.raises(ClipError, match="no choice"):
        bradley_terry(choices)
