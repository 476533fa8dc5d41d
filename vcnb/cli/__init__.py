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
    import gc
    import os
    import sys

    from .diagnosing import judge_files, plainly_asked

    plain = plainly_asked(sys.argv[1:])
    if plain is not None:
        from .ending import ended

        # Before numpy is loaded: on one recording, threads of its algebra do nothing but wait for work.
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
        # A process of a second has no garbage, and to look for it took a tenth of a cold start.
        gc.disable()
        files, json = plain
        status = ended(lambda: judge_files(files, json=json))
        gc.freeze()
        return status
    from .app import run

    return run()
