"""The practice service refuses by what it measures, in documented words where there are any.

Every recording here is made of the shipped speakers, so what it breaks is known by how it was made.
"""

from __future__ import annotations

import base64
import io
import subprocess
import sys
import wave

import av
import numpy as np
import pytest

from vcnb.audio.encode import wav_bytes
from vcnb.audio.load import load
from vcnb.audio.resample import resample
from vcnb.audio.samples import samples_described
from vcnb.measure.activity import speech_segments
from vcnb.practice import rules
from vcnb.practice.documented import DOCUMENTED
from vcnb.practice.rules import NOT_CHECKED, RULES, Refusal, judge_audio

RATE = 24_000
SPEAKERS = samples_described()


@pytest.fixture(scope="module")
def speech() -> np.ndarray:
    return load(SPEAKERS["kathleen_en"].path).samples


@pytest.fixture(scope="module")
def phrase(speech: np.ndarray) -> tuple[np.ndarray, float]:
    """A stretch of speech without a pause, and its length as it is measured."""
    first = max(speech_segments(speech, RATE), key=lambda segment: segment.duration)
    found = speech[round(first.start * RATE) : round(first.end * RATE)]
    (alone,) = speech_segments(np.r_[silence(0.5), found, silence(0.5)], RATE)
    return found, alone.duration


def silence(seconds: float) -> np.ndarray:
    return np.zeros(round(seconds * RATE), np.float32)


def wav(samples: np.ndarray, *, sample_rate: int = RATE, width: int = 2) -> bytes:
    """Write WAV; `samples` [shape=(n,)] or [shape=(n, channels)]."""
    frames = samples if samples.ndim == 2 else samples[:, None]
    whole = np.rint(np.clip(frames, -1, 1) * (2 ** (8 * width - 1) - 1)).astype("<i4")
    octets = whole.reshape(-1, 1).view(np.uint8)[:, :width]
    octets = octets ^ 0x80 if width == 1 else octets  # 8-bit WAV is unsigned
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(frames.shape[1])
        file.setsampwidth(width)
        file.setframerate(sample_rate)
        file.writeframes(octets.tobytes())
    return buffer.getvalue()


def float_wav(samples: np.ndarray) -> bytes:
    return encoded(samples, "wav", "pcm_f32le", "flt")


def encoded(samples: np.ndarray, container: str, codec: str, form: str = "fltp") -> bytes:
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=container) as file:
        stream = file.add_stream(codec, rate=RATE, layout="mono")
        stream.format = form
        block = samples[None, :].astype(np.float32)
        if form.startswith("s16"):
            block = (block * 32_767).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(block), format=form, layout="mono")
        frame.sample_rate = RATE
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            file.mux(packet)
    return buffer.getvalue()


def refusal(data: bytes, **given: str | None) -> tuple[str, str]:
    with pytest.raises(Refusal) as caught:
        judge_audio(data, **given)
    assert caught.value.status == 400
    return caught.value.code, caught.value.message


@pytest.mark.parametrize("name", SPEAKERS)
def test_the_shipped_speakers_pass_with_their_transcripts(name):
    sample = SPEAKERS[name]
    judged = judge_audio(sample.path.read_bytes(), text=sample.transcript, language=sample.language)
    clip = load(sample.path)
    assert judged.sample_rate == clip.sample_rate
    np.testing.assert_array_equal(judged.samples, clip.samples)
    assert 0.6 * clip.duration < judged.seconds_of_speech < clip.duration


def test_a_format_that_the_page_does_not_name_is_refused(speech):
    unsupported = ("BadRequest.UnsupportedFileFormat", "Input file format is not supported.")
    for container, codec, form in (
        ("flac", "flac", "s16"),
        ("ogg", "libopus", "flt"),
        ("adts", "aac", "fltp"),
        ("aiff", "pcm_s16be", "s16"),
    ):
        assert refusal(encoded(speech, container, codec, form)) == unsupported, container
    for container, codec, form in (("mp3", "libmp3lame", "fltp"), ("ipod", "aac", "fltp"), ("wav", "pcm_s16le", "s16")):
        assert judge_audio(encoded(speech, container, codec, form)).sample_rate == RATE
    for data in (b"", b"RIFF", b"no sound at all", b"ffconcat version 1.0\nfile /etc/hostname\n", b"%PDF-1.7" * 99):
        assert refusal(data) == unsupported


def test_what_begins_like_a_recording_and_is_none_cannot_be_decoded(speech):
    decoder = ("Audio.DecoderError", "Decoder audio file failed.")
    assert refusal(wav(speech)[:44]) == decoder
    assert refusal(b"RIFF\xff\xff\xff\xffWAVE" + b"\xff" * 500) == decoder
    assert refusal(encoded(speech, "ipod", "aac")[:2000]) == decoder


@pytest.mark.parametrize(("width", "passes"), [(1, False), (2, True), (3, False), (4, False)])
def test_wav_has_sixteen_bits(width, passes, speech):
    data = wav(speech, width=width)
    if passes:
        judge_audio(data)
    else:
        assert refusal(data) == RULES["bit_depth"][1:]


def test_wav_holds_no_floats(speech):
    assert refusal(float_wav(speech)) == RULES["bit_depth"][1:]


def test_a_recording_is_mono(speech):
    judge_audio(wav(speech[:, None]))
    assert refusal(wav(np.stack([speech, speech], axis=1))) == RULES["n_channels"][1:]


@pytest.mark.parametrize(("sample_rate", "passes"), [(23_999, False), (24_000, True), (48_000, True)])
def test_the_rate_is_at_least_24_khz(sample_rate, passes, speech):
    data = wav(resample(speech, RATE, sample_rate), sample_rate=sample_rate)
    if passes:
        assert judge_audio(data).sample_rate == sample_rate
    else:
        assert refusal(data) == ("Audio.AudioRateError", "File sample rate unsupported.")


def test_a_recording_lasts_at_most_a_minute(speech):
    long = np.tile(speech, 5)
    too_long = ("Audio.DurationLimitError", "Audio duration exceeds maximum allowed limit.")
    judge_audio(wav(long[: 60 * RATE]))
    assert refusal(wav(long[: 60 * RATE + 1])) == too_long


def test_what_the_decoder_gives_up_is_too_long():
    file = encoded(silence(660), "mp3", "libmp3lame")  # the decoder gives up after 600 s
    assert len(file) < 10_000_000
    assert refusal(file)[0] == "Audio.DurationLimitError"


def test_a_file_has_at_most_ten_megabytes(speech):
    data = wav(speech)
    padded = data + bytes(10 * 2**20 - 1 - len(data))  # after the last chunk, where readers do not look
    judge_audio(padded)
    assert refusal(padded + b"\0") == ("BadRequest.TooLarge", "Payload Too Large.")


@pytest.mark.parametrize("sound", ["silence", "tone", "noise"])
def test_three_seconds_of_speech_are_needed(sound, rng):
    at = np.arange(10 * RATE) / RATE
    made = {"silence": 0 * at, "tone": 0.5 * np.sin(2 * np.pi * 220 * at), "noise": 0.1 * rng.standard_normal(len(at))}
    assert refusal(wav(made[sound].astype(np.float32))) == (
        "Audio.PreprocessError",
        "No segments meet minimum duration requirement",
    )


@pytest.mark.parametrize(("pause", "passes"), [(1.5, True), (1.9, True), (2.1, False), (5.0, False)])
def test_a_pause_of_two_seconds_ends_continuous_speech(pause, passes, phrase):
    stretch, seconds = phrase
    # So many that all together reach 3 s and all but one do not.
    needed = int(3.0 // seconds) + 1
    assert 1 < needed < 6
    made = [each for _ in range(needed) for each in (stretch, silence(pause))]
    data = wav(np.concatenate([silence(0.5), *made]))
    if passes:
        assert judge_audio(data).seconds_of_speech == pytest.approx(needed * seconds, abs=0.1 * needed)
    else:
        assert refusal(data)[1] == "No segments meet minimum duration requirement"


def test_pauses_do_not_count_as_speech(phrase):
    stretch, seconds = phrase
    fewer = int(3.0 // seconds)
    made = [each for _ in range(fewer) for each in (stretch, silence(1.5))]
    assert fewer * (seconds + 1.5) > 3.5
    assert refusal(wav(np.concatenate([silence(0.5), *made])))[1] == "No segments meet minimum duration requirement"


@pytest.mark.parametrize(
    ("text", "language", "passes"),
    [
        ("今天天气很好我们下午去公园散步然后一起吃晚饭孩子们非常高兴明天不用上学我们大家都很开心", "zh", True),
        ("我喜欢用 Python 和 Jupyter 写程序，今天天气很好我们下午去公园散步然后一起吃晚饭孩子们很高兴", "zh", True),
        ("今日は天気がとても良いので、午後は公園を散歩して、それから一緒に夕食を食べるつもりです。", "ja", True),
        (
            "오늘은 날씨가 아주 좋아서 오후에 공원을 산책하고 함께 저녁을 먹을 계획입니다 아이들은 기뻐합니다",
            "ko",
            True,
        ),
        ("Сегодня очень хорошая погода, поэтому днём мы собираемся погулять в парке, а потом поужинать.", "ru", True),
        (
            "Aujourd'hui il fait très beau, nous allons donc nous promener dans le parc et dîner ensemble après.",
            "fr",
            True,
        ),
        (
            "The room 1984 costs 250 dollars in 2026, and that is all there is to say about it today, my friend.",
            "en",
            True,
        ),
        ("1984, 2026, 250, 31, 4, 15926535", "zh", True),
        ("The weather is very nice today, so we are going for a walk in the park and then have dinner.", "zh", False),
        ("Сегодня очень хорошая погода, поэтому днём мы собираемся погулять в парке, а потом поужинать.", "de", False),
        ("今天天气很好我们下午去公园散步然后一起吃晚饭孩子们非常高兴明天不用上学我们大家都很开心", "ko", False),
        ("今日は天気がとても良いので、午後は公園を散歩して、それから一緒に夕食を食べるつもりです。", "zh", False),
        ("今日は天気がとても良いので、午後は公園を散歩して、それから一緒に夕食を食べるつもりです。", None, True),
    ],
)
def test_a_transcript_is_written_in_the_script_of_its_language(text, language, passes, speech):
    data = wav(speech[: 8 * RATE])
    if passes:
        judge_audio(data, text=text, language=language)
    else:
        code, message = refusal(data, text=text, language=language)
        assert code == "Audio.PreprocessError"
        assert "ASR text check failed" in message
        assert "is not written in" in message


@pytest.mark.parametrize(
    ("letters", "passes"), [(0.0, False), (5.9, False), (6.1, True), (14.0, True), (29.9, True), (30.1, False)]
)
@pytest.mark.parametrize("letter", ["e", "中", "한", "の", "ж", "7"])
def test_a_transcript_is_as_long_as_the_speech(letters, passes, letter, speech):
    data = wav(speech)
    spoken = judge_audio(data).seconds_of_speech
    weight = {"中": 3.0, "한": 2.5, "の": 2.0, "7": 4.0}.get(letter, 1.0)
    text = letter * round(letters * spoken / weight) + " …!?"
    if not passes:
        code, message = refusal(data, text=text)
        assert code == "Audio.PreprocessError"
        assert "ASR text check failed" in message
    else:
        judge_audio(data, text=text)


def test_every_refusal_is_documented_or_in_the_one_table():
    known = {(status, code) for status, code, _ in DOCUMENTED}
    assert {row[:2] for row in RULES.values()} <= known
    assert len(set(RULES.values())) == len(RULES)
    assert all(row[2] not in {message for *_, message in DOCUMENTED} for row in RULES.values())


@pytest.mark.parametrize(
    ("name", "passes"),
    [
        *(("guanyu", True), ("A_1", True), ("a" * 16, True), ("a" * 17, False), ("", False), ("a-b", False)),
        *(("é", False), ("a\n", False), ("٣", False), (None, False), (7, False)),
    ],
)
def test_a_name_has_sixteen_plain_characters(name, passes):
    if passes:
        assert rules.preferred_name(name) == name
    else:
        with pytest.raises(Refusal, match="preferred_name"):
            rules.preferred_name(name)


@pytest.mark.parametrize(
    ("judge", "taken", "refused"),
    [
        ("target_model", ["qwen3-tts-vc-2026-01-22"], ["qwen3-tts-vc", "cosyvoice-v3", "", None, ["x"]]),
        ("language", ["zh", "ru", None], ["Chinese", "ZH", "nl", "auto", "", 1, ["zh"]]),
        ("transcript", ["words", None], [1, ["words"], {}]),
        ("page_number", [0, 10, 1_000_000], [-1, 1_000_001, 1.0, "10", None, True]),
    ],
)
def test_a_field_is_taken_as_it_is_or_refused(judge, taken, refused):
    for given in taken:
        assert getattr(rules, judge)(given) == given
    for given in refused:
        with pytest.raises(Refusal, match="400 InvalidParameter"):
            getattr(rules, judge)(given)


def test_an_empty_transcript_is_none():
    assert rules.transcript("") is None


def test_a_data_uri_is_opened_whatever_it_calls_itself():
    body = base64.b64encode(b"some sound").decode()
    for head in ("data:audio/wav;base64,", "data:audio/mpeg;base64,", "DATA:;BASE64,", "data:audio/mp4;a=b;base64,"):
        assert rules.unpack(head + body) == b"some sound"
    for audio in (f"data:audio/wav,{body}", body, "ftp://sound.example/a.wav", ""):
        with pytest.raises(Refusal, match="InvalidURL"):
            rules.unpack(audio)
    for broken in (body[:-1], body + "*", body[:4] + "\n" + body[4:]):
        with pytest.raises(Refusal, match=r"Audio\.DecoderError"):
            rules.unpack("data:audio/wav;base64," + broken)


def test_a_data_uri_stays_under_ten_megabytes_while_encoded():
    head = "data:audio/wav;base64,"
    assert len(rules.unpack(head + "A" * (10 * 2**20 - len(head) - 2))) == 7_864_302
    with pytest.raises(Refusal, match=r"BadRequest\.TooLarge"):
        rules.unpack(head + "A" * (10 * 2**20 - len(head)))


def padded_to(n_bytes: int, data: bytes) -> bytes:
    return data + bytes(n_bytes - len(data))


# Both sides of every hard rule, and what the page leaves open.
DIAGNOSED = {
    "wav": lambda speech: wav(speech),
    "mp3": lambda speech: encoded(speech, "mp3", "libmp3lame"),
    "m4a": lambda speech: encoded(speech, "ipod", "aac"),
    "alac": lambda speech: encoded(speech, "ipod", "alac", "s16p"),
    "flac": lambda speech: encoded(speech, "flac", "flac", "s16"),
    "8 bits": lambda speech: wav(speech, width=1),
    "24 bits": lambda speech: wav(speech, width=3),
    "floats": float_wav,
    "two channels": lambda speech: wav(np.stack([speech, speech], 1)),
    "23999 Hz": lambda speech: wav(speech, sample_rate=23_999),
    "60 s": lambda speech: wav(np.tile(speech, 5)[: 60 * RATE]),
    "60 s and a sample": lambda speech: wav(np.tile(speech, 5)[: 60 * RATE + 1]),
    "10,000,000 bytes encoded": lambda speech: padded_to(7_499_983, wav(speech)),
    "a step below 10 MiB encoded": lambda speech: padded_to(7_864_302, wav(speech)),
    "10 MiB encoded": lambda speech: padded_to(7_864_304, wav(speech)),
}


@pytest.mark.parametrize("name", DIAGNOSED)
def test_what_the_diagnosis_lets_through_is_taken_and_what_it_fails_is_refused(speech, name):
    from vcnb.diagnose.report import diagnose
    from vcnb.protocol.enrollment import data_uri

    data = DIAGNOSED[name](speech)
    try:
        judge_audio(rules.unpack(data_uri(data, "audio/wav")))
        taken = True
    except Refusal:
        taken = False
    assert taken == (not diagnose(data).hard_failures)


def test_the_practice_service_does_not_look_at_the_answer_key():
    code = "import sys, vcnb.practice.serve, vcnb.practice.rules; print([m for m in sys.modules if '.diagnose' in m])"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert printed.stdout.strip() == "[]"


def test_what_is_not_checked_is_said_in_words_and_passes(speech, rng):
    at = np.arange(len(speech)) / RATE
    music = sum(0.01 * np.sin(2 * np.pi * f0 * at) for f0 in (220, 277, 330))
    for mixed in (
        speech + music,
        speech + 0.003 * rng.standard_normal(len(speech)),
        speech + np.roll(speech, RATE),
    ):
        judge_audio(wav_bytes(mixed.astype(np.float32), RATE))
    said = " ".join(NOT_CHECKED)
    for word in ("music", "noise", "voices", "singing", "forbidden", "transcript"):
        assert word in said
