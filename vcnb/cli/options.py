"""What every command can be told, and how its words become an account."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from vcnb.workflow.account import Account

__all__ = ["BaseUrl", "Data", "Json", "Region", "connected"]

Region = Annotated[str | None, typer.Option(help="singapore, beijing or practice.", metavar="NAME")]
BaseUrl = Annotated[str | None, typer.Option(help="HTTP base of the service, ending in /api/v1.", metavar="URL")]
Data = Annotated[str | None, typer.Option(help="Folder of the library and of the practice service.", metavar="DIR")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document a line on stdout and nothing else.")]


def connected(region: str | None, base_url: str | None, data: str | None) -> Account:
    """Connect, and tell a person what was chosen for them.

    Parameters
    ----------
    region, base_url, data : str or None
        The options.
    """
    from vcnb.workflow.connecting import connect

    from .output import say

    account = connect(region, base_url=base_url, data=data)
    for note in account.notes:
        say(note)
    return account
