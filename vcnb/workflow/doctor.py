"""What works on this machine and what does not, in plain words."""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
import sys
from importlib import metadata
from pathlib import Path

from vcnb.catalog import LANGUAGES
from vcnb.errors import VcnbError
from vcnb.practice.rules import NOT_CHECKED
from vcnb.settings import data_folder

from . import abilities
from .health import Health, Item

__all__ = ["doctor"]

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


def doctor(
    region: str | None = None, *, base_url: str | None = None, data: str | os.PathLike[str] | None = None
) -> Health:
    """Look at everything that vcnb stands on and at what can be done from here; nothing is started.

    Where requests would go to a region of the service, a line to it is opened and closed again: no key, no word.

    Parameters
    ----------
    region : str, optional
        As for :func:`vcnb.connect`.
    base_url : str, optional
        As for :func:`vcnb.connect`.
    data : path, optional
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
            _notebooks(),
            _browser(),
            abilities.microphone(),
            abilities.upload(folder),
            abilities.streaming(),
            abilities.key(),
            abilities.service(region, base_url, data),
            abilities.library(folder),
            abilities.space(folder),
            *_engines(),
            _practice(folder / "practice"),
            Item("practice service", "note", f"does not check: {'; '.join(NOT_CHECKED)}"),
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
