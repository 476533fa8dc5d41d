"""How long a text takes to say, against other texts of its language; and whether its end was said."""

from __future__ import annotations

import itertools
import math
import re
import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

from vcnb.audio.clip import Segment

__all__ = ["phrases", "spoken_weight", "unsaid"]

# Ours, by least squares over 290 English texts of 8 to 12 s in eight practice voices: seconds at an ordinary pace.
# A text lies within 4 % of it (one standard deviation).
LETTER, SYLLABLE = 0.043, 0.067
CHARACTER = 0.19  # a Chinese, Japanese or Korean character is a syllable
DIGIT = 0.32  # a digit is a word or two
VOWELS = re.compile(r"[aeiouyаеёиоуыэюя]+")
ONE_SYLLABLE = ("CJK", "HIRAGANA", "KATAKANA", "HANGUL")
# A full stop within "3.5" ends nothing; Chinese and Japanese write no space after it.
SENTENCE = re.compile(r"(?<=[.?!…])\s+|(?<=[。！？])")
CLAUSE = re.compile(r"(?<=[,;:])\s+|(?<=[，、；：])")
# Ours, on 150 takes of eleven practice voices.
SHORTEST_PHRASE = 0.8  # of a weight; "Dr." and "Yes." belong to what comes next
SHORTEST_PAUSE, USUAL_PAUSE = 0.1, 0.25  # seconds, between sentences
SPREAD = 0.12  # of a phrase of one second, in seconds; longer ones spread by the root of their length
KNOWN = 6.0  # seconds of the take that count as much for its pace as all the voice's earlier takes
PACES, DAY = (0.8, 0.87, 0.93, 1.0, 1.07, 1.15, 1.25), 0.08  # of a take against others; its usual spread
JOINED, MOST_JOINED = 6.0, 3  # sentences may follow without a pause, at that cost each
MISSING = 1.0  # an end that was not said
MISFIT = 12.0  # of a boundary, in squared spreads: beyond it the pauses are not those of the text


class _Path(NamedTuple):
    """One way to lay phrases on pauses: how badly it fits; phrases that are over, where in speech; on which pause."""

    cost: float
    said: int
    at: float
    gap: int


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
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    folded = "".join(each for each in decomposed if not unicodedata.category(each).startswith("M"))
    weight = 0.0
    for word in re.findall(r"[^\W_]+", folded):
        characters = sum(unicodedata.name(each, "").startswith(ONE_SYLLABLE) for each in word)
        digits = sum(each.isdigit() for each in word)
        letters = len(word) - characters - digits
        weight += CHARACTER * characters + DIGIT * digits
        if letters:
            weight += LETTER * letters + SYLLABLE * _syllables(word)
    return weight


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
    """Tell how much is missing at the end of a text, by the pauses between its sentences.

    A voice is slower one day than another, but within one take it keeps its pace: what is left after the last full stop
    is known better than the length of the whole.

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
        Missing seconds by the root of those that were due, and as a share of the text. NaN where the pauses are not
        those of the text.
    """
    if not spoken or len(weights) < 2:
        return math.nan, math.nan
    ends = list(itertools.accumulate(segment.duration for segment in spoken))
    pauses = [after.start - before.end for before, after in itertools.pairwise(spoken)]
    gaps = [(end, pause) for end, pause in zip(ends[:-1], pauses, strict=True) if pause >= SHORTEST_PAUSE]
    found: list[_Path] = []
    for factor in PACES:
        due = [factor * pace * weight for weight in weights]
        found += _laid(due, gaps, ends[-1], (math.log(factor) / DAY) ** 2)
    best = min(found, default=None)
    if best is None or best.cost > MISFIT * best.said:
        return math.nan, math.nan
    own = (best.at + KNOWN * pace) / (sum(weights[: best.said]) + KNOWN)
    left = own * sum(weights[best.said :])
    missing = left - (ends[-1] - best.at)
    return missing / math.sqrt(left), missing / (own * sum(weights))


def _laid(due: list[float], gaps: list[tuple[float, float]], end: float, cost: float) -> list[_Path]:
    """Lay phrases on pauses in each good way; gives where the last one that was heard began."""
    after: list[dict[int, _Path]] = [{} for _ in due]  # phrases that are over -> pause -> the best way there
    after[0][-1] = _Path(cost, 0, 0.0, -1)
    found = []
    for said, span in itertools.product(range(len(due)), range(1, MOST_JOINED + 1)):
        seconds, over = sum(due[said : said + span]), said + span
        if over > len(due):
            continue
        joined = JOINED * (span - 1)
        for path in after[said].values():
            heard = end - path.at
            if said and heard > 0:
                # The end of a text may be missing, which is what is asked: it costs something, for a pause within the
                # last sentence is no full stop, but no more than a boundary that does not fit.
                cost = path.cost + joined + min(_misfit(heard, seconds), MISSING if heard < seconds else math.inf)
                found.append(path._replace(cost=cost + (0.0 if over == len(due) else MISFIT)))
            if over < len(due):
                _go_on(after[over], path._replace(said=over), gaps, seconds, joined)
    return found


def _go_on(best: dict[int, _Path], path: _Path, gaps: list[tuple[float, float]], seconds: float, joined: float) -> None:
    """End what was due on each pause that is left; of all ways to a pause only the best goes on."""
    for gap in range(path.gap + 1, len(gaps)):
        at, pause = gaps[gap]
        hurried = -2 * math.log(min(1.0, pause / USUAL_PAUSE))
        cost = path.cost + joined + hurried + _misfit(at - path.at, seconds)
        if gap not in best or cost < best[gap].cost:
            best[gap] = _Path(cost, path.said, at, gap)


def _misfit(seconds: float, due: float) -> float:
    return ((seconds - due) / SPREAD) ** 2 / max(due, 1e-3)


def _syllables(word: str) -> int:
    groups = len(VOWELS.findall(word))
    silent_e = groups > 1 and word.endswith("e") and not word.endswith("le")
    return max(1, groups - silent_e)
