"""How a clip, several, or speech that is still arriving are heard and seen in a notebook."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import traitlets

from vcnb.audio.clip import Clip, Segment
from vcnb.compare.sentinel import Evidence
from vcnb.diagnose.finding import Finding
from vcnb.errors import CancelledError, SettingsError

from .base import joined
from .sounds import PLAYER_FILES, Sound, SoundPanel
from .still import display_still

__all__ = ["Player"]

MOST_CLIPS = 8  # ours: more lanes than that are no comparison, and each has a letter as its key
COLUMNS = 240  # of the outlines together, in the panel's state


class Player(SoundPanel):
    """Play a clip, see it, seek and loop in it, and take it home; or hear speech while it is made.

    Parameters
    ----------
    clip : Clip, sequence of Clip, or iterator of Clip
        What is heard. Several are compared: they play at the same instant, equally loud, and one is heard at a time.
        An iterator, such as ``account.stream(...)``, is heard as it arrives; after its end it is an ordinary clip.
        Sound travels as binary messages and is never saved in the notebook.
    marks : sequence of Segment, Finding or Evidence
        Places to show and to hear on the time axis; `Drift.marks` are some.
    **options
        Traits of the widget, such as ``layout``.

    Raises
    ------
    SettingsError
        On an option that does not exist, or something that is no clip.

    Examples
    --------
    >>> vcnb.Player(vcnb.load("me.wav"))
    <Player of <Clip 14.20 s at 48000 Hz 'me.wav'>>
    """

    _esm = joined(*PLAYER_FILES, "player")
    _css = joined("player", kind="css")
    _parts = ("player",)
    sounds = traitlets.List().tag(sync=True)

    def __init__(
        self,
        clip: Clip | Sequence[Clip] | Iterator[Clip],
        *,
        marks: Iterable[Segment | Finding | Evidence] = (),
        **options: Any,
    ) -> None:
        self._source = clip if isinstance(clip, Iterator) else None
        sounds = [Sound("A")] if self._source is not None else _sounds(clip)
        self._marks = [mark for each in marks for mark in _marks(each)]
        super().__init__(sounds, {"sounds": _facts(sounds)}, **options)
        if self._source is not None:
            threading.Thread(target=self._listen, name="vcnb-player", daemon=True).start()

    @property
    def clip(self) -> Clip | None:
        """What is heard, the first of several; None while a stream has not ended."""
        return self._tracks["A"].clip

    @property
    def clips(self) -> list[Clip]:
        """All that can be heard."""
        return [sound.clip for sound in self._tracks.values() if sound.clip is not None]

    @property
    def figures(self) -> dict[str, Any] | None:
        """How a stream was heard, as the browser measured it; None before. See `SoundPanel`."""
        return self._heard.get("A")

    def __repr__(self) -> str:
        if self._source is not None:
            return "<Player of a stream>"  # whether it has ended depends on when one looks
        shown = [repr(sound.clip) for sound in self._tracks.values()]
        return f"<Player of {', '.join(shown)}>"

    def _ipython_display_(self) -> None:
        if self._source is not None:  # a picture of what has not arrived would be empty
            raise NotImplementedError
        display_still(self.clips[0])

    def stop(self) -> None:
        """Stop a stream that is still arriving; what came is kept."""
        cancel = getattr(self._source, "cancel", None) or getattr(self._source, "close", None)
        if cancel is not None and self._tracks["A"].is_live:
            threading.Thread(target=cancel, name="vcnb-cancel", daemon=True).start()

    def _receive_hello(self, message: dict[str, Any], _buffers: list[Any]) -> None:
        """Give a page what no notebook should save: the text, and the marks."""
        super()._receive_hello(message, _buffers)
        if self._marks:
            self.send({"type": "marks", "client": message["client"], "marks": self._marks})

    def _receive_stop(self, _message: dict[str, Any], _buffers: list[Any]) -> None:
        """Stop the synthesis; the sound was stopped in the browser already."""
        self.stop()

    def _listen(self) -> None:
        sound, source = self._tracks["A"], self._source
        broken = self.deliver(sound, source or (), whole=lambda: getattr(source, "speech", None))
        self.sounds = _facts([sound])
        if broken is not None and not isinstance(broken, CancelledError):
            self.tell(broken)


def _sounds(clips: Any) -> list[Sound]:
    several = [clips] if isinstance(clips, Clip) else clips
    if not isinstance(several, Sequence) or isinstance(several, str) or not several:
        raise SettingsError(f"{clips!r} is no clip.", remedy="load it first: vcnb.load(...)")
    for clip in several:
        if not isinstance(clip, Clip):
            raise SettingsError(f"{clip!r} is no clip.", remedy="load it first: vcnb.load(...)")
    if len(several) > MOST_CLIPS:
        raise SettingsError(f"{len(several)} clips are too many.", remedy=f"compare {MOST_CLIPS} at a time")
    return [Sound(letter, clip) for letter, clip in zip("ABCDEFGH", several, strict=False)]


def _facts(sounds: list[Sound]) -> list[dict[str, Any]]:
    several = len(sounds) > 1  # only what is compared need be equally loud
    return [sound.facts(n_columns=COLUMNS // len(sounds), loudness=several) for sound in sounds]


def _marks(mark: Segment | Finding | Evidence) -> list[dict[str, Any]]:
    if isinstance(mark, Segment):
        return [{"row": "", "verdict": "info", "text": f"{mark.duration:.1f} s", "start": mark.start, "end": mark.end}]
    if not isinstance(mark, Finding | Evidence):
        raise SettingsError(f"{mark!r} is no mark.", remedy="give segments, or findings of vcnb.diagnose(...)")
    number = f"{mark.value:.3g}" if isinstance(mark, Evidence) else mark.value
    value = " ".join(str(part) for part in (number, mark.unit) if part not in (None, ""))
    row = {"row": mark.check, "verdict": mark.verdict, "text": value or mark.check}
    return [row | {"start": segment.start, "end": segment.end} for segment in mark.segments]
