"""Everything that is written is sounded: figures, dates, units and every word of two hundred sentences."""

from __future__ import annotations

import ctypes
import json
import os
import re
import sys
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from vcnb.catalog import LANGUAGES
from vcnb.practice.engines.espeak import _VOICES, Espeak, _folder
from vcnb.practice.engines.espeak_worker import _LIBRARIES
from vcnb.practice.engines.japanese import kana
from vcnb.practice.engines.text import bites, clean
from vcnb.practice.engines.written import written_out

SENTENCES = json.loads((Path(__file__).parent / "data" / "sentences.json").read_text(encoding="utf-8"))["sentences"]
needs_extra = pytest.mark.skipif(not Espeak.installed(), reason="the extra `practice` is not installed")

# espeak-ng, speak_lib.h: espeakINITIALIZE_DONT_EXIT, espeakCHARS_UTF8, phonemes as IPA
DONT_EXIT, UTF8, IPA = 0x8000, 1, 2


@pytest.fixture(scope="module")
def phonemes() -> Iterator[Callable[[str, str], str]]:
    """What espeak-ng reports that it would say."""
    library = ctypes.CDLL(str(_folder() / _LIBRARIES.get(sys.platform, "libespeak-ng.so")))
    library.espeak_Initialize(1, 0, os.fsencode(_folder() / "espeak-ng-data"), DONT_EXIT)
    library.espeak_TextToPhonemes.restype = ctypes.c_char_p

    def reported(text: str, language: str) -> str:
        library.espeak_SetVoiceByName(_VOICES[language].encode())
        rest, said = ctypes.pointer(ctypes.c_char_p(text.encode())), []
        while rest.contents.value:
            said.append((library.espeak_TextToPhonemes(rest, UTF8, IPA) or b"").decode())
        return " ".join(said).strip()

    yield reported
    library.espeak_Terminate()


def read(sentence: str, language: str) -> list[str]:
    texts = [written_out(bite.text, bite.language) for bite in bites(clean(sentence), language)]
    return [kana(text) if language == "ja" else text for text in texts]


@needs_extra
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_word_of_twenty_sentences_is_sounded_in_its_own_language(phonemes, language):
    assert len(SENTENCES[language]) == 20
    for sentence in SENTENCES[language]:
        for text in read(sentence, language):
            said = phonemes(text, language)
            assert not re.search(r"\([a-z]{2,3}\)", said), f"{text}: {said} is said in another language"
            for word in text.split():
                if any(unicodedata.category(each)[0] in "LN" for each in word):
                    assert re.search(r"\w", phonemes(word, language)), f"{word!r} of {sentence!r} is passed over"
            if language == "zh":
                characters = sum("\u4e00" <= each <= "\u9fff" for each in text)
                assert len(re.findall(r"[1-5ɜ]", said)) >= 0.9 * characters, f"{text}: {said}"


@needs_extra
def test_every_sentence_has_a_sound_about_as_long_as_its_phonemes(phonemes):
    espeak = Espeak()
    try:
        for language, sentences in SENTENCES.items():
            for sentence in sentences[::4]:
                for text in read(sentence, language):
                    count = len(re.findall(r"\w", phonemes(text, language)))
                    duration = len(espeak.speak(text, language)) / 24_000
                    assert 0.03 < duration / count < 0.4, text
    finally:
        espeak.close()


@pytest.mark.parametrize(
    ("language", "text", "written"),
    [
        ("es", "Hubo -4 °C.", "Hubo menos 4 grados Celsius."),
        ("ru", "было -4 °C", "было минус 4 градусов Цельсия"),
        ("ru", "2,5 кг и 30 см", "2,5 килограмм и 30 сантиметров"),
        ("zh", "3.50元，25%", "3点50元，百分之25"),
        ("zh", "1/3", "3分之1"),
        ("ko", "2.5kg이고 25%가", "2 점 5 킬로그램이고 25 퍼센트가"),
        ("pt", "por R$ 3,50.", "por 3,50 reais."),
        ("en", "a 5-4 win, Covid-19, 30 cm, 3 cmd", "a 5-4 win, Covid-19, 30 centimeters, 3 cmd"),
        ("ja", "-4", "マイナス4"),
    ],
)
def test_what_a_speaker_passes_over_is_written_out_and_the_rest_is_left(language, text, written):
    assert written_out(text, language) == written


def test_a_german_date_is_one_sentence():
    assert [bite.text for bite in bites("Am 3. Mai kam er. Er hat 12.", "de")] == ["Am 3. Mai kam er.", "Er hat 12."]
    assert len(bites("He had 3. Then he left us.", "en")) == 2
