"""How takes come in from a browser and stay: piece by piece, then whole, then on the disk."""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from vcnb.audio.clip import Segment
from vcnb.audio.encode import wav_bytes
from vcnb.audio.load import read_clip
from vcnb.audio.recording import Recording
from vcnb.errors import ClipError
from vcnb.library.sounds import RECORDINGS

__all__ = ["Incoming", "browser_key", "count_kept", "discard_take", "keep_take", "kept_takes"]

KEY_FILE = "recorder.key"
KEY_BYTES = 32  # AES-256
TAKE_ID = re.compile(r"[0-9A-Za-z-]{8,64}")  # it becomes the name of a file
RATES = (3_000, 768_000)  # Hz; what the Web Audio standard lets a browser use, with room
ABANDONED = 10.0  # seconds without a piece, in a take that no browser holds any more


@dataclass
class _Arriving:
    facts: dict[str, Any] = field(default_factory=dict)
    pieces: dict[int, bytes] = field(default_factory=dict)
    n_pieces: int | None = None  # known when the end has come
    touched: float = field(default_factory=time.monotonic)


class Incoming:
    """Takes under way: their pieces may come twice, late or out of order, and each take comes out whole and once.

    Its methods may be called from several threads.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._takes: dict[str, _Arriving] = {}
        self._done: set[str] = set()

    def piece(self, take: str, seq: int, pcm: bytes, facts: Mapping[str, Any] | None = None) -> None:
        """Take a piece.

        Parameters
        ----------
        take : str
            Id of its take.
        seq : int
            Its number, from 0.
        pcm : bytes
            Little-endian 16-bit mono samples.
        facts : mapping or None
            About the take; they come with its first piece.

        Raises
        ------
        ClipError
            If the id, the number or the piece cannot be.
        """
        if not TAKE_ID.fullmatch(take) or seq < 0 or len(pcm) % 2:
            raise ClipError(f"Piece {seq} of take {take!r} is none of ours.", remedy="reload the page")
        with self._lock:
            if take not in self._done:
                arriving = self._takes.setdefault(take, _Arriving())
                arriving.pieces[seq] = pcm
                arriving.facts.update(facts or {})
                arriving.touched = time.monotonic()

    def end(self, take: str, facts: Mapping[str, Any]) -> None:
        """Take the end of a take.

        Parameters
        ----------
        take : str
            Its id.
        facts : mapping
            All that is known, with ``n_pieces``.
        """
        with self._lock:
            if take not in self._done and TAKE_ID.fullmatch(take):
                arriving = self._takes.setdefault(take, _Arriving())
                arriving.facts.update(facts)
                arriving.n_pieces = int(facts["n_pieces"])

    def missing(self, take: str, n_pieces: int) -> list[int] | None:
        """Say which pieces have not come.

        Parameters
        ----------
        take : str
            Its id.
        n_pieces : int
            How many the browser has by now.

        Returns
        -------
        list of int or None
            None for a take that came out already.
        """
        with self._lock:
            if take in self._done:
                return None
            known = self._takes[take].pieces if take in self._takes else {}
            return [seq for seq in range(n_pieces) if seq not in known]

    def whole(self, take: str) -> tuple[bytes, dict[str, Any]] | None:
        """Give a take out when all of it is here.

        Parameters
        ----------
        take : str
            Its id.

        Returns
        -------
        (bytes, dict) or None
            Its samples and facts; None while something is missing, and after it was given out.
        """
        with self._lock:
            arriving = self._takes.get(take)
            if arriving is None or arriving.n_pieces is None or len(arriving.pieces) < arriving.n_pieces:
                return None
            return self._taken_out(take)

    def abandoned(self, held: Iterable[str]) -> list[tuple[str, bytes, dict[str, Any]]]:
        """Give out, as far as they came, takes that no browser holds any more.

        Parameters
        ----------
        held : iterable of str
            Ids of the takes that the browser still holds.

        Returns
        -------
        list of (str, bytes, dict)
            Id, samples and facts.
        """
        now = time.monotonic()
        with self._lock:
            gone = [
                take
                for take, arriving in self._takes.items()
                if take not in set(held) and now - arriving.touched > ABANDONED and 0 in arriving.pieces
            ]
            return [(take, *self._taken_out(take)) for take in gone]

    def _taken_out(self, take: str) -> tuple[bytes, dict[str, Any]]:
        arriving = self._takes.pop(take)
        self._done.add(take)
        n_joined = next(seq for seq in range(len(arriving.pieces) + 1) if seq not in arriving.pieces)
        facts = {"ended": "interrupted"} | arriving.facts
        return b"".join(arriving.pieces[seq] for seq in range(n_joined)), facts


def keep_take(take: str, pcm: bytes, facts: Mapping[str, Any], data: Path, *, name: str = "") -> Recording:
    """Write a take to the library's folder, whole or not at all.

    Parameters
    ----------
    take : str
        Its id; a take that is there already is not written again.
    pcm : bytes
        Little-endian 16-bit mono samples.
    facts : mapping
        As the browser tells them: ``rate`` and the fields of `Recording`.
    data : Path
        Folder of the library.
    name : str
        What to call it.

    Returns
    -------
    Recording
        Its source is the file.

    Raises
    ------
    ClipError
        If the take cannot be, or cannot be written.
    """
    rate = int(facts["rate"])
    if not TAKE_ID.fullmatch(take) or not RATES[0] <= rate <= RATES[1]:
        raise ClipError(f"Take {take!r} at {rate} Hz is none of ours.", remedy="reload the page and record again")
    wav = wav_bytes(np.frombuffer(pcm, "<i2").astype(np.float32) / np.float32(32768), rate)
    path = data / RECORDINGS / f"{take}.wav"
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not path.exists() or path.stat().st_size < len(wav):
            _write(path, wav)
        _write(path.with_suffix(".json"), json.dumps(dict(facts) | {"name": name}).encode())
    except OSError as error:
        reason = error.strerror or error
        raise ClipError(
            f"{path.parent}: the take cannot be written ({reason}).",
            remedy="make room or name another folder with VCNB_DATA; the browser keeps the take for a day",
        ) from None
    return _recording(path, wav, dict(facts), name)


def count_kept(data: Path) -> int:
    """Count the takes that an earlier kernel kept, without reading them."""
    return len(list((data / RECORDINGS).glob("*.wav")))


def kept_takes(data: Path) -> list[Recording]:
    """Read the takes that an earlier kernel kept.

    Parameters
    ----------
    data : Path
        Folder of the library.

    Returns
    -------
    list of Recording
        Oldest first. What cannot be read is left out; it stays on the disk.
    """
    found = []
    for path in sorted((data / RECORDINGS).glob("*.wav")):
        with contextlib.suppress(OSError, ValueError):
            beside = path.with_suffix(".json")
            facts = json.loads(beside.read_text(encoding="utf-8")) if beside.exists() else {}
            found.append(_recording(path, path.read_bytes(), facts, str(facts.get("name", ""))))
    return found


def discard_take(take: str, data: Path) -> None:
    """Delete a take from the disk, for good.

    Parameters
    ----------
    take : str
        Its id.
    data : Path
        Folder of the library.
    """
    if TAKE_ID.fullmatch(take):
        for suffix in (".wav", ".json"):
            (data / RECORDINGS / f"{take}{suffix}").unlink(missing_ok=True)


def browser_key(data: Path) -> bytes:
    """Give the key under which browsers keep what has not arrived yet; made once for a library.

    Parameters
    ----------
    data : Path
        Folder of the library.

    Returns
    -------
    bytes
        Of a file that only its owner reads. It belongs into no trait and no output.
    """
    path = data / KEY_FILE
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not path.exists():
        beside = path.with_name(f".{KEY_FILE}.{os.getpid()}.{secrets.token_hex(4)}")
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(secrets.token_bytes(KEY_BYTES))
        # A link fails where another kernel was first: both then read the one that stands. Some disks know no links.
        try:
            os.link(beside, path)
        except OSError:
            if not path.exists():
                beside.replace(path)
        beside.unlink(missing_ok=True)
    return path.read_bytes()


def _write(path: Path, content: bytes) -> None:
    beside = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    try:
        with beside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def _recording(path: Path, wav: bytes, facts: dict[str, Any], name: str) -> Recording:
    clip = read_clip(wav, path=str(path), name=name or path.stem)
    slips = [Segment(float(slip["start"]), float(slip["end"])) for slip in facts.get("slips", ())]
    return Recording(
        clip.samples,
        clip.sample_rate,
        name=name or path.stem,
        source=clip.source,
        take=path.stem,
        microphone=str(facts.get("microphone", "")),
        settings=dict(facts.get("settings", {})),
        recorded_at=str(facts.get("recorded_at", "")),
        language=facts.get("language") or None,
        script=str(facts.get("script", "")),
        slips=tuple(slips),
        ended=str(facts.get("ended", "stopped")),
    )
