"""How a clip is heard and seen in a notebook."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import traitlets

from vcnb.audio.clip import Clip, Speech
from vcnb.errors import SettingsError
from vcnb.protocol.voice import preferred_name_of

from .base import BaseWidget, joined

__all__ = ["Player", "as_sent"]

# Ours: browsers and servers take 10 MiB a message at most; 1 MiB with four under way was the fastest.
BYTES_PER_CHUNK = 1 << 20


class Player(BaseWidget):
    """Play a clip, see it, seek in it, and take it home as WAV.

    Parameters
    ----------
    clip : Clip or Speech
        What is heard. Its samples travel as binary messages and are never saved in the notebook.
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

    _esm = joined("wave", "player")
    _css = joined("player", kind="css")
    _parts = ("player",)
    sound = traitlets.Dict().tag(sync=True)

    def __init__(self, clip: Clip, **options: Any) -> None:
        if not isinstance(clip, Clip):
            raise SettingsError(f"{clip!r} is no clip.", remedy="load it first: vcnb.load(...)")
        self._clip = clip
        self._sent = as_sent(clip.samples)
        super().__init__({"sound": _facts(clip, self._sent)}, **options)

    @property
    def clip(self) -> Clip:
        """What is heard."""
        return self._clip

    def __repr__(self) -> str:
        return f"<Player of {self._clip!r}>"

    def receive_need(self, message: dict[str, Any], _buffers: list[Any]) -> None:
        """Send the pieces a view asks for; it asks for the next when one has come, so that few are under way."""
        step = self.sound["chunk"]
        for seq in message["seqs"]:
            piece = self._sent[int(seq) * step : (int(seq) + 1) * step]
            self.send({"type": "chunk", "client": message["client"], "seq": int(seq)}, [piece.tobytes()])


def as_sent(samples: npt.NDArray[np.float32]) -> npt.NDArray[Any]:
    """Halve the way to the browser where nothing is lost by it.

    Parameters
    ----------
    samples : np.ndarray [shape=(n,)]
        Mono amplitudes, full scale at 1.

    Returns
    -------
    np.ndarray [shape=(n,)]
        Little-endian int16 where every sample is a whole step of it, as 16-bit files and speech are; else float32.
    """
    steps = samples * np.float32(32768)
    whole = bool(np.all((steps == np.rint(steps)) & (steps >= -32768) & (steps <= 32767)))
    return steps.astype("<i2") if whole else np.ascontiguousarray(samples, dtype="<f4")


def _facts(clip: Clip, sent: npt.NDArray[Any]) -> dict[str, Any]:
    speech = clip if isinstance(clip, Speech) else None
    named = preferred_name_of(speech.voice) or speech.voice if speech else ""
    return {
        "name": clip.name or named,
        "rate": clip.sample_rate,
        "n_samples": len(sent),
        "format": "s16" if sent.dtype.itemsize == 2 else "f32",
        "chunk": BYTES_PER_CHUNK // sent.dtype.itemsize,
        "generated": speech is not None,
        "text": speech.text if speech else "",
    }
