"""What the practice engine says is understood by a recogniser that had no part in making it."""

from __future__ import annotations

import json
import sys
from typing import Any

import numpy as np
import pytest
import soxr

import vcnb
from vcnb.catalog import SPEECH_SAMPLE_RATE
from vcnb.practice.engines.engine import Reference
from vcnb.practice.engines.espeak import Espeak
from vcnb.practice.engines.practice import PracticeEngine

hama = pytest.importorskip("hama")  # no wheel for Windows

# Vowels that General American and the recogniser merge, and other spellings of the same phoneme
MERGED = {"ə": "ʌ", "ɔ": "ɑ", "ɚ": "ɝ", "r": "ɹ", "ɡ": "g", "tʃ": "t͡ʃ", "dʒ": "d͡ʒ"}
AT_MOST = 0.46
NEARER_BY = 0.20


def distance(expected: list[str], heard: list[str]) -> float:
    """Substitutions, insertions and deletions for each expected phoneme."""
    row = list(range(len(heard) + 1))
    for count, phoneme in enumerate(expected, 1):
        above, row = row, [count]
        for column, other in enumerate(heard, 1):
            row.append(min(above[column] + 1, row[-1] + 1, above[column - 1] + (phoneme != other)))
    return row[-1] / len(expected)


@pytest.fixture(scope="module")
def sentences(data_dir) -> list[dict[str, Any]]:
    page = json.loads((data_dir / "english_sentences.json").read_text(encoding="utf-8"))
    return [
        {"text": each["text"], "phonemes": [page["ipa"][name] for name in each["phonemes"].split()]}
        for each in page["sentences"]
    ]


@pytest.fixture(scope="module")
def recogniser() -> Any:
    return hama.ASRModel()


def heard(recogniser: Any, pcm: Any) -> list[str]:
    samples = soxr.resample(pcm / 32768.0, SPEECH_SAMPLE_RATE, 16_000)
    loud = (0.7 * samples / np.abs(samples).max()).astype(np.float32)
    phonemes = recogniser.transcribe_waveform(loud, 16_000).phonemes
    return [MERGED.get(each, each) for each in phonemes if each not in (" ", "|")]


def errors(engine: PracticeEngine, speaker: str, sentences: list[dict[str, Any]], recogniser: Any) -> Any:
    """Distance of each spoken sentence (row) to each text (column)."""
    clip = vcnb.load(vcnb.samples()[speaker])
    profile = engine.profile(Reference(clip.samples, clip.sample_rate))
    rows = []
    for sentence in sentences:
        pcm = np.concatenate(list(engine.speak(sentence["text"], language="en", profile=profile)))
        phones = heard(recogniser, pcm)
        rows.append([distance(other["phonemes"], phones) for other in sentences])
    return np.array(rows)


@pytest.mark.parametrize(
    ("base", "speaker"),
    [
        ("hibari", "thorsten_en"),
        ("espeak", "kathleen_en"),
        pytest.param("hibari", "kathleen_en", marks=pytest.mark.figures),
        pytest.param("espeak", "thorsten_en", marks=pytest.mark.figures),
    ],
)
def test_sentences_are_understood_and_told_apart(monkeypatch, sentences, recogniser, base, speaker):
    if base == "espeak":
        if not Espeak.installed():
            pytest.skip("the extra `practice` is not installed")
        monkeypatch.setitem(sys.modules, "onnxruntime", None)
    engine = PracticeEngine()
    try:
        table = errors(engine, speaker, sentences, recogniser)
    finally:
        engine.close()
    own = table.diagonal()
    nearest_other = np.where(np.eye(len(table), dtype=bool), np.inf, table).min(axis=1)
    print(f"{base} as {speaker}: phoneme error {own.mean():.3f}, margin at least {(nearest_other - own).min():.3f}")
    assert own.mean() <= AT_MOST
    assert (nearest_other - own).min() >= NEARER_BY


def test_the_judge_can_fail(sentences, recogniser, rng):
    noise = (3000 * rng.standard_normal(3 * SPEECH_SAMPLE_RATE)).astype(np.int16)
    assert distance(sentences[0]["phonemes"], heard(recogniser, noise)) > 0.8
