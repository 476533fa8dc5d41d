"""The practice service as a process of its own, as `launch.ensure` starts it: FOLDER [ENGINE]."""

from __future__ import annotations

import os
import sqlite3
import sys
from pathlib import Path

from vcnb.errors import VcnbError

from .launch import TAKEN_STATUS, run
from .register import AlreadyRunningError


def main(folder: str, engine: str | None = None) -> int:
    """Serve until the last user has gone.

    Parameters
    ----------
    folder : str
        Where the account lives.
    engine : str, optional
        "tone" or "practice".

    Returns
    -------
    int
        Exit status: 0 at the end of its life, 75 where another one has the folder, 1 where it could not start.
    """
    try:
        run(Path(folder), engine=engine, stay=False)
    except AlreadyRunningError:
        return TAKEN_STATUS
    except (VcnbError, OSError, sqlite3.Error) as error:
        message = error.message if isinstance(error, VcnbError) else f"{type(error).__name__}: {error}"
        sys.stderr.write(f"{os.getpid()}: {message}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
