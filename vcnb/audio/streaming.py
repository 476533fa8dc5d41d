"""How a recording of hours is read without holding it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt

from vcnb.errors import ClipError

from .clip import Clip, Segment
from .clipping import clipped_segments, merged
from .containers import FORMATS, bit_depth, sniff
from .decode import Decoded, block_of

__all__ = ["Streamed"]

BLOCK = 30  # seconds that are held at once
HEAD = 4 * 2**20  # bytes in which the container shows itself, behind the tag with a cover picture
LEAD_IN = 12  # packets decoded before a stretch, for codecs that lean on what came before
ERRORS_CAP = 500
_PROBE = {"probesize": "2000000", "analyzeduration": "2000000"}
_TEXT: dict[str, Any] = {"metadata_errors": "ignore"} if int(av.__version__.split(".")[0]) < 19 else {}

Floats = npt.NDArray[np.float32]


class Streamed:
    """A file that is decoded block by block, and from which stretches can be fetched afterwards.

    Parameters
    ----------
    path : path
        The file.

    Raises
    ------
    ClipError
        If it cannot be opened, or holds no sound.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(os.path.expanduser(os.fsdecode(path)))
        self.sample_rate = 0
        self._starts: list[int] = [0]  # sample at which each packet's sound begins, and the end
        try:
            with self.path.open("rb") as file:
                head = file.read(HEAD)
                self._size = max(1, file.seek(0, os.SEEK_END))
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise ClipError(f"{self.path}: cannot be read ({reason}).", remedy="check the path") from None
        container = sniff(head)
        if container is None:
            raise ClipError(f"{self.path}: no sound in a known format.", remedy="give a WAV, MP3 or M4A file")
        self._container = container

    def blocks(self, on_share: Callable[[float], None] | None = None) -> Iterator[tuple[Floats, int, list[Segment]]]:
        """Decode it from beginning to end.

        Parameters
        ----------
        on_share : callable, optional
            Called after each block with the share of the file that was read (0 to 1).

        Yields
        ------
        (np.ndarray [shape=(n,)], int, list of Segment)
            A minute of mono samples, full scale at 1, their rate, and where they are clipped.

        Raises
        ------
        ClipError
            If nothing can be decoded.
        """
        self._starts = [0]
        held: Decoded | None = None
        for frames, decoded, share in self._packets(None):
            held = decoded
            n = sum(block.shape[1] for block in frames)
            self._starts.append(self._starts[-1] + n)
            decoded.blocks += frames
            while decoded.sample_rate and decoded.n_samples >= BLOCK * decoded.sample_rate:
                whole = np.concatenate(decoded.blocks, axis=1)
                first, rest = np.split(whole, [BLOCK * decoded.sample_rate], axis=1)
                decoded.blocks = [first]
                yield self._mono(decoded)
                decoded.blocks = [rest]
                if on_share is not None:
                    on_share(share)
        if held is None or not self._starts[-1]:
            raise ClipError(f"{self.path}: holds no sound that can be decoded.", remedy="export it again")
        if held.n_samples:
            yield self._mono(held)

    def fetch(self, stretches: Sequence[Segment]) -> list[Clip]:
        """Decode some stretches, to the sample where `blocks` found them.

        The packets before are passed over and not decoded; no index of the file has to be trusted for that.

        Parameters
        ----------
        stretches : sequence of Segment
            In seconds from the beginning; after `blocks` was exhausted.

        Returns
        -------
        list of Clip
            In their order.
        """
        starts = np.array(self._starts)
        ranges = [(round(each.start * self.sample_rate), round(each.end * self.sample_rate)) for each in stretches]
        wanted = np.zeros(len(starts) - 1, bool)
        for begin, end in ranges:
            first, last = np.searchsorted(starts, (begin, end), side="right") - 1
            wanted[max(0, first - LEAD_IN) : last + 1] = True
        found = [np.zeros(end - begin, np.float32) for begin, end in ranges]
        for at, (frames, decoded, _) in enumerate(self._packets(wanted)):
            decoded.blocks = frames
            # The first packet after a gap may give less than it did in its turn: it is lead-in and not wanted.
            if not frames or decoded.n_samples != starts[at + 1] - starts[at]:
                continue
            samples, _, _ = self._mono(decoded, look=False)
            for (begin, end), target in zip(ranges, found, strict=True):
                low, high = max(begin, int(starts[at])), min(end, int(starts[at + 1]))
                if low < high:
                    target[low - begin : high - begin] = samples[low - starts[at] : high - starts[at]]
        return [
            Clip(samples, self.sample_rate, name=f"{self.path.name} {each.start:.1f}-{each.end:.1f} s")
            for samples, each in zip(found, stretches, strict=True)
        ]

    def _packets(self, wanted: npt.NDArray[np.bool_] | None) -> Iterator[tuple[list[npt.NDArray[Any]], Decoded, float]]:
        """Give the frames of each packet, none where it is not wanted or damaged."""
        try:
            with (
                self.path.open("rb") as file,
                av.open(file, mode="r", format=FORMATS[self._container], options=_PROBE, **_TEXT) as opened,
            ):
                stream = next((each for each in opened.streams if each.type == "audio"), None)
                if stream is None or stream.codec_context is None:
                    raise ClipError(f"{self.path}: holds no stream of sound.", remedy="give a WAV, MP3 or M4A file")
                context = stream.codec_context
                context.thread_type = "NONE"
                decoded = Decoded(self._container, context.name, bit_depth(context.name, context.extradata))
                before = True
                for at, packet in enumerate(opened.demux(stream)):
                    now = wanted is None or (at < len(wanted) and bool(wanted[at]))
                    if now and not before:
                        context.flush_buffers()
                    before = now
                    yield (_frames(packet, decoded) if now else []), decoded, min(1.0, file.tell() / self._size)
                    if decoded.n_errors > ERRORS_CAP:
                        return
        except (av.error.FFmpegError, OSError, ValueError) as error:
            if isinstance(error, ClipError):
                raise
            said = getattr(error, "strerror", None) or str(error) or type(error).__name__
            raise ClipError(f"{self.path}: cannot be read ({said}).", remedy="export it again") from None

    def _mono(self, decoded: Decoded, *, look: bool = True) -> tuple[Floats, int, list[Segment]]:
        """Average the channels of what is held; look for clipping on each before that."""
        self.sample_rate = decoded.sample_rate
        mono = np.zeros(decoded.n_samples, np.float32)
        clipped: list[Segment] = []
        for channel in decoded.channels():
            channel[~np.isfinite(channel)] = 0
            if look:
                clipped += clipped_segments(
                    channel, decoded.sample_rate, step=2.0 ** (1 - min(decoded.bit_depth or 16, 16))
                )
            mono += channel * np.float32(1 / decoded.n_channels)
        return mono, decoded.sample_rate, list(merged(clipped))


def _frames(packet: Any, decoded: Decoded) -> list[npt.NDArray[Any]]:
    try:
        blocks = [block_of(frame, decoded) for frame in packet.decode()]
    except av.error.FFmpegError:
        decoded.n_errors += 1
        return []
    return [block for block in blocks if block is not None]
