"""A real JupyterLab in a headless Chromium, and one notebook in it to show panels in.

One server, one browser and one page serve all browser tests: a start costs seconds, a cell costs a fraction of one.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

START_LIMIT = 120.0  # seconds for the server; a loaded machine needs a good part of it
WAIT_MS = 60_000
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
# A microphone that plays a file: each time it is opened it reads the file anew, so a test writes what it wants heard.
MICROPHONE = Path(tempfile.gettempdir()) / f"vcnb-microphone-{os.getpid()}.wav"
FLAGS = [
    "--use-fake-device-for-media-stream",
    f"--use-file-for-fake-audio-capture={MICROPHONE}%noloop",
    "--host-resolver-rules=MAP insecure.test 127.0.0.1",  # an address that no browser trusts with a microphone
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
]
SETTINGS = {
    "@jupyterlab/apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    "@jupyterlab/notebook-extension/tracker": {"windowingMode": "none"},
    # Saved widget state is the strictest case: what is in a trait would be in the file.
    "@jupyter-widgets/jupyterlab-manager/plugin": {"saveState": True},
}
# Every output of the notebook is drawn, or has said why it cannot be.
SETTLED = """() => [...document.querySelectorAll('.jp-Notebook .jp-OutputArea-output')].every((node) =>
  node.hasChildNodes() && !node.textContent.startsWith('Loading widget')
    && [...node.querySelectorAll('.vcnb')].every((panel) => panel.hasChildNodes()))"""
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def missing(what: str) -> None:
    """Skip loudly, or fail where a browser was promised."""
    if os.environ.get("CI") == "true" or os.environ.get("VCNB_REQUIRE_BROWSER") == "1":
        pytest.fail(f"browser tests are required here, and there is no {what}", pytrace=False)
    pytest.skip(f"NO BROWSER TESTS: there is no {what}; set VCNB_BROWSER to a Chromium")


def find_browser() -> str:
    for module in ("playwright", "jupyterlab", "axe_playwright_python"):
        if importlib.util.find_spec(module) is None:
            missing(f"Python package {module}")
    named = os.environ.get("VCNB_BROWSER")
    found = named or next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if found is None:
        from playwright.sync_api import sync_playwright

        with sync_playwright() as playwright:
            found = playwright.chromium.executable_path
    if not Path(found).is_file():
        missing(f"browser ({found})")
    return found


@contextlib.contextmanager
def running_lab(folder: Path, *, python: str = sys.executable, app: str = "jupyterlab") -> Iterator[str]:
    """Start JupyterLab (or Notebook) of an environment, with a home of its own, and give its address."""
    home = folder / "home"
    work = folder / "work"
    work.mkdir(parents=True)
    for name, values in SETTINGS.items():
        path = home / "settings" / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(values))
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("DASHSCOPE_", "JUPYTER", "VCNB_"))}
    env = kept | {
        "HOME": str(home),
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
        "IPYTHONDIR": str(home / "ipython"),
        "VCNB_DATA": str(folder / "data"),
        "PATH": f"{Path(python).parent}{os.pathsep}{os.environ['PATH']}",
    }
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = [
        "--no-browser", "--ip=127.0.0.1", f"--port={port}", "--allow-root", "--expose-app-in-browser",
        "--IdentityProvider.token=", "--ServerApp.disable_check_xsrf=True",
        "--ServerApp.local_hostnames=localhost", "--ServerApp.local_hostnames=insecure.test",
        f"--ServerApp.root_dir={work}",
    ]  # fmt: skip
    with (folder / "lab.log").open("w") as log:
        server = subprocess.Popen(
            [python, "-m", app, *options],
            env=env,
            cwd=work,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            _wait_for(f"http://127.0.0.1:{port}/api", server, folder / "lab.log")
            yield f"http://127.0.0.1:{port}"
        finally:
            # The group: kernels and what they started go with the server.
            os.killpg(server.pid, signal.SIGTERM)
            try:
                server.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(server.pid, signal.SIGKILL)
                server.wait(10)


def _wait_for(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_LIMIT
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except (OSError, urllib.error.URLError):
            time.sleep(0.2)
    pytest.fail(f"JupyterLab did not start:\n{log.read_text()[-3000:]}", pytrace=False)


class Notebook:
    """One open notebook with its kernel."""

    def __init__(self, page: Any, base: str, path: Path, *, tree: str = "lab/tree") -> None:
        self.page = page
        self.path = path
        self.errors: list[str] = []
        page.on("console", lambda message: message.type == "error" and self.errors.append(message.text))
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        empty = {"cells": [], "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3"}}}
        path.write_text(json.dumps(empty | {"nbformat": 4, "nbformat_minor": 5}))
        self.address = f"{base}/{tree}/{path.name}"
        self.open()

    def open(self) -> None:
        """Load the page, or load it again with the same kernel."""
        page = self.page
        page.goto(self.address, timeout=WAIT_MS)
        page.wait_for_function(
            "globalThis.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'",
            timeout=WAIT_MS,
        )
        page.evaluate("async () => { await jupyterapp.restored; jupyterapp.shell.collapseLeft(); }")
        # A panel that is closed while it loads is one that "failed to initialize", to anywidget, two seconds later.
        page.wait_for_function(SETTLED, timeout=WAIT_MS)

    def clear(self) -> None:
        """Take all cells and panels away."""
        self.page.evaluate(
            """() => {
              const cells = jupyterapp.shell.currentWidget.content.model.sharedModel;
              cells.deleteCellRange(0, cells.cells.length);
            }"""
        )
        self.value("__import__('ipywidgets').Widget.close_all()")
        self.errors.clear()

    def run(self, code: str) -> Any:
        """Run code in a new cell and give the cell."""
        index = self.page.evaluate(
            """async code => {
              const book = jupyterapp.shell.currentWidget.content;
              book.activeCellIndex = book.widgets.length - 1;
              await jupyterapp.commands.execute('notebook:insert-cell-below');
              book.activeCell.model.sharedModel.setSource(code);
              const index = book.activeCellIndex;
              await jupyterapp.commands.execute('notebook:run-cell');
              return index;
            }""",
            code,
        )
        return self.page.locator(".jp-Notebook .jp-Cell").nth(index)

    def show(self, code: str) -> Any:
        """Run code that ends on a panel and give the panel."""
        cell = self.run(code)
        broken = self.page.evaluate(
            "() => jupyterapp.shell.currentWidget.content.widgets.flatMap(cell => cell.model.outputs?.toJSON() ?? [])"
            ".filter(output => output.output_type === 'error').map(output => `${output.ename}: ${output.evalue}`)"
        )
        assert broken == []
        panel = cell.locator(".jp-OutputArea-output .vcnb").first
        panel.locator(".vc-panel").first.wait_for(timeout=WAIT_MS)
        panel.scroll_into_view_if_needed()
        return panel

    def value(self, code: str) -> Any:
        """Evaluate an expression in the kernel and give its value through JSON."""
        printed = self.page.evaluate(
            """async code => {
              const kernel = jupyterapp.shell.currentWidget.sessionContext.session.kernel;
              let printed = '';
              const future = kernel.requestExecute({ code, store_history: false, silent: false });
              future.onIOPub = ({ header, content }) => {
                if (header.msg_type === 'stream') printed += content.text;
                if (header.msg_type === 'error') printed += `${content.ename}: ${content.evalue}`;
              };
              await future.done;
              return printed;
            }""",
            f"import json; print('<<' + json.dumps({code}) + '>>')",
        )
        found = re.search(r"<<(.*)>>", printed, re.DOTALL)
        assert found, printed
        return json.loads(found[1])

    def wait_for_value(self, code: str, wanted: Any) -> None:
        deadline = time.monotonic() + WAIT_MS / 1000
        while (found := self.value(code)) != wanted:
            assert time.monotonic() < deadline, f"{code} is {found!r}, not {wanted!r}"
            self.page.wait_for_timeout(50)

    def look(self, theme: str, width: int) -> None:
        """Switch the theme and the width of the notebook; wait until both have arrived."""
        name = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}[theme]
        self.page.set_viewport_size({"width": width, "height": 1400})
        self.page.evaluate("name => jupyterapp.commands.execute('apputils:change-theme', { theme: name })", name)
        self.page.wait_for_function(
            """dark => {
              const [r] = getComputedStyle(document.body).getPropertyValue('--jp-layout-color1').trim() === ''
                ? [] : [document.body.dataset.jpThemeLight];
              return r === String(!dark);
            }""",
            arg=theme == "dark",
            timeout=WAIT_MS,
        )
        self.page.wait_for_timeout(300)  # one repaint: transitions of the theme itself

    def saved(self) -> str:
        """Save the notebook with the state of its widgets and give the file as text."""
        self.page.evaluate("() => jupyterapp.commands.execute('docmanager:save')")
        deadline = time.monotonic() + WAIT_MS / 1000
        while "widget-state" not in (text := self.path.read_text()):
            assert time.monotonic() < deadline, "the state of the widgets was not saved"
            self.page.wait_for_timeout(50)
        return text

    def n_cells(self) -> int:
        return int(self.page.evaluate("() => jupyterapp.shell.currentWidget.content.widgets.length"))


def play(steps: np.ndarray, sample_rate: int) -> None:
    """Let the microphone play these 16-bit samples whenever it is opened."""
    with wave.open(str(MICROPHONE), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(sample_rate)
        file.writeframes(steps.tobytes())


def axe_violations(panel: Any) -> list[str]:
    """Judge a panel by axe-core."""
    from axe_playwright_python.base import AXE_SCRIPT

    page = panel.page
    if not page.evaluate("() => Boolean(globalThis.axe)"):
        page.evaluate(AXE_SCRIPT)
    result = panel.evaluate("(node, tags) => axe.run(node, { runOnly: { type: 'tag', values: tags } })", WCAG)
    assert result["passes"], "axe judged nothing"
    return [
        f"{rule['id']}: {node['html'][:160]} {node['failureSummary']}"
        for rule in result["violations"]
        for node in rule["nodes"]
    ]
