"""How voices come into a comparison: each by the recording that it was made from."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from vcnb.audio.clip import Clip
from vcnb.compare import comparison
from vcnb.compare.comparison import Comparison
from vcnb.errors import ClipError
from vcnb.library.opening import open_store
from vcnb.library.voices import recording
from vcnb.protocol.voice import Voice
from vcnb.settings import data_folder

from .voices import voice_of

if TYPE_CHECKING:
    from .account import Account

__all__ = ["compare", "listed"]


def compare(
    items: Iterable[Any],
    *,
    account: Account | None = None,
    transcribe: Callable[[Clip], str] | None = None,
    quality: bool = False,
    progress: Callable[[str, float | None], None] | None = None,
) -> Comparison:
    """Measure recordings, speeches and voices, and put them side by side.

    Parameters
    ----------
    items : iterable of Clip, Speech, path, Voice or row of ``account.voices()``
        At least one; such a table itself will do. A voice stands for the recording that it was made from.
    account : Account, optional
        Whose library holds those recordings; None for the library of the data folder.
    transcribe : callable, optional
        Writes down what a Clip says. With it, each Speech gets "error_rate": the share of its text heard wrong.
    quality : bool
        Guess how good listeners would call each: "dnsmos", 1…5; needs the extra ``vcnb[quality]``.
    progress : callable, optional
        Told which recording is measured and the share that is done; what it raises stops the measuring.

    Returns
    -------
    Comparison
        Of all of them, in their order.

    Raises
    ------
    ClipError
        If there is nothing to compare, or a file cannot be read.
    LibraryError
        If the recording of a voice is not kept.
    SettingsError
        If `quality` is asked for and not installed.
    """
    sounds = [_sound_of(item, account) for item in listed(items)]
    return comparison.compare(sounds, transcribe=transcribe, quality=quality, progress=progress)


def listed(items: Any) -> list[Any]:
    """Take what is to be compared one by one; a table by its rows.

    Raises
    ------
    ClipError
        If it is one recording, or nothing that can be gone through.
    """
    if hasattr(items, "iterrows"):
        return [row for _, row in items.iterrows()]
    if isinstance(items, str | bytes | os.PathLike | Clip | Voice):
        raise ClipError("One recording alone cannot be compared.", remedy="give a list of them")
    if not isinstance(items, Iterable):
        raise ClipError(f"{type(items).__name__} cannot be compared.", remedy="give a list of clips, paths or voices")
    return list(items)


def _sound_of(item: Any, account: Account | None) -> Any:
    """Give the recording of a voice under the voice's name, and anything else as it is."""
    if not isinstance(item, Voice | Mapping) and not hasattr(item, "to_dict"):
        return item
    voice = voice_of(item)
    if account is not None:
        found = account.reference(voice)
    else:
        found = recording(open_store(data_folder(None)), None, voice.voice)
    return replace(found, name=voice.name or voice.preferred_name or voice.voice)
