"""A voice may be named in any way a person has it at hand, and the table joins what service and library know."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest

from vcnb.errors import SettingsError
from vcnb.library import voices as library
from vcnb.library.accounts import Place, new_account
from vcnb.library.opening import open_store
from vcnb.protocol.voice import Voice
from vcnb.workflow.voices import COLUMNS, frame, plain, voice_of, voices_of

MODEL = "qwen3-tts-vc-2026-01-22"
ID = "qwen-tts-vc-guanyu-voice-20250812105009984-838b"
FIRST = Voice(ID, MODEL, "guanyu", "en", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "practice")
SECOND = Voice("another", "qwen3-tts-vc-realtime-2026-01-15", region="practice")
HOSTILE = "<img src=x onerror=alert(1)> '; DROP TABLE voices; -- \x1b[2J \u202egnp.exe \x00 שלום" + "x" * 10_000


@pytest.fixture
def store(tmp_path):
    found = open_store(tmp_path)
    yield found
    found.close()


def known(store, *voices):
    account = new_account(store, Place("practice"))
    for voice in voices:
        library.keep_voice(store, account, voice, clip=None, consent="Guan Yu agreed")
    return account


@pytest.mark.parametrize("voices", [[], [FIRST], [FIRST, SECOND]])
def test_columns_and_types_do_not_depend_on_the_rows(voices):
    table = frame(voices, region="practice")
    assert {name: str(kind) for name, kind in table.dtypes.items()} == {
        name: str(pd.Series([], dtype=kind).dtype) for name, kind in COLUMNS.items()
    }
    assert list(table["voice"]) == [voice.voice for voice in voices]
    assert (table.attrs["used"], table.attrs["free"]) == (len(voices), 1_000 - len(voices))


def test_a_row_says_who_speaks_and_how():
    (row,) = plain(frame([FIRST]))
    assert (row["target_model"], row["kind"], row["language"]) == (MODEL, "http", "en")
    assert row["created_at"] == FIRST.created_at
    assert row["age"] == (datetime.now(UTC) - FIRST.created_at).days
    assert row["state"] == "only there"


def test_the_table_joins_what_the_library_knows(store):
    account = known(store, FIRST)
    library.describe(store, account, ID, label="the general", note="deep")
    (row,) = plain(frame([FIRST], library.overview(store, account)))
    assert (row["label"], row["note"], row["consent"], row["state"]) == (
        "the general", "deep", "Guan Yu agreed", "here and there",
    )  # fmt: skip


def test_a_voice_that_is_gone_at_the_service_stays_with_its_story_and_comes_last(store):
    account = known(store, FIRST)
    library.see(store, account, [SECOND, Voice("only seen once")])
    rows = plain(frame([SECOND], library.overview(store, account), region="practice"))
    assert [(row["voice"], row["state"]) for row in rows] == [("another", "only there"), (ID, "only here: deleted")]
    assert rows[1]["days_left"] is None


@pytest.mark.parametrize(("unused", "left"), [(0, 365), (364, 1), (365, 0), (400, -35)])
def test_days_until_the_deletion_count_from_the_last_use(store, unused, left):
    old = Voice("old", MODEL, created_at=datetime.now(UTC) - timedelta(days=500))
    account = known(store, old)
    used = (datetime.now(UTC) - timedelta(days=unused, hours=1)).isoformat()
    with store.transaction() as db:
        db.execute("UPDATE voices SET last_used_at = ?", (used,))
    assert frame([old], library.overview(store, account))["days_left"][0] == left
    assert frame([old])["days_left"][0] == 365 - 500


def test_the_table_can_be_filtered_by_age_and_handed_back():
    now = datetime.now(UTC)
    voices = [Voice(f"v{days}", MODEL, created_at=now - timedelta(days=days)) for days in (299, 301, 500)]
    table = frame(voices, region="singapore")
    old = table[table.age > "300 days"]
    assert [voice.voice for voice in voices_of(old, region="singapore")] == ["v301", "v500"]
    assert old.quota() == "3 of 1,000 voices used, 997 free in singapore"


def test_the_table_shows_its_quota_and_every_hostile_string_as_text(store):
    account = known(store, FIRST)
    library.describe(store, account, ID, label=HOSTILE, note=HOSTILE)
    table = frame([FIRST], library.overview(store, account), region="practice")
    assert table["label"][0] == HOSTILE, "kept letter for letter"
    with pd.option_context("display.max_colwidth", None, "display.max_columns", None, "display.width", 100_000):
        drawn, said = table._repr_html_(), repr(table)
    assert "<img" not in drawn
    assert "&lt;img" in drawn
    for shown in (drawn, said):
        assert not set("\x1b\x00\u202e") & set(shown)
        assert "\\x1b[2J" in shown
        assert "\\u202egnp" in shown
        assert "1 of 1,000 voices used, 999 free in practice" in shown
    assert len(library.overview(store, account)) == 1


def test_every_way_to_name_a_voice_finds_it():
    table = frame([FIRST, SECOND])
    for named in (FIRST, ID, f" {ID} ", table.iloc[0], table[table["language"] == "en"], {"voice": ID}):
        found = voice_of(named, region="practice")
        assert (found.voice, found.preferred_name) == (ID, "guanyu")
        assert found.target_model == ("" if isinstance(named, str | dict) else MODEL)


@pytest.mark.parametrize(
    ("named", "said"),
    [
        (None, "names no voice"),
        (7, "names no voice"),
        ("", "empty"),
        ({"target_model": MODEL}, "empty"),
        (frame([FIRST, SECOND]), "2 voices, not one"),
        (frame([]), "0 voices, not one"),
        ("Cherry", "system voice"),
        (Voice("x", MODEL, region="beijing"), "lives in region 'beijing'"),
    ],
)
def test_what_names_no_voice_of_this_account_is_refused(named, said):
    with pytest.raises(SettingsError, match=said):
        voice_of(named, region="practice")


def test_several_are_taken_each_once_from_a_table_or_a_list():
    table = frame([FIRST, SECOND])
    assert [each.voice for each in voices_of(table)] == [ID, "another"]
    assert [each.voice for each in voices_of([FIRST, ID, SECOND])] == [ID, "another"]
    assert [each.voice for each in voices_of(iter([SECOND]))] == ["another"]
    assert voices_of(table[table["language"] == "fr"]) == []


def test_a_thousand_voices_are_joined_in_a_tenth_of_a_second(store):
    account = new_account(store, Place("singapore"))
    listed = [Voice(f"v{i}", MODEL, "name", "en", FIRST.created_at, "singapore") for i in range(1_000)]
    with store.transaction():
        for voice in listed:
            library.keep_voice(store, account, voice, clip=None, consent="They agreed")
    frame(listed[:1])  # pandas is loaded
    took = []
    for _ in range(5):
        began = time.process_time()  # another program on the machine is not measured
        table = frame(listed, library.overview(store, account), region="singapore")
        took.append(time.process_time() - began)
    assert len(table) == 1_000
    assert sorted(took)[2] < 0.1
