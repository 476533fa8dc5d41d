"""How a person gets an account: with a key, or without one."""

from __future__ import annotations

import os

from vcnb.settings import Secret, sealed

from .account import Account
from .connection import choose
from .money import Purse

__all__ = ["connect"]


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
    api_key = sealed(api_key)
    purse = Purse(spend_limit)
    connection, notes = choose(region, api_key=api_key, base_url=base_url, workspace=workspace, data=data)
    account = Account(connection, purse, notes=notes)
    account.take_up()
    return account
