"""When enough text has come to be spoken: in server_commit the service decides; how is not documented, this is ours."""

from __future__ import annotations

import re

__all__ = ["split_ready"]

SHORTEST = 12  # characters; "Right? " alone would be a response of its own, and sound so
LONGEST = 120  # characters without any end of a sentence: spoken all the same
# An end is followed by space or by nothing yet; a full stop after a digit may go on as a number.
_END = re.compile(r"""[。！？；]["'”’」』)）]*\s*|(?:[!?…]|(?<!\d)\.)["'”’)\]]*(?:\s+|$)|\d\.\s+|\n+""")


def split_ready(text: str, *, shortest: int = SHORTEST, longest: int = LONGEST) -> tuple[list[str], str]:
    """Cut a buffer into what can be spoken now and what waits for more.

    Parameters
    ----------
    text : str
        The buffer.
    shortest, longest : int
        Characters: a shorter sentence waits for the next one, a longer run without an end is cut at a space.

    Returns
    -------
    tuple of (list of str, str)
        Segments and the rest; together they are the text.
    """
    ready: list[str] = []
    start = 0
    for end in _END.finditer(text):
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
