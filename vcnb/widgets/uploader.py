"""How recordings come from the reader's own disk into the kernel, wherever that runs."""

from __future__ import annotations

import os
import threading
import uuid
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import traitlets

from vcnb.audio.clip import Clip
from vcnb.audio.decode import SECONDS_CAP
from vcnb.audio.header import Header, header
from vcnb.audio.load import Loadable, load, read_clip
from vcnb.catalog import BYTES_PER_FILE, SECONDS_LIMIT
from vcnb.errors import ClipError
from vcnb.workflow.uploading import Arrived, plain_name

from .arriving import Arriving
from .base import Progress, held, joined
from .player import Player

if TYPE_CHECKING:
    from vcnb.repair.windows import Windows

__all__ = ["Uploader"]

COLUMNS = 96  # of a row's small picture
MOMENTS = 240  # of the level of a long recording; more are not told apart
BYTES_PER_MINUTE = 60_000  # of the thriftiest coding of speech; less cannot be too long
QUIET_DB = -70.0  # the foot of that picture


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

    _esm = joined("wave", "wav", "drop", "uploader-parts", "uploader")
    _css = joined("drop", "uploader", kind="css")
    _parts = ("drop", "uploader")
    files = traitlets.List().tag(sync=True)
    chosen = traitlets.Unicode(None, allow_none=True).tag(sync=True)
    player = held()
    heard = traitlets.Unicode(None, allow_none=True).tag(sync=True)  # whose player that is
    parts = traitlets.Dict(default_value=None, allow_none=True).tag(sync=True)  # the best of a long recording

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._rows_lock = threading.RLock()
        self._paths: dict[str, tuple[Path, bool]] = {}  # whether it is ours to delete
        self._clips: dict[str, Clip] = {}
        self._windows: Windows | None = None

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
        """Where the chosen file lies, for `vcnb.best_window`; None for a part of one, and where none is chosen."""
        return self._paths[self.chosen][0] if self.chosen in self._paths else None

    @property
    def windows(self) -> Windows | None:
        """The best parts that were found last, as `vcnb.best_window` gives them; None before."""
        return self._windows

    def load(self, source: Loadable) -> Clip | None:
        """Do without a browser what the browser would; a file stays where it is.

        Parameters
        ----------
        source : path, bytes, file object, (samples, sample_rate), or Clip
            As `vcnb.load` takes it; a path is one of the kernel's own machine.

        Returns
        -------
        Clip or None
            As `clip`: None for a file that is longer than ten minutes.

        Raises
        ------
        ClipError
            If it is missing or no sound.
        """
        if isinstance(source, str | os.PathLike):
            found = Path(os.path.expanduser(os.fsdecode(source)))
            if not found.is_file():
                raise ClipError(f"{found}: there is no such file.", remedy="check the path, or the working directory")
            self._keep(found, found.name, uuid.uuid4().hex, ours=False)
        else:
            self._hold(load(source), uuid.uuid4().hex)
        return self.clip

    def close(self) -> None:
        """Close the panel; what was removed can no longer be put back, and is deleted."""
        with self._rows_lock:
            self._purge()
        super().close()

    def __repr__(self) -> str:
        chosen = next((row for row in self.files if row["key"] == self.chosen), None)
        return f"<Uploader of {chosen['name']!r}>" if chosen else "<Uploader>"

    def _arrived(self, file: Arrived, key: str, *, decoded: bool) -> None:
        """Show a file and choose it; decode it where it is small."""
        self._keep(file.path, file.name, key, ours=True, decoded=decoded)

    def _receive_choose(self, message: dict[str, Any], _buffers: list[Any]) -> None:
        """Let another file count."""
        if any(row["key"] == message["key"] and not row["removed"] for row in self.files):
            self.chosen = message["key"]

    def _receive_hear(self, message: dict[str, Any], _buffers: list[Any]) -> None:
        """Make a player of a file, or of a part; decoding may take a while."""
        key = str(message["key"])
        if key in self._clips or key.startswith("part:"):
            self._hear(key)
        else:
            self.work("read", lambda _progress, _stopping: self._hear(key))

    def _receive_find(self, message: dict[str, Any], _buffers: list[Any]) -> None:
        """Search a long recording for its best parts."""
        key = str(message["key"])
        self.work("find", lambda progress, stopping: self._find(key, progress, stopping))

    def _receive_use(self, message: dict[str, Any], _buffers: list[Any]) -> None:
        """Take a part as a recording of its own."""
        if self._windows is None or self.parts is None:
            return
        key = f"{self.parts['key']}:{int(message['part'])}"
        with self._rows_lock:
            if all(row["key"] != key for row in self.files):
                window = self._windows[int(message["part"])]
                name = f"{Path(self.parts['name']).stem} {window.start:.0f}-{window.end:.0f} s"
                self._hold(replace(window.clip, name=name), key)
            self._change(key, removed=False)
            self.chosen = key

    def _receive_remove(self, message: dict[str, Any], _buffers: list[Any]) -> None:
        """Take a file off the list; what was removed before it is deleted now."""
        with self._rows_lock:
            self._purge()
            self._change(message["key"], removed=True)
            if self.chosen == message["key"]:
                kept = [row["key"] for row in self.files if not row["removed"]]
                self.chosen = kept[-1] if kept else None
            if self.heard == message["key"]:
                self.player = self.heard = None

    def _receive_undo(self, message: dict[str, Any], _buffers: list[Any]) -> None:
        """Put it back."""
        with self._rows_lock:
            self._change(message["key"], removed=False)
            self.chosen = self.chosen or message["key"]

    def _keep(self, path: Path, name: str, key: str, *, ours: bool, decoded: bool = False) -> None:
        said = header(path)
        size = path.stat().st_size
        # Held in memory at once only where the service would take it: the rest is to be cut first.
        small = size < BYTES_PER_FILE and (said.duration is None or said.duration <= SECONDS_LIMIT)
        try:
            clip = _read(path, name) if small else None
        except ClipError:
            # Browsers record WebM that does not say how long it is: it may be too long to hold.
            if said.duration is not None or size < BYTES_PER_MINUTE:
                raise
            clip = None
        with self._rows_lock:
            self._paths[key] = (path, ours)
            if clip is not None:
                self._clips[key] = clip
            self.files = [*self.files, _row(key, name, size, said, clip, decoded=decoded)]
            self.chosen = key

    def _hold(self, clip: Clip, key: str) -> None:
        """Show and choose a recording that lies in no file of its own."""
        said = Header("wav", "pcm_s16le", clip.sample_rate, 1, clip.duration)
        row = _row(key, plain_name(clip.name), 2 * len(clip.samples), said, clip, decoded=False)
        with self._rows_lock:
            self._clips[key] = clip
            self.files = [*self.files, row]
            self.chosen = key

    def _clip_of(self, key: str) -> Clip | None:
        row = next(row for row in self.files if row["key"] == key)
        if key not in self._clips and key in self._paths and not row["long"]:
            self._clips[key] = _read(self._paths[key][0], row["name"])
        return self._clips.get(key)

    def _hear(self, key: str) -> None:
        clip = self._part(key) if key.startswith("part:") else self._clip_of(key)
        if clip is not None:
            self.heard = None
            self.player = Player(clip)
            self.heard = key

    def _part(self, key: str) -> Clip | None:
        return self._windows[int(key.partition(":")[2])].clip if self._windows is not None else None

    def _find(self, key: str, progress: Progress, stopping: threading.Event) -> None:
        from vcnb.repair.windows import best_window

        name = next(row["name"] for row in self.files if row["key"] == key)
        if (self.heard or "").startswith("part:"):
            self.player = self.heard = None
        self.parts = None
        recording = self._paths[key][0] if key in self._paths else self._clips[key]
        self._windows = windows = best_window(recording, progress=progress, cancel=stopping)
        self.parts = _parts(key, name, windows)

    def _change(self, key: str, **changed: Any) -> None:
        self.files = [row | changed if row["key"] == key else row for row in self.files]

    def _purge(self) -> None:
        for row in [row for row in self.files if row["removed"]]:
            path, ours = self._paths.pop(row["key"], (None, False))
            self._clips.pop(row["key"], None)
            if path is not None and ours:
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


def _parts(key: str, name: str, windows: Windows) -> dict[str, Any]:
    moments = np.array_split(windows.level_db, min(MOMENTS, max(1, len(windows.level_db))))
    shares = [float(np.clip(1 - moment.max(initial=QUIET_DB) / QUIET_DB, 0, 1)) for moment in moments]
    return {
        "key": key,
        "name": name,
        "duration": windows.duration,
        "levels": [round(100 * share) for share in shares],
        "windows": [
            {
                "start": window.start,
                "end": window.end,
                "score": window.score,
                "snr_db": round(window.snr_db),
                "verdict": window.report.verdict,
                "against": [each.message for each in window.report.findings if each.verdict in ("warn", "fail")][:3],
                "peaks": _peaks(window.clip),
            }
            for window in windows
        ],
    }
