"""An intent belongs to one owner, is live once, and survives whatever its owner does not."""

from __future__ import annotations

import sqlite3
from dataclasses import replace

import pytest

from vcnb.errors import LibraryError
from vcnb.library.intents import Intent, Intents, Stamp
from vcnb.library.opening import open_store

NOW = Stamp(1000.0, 7.0)
HERS = Intent("id", "account", "key", "base", 0, "model", "ada", "ada_123456", False, "sha", None, "en", "me", 1.0)


@pytest.fixture
def store(tmp_path):
    with_it = open_store(tmp_path, patience=0.2)
    yield with_it
    with_it.close()


@pytest.fixture
def intents(store):
    return Intents(store)


def test_what_was_written_down_is_there_after_the_process_is_gone(tmp_path, intents):
    hers = replace(HERS, known=("x", "y"), exact=True, transcript="words", clip="clip", owner="she")
    intents.add(hers)
    posted = replace(hers, state="posted", attempt=1, posted_at=2.0, sent_at=3.0, sent_clock=4.0)
    assert intents.write(posted)
    again = open_store(tmp_path)
    assert Intents(again).of_request("account", "base") == [posted]
    assert Intents(again).unsettled("account") == [posted]
    assert posted.sent == Stamp(3.0, 4.0)
    assert Intents(again).unsettled("another") == []
    again.close()


def test_one_request_is_live_once_in_an_account(intents):
    intents.add(HERS)
    with pytest.raises(sqlite3.IntegrityError):
        intents.add(replace(HERS, id="second"))
    intents.add(replace(HERS, id="elsewhere", account="another"))
    assert intents.write(replace(HERS, state="done", voice="v"))
    with pytest.raises(sqlite3.IntegrityError):
        intents.add(replace(HERS, id="second"))
    intents.end("account", "v")
    intents.add(replace(HERS, id="second"))
    assert [each.state for each in intents.of_request("account", "base")] == ["gone", "planned"]


def test_only_the_owner_changes_it(intents):
    intents.add(replace(HERS, owner="she"))
    assert not intents.write(replace(HERS, owner="he", state="done", voice="v"))
    assert not intents.show_life(replace(HERS, owner="he"), NOW)
    intents.let_go(replace(HERS, owner="he"))
    assert intents.find("id").owner == "she"
    assert intents.hold(intents.find("id"), "he", NOW)
    assert not intents.write(replace(HERS, owner="she", state="done", voice="v"))
    assert intents.write(replace(HERS, owner="he", state="done", voice="v"))
    assert not intents.write(replace(HERS, owner="he", state="planned")), "what has ended stays so"


def test_of_two_that_take_it_over_at_once_one_has_it(intents):
    intents.add(replace(HERS, owner="dead", beat_at=1.0))
    seen = intents.find("id")
    assert intents.hold(seen, "left", NOW)
    assert not intents.hold(seen, "right", NOW)
    assert intents.find("id").owner == "left"


def test_an_owner_that_shows_life_is_not_taken_over(intents):
    intents.add(replace(HERS, owner="she", beat_at=1.0))
    seen = intents.find("id")
    assert intents.show_life(seen, NOW)
    assert not intents.hold(seen, "he", NOW)


def test_what_another_process_does_not_let_us_write_is_said(tmp_path, intents):
    other = sqlite3.connect(tmp_path / "library.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(LibraryError, match="cannot be used"):
        intents.add(HERS)
    other.execute("ROLLBACK")
    intents.add(HERS)
    other.close()
