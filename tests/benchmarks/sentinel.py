"""How often the sentinel finds what was spoilt on purpose, and how often it finds fault with a good take.

    python tests/benchmarks/sentinel.py [--takes 60] [--seed 0] [FOLDER]

Voices are those of the shipped recordings, and of a folder with one recording a speaker where it is given. Texts of 8 s
and more are drawn from a list of sentences of our own. Each take is judged by the two before it.
"""

from __future__ import annotations

import argparse
import random
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np

import vcnb
from vcnb.audio.clip import Clip, Speech
from vcnb.audio.resample import resample
from vcnb.compare.sentinel import watch
from vcnb.compare.sound import Sound
from vcnb.practice.engines.engine import Reference
from vcnb.practice.engines.practice import PracticeEngine

RATE = 24_000
SENTENCES = """
The train to the coast leaves at nine from the second platform.
Please open the window a little before you start to cook.
My sister has lived in Lisbon since the spring of last year.
The library closes at six, but the reading room stays open until ten.
Nobody told the gardener that the gate had been painted green.
We counted more than three hundred boats in the harbour.
A small dog ran across the field and stopped beside the river.
If the weather holds, we will walk to the lighthouse tomorrow.
She wrote the recipe on the back of an old envelope.
The museum keeps its oldest maps in a room without windows.
Could you bring me the blue folder from the top shelf?
He played the same song every evening for almost a year.
The bridge was closed for repairs, so the bus took the long way round.
Fresh bread and strong coffee are all I need in the morning.
They found a silver coin under the floor of the kitchen.
The teacher asked us to describe a place we had never seen.
Rain is expected in the north, with sunshine later in the week.
Our neighbours grow tomatoes, beans and far too many pumpkins.
The second chapter explains how the machine was built.
It took four people and a ladder to hang the new lamp.
""".strip().splitlines()


def voices(folder: Path | None) -> dict[str, Clip]:
    """The recordings that voices are made from, one a speaker."""
    paths = [vcnb.samples()["kathleen_en"], vcnb.samples()["thorsten_en"]]
    paths += sorted(folder.iterdir()) if folder else []
    return {path.stem: vcnb.load(path) for path in paths}


def spoken(engine: PracticeEngine, profile: bytes, text: str) -> Speech:
    pcm = np.concatenate(list(engine.speak(text, language="en", profile=profile)))
    return Speech((pcm / 32768).astype(np.float32), RATE, text=text)


def faults(take: Speech, stranger: Speech, shorter: Speech, reference: Clip, rng: random.Random) -> dict[str, Speech]:
    """The take, spoilt in each way."""
    samples, middle = take.samples, len(take.samples) // 2
    pasted = resample(reference.samples, reference.sample_rate, RATE)
    start = rng.randrange(max(1, len(pasted) - 2 * RATE))
    at = rng.randrange(2 * RATE, len(samples) - RATE)
    made = {
        "cut": samples[: int(0.9 * len(samples))],
        "loop": np.r_[samples[:at], samples[at - 2 * RATE : at], samples[at:]],
        "tail": np.r_[samples, np.zeros(3 * RATE, np.float32)],
        "leak": np.r_[samples[:middle], pasted[start : start + 2 * RATE], samples[middle:]],
    }
    spoilt = {name: replace(take, samples=sound.astype(np.float32)) for name, sound in made.items()}
    return spoilt | {"speaker": replace(stranger, text=take.text), "unsaid": replace(shorter, text=take.text)}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--takes", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("folder", type=Path, nargs="?")
    options = parser.parse_args()
    rng, engine = random.Random(options.seed), PracticeEngine()
    references = voices(options.folder)
    profiles = {
        name: engine.profile(Reference(clip.samples[: 15 * clip.sample_rate], clip.sample_rate))
        for name, clip in references.items()
    }
    found, tried, said = Counter(), Counter(), Counter()
    try:
        for name, reference in references.items():
            other = next(each for each in references if each != name)
            recorded, before = Sound(reference), []
            for _ in range(2 + options.takes // len(references)):
                text = " ".join(rng.sample(SENTENCES, 3))
                take = spoken(engine, profiles[name], text)
                if len(before) >= 2:
                    less = spoken(engine, profiles[name], " ".join(text.split()[: -round(0.1 * len(text.split()))]))
                    stranger = spoken(engine, profiles[other], text)
                    cases = {"good": take} | faults(take, stranger, less, reference, rng)
                    for kind, each in cases.items():
                        drift = watch(each, before[-2:], reference=recorded)
                        tried[kind] += 1
                        found[kind] += drift.verdict == "fail"
                        said.update((kind, item.check) for item in drift.evidence if item.verdict == "fail")
                before.append(Sound(take))
            print(name, flush=True)
    finally:
        engine.close()
    for kind in tried:
        by = ", ".join(f"{check} {n}" for (of, check), n in said.items() if of == kind)
        print(f"{kind:8} {found[kind]:4} of {tried[kind]:4} failed  ({by})")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
