"""Text comes to the speakers clean, in the right language, and in bites."""

from __future__ import annotations

import sys
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vcnb.catalog import LANGUAGES
from vcnb.practice.engines.engine import EngineError
from vcnb.practice.engines.japanese import kana, number
from vcnb.practice.engines.text import LONGEST, bites, clean, guess_language, language_of, sounds


def spoken(text: str, language: str) -> list[tuple[str, str]]:
    return [(bite.text, bite.language) for bite in bites(clean(text), language)]


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("今天天气很好。", "zh"),
        ("我喜欢用 Python 编程。", "zh"),
        ("今日は天気がいい。", "ja"),
        ("カラオケ", "ja"),
        ("오늘은 날씨가 좋다.", "ko"),
        ("Сегодня хорошая погода.", "ru"),
        ("The weather is nice today.", "en"),
        ("Das Wetter ist heute schön.", "de"),
        ("Oggi il tempo è bello, andiamo a casa.", "it"),
        ("Você não vem hoje?", "pt"),
        ("¿Dónde está la estación?", "es"),
        ("Où est la gare, s'il vous plaît ?", "fr"),
        ("The word 你好 means hello in the language of my friend.", "en"),
        ("12 + 3", "en"),
        ("", "en"),
    ],
)
def test_the_language_shows_in_script_and_common_words(text, language):
    assert guess_language(text) == language
    assert language_of(text, "auto") == language


def test_a_language_that_is_none_of_the_ten_is_refused():
    assert language_of("Hi", "de") == "de"
    with pytest.raises(EngineError, match="'xx'"):
        language_of("Hi", "xx")


def test_sentences_and_long_clauses_are_cut_and_abbreviations_are_not():
    text = "Dr. Smith paid $3.50 for 1,250 apples. He lives in St. Moritz, as it is, and likes it there! Really?"
    assert [each for each, _ in spoken(text, "en")] == [
        "Dr. Smith paid $3.50 for 1,250 apples.",
        "He lives in St. Moritz,",
        "as it is, and likes it there!",
        "Really?",
    ]
    assert [each for each, _ in spoken("Come e.g. Monday, z.B. Dienstag. In the U.S. in May", "en")] == [
        "Come e.g. Monday,",
        "z.B. Dienstag.",
        "In the U.S. in May",
    ]
    assert [each for each, _ in spoken("今天天气很好，我们去公园吧。好。", "zh")] == [
        "今天天气很好，",
        "我们去公园吧。",
        "好。",
    ]


def test_another_script_goes_to_its_own_language():
    assert spoken("Ich sage 你好 und Привет zu dir.", "de") == [
        ("Ich sage", "de"),
        ("你好", "zh"),
        ("und", "de"),
        ("Привет", "ru"),
        ("zu dir.", "de"),
    ]
    assert spoken("Pythonを3km学ぶ。", "ja") == [("Python", "en"), ("を3km学ぶ。", "ja")]
    assert spoken("我喜欢 Python。", "zh") == [("我喜欢 Python。", "zh")]  # espeak-ng knows the Latin letters itself


def test_commands_and_invisible_characters_are_taken_out():
    assert clean("\x0150P\x01 he\u00adllo\u200b \ud800wor\u202eld\0") == "50P hello wor ld"
    assert clean("１２３ｋｍ\r\nｱ") == "123km\nア"
    assert clean("9" * 15) == "9" * 15
    assert clean("9" * 16) == " ".join("9" * 16)


def test_marks_make_no_sound_and_symbols_do():
    assert not any(map(sounds, ["", "...", "?! —", "「」"]))
    assert all(map(sounds, ["a", "7", "$", "😀", "好"]))


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=400), st.sampled_from([*LANGUAGES, "auto"]))
def test_no_text_loses_a_letter_or_becomes_too_long(text, language):
    plain = clean(text)
    found = bites(plain, language_of(plain, language))
    letters = [each for each in plain if unicodedata.category(each)[0] in "LN"]
    assert [each for bite in found for each in bite.text if unicodedata.category(each)[0] in "LN"] == letters
    assert all(len(bite.text) <= LONGEST and bite.text == bite.text.strip() for bite in found)


@pytest.mark.parametrize(
    ("digits", "read"),
    [
        ("0", "ゼロ"),
        ("10", "ジュー"),
        ("300", "サンビャク"),
        ("1250", "センニヒャクゴジュー"),
        ("8600", "ハッセンロッピャク"),
        ("10000", "イチマン"),
        ("110000", "ジューイチマン"),
        ("11000000", "イッセンヒャクマン"),
        ("1000000000", "ジューオク"),
        ("007", "ゼロ ゼロ ナナ"),
    ],
)
def test_a_number_is_read_in_japanese(digits, read):
    pytest.importorskip("lindera")
    assert number(digits) == read


def test_kanji_and_figures_become_kana():
    pytest.importorskip("lindera")
    assert kana("今日は公園へ行く。").replace(" ", "") == "キョーワコーエンエイク。"
    assert (
        kana("2024年12月3日、3.5km").replace(" ", "")
        == "ニセンニジューヨネンジューニガツミッカ、サンテンゴキロメートル"
    )


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("4月1日", "シガツツイタチ"),
        ("1日3回", "イチニチサンカイ"),
        ("20日間", "ハツカカン"),
        ("7時10分", "シチジジュップン"),
        ("9時8分", "クジハップン"),
        ("1人、2人、14人", "ヒトリ、フタリ、ジューヨニン"),
        ("3つ", "ミッツ"),
        ("1本3本5本", "イッポンサンボンゴホン"),
        ("6匹", "ロッピキ"),
        ("3階", "サンガイ"),
        ("4分の3", "ヨンブンノサン"),
        ("3.5度", "サンテンゴド"),
        ("100回", "ヒャッカイ"),
    ],
)
def test_a_counter_changes_the_number_and_the_number_the_counter(text, read):
    pytest.importorskip("lindera")
    assert kana(text).replace(" ", "") == read


def test_without_the_dictionary_japanese_names_the_extra(monkeypatch):
    from vcnb.practice.engines import japanese

    japanese._tokenizer.cache_clear()
    monkeypatch.setitem(sys.modules, "lindera", None)
    with pytest.raises(EngineError) as refused:
        kana("今日")
    assert refused.value.remedy == "pip install 'vcnb[practice]'"
