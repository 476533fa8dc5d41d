"""What each step of the Studio knows, or needs from another one.

A fact is a state, a key of the table of words (``fact.<key>`` in the bar of steps, ``say.<key>`` in the foot) and its
values. States: "done", "care" (look here), "now" (under way), "open", "needs" (waits for another step).
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from vcnb.audio.clip import Clip
from vcnb.catalog import PRICE_PER_CREATION, VOICES_PER_ACCOUNT
from vcnb.errors import CancelledError, SettingsError
from vcnb.guide.scripts import script
from vcnb.protocol.voice import Voice
from vcnb.settings import find_key

if TYPE_CHECKING:
    from vcnb.workflow.account import Account

    from .base import BaseWidget
    from .comparing import Comparing
    from .diagnosis import Diagnosis
    from .enrollment import Enrollment
    from .synthesis import Synthesis
    from .voices import Voices

__all__ = [
    "STEPS",
    "checked",
    "compared",
    "enrolled",
    "fact",
    "greeting",
    "ledger",
    "listed",
    "made_first",
    "nothing_yet",
    "offers",
    "spoken",
    "taken",
]

STEPS = ("record", "check", "enroll", "voices", "speak", "compare")
RECORDING = "clip"  # the key of the recording among what can be compared


def fact(state: str, key: str, **values: Any) -> dict[str, Any]:
    """Write a fact as the browser gets it."""
    return {"state": state, "fact": key, "values": values}


def nothing_yet() -> dict[str, dict[str, Any]]:
    """Give the facts of a Studio that was just made."""
    return {
        "record": fact("open", "no_recording"),
        "check": fact("needs", "no_recording_yet"),
        "enroll": fact("needs", "no_clip"),
        "voices": fact("open", "no_list"),
        "speak": fact("needs", "no_voice_yet"),
        "compare": fact("needs", "no_takes_yet"),
    }


def ledger(account: Account | None, used: int | None) -> dict[str, Any]:
    """Tell which service this is, how many voices it has, and what was spent."""
    try:
        has_key = find_key(None) is not None
    except SettingsError:  # said when that service is chosen
        has_key = False
    return {
        "region": account.region if account is not None else None,
        "used": used,
        "quota": VOICES_PER_ACCOUNT,
        "spent": account.spent if account is not None else 0.0,
        "limit": account.spend_limit if account is not None else None,
        "has_key": has_key,
    }


def taken(clip: Clip) -> dict[str, Any]:
    """Tell which recording was taken, as it was."""
    whole = clip.original or clip
    return fact("done", "clip", name=whole.name or "clip", seconds=f"{whole.duration:.1f}")


def checked(panel: Diagnosis) -> dict[str, Any]:
    """Tell what Check has found."""
    if not panel.verdict or panel.report is None:
        return fact("now", "judging")
    n = Counter(finding.verdict for finding in panel.report.findings)
    worst = next((word for word in ("fail", "warn") if n[word]), "pass")
    counts = {word: n[word] for word in ("fail", "warn", "pass")}
    told = worst
    if n["fail"]:
        told = "hopeless" if not panel.steps else "fail_and_warn" if n["warn"] else "fail"
    return fact("care" if n["fail"] else "done", told, n=n[worst], n_steps=len(panel.steps), **counts)


def enrolled(panel: Enrollment) -> dict[str, Any]:
    """Tell what came of an enrollment, or what one costs; of a voice that is ready, what a first greeting costs."""
    outcome, voice = panel.outcome, made_first(panel.voice)
    if panel.working is not None and panel.working["kind"] in ("enroll", "settle"):
        return fact("now", "enrolling")
    if outcome is not None and outcome["state"] == "unknown":
        return fact("care", "unsure", name=outcome["name"])
    if _has_stopped(panel):
        return fact("care", "stopped")
    if outcome is not None and outcome["voices"] and voice is not None and panel.account is not None:
        cost = panel.account.estimate(greeting(voice), voice=voice).cost
        return fact("done", "enrolled", name=outcome["name"], price=f"{cost:.4f}" if cost else "")
    if panel.clip is None:
        return fact("needs", "no_clip")
    return fact("open", "free") if panel.offer["free"] else fact("open", "price", price=f"{PRICE_PER_CREATION:.2f}")


def made_first(made: Voice | dict[str, Voice] | None) -> Voice | None:
    """Give the voice that speaks first of those that were made together."""
    return next(iter(made.values()), None) if isinstance(made, dict) else made


def greeting(voice: Voice) -> str:
    """Give the words in which a voice is first heard: two sentences of a script in its language.

    One alone is too short to tell a voice by, in Compare as for ears.
    """
    return "".join(re.split(r"(?<=[.!?。！？])", script(voice.language or "en").text)[:2]).strip()


def listed(panel: Voices | None, used: int) -> dict[str, Any]:
    """Tell how many voices there are."""
    if panel is not None and _has_stopped(panel):
        return fact("care", "stopped")
    return fact("done", "voices", n=used) if used else fact("open", "no_voice")


def spoken(panel: Synthesis, used: int | None) -> dict[str, Any]:
    """Tell how many takes there are, or whether there is a voice."""
    if _has_stopped(panel):
        return fact("care", "stopped")
    if panel.n_takes:
        return fact("done", "takes", n=panel.n_takes)
    return fact("open", "no_take") if used else fact("needs", "no_voice_yet")


def compared(panel: Comparing | None, n_offers: int) -> dict[str, Any]:
    """Tell what is measured side by side, or what could be."""
    if panel is not None and panel.working is not None and panel.working["kind"] == "compare":
        return fact("now", "measuring")
    if panel is not None and _has_stopped(panel):
        return fact("care", "stopped")
    if panel is not None and panel.comparison is not None:
        return fact("done", "compared", n=len(panel.comparison.items))
    return fact("open", "offered", n=n_offers) if n_offers > 1 else fact("needs", "no_takes_yet")


def offers(clip: Clip | None, panel: Synthesis | None, take: str) -> dict[str, Any]:
    """Collect what can be compared: the recording as it was enrolled, and every take.

    Parameters
    ----------
    clip : Clip or None
        The recording.
    panel : Synthesis or None
        Whose takes.
    take : str
        The word for one, with ``{n}``.

    Returns
    -------
    dict
        Key -> function that gives the clip, with its name in it; read only when it is compared.
    """
    found: dict[str, Any] = {}
    if clip is not None:
        found[RECORDING] = (clip.name or "clip", lambda: clip)
    for n, row in enumerate(panel.rows if panel is not None else (), 1):
        if row["take"]:
            name = f"{row['name']}, {take.replace('{n}', str(n))}"
            found[row["key"]] = (name, _reader(panel, row["key"], name))
    return found


def _has_stopped(panel: BaseWidget) -> bool:
    """Whether an error stands in a panel that somebody may have left meanwhile."""
    return panel.working is None and panel.error is not None and panel.error["kind"] != CancelledError.__name__


def _reader(panel: Any, key: str, name: str) -> Any:
    return lambda: replace(panel.track(key).clip, name=name)
