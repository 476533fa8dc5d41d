"""One JupyterLab and one page for all browser tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from harness import FLAGS, Notebook, find_browser, running_lab

OUT = Path(__file__).parent.parent / "out"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the browser tests last: Playwright keeps an event loop on the thread, and others run loops of their own."""
    items.sort(key=lambda item: Path(__file__).parent in item.path.parents)


@pytest.fixture(scope="session")
def lab_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("lab")


@pytest.fixture(scope="session")
def notebook(lab_folder: Path) -> Iterator[Notebook]:
    browser_path = find_browser()
    from playwright.sync_api import sync_playwright

    with running_lab(lab_folder) as base, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=FLAGS)
        context = browser.new_context(
            viewport={"width": 1000, "height": 1400}, accept_downloads=True, permissions=["microphone"]
        )
        try:
            yield Notebook(context.new_page(), base, lab_folder / "work" / "panels.ipynb")
        finally:
            context.close()
            browser.close()


@pytest.fixture
def book(notebook: Notebook) -> Iterator[Notebook]:
    """Give the notebook, empty; what a test leaves on the console must be no error."""
    notebook.clear()
    yield notebook
    assert notebook.errors == []


@pytest.fixture(scope="session")
def shots() -> Any:
    OUT.mkdir(exist_ok=True)
    return lambda panel, name: panel.screenshot(path=OUT / f"{name}.png")


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say it where everybody looks: a run without a browser proved nothing about the panels."""
    skipped = [each for each in terminalreporter.stats.get("skipped", []) if "tests/browser" in each.nodeid]
    if skipped:
        terminalreporter.write_line(f"{len(skipped)} browser tests did not run: {skipped[0].longrepr[2]}", red=True)
