"""Where a person's voices live, and what can be done with them: the one object that notebooks and shell talk to."""

from __future__ import annotations

import html
import os
import threading
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Literal

from vcnb.audio.clip import Speech
from vcnb.client.enrollment import EnrollmentClient
from vcnb.errors import SettingsError, VoiceNotFoundError
from vcnb.protocol.voice import Voice
from vcnb.settings import Secret, Settings

from . import enrollment, speaking
from .connection import Connection, choose
from .enrollment import Progress
from .money import Estimate, Purse, estimate
from .speaking import Line, Stream
from .voices import delete, frame, voice_of, voices_of

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Account", "DEFAULT_MODEL", "connect"]

DEFAULT_MODEL = "qwen3-tts-vc-2026-01-22"  # contract: the model over HTTP


class Account:
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

    def __init__(self, connection: Connection, purse: Purse, *, notes: Sequence[str] = ()) -> None:
        self.region, self.notes = connection.settings.region, tuple(notes)
        self._connection, self._purse = connection, purse
        self._known: dict[str, Voice] = {}

    @property
    def settings(self) -> Settings:
        """Address and key; a practice service that was killed is started again, with the same voices."""
        return self._connection.settings

    @property
    def spent(self) -> float:
        """US dollars so far by this object, with what may have been billed; 0 on the practice service."""
        return self._purse.spent

    def enroll(
        self,
        clip: Any,
        *,
        preferred_name: str,
        consent: str,
        target_model: str | Sequence[str] = DEFAULT_MODEL,
        transcript: str | None = None,
        language: str | None = None,
        progress: Progress | None = None,
        cancel: threading.Event | None = None,
    ) -> Any:
        """Make a voice from a recording; each model is one creation and one price.

        Parameters
        ----------
        clip : Clip, path, bytes, file object, (samples, sample_rate) or https URL
            The recording. What was not edited is sent byte for byte; an edited clip as 16-bit WAV; a URL as it is.
        preferred_name : str
            1 to 16 letters, digits or underscores; it becomes part of the voice's id.
        consent : str
            Who agreed that this voice is cloned, and on what ground. Kept with the voice, never sent.
        target_model : str or sequence of str
            The model or models that will speak with it, bound for life.
        transcript : str, optional
            What is said in the recording.
        language : str, optional
            Two-letter code. Not given, it is not sent, and `progress` and the log say so.
        progress : callable, optional
            Called with a sentence and a share (0…1) or None.
        cancel : threading.Event, optional
            Looked at before each request; one that is on its way is waited for, since it may be billed.

        Returns
        -------
        Voice or dict
            For a sequence of models: model -> Voice.

        Raises
        ------
        ConsentMissingError, SettingsError, SpendLimitError
            Before any request.
        ClipError
            If the recording cannot be read or fails a hard rule; before any request.
        CancelledError
            If it was stopped between requests.
        ServiceError
            If the service refuses; nothing was made or billed.
        ServiceUnreachableError
            If nothing was sent.
        OutcomeUnknownError
            If it was sent and the answer was lost: it is not sent again.
        """
        request = enrollment.prepare(
            self.settings,
            clip,
            preferred_name=preferred_name,
            consent=consent,
            target_model=target_model,
            transcript=transcript,
            language=language,
            progress=progress,
        )
        made = enrollment.enroll(self.settings, self._purse, request, progress=progress, cancel=cancel)
        self._known |= {voice.voice: voice for voice in made.values()}
        return made[target_model] if isinstance(target_model, str) else made

    def list_voices(self) -> list[Voice]:
        """List all voices of the account, all pages, each once; errors as in `voices`."""
        found = EnrollmentClient(self.settings).list_voices()
        self._known = {voice.voice: voice for voice in found}
        return found

    def voices(self) -> pd.DataFrame:
        """Show all voices of the account as a table.

        Returns
        -------
        pandas.DataFrame
            One row a voice, which can be given wherever a voice is asked for.

        Raises
        ------
        ServiceError, ServiceUnreachableError
            As the client says.
        """
        return frame(self.list_voices())

    def delete(self, voice: Any, *, confirm: bool = False) -> list[str]:
        """Delete one or many voices for good.

        Parameters
        ----------
        voice : Voice, id, row, iterable of them, or a (filtered) table
            What to delete.
        confirm : bool
            Needed for more than one voice of the hosted service.

        Returns
        -------
        list of str
            Their ids.

        Raises
        ------
        SettingsError
            Before any request, where `confirm` is needed.
        VoiceNotFoundError
            If there was no such voice.
        ServiceError, ServiceUnreachableError
            As the client says; the remedy names what was deleted before.
        """
        chosen = voices_of(voice, region=self.region)
        if len(chosen) > 1 and self.region != "practice" and not confirm:
            raise SettingsError(
                f"{len(chosen)} voices would be deleted for good.", remedy="pass confirm=True; nothing was deleted"
            )
        return delete(EnrollmentClient(self.settings), [each.voice for each in chosen], forget=self._known)

    def speak(
        self,
        text: str,
        *,
        voice: Any,
        target_model: str | None = None,
        transport: str | None = None,
        language: str | None = None,
        timeout: float | None = None,
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

        Returns
        -------
        Speech

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
        named = self.find(voice)
        options = {"target_model": target_model, "transport": transport, "language": language, "timeout": timeout}
        return speaking.speak(self.settings, self._purse, text, voice=named, **options)

    def stream(
        self,
        text: str,
        *,
        voice: Any,
        target_model: str | None = None,
        transport: str | None = None,
        language: str | None = None,
        timeout: float | None = None,
    ) -> Stream:
        """Speak, and hand out Clips as they arrive; parameters and errors as in `speak`.

        Returns
        -------
        Stream
            Iterate over it; ``.speech`` is the whole, ``.cancel()`` stops it.
        """
        named = self.find(voice)
        options: dict[str, Any] = {"target_model": target_model, "transport": transport, "language": language}
        return speaking.stream(self.settings, self._purse, text, voice=named, timeout=timeout, **options)

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
        target_model, language, timeout
            As in `speak`.

        Returns
        -------
        Line
            A context manager; leaving it finishes.

        Raises
        ------
        VcnbError
            As in `speak`.
        """
        named = self.find(voice)
        options: dict[str, Any] = {"target_model": target_model, "language": language, "timeout": timeout}
        return speaking.converse(self.settings, self._purse, voice=named, mode=mode, **options)

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

    def find(self, voice: Any) -> Voice:
        """Complete whatever names a voice, looking into the account's list only where the model is not known.

        Parameters
        ----------
        voice : Voice, id or row of `voices`
            The voice.

        Raises
        ------
        SettingsError
            If it names none, or one of another region.
        VoiceNotFoundError
            If the account has no such voice.
        """
        named = voice_of(voice, region=self.region)
        if named.target_model:
            return named
        if named.voice not in self._known:
            self.list_voices()
        if named.voice not in self._known:
            raise VoiceNotFoundError(
                f"Voice {named.voice!r} is not in the account's list.", remedy="choose one of account.voices()"
            )
        return self._known[named.voice]

    def close(self) -> None:
        """Let go of the practice service, which ends with its last user."""
        self._connection.close()

    def __enter__(self) -> Account:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        said = "".join(f"\n  {note}" for note in self.notes)
        return f"<Account in {self.region!r}, ${self.spent:.4f} spent>{said}"

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(repr(self))}</pre>"


def connect(
    region: str | None = None,
    *,
    api_key: str | Secret | None = None,
    base_url: str | None = None,
    workspace: str | None = None,
    data: str | os.PathLike[str] | None = None,
    spend_limit: float | None = None,
) -> Account:
    """Connect to the service with a key, or without one to the built-in practice service.

    Parameters
    ----------
    region : {"singapore", "beijing", "practice"}, optional
        Else the region of `base_url`, else Singapore where a key is found, else practice, and the repr says so.
    api_key : str or Secret, optional
        Else ``DASHSCOPE_API_KEY``, else the SDK's key file.
    base_url : str, optional
        HTTP base, ending in ``/api/v1``; a loopback address is a practice service.
    workspace : str, optional
        Id of the workspace.
    data : path, optional
        Folder of the library and of the practice service; else ``VCNB_DATA``, else the platform's.
    spend_limit : float, optional
        US dollars that this account may spend.

    Returns
    -------
    Account

    Raises
    ------
    SettingsError
        On settings that contradict each other, a missing key, or an address that is none of the service's.
    ServiceUnreachableError
        If the practice service cannot be started.
    """
    purse = Purse(spend_limit)
    connection, notes = choose(region, api_key=api_key, base_url=base_url, workspace=workspace, data=data)
    return Account(connection, purse, notes=notes)
