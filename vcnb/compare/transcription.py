"""How much of a text was heard wrong by whoever wrote down what was said."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

import numpy as np

__all__ = ["error_rate"]

# Scripts that write no spaces between words, by the names that Unicode gives their characters.
WITHOUT_SPACES = ("CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA")


def error_rate(text: str, heard: str) -> float:
    """Share of the text that was heard wrong: of its words, or of its characters in Chinese and Japanese.

    Parameters
    ----------
    text : str
        What was to be said.
    heard : str
        What somebody, or something, wrote down.

    Returns
    -------
    float
        Substitutions, deletions and insertions by the length of the text; may pass 1. NaN for a text without words.
        Case, punctuation and width do not count; "3" and "three" do, so let both sides write numbers the same way.

    References
    ----------
    .. [1] V. I. Levenshtein, "Binary codes capable of correcting deletions, insertions and reversals", Soviet Physics
       Doklady 10, 1966.
    """
    wanted, got = _units(text), _units(heard)
    if not wanted:
        return float("nan")
    if not all(map(_is_character, wanted)):  # one language sets the measure for both
        got = _units(heard, characters=False)
        wanted = _units(text, characters=False)
    return _distance(wanted, got) / len(wanted)


def _units(text: str, *, characters: bool = True) -> list[str]:
    folded = unicodedata.normalize("NFKC", text).casefold()
    spaced = "".join(each if each.isalnum() or each in "'’" or _is_mark(each) else " " for each in folded)
    words = [word.strip("'’").replace("’", "'") for word in spaced.split()]
    if not characters:
        return [word for word in words if word]
    units: list[str] = []
    for word in words:
        units.extend(word if any(map(_is_character, word)) else [word])
    return [unit for unit in units if unit]


def _is_mark(character: str) -> bool:
    return unicodedata.category(character).startswith("M")


def _is_character(unit: str) -> bool:
    return len(unit) == 1 and unicodedata.name(unit, "").startswith(WITHOUT_SPACES)


def _distance(wanted: Sequence[str], got: Sequence[str]) -> int:
    numbers = {unit: number for number, unit in enumerate({*wanted, *got})}
    row = np.arange(len(got) + 1)
    heard = np.array([numbers[unit] for unit in got], int)
    steps = np.arange(len(got) + 1)
    for at, unit in enumerate(wanted, 1):
        kept = row[:-1] + (heard != numbers[unit])
        best = np.concatenate([[at], np.minimum(kept, row[1:] + 1)])
        row = np.minimum.accumulate(best - steps) + steps  # an insertion costs one for each step to the right
    return int(row[-1])
