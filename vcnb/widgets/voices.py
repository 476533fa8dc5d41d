"""How the voices of an account are looked through, heard, described, deleted and brought back by hand."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import traitlets

from vcnb.audio.clip import Clip
from vcnb.catalog import PRICE_PER_CREATION
from vcnb.workflow.rows import rows_for_people

from .base import Progress, joined
from .sounds import PLAYER_FILES, SoundPanel

if TYPE_CHECKING:
    from vcnb.workflow.account import Account
    from vcnb.workflow.table import VoiceTable

__all__ = ["Voices"]


class Voices(SoundPanel):
    """Show the voices of an account: sort, search, filter, hear, label, delete, and bring back.

    Parameters
    ----------
    account : Account or None
        Whose voices. None: the practice service, started when the panel is shown.
    **options
        Traits of the widget, such as ``layout``.

    Attributes
    ----------
    selection : VoiceTable or None
        The rows of ``account.voices()`` that are chosen; None before the list was read.

    Raises
    ------
    SettingsError
        On an option that does not exist.

    Notes
    -----
    Names, labels and figures travel as messages and are not saved in the notebook.
    """

    _esm = joined(*PLAYER_FILES, "voices-data", "voices-row", "voices")
    _css = joined("voices", kind="css")
    _parts = ("voices",)
    price = traitlets.Float().tag(sync=True)

    def __init__(self, account: Account | None = None, **options: Any) -> None:
        free = account is None or account.region == "practice"
        super().__init__((), {"price": 0.0 if free else PRICE_PER_CREATION}, **options)
        self._account = account
        self._table: VoiceTable | None = None
        self._chosen: list[str] = []

    @property
    def account(self) -> Account | None:
        """Whose voices; None until the practice service was needed."""
        return self._account

    @property
    def table(self) -> VoiceTable | None:
        """What ``account.voices()`` gave last; None before."""
        return self._table

    @property
    def selection(self) -> VoiceTable | None:
        """The chosen rows of ``account.voices()``, which can be handed to whatever takes voices."""
        table = self._table
        return None if table is None else table[table["voice"].isin(self._chosen)]

    def __repr__(self) -> str:
        n = "" if self._table is None else f" {len(self._table)}, {len(self._chosen)} chosen"
        return f"<Voices{n}>"

    def _receive_hello(self, message: dict[str, Any], buffers: list[Any]) -> None:
        """Give a page that was loaded anew the rows, or read them for the first."""
        super()._receive_hello(message, buffers)
        if self._table is None:
            self.work("list", self._list)
        else:
            self._show(client=message["client"])

    def refresh(self) -> None:
        """Read the list again."""
        self.work("list", self._list)

    def _receive_refresh(self, _message: dict[str, Any], _buffers: list[Any]) -> None:
        self.refresh()

    def _receive_choose(self, message: dict[str, Any], _buffers: list[Any]) -> None:
        """Keep what is chosen."""
        self._chosen = [str(voice) for voice in message["voices"]]

    def _receive_describe(self, message: dict[str, Any], _buffers: list[Any]) -> None:
        """Keep a label and a note."""
        label, note = str(message["label"]), str(message["note"])
        self._opened().describe(str(message["voice"]), label=label, note=note)
        self.work("list", self._list)

    def _receive_delete(self, message: dict[str, Any], _buffers: list[Any]) -> None:
        """Delete voices; it was asked before."""
        voices = [str(voice) for voice in message["voices"]]

        def delete(progress: Progress, stopping: threading.Event) -> None:
            done: list[str] = []
            try:
                for voice in voices:
                    if stopping.is_set():
                        break
                    progress("", len(done) / len(voices))
                    done += self._opened().delete(voice)
            finally:
                self._chosen = [voice for voice in self._chosen if voice not in done]
                self._list(progress, stopping)
                if done:
                    self._post({"type": "deleted", "voices": done})

        self.work("delete", delete)

    def _receive_restore(self, message: dict[str, Any], _buffers: list[Any]) -> None:
        """Bring voices back; the button bore the price."""
        voices = [str(voice) for voice in message["voices"]]

        def restore(progress: Progress, stopping: threading.Event) -> None:
            try:
                for voice in voices:
                    made = self._opened().restore(voice, progress=progress, cancel=stopping)
                    self._post({"type": "restored", "voice": voice, "new": made.voice})
            finally:
                self._list(progress, stopping)

        self.work("restore", restore)

    def _receive_hear(self, message: dict[str, Any], _buffers: list[Any]) -> None:
        """Read a recording or a take from the library, for the page that asked."""
        if message["what"] == "source":
            read: Callable[[], Clip] = partial(self._opened().reference, str(message["voice"]))
        else:
            read = partial(self._opened().take, str(message["take"]))
        self._offer(str(message["key"]), read, client=message["client"])

    def _opened(self) -> Account:
        if self._account is None:
            from vcnb.workflow.connecting import connect

            self._account = connect("practice")
        return self._account

    def _list(self, _progress: Progress, _stopping: threading.Event) -> None:
        self._table = self._opened().voices()
        self._show()

    def _show(self, *, client: str | None = None) -> None:
        table = self._table
        if table is not None:
            rows = rows_for_people(table, self._opened().takes())
            told = {"rows": rows, "chosen": self._chosen, "used": table.attrs["used"], "quota": table.attrs["quota"]}
            self._post({"type": "table", "client": client, **told})
