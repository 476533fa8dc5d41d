"""Was a text said to its end? Pauses and sentences whose lengths we made."""

from __future__ import annotations

import numpy as np
import pytest

from vcnb.audio.clip import Segment
from vcnb.compare.pacing import CLAUSE_END, phrases, spoken_weight, unsaid
from vcnb.compare.sentinel import ENDED, ENDED_AT_MOST, ENDED_MARGIN, Traits, among

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
            assert score < 1


def test_what_is_missing_is_measured_although_the_take_as_a_whole_is_slow():
    for pace in (1.0, 1.1):
        seconds = [pace * weight for weight in WEIGHTS]
        score, share = unsaid(WEIGHTS, said(*seconds[:2], seconds[2] - pace * TENTH, inside=0.14), 1.0)
        assert share == pytest.approx(0.1, abs=0.03)
        assert score > ENDED + ENDED_MARGIN
        assert unsaid(WEIGHTS, said(*seconds[:2], seconds[2] - pace * TENTH / 3), 1.0)[0] < ENDED  # any sentence may be
    score, share = unsaid(WEIGHTS, said(*WEIGHTS[:2]), 1.0)  # the last sentence altogether
    assert share == pytest.approx(3.5 / 9, abs=0.03)
    assert score > ENDED_AT_MOST


def test_without_pauses_only_the_length_of_the_whole_tells():
    for spoken in ([Segment(0, 9)], said(0.5, 8.0, 0.5), said(5.5, 3.5)):
        assert unsaid(WEIGHTS, spoken, 1.0)[0] == pytest.approx(0, abs=0.1)
    for weights in ((9.0,), (1.0,) * 9):  # so many sentences in one breath
        assert unsaid(weights, said(8.3), 1.0)[0] < ENDED
        score, share = unsaid(weights, said(7.2), 1.0)
        assert score > ENDED
        assert share == pytest.approx(0.2, abs=0.03)
    assert np.isnan(unsaid(WEIGHTS, [], 1.0)).all()
    assert np.isnan(unsaid((), said(9.0), 1.0)).all()


def test_a_book_of_a_text_is_laid_on_its_pauses_in_time():
    chapters = WEIGHTS * 20
    whole = said(*chapters, inside=0.14)
    assert unsaid(chapters, whole, 1.0)[0] < 1
    assert unsaid(chapters, whole[:-1], 1.0)[0] > ENDED


def test_a_voice_whose_ends_vary_is_judged_with_more_patience_and_by_takes_of_the_language():
    embedding = np.eye(256, dtype=np.float32)[0]

    def traits(last: float, language: str = "en") -> Traits:
        return Traits(embedding, tuple(said(3.0, 2.5, last)), WEIGHTS, language)

    short = traits(2.8)
    assert among(short, [traits(3.5), traits(3.5)])[1].verdict == "fail"
    assert among(short, [traits(2.5), traits(3.9)])[1].verdict == "pass"
    # A last sentence of three words may be short: only what is a part of the whole text is missed.
    hasty, weights = tuple(said(6.0, 6.0, 6.0, 0.55)), (6.0, 6.0, 6.0, 1.1)
    whole = Traits(embedding, tuple(said(*weights)), weights, "en")
    assert unsaid(weights, hasty, 1.0)[0] > ENDED
    assert among(Traits(embedding, hasty, weights, "en"), [whole, whole])[1].verdict == "pass"
    foreign = among(short, [traits(3.5, "de"), traits(3.5, "de")])[1]
    assert foreign.verdict == "unknown"


def test_what_is_drawn_out_before_a_mark_weighs_once_for_each_and_in_every_script():
    for plain, marked, n in (
        ("we came late and left early", "we came late, and left. early", 2),
        ("我们来晚了走早了", "我们来晚了，走早了？", 1),
        ("it costs 3.50 euros", "it costs 3.50 euros.", 0),
    ):
        assert spoken_weight(marked) - spoken_weight(plain) == pytest.approx(n * CLAUSE_END)


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
