"""What to read aloud for a recording: whole texts of ours, in ten languages.

Source: the page, "Recording guide: Script", asks for whole sentences that hang together, fit the later use and hold
nothing political, sexual or violent; "Audio requirements" recommends 10 to 20 seconds.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Literal, get_args

from vcnb.catalog import LANGUAGES
from vcnb.errors import SettingsError

__all__ = ["SCENARIOS", "Scenario", "Script", "script", "scripts"]

Scenario = Literal["service", "story", "news", "lesson"]
SCENARIOS: tuple[Scenario, ...] = get_args(Scenario)


@dataclass(frozen=True)
class Script:
    """A text to read.

    Parameters
    ----------
    language : str
        Two-letter code.
    scenario : {"service", "story", "news", "lesson"}
        What it sounds like: a call centre, an audiobook, the news, a teacher.
    text : str
        10 to 20 seconds at a calm pace, in whole sentences.
    """

    language: str
    scenario: Scenario
    text: str


@cache
def scripts() -> tuple[Script, ...]:
    """Give all scripts.

    Returns
    -------
    tuple of Script
        The languages in the order of the service's list, each with every scenario.
    """
    texts = json.loads(resources.files("vcnb.guide").joinpath("scripts.json").read_text(encoding="utf-8"))
    return tuple(Script(code, each, texts[code][each]) for code in LANGUAGES for each in SCENARIOS)


def script(language: str = "en", scenario: str = "service") -> Script:
    """Give one script.

    Parameters
    ----------
    language : str
        Two-letter code of the service's ten languages.
    scenario : {"service", "story", "news", "lesson"}
        What the voice shall be used for.

    Returns
    -------
    Script

    Raises
    ------
    SettingsError
        If there is no such language or scenario.
    """
    for each in scripts():
        if (each.language, each.scenario) == (language, scenario):
            return each
    raise SettingsError(
        f"There is no script {scenario!r} in {language!r}.",
        remedy=f"languages are {', '.join(LANGUAGES)}; scenarios are {', '.join(SCENARIOS)}",
    )
