"""How often the sentinel finds what was spoilt on purpose, and how often it finds fault with a good take.

    python tests/benchmarks/sentinel.py [FOLDER] [--takes 500] [--spoilt 100] [--seed 1]

Voices are those of the shipped recordings, and of the speakers in FOLDER where it is given (FOLDER/SPEAKER holds their
recordings). They are enrolled at a practice service of its own, each for a model that answers over HTTP and for one
that speaks live; takes come whole, over server-sent events, and over the socket. Texts of 8 s and more are drawn from a
list of sentences of our own, none of which set a bound. Each take is judged by the two before it and against the
recording. Exits 1 beyond what is promised: each fault found in 90 %, all together in 95 %, at most 2 % of the good
takes refused.
"""

from __future__ import annotations

import argparse
import random
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from calibration import parts_of
from spoiling import RATE as PART_RATE

import vcnb
from vcnb.audio.clip import Clip, Speech
from vcnb.audio.resample import resample
from vcnb.compare.sentinel import watch
from vcnb.compare.sound import Sound

RATE = 24_000
SHORTEST = 8.0  # seconds of a take
MODELS = ("qwen3-tts-vc-2026-01-22", "qwen3-tts-vc-realtime-2026-01-15")
LEAST_EACH, LEAST_ALL, MOST_FALSE = 0.90, 0.95, 0.02
SENTENCES = """
Every evening the old clockmaker locked his shop and walked home along the canal.
Did anyone remember to water the plants on the balcony?
Our flight was delayed by two hours, so we had dinner at the airport.
The snow had melted by noon, and the streets were full of puddles.
What would you do if the bridge were closed on Monday?
She keeps her letters in a wooden box, tied together with a red ribbon.
Twelve students signed up for the course, but only nine of them came.
The baker opens at half past five, long before the first bus arrives.
Take the second street on the left, then walk straight on until you see the church.
I had never heard the orchestra play so softly.
In the afternoon a light wind came up from the sea.
He repaired the bicycle with a piece of wire and a great deal of patience.
Please leave your shoes at the door and hang your coat on the hook.
The report mentions three reasons: the weather, the cost, and a lack of time.
Nothing in the contract says that the rent may be raised twice a year.
A yellow butterfly landed on the sleeve of her jacket.
When the lights went out, somebody began to sing.
My uncle, who used to be a sailor, still ties every knot by heart.
The city council will meet again on the third of October.
Although the path was steep, the children reached the top before us.
Wait a moment.
He asked whether the shop around the corner sells stamps.
Six of the paintings were returned to the museum last week.
There is a small garden behind the station, with benches and an apple tree.
Could you speak a little louder?
The doctor told him to rest, drink plenty of water, and come back on Friday.
Nobody had expected the film to be so funny.
Half of the harvest was lost in the flood.
We packed the glasses in newspaper so that they would not break.
If you follow the river for a mile, you will find a mill that is still working.
The radio was playing an old song that both of them knew.
Their new neighbour plays the violin, usually late at night, and not very well.
It was the first time in years that the lake had frozen from shore to shore.
Each of the four rooms has a window that looks out on the courtyard.
The ticket costs eleven euros and forty cents.
At the end of the lesson, the teacher collected the books.
""".strip().splitlines()


def recordings(folder: Path | None) -> dict[str, Clip]:
    """What voices are made from, one a speaker, at most 15 s."""
    clips = {name: vcnb.load(path) for name, path in vcnb.samples().items() if name.endswith("_en")}
    for speaker in sorted(path for path in folder.iterdir() if path.is_dir()) if folder else ():
        joined = [resample(part, PART_RATE, RATE) for part in parts_of(speaker, most=2)]
        if joined:
            clips[speaker.name] = Clip(np.concatenate(joined)[: 15 * RATE], RATE, name=speaker.name)
    return {name: Clip(clip.samples[: 15 * clip.sample_rate], clip.sample_rate) for name, clip in clips.items()}


def text_of(rng: random.Random) -> str:
    """Some sentences that take 8 s and more to say, as a rule; each take of another length."""
    chosen = rng.sample(SENTENCES, rng.choice((3, 3, 4, 5)))
    while sum(map(len, chosen)) < 150:
        chosen.append(rng.choice([each for each in SENTENCES if each not in chosen]))
    return " ".join(chosen)


def spoken(account: vcnb.Account, text: str, voice: Any, rng: random.Random) -> Speech:
    """One take, over a transport that the voice's model has."""
    if "realtime" in voice.target_model:
        return account.stream(text, voice=voice, language="en").speech
    if rng.random() < 0.5:
        return account.stream(text, voice=voice, language="en", transport="sse").speech
    return account.speak(text, voice=voice, language="en")


def faults(take: Speech, reference: Clip, rng: random.Random) -> Iterator[tuple[str, Speech]]:
    """The take, spoilt in each way that needs no other take."""
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
    for name, sound in made.items():
        yield name, replace(take, samples=sound.astype(np.float32))


def others(account: vcnb.Account, take: Speech, voice: Any, stranger: Any, rng: random.Random) -> Iterator[Any]:
    """What was spoken by somebody else, and a text whose last tenth was never said."""
    yield "speaker", replace(spoken(account, take.text, stranger, rng), text=take.text)
    words = take.text.split()
    less = " ".join(words[: -round(0.1 * len(words))])
    yield "unsaid", replace(spoken(account, less, voice, rng), text=take.text)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--takes", type=int, default=500, help="good takes")
    parser.add_argument("--spoilt", type=int, default=100, help="of them, that are spoilt in each way")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("folder", type=Path, nargs="?")
    options = parser.parse_args()
    rng, clips = random.Random(options.seed), recordings(options.folder)
    found: Counter[str] = Counter()
    tried: Counter[str] = Counter()
    said: Counter[tuple[str, str]] = Counter()

    def judge(kind: str, take: Speech, before: list[Sound], recorded: Sound) -> None:
        drift = watch(take, before[-2:], reference=recorded)
        tried[kind] += 1
        found[kind] += drift.verdict == "fail"
        said.update((kind, item.check) for item in drift.evidence if item.verdict == "fail")
        if kind == "good" and drift.verdict == "fail":
            print(f"  refused: {drift.words} {take.voice} {take.text!r}", flush=True)

    with tempfile.TemporaryDirectory() as folder, vcnb.connect("practice", data=folder) as account:
        enrolled = {
            (name, model): account.enroll(clip, preferred_name="v", consent="public", target_model=model, again=True)
            for name, clip in clips.items()
            for model in MODELS
        }
        recorded = {name: Sound(clip) for name, clip in clips.items()}
        before: dict[tuple[str, str], list[Sound]] = {key: [] for key in enrolled}
        turn = 0
        while tried["good"] < options.takes:  # one take of each voice after the other
            (name, model), voice = list(enrolled.items())[turn % len(enrolled)]
            turn += 1
            earlier, take = before[name, model], spoken(account, text_of(rng), voice, rng)
            if take.duration < SHORTEST:
                continue
            if len(earlier) >= 2:
                judge("good", take, earlier, recorded[name])
                if rng.random() < options.spoilt / options.takes:
                    stranger = enrolled[rng.choice([other for other in clips if other != name]), model]
                    for kind, spoilt in (*faults(take, clips[name], rng), *others(account, take, voice, stranger, rng)):
                        judge(kind, spoilt, earlier, recorded[name])
            before[name, model] = [*earlier[-1:], Sound(take)]
            if turn % 20 == 0:
                print(", ".join(f"{kind} {found[kind]}/{tried[kind]}" for kind in tried), flush=True)
    for kind in tried:
        by = ", ".join(f"{check} {n}" for (of, check), n in said.items() if of == kind)
        print(f"{kind:8} {found[kind]:4} of {tried[kind]:4} failed  ({by})")
    bad = [kind for kind in tried if kind != "good"]
    whole = sum(found[kind] for kind in bad) / max(1, sum(tried[kind] for kind in bad))
    right = all(found[kind] >= LEAST_EACH * tried[kind] for kind in bad) and whole >= LEAST_ALL
    right &= found["good"] <= MOST_FALSE * tried["good"]
    print(f"faults found {100 * whole:.1f} %;", "right" if right else "WRONG")
    return 0 if right else 1


if __name__ == "__main__":
    raise SystemExit(main())
