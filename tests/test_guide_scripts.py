"""The scripts are what the recording guide asks for: whole sentences that hang together, of 10 to 20 seconds."""

from __future__ import annotations

import re

import pytest

from vcnb.catalog import LANGUAGES
from vcnb.diagnose.checks.transcript import SCRIPTS, letters_by_script
from vcnb.errors import SettingsError
from vcnb.guide.scripts import SCENARIOS, Script, script, scripts

# The transcript check found 11.6 to 17.1 letters a second in recordings; this is a calm reader who stops at commas.
LETTERS_A_SECOND = 15.0
STOP = 0.35


def test_every_language_has_every_scenario_and_no_text_twice():
    assert {(each.language, each.scenario) for each in scripts()} == {
        (code, scenario) for code in LANGUAGES for scenario in SCENARIOS
    }
    assert len({each.text for each in scripts()}) == len(scripts()) == 40


@pytest.mark.parametrize("each", scripts(), ids=lambda each: f"{each.language}-{each.scenario}")
def test_a_script_takes_10_to_20_seconds_and_is_made_of_whole_sentences_in_its_own_writing(each: Script):
    letters = letters_by_script(each.text)
    seconds = sum(letters.values()) / LETTERS_A_SECOND + STOP * len(re.findall("[.,。，、]", each.text))
    assert 10.0 <= seconds <= 20.0
    assert each.text[-1] in ".。"
    assert sum(letters.get(name, 0.0) for name in SCRIPTS.get(each.language, {"LATIN"})) > 0.9 * sum(letters.values())
    sentences = [sentence for sentence in re.split("[.。]", each.text) if sentence.strip()]
    assert 2 <= len(sentences) <= 4
    assert "DIGIT" not in letters  # everybody reads figures in another way
    assert not re.search("[!?！？]", each.text)


def test_a_script_that_is_not_there_is_an_error_that_names_what_is():
    with pytest.raises(SettingsError, match="'opera' in 'en'") as caught:
        script("en", "opera")
    assert "service, story, news, lesson" in caught.value.remedy
    assert script("de").text.startswith("Vielen Dank")
