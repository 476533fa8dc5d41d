"""Where a person's voices live, and what can be done with them: the one object that notebooks and shell talk to."""

from __future__ import annotations

import html
import threading
from collections.abc import Iterable
from concurrent.futures import Executor
from typing import TYPE_CHECKING, Any, Literal

from vcnb.audio.clip import Speech
from vcnb.errors import visible
from vcnb.protocol.voice import Voice

from . import restoring, speaking
from .creation import Progress
from .enrolling import DEFAULT_MODEL, Enrolling
from .money import Estimate, estimate
from .speaking import Line, Stream

if TYPE_CHECKING:
    from vcnb.compare.sentinel import Drift

    from .grids import Grid

__all__ = ["Account", "DEFAULT_MODEL"]


class Account(Enrolling):
    """A place where voices are made, listed and spoken with; made by :func:`connect`.

    `region` is "singapore", "beijing" or "practice"; `notes` hold what a person should know.

    Parameters
    ----------
    connection : Connection
        Where requests go and who they come from.
    purse : Purse
        Counts what is spent.
    notes : sequence of str
        What a person should know; shown by the repr.
    """

    def restore(self, voice: Any, *, progress: Progress | None = None, cancel: threading.Event | None = None) -> Voice:
        """Make a deleted voice again, from the recording that is kept here: a new enrollment, at the price of one.

        Parameters
        ----------
        voice : Voice, id or row of `voices`
            A deleted one.
        progress : callable, optional
            As in `enroll`; it is told the price before anything is sent.
        cancel : threading.Event, optional
            As in `enroll`.

        Returns
        -------
        Voice
            A new one, with its own id; label and note come with it.

        Raises
        ------
        SettingsError
            If the voice is not deleted.
        LibraryError
            If its recording or its consent is not kept here.
        VcnbError
            As `enroll`.
        """
        return restoring.restore(self, voice, progress=progress, cancel=cancel)

    def speak(
        self,
        text: str,
        *,
        voice: Any,
        target_model: str | None = None,
        transport: str | None = None,
        language: str | None = None,
        timeout: float | None = None,
        reuse: bool = False,
    ) -> Speech:
        """Speak, and wait for the whole sound.

        Parameters
        ----------
        text : str
            What to speak; a long one is split at sentences and joined seamlessly.
        voice : Voice, id or row of `voices`
            Who speaks. An id that is not known here is looked up in the list once.
        target_model : str, optional
            Follows the voice; another one is an error before any request.
        transport : {"http", "sse", "realtime"}, optional
            Follows the model; "http" unless it is a realtime one.
        language : str, optional
            Two-letter code of the text; without it the service finds out.
        timeout : float, optional
            Seconds for the whole.
        reuse : bool
            Give the kept take of the same text, voice, transport and language, where there is one; nothing is billed.

        Returns
        -------
        Speech
            Kept in the library: `takes` lists it.

        Raises
        ------
        SettingsError, SpendLimitError
            Before any request.
        VoiceNotFoundError
            If the account has no such voice.
        SpeechInterruptedError
            If it broke off; partial sound is never returned as success.
        ServiceError, ServiceUnreachableError
            As the client says.
        """
        options: dict[str, Any] = {"target_model": target_model, "transport": transport, "language": language}
        options |= {"timeout": timeout, "reuse": reuse}
        return speaking.speak(self.settings, self._purse, text, **self._who(voice), **options)

    def stream(
        self,
        text: str,
        *,
        voice: Any,
        target_model: str | None = None,
        transport: str | None = None,
        language: str | None = None,
        timeout: float | None = None,
        reuse: bool = False,
    ) -> Stream:
        """Speak, and hand out Clips as they arrive; errors as in `speak`.

        Parameters
        ----------
        text : str
            What is spoken.
        voice : Voice, id or row of `voices`
            Who speaks.
        target_model : str, optional
            As in `speak`.
        transport : {"sse", "realtime"}, optional
            The way of the voice's model, which is the default.
        language : str, optional
            As in `speak`.
        timeout : float, optional
            Seconds until it must be whole.
        reuse : bool
            As in `speak`: what was spoken before comes from the library.

        Returns
        -------
        Stream
            Iterate over it; ``.speech`` is the whole, ``.cancel()`` stops it.
        """
        options: dict[str, Any] = {"target_model": target_model, "transport": transport, "language": language}
        who = self._who(voice)
        return speaking.stream(self.settings, self._purse, text, **who, timeout=timeout, reuse=reuse, **options)

    def converse(
        self,
        *,
        voice: Any,
        mode: Literal["server_commit", "commit"] = "server_commit",
        target_model: str | None = None,
        language: str | None = None,
        timeout: float | None = None,
    ) -> Line:
        """Open a line to a realtime voice: ``say``, ``commit``, ``clear``, ``cancel``, ``finish``; iterate for Clips.

        Parameters
        ----------
        voice : Voice, id or row of `voices`
            A voice for a realtime model.
        mode : {"server_commit", "commit"}
            Who decides when to speak: the service, or the caller.
        target_model : str, optional
            As in `speak`.
        language : str, optional
            As in `speak`.
        timeout : float, optional
            Seconds for the whole of it.

        Returns
        -------
        Line
            A context manager; leaving it finishes.

        Raises
        ------
        VcnbError
            As in `speak`.
        """
        options: dict[str, Any] = {"target_model": target_model, "language": language, "timeout": timeout}
        return speaking.converse(self.settings, self._purse, **self._who(voice), mode=mode, **options)

    def grid(
        self,
        voices: Any,
        texts: str | Iterable[str],
        *,
        language: str | None = None,
        repeats: int = 1,
        executor: Executor | None = None,
        progress: Progress | None = None,
        cancel: threading.Event | None = None,
    ) -> Grid:
        """Have every voice say every text, and measure it; what is spoken already is not spoken again.

        Parameters
        ----------
        voices : Voice, id, row, iterable of them, or a (filtered) table
            Who speaks; the model follows the voice.
        texts : str or iterable of str
            What.
        language : str, optional
            Two-letter code of the texts; without it the service finds out.
        repeats : int
            How often each cell is spoken; more of them later adds to those that are there.
        executor : concurrent.futures.Executor, optional
            Where the takes are measured, a Dask client's ``get_executor()`` too; the key never goes there.
        progress : callable, optional
            Called with a sentence and a share (0…1). Not given: a progress bar.
        cancel : threading.Event, optional
            Ends it; what is on its way is waited for, and what is spoken is kept.

        Returns
        -------
        Grid
            A cell that was refused has its error in it; call it again to try those once more.

        Raises
        ------
        SettingsError, SpendLimitError
            Before any request, where the whole would pass the limit.
        LibraryError
            If a take cannot be kept.
        CancelledError
            If it was stopped.
        VcnbError
            As `find`.
        """
        from .grid import fill

        options: dict[str, Any] = {"language": language, "repeats": repeats, "executor": executor}
        return fill(self, voices, texts, progress=progress, cancel=cancel, **options)

    def watch(self, take: Speech | str) -> Drift:
        """Judge whether a take is what was asked for, by its voice's other takes and its recording; nothing is sent.

        Parameters
        ----------
        take : Speech or str
            What was spoken, or its id in `takes`.

        Returns
        -------
        Drift
            ``.verdict``, ``.words``, ``.to_frame()``; ``vcnb.Player(take, marks=drift.marks)`` shows where.

        Raises
        ------
        SettingsError
            If it is no take of a voice.
        """
        from .watching import watch

        return watch(self, take)

    def retake(self, take: Speech | str, *, at_most: int = 1, confirm: bool = False) -> Speech:
        """Speak a take again until the sentinel finds no fault with it, or often enough.

        Parameters
        ----------
        take : Speech or str
            What went wrong, or its id in `takes`.
        at_most : int
            Tries, 1 to 5; each is a synthesis at its price.
        confirm : bool
            Needed where it costs anything: without it the error tells the price.

        Returns
        -------
        Speech
            The first take without fault, else the last one; all are in `takes`.

        Raises
        ------
        SettingsError
            Before any request, where `confirm` is needed.
        VcnbError
            As `speak`.
        """
        from .watching import retake

        return retake(self, take, at_most=at_most, confirm=confirm)

    def estimate(
        self, texts: str | Iterable[str] = (), *, voice: Any = None, target_model: str | None = None, creations: int = 0
    ) -> Estimate:
        """Tell what something would cost; nothing is sent, but for an id that must be looked up in the list.

        Parameters
        ----------
        texts : str or iterable of str
            What would be spoken.
        voice : Voice, id or row, optional
            Who would speak.
        target_model : str, optional
            Instead of a voice.
        creations : int
            Voices that would be made.

        Returns
        -------
        Estimate
            ``.cost`` in US dollars.

        Raises
        ------
        SettingsError
            If there is a text and neither voice nor model.
        """
        model = target_model or (self.find(voice).target_model if voice is not None else None)
        return estimate(creations=creations, texts=texts, target_model=model, free=self.region == "practice")

    def _who(self, voice: Any) -> dict[str, Any]:
        """Tell who speaks, and where it is kept; the library is opened before anything is paid."""
        named = self.find(voice)
        return {"voice": named, "shelf": self._shelf, "account": self._shelf.account_of(named)}

    def __enter__(self) -> Account:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        said = "".join(f"\n  {note}" for note in self.notes)
        return visible(f"<Account in {self.region!r}, ${self.spent:.4f} spent>{said}")

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(repr(self))}</pre>"
