"""What went wrong with a take is found, and a good one is left alone: practice speech, spoilt by us."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import vcnb
from vcnb.audio.clip import Clip, Speech
from vcnb.audio.resample import resample
from vcnb.compare.pacing import spoken_weight
from vcnb.compare.sentinel import watch
from vcnb.compare.sound import Sound
from vcnb.practice.engines.engine import Reference
from vcnb.practice.engines.practice import PracticeEngine

RATE = 24_000
TEXTS = (
    "The train to the coast leaves at nine from the second platform. Fresh bread and strong coffee are all I need "
    "in the morning, with a window that looks over the river.",
    "The library closes at six, but the reading room stays open until ten. She wrote the recipe on the back of an old "
    "envelope and put it under the clock.",
    "If the weather holds, we will walk to the lighthouse tomorrow. Our neighbours grow tomatoes, beans and far too "
    "many pumpkins for a garden of that size.",
)


@pytest.fixture(scope="module")
def takes():
    """Three takes of each of two voices, and the recording of the first."""
    engine, said = PracticeEngine(), {}
    try:
        for name in ("kathleen_en", "thorsten_en"):
            clip = vcnb.load(vcnb.samples()[name])
            profile = engine.profile(Reference(clip.samples[: 15 * clip.sample_rate], clip.sample_rate))
            for text in TEXTS:
                pcm = np.concatenate(list(engine.speak(text, language="en", profile=profile)))
                speech = Speech((pcm / 32768).astype(np.float32), RATE, text=text, voice=name)
                said.setdefault(name, []).append(Sound(speech))
    finally:
        engine.close()
    return said


def failed(take, earlier, **options):
    return {each.check for each in watch(take, earlier, **options).evidence if each.verdict == "fail"}


def spoilt(take, samples):
    return replace(take, samples=np.asarray(samples, np.float32))


def test_good_takes_pass_and_say_so(takes):
    for own in takes.values():
        for at, sound in enumerate(own):
            found = watch(sound.clip, own[:at] + own[at + 1 :], reference=vcnb.load(vcnb.samples()["kathleen_en"]))
            assert found.verdict == "pass", found
    assert found.words == "The right voice, the whole text."


def test_another_speaker_is_found(takes):
    other = takes["thorsten_en"][2].clip
    assert failed(other, takes["kathleen_en"][:2]) == {"speaker"}


def test_a_short_take_is_told_from_another_speaker_and_not_from_its_own(takes):
    short = {
        name: [Clip(sound.clip.samples[at * RATE : (at + 3) * RATE], RATE) for sound in own for at in (0, 4)]
        for name, own in takes.items()
    }
    for name, own in short.items():
        other = next(clips for voice, clips in short.items() if voice != name)
        for at, clip in enumerate(own):
            assert "speaker" not in failed(clip, (own[:at] + own[at + 1 :])[:2])
            assert "speaker" in failed(clip, other[:2])


def test_a_tenth_of_the_text_is_missed(takes):
    own = takes["kathleen_en"]
    take = own[2].clip
    assert failed(spoilt(take, take.samples[: int(0.9 * len(take.samples))]), own[:2]) & {"length", "ending"}
    # The whole text is asked for, and only its first part was spoken: what is there ends as it should.
    half = replace(take, text=f"{take.text} And there is one more thing that nobody said.")
    assert failed(half, own[:2]) == {"length"}


def test_what_breaks_off_at_full_swing_is_told_from_what_comes_to_rest(takes):
    take = takes["kathleen_en"][2].clip
    loud = RATE + int(np.argmax(np.abs(take.samples[RATE : 4 * RATE])))
    broken = take.samples[: loud + 20]
    rested = broken * np.minimum(1.0, np.arange(len(broken), 0, -1) / (0.2 * RATE))
    assert "ending" in failed(spoilt(take, broken), [])
    assert "ending" not in failed(spoilt(take, rested), [])


def test_a_tail_of_silence_and_silence_alone_are_found(takes):
    own = takes["kathleen_en"]
    take = own[2].clip
    found = watch(spoilt(take, np.r_[take.samples, np.zeros(3 * RATE)]), own[:2])
    silent = next(each for each in found.evidence if each.check == "silence")
    assert silent.verdict == "fail"
    assert silent.segments[0].end == pytest.approx(take.duration + 3, abs=0.01)
    assert "silence" in failed(spoilt(take, np.zeros(8 * RATE)), own[:2])


def test_a_loop_is_found_but_not_where_the_text_repeats(takes):
    own = takes["kathleen_en"]
    take = own[2].clip
    looped = spoilt(take, np.r_[take.samples[: 5 * RATE], take.samples[3 * RATE :]])
    assert "loop" in failed(looped, own[:2])
    assert "loop" not in failed(replace(looped, text="again and again and again"), own[:2])


def test_the_reference_pasted_in_is_found_at_another_level(takes):
    own, reference = takes["kathleen_en"], vcnb.load(vcnb.samples()["kathleen_en"])
    take = own[2].clip
    pasted = 0.3 * resample(reference.samples, reference.sample_rate, RATE)[2 * RATE + 37 : 4 * RATE]
    leaking = spoilt(take, np.r_[take.samples[: 4 * RATE], pasted, take.samples[4 * RATE :]])
    found = next(each for each in watch(leaking, own[:2], reference=reference).evidence if each.check == "leak")
    assert found.verdict == "fail"
    assert 3.5 <= found.segments[0].start <= 6


def test_what_is_not_known_yet_is_no_pass(takes):
    found = watch(takes["kathleen_en"][0].clip, takes["kathleen_en"][1:2])
    assert found.verdict == "unknown"
    unknown = {each.check for each in found.evidence if each.verdict == "unknown"}
    assert unknown == {"speaker", "length"}
    assert watch(Speech(np.zeros(RATE, np.float32), RATE)).verdict == "fail"
    assert watch(Speech(np.zeros(0, np.float32), RATE, text="Hello")).verdict == "fail"


@pytest.mark.parametrize(
    ("shorter", "longer"),
    [
        ("cat", "caterpillar"),
        ("Guten Tag", "Guten Morgen"),
        ("你好", "你好世界"),
        ("7", "2026"),
        ("привет", "здравствуйте"),
    ],
)
def test_a_longer_text_weighs_more_in_every_script(shorter, longer):
    assert 0 < spoken_weight(shorter) < spoken_weight(longer)
    assert spoken_weight("...") == 0


def test_a_clip_without_text_is_judged_by_what_it_is(rng):
    noise = Clip(rng.normal(0, 0.1, RATE).astype(np.float32), RATE)
    assert watch(noise).verdict in ("fail", "unknown")
