"""How a deleted voice comes back: by a new enrollment of the recording that was kept, said and paid as such."""

from __future__ import annotations

import logging
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from vcnb.catalog import PRICE_PER_CREATION
from vcnb.client.wire import broken
from vcnb.errors import LibraryError, SettingsError
from vcnb.library import voices
from vcnb.protocol.voice import Voice

from .enrollment import Progress, prepare
from .voices import voice_of

if TYPE_CHECKING:
    from .account import Account

__all__ = ["restore"]

log = logging.getLogger("vcnb")


def restore(
    account: Account, voice: Any, *, progress: Progress | None = None, cancel: threading.Event | None = None
) -> Voice:
    """Enroll the recording of a deleted voice again.

    Parameters
    ----------
    account : Account
        Whose voice.
    voice, progress, cancel
        See :meth:`vcnb.Account.restore`.

    Returns
    -------
    Voice

    Raises
    ------
    VcnbError
        See :meth:`vcnb.Account.restore`.
    """
    named, shelf = voice_of(voice, region=account.region), account._shelf
    owner = shelf.certain_account_of(named)
    listed = {each.voice: each for each in account.list_voices()}
    if named.voice in listed and not shelf.is_deleted(named):
        raise SettingsError(f"{named.voice} is not deleted.", remedy="use it as it is; nothing was sent")
    known = voices.known(shelf.store, owner, named.voice)
    if known is None or not known["statement"]:
        raise LibraryError(
            f"Nothing is kept here of which {named.voice} could be made again.",
            remedy="enroll the recording, if you have it; nothing was sent",
        )
    back = listed.get(known["restored_as"])
    if back is not None and not shelf.is_deleted(back):
        return replace(back, name=known["name"], consent=known["statement"])
    clip = known["url"] if not known["sound"] and known["url"] else account.reference(named)
    price = "nothing on the practice service" if account.region == "practice" else f"at most ${PRICE_PER_CREATION:.2f}"
    said = f"{known['name']} comes back by a new enrollment; it costs {price}"
    log.info(said)
    if progress is not None:
        progress(said, 0.0)
    voices.mark_deleted(shelf.store, owner, named.voice)  # it is not in the list
    words: dict[str, Any] = {name: known[name] for name in ("target_model", "transcript", "language")}
    words |= {"preferred_name": known["name"], "consent": known["statement"], "progress": progress}
    request = prepare(account.settings, clip, **words)
    while True:
        # One that was made by the same request, on purpose, while this one lived, is no replacement.
        besides = voices.others(shelf.store, owner, named.voice)
        (made,) = account._make_all(request, progress=progress, cancel=cancel, besides=besides).values()
        if made.voice in besides:  # again and again would be billed each time
            raise broken(f"The service gave a new voice the id of an older one, {made.voice!r}.")
        with shelf.store.transaction():
            if made.voice not in voices.others(shelf.store, owner, named.voice):
                voices.mark_restored(shelf.store, owner, named.voice, made.voice)
                return made
        # Meanwhile another voice came back as this one.
