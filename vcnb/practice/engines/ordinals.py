"""How the ordinals that are written with figures are said: "der 2. Versuch", "le 2e étage", "2-й этаж".

espeak-ng reads them as plain numbers, or spells the ending out. Where gender and case are not written, the commonest.
"""

from __future__ import annotations

import re
from collections.abc import Callable

__all__ = ["ordinals_written_out"]

_DE_ONES = ("", "ein", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun", "zehn", "elf", "zwölf")
_DE_TENS = ("", "", "zwanzig", "dreißig", "vierzig", "fünfzig", "sechzig", "siebzig", "achtzig", "neunzig")
_DE_OWN = {1: "erst", 3: "dritt", 7: "siebt", 8: "acht"}
_DE_MONTHS = "Januar|Februar|März|April|Mai|Juni|Juli|August|September|Oktober|November|Dezember"
# What stands before an ordinal and gives it its ending
_DE_STRONG = "am|im|vom|zum|beim|dem|den|des|seit|bis|ab|zur|einen|einem|einer|meinen|meinem|meiner|ihrem|seinem|jedem"
_DE_WEAK = "der|die|das|eine|meine|deine|seine|ihre|unsere|jede|diese|dieses|dieser"
_DE = re.compile(
    rf"(?:\b(?P<strong>{_DE_STRONG})\s+|\b(?P<weak>{_DE_WEAK})\s+|(?<![\w.,]))"
    rf"(?P<number>\d{{1,2}})\.(?=\s+(?:(?P<month>{_DE_MONTHS})\b|[^\W\d_]))",
    re.IGNORECASE,
)

# From the first on; where the language has two genders, what ends in -o is the masculine one.
_WORDS = {
    "fr": "premier deuxième troisième quatrième cinquième sixième septième huitième neuvième dixième onzième douzième "
    "treizième quatorzième quinzième seizième dix-septième dix-huitième dix-neuvième vingtième",
    "es": "primero segundo tercero cuarto quinto sexto séptimo octavo noveno décimo undécimo duodécimo",
    "it": "primo secondo terzo quarto quinto sesto settimo ottavo nono decimo undicesimo dodicesimo",
    "pt": "primeiro segundo terceiro quarto quinto sexto sétimo oitavo nono décimo",
    "ru": "первый второй третий четвёртый пятый шестой седьмой восьмой девятый десятый",
}
_SIGNS = {
    "fr": r"(?<![\d,.])(?P<number>\d{1,2})(?P<sign>er|e|è|ème|eme|ère|re|nd|nde)\b",
    "es": r"(?<![\d,.])(?P<number>\d{1,2})\.?(?P<sign>º|ª|°(?!\s*[CF]\b))",
    "it": r"(?<![\d,.])(?P<number>\d{1,2})(?P<sign>º|ª|°(?!\s*[CF]\b))",
    "pt": r"(?<![\d,.])(?P<number>\d{1,2})\.?(?P<sign>º|ª|°(?!\s*[CF]\b))",
    "ru": r"(?<![\d,.])(?P<number>\d{1,2})-(?P<sign>й|я|е|го|м|ом|ой|му)\b",
}
# Endings of the Russian ordinals by what is written behind the hyphen, hard and soft
_RU_ENDINGS = {
    "й": ("", ""),
    "я": ("ая", "ья"),
    "е": ("ое", "ье"),
    "го": ("ого", "ьего"),
    "м": ("ом", "ьем"),
    "ом": ("ом", "ьем"),
    "ой": ("ой", "ьей"),
    "му": ("ому", "ьему"),
}


def ordinals_written_out(text: str, language: str) -> str:
    """Write out the ordinals of a language.

    Parameters
    ----------
    text : str
        Cleaned.
    language : str
        Two-letter code.

    Returns
    -------
    str
        Everything else as it was, and so are ordinals that are higher than the tables.
    """
    if language == "de":
        return _DE.sub(_german, text)
    if language not in _WORDS:
        return text
    words = _WORDS[language].split()
    ending: Callable[[str, re.Match[str]], str] = _russian if language == "ru" else _romance

    def word(match: re.Match[str]) -> str:
        number = int(match["number"])
        return ending(words[number - 1], match) if 1 <= number <= len(words) else match[0]

    return re.sub(_SIGNS[language], word, text)


def _german(match: re.Match[str]) -> str:
    """After an article or before a month; elsewhere a figure with a full stop may end a sentence."""
    number, month = int(match["number"]), match["month"]
    before = match["strong"] or match["weak"]
    if not number or not (before or month):
        return match[0]
    ending = "er" if not before else "en" if match["strong"] else "e"
    return f"{before} {_german_stem(number)}{ending}" if before else _german_stem(number) + ending


def _german_stem(number: int) -> str:
    if number in _DE_OWN:
        return _DE_OWN[number]
    if number < 20:
        return (
            _DE_ONES[number] if number <= 12 else {16: "sech", 17: "sieb"}.get(number, _DE_ONES[number - 10]) + "zehn"
        ) + "t"
    return ("" if number % 10 == 0 else _DE_ONES[number % 10] + "und") + _DE_TENS[number // 10] + "st"


def _romance(word: str, match: re.Match[str]) -> str:
    """Feminine where it is written; in Spanish short before a noun."""
    feminine = match["sign"] in ("ª", "ère", "re", "nde")
    if word == "premier":
        return "première" if feminine else word
    if feminine and word.endswith("o"):
        return word[:-1] + "a"
    before_noun = match.re.pattern == _SIGNS["es"] and re.match(r"\s+[^\W\d_]", match.string[match.end() :])
    return word[:-1] if before_noun and word in ("primero", "tercero") else word


def _russian(word: str, match: re.Match[str]) -> str:
    hard, soft = _RU_ENDINGS[match["sign"]]
    if not hard:
        return word
    return word[:-2] + (soft if word == "третий" else hard)
