"""An account does what a person asks, over a real socket, and refuses what cannot work before any request."""

from __future__ import annotations

import io
import logging
import os
import pickle
import signal
import threading
import time
import wave

import numpy as np
import pytest

from vcnb.audio.load import load
from vcnb.audio.samples import samples
from vcnb.errors import (
    CancelledError,
    ClipError,
    ConsentMissingError,
    SettingsError,
    SpendLimitError,
    VoiceNotFoundError,
)
from vcnb.measure.pitch import median_f0
from vcnb.practice import launch
from vcnb.settings import Settings
from vcnb.workflow.account import Account
from vcnb.workflow.connecting import connect
from vcnb.workflow.connection import Connection
from vcnb.workflow.money import Purse

HTTP, REALTIME = "qwen3-tts-vc-2026-01-22", "qwen3-tts-vc-realtime-2026-01-15"
CONSENT = "the speaker gave it to everybody"


@pytest.fixture
def account(practice):
    with connect(base_url=practice.base_url, api_key=practice.api_key) as found:
        yield found


@pytest.fixture
def hosted(practice, tmp_path):
    """An account that believes it is a paid one: the same service, named Singapore."""
    settings = Settings("singapore", practice.base_url, practice.api_key, None, tmp_path)
    return Account(Connection(settings), Purse(0.02))


def wav(sample_rate=24_000, seconds=4.0):
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setparams((1, 2, sample_rate, 0, "NONE", ""))
        steps = 9000 * np.sin(np.arange(int(sample_rate * seconds)) / 40)
        file.writeframes(steps.astype("<i2").tobytes())
    return buffer.getvalue()


def requests_of(practice):
    seen = practice.counters()
    return sum(seen[name] for name in ("create", "list", "delete", "synthesis", "sse", "upgrade"))


@pytest.mark.parametrize("name", ["thorsten_en", "thorsten_de", "kathleen_en"])
def test_each_format_that_the_service_takes_becomes_a_voice_that_speaks(account, practice, name):
    voice = account.enroll(samples()[name], preferred_name="real", consent=CONSENT, language=name[-2:])
    assert voice.target_model == HTTP
    assert voice.consent == CONSENT
    assert list(account.voices()["voice"]) == [voice.voice]
    assert account.voices()["language"][0] == name[-2:]
    speech = account.speak("The tone engine hums at the pitch of the recording.", voice=voice)
    recorded = load(samples()[name])
    hummed = median_f0(speech.samples, speech.sample_rate)
    assert hummed == pytest.approx(median_f0(recorded.samples, recorded.sample_rate), rel=0.08)


def test_a_list_of_models_makes_a_voice_for_each(account, practice):
    steps = []
    made = account.enroll(
        samples()["kathleen_en"],
        preferred_name="both",
        consent=CONSENT,
        target_model=[HTTP, REALTIME, HTTP],
        progress=lambda step, share: steps.append((step, share)),
    )
    assert {model: voice.target_model for model, voice in made.items()} == {HTTP: HTTP, REALTIME: REALTIME}
    assert practice.counters()["creations"] == 2
    assert steps[-1] == ("done", 1.0)


@pytest.mark.parametrize(
    ("changed", "kind", "said"),
    [
        ({"consent": ""}, ConsentMissingError, "agreed"),
        ({"consent": "  "}, ConsentMissingError, "agreed"),
        ({"consent": None}, ConsentMissingError, "agreed"),
        ({"consent": True}, ConsentMissingError, "agreed"),
        ({"preferred_name": "has-hyphen"}, SettingsError, "has-hyphen"),
        ({"preferred_name": "a" * 17}, SettingsError, "a" * 17),
        ({"preferred_name": None}, SettingsError, "NoneType"),
        ({"preferred_name": 3}, SettingsError, "int"),
        ({"target_model": 3}, SettingsError, "3 is no model"),
        ({"language": ["en"]}, SettingsError, "no language"),
        ({"transcript": ["words"]}, SettingsError, "list"),
        ({"target_model": "qwen3-tts-flash"}, SettingsError, "qwen3-tts-flash"),
        ({"target_model": []}, SettingsError, "No model"),
        ({"language": "English"}, SettingsError, "English"),
        ({"clip": "missing.wav"}, ClipError, "missing.wav"),
        ({"clip": b"no sound at all"}, ClipError, "sound"),
        ({"clip": wav(sample_rate=16_000)}, ClipError, "16"),
        ({"clip": wav(sample_rate=16_000, seconds=61)}, ClipError, "16.*61|61.*16"),
        ({"clip": "http://example.com/a.wav"}, SettingsError, "not https"),
        ({"clip": "https://me:secret@example.com/a.wav"}, SettingsError, "user name"),
    ],
)
def test_what_the_service_would_refuse_is_refused_before_any_request(account, practice, changed, kind, said):
    asked = {"clip": samples()["kathleen_en"], "preferred_name": "good", "consent": CONSENT, "language": "en"} | changed
    clip = asked.pop("clip")
    with pytest.raises(kind, match=said) as caught:
        account.enroll(clip, **asked)
    assert caught.value.remedy
    assert "secret" not in str(caught.value)
    assert requests_of(practice) == 0


def test_a_consent_that_nobody_thought_of_is_asked_for_in_words(account, practice):
    with pytest.raises(ConsentMissingError, match="agreed"):
        account.enroll(samples()["kathleen_en"], preferred_name="good")
    assert requests_of(practice) == 0


def test_a_language_that_is_not_given_is_not_sent_and_that_is_said(account, caplog):
    told = []
    with caplog.at_level(logging.INFO, "vcnb"):
        account.enroll(
            samples()["kathleen_en"],
            preferred_name="quiet",
            consent=CONSENT,
            progress=lambda step, share: told.append(step),
        )
    assert any("No language was given" in step for step in told)
    assert "No language was given" in caplog.text
    caplog.clear()
    account.enroll(samples()["kathleen_en"], preferred_name="quiet", consent=CONSENT)
    assert [record.levelname for record in caplog.records] == ["WARNING"], "where no progress is shown it is seen too"
    assert account.list_voices()[0].language in (None, "zh")  # the service's own default


def test_a_recording_at_an_address_that_cannot_be_fetched_from_here_goes_on_unknown(account, practice):
    told = []
    url = practice.root_url + "/nothing-there.wav"
    with pytest.raises(Exception, match=r".") as caught:  # the service cannot fetch it either
        account.enroll(url, preferred_name="far", consent=CONSENT, progress=lambda step, share: told.append(step))
    assert type(caught.value).__name__ == "AudioRejectedError"
    assert any("could not be fetched from here" in step and "unknown" in step for step in told)
    assert practice.counters()["create"] == 1


def test_a_lost_answer_is_looked_for_and_paid_once(hosted, practice):
    practice.fault("reset_after", "create")
    told = []
    voice = hosted.enroll(
        samples()["kathleen_en"], preferred_name="lost", consent=CONSENT, progress=lambda step, share: told.append(step)
    )
    assert [each.voice for each in hosted.list_voices()] == [voice.voice]
    assert practice.counters()["create"] == 1
    assert hosted.spent == 0.01
    assert any("lost may exist" in step and "cannot be charged twice" in step for step in told)


def test_the_limit_holds_for_all_models_together_before_the_first(hosted, practice):
    three = [HTTP, REALTIME, "qwen3-tts-vc-realtime-2025-11-27"]
    with pytest.raises(SpendLimitError, match=r"\$0\.03"):
        hosted.enroll(samples()["kathleen_en"], preferred_name="dear", consent=CONSENT, target_model=three)
    assert requests_of(practice) == 0
    hosted.enroll(samples()["kathleen_en"], preferred_name="dear", consent=CONSENT, target_model=three[:2])
    assert hosted.spent == pytest.approx(0.02)


def test_stopping_between_two_creations_keeps_and_names_the_first(account, practice):
    stop = threading.Event()

    def progress(step, share):
        if share == 0.0 and "at the service" in step:  # the last word before it is sent
            stop.set()

    with pytest.raises(CancelledError) as caught:
        account.enroll(
            samples()["kathleen_en"],
            preferred_name="half",
            consent=CONSENT,
            target_model=[HTTP, REALTIME],
            progress=progress,
            cancel=stop,
        )
    assert account.list_voices()[0].voice in caught.value.remedy
    assert practice.counters()["creations"] == 1


@pytest.mark.parametrize("transport", ["http", "sse", "realtime"])
def test_a_voice_speaks_in_the_ways_of_its_model(account, practice, transport):
    voice = practice.voice(REALTIME if transport == "realtime" else HTTP)
    speech = account.speak("Hello there, this is a test.", voice=voice, transport=transport, language="en")
    assert speech.transport == transport
    assert speech.duration > 0.5
    assert speech.cost == 0
    assert account.spent == 0


def test_an_id_is_looked_up_once_and_then_known(account, practice):
    voice = practice.voice()
    account.speak("One.", voice=voice)
    account.speak("Two.", voice=account.find(voice))
    account.speak("Three.", voice=voice)
    assert practice.counters()["list"] <= 2  # one reading of the list, which may need a second page to end it


def test_streaming_gives_pieces_and_then_the_whole(account, practice):
    with account.stream("This is a longer sentence, spoken in pieces.", voice=practice.voice(REALTIME)) as pieces:
        sizes = [len(piece.samples) for piece in pieces]
    assert sum(sizes) == len(pieces.speech.samples)
    assert pieces.speech.transport == "realtime"


def test_a_conversation_speaks_what_is_said(account, practice):
    with account.converse(voice=practice.voice(REALTIME)) as line:
        line.say("Right? ")
        line.say("Then let us go.")
    assert line.speech.duration > 0.3


@pytest.mark.parametrize(
    ("made_for", "options", "said"),
    [
        (HTTP, {"target_model": REALTIME}, "was made for"),
        (REALTIME, {"target_model": HTTP}, "was made for"),
        (REALTIME, {"transport": "http"}, "does not speak over 'http'"),
        (REALTIME, {"transport": "sse"}, "does not speak over 'sse'"),
        (HTTP, {"transport": "realtime"}, "does not speak over 'realtime'"),
        (HTTP, {"transport": "carrier pigeon"}, "pigeon"),
        (HTTP, {"language": "Klingon"}, "Klingon"),
        (HTTP, {"text": "   "}, "empty"),
    ],
)
def test_speech_that_cannot_work_is_refused_before_any_request(account, practice, made_for, options, said):
    voice = account.find(practice.voice(made_for))
    before = requests_of(practice)
    asked = {"text": "Hello."} | options
    for speak in (account.speak, account.stream):
        with pytest.raises(SettingsError, match=said):
            speak(**asked, voice=voice)
    assert requests_of(practice) == before


def test_a_conversation_needs_a_realtime_voice(account, practice):
    voice = account.find(practice.voice(HTTP))
    with pytest.raises(SettingsError, match="does not speak over 'realtime'"):
        account.converse(voice=voice)


def test_a_voice_that_the_account_does_not_hold_is_said_so(account):
    with pytest.raises(VoiceNotFoundError, match="nobody"):
        account.speak("Hello.", voice="nobody")


def test_who_gives_a_name_for_an_id_is_told_the_id(account):
    voice = account.enroll(samples()["kathleen_en"], preferred_name="kathleen", consent=CONSENT, language="en")
    for name in ("kathleen", voice.preferred_name):
        with pytest.raises(VoiceNotFoundError, match=f"its id is '{voice.voice}'"):
            account.speak("Hello.", voice=name)


def test_speech_is_paid_by_the_services_count_and_stopped_by_the_limit(hosted, practice):
    voice = practice.voice()
    text = "a" * 100 + "."
    speech = hosted.speak(text, voice=voice, transport="sse")
    assert speech.cost == pytest.approx(0.115 * 101 / 10_000)
    assert hosted.spent == pytest.approx(speech.cost)
    asked = practice.counters()["sse"]
    with pytest.raises(SpendLimitError):
        hosted.speak("b" * 2_000, voice=voice, transport="sse")
    assert practice.counters()["sse"] == asked
    assert hosted.spent == pytest.approx(speech.cost)


def test_words_on_a_line_are_paid_as_they_are_said(hosted, practice):
    voice = practice.voice(REALTIME)
    with hosted.converse(voice=voice) as line:
        line.say("Good morning. ")
        with pytest.raises(SpendLimitError):
            line.say("b" * 2_000)
        with pytest.raises(SettingsError):
            line.say("half a character \ud800")
    with pytest.raises(SettingsError):
        line.say("Too late.")
    assert hosted.spent == pytest.approx(0.13 * 14 / 10_000)


def test_many_hosted_voices_are_deleted_only_on_confirmation(hosted, account, practice):
    for name in ("one", "two"):
        practice.voice(name=name)
    table = hosted.voices()
    with pytest.raises(SettingsError, match="2 voices"):
        hosted.delete(table)
    assert practice.counters()["delete"] == 0
    assert hosted.delete(table[table["preferred_name"] == "one"]) == [table.set_index("preferred_name").voice["one"]]
    assert len(account.voices()) == 1
    practice.voice(name="three")
    assert len(account.delete(account.voices())) == 2  # the practice service asks for no confirmation
    assert account.voices().empty


def test_deleting_what_is_not_there_is_said_so(account):
    with pytest.raises(VoiceNotFoundError):
        account.delete("qwen-tts-vc-guanyu-voice-20250812105009984-838b")


def test_neither_the_repr_nor_an_error_shows_the_key(account, practice):
    key = practice.api_key.reveal()
    with pytest.raises(VoiceNotFoundError) as caught:
        account.find("nobody")
    shown = repr(account) + account._repr_html_() + repr(vars(account)) + str(caught.value) + repr(caught.value)
    assert key not in shown
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(account.settings)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"region": "mars"}, "mars"),
        ({"region": ["singapore"]}, "no region"),
        ({"region": "practice", "data": 3}, "no path but int"),
        ({"base_url": 3}, "no string but int"),
        ({"region": "singapore"}, "needs a key"),
        ({"region": "beijing", "base_url": "http://127.0.0.1:1/api/v1"}, "belongs to region 'practice'"),
        ({"base_url": "http://127.0.0.1:1/api/v1"}, "asks for its key"),
        ({"base_url": "https://example.com/api/v1", "api_key": "sk-x"}, "no address of Model Studio"),
        ({"spend_limit": -1}, "no amount"),
    ],
)
def test_settings_that_cannot_work_are_refused(options, said):
    with pytest.raises(SettingsError, match=said):
        connect(**options)


def test_a_key_in_the_environment_goes_to_singapore_and_nothing_is_asked_there(monkeypatch):
    monkeypatch.setenv("DASHSCOPE_API_KEY", "sk-0123456789abcdefghij")
    account = connect()
    assert account.region == "singapore"
    assert account.notes == ()
    assert "0123456789" not in repr(account)


def test_a_practice_service_that_was_killed_comes_back_with_its_voices(tmp_path):
    with connect("practice", data=tmp_path) as account:
        made = account.enroll(samples()["kathleen_en"], preferred_name="kept", consent=CONSENT)
        with launch.find(tmp_path / "practice") as running:
            os.kill(running.pid, signal.SIGTERM if os.name == "nt" else signal.SIGKILL)
            deadline = time.monotonic() + 20
            while running.alive() and time.monotonic() < deadline:
                time.sleep(0.01)
        assert [voice.voice for voice in account.list_voices()] == [made.voice]
