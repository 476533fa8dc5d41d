"""The unmodified SDK is served as by the hosted service: the calls that a user makes, in their order."""

from __future__ import annotations

import asyncio
import base64
import gc
import io
import logging
import threading
import wave

import numpy as np
import pytest
import requests

import vcnb

# The SDK leaves sockets to the garbage collector; the fixture has them collected here, where it is known.
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

HTTP_MODEL = "qwen3-tts-vc-2026-01-22"
REALTIME_MODEL = "qwen3-tts-vc-realtime-2026-01-15"
TEXT = "How is the weather today?"
SECONDS = len(TEXT) * 0.06  # what the tone engine makes of it


@pytest.fixture
def sdk(practice, monkeypatch):
    """The SDK, pointed at the practice service as its documentation says."""
    import dashscope
    from dashscope.api_entities import http_request

    monkeypatch.setattr(dashscope, "base_http_api_url", practice.base_url)
    monkeypatch.setattr(dashscope, "api_key", practice.api_key.reveal())
    # It logs a clean close of a socket as an error.
    logging.getLogger("dashscope").setLevel(logging.CRITICAL)
    logging.getLogger("websocket").setLevel(logging.CRITICAL)
    yield dashscope
    http_request.close_shared_sync_session()
    gc.collect()


def enroll(practice, target_model):
    """Create a voice as any user of `requests` does."""
    recording = vcnb.samples()["kathleen_en"].read_bytes()
    uri = "data:audio/wav;base64," + base64.b64encode(recording).decode()
    message = {"action": "create", "target_model": target_model, "preferred_name": "guanyu", "audio": {"data": uri}}
    answer = requests.post(
        practice.base_url + "/services/audio/tts/customization",
        json={"model": "qwen-voice-enrollment", "input": message},
        headers={"Authorization": f"Bearer {practice.api_key.reveal()}"},
        timeout=20,
    )
    assert answer.status_code == 200, answer.text
    return answer.json()["output"]["voice"]


def spoken_seconds(pcm):
    return len(pcm) / 2 / 24_000


def test_a_voice_is_created_listed_and_deleted_with_plain_requests(practice):
    voice = enroll(practice, HTTP_MODEL)

    def ask(**message):
        body = {"model": "qwen-voice-enrollment", "input": message}
        return practice.ask("POST", "/api/v1/services/audio/tts/customization", json=body).json()

    listed = ask(action="list", page_size=2, page_index=0)
    assert [row["voice"] for row in listed["output"]["voice_list"]] == [voice]
    assert listed["usage"] == {"count": 0}
    assert ask(action="delete", voice=voice)["usage"] == {"count": 0}
    assert ask(action="list")["output"]["voice_list"] == []


def test_a_whole_answer_holds_a_file_that_can_be_fetched(practice, sdk):
    answer = sdk.MultiModalConversation.call(
        model=HTTP_MODEL,
        api_key=practice.api_key.reveal(),
        text=TEXT,
        voice=enroll(practice, HTTP_MODEL),
        stream=False,
    )
    assert answer.status_code == 200, answer
    assert answer.output.finish_reason == "stop"
    assert answer.output.audio.data == ""
    assert answer.output.audio.id == "audio_" + answer.request_id
    assert answer.usage.characters == len(TEXT)
    with wave.open(io.BytesIO(requests.get(answer.output.audio.url, timeout=10).content)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (24_000, 1, 2)
        assert file.getnframes() / 24_000 == pytest.approx(SECONDS, abs=0.001)


def joined(parts):
    return b"".join(base64.b64decode(part.output.audio.data) for part in parts)


def test_a_stream_ends_with_the_address_of_the_whole(practice, sdk):
    parts = list(
        sdk.MultiModalConversation.call(
            model=HTTP_MODEL, text=TEXT, voice=practice.voice(), language_type="English", stream=True
        )
    )
    assert {part.status_code for part in parts} == {200}
    assert [part.output.finish_reason for part in parts[:-1]] == ["null"] * (len(parts) - 1)
    assert parts[-1].output.finish_reason == "stop"
    sound = joined(parts)
    assert sound.startswith(b"RIFF")
    assert spoken_seconds(sound[44:]) == pytest.approx(SECONDS, abs=0.001)
    assert requests.get(parts[-1].output.audio.url, timeout=10).content[44:] == sound[44:]


@pytest.mark.parametrize("stream", [False, True])
def test_the_asynchronous_half_says_the_same(practice, sdk, stream):
    voice = practice.voice()

    async def call():
        answer = await sdk.AioMultiModalConversation.call(model=HTTP_MODEL, text=TEXT, voice=voice, stream=stream)
        parts = [part async for part in answer] if stream else [answer]
        await sdk.close_shared_aio_session()
        return parts

    parts = asyncio.run(call())
    assert {part.status_code for part in parts} == {200}
    sound = joined(parts)[44:] if stream else requests.get(parts[0].output.audio.url, timeout=10).content[44:]
    assert spoken_seconds(sound) == pytest.approx(SECONDS, abs=0.001)


def test_the_older_class_gets_its_answer_too(practice, sdk):
    from dashscope.audio.qwen_tts import SpeechSynthesizer

    answer = SpeechSynthesizer.call(model=HTTP_MODEL, text=TEXT, voice=practice.voice(), language_type="German")
    assert answer.status_code == 200, answer
    assert requests.get(answer.output.audio["url"], timeout=10).content.startswith(b"RIFF")


def test_a_refusal_reaches_the_user_of_the_sdk_whole_and_streamed(practice, sdk):
    wrong = {"model": HTTP_MODEL, "text": TEXT, "voice": practice.voice(REALTIME_MODEL)}
    whole = sdk.MultiModalConversation.call(**wrong)
    streamed = list(sdk.MultiModalConversation.call(**wrong, stream=True))
    for answer in (whole, *streamed):
        assert (answer.status_code, answer.code) == (400, "InvalidParameter")
        assert answer.message.startswith("Invalid voice specified")


def test_the_sdk_posts_again_by_itself_when_the_connection_is_reset(practice, sdk):
    voice = practice.voice()
    practice.fault("reset", "synthesis")
    answer = sdk.MultiModalConversation.call(model=HTTP_MODEL, text=TEXT, voice=voice)
    assert answer.status_code == 200
    assert practice.counters()["synthesis"] == 2
    assert practice.counters()["characters"] == len(TEXT)


def realtime(sdk, practice, *, model=REALTIME_MODEL):
    from dashscope.audio.qwen_tts_realtime import QwenTtsRealtime, QwenTtsRealtimeCallback

    class Heard(QwenTtsRealtimeCallback):
        def __init__(self):
            self.events = []
            self.sound = b""
            self.finished = threading.Event()
            self.closed = threading.Event()
            self.rounds = threading.Semaphore(0)

        def on_open(self):
            pass

        def on_close(self, code, reason):
            self.closed.set()

        def on_event(self, event):
            self.events.append(event)
            if event["type"] == "response.audio.delta":
                self.sound += base64.b64decode(event["delta"])
            if event["type"] == "response.done":
                self.rounds.release()
            if event["type"] == "session.finished":
                self.finished.set()

    heard = Heard()
    return QwenTtsRealtime(model=model, callback=heard, url=practice.realtime_url), heard


def test_text_flows_in_and_speech_out_while_the_server_decides(practice, sdk):
    from dashscope.audio.qwen_tts_realtime import AudioFormat

    texts = [
        "Right? I love shops like this.",
        "Above all in winter",
        "when I walk",
        "I am",
        "so happy!",
        "I buy it all!",
    ]
    line, heard = realtime(sdk, practice)
    line.connect()
    line.update_session(
        voice=enroll(practice, REALTIME_MODEL),
        response_format=AudioFormat.PCM_24000HZ_MONO_16BIT,
        mode="server_commit",
    )
    for text in texts:
        line.append_text(text)
    line.finish()
    assert heard.finished.wait(10)
    assert heard.closed.wait(15)
    assert spoken_seconds(heard.sound) == pytest.approx(sum(map(len, texts)) * 0.06, abs=0.01)
    assert line.get_session_id() == heard.events[0]["session"]["id"]
    assert line.get_first_audio_delay() is not None
    assert sum(event["type"] == "response.done" for event in heard.events) > 1


def test_the_client_decides_what_is_spoken_when(practice, sdk):
    from dashscope.audio.qwen_tts_realtime import AudioFormat

    line, heard = realtime(sdk, practice)
    line.connect()
    line.update_session(
        voice=practice.voice(REALTIME_MODEL), response_format=AudioFormat.PCM_24000HZ_MONO_16BIT, mode="commit"
    )
    line.append_text("never spoken")
    line.clear_appended_text()
    for text in ("one two three", "four five six"):
        line.append_text(text)
        line.commit()
        assert heard.rounds.acquire(timeout=10)
    line.finish()
    assert heard.finished.wait(10)
    assert heard.closed.wait(15)
    assert spoken_seconds(heard.sound) == pytest.approx(26 * 0.06, abs=0.01)


def test_the_next_generation_of_the_sdk_is_served_as_well(practice, sdk):
    client_of = pytest.importorskip("dashscope").Client
    with pytest.warns(FutureWarning):
        audio = client_of(api_key=practice.api_key.reveal(), base_url=practice.base_url).audio
    voice = practice.voice()
    assert audio.tts.http.synthesize(TEXT, model=HTTP_MODEL, voice=voice, language_type="English") is not None
    received = b"".join(part.audio or b"" for part in audio.tts.http.stream(TEXT, model=HTTP_MODEL, voice=voice))
    assert spoken_seconds(received[44:]) == pytest.approx(SECONDS, abs=0.001)
    kinds = []
    with audio.realtime.connect(model=REALTIME_MODEL, ws_url=practice.realtime_url) as line:
        session = {"voice": practice.voice(REALTIME_MODEL), "mode": "commit", "response_format": "pcm"}
        line.send_event({"type": "session.update", "session": session | {"sample_rate": 24_000}})
        line.send_event({"type": "input_text_buffer.append", "text": TEXT})
        line.send_event({"type": "input_text_buffer.commit"})
        line.send_event({"type": "session.finish"})
        kinds = [event["type"] for event in line.events()]
    assert kinds[-1] == "session.finished"
    assert kinds.count("response.done") == 1


def test_the_pitch_of_the_reference_is_heard(practice, sdk):
    def main_frequency(voice):
        answer = sdk.MultiModalConversation.call(model=HTTP_MODEL, text=TEXT, voice=voice)
        with wave.open(io.BytesIO(requests.get(answer.output.audio.url, timeout=10).content)) as file:
            samples = np.frombuffer(file.readframes(24_000), "<i2").astype(float)
        return np.abs(np.fft.rfft(samples)).argmax()

    assert main_frequency(practice.voice(f0=110.0)) == pytest.approx(110, abs=2)
    assert main_frequency(practice.voice(f0=210.0)) == pytest.approx(210, abs=3)
