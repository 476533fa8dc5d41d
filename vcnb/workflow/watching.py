"""Whether a take of the library is what was asked for, and what another try would cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vcnb.audio.clip import Speech
from vcnb.compare.sentinel import Drift
from vcnb.compare.sentinel import watch as judged
from vcnb.compare.sound import Sound
from vcnb.errors import LibraryError, SettingsError

if TYPE_CHECKING:
    from .account import Account

__all__ = ["retake", "watch"]

LOOKED_AT = 8  # earlier takes, the newest; ours: more change the verdict no longer, and each takes half a second
MOST_RETAKES = 5  # ours: a voice that fails so often fails for a reason that no further take changes


def watch(account: Account, take: Speech | str) -> Drift:
    """Judge a take by its voice's other takes and its recording; see :meth:`vcnb.Account.watch`."""
    return _judge(account, _taken(account, take))


def retake(account: Account, take: Speech | str, *, at_most: int = 1, confirm: bool = False) -> Speech:
    """Speak a take again until it is right; see :meth:`vcnb.Account.retake`."""
    if type(at_most) is not int or not 1 <= at_most <= MOST_RETAKES:
        raise SettingsError(f"{at_most!r} tries are not possible.", remedy=f"give a number from 1 to {MOST_RETAKES}")
    speech = _taken(account, take)
    price = account.estimate([speech.text] * at_most, target_model=speech.target_model).cost
    if price and not confirm:
        raise SettingsError(
            f"Up to {at_most} more takes cost up to ${price:.4f}.", remedy="pass confirm=True; nothing was spoken"
        )
    for _ in range(at_most):
        speech = account.speak(
            speech.text, voice=speech.voice, transport=speech.transport or None, language=speech.language
        )
        if _judge(account, speech).verdict != "fail":
            break
    return speech


def _taken(account: Account, take: Speech | str) -> Speech:
    speech = account.take(take) if isinstance(take, str) else take
    if not isinstance(speech, Speech) or not speech.voice or not speech.text:
        raise SettingsError(f"{take!r} is no take of a voice.", remedy="give a speech, or an id of account.takes()")
    return speech


def _judge(account: Account, speech: Speech) -> Drift:
    table = account.takes()
    mine = table[(table["voice"] == speech.voice) & table["complete"].astype(bool) & (table["take"] != speech.take)]
    earlier = [Sound(account.take(id)) for id in mine["take"].head(LOOKED_AT)[::-1]]
    try:
        reference = account.reference(speech.voice)
    except LibraryError:  # a voice that was made elsewhere
        reference = None
    return judged(speech, earlier, reference=reference)
