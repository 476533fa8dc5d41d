"""What can be done from here: record, bring files, hear speech, reach the service, keep what was made."""

from __future__ import annotations

import importlib.util
import os
import shutil
import socket
import sys
from pathlib import Path
from urllib.parse import urlsplit

from vcnb.catalog import REGIONS
from vcnb.client.call import Call
from vcnb.client.dial import dial
from vcnb.client.wire import unreachable
from vcnb.errors import LibraryError, SettingsError
from vcnb.library.opening import open_store
from vcnb.library.store import FILE_NAME
from vcnb.settings import find_key, resolve

from .health import Item
from .uploading import BYTES_LIMIT, ROOM

__all__ = ["front_end", "key", "library", "microphone", "reached", "service", "space", "streaming", "upload"]

BYTES_WANTED = 1_000_000_000  # ours: an account of 1,000 recordings of 60 s
PATIENCE = 3.0  # seconds for the service's host to take a connection; ours
ASKED = "the browser asks when you press Record; it can on https and on this machine's own address"
FILES = "bring a file with vcnb.Uploader()"


def front_end() -> str:
    """Tell in what this kernel is seen: "colab", "vscode", "binder", "voila", "jupyter", or "" for a shell.

    Notes
    -----
    By what each puts into the kernel: Colab ``COLAB_RELEASE_TAG``, VS Code the name ``__vsc_ipynb_file__``, BinderHub
    ``BINDER_LAUNCH_HOST``, Voila ``SERVER_SOFTWARE``.
    """
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if shell is None:
        return ""
    if "COLAB_RELEASE_TAG" in os.environ:
        return "colab"
    if "__vsc_ipynb_file__" in shell.user_ns:
        return "vscode"
    if "BINDER_LAUNCH_HOST" in os.environ:
        return "binder"
    if os.environ.get("SERVER_SOFTWARE", "").startswith("voila"):
        return "voila"
    return "jupyter"


def microphone() -> Item:
    """Say whether a page can get at the microphone; for certain only the page knows, and its recorder says so."""
    where = front_end()
    if where == "vscode":  # github.com/microsoft/vscode/issues/119127, open in November 2026
        return Item("microphone", "note", "VS Code lets no notebook use one", f"{FILES}, or use JupyterLab: vcnb lab")
    if where == "colab":
        return Item("microphone", "note", f"{ASKED}; never tried in Colab", f"if it stays silent, {FILES}")
    if where == "binder":
        return Item("microphone", "ok", f"{ASKED}, and Binder is served over https")
    return Item("microphone", "ok", f"{ASKED}", "for a kernel on another machine, `ssh -L` its port to yours")


def upload(folder: Path) -> Item:
    """Say how much can be brought in."""
    found = f"{BYTES_LIMIT // 1_000_000} MB a file, in small pieces that no server's limit stops"
    free = shutil.disk_usage(_there(folder)).free
    if free < BYTES_LIMIT + ROOM:
        return Item("upload", "note", f"{found}; the disk has {free / 1e6:,.0f} MB", "make room")
    return Item("upload", "ok", found)


def streaming() -> Item:
    """Say which of the three ways of speaking can be used."""
    if importlib.util.find_spec("websocket") is None:
        return Item("streaming", "missing", "not live: websocket-client is not installed", "pip install --upgrade vcnb")
    return Item("streaming", "ok", "speech comes whole, streamed over HTTP, and live over a WebSocket")


def key() -> Item:
    """Say whether a key is found, and where; it is shown as its last letters and sent nowhere."""
    try:
        found = find_key(None)
    except SettingsError as error:
        return Item("key", "missing", error.message, error.remedy)
    if found is None:
        return Item("key", "ok", "none was found, and practising needs none")
    place = "DASHSCOPE_API_KEY" if os.environ.get("DASHSCOPE_API_KEY") else "the SDK's key file"
    return Item("key", "ok", f"found in {place}, {found}; it is not tried out here")


def service(region: str | None, base_url: str | None, data: str | os.PathLike[str] | None) -> Item:
    """Say where requests would go, and whether somebody is there; nothing is sent but the greeting of the line."""
    try:
        chosen, base, _, _ = resolve(region, base_url=base_url, data=data)
    except SettingsError as error:
        return Item("service", "missing", error.message, error.remedy)
    if chosen == "practice" and not base:
        return Item("service", "ok", "region 'practice', on this machine: nothing leaves it")
    base = base or REGIONS[chosen].http_base
    found = f"region {chosen!r} at {base}"
    trouble = reached(base)
    if trouble:
        remedy = unreachable(urlsplit(base).hostname, trouble, region=chosen).remedy
        return Item("service", "missing", f"{found}: {trouble}", remedy)
    billed = "" if chosen == "practice" else "; what is made there is billed"
    return Item("service", "ok", f"{found} can be reached{billed}")


def reached(base_url: str) -> str:
    """Open a line to an address and close it again.

    Parameters
    ----------
    base_url : str
        HTTP base.

    Returns
    -------
    str
        "" where somebody took it, else why not.
    """
    address = urlsplit(base_url.replace("http", "ws", 1))
    with Call(PATIENCE) as call:
        line = dial(address, call)
        if isinstance(line, socket.socket):
            line.close()
            return ""
        return line


def library(folder: Path) -> Item:
    """Say what is kept, and whether it can be used; it is not made here."""
    if not (folder / FILE_NAME).is_file():
        return Item("library", "ok", "empty; it is made with the first recording or voice")
    try:
        store = open_store(folder)
    except LibraryError as error:
        return Item("library", "missing", error.message, error.remedy)
    try:
        counts = [store.rows(f"SELECT count(*) FROM {table}")[0][0] for table in ("voices", "clips", "takes")]  # noqa: S608
    finally:
        store.close()
    voices, clips, takes = (f"{n:,} {name}" for n, name in zip(counts, ("voices", "recordings", "takes"), strict=True))
    return Item("library", "ok", f"{voices}, {clips}, {takes}" + "".join(f"; {note}" for note in store.notes))


def space(folder: Path) -> Item:
    """Say where things are kept, and how much room is left."""
    there = _there(folder)
    if not there.is_dir() or not os.access(there, os.W_OK):
        return Item("data folder", "missing", f"{folder} cannot be written", "set VCNB_DATA, or pass data=")
    free = shutil.disk_usage(there).free
    found = f"{folder}, {free / 1e9:.1f} GB free"
    if free < BYTES_WANTED:
        return Item("data folder", "note", found, "make room: recordings and speech are kept there")
    return Item("data folder", "ok", found)


def _there(folder: Path) -> Path:
    """Find the nearest folder that exists."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder
