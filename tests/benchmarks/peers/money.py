"""What one lost answer costs, and how long one waits for the first sound: the page's way, the bare SDK, and vcnb.

All three talk to the practice service of this machine; it makes what was asked and resets the connection instead of
answering, and counts what it would have billed.
"""

from __future__ import annotations

import base64
import contextlib
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import dashscope
import requests

import vcnb
from vcnb.practice.serve import Service

__all__ = ["first_sounds", "lost_answers"]

MODEL = "qwen3-tts-vc-2026-01-22"
TEXT = (
    "The morning was clear, and nobody in the village had slept. What would the day bring? They waited at the window."
)
CONSENT = "public recording, CC0"
RUNS = 5


class Counting:
    """The practice service, and what it counts."""

    def __init__(self, service: Service) -> None:
        self.service, self.root = service, service.base_url.removesuffix("/api/v1")
        self.key = service.api_key.reveal()
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers["Authorization"] = f"Bearer {self.key}"

    def lose(self, operation: str) -> None:
        rule = {"fault": "reset_after", "operation": operation}
        self.session.post(f"{self.root}/practice/faults", json=rule, timeout=30).raise_for_status()

    def counted(self, name: str) -> int:
        return int(self.session.get(f"{self.root}/practice/faults", timeout=30).json()[name])

    def post(self, path: str, payload: dict[str, object]) -> dict[str, object]:
        """As the page's samples ask: no deadline, nothing kept, an error where no answer comes."""
        answer = self.session.post(f"{self.service.base_url}/{path}", json=payload)
        answer.raise_for_status()
        found: dict[str, object] = answer.json()
        return found

    def create(self, clip: Path) -> str:
        sound = base64.b64encode(clip.read_bytes()).decode()
        wanted = {
            "action": "create",
            "target_model": MODEL,
            "preferred_name": "kathleen",
            "audio": {"data": f"data:audio/wav;base64,{sound}"},
        }
        payload = {"model": "qwen-voice-enrollment", "input": wanted}
        return str(self.post("services/audio/tts/customization", payload)["output"]["voice"])  # type: ignore[index]


@contextlib.contextmanager
def counting() -> Iterator[tuple[Counting, vcnb.Account, Path]]:
    with tempfile.TemporaryDirectory() as named:
        folder = Path(named)
        clip = folder / "kathleen.wav"
        vcnb.save(vcnb.load(vcnb.samples()["kathleen_en"]), clip)
        service = Service(folder / "practice")
        service.start_thread()
        try:
            dashscope.base_http_api_url, dashscope.api_key = service.base_url, service.api_key.reveal()
            place = {"base_url": service.base_url, "api_key": service.api_key, "data": folder / "library"}
            with vcnb.connect("practice", **place) as account:
                yield Counting(service), account, clip
        finally:
            service.stop_thread()


def until_it_works(ask: Callable[[], object]) -> object:
    """What a person does who gets an error: run the cell again."""
    while True:
        with contextlib.suppress(Exception):
            return ask()


def lost_answers() -> dict[str, int]:
    """How many voices were billed until one was in hand, and how many characters for each that one wanted spoken."""
    with counting() as (at, account, clip):
        found = {}
        before = at.counted("creations")
        at.lose("create")
        until_it_works(lambda: at.create(clip))
        found["voices, requests"] = at.counted("creations") - before
        before = at.counted("creations")
        at.lose("create")
        voice = account.enroll(vcnb.load(clip), preferred_name="kathleen", consent=CONSENT, target_model=MODEL)
        found["voices, vcnb"] = at.counted("creations") - before
        asked = {"model": MODEL, "text": TEXT, "voice": voice.voice}
        before = at.counted("characters")
        at.lose("synthesis")
        until_it_works(lambda: dashscope.MultiModalConversation.call(**asked)["output"]["audio"]["url"])
        found["speeches, dashscope"] = round((at.counted("characters") - before) / len(TEXT))
        before = at.counted("characters")
        at.lose("synthesis")
        with contextlib.suppress(vcnb.VcnbError):  # it says that it may have been billed, and stops there
            account.speak(TEXT, voice=voice)
        found["speeches, vcnb"] = round((at.counted("characters") - before) / len(TEXT))
    return found


def first_sounds() -> dict[str, float]:
    """Median seconds until something can be played: the SDK's whole answer and its file, and vcnb's first piece."""
    with counting() as (_, account, clip):
        voice = account.enroll(vcnb.load(clip), preferred_name="kathleen", consent=CONSENT, target_model=MODEL)

        def whole() -> None:
            answer = dashscope.MultiModalConversation.call(model=MODEL, text=TEXT, voice=voice.voice)
            requests.get(answer["output"]["audio"]["url"], timeout=60).raise_for_status()

        def streamed() -> None:
            with account.stream(TEXT, voice=voice) as stream:
                next(iter(stream))

        return {name: _median(ask) for name, ask in (("dashscope", whole), ("vcnb", streamed))}


def _median(ask: Callable[[], None]) -> float:
    ask()
    times = []
    for _ in range(RUNS):
        began = time.perf_counter()
        ask()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


if __name__ == "__main__":
    print(lost_answers(), first_sounds())
