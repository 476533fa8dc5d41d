"""Which service an account talks to, and with which key; the practice service runs while it is needed."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import requests

from vcnb.client.call import Call
from vcnb.client.wire import BEHIND, once, reason_of, stop_reason, unreachable
from vcnb.errors import SettingsError
from vcnb.protocol.envelope import FOLDER_HEADER
from vcnb.settings import Secret, Settings, resolve

if TYPE_CHECKING:
    from pathlib import Path

    from vcnb.practice.launch import Running

__all__ = ["Connection", "choose"]

PATIENCE = 10.0  # seconds for a practice service to say whose it is; ours


class Connection:
    """Where requests go; a practice service is held open, and started again where it was ended.

    Parameters
    ----------
    settings : Settings
        Address and key.
    running : Running, optional
        The practice service of the folder, kept alive.
    """

    def __init__(self, settings: Settings, running: Running | None = None) -> None:
        self._settings, self._running = settings, running
        self._lock = threading.Lock()
        self._folder_id: str | None = None

    @property
    def settings(self) -> Settings:
        """Address and key as they are now: a service that was killed is another process with the same voices.

        Raises
        ------
        ServiceUnreachableError
            If the practice service cannot be started again.
        """
        with self._lock:
            if self._running is not None and not self._running.alive():
                self._running.release()
                self._settings, self._running = _practice(self._settings.data, self._settings.workspace)
            return self._settings

    def folder_id(self) -> str:
        """Tell which folder a practice service works in: that is its account, whatever the key.

        Raises
        ------
        ServiceUnreachableError
            If it does not answer.
        """
        settings = self.settings
        with self._lock:
            if self._running is not None:
                return self._running.folder_id
            if self._folder_id is None:
                self._folder_id = _folder_of(settings)
            return self._folder_id

    def close(self) -> None:
        """Let go of the practice service, which ends with its last user."""
        with self._lock:
            if self._running is not None:
                self._running.release()
                self._running = None


def choose(
    region: str | None,
    *,
    api_key: Secret | None,
    base_url: str | None,
    workspace: str | None,
    data: str | os.PathLike[str] | None,
) -> tuple[Connection, tuple[str, ...]]:
    """Decide where requests go; for the practice service hold it open.

    Parameters
    ----------
    region, api_key, base_url, workspace, data
        See :func:`vcnb.connect`.

    Returns
    -------
    tuple
        The connection, and what a person should know about the choice.

    Raises
    ------
    SettingsError
        See :func:`vcnb.connect`.
    ServiceUnreachableError
        If the practice service cannot be started.
    """
    found, base, key, folder = resolve(region, api_key=api_key, base_url=base_url, data=data)
    if base is None:
        notes = ("No key was found, so this is the practice service: nothing is spent.",) if region is None else ()
        return Connection(*_practice(folder, workspace)), notes
    if found == "practice" and api_key is None:
        from vcnb.practice import launch

        # The folder's own service has the key in its file; a key of the hosted service is the last resort.
        running = launch.find(folder / "practice", base_url=base)
        if running is not None:
            return Connection(Settings(found, base, running.api_key, workspace, folder), running), ()
    if key is None:
        raise SettingsError(
            f"The practice service at {base} asks for its key.",
            remedy="pass api_key= as that service printed it, or leave out base_url",
        )
    return Connection(Settings(found, base, key, workspace, folder)), ()


def _practice(folder: Path, workspace: str | None) -> tuple[Settings, Running]:
    from vcnb.practice import launch  # with it comes a web server, which a key to the hosted service does not need

    running = launch.ensure(folder / "practice")
    return Settings("practice", running.base_url, running.api_key, workspace, folder), running


def _folder_of(settings: Settings) -> str:
    where = settings.base_url.removesuffix("/api/v1") + "/practice/health"
    host, call, named, failed = urlsplit(where).hostname, Call(PATIENCE), "", ""
    # No key goes there: every answer names the folder, a refusal too.
    with call, once(call, host=host, key=None) as session:
        try:
            with session.get(where, stream=True, timeout=PATIENCE + BEHIND) as answer:
                named = answer.headers.get(FOLDER_HEADER, "")
        except requests.RequestException as error:
            failed = reason_of(error)
    if call.stopped or failed:  # a line that was shut looks like the end of the headers
        raise unreachable(host, stop_reason(call) if call.stopped else failed, region="practice")
    # Another program that speaks the protocol on this machine has no folder: its address is its account.
    return named or f"at-{settings.base_url}"
