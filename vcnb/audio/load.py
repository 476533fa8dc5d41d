"""How a recording comes in: from a path, from bytes, from a file object or from numbers."""

from __future__ import annotations

import hashlib
import os
from itertools import islice
from pathlib import Path, PurePath
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from vcnb.errors import ClipError

from .clip import LOUDEST, Clip, Segment, Source

__all__ = ["load", "read_clip"]

BYTES_LIMIT = 400 * 2**20  # ours: ten minutes in any format that is worth sending are less

RATE_LIMIT = 768_000  # Hz; the highest that converters have
LOST = 0.3  # of the power of the loudest channel; two that sound alike keep all of it, two strangers a half; ours

Loadable = str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO | tuple[Any, int] | Clip


def load(source: Loadable, *, name: str | None = None) -> Clip:
    """Read a recording.

    Parameters
    ----------
    source : path, bytes, file object, or (samples, sample_rate)
        What to read. Samples are [shape=(n,)], or of two dimensions, the shorter of which are the channels; floating
        point at full scale 1, or integers at their type's full scale. A Clip is given back as it is.
    name : str or None
        What to call it; the file's name where there is one.

    Returns
    -------
    Clip
        Mono. `source` keeps the bytes and what they say of themselves; it is None for samples.

    Raises
    ------
    ClipError
        If it is missing, empty, no sound, damaged beyond reading, or longer than ten minutes.
    """
    if isinstance(source, Clip):
        return source
    if isinstance(source, tuple):
        return _from_samples(source, name or "")
    if isinstance(source, (bytes, bytearray, memoryview)):
        return read_clip(bytes(source), name=name or "")
    if isinstance(source, str) and source.startswith(("http://", "https://")):
        raise ClipError(
            f"{source}: an address is no file.", remedy="download it first, or give the address to account.enroll"
        )
    if isinstance(source, (str, os.PathLike)):
        path = Path(os.path.expanduser(os.fsdecode(source)))
        return read_clip(_bytes_of(path), path=str(path), name=name or path.name)
    if not hasattr(source, "read"):
        raise ClipError(
            f"A {type(source).__name__} is no recording.",
            remedy="give a path, bytes, a file object or (samples, sample_rate)",
        )
    try:
        data = source.read(BYTES_LIMIT + 1)
    except (OSError, ValueError) as error:  # the second where it is closed
        raise ClipError(f"The file object cannot be read ({error}).", remedy='open it with mode "rb"') from None
    if not isinstance(data, (bytes, bytearray, memoryview)):
        raise ClipError("The file object gives no bytes.", remedy='open it with mode "rb"')
    given = getattr(source, "name", "")
    known = given if isinstance(given, str) else ""
    return read_clip(bytes(data), path=known or None, name=name or PurePath(known).name)


def read_clip(data: bytes, *, path: str | None = None, url: str | None = None, name: str = "") -> Clip:
    """Decode a recording and keep what it was.

    Parameters
    ----------
    data : bytes
        The whole file.
    path, url : str or None
        Where it came from; their ending is kept to be compared with the content.
    name : str
        What to call it.

    Returns
    -------
    Clip
        Mono, with its `source`.

    Raises
    ------
    ClipError
        As `load`.
    """
    called = name or path or url or "the recording"
    if len(data) > BYTES_LIMIT:
        raise ClipError(f"{called}: more than {BYTES_LIMIT // 2**20} MB.", remedy="cut out its best 10 to 20 seconds")
    from .decode import decode

    try:
        decoded = decode(data)
    except ClipError as error:
        raise ClipError(f"{called}: {error.message}", remedy=error.remedy) from None
    duration = decoded.n_samples / decoded.sample_rate
    samples, clipped, n_nonfinite = _downmix(decoded)
    is_float = decoded.codec.startswith("pcm_f")
    source = Source(
        data=data,
        sha256=hashlib.sha256(data).hexdigest(),
        container=decoded.container,
        codec=decoded.codec,
        bit_depth=decoded.bit_depth,
        is_float=is_float,
        n_channels=decoded.n_channels,
        sample_rate=decoded.sample_rate,
        declared_duration=decoded.declared_duration,
        decoded_duration=duration,
        path=path,
        url=url,
        suffix=_suffix(path or url or name),
        n_errors=decoded.n_errors,
        truncated=decoded.truncated,
        n_nonfinite=n_nonfinite,
        clipped=clipped,
    )
    return Clip(samples, decoded.sample_rate, name=name or PurePath(path or "").name, source=source)


def _downmix(decoded: Any) -> tuple[npt.NDArray[np.float32], tuple[Segment, ...], int]:
    """Average the channels, or take the loudest where the others are dead or cancel it; look for clipping on each."""
    from .clipping import clipped_segments, merged

    step = 2.0 ** (1 - min(decoded.bit_depth or 16, 16))
    mono = np.zeros(decoded.n_samples, np.float32)
    clipped: list[Segment] = []
    powers: list[float] = []
    n_nonfinite = 0
    for channel in decoded.channels():
        finite = np.abs(channel) <= LOUDEST
        if not finite.all():
            n_nonfinite += int(len(channel) - np.count_nonzero(finite))
            channel[~finite] = 0
        clipped += clipped_segments(channel, decoded.sample_rate, step=step)
        powers.append(float(np.square(channel).mean()) if len(channel) else 0.0)
        mono += channel * np.float32(1 / decoded.n_channels)
    if len(mono) and np.square(mono).mean() < LOST * max(powers):
        mono = next(islice(decoded.channels(), int(np.argmax(powers)), None))
        mono[~(np.abs(mono) <= LOUDEST)] = 0
    mono.flags.writeable = False
    return mono, merged(clipped), n_nonfinite


def _suffix(name: str) -> str:
    return PurePath(name.split("?", 1)[0].split("#", 1)[0] if "://" in name else name).suffix.lower()


def _bytes_of(path: Path) -> bytes:
    try:
        if not path.exists():
            raise ClipError(f"{path}: there is no such file.", remedy="check the path, or the working directory")
        if not path.is_file():
            raise ClipError(f"{path}: this is no file.", remedy="give the path of one recording")
        if path.stat().st_size > BYTES_LIMIT:
            raise ClipError(f"{path}: more than {BYTES_LIMIT // 2**20} MB.", remedy="cut out its best 10 to 20 seconds")
        return path.read_bytes()
    except (OSError, ValueError) as error:
        if isinstance(error, ClipError):
            raise
        reason = getattr(error, "strerror", None) or str(error)
        raise ClipError(f"{path}: cannot be read ({reason}).", remedy="check the path and its permissions") from None


def _from_samples(given: tuple[Any, ...], name: str) -> Clip:
    if len(given) != 2:
        raise ClipError(f"A pair (samples, sample_rate) has 2 parts, not {len(given)}.", remedy="give both, in order")
    try:
        samples, sample_rate = np.asarray(given[0]), int(given[1])
    except (TypeError, ValueError, OverflowError) as error:
        raise ClipError(f"No samples and rate: {error}.", remedy="give an array and a rate in Hz") from None
    if not 0 < sample_rate <= RATE_LIMIT:
        raise ClipError(f"A sample rate of {sample_rate} Hz is impossible.", remedy="give it in Hz, for example 48000")
    if samples.dtype.kind not in "fiu":
        raise ClipError(f"Samples of type {samples.dtype} are no sound.", remedy="give floats or integers")
    if samples.ndim not in (1, 2) or not samples.size:
        raise ClipError(f"Samples of shape {samples.shape} are no sound.", remedy="give one row a channel")
    if samples.dtype.kind in "iu":
        limits = np.iinfo(samples.dtype)
        middle = (limits.max + limits.min + 1) / 2  # of unsigned samples, silence; 0 of the others
        samples = (samples.astype(np.float64) - middle) / (limits.max + 1 - middle)
    if samples.ndim == 2:
        samples = samples.mean(axis=int(np.argmin(samples.shape)), dtype=np.float64)
    with np.errstate(over="ignore"):  # what no float32 can hold is infinite then, and Clip says so
        return Clip(samples.astype(np.float32), sample_rate, name=name)
