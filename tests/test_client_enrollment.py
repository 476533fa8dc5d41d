"""Creations that happen once, lists that are whole, deletions that may be asked for again."""

from __future__ import annotations

import pytest

from vcnb import errors
from vcnb.audio.samples import samples
from vcnb.client.enrollment import EnrollmentClient
from vcnb.protocol.enrollment import data_uri
from vcnb.settings import Secret

HTTP = "qwen3-tts-vc-2026-01-22"


@pytest.fixture
def client(practice):
    return EnrollmentClient(practice.settings())


@pytest.fixture(scope="module")
def recording():
    return data_uri(samples()["kathleen_en"].read_bytes(), "audio/wav")


@pytest.mark.parametrize(
    ("name", "media_type"),
    [("kathleen_en", "audio/wav"), ("thorsten_de", "audio/mpeg"), ("thorsten_en", "audio/mp4")],
)
def test_a_voice_is_made_listed_and_deleted(client, practice, name, media_type):
    audio = data_uri(samples()[name].read_bytes(), media_type)
    made = client.create(target_model=HTTP, preferred_name="guanyu", audio=audio, language=name[-2:])
    assert (made.preferred_name, made.target_model, made.region, made.language) == (
        "guanyu",
        HTTP,
        "practice",
        name[-2:],
    )
    assert made.created_at.tzinfo is not None
    (listed,) = client.list_voices()
    assert (listed.voice, listed.target_model, listed.language) == (made.voice, HTTP, name[-2:])
    client.delete(made.voice)
    assert client.list_voices() == []
    with pytest.raises(errors.VoiceNotFoundError):
        client.delete(made.voice)
    assert practice.counters()["create"] == 1


def test_a_degraded_voice_says_so(client, practice, recording):
    practice.fault("fallback", "create", reason="no_valid_asr_segments")
    assert (
        client.create(target_model=HTTP, preferred_name="a", audio=recording).fallback_reason == "no_valid_asr_segments"
    )


@pytest.mark.parametrize(
    ("changed", "kind"),
    [
        ({"preferred_name": "no-hyphen"}, errors.InvalidRequestError),
        ({"target_model": "qwen3-tts-flash"}, errors.InvalidRequestError),
        ({"language": "xx"}, errors.InvalidRequestError),
        ({"audio": "data:audio/wav;base64,AAAA"}, errors.AudioRejectedError),
        ({"audio": "http://169.254.169.254/x"}, errors.ServiceError),
        ({"text": "你好" * 50, "language": "en"}, errors.AudioRejectedError),
    ],
)
def test_a_refused_creation_is_typed_and_nothing_was_made(client, practice, recording, changed, kind):
    with pytest.raises(kind) as caught:
        client.create(**{"target_model": HTTP, "preferred_name": "a", "audio": recording} | changed)
    assert caught.value.remedy
    assert caught.value.request_id
    assert (practice.counters()["create"], practice.counters()["voices"]) == (1, 0)


def test_a_lost_answer_names_what_to_look_for_and_the_voice_is_there(client, practice, recording):
    practice.fault("reset_after", "create")
    with pytest.raises(errors.OutcomeUnknownError, match="not known") as caught:
        client.create(target_model=HTTP, preferred_name="lost_one", audio=recording)
    assert "'lost_one'" in caught.value.intent
    assert HTTP in caught.value.intent
    assert "UTC" in caught.value.intent
    assert [voice.preferred_name for voice in client.list_voices()] == ["lost_one"]
    assert practice.counters()["create"] == 1


def test_a_creation_with_no_place_left_is_a_quota(client, practice, recording):
    practice.fault("error", "create", code="Throttling.AllocationQuota", status=400)
    with pytest.raises(errors.QuotaError, match="storage limit"):
        client.create(target_model=HTTP, preferred_name="a", audio=recording)


def test_a_thousand_voices_take_two_requests(client, practice):
    practice.voice()
    state = practice.service.state
    for _ in range(999):
        state.copy_newest()
    assert len({voice.voice for voice in client.list_voices()}) == 1000
    assert practice.counters()["list"] == 1
    practice.fault("no_total_count", "list")
    assert len({voice.voice for voice in client.list_voices()}) == 1000
    assert practice.counters()["list"] == 3


@pytest.mark.parametrize("echo", [True, False])
@pytest.mark.parametrize("total", [True, False])
def test_a_cap_on_the_page_hides_nothing(client, practice, echo, total):
    practice.voice()
    for _ in range(249):
        practice.service.state.copy_newest()
    practice.fault("page_size_capped", "list", limit=100, echo=echo)
    if not total:
        practice.fault("no_total_count", "list")
    assert len({voice.voice for voice in client.list_voices()}) == 250


@pytest.mark.parametrize("total", [True, False])
@pytest.mark.parametrize("change", ["voice_made", "voice_deleted"])
def test_a_list_that_changes_once_is_read_again(client, practice, change, total):
    practice.voice()
    for _ in range(24):
        practice.service.state.copy_newest()
    practice.schedule({"fault": "page_size_capped", "operation": "list", "limit": 10})
    practice.schedule({"fault": change, "operation": "list", "skip": 2, "times": 1})
    if not total:
        practice.fault("no_total_count", "list")
    there = {each.voice for each in practice.service.state.page(0, 1000)} if change == "voice_deleted" else None
    listed = {voice.voice for voice in client.list_voices()}
    assert listed == {each.voice for each in practice.service.state.page(0, 1000)}
    assert there is None or listed < there


def test_a_list_that_always_changes_is_an_error(client, practice):
    practice.voice()
    for _ in range(24):
        practice.service.state.copy_newest()
    practice.fault("page_size_capped", "list", limit=10)
    practice.fault("voice_made", "list", times=None)
    with pytest.raises(errors.ServiceBrokenError, match="changed 4 times"):
        client.list_voices()


def test_a_deletion_whose_answer_was_lost_is_done(client, practice):
    voice = practice.voice()
    practice.fault("reset_after", "delete")
    client.delete(voice)
    assert (practice.counters()["delete"], practice.counters()["voices"]) == (2, 0)


def test_a_refusal_is_not_asked_again(client, practice):
    practice.fault("error", "list", code="Arrearage", times=None)
    with pytest.raises(errors.QuotaError):
        client.list_voices()
    assert practice.counters()["list"] == 1


@pytest.mark.parametrize("timeout", [0, -1, float("nan"), float("inf"), "5"])
def test_a_timeout_that_is_none_is_refused(practice, timeout):
    with pytest.raises(errors.SettingsError, match="impossible"):
        EnrollmentClient(practice.settings(), timeout=timeout)


def test_a_wrong_key_makes_nothing(practice, recording):
    client = EnrollmentClient(practice.settings(api_key=Secret("sk-0123456789abcdef")))
    with pytest.raises(errors.AuthenticationError):
        client.create(target_model=HTTP, preferred_name="a", audio=recording)
    assert practice.counters()["voices"] == 0
