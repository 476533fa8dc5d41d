"""How often the diagnosis is right about recordings with known truth, of voices that no threshold was set on.

    python tests/benchmarks/cases.py FOLDER [--half tuning|held-out|fresh|latest|clean] [--seed N] [--only KIND]

FOLDER holds clones of the repositories that `voices.toml` names, with what to clone. A recipe spoils a clean recording
by a known amount; what the checks must say follows from the recipe. The half "tuning" may be looked at when a
threshold is set, "held-out" only judges. Voices of both halves partly come from the same collections; those of "fresh"
come from others, and showed what was to be mended in high voices; those of "latest" come from others again, and were
added after that. Only the threshold of hum that is found by its phase was set on them. Those of "clean" only tell how
often what is fine is alarmed about.
"""

from __future__ import annotations

import argparse
import json
import sys
import zlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from recordings import encoded, pcm_wav
from scoring import equal_error_rate, told
from spoiling import (
    RATE,
    Floats,
    Rng,
    band,
    clarity_db,
    clipped,
    coloured,
    fan,
    gain,
    holed,
    in_room,
    mains,
    mixed,
    popped,
    rms,
    spoken_rms,
    telephone,
    through,
)
from voices import HALVES, Sounds, Voice, longest_gap, sounds, without_ends

from vcnb.audio.load import read_clip
from vcnb.audio.resample import resample
from vcnb.diagnose.report import unreadable
from vcnb.diagnose.subject import Subject, checks
from vcnb.errors import ClipError

Wanted = dict[str, str]  # check -> the verdicts that are right, by their first letters
Places = list[tuple[float, float]]
HARD = ("format", "duration", "file_size", "base64_size", "sample_rate", "channels", "bit_depth")
HEARD = ["continuous_speech", "longest_pause", "noise", "music", "other_voices", "singing", "clipping", "level"]
HEARD += ["reverberation", "bandwidth", "hum", "dc_offset", "dropouts", "plosives"]
CLEAN: Wanted = dict.fromkeys((*HARD, *HEARD), "p")
TOLD_BY = {"snr": "noise", "pause": "longest_pause", "pause at 10 dB": "longest_pause", "clarity": "reverberation"}
TOLD_BY["bandwidth"] = "bandwidth"
VOICES_PER_KIND = 8
LONG_GAP = 1.6  # seconds; who pauses for that long by level alone may well be warned


@dataclass(frozen=True, eq=False)
class Case:
    """A file and what is true of it."""

    data: bytes
    wanted: Wanted
    name: str = "me.wav"
    language: str | None = None
    places: dict[str, Places] = field(default_factory=dict)
    truth: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Kit:
    """What a recipe may use: one voice, another one, pieces of the half, and numbers that differ from case to case."""

    voice: Voice
    other: Voice
    half: Sounds
    rng: Rng

    def says(self, seconds: float, gaps: Sequence[float] = (0.35, 0.5, 0.4), who: Voice | None = None) -> Floats:
        """Phrases with known pauses between them in a quiet room."""
        who = who or self.voice
        first = int(self.rng.integers(len(who.phrases)))
        parts, n = [np.zeros(round(0.25 * RATE), np.float32)], 0
        while sum(map(len, parts)) < seconds * RATE:
            phrase = who.phrases[(first + n) % len(who.phrases)]
            phrase = phrase * np.float32(gain(-22) / spoken_rms(phrase))
            ramp = np.minimum(1, np.minimum(np.arange(len(phrase)), np.arange(len(phrase))[::-1]) / 240)
            parts += [(phrase * ramp).astype(np.float32), np.zeros(round(gaps[n % len(gaps)] * RATE), np.float32)]
            n += 1
        said = np.concatenate(parts)[: round(seconds * RATE)]
        said[-2400:] *= np.linspace(1, 0, 2400, dtype=np.float32)
        return (said + gain(-68) * coloured(len(said), self.rng, 0.5)).astype(np.float32)

    def piece(self) -> Floats:
        """Ten seconds or more of music."""
        return self.half.music[int(self.rng.integers(len(self.half.music)))]

    def clean(self, **but: str | None) -> Wanted:
        """All pass but for what is named; None where the recipe does not settle it."""
        wanted = {**CLEAN, **but}
        if not self.voice.wide and "bandwidth" not in but:
            wanted["bandwidth"] = ""
        if not self.voice.quiet and "noise" not in but:
            wanted["noise"] = ""
        return {name: each for name, each in wanted.items() if each}


def wav(samples: Floats, rate: int = RATE, **how: Any) -> bytes:
    return pcm_wav(np.clip(resample(samples, RATE, rate), -1, 32767 / 32768), rate, **how)


def coded(samples: Floats, container: str, codec: str, bit_rate: int | None = 128_000, rate: int = 44_100) -> bytes:
    return encoded(resample(samples, RATE, rate), rate, container, codec, bit_rate=bit_rate)


Recipe = Callable[[Kit], Iterator[Case]]
RECIPES: dict[str, tuple[Recipe, int]] = {}


def recipe(n_voices: int = VOICES_PER_KIND) -> Callable[[Recipe], Recipe]:
    def kept(function: Recipe) -> Recipe:
        RECIPES[function.__name__] = (function, n_voices)
        return function

    return kept


@recipe(99)
def good(kit: Kit) -> Iterator[Case]:
    yield Case(wav(kit.says(15)), kit.clean(language="p"), language="en")


@recipe()
def good_coded(kit: Kit) -> Iterator[Case]:
    said = kit.says(14)
    yield Case(coded(said, "mp3", "libmp3lame", 192_000), kit.clean(), "me.mp3")
    yield Case(coded(said, "ipod", "aac"), kit.clean(), "me.m4a")


@recipe(2)
def containers(kit: Kit) -> Iterator[Case]:
    said = kit.says(12)
    for data, name in (
        (coded(said, "flac", "flac", None), "me.flac"),
        (coded(said, "ogg", "libopus", rate=48_000), "me.opus"),
        (coded(said, "webm", "libopus", rate=48_000), "me.webm"),
        (coded(said, "aiff", "pcm_s16be", None), "me.aiff"),
        (coded(said, "adts", "aac"), "me.aac"),
    ):
        yield Case(data, kit.clean(format="f", bit_depth=None), name)
    yield Case(coded(said, "ipod", "alac", None), kit.clean(format="w"), "me.m4a")
    yield Case(coded(said, "mp3", "libmp3lame"), kit.clean(format="w"), "me.wav")
    for bits, kind in ((24, 1), (32, 1), (32, 3)):
        yield Case(wav(said, bits=bits, kind=kind), kit.clean(bit_depth="f"))
    yield Case(wav(said, bits=8), kit.clean(bit_depth="f", noise=None, reverberation=None, bandwidth=None))
    yield Case(wav(said, n_channels=2), kit.clean(channels="f"))
    yield Case(wav(said, 16_000), kit.clean(sample_rate="f", bandwidth="wf"))
    yield Case(coded(said, "ipod", "aac")[:90_000], {"format": "f"}, "me.m4a")
    yield Case(b"a page of words\n" * 900, {"format": "f"}, "me.mp3")
    yield Case(b"", {"format": "f"})


@recipe(2)
def lengths(kit: Kit) -> Iterator[Case]:
    yield Case(wav(kit.says(6)), kit.clean(duration="w"))
    yield Case(wav(kit.says(1.8)), {"format": "p", "duration": "f", "continuous_speech": "wf", "channels": "p"})
    yield Case(coded(kit.says(44), "mp3", "libmp3lame"), kit.clean(duration="w"), "me.mp3")
    yield Case(coded(kit.says(71), "mp3", "libmp3lame"), kit.clean(duration="f"), "me.mp3")
    yield Case(wav(kit.says(44), 96_000), kit.clean(duration="w", base64_size="f"))
    yield Case(wav(kit.says(57), n_channels=2), kit.clean(duration="w", file_size="f", base64_size="f", channels="f"))
    yield Case(wav(np.zeros(14 * RATE, np.float32)), {"continuous_speech": "f", "level": "f", "duration": "p"})


@recipe()
def pauses(kit: Kit) -> Iterator[Case]:
    for long, verdict in ((3.0, "f"), (2.5, "f"), (1.3, "p")):
        said = kit.says(17, (0.4, long, *(0.35, 0.3) * 20))
        yield Case(wav(said), kit.clean(longest_pause=verdict), truth={"pause": long})
        noisy = mixed(said, coloured(len(said), kit.rng, 0.5) if long > 2.7 else fan(len(said), kit.rng), 10)
        yield Case(wav(noisy), {"noise": "f", "format": "p", "duration": "p"}, truth={"pause at 10 dB": long})


@recipe()
def words(kit: Kit) -> Iterator[Case]:
    """Bits of 0.7 s with breaks of more than a second."""
    pool = np.concatenate(kit.voice.phrases)
    pool = pool * np.float32(gain(-22) / spoken_rms(pool))
    n, out = round(0.7 * RATE), [np.zeros(0, np.float32)]
    while sum(map(len, out)) < 15 * RATE:
        at = len(out) * n % max(1, len(pool) - n)
        out += [pool[at : at + n] * np.hanning(n).astype(np.float32) ** 0.1, np.zeros(round(1.1 * RATE), np.float32)]
    said = np.concatenate(out)[: 15 * RATE]
    said = (said + gain(-68) * coloured(len(said), kit.rng, 0.5)).astype(np.float32)
    yield Case(wav(said), kit.clean(continuous_speech="f", other_voices=None, reverberation=None, singing=None))


@recipe()
def noises(kit: Kit) -> Iterator[Case]:
    said = kit.says(14)
    kinds = {"white": 0.0, "pink": 0.5, "brown": 1.0}
    colour = sorted(kinds)[int(kit.rng.integers(3))]
    for kind in (colour, "fan"):
        noise = fan(len(said), kit.rng) if kind == "fan" else coloured(len(said), kit.rng, kinds[kind])
        for snr, verdict in ((40, "p"), (30, None), (20, None), (18, "wf"), (10, "f" if kind != "brown" else "wf")):
            hidden = dict.fromkeys(("reverberation", "bandwidth", "longest_pause", "hum")) if snr < 40 else {}
            wanted = kit.clean(noise=verdict, **hidden)
            yield Case(wav(mixed(said, noise, snr)), wanted, truth={"snr": snr, "series": f"{kit.voice.name} {kind}"})


@recipe()
def hums(kit: Kit) -> Iterator[Case]:
    said = kit.says(14)
    hz = (50, 60)[int(kit.rng.integers(2))]
    hum = mains(len(said), hz)
    wanted = kit.clean(noise="wf", hum="wf", reverberation=None, bandwidth=None, music="pw")
    yield Case(wav(mixed(said, hum, 14)), wanted)
    yield Case(wav(mixed(said, hum, 30)), kit.clean(noise=None, hum="wf", reverberation=None, bandwidth=None))
    yield Case(wav(mixed(said, hum, 50)), kit.clean())


@recipe()
def chatter(kit: Kit) -> Iterator[Case]:
    said = kit.says(14)
    others = [each for each in kit.half.voices if each is not kit.voice]
    chosen = kit.rng.choice(len(others), 4, replace=False)
    babble = sum(np.roll(kit.says(14, (0.15,), others[at]), int(kit.rng.integers(14 * RATE))) for at in chosen)
    unsaid = dict.fromkeys(("music", "other_voices", "singing", "longest_pause", "reverberation", "bandwidth", "hum"))
    yield Case(wav(mixed(said, np.asarray(babble), 12)), kit.clean(noise="wf", **unsaid))


@recipe()
def tunes(kit: Kit) -> Iterator[Case]:
    said, piece, made = kit.says(15), kit.piece(), band(15 * RATE, kit.rng)
    loose = dict.fromkeys(("noise", "reverberation", "longest_pause", "other_voices", "singing", "hum", "plosives"))
    yield Case(wav(mixed(said, piece, 15)), kit.clean(music="f", bandwidth=None, **loose))
    yield Case(wav(mixed(said, piece, 20)), kit.clean(music="wf", bandwidth=None, **loose))
    yield Case(wav(mixed(said, made, 18)), kit.clean(music="wf", bandwidth=None, **loose))
    alone = np.resize(piece, 12 * RATE) * np.float32(gain(-18) / rms(piece))
    yield Case(wav(alone), {"music": "f", "continuous_speech": "f", "format": "p", "duration": "p"})
    intro = np.r_[alone[: 5 * RATE], kit.says(10)]
    places = {"music": [(0.0, 5.0)]}
    yield Case(wav(intro), {"music": "f", "format": "p", "duration": "p"}, places=places)


@recipe(99)
def songs(kit: Kit) -> Iterator[Case]:
    """Each song once, whoever speaks."""
    at = kit.half.voices.index(kit.voice)
    if at < len(kit.half.songs):
        song = kit.half.songs[at]
        song = song * np.float32(0.7 / np.abs(song).max())
        yield Case(wav(song), {"singing": "f", "format": "p", "sample_rate": "p", "channels": "p", "clipping": "p"})


@recipe(14)
def second_voices(kit: Kit) -> Iterator[Case]:
    loose = {"bandwidth": None}
    after = np.r_[kit.says(9), kit.says(6, who=kit.other)]
    yield Case(wav(after), kit.clean(other_voices="f", **loose), places={"other_voices": [(9.0, 15.0)]})
    turns = np.r_[kit.says(5), kit.says(5, who=kit.other), kit.says(5)]
    yield Case(wav(turns), kit.clean(other_voices="f", **loose), places={"other_voices": [(5.0, 10.0)]})


@recipe()
def clippings(kit: Kit) -> Iterator[Case]:
    said = kit.says(14)
    yield Case(wav(clipped(said, 0.02)), kit.clean(clipping="f", level=None, noise=None))
    yield Case(wav(clipped(said, 5e-4)), kit.clean(clipping="wf", level=None))
    blurred = coded(0.5 * clipped(said, 0.02), "mp3", "libmp3lame")
    yield Case(blurred, kit.clean(clipping="wf", level=None, noise=None), "me.mp3")
    yield Case(wav(said / np.abs(said).max() * np.float32(0.9999)), kit.clean(level=None))
    part = clipped(said, 0.15, start=4, end=9)
    loose = kit.clean(clipping="wf", level=None, noise=None, other_voices=None, dc_offset=None)
    yield Case(wav(part), loose, places={"clipping": [(4.0, 9.0)]})


@recipe()
def levels(kit: Kit) -> Iterator[Case]:
    said = kit.says(12)
    loose = {"noise": None, "bandwidth": None, "reverberation": None}
    yield Case(wav(said * np.float32(gain(-28))), kit.clean(level="f", **loose))
    yield Case(wav(said * np.float32(gain(-4))), kit.clean())
    yield Case(wav(said * np.float32(gain(4))), kit.clean(clipping=None))


@recipe(12)
def rooms(kit: Kit) -> Iterator[Case]:
    said = kit.says(15)
    loose = {"noise": None, "longest_pause": None, "continuous_speech": None}
    for rt60, direct_db in ((0.2, 10), (0.25, 12), (0.4, 3), (0.5, 5), (0.6, 6), (0.7, -2), (0.9, 0), (1.2, -2)):
        clarity = clarity_db(rt60, direct_db)
        verdict = "p" if clarity >= 18 else "f" if clarity <= 8 else "wf"
        wanted = kit.clean(reverberation=verdict, **(loose if clarity < 18 else {}))
        yield Case(wav(in_room(said, rt60, direct_db, kit.rng)), wanted, truth={"rt60": rt60, "clarity": clarity})


@recipe(10)
def bands(kit: Kit) -> Iterator[Case]:
    """Only voices that fill the band can lose it."""
    if not kit.voice.wide:
        return
    said = kit.says(13)
    for rate in (8_000, 11_025, 16_000, 22_050, 24_000):
        dithered = through(said, rate) + (kit.rng.random(len(said)) - 0.5).astype(np.float32) / 32768
        top = rate / 2
        wanted = kit.clean(bandwidth="f" if top <= 8_000 else "pw" if top < 12_000 else "p")
        yield Case(wav(dithered), wanted, truth={"bandwidth": top})
    yield Case(wav(telephone(said)), kit.clean(bandwidth="f", hum=None), truth={"bandwidth": 3_400})
    yield Case(coded(through(said, 8_000), "mp3", "libmp3lame"), kit.clean(bandwidth="f"), "me.mp3")


@recipe()
def faults(kit: Kit) -> Iterator[Case]:
    said = kit.says(14)
    yield Case(wav(said + np.float32(0.025)), kit.clean(dc_offset="w"))
    yield Case(wav(said - np.float32(0.07)), kit.clean(dc_offset="f"))
    for n, verdict in ((2, "w"), (9, "f")):
        cut, starts = holed(said, n, 0.02, kit.rng)
        places = {"dropouts": [(start, start + 0.02) for start in starts]}
        yield Case(wav(cut), kit.clean(dropouts=verdict, noise=None), places=places)
    starts = [1.0 + 1.9 * index for index in range(6)]
    loud = popped(said, starts, 0.3, kit.rng)
    yield Case(wav(loud), kit.clean(plosives="w", level=None, noise=None, clipping=None, longest_pause=None))


@recipe(2)
def declared(kit: Kit) -> Iterator[Case]:
    said = wav(kit.says(12))
    for code in ("zh", "de", "ko"):
        yield Case(said, kit.clean(language="p"), language=code)
    yield Case(said, kit.clean(language="f"), language="nl")


@recipe(999)
def natural(kit: Kit) -> Iterator[Case]:
    """What was recorded, as it is; short recordings one after the other, without their silent ends."""
    wanted = dict.fromkeys([name for name in HEARD if name not in ("bandwidth", "level")], "p")
    if not kit.voice.quiet:
        del wanted["noise"]
    joined: list[Floats] = []
    for samples, rate in kit.voice.files:
        whole = resample(samples, rate, RATE)
        if len(whole) >= 20 * RATE:
            pieces = [whole[at : at + 15 * RATE] for at in range(0, len(whole) - 10 * RATE, 15 * RATE)]
        else:
            joined.append(without_ends(whole))
            if sum(map(len, joined)) < 10 * RATE and len(kit.voice.files) > 1:
                continue
            pieces, joined = [np.concatenate(joined)], []
        for piece in pieces:
            short = {"continuous_speech": None} if len(piece) < 7 * RATE else {}
            if longest_gap(piece) > LONG_GAP:
                short["longest_pause"] = None
            if len(piece) >= 3 * RATE:
                peak = min(1.0, 0.99 / float(np.abs(piece).max()))
                yield Case(wav(piece * np.float32(peak)), {k: v for k, v in {**wanted, **short}.items() if v})


def tasks(half: Sounds, only: Sequence[str], fewer: int, seed: int) -> list[tuple[str, int, int]]:
    """Which recipe is tried on which voice."""
    found = []
    for kind, (_, n_voices) in RECIPES.items():
        able = [at for at, each in enumerate(half.voices) if kind != "bands" or each.wide]
        drawn = np.random.default_rng([zlib.crc32(kind.encode()), *([seed] if seed else [])]).permutation(len(able))[
            : -(-n_voices // fewer)
        ]
        found += [(kind, able[at], seed) for at in sorted(drawn) if not only or kind in only]
    return found


def cases(half: Sounds, kind: str, at: int, seed: int) -> Iterator[Case]:
    """What one recipe makes of one voice; the same on every run of a seed."""
    voice = half.voices[at]
    rng = np.random.default_rng([zlib.crc32(kind.encode()), zlib.crc32(voice.name.encode()), *([seed] if seed else [])])
    others = [each for each in half.voices if each is not voice]
    yield from RECIPES[kind][0](Kit(voice, others[int(rng.integers(len(others)))], half, rng))


def answered(kind: str, voice: str, index: int, case: Case) -> dict[str, Any]:
    """Judge one case and keep what is needed to count."""
    try:
        clip = read_clip(case.data, path=case.name)
    except ClipError as error:
        found = {each.check: each for each in unreadable(case.name, error).findings}
    else:
        subject = Subject(clip, case.language)
        needed = {*case.wanted, *case.places, *(check for told, check in TOLD_BY.items() if told in case.truth)}
        found = {check.name: check.finding(check.judge(subject)) for check in checks() if check.name in needed}
    return {
        "case": f"{kind}/{index} {voice}",
        "kind": kind,
        "wanted": case.wanted,
        "truth": case.truth,
        "places": case.places,
        "verdicts": {name: each.verdict for name, each in found.items()},
        "values": {name: each.value for name, each in found.items()},
        "segments": {name: [(place.start, place.end) for place in each.segments] for name, each in found.items()},
    }


_half: list[Sounds] = []  # of a worker process


def read_in(folder: Path, half: str) -> None:
    """Begin a worker process; one that was forked has the sounds already."""
    if not _half:
        _half.append(sounds(folder, half))


def judged(task: tuple[str, int, int]) -> list[dict[str, Any]]:
    """Make and judge what one recipe makes of one voice."""
    kind, at, seed = task
    name = _half[0].voices[at].name
    return [answered(kind, name, index, case) for index, case in enumerate(cases(_half[0], kind, at, seed))]


def main() -> int:
    """Judge, print the table, and fail where a bar is missed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--half", choices=HALVES, default="tuning")
    parser.add_argument("--only", nargs="*", default=[], choices=sorted(RECIPES))
    parser.add_argument("--seed", type=int, default=0, help="draw other voices, noises, rooms and places")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--fewer", type=int, default=1, help="try each recipe on so many times fewer voices")
    parser.add_argument("--out", type=Path, help="add every answer to this file, a line of JSON each")
    given = parser.parse_args()
    read_in(given.folder, given.half)
    half = _half[0]
    todo = tasks(half, given.only, given.fewer, given.seed)
    answers: list[dict[str, Any]] = []
    with ProcessPoolExecutor(given.processes, initializer=read_in, initargs=(given.folder, given.half)) as pool:
        for done, found in enumerate(pool.map(judged, todo), start=1):
            answers += found
            if given.out:
                with given.out.open("a", encoding="utf-8") as file:
                    file.writelines(json.dumps(answer) + "\n" for answer in found)
            print(f"\r{done} of {len(todo)} recipes, {len(answers)} files", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    lines, held = told(answers)
    print("\n".join(lines))
    if not given.only:
        line, fine = equal_error_rate(half.voices)
        print(line)
        held = held and fine
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
