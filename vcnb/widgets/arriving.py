"""How a panel takes files from the browser; the browser's half is static/drop.js."""

from __future__ import annotations

from typing import Any

import traitlets

from vcnb.audio.decode import SECONDS_CAP
from vcnb.audio.header import HEAD_BYTES, header
from vcnb.errors import ClipError
from vcnb.workflow.uploading import BYTES_LIMIT, Arrived, Uploads

from .base import BaseWidget, beside, told

__all__ = ["Arriving"]

# Ours: servers take 10 MiB a message at most; of 1, 2 and 4 MiB, 2 MiB with four under way was the fastest.
PIECE_BYTES = 2 << 20
WINDOW = 4
SILENCE_MS = 4000  # without an answer, after which the browser asks where it stands; ours


class Arriving(BaseWidget):
    """A panel that takes files; a subclass says in `arrived` what becomes of them.

    The browser sends ``begin``, then ``piece`` after ``piece``; each is answered with ``go`` and the bytes that are
    here, so that a few are under way and none is lost. ``where`` asks for that again after a silence.
    """

    limits = traitlets.Dict().tag(sync=True)
    broken = traitlets.List().tag(sync=True)  # what a page that was loaded anew had begun

    def __init__(self, state: dict[str, Any] | None = None, /, **options: Any) -> None:
        limits = {
            "size": BYTES_LIMIT,
            "head": HEAD_BYTES,
            "piece": PIECE_BYTES,
            "window": WINDOW,
            "silence": SILENCE_MS,
        }
        self._uploads = Uploads()
        self._decoded: set[str] = set()  # uploads that the browser has decoded
        super().__init__({"limits": limits, **(state or {})}, **options)

    def _arrived(self, file: Arrived, key: str, *, decoded: bool) -> None:
        """Do something with a file that is here; called in a thread of its own.

        Parameters
        ----------
        file : Arrived
            Where it lies. Whoever wants it no longer deletes it.
        key : str
            The upload's.
        decoded : bool
            Whether the browser decoded it and this is its WAV.

        Raises
        ------
        ClipError
            If it cannot be decoded; then the browser is asked to.
        """
        raise NotImplementedError

    def close(self) -> None:
        """Close the panel; what is under way is given up."""
        self._uploads.cancel_all()
        super().close()

    def _receive_hello(self, message: dict[str, Any], _buffers: list[Any]) -> None:
        """Meet a page: what others have begun and not ended can be taken up there."""
        others = {
            key: row for key, row in self._uploads.under_way().items() if not key.startswith(f"{message['client']}:")
        }
        self.broken = [
            {"key": key, "name": name, "got": got, "size": size} for key, (name, got, size) in others.items()
        ]

    def _receive_begin(self, message: dict[str, Any], buffers: list[Any]) -> None:
        """Make room for a file."""
        key = _key(message)
        if message["decoded"]:
            self._decoded.add(key)
        self._answer(
            message,
            lambda: self._uploads.begin(
                key,
                name=str(message["name"]),
                size=int(message["size"]),
                modified=int(message.get("modified") or 0),
                head=bytes(buffers[0])[:HEAD_BYTES],
            ),
        )
        self._mend_broken()

    def _receive_piece(self, message: dict[str, Any], buffers: list[Any]) -> None:
        """Write a piece; the last one ends the upload."""
        self._answer(message, lambda: self._uploads.piece(_key(message), int(message["offset"]), buffers[0]))

    def _receive_where(self, message: dict[str, Any], _buffers: list[Any]) -> None:
        """Say how much is here."""
        self._answer(message, lambda: self._uploads.n_bytes(_key(message)), again=True)

    def _receive_drop(self, message: dict[str, Any], _buffers: list[Any]) -> None:
        """Stop an upload; nothing stays of it."""
        self._uploads.cancel(_key(message))

    def _receive_forget(self, message: dict[str, Any], _buffers: list[Any]) -> None:
        """Give up what another page had begun."""
        self._uploads.cancel(str(message["key"]))
        self._mend_broken()

    def _mend_broken(self) -> None:
        known = self._uploads.under_way()
        self.broken = [row for row in self.broken if row["key"] in known]

    def _answer(self, message: dict[str, Any], ask: Any, *, again: bool = False) -> None:
        to = {"client": message["client"], "id": message["id"]}
        try:
            got = ask()
            # Said before the end is looked at: the end may be refused, and comes after this in any case.
            self.send({"type": "go", "got": got, "again": again, **to})
            file = self._uploads.finish(_key(message))
        except ClipError as error:
            self.send({"type": "refused", **told(error), **to})
            return
        if file is not None:
            beside(self._take, file, _key(message), to)

    def _take(self, file: Arrived, key: str, to: dict[str, Any]) -> None:
        decoded = key in self._decoded
        self._decoded.discard(key)
        try:
            self._arrived(file, key, decoded=decoded)
        except ClipError as error:
            too_long = _is_too_long(file)  # which no browser can help
            file.path.unlink(missing_ok=True)
            self.send({"type": "refused" if decoded or too_long else "decode", **told(error), **to})
        except Exception as error:  # noqa: BLE001 - the thread's last line
            self.tell(error)
            self.send({"type": "refused", **told(error), **to})
        else:
            self.send({"type": "arrived", **to})


def _is_too_long(file: Arrived) -> bool:
    try:
        duration = header(file.path).duration
    except ClipError:
        return False
    return duration is not None and duration > SECONDS_CAP


def _key(message: dict[str, Any]) -> str:
    return f"{message['client']}:{message['id']}"
