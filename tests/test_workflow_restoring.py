"""What is taken away or brought back is the voice that was meant, in the account that was meant, and nothing else."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from vcnb.audio.samples import samples
from vcnb.client.enrollment import EnrollmentClient
from vcnb.diagnose.report import diagnose
from vcnb.errors import OutcomeUnknownError, ServiceBrokenError, SettingsError, VoiceNotFoundError
from vcnb.library.intents import Intents
from vcnb.library.voices import others
from vcnb.settings import Settings
from vcnb.workflow.account import Account
from vcnb.workflow.connection import Connection
from vcnb.workflow.importing import import_library
from vcnb.workflow.money import Purse
from vcnb.workflow.sending import Manner


@pytest.fixture(scope="module")
def report():
    return diagnose(samples()["kathleen_en"], language="en")


@pytest.fixture(autouse=True)
def _quick(monkeypatch, report):
    """What a clip is worth is judged elsewhere and takes a second each time; waiting for another notebook does, too."""
    monkeypatch.setattr("vcnb.workflow.enrolling.Manner.of", lambda region: Manner(False, lease=3.0, pause=0.2))
    monkeypatch.setattr("vcnb.workflow.enrollment.diagnose", lambda *_, **__: report)


@pytest.fixture
def hosted(practice, tmp_path):
    def make(folder="hosted"):
        settings = Settings("singapore", practice.base_url, practice.api_key, None, tmp_path / folder)
        return Account(Connection(settings), Purse())

    return make


def enrolled(account, **options):
    return account.enroll(samples()["kathleen_en"], preferred_name="kathleen", consent="hers", language="en", **options)


def test_a_twin_is_not_taken_for_the_voice_that_comes_back(hosted, practice):
    account = hosted()
    first, twin = enrolled(account), enrolled(account, again=True)
    account.describe(first, label="the reader", note="first")
    account.describe(twin, label="the twin", note="hers alone")
    account.delete(first)
    back = account.restore(first)
    rows = account.voices().set_index("voice")
    assert back.voice not in (first.voice, twin.voice)
    assert (rows["label"][back.voice], rows["note"][back.voice]) == ("the reader", "first")
    assert (rows["label"][twin.voice], rows["note"][twin.voice]) == ("the twin", "hers alone")
    assert practice.counters()["creations"] == 3
    assert account.restore(first).voice == back.voice, "it came back once"
    account.delete(twin)
    assert account.restore(twin).voice not in (twin.voice, back.voice), "which replaces the other one"
    assert practice.counters()["creations"] == 4


def test_a_service_that_gives_an_old_id_again_is_not_asked_again_and_again(hosted, monkeypatch):
    account = hosted()
    first = enrolled(account)
    account.delete(first)
    asked = []
    monkeypatch.setattr(EnrollmentClient, "create", lambda *_, **__: asked.append(1) or first)
    with pytest.raises(ServiceBrokenError, match="id of an older one"):
        account.restore(first)
    assert len(asked) == 1


def test_what_came_back_before_a_crash_is_found_and_not_paid_again(hosted, practice, monkeypatch):
    account = hosted()
    first = enrolled(account)
    account.delete(first)
    with monkeypatch.context() as patch:
        patch.setattr("vcnb.library.voices.mark_restored", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            account.restore(first)
    back = account.restore(first)
    assert practice.counters()["creations"] == 2
    assert back.voice not in others(account._shelf.store, account._shelf.account(), first.voice)


def test_a_key_of_another_account_removes_nothing_of_this_one(hosted, practice, monkeypatch):
    voice = enrolled(hosted())
    other = hosted()

    def not_found(_client, voice):
        raise VoiceNotFoundError(f"{voice} is not there.", status=404)

    with monkeypatch.context() as patch:
        patch.setattr(EnrollmentClient, "list_voices", lambda _client: [])
        patch.setattr(EnrollmentClient, "delete", not_found)
        with pytest.raises(VoiceNotFoundError):
            other.delete(voice.voice)
        for use in (other.forget, other.restore):
            with pytest.raises(SettingsError, match="unclear whose key"):
                use(voice.voice)
    account = hosted()
    assert account.reference(voice).source.data == samples()["kathleen_en"].read_bytes()
    assert account.voices()["state"].tolist() == ["here and there"]
    assert enrolled(account).voice == voice.voice
    assert practice.counters()["creations"] == 1


def test_a_voice_that_never_was_leaves_no_trace(hosted):
    account = hosted()
    enrolled(account)
    for use in (account.delete, account.forget):
        with pytest.raises(VoiceNotFoundError):
            use("no-such-voice")
    assert len(account._shelf.store.rows("SELECT * FROM voices")) == 1


def test_two_notebooks_that_bring_one_voice_back_pay_once_though_its_twin_lives(hosted, practice):
    one, other = hosted(), hosted()
    first, twin = enrolled(one), enrolled(one, again=True)
    one.delete(first)
    with ThreadPoolExecutor() as pool:
        back = list(pool.map(lambda account: account.restore(first).voice, [one, other, one]))
    assert len(set(back)) == 1
    assert back[0] not in (first.voice, twin.voice)
    assert practice.counters()["creations"] == 3
    assert one.money()["n"].sum() == 3


def test_two_deleted_twins_that_come_back_at_once_are_two_voices(hosted, practice):
    one, other = hosted(), hosted()
    twins = [enrolled(one), enrolled(one, again=True)]
    one.delete(twins, confirm=True)
    with ThreadPoolExecutor() as pool:
        back = list(pool.map(lambda each: each[0].restore(each[1]).voice, zip([one, other], twins, strict=True)))
    assert len({*back, *(twin.voice for twin in twins)}) == 4
    assert practice.counters()["creations"] == 4
    assert [one.restore(twin).voice for twin in twins] == back, "and nothing is paid for asking again"
    assert practice.counters()["creations"] == 4


def test_a_twin_is_told_apart_where_only_an_export_knows_it(hosted, practice, tmp_path):
    account = hosted()
    first, twin = enrolled(account), enrolled(account, again=True)
    account.delete(first)
    carried = account.export(tmp_path / "all.zip")
    elsewhere = hosted("elsewhere")
    import_library(carried, data=tmp_path / "elsewhere")
    practice.fault("reset_after", "create")  # its answer gets lost, too
    back = elsewhere.restore(first)
    assert back.voice not in (first.voice, twin.voice)
    assert elsewhere.restore(first).voice == back.voice
    assert practice.counters()["creations"] == 3


def test_an_enrollment_that_has_ended_cannot_be_given_up_and_its_price_stays_in_the_books(hosted):
    account = hosted()
    voice = enrolled(account)
    (intent,) = account._shelf.store.rows("SELECT id FROM intents")
    with pytest.raises(SettingsError, match="has ended"):
        account.give_up(intent["id"])
    assert account.money()["cost"].tolist() == [0.01]
    assert account.voices()["cost"].tolist() == [0.01]
    assert enrolled(account).voice == voice.voice


def test_a_voice_that_was_found_meanwhile_keeps_its_price_in_the_books(hosted, practice):
    account = hosted()
    voice = enrolled(account)
    (row,) = account._shelf.store.rows("SELECT id FROM intents")
    intent = Intents(account._shelf.store).find(row["id"])
    account._book_unsure(OutcomeUnknownError("Nobody knows.", intent=intent, remedy="wait"))
    assert account.money()["voice"].tolist() == [voice.voice]
    assert account.money()["uncertain"].sum() == 0
