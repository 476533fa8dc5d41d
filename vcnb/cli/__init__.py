"""The shell: the same workflows as in a notebook, one command each."""

from __future__ import annotations

__all__ = ["main"]


def main() -> int:
    """Run the command that the arguments name.

    Returns
    -------
    int
        Exit status, see `vcnb.cli.ending`.
    """
    from .app import run

    return run()
