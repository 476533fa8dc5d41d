"""Voices are made, listed and deleted as the page says, and kept where a killed service finds them again."""

from __future__ import annotations

import base64
import re
import sqlite3
import time
from datetime import datetime

import numpy as np
import pytest
import requests

import vcnb
from vcnb.audio.encode import wav_bytes
from vcnb.errors import SettingsError
from vcnb.practice import state as account
from vcnb.practice.rules import RULES
from vcnb.practice.state import State, new_voice_name
from vcnb.protocol.enrollment import create_payload, data_uri, delete_payload, list_payload
from vcnb.protocol.voice import CHINA_TIME, preferred_name_of

MODEL = "qwen3-tts-vc-2026-01-22"
PATH = "/api/v1/services/audio/tts/customization"


def ask(practice, payload):
    return practice.ask("POST", PATH, json=payload)


def recording():
    return vcnb.samples()["kathleen_en"].read_bytes()


def recorded_uri():
    return data_uri(recording(), "audio/wav")


def create(practice, **changed):
    given = {"target_model": MODEL, "preferred_name": "guanyu", "audio": recorded_uri()}
    return ask(practice, create_payload(**(given | changed)))


def listed(practice, page_index=0, page_size=10):
    return ask(practice, list_payload(page_index, page_size)).json()["output"]


def names(output):
    return [row["voice"] for row in output["voice_list"]]


def test_a_voice_is_made_and_counted_once(practice):
    answer = create(practice, language="en")
    body = answer.json()
    voice = body["output"]["voice"]
    assert body == {
        "output": {"voice": voice, "target_model": MODEL},
        "usage": {"count": 1},
        "request_id": answer.headers["x-request-id"],
    }
    found = re.fullmatch(r"qwen-tts-vc-guanyu-voice-(\d{17})-[0-9a-f]{4}", voice)
    made = datetime.strptime(found[1][:14], "%Y%m%d%H%M%S").replace(tzinfo=CHINA_TIME)
    assert abs(made.timestamp() - time.time()) < 10
    (row,) = listed(practice)["voice_list"]
    assert row == {
        "voice": voice,
        "gmt_create": made.strftime("%Y-%m-%d %H:%M:%S"),
        "gmt_modified": made.strftime("%Y-%m-%d %H:%M:%S"),
        "language": "en",
        "target_model": MODEL,
    }
    assert practice.counters() == practice.counters() | {"create": 1, "list": 1, "creations": 1, "voices": 1}


def test_a_name_with_digits_is_read_back_whole():
    voice = new_voice_name("a_voice_20260101", datetime(2026, 1, 2, 3, 4, 5, 678_900, CHINA_TIME))
    assert re.fullmatch("qwen-tts-vc-a_voice_20260101-voice-20260102030405678-[0-9a-f]{4}", voice)
    assert preferred_name_of(voice) == "a_voice_20260101"


def test_the_language_is_kept_only_if_it_was_given(practice):
    create(practice)
    assert "language" not in listed(practice)["voice_list"][0]


def test_the_newest_comes_first_and_pages_are_counted_from_zero(practice):
    made = [practice.voice(name=f"v{number}") for number in range(5)]
    assert names(listed(practice, 0, 2)) == [made[4], made[3]]
    assert names(listed(practice, 2, 2)) == [made[0]]
    assert names(listed(practice, 3, 2)) == []
    assert names(listed(practice, 0, 0)) == []
    last = listed(practice, 1_000_000, 1_000_000)
    assert (last["page_index"], last["page_size"], last["total_count"]) == (1_000_000, 1_000_000, 5)


def test_ten_voices_a_page_where_nothing_is_said(practice):
    for _ in range(11):
        practice.voice()
    output = ask(practice, {"model": "qwen-voice-enrollment", "input": {"action": "list"}}).json()["output"]
    assert (len(output["voice_list"]), output["page_size"], output["page_index"]) == (10, 10, 0)


@pytest.mark.parametrize("page", [(-1, 10), (0, -1), (1_000_001, 10), (0, 1_000_001), ("0", 10), (0, True), (0, 1.5)])
def test_a_page_that_cannot_be_is_refused(practice, page):
    answer = ask(practice, list_payload(*page))
    assert (answer.status_code, answer.json()["code"]) == (400, "InvalidParameter")


def test_a_deleted_voice_is_gone_and_cannot_be_deleted_twice(practice):
    kept, voice = practice.voice(), practice.voice()
    answer = ask(practice, delete_payload(voice))
    assert answer.json()["output"] == {"voice": voice}
    assert answer.json()["usage"] == {"count": 0}
    assert names(listed(practice)) == [kept]
    again = ask(practice, delete_payload(voice))
    assert (again.status_code, again.json()["code"]) == (400, "BadRequest.VoiceNotFound")
    assert again.json()["message"] == f"Voice '{voice}' not found."


def test_nothing_of_a_deleted_voice_stays_on_the_disk(practice, session_folder):
    # 0x7A7B repeated is a sound nobody else makes.
    state = practice.service.state
    voice = practice.voice()
    state._db.execute("UPDATE sounds SET samples = ? WHERE voice = ?", (b"z{" * 500_000, voice))
    state.delete(voice)
    state._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert all(b"z{" * 100 not in path.read_bytes() for path in session_folder.glob("practice.sqlite*"))


def test_the_thousand_and_first_voice_is_refused_and_costs_nothing(practice):
    fill(practice, 1_000)
    answer = create(practice)
    assert (answer.status_code, answer.json()["code"]) == (400, "Throttling.AllocationQuota")
    assert answer.json()["message"] == "Maximum voice storage limit exceeded, please delete existing voices."
    assert practice.counters()["creations"] == 0
    ask(practice, delete_payload(names(listed(practice))[0]))
    assert create(practice).status_code == 200


def fill(practice, n_voices, sound_bytes=2):
    """Put many voices into the account at once."""
    state = practice.service.state
    with state._change() as db:
        for _ in range(n_voices):
            voice = state._new("full", MODEL, None).voice
            db.execute("INSERT INTO sounds VALUES(?, ?, 24000, NULL)", (voice, bytes(sound_bytes)))


def test_list_and_delete_are_answered_within_ten_milliseconds_at_a_thousand_voices(practice):
    fill(practice, 990)
    fill(practice, 10, sound_bytes=1_000_000)  # as recordings of 20 s are
    took = {"list": [], "delete": []}
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {practice.api_key.reveal()}"
        for number in range(9):
            for kind, payload in (("list", list_payload(number, 100)), ("delete", delete_payload(newest(practice)))):
                begun = time.perf_counter()
                answer = session.post(practice.root_url + PATH, json=payload, timeout=10)
                took[kind].append(time.perf_counter() - begun)
                assert answer.status_code == 200
    # The quickest third: the rest is what else the machine has to do.
    assert np.quantile(took["list"], 1 / 3) < 0.010
    assert np.quantile(took["delete"], 1 / 3) < 0.010


def newest(practice):
    return practice.service.state.page(0, 1)[0].voice


FAMILIES = [
    ({"model": "voice-enrollment", "input": {"action": "create_voice", "prefix": "x", "url": "u"}}, "Model not exist."),
    ({"model": "qwen-voice-design", "input": {"action": "create", "voice_prompt": "calm"}}, "Model not exist."),
    ({"model": "qwen3-tts-vc-2026-01-22", "input": {"action": "list"}}, "Model not exist."),
    (
        {"model": "qwen-voice-enrollment", "input": {"action": "create_voice", "prefix": "x", "url": "u"}},
        RULES["action"][2],
    ),
    ({"model": "qwen-voice-enrollment", "input": {"action": "query", "voice": "v"}}, RULES["action"][2]),
    ({"model": "qwen-voice-enrollment", "input": {"action": ["create"]}}, RULES["action"][2]),
    ({"model": "qwen-voice-enrollment", "input": {"page_size": 2}}, RULES["action"][2]),
]


@pytest.mark.parametrize(("payload", "message"), FAMILIES)
def test_the_words_of_another_family_are_refused(practice, payload, message):
    answer = ask(practice, payload)
    assert (answer.status_code, answer.json()["code"]) == (400, "InvalidParameter")
    assert answer.json()["message"].startswith(message)


def encoded(samples, sample_rate):
    return data_uri(wav_bytes(samples.astype(np.float32), sample_rate), "audio/wav")


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"preferred_name": "with-hyphen"}, "InvalidParameter"),
        ({"target_model": "qwen3-tts-flash"}, "InvalidParameter"),
        ({"language": "Chinese"}, "InvalidParameter"),
        ({"audio": ""}, "InvalidURL"),
        ({"audio": "data:audio/wav;base64,!!!!"}, "Audio.DecoderError"),
        ({"audio": data_uri(b"no sound at all", "audio/wav")}, "BadRequest.UnsupportedFileFormat"),
        ({"audio": "data:audio/wav;base64," + "A" * 10 * 2**20}, "BadRequest.TooLarge"),
        ({"audio": encoded(np.zeros(240_000), 24_000)}, "Audio.PreprocessError"),
        ({"audio": encoded(np.zeros(160_000), 16_000)}, "Audio.AudioRateError"),
    ],
    ids=["name", "model", "language", "empty", "base64", "no sound", "too large", "silence", "16 kHz"],
)
def test_a_creation_that_is_refused_makes_nothing_and_costs_nothing(practice, changed, code):
    answer = create(practice, **changed)
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert practice.counters()["creations"] == practice.counters()["voices"] == 0


def test_a_file_at_an_address_serves_as_well(practice):
    voice = create(practice).json()["output"]["voice"]
    state = practice.service.state
    token = state.keep_result(recording(), time.time() + 60)
    made = create(practice, audio=f"{practice.root_url}/results/{token}.wav").json()["output"]["voice"]
    assert state.reference(made).samples.tobytes() == state.reference(voice).samples.tobytes()


def test_a_profile_of_another_engine_is_made_again_from_the_recording(practice):
    voice = practice.voice(f0=180.0)
    state = practice.service.state
    state.keep_profile(voice, "tone-0", b"unreadable")
    body = {"model": MODEL, "input": {"text": "hello", "voice": voice}}
    answer = practice.ask("POST", "/api/v1/services/aigc/multimodal-generation/generation", json=body)
    assert answer.status_code == 200
    assert state.profile(voice, practice.engine.version) is not None
    assert state.profile(voice, "tone-0") is None


def test_the_recording_is_kept_as_it_came(practice):
    made = create(practice, text=None).json()["output"]["voice"]
    kept = practice.service.state.reference(made)
    original = vcnb.load(recording())
    assert kept.sample_rate == original.sample_rate
    np.testing.assert_allclose(kept.samples, original.samples, atol=1 / 32_768)


def test_a_full_disk_is_an_answer_and_not_the_end(practice):
    database = practice.service.state._db
    database.execute("VACUUM")  # what was deleted before leaves room
    (used,) = database.execute("PRAGMA page_count").fetchone()
    database.execute(f"PRAGMA max_page_count={used}")
    try:
        answer = create(practice)
        assert (answer.status_code, answer.json()["code"]) == (500, "InternalError")
        assert "full" in answer.json()["message"]
        assert listed(practice)["voice_list"] == []
    finally:
        database.execute("PRAGMA max_page_count=1000000000")
    assert create(practice).status_code == 200
    assert practice.counters()["creations"] == 1


def test_results_have_a_place_that_ends_and_the_oldest_goes_first(practice, monkeypatch):
    monkeypatch.setattr(account, "RESULTS_BYTES", 250)
    state = practice.service.state
    tokens = [state.keep_result(bytes(100), time.time() + 60 + number) for number in range(4)]
    assert [state.result(token) is not None for token in tokens] == [False, False, True, True]


def test_a_file_that_is_no_account_is_named_and_left_as_it_is(tmp_path):
    (tmp_path / "practice.sqlite").write_bytes(b"not a database, but long enough to be looked at" * 100)
    with pytest.raises(SettingsError, match=r"practice\.sqlite cannot be opened \(file is not a database\)"):
        State(tmp_path)
    assert (tmp_path / "practice.sqlite").read_bytes().startswith(b"not a database")


def test_two_services_on_one_folder_see_the_same_account(practice, session_folder):
    voice = practice.voice()
    with sqlite3.connect(session_folder / "practice.sqlite") as other:
        assert other.execute("SELECT voice FROM voices").fetchall() == [(voice,)]
    other.close()


def test_base64_is_read_as_the_page_writes_it(practice):
    uri = "data:audio/wav;base64," + base64.b64encode(recording()).decode()
    assert uri == data_uri(recording(), "audio/wav")
    assert create(practice, audio=uri.replace("audio/wav", "audio/x-wav")).status_code == 200
