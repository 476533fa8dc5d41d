"""What does the Studio look like? Takes the picture of the README anew: `python tests/browser/picture.py`."""

from __future__ import annotations

import os
import sys
import tempfile
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from harness import FLAGS, Notebook, find_browser, running_lab
from PIL import Image
from playwright.sync_api import sync_playwright
from walking import SHOW, Walk

import vcnb

PLACE = Path(__file__).parents[2] / ".github" / "images"
MOST_BYTES = 200_000
WIDTH = 1370  # pixels of the window: the panel is just wide enough for two columns
# What says where one works in the notebook is no part of the picture.
BARE = ".jp-cell-toolbar, .jp-Collapser { visibility: hidden; }"


def good_and_poor(folder: Path) -> tuple[Path, Path]:
    """The sample as it is, and one in which the speaker waits too long and the mains hum."""
    good = vcnb.samples()["kathleen_en"]
    clip = vcnb.load(good)
    rate, half = clip.sample_rate, len(clip.samples) // 2
    waited = np.concatenate([clip.samples[:half], np.zeros(int(2.6 * rate), np.float32), clip.samples[half:]])
    at = np.arange(len(waited)) / rate
    hum = sum(0.004 / n * np.sin(2 * np.pi * 50 * n * at) for n in range(1, 5))
    vcnb.save(vcnb.Clip((waited + hum).astype(np.float32), rate), folder / "my_voice.wav")
    return good, folder / "my_voice.wav"


def upload(walk: Walk, button: str, path: Path) -> None:
    walk.go("record")
    with walk.book.page.expect_file_chooser() as chooser:
        walk.press(walk.button(button, exact=True))
    chooser.value.set_files(path)
    walk.wait("studio.clip is not None and studio.clip.name", path.name)
    walk.checked()


def prepare(book: Notebook, folder: Path) -> Any:
    """Make a voice, let it speak, and look at the next recording; give the cell."""
    panel = book.show(SHOW)
    panel.get_by_role("button", name="Service Practice").wait_for()
    walk, (good, poor) = Walk(book, panel), good_and_poor(folder)
    upload(walk, "Upload", good)
    walk.go("enroll")
    walk.agree(live=True)
    walk.enroll(2)
    walk.press(walk.onward("Hear"))
    walk.wait("studio.facts['speak']['fact']", "takes")
    upload(walk, "Choose files", poor)
    walk.go("check")
    return book.page.locator(".jp-Notebook .jp-Cell").last


def take(cell: Any, path: Path) -> None:
    """Write what is shown as PNG with as many colours as it needs at this size."""
    cell.page.mouse.move(0, 0)
    picture = Image.open(BytesIO(cell.screenshot())).convert("RGB")
    picture.quantize(256, dither=Image.Dither.NONE).save(path, optimize=True)
    if path.stat().st_size >= MOST_BYTES:
        sys.exit(f"{path.name} has {path.stat().st_size} bytes, which is more than {MOST_BYTES}.")
    sys.stdout.write(f"{path}: {picture.width} x {picture.height}, {path.stat().st_size} bytes\n")


def main() -> None:
    os.environ["VCNB_REQUIRE_BROWSER"] = "1"
    browser_path = find_browser()
    with tempfile.TemporaryDirectory() as named:
        folder = Path(named)
        with running_lab(folder) as base, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=browser_path, args=FLAGS)
            page = browser.new_page(viewport={"width": WIDTH, "height": 1800})
            book = Notebook(page, base, folder / "work" / "studio.ipynb")
            cell = prepare(book, folder)
            page.add_style_tag(content=BARE)
            for theme in ("light", "dark"):
                book.look(theme, WIDTH)
                page.set_viewport_size({"width": WIDTH, "height": 1800})
                page.wait_for_timeout(1000)  # canvases paint again
                take(cell, PLACE / f"studio-{theme}.png")
            browser.close()


if __name__ == "__main__":
    main()
