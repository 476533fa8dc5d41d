"""What works on this machine and what does not, in plain words."""

from __future__ import annotations

import html
import importlib.util
import os
import platform
import shutil
import sys
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

from vcnb.catalog import LANGUAGES
from vcnb.errors import SettingsError, VcnbError
from vcnb.practice.rules import NOT_CHECKED
from vcnb.settings import data_folder, find_key, resolve

__all__ = ["Health", "Item", "doctor"]

State = Literal["ok", "note", "missing"]

# Import name -> what a person misses without it.
NEEDED = {
    "av": "reading sound",
    "soxr": "resampling",
    "pyworld": "pitch",
    "requests": "enrollment",
    "dashscope": "speech",
    "aiohttp": "the practice service",
    "pandas": "tables",
    "matplotlib": "pictures",
    "librosa": "features",
    "anywidget": "panels",
}
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "msedge", "firefox")
BYTES_WANTED = 1_000_000_000  # ours: an account of 1,000 recordings of 60 s


@dataclass(frozen=True)
class Item:
    """One thing that was looked at.

    Parameters
    ----------
    name : str
        What.
    state : {"ok", "note", "missing"}
        Works, is good to know, or does not work.
    found : str
        What was found.
    remedy : str
        What to do, empty where nothing has to be done.
    """

    name: str
    state: State
    found: str
    remedy: str = ""


@dataclass(frozen=True, repr=False)
class Health:
    """What `doctor` found.

    Parameters
    ----------
    items : tuple of Item
        In the order of looking.
    """

    items: tuple[Item, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing is missing."""
        return all(item.state != "missing" for item in self.items)

    def to_dict(self) -> dict[str, Any]:
        """Give it as plain values, ready for JSON."""
        return {"ok": self.ok, "items": [asdict(item) for item in self.items]}

    def __repr__(self) -> str:
        lines = []
        for item in self.items:
            lines.append(f"{item.state:7}  {item.name}: {item.found}")
            if item.remedy:
                lines.append(f"{'':7}    try: {item.remedy}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        cells = [[item.state, item.name, item.found, item.remedy] for item in self.items]
        rows = "".join(f"<tr>{''.join(f'<td>{html.escape(each)}</td>' for each in row)}</tr>" for row in cells)
        heads = "".join(f'<th scope="col">{each}</th>' for each in ("state", "what", "found", "what to do"))
        return f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"


def doctor(
    region: str | None = None, *, base_url: str | None = None, data: str | os.PathLike[str] | None = None
) -> Health:
    """Look at everything that vcnb stands on; nothing is sent and nothing is started.

    Parameters
    ----------
    region, base_url, data
        As for :func:`vcnb.connect`.

    Returns
    -------
    Health
        Shows itself; ``.items`` as data.
    """
    folder = data_folder(data)
    return Health(
        (
            _python(),
            *_packages(),
            *_engines(),
            _notebooks(),
            _browser(),
            _service(region, base_url, data),
            _folder(folder),
            _practice(folder / "practice"),
            *(Item("practice service", "note", f"does not check: {each}") for each in NOT_CHECKED),
        )
    )


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


def _there(*modules: str) -> bool:
    return all(importlib.util.find_spec(module) is not None for module in modules)


def _python() -> Item:
    return Item("Python", "ok", f"{platform.python_version()} on {platform.system()} {platform.machine()}")


def _packages() -> list[Item]:
    missing = [name for name in NEEDED if not _there(name)]
    if missing:
        lost = ", ".join(f"{name} ({NEEDED[name]})" for name in missing)
        return [Item("packages", "missing", f"not installed: {lost}", "pip install --upgrade vcnb")]
    versions = ", ".join(f"{name} {_version(name)}" for name in ("dashscope", "librosa", "numpy", "anywidget"))
    return [Item("packages", "ok", f"vcnb {_version('vcnb') or 'not installed'}, {versions}")]


def _engines() -> list[Item]:
    """Say which languages the practice voice speaks with what is installed here, and what adds the others."""
    espeak, dictionary, hibari = _there("espeakng_loader"), _there("lindera"), _there("onnxruntime", "hibari")
    spoken = [code for code in LANGUAGES if (code == "en" and hibari) or espeak]
    by = [f"English by hibari-tts {_version('hibari-tts')}"] if hibari else []
    by += [f"{'the others' if hibari else 'all'} by espeak-ng (espeakng-loader {_version('espeakng-loader')})"] * espeak
    names = ", ".join(LANGUAGES[code] for code in spoken)
    missing = ", ".join(name for code, name in LANGUAGES.items() if code not in spoken)
    extra = "" if espeak and dictionary else "pip install 'vcnb[practice]'"
    if not spoken:
        return [Item("practice voice", "missing", "speaks no language: neither hibari-tts nor espeak-ng", extra)]
    found = f"speaks {names}: {', '.join(by)}"
    if missing:
        return [Item("practice voice", "note", f"{found}; it does not speak {missing}", extra)]
    items = [Item("practice voice", "ok", found)]
    if not hibari:
        mac = sys.platform == "darwin" and not _there("onnxruntime")
        why = "there is no onnxruntime for this Mac with Python 3.14" if mac else "hibari-tts is not installed"
        items.append(Item("practice voice, English", "note", f"speaks less clearly: {why}"))
    if not dictionary:
        items.append(Item("practice voice, Japanese", "note", "no dictionary: it is read from kana only", extra))
    return items


def _notebooks() -> Item:
    lab = _version("jupyterlab")
    front = [Path(sys.prefix, "share", "jupyter", "labextensions", each) for each in ("anywidget", "@jupyter-widgets")]
    if not lab:
        return Item(
            "JupyterLab",
            "note",
            "not in this environment; panels run wherever ipywidgets do",
            "pip install 'vcnb[lab]'",
        )
    absent = [path.name for path in front if not path.is_dir()]
    if absent:
        return Item(
            "JupyterLab",
            "note",
            f"{lab}; its extension {', '.join(absent)} is not under {sys.prefix}",
            "if panels stay empty, install vcnb where JupyterLab is installed",
        )
    return Item("JupyterLab", "ok", f"{lab}, with the widgets' extension")


def _browser() -> Item:
    named = os.environ.get("VCNB_BROWSER")
    if named and not Path(named).is_file():
        return Item("browser", "missing", f"VCNB_BROWSER names {named}, which is no file", "correct or unset it")
    found = named or next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if found or sys.platform in ("win32", "darwin"):
        return Item("browser", "ok", found or "the system's own")
    return Item("browser", "note", "none on this machine", "open the address that `vcnb lab` prints from another one")


def _service(region: str | None, base_url: str | None, data: str | os.PathLike[str] | None) -> Item:
    try:
        chosen, base, _, _ = resolve(region, base_url=base_url, data=data)
        key = find_key(None)
    except SettingsError as error:
        return Item("service", "missing", error.message, error.remedy)
    where = f"region {chosen!r}" + (f" at {base}" if base else "")
    if chosen == "practice":
        held = "a key is set and not used" if key else "no key was found, none is needed"
        return Item("service", "ok", f"{where}; {held}")
    return Item("service", "ok", f"{where}; a key was found, it is not tried out here; what is made there is billed")


def _folder(folder: Path) -> Item:
    there = folder
    while not there.exists() and there != there.parent:
        there = there.parent
    if not there.is_dir() or not os.access(there, os.W_OK):
        return Item("data folder", "missing", f"{folder} cannot be written", "set VCNB_DATA, or pass data=")
    free = shutil.disk_usage(there).free
    found = f"{folder}, {free / 1e9:.1f} GB free"
    if free < BYTES_WANTED:
        return Item("data folder", "note", found, "make room: recordings and speech are kept there")
    return Item("data folder", "ok", found)


def _practice(folder: Path) -> Item:
    from vcnb.practice import launch

    try:
        running = launch.find(folder)
    except (VcnbError, OSError) as error:
        return Item("practice service", "note", str(error).splitlines()[0], "vcnb.connect starts it again")
    if running is None:
        return Item("practice service", "ok", "not running; it is started when it is first needed")
    where = running.base_url
    running.release()
    return Item("practice service", "ok", f"running at {where}")
