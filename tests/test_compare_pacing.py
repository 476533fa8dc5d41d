"""Was a text said to its end? Pauses and sentences whose lengths we made."""

from __future__ import annotations

import numpy as np
import pytest

from vcnb.audio.clip import Segment
from vcnb.compare.pacing import phrases, spoken_weight, unsaid
from vcnb.compare.sentinel import Traits, among

WEIGHTS = (3.0, 2.5, 3.5)  # of three sentences
TENTH = 0.1 * sum(WEIGHTS)


def said(*seconds: float, pause: float = 0.3, inside: float = 0.0) -> list[Segment]:
    """Sentences of these lengths; each may have a shorter pause of its own in the middle."""
    found, at = [], 0.1
    for length in seconds:
        parts = (length / 2, length / 2) if inside else (length,)
        for part in parts:
            found.append(Segment(at, at + part))
            at += part + inside
        at += pause - inside
    return found


def test_a_text_that_was_said_lacks_nothing_at_whatever_pace_and_with_pauses_inside():
    for pace in (0.85, 1.0, 1.2):
        seconds = [pace * weight for weight in WEIGHTS]
        for spoken in (said(*seconds), said(*seconds, inside=0.14)):
            score, share = unsaid(WEIGHTS, spoken, 1.0)
            assert abs(share) < 0.05
            assert score < 0.2


def test_what_is_missing_is_measured_although_the_take_as_a_whole_is_slow():
    for pace in (1.0, 1.1):
        seconds = [pace * weight for weight in WEIGHTS]
        score, share = unsaid(WEIGHTS, said(*seconds[:2], seconds[2] - pace * TENTH, inside=0.14), 1.0)
        assert share == pytest.approx(0.1, abs=0.03)
        assert score > 0.3
    score, share = unsaid(WEIGHTS, said(*WEIGHTS[:2]), 1.0)  # the last sentence altogether
    assert share == pytest.approx(3.5 / 9, abs=0.01)


def test_pauses_that_are_not_those_of_the_text_say_nothing():
    assert np.isnan(unsaid(WEIGHTS, [Segment(0, 9)], 1.0)).all()
    assert np.isnan(unsaid(WEIGHTS, said(0.5, 8.0, 0.5), 1.0)).all()
    score, _share = unsaid(WEIGHTS, said(5.5, 3.5), 1.0)  # two sentences in one breath
    assert abs(score) < 0.1
    assert np.isnan(unsaid(WEIGHTS, [], 1.0)).all()
    assert np.isnan(unsaid((9.0,), said(9.0), 1.0)).all()


def test_a_voice_whose_ends_vary_is_judged_with_more_patience_and_by_takes_of_the_language():
    embedding = np.eye(256, dtype=np.float32)[0]

    def traits(last: float, language: str = "en") -> Traits:
        return Traits(embedding, tuple(said(3.0, 2.5, last)), WEIGHTS, language)

    short = traits(3.5 - TENTH)
    assert among(short, [traits(3.5), traits(3.5)])[1].verdict == "fail"
    assert among(short, [traits(2.6), traits(3.9)])[1].verdict == "pass"
    foreign = among(short, [traits(3.5, "de"), traits(3.5, "de")])[1]
    assert foreign.verdict == "unknown"


@pytest.mark.parametrize(
    ("text", "n"),
    [
        ("Dr. Smith paid 3.50 euros for a cup of coffee at the station. Nobody thought it was worth the money.", 2),
        ("One long sentence without any pause", 1),
        ("When the ferry reached the island late, the whole village had come down, with lanterns and blankets.", 3),
        ("今天天气很好我们一起去公园走走吧。你昨天晚上看了那本新书吗？妈妈买了苹果和鸡蛋。", 3),
        ("It is late in the evening. Yes. We should leave the house before the rain begins.", 2),
        ("...", 0),
    ],
)
def test_a_text_falls_into_what_is_said_between_its_pauses(text, n):
    found = phrases(text)
    assert len(found) == n
    assert sum(found) == pytest.approx(spoken_weight(text))
