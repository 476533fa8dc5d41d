"""How Japanese is read: kanji become kana, for espeak-ng knows only those."""

from __future__ import annotations

import functools
import importlib.util
import re
from typing import Any

from .engine import EngineError
from .frugal import put_aside

__all__ = ["kana", "number"]

_DIGITS = ("ゼロ", "イチ", "ニ", "サン", "ヨン", "ゴ", "ロク", "ナナ", "ハチ", "キュー")
_PLACES = ("", "ジュー", "ヒャク", "セン")
_MYRIADS = ("", "マン", "オク", "チョー")
# Sound changes of the places that have them; a "one" is said only before a thousand of myriads
_CHANGED = {
    (1, "セン"): "イッセン",
    (3, "ヒャク"): "サンビャク",
    (6, "ヒャク"): "ロッピャク",
    (8, "ヒャク"): "ハッピャク",
    (3, "セン"): "サンゼン",
    (8, "セン"): "ハッセン",
}
# What follows a number reads otherwise than it does alone: plain, after a doubled consonant, after "san"
_COUNTERS = {
    "%": ("パーセント",),
    "円": ("エン",),
    "年": ("ネン",),
    "月": ("ガツ",),
    "日": ("ニチ",),
    "時": ("ジ",),
    "分": ("フン", "プン", "プン"),
    "人": ("ニン",),
    "度": ("ド",),
    "個": ("コ", "コ", "コ"),
    "回": ("カイ", "カイ", "カイ"),
    "階": ("カイ", "カイ", "ガイ"),
    "本": ("ホン", "ポン", "ボン"),
    "匹": ("ヒキ", "ピキ", "ビキ"),
    "杯": ("ハイ", "パイ", "バイ"),
    "km": ("キロメートル",),
    "cm": ("センチメートル",),
    "kg": ("キログラム",),
    "m": ("メートル",),
    "g": ("グラム",),
}
_DOUBLED = {"イチ": "イッ", "ロク": "ロッ", "ハチ": "ハッ", "ジュー": "ジュッ", "ヒャク": "ヒャッ"}
# Ends of numbers that some counters change
_ENDS = {
    "年": {"ヨン": "ヨ"},
    "円": {"ヨン": "ヨ"},
    "人": {"ヨン": "ヨ"},
    "時": {"ヨン": "ヨ", "ナナ": "シチ", "キュー": "ク"},
    "月": {"ヨン": "シ", "ナナ": "シチ", "キュー": "ク"},
}
_DAYS = ("ツイタチ", "フツカ", "ミッカ", "ヨッカ", "イツカ", "ムイカ", "ナノカ", "ヨーカ", "ココノカ", "トーカ")
_THINGS = ("ヒトツ", "フタツ", "ミッツ", "ヨッツ", "イツツ", "ムッツ", "ナナツ", "ヤッツ", "ココノツ")
_OWN = {
    "日": dict(enumerate(_DAYS, 1)) | {14: "ジューヨッカ", 20: "ハツカ", 24: "ニジューヨッカ"},
    "つ": dict(enumerate(_THINGS, 1)),
    "人": {1: "ヒトリ", 2: "フタリ"},
}
_NUMBER = re.compile(
    r"(\d+(?:,\d{3})*)(?:\.(\d+))?(分(?=の\d)|km|cm|kg|[mg](?![a-z])|[%円年月日時分人度個回階本匹杯]|(?<=\d)つ)?((?<=[日時分年])間)?"
)
# A word begins with one of these parts of speech; particles and endings cling to the word before them.
_HEADS = {"名詞", "動詞", "形容詞", "副詞", "接続詞", "連体詞", "感動詞", "接頭詞"}


def kana(text: str) -> str:
    """Read Japanese.

    Parameters
    ----------
    text : str
        Kanji, kana, numbers.

    Returns
    -------
    str
        The pronunciation in katakana, words apart, punctuation kept. Which of several readings a word has is the
        dictionary's guess.

    Raises
    ------
    EngineError
        If the dictionary is not installed.
    """
    parts: list[str] = []
    position = 0
    for match in _NUMBER.finditer(text):
        parts += [_read(text[position : match.start()]), _numeral(match)]
        position = match.end()
    return " ".join([*parts, _read(text[position:])]).strip()


def number(digits: str) -> str:
    """Read a whole number.

    Parameters
    ----------
    digits : str
        At most 16, without separators.

    Returns
    -------
    str
        Katakana; digit by digit where it begins with a zero.
    """
    if len(digits) > 1 and digits.startswith("0"):
        return " ".join(_DIGITS[int(digit)] for digit in digits)
    if not int(digits):
        return _DIGITS[0]
    groups = [digits[max(0, end - 4) : end] for end in range(len(digits), 0, -4)]
    return "".join(
        _below_myriad(group, bare=not myriad) + myriad
        for group, myriad in reversed(list(zip(groups, _MYRIADS, strict=False)))
        if int(group)
    )


def _below_myriad(digits: str, *, bare: bool) -> str:
    read = ""
    for place, digit in zip(reversed(_PLACES[: len(digits)]), map(int, digits), strict=True):
        if not digit:
            continue
        # 10, 100 and 1,000 go without their "one", but 1,000 before a myriad
        silent = digit == 1 and place and (bare or place != "セン")
        read += place if silent else _CHANGED.get((digit, place), _DIGITS[digit] + place)
    return read


def _numeral(match: re.Match[str]) -> str:
    whole, fraction, counter, span = match.groups()
    digits, after = whole.replace(",", ""), match.string[match.end() :]
    read = number(digits)
    if fraction:
        return read + "テン" + "".join(_DIGITS[int(digit)] for digit in fraction) + _COUNTERS.get(counter, ("",))[0]
    if counter == "分" and re.match(r"の\d", after):
        return read + "ブン"  # of a fraction
    if counter == "日" and digits == "1" and not match.string[: match.start()].endswith("月"):
        return "イチニチ"  # how long, not which
    return (_OWN.get(counter, {}).get(int(digits)) or _counted(read, counter)) + ("カン" if span else "")


def _counted(read: str, counter: str | None) -> str:
    """Join a number and its counter, as their sounds change each other."""
    plain, *changed = _COUNTERS.get(counter or "", ("",))
    for end, other in (_DOUBLED if changed else _ENDS.get(counter or "", {})).items():
        if read.endswith(end):
            return read.removesuffix(end) + other + (changed[0] if changed else plain)
    return read + (changed[1] if changed and read.endswith("サン") else plain)


def _read(text: str) -> str:
    read = ""
    for token in _tokenizer().tokenize(text) if text.strip() else []:
        details = token.details or ["*"]
        pronunciation = details[-1] if details[-1] != "*" else token.surface
        read += (" " if details[0] in _HEADS else "") + pronunciation
    return read


@functools.lru_cache(maxsize=1)
def _tokenizer() -> Any:
    if importlib.util.find_spec("lindera") is None:
        raise EngineError(
            "Reading Japanese needs a dictionary, which is not installed.", remedy="pip install 'vcnb[practice]'"
        )
    import lindera

    tokenizer = lindera.Tokenizer(lindera.load_dictionary("embedded://ipadic"), mode="normal")
    put_aside()  # the dictionary lies packed in the library, 15 MB, and is unpacked now
    return tokenizer
