"""What is written in figures and signs that a base speaker passes over, in words.

Both speakers read numbers and most currencies themselves. What stands here they drop, spell out or say in English, as
their phonemes showed for the sentences of the tests.
"""

from __future__ import annotations

import re

from .ordinals import ordinals_written_out

__all__ = ["written_out"]

# Minus before a figure, degrees Celsius, and the units that are spelled letter by letter otherwise
_SIGNS = ("minus", "°C", "km/h", "km", "cm", "mm", "m²", "m", "kg", "l")
_WORDS = {
    "zh": "负|摄氏度|公里每小时|公里|厘米|毫米|平方米|米|公斤|升",
    "en": "minus|degrees Celsius|kilometers per hour|kilometers|centimeters|millimeters|square meters|meters|"
    "kilograms|liters",
    "de": "minus|Grad Celsius|Kilometer pro Stunde|Kilometer|Zentimeter|Millimeter|Quadratmeter|Meter|Kilogramm|Liter",
    "it": "meno|gradi Celsius|chilometri all'ora|chilometri|centimetri|millimetri|metri quadrati|metri|"
    "chilogrammi|litri",
    "pt": "menos|graus Celsius|quilômetros por hora|quilômetros|centímetros|milímetros|metros quadrados|metros|"
    "quilogramas|litros",
    "es": "menos|grados Celsius|kilómetros por hora|kilómetros|centímetros|milímetros|metros cuadrados|metros|"
    "kilogramos|litros",
    "ja": "マイナス|度|キロメートル毎時|km|cm|mm|平方メートル|m|kg|リットル",  # the rest is read with its number
    "ko": "영하|도|킬로미터|킬로미터|센티미터|밀리미터|제곱미터|미터|킬로그램|리터",
    "fr": "moins|degrés Celsius|kilomètres à l'heure|kilomètres|centimètres|millimètres|mètres carrés|mètres|"
    "kilogrammes|litres",
    "ru": "минус|градусов Цельсия|километров в час|километров|сантиметров|миллиметров|квадратных метров|метров|"
    "килограмм|литров",
}
_CYRILLIC = str.maketrans({"к": "k", "г": "g", "м": "m", "с": "c", "ч": "h", "л": "l"})
_MINUS = re.compile(r"(?<![\w.,])[-−](?=\d)")
_LATIN_UNITS = r"(?<=\d)\s*(°C|km/h|km|cm|mm|m²|m|kg|l"
_UNIT = re.compile(_LATIN_UNITS + r"|км/ч|км|см|мм|м²|м|кг|л)(?![\w/])")
_UNIT_BEFORE_HAN = re.compile(_LATIN_UNITS + r")(?![A-Za-z/])")

_MONTHS = {
    "en": "January February March April May June July August September October November December",
    "de": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
    "it": "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
    "pt": "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "ru": "января февраля марта апреля мая июня июля августа сентября октября ноября декабря",
}
_DATE_FORMS = {"de": "{day}. {month} {year}", "es": "{day} de {month} de {year}", "pt": "{day} de {month} de {year}"}
_EAST_DATE = {"zh": "{year}年{month}月{day}日", "ja": "{year}年{month}月{day}日", "ko": "{year}년 {month}월 {day}일"}
_ISO_DATE = re.compile(r"(?<![\d.,/-])(?P<year>\d{4})[-/](?P<month>\d{1,2})[-/](?P<day>\d{1,2})(?![\d/-])")
# Day first in Europe; English writes both ways, so it stays as it is there.
_DAY_FIRST = re.compile(r"(?<![\d.,/-])(?P<day>\d{1,2})[./](?P<month>\d{1,2})[./](?P<year>\d{4})(?![\d/-])")

# Fractions of one figure above one figure
_FRACTIONS = {
    "de": "ein halb|ein Drittel|zwei Drittel|ein Viertel|drei Viertel",
    "it": "un mezzo|un terzo|due terzi|un quarto|tre quarti",
    "pt": "meio|um terço|dois terços|um quarto|três quartos",
    "es": "un medio|un tercio|dos tercios|un cuarto|tres cuartos",
    "fr": "un demi|un tiers|deux tiers|un quart|trois quarts",
    "ru": "одна вторая|одна третья|две третьих|одна четвёртая|три четверти",
}
_FRACTION = re.compile(r"(?<![\d/.,])(1/2|1/3|2/3|1/4|3/4)(?![\d/])")

_NATIVE_KOREAN = ("한", "두", "세", "네", "다섯", "여섯", "일곱", "여덟", "아홉", "열", "열한", "열두")
_KOREAN_COUNTED = re.compile(
    r"(?<![\d.,:])(\d{1,2})\s*(?=시(?!간표|스|작)|개(?!월|년)|명|살|마리|잔|권|병|대(?!\s*\d))"
)

# Of one language alone: pattern and replacement, in this order
_OWN: dict[str, tuple[tuple[str, str], ...]] = {
    "zh": (
        (r"(\d+(?:\.\d+)?)\s*%", r"百分之\1"),
        (r"[¥￥]\s*(\d[\d,]*(?:\.\d+)?)", r"\1元"),
        (r"\$\s*(\d[\d,]*(?:\.\d+)?)", r"\1美元"),
        (r"(?<!\d)(\d{1,2}):00(?!\d)", r"\1点"),
        (r"(?<!\d)(\d{1,2}):(\d\d)(?!\d)", r"\1点\2分"),
        (r"(?<=\d)\.(?=\d)", "点"),
        (r"(\d)\s*/\s*(\d)", r"\2分之\1"),
    ),
    "ja": (
        (r"[¥￥]\s*(\d[\d,]*)", r"\1円"),
        (r"\$\s*(\d[\d,]*(?:\.\d+)?)", r"\1ドル"),
        (r"(?<!\d)(\d{1,2}):00(?!\d)", r"\1時"),
        (r"(?<!\d)(\d{1,2}):(\d\d)(?!\d)", r"\1時\2分"),
        (r"(?<![\d/])(\d+)/(\d+)(?![\d/])", r"\2分の\1"),
    ),
    "ko": (
        (r"(?<=\d)\s*%", " 퍼센트"),
        (r"₩\s*(\d[\d,]*)", r"\1원"),
        (r"\$\s*(\d[\d,]*)", r"\1달러"),
        (r"(?<!\d)(\d{1,2}):00(?!\d)", r"\1시"),
        (r"(?<!\d)(\d{1,2}):(\d\d)(?!\d)", r"\1시 \2분"),
        (r"(?<=\d)\.(?=\d)", " 점 "),
    ),
    "pt": (
        (r"R\$\s*(\d+(?:[.,]\d+)*)", r"\1 reais"),
        (r"\bSr\.", "Senhor"),
        (r"\bSra\.", "Senhora"),
        (r"(?<!\d)(\d{1,2})h(\d\d)(?!\d)", r"\1 horas e \2"),
    ),
    "de": (
        (r"(?<!\d)(\d{1,2}):00\s*Uhr\b", r"\1 Uhr"),
        (r"(?<!\d)(\d{1,2}):(\d\d)\s*Uhr\b", r"\1:\2"),  # espeak-ng says the word itself
        (r"\bz\.\s?B\.", "zum Beispiel"),
        (r"\bd\.\s?h\.", "das heißt"),
        (r"\bu\.\s?a\.", "unter anderem"),
        (r"\busw\.", "und so weiter"),
        (r"\bbzw\.", "beziehungsweise"),
        (r"\bca\.", "circa"),
        (r"\bNr\.", "Nummer"),
        (r"\bDr\.", "Doktor"),
        (r"\bMio\.", "Millionen"),
        (r"\bMrd\.", "Milliarden"),
    ),
    "fr": (
        (r"(?<!\d)(\d{1,2})\s*h\s*(\d\d)\b", r"\1 heures \2"),
        (r"(?<!\d)(\d{1,2})\s*h\b(?!['’])", r"\1 heures"),
        (r"\bM\.(?=\s[A-ZÀ-Ý])", "Monsieur"),
        (r"\bMme\b\.?", "Madame"),
        (r"\b[nN]°\s*(?=\d)", "numéro "),
    ),
    "es": ((r"\b[nN]\.?\s?[º°]\s*(?=\d)", "número "),),
    "it": ((r"\bSig\.ra\b", "Signora"), (r"\bSig\.", "Signor"), (r"\b[nN]\.\s*(?=\d)", "numero ")),
    "ru": (
        (r"№\s*(?=\d)", "номер "),
        (r"(?<=\d)\s*руб\.?(?!\w)", " рублей"),
        (r"(?<=\d)\s*млн\b\.?", " миллионов"),
    ),
    "en": ((r"\b[nN]o\.\s*(?=\d)", "number "),),
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
    text = _ISO_DATE.sub(lambda match: _date(match, language), text)
    if language in _MONTHS and language != "en":
        text = _DAY_FIRST.sub(lambda match: _date(match, language), text)
    words = dict(zip(_SIGNS, _WORDS[language].split("|"), strict=True))
    glue = "" if language in ("zh", "ja") else " "
    text = _MINUS.sub(words["minus"] + glue, text)
    unit = _UNIT if language not in ("ko", "zh", "ja") else _UNIT_BEFORE_HAN
    text = unit.sub(lambda match: glue + words[match[1].translate(_CYRILLIC)], text)
    if language in _FRACTIONS:
        said = dict(zip(("1/2", "1/3", "2/3", "1/4", "3/4"), _FRACTIONS[language].split("|"), strict=True))
        text = _FRACTION.sub(lambda match: said[match[1]], text)
    for pattern, replacement in _OWN.get(language, ()):
        text = re.sub(pattern, replacement, text)
    if language == "ko":
        text = _KOREAN_COUNTED.sub(_counted, text)
    if language == "zh":  # a year is read digit by digit
        text = re.sub(
            r"\d{4}(?=年)", lambda match: "".join("零一二三四五六七八九"[int(each)] for each in match[0]), text
        )
    return ordinals_written_out(text, language)


def _date(match: re.Match[str], language: str) -> str:
    day, month, year = int(match["day"]), int(match["month"]), match["year"]
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return match[0]
    if language in _EAST_DATE:
        return _EAST_DATE[language].format(day=day, month=month, year=year)
    name = _MONTHS[language].split()[month - 1]
    return _DATE_FORMS.get(language, "{day} {month} {year}").format(day=day, month=name, year=year)


def _counted(match: re.Match[str]) -> str:
    """Count as Koreans count things and hours, with their own numbers."""
    number = int(match[1])
    return f"{_NATIVE_KOREAN[number - 1]} " if 1 <= number <= len(_NATIVE_KOREAN) else match[0]
