"""What an account holds, at the service and here: voices, takes, consents, money; nothing of it is ever lost."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vcnb.audio.clip import Clip, Speech
from vcnb.client.enrollment import EnrollmentClient
from vcnb.errors import LibraryError, SettingsError, VcnbError, VoiceNotFoundError
from vcnb.library import forgetting, takes, voices
from vcnb.library.export import write_export
from vcnb.library.intents import Intents
from vcnb.library.money import booked
from vcnb.protocol.voice import Voice
from vcnb.settings import Settings, data_folder

from .connection import Connection
from .money import Purse
from .shelf import Shelf
from .sums import money_frame, takes_frame
from .voices import frame, voice_of, voices_of

if TYPE_CHECKING:
    import pandas as pd

    from .table import VoiceTable

__all__ = ["Holdings"]


class Holdings:
    """What an account holds; the part of :class:`vcnb.Account` that speaks to nobody but the list.

    Parameters
    ----------
    connection : Connection
        Where requests go and who they come from.
    purse : Purse
        Counts what is spent.
    notes : sequence of str
        What a person should know.
    """

    def __init__(self, connection: Connection, purse: Purse, *, notes: Sequence[str] = ()) -> None:
        self.region = connection.settings.region
        self._connection, self._purse, self._notes = connection, purse, tuple(notes)
        self._shelf = Shelf(connection)
        self._known: dict[str, Voice] = {}

    @property
    def settings(self) -> Settings:
        """Address and key; a practice service that was killed is started again, with the same voices."""
        return self._connection.settings

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person should know about the connection and the library, in sentences."""
        return self._notes + self._shelf.notes

    @property
    def spent(self) -> float:
        """US dollars so far by this object, with what may have been billed; 0 on the practice service."""
        return self._purse.spent

    @property
    def spend_limit(self) -> float | None:
        """US dollars that this object may spend; None for any."""
        return self._purse.limit

    def list_voices(self) -> list[Voice]:
        """List all voices that the service has, all pages, each once; errors as in `voices`.

        Returns
        -------
        list of Voice
            In the service's order.
        """
        found = EnrollmentClient(self.settings).list_voices()
        self._known = {voice.voice: voice for voice in found}
        return found

    def voices(self) -> VoiceTable:
        """Show all voices, as the service lists them and as the library knows them.

        Returns
        -------
        pandas.DataFrame
            One row a voice, which can be given wherever a voice is asked for. `state` says "here and there", "only
            there" (made elsewhere: its recording is not kept here) or "only here: deleted". `days_left` counts to the
            deletion of what is unused for a year, as far as our own use shows. ``.attrs`` hold ``used``, ``quota`` and
            ``free``.

        Raises
        ------
        ServiceError, ServiceUnreachableError
            As the client says.
        LibraryError
            If the library cannot be used.
        SettingsError
            If it is unclear whose key this is; see `belongs_to`.
        """
        listed = self.list_voices()
        account = self._shelf.account(listed)
        return frame(listed, voices.overview(self._shelf.store, account), region=self.region)

    def find(self, voice: Any) -> Voice:
        """Complete whatever names a voice, looking into the account's list only where the model is not known.

        Parameters
        ----------
        voice : Voice, id or row of `voices`
            The voice.

        Returns
        -------
        Voice
            With its model.

        Raises
        ------
        SettingsError
            If it names none, or one of another region or account.
        VoiceNotFoundError
            If the account has no such voice.
        """
        named = voice_of(voice, region=self.region)
        self._shelf.refuse_stranger(named)
        if named.target_model:
            return named
        if named.voice not in self._known:
            self.list_voices()
        if named.voice not in self._known:
            raise VoiceNotFoundError(
                f"Voice {named.voice!r} is not in the account's list.",
                remedy=self._hint(named.voice) or "give the id of one of account.voices()",
            )
        return self._known[named.voice]

    def describe(self, voice: Any, *, label: str | None = None, note: str | None = None) -> None:
        """Write a label or a note of your own to a voice; they stay here and are never sent.

        Parameters
        ----------
        voice : Voice, id or row of `voices`
            The voice.
        label, note : str, optional
            Any text; "" takes it away, None leaves it.

        Raises
        ------
        SettingsError
            If one is no text.
        LibraryError
            If the library does not know the voice, or cannot be written.
        """
        for text in (label, note):
            if not isinstance(text, str | None):
                raise SettingsError(f"A label or note is no {type(text).__name__}.", remedy="give a str")
        named = voice_of(voice, region=self.region)
        voices.describe(self._shelf.store, self._shelf.account_of(named), named.voice, label=label, note=note)

    def delete(self, voice: Any, *, confirm: bool = False) -> list[str]:
        """Delete one or many voices at the service; `restore` can make them again from what is kept here.

        Parameters
        ----------
        voice : Voice, id, row, iterable of them, or a (filtered) table
            What to delete. Of several, those that are deleted already are passed over.
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
        for each in chosen:
            self._shelf.refuse_stranger(each)
        living = [each for each in chosen if not self._shelf.is_deleted(each)]
        chosen = living if len(chosen) > 1 else chosen
        if len(chosen) > 1 and self.region != "practice" and not confirm:
            raise SettingsError(
                f"{len(chosen)} voices would be deleted.", remedy="pass confirm=True; nothing was deleted"
            )
        return self._delete(each.voice for each in chosen)

    def forget(self, voice: Any) -> str:
        """Carry out a speaker's withdrawal: the voice at the service, and its sounds and texts here, are gone for good.

        Parameters
        ----------
        voice : Voice, id or row of `voices`
            One voice.

        Returns
        -------
        str
            The one line that is kept. A recording from which another voice was made stays until that one is forgotten.

        Raises
        ------
        ServiceError, ServiceUnreachableError
            If the service did not delete it: then nothing is removed here either.
        LibraryError
            If something cannot be removed; ask again.
        """
        named = voice_of(voice, region=self.region)
        account = self._shelf.certain_account_of(named)
        if not self._shelf.is_deleted(named):
            try:
                self._delete([named.voice])
            except VoiceNotFoundError:  # gone already; what is here goes all the same
                if voices.known(self._shelf.store, account, named.voice) is None:
                    raise
        store = self._shelf.store
        return forgetting.forget(store, account, named.voice, arrived={store.folder, data_folder(None)})

    def reference(self, voice: Any) -> Clip:
        """Give the recording that a voice was made from, byte for byte as it was sent.

        Parameters
        ----------
        voice : Voice, id or row of `voices`
            The voice, deleted or not.

        Returns
        -------
        Clip
            As it was read again from those bytes.

        Raises
        ------
        LibraryError
            If it is not kept here.
        """
        named = voice_of(voice, region=self.region)
        return voices.recording(self._shelf.store, self._shelf.account_of(named), named.voice)

    def takes(self) -> pd.DataFrame:
        """Show everything that was spoken; `take` gives its sound.

        Returns
        -------
        pandas.DataFrame
            One row a take, the newest first.
        """
        account = self._shelf.account()
        return takes_frame(takes.takes_of(self._shelf.store, account), voices.overview(self._shelf.store, account))

    def take(self, id: str) -> Speech:
        """Give a take again, with the very samples that were heard; nothing is sent.

        Parameters
        ----------
        id : str
            Of `takes`, or ``speech.take``.

        Returns
        -------
        Speech
            With its text, voice, model, language and figures.

        Raises
        ------
        LibraryError
            If there is none, or its sound is gone.
        """
        found = takes.find_take(self._shelf.store, self._shelf.account(), str(id))
        if found is None:
            raise LibraryError(f"There is no take {str(id)!r}.", remedy="choose one of account.takes()")
        return takes.read_take(self._shelf.store, found)

    def heard(self, take: str) -> dict[str, float | None] | None:
        """Tell how a take was heard in a browser while it arrived; None where it was not.

        Parameters
        ----------
        take : str
            Of `takes`, or ``speech.take``.

        Returns
        -------
        dict or None
            ``first_sound`` (s), ``underruns``, ``gap`` (s), ``buffer`` (s) and ``start_delay`` (s).
        """
        found = takes.find_take(self._shelf.store, self._shelf.account(), take)
        return takes.heard(found) if found is not None else None

    def money(self) -> pd.DataFrame:
        """Sum what was paid, by day, voice and purpose; at list prices, as the free quota is not known here.

        Returns
        -------
        pandas.DataFrame
            `cost` in US dollars; `uncertain` is the part of it that may not have been billed. ``.attrs`` hold
            ``total`` and the words on the ``free_quota``.
        """
        account = self._shelf.account()
        return money_frame(booked(self._shelf.store, account), voices.overview(self._shelf.store, account))

    def export(self, path: str | os.PathLike[str]) -> Path:
        """Carry everything away: one zip with sounds byte for byte, tables as CSV and a manifest with hashes.

        Parameters
        ----------
        path : path
            Where to; it appears whole or not at all.

        Returns
        -------
        Path
            Of the zip.

        Raises
        ------
        LibraryError
            If it cannot be written.
        """
        return write_export(self._shelf.store, self._shelf.account(), Path(os.path.expanduser(os.fsdecode(path))))

    def belongs_to(self, voice: str | None) -> None:
        """Say which account this is, where that is unclear; asked once.

        Parameters
        ----------
        voice : str or None
            Any voice that the account had; None for an account that was never used from here.

        Raises
        ------
        SettingsError
            If no account that is known here had such a voice.
        """
        self._shelf.belongs_to(voice)

    def close(self) -> None:
        """Let go of the practice service, which ends with its last user."""
        self._shelf.close()
        self._connection.close()

    def _delete(self, chosen: Iterable[str]) -> list[str]:
        client, done = EnrollmentClient(self.settings), list[str]()
        for voice in chosen:
            try:
                client.delete(voice)
            except VcnbError as error:
                if isinstance(error, VoiceNotFoundError):
                    with contextlib.suppress(VcnbError):
                        self.list_voices()
                        error.remedy = self._hint(voice) or error.remedy
                    with contextlib.suppress(VcnbError):  # an account that is not the voice's says so, too
                        self._note_deleted(voice, self._shelf.certain_account_of(Voice(voice, region=self.region)))
                if done:
                    error.remedy = f"{error.remedy}; deleted before it: {', '.join(done)}"
                raise
            self._note_deleted(voice, self._shelf.account_of(Voice(voice, region=self.region)))
            done.append(voice)
        return done

    def _hint(self, name: str) -> str:
        """Tell who gave a name for an id which one it is, as far as the list that was read last says."""
        # On the wire six letters follow a name, as a rule.
        names = {voice: known.preferred_name for voice, known in self._known.items()}
        called = [voice for voice, its in names.items() if name in (its, its.rpartition("_")[0])]
        return f"its id is {called[-1]!r}" if called else ""

    def _note_deleted(self, voice: str, account: str) -> None:
        self._known.pop(voice, None)
        with self._shelf.store.transaction():
            voices.mark_deleted(self._shelf.store, account, voice)
            Intents(self._shelf.store).end(account, voice)
