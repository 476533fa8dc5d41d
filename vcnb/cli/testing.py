"""How a clone is tested: style, types, tests and notebooks, with a browser where one can be had."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from vcnb.errors import SettingsError

from .output import say

__all__ = ["cleared", "find_browser", "run_tests"]

# The first rung of the ladder to a browser: what the user names, then what lies on PATH.
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge", "microsoft-edge")
# Where macOS and Windows keep what is not on PATH.
PLACES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
    r"%ProgramFiles%\Google\Chrome\Application\chrome.exe",
    r"%LocalAppData%\Google\Chrome\Application\chrome.exe",
    r"%ProgramFiles(x86)%\Microsoft\Edge\Application\msedge.exe",
)
# What extension modules say at the interpreter's end would come after pytest's summary, which has to be last.
PYTEST = "import os, sys, pytest; s = pytest.main(sys.argv[1:]); sys.stdout.flush(); sys.stderr.flush(); os._exit(s)"
# The figures that need nothing beside the clone, as `vcnb test --all` asks for them.
FIGURES = (
    ("speed",),
    ("library",),
    ("diagnosis", "--many", "100"),
    ("fuzz",),
    ("ledger", "--schedules", "500"),
    ("ledger", "--mutants"),
    ("ledger", "--kills", "20"),
    ("journeys", "--schedules", "500"),
    ("soak",),
    ("grid",),
    ("similarity",),
    ("sentinel", "--takes", "200", "--spoilt", "50"),
    ("listening",),
)
OWN = "from playwright.sync_api import sync_playwright as s\nwith s() as p: print(p.chromium.executable_path)"


def run_tests(root: Path, *, all_figures: bool = False) -> int:
    """Run all tests; pytest's summary is the last thing that is printed.

    Parameters
    ----------
    root : Path
        The clone.
    all_figures : bool
        Whether the long programme of figures runs too.

    Returns
    -------
    int
        0 only if everything passed.

    Raises
    ------
    SettingsError
        If this is no clone or the tests' packages are missing.
    """
    if not (root / "tests").is_dir():
        raise SettingsError(f"There are no tests beside {root}.", remedy="run it in a clone of the repository")
    missing = [name for name in ("pytest", "nbval", "mypy", "playwright") if importlib.util.find_spec(name) is None]
    if missing:
        raise SettingsError(
            f"The tests need {', '.join(missing)}.", remedy="run `python3 -m vcnb test` in the clone: it installs them"
        )
    surroundings = cleared(dict(os.environ))
    browser = find_browser()
    problem = ""
    if browser is None:
        problem = "NO BROWSER could be had: the tests of the panels are skipped"
        say(f"{'!' * 8} {problem} {'!' * 8}")
        say("  try: install Chromium or Chrome, or set VCNB_BROWSER to its path")
    else:
        say(f"browser: {browser}")
        surroundings["VCNB_BROWSER"] = browser
    if all_figures:  # a record that is named goes on, so that what needs recordings of one's own can be measured apart
        surroundings.setdefault("VCNB_FIGURES", str(Path(tempfile.mkdtemp(prefix="vcnb-figures-")) / "record"))
    failed = [tool for tool, command in _checks(all_figures) if _ran(tool, command, root, surroundings)]
    status = subprocess.call(
        [
            sys.executable,
            "-c",
            PYTEST,
            "-q",
            "-rs",
            "--nbval",
            "-n",
            "2",
            "--dist",
            "loadfile",
            "--no-loadscope-reorder",
            *_chosen(all_figures),
            "tests",
            "notebooks",
        ],
        cwd=root,
        env=surroundings,
    )
    if all_figures:
        command = [sys.executable, "tests/benchmarks/figures.py", surroundings["VCNB_FIGURES"]]
        status |= subprocess.call(command, cwd=root, env=surroundings)
    strict = os.environ.get("CI", "").lower() in ("1", "true") or os.environ.get("VCNB_REQUIRE_BROWSER") == "1"
    return status or int(bool(failed) or (bool(problem) and strict))


def cleared(surroundings: dict[str, str]) -> dict[str, str]:
    """Take out what could spend money or lead a test out of this machine: keys, addresses, proxies.

    Parameters
    ----------
    surroundings : dict
        Environment variables.

    Returns
    -------
    dict
        The others.
    """
    return {
        name: value
        for name, value in surroundings.items()
        if not (name.startswith("DASHSCOPE_") or name.lower().endswith("_proxy") or name == "VCNB_DATA")
    }


def find_browser() -> str | None:
    """Find a Chromium for the tests, or get one.

    Returns
    -------
    str or None
        Its path.
    """
    named = os.environ.get("VCNB_BROWSER")
    if named:
        return named
    found = _installed() or _playwrights()
    if found is None and _is_root() and shutil.which("apt-get"):
        say("no browser is here: installing Chromium with apt-get")
        if _quiet(["apt-get", "install", "-y", "--no-install-recommends", "chromium"]):
            _quiet(["apt-get", "update"])
            _quiet(["apt-get", "install", "-y", "--no-install-recommends", "chromium"])
        found = _installed()
    if found is None:
        say("no browser is here: asking Playwright for Chromium")
        _quiet([sys.executable, "-m", "playwright", "install", "chromium"])
        found = _playwrights()
    return found


def _installed() -> str | None:
    on_path = (shutil.which(name) for name in NAMES)
    places = (path for place in PLACES if os.path.isfile(path := os.path.expandvars(place)))
    return next((path for path in (*on_path, *places) if path), None)


def _playwrights() -> str | None:
    printed = subprocess.run([sys.executable, "-c", OWN], capture_output=True, text=True, check=False).stdout.strip()
    return printed if os.path.isfile(printed) else None


def _is_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0


def _quiet(command: list[str]) -> int:
    return subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode


def _checks(all_figures: bool) -> list[tuple[str, list[str]]]:
    figures = [
        (" ".join(words), [sys.executable, f"tests/benchmarks/{words[0]}.py", *words[1:]])
        for words in (FIGURES if all_figures else ())
    ]
    return [
        *figures,
        ("ruff check", [sys.executable, "-m", "ruff", "check", "."]),
        ("ruff format", [sys.executable, "-m", "ruff", "format", "--check", "vcnb", "tests"]),
        ("mypy", [sys.executable, "-m", "mypy"]),
    ]


def _ran(tool: str, command: list[str], root: Path, surroundings: dict[str, str]) -> bool:
    say(f"{tool} ...")
    failed = subprocess.call(command, cwd=root, env=surroundings, stdout=sys.stderr) != 0
    if failed:
        say(f"{'!' * 8} {tool} FAILED {'!' * 8}")
    return failed


def _chosen(all_figures: bool) -> list[str]:
    return [] if all_figures else ["-m", "not figures"]
