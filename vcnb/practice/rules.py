"""What the practice service refuses, and in which words.

Everything is measured on the bytes that arrived; nothing here knows how vcnb diagnoses a recording. What passes here
should pass at the hosted service, so where its page can be read in two ways the stricter one holds; but where a
diagnosis only warns, because the page leaves it open (which MB, which codec in M4A), nothing is refused.
"""

from __future__ import annotations

import base64
import binascii
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from vcnb.audio.clip import Clip, Segment, Source
from vcnb.catalog import (
    BYTES_REFUSED,
    LANGUAGES,
    MODELS,
    NAME_LENGTH,
    PAGE_SIZE_LIMIT,
    SAMPLE_RATE_LIMIT,
    SECONDS_LIMIT,
    SECONDS_OF_SPEECH,
)
from vcnb.errors import ClipError

__all__ = [
    "Judged",
    "LETTERS_PER_SECOND",
    "NOT_CHECKED",
    "RULES",
    "Refusal",
    "judge_audio",
    "language",
    "ours",
    "page_number",
    "preferred_name",
    "target_model",
    "transcript",
    "unpack",
]

_INVALID = "Required parameter(s) missing or invalid, please check the request parameters."

# OURS: rules of the page for whose breach it documents neither status nor code nor words. The codes are the nearest
# documented ones, so that a client treats them as it should; nobody has seen the hosted service say these.
RULES: dict[str, tuple[int, str, str]] = {
    "preferred_name": (400, "InvalidParameter", f"{_INVALID} (preferred_name)"),
    "target_model": (400, "InvalidParameter", "Model not exist. (target_model)"),
    "language": (400, "InvalidParameter", f"{_INVALID} (language)"),
    "text": (400, "InvalidParameter", f"{_INVALID} (text)"),
    "audio": (400, "InvalidURL", "Invalid URL provided in your request. (audio.data)"),
    "base64": (400, "Audio.DecoderError", "Decoder audio file failed. (base64)"),
    "bit_depth": (400, "BadRequest.UnsupportedFileFormat", "Input file format is not supported. (WAV, not 16-bit)"),
    "n_channels": (400, "BadRequest.UnsupportedFileFormat", "Input file format is not supported. (not mono)"),
    "page": (400, "InvalidParameter", f"{_INVALID} (page_index, page_size)"),
    "action": (400, "InvalidParameter", f"{_INVALID} (action)"),
    "voice": (400, "InvalidParameter", f"{_INVALID} (voice)"),
}

# What the hosted service judges and this one does not, in words for people; a fault switch brings the first five.
NOT_CHECKED: tuple[str, ...] = (
    "background music",
    "background noise, short of drowning the speech",
    "other voices",
    "singing, which passes for speech",
    "forbidden content, in the recording and in the text to speak",
    "whether the transcript holds the words that are spoken: only its script and its length are compared",
    "whether the recording is in the declared language",
    "whether the media type of the data URI fits: the content alone decides",
    "whether a file ends earlier than its header says",
)

_DATA_URI = re.compile(r"data:[^,]{0,200};base64,", re.IGNORECASE)
_CODECS = {"wav": ("pcm_",), "mp3": ("mp3",), "mp4": ("aac", "alac")}  # page: WAV, MP3, M4A

# Page: "continuous" speech, short pauses of up to 2 s allowed.
_PAUSE = 2.0  # seconds

# The scripts of Unicode's character names that each language is written in; the others use the Latin one.
_SCRIPTS: dict[str, frozenset[str]] = {
    "zh": frozenset({"CJK"}),
    "ja": frozenset({"CJK", "HIRAGANA", "KATAKANA"}),
    "ko": frozenset({"HANGUL"}),
    "ru": frozenset({"CYRILLIC"}),
}
# Ours: Latin letters that take as long to say as one such character (a syllable; half of one for kana), and a digit.
_WEIGHTS = {"CJK": 3.0, "HANGUL": 2.5, "HIRAGANA": 2.0, "KATAKANA": 2.0}
_DIGIT_WEIGHT = 4.0
_SCRIPT_SHARE = 0.5  # ours: at least this much of the text, by weight, is in a script of the language
# Ours: for each second of speech, true transcripts of 18 recordings by 4 speakers in English and German gave 11.6 to
# 17.1 letters, and our own engine reading in the ten languages 9.8 (Chinese) to 17.9 (French). People may be 1.6 times
# slower or faster than all of these; half a transcript is noticed with most readers, a wrong word with none.
LETTERS_PER_SECOND = (6.0, 30.0)


class Refusal(Exception):
    """An answer that says no, in the service's own form.

    Parameters
    ----------
    status : int
        HTTP status.
    code, message : str
        As the service's list of errors gives them.
    """

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message


@dataclass(frozen=True, eq=False)
class Judged:
    """A recording that may become a voice.

    Parameters
    ----------
    samples : np.ndarray [shape=(n,)]
        Mono amplitudes, full scale at 1.
    sample_rate : int
        Samples per second (Hz).
    seconds_of_speech : float
        Speech without its pauses (s).
    """

    samples: npt.NDArray[np.float32] = field(repr=False)
    sample_rate: int
    seconds_of_speech: float


def ours(rule: str) -> Refusal:
    """Refuse by a rule of `RULES`."""
    return Refusal(*RULES[rule])


def target_model(given: Any) -> str:
    """Take the model that a voice is to be made for.

    Raises
    ------
    Refusal
        If it does not speak with cloned voices.
    """
    if not isinstance(given, str) or given not in MODELS:
        raise ours("target_model")
    return given


def preferred_name(given: Any) -> str:
    """Take the keyword of a new voice.

    Raises
    ------
    Refusal
        If it is no 1 to 16 ASCII letters, digits and underscores.
    """
    if not isinstance(given, str) or not re.fullmatch(rf"[A-Za-z0-9_]{{1,{NAME_LENGTH}}}", given):
        raise ours("preferred_name")
    return given


def language(given: Any) -> str | None:
    """Take the language of a recording; None where it was not given.

    Raises
    ------
    Refusal
        If it is none of the ten codes.
    """
    if given is not None and (not isinstance(given, str) or given not in LANGUAGES):
        raise ours("language")
    return given


def transcript(given: Any) -> str | None:
    """Take the transcript of a recording; None where it was not given or is empty.

    Raises
    ------
    Refusal
        If it is no text.
    """
    if given is not None and not isinstance(given, str):
        raise ours("text")
    return given or None


def page_number(given: Any) -> int:
    """Take a ``page_index`` or ``page_size``.

    Raises
    ------
    Refusal
        If it is no whole number from 0 to 1,000,000.
    """
    if type(given) is not int or not 0 <= given <= PAGE_SIZE_LIMIT:
        raise ours("page")
    return given


def unpack(audio: str) -> bytes:
    """Open a data URI; its media type is not looked at.

    Raises
    ------
    Refusal
        If it has 10 MiB or more while encoded, or is no data URI in Base64.
    """
    if len(audio) >= BYTES_REFUSED:
        raise Refusal(400, "BadRequest.TooLarge", "Payload Too Large.")
    found = _DATA_URI.match(audio)
    if not found:
        raise ours("audio")
    try:
        return base64.b64decode(audio[found.end() :], validate=True)
    except (binascii.Error, ValueError):
        raise ours("base64") from None


def judge_audio(data: bytes, *, text: str | None = None, language: str | None = None) -> Judged:
    """Measure a recording against the page.

    Parameters
    ----------
    data : bytes
        The whole file.
    text : str, optional
        Its transcript; only script and length are compared.
    language : str, optional
        Two-letter code; not given, the script of `text` is not judged.

    Returns
    -------
    Judged

    Raises
    ------
    Refusal
        On the first rule that it breaks: size, format, bit depth, channels, rate, duration, speech, transcript.
    """
    from vcnb.measure.activity import speech_segments

    if len(data) >= BYTES_REFUSED:
        raise Refusal(400, "BadRequest.TooLarge", "Payload Too Large.")
    clip, source = _decode(data)
    if source.container == "wav" and source.bit_depth != 16:
        raise ours("bit_depth")
    if source.n_channels != 1:
        raise ours("n_channels")
    if source.sample_rate < SAMPLE_RATE_LIMIT:
        raise Refusal(400, "Audio.AudioRateError", "File sample rate unsupported.")
    if clip.duration > SECONDS_LIMIT:
        raise _too_long()
    segments = speech_segments(clip.samples, clip.sample_rate)
    if _continuous(segments) < SECONDS_OF_SPEECH:
        raise Refusal(400, "Audio.PreprocessError", "No segments meet minimum duration requirement")
    spoken = sum(segment.duration for segment in segments)
    if text is not None:
        _compare(text, language, spoken)
    return Judged(clip.samples, clip.sample_rate, spoken)


def _decode(data: bytes) -> tuple[Clip, Source]:
    from vcnb.audio.containers import sniff
    from vcnb.audio.load import read_clip

    # Looked at before it is decoded: what is no WAV, MP3 or M4A costs no time.
    container = sniff(data)
    if container not in _CODECS:
        raise _unsupported()
    try:
        clip = read_clip(data)
    except ClipError as error:
        if "longer than" in error.message:  # the decoder stops at ten minutes
            raise _too_long() from None
        raise Refusal(400, "Audio.DecoderError", "Decoder audio file failed.") from None
    if clip.source is None or not clip.source.codec.startswith(_CODECS[container]):
        raise _unsupported()
    return clip, clip.source


def _continuous(segments: Sequence[Segment]) -> float:
    """Seconds of speech in the longest run without a pause over 2 s.

    The page wants "continuous" speech and allows pauses of up to 2 s in it. We read: a longer pause ends the run, and
    pauses are no speech, so they do not count towards the 3 s. The sum over a whole file would let words through that
    lie far apart; the longest single stretch would refuse every sentence with a comma.
    """
    longest = run = end = 0.0
    for segment in segments:
        run = run + segment.duration if segment.start - end <= _PAUSE else segment.duration
        longest, end = max(longest, run), segment.end
    return round(longest, 3)


def _compare(text: str, language: str | None, spoken: float) -> None:
    weights = _weigh(text)
    total = sum(weights.values())
    own = _SCRIPTS.get(language, frozenset({"LATIN"})) if language else frozenset(weights)
    written = total - weights.get("DIGIT", 0.0)
    if sum(weights.get(script, 0.0) for script in own) < _SCRIPT_SHARE * written:
        raise _unlike(f"the text is not written in {LANGUAGES[str(language)]}")
    low, high = LETTERS_PER_SECOND
    if not low <= total / spoken <= high:
        raise _unlike(f"{total / spoken:.1f} letters of text for each second of speech")


def _weigh(text: str) -> dict[str, float]:
    """How much there is to say in each script, counted in Latin letters."""
    weights: dict[str, float] = {}
    for letter in unicodedata.normalize("NFKC", text):
        kind = unicodedata.category(letter)[0]
        if kind not in "LN":
            continue
        script = "DIGIT" if kind == "N" else re.split(r"[ -]", unicodedata.name(letter, "UNKNOWN"))[0]
        weights[script] = weights.get(script, 0.0) + (_DIGIT_WEIGHT if kind == "N" else _WEIGHTS.get(script, 1.0))
    return weights


def _unlike(reason: str) -> Refusal:
    return Refusal(400, "Audio.PreprocessError", f"Audio preprocess error. ASR text check failed: {reason}")


def _too_long() -> Refusal:
    return Refusal(400, "Audio.DurationLimitError", "Audio duration exceeds maximum allowed limit.")


def _unsupported() -> Refusal:
    return Refusal(400, "BadRequest.UnsupportedFileFormat", "Input file format is not supported.")
