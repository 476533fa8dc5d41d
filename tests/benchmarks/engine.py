"""How well the practice engine follows a voice, how clear it stays, and how quick it is.

    python tests/benchmarks/engine.py FOLDER [--speaker NAME=GLOB ...] [--encoder MODULE:FUNCTION] [--base espeak]
                                      [--mos MODULE:FUNCTION]

Without ``--speaker`` each folder in FOLDER is a speaker. Of each speaker's recordings the first half (at most 15 s) is
the reference and the second the gallery. The encoder takes (samples, sample_rate) and gives a vector of length 1; it
is GE2E where none is named. A judge of naturalness, such as DNSMOS, takes the same and gives 1 to 5. `right` is the
share of the speakers that are nearest to their own gallery. `pace` is phonemes a second as written, `pace_wanted`
syllables a second as counted in the reference. Phoneme error by hama. Times are CPU seconds of one thread.
"""

from __future__ import annotations

import os

os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"

import argparse
import importlib
import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

TESTS = Path(__file__).parents[1]
sys.path.insert(0, str(TESTS))

import hama
import pyworld
from test_engines_intelligible import distance, heard
from test_engines_practice import SENTENCES

import vcnb
from vcnb.audio.resample import resample
from vcnb.catalog import SPEECH_SAMPLE_RATE
from vcnb.measure.loudness import integrated_loudness
from vcnb.measure.pace import syllables_per_second
from vcnb.measure.pitch import median_f0
from vcnb.measure.speaker import speaker_embeddings
from vcnb.measure.speech import speech_activity
from vcnb.practice.engines.engine import Reference
from vcnb.practice.engines.mapping import LIKENESS
from vcnb.practice.engines.practice import PracticeEngine

REFERENCE = 15.0  # s
Encoder = Callable[[Any, int], Any]


def folders(folder: Path) -> list[str]:
    """Name each folder as a speaker."""
    return [f"{each.name}={each.name}/*" for each in sorted(folder.iterdir()) if each.is_dir()]


def recordings(folder: Path, pattern: str) -> tuple[Reference, Reference]:
    """The reference and the gallery of a speaker."""
    clips = [vcnb.load(path) for path in sorted(folder.glob(pattern))]
    if not clips:
        sys.exit(f"no recording is called {pattern} in {folder}")
    rate = clips[0].sample_rate
    samples = np.concatenate([resample(clip.samples, clip.sample_rate, rate) for clip in clips])
    half = len(samples) // 2
    return Reference(samples[: min(half, round(REFERENCE * rate))], rate), Reference(samples[half:], rate)


def ge2e(samples: Any, sample_rate: int) -> Any:
    """Mean direction of a recording's windows."""
    windows = speaker_embeddings(samples, sample_rate, speech_activity(samples, sample_rate))[1]
    return windows.mean(0) / np.linalg.norm(windows.mean(0))


def named(function: str) -> Encoder:
    module, name = function.split(":")
    found: Encoder = getattr(importlib.import_module(module), name)
    return found


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    begun = time.process_time()
    return work(), time.process_time() - begun


def world_alone(sound: Any) -> None:
    """The least that any engine on this vocoder costs."""
    f0, times = pyworld.dio(sound, SPEECH_SAMPLE_RATE)
    f0 = pyworld.stonemask(sound, f0, times, SPEECH_SAMPLE_RATE)
    power = pyworld.cheaptrick(sound, f0, times, SPEECH_SAMPLE_RATE)
    aperiodic = pyworld.d4c(sound, f0, times, SPEECH_SAMPLE_RATE)
    pyworld.synthesize(f0, power, aperiodic, SPEECH_SAMPLE_RATE)


class Judge:
    """Collects what one engine says in the voices of all speakers."""

    def __init__(self, speakers: dict[str, tuple[Reference, Reference]], encoder: Encoder) -> None:
        self.speakers = speakers
        self.encoder = encoder
        self.gallery = {name: encoder(g.samples, g.sample_rate) for name, (_, g) in speakers.items()}
        self.rows: dict[str, dict[str, float | bool]] = {name: {} for name in speakers}

    def likeness(self, name: str, sound: Any) -> tuple[float, bool]:
        """Similarity to the right speaker, and whether that one is the nearest."""
        embedding = self.encoder(sound.astype(np.float32), SPEECH_SAMPLE_RATE)
        similarities = {other: float(embedding @ vector) for other, vector in self.gallery.items()}
        return similarities[name], max(similarities, key=lambda other: similarities[other]) == name


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--speaker", action="append", default=[], metavar="NAME=GLOB")
    parser.add_argument("--encoder", metavar="MODULE:FUNCTION")
    parser.add_argument("--mos", metavar="MODULE:FUNCTION")
    parser.add_argument("--base", choices=["hibari", "espeak"], default="hibari")
    parser.add_argument("--likeness", type=float, default=LIKENESS)
    parser.add_argument("--languages", action="store_true", help="a sentence in each of the nine others as well")
    options = parser.parse_args()
    if options.base == "espeak":
        sys.modules["onnxruntime"] = None  # type: ignore[assignment]
    encoder: Encoder = named(options.encoder) if options.encoder else ge2e
    speakers = {
        name: recordings(options.folder, pattern)
        for name, pattern in (each.split("=") for each in options.speaker or folders(options.folder))
    }
    judge = Judge(speakers, encoder)
    engine = PracticeEngine(likeness=options.likeness)
    try:
        for name in speakers:
            measure(judge, engine, name, options)
    finally:
        engine.close()
    table(judge, options)


def measure(judge: Judge, engine: PracticeEngine, name: str, options: argparse.Namespace) -> None:
    """Let one voice say everything."""
    reference, row = judge.speakers[name][0], judge.rows[name]
    page = json.loads((TESTS / "data" / "english_sentences.json").read_text(encoding="utf-8"))
    recogniser = hama.ASRModel()
    profile, row["enrolling"] = timed(lambda: engine.profile(reference))
    row["kilobytes"] = len(profile) / 1000
    wanted = median_f0(reference.samples, reference.sample_rate)
    speaker = "hibari" if options.base == "hibari" else "en"
    list(engine.speak("Warm.", language="en", profile=profile))
    spoken, errors, offs, firsts, levels, cost = [], [], [], [], [], 0.0
    for sentence in page["sentences"]:
        pieces = engine.speak(sentence["text"], language="en", profile=profile)
        head, first = timed(lambda pieces=pieces: next(pieces))
        tail, rest = timed(lambda pieces=pieces: list(pieces))
        pcm = np.concatenate([head, *tail])
        spoken.append(pcm / 32768)
        firsts.append(first)
        cost += first + rest
        errors.append(distance([page["ipa"][p] for p in sentence["phonemes"].split()], heard(recogniser, pcm)))
        offs.append(12 * np.log2(median_f0(spoken[-1].astype(np.float32), SPEECH_SAMPLE_RATE) / wanted))
        levels.append(integrated_loudness(spoken[-1].astype(np.float32), SPEECH_SAMPLE_RATE))
    sound = np.concatenate(spoken)
    row["phonemes"], row["first"] = float(np.mean(errors)), float(np.median(firsts))
    row["f0"], row["f0_within"] = float(np.mean(np.abs(offs))), float(np.mean(np.abs(offs) <= 1))
    row["lufs"], row["lufs_off"] = float(np.mean(levels)), float(np.abs(np.array(levels) + 20).max())
    row["peak"] = float(np.abs(sound).max())
    row["rtf"] = cost / (len(sound) / SPEECH_SAMPLE_RATE)
    row["of_world"] = cost / timed(lambda: world_alone(sound))[1]
    n_phonemes = sum(len(sentence["phonemes"].split()) for sentence in page["sentences"])
    row["pace"] = n_phonemes / (len(sound) / SPEECH_SAMPLE_RATE)
    row["pace_wanted"] = syllables_per_second(reference.samples, reference.sample_rate)
    if options.mos:
        mos = named(options.mos)
        row["mos"] = float(np.mean([mos(each.astype(np.float32), SPEECH_SAMPLE_RATE) for each in spoken]))
    row["similarity"], row["right"] = judge.likeness(name, sound)
    high = wanted > 135
    plain = [engine._base_says(speaker, each["text"], high=high, pace=1.0) for each in page["sentences"]]
    row["unconverted"], _ = judge.likeness(name, np.concatenate(plain))
    if options.languages:
        rights, drifts = [], []
        for language in [each for each in SENTENCES if each != "en"]:
            pcm = np.concatenate(list(engine.speak(SENTENCES[language][0], language=language, profile=profile)))
            rights.append(judge.likeness(name, pcm / 32768)[1])
            drifts.append(drift(engine, recogniser, language, pcm, high=high))
        row["right_in_nine"], row["drift_in_nine"] = float(np.mean(rights)), float(np.mean(drifts))
        english = np.concatenate(spoken[:3])
        text = " ".join(each["text"] for each in page["sentences"][:3])
        row["drift_en"] = drift(engine, recogniser, "en", english * 32768, high=high, text=text)


def drift(
    engine: PracticeEngine, recogniser: Any, language: str, pcm: Any, *, high: bool, text: str | None = None
) -> float:
    """How far the recogniser's phones of the voice are from those of the base speaker."""
    said = engine._base_says(language, text or SENTENCES[language][0], high=high, pace=1.0)
    return distance(heard(recogniser, said * 32768), heard(recogniser, pcm))


def table(judge: Judge, options: argparse.Namespace) -> None:
    names = sorted({key for row in judge.rows.values() for key in row})
    print(f"base {options.base}, likeness {options.likeness}, {len(judge.rows)} speakers, ten English sentences each")
    print(f"{'':14}" + "".join(f"{name[:9]:>10}" for name in judge.rows) + f"{'mean':>10}")
    for key in names:
        values = [float(row[key]) for row in judge.rows.values()]
        print(f"{key:14}" + "".join(f"{value:10.3f}" for value in values) + f"{np.mean(values):10.3f}")
    ranks = [np.argsort(np.argsort([row[key] for row in judge.rows.values()])) for key in ("pace", "pace_wanted")]
    print(f"rank correlation of the pace {np.corrcoef(*ranks)[0, 1]:.2f}")
    own, children = (
        resource.getrusage(who).ru_maxrss / 1024 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    print(f"memory {own:.0f} MB with the judges, espeak-ng's process {children:.0f} MB")


if __name__ == "__main__":
    main()
