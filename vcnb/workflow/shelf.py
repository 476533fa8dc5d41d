"""Which part of the library belongs to this account, found out when it is first needed."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterable

from vcnb.client.enrollment import EnrollmentClient
from vcnb.errors import SettingsError
from vcnb.library.accounts import (
    Place,
    account_of_practice,
    accounts_at,
    accounts_of_voice,
    merge,
    new_account,
    recognise,
)
from vcnb.library.opening import open_store
from vcnb.library.store import Store
from vcnb.library.voices import see
from vcnb.protocol.voice import Voice

from .connection import Connection

__all__ = ["Shelf"]


class Shelf:
    """The library, as one account sees it; safe for threads.

    Parameters
    ----------
    connection : Connection
        Whose account.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._lock = threading.RLock()
        self._store: Store | None = None
        self._account: str | None = None

    @property
    def store(self) -> Store:
        """The library of the data folder, opened when it is first asked for.

        Raises
        ------
        LibraryError
            If it cannot be opened.
        """
        with self._lock:
            if self._store is None:
                self._store = open_store(self._connection.settings.data)
                weakref.finalize(self, self._store.close)
            return self._store

    @property
    def place(self) -> Place:
        """Region and workspace."""
        settings = self._connection.settings
        return Place(settings.region, "" if settings.region == "practice" else settings.workspace or "")

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person should know about the place of the library; nothing before it was opened."""
        with self._lock:
            return self._store.notes if self._store is not None else ()

    def account(self, listed: Iterable[Voice] | None = None) -> str:
        """Tell the account; a hosted one is recognised by its list of voices.

        Parameters
        ----------
        listed : iterable of Voice, optional
            The whole list, where the caller has just read it; it is remembered.

        Returns
        -------
        str
            Its id in the library.

        Raises
        ------
        SettingsError
            If it is unclear which account the key belongs to: the user has to say so, once.
        LibraryError
            If the library cannot be used.
        ServiceError, ServiceUnreachableError
            If the list had to be read.
        """
        with self._lock:
            if self._account is None:
                if self.place.region == "practice":
                    self._account = account_of_practice(self.store, self._connection.folder_id())
                else:
                    listed = self._listed(listed)
                    self._account = recognise(self.store, self.place, {voice.voice for voice in listed})
            if self._account is None:
                raise self._unclear()
            if listed is not None:
                see(self.store, self._account, listed)
            return self._account

    def account_of(self, voice: Voice) -> str:
        """Tell the account before it speaks with a voice, without asking the service where nothing is in doubt.

        Raises
        ------
        SettingsError
            If the voice belongs to another account or workspace.
        VcnbError
            As `account`.
        """
        with self._lock:
            place = self.place
            here = self.refuse_stranger(voice)
            if self._account is None and place.region != "practice":
                with self.store.transaction():  # two notebooks that begin at once are one account
                    candidates = accounts_at(self.store, place)
                    new = None if candidates else new_account(self.store, place)
                self._account = new
                if new is None and here == candidates:
                    return candidates[0]  # the only account there is here, and it knows the voice
            account = self.account()
            if account not in here:
                if here:
                    raise _elsewhere(voice, place)
                see(self.store, account, [voice])
            return account

    def certain_account_of(self, voice: Voice) -> str:
        """Tell the account before anything of it is removed or paid again: by its list, where it has to be asked.

        Raises
        ------
        VcnbError
            As `account_of`.
        """
        with self._lock:
            self.refuse_stranger(voice)
            account = self.account()
            self.refuse_stranger(voice)
            return account

    def refuse_stranger(self, voice: Voice) -> list[str]:
        """Refuse a voice that is known to live elsewhere; give the accounts of this place that know it.

        Raises
        ------
        SettingsError
            If it belongs to another account or workspace, as far as that is known without asking.
        """
        with self._lock:
            homes = accounts_of_voice(self.store, voice.voice)
            here = [home for home, its in homes.items() if its == self.place]
            known = self._account
            if self.place.region == "practice" and known is None and homes:
                known = self.account()
            if (homes and not here) or (here and known is not None and known not in here):
                raise _elsewhere(voice, next(iter(homes.values())))
            return here

    def is_deleted(self, voice: Voice) -> bool:
        """Say whether a voice is known to be gone at the service."""
        rows = self.store.rows("SELECT deleted_at FROM voices WHERE voice = ?", voice.voice)
        return bool(rows) and all(row["deleted_at"] for row in rows)

    def belongs_to(self, voice: str | None) -> str:
        """Take the user's word for which account this is.

        Parameters
        ----------
        voice : str or None
            Any voice that the account had; None for an account that was never seen here.

        Returns
        -------
        str
            Its id in the library.

        Raises
        ------
        SettingsError
            If no account of this region and workspace had such a voice.
        """
        with self._lock:
            listed = self._listed(None)
            if voice is None:
                self._account = new_account(self.store, self.place)
            else:
                homes = accounts_of_voice(self.store, voice)
                here = [home for home, its in homes.items() if its == self.place]
                if not here:
                    raise SettingsError(
                        f"No account of region {self.place.region!r} that is known here had a voice {voice!r}.",
                        remedy="name one that it had, or None if this account is new here",
                    )
                for other in here[1:]:
                    merge(self.store, other, into=here[0])
                self._account = here[0]
            see(self.store, self._account, listed)
            return self._account

    def close(self) -> None:
        """Close the file; it is opened again if it is needed again."""
        with self._lock:
            if self._store is not None:
                self._store.close()
                self._store = None

    def _listed(self, listed: Iterable[Voice] | None) -> list[Voice]:
        return list(listed) if listed is not None else EnrollmentClient(self._connection.settings).list_voices()

    def _unclear(self) -> SettingsError:
        known = accounts_at(self.store, self.place)
        query = "SELECT voice FROM voices WHERE account = ? AND deleted_at IS NULL ORDER BY created_at DESC LIMIT 1"
        newest = [row["voice"] for row in (self.store.row(query, account) for account in known) if row is not None]
        named = f", as {' or '.join(newest)}" if newest else ""
        return SettingsError(
            f"It is unclear whose key this is: its account holds no voice of the {len(known)} known here{named}.",
            remedy="say it once: account.belongs_to(VOICE) with a voice that this account had, or "
            "account.belongs_to(None) if it is another one; nothing was sent but the list",
        )


def _elsewhere(voice: Voice, place: Place) -> SettingsError:
    where = f"another account in {place.region!r}" + (f", workspace {place.workspace!r}" if place.workspace else "")
    return SettingsError(
        f"{voice.voice} belongs to {where}; this account cannot use it.",
        remedy="connect to that account, or enroll the recording here too",
    )
