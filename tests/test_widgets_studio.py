"""How one state flows through the six steps, on the kernel's side, against the practice service."""

from __future__ import annotations

import re
import threading
import time

import numpy as np
import pytest

import vcnb
from vcnb.catalog import LANGUAGES
from vcnb.errors import AuthenticationError, CancelledError, SettingsError
from vcnb.guide.scripts import script
from vcnb.widgets import enrollment as enrollment_module
from vcnb.widgets.base import STATIC, words
from vcnb.widgets.journey import STEPS, greeting, nothing_yet
from vcnb.widgets.studio import Studio
from vcnb.workflow import connecting

WHOLE, LIVE = "qwen3-tts-vc-2026-01-22", "qwen3-tts-vc-realtime-2026-01-15"
KEY = "sk-0123456789abcdefghijklmnopqrstuv"


@pytest.fixture
def account(practice):
    with vcnb.connect("practice", base_url=practice.base_url, api_key=practice.api_key) as with_it:
        yield with_it


@pytest.fixture
def studio(account):
    panel = Studio(account)
    until(lambda: panel.synthesis.working is None)
    yield panel
    panel.diagnosis.close()


@pytest.fixture(scope="module")
def good():
    return vcnb.load(vcnb.samples()["kathleen_en"])


@pytest.fixture(scope="module")
def halting(good):
    """A take with too long a pause, which can be shortened."""
    half = 6 * good.sample_rate
    pause = np.zeros(3 * good.sample_rate, np.float32)
    parts = [good.samples[:half], pause, good.samples[half : 2 * half]]
    return vcnb.Clip(np.concatenate(parts), good.sample_rate, name="halting")


def until(condition, limit=30.0):
    deadline = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.005)


def fact(panel, step):
    return panel.facts[step]["state"], panel.facts[step]["fact"]


def order(panel, kind, **message):
    panel._handle_custom_msg({"type": kind, **message}, message.pop("buffers", []))


def enroll(panel, *models):
    form = {"name": "kathleen", "models": list(models), "language": "en", "transcript": "", "who": "mine"}
    order(panel.enrollment, "enroll", **form, consent="hers")


def test_a_take_is_checked_once_and_becomes_a_voice_that_speaks(studio, good, practice, monkeypatch):
    monkeypatch.setattr(enrollment_module, "diagnose", lambda *_: pytest.fail("Check has looked at it already"))
    assert [fact(studio, step)[0] for step in ("check", "enroll", "speak", "compare")] == ["needs"] * 4
    taken = studio.recorder.load(good)
    assert studio.clip is taken
    assert studio.enrollment.clip is taken, "nobody can enroll the one before"
    assert fact(studio, "enroll") == ("open", "free")
    until(lambda: studio.enrollment.check is not None)
    assert studio.enrollment.check["verdict"] == studio.report.verdict == "pass"
    assert fact(studio, "check") == ("done", "pass")
    enroll(studio, WHOLE, LIVE)
    until(lambda: fact(studio, "enroll") == ("done", "enrolled"))
    until(lambda: studio.ledger["used"] == 2)
    assert fact(studio, "voices") == ("done", "voices")
    assert set(studio.voice) == {WHOLE, LIVE}
    chosen = studio.synthesis._draft["voice"]
    assert chosen == studio.voice[WHOLE].voice, "the first of those that were made"
    words = {"text": "Hello.", "voice": chosen, "transport": "sse", "language": ""}
    order(studio.synthesis, "speak", **words)
    until(lambda: fact(studio, "speak") == ("done", "takes"))
    assert studio.speech.text == "Hello."
    assert practice.counters()["creations"] == 2


def test_a_voice_that_is_ready_says_its_first_words_at_one_press(studio, good):
    order(studio, "greet")
    studio.clip = good
    until(lambda: studio.enrollment.clip is good)
    enroll(studio, LIVE)
    until(lambda: fact(studio, "enroll") == ("done", "enrolled"))
    assert studio.facts["enroll"]["values"] == {"name": "kathleen", "price": ""}
    assert studio.synthesis._draft["text"] == greeting(studio.voice), "Speak does not begin empty"
    order(studio, "greet")
    until(lambda: studio.speech is not None)
    assert studio.speech.transport == "realtime"
    assert studio.speech.text == greeting(studio.voice)
    assert studio.speech.text.startswith("Thank you for calling. I have found")


def test_every_language_has_first_words_of_more_than_one_sentence():
    for language in LANGUAGES:
        voice = vcnb.Voice(voice="v", target_model=WHOLE, language=language)
        words = greeting(voice)
        assert len(re.findall("[.!?。！？]", words)) == 2, language
        assert script(language).text.startswith(words)


def test_what_stopped_in_a_step_is_seen_from_every_other(studio, good, practice):
    voice = practice.voice(WHOLE)
    studio.voices.refresh()
    studio.synthesis.refresh()
    until(lambda: studio.synthesis.working is None and studio.ledger["used"] == 1)
    words = {"text": "Hello.", "transport": "http", "language": ""}
    order(studio.synthesis, "speak", voice="gone", **words)
    until(lambda: fact(studio, "speak") == ("care", "stopped"))
    order(studio.synthesis, "speak", voice=voice, **words)
    until(lambda: fact(studio, "speak") == ("done", "takes"))
    assert studio.voices.table["takes"].sum() == 0
    order(studio, "step", step="voices")
    until(lambda: studio.voices.table["takes"].sum() == 1)


def test_what_is_mended_is_what_is_enrolled_and_choosing_its_take_again_keeps_it(studio, halting):
    studio.recorder.load(halting)
    until(lambda: fact(studio, "check")[0] == "care")
    assert studio.facts["check"]["fact"] == ("fail_and_warn" if studio.facts["check"]["values"]["warn"] else "fail")
    order(studio.diagnosis, "mend", word=None)
    until(lambda: studio.clip is not halting and studio.diagnosis.working is None)
    mended = studio.clip
    assert mended.edits
    assert mended.original is halting
    until(lambda: studio.enrollment.clip is mended and studio.enrollment.check is not None)
    assert studio.enrollment.check["mended"] == " ".join(edit.change for edit in mended.edits)
    studio._recorded({"new": halting})
    assert studio.clip is mended


def test_what_cannot_be_mended_is_said_to_be_so(studio):
    studio.clip = vcnb.Clip(np.zeros(12 * 24_000, np.float32), 24_000, name="nothing")
    until(lambda: fact(studio, "check")[0] in ("care", "done"))
    assert fact(studio, "check") == ("care", "hopeless")


def test_another_take_waits_while_a_voice_is_made_or_its_answer_is_lost(studio, good, halting):
    studio.clip = good
    lost = {"state": "unknown", "name": "kathleen", "voices": [], "cost": 0.0, "intent": "i"}
    studio.enrollment.outcome = lost
    assert fact(studio, "enroll") == ("care", "unsure")
    studio.clip = halting
    assert studio.enrollment.clip is good
    assert studio.enrollment.outcome == lost
    done = threading.Event()
    studio.enrollment.work("settle", lambda _progress, _stopping: done.wait(20))
    studio.enrollment.outcome = None
    assert studio.enrollment.clip is good
    done.set()
    until(lambda: studio.enrollment.clip is halting)


def test_an_upload_flows_on_and_one_that_is_too_long_is_said(studio, good, tmp_path):
    studio.uploader.load(vcnb.samples()["kathleen_en"])
    until(lambda: studio.clip is not None)
    assert studio.clip.samples.tobytes() == good.samples.tobytes()
    assert studio.facts["record"]["values"] == {"name": "kathleen_en.wav", "seconds": f"{good.duration:.1f}"}
    kept = studio.clip
    long = tmp_path / "long.wav"
    vcnb.save(vcnb.Clip(np.zeros(700 * 8000, np.float32), 8000), long)
    studio.uploader.load(long)
    until(lambda: fact(studio, "record") == ("care", "long"))
    assert studio.clip is kept


def test_a_voice_that_is_deleted_is_offered_no_more(studio, practice):
    voice = practice.voice(WHOLE)
    studio.voices.refresh()
    until(lambda: studio.ledger["used"] == 1)
    assert fact(studio, "speak") == ("open", "no_take")
    order(studio.voices, "delete", voices=[voice])
    until(lambda: studio.ledger["used"] == 0)
    assert fact(studio, "voices") == ("open", "no_voice")
    assert fact(studio, "speak") == ("needs", "no_voice_yet")


def test_a_key_that_is_refused_keeps_the_service_that_worked(studio, practice, account, monkeypatch):
    asked = []

    def connect(region, *, api_key):
        asked.append(region)
        return vcnb.workflow.account.Account(
            connecting.choose("practice", api_key=api_key, base_url=practice.base_url, workspace=None, data=None)[0],
            connecting.Purse(None),
        )

    monkeypatch.setattr(connecting, "connect", connect)
    before = studio.synthesis
    order(studio, "want", region="singapore")
    studio._handle_custom_msg({"type": "key"}, [memoryview(KEY.encode())])
    until(lambda: studio.error is not None and studio.working is None)
    assert studio.error["kind"] == AuthenticationError.__name__
    assert asked == ["singapore"]
    assert studio.account is account
    assert studio.synthesis is before
    assert KEY not in str(studio.get_state()) + repr(vars(studio))


def test_nobody_has_to_wait_for_a_service_that_does_not_answer(studio, account, practice, monkeypatch):
    other = vcnb.connect("practice", base_url=practice.base_url, api_key=practice.api_key)
    answers, closed, leave = threading.Event(), threading.Event(), other.close
    monkeypatch.setattr(other, "close", lambda: (leave(), closed.set()))
    monkeypatch.setattr(connecting, "connect", lambda region, *, api_key: answers.wait(20) and other)
    order(studio, "service", region="practice")
    assert studio.working["kind"] == "connect"
    order(studio, "cancel")
    until(lambda: studio.working is None)
    assert studio.error["kind"] == CancelledError.__name__
    answers.set()
    assert closed.wait(20), "what came too late is let go"
    assert studio.account is account


def test_another_service_brings_panels_of_its_own_and_keeps_the_recording(studio, good, account, monkeypatch):
    studio.clip = good
    other = vcnb.connect("practice", base_url=account.settings.base_url, api_key=account.settings.api_key)
    monkeypatch.setattr(connecting, "connect", lambda region, *, api_key: other)
    before = studio.enrollment
    busy = threading.Event()
    studio.synthesis.work("speak", lambda _progress, _stopping: busy.wait(20))
    order(studio, "service", region="practice")
    assert "under way" in studio.error["what"]
    busy.set()
    until(lambda: studio.synthesis.working is None)
    order(studio, "service", region="practice")
    until(lambda: studio.account is other and studio.working is None)
    assert studio.enrollment is not before
    assert studio.enrollment.account is other
    assert studio.enrollment.clip is studio.clip is good
    until(lambda: studio.synthesis.working is None)


def test_it_comes_back_to_the_step_that_was_left(studio, monkeypatch):
    sent = []
    monkeypatch.setattr(Studio, "send", lambda self, content, buffers=None: sent.append(content))
    order(studio, "step", step="enroll")
    order(studio, "step", step="nowhere")
    order(studio, "hello", client="me")
    assert sent[0] == {"type": "step", "client": "me", "step": "enroll"}
    studio.go("speak")
    assert sent[-1] == {"type": "step", "client": None, "step": "speak"}
    with pytest.raises(SettingsError, match=r"'sing' is no step.\s+try: use one of record, check"):
        studio.go("sing")
    assert set(studio.facts) == set(STEPS)


def test_the_recording_and_its_takes_are_compared_by_their_names(studio, good, practice, monkeypatch):
    sent = []
    monkeypatch.setattr(Studio, "send", lambda self, content, buffers=None: sent.append(content))
    order(studio, "step", step="compare")
    assert studio.comparing is None
    voice = practice.voice(WHOLE, name="kathleen")
    studio.clip = vcnb.Clip(good.samples[: 4 * good.sample_rate], good.sample_rate, name="mine")
    studio.synthesis.refresh()
    until(lambda: studio.synthesis.working is None)
    for text in ("Hello.", "Thank you for calling today."):
        order(studio.synthesis, "speak", text=text, voice=voice, transport="http", language="")
        until(lambda: studio.synthesis.working is None)
    until(lambda: fact(studio, "compare") == ("open", "offered"))
    told = lambda: [each for each in sent if each["type"] == "offers"][-1]["offers"]  # noqa: E731
    until(lambda: len(told()) == 3)
    offered = told()
    assert [each["name"] for each in offered] == ["mine", "kathleen, take 1", "kathleen, take 2"]
    order(studio, "compare", keys=["clip"])
    until(lambda: studio.error is not None and studio.working is None)
    order(studio, "compare", keys=["clip", offered[2]["key"], "gone"])
    until(lambda: fact(studio, "compare") == ("done", "compared"))
    assert studio.comparison.items == ("mine", "kathleen, take 2")
    assert studio.comparison.clips[1].text == "Thank you for calling today."


def test_every_state_and_fact_that_is_told_has_its_words():
    table = words("studio")
    source = "".join((STATIC.parent / "widgets" / f"{name}.py").read_text() for name in ("journey", "studio"))
    told = re.findall(r'fact\("(\w+)", "(\w+)"', source)
    facts = {key for _, key in told} | {"fail", "fail_and_warn", "hopeless", "warn", "pass"}
    assert len(facts) > 15
    assert {each["fact"] for each in nothing_yet().values()} <= facts
    assert [each for each in facts for kind in ("fact", "say") if f"{kind}.{each}" not in table] == []
    assert [state for state, _ in told if f"state.{state}" not in table] == []
