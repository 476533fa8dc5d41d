"""What is written in figures and signs that a base speaker passes over, in words.

Both speakers read numbers, times and most currencies themselves. What stands here they drop, spell out or say in
English, as their phonemes showed for the sentences of the tests.
"""

from __future__ import annotations

import re

__all__ = ["written_out"]

# Minus before a figure, degrees Celsius, and the units that are spelled letter by letter otherwise
_SIGNS = ("minus", "°C", "km", "cm", "mm", "kg")
_WORDS = {
    "zh": ("负", "摄氏度", "公里", "厘米", "毫米", "公斤"),
    "en": ("minus", "degrees Celsius", "kilometers", "centimeters", "millimeters", "kilograms"),
    "de": ("minus", "Grad Celsius", "Kilometer", "Zentimeter", "Millimeter", "Kilogramm"),
    "it": ("meno", "gradi Celsius", "chilometri", "centimetri", "millimetri", "chilogrammi"),
    "pt": ("menos", "graus Celsius", "quilômetros", "centímetros", "milímetros", "quilogramas"),
    "es": ("menos", "grados Celsius", "kilómetros", "centímetros", "milímetros", "kilogramos"),
    "ja": ("マイナス", "度", "km", "cm", "mm", "kg"),  # units are read with their numbers
    "ko": ("영하", "도", "킬로미터", "센티미터", "밀리미터", "킬로그램"),
    "fr": ("moins", "degrés Celsius", "kilomètres", "centimètres", "millimètres", "kilogrammes"),
    "ru": ("минус", "градусов Цельсия", "километров", "сантиметров", "миллиметров", "килограмм"),
}
_CYRILLIC = str.maketrans({"к": "k", "г": "g", "м": "m", "с": "c"})
_MINUS = re.compile(r"(?<![\w.,])[-−](?=\d)")
_UNIT = re.compile(r"(?<=\d)\s*(°C|km|cm|mm|kg|км|см|мм|кг)(?!\w)", re.ASCII)
_UNIT_BEFORE_HANGUL = re.compile(r"(?<=\d)\s*(°C|km|cm|mm|kg)(?![A-Za-z])")
# Of one language alone
_OWN: dict[str, tuple[tuple[str, str], ...]] = {
    "zh": ((r"(\d+(?:\.\d+)?)\s*%", r"百分之\1"), (r"(?<=\d)\.(?=\d)", "点"), (r"(\d)\s*/\s*(\d)", r"\2分之\1")),
    "ko": ((r"(?<=\d)\s*%", " 퍼센트"), (r"(?<=\d)\.(?=\d)", " 점 ")),
    "pt": ((r"R\$\s*(\d+(?:[.,]\d+)*)", r"\1 reais"),),
}


def written_out(text: str, language: str) -> str:
    """Write out what the base speakers of a language do not read.

    Parameters
    ----------
    text : str
        Cleaned.
    language : str
        Two-letter code of who reads it.

    Returns
    -------
    str
        Everything else as it was.
    """
    words = dict(zip(_SIGNS, _WORDS[language], strict=True))
    glue = "" if language in ("zh", "ja") else " "
    text = _MINUS.sub(words["minus"] + glue, text)
    unit = _UNIT if language not in ("ko", "zh", "ja") else _UNIT_BEFORE_HANGUL
    text = unit.sub(lambda match: glue + words[match[1].translate(_CYRILLIC)], text)
    for pattern, replacement in _OWN.get(language, ()):
        text = re.sub(pattern, replacement, text)
    return text
