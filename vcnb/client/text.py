"""Which text can be spoken, and where a long one is cut."""

from __future__ import annotations

import re
import unicodedata

from vcnb.catalog import CHARACTERS_PER_REQUEST
from vcnb.errors import SettingsError
from vcnb.protocol.synthesis import characters as count_characters

__all__ = ["TEXT_LIMIT", "check_text", "count_characters", "split_text"]

TEXT_LIMIT = 50_000  # ours: about an hour of sound, which is held in memory whole

# Where a sentence, a clause, a word may end; the cut comes after the match. CJK writes no space after its stops.
_CLOSERS = "\"'”’»)\\]】』」》）"
_ENDS = (
    re.compile(rf"(?:[.!?…]+[{_CLOSERS}]*\s+|[。！？!?…]+[{_CLOSERS}]*\s*(?=[^\x00-\x7f])|\n\s*)"),
    re.compile(rf"(?:[,;:—–]+[{_CLOSERS}]*\s+|[，、；：—]+[{_CLOSERS}]*\s*)"),
    re.compile(r"\s+"),
)
# A full stop after these ends no sentence.
_ABBREVIATION = re.compile(
    r"(?:\b(?:[A-Z]|Mr|Mrs|Ms|Dr|Prof|St|Sr|Jr|No|vs|etc|e\.g|i\.e|z\.B|bzw|ca|Nr|Sra?|Mme)\.\s+)$"
)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")


def check_text(text: str, *, blank: bool = False) -> str:
    """Refuse a text that cannot be spoken, before anything is sent.

    Parameters
    ----------
    text : str
        What is to be spoken.
    blank : bool
        Nothing but white space will do: a text that is still being written comes in such pieces, too.

    Returns
    -------
    str
        The same text.

    Raises
    ------
    SettingsError
        If it is no string, has nothing to speak, is longer than `TEXT_LIMIT`, or holds control characters or halves
        of characters.
    """
    if not isinstance(text, str):
        raise SettingsError(f"The text is no string but {type(text).__name__}.", remedy="give a str")
    if not blank and not text.strip():
        raise SettingsError("The text is empty.", remedy="give at least one word")
    if len(text) > TEXT_LIMIT:
        raise SettingsError(
            f"The text has {len(text):,} characters; {TEXT_LIMIT:,} are the most for one call.",
            remedy="speak it in several calls",
        )
    for pattern, what in ((_SURROGATE, "half a character"), (_CONTROL, "a control character")):
        found = pattern.search(text)
        if found:
            raise SettingsError(
                f"The text holds {what} (U+{ord(found[0]):04X}) at position {found.start()}.",
                remedy="remove it; it usually comes from a broken decoding",
            )
    return text


def split_text(text: str, limit: int = CHARACTERS_PER_REQUEST) -> list[str]:
    """Cut a text into pieces that a request can carry: at sentences, else clauses, else words.

    Parameters
    ----------
    text : str
        What is to be spoken.
    limit : int
        Characters in a piece, at most.

    Returns
    -------
    list of str
        Joined they are the text, letter for letter. A word is cut only where it is longer than a piece, and a letter
        never from its accent, unless the accents themselves are longer.
    """
    pieces = []
    while len(text) > limit:
        cut = _cut(text, limit)
        pieces.append(text[:cut])
        text = text[cut:]
    return [*pieces, text] if text else pieces


def _cut(text: str, limit: int) -> int:
    for pattern in _ENDS:
        # One character further is looked at: what follows decides whether a stop ends a sentence.
        ends = [found.end() for found in pattern.finditer(text, 0, limit + 1) if found.end() <= limit]
        ends = [end for end in ends if not _ABBREVIATION.search(text, max(0, end - 12), end)]
        # A cut early in the piece would leave many short ones; the next kind of end is better then.
        if ends and ends[-1] > limit // 3:
            return ends[-1]
    cut = limit
    while cut > limit // 2 and _joins(text[cut - 1], text[cut]):
        cut -= 1
    return cut if cut > limit // 2 else limit


def _joins(before: str, after: str) -> bool:
    """Say whether two characters belong to one that is seen: accents, joiners, variation and skin marks, flags."""
    return (
        unicodedata.category(after) in ("Mn", "Mc", "Me")
        or after == "\u200d"
        or before == "\u200d"
        or 0x1F3FB <= ord(after) <= 0x1F3FF
        or (0x1F1E6 <= ord(before) <= 0x1F1FF and 0x1F1E6 <= ord(after) <= 0x1F1FF)
        or 0x1160 <= ord(after) <= 0x11FF
    )
