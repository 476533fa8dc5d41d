"""Everything that is written is sounded: figures, dates, units and every word of two hundred sentences."""

from __future__ import annotations

import ctypes
import json
import os
import re
import sys
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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


@contextmanager
def reported() -> Iterator[Callable[[str, str], str]]:
    """What espeak-ng reports that it would say."""
    library = ctypes.CDLL(str(_folder() / _LIBRARIES.get(sys.platform, "libespeak-ng.so")))
    library.espeak_Initialize(1, 0, os.fsencode(_folder() / "espeak-ng-data"), DONT_EXIT)
    library.espeak_TextToPhonemes.restype = ctypes.c_char_p

    def phonemes(text: str, language: str) -> str:
        library.espeak_SetVoiceByName(_VOICES[language].encode())
        rest, said = ctypes.pointer(ctypes.c_char_p(text.encode())), []
        while rest.contents.value:
            said.append((library.espeak_TextToPhonemes(rest, UTF8, IPA) or b"").decode())
        return " ".join(said).strip()

    yield phonemes
    library.espeak_Terminate()


@pytest.fixture(scope="module")
def phonemes() -> Iterator[Callable[[str, str], str]]:
    with reported() as told:
        yield told


def read(sentence: str, language: str) -> list[str]:
    texts = [written_out(bite.text, bite.language) for bite in bites(clean(sentence), language)]
    return [kana(text) if language == "ja" else text for text in texts]


def unsounded(sentence: str, language: str, phonemes: Callable[[str, str], str]) -> list[str]:
    """What of a sentence is said in another language, passed over, or has fewer tones than it has characters."""
    found = []
    for text in read(sentence, language):
        said = phonemes(text, language)
        if re.search(r"\([a-z]{2,3}\)", said):
            found.append(f"{text}: {said}")
        words = [word for word in text.split() if any(unicodedata.category(each)[0] in "LN" for each in word)]
        found += [word for word in words if not re.search(r"\w", phonemes(word, language))]
        characters = sum("\u4e00" <= each <= "\u9fff" for each in text) if language == "zh" else 0
        if len(re.findall(r"[1-5ɜ]", said)) < 0.9 * characters:
            found.append(f"{text}: {said}")
    return found


@needs_extra
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_word_of_twenty_sentences_is_sounded_in_its_own_language(phonemes, language):
    assert len(SENTENCES[language]) == 20
    assert [word for sentence in SENTENCES[language] for word in unsounded(sentence, language, phonemes)] == []


def test_what_is_passed_over_is_found():
    assert unsounded("Hallo Welt", "de", lambda *_: "halo") == []
    assert unsounded("Hallo Welt", "de", lambda text, _: "" if text == "Welt" else "halo") == ["Welt"]
    assert unsounded("Hallo Welt", "de", lambda *_: "(en)hello(de)") == ["Hallo Welt: (en)hello(de)"]
    assert unsounded("早上好", "zh", lambda *_: "tsau2") == ["早上好: tsau2"]


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
        ("ja", "7:45に¥350", "7時45分に350円"),
        ("de", "am 3. Mai, der 2. Versuch, 7. Juli", "am dritten Mai, der zweite Versuch, siebter Juli"),
        ("de", "das 21. und das 16. Jahrhundert", "das einundzwanzigste und das sechzehnte Jahrhundert"),
        ("de", "Er hat 12. Sie hat 3.", "Er hat 12. Sie hat 3."),
        ("de", "am 03.05.2024 um 7:45 Uhr", "am dritten Mai 2024 um 7:45"),
        ("de", "z. B. Nr. 5, ca. 3/4 davon", "zum Beispiel Nummer 5, circa drei Viertel davon"),
        ("de", "100 km/h, 500 m, 10 m², 3 m/s", "100 Kilometer pro Stunde, 500 Meter, 10 Quadratmeter, 3 m/s"),
        ("fr", "le 1er, la 1ère, le 2e, 7 h 45", "le premier, la première, le deuxième, 7 heures 45"),
        ("fr", "M. Noir, le 14/07/1789", "Monsieur Noir, le 14 juillet 1789"),
        ("es", "el 1º piso, la 3ª vez, 2º", "el primer piso, la tercera vez, segundo"),
        ("it", "il 2° piano, 20 °C, 20° C", "il secondo piano, 20 gradi Celsius, 20° C"),
        ("pt", "3ª vez às 18h30", "terceira vez às 18 horas e 30"),
        ("ru", "2-й, 3-я, 3-го, № 5", "второй, третья, третьего, номер 5"),
        ("zh", "2024-05-03 7:45", "二零二四年5月3日 7点45分"),
        ("ko", "7:45에 3개, 2시간, 13명, 3개월", "일곱 시 45분에 세 개, 두 시간, 13명, 3개월"),
        ("en", "2024-05-03, 13/14/2015, 2024-13-01", "3 May 2024, 13/14/2015, 2024-13-01"),
    ],
)
def test_what_a_speaker_passes_over_is_written_out_and_the_rest_is_left(language, text, written):
    assert written_out(text, language) == written


def test_a_german_date_is_one_sentence():
    assert [bite.text for bite in bites("Am 3. Mai kam er. Er hat 12.", "de")] == ["Am 3. Mai kam er.", "Er hat 12."]
    assert len(bites("He had 3. Then he left us.", "en")) == 2
