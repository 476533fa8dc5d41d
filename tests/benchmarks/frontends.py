"""Walks through the Studio in several front ends, each in an environment of its own, with the kernel of this one.

    python tests/benchmarks/frontends.py [jupyterlab-4.4] [jupyterlab-4.6] [notebook-7] [voila]

Installs each front end into a temporary environment (from the package index, a few hundred MB), uploads a recording,
enrolls it and hears it, as `newcomer.py` does. Prints what each took and what it complained of; exits 1 where one did
not come through.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import shutil
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path
from typing import Any

from newcomer import BROWSER_TESTS, to_a_voice

sys.path.insert(0, str(BROWSER_TESTS))

from figures import record
from harness import FLAGS, WAIT_MS, axe_violations, find_browser, running_lab
from listening import heard, listen
from playwright.sync_api import TimeoutError, sync_playwright
from walking import SHOW

import vcnb

# name -> what is installed, the server that is started, and where its pages lie.
FRONT_ENDS = {
    "jupyterlab-4.4": ("jupyterlab==4.4.*", "jupyterlab", "lab/tree"),
    "jupyterlab-4.6": ("jupyterlab==4.6.*", "jupyterlab", "lab/tree"),
    "notebook-7": ("notebook==7.*", "notebook", "notebooks"),
    "voila": ("voila==0.5.*", "jupyterlab", "voila/render"),
}
# What shows the panels lies beside the front end, not beside the kernel.
BESIDE = ("anywidget>=0.11", "jupyterlab_widgets>=3", "ipykernel", "jupyterlab")
NOTEBOOK = "studio.ipynb"
SECONDS_HEARD = 3.0  # a greeting is longer
MOST_PRESSES = 4
QUIET_MS = 2_000  # of the loudspeaker: it has ended


def environment(folder: Path, wanted: str) -> Path:
    """Make an environment with a front end whose kernel is this one, and give its Python."""
    venv.create(folder, with_pip=shutil.which("uv") is None)
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    install = (
        ["uv", "pip", "install", "-q", "--python"]
        if shutil.which("uv")
        else [str(python), "-m", "pip", "install", "-q"]
    )
    subprocess.run([*install, *([str(python)] if install[0] == "uv" else []), wanted, *BESIDE], check=True)
    kernel = folder / "share" / "jupyter" / "kernels" / "python3" / "kernel.json"
    kernel.parent.mkdir(parents=True, exist_ok=True)
    kernel.unlink(missing_ok=True)  # uv links files to its cache: to write into one would change every environment
    command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    kernel.write_text(json.dumps({"argv": command, "display_name": "Python 3", "language": "python"}))
    return python


def write_notebook(path: Path) -> None:
    cell = {"cell_type": "code", "id": "one", "metadata": {}, "execution_count": None, "outputs": [], "source": SHOW}
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    path.write_text(json.dumps({"cells": [cell], "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}))


def walk_through(page: Any, address: str, *, runs_by_itself: bool) -> dict[str, Any]:
    """Upload, enroll and hear: what a newcomer does first."""
    complaints: list[str] = []
    page.on("console", lambda message: message.type == "error" and complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(address, timeout=WAIT_MS)
    panel = page.locator(".vcnb").filter(has=page.locator(".vc-studio")).first
    for _ in range(1 if runs_by_itself else MOST_PRESSES):  # a key that comes before the kernel is lost
        if not runs_by_itself:
            page.locator(".jp-Notebook .jp-Cell").first.click()
            page.keyboard.press("Control+Enter")
        with contextlib.suppress(TimeoutError):
            panel.wait_for(timeout=WAIT_MS if runs_by_itself else WAIT_MS / MOST_PRESSES)
            break
    listen(page)
    to_a_voice(page, panel, vcnb.samples()["kathleen_en"])
    n_blocks = -1
    while n_blocks != (n_blocks := page.evaluate("() => globalThis.heard.length")):
        page.wait_for_timeout(QUIET_MS)
    # The order of headings is the whole page's, and no rule of WCAG.
    found = [each for each in axe_violations(panel) if not each.startswith("heading-order")]
    return {
        "heard_s": round(float((abs(heard(page)) > 0).sum()) / 24_000, 1),
        "axe": found,
        "sticks_out_px": panel.evaluate("node => node.scrollWidth - node.clientWidth"),
        "console": complaints,
    }


def tried(name: str, folder: Path, browser_path: str) -> bool:
    """Try one front end; say what came of it."""
    wanted, server, tree = FRONT_ENDS[name]
    began = time.monotonic()
    python = environment(folder / "environment", wanted)
    package = wanted.split("==")[0]
    asked = [python, "-c", f"import importlib.metadata as found; print(found.version({package!r}))"]
    version = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
    installed = time.monotonic()
    with running_lab(folder / "lab", python=str(python), app=server) as base, sync_playwright() as playwright:
        write_notebook(folder / "lab" / "work" / NOTEBOOK)
        browser = playwright.chromium.launch(executable_path=browser_path, args=FLAGS)
        try:
            page = browser.new_page(viewport={"width": 1000, "height": 1400})
            told = walk_through(page, f"{base}/{tree}/{NOTEBOOK}", runs_by_itself=name == "voila")
        finally:
            browser.close()
    took = {"install_s": round(installed - began), "walk_s": round(time.monotonic() - installed)}
    sys.stdout.write(f"{name}: {json.dumps({'version': version} | took | told)}\n")
    return told["heard_s"] >= SECONDS_HEARD and not told["axe"] and told["sticks_out_px"] <= 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", choices=[*FRONT_ENDS, []], help="all, where none is named")
    names = parser.parse_args().names or list(FRONT_ENDS)
    browser_path = find_browser()
    results = []
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            results.append(tried(name, Path(folder), browser_path))
    record("studio.front_ends", all(results), ", ".join(names))
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
