"""How a command ends: one exit status for each kind of error, one line what happened, one what to do."""

from __future__ import annotations

import os
import re
import sys
import types
from collections.abc import Callable

from vcnb.errors import (
    CancelledError,
    ClipError,
    ConsentMissingError,
    LibraryError,
    OutcomeUnknownError,
    ServiceError,
    ServiceUnreachableError,
    SettingsError,
    SpeechInterruptedError,
    SpendLimitError,
    VcnbError,
)

from .output import say, steady

__all__ = ["CANCELLED", "STATUS", "UnreadableError", "ended", "fail", "last_words", "status_of"]


class UnreadableError(ClipError):
    """A file that cannot be read or written, as opposed to a recording that was read and refused."""


# The contract's table; the first class that fits counts.
STATUS: tuple[tuple[type[VcnbError], int], ...] = (
    (UnreadableError, 3),
    (LibraryError, 3),
    (ClipError, 2),
    (SettingsError, 2),
    (ConsentMissingError, 2),
    (SpendLimitError, 2),
    (ServiceError, 4),
    (ServiceUnreachableError, 5),
    (OutcomeUnknownError, 6),
    # Part of it was spoken and may have been billed; it is not asked for again.
    (SpeechInterruptedError, 6),
    (CancelledError, 130),
    (VcnbError, 1),
)
CANCELLED = 130
# Remedies are written for a notebook; this is how a shell says the same.
IN_A_SHELL = (
    (r'consent="([^"]*)"', r'--consent "\1"'),
    (r"\bregion='(\w+)'", r"--region \1"),
    (r"connect\((--region \w+)\)", r"\1"),
    (r"\b(?:base_url|data)=", lambda found: "--" + found[0][:-1].replace("_", "-")),
    (r"\b(again|retry)=True", r"--\1"),
    (r"\bpass api_key=", "set DASHSCOPE_API_KEY"),
    (r"\bbase_url\b", "--base-url"),
    (r"give a Voice, its id, or a row of account\.voices\(\)", "give the id of a voice, as `vcnb voices` lists it"),
    (r"account\.voices\(\)", "those that `vcnb voices` lists"),
    (r"\bvcnb\.(repair|connect)\b", lambda found: f"`vcnb {found[1].replace('connect', 'practice')}`"),
)


def ended(command: Callable[[], int]) -> int:
    """Run a command and say how it ended.

    Parameters
    ----------
    command : callable
        What is to be done; gives an exit status.

    Returns
    -------
    int
        Exit status.
    """
    steady()
    sys.excepthook = last_words
    try:
        return command()
    except VcnbError as error:
        fail(error.message, error.remedy)
        return status_of(error)
    except KeyboardInterrupt:
        fail("Stopped.", "")
        return CANCELLED


def status_of(error: VcnbError) -> int:
    """Find the exit status of an error.

    Parameters
    ----------
    error : VcnbError
        What ended the command.
    """
    return next(status for kind, status in STATUS if isinstance(error, kind))


def fail(happened: str, remedy: str) -> None:
    """Say to a person what happened and what to do, in one line each.

    Parameters
    ----------
    happened, remedy : str
        The two sentences; line breaks in them become spaces.
    """
    say(" ".join(happened.split()))
    for words, instead in IN_A_SHELL:
        remedy = re.sub(words, instead, remedy)
    if remedy:
        say(f"  try: {' '.join(remedy.split())}")


def last_words(kind: type[BaseException], error: BaseException, trace: types.TracebackType | None) -> None:
    """Stand in for the traceback of an error that nobody foresaw; the interpreter then ends with status 1.

    Parameters
    ----------
    kind, error, trace
        As the interpreter gives them.
    """
    if os.environ.get("VCNB_TRACEBACK"):
        sys.__excepthook__(kind, error, trace)
        return
    from vcnb.protocol.envelope import masked

    fail(
        f"This is a fault of vcnb itself: {kind.__name__}: {masked(str(error))}",
        "set VCNB_TRACEBACK=1, run it again and report what it prints",
    )
