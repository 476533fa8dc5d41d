"""How two ears judge blind: sounds under keys that say nothing, and no score before the end."""

from __future__ import annotations

import threading
import weakref
from typing import Any

from vcnb.audio.clip import Clip
from vcnb.compare.listening import Listening
from vcnb.workflow.listening import keep_answers

from .base import Progress, joined
from .sounds import PLAYER_FILES, Sound, SoundPanel

__all__ = ["BlindTest", "panel_of"]

# Ours: with 16 answers, 13 right ones are beyond chance; a rating is steady after some.
PLANNED = {"abx": 16, "ab": 16, "mushra": 6}


class BlindTest(SoundPanel):
    """Ask a listening test by ear: keys hear and answer, and every answer is kept at once.

    Parameters
    ----------
    listening : Listening
        The test, as ``comparison.listen(...)`` gives it; its `results` are told there too.
    data : path or None
        The data folder in which answers are kept; else ``VCNB_DATA``, else the platform's.
    **options
        Traits of the widget, such as ``layout``.

    Raises
    ------
    SettingsError
        On an option that does not exist.
    LibraryError
        If the answers cannot be kept.

    Notes
    -----
    The browser gets the sounds of one trial under keys of that trial. Until the end it gets no names, and no word of
    which one is X or the hidden reference.
    """

    _esm = joined(*PLAYER_FILES, "listening")
    _css = joined("listening", kind="css")
    _parts = ("listening",)

    def __init__(self, listening: Listening, *, data: Any = None, **options: Any) -> None:
        self._listening = listening
        keep_answers(listening, data=data)
        self._planned = PLANNED[listening.kind]
        self._stopped = False
        self._heard_clips: dict[str, Clip] | None = None
        super().__init__((), **options)

    @property
    def listening(self) -> Listening:
        """The test, with its answers and results."""
        return self._listening

    def __repr__(self) -> str:
        return f"<BlindTest {self._listening.kind}>"

    def _receive_hello(self, message: dict[str, Any], _buffers: list[Any]) -> None:
        """Give a page the trial that is next; the sounds are made for the first."""
        if self._heard_clips is None:
            self.work("prepare", self._prepare)
        else:
            self._show(client=message["client"])

    def _receive_answer(self, message: dict[str, Any], _buffers: list[Any]) -> None:
        """Keep an answer; one to a trial that was answered elsewhere changes nothing."""
        try:
            if message["trial"] == len(self._listening.answers) and not self._is_over:
                self._listening.answer(message["answer"])
                self.error = None
        finally:  # where it could not be kept, the same trial is asked again
            self._show()

    def _receive_stop(self, _message: dict[str, Any], _buffers: list[Any]) -> None:
        """End it here."""
        self._stopped = True
        self._show()

    def _receive_more(self, _message: dict[str, Any], _buffers: list[Any]) -> None:
        """Go on after the end: what the answers of ABX and A/B prove holds however long one goes on."""
        if self._listening.kind != "mushra":
            self._stopped = False
            while len(self._listening.answers) >= self._planned:
                self._planned += PLANNED[self._listening.kind]
        self._show()

    @property
    def _is_over(self) -> bool:
        return self._stopped or len(self._listening.answers) >= self._planned

    def _prepare(self, _progress: Progress, _stopping: threading.Event) -> None:
        self._heard_clips = self._listening.sounds()
        self._show()

    def _show(self, *, client: str | None = None) -> None:
        if self._heard_clips is None:
            return
        test = self._listening
        told: dict[str, Any] = {"kind": test.kind, "number": len(test.answers), "planned": self._planned}
        if self._is_over:
            self._tracks = {}
            told |= {"results": _results(test)}
        else:
            told |= {"sounds": [sound.facts(n_columns=0) for sound in self._trial(self._heard_clips)]}
        self._post({"type": "trial", "client": client} | told)

    def _trial(self, clips: dict[str, Clip]) -> list[Sound]:
        """Lay out what the buttons of this trial play, from left to right; in MUSHRA first the open reference."""
        trial = self._listening.trial()
        order = list(trial.buttons)
        if self._listening.kind == "abx":
            order.insert(1, order[0 if trial.correct == "A" else 1])
        elif self._listening.kind == "mushra":
            order.insert(0, "reference")
        if not self._tracks or not next(iter(self._tracks)).startswith(f"{trial.number}."):
            # Without its name: a clip of the same samples that says nothing.
            nameless = [Clip(clips[item].samples, clips[item].sample_rate) for item in order]
            sounds = [Sound(f"{trial.number}.{place}", clip) for place, clip in enumerate(nameless)]
            self._tracks = {sound.key: sound for sound in sounds}
        return list(self._tracks.values())


_PANELS: weakref.WeakKeyDictionary[Listening, BlindTest] = weakref.WeakKeyDictionary()


def panel_of(listening: Listening) -> BlindTest:
    """Give the panel of a test: shown in two cells it is one, and an answer counts in both."""
    panel = _PANELS.get(listening)
    if panel is None or panel.comm is None:  # closed
        panel = _PANELS[listening] = BlindTest(listening)
    return panel


def _results(test: Listening) -> dict[str, Any]:
    """Tell the results as plain rows, and the order of preference where it has one."""
    rows = test.results() if test.answers else None
    ranked = test.kind == "ab" and len(test.items) > 2 and bool(test.answers)
    return {
        "rows": [] if rows is None else _plain(rows),
        "ranking": _plain(test.ranking()) if ranked else [],
        "seed": test.seed,
    }


def _plain(table: Any) -> list[dict[str, Any]]:
    # What has no answer yet has no share.
    rows = table[table["n"] > 0] if "n" in table.columns else table
    found: list[dict[str, Any]] = rows.to_dict("records")
    return found
