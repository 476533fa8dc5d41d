"""How often the sentinel finds what was spoilt on purpose, and how often it finds fault with a good take.

    python tests/benchmarks/sentinel.py [FOLDER] [--takes 500] [--spoilt 100] [--seed 1] [--keep TAKES]

Voices are those of the shipped recordings, and of the speakers in FOLDER where it is given (FOLDER/SPEAKER holds their
recordings). They are enrolled at a practice service of its own, each for a model that answers over HTTP and for one
that speaks live; takes come whole, over server-sent events, and over the socket. Texts of 8 s and more are drawn from a
list of sentences of our own, none of which set a bound. Each take is judged by those of its voice before it, of which
there are two and more, and against the recording. Speech that was kept once is judged again without being made again.
Exits 1 beyond what is promised: each fault found in 90 %, all together in 95 %, at most 2 % of the good takes refused.
"""

from __future__ import annotations

import argparse
import random
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from calibration import parts_of
from figures import record
from spoiling import RATE as PART_RATE

import vcnb
from vcnb.audio.clip import Clip, Speech
from vcnb.audio.resample import resample
from vcnb.compare.sentinel import FEWEST, Drift, Traits, alone, among
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


@dataclass
class Case:
    """A good take, and what was spoken to spoil it: by another voice, and without its last words."""

    speaker: str
    model: str
    good: Speech
    spoilt: dict[str, Speech]


def spoken(account: vcnb.Account, text: str, voice: Any, rng: random.Random) -> Speech:
    """One take, over a transport that the voice's model has."""
    if "realtime" in voice.target_model:
        return account.stream(text, voice=voice, language="en").speech
    if rng.random() < 0.5:
        return account.stream(text, voice=voice, language="en", transport="sse").speech
    return account.speak(text, voice=voice, language="en")


def made(clips: dict[str, Clip], options: argparse.Namespace) -> Iterator[Case]:
    """Enroll each voice and let it speak, one take of each voice after the other."""
    rng, turn, judged, heard = random.Random(options.seed), 0, 0, Counter[tuple[str, str]]()
    with tempfile.TemporaryDirectory() as folder, vcnb.connect("practice", data=folder) as account:
        voices = {
            (name, model): account.enroll(clip, preferred_name="v", consent="public", target_model=model, again=True)
            for name, clip in clips.items()
            for model in MODELS
        }
        while judged < options.takes:
            (name, model), voice = list(voices.items())[turn % len(voices)]
            turn += 1
            case = Case(name, model, spoken(account, text_of(rng), voice, rng), {})
            if case.good.duration < SHORTEST:
                continue
            heard[name, model] += 1
            judged += heard[name, model] > FEWEST
            if heard[name, model] > FEWEST and rng.random() < options.spoilt / options.takes:
                text = case.good.text
                stranger = voices[rng.choice([other for other in clips if other != name]), model]
                less = " ".join(text.split()[: -round(0.1 * len(text.split()))])
                for kind, said, by in (("speaker", text, stranger), ("unsaid", less, voice)):
                    case.spoilt[kind] = replace(spoken(account, said, by, rng), text=text)
            yield case


def kept(folder: Path, cases: Iterator[Case]) -> Iterator[Case]:
    """Write each case down, 16 bits a sample, and read those that were written."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, case in enumerate(cases if not any(folder.iterdir()) else ()):
        sounds = {"good": case.good, **case.spoilt}
        samples = {kind: (speech.samples * 32767).round().astype(np.int16) for kind, speech in sounds.items()}
        with (folder / f"{number:04}.part").open("wb") as file:
            np.savez(file, about=np.array([case.speaker, case.model, case.good.text]), **samples)  # type: ignore[arg-type]
        (folder / f"{number:04}.part").rename(folder / f"{number:04}.npz")
    for path in sorted(folder.glob("*.npz")):
        with np.load(path) as file:
            speaker, model, text = map(str, file["about"])
            sounds = {
                kind: Speech((file[kind] / 32767).astype(np.float32), RATE, text=text, voice=f"{speaker} {model}")
                for kind in file.files
                if kind != "about"
            }
        yield Case(speaker, model, sounds.pop("good"), sounds)


def faults(take: Speech, reference: Clip, rng: random.Random) -> Iterator[tuple[str, Speech]]:
    """The take, spoilt in each way that needs no other take."""
    samples, middle = take.samples, len(take.samples) // 2
    pasted = resample(reference.samples, reference.sample_rate, RATE)
    start = rng.randrange(max(1, len(pasted) - 2 * RATE))
    at = rng.randrange(2 * RATE, len(samples) - RATE)
    spoilt = {
        "cut": samples[: int(0.9 * len(samples))],
        "loop": np.r_[samples[:at], samples[at - 2 * RATE : at], samples[at:]],
        "tail": np.r_[samples, np.zeros(3 * RATE, np.float32)],
        "leak": np.r_[samples[:middle], pasted[start : start + 2 * RATE], samples[middle:]],
    }
    for name, sound in spoilt.items():
        yield name, replace(take, samples=sound.astype(np.float32))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--takes", type=int, default=500, help="good takes")
    parser.add_argument("--spoilt", type=int, default=100, help="of them, that are spoilt in each way")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="where speech is kept, or was")
    parser.add_argument("folder", type=Path, nargs="?")
    options = parser.parse_args()
    clips = recordings(options.folder)
    recorded = {name: Sound(clip) for name, clip in clips.items()}
    before: defaultdict[tuple[str, str], list[Traits]] = defaultdict(list)
    found: Counter[str] = Counter()
    tried: Counter[str] = Counter()
    said: Counter[tuple[str, str]] = Counter()
    cases = made(clips, options)
    for number, case in enumerate(kept(options.keep, cases) if options.keep else cases):
        rng, earlier = random.Random(f"{options.seed} {number}"), before[case.speaker, case.model]
        sound = Sound(case.good)
        sounds = [("good", sound)]
        if case.spoilt:
            sounds += [(kind, Sound(take)) for kind, take in faults(case.good, clips[case.speaker], rng)]
            sounds += [(kind, Sound(take)) for kind, take in case.spoilt.items()]
        for kind, each in sounds if len(earlier) >= FEWEST else ():
            drift = Drift((*among(Traits.of(each), earlier), *alone(each, recorded[case.speaker])))
            wrong = drift.verdict == "fail"
            tried[kind] += 1
            found[kind] += wrong
            said.update((kind, item.check) for item in drift.evidence if item.verdict == "fail")
            if wrong == (kind == "good"):
                print(f"  {number} {kind}: {drift.words} {case.speaker} {case.model} {case.good.text!r}", flush=True)
        earlier.append(Traits.of(sound))
        if number % 20 == 19:
            print(", ".join(f"{kind} {found[kind]}/{tried[kind]}" for kind in tried), flush=True)
    for kind in tried:
        by = ", ".join(f"{check} {n}" for (of, check), n in said.items() if of == kind)
        print(f"{kind:8} {found[kind]:4} of {tried[kind]:4} failed  ({by})")
    bad = [kind for kind in tried if kind != "good"]
    whole = sum(found[kind] for kind in bad) / max(1, sum(tried[kind] for kind in bad))
    worst = min((found[kind] / tried[kind] for kind in bad), default=0.0)
    alarms, on = found["good"] / max(1, tried["good"]), f"{tried['good']} takes of {len(clips)} speakers"
    record("comparison.faults_each", worst, on)
    record("comparison.faults_all", whole, on)
    record("comparison.false_alarms", alarms, on)
    right = worst >= LEAST_EACH and whole >= LEAST_ALL and alarms <= MOST_FALSE
    print(f"faults found {100 * whole:.1f} %;", "right" if right else "WRONG")
    return 0 if right else 1


if __name__ == "__main__":
    raise SystemExit(main())
