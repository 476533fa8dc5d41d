"""The server speaks a sentence once it is whole, and loses no letter."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vcnb.practice.segments import LONGEST, SHORTEST, is_whole, split_ready


@pytest.mark.parametrize(
    ("text", "ready", "rest"),
    [
        ("", [], ""),
        ("no end in sight", [], "no end in sight"),
        ("Right? I love shops like this.", ["Right? I love shops like this."], ""),
        ("This is the first. And", ["This is the first. "], "And"),
        ("It costs exactly 3.14 dollars", [], "It costs exactly 3.14 dollars"),
        ("It costs exactly 3.", [], "It costs exactly 3."),  # may go on as a number
        ("It costs exactly 3. And", ["It costs exactly 3. "], "And"),
        ("See example.org for all of it", [], "See example.org for all of it"),
        ("今天天气很好，我们去公园吧。明天", ["今天天气很好，我们去公园吧。"], "明天"),
        ('He said "go away now!" And', ['He said "go away now!" '], "And"),
        ("a line of a list\nanother", ["a line of a list\n"], "another"),
        ("Yesterday I saw Dr. Brown in town", [], "Yesterday I saw Dr. Brown in town"),
        ("Wir haben uns am 3. ", [], "Wir haben uns am 3. "),  # der dritte Mai may follow
        ("Wir haben uns am 3. Mai gesehen. Und", ["Wir haben uns am 3. Mai gesehen. "], "Und"),
    ],
)
def test_a_sentence_is_ready_when_it_is_whole(text, ready, rest):
    assert split_ready(text) == (ready, rest)


def test_a_short_sentence_waits_for_the_next_one():
    short = "x" * (SHORTEST - 2) + "."
    assert split_ready(short)[0] == []
    assert split_ready("x" + short)[0] == ["x" + short]


def test_much_text_without_an_end_is_cut_at_a_space():
    assert split_ready("word " * 24)[0] == []  # 120 characters
    ready, rest = split_ready("word " * 25)
    assert len(ready) == 1
    assert len(ready[0]) <= LONGEST
    assert ready[0].endswith(" ")
    assert rest.startswith("word")


def test_what_was_cut_for_its_length_is_no_whole_sentence() -> None:
    assert all(map(is_whole, ["So it is. ", "好。", 'He said "go!" ', "a line\n"]))
    assert not any(map(is_whole, ["word word ", "well, ", ""]))


@given(st.text(st.sampled_from(list('ab .!?。3\n"')), max_size=400))
def test_no_letter_is_lost_and_no_segment_is_endless(text):
    ready, rest = split_ready(text)
    assert "".join(ready) + rest == text
    assert all(ready)
    assert len(rest) <= LONGEST
