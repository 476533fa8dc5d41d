"""Does the practice engine show what was asked of it? One table: asked, measured, right or WRONG.

    python tests/benchmarks/engine.py FOLDER [--others FOLDER] [--part NAME ...] [--speakers 8] [--sentences 10]
                                      [--encoder MODULE:FUNCTION] [--mos MODULE:FUNCTION] [--likeness 0.7]

FOLDER holds the eight speakers (``clips/speech``, ``samples``), music, singing and noise; the other folder a folder for
each speaker that served no tuning. Of each speaker's recordings the first half (at most 15 s) is the reference, the
second (at most 30 s) the gallery. The encoder takes (samples, sample_rate) and gives a vector of length 1: GE2E where
none is named; the judge of naturalness takes the same and gives 1 to 5: DNSMOS by speechmos where none is named.
Phoneme error by hama. Times are CPU seconds of one thread unless it says otherwise. Ends with 1 if anything is short.

Parts: hibari, espeak, others, languages, words, quick, service, bad; all, where none is named. `quick` and `service`
take time: nothing else may run beside them.
"""

from __future__ import annotations

import os

os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"

import argparse
import importlib
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import comb
from pathlib import Path
from typing import Any

import numpy as np

TESTS = Path(__file__).parents[1]
sys.path[:0] = [str(TESTS), str(Path(__file__).parent)]

import hama
from engine_limits import Row, at_least, at_most, bad, dnsmos, quick, service
from figures import record_shown
from test_engines_intelligible import distance, heard
from test_engines_practice import SENTENCES
from test_engines_written import SENTENCES as WRITTEN
from test_engines_written import read, reported, unsounded

import vcnb
from vcnb.audio.resample import resample
from vcnb.catalog import LANGUAGES, SPEECH_SAMPLE_RATE
from vcnb.measure.loudness import integrated_loudness
from vcnb.measure.pace import syllables_per_second
from vcnb.measure.pitch import median_f0
from vcnb.measure.speaker import speaker_embeddings
from vcnb.measure.speech import speech_activity
from vcnb.practice.engines.engine import Reference
from vcnb.practice.engines.mapping import LIKENESS
from vcnb.practice.engines.practice import HIGH_ABOVE_HZ, PracticeEngine

REFERENCE, GALLERY = 15.0, 30.0  # s
DRIFTING = 2  # sentences a language beside the first
# Those with 12 s and more; Nathalie speaks Dutch and is no reference for other languages.
EIGHT = {
    "1688": ("clips/speech/1688_*",),
    "1998": ("clips/speech/1998_*",),
    "2033": ("clips/speech/2033_*",),
    "thorsten": ("samples/thorsten-voice_en*", "samples/thorsten-voice_de*", "clips/speech/*s_sample*"),
    "lj": ("clips/speech/data_ljspeech*",),
    "kathleen": ("clips/speech/kathleen*",),
    "librivox": ("clips/speech/container_job*",),
    "nathalie": ("clips/speech/nl_*",),
}
DUTCH = {"nathalie"}
SHORT = {"en": ("Yes.", "No!", "Hm?"), "de": ("Ja.", "Nein!"), "ja": ("はい。",), "zh": ("好。",), "fr": ("Oui.",)}
PAGE = json.loads((TESTS / "data" / "english_sentences.json").read_text(encoding="utf-8"))
Encoder = Callable[[Any, int], Any]


@dataclass(eq=False)
class Speaker:
    """Who is followed."""

    name: str
    reference: Reference
    gallery: Any
    pitch: float
    profile: bytes = b""


@dataclass(eq=False)
class Said:
    """What was measured while a voice spoke English."""

    sounds: list[Any] = field(default_factory=list)
    errors: list[float] = field(default_factory=list)
    off: list[float] = field(default_factory=list)
    similarity: float = 0.0
    rise: float = 0.0
    nearest: float = 0.0
    pace: tuple[float, float] = (0.0, 0.0)


def speakers(folder: Path, table: dict[str, tuple[str, ...]], encoder: Encoder, most: int) -> dict[str, Speaker]:
    found = {}
    for name, patterns in list(table.items())[:most]:
        clips = [vcnb.load(path) for pattern in patterns for path in sorted(folder.glob(pattern))]
        if not clips:
            sys.exit(f"no recording of {name} in {folder}")
        rate = clips[0].sample_rate
        samples = np.concatenate([resample(clip.samples, clip.sample_rate, rate) for clip in clips])
        half = len(samples) // 2
        reference = Reference(samples[: min(half, round(REFERENCE * rate))], rate)
        gallery = encoder(samples[half : half + round(GALLERY * rate)], rate)
        found[name] = Speaker(name, reference, gallery, median_f0(reference.samples, rate))
    return found


def ge2e(samples: Any, sample_rate: int) -> Any:
    """Mean direction of a recording's windows."""
    windows = speaker_embeddings(samples, sample_rate, speech_activity(samples, sample_rate))[1]
    return windows.mean(0) / np.linalg.norm(windows.mean(0))


def named(function: str) -> Encoder:
    module, name = function.split(":")
    found: Encoder = getattr(importlib.import_module(module), name)
    return found


def loudness(sound: Any) -> float:
    """LUFS; of less than 0.4 s, which the norm does not define, of the sound said again and again."""
    measured = integrated_loudness(sound, SPEECH_SAMPLE_RATE)
    return measured if np.isfinite(measured) else integrated_loudness(np.tile(sound, 8), SPEECH_SAMPLE_RATE)


def one_of_ten(similarities: dict[str, float], name: str) -> float:
    """Chance that the right speaker is the nearest where nine random others stand beside him."""
    others = [value for other, value in similarities.items() if other != name]
    if len(others) < 9:
        return float(all(similarities[name] > value for value in others))
    return comb(sum(value < similarities[name] for value in others), 9) / comb(len(others), 9)


@contextmanager
def unconverted(engine: PracticeEngine) -> Iterator[None]:
    """Let the base speakers be heard as they speak for a voice, at its pitch and pace, in their own colour."""
    ours = engine._plain

    def plain(*asked: Any) -> Any:
        sound = ours(*asked)[0]
        return sound, lambda **_: iter([sound])

    engine._plain = plain
    try:
        yield
    finally:
        engine._plain = ours


class Bench:
    """One engine, its judges, and what all of it said."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.engine = PracticeEngine(likeness=options.likeness)
        self.encoder: Encoder = named(options.encoder) if options.encoder else ge2e
        self.mos: Encoder = named(options.mos) if options.mos else dnsmos
        self.recogniser = hama.ASRModel()
        self.eight = speakers(options.folder, EIGHT, self.encoder, options.speakers)
        self.levels: list[tuple[float, str]] = []
        self.loudest = 0
        self._plain: dict[tuple[str, bool], Any] = {}

    def use(self, base: str) -> None:
        """Let English be spoken by espeak-ng, as where onnxruntime is missing."""
        self.engine._english._missing = base == "espeak"
        self.engine._english._model = None

    def heard_from(self, text: str, language: str, speaker: Speaker) -> Any:
        speaker.profile = speaker.profile or self.engine.profile(speaker.reference)
        pcm = np.concatenate(list(self.engine.speak(text, language=language, profile=speaker.profile)))
        return (pcm / 32768).astype(np.float32)

    def say(self, text: str, language: str, speaker: Speaker) -> Any:
        sound = self.heard_from(text, language, speaker)
        self.loudest = max(self.loudest, round(32768 * float(np.abs(sound).max())))
        self.levels.append((loudness(sound), f"{speaker.name} {language} {text[:24]}"))
        return sound

    def unconverted(self, base: str, text: str, speaker: Speaker) -> Any:
        return self.engine._base_says(base, text, high=speaker.pitch > HIGH_ABOVE_HZ).astype(np.float32)

    def english(self, speaker: Speaker, everybody: dict[str, Speaker], base: str, *, clear: bool) -> Said:
        """Let one voice say the English sentences."""
        said, high = Said(), speaker.pitch > HIGH_ABOVE_HZ
        page = PAGE["sentences"][: self.options.sentences]
        for sentence in page:
            sound = self.say(sentence["text"], "en", speaker)
            said.sounds.append(sound)
            said.off.append(12 * np.log2(median_f0(sound, SPEECH_SAMPLE_RATE) / speaker.pitch))
            if clear:
                phonemes = [PAGE["ipa"][name] for name in sentence["phonemes"].split()]
                said.errors.append(distance(phonemes, heard(self.recogniser, sound * 32768)))
        sound = np.concatenate(said.sounds)
        if (base, high) not in self._plain:
            plain = [self.unconverted(base, each["text"], speaker) for each in page]
            self._plain[base, high] = self.encoder(np.concatenate(plain), SPEECH_SAMPLE_RATE)
        embedding = self.encoder(sound, SPEECH_SAMPLE_RATE)
        similarities = {name: float(embedding @ other.gallery) for name, other in everybody.items()}
        said.similarity = similarities[speaker.name]
        said.rise = said.similarity - float(self._plain[base, high] @ speaker.gallery)
        said.nearest = one_of_ten(similarities, speaker.name)
        phonemes_a_second = sum(len(each["phonemes"].split()) for each in page) * SPEECH_SAMPLE_RATE / len(sound)
        said.pace = (syllables_per_second(speaker.reference.samples, speaker.reference.sample_rate), phonemes_a_second)
        return said

    def follows(self, base: str) -> Iterable[Row]:
        """Likeness, pitch, pace and clarity of the eight on one base."""
        self.use(base)
        said = {name: self.english(each, self.eight, "hibari" if base == "hibari" else "en", clear=True)
                for name, each in self.eight.items()}  # fmt: skip
        rises = {name: each.rise for name, each in said.items()}
        least = min(rises, key=lambda name: rises[name])
        off = np.concatenate([each.off for each in said.values()])
        ranks = np.argsort(np.argsort([each.pace for each in said.values()], axis=0), axis=0).T
        show_each(base, said)
        nearest = _mean(each.nearest for each in said.values())
        yield at_least(f"{base}: right speaker the nearest of {len(said)}", nearest, 0.8, "engine.nearest")
        yield at_least(f"{base}: rise of the similarity, mean", _mean(rises.values()), 0.12, "engine.rise")
        title = f"{base}: rise for each, least ({least})"
        yield Row(title, "> 0", f"{rises[least]:.3f}", rises[least] > 0, "engine.rise_each")
        near = float(np.mean(np.abs(off) <= 1))
        yield at_least(f"{base}: mean F0 within a semitone, sentences", near, 0.9, "engine.f0")
        yield at_least(f"{base}: speaking rate, rank correlation", float(np.corrcoef(*ranks)[0, 1]), 0.6, "engine.pace")
        errors = _mean(np.mean(each.errors) for each in said.values())
        most, figure = (0.2, "engine.phonemes_hibari") if base == "hibari" else (0.46, "engine.phonemes_espeak")
        yield at_most(f"{base}: phoneme error of English", errors, most, figure)
        if base == "hibari":
            judged = [self.mos(sound, SPEECH_SAMPLE_RATE) for each in said.values() for sound in each.sounds]
            yield at_least("hibari: DNSMOS overall, the eight", _mean(judged), 2.9, "engine.mos")

    def others(self) -> Iterable[Row]:
        """Likeness and naturalness of speakers that served no tuning."""
        folder = self.options.others
        table: dict[str, tuple[str, ...]] = {
            each.name: (f"{each.name}/*",) for each in sorted(folder.iterdir()) if each.is_dir()
        }
        everybody = speakers(folder, table, self.encoder, self.options.most)
        self.use("hibari")
        said = {name: self.english(each, everybody, "hibari", clear=False) for name, each in everybody.items()}
        show_each("others", said)
        nearest, rises = [each.nearest for each in said.values()], [each.rise for each in said.values()]
        yield at_least(f"{len(said)} untouched speakers: right one of ten", _mean(nearest), 0.8, "engine.untouched")
        yield at_least("untouched: rise of the similarity, mean", _mean(rises), 0.12)
        yield Row("untouched: rise for each, least", "> 0", f"{min(rises):.3f}", min(rises) > 0)
        off = np.concatenate([each.off for each in said.values()])
        yield at_least("untouched: mean F0 within a semitone, sentences", float(np.mean(np.abs(off) <= 1)), 0.9)
        judged = [self.mos(sound, SPEECH_SAMPLE_RATE) for each in said.values() for sound in each.sounds[:4]]
        yield at_least("untouched: DNSMOS overall", _mean(judged), 2.9, "engine.mos")

    def languages(self) -> Iterable[Row]:
        """The voice of an English reference in nine other languages, and how clear it stays."""
        self.use("espeak")
        right: list[bool] = []
        drifts: dict[str, list[float]] = {}
        floor: dict[str, list[float]] = {}  # what a hiss at -60 dB of full scale makes of the same, which nobody hears
        noise = np.random.default_rng(1)
        for name, speaker in self.eight.items():
            if name in DUTCH:
                continue
            for language in LANGUAGES:
                texts = [SENTENCES[language][0], *WRITTEN[language][:DRIFTING]]
                if language == "en":
                    texts += [each["text"] for each in PAGE["sentences"][: self.options.sentences]]
                for text in texts:
                    sound = self.say(text, language, speaker)
                    with unconverted(self.engine):
                        plain = self.heard_from(text, language, speaker)
                    hissing = plain + 1e-3 * noise.standard_normal(len(plain))
                    given, *others = (heard(self.recogniser, each * 32768) for each in (plain, sound, hissing))
                    for kept, each in zip((drifts, floor), others, strict=True):
                        kept.setdefault(language, []).append(distance(given, each))
                    if language != "en":
                        embedding = self.encoder(sound, SPEECH_SAMPLE_RATE)
                        near = {other: float(embedding @ each.gallery) for other, each in self.eight.items()}
                        right.append(max(near, key=lambda other: near[other]) == name)
        yield at_least("nine languages, English reference: right speaker", _mean(right), 0.65, "engine.languages")
        drift = _mean(np.mean(each) for language, each in drifts.items() if language != "en")
        title = f"nine languages: drift of the phones, asked that of English ({_mean(drifts['en']):.3f})"
        yield at_most(title, drift, _mean(drifts["en"]), "engine.drift")
        for title, each in (("drift", drifts), ("by a hiss", floor)):
            print(f"{title}: " + ", ".join(f"{code} {np.mean(values):.2f}" for code, values in each.items()))

    def words(self) -> Iterable[Row]:
        """Every word of two hundred sentences, and short answers, in two voices."""
        self.use("hibari")
        self.engine._english.installed()
        voices = [self.eight[name] for name in ("kathleen", "thorsten") if name in self.eight]
        passed, failed, count = [], [], 0
        with reported() as phonemes:
            for language, sentences in WRITTEN.items():
                for sentence in sentences[: 2 * self.options.sentences]:
                    passed += unsounded(sentence, language, phonemes)
                    if language == "en":
                        model = self.engine._english._model
                        passed += [text for text in read(sentence, "en") if not all(map(model.phonemize, text.split()))]
                    for voice in voices:
                        count += 1
                        sound = self.say(sentence, language, voice)
                        expected = sum(len(phonemes(text, language)) for text in read(sentence, language))
                        if not 0.02 < len(sound) / SPEECH_SAMPLE_RATE / expected < 0.4:
                            failed.append(sentence)
        for language, texts in SHORT.items():
            for text in texts:
                for voice in self.eight.values():
                    self.say(text, language, voice)
        yield Row(f"{count} sentences of ten languages spoken", "all", f"{len(failed)} failed", not failed)
        yield Row("words that are passed over or said in another language", "none", str(len(passed)), not passed)

    def sound(self) -> Iterable[Row]:
        """Level of all that was said so far."""
        if not self.levels:
            return
        levels = np.array([level for level, _ in self.levels])
        worst, what = max(self.levels, key=lambda each: abs(each[0] + 20))
        print(f"farthest from -20 LUFS: {worst:.2f}, {what}")
        mean, off = float(levels.mean()), np.abs(levels + 20)
        title = "loudness of all, mean (LUFS)"
        yield Row(title, "-20 ± 1", f"{mean:.2f}", abs(mean + 20) <= 1, "engine.loudness_mean")
        each = f"{off.max():.2f} off, {np.mean(off <= 2):.1%} within"
        title = f"loudness of each of {len(levels)}"
        yield Row(title, "within 2", each, bool(np.all(off <= 2)), "engine.loudness_each")
        yield Row("loudest sample of all", "< 32767", str(self.loudest), self.loudest < 32_767)


def _mean(values: Iterable[Any]) -> float:
    return float(np.mean(list(values)))


def show_each(title: str, said: dict[str, Said]) -> None:
    for name, each in said.items():
        error = f"phonemes {np.mean(each.errors):.3f} " if each.errors else ""
        likeness = f"likeness {each.similarity:.3f} rise {each.rise:.3f} nearest {each.nearest:.2f}"
        print(f"  {title} {name:14} {likeness} {error}F0 off {np.mean(np.abs(each.off)):.2f}", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--others", type=Path)
    parts = ["hibari", "espeak", "others", "languages", "words", "quick", "service", "bad"]
    parser.add_argument("--part", action="append", choices=parts, help="all, where none is named")
    parser.add_argument("--speakers", type=int, default=8, help="of the eight")
    parser.add_argument("--most", type=int, default=40, help="of the others")
    parser.add_argument("--sentences", type=int, default=10, help="in English; twice as many are read for their words")
    parser.add_argument("--encoder", metavar="MODULE:FUNCTION")
    parser.add_argument("--mos", metavar="MODULE:FUNCTION")
    parser.add_argument("--likeness", type=float, default=LIKENESS)
    options = parser.parse_args()
    bench = Bench(options)
    voice = next(iter(bench.eight.values())).reference
    work: dict[str, Callable[[], Iterable[Row]]] = {
        "hibari": lambda: bench.follows("hibari"),
        "espeak": lambda: bench.follows("espeak"),
        "others": bench.others if options.others else tuple,
        "languages": bench.languages,
        "words": bench.words,
        "quick": lambda: quick(bench.engine, voice, PAGE["sentences"], bench.use),
        "service": lambda: service(),
        "bad": lambda: bad(bench.engine, voice, options.folder),
    }
    try:
        rows = [row for part in parts if part in (options.part or parts) for row in work[part]()]
        rows += bench.sound()
    finally:
        bench.engine.close()
    for row in rows:
        if row.figure:
            record_shown(row.figure, row.measured, row.right, row.what)
        print(f"{row.what:66} {row.asked:>10} {row.measured:>22}  {'right' if row.right else 'WRONG'}")
    return 0 if all(row.right for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
