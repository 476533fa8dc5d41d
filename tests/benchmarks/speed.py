"""How fast it is, as ratios against what a user would do otherwise.

    python tests/benchmarks/speed.py

Everything runs against a practice service of its own with the tone engine. Times vary with the machine; each figure is
the median of alternating pairs, so that a machine that slows down slows both.
"""

from __future__ import annotations

import base64
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import requests

for name in [name for name in os.environ if name.startswith("DASHSCOPE_") or name.lower().endswith("_proxy")]:
    del os.environ[name]
os.environ["NO_PROXY"] = "127.0.0.1,localhost"

import dashscope
from dashscope.audio.qwen_tts_realtime import AudioFormat, QwenTtsRealtime, QwenTtsRealtimeCallback
from figures import record

from vcnb.client.conversation import Conversation
from vcnb.client.enrollment import EnrollmentClient
from vcnb.client.speaking import open_stream
from vcnb.practice.engines.engine import Reference
from vcnb.practice.engines.tone import ToneEngine
from vcnb.practice.serve import Service
from vcnb.protocol.enrollment import delete_payload, list_payload
from vcnb.settings import Settings

PAIRS = 30
HTTP_MODEL = "qwen3-tts-vc-2026-01-22"
LIVE_MODEL = "qwen3-tts-vc-realtime-2026-01-15"
TEXT = "The morning was clear, and nobody in the village had slept."


def enroll(service: Service, engine: ToneEngine, target_model: str, *, name: str = "bench") -> str:
    sound = 0.3 * np.sin(2 * np.pi * 120 * np.arange(24_000) / 24_000).astype(np.float32)
    reference = Reference(sound, 24_000)
    assert service.state is not None
    return service.state.create(
        preferred_name=name,
        target_model=target_model,
        language=None,
        reference=reference,
        profile=engine.profile(reference),
        version=engine.version,
    ).voice


def pairs(ours: Callable[[], float], theirs: Callable[[], float], n_pairs: int = PAIRS) -> tuple[float, float, float]:
    """Medians of both and of the differences, in seconds, after one pair that does not count."""
    ours(), theirs()
    timed = [(ours(), theirs()) if index % 2 else (theirs(), ours())[::-1] for index in range(n_pairs)]
    return (
        statistics.median(first for first, _ in timed),
        statistics.median(second for _, second in timed),
        statistics.median(first - second for first, second in timed),
    )


def streaming(settings: Settings, voice: str) -> tuple[float, float, float]:
    """Seconds from the POST to the first sound over server-sent events."""

    def ours() -> float:
        began = time.perf_counter()
        with open_stream(settings, TEXT, voice=voice, target_model=HTTP_MODEL, transport="sse") as stream:
            next(stream)
            took = time.perf_counter() - began
            for _ in stream:
                pass
        return took

    def theirs() -> float:
        began = time.perf_counter()
        took = 0.0
        for chunk in dashscope.MultiModalConversation.call(
            model=HTTP_MODEL, api_key=settings.api_key.reveal(), text=TEXT, voice=voice, stream=True
        ):
            if not took and base64.b64decode(chunk.output.audio.data):
                took = time.perf_counter() - began
        return took

    return pairs(ours, theirs)


class _Bare(QwenTtsRealtimeCallback):
    """Notes when the first sound was decoded."""

    def __init__(self) -> None:
        self.first = 0.0
        self.over = threading.Event()

    def on_event(self, response: dict[str, object]) -> None:
        if response["type"] == "response.audio.delta" and not self.first:
            base64.b64decode(str(response["delta"]))
            self.first = time.perf_counter()
        elif response["type"] == "session.finished":
            self.over.set()


def live(settings: Settings, voice: str) -> tuple[float, float, float]:
    """Seconds from the first append to the first sound over the WebSocket."""

    def ours() -> float:
        with Conversation(settings, voice=voice, target_model=LIVE_MODEL, mode="server_commit") as line:
            began = time.perf_counter()
            line.say(TEXT)
            next(line)
            took = time.perf_counter() - began
            line.finish()
            for _ in line:
                pass
        return took

    def theirs() -> float:
        callback = _Bare()
        sdk = QwenTtsRealtime(model=LIVE_MODEL, callback=callback, url=settings.realtime_url)
        sdk.connect()
        sdk.update_session(voice=voice, response_format=AudioFormat.PCM_24000HZ_MONO_16BIT, mode="server_commit")
        began = time.perf_counter()
        sdk.append_text(TEXT)
        sdk.finish()
        assert callback.over.wait(20)
        sdk.close()
        return callback.first - began

    return pairs(ours, theirs)


def requests_of_one_list(settings: Settings) -> int:
    """Count the requests that the service sees for one list of all voices."""
    header = {"Authorization": f"Bearer {settings.api_key.reveal()}"}
    counters = f"{settings.base_url.removesuffix('/api/v1')}/practice/faults"

    def seen() -> int:
        return int(requests.get(counters, headers=header, timeout=20).json()["requests"].get("list", 0))

    before = seen()
    EnrollmentClient(settings).list_voices()
    return seen() - before


def listing(settings: Settings) -> tuple[float, float, float]:
    """Seconds to list 1,000 voices: ours, and the page's way, ten a page."""
    header = {"Authorization": f"Bearer {settings.api_key.reveal()}"}
    url = f"{settings.base_url}/services/audio/tts/customization"

    def ours() -> float:
        began = time.perf_counter()
        assert len(EnrollmentClient(settings).list_voices()) == 1_000
        return time.perf_counter() - began

    def theirs() -> float:
        began = time.perf_counter()
        found: set[str] = set()
        page_index = 0
        while True:
            answer = requests.post(url, json=list_payload(page_index, 10), headers=header, timeout=20).json()
            rows = answer["output"]["voice_list"]
            if not rows:
                return time.perf_counter() - began
            found |= {row["voice"] for row in rows}
            page_index += 1

    return pairs(ours, theirs, 5)


def answering(settings: Settings, voices: list[str]) -> tuple[float, float]:
    """Median seconds of one page of ten and of one deletion, at 1,000 voices."""
    url = f"{settings.base_url}/services/audio/tts/customization"
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {settings.api_key.reveal()}"

        def ask(payload: dict[str, object]) -> float:
            began = time.perf_counter()
            assert session.post(url, json=payload, timeout=20).status_code == 200
            return time.perf_counter() - began

        lists = [ask(list_payload(index % 100, 10)) for index in range(PAIRS)]
        deletes = [ask(delete_payload(voice)) for voice in voices[:PAIRS]]
    return statistics.median(lists), statistics.median(deletes)


def importing() -> tuple[float, float]:
    """Seconds that `import vcnb` and `import dashscope` add to a bare start."""

    def start(code: str) -> float:
        began = time.perf_counter()
        subprocess.run([sys.executable, "-I", "-c", code], check=True)
        return time.perf_counter() - began

    bare, ours, theirs = zip(
        *((start("pass"), start("import vcnb"), start("import dashscope")) for _ in range(7)), strict=True
    )
    return statistics.median(ours) - statistics.median(bare), statistics.median(theirs) - statistics.median(bare)


def main() -> int:
    """Measure all, print the table, and fail where a figure falls short."""
    engine = ToneEngine()
    rows: list[tuple[str, str, str, bool]] = []
    with tempfile.TemporaryDirectory() as folder:
        service = Service(Path(folder), engine=engine)
        service.start_thread()
        try:
            settings = Settings("practice", service.base_url, service.api_key, data=Path(folder))
            dashscope.base_http_api_url = settings.base_url
            dashscope.api_key = settings.api_key.reveal()
            sse = streaming(settings, enroll(service, engine, HTTP_MODEL))
            realtime = live(settings, enroll(service, engine, LIVE_MODEL))
            record("service.sse_ms", 1_000 * sse[-1], f"{PAIRS} pairs")
            record("service.realtime_ms", 1_000 * realtime[-1], f"{PAIRS} pairs")
            for label, measured in (
                ("first sound, server-sent events", sse),
                ("first sound, WebSocket", realtime),
            ):
                ours, theirs, added = (1_000 * each for each in measured)
                figure = f"{ours:.1f} ms, bare SDK {theirs:.1f} ms, added {added:+.1f} ms"
                rows.append((label, "at most +5 ms, median of 30 pairs", figure, added <= 5))
            voices = [enroll(service, engine, HTTP_MODEL, name=f"v{index}") for index in range(998)]
            n_requests = requests_of_one_list(settings)
            ours, theirs, _ = listing(settings)
            figure = f"{theirs / ours:.0f}x, {1_000 * ours:.0f} ms, {n_requests} requests"
            held = theirs / ours >= 10 and n_requests <= 2
            record("service.list_ratio", theirs / ours)
            rows.append(("list 1,000 voices", "10x the page's way, at most 2 requests", figure, held))
            one_list, one_delete = answering(settings, voices)
            record("service.service_ms", 1_000 * max(one_list, one_delete))
            figure = f"list {1_000 * one_list:.1f} ms, delete {1_000 * one_delete:.1f} ms"
            rows.append(("practice service at 1,000 voices", "under 10 ms", figure, max(one_list, one_delete) < 0.01))
        finally:
            service.stop_thread()
    ours, theirs = importing()
    record("service.import_share", ours / theirs)
    figure = f"{1_000 * ours:.0f} ms, dashscope {1_000 * theirs:.0f} ms: 1/{theirs / max(ours, 1e-4):.0f}"
    rows.append(("import vcnb", "at most a tenth of dashscope", figure, ours * 10 <= theirs))
    for label, asked, figure, held in rows:
        print(f"{'held ' if held else 'SHORT'}  {label:34} {asked:36} {figure}")
    return 0 if all(held for *_, held in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
