"""Walks through the Studio in several front ends, each in an environment of its own, with the kernel of this one.

    python tests/benchmarks/frontends.py [jupyterlab-4.4] [jupyterlab-4.6] [notebook-7]

Installs each front end into a temporary environment (from the package index, a few hundred MB), uploads a recording,
enrolls it, hears it and saves. Prints what each took and what it complained of; exits 1 where one did not come through.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path
from typing import Any

BROWSER_TESTS = Path(__file__).parents[1] / "browser"
sys.path.insert(0, str(BROWSER_TESTS))

from harness import FLAGS, Notebook, axe_violations, find_browser, running_lab
from listening import listen
from playwright.sync_api import sync_playwright
from walking import SHOW, Walk

import vcnb

# name -> what is installed, the module that is started, and where its pages lie.
FRONT_ENDS = {
    "jupyterlab-4.4": ("jupyterlab==4.4.*", "jupyterlab", "lab/tree"),
    "jupyterlab-4.6": ("jupyterlab==4.6.*", "jupyterlab", "lab/tree"),
    "notebook-7": ("notebook==7.*", "notebook", "notebooks"),
}
# What shows the panels lies beside the front end, not beside the kernel.
BESIDE = ("anywidget>=0.11", "jupyterlab_widgets>=3", "ipykernel")


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


def walk_through(page: Any, base: str, tree: str, folder: Path) -> dict[str, Any]:
    """Upload, enroll, hear and save: what a newcomer does first."""
    book = Notebook(page, base, folder / "work" / "studio.ipynb", tree=tree)
    listen(page)
    panel = book.show(SHOW)
    panel.get_by_role("button", name="Service Practice").wait_for()
    walk = Walk(book, panel)
    with page.expect_file_chooser() as chooser:
        walk.press(walk.button("Upload", exact=True))
    chooser.value.set_files(vcnb.samples()["kathleen_en"])
    walk.checked()
    walk.press(walk.onward("Enroll"))
    walk.agree(live=False)
    walk.enroll(1)
    walk.press(walk.onward("Hear"))
    walk.wait("bool(studio.speech)")
    played = walk.sounded()
    # The order of headings is the whole page's, and no rule of WCAG.
    found = [each for each in axe_violations(panel) if not each.startswith("heading-order")]
    return {
        "heard_s": round(float((abs(played) > 0).sum()) / 24_000, 1),
        "spoken_s": round(book.value("studio.speech.duration"), 1),
        "axe": found,
        "sticks_out_px": panel.evaluate("node => node.scrollWidth - node.clientWidth"),
        "saved_bytes": len(book.saved()),
        "console": book.errors,
    }


def tried(name: str, folder: Path, browser_path: str) -> bool:
    """Try one front end; say what came of it."""
    wanted, app, tree = FRONT_ENDS[name]
    began = time.monotonic()
    python = environment(folder / "environment", wanted)
    version = subprocess.run(
        [python, "-c", f"import {app}; print({app}.__version__)"], capture_output=True, text=True, check=True
    )
    installed = time.monotonic()
    with running_lab(folder / "lab", python=str(python), app=app) as base, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=FLAGS)
        try:
            told = walk_through(browser.new_page(viewport={"width": 1000, "height": 1400}), base, tree, folder / "lab")
        finally:
            browser.close()
    done = time.monotonic()
    told = {
        "version": version.stdout.strip(),
        "install_s": round(installed - began),
        "walk_s": round(done - installed),
    } | told
    sys.stdout.write(f"{name}: {json.dumps(told)}\n")
    return told["heard_s"] >= 0.9 * told["spoken_s"] > 1 and not told["axe"] and told["sticks_out_px"] <= 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", choices=[*FRONT_ENDS, []], help="all, where none is named")
    names = parser.parse_args().names or list(FRONT_ENDS)
    browser_path = find_browser()
    results = []
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            results.append(tried(name, Path(folder), browser_path))
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
