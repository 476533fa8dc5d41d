"""The tutorials are short, were run to their end, show what came out, and hold nothing that is nobody's business."""

from __future__ import annotations

import json
import re
import statistics
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
KILOBYTES = 200
# A key, a place on somebody's machine, sound, and the state of widgets.
FORBIDDEN = re.compile(
    r"sk-[0-9a-zA-Z]{8}|/(home|root|Users|tmp|var/folders)/|C:\\\\|data:audio|audio/(wav|mpeg|mp4|x-wav)\W*:"
    r"|application/vnd\.jupyter\.widget-(view|state)"
)


def cells(path: Path, kind: str) -> list[dict]:
    return [cell for cell in json.loads(path.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == kind]


def source(cell: dict) -> str:
    return "".join(cell["source"])


def test_there_are_twelve_and_the_readme_names_each():
    assert [path.name[:2] for path in NOTEBOOKS] == [f"{number:02}" for number in range(12)]
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [path.name for path in NOTEBOOKS if f"(notebooks/{path.name})" not in readme] == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
class TestEach:
    def test_it_is_small_and_holds_no_sound_no_key_no_state_and_no_path_of_a_machine(self, path):
        text = path.read_text(encoding="utf-8")
        assert len(text.encode()) < KILOBYTES * 1000
        assert FORBIDDEN.search(text) is None
        assert "widgets" not in json.loads(text)["metadata"]

    def test_every_cell_was_run_in_order_and_ended_as_it_was_meant_to(self, path):
        code = cells(path, "code")
        assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1))
        for cell in code:
            failed = any(output["output_type"] == "error" for output in cell["outputs"])
            assert failed == ("raises-exception" in cell["metadata"].get("tags", [])), source(cell)

    def test_it_is_short(self, path):
        lengths = [len(source(cell).splitlines()) for cell in cells(path, "code")]
        words = sum(len(source(cell).split()) for cell in cells(path, "markdown"))
        assert 8 <= len(lengths) <= 20
        assert statistics.median(lengths) <= 4
        assert max(lengths) <= 12
        assert 300 <= words <= 1000

    def test_it_asks_fails_once_on_purpose_shows_something_checked_and_says_what_was_learnt(self, path):
        code, prose = cells(path, "code"), cells(path, "markdown")
        assert "**Question:**" in source(prose[0])
        assert any("raises-exception" in cell["metadata"].get("tags", []) for cell in code)
        checked = [cell for cell in code if "nbval-ignore-output" not in cell["metadata"].get("tags", [])]
        assert any(output["output_type"] == "execute_result" for cell in checked for output in cell["outputs"])
        shown = {kind for cell in code for output in cell["outputs"] for kind in output.get("data", {})}
        assert shown & {"image/png", "image/svg+xml", "text/html"}
        assert "## What you learnt" in source(prose[-1])

    def test_its_last_cell_leads_on(self, path):
        links = re.findall(r"\]\(([^)]+)\)", source(cells(path, "markdown")[-1]))
        after = NOTEBOOKS[(NOTEBOOKS.index(path) + 1) % len(NOTEBOOKS)].name
        assert after in links
        for link in links:
            assert link.startswith("https://") or (path.parent / link).is_file(), link
