"""How a recording is made fit to be sent."""

from __future__ import annotations

import os
from typing import BinaryIO

from vcnb.audio.clip import Clip
from vcnb.audio.encode import outgoing
from vcnb.audio.load import load
from vcnb.diagnose.report import diagnose

from .steps import REMEDIES, headroom, wav16

__all__ = ["repair"]


def repair(clip_or_path: Clip | str | os.PathLike[str] | bytes | BinaryIO) -> Clip:
    """Mend what stands against the page's hard rules, and raise what is faint.

    Parameters
    ----------
    clip_or_path : Clip, path, bytes or file object
        The recording.

    Returns
    -------
    Clip
        With one entry in `edits` for each thing that was done: why, and what it changed. The same clip where nothing
        is to be done, so that its own bytes are sent. What was not recorded does not come back: a higher rate adds no
        treble, and a recording that is too short stays so.

    Raises
    ------
    ClipError
        If the recording cannot be read.
    """
    clip = load(clip_or_path)
    words = {finding.remedy for finding in diagnose(clip).findings if finding.verdict in ("warn", "fail")}
    plan = [word for word in REMEDIES if word in words]
    given = outgoing(clip)
    if not plan:
        return clip if given is clip.source else headroom(clip)
    mended = clip
    for word in plan:
        mended = REMEDIES[word](mended, given)
    if "wav16" not in plan and (given.container, given.codec) != ("wav", "pcm_s16le"):
        mended = wav16(mended, given)
    return headroom(mended)
