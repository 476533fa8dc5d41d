"""What is to be spoken, in which language, and in which bites."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from vcnb.catalog import LANGUAGES

from .engine import EngineError

__all__ = [
    "Bite",
    "SENTENCE_PAUSE",
    "bites",
    "clean",
    "ends_sentence",
    "guess_language",
    "language_of",
    "sounds",
]

# All ours. A bite is short enough that the first sound comes early, and long enough for a melody.
SHORTEST = 12  # columns; a Chinese, Japanese or Korean character counts as two
LONGEST = 160
SENTENCE_PAUSE = 0.28
CLAUSE_PAUSE = 0.12
SWITCH_PAUSE = 0.03

_SENTENCE_END = re.compile(r"[.!?…]+[\"'”’»)\]]*(?=\s|$)|[。！？]+[」』”’）]*|\n+")
_CLAUSE_END = re.compile(r"[,;:—–](?=\s)|[、，；]|：(?!\d)")
_TITLES = "dr dra mr mrs ms prof st sr jr sig dott sra srta mme mlle ing"
_SHORTENED = "vs no nr ca bzw etc usw inc ltd fig vol approx dept mio mrd z"
_ABBREVIATIONS = frozenset(f"{_TITLES} {_SHORTENED}".split())
# Scripts that espeak-ng reads itself in each language; what is written in another goes to that script's own language.
_HOME = {"han": "zh", "kana": "ja", "hangul": "ko", "cyrillic": "ru", "latin": "en"}
_READS = {code: {"latin"} for code in LANGUAGES} | {
    "zh": {"han", "latin"},
    "ja": {"han", "kana"},
    "ko": {"hangul", "latin"},
    "ru": {"cyrillic", "latin"},
}
_SCRIPTS = re.compile(
    "(?P<han>[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u3005\u3007\U00020000-\U0003134f])"
    "|(?P<kana>[\u3040-\u30ff\u31f0-\u31ff])"
    "|(?P<hangul>[\u1100-\u11ff\u3130-\u318f\uac00-\ud7af])"
    "|(?P<cyrillic>[\u0400-\u052f])"
    # a letter or two behind a figure are its unit and belong to it
    "|(?P<latin>(?<![0-9])(?<![0-9][A-Za-z])[A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u1e00-\u1eff])"
)
# The commonest short words of each language that are rare in the others
_WORDS = {
    "en": "the and of to is in it you that was for are with this have not be we he she my your what will do",
    "de": "der die das und ist nicht ich ein eine zu mit den auf für sie es im wir auch dem von sich war heute sehr",
    "it": "il che di è una un per non con sono della gli anche le ho questo più oggi mi ma nel alla andiamo lo si",
    "pt": "o que não uma um para com os em do da ao você mais as são está isso muito hoje eu mas na no foi",
    "es": "el que los las una un para con por es en del y no está pero más hoy muy esta lo su vamos hace yo",
    "fr": "le les des est une un et que pas dans pour qui sur il elle nous vous je ce avec au plus la du aujourd",
}
_LETTERS = {"de": "äöüß", "it": "ìò", "pt": "ãõ", "es": "ñ¿¡", "fr": "çœêîûëï"}
_VOCABULARY = {code: frozenset(words.split()) for code, words in _WORDS.items()}


@dataclass(frozen=True)
class Bite:
    """What is spoken at once.

    Parameters
    ----------
    text : str
        In one language.
    language : str
        Two-letter code.
    pause : float
        Seconds of silence after it.
    """

    text: str
    language: str
    pause: float


def clean(text: str) -> str:
    """Take out what no voice can read.

    Parameters
    ----------
    text : str
        Anything.

    Returns
    -------
    str
        Compatibility forms folded (full-width digits and the like), no control, private or unassigned characters
        (espeak-ng takes U+0001 for a command), lines kept, other white space single.
    """
    plain = text.replace("\r\n", "\n").replace("\u00ad", "").replace("…", "… ")
    # Full-width marks stay: they end a clause without a space behind them. "2º" is no "2o" and "m²" no "m2".
    folded = re.sub("[^，！？：；ºª²³№]+", lambda match: unicodedata.normalize("NFKC", match[0]), plain)
    folded = folded.replace("\u2044", "/")  # the bar that ½ is made of
    kept = "".join(each if each == "\n" or unicodedata.category(each)[0] != "C" else " " for each in folded)
    # No voice has a name for numbers of 16 digits, and hibari falls over 34.
    kept = re.sub(r"\d{16,}", lambda match: " ".join(match[0]), kept)
    return re.sub(r"[^\S\n]+", " ", kept).strip()


def sounds(text: str) -> bool:
    """Tell whether there is more in it than punctuation and space.

    Parameters
    ----------
    text : str
        Cleaned.

    Returns
    -------
    bool
        True for letters, digits and symbols such as "$" or an emoji.
    """
    return any(unicodedata.category(each)[0] in "LNS" for each in text)


def guess_language(text: str) -> str:
    """Guess the language from script and common words.

    Parameters
    ----------
    text : str
        A few words do for the scripts; a sentence for the languages in Latin letters.

    Returns
    -------
    str
        Two-letter code; "en" where nothing tells.
    """
    counts = dict.fromkeys(_HOME, 0)
    for match in _SCRIPTS.finditer(text):
        counts[str(match.lastgroup)] += 1
    if counts["kana"] and counts["kana"] + counts["han"] > counts["latin"] / 4:
        return "ja"
    # A word takes four letters where it takes one or two characters
    weights = {"han": 3 * counts["han"], "hangul": 2 * counts["hangul"]}
    script = max(counts, key=lambda name: weights.get(name, counts[name]))
    if script != "latin" or not counts["latin"]:
        return _HOME[script] if counts[script] else "en"
    lowered = text.casefold()
    words = re.findall(r"[^\W\d_]+", lowered)
    scores = {
        code: sum(word in vocabulary for word in words)
        + sum(lowered.count(letter) for letter in _LETTERS.get(code, ""))
        for code, vocabulary in _VOCABULARY.items()
    }
    return max(scores, key=lambda code: scores[code])  # "en" stands first and wins a tie


def language_of(text: str, language: str) -> str:
    """Take the language that was asked for, or guess.

    Parameters
    ----------
    text : str
        Cleaned.
    language : str
        Two-letter code or "auto".

    Returns
    -------
    str
        Two-letter code.

    Raises
    ------
    EngineError
        If it is none of the ten.
    """
    if language == "auto":
        return guess_language(text)
    if language not in LANGUAGES:
        raise EngineError(f"There is no language {language!r}.", remedy=f"one of {', '.join(LANGUAGES)}, or auto")
    return language


def bites(text: str, language: str) -> list[Bite]:
    """Cut a text at sentences, clauses and changes of script.

    Parameters
    ----------
    text : str
        Cleaned.
    language : str
        Two-letter code.

    Returns
    -------
    list of Bite
        In order; what holds only punctuation is left out.
    """
    han = "ja" if language == "ja" or re.search("[\u3040-\u30ff]", text) else "zh"
    found: list[Bite] = []
    for clause, pause in _clauses(text, language):
        runs = [run for run in _runs(clause, language, han) if sounds(run[0])]
        for number, (run, code) in enumerate(runs, 1):
            found.append(Bite(run.strip(), code, pause if number == len(runs) else SWITCH_PAUSE))
    return found


def _clauses(text: str, language: str) -> list[tuple[str, float]]:
    """Cut at every sentence, at clauses once there is enough for a bite, and by force where it gets too long."""
    ends = [
        (match.end(), SENTENCE_PAUSE)
        for match in _SENTENCE_END.finditer(text)
        if match[0] != "." or ends_sentence(text, match.start(), language)
    ]
    sentences = [*(end for end, _ in ends), len(text)]
    ends += [(match.end(), CLAUSE_PAUSE) for match in _CLAUSE_END.finditer(text)]
    found: list[tuple[str, float]] = []
    start = 0
    for end, pause in [*sorted(ends), (len(text), SENTENCE_PAUSE)]:
        if pause == CLAUSE_PAUSE:
            # What follows counts to its sentence's end: a sentence is cut alike alone and among others.
            left = text[end : next(sentence for sentence in sentences if sentence >= end)]
            if min(_columns(text[start:end]), _columns(left)) < SHORTEST:
                continue
        rest = text[start:end]
        while _columns(rest) > LONGEST:
            cut = _cut(rest)
            found.append((rest[:cut], 0.0))
            rest = rest[cut:]
        found.append((rest, pause))
        start = end
    return [(clause.strip(), pause) for clause, pause in found if clause.strip()]


def ends_sentence(text: str, at: int, language: str, *, complete: bool = True) -> bool:
    """Tell whether a full stop ends a sentence, and not an abbreviation or an ordinal.

    Parameters
    ----------
    text : str
        Around it.
    at : int
        Where it stands.
    language : str
        Two-letter code.
    complete : bool
        Whether nothing follows the text.

    Returns
    -------
    bool
        A guess.
    """
    after = text[at + 1 :].strip()
    if after[:1].islower():
        return False
    word = re.split(r"[\s(\"'“‘]", text[:at])[-1]
    if language == "de" and word.isdigit() and len(word) < 4 and (after or not complete):
        return False  # an ordinal: der 3. Mai
    return not (word.casefold() in _ABBREVIATIONS or "." in word or (len(word) == 1 and word.isupper()))


def _columns(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(each) in "WF" else 1 for each in text)


def _cut(text: str) -> int:
    """Where to cut what is too long: at the last clause or space that fits, else anywhere."""
    limit = LONGEST if _columns(text[:LONGEST]) <= LONGEST else LONGEST // 2
    marks = [match.end() for match in _CLAUSE_END.finditer(text, 0, limit)]
    space = text.rfind(" ", 1, limit)
    return marks[-1] if marks and marks[-1] > limit // 3 else space + 1 if space > 0 else limit


def _runs(text: str, language: str, han: str) -> list[tuple[str, str]]:
    """Part a clause where its script leaves what the language reads; digits and marks stay with what is before them."""
    runs: list[tuple[str, str]] = []
    current, start = "", 0
    for match in _SCRIPTS.finditer(text):
        script = str(match.lastgroup)
        wanted = language if script in _READS[language] else han if script == "han" else _HOME[script]
        if current and wanted != current:
            runs.append((text[start : match.start()], current))
            start = match.start()
        current = wanted
    return [*runs, (text[start:], current or language)]
