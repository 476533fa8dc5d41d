"""A running practice service as a test holds it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import requests

from vcnb.practice.engines.engine import Reference
from vcnb.practice.engines.tone import ToneEngine
from vcnb.practice.serve import Service
from vcnb.settings import Settings


class WatchedEngine(ToneEngine):
    """The tone engine, and what became of its work."""

    n_pieces = 0  # made since the test began
    n_running = 0  # begun and neither finished nor closed

    def speak(self, text: str, *, language: str, profile: bytes) -> Iterator[np.ndarray]:
        self.n_running += 1
        try:
            for piece in super().speak(text, language=language, profile=profile):
                self.n_pieces += 1
                yield piece
        finally:
            self.n_running -= 1


class Practice:
    """A running practice service, as a test holds it: where it is, what goes wrong, what it was asked."""

    def __init__(self, service: Service, engine: WatchedEngine) -> None:
        self.service = service
        self.engine = engine
        self.base_url = service.base_url
        self.realtime_url = service.realtime_url
        self.api_key = service.api_key
        self.root_url = service.base_url.removesuffix("/api/v1")
        self._profiles: dict[float, bytes] = {}
        self.patience = 20.0  # seconds that `ask` waits for an answer

    def settings(self, **changed: object) -> Settings:
        given = {"region": "practice", "base_url": self.base_url, "api_key": self.api_key}
        return Settings(**(given | changed))  # type: ignore[arg-type]

    def ask(self, method: str, path: str, **options: object) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.api_key.reveal()}"} | dict(options.pop("headers", {}))  # type: ignore[call-overload]
        return requests.request(method, self.root_url + path, headers=headers, timeout=self.patience, **options)  # type: ignore[arg-type]

    def fault(self, name: str, operation: str = "any", **parameters: object) -> None:
        """Ask for a fault or a switch; see vcnb.practice.faults.FAULTS."""
        self.schedule({"fault": name, "operation": operation, **parameters})

    def schedule(self, *rules: dict[str, object]) -> None:
        answer = self.ask("POST", "/practice/faults", json=list(rules))
        assert answer.status_code == 200, answer.text

    def release(self) -> None:
        """Let go on what waits to be released."""
        assert self.ask("POST", "/practice/release").status_code == 200

    def counters(self) -> dict[str, int]:
        """Requests seen by operation, 0 where none, and creations, characters and voices."""
        seen = self.ask("GET", "/practice/faults").json()
        zero = dict.fromkeys(["create", "list", "delete", "synthesis", "sse", "result", "upgrade", "realtime"], 0)
        return zero | seen["requests"] | {name: seen[name] for name in ("creations", "characters", "voices")}

    def voice(self, target_model: str = "qwen3-tts-vc-2026-01-22", *, f0: float = 120.0, name: str = "made") -> str:
        """Put a voice into the account, past all rules: a second of a tone."""
        sound = 0.3 * np.sin(2 * np.pi * f0 * np.arange(24_000) / 24_000).astype(np.float32)
        reference = Reference(sound, 24_000)
        if f0 not in self._profiles:
            self._profiles[f0] = ToneEngine().profile(reference)
        assert self.service.state is not None
        return self.service.state.create(
            preferred_name=name,
            target_model=target_model,
            language=None,
            reference=reference,
            profile=self._profiles[f0],
            version=self.engine.version,
        ).voice

    def voices(self, n: int, target_model: str = "qwen3-tts-vc-2026-01-22") -> None:
        """Put many voices into the account that never speak."""
        assert self.service.state is not None
        made = [(f"qwen-tts-vc-v{i}-voice-20250812105009984-{i:04x}", target_model) for i in range(n)]
        with self.service.state._change() as db:
            insert = "INSERT INTO voices(voice, target_model, language, gmt_create) VALUES(?, ?, 'en', ?)"
            db.executemany(insert, [(*each, "2026-08-12 10:50:09") for each in made])
