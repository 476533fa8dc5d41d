"""The fault programme of the ledger: nothing lost, nothing paid twice, nothing stuck, whatever breaks.

Longer by command: ``python tests/benchmarks/ledger.py --schedules 5000 --mutants --kills 50`` and ``journeys.py
--schedules 5000``; a seed that fails is told step by step by ``--seed N``.
"""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from vcnb.audio.load import load
from vcnb.audio.samples import samples
from vcnb.errors import LibraryError, VoiceNotFoundError
from vcnb.workflow.account import Account
from vcnb.workflow.connection import Connection
from vcnb.workflow.money import Purse
from vcnb.workflow.sending import Manner

sys.path.insert(0, str(Path(__file__).parent / "benchmarks"))
import journeys
import ledger

CI_SEEDS = range(100)
HTTP = "qwen3-tts-vc-2026-01-22"
CONSENT = "the speaker gave it to everybody"


def test_a_hundred_schedules_lose_nothing_and_pay_nothing_twice():
    found = [ledger.schedule(seed) for seed in CI_SEEDS]
    assert [each for each in found if not each.holds(ledger.AS_SHIPPED)] == []
    assert sum(each.billed for each in found) == sum(each.wanted for each in found) == 400
    # The schedules are bad enough to mean something.
    assert sum(each.crashes for each in found) > 200
    assert sum(each.asked for each in found) > 100


def test_libraries_that_do_not_know_each_other_lose_nothing_either():
    found = [ledger.schedule(seed, ledger.APART) for seed in CI_SEEDS]
    assert [each for each in found if not each.holds(ledger.APART)] == []


@pytest.mark.parametrize("mutant", ledger.MUTANTS, ids=lambda mutant: mutant.name)
def test_the_programme_catches_a_ledger_that_is_broken(mutant):
    caught = ledger.caught_at(mutant, 200)
    assert caught is not None
    assert caught == ledger.schedule(caught.seed, mutant), "a seed repeats a schedule"


def test_twenty_journeys_with_deletions_restores_and_limits_lose_nothing_and_pay_nothing_twice():
    found = [journeys.journey(seed) for seed in range(20)]
    assert [each for each in found if not each.holds()] == []
    assert sum(each.crashes for each in found) > 50
    assert sum(each.limited for each in found) > 3


def test_journeys_catch_a_restore_that_takes_any_twin(monkeypatch):
    monkeypatch.setattr("vcnb.library.voices.others", lambda *_: frozenset())
    assert not all(journeys.journey(seed).holds() for seed in range(10))


@pytest.mark.skipif(sys.platform == "win32", reason="there is no kill -9")
def test_notebooks_that_are_killed_lose_nothing_and_pay_nothing_twice():
    found = ledger.kill_runs(5)
    assert found.holds(), found
    assert found.kills >= 10


# Places that cannot be written


@pytest.fixture
def account_in(practice):
    opened = []

    def open_account(folder):
        opened.append(Account(Connection(practice.settings(data=folder)), Purse()))
        return opened[-1]

    yield open_account
    for each in opened:
        each.close()


def enroll(account, **options):
    return account.enroll(samples()["kathleen_en"], preferred_name="ada", consent=CONSENT, language="en", **options)


def enroll_until_it_fails(account):
    for _ in range(40):  # there may be some room in the last pages
        enroll(account, again=True)


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="root writes everywhere")
def test_in_a_home_that_cannot_be_written_nothing_is_sent(account_in, practice, tmp_path):
    tmp_path.chmod(stat.S_IRUSR | stat.S_IXUSR)
    try:
        with pytest.raises(LibraryError) as caught:
            enroll(account_in(tmp_path / "data"))
    finally:
        tmp_path.chmod(stat.S_IRWXU)
    assert "data=" in caught.value.remedy
    assert practice.counters()["create"] == 0


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs a place that nobody, not even root, can write")
def test_where_no_folder_can_be_made_nothing_is_sent(account_in, practice):
    with pytest.raises(LibraryError) as caught:
        enroll(account_in(Path("/proc/vcnb")))
    assert "data=" in caught.value.remedy
    assert practice.counters()["create"] == 0


def test_on_a_full_disk_nothing_is_sent_and_later_all_is_well(account_in, practice, tmp_path):
    account = account_in(tmp_path / "data")
    account.voices()
    db = account._shelf.store._db
    # sqlite's own limit fails a write as a full disk does, wherever it comes: SQLITE_FULL.
    full = db.execute("PRAGMA page_count").fetchone()[0]
    db.execute(f"PRAGMA max_page_count={full}")
    with pytest.raises(LibraryError, match="full"):
        enroll_until_it_fails(account)
    counted = practice.counters()
    assert counted["create"] == counted["creations"]
    db.execute("PRAGMA max_page_count=1000000")
    after = enroll(account)
    assert after.voice in {each.voice for each in account.list_voices()}
    lost = {each.voice for each in account.list_voices()} - set(account.voices()["voice"])
    assert lost == set()


# What a person may do, in any order


class Enrolling(RuleBasedStateMachine):
    """Two notebooks over one library ask, delete and ask again while answers get lost; the model is a set of voices."""

    practice = None
    folder = None
    clips: ClassVar[dict[str, object]] = {}

    @initialize()
    def begin(self):
        self.practice.service.reset()
        Enrolling.number = getattr(Enrolling, "number", 0) + 1
        place = self.folder / str(Enrolling.number)
        self.accounts = [Account(Connection(self.practice.settings(data=place)), Purse()) for _ in range(2)]
        self.made: dict[tuple[str, str], list[str]] = {}
        self.deleted: set[str] = set()
        self.billed = 0

    def ask(self, which, name, clip, **options):
        request = {"preferred_name": name, "consent": CONSENT, "language": "en"}
        return self.accounts[which].enroll(self.clips[clip], **request, **options).voice

    @rule(
        which=st.integers(0, 1),
        name=st.sampled_from(["ada", "a_name_of_length"]),
        clip=st.sampled_from(["one", "two"]),
        again=st.booleans(),
        fault=st.sampled_from([None, None, "reset", "reset_after", "half_body", "error"]),
    )
    def enroll(self, which, name, clip, again, fault):
        here = self.made.setdefault((name, clip), [])
        makes = again or not here
        if fault:
            self.practice.fault(fault, "create")
        voice = self.ask(which, name, clip, again=again)
        self.practice.ask("DELETE", "/practice/faults")
        assert voice not in self.deleted
        if makes:
            assert voice not in here
            here.append(voice)
            self.billed += 1
        else:
            assert voice in here

    @precondition(lambda self: any(self.made.values()))
    @rule(which=st.integers(0, 1), number=st.integers(0, 99))
    def delete(self, which, number):
        alive = [voice for here in self.made.values() for voice in here]
        voice = alive[number % len(alive)]
        assert self.accounts[which].delete(voice) == [voice]
        self.deleted.add(voice)
        for here in self.made.values():
            if voice in here:
                here.remove(voice)

    @precondition(lambda self: self.deleted)
    @rule(which=st.integers(0, 1))
    def delete_what_is_gone(self, which):
        for voice in list(self.deleted)[:1]:
            with pytest.raises(VoiceNotFoundError):
                self.accounts[which].delete(voice)

    @rule(which=st.integers(0, 1))
    def listing(self, which):
        table = self.accounts[which].voices()
        alive = {voice: name for (name, _), here in self.made.items() for voice in here}
        here = table[table["state"] == "here and there"]
        assert dict(zip(here["voice"], here["name"], strict=True)) == alive

    @invariant()
    def what_is_billed_is_what_is_wanted(self):
        if hasattr(self, "billed"):
            state = self.practice.service.state
            assert state.counters()["creations"] == self.billed
            assert state.count() == sum(len(here) for here in self.made.values())

    def teardown(self):
        for account in getattr(self, "accounts", []):
            account.close()


def test_whatever_a_person_does_in_whatever_order_each_voice_is_paid_once(practice, tmp_path, monkeypatch):
    # Settled in no time: these faults have struck, or not, when they are seen.
    monkeypatch.setattr("vcnb.workflow.creation.Creation._settle", 0.05)
    monkeypatch.setattr("vcnb.workflow.enrolling.Manner.of", lambda region: Manner(True, lease=2.0, pause=0.05))
    # What a clip is worth is judged elsewhere, and takes a second each time.
    report = _report()
    monkeypatch.setattr("vcnb.workflow.enrollment.diagnose", lambda *_, **__: report)
    monkeypatch.setattr(Enrolling, "practice", practice)
    monkeypatch.setattr(Enrolling, "folder", tmp_path)
    monkeypatch.setattr(Enrolling, "clips", {"one": _short("kathleen_en"), "two": _short("thorsten_en")})
    steps = settings(
        max_examples=12,
        stateful_step_count=12,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        database=None,
        print_blob=True,
    )
    run_state_machine_as_test(Enrolling, settings=steps)


def _short(name):
    from vcnb.audio.clip import Clip

    clip = load(samples()[name])
    return Clip(clip.samples[: 5 * clip.sample_rate], clip.sample_rate, name=name)


def _report():
    from vcnb.diagnose.report import diagnose

    return diagnose(samples()["kathleen_en"])
