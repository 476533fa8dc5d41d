"""Speech over three transports, as it arrives and whole, stopped, dropped, and refused before it is sent."""

from __future__ import annotations

import gc
import logging
import pickle
import threading
import time

import dashscope  # takes seconds, which are no part of any deadline
import numpy as np
import pytest

from vcnb import errors
from vcnb.client.http import check_result_url
from vcnb.client.speaking import open_stream
from vcnb.settings import Secret, Settings

HTTP, REALTIME = "qwen3-tts-vc-2026-01-22", "qwen3-tts-vc-realtime-2026-01-15"
MODELS = {"http": HTTP, "sse": HTTP, "realtime": REALTIME}
OURS = ("vcnb-speech", "vcnb-deadline", "vcnb-realtime")
SECONDS_A_LETTER = 0.06  # of the tone engine

every_transport = pytest.mark.parametrize("transport", list(MODELS))


@pytest.fixture
def speak(practice):
    """Open a stream with a voice of the right model."""
    voices = {model: practice.voice(model) for model in (HTTP, REALTIME)}

    def start(text, transport, **options):
        model = MODELS[transport]
        given = {"voice": voices[model], "target_model": model, "transport": transport} | options
        return open_stream(practice.settings(), text, **given)

    return start


def ours():
    return [each.name for each in threading.enumerate() if each.name in OURS]


def wait_until(condition, seconds=5.0):
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.002)


@every_transport
def test_pieces_and_whole_are_the_same_sound(speak, transport):
    stream = speak("Hello there, how are you?", transport, language="en")
    pieces = list(stream)
    speech = stream.speech
    assert np.array_equal(np.concatenate([piece.samples for piece in pieces]), speech.samples)
    assert {piece.sample_rate for piece in pieces} == {24_000}
    assert speech.duration == pytest.approx(SECONDS_A_LETTER * 25, abs=0.03)
    assert (speech.text, speech.transport, speech.target_model) == (
        "Hello there, how are you?",
        transport,
        MODELS[transport],
    )
    assert (speech.language, speech.characters, speech.cost) == ("en", 25, 0.0)
    assert len(speech.request_ids) == 1
    assert speech.request_ids[0]
    assert sum(seconds for _, seconds in speech.arrivals) == pytest.approx(speech.duration)
    assert list(speech.arrivals) == sorted(speech.arrivals)
    assert (speech.first_audio_delay is None) == (transport == "http")
    assert stream.speech is speech
    assert list(stream) == []


def test_a_hosted_region_costs_what_the_catalogue_says():
    from vcnb.client.take import Order, Take

    take = Take()
    take.add(b"\x01\x00" * 240)
    take.finish()
    assert take.speech("你好, ok", Order("v", HTTP, "sse", None, "singapore")).cost == pytest.approx(8 * 0.115 / 10_000)


@every_transport
def test_a_long_text_is_one_speech_and_counted_whole(speak, practice, transport):
    text = "This is a sentence with a clause, and it is not very long. " * 30
    speech = speak(text, transport).speech
    parts = 1 if transport == "realtime" else 3
    operation = {"http": "synthesis", "sse": "sse", "realtime": "upgrade"}[transport]
    assert practice.counters()[operation] == parts
    assert len(speech.request_ids) == parts
    assert speech.text == text
    assert speech.duration == pytest.approx(SECONDS_A_LETTER * len(text), rel=0.02)
    assert speech.characters == pytest.approx(len(text), abs=parts)
    if parts > 1:
        # The tone never jumps by more than its own steepest step: no joint of ours clicks.
        steps = np.abs(np.diff(speech.samples))
        assert steps.max() <= 1.2 * np.quantile(steps, 0.99)


@pytest.mark.parametrize("transport", ["sse", "realtime"])
def test_sound_is_heard_before_the_rest_is_made(speak, practice, transport):
    practice.engine.piece_delay = 0.02
    began = time.monotonic()
    with speak("A text of some length, so that it has many pieces.", transport) as stream:
        next(stream)
        first = time.monotonic() - began
        stream.speech  # noqa: B018
        assert first < 0.5 * (time.monotonic() - began)


@every_transport
def test_cancel_ends_it_and_leaves_nothing_behind(speak, practice, transport):
    practice.fault("stall_mid" if transport != "http" else "stall", {"http": "synthesis"}.get(transport, transport))
    stream = speak("A text that will not be spoken to its end.", transport)
    if transport != "http":
        next(stream)
    else:
        wait_until(lambda: practice.counters()["synthesis"] == 1)
    began = time.monotonic()
    stream.cancel()
    assert time.monotonic() - began < 0.25
    wait_until(lambda: not ours())
    with pytest.raises(errors.CancelledError):
        list(stream)
    with pytest.raises(errors.CancelledError):
        stream.speech  # noqa: B018


@every_transport
def test_cancel_at_once_is_as_good(speak, transport):
    stream = speak("Never mind.", transport)
    stream.cancel()
    wait_until(lambda: not ours())
    with pytest.raises(errors.CancelledError):
        list(stream)


@every_transport
def test_a_stream_that_is_dropped_stops_by_itself(speak, practice, transport):
    practice.fault("stall", {"http": "synthesis"}.get(transport, transport))
    stream = speak("Nobody listens.", transport)
    wait_until(lambda: practice.counters()[{"http": "synthesis"}.get(transport, transport)] == 1)
    del stream
    gc.collect()
    wait_until(lambda: not ours())


@every_transport
def test_a_stream_can_be_heard_on_another_thread(speak, transport):
    stream, heard = speak("Hello there.", transport), []
    listener = threading.Thread(target=lambda: heard.extend(stream))
    listener.start()
    speech = stream.speech
    listener.join(5)
    assert sum(piece.duration for piece in heard) == pytest.approx(speech.duration)


@pytest.mark.parametrize("transport", ["sse", "realtime"])
def test_what_came_before_a_break_is_kept_but_is_no_speech(speak, practice, transport):
    practice.fault("stream_error", transport, after=2, code="DataInspectionFailed")
    stream = speak("A text with more than two pieces of sound in it.", transport)
    got = []
    with pytest.raises(errors.SpeechInterruptedError, match="inappropriate") as caught:
        got.extend(iter(stream))
    error = pickle.loads(pickle.dumps(caught.value))
    assert error.code == "DataInspectionFailed"
    assert error.request_id
    assert error.received.duration > 0
    with pytest.raises(errors.SpeechInterruptedError):
        stream.speech  # noqa: B018


def test_a_break_in_the_second_request_is_no_success(speak, practice):
    practice.fault("error", "synthesis", skip=1, code="Arrearage")
    with pytest.raises(errors.SpeechInterruptedError, match="good standing") as caught:
        speak("This is a sentence of the long text that is spoken in parts. " * 15, "http").speech  # noqa: B018
    assert caught.value.code == "Arrearage"
    assert caught.value.received.duration > 10


def test_a_stream_that_drips_without_sound_ends_by_its_deadline(speak, practice):
    practice.engine.piece_delay = 0.1
    began = time.monotonic()
    with pytest.raises(errors.SpeechInterruptedError, match=r"deadline of 0\.5 s"):
        speak("Many pieces of sound, more than there is time for.", "sse", timeout=0.5).speech  # noqa: B018
    assert time.monotonic() - began < 3


@pytest.mark.parametrize(
    ("changed", "match"),
    [
        ({"transport": "realtime"}, "does not speak over 'realtime'"),
        ({"target_model": REALTIME}, "does not speak over 'sse'"),
        ({"target_model": "qwen3-tts-flash"}, "no model for cloned voices"),
        ({"voice": "Cherry"}, "voice of the system"),
        ({"voice": "Chelsie"}, "voice of the system"),
        ({"voice": ""}, "names no voice"),
        ({"voice": "a\nb"}, "names no voice"),
        ({"voice": "a\ud800"}, "names no voice"),
        ({"target_model": [HTTP]}, "no model for cloned voices"),
        ({"transport": "pigeon"}, "no transport"),
        ({"language": "english"}, "no language"),
        ({"timeout": 0}, "impossible"),
        ({"timeout": float("nan")}, "impossible"),
        ({"timeout": float("inf")}, "impossible"),
        ({"timeout": 86_401}, "impossible"),
        ({"timeout": "5"}, "impossible"),
        ({"text": " "}, "empty"),
    ],
)
def test_what_cannot_work_is_refused_before_any_request(practice, changed, match):
    given = {"text": "Hi.", "voice": "v", "target_model": HTTP, "transport": "sse"} | changed
    text = given.pop("text")
    with pytest.raises(errors.SettingsError, match=match) as caught:
        open_stream(practice.settings(), text, **given)
    assert caught.value.remedy
    assert not any(practice.counters()[name] for name in ("sse", "synthesis", "upgrade"))


@every_transport
@pytest.mark.parametrize(
    "text", ["<script>'\"; DROP TABLE--", "\u202eright to left", "你好，世界。", "🙂👍🏽", "a" * 700]
)
def test_odd_texts_arrive_as_they_are(speak, transport, text):
    assert speak(text, transport).speech.text == text


@every_transport
def test_a_voice_of_another_model_is_a_mismatch(speak, practice, transport):
    other = practice.voice(REALTIME if transport != "realtime" else HTTP)
    with pytest.raises(errors.ModelMismatchError) as caught:
        speak("Hi.", transport, voice=other).speech  # noqa: B018
    assert "target_model" in caught.value.remedy


@every_transport
def test_no_proxy_of_the_environment_stands_before_this_machine(speak, monkeypatch, transport):
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert speak("Hi.", transport).speech.duration > 0


@every_transport
def test_the_sdk_is_left_as_it_was_and_says_nothing(speak, caplog, transport):
    dashscope.api_key = "sk-somebody-elses"
    try:
        with caplog.at_level(logging.DEBUG):
            speak("Hi.", transport).speech  # noqa: B018
        assert dashscope.api_key == "sk-somebody-elses"
    finally:
        dashscope.api_key = None
    assert [each for each in caplog.records if each.levelno >= logging.WARNING] == []
    caplog.clear()
    logging.getLogger("dashscope").error("the user's own")
    assert [each.message for each in caplog.records] == ["the user's own"]


@pytest.mark.parametrize(
    ("url", "fetched"),
    [
        ("http://r.oss-cn-beijing.aliyuncs.com/a.wav?Signature=x%2By", "https://r.oss-cn-beijing.aliyuncs.com/a.wav?Signature=x%2By"),
        ("https://r.oss-cn-beijing.aliyuncs.com/a.wav", "https://r.oss-cn-beijing.aliyuncs.com/a.wav"),
        ("http://r.oss-cn-beijing.aliyuncs.com:80/a.wav", "https://r.oss-cn-beijing.aliyuncs.com/a.wav"),
    ],
)  # fmt: skip
def test_a_result_of_the_hosted_service_is_fetched_encrypted(url, fetched):
    settings = Settings("singapore", "https://dashscope-intl.aliyuncs.com/api/v1", Secret("sk-x"))
    assert check_result_url(url, settings) == fetched


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/a.wav",
        "http://169.254.169.254/latest/meta-data",
        "https://aliyuncs.com/a.wav",
        "https://aliyuncs.com.evil.example/a.wav",
        "https://evilaliyuncs.com/a.wav",
        "https://user@r.aliyuncs.com/a.wav",
        "https://r.aliyuncs.com:8443/a.wav",
        "https://evil.example\\.aliyuncs.com/a.wav",
        "https://evil.example/#.aliyuncs.com",
        "https://evil.example?.aliyuncs.com",
        "ftp://r.aliyuncs.com/a.wav",
        "file:///etc/passwd",
        "https://r.aliyuncs.com:port/a.wav",
        "//r.aliyuncs.com/a.wav",
        "https://r.aliyuncs.com/a b.wav",
        "",
    ],
)
def test_a_result_anywhere_else_is_not_fetched(url):
    settings = Settings("beijing", "https://dashscope.aliyuncs.com/api/v1", Secret("sk-x"))
    with pytest.raises(errors.ServiceBrokenError, match="result"):
        check_result_url(url, settings)


def test_a_practice_result_lies_on_its_own_host_and_port(practice):
    settings = practice.settings()
    own = practice.root_url + "/results/x.wav"
    assert check_result_url(own, settings) == own
    for url in (own.replace("127.0.0.1", "localhost"), "http://127.0.0.1:1/x.wav", "https://r.oss.aliyuncs.com/a.wav"):
        with pytest.raises(errors.ServiceBrokenError):
            check_result_url(url, settings)
