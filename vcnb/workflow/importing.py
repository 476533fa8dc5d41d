"""How a library that was carried away comes into this one."""

from __future__ import annotations

import os
from pathlib import Path

from vcnb.library.importing import Imported, read_import
from vcnb.library.opening import open_store
from vcnb.settings import data_folder

__all__ = ["import_library"]


def import_library(path: str | os.PathLike[str], *, data: str | os.PathLike[str] | None = None) -> Imported:
    """Take in what ``account.export(path)`` wrote; what is known here stays, and nothing is sent.

    Parameters
    ----------
    path : path
        The zip.
    data : path, optional
        Folder of the library; else ``VCNB_DATA``, else the platform's.

    Returns
    -------
    Imported
        How many voices, takes and sounds it holds, and how many of them are new here.

    Raises
    ------
    LibraryError
        If any file in it is not what its manifest says, names a place outside, or would unpack to far too much; the
        file is named, and nothing is written.
    """
    store = open_store(data_folder(data))
    try:
        return read_import(store, Path(os.path.expanduser(os.fsdecode(path))))
    finally:
        store.close()
