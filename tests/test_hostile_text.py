"""Names and words that come from anywhere are text, wherever they are shown: no markup, no order to a terminal."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

from vcnb.audio.clip import Clip, Speech
from vcnb.audio.samples import samples
from vcnb.cli import app
from vcnb.compare.comparison import compare
from vcnb.diagnose.report import diagnose
from vcnb.errors import VcnbError
from vcnb.protocol.envelope import decipher
from vcnb.protocol.voice import voice_of_row
from vcnb.workflow.account import Account
from vcnb.workflow.connection import Connection
from vcnb.workflow.money import Purse
from vcnb.workflow.voices import frame

HOSTILE = "<img src=x onerror=alert(1)> \u202egnp.exe \x1b[2J '; DROP TABLE voices -- \x00 \x9b $x^2$ &lt; \u2028"


def is_text(shown: str) -> bool:
    return not re.search(r"<img src=x|[\u202e\u2028\x00-\x08\x0b-\x1f\x7f-\x9f]", shown)


def shown(thing) -> list[str]:
    html = getattr(thing, "_repr_html_", lambda: "")() or ""
    return [html, *(text.replace("<img src=x", "") for text in (repr(thing), str(thing)))]  # no markup in a terminal


def test_a_recording_its_report_and_its_comparison_show_hostile_names_as_text(rng, tmp_path):
    noise = rng.normal(0, 0.1, 24_000).astype(np.float32)
    speech = Speech(noise, 24_000, name=HOSTILE, text=HOSTILE, voice=HOSTILE, target_model=HOSTILE)
    report = diagnose(Clip(noise, 24_000, name=HOSTILE), transcript=HOSTILE)
    comparison = compare([speech, Clip(noise[::-1].copy(), 24_000, name=HOSTILE)])
    for thing in (speech, report, comparison, comparison.to_frame(), comparison.similarity()):
        for text in shown(thing):
            assert is_text(text), type(thing)
    comparison.report(tmp_path / "out.html")
    assert is_text((tmp_path / "out.html").read_text(encoding="utf-8"))


@pytest.mark.parametrize("gmt_create", ["0001-01-01 00:00:00", "9999-12-31T23:59:59-14:00", "1600-01-01", HOSTILE, 7])
def test_a_row_of_the_list_is_a_row_of_the_table_whatever_it_says(gmt_create):
    row = {"voice": HOSTILE, "target_model": HOSTILE, "language": {"a": HOSTILE}, "gmt_create": gmt_create}
    voice = voice_of_row(row)
    assert is_text(repr(voice).replace("<img src=x", ""))
    table = frame([voice], region="practice")
    assert table["voice"].tolist() == [HOSTILE]
    assert all(is_text(each) for each in shown(table))


def test_halves_of_characters_in_an_answer_are_none_here():
    body = rb'{"output": {"voice": "a \ud800 b"}, "request_id": "\ud83d\ude00"}'
    answer = decipher(200, body, region="practice")
    assert (answer["output"]["voice"], answer["request_id"]) == ("a ? b", "\U0001f600")
    answer = decipher(200, b'{"output": {"voice": "a \xed\xa0\x80 b"}}', region="practice")
    assert answer["output"]["voice"] == "a ? b"


def test_a_message_is_text_and_no_megabyte_wherever_it_is_read():
    error = VcnbError(HOSTILE + "x" * 1_000_000, remedy=HOSTILE + "\ud800")
    for text in (error.message, error.remedy, str(error), repr(error)):
        assert is_text(text.replace("<img src=x", ""))
        text.encode()
        assert len(text) < 3_000


@pytest.fixture
def account(practice, tmp_path):
    found = Account(Connection(practice.settings(data=tmp_path / "library")), Purse(), notes=[HOSTILE])
    yield found
    found.close()


def test_an_account_and_its_tables_show_hostile_words_as_text(account, monkeypatch):
    report = diagnose(samples()["kathleen_en"], language="en")
    monkeypatch.setattr("vcnb.workflow.enrollment.diagnose", lambda *_, **__: report)
    clip = samples()["kathleen_en"]
    voice = account.enroll(clip, preferred_name="ada", consent=HOSTILE, language="en")
    account.describe(voice, label=HOSTILE, note=HOSTILE * 99)
    account.speak("Say <img src=x onerror=alert(1)> \u202e now.", voice=voice)
    things = [account, voice, account.voices(), account.takes(), account.money()]
    for thing in things:
        for text in shown(thing):
            assert is_text(text), type(thing)
    assert account.voices()["label"].tolist() == [HOSTILE], "and the library keeps them whole"


def test_errors_and_the_shell_show_hostile_names_as_text(account, practice, capfd, monkeypatch):
    named = HOSTILE.replace("\x00", "")
    calls = [
        lambda: account.delete(named),
        lambda: account.speak("Hello.", voice=named),
        lambda: account.enroll(named, preferred_name="ada", consent="mine"),
        lambda: account.take(named),
        lambda: account.settle(named),
        lambda: account.export("/no such folder/" + named),
    ]
    for call in calls:
        with pytest.raises(VcnbError) as caught:
            call()
        assert is_text(str(caught.value).replace("<img src=x", ""))
    monkeypatch.setenv("DASHSCOPE_API_KEY", practice.api_key.reveal())
    where = ["--base-url", practice.base_url, "--data", str(account.settings.data)]
    account.describe(practice.voice(), label=named)
    for given in (["voices"], ["delete", named], ["speak", "Hello.", "--voice", named], ["diagnose", named]):
        app.run([*given, *where])
        told = capfd.readouterr()
        assert is_text((told.out + told.err).replace("<img src=x", "")), given
    app.run(["voices", "--json", *where])
    listed = json.loads(capfd.readouterr().out.splitlines()[0])
    assert listed["label"] == named, "what programs read is whole"
