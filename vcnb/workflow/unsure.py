"""What is said while nobody knows whether a voice was made, and what a person is asked then."""

from __future__ import annotations

from datetime import datetime

from vcnb.errors import OutcomeUnknownError
from vcnb.library.intents import Intent

from .intending import Choose, Step

__all__ = ["Unsure", "question", "unknown"]


class Unsure(str):
    """The sentence for whoever waits.

    Parameters
    ----------
    name : str
        What the voice's user called it.
    until : float
        When it is over (seconds since 1970).
    every : float
        Seconds between two looks, at most.
    """

    name: str
    until: float
    every: float

    def __new__(cls, name: str, until: float, every: float) -> Unsure:
        """Write it."""
        made = super().__new__(
            cls,
            f"The answer got lost; {name} may exist. We look in the account every {every:g} s and ask for nothing new "
            f"until {_clock_time(until)}. You cannot be charged twice.",
        )
        made.name, made.until, made.every = name, until, every
        return made


def unknown(intent: Intent, why: str, remedy: str) -> OutcomeUnknownError:
    """Make the error for a creation of which nobody knows what became of it.

    Parameters
    ----------
    intent : Intent
        What was asked for.
    why : str
        What happened.
    remedy : str
        What to do.
    """
    message = f"Whether the voice {intent.name!r} was made is not known: {why.rstrip('.')}."
    return OutcomeUnknownError(message, intent=intent, remedy=remedy)


def question(intent: Intent, step: Step, why: str, now: float) -> OutcomeUnknownError:
    """Make the error that asks a person.

    Parameters
    ----------
    intent : Intent
        What was asked for.
    step : Step
        `Choose` or `Ask`; any other where sending is not ours.
    why : str
        What happened to the answer.
    now : float
        Seconds since 1970.
    """
    if isinstance(step, Choose):
        names = ", ".join(voice.voice for voice in step.candidates)
        asked = unknown(
            intent,
            f"{why.rstrip('.')}; new in the account are {names}, and only a person can tell which it is",
            "listen to them and say which, as account.settle(error.intent, voice=...)",
        )
        asked.candidates = step.candidates
        return asked
    return OutcomeUnknownError(
        f"The voice {intent.name!r} seems not to have been made: {why.rstrip('.')}; "
        f"the list of {_clock_time(now)} shows no such voice, and none can come of it any more.",
        intent=intent,
        remedy="enroll again with retry=True, which sends it once more at the price of one creation",
    )


def _clock_time(at: float) -> str:
    return f"{datetime.fromtimestamp(at).astimezone():%H:%M:%S}"
