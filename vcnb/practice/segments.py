"""When enough text has come to be spoken: in server_commit the service decides; how is not documented, this is ours."""

from __future__ import annotations

import re

from .engines.text import ends_sentence, language_of

__all__ = ["is_whole", "split_ready"]

SHORTEST = 12  # characters; "Right? " alone would be a response of its own, and sound so
LONGEST = 120  # characters without any end of a sentence: spoken all the same
# An end is followed by space or by nothing yet; a full stop after a digit may go on as a number.
_END = re.compile(r"""[。！？；]["'”’」』)）]*\s*|(?:[!?…]|(?<!\d)\.)["'”’)\]]*(?:\s+|$)|\d\.\s+|\n+""")
_ENDED = re.compile(r"""(?:[.!?…。！？；]["'”’」』)）\]]*\s*|\n)$""")


def is_whole(text: str) -> bool:
    """Tell whether a segment ends as a sentence does, so that a pause belongs behind it.

    Parameters
    ----------
    text : str
        What was spoken.

    Returns
    -------
    bool
        False for one that was cut because it was long.
    """
    return _ENDED.search(text) is not None


def split_ready(
    text: str, *, language: str = "auto", shortest: int = SHORTEST, longest: int = LONGEST
) -> tuple[list[str], str]:
    """Cut a buffer into what can be spoken now and what waits for more.

    Parameters
    ----------
    text : str
        The buffer.
    language : str
        Two-letter code of who will read it, or "auto".
    shortest, longest : int
        Characters: a shorter sentence waits for the next one, a longer run without an end is cut at a space.

    Returns
    -------
    tuple of (list of str, str)
        Segments and the rest; together they are the text.
    """
    ready: list[str] = []
    start = 0
    reader = language_of(text, language)
    for end in _END.finditer(text):
        stop = text.find(".", end.start(), end.end())
        if stop >= 0 and not ends_sentence(text, stop, reader, complete=False):
            continue
        if end.end() - start >= shortest:
            ready.append(text[start : end.end()])
            start = end.end()
    rest = text[start:]
    while len(rest) > longest:
        space = rest.rfind(" ", 1, longest)
        cut = space + 1 if space > 0 else longest
        ready.append(rest[:cut])
        rest = rest[cut:]
    return ready, rest
