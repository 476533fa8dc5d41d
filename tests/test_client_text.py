"""Where a long text is cut, and what is refused before it is sent."""

from __future__ import annotations

import unicodedata

import pytest

from vcnb.client.text import TEXT_LIMIT, check_text, count_characters, split_text
from vcnb.errors import SettingsError

SENTENCE = "This is sentence number {} of them, and it has a clause. "


def test_a_long_text_is_cut_after_sentences():
    text = "".join(SENTENCE.format(n) for n in range(60))
    pieces = split_text(text, 600)
    assert "".join(pieces) == text
    assert all(len(piece) <= 600 and piece.endswith(". ") for piece in pieces)
    assert len(pieces) == -(-len(text) // 600)


def test_chinese_is_cut_after_its_own_stops():
    text = "今天天气很好，我们去公园散步。" * 100
    pieces = split_text(text, 600)
    assert "".join(pieces) == text
    assert all(len(piece) <= 600 and piece.endswith("。") for piece in pieces)


@pytest.mark.parametrize(
    ("text", "limit", "first"),
    [
        ("one two, three four five six seven eight", 30, "one two, three four five six "),
        ("one two three four, five six seven eight", 30, "one two three four, "),
        ("We met Dr. Smith and then went to the museum together", 30, "We met Dr. Smith and then "),
        ("The price rose by 3.5 percent. It fell again later on", 40, "The price rose by 3.5 percent. "),
        ('He said "no." Then he left the room and shut the door', 30, 'He said "no." '),
    ],
)
def test_a_cut_is_at_the_best_place_there_is(text, limit, first):
    assert split_text(text, limit)[0] == first


@pytest.mark.parametrize("length", [1, 599, 600, 601, 1200, 1201])
def test_what_has_no_place_to_cut_is_cut_at_the_limit(length):
    pieces = split_text("x" * length, 600)
    assert [len(piece) for piece in pieces] == [600] * (length // 600) + ([length % 600] if length % 600 else [])


def test_no_letter_is_cut_from_its_accent():
    text = ("e\u0301" + "👩🏽\u200d🚀" + "🇩🇪") * 300
    for piece in split_text(text, 100):
        assert len(piece) <= 100
        assert not unicodedata.combining(piece[0])
        assert piece[0] != "\u200d"
        assert piece[-1] != "\u200d"
        assert not 0x1F3FB <= ord(piece[0]) <= 0x1F3FF
    assert "".join(split_text(text, 100)) == text


def test_a_thousand_accents_do_not_hold_it_up():
    text = "a" + "\u0301" * 5_000
    assert "".join(split_text(text, 600)) == text
    assert max(map(len, split_text(text, 600))) <= 600


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("", "empty"),
        (" \n\t\u3000", "empty"),
        ("a\ud800b", r"U\+D800.*position 1"),
        ("ab\x00c", r"U\+0000.*position 2"),
        ("x" * (TEXT_LIMIT + 1), "50,001"),
        ("a" * 1_000_000, "1,000,000"),
        (None, "NoneType"),
        (b"bytes", "bytes"),
    ],
)
def test_what_cannot_be_spoken_is_refused_by_name(text, match):
    with pytest.raises(SettingsError, match=match) as caught:
        check_text(text)
    assert caught.value.remedy


@pytest.mark.parametrize("text", ["Hello\n\tthere\r\n", "x" * TEXT_LIMIT, "<b>&amp;</b>", "\u202eabc", "🙂"])
def test_what_can_be_spoken_passes(text):
    assert check_text(text) == text


@pytest.mark.parametrize(("text", "count"), [("abc", 3), ("你好", 4), ("あい", 2), ("한국", 2), ("a你 ", 4), ("𠀀", 2)])
def test_an_ideograph_counts_twice(text, count):
    assert count_characters(text) == count
