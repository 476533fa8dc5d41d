"""A voice may be named in any way a person has it at hand, and a table of none has the columns of a full one."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from vcnb.errors import ServiceUnreachableError, SettingsError
from vcnb.protocol.voice import Voice
from vcnb.workflow.voices import COLUMNS, delete, frame, voice_of, voices_of

MODEL = "qwen3-tts-vc-2026-01-22"
ID = "qwen-tts-vc-guanyu-voice-20250812105009984-838b"
FIRST = Voice(ID, MODEL, "guanyu", "en", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "practice")
SECOND = Voice("another", "qwen3-tts-vc-realtime-2026-01-15", region="practice")


def test_a_table_without_voices_has_the_same_columns_and_types():
    full, empty = frame([FIRST, SECOND]), frame([])
    assert list(full.columns) == list(empty.columns) == list(COLUMNS)
    assert list(full.dtypes) == list(empty.dtypes)
    assert len(empty) == 0


def test_a_row_tells_what_the_voice_is():
    row = frame([FIRST, SECOND]).iloc[0]
    assert row["voice"] == ID
    assert (row["target_model"], row["transport"], row["language"]) == (MODEL, "http", "en")
    assert row["created_at"].isoformat() == "2026-01-02T03:04:05+00:00"


@pytest.mark.parametrize("how", ["voice", "row", "table", "mapping"])
def test_whatever_names_a_voice_keeps_its_model(how):
    table = frame([FIRST, SECOND])
    named = {
        "voice": FIRST,
        "row": table.iloc[0],
        "table": table[table["language"] == "en"],
        "mapping": dict(table.iloc[0]),
    }
    found = voice_of(named[how], region="practice")
    assert (found.voice, found.target_model, found.preferred_name) == (ID, MODEL, "guanyu")


def test_an_id_alone_leaves_the_model_open():
    found = voice_of(f" {ID}\n", region="practice")
    assert (found.voice, found.target_model, found.preferred_name) == (ID, "", "guanyu")


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ("Cherry", "system voice"),
        ("Chelsie", "system voice"),
        ("", "empty"),
        (frame([FIRST, SECOND]), "2 voices"),
        (frame([]), "0 voices"),
        (7, "names no voice"),
        (None, "names no voice"),
        (Voice(ID, MODEL, region="singapore"), "lives in region 'singapore'"),
    ],
)
def test_what_names_no_usable_voice_is_refused(named, said):
    with pytest.raises(SettingsError, match=said):
        voice_of(named, region="practice")


def test_many_are_named_by_a_list_or_a_table_and_each_counts_once():
    table = frame([FIRST, SECOND])
    for named in (table, [FIRST, "another", FIRST], [ID, table.iloc[1], ID], iter([FIRST, SECOND])):
        assert [each.voice for each in voices_of(named)] == [ID, "another"]
    assert [each.voice for each in voices_of(table.iloc[0])] == [ID]
    assert voices_of(frame([])) == []


def test_when_deleting_breaks_off_the_error_names_what_is_gone():
    class Client:
        def delete(self, voice):
            if voice == "b":
                raise ServiceUnreachableError("no line", remedy="try again")

    known = {"a": FIRST, "b": SECOND}
    with pytest.raises(ServiceUnreachableError) as caught:
        delete(Client(), ["a", "b", "c"], forget=known)
    assert caught.value.remedy == "try again; deleted before it: a"
    assert set(known) == {"b"}
