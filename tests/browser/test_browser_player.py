"""The player in a real JupyterLab."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.browser

CLIP = "import vcnb; clip = vcnb.load(vcnb.samples()['kathleen_en']); player = vcnb.Player(clip); player"


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [600, 1000])
def test_it_looks_as_drawn(book, shots, theme, width):
    from harness import axe_violations

    book.look(theme, width)
    panel = book.show(CLIP)
    shots(panel, f"player-{theme}-{width}")
    assert axe_violations(panel) == []
