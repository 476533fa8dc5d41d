"""Which service an account talks to, and with which key; the practice service is started where it is needed."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from vcnb.errors import SettingsError
from vcnb.settings import Secret, Settings, resolve

if TYPE_CHECKING:
    from vcnb.practice.launch import Running

__all__ = ["choose"]


def choose(
    region: str | None,
    *,
    api_key: str | Secret | None,
    base_url: str | None,
    workspace: str | None,
    data: str | os.PathLike[str] | None,
) -> tuple[Settings, Running | None, tuple[str, ...]]:
    """Decide where requests go; for the practice service hold it open.

    Parameters
    ----------
    region, api_key, base_url, workspace, data
        See :func:`vcnb.connect`.

    Returns
    -------
    tuple
        Settings, the practice service that is kept alive or None, and what a person should know about the choice.

    Raises
    ------
    SettingsError
        See :func:`vcnb.connect`.
    ServiceUnreachableError
        If the practice service cannot be started.
    """
    from vcnb.practice import launch  # with it comes a web server, which a key to the hosted service does not need

    found, base, key, folder = resolve(region, api_key=api_key, base_url=base_url, data=data)
    running = None
    notes: tuple[str, ...] = ()
    if base is None:
        running = launch.ensure(folder / "practice")
        base, key = running.base_url, running.api_key
        if region is None:
            notes = ("No key was found, so this is the practice service: nothing is spent.",)
    elif found == "practice" and api_key is None:
        # The folder's own service has the key in its file; a key of the hosted service is the last resort.
        running = launch.find(folder / "practice", base_url=base)
        key = running.api_key if running else key
    if key is None:
        raise SettingsError(
            f"The practice service at {base} asks for its key.",
            remedy="pass api_key= as that service printed it, or leave out base_url",
        )
    return Settings(found, base, key, workspace, folder), running, notes
