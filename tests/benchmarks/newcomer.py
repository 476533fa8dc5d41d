"""From a fresh clone to the first cloned voice heard, as somebody who has only the README: how long, how many clicks.

    python tests/benchmarks/newcomer.py [--python python3.11] [--file]

Clones this repository as it is committed, runs the README's first command word for word in an empty home, opens the
address that it hands to the browser, runs the first cells of the first tutorial, records twelve seconds (``--file``:
uploads a recording) and clicks on until the loudspeaker gets the voice that was made of it. Nothing but the page is
touched, one second is left before each press for the eye, and the words of consent are typed at 100 a minute. Prints
seconds and clicks; exits 1 beyond 5 minutes in all, 60 s of one's own, or 6 clicks.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
BROWSER_TESTS = ROOT / "tests" / "browser"
sys.path.insert(0, str(BROWSER_TESTS))

from figures import record
from harness import FLAGS, MICROPHONE, WAIT_MS, find_browser, play
from listening import listen
from playwright.sync_api import sync_playwright
from walking import CONSENT, COUNT, RATE, Walk, spoken

import vcnb

ALL_S, OWN_S, CLICKS = 300.0, 60.0, 6
EYE_S, KEY_MS = 1.0, 120
INSTALL_LIMIT_S = 900.0
CELLS = 4  # of the first tutorial, up to the Studio
IDLE = ".jp-Notebook-ExecutionIndicator[data-status='idle']"
READY = "() => document.activeElement?.closest('.jp-Notebook')"  # keys go to the first cell
SOUNDS = "() => globalThis.heard.some(([, block]) => block.some((value) => Math.abs(value) > 0.01))"


class Newcomer(Walk):
    """One who takes a second to find each thing, and whose only view is the page."""

    def press(self, target: Any, key: str = "Enter") -> None:
        target.wait_for(timeout=WAIT_MS)
        time.sleep(EYE_S)
        super().press(target, key)

    def write(self, target: Any, text: str) -> None:
        time.sleep(EYE_S)
        target.click()
        self.keyboard.type(text, delay=KEY_MS)

    def reached(self, step: str, *states: str) -> None:
        node = self.way(step).element_handle()
        script = "([node, states]) => states.includes(node.dataset.state)"
        self.panel.page.wait_for_function(script, arg=[node, list(states)], timeout=WAIT_MS)


class Page:
    """What `Walk` needs of a notebook: here only what anybody sees."""

    def __init__(self, page: Any) -> None:
        self.page = page


def first_command() -> str:
    """The command that the README names first."""
    return re.findall(r"^(python3 -m vcnb lab)\b", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE)[0]


def address_of(process: subprocess.Popen[bytes], place: Path) -> str:
    """Wait for the address that was handed to the browser."""
    deadline = time.monotonic() + INSTALL_LIMIT_S
    while time.monotonic() < deadline and process.poll() is None:
        if place.exists() and (text := place.read_text().strip()):
            return text
        time.sleep(0.05)
    raise SystemExit("JupyterLab did not come.")


def surroundings(folder: Path, python: str) -> dict[str, str]:
    """An empty home; `python3` is the one that is asked for; the browser writes down what it was to open."""
    tools = folder / "bin"
    tools.mkdir()
    (tools / "python3").symlink_to(python)
    browser = tools / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > {shlex.quote(str(folder / "address"))}\n')
    browser.chmod(0o755)
    kept = {name: value for name, value in os.environ.items() if re.match(r"(LANG|LC_|.*_PROXY|PIP_|UV_|SSL_)", name)}
    home = folder / "home"
    home.mkdir()
    return kept | {
        "HOME": str(home),
        "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}",
        "BROWSER": f"{browser} %s",
        "DISPLAY": ":0",  # without one no browser would be opened; nothing draws on it
    }


def to_a_voice(page: Any, panel: Any, recording: Path | None) -> None:
    """Everything that a person does in the Studio, until the voice that was made can be heard."""
    walk = Newcomer(Page(page), panel)
    if recording is None:
        walk.press(walk.transport("Record"))  # it stops by itself
    else:
        time.sleep(EYE_S)
        with page.expect_file_chooser() as chooser:
            walk.press(walk.button("Upload", exact=True))
        chooser.value.set_files(recording)
    walk.reached("check", "done", "care")
    walk.press(walk.onward("Enroll"))
    walk.press(walk.panel.get_by_role("radio", name="Mine"))
    walk.write(walk.panel.get_by_label("Statement of consent"), CONSENT)
    walk.press(walk.button("Enroll 1 voice"))
    walk.press(walk.onward("Hear"))
    page.wait_for_function(SOUNDS, timeout=WAIT_MS)


def timed(page: Any, address: str, recording: Path | None) -> dict[str, float]:
    """Open the first tutorial and go on; gives seconds until it was there, from there to the voice, and clicks."""
    began = time.monotonic()
    page.goto(address, timeout=WAIT_MS)
    page.locator(IDLE).first.wait_for(timeout=WAIT_MS, state="attached")
    page.wait_for_function(READY, timeout=WAIT_MS)
    shown = time.monotonic()
    listen(page)
    page.evaluate(COUNT)
    for _ in range(CELLS):
        page.keyboard.press("Shift+Enter")
        time.sleep(EYE_S)
    panel = page.locator(".jp-OutputArea-output .vc-studio").first
    panel.wait_for(timeout=WAIT_MS)
    to_a_voice(page, panel, recording)
    done = time.monotonic()
    return {"page_s": shown - began, "own_s": done - shown, "clicks": page.evaluate("n_clicks")}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", default=sys.executable, help="what `python3` is")
    parser.add_argument("--file", action="store_true", help="upload a recording instead of recording one")
    options = parser.parse_args()
    python = subprocess.run(
        [options.python, "-c", "import sys; print(sys._base_executable)"], capture_output=True, text=True, check=True
    ).stdout.strip()
    if not options.file:
        play(spoken(14), RATE)
    with tempfile.TemporaryDirectory() as named, sync_playwright() as playwright:
        folder = Path(named)
        began = time.monotonic()
        subprocess.run(["git", "clone", "-q", str(ROOT), str(folder / "clone")], check=True)
        log = (folder / "log").open("w")
        process = subprocess.Popen(
            first_command(), shell=True, cwd=folder / "clone", env=surroundings(folder, python), stdout=log, stderr=log,
            start_new_session=True,
        )  # fmt: skip
        try:
            address = address_of(process, folder / "address")
            told: dict[str, float] = {"install_s": time.monotonic() - began}
            browser = playwright.chromium.launch(
                executable_path=find_browser(), args=[*FLAGS, "--use-fake-ui-for-media-stream"]
            )
            page = browser.new_page(viewport={"width": 1280, "height": 1000})
            told |= timed(page, address, vcnb.samples()["kathleen_en"] if options.file else None)
            told["all_s"] = time.monotonic() - began
            browser.close()
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(30)
            log.close()
            MICROPHONE.unlink(missing_ok=True)
    told = {name: round(value, 2) for name, value in told.items()}
    record("studio.all_s", told["all_s"])
    record("studio.own_s", told["own_s"])
    record("studio.clicks", told["clicks"])
    right = told["all_s"] <= ALL_S and told["own_s"] <= OWN_S and told["clicks"] <= CLICKS
    sys.stdout.write(f"{json.dumps(told)} {'right' if right else 'WRONG'}\n")
    return 0 if right else 1


if __name__ == "__main__":
    sys.exit(main())
