"""How recordings are compared by eye and ear: who sounds like whom, and what the number means."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

from vcnb.compare.comparison import Comparison
from vcnb.compare.drawn import drawn
from vcnb.compare.listening import Listening
from vcnb.compare.page import as_page
from vcnb.errors import CancelledError, ClipError
from vcnb.workflow.comparing import compare, listed

from .base import Progress, held, joined
from .listening import panel_of
from .sounds import PLAYER_FILES, Sound, SoundPanel

if TYPE_CHECKING:
    from vcnb.workflow.account import Account

__all__ = ["Comparing"]

MOST_CLIPS = 40  # ours: a heat map of more has cells too small for a finger
LARGEST_REPORT = 9_000_000  # bytes; browsers and servers take 10 MiB a message at most
LONGEST_NAME = 120  # characters
TITLE = "Voices side by side"


class Comparing(SoundPanel):
    """Compare recordings: similarity and what it means, map, spectra, pitch, measures; each can be heard.

    Parameters
    ----------
    clips : Comparison, or iterable of Clip, Speech, path or voice
        What is compared. Measuring takes about a second a clip; the panel says how far it is, and can be stopped.
    account : Account, optional
        Whose library holds the recordings of voices; None for the library of the data folder.
    **options
        Traits of the widget, such as ``layout``.

    Attributes
    ----------
    comparison : Comparison or None
        None until it is measured.

    Raises
    ------
    SettingsError
        On an option that does not exist.
    ClipError
        If there are too many, or it is no list.

    Notes
    -----
    Names, figures and sound travel as messages and are not saved in the notebook.
    """

    _esm = joined(
        *PLAYER_FILES, "sounding", "sorted", "comparing-desk", "comparing-views", "comparing-pair", "comparing"
    )
    _css = joined("voices", "comparing", kind="css")
    _parts = ("comparing",)
    test = held()

    def __init__(
        self, clips: Comparison | Iterable[Any] = (), /, *, account: Account | None = None, **options: Any
    ) -> None:
        self._account = account
        self._comparison: Comparison | None = None
        self._drawn: dict[str, Any] | None = None
        self._clips: list[Any] = []
        super().__init__((), **options)
        self.compare(clips)

    @property
    def comparison(self) -> Comparison | None:
        """What was measured; None until then."""
        return self._comparison

    def __repr__(self) -> str:
        return f"<Comparing of {len(self._clips)}>"

    def compare(self, clips: Comparison | Iterable[Any]) -> None:
        """Show others in this panel.

        Parameters
        ----------
        clips : Comparison, or iterable of Clip, Speech, path or voice
            What is compared from now on.

        Raises
        ------
        ClipError
            If there are too many, or it is no list.
        """
        known = clips if isinstance(clips, Comparison) else None
        several = listed(known.clips if known is not None else clips)
        if len(several) > MOST_CLIPS:
            raise ClipError(
                f"{len(several)} recordings are too many for a picture.",
                remedy=f"show {MOST_CLIPS} at a time; vcnb.compare(...) measures any number",
            )
        self._clips, self._comparison, self._drawn, self._tracks = several, known, None, {}
        if several:
            self.work("compare", self._measure)

    def _receive_hello(self, message: dict[str, Any], buffers: list[Any]) -> None:
        """Give a page what is known."""
        super()._receive_hello(message, buffers)
        self._show(client=message["client"])

    def _receive_again(self, _message: dict[str, Any], _buffers: list[Any]) -> None:
        """Measure after a stop or an error."""
        if self._clips and self._drawn is None:
            self.work("compare", self._measure)

    def _receive_listen(self, message: dict[str, Any], _buffers: list[Any]) -> None:
        """Begin a blind test of all, or of some."""
        comparison = self._comparison
        if comparison is not None:
            chosen = [int(at) for at in message["items"]] or range(len(comparison.items))
            items = tuple(comparison.items[at] for at in chosen)
            clips = tuple(comparison.clips[at] for at in chosen)
            self.test = panel_of(Listening(items, clips, str(message["kind"])))

    def _receive_report(self, message: dict[str, Any], _buffers: list[Any]) -> None:
        """Write the report for the page that asked."""
        comparison, client = self._comparison, message["client"]
        if comparison is None:
            return

        def write(_progress: Progress, _stopping: threading.Event) -> None:
            page = as_page(comparison, TITLE).encode()
            if len(page) > LARGEST_REPORT:
                raise ClipError(
                    f"The report has {len(page) / 1e6:.0f} MB, too much for one message.",
                    remedy='write it from a cell with .comparison.report("report.html") of the panel or the Studio',
                )
            self._post({"type": "report", "client": client}, [page])

        self.work("report", write)

    def _measure(self, progress: Progress, stopping: threading.Event) -> None:
        def step(name: str, share: float | None) -> None:
            if stopping.is_set():
                raise CancelledError("The measuring was stopped.", remedy="press Measure again to go on")
            progress(name, share)

        comparison = self._comparison
        if comparison is None:
            measuring = partial(compare, self._clips, account=self._account)
            comparison = measuring(progress=lambda name, share: step(name, 0.5 * (share or 0)))
        for at, sound in enumerate(comparison.sounds):
            step(comparison.items[at], 0.5 + 0.4 * at / len(comparison.sounds))
            _ = sound.embedding
        step("", 0.9)
        picture = drawn(comparison)
        self._tracks = {str(at): Sound(str(at), clip) for at, clip in enumerate(comparison.clips)}
        self._comparison, self._drawn = comparison, picture | {"sounds": self._facts(comparison)}
        self._show()

    def _facts(self, comparison: Comparison) -> list[dict[str, Any]]:
        facts = [sound.facts(n_columns=0) for sound in self._tracks.values()]
        loud = [sound.loudness_lufs for sound in comparison.sounds]
        return [each | {"lufs": round(lufs, 2) if lufs > -70 else None} for each, lufs in zip(facts, loud, strict=True)]

    def _show(self, *, client: str | None = None) -> None:
        if self._drawn is not None:
            names = [name[:LONGEST_NAME] for name in self._drawn["items"]]
            self._post({"type": "drawn", "client": client} | self._drawn | {"items": names})
        else:
            self._post({"type": "waiting", "client": client, "n_clips": len(self._clips)})
