"""What is taken away or brought back is the voice that was meant, in the account that was meant, and nothing else."""

from __future__ import annotations

import pytest

from vcnb.audio.samples import samples
from vcnb.client.enrollment import EnrollmentClient
from vcnb.errors import SettingsError, VoiceNotFoundError
from vcnb.library.voices import is_another
from vcnb.settings import Settings
from vcnb.workflow.account import Account
from vcnb.workflow.connection import Connection
from vcnb.workflow.money import Purse


@pytest.fixture
def hosted(practice, tmp_path):
    def make():
        settings = Settings("singapore", practice.base_url, practice.api_key, None, tmp_path / "hosted")
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
    assert not is_another(account._shelf.store, account._shelf.account(), first.voice, back.voice)


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
