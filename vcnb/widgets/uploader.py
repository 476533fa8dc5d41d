"""How recordings come from the reader's own disk into the kernel, wherever that runs."""

from __future__ import annotations

import os
import threading
import uuid
from pathlib import Path
from typing import Any

import numpy as np
import traitlets

from vcnb.audio.clip import Clip
from vcnb.audio.decode import SECONDS_CAP
from vcnb.audio.header import Header, header
from vcnb.audio.load import read_clip
from vcnb.catalog import BYTES_PER_FILE, SECONDS_LIMIT
from vcnb.errors import ClipError
from vcnb.workflow.uploading import Arrived

from .arriving import Arriving
from .base import held, joined
from .player import Player

__all__ = ["Uploader"]

COLUMNS = 96  # of a row's small picture


class Uploader(Arriving):
    """Bring recordings in: dropped, pasted or chosen in the browser, up to 500 MB each.

    Parameters
    ----------
    **options
        Traits of the widget, such as ``layout``.

    Attributes
    ----------
    chosen : str or None
        Which of the files counts; changes when a file arrives and when the reader chooses another. Can be observed.

    Raises
    ------
    SettingsError
        On an option that does not exist.

    Notes
    -----
    Files travel in pieces straight to ``uploads`` in the library's folder, where each lies until it is removed in
    the panel. What the service could take is decoded at once; what is longer or larger stays on the disk and is
    decoded when `clip` is asked for. While a cell runs, most kernels let an upload wait.

    Examples
    --------
    >>> vcnb.Uploader()
    <Uploader>
    """

    _esm = joined("wave", "drop", "uploader")
    _css = joined("drop", "uploader", kind="css")
    _parts = ("drop", "uploader")
    files = traitlets.List().tag(sync=True)
    chosen = traitlets.Unicode(None, allow_none=True).tag(sync=True)
    player = held()
    heard = traitlets.Unicode(None, allow_none=True).tag(sync=True)  # whose player that is

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._rows_lock = threading.RLock()
        self._paths: dict[str, tuple[Path, bool]] = {}  # whether it is ours to delete
        self._clips: dict[str, Clip] = {}
        self._removed: tuple[int, dict[str, Any]] | None = None

    @property
    def clip(self) -> Clip | None:
        """The chosen file as a clip; None where none is chosen, or it is longer than ten minutes (see `path`)."""
        return self._clip_of(self.chosen) if self.chosen is not None else None

    @property
    def clips(self) -> list[Clip]:
        """All files that are at most ten minutes long, as clips, in the order of the panel."""
        found = (self._clip_of(row["key"]) for row in self.files if not row["removed"])
        return [clip for clip in found if clip is not None]

    @property
    def path(self) -> Path | None:
        """Where the chosen file lies, for `vcnb.best_window`; None where none is chosen."""
        return self._paths[self.chosen][0] if self.chosen is not None else None

    def load(self, path: str | os.PathLike[str]) -> None:
        """Do without a browser what the browser would; the file stays where it is.

        Parameters
        ----------
        path : path
            A file of the kernel's own machine.

        Raises
        ------
        ClipError
            If it is missing or no sound.
        """
        found = Path(os.path.expanduser(os.fsdecode(path)))
        if not found.is_file():
            raise ClipError(f"{found}: there is no such file.", remedy="check the path, or the working directory")
        self._keep(found, found.name, uuid.uuid4().hex, ours=False)

    def __repr__(self) -> str:
        chosen = next((row for row in self.files if row["key"] == self.chosen), None)
        return f"<Uploader of {chosen['name']!r}>" if chosen else "<Uploader>"

    def arrived(self, file: Arrived, key: str, *, decoded: bool) -> None:
        """Show a file and choose it; decode it where it is small."""
        self._keep(file.path, file.name, key, ours=True, decoded=decoded)

    def receive_choose(self, message: dict[str, Any], _buffers: list[Any]) -> None:
        """Let another file count."""
        if message["key"] in self._paths:
            self.chosen = message["key"]

    def receive_hear(self, message: dict[str, Any], _buffers: list[Any]) -> None:
        """Make a player of a file; decoding may take a while."""
        self.work("read", lambda _progress, _stopping: self._hear(message["key"]))

    def receive_remove(self, message: dict[str, Any], _buffers: list[Any]) -> None:
        """Take a file off the list; what was removed before it is deleted now."""
        with self._rows_lock:
            self._purge()
            self._change(message["key"], removed=True)
            if self.chosen == message["key"]:
                kept = [row["key"] for row in self.files if not row["removed"]]
                self.chosen = kept[-1] if kept else None
            if self.heard == message["key"]:
                self.player = self.heard = None

    def receive_undo(self, message: dict[str, Any], _buffers: list[Any]) -> None:
        """Put it back."""
        with self._rows_lock:
            self._change(message["key"], removed=False)
            self.chosen = self.chosen or message["key"]

    def _keep(self, path: Path, name: str, key: str, *, ours: bool, decoded: bool = False) -> None:
        said = header(path)
        size = path.stat().st_size
        # Held in memory at once only where the service would take it: the rest is to be cut first.
        small = size < BYTES_PER_FILE and (said.duration is not None and said.duration <= SECONDS_LIMIT)
        clip = _read(path, name) if small or said.duration is None else None
        with self._rows_lock:
            self._paths[key] = (path, ours)
            if clip is not None:
                self._clips[key] = clip
            self.files = [*self.files, _row(key, name, size, said, clip, decoded=decoded)]
            self.chosen = key

    def _clip_of(self, key: str) -> Clip | None:
        row = next(row for row in self.files if row["key"] == key)
        if key not in self._clips and not row["long"]:
            self._clips[key] = _read(self._paths[key][0], row["name"])
        return self._clips.get(key)

    def _hear(self, key: str) -> None:
        clip = self._clip_of(key)
        if clip is not None:
            self.heard = None
            self.player = Player(clip)
            self.heard = key

    def _change(self, key: str, **changed: Any) -> None:
        self.files = [row | changed if row["key"] == key else row for row in self.files]

    def _purge(self) -> None:
        for row in [row for row in self.files if row["removed"]]:
            path, ours = self._paths.pop(row["key"])
            self._clips.pop(row["key"], None)
            if ours:
                path.unlink(missing_ok=True)
        self.files = [row for row in self.files if not row["removed"]]


def _read(path: Path, name: str) -> Clip:
    # By its own name, not by the digest that it lies under: its ending is judged too.
    return read_clip(path.read_bytes(), name=name)


def _row(key: str, name: str, size: int, said: Header, clip: Clip | None, *, decoded: bool) -> dict[str, Any]:
    duration = clip.duration if clip else said.duration
    return {
        "key": key,
        "name": name,
        "size": size,
        "duration": duration,
        "rate": said.sample_rate,
        "channels": said.n_channels,
        "long": duration is None or duration > SECONDS_CAP,
        "peaks": _peaks(clip) if clip else [],
        "decoded": decoded,
        "removed": False,
    }


def _peaks(clip: Clip) -> list[int]:
    """Give the loudest of each column in hundredths of the loudest of all: a picture that a trait can hold."""
    parts = [np.abs(part).max(initial=0) for part in np.array_split(clip.samples, COLUMNS)]
    loudest = max(*parts, 1e-4)
    return [round(100 * float(part / loudest)) for part in parts]
