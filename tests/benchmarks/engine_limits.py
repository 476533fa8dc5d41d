"""What the practice engine costs, and what it refuses: time, memory, joins, streams, odd texts, no speech."""

from __future__ import annotations

import base64
import os
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyworld
from test_engines_practice import SENTENCES

import vcnb
from vcnb.audio.encode import wav_bytes
from vcnb.audio.resample import resample
from vcnb.catalog import LANGUAGES, SPEECH_SAMPLE_RATE
from vcnb.client.enrollment import EnrollmentClient
from vcnb.client.speaking import open_stream
from vcnb.measure.pitch import median_f0
from vcnb.practice.engines.engine import EngineError, Reference, UnusableReferenceError
from vcnb.practice.engines.practice import PracticeEngine, _converted
from vcnb.practice.launch import Running, ensure
from vcnb.settings import Settings

__all__ = ["Row", "at_least", "at_most", "bad", "dnsmos", "quick", "service"]

MODELS = {"sse": "qwen3-tts-vc-2026-01-22", "realtime": "qwen3-tts-vc-realtime-2026-01-15"}
STREAMED = ("He came at 7:30, and left. Nobody saw him!", "Ich heiße Anna. Das Wort 你好 lernte ich am 3. Mai.")
LONG = "so it goes on and on " * 477  # 10,017 characters
BAD_TEXTS = {  # text, whether it may be a silence
    "nothing": ("", True),
    "blanks": (" \n\t ", True),
    "emoji": ("😀🎉🇩🇪", False),
    "10,000 characters": (LONG[:10_000], False),
    "one word of 2,000": ("x" * 2_000, False),
    "Arabic": ("مرحبا بالعالم", False),
    "runes": ("ᚠᚢᚦᚨᚱᚲ", False),
    "Thai": ("สวัสดี", False),
    "control characters": ("He\x01llo \x1b[31mthere\x00 you\u202e.", False),
    "SSML": ('<speak><voice name="f5"><prosody pitch="+80%">Hello there.</prosody></voice></speak>', False),
    "phonemes": ("[[h@'loU]] and [word](/wɜd/)", False),
    "40 digits": ("9" * 40, False),
}


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    what: str
    asked: str
    measured: str
    right: bool
    figure: str = ""  # its name in the table of figures


def at_least(what: str, value: float, bound: float, figure: str = "") -> Row:
    return Row(what, f">= {bound:.3g}", f"{value:.3f}", bool(value >= bound), figure)


def at_most(what: str, value: float, bound: float, figure: str = "") -> Row:
    return Row(what, f"<= {bound:.3g}", f"{value:.3f}", bool(value <= bound), figure)


def dnsmos(samples: Any, sample_rate: int) -> float:
    """Overall mark of DNSMOS P.835, of what is said twice where it is shorter than nine seconds."""
    from speechmos import dnsmos as judge

    return float(judge.run(np.clip(resample(samples, sample_rate, 16_000), -1, 1), 16_000)["ovrl_mos"])


def _timed(work: Callable[[], Any]) -> tuple[Any, float]:
    begun = time.thread_time()
    return work(), time.thread_time() - begun


def _world_alone(sound: Any) -> None:
    """The least that any engine on this vocoder costs."""
    f0, times = pyworld.dio(sound, SPEECH_SAMPLE_RATE)
    f0 = pyworld.stonemask(sound, f0, times, SPEECH_SAMPLE_RATE)
    power = pyworld.cheaptrick(sound, f0, times, SPEECH_SAMPLE_RATE)
    aperiodic = pyworld.d4c(sound, f0, times, SPEECH_SAMPLE_RATE)
    pyworld.synthesize(f0, power, aperiodic, SPEECH_SAMPLE_RATE)


def quick(
    engine: PracticeEngine, reference: Reference, page: list[dict[str, Any]], use: Callable[[str], None]
) -> Iterator[Row]:
    """CPU seconds of this thread, warm; of espeak-ng's own process there are a few milliseconds a clause."""
    fifteen = np.resize(reference.samples, 15 * reference.sample_rate)
    profile = engine.profile(reference)
    enrolling = min(_timed(lambda: engine.profile(Reference(fifteen, reference.sample_rate)))[1] for _ in range(3))
    yield at_most("enrollment of 15 s (s)", enrolling, 3.0, "engine.enrollment")
    for base, language in (("hibari", "en"), ("espeak", "en"), ("espeak", "de"), ("espeak", "ja")):
        use(base)
        texts = [each["text"] for each in page[:5]] if language == "en" else [SENTENCES[language][0]]
        list(engine.speak(texts[0], language=language, profile=profile))
        firsts, ratios, duration = [], [], 0.0
        for text in texts:
            pieces = engine.speak(text, language=language, profile=profile)
            head, first = _timed(pieces.__next__)
            tail, rest = _timed(partial(list, pieces))
            sound = np.concatenate([head, *tail]) / 32768
            firsts.append(first)
            ratios.append((first + rest) / _timed(partial(_world_alone, sound))[1])
            duration += len(sound) / SPEECH_SAMPLE_RATE
        yield at_most(f"{base}, {language}: time by WORLD's alone", statistics.median(ratios), 1.6, "engine.world")
        yield at_most(f"{base}, {language}: first piece, the slowest (s)", max(firsts), 0.2, "engine.first_piece")
    use("hibari")
    steps = [step for language in ("en", "ja") for step in _steps(engine, profile, language)]
    clicks = sum(step > 1.5 for step in steps)
    yield Row(f"clicks at {len(steps)} joins", "none", f"{clicks}, largest {max(steps):.2f}", clicks == 0)


def _steps(engine: PracticeEngine, profile: bytes, language: str) -> list[float]:
    """How large the step at each join is, by the largest one within 5 ms on either side."""
    voice = engine._read(profile)
    speaker = "hibari" if language == "en" else language
    base, mapping = engine._towards(voice, speaker)
    sound, again = engine._plain(speaker, SENTENCES[language][0], base, voice, mapping)
    parts = list(_converted(sound, again, base, mapping))
    steps = np.abs(np.diff(np.concatenate(parts)))
    joins = np.cumsum([len(part) for part in parts])[:-1] - 1
    return [float(steps[at] / max(steps[at - 120 : at].max(), steps[at + 1 : at + 121].max(), 1e-4)) for at in joins]


class Client:
    """A practice service in a process of its own, and a voice for each way of speaking."""

    def __init__(self, running: Running, voices: dict[str, str] | None = None) -> None:
        self.running = running
        self.settings = Settings(region="practice", base_url=running.base_url, api_key=running.api_key)
        self.voices = voices or {}

    def enroll(self) -> None:
        clip = vcnb.load(vcnb.samples()["kathleen_en"])
        audio = "data:audio/wav;base64," + base64.b64encode(wav_bytes(clip.samples, clip.sample_rate)).decode()
        for transport, model in MODELS.items():
            client = EnrollmentClient(self.settings)
            self.voices[transport] = client.create(target_model=model, preferred_name="bench", audio=audio).voice

    def pieces(self, text: str, transport: str = "sse") -> Iterator[Any]:
        kind = "realtime" if transport == "realtime" else "sse"
        with open_stream(
            self.settings,
            text,
            voice=self.voices[kind],
            target_model=MODELS[kind],
            transport=transport,  # type: ignore[arg-type]
        ) as stream:
            for piece in stream:
                yield piece.samples

    def whole(self, text: str, transport: str = "sse") -> Any:
        return np.concatenate(list(self.pieces(text, transport)))


def service() -> Iterator[Row]:
    """What a service in a process of its own brings, takes and shares out, in seconds of the clock."""
    with tempfile.TemporaryDirectory() as folder:
        with ensure(Path(folder)) as running:
            first = Client(running)
            first.enroll()
            for text in STREAMED:
                whole = first.whole(text, "http")
                same = all(np.array_equal(first.whole(text, way), whole) for way in ("sse", "realtime", "sse"))
                yield Row(f"streamed and whole are one: {text[:20]!r}", "identical", str(same), same)
            for language in LANGUAGES:
                first.whole(SENTENCES[language][0])
            yield at_most("memory after ten languages, all processes (MB)", memory(running.pid), 300, "engine.memory")
            most, shares = _four_at_once(first)
            yield at_most("memory at its peak, four voices at once (MB)", most, 300, "engine.memory_peak")
            yield at_least("four voices: least share when the first is done", min(shares), 0.25)
            voices, pid = first.voices, running.pid
        while Path(f"/proc/{pid}").exists():
            time.sleep(0.05)
        begun, own = time.perf_counter(), time.process_time()
        with ensure(Path(folder)) as running:
            next(Client(running, voices).pieces(STREAMED[0]))
            wall, taken = time.perf_counter() - begun, time.process_time() - own + processor_time(running.pid)
            yield Row(
                "cold start to the first sound (s)",
                "<= 3",
                f"{taken:.1f} of CPU, {wall:.1f}",
                min(taken, wall) <= 3,
                "engine.cold",
            )


def _four_at_once(client: Client) -> tuple[float, list[float]]:
    """Memory at its peak, and how much of each of four voices was there when the first was done."""
    texts = [" ".join([SENTENCES[language][0]] * 3) for language in ("en", "en", "de", "ja")]
    arrived: list[tuple[int, int]] = []

    def speak(number: int) -> None:
        arrived.extend((number, len(piece)) for piece in client.pieces(texts[number]))

    threads = [threading.Thread(target=speak, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    most = 0.0
    while any(thread.is_alive() for thread in threads):
        most = max(most, memory(client.running.pid))
        time.sleep(0.1)
    lengths = np.zeros((4, len(arrived)))
    for at, (number, length) in enumerate(arrived):
        lengths[number, at] = length
    done = min(int(np.flatnonzero(row)[-1]) for row in lengths)
    return most, list(lengths[:, : done + 1].sum(axis=1) / lengths.sum(axis=1))


def processor_time(pid: int) -> float:
    """Seconds that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory(pid: int) -> float:
    """MB of a process and those that it started: what is each one's own, and once what they share."""
    own, shared, found = 0.0, 0.0, [pid]
    for each in found:
        try:
            for task in os.listdir(f"/proc/{each}/task"):
                found += [int(child) for child in Path(f"/proc/{each}/task/{task}/children").read_text().split()]
            lines = [line.split() for line in Path(f"/proc/{each}/smaps_rollup").read_text().splitlines()[1:]]
        except (FileNotFoundError, ProcessLookupError):
            continue
        sizes = {name.rstrip(":"): int(size) / 1024 for name, size, *_ in lines}
        private = sizes["Private_Clean"] + sizes["Private_Dirty"]
        own, shared = own + private, max(shared, sizes["Rss"] - private)
    return own + shared


def bad(engine: PracticeEngine, reference: Reference, folder: Path) -> Iterator[Row]:
    """Odd texts are spoken by the voice or refused in words, and what is no speech makes no voice."""
    profile, wanted = engine.profile(reference), median_f0(reference.samples, reference.sample_rate)
    for name, (text, silent) in BAD_TEXTS.items():
        begun = time.thread_time()
        try:
            sound = np.concatenate(list(engine.speak(text, language="auto", profile=profile))) / 32768
            off = 12 * np.log2(median_f0(sound.astype(np.float32), SPEECH_SAMPLE_RATE) / wanted) if sound.any() else 0.0
            right = silent if not sound.any() else abs(off) < 1.5
            told = f"{len(sound) / SPEECH_SAMPLE_RATE:.1f} s, {off:+.1f} semitones"
        except EngineError as error:
            right, told = bool(error.remedy), f"refused: {error.message}"
        print(f"  text {name:22} {told} ({time.thread_time() - begun:.1f} s of CPU)", flush=True)
        yield Row(f"text: {name}", "its voice", told[:22], right)
    for name, sample in _no_speech(folder):
        try:
            engine.profile(sample)
            right, told = False, "a voice"
        except UnusableReferenceError as error:
            right, told = bool(error.remedy), f"refused: {error.message}"
        print(f"  reference {name:22} {told}", flush=True)
        if not name.startswith("singing"):  # it is a voice, though not speech: either may happen
            yield Row(f"reference: {name}", "refused", told[:22], right)


def _no_speech(folder: Path) -> Iterator[tuple[str, Reference]]:
    rng, rate = np.random.default_rng(4), SPEECH_SAMPLE_RATE
    times = np.arange(15 * rate) / rate
    made = {
        "silence": np.zeros(len(times)),
        "white noise": 0.1 * rng.standard_normal(len(times)),
        "chord": 0.1 * np.sin(2 * np.pi * np.outer((120, 180, 240, 371), times)).sum(axis=0),
        "hum": 0.2 * np.sign(np.sin(2 * np.pi * 100 * times)),
    }
    for name, samples in made.items():
        yield name, Reference(samples.astype(np.float32), rate)
    for path in sorted(each for kind in ("music", "noise", "singing") for each in (folder / "clips" / kind).glob("*")):
        clip = vcnb.load(path)
        yield f"{path.parent.name} {path.name[:14]}", Reference(clip.samples[: 15 * clip.sample_rate], clip.sample_rate)
