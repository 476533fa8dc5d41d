"""What the practice voice says is the same sound over every transport, to the bit, however often it is asked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import vcnb
from vcnb.client.speaking import open_stream
from vcnb.practice.engines.engine import Reference
from vcnb.practice.engines.espeak import Espeak
from vcnb.practice.engines.practice import PracticeEngine
from vcnb.practice.serve import Service
from vcnb.settings import Settings

MODELS = {
    "http": "qwen3-tts-vc-2026-01-22",
    "sse": "qwen3-tts-vc-2026-01-22",
    "realtime": "qwen3-tts-vc-realtime-2026-01-15",
}
TEXT = "He came at 7:30, and left. Nobody saw him! Strange, isn't it?"
MIXED = "Ich heiße Anna. Das Wort 你好 lernte ich am 3. Mai."


@pytest.fixture(scope="module")
def engine() -> PracticeEngine:
    return PracticeEngine()


@pytest.fixture(scope="module")
def service(engine: PracticeEngine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    made = Service(tmp_path_factory.mktemp("streams"), engine=engine)
    made.start_thread()
    yield made
    made.stop_thread()


@pytest.fixture(scope="module")
def voices(service: Service, engine: PracticeEngine) -> dict[str, str]:
    """One voice for each of the two models, of the same recording."""
    clip = vcnb.load(vcnb.samples()["kathleen_en"])
    reference = Reference(clip.samples, clip.sample_rate)
    profile = engine.profile(reference)
    assert service.state is not None
    return {
        model: service.state.create(
            preferred_name="kath",
            target_model=model,
            language=None,
            reference=reference,
            profile=profile,
            version=engine.version,
        ).voice
        for model in set(MODELS.values())
    }


def arrived(service: Service, voices: dict[str, str], text: str, transport: str) -> tuple[Any, int]:
    """All that came, and in how many pieces."""
    settings = Settings(region="practice", base_url=service.base_url, api_key=service.api_key)
    model = MODELS[transport]
    with open_stream(settings, text, voice=voices[model], target_model=model, transport=transport) as stream:  # type: ignore[arg-type]
        pieces = [piece.samples for piece in stream]
        whole = stream.speech.samples
    assert np.array_equal(np.concatenate(pieces), whole)
    return whole, len(pieces)


@pytest.mark.parametrize("text", [TEXT, MIXED])
def test_each_transport_brings_what_the_engine_says_to_the_bit(
    service: Service, voices: dict[str, str], engine: PracticeEngine, text: str
) -> None:
    if text == MIXED and not Espeak.installed():
        pytest.skip("the extra `practice` is not installed")
    assert service.state is not None
    profile = service.state.profile(voices[MODELS["http"]], engine.version)
    assert profile is not None
    said = np.concatenate(list(engine.speak(text, language="auto", profile=profile)))
    whole, _ = arrived(service, voices, text, "http")
    assert np.array_equal(np.round(whole * 32768).astype(np.int16), said)
    for transport in ("sse", "realtime"):
        streamed, n_pieces = arrived(service, voices, text, transport)
        assert n_pieces > 2, transport
        assert np.array_equal(streamed, whole), transport
    anew = PracticeEngine()  # another process would begin so: nothing spoken before, nothing cached
    try:
        assert np.array_equal(np.concatenate(list(anew.speak(text, language="auto", profile=profile))), said)
    finally:
        anew.close()
