"""How the answers of a listening test outlive the kernel: one file a test, one line an answer."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from vcnb.compare.listening import Listening
from vcnb.errors import LibraryError
from vcnb.settings import data_folder

__all__ = ["keep_answers"]

FOLDER = "listening"


def keep_answers(listening: Listening, *, data: str | os.PathLike[str] | None = None) -> Path:
    """Go on from the answers that were kept of this test, and keep each new one before it counts.

    Parameters
    ----------
    listening : Listening
        The test. What it was answered before beyond the kept ones is kept too.
    data : path or None
        The data folder; else ``VCNB_DATA``, else the platform's.

    Returns
    -------
    pathlib.Path
        Where they lie; the file bears `Listening.key`, and neither names nor sounds.

    Raises
    ------
    LibraryError
        If the place cannot be read or written; later also by `Listening.answer`, which then does not count.
    """
    path = data_folder(data) / FOLDER / f"{listening.key}.jsonl"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        kept = _read(path)
    except OSError as error:
        raise _not_kept(path, error) from None
    for answer in listening.answers[len(kept) :]:
        _append(path, len(kept), answer)
        kept.append(answer)
    listening.keep(kept, lambda answer: _append(path, len(listening.answers), answer))
    return path


def _read(path: Path) -> list[Any]:
    """Read the answers in order: a line that a crash cut off counts as never given, of two for one trial the first."""
    answers: list[Any] = []
    for line in path.read_bytes().splitlines() if path.exists() else []:
        try:
            found = json.loads(line)
        except ValueError:
            continue
        if isinstance(found, dict) and found.get("trial") == len(answers) and "answer" in found:
            answers.append(found["answer"])
    return answers


def _append(path: Path, trial: int, answer: Any) -> None:
    try:
        with path.open("a+b", buffering=0) as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - 1))
            torn = size > 0 and file.read(1) != b"\n"
            line = json.dumps({"trial": trial, "answer": answer}) + "\n"
            file.write((b"\n" if torn else b"") + line.encode())
            os.fsync(file.fileno())
    except OSError as error:
        raise _not_kept(path, error) from None


def _not_kept(path: Path, error: OSError) -> LibraryError:
    return LibraryError(f"{path}: the answers cannot be kept ({error.strerror or error}).", remedy="check the folder")
