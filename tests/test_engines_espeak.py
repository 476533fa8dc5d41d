"""espeak-ng speaks in a process of its own, always the same, and comes back when it dies."""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from vcnb.practice.engines import espeak_worker
from vcnb.practice.engines.engine import EngineError
from vcnb.practice.engines.espeak import CLAUSES_PER_PROCESS, Espeak
from vcnb.practice.engines.melody import spoken_at
from vcnb.practice.engines.world import DRIFT

pytestmark = pytest.mark.skipif(not Espeak.installed(), reason="the extra `practice` is not installed")

LONG = "Hallo Welt " * 400


@pytest.fixture
def espeak() -> Iterator[Espeak]:
    speaker = Espeak()
    yield speaker
    speaker.close()
    assert speaker.pid is None


@pytest.mark.parametrize("high", [False, True])
def test_the_same_clause_is_the_same_sound_whatever_was_said_before(espeak, high):
    text = "Guten Morgen, wie geht es dir?"
    first = espeak.speak(text, "de", high=high)
    assert len(first) > 24_000
    espeak.speak("Buenos días.", "es", high=not high, pace=1.2)
    assert np.array_equal(espeak.speak(text, "de", high=high), first)
    for _ in range(8):  # voices with breath differ in every second process
        espeak.close()
        assert np.array_equal(espeak.speak(text, "de", high=high), first)


def test_pace_and_voice_are_followed(espeak):
    usual = espeak.speak("Guten Morgen, wie geht es dir?", "de")
    assert len(espeak.speak("Guten Morgen, wie geht es dir?", "de", pace=1.3)) < 0.87 * len(usual)
    higher = espeak.speak("Guten Morgen, wie geht es dir?", "de", high=True)
    assert len(higher) != len(usual) or not np.allclose(higher, usual, atol=0.05)


@pytest.mark.parametrize(("high", "hz"), [(False, 75.0), (False, 135.0), (True, 135.0), (True, 220.0), (True, 260.0)])
@pytest.mark.parametrize("language", ["de", "zh", "ja"])
def test_it_speaks_at_the_pitch_of_a_voice_unless_that_is_out_of_reach(espeak, language, high, hz):
    text = {"de": "Wo warst du gestern Abend?", "zh": "你昨天晚上在哪里？", "ja": "きのうのよるはどこにいましたか"}[
        language
    ]
    asked = []

    def say(melody):
        asked.append(melody)
        return espeak.speak(text, language, high=high, melody=melody)

    usual = np.log(174.0 if high else 98.0), 0.1
    sound, pitch = spoken_at(say, base=usual, target=(float(np.log(hz)), 0.1))
    assert abs(np.median(np.log(pitch.f0[pitch.f0 > 0])) - np.log(hz)) <= DRIFT
    assert len(pitch.times) == pytest.approx(len(sound) / 120, abs=2)
    assert len(asked) <= 3
    sound, pitch = spoken_at(say, base=usual, target=(float(np.log(1000.0)), 0.1))
    assert asked[-1].pitch == 99
    assert len(sound) > 12_000
    answers = iter([200.0, 240.0, 190.0])  # a clause that jumps about: the nearest is taken
    sound, pitch = spoken_at(lambda _: tone(next(answers)), base=usual, target=(float(np.log(205.0)), 0.1))
    assert np.median(pitch.f0[pitch.f0 > 0]) == pytest.approx(200.0, rel=0.01)


def tone(f0):
    times = np.arange(12_000) / 24_000
    return 0.1 * sum(np.sin(2 * np.pi * n * f0 * times) / n for n in range(1, 12))


def test_a_lively_voice_is_spoken_with_a_wide_melody_and_nothing_is_nothing(espeak):
    def spread(target):
        say = lambda melody: espeak.speak("Guten Morgen, wie geht es dir? Mir geht es gut.", "de", melody=melody)  # noqa: E731
        f0 = spoken_at(say, base=(np.log(98.0), 0.1), target=(np.log(98.0), target))[1].f0
        return np.log(f0[f0 > 0]).std()

    assert spread(0.18) > 1.8 * spread(0.06)
    sound, pitch = spoken_at(lambda _: np.zeros(0), base=(4.6, 0.1), target=(5.0, 0.1))
    assert len(sound) == len(pitch.f0) == 0


def test_a_killed_process_is_started_again(espeak):
    before = espeak.speak("Hallo", "de")
    pid = espeak.pid
    os.kill(pid, signal.SIGKILL)
    assert np.array_equal(espeak.speak("Hallo", "de"), before)
    assert espeak.pid != pid


def test_a_process_killed_over_a_clause_is_asked_once_more(espeak):
    whole = espeak.speak(LONG, "de")
    pid = espeak.pid
    said: list[np.ndarray] = []
    speaking = threading.Thread(target=lambda: said.append(espeak.speak(LONG, "de")))
    speaking.start()
    deadline = time.monotonic() + 10
    while not espeak._lock.locked() and time.monotonic() < deadline:
        pass
    os.kill(pid, signal.SIGKILL)
    speaking.join(timeout=20)
    assert np.array_equal(said[0], whole)
    assert espeak.pid != pid


def test_a_clause_has_a_deadline(espeak):
    espeak.deadline = 0.001
    with pytest.raises(EngineError, match="twice"):
        espeak.speak(LONG, "de")
    espeak.deadline = 20.0
    assert len(espeak.speak("Hallo", "de")) > 0


def test_an_interrupted_clause_is_not_heard_as_the_next_one(espeak, monkeypatch):
    short = espeak.speak("Ja", "de")

    def interrupted(*_: object) -> bytes:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("vcnb.practice.engines.espeak._exactly", interrupted)
        with pytest.raises(KeyboardInterrupt):
            espeak.speak(LONG, "de")
    assert np.array_equal(espeak.speak("Ja", "de"), short)


def test_a_process_is_replaced_before_it_grows(espeak):
    espeak.speak("Ja", "de")
    pid = espeak.pid
    for _ in range(CLAUSES_PER_PROCESS - 1):
        espeak.speak("Ja", "de")
    assert espeak.pid == pid
    espeak.speak("Ja", "de")
    assert espeak.pid != pid


def test_markup_is_only_text(espeak):
    assert len(espeak.speak("Ja <break time='60s'/> nein", "de")) < 20 * 24_000
    # As phonemes these brackets would be one short word.
    assert len(espeak.speak("[[h@l'oU]]", "en")) > 1.5 * len(espeak.speak("hello", "en"))


def test_it_never_lives_in_our_process(espeak):
    maps = Path("/proc/self/maps")
    before = maps.exists() and "espeak" in maps.read_text()  # another test may ask it for phonemes
    espeak.speak("Hallo", "de")
    assert before or not maps.exists() or "espeak" not in maps.read_text()


def test_the_process_sees_no_key(espeak, monkeypatch):
    monkeypatch.setenv("DASHSCOPE_API_KEY", "sk-0123456789abcdef")
    espeak.speak("Hallo", "de")
    environment = Path(f"/proc/{espeak.pid}/environ")
    if not environment.exists():
        pytest.skip("no /proc here")
    assert b"sk-0123456789abcdef" not in environment.read_bytes()


def test_the_process_ends_when_nobody_asks_any_more():
    folder = importlib.util.find_spec("espeakng_loader").submodule_search_locations[0]
    program = [sys.executable, "-I", "-S", espeak_worker.__file__, folder]
    ended = subprocess.run(program, input=b'no json\n{"text": "a"}\n', capture_output=True, timeout=20, check=True)
    assert ended.stdout.count(b"\x00\x00\x00\x00") >= 2  # two refusals, and no end before its time


def test_without_the_extra_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "espeakng_loader", None)
    assert not Espeak.installed()
    with pytest.raises(EngineError) as refused:
        Espeak().speak("Hallo", "de")
    assert refused.value.remedy == "pip install 'vcnb[practice]'"
