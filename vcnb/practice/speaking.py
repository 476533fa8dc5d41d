"""How an engine, which blocks, speaks beside an event loop: in threads, one piece at a time."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import aclosing
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import soxr

from vcnb.catalog import SPEECH_SAMPLE_RATE
from vcnb.protocol.synthesis import streaming_wav_header

from .engines.engine import Engine, EngineError, Reference
from .rules import Refusal
from .state import State

__all__ = ["Speaker", "chunks", "unspoken"]

_Piece = npt.NDArray[np.int16]
_Result = TypeVar("_Result")
_N_THREADS = 8  # ours: as many people speak at once; the next one waits
_CHUNK_BYTES = 96_000  # ours: 128,000 characters of base64; both streams are limited to 256 KiB a message or more


class Speaker:
    """An engine in its threads.

    Parameters
    ----------
    engine : Engine
        What speaks.
    state : State
        Where voices and their profiles are.
    """

    def __init__(self, engine: Engine, state: State) -> None:
        self._engine = engine
        self._state = state
        self._threads = ThreadPoolExecutor(_N_THREADS, thread_name_prefix="vcnb-practice")

    @property
    def version(self) -> str:
        """Name and version of the engine."""
        return self._engine.version

    @property
    def pause(self) -> float:
        """Seconds of silence that belong between two sentences that follow each other."""
        return float(getattr(self._engine, "pause", 0.0))

    def warm(self) -> None:
        """Have the engine say a word to nobody, in a thread: what it has to load is there for the first sentence."""
        self._threads.submit(self._say_hello)

    async def profile(self, reference: Reference) -> bytes:
        """Measure a voice.

        Raises
        ------
        UnusableReferenceError
            If there is no voiced speech in the reference.
        """
        measured = self._threads.submit(_guarded, lambda: self._engine.profile(reference))
        return await asyncio.wrap_future(measured)

    async def pieces(self, text: str, *, language: str, voice: str) -> AsyncIterator[_Piece]:
        """Speak; whoever stops listening stops the engine, too.

        Parameters
        ----------
        text : str
            What to say.
        language : str
            Two-letter code or "auto".
        voice : str
            A voice of the account.

        Yields
        ------
        np.ndarray [shape=(n,)]
            Pieces of 24 kHz mono 16-bit sound as they are made.

        Raises
        ------
        EngineError
            If it cannot speak this, or the voice is gone meanwhile.
        """
        begun: Future[Iterator[_Piece]] = self._threads.submit(_guarded, lambda: self._begin(text, language, voice))
        iterator = await asyncio.wrap_future(begun)
        running: Future[_Piece | None] = Future()
        running.set_result(None)
        try:
            while True:
                running = self._threads.submit(_guarded, lambda: next(iterator, None))
                piece = await asyncio.wrap_future(running)
                if piece is None:
                    return
                yield piece
        finally:
            # A generator cannot be closed while a thread is inside it; it is closed when that thread comes out.
            running.add_done_callback(lambda _: _close(iterator))

    def close(self) -> None:
        """Give back threads and engine."""
        self._threads.shutdown(wait=True, cancel_futures=True)
        self._engine.close()

    def _say_hello(self) -> None:
        from vcnb.audio.load import read_clip
        from vcnb.audio.samples import samples

        clip = read_clip(samples()["kathleen_en"].read_bytes())
        profile = self._engine.profile(Reference(clip.samples, clip.sample_rate))
        for _ in self._engine.speak("Hello.", language="en", profile=profile):
            return

    def _begin(self, text: str, language: str, voice: str) -> Iterator[_Piece]:
        profile = self._state.profile(voice, self.version)
        if profile is None:
            reference = self._state.reference(voice)
            if reference is None:
                raise EngineError(f"Voice {voice!r} is gone.")
            profile = self._engine.profile(reference)
            self._state.keep_profile(voice, self.version, profile)
        return iter(self._engine.speak(text, language=language, profile=profile))


async def chunks(
    pieces: AsyncIterator[_Piece],
    *,
    sample_rate: int = SPEECH_SAMPLE_RATE,
    header: bool = False,
    odd: bool = False,
) -> AsyncIterator[bytes]:
    """Turn pieces of sound into what a stream carries.

    Parameters
    ----------
    pieces : async iterator of np.ndarray
        24 kHz mono 16-bit sound.
    sample_rate : int
        Of the stream (Hz).
    header : bool
        Whether a RIFF header whose lengths say nothing comes first.
    odd : bool
        Whether every chunk but the last has an odd number of bytes.

    Yields
    ------
    bytes
        At most 96,000 each, none of them empty.
    """
    same = sample_rate == SPEECH_SAMPLE_RATE
    resampler = None if same else soxr.ResampleStream(SPEECH_SAMPLE_RATE, sample_rate, 1, dtype="int16")
    kept = streaming_wav_header(sample_rate) if header else b""
    # The hosted service sends the header with the first sound, not alone.
    wait_for_sound = header
    async with aclosing(_with_end(pieces)) as source:  # type: ignore[type-var]
        async for piece, last in source:
            if resampler is not None:
                piece = resampler.resample_chunk(piece, last=last)
            kept += piece.astype("<i2", copy=False).tobytes()
            if wait_for_sound and len(piece) == 0 and not last:
                continue
            wait_for_sound = False
            n_bytes = len(kept) if last else _even_or_odd(len(kept), odd)
            step = _CHUNK_BYTES - odd
            for start in range(0, n_bytes, step):
                yield kept[start : min(start + step, n_bytes)]
            kept = kept[n_bytes:]


def unspoken(error: EngineError) -> Refusal:
    """Answer for what an engine did not speak: where somebody can do something about it, the request is at fault.

    Parameters
    ----------
    error : EngineError
        Its message is the answer's.

    Returns
    -------
    Refusal
        400 where the error knows a remedy, else 500.
    """
    if error.remedy:
        return Refusal(400, "InvalidParameter", error.message)
    return Refusal(500, "InternalError.Algo", error.message)


async def _with_end(pieces: AsyncIterator[_Piece]) -> AsyncIterator[tuple[_Piece, bool]]:
    """Follow the last piece with an empty one that says so: what a resampler holds back comes out with it."""
    async with aclosing(pieces) as source:  # type: ignore[type-var]
        async for piece in source:
            yield piece, False
    yield np.zeros(0, dtype=np.int16), True


def _even_or_odd(n_bytes: int, odd: bool) -> int:
    return max(0, n_bytes - 1 if (n_bytes % 2 == 0) == odd else n_bytes)


def _guarded(work: Callable[[], _Result]) -> _Result:
    try:
        return work()
    except (EngineError, sqlite3.Error):
        raise
    except Exception as error:  # the last line of a thread: whatever broke an engine is an answer, not silence
        raise EngineError(f"The engine failed: {type(error).__name__}: {error}") from error


def _close(iterator: Iterator[_Piece]) -> None:
    close = getattr(iterator, "close", None)
    if close is not None:
        close()
