"""What sound is in a file's bytes: the one decoder, behind guard rails.

FFmpeg (through PyAV) is told which container it reads and gets bytes, never a path; it is read packet by packet,
so that one damaged packet costs only itself; what it makes is capped in seconds of sound, in bytes and in time.
"""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import av
import numpy as np
import numpy.typing as npt

from vcnb.errors import ClipError

from .containers import FORMATS, bit_depth, riff_duration, sniff
from .load import RATE_LIMIT

__all__ = ["Decoded", "SECONDS_CAP", "block_of", "decode"]

# The caps are ours: recordings up to 60 s are of use, ten minutes is the most that is worth holding in memory.
SECONDS_CAP = 600.0
BYTES_CAP = 400 * 2**20
WALL_CAP = 10.0
ERRORS_CAP = 500
CHANNELS_CAP = 64
_PADDING = 0.2  # seconds by which coded sound may pass the cap: codecs round up to whole frames
_PLAIN = {"mp3float": "mp3", "mp2float": "mp2"}  # FFmpeg names its decoder, we the codec
_PROBE = {"probesize": "2000000", "analyzeduration": "2000000"}
# Before PyAV 19 a title in an odd encoding was an error; from 19 on the option is gone.
_TEXT: dict[str, Any] = {"metadata_errors": "ignore"} if int(av.__version__.split(".")[0]) < 19 else {}

_READABLE = "give a WAV, MP3 or M4A file (FLAC, Ogg, WebM, AIFF and CAF can be read too)"


@dataclass
class Decoded:
    """Sound as the file holds it, and what the file says of itself.

    Parameters
    ----------
    container, codec : str
        As in `Source`.
    bit_depth : int or None
        Bits a sample.
    sample_rate : int
        Samples per second (Hz) of the first decoded frame; headers lie.
    n_channels : int
        Channels of the first decoded frame.
    declared_duration : float or None
        Seconds by the header.
    truncated : bool
        The file ends before its header says.
    n_errors : int
        Damaged packets that were passed over.
    blocks : list of np.ndarray [shape=(n_channels, n)]
        In the decoder's own sample type, so that clipping can be judged on the file's own values.
    """

    container: str
    codec: str
    bit_depth: int | None
    sample_rate: int = 0
    n_channels: int = 0
    declared_duration: float | None = None
    truncated: bool = False
    n_errors: int = 0
    blocks: list[npt.NDArray[Any]] = field(default_factory=list)

    @property
    def n_samples(self) -> int:
        """Samples in each channel."""
        return sum(block.shape[1] for block in self.blocks)

    def channels(self) -> Iterator[npt.NDArray[np.float32]]:
        """Give one channel after the other, full scale at 1; values that are no numbers stay."""
        for channel in range(self.n_channels):
            yield _as_float(np.concatenate([block[channel] for block in self.blocks]))


def decode(data: bytes) -> Decoded:
    """Decode a file's first stream of sound.

    Parameters
    ----------
    data : bytes
        The whole file.

    Returns
    -------
    Decoded
        What it holds; damage that could be passed over is counted, not raised.

    Raises
    ------
    ClipError
        If nothing can be decoded, or if more than ten minutes could.
    """
    if not data:
        raise ClipError("The file is empty.", remedy="record or export it again")
    container = sniff(data)
    if container is None:
        raise ClipError("The file holds no sound in a known format.", remedy=_READABLE)
    try:
        with av.open(io.BytesIO(data), mode="r", format=FORMATS[container], options=_PROBE, **_TEXT) as opened:
            decoded = _drain(opened, container)
    except (av.error.FFmpegError, ValueError, OverflowError, MemoryError) as error:
        if isinstance(error, ClipError):
            raise
        raise ClipError(
            f"The file begins like {container} but cannot be read ({_words(error)}).", remedy="export it again"
        ) from None
    if not decoded.n_samples:
        raise ClipError(f"The {container} file holds no sound that can be decoded.", remedy="record or export it again")
    _compare_lengths(decoded, data)
    return decoded


def _words(error: BaseException) -> str:
    said = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return str(said).splitlines()[0][:80]


def _drain(opened: Any, container: str) -> Decoded:
    stream = next((stream for stream in opened.streams if stream.type == "audio"), None)
    context = stream.codec_context if stream is not None else None
    if stream is None or context is None:
        raise ClipError(f"The {container} file has no stream of sound that we can decode.", remedy=_READABLE)
    context.thread_type = "NONE"  # one thread: clips are short, and a pool of workers must not multiply
    codec = _PLAIN.get(context.name, context.name)
    decoded = Decoded(container, codec, bit_depth(codec, context.extradata))
    if container == "adts":
        pass  # these files have no length of their own; FFmpeg guesses one
    elif stream.duration:
        decoded.declared_duration = float(stream.duration * stream.time_base)
    elif opened.duration:
        decoded.declared_duration = opened.duration / av.time_base
    started, n_samples, n_bytes = time.monotonic(), 0, 0
    for frame in _frames(opened, stream, decoded):
        block = block_of(frame, decoded)
        if block is None:
            continue
        decoded.blocks.append(block)
        n_samples, n_bytes = n_samples + block.shape[1], n_bytes + block.nbytes
        if n_samples > (SECONDS_CAP + _PADDING) * decoded.sample_rate:
            raise ClipError(
                f"The recording is longer than {SECONDS_CAP / 60:.0f} minutes.",
                remedy="cut out its best 10 to 20 seconds (vcnb.best_window finds them)",
            )
        if n_bytes > BYTES_CAP or time.monotonic() - started > WALL_CAP:
            raise ClipError(
                f"The recording was given up after {n_samples / decoded.sample_rate:.0f} s of sound: too much to hold.",
                remedy="export it as mono at 48 kHz or less, at most a minute of it",
            )
    return decoded


def _frames(opened: Any, stream: Any, decoded: Decoded) -> Iterator[Any]:
    """Decode packet by packet: `container.decode()` would end at the first damaged one."""
    packets = opened.demux(stream)
    while decoded.n_errors <= ERRORS_CAP:
        try:
            packet = next(packets)
        except StopIteration:
            return
        except av.error.FFmpegError:
            decoded.n_errors += 1
            return
        try:
            frames = packet.decode()
        except av.error.FFmpegError:
            decoded.n_errors += 1
            continue
        yield from frames


def block_of(frame: Any, decoded: Decoded) -> npt.NDArray[Any] | None:
    """Take the samples out of a decoded frame.

    Parameters
    ----------
    frame : av.AudioFrame
        As the decoder gives it.
    decoded : Decoded
        What the first frame tells of rate and channels is kept there.

    Returns
    -------
    np.ndarray [shape=(n_channels, n)] or None
        None, and an error is counted, where rate or channels change on the way.

    Raises
    ------
    ClipError
        If the first frame is no recording.
    """
    rate, n_channels = frame.sample_rate, frame.layout.nb_channels
    if not decoded.sample_rate:
        if not 0 < rate <= RATE_LIMIT or not 0 < n_channels <= CHANNELS_CAP:
            raise ClipError(f"{n_channels} channels at {rate} Hz are no recording.", remedy="export it again")
        decoded.sample_rate, decoded.n_channels = rate, n_channels
    if (rate, n_channels) != (decoded.sample_rate, decoded.n_channels):
        decoded.n_errors += 1
        return None
    block: npt.NDArray[Any] = frame.to_ndarray()
    return block if frame.format.is_planar else block.reshape(-1, n_channels).T


def _as_float(samples: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    if samples.dtype == np.uint8:
        return (samples.astype(np.float32) - np.float32(128)) / np.float32(128)
    if samples.dtype.kind == "i":
        return samples.astype(np.float32) * np.float32(-1 / np.iinfo(samples.dtype).min)
    with np.errstate(over="ignore", invalid="ignore"):  # what no float32 can hold is infinite then, and counted as such
        return samples.astype(np.float32)


def _compare_lengths(decoded: Decoded, data: bytes) -> None:
    """Notice a file that ends before its header says."""
    held = decoded.n_samples / decoded.sample_rate
    if decoded.container == "wav":
        decoded.declared_duration, decoded.truncated = riff_duration(data)
        return
    if decoded.codec == "mp3" and not _counts_its_frames(data):
        decoded.declared_duration = None  # FFmpeg guesses it from the bit rate of the first frame
    if decoded.declared_duration is not None:
        decoded.truncated = held < decoded.declared_duration - max(0.25, 0.01 * decoded.declared_duration)


def _counts_its_frames(data: bytes) -> bool:
    return any(mark in data[: 2**18] for mark in (b"Xing", b"Info", b"VBRI"))
