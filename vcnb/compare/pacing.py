"""How long a text takes to say, against other texts of its language; and whether its end was said."""

from __future__ import annotations

import bisect
import itertools
import math
import re
import unicodedata
from collections.abc import Sequence

from vcnb.audio.clip import Segment

__all__ = ["phrases", "spoken_weight", "unsaid"]

# Ours, by least squares over 121 English sentences in 16 practice voices: seconds at an ordinary pace. What one half of
# the sentences gives fits the other half as well. The last sounds before a comma or a full stop are drawn out.
LETTER, SYLLABLE, CLAUSE_END = 0.034, 0.098, 0.19
CHARACTER = 0.19  # a Chinese, Japanese or Korean character is a syllable
DIGIT = 0.32  # a digit is a word or two
VOWELS = re.compile(r"[aeiouyаеёиоуыэюя]+")
ONE_SYLLABLE = ("CJK", "HIRAGANA", "KATAKANA", "HANGUL")
# A full stop within "3.5" ends nothing; Chinese and Japanese write no space after it.
SENTENCE = re.compile(r"(?<=[.?!…])\s+|(?<=[。！？])")
CLAUSE = re.compile(r"(?<=[,;:])\s+|(?<=[，、；：])")
SHORTEST_PHRASE = 0.8  # of a weight; "Dr." and "Yes." belong to what comes next
# Ours, on 204 takes of 22 practice voices, and each of them without its end.
SHORTEST_PAUSE = 0.1  # seconds, between sentences
SPREAD = 0.15  # of a phrase of one second, in seconds; longer ones spread by the root of their length
PACES, DAY = tuple(math.exp(0.03 * step) for step in range(-9, 10)), 0.08  # of a take against others; its usual spread
JOINED, MOST_JOINED = 6.0, 4  # sentences may follow without a pause, at that cost each
HOPELESS = 40.0  # what fits so much worse than something else is given up


def spoken_weight(text: str) -> float:
    """Weigh a text by its syllables and letters.

    Parameters
    ----------
    text : str
        What is spoken.

    Returns
    -------
    float
        Seconds of speech without pauses at an ordinary pace; 0 without words. Compare it within one voice and language.
    """
    return sum(_clause_weight(clause) for sentence in SENTENCE.split(text) for clause in CLAUSE.split(sentence))


def phrases(text: str) -> tuple[float, ...]:
    """Weigh what lies between the pauses: sentences, or the clauses of a single one.

    Parameters
    ----------
    text : str
        What is spoken.

    Returns
    -------
    tuple of float
        Together the weight of the text.
    """
    for mark in (SENTENCE, CLAUSE):
        weights: list[float] = []
        for part in map(spoken_weight, mark.split(text)):
            if weights and weights[-1] < SHORTEST_PHRASE:
                weights[-1] += part
            else:
                weights.append(part)
        if len(weights) > 1 and weights[-1] < SHORTEST_PHRASE:
            weights[-2:] = [sum(weights[-2:])]
        if len(weights) > 1:
            break
    return tuple(weight for weight in weights if weight)


def unsaid(weights: Sequence[float], spoken: Sequence[Segment], pace: float) -> tuple[float, float]:
    """Tell whether the end of a text is missing, by the pauses between its sentences.

    A voice is slower one day than another, but within one take it keeps its pace: what is left after the last full stop
    is known better than the length of the whole. Phrases are laid on pauses in the way that fits best, once so that all
    of them were said, and once so that the last one heard may break off.

    Parameters
    ----------
    weights : sequence of float
        Of the phrases, as `phrases` gives them.
    spoken : sequence of Segment
        Where somebody speaks.
    pace : float
        Seconds a unit of weight, of the voice's other takes.

    Returns
    -------
    (float, float)
        By how much the broken text fits better than the whole one, twice the logarithm of a likelihood ratio: 0 where
        nothing is missing. And what is missing then, as a share of the text. NaN without speech or words.
    """
    if not spoken or not weights:
        return math.nan, math.nan
    ends = list(itertools.accumulate(segment.duration for segment in spoken))
    pauses = [after.start - before.end for before, after in itertools.pairwise(spoken)]
    gaps = [end for end, pause in zip(ends[:-1], pauses, strict=True) if pause >= SHORTEST_PAUSE]
    whole, broken = math.inf, (math.inf, math.nan)
    for factor in PACES:
        complete, (cost, share) = _laid([factor * pace * weight for weight in weights], gaps, ends[-1])
        unusual = (math.log(factor) / DAY) ** 2
        whole, broken = min(whole, complete + unusual), min(broken, (cost + unusual, share))
    if not math.isfinite(whole):  # far too few pauses: only the whole is known
        return unsaid([sum(weights)], spoken, pace)
    return whole - broken[0], broken[1]


def _laid(due: list[float], gaps: list[float], end: float) -> tuple[float, tuple[float, float]]:
    """Lay phrases on pauses; gives how badly all of them fit, and how badly if the last one heard may break off.

    The second comes with the share that is missing.
    """
    ways: list[dict[float, float]] = [{} for _ in due]  # phrases that are over -> seconds of speech -> cost
    ways[0][0.0] = 0.0
    whole, broken = math.inf, (math.inf, math.nan)
    for said, span in itertools.product(range(len(due)), range(1, MOST_JOINED + 1)):
        over = said + span
        if over > len(due):
            continue
        seconds, left = sum(due[said:over]), sum(due[said:])
        hopeless = min(ways[said].values(), default=0.0) + HOPELESS
        for at, before in ways[said].items():
            cost = before + JOINED * (span - 1)
            if cost > hopeless:
                continue
            heard, misfit = end - at, _misfit(end - at, seconds)
            broken = min(broken, (cost + (misfit if heard > seconds else 0.0), (left - heard) / sum(due)))
            if over == len(due):
                whole = min(whole, cost + misfit)
                continue
            reach = SPREAD * math.sqrt(HOPELESS * seconds)
            first = bisect.bisect_right(gaps, at + max(0.0, seconds - reach))
            for gap in gaps[first : bisect.bisect_right(gaps, at + seconds + reach)]:
                ways[over][gap] = min(ways[over].get(gap, math.inf), cost + _misfit(gap - at, seconds))
    return whole, broken


def _misfit(seconds: float, due: float) -> float:
    return ((seconds - due) / SPREAD) ** 2 / max(due, 1e-3)


def _clause_weight(text: str) -> float:
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    folded = "".join(each for each in decomposed if not unicodedata.category(each).startswith("M"))
    words = re.findall(r"[^\W_]+", folded)
    weight = CLAUSE_END if words else 0.0
    for word in words:
        characters = sum(unicodedata.name(each, "").startswith(ONE_SYLLABLE) for each in word)
        digits = sum(each.isdigit() for each in word)
        letters = len(word) - characters - digits
        weight += CHARACTER * characters + DIGIT * digits
        if letters:
            weight += LETTER * letters + SYLLABLE * _syllables(word)
    return weight


def _syllables(word: str) -> int:
    groups = len(VOWELS.findall(word))
    silent_e = groups > 1 and word.endswith("e") and not word.endswith("le")
    return max(1, groups - silent_e)
