"""What makes the engine small changes nothing of what it says."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vcnb.practice.engines.frugal import Table, give_back, lighten, one_heap, without


@pytest.fixture(scope="module")
def hibari() -> Any:
    return pytest.importorskip("hibari").Hibari(threads=1)


def test_a_table_answers_as_the_dictionary_does() -> None:
    entries = {"read": {"VBD": "ɹˈɛd", "DEFAULT": "ɹˈid"}, "a": "ɐ", "é": "", "ab": [1, -2.5], "aa": {}}
    table = Table(entries)
    assert {key: table.get(key) for key in entries} == entries
    assert [table.get(key) for key in ("", "A", "aaa", "z", "e")] == [None] * 5
    assert Table({}).get("a") is None


def test_a_lighter_voice_reads_and_sounds_the_same(hibari: Any, data_dir: Path) -> None:
    page = json.loads((data_dir / "english_sentences.json").read_text(encoding="utf-8"))
    texts = [each["text"] for each in page["sentences"]] + ["He read the zyxwvut record; they'll record it live."]
    before = [hibari.phonemize(text) for text in texts], hibari(texts[0], seed=0)
    assert isinstance(hibari.g2p.tagger.weights, dict)
    lighten(hibari)
    for held in (hibari.g2p.tagger.weights, hibari.g2p.lexicon.golds.d, hibari.g2p.lexicon.silvers.d):
        assert isinstance(held, Table)
    assert not hibari.sess.get_session_options().enable_cpu_mem_arena
    assert [hibari.phonemize(text) for text in texts] == before[0]
    assert np.array_equal(hibari(texts[0], seed=0), before[1])


def test_a_module_is_hidden_from_one_import_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)
    with without("colorsys"), pytest.raises(ImportError):
        import colorsys
    import colorsys

    with without("colorsys"):
        assert sys.modules["colorsys"] is colorsys


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's allocator")
def test_freed_memory_goes_back_to_the_system() -> None:
    def resident() -> int:
        with open("/proc/self/statm") as statm:
            return int(statm.read().split()[1]) * 4096

    one_heap()
    pieces = [bytearray(100_000) for _ in range(1000)]
    full = resident()
    keep = pieces[-1]  # what lies on top of the heap must not hold what lies under it
    del pieces
    give_back()
    assert full - resident() > 60_000_000
    assert len(keep) == 100_000


@pytest.mark.skipif(sys.platform != "linux", reason="Linux's madvise")
def test_a_library_that_was_put_aside_still_works() -> None:
    pytest.importorskip("lindera")
    program = """
from pathlib import Path
from vcnb.practice.engines import frugal, japanese

def held():
    name, total = "", 0
    for line in Path("/proc/self/smaps").read_text().splitlines():
        fields = line.split()
        if "-" in fields[0]:
            name = fields[-1]
        elif fields[0] == "Rss:" and "lindera" in name:
            total += int(fields[1])
    return total

japanese.put_aside = lambda: None
first = japanese.kana("兄は電車で学校へ行く")
before = held()
frugal.put_aside()
after = held()
assert japanese.kana("兄は電車で学校へ行く") == first
print(before, after)
"""
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    before, after = map(int, told.stdout.split())
    assert before > 10_000 > 3 * after
