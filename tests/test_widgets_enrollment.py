"""How a clip becomes a voice by hand, on the kernel's side, against the practice service."""

from __future__ import annotations

import re
import string
import threading
import time

import numpy as np
import pytest

import vcnb
from vcnb.audio.clip import Clip
from vcnb.catalog import LANGUAGES, MODELS
from vcnb.errors import ClipError, SettingsError
from vcnb.protocol.voice import check_preferred_name
from vcnb.settings import Settings
from vcnb.widgets.enrollment import Enrollment
from vcnb.workflow.account import Account
from vcnb.workflow.connection import Connection
from vcnb.workflow.money import Purse
from vcnb.workflow.sending import Manner
from vcnb.workflow.unsure import Unsure

WHOLE, LIVE = "qwen3-tts-vc-2026-01-22", "qwen3-tts-vc-realtime-2026-01-15"
ORDER = {
    "type": "enroll",
    "name": "kathleen",
    "models": [WHOLE],
    "language": "en",
    "transcript": "",
    "who": "agreed",
    "consent": " Kathleen, in writing, on 3 May ",
}


@pytest.fixture(scope="module")
def clip():
    return vcnb.load(vcnb.samples()["kathleen_en"])


@pytest.fixture
def account(practice):
    with_it = vcnb.connect("practice", base_url=practice.base_url, api_key=practice.api_key)
    yield with_it
    with_it.close()


@pytest.fixture
def hosted(practice, tmp_path, monkeypatch):
    """Accounts that believe they are paid ones, each like a kernel of its own; they are patient for a moment."""
    monkeypatch.setattr("vcnb.workflow.sending.UPLOAD_SPEED", 1e9)

    def another(settle=2.0):
        manner = Manner(False, settle=settle, lease=1.0, pause=0.1)
        monkeypatch.setattr("vcnb.workflow.enrolling.Manner.of", lambda region: manner)
        settings = Settings("singapore", practice.base_url, practice.api_key, None, tmp_path)
        return Account(Connection(settings), Purse())

    return another


def until(condition, limit=20.0):
    deadline = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.005)


def press(panel, **changed):
    """Press the button as the browser would, and wait until the work is over."""
    panel._handle_custom_msg(ORDER | changed, [])
    until(lambda: panel.working is None)


def test_a_voice_is_made_and_kept_with_its_consent(clip, account, practice):
    panel = Enrollment(clip, account=account)
    assert panel.voice is None
    seen = []
    panel.observe(lambda change: seen.append(change["new"]), "voice")
    press(panel)
    assert panel.error is None
    assert panel.voice.consent == "Someone who agreed: Kathleen, in writing, on 3 May"
    assert (panel.voice.name, panel.voice.target_model) == ("kathleen", WHOLE)
    assert panel.outcome["voices"] == [{"voice": panel.voice.voice, "target_model": WHOLE}]
    assert panel.outcome["cost"] == 0
    assert seen == [panel.voice]
    assert practice.counters()["creations"] == 1
    assert repr(panel) == f"<Enrollment of {clip!r}, {panel.voice!r}>"


def test_several_models_are_several_voices(clip, account, practice):
    panel = Enrollment(clip, account=account)
    press(panel, models=[WHOLE, LIVE], who="mine", consent="me")
    assert list(panel.voice) == [WHOLE, LIVE]
    assert [voice.target_model for voice in panel.voice.values()] == [WHOLE, LIVE]
    assert practice.counters()["creations"] == 2


def test_the_voices_of_one_press_are_of_one_recording_whatever_is_put_in_meanwhile(clip, account, monkeypatch):
    panel = Enrollment(clip, account=account)
    real, sent = account.enroll, []

    def another_meanwhile(given, **options):
        sent.append(given)
        panel.clip = vcnb.samples()["thorsten_en"]
        return real(given, **options)

    monkeypatch.setattr(account, "enroll", another_meanwhile)
    press(panel, models=[WHOLE, LIVE])
    assert sent == [clip, clip]


@pytest.mark.parametrize(
    ("changed", "kind"),
    [
        ({"consent": "  "}, "ConsentMissingError"),
        ({"name": "a name"}, "SettingsError"),
        ({"models": ["x"]}, "SettingsError"),
    ],
)
def test_what_the_form_lets_through_is_refused_here_too(clip, account, practice, changed, kind):
    panel = Enrollment(clip, account=account)
    press(panel, **changed)
    assert panel.error["kind"] == kind
    assert panel.error["remedy"]
    assert panel.voice is None
    assert practice.counters()["create"] == 0


def test_an_error_of_the_service_is_shown_with_its_code_and_may_be_tried_again(clip, account, practice):
    practice.fault("music", "create")
    panel = Enrollment(clip, account=account)
    press(panel)
    assert panel.error["code"] == "Audio.PreprocessError"
    assert panel.error["request_id"]
    assert panel.outcome is None
    press(panel)
    assert panel.error is None
    assert panel.voice.name == "kathleen"


def test_what_was_made_before_a_failure_is_kept_and_named(clip, account, practice):
    practice.fault("noise", "create", skip=1)
    panel = Enrollment(clip, account=account)
    press(panel, models=[LIVE, WHOLE])
    assert panel.error["code"] == "Audio.PreprocessError"
    assert panel.outcome["state"] == "part"
    assert list(panel.voice) == [LIVE]
    press(panel, models=[WHOLE])
    assert panel.outcome["state"] == "ready"
    assert practice.counters()["creations"] == 2


def test_a_lost_answer_is_said_and_looked_for(clip, account, practice):
    practice.fault("reset_after", "create")
    panel, said = Enrollment(clip, account=account), []
    panel.observe(lambda change: said.append((change["new"] or {}).get("step", "")), "working")
    press(panel)
    assert any("You cannot be charged twice" in step for step in said)
    assert panel.outcome["state"] == "ready"
    assert practice.counters()["create"] == practice.counters()["creations"] == 1


def test_what_nothing_came_of_is_asked_again_only_by_its_button(clip, hosted, practice):
    practice.fault("reset", "create")
    panel, unsure = Enrollment(clip, account=hosted()), []
    panel.observe(lambda change: unsure.append(change["new"]), "unsure")
    press(panel)
    assert [each and (each["name"], each["every"]) for each in unsure] == [("kathleen", 0.1), None]
    assert (panel.outcome["state"], panel.outcome["settled"], panel.voice) == ("unknown", True, None)
    press(panel)
    assert practice.counters()["create"] == 1, "the main button pays for nothing that may exist"
    panel._handle_custom_msg({"type": "settle"}, [])
    until(lambda: panel.working is None)
    assert panel.outcome["state"] == "unknown"
    assert practice.counters()["create"] == 1
    panel._handle_custom_msg({"type": "settle", "retry": True}, [])
    until(lambda: panel.working is None)
    assert panel.outcome["state"] == "ready"
    assert panel.voice.name == "kathleen"
    assert practice.counters()["creations"] == 1


def test_what_nothing_came_of_can_be_left(clip, hosted, practice):
    practice.fault("reset", "create")
    panel = Enrollment(clip, account=hosted())
    press(panel)
    panel._handle_custom_msg({"type": "leave"}, [])
    assert panel.outcome is None
    assert panel.account.unsettled() == []
    press(panel)
    assert panel.outcome["state"] == "ready"
    assert practice.counters()["creations"] == 1


def test_a_new_kernel_goes_on_looking_and_says_so(clip, hosted, practice):
    def end(step, share):
        if isinstance(step, Unsure):
            raise KeyboardInterrupt

    practice.fault("reset_after", "create")
    with pytest.raises(KeyboardInterrupt):
        hosted(settle=60.0).enroll(clip, preferred_name="kathleen", consent="me", progress=end)
    panel = Enrollment(account=hosted(settle=60.0))
    until(lambda: panel.outcome and panel.working is None)
    assert panel.outcome["state"] == "ready"
    assert panel.outcome["name"] == "kathleen"
    assert panel.voice.consent == "me"
    assert practice.counters()["create"] == 1


def test_a_second_press_after_success_makes_nothing_until_the_outcome_is_cleared(clip, account, practice):
    panel = Enrollment(clip, account=account)
    press(panel)
    press(panel)
    assert practice.counters()["creations"] == 1
    panel._handle_custom_msg({"type": "again"}, [])
    press(panel, name="second")
    assert practice.counters()["creations"] == 2


def test_cancel_stops_before_the_next_request(clip, account, practice):
    practice.fault("slow", "create")
    panel = Enrollment(clip, account=account)
    panel._handle_custom_msg(ORDER | {"models": [WHOLE, LIVE]}, [])
    until(lambda: practice.counters()["create"] == 1)
    panel._handle_custom_msg({"type": "cancel"}, [])
    practice.release()
    until(lambda: panel.working is None)
    assert panel.error["kind"] == "CancelledError"
    assert list(panel.voice) == [WHOLE], "the request under way was waited for"
    assert practice.counters()["create"] == 1


def test_without_an_account_the_practice_service_is_started_when_it_is_needed(clip):
    panel = Enrollment(clip)
    assert panel.account is None
    assert panel.offer["free"] is True
    try:
        press(panel)
        assert panel.error is None
        assert panel.account.region == "practice"
        assert panel.voice.name == "kathleen"
    finally:
        panel.account.close()


def test_the_check_counts_every_finding(clip):
    panel = Enrollment(clip)
    until(lambda: panel.check)
    report = vcnb.diagnose(clip)
    assert panel.check["verdict"] == report.verdict
    assert sum(panel.check["counts"].values()) == len(report.findings)
    assert panel.check["failures"] == []
    assert panel.clip_facts["format"] == "WAV"
    assert panel.clip_facts["size_mb"] == clip.source.size_bytes / 1e6


def test_a_check_that_comes_late_says_nothing_about_the_next_clip(clip, monkeypatch):
    go, late = threading.Event(), threading.Event()
    poor = Clip(np.zeros(24000), 24000, name="silence")

    def diagnose(given):
        report = vcnb.diagnose(given)
        if given is poor:
            go.wait(10)
            late.set()
        return report

    monkeypatch.setattr("vcnb.widgets.enrollment.diagnose", diagnose)
    panel = Enrollment(poor)
    (thread,) = (each for each in threading.enumerate() if getattr(each, "_target", None) == panel._judge)
    panel.clip = clip
    until(lambda: panel.check)
    go.set()
    thread.join(10)
    assert late.is_set()
    assert panel.check["failures"] == []


def test_a_clip_that_would_be_refused_says_why_and_can_be_mended(clip, account):
    poor = Clip(np.tile(clip.samples, 5)[::3], 8000, name="phone.wav")
    panel = Enrollment(poor, account=account)
    until(lambda: panel.check)
    assert {"duration", "sample_rate"} <= {failure["check"] for failure in panel.check["failures"]}
    assert panel.check["mendable"]
    press(panel)
    assert panel.error["kind"] == "ClipError"
    panel._handle_custom_msg({"type": "mend"}, [])
    until(lambda: panel.working is None and panel.check, limit=90)
    assert panel.check["failures"] == []
    assert "24000 Hz" in panel.check["mended"]
    assert panel.clip is not poor
    press(panel)
    assert panel.voice is not None


def test_what_cannot_be_mended_offers_no_mending():
    panel = Enrollment(Clip(np.zeros(24000), 24000, name="silence"))
    until(lambda: panel.check)
    assert panel.check["failures"]
    assert panel.check["mendable"] is False


def test_what_is_typed_comes_back_after_a_reload_and_is_in_no_trait(clip, monkeypatch):
    panel, sent = Enrollment(clip), []
    monkeypatch.setattr(panel, "send", lambda content, buffers=None: sent.append(content))
    draft = {name: ORDER[name] for name in ("name", "models", "language", "transcript", "who", "consent")}
    panel._handle_custom_msg({"type": "draft", "draft": draft | {"stray": 1}}, [])
    panel._handle_custom_msg({"type": "hello", "client": "tab"}, [])
    assert sent == [{"type": "snapshot", "client": "tab", "draft": draft}]
    assert "Kathleen" not in str(panel.get_state())


def test_the_form_and_the_service_have_one_rule_for_names(clip):
    offer = Enrollment().offer
    rule = re.compile(f"^{offer['name_letters']}{{1,{offer['name_length']}}}$")

    def taken(name):
        try:
            return check_preferred_name(name) == name
        except SettingsError:
            return False

    names = [*string.printable, "é", "ä", "１", "", "a" * 16, "a" * 17, "a-b", "a b", "A_9"]
    assert [bool(rule.match(name)) and not name.endswith("\n") for name in names] == [taken(name) for name in names]


def test_it_offers_what_the_service_has():
    offer = Enrollment().offer
    assert {model["name"] for model in offer["models"]} == set(MODELS)
    assert all(float(model["price"]) == MODELS[model["name"]].price_per_10k for model in offer["models"])
    assert set(offer["languages"]) == set(LANGUAGES)
    assert sum(model["chosen"] for model in offer["models"]) == 1


def test_a_paid_account_shows_its_price():
    account = vcnb.connect("singapore", api_key="sk-nobody-else-knows-this")
    panel = Enrollment(account=account)
    assert panel.offer["free"] is False
    assert "nobody-else" not in str(panel.get_state()) + repr(panel)


def test_a_recording_that_cannot_be_read_is_refused_at_once():
    with pytest.raises(ClipError):
        Enrollment(b"no sound at all")


def test_two_presses_at_once_are_one_request(clip, account, practice):
    practice.fault("slow", "create")
    panel = Enrollment(clip, account=account)
    threads = [threading.Thread(target=panel._handle_custom_msg, args=(ORDER, [])) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    until(lambda: practice.counters()["create"] == 1)
    practice.release()
    until(lambda: panel.working is None)
    assert practice.counters()["create"] == 1
