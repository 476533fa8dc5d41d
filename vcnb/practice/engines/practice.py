"""What speaks in ten languages without a key, a download or a GPU.

A practice voice: pitch, colour and pace of the reference on a synthetic speaker. It is understood, and it does not
pretend to be the service's quality. English by hibari-tts, its pitch and colour through WORLD; the rest by espeak-ng in
a process of its own, which takes the pitch itself, so that a filter gives the colour and every sound stays clear.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from functools import lru_cache, partial

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from vcnb.catalog import LANGUAGES, SPEECH_SAMPLE_RATE
from vcnb.measure.loudness import integrated_loudness
from vcnb.measure.speech import speech_activity

from .engine import EngineError, Reference
from .english import English
from .espeak import REMEDY, Espeak
from .frugal import give_back, one_heap, put_aside
from .japanese import kana
from .mapping import LIKENESS, Mapping, learn
from .melody import USUAL, Melody, spoken_at
from .profile import Profile, enough, measure, no_song
from .text import SENTENCE_PAUSE, Bite, bites, clean, language_of, sounds
from .turns import Turns
from .world import with_colour, with_pitch
from .written import written_out

__all__ = ["PracticeEngine"]

# All ours.
HIGH_ABOVE_HZ = 135.0  # halfway between espeak-ng's two voices (about 100 and 180 Hz), so that it is strained least
# Syllables a second, the middle of the base speakers by our own count. Not each language's own figure: the count
# misses syllables in some languages, and a quick speaker of English is to be a quick speaker of Chinese.
ORDINARY_PACE = 5.3
PACE_LIMITS = (0.75, 1.3)  # beyond them espeak-ng drawls or swallows
LOUDNESS_LUFS = -20.0  # of everything that is spoken, whatever the reference's level
# By as much a clause's estimated loudness lies too low, on the mean of 144 utterances of ten languages in eight voices.
UNDERESTIMATED_DB = 0.3
PIECE = round(0.4 * SPEECH_SAMPLE_RATE)
BRIEF = round(0.5 * SPEECH_SAMPLE_RATE)  # enough to be measured
FADE = round(0.005 * SPEECH_SAMPLE_RATE)
RISE = np.hanning(2 * FADE)[:FADE]  # a straight line would still be a click where a clause begins at full swing
AUDIBLE = 1e-3  # of full scale; what lies before is the vocoder's hiss
SILENCE_BELOW_PEAK_DB = 45.0
SILENCE_FOR_MARKS = 0.2  # s
KNEE, CEILING = 0.8, 0.98  # of full scale
# espeak-ng is the harder to understand and can bear less: phoneme error .39 at a likeness of .3, and .40 at .5.
ESPEAK_LIKENESS = 0.5
BEYOND = np.log(2) / 12  # a semitone: so far a clause may lie off the voice's pitch before a vocoder moves it
VOICES_AT_HAND = 32  # of some 250 kB

# What the base speakers say once, so that their own pitch and level are known: statements, a question, a list, all
# tones; about ten seconds, for two sentences left an error of a semitone and a half in Chinese.
_CALIBRATION = {
    # Statements alone: it lifts questions and lists by three semitones, and most of what is read out is neither.
    "hibari": "The keys are on the shelf behind the kitchen door. A small river ran past the school and under the "
    "bridge. Every summer they painted the long fence white. My neighbour sold his boat and moved to the mountains. "
    "She could hear the rain on the roof all night.",
    "zh": "今天天气很好，我们一起去公园走走。你昨天晚上看了那本新书吗？"
    "妈妈买了苹果、鸡蛋和面包。他说明年想学画画，但是没有时间。",
    "en": "Good morning, the train to the harbour leaves in a few minutes. Did you remember to bring the old map? "
    "We bought apples, eggs and a loaf of bread. He wants to learn to paint next year, but he has no time.",
    "de": "Guten Morgen, der Zug zum Hafen fährt in wenigen Minuten. Hast du an die alte Karte gedacht? "
    "Wir haben Äpfel, Eier und ein Brot gekauft. Er möchte nächstes Jahr malen lernen, aber er hat keine Zeit.",
    "it": "Buongiorno, il treno per il porto parte fra pochi minuti. Ti sei ricordato della vecchia mappa? "
    "Abbiamo comprato mele, uova e un pane. L'anno prossimo vuole imparare a dipingere, ma non ha tempo.",
    "pt": "Bom dia, o trem para o porto parte em poucos minutos. Você se lembrou do mapa antigo? "
    "Compramos maçãs, ovos e um pão. No ano que vem ele quer aprender a pintar, mas não tem tempo.",
    "es": "Buenos días, el tren al puerto sale en pocos minutos. ¿Te acordaste del mapa viejo? "
    "Compramos manzanas, huevos y un pan. El año que viene quiere aprender a pintar, pero no tiene tiempo.",
    "ja": "おはようございます、港へ行く電車はもうすぐ出ます。古い地図を持ってきましたか。"
    "りんごと卵とパンを買いました。彼は来年絵を習いたいのですが、時間がありません。",
    "ko": "좋은 아침입니다, 항구로 가는 기차는 곧 떠납니다. 오래된 지도를 가져왔나요? "
    "우리는 사과와 달걀과 빵을 샀어요. 그는 내년에 그림을 배우고 싶지만 시간이 없습니다.",
    "fr": "Bonjour, le train pour le port part dans quelques minutes. As-tu pensé à la vieille carte ? "
    "Nous avons acheté des pommes, des œufs et un pain. Il veut apprendre à peindre, mais il n'a pas le temps.",
    "ru": "Доброе утро, поезд в порт отходит через несколько минут. Ты не забыл старую карту? "
    "Мы купили яблоки, яйца и хлеб. В следующем году он хочет учиться рисовать, но у него нет времени.",
}

Sound = npt.NDArray[np.float64]


class PracticeEngine:
    """Speaks ten languages with pitch, colour and pace of the reference.

    Parameters
    ----------
    likeness : float
        From 0, which keeps more of what was said, to 1, which keeps more of who is to say it.
    """

    version = "practice 4"
    pause = SENTENCE_PAUSE

    def __init__(self, *, likeness: float = LIKENESS) -> None:
        self.likeness = likeness
        self._english = English()
        self._espeak = Espeak()
        self._bases: dict[tuple[str, bool], Profile] = {}
        self._lock = threading.Lock()
        self._turn = Turns()
        # Hundreds of small products: BLAS threads of several speakers wait for each other three times as long as one
        # works, and 300 kanji, a minute of speech, took half a minute.
        threadpool_limits(1, user_api="blas")
        one_heap()
        self._read = lru_cache(VOICES_AT_HAND)(lambda profile: Profile.from_bytes(profile, self.version))
        self._mapping = lru_cache(VOICES_AT_HAND)(self._learn)

    def profile(self, reference: Reference) -> bytes:
        """Measure the voice once; see `Engine.profile`. Music is refused wherever onnxruntime can be had."""
        try:
            # Level and pitch, which are enough to measure with, take a melody for a voice.
            enough(speech_activity(reference.samples, reference.sample_rate).seconds)
            no_song(reference)
            return measure(reference).to_bytes(self.version)
        finally:
            give_back()
            put_aside()

    def speak(self, text: str, *, language: str, profile: bytes) -> Iterator[npt.NDArray[np.int16]]:
        """Speak, in pieces of at most 0.4 s; see `Engine.speak`.

        A text of nothing but punctuation is a short silence, as in a conversation marks may come alone; a text that
        holds something else and gives no sound is refused.
        """
        voice = self._read(profile)
        plain = clean(text)
        return self._pieces(plain, language_of(plain, language), voice)

    def close(self) -> None:
        """End espeak-ng's process."""
        self._espeak.close()

    def _pieces(self, text: str, language: str, voice: Profile) -> Iterator[npt.NDArray[np.int16]]:
        try:
            if sounds(text):
                yield from self._spoken(text, language, voice)
            else:
                yield np.zeros(round(SILENCE_FOR_MARKS * SPEECH_SAMPLE_RATE), dtype=np.int16)
        finally:
            give_back()

    def _spoken(self, text: str, language: str, voice: Profile) -> Iterator[npt.NDArray[np.int16]]:
        pause = None
        for bite in bites(text, language):
            for number, part in enumerate(self._say(bite, language, voice)):
                silence = np.zeros(round((pause or 0.0) * SPEECH_SAMPLE_RATE) if number == 0 else 0)
                pcm = (np.concatenate([silence, part]) * 32767).round().astype(np.int16)
                yield from (pcm[start : start + PIECE] for start in range(0, len(pcm), PIECE))
                pause = bite.pause
        if pause is None:
            raise EngineError(f"There is nothing to speak in {text[:40]!r}.", remedy="write it in words")

    def _say(self, bite: Bite, language: str, voice: Profile) -> Iterator[Sound]:
        """Speak a bite with the first base speaker that finds something to sound in it."""
        speakers = [bite.language]
        # An English word within another language stays with that language's speaker.
        if bite.language == language == "en" and self._english.installed():
            speakers = ["hibari", "en"] if self._espeak.installed() else ["hibari"]  # hibari reads no emoji, for one
        for speaker in speakers:
            base, mapping = self._towards(voice, speaker)
            with self._turn:
                sound, again = self._plain(speaker, bite.text, base, voice, mapping)
            if len(sound):
                yield from self._in_turn(_converted(sound, again, base, mapping))
                return

    def _towards(self, voice: Profile, speaker: str) -> tuple[Profile, Mapping]:
        """Take the base speaker, and what makes it the voice; only English can bear all of it."""
        base = self._base(speaker, high=_high(voice))
        likeness = self.likeness * (1.0 if speaker == "hibari" else ESPEAK_LIKENESS)
        return base, self._mapping(base, voice, likeness, speaker not in ("hibari", "en"))

    def _plain(
        self, speaker: str, text: str, base: Profile, voice: Profile, mapping: Mapping
    ) -> tuple[Sound, Callable[..., Iterator[Sound]]]:
        """Let the base speaker say it, at the voice's pitch where it can; and give what says it again as the voice."""
        pace = float(np.clip(voice.pace / ORDINARY_PACE, *PACE_LIMITS))
        had, wanted = (base.pitch, base.range), (voice.pitch, voice.range)
        if speaker == "hibari":
            sound = _trimmed(self._base_says(speaker, text, pace=pace))
            return sound, partial(with_pitch, sound, base=had, target=wanted, recolour=mapping.recolour)
        high = _high(voice)
        sound, pitch = spoken_at(
            lambda melody: _trimmed(self._base_says(speaker, text, high=high, pace=pace, melody=melody)),
            base=had,
            target=wanted,
        )
        voiced = pitch.f0[pitch.f0 > 0]
        middle = float(np.median(np.log(voiced))) if len(voiced) else wanted[0]
        if abs(middle - wanted[0]) > BEYOND:  # the vocoder goes where espeak-ng does not reach
            said = (middle, wanted[1])
            return sound, partial(with_pitch, sound, base=said, target=wanted, recolour=mapping.recolour)
        return sound, partial(with_colour, sound, pitch, amplify=mapping.factors)

    def _in_turn(self, parts: Iterator[Sound]) -> Iterator[Sound]:
        """Make one part at a time, whoever speaks: it holds the interpreter anyway, and its arrays are large."""
        while True:
            with self._turn:
                part = next(parts, None)
            if part is None:
                return
            yield part

    def _base_says(
        self, speaker: str, text: str, *, high: bool = False, pace: float = 1.0, melody: Melody = USUAL
    ) -> Sound:
        text = written_out(text, "en" if speaker == "hibari" else speaker)
        if speaker == "hibari":
            return self._english.speak(text, pace=pace)
        if not self._espeak.installed():
            missing = f"Speaking {LANGUAGES[speaker]} needs espeak-ng, which {REMEDY} brings."
            raise EngineError(missing, remedy=REMEDY)
        text = kana(text) if speaker == "ja" else text
        return self._espeak.speak(text, speaker, high=high, pace=pace, melody=melody)

    def _base(self, speaker: str, *, high: bool) -> Profile:
        """Figures and colour of a base speaker, measured at its first word."""
        with self._lock:
            key = (speaker, high and speaker != "hibari")
            if key not in self._bases:
                said = self._base_says(speaker, _CALIBRATION[speaker], high=high)
                self._bases[key] = measure(Reference(said.astype(np.float32), SPEECH_SAMPLE_RATE))
            return self._bases[key]

    @staticmethod
    def _learn(base: Profile, voice: Profile, likeness: float, clear: bool) -> Mapping:
        f0 = (float(np.exp(base.pitch)), float(np.exp(voice.pitch)))
        return learn(base.timbre, voice.timbre, f0=f0, likeness=likeness, clear=clear)


def _high(voice: Profile) -> bool:
    return bool(voice.pitch > np.log(HIGH_ABOVE_HZ))


def _converted(sound: Sound, again: Callable[..., Iterator[Sound]], base: Profile, mapping: Mapping) -> Iterator[Sound]:
    """Say a clause again as the voice, at the loudness of all that is spoken here."""
    if len(sound) < BRIEF:  # a word is soon made, and what is estimated of its loudness is up to 2 dB off
        word = np.concatenate(list(again()))
        parts = iter([word * 10 ** ((LOUDNESS_LUFS - _loudness(word, base)) / 20)])
    else:
        wanted_db = LOUDNESS_LUFS - UNDERESTIMATED_DB - _loudness(sound, base)
        parts = again(gain=lambda *clause: 10 ** ((wanted_db - mapping.gain_db(*clause)) / 20))
    yield from _faded(map(_limited, parts))


def _faded(parts: Iterator[Sound]) -> Iterator[Sound]:
    """Let a clause begin and end in silence: the vocoder's noise is there from the first sample to the last."""
    held: Sound | None = None
    for part in parts:
        if held is None:
            held = part.copy()
            heard = held[int(np.argmax(np.abs(held) > AUDIBLE)) :][:FADE]
            heard *= RISE[: len(heard)]
            continue
        yield held
        held = part.copy()
    if held is not None:
        held[-FADE:] *= RISE[::-1][-len(held) :]
        yield held


def _loudness(sound: Sound, base: Profile) -> float:
    """How loud a clause is; of less than 0.4 s, which the norm leaves open, how loud it is again and again."""
    lasting = np.tile(sound, -(-BRIEF // len(sound))).astype(np.float32)
    measured = integrated_loudness(lasting, SPEECH_SAMPLE_RATE)
    return measured if np.isfinite(measured) else base.rms_dbfs


def _trimmed(sound: Sound) -> Sound:
    """Cut the silence off both ends, for the pauses are ours, and let it begin and end without a click."""
    peak = float(np.abs(sound).max(initial=0.0))
    if peak < 1e-3:
        return np.zeros(0)
    loud = np.flatnonzero(np.abs(sound) > peak * 10 ** (-SILENCE_BELOW_PEAK_DB / 20))
    kept = sound[max(0, loud[0] - 2 * FADE) : loud[-1] + 2 * FADE].copy()
    ramp = np.linspace(0.0, 1.0, min(FADE, len(kept) // 2))
    kept[: len(ramp)] *= ramp
    kept[len(kept) - len(ramp) :] *= ramp[::-1]
    return kept


def _limited(sound: Sound) -> Sound:
    """Bend the peaks above the knee: scaled down, one peak would make its clause quieter than the others."""
    over = np.maximum(np.abs(sound) - KNEE, 0.0)
    return np.sign(sound) * (np.minimum(np.abs(sound), KNEE) + (CEILING - KNEE) * np.tanh(over / (CEILING - KNEE)))
