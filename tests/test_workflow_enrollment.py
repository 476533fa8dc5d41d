"""A voice is made once, whatever was there before and whatever is lost on the way."""

from __future__ import annotations

import re
import sqlite3
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from vcnb.audio.samples import samples
from vcnb.client.enrollment import EnrollmentClient
from vcnb.errors import (
    AudioRejectedError,
    CancelledError,
    LibraryError,
    OutcomeUnknownError,
    ServiceUnreachableError,
    SettingsError,
)
from vcnb.library.intents import Intent, Intents, Stamp
from vcnb.protocol.voice import Voice
from vcnb.settings import Settings
from vcnb.workflow.account import Account
from vcnb.workflow.clock import elapsed
from vcnb.workflow.connecting import connect
from vcnb.workflow.connection import Connection
from vcnb.workflow.intending import Adopt, Ask, Choose, Look, Post, Seen, Wanted, begin, next_step
from vcnb.workflow.money import Purse
from vcnb.workflow.sending import Manner
from vcnb.workflow.unsure import Unsure

HTTP, REALTIME = "qwen3-tts-vc-2026-01-22", "qwen3-tts-vc-realtime-2026-01-15"
CONSENT = "the speaker gave it to everybody"
KATHLEEN = samples()["kathleen_en"]
WANTED = Wanted("account", HTTP, "guanyu", "0" * 64, None, "en", "me")
EXACT = replace(WANTED, name="sixteen_letters_", exact=True)
FAST = Manner(False, settle=0.3, lease=1.0, pause=0.1)  # the hosted one, in less time


@pytest.fixture
def account(practice, tmp_path):
    with connect(base_url=practice.base_url, api_key=practice.api_key, data=tmp_path) as found:
        yield found


@pytest.fixture
def hosted(practice, tmp_path, monkeypatch):
    """Accounts that believe they are paid ones, each like a process of its own; they are patient for 0.3 s."""
    monkeypatch.setattr("vcnb.workflow.sending.UPLOAD_SPEED", 1e9)
    opened = []

    def another(limit=None, folder=tmp_path, settle=0.3):
        manner = replace(FAST, settle=settle)
        monkeypatch.setattr("vcnb.workflow.enrolling.Manner.of", lambda region: manner)
        settings = Settings("singapore", practice.base_url, practice.api_key, None, folder)
        opened.append(Account(Connection(settings), Purse(limit)))
        return opened[-1]

    yield another
    for each in opened:
        each.close()


def enroll(account, name="guanyu", **options):
    return account.enroll(KATHLEEN, **{"preferred_name": name, "consent": CONSENT, "language": "en"} | options)


def voice_called(preferred_name, number=0, model=HTTP):
    at = datetime(2026, 1, 1, 0, 0, number, tzinfo=UTC)
    return Voice(
        f"qwen-tts-vc-{preferred_name}-voice-2026010100000{number}000-0000", model, preferred_name, created_at=at
    )


THERE = voice_called("sixteen_letters_")


def intent(wanted=WANTED, **changed):
    words = (wanted.target_model, wanted.name, wanted.preferred_name(0), wanted.exact, wanted.clip_sha256)
    made = Intent("id", "account", wanted.key(0), wanted.key(0), 0, *words, None, "en", "me", 0.0)
    return replace(made, **changed)


# What a name says


def test_the_name_on_the_wire_follows_from_the_request_and_from_nothing_else():
    assert re.fullmatch("guanyu_[0-9a-z]{6}", WANTED.preferred_name(0))
    assert len(replace(WANTED, name="kathleen_and_all").preferred_name(0)) == 16
    same = replace(WANTED, account="another", consent="somebody else", clip="clip")
    assert same.preferred_name(0) == WANTED.preferred_name(0)
    other = [
        replace(WANTED, target_model=REALTIME),
        replace(WANTED, clip_sha256="1" * 64),
        replace(WANTED, transcript="words"),
        replace(WANTED, language=None),
        replace(WANTED, name="guanyu2"),
    ]
    keys = {WANTED.key(0), WANTED.key(1), *(each.key(0) for each in other)}
    assert len(keys) == 7
    assert EXACT.preferred_name(5) == "sixteen_letters_"


@pytest.mark.parametrize(
    "shape",
    ["qwen-tts-vc-{}-voice-20260101000000000-00ff", "qwen-tts-vc-{}-voice-7", "vc.{}.beijing"],
)
@pytest.mark.parametrize("changed", [str, str.upper, lambda name: name.replace("_", ""), lambda n: n.replace("_", "-")])
def test_a_voice_is_found_by_its_name_also_where_the_service_writes_it_otherwise(shape, changed):
    name = WANTED.preferred_name(0)
    seen = Seen([Voice(shape.format(changed(name))), voice_called("guanyu_aaaaaa")], 0.0)
    assert [each.voice for each in seen.bearing(name, HTTP, exact=False)] == [seen.voices[0].voice]


# What is done next


def test_a_request_begins_where_it_stands():
    name = WANTED.preferred_name
    fresh = {"again": False, "fresh": lambda row: False}
    empty = Seen([], 0.0)
    assert begin(WANTED, [], empty, **fresh).counter == 0
    assert begin(WANTED, [], Seen([voice_called(name(0))], 0.0), **fresh).voice.preferred_name == name(0)
    assert begin(WANTED, [], Seen([voice_called(name(3))], 0.0), **fresh).counter == 3, "found without any record"
    assert begin(WANTED, [], Seen([voice_called(name(3))], 0.0), **fresh | {"again": True}).counter == 4
    done = intent(state="done", voice="v")
    assert begin(WANTED, [done], Seen([Voice("v")], 0.0), **fresh).intent == done
    assert begin(WANTED, [done], Seen([Voice("v")], 0.0), **fresh | {"again": True}).counter == 1
    deleted = begin(WANTED, [done], empty, **fresh)
    assert (deleted.intent, deleted.counter, deleted.gone) == (None, 1, ("v",))
    assert begin(WANTED, [done], empty, again=False, fresh=lambda row: True).intent == done, "the list may be behind"
    gone = intent(state="gone", voice="v")
    assert begin(WANTED, [gone], Seen([voice_called(name(0))], 0.0), **fresh).counter == 1, "a list that is behind"
    unsure = intent(state="posted")
    assert begin(WANTED, [done, unsure], empty, **fresh | {"again": True}).intent == unsure
    assert begin(WANTED, [intent(state="failed")], empty, **fresh).counter == 0


@pytest.mark.parametrize(
    ("wanted", "state", "seen", "options", "step"),
    [
        (WANTED, "planned", None, {}, Look),
        (WANTED, "planned", Seen([], 0.0), {}, Post),
        (WANTED, "planned", Seen([voice_called(WANTED.preferred_name(0))], 0.0), {}, Adopt),
        (WANTED, "posted", None, {}, Look),
        (WANTED, "posted", Seen([voice_called(WANTED.preferred_name(0))], 0.0), {}, Adopt),
        (WANTED, "posted", Seen([voice_called(WANTED.preferred_name(0), model=REALTIME)], 0.0), {}, Look),
        (WANTED, "posted", Seen([], 9.0), {}, Look),
        (WANTED, "posted", Seen([], 10.0), {}, Look),
        (WANTED, "posted", Seen([], 10.1), {}, Ask),
        (WANTED, "posted", Seen([], 10.1), {"may_repeat": True}, Post),
        (WANTED, "posted", Seen([], 9.9), {"may_repeat": True}, Look),
        (EXACT, "planned", Seen([voice_called("sixteen_letters_")], 0.0), {}, Post),
        (EXACT, "posted", Seen([voice_called("sixteen_letters_")], 0.0), {}, Adopt),
        (EXACT, "posted", Seen([voice_called("sixteen_letters_", n) for n in (0, 1)], 0.0), {}, Choose),
        (EXACT, "posted", Seen([voice_called("sixteen_letters_")], 0.0), {"rivals": True}, Choose),
        (EXACT, "posted", Seen([voice_called("sixteen_letters_")], 0.0), {"taken": {THERE.voice}}, Look),
    ],
)  # fmt: skip
def test_what_is_done_next_follows_from_the_record_and_the_list(wanted, state, seen, options, step):
    found = next_step(intent(wanted, state=state), seen, **{"quiet_at": 10.0, "may_repeat": False} | options)
    assert type(found) is step


def test_the_earliest_of_several_is_taken_and_the_others_are_left_alone():
    name = WANTED.preferred_name(0)
    late, early = voice_called(name, 5), voice_called(name, 1)
    found = next_step(intent(state="posted"), Seen([late, early], 0.0), quiet_at=0.0, may_repeat=False)
    assert found == Adopt(early, (late,))


def test_a_voice_that_was_there_before_is_not_taken_for_an_exact_one():
    before, new = voice_called("sixteen_letters_", 1), voice_called("sixteen_letters_", 2)
    posted = intent(EXACT, state="posted", known=(before.voice,))
    found = next_step(posted, Seen([before, new], 0.0), quiet_at=0.0, may_repeat=False)
    assert found == Adopt(new)


def test_a_clock_that_was_set_tells_nothing():
    assert elapsed(Stamp(100.0, 5.0), Stamp(130.0, 5.2)) == 30.0
    assert elapsed(Stamp(100.0, 5.0), Stamp(3700.0, 3605.0)) is None
    assert elapsed(Stamp(100.0, 5.0), Stamp(-3500.0, -3595.0)) is None
    assert elapsed(Stamp(100.0, 5.0), Stamp(100.0 + 90_000, 17.0)) == 90_000, "a day is longer than a clock is set by"


# What a person gets


def test_the_same_request_gives_the_voice_that_exists(account, practice):
    first = enroll(account)
    assert (first.name, first.consent) == ("guanyu", CONSENT)
    assert re.fullmatch("guanyu_[0-9a-z]{6}", first.preferred_name)
    assert enroll(account).voice == first.voice
    second = enroll(account, again=True)
    assert second.voice != first.voice
    assert enroll(account).voice == second.voice
    assert practice.counters()["creations"] == 2
    assert account.voices().set_index("voice")["name"].to_dict() == {first.voice: "guanyu", second.voice: "guanyu"}


def test_a_library_that_is_lost_costs_nothing(account, practice, hosted, tmp_path):
    made = enroll(account)
    elsewhere = hosted(limit=0.01, folder=tmp_path / "new")
    assert enroll(elsewhere).voice == made.voice
    assert elsewhere.spent == 0
    assert practice.counters()["creations"] == 1


def test_a_deleted_voice_is_made_anew_under_another_name(account, practice):
    first = enroll(account)
    account.delete(first)
    second = enroll(account)
    assert second.preferred_name != first.preferred_name
    assert practice.counters()["creations"] == 2


def test_several_models_are_one_recording_and_one_price_each(hosted, practice):
    account = hosted(limit=0.02)
    made = enroll(account, target_model=[HTTP, REALTIME])
    assert account.spent == pytest.approx(0.02)
    same = enroll(account, target_model=[HTTP, REALTIME])  # the limit does not stand in the way of what is there
    assert {model: voice.voice for model, voice in same.items()} == {m: voice.voice for m, voice in made.items()}
    assert practice.counters()["creations"] == 2


def test_an_exact_name_is_sent_letter_for_letter_and_found_by_being_new(account, practice):
    practice.voice(name="sixteen_letters_")
    practice.fault("reset_after", "create")
    made = enroll(account, "sixteen_letters_", exact_name=True)
    assert made.preferred_name == "sixteen_letters_"
    assert enroll(account, "sixteen_letters_", exact_name=True).voice == made.voice
    assert practice.counters()["creations"] == 2


def test_an_exact_name_that_fits_two_is_asked_about(hosted, practice, monkeypatch):
    account, client = hosted(), EnrollmentClient.create
    elsewhere = []

    def lost(self, **options):
        elsewhere.append(practice.voice(name="sixteen_letters_"))
        practice.fault("reset_after", "create")
        return client(self, **options)

    monkeypatch.setattr(EnrollmentClient, "create", lost)
    with pytest.raises(OutcomeUnknownError) as caught:
        enroll(account, "sixteen_letters_", exact_name=True)
    candidates = {each.voice for each in caught.value.candidates}
    assert len(candidates) == 2
    assert elsewhere[0] in candidates
    assert [each.id for each in account.unsettled()] == [caught.value.intent.id]
    (ours,) = candidates - set(elsewhere)
    with pytest.raises(SettingsError, match="is not what"):
        account.settle(caught.value.intent, voice="qwen-tts-vc-guanyu-voice-20250812105009984-838b")
    assert account.settle(caught.value.intent, voice=ours).name == "sixteen_letters_"
    assert enroll(account, "sixteen_letters_", exact_name=True).voice == ours
    assert account.unsettled() == []
    assert practice.counters()["create"] == 1


def test_the_practice_service_is_asked_again_when_nothing_can_come_any_more(account, practice):
    practice.fault("reset", "create")
    told = []
    made = enroll(account, progress=lambda step, share: told.append(step))
    assert practice.counters()["create"] == 2
    assert practice.counters()["creations"] == 1
    assert any(isinstance(step, Unsure) and step.name == "guanyu" for step in told)
    assert [each.voice for each in account.list_voices()] == [made.voice]


def test_the_hosted_service_is_asked_again_only_by_hand(hosted, practice):
    practice.fault("reset", "create")
    account = hosted(limit=0.01)
    with pytest.raises(OutcomeUnknownError, match="shows no such voice") as caught:
        enroll(account)
    assert "retry=True" in caught.value.remedy
    assert account.spent == 0.01, "it may have been billed"
    with pytest.raises(OutcomeUnknownError):
        enroll(account)
    assert practice.counters()["create"] == 1
    made = enroll(account, retry=True)
    assert account.spent == 0.01, "and was not"
    assert practice.counters()["create"] == 2
    assert account.money().attrs["total"] == pytest.approx(0.01)
    assert account.unsettled() == []
    assert enroll(account).voice == made.voice


def test_an_outcome_is_found_out_from_what_is_kept_after_the_process_is_gone(hosted, practice):
    practice.fault("reset", "create")
    before = hosted()
    with pytest.raises(OutcomeUnknownError):
        enroll(before)
    before.close()
    after = hosted()
    after.take_up()
    assert any("guanyu may exist" in note and "cannot be charged twice" in note for note in after.notes)
    (left,) = after.unsettled()
    with pytest.raises(OutcomeUnknownError):
        after.settle(left)
    made = after.settle(left, retry=True)
    assert (made.name, made.consent) == ("guanyu", CONSENT)
    assert practice.counters()["creations"] == 1
    assert after.reference(made).source.sha256 == left.clip_sha256


def test_what_came_of_nothing_can_be_let_be(hosted, practice):
    practice.fault("reset", "create")
    account = hosted()
    with pytest.raises(OutcomeUnknownError) as caught:
        enroll(account)
    account.give_up(caught.value.intent)
    assert account.unsettled() == []
    enroll(account)
    assert practice.counters()["creations"] == 1


def test_nothing_is_let_be_while_a_voice_may_come_of_it(hosted, practice):
    practice.fault("reset", "create")
    practice.fault("error", "list", code="InvalidApiKey", status=401, times=None, skip=2)
    stop = threading.Event()
    with pytest.raises(OutcomeUnknownError, match="stopped") as caught:
        enroll(hosted(settle=60.0), cancel=stop, progress=lambda step, _share: isinstance(step, Unsure) and stop.set())
    practice.ask("DELETE", "/practice/faults")
    with pytest.raises(SettingsError, match="may still come"):
        hosted().give_up(caught.value.intent)


def test_a_refusal_is_remembered_and_may_be_mended(account, practice):
    practice.fault("music", "create")
    with pytest.raises(AudioRejectedError):
        enroll(account)
    assert [each.state for each in of_guanyu(account)] == ["failed"]
    enroll(account)
    assert practice.counters()["creations"] == 1


def test_what_was_not_sent_may_be_asked_for_again(account, practice, monkeypatch):
    def refused(self, **options):
        raise ServiceUnreachableError("nobody listens there")

    with monkeypatch.context() as patched:
        patched.setattr(EnrollmentClient, "create", refused)
        with pytest.raises(ServiceUnreachableError):
            enroll(account)
    assert [each.state for each in of_guanyu(account)] == ["planned"]
    enroll(account)
    assert practice.counters()["creations"] == 1


def test_when_the_last_byte_left_is_on_record_before_the_answer(hosted, practice):
    practice.fault("slow", "create")
    account = hosted(settle=60.0)
    asking = threading.Thread(target=enroll, args=(account,))
    asking.start()
    try:
        (posted,) = until(lambda: [each for each in of_guanyu(account) if each.sent_at])
        assert posted.state == "posted"
        assert posted.posted_at <= posted.sent_at
        until(lambda: practice.counters()["create"])  # it waits there: what is released before it comes is not
        assert practice.counters()["creations"] == 0
    finally:
        practice.release()
        asking.join(30)
    assert practice.counters()["creations"] == 1


def test_one_that_lost_its_intent_stops_sending(hosted, practice):
    practice.fault("slow", "create")  # and is never released: only a line that is shut ends it
    account, ended = hosted(), []

    def ask():
        with pytest.raises(OutcomeUnknownError) as caught:
            enroll(account)
        ended.append(caught.value)

    asking = threading.Thread(target=ask)
    asking.start()
    intents = Intents(account._shelf.store)
    until(lambda: practice.counters()["create"])
    until(lambda: intents.hold(of_guanyu(account)[0], "thief", Stamp(0.0, 0.0)))
    intents.let_go(replace(of_guanyu(account)[0], owner="thief"))
    asking.join(30)
    assert [type(each) for each in ended] == [OutcomeUnknownError]
    counted = practice.counters()
    assert (counted["create"], counted["creations"]) == (1, 0)


def test_two_that_ask_at_once_get_one_voice(account, practice, tmp_path):
    practice.fault("slow", "create", seconds=0.3)
    other = connect(base_url=practice.base_url, api_key=practice.api_key, data=tmp_path)
    got, told = [], []

    def ask(which):
        got.append(enroll(which, progress=lambda step, share: told.append(step)).voice)

    threads = [threading.Thread(target=ask, args=(each,)) for each in (account, other, account)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    other.close()
    assert len(got) == 3
    assert len(set(got)) == 1
    assert practice.counters()["creations"] == 1
    assert any("from elsewhere" in step or "exists already" in step for step in told)


def test_waiting_for_another_can_be_stopped(account, practice):
    practice.fault("slow", "create")
    first = threading.Thread(target=enroll, args=(account,))
    first.start()
    stop = threading.Event()
    try:
        until(lambda: practice.counters()["create"])
        with pytest.raises(CancelledError):
            enroll(account, cancel=stop, progress=lambda step, _: "from elsewhere" in step and stop.set())
    finally:
        practice.release()
        first.join(20)
    assert practice.counters()["creations"] == 1


def test_what_cannot_be_written_down_is_not_sent(account, practice, tmp_path):
    account.voices()
    other = sqlite3.connect(tmp_path / "library.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    account._shelf.store._db.execute("PRAGMA busy_timeout=100")
    with pytest.raises(LibraryError):
        enroll(account)
    assert practice.counters()["create"] == 0
    other.execute("ROLLBACK")
    other.close()
    enroll(account)
    assert practice.counters()["creations"] == 1


def test_a_voice_that_is_paid_is_given_also_where_it_cannot_be_written_down(account, practice, monkeypatch):
    account.voices()
    write, told = Intents.write, []

    def full(self, changed):
        if changed.state == "done":
            raise LibraryError("The disk is full.")
        return write(self, changed)

    with monkeypatch.context() as patched:
        patched.setattr(Intents, "write", full)
        made = enroll(account, progress=lambda step, share: told.append(step))
    assert any("could not be written down" in step for step in told)
    assert enroll(account).voice == made.voice
    assert practice.counters()["creations"] == 1


def until(condition, limit=30.0):
    deadline = time.monotonic() + limit
    while not (found := condition()):
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.005)
    return found


def of_guanyu(account):
    rows = account._shelf.store.rows("SELECT id FROM intents WHERE name = 'guanyu'")
    return [Intents(account._shelf.store).find(row["id"]) for row in rows]
