"""The demo does the whole journey, spends nothing, and does not hold where the voice is no voice."""

from __future__ import annotations

import html.parser

import pandas as pd

from vcnb.audio.load import load
from vcnb.workflow.demo import TEXTS, Demo


class Links(html.parser.HTMLParser):
    """What a page points at, and which elements it has."""

    def __init__(self, text):
        super().__init__()
        self.links, self.tags = [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.links += [value for name, value in attributes if name in ("src", "href")]


def test_every_step_holds_on_the_practice_service_although_a_key_is_set(tmp_path, monkeypatch):
    monkeypatch.setenv("DASHSCOPE_API_KEY", "sk-0123456789abcdefghij")
    seen = []
    demo = Demo(tmp_path / "out")
    steps = demo.run(seen.append)
    assert steps == seen
    assert [step.name for step in steps] == [
        *(
            "check",
            "repair",
            "enroll",
            "enroll",
            "enroll",
            "list",
            "speak",
            "speak",
            "speak",
            "tidy",
            "compare",
            "write",
        )
    ]
    assert all(step.held for step in steps), [step for step in steps if not step.held]
    written = "".join(path.read_text("utf-8", "replace") for path in (tmp_path / "out").iterdir())
    assert "0123456789" not in written
    for transport in TEXTS:
        assert load(tmp_path / "out" / f"{transport}.wav").duration > 2
    table = pd.read_csv(tmp_path / "out" / "table.csv")
    assert set(table["measure"]) >= {"f0_median", "pace", "level"}
    assert table["item"].nunique() == 5
    shown = Links(demo.report.read_text(encoding="utf-8"))
    assert shown.tags.count("audio") == 5
    assert all(link.startswith("data:") for link in shown.links), "it stands by itself"
    assert TEXTS["sse"] in demo.report.read_text(encoding="utf-8")


def test_a_tone_is_no_speech_and_the_demo_says_so(practice, tmp_path, monkeypatch):
    monkeypatch.setenv("DASHSCOPE_API_KEY", practice.api_key.reveal())
    demo = Demo(tmp_path, region=None, base_url=practice.base_url)
    steps = demo.run(lambda step: None)
    failed = {step.name for step in steps if not step.held}
    assert "speak" in failed
    assert not failed & {"check", "repair", "enroll", "list", "write"}
