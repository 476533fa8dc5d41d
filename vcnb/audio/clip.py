"""What a recording is: samples, their rate, and where they came from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from vcnb.errors import ClipError

__all__ = ["Clip", "Edit", "Segment", "Source", "Speech"]

LOUDEST = 1e10  # of full scale 1: integers kept as floats are less, and the square of a spectrum of more overflows


@dataclass(frozen=True, order=True)
class Segment:
    """A range of time.

    Parameters
    ----------
    start, end : float
        Seconds from the beginning of the clip.
    """

    start: float
    end: float

    @property
    def duration(self) -> float:
        """Length in seconds."""
        return self.end - self.start


@dataclass(frozen=True)
class Edit:
    """One thing that was done to a clip.

    Parameters
    ----------
    name : str
        The remedy's word, for example "mono".
    reason : str
        Why, in one sentence.
    change : str
        What it changed, with figures.
    similarity : float or None
        Cosine between the speaker's embeddings before and after; None where no sample that was kept was changed.
    """

    name: str
    reason: str
    change: str
    similarity: float | None = None


@dataclass(frozen=True)
class Source:
    """What was given, kept as it was: the bytes, and what they say of themselves.

    Parameters
    ----------
    data : bytes
        The file itself.
    sha256 : str
        Hexadecimal digest of `data`.
    container : str
        Sniffed from the content, never from the name: "wav", "mp3", "mp4", "flac", "ogg", "matroska", "aiff", "caf" ...
    codec : str
        FFmpeg's name, for example "pcm_s16le", "mp3", "aac", "alac".
    bit_depth : int or None
        Bits a sample for codecs that have them, else None.
    is_float : bool
        Whether the samples in the file are floating point.
    n_channels : int
        Channels in the file; `Clip.samples` is always mono.
    sample_rate : int
        Samples per second (Hz) in the file.
    declared_duration : float or None
        Seconds by the header, where it says so.
    decoded_duration : float
        Seconds that could be decoded (up to the cap of `load`).
    path : str or None
        Where it lay.
    url : str or None
        Where it is published; the service fetches it there.
    suffix : str
        The name's ending with its dot, lower case, "" without a name.
    n_errors : int
        Damaged packets that were passed over.
    truncated : bool
        The file ends before its header says.
    n_nonfinite : int
        Samples that were no number and became 0.
    clipped : tuple of Segment
        Clipping found on the file's own channels, before the downmix.
    """

    data: bytes = field(repr=False)
    sha256: str
    container: str
    codec: str
    bit_depth: int | None
    is_float: bool
    n_channels: int
    sample_rate: int
    declared_duration: float | None
    decoded_duration: float
    path: str | None = None
    url: str | None = None
    suffix: str = ""
    n_errors: int = 0
    truncated: bool = False
    n_nonfinite: int = 0
    clipped: tuple[Segment, ...] = ()

    @property
    def size_bytes(self) -> int:
        """Size of the file in bytes."""
        return len(self.data)


@dataclass(frozen=True, eq=False)
class Clip:
    """A recording.

    Parameters
    ----------
    samples : np.ndarray [shape=(n,)]
        Mono float32 amplitudes, full scale at 1; made read-only.
    sample_rate : int
        Samples per second (Hz).
    name : str
        What to call it.
    source : Source or None
        What it was read from; None for sound that never was a file.
    edits : tuple of Edit
        What was done to it since.
    original : Clip or None
        The clip before the first of them, so that they can be taken back; None where there are none.

    Raises
    ------
    ClipError
        If the samples are not one-dimensional, not finite, beyond `LOUDEST`, or the rate is not positive.
    """

    samples: npt.NDArray[np.float32] = field(repr=False)
    sample_rate: int
    name: str = ""
    source: Source | None = field(default=None, repr=False)
    edits: tuple[Edit, ...] = ()
    original: Clip | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        samples = np.asarray(self.samples, dtype=np.float32)
        if samples.ndim != 1:
            raise ClipError(f"A clip is mono: one dimension, not {samples.ndim}.", remedy="average the channels")
        if int(self.sample_rate) <= 0:
            raise ClipError(f"A sample rate of {self.sample_rate} Hz is impossible.", remedy="give it in Hz")
        if not (np.abs(samples) <= LOUDEST).all():
            message = f"The samples hold values that are no numbers, or beyond {LOUDEST:.0e} of full scale."
            raise ClipError(message, remedy="replace NaN and infinity by 0")
        if samples.flags.writeable:
            samples = samples.copy()
            samples.flags.writeable = False
        object.__setattr__(self, "samples", samples)
        object.__setattr__(self, "sample_rate", int(self.sample_rate))

    @property
    def duration(self) -> float:
        """Length in seconds."""
        return len(self.samples) / self.sample_rate

    def __repr__(self) -> str:
        named = f" {self.name!r}" if self.name else ""
        edited = f", {len(self.edits)} edits" if self.edits else ""
        return f"<{type(self).__name__} {self.duration:.2f} s at {self.sample_rate} Hz{named}{edited}>"

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> npt.NDArray[Any]:
        """Let numpy take the samples."""
        return np.array(self.samples, dtype=dtype) if copy else np.asarray(self.samples, dtype=dtype)


@dataclass(frozen=True, eq=False, repr=False)
class Speech(Clip):
    """A clip that a voice spoke, with its story.

    Parameters
    ----------
    samples : np.ndarray [shape=(n,)]
        Mono float32 amplitudes, full scale at 1; made read-only.
    sample_rate : int
        Samples per second (Hz).
    name : str
        What to call it.
    source : Source or None
        None: it was spoken and not read from a file.
    edits : tuple of Edit
        What was done to it since.
    original : Clip or None
        The clip before the first of them.
    text : str
        What was to be spoken.
    voice : str
        Id of the voice.
    target_model : str
        The model that spoke.
    transport : str
        "http", "sse" or "realtime".
    language : str or None
        Two-letter code, None for automatic.
    first_audio_delay : float or None
        Seconds from the first request to the first sound; None for an answer that came whole.
    characters : int
        Characters as the service counted them, or by its rule where it gave no count.
    cost : float
        US dollars by the price list; 0 on the practice service.
    request_ids : tuple of str
        Of each request or session, in order.
    arrivals : tuple of (float, float)
        For each piece: seconds since the first request, and seconds of sound in it.
    take : str
        Its id in the library, "" where it is not kept there.
    consent : str
        Id of the consent that the voice was made with, "" where none is known here.
    practice : bool
        Whether the practice voice spoke: a synthetic speaker with a voice's pitch, colour and pace, not the service's
        quality.
    """

    text: str = ""
    voice: str = ""
    target_model: str = ""
    transport: str = ""
    language: str | None = None
    first_audio_delay: float | None = None
    characters: int = 0
    cost: float = 0.0
    request_ids: tuple[str, ...] = ()
    arrivals: tuple[tuple[float, float], ...] = ()
    take: str = ""
    consent: str = ""
    practice: bool = False
