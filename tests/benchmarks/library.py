"""How long the library takes: to open with nothing and with much in it, to join a list, to keep a take.

``python tests/benchmarks/library.py`` prints JSON: medians in ms. Nothing leaves this machine.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from figures import record

from vcnb.audio.clip import Speech
from vcnb.library import voices
from vcnb.library.accounts import Place, new_account
from vcnb.library.opening import open_store
from vcnb.library.store import Store
from vcnb.library.takes import keep_take
from vcnb.protocol.voice import Voice
from vcnb.workflow.voices import frame

MODEL = "qwen3-tts-vc-2026-01-22"
ROUNDS = 15


def median_ms(step: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> float:
    took = []
    for _ in range(ROUNDS):
        began = clock()
        step()
        took.append(1000 * (clock() - began))
    return round(statistics.median(took), 2)


def fill(store: Store, n_voices: int, takes_each: int) -> tuple[str, list[Voice]]:
    """Voices with labels, consents, takes and money, as an account of years has them."""
    account = new_account(store, Place("singapore"))
    now = datetime.now(UTC)
    listed = [Voice(f"v{i}", MODEL, "name", "en", now - timedelta(hours=i), "singapore") for i in range(n_voices)]
    row = "INSERT INTO takes VALUES(?, ?, ?, ?, ?, 'http', 'en', ?, 2.0, 99, 0.001, NULL, '[]', '[]', ?, 1, NULL)"
    with store.transaction() as db:
        for voice in listed:
            voices.keep_voice(store, account, voice, clip=None, consent="They agreed")
            for n in range(takes_each):
                id = f"{voice.voice} {n}"
                db.execute(row, (id, account, voice.voice, MODEL, "Some words. " * 9, "0" * 64, now.isoformat()))
                paid = (id, account, now.isoformat(), voice.voice, "speech", 99, 0.001, 1)
                db.execute("INSERT INTO money VALUES(?, ?, ?, ?, ?, ?, ?, ?)", paid)
    return account, listed


def measure() -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        empty, full, thousand = (Path(folder) / name for name in ("empty", "full", "thousand"))
        for path, n in ((empty, 0), (full, 10_000)):
            store = open_store(path)
            fill(store, n, 1)
            store.close()
        store = open_store(thousand)
        account, listed = fill(store, 1_000, 10)
        speech = Speech(np.zeros(48_000, np.float32), 24_000, text="Hello.", voice="v1", transport="http")

        def join() -> object:
            return frame(listed, voices.overview(store, account), region="singapore")

        found = {
            "open_empty": median_ms(lambda: open_store(empty).close()),
            "open_10000": median_ms(lambda: open_store(full).close()),
            "see_1000": median_ms(lambda: voices.see(store, account, listed)),
            "join_1000": median_ms(join),
            "join_1000_cpu": median_ms(join, time.process_time),  # on a busy machine
            "keep_take": median_ms(lambda: keep_take(store, account, speech)),
        }
        store.close()
        return found


if __name__ == "__main__":
    found = measure()
    record("library.join_ms", found["join_1000"])
    record("library.open_ms", found["open_10000"] - found["open_empty"])
    sys.stdout.write(json.dumps(found) + "\n")
