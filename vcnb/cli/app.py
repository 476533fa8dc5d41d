"""Which commands there are, and how any of them ends."""

from __future__ import annotations

from typing import Any

import typer

from . import clips, service, voices
from .ending import CANCELLED, ended, fail
from .output import say

__all__ = ["app", "run"]

# Their root, whichever click this typer stands on.
ClickException: type[Exception] = typer.BadParameter.__mro__[2]

app = typer.Typer(
    name="vcnb",
    help="Clone, try out and compare voices. Without a key everything runs on the built-in practice service.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (
    service.lab,
    service.demo,
    clips.diagnose,
    clips.repair,
    voices.enroll,
    voices.voices,
    voices.delete,
    voices.speak,
    service.practice,
    service.doctor,
):
    app.command()(command)
app.command("test")(service.clone)


def run(arguments: list[str] | None = None) -> int:
    """Run a command.

    Parameters
    ----------
    arguments : list of str, optional
        Else those of the process.

    Returns
    -------
    int
        Exit status.
    """
    return ended(lambda: _called(arguments))


def _called(arguments: list[str] | None) -> int:
    try:
        # The command itself: calling the app would put typer's hook for tracebacks in the place of ours.
        status = typer.main.get_command(app).main(arguments, prog_name="vcnb", standalone_mode=False)
    except typer.Abort:
        raise KeyboardInterrupt from None
    except typer.Exit as end:
        return int(end.exit_code)
    except ClickException as error:
        fail(_complaint(error), f"{getattr(getattr(error, 'ctx', None), 'command_path', 'vcnb')} --help")
        return 2
    if status == CANCELLED:  # typer takes Ctrl-C for an answer
        fail("Stopped.", "")
    return status if isinstance(status, int) else 0


def _complaint(error: Any) -> str:
    """Say which command, argument or option is wrong or missing."""
    if "NoArgs" in type(error).__name__:  # its message is the help
        say(error.format_message() + "\n")
        return "A command is missing."
    return str(error.format_message())
