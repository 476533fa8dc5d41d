"""What an account holds is kept, found again, brought back, carried away, and forgotten when its speaker wishes."""

from __future__ import annotations

import contextlib
import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import numpy as np
import pytest

from vcnb.audio.load import load
from vcnb.audio.samples import samples, samples_described
from vcnb.diagnose.report import diagnose
from vcnb.errors import AccessDeniedError, LibraryError, SettingsError, VoiceNotFoundError
from vcnb.library import accounts
from vcnb.library.accounts import Place, accounts_at, merge, new_account, recognise
from vcnb.library.opening import open_store
from vcnb.library.voices import known, mark_deleted, see
from vcnb.protocol.voice import Voice
from vcnb.settings import Settings
from vcnb.workflow.account import Account
from vcnb.workflow.comparing import compare
from vcnb.workflow.connecting import connect
from vcnb.workflow.connection import Connection
from vcnb.workflow.importing import import_library
from vcnb.workflow.money import Purse
from vcnb.workflow.rows import rows_for_people

HTTP, REALTIME = "qwen3-tts-vc-2026-01-22", "qwen3-tts-vc-realtime-2026-01-15"
CONSENT = "Kathleen agreed in a letter of May 2019"
SAMPLE = "kathleen_en"
TRANSCRIPT = samples_described()[SAMPLE].transcript


@pytest.fixture
def account(practice, tmp_path):
    with connect(base_url=practice.base_url, api_key=practice.api_key, data=tmp_path / "here") as found:
        yield found


@pytest.fixture
def hosted(practice, tmp_path):
    """An account that believes it is a paid one: the same service, named Singapore."""

    def make(folder="hosted", workspace=None, limit=None):
        settings = Settings("singapore", practice.base_url, practice.api_key, workspace, tmp_path / folder)
        return Account(Connection(settings), Purse(limit))

    return make


def enrolled(account, **options):
    return account.enroll(samples()[SAMPLE], preferred_name="kathleen", consent=CONSENT, language="en", **options)


def requests_of(practice):
    seen = practice.counters()
    return sum(seen[name] for name in ("create", "list", "delete", "synthesis", "sse", "upgrade"))


def test_every_speech_is_kept_with_its_figures_and_comes_back_sample_for_sample(account, practice):
    whole, live = practice.voice(HTTP), practice.voice(REALTIME)
    spoken = [
        account.speak("Over HTTP.", voice=whole, language="en"),
        account.speak("In pieces.", voice=whole, transport="sse"),
        account.speak("On a line.", voice=live),
    ]
    with account.stream("Piece by piece.", voice=whole) as pieces:
        for _ in pieces:
            pass
        spoken.append(pieces.speech)
    with account.converse(voice=live) as line:
        line.say("Right? ")
        line.say("Then go.")
    spoken.append(line.speech)
    takes = account.takes()
    assert list(takes["take"]) == [speech.take for speech in reversed(spoken)], "the newest first"
    assert takes["complete"].all()
    for speech in spoken:
        again = account.take(speech.take)
        assert speech.practice
        assert again.practice
        assert np.array_equal(again.samples, speech.samples)
        for name in ("text", "voice", "transport", "language", "characters", "cost", "request_ids", "arrivals", "take"):
            assert getattr(again, name) == getattr(speech, name), name
        assert again.first_audio_delay == speech.first_audio_delay
    with pytest.raises(LibraryError, match="no take 'nothing'"):
        account.take("nothing")


def test_a_kept_take_is_reused_only_for_the_same_words_in_the_same_way(account, practice):
    voice = practice.voice()
    first = account.speak("Say it once.", voice=voice)
    asked = requests_of(practice)
    again = account.speak("Say it once.", voice=voice, reuse=True)
    assert (again.take, requests_of(practice)) == (first.take, asked)
    assert np.array_equal(again.samples, first.samples)
    with account.stream("Say it once.", voice=voice, transport="http", reuse=True) as pieces:
        assert sum(len(piece.samples) for piece in pieces) == len(first.samples)
    assert requests_of(practice) == asked
    for options in ({"text": "Say it twice."}, {"language": "en"}, {"transport": "sse"}, {"reuse": False}):
        asked = requests_of(practice)
        account.speak(**{"text": "Say it once.", "voice": voice, "reuse": True} | options)
        assert requests_of(practice) > asked, options
    assert len(account.takes()) == 5


def test_sound_that_cannot_be_kept_is_handed_out_all_the_same(account, practice, caplog, tmp_path):
    voice = practice.voice()
    account.voices()
    (tmp_path / "here" / "sounds").write_text("in the way")
    with caplog.at_level(logging.WARNING, "vcnb"):
        speech = account.speak("Paid is paid.", voice=voice)
    assert speech.duration > 0.2
    assert speech.take == ""
    assert "could not be kept" in caplog.text
    assert account.takes().empty


def test_a_library_that_cannot_be_used_is_found_out_before_anything_is_paid(account, practice, tmp_path):
    voice = practice.voice()
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "library.sqlite").write_bytes(b"no database " * 99)
    for ask in (lambda: account.speak("Hello.", voice=voice), lambda: enrolled(account)):
        with pytest.raises(LibraryError, match=r"library\.sqlite"):
            ask()
    assert practice.counters()["synthesis"] == practice.counters()["create"] == 0


def test_what_arrived_of_a_speech_that_was_left_is_kept_as_such(hosted, practice):
    account, voice = hosted(), practice.voice()
    text = "One sentence here. Another sentence there. And a third one to make it long."
    for piece in account.stream(text, voice=voice):  # noqa: B007
        break
    (row,) = account.takes().to_dict("records")
    assert not row["complete"]
    assert row["text"] == text
    assert 0 < row["duration"] < 60
    assert len(account.take(row["take"]).samples) == len(piece.samples)
    paid = account.money()
    assert paid["uncertain"].sum() == pytest.approx(account.spent) == pytest.approx(paid["cost"].sum())
    assert account.speak(text, voice=voice, transport="sse", reuse=True).take != row["take"]


def test_labels_and_notes_stay_with_the_voice(account):
    voice = enrolled(account)
    account.describe(voice, label="the reader", note="for the atlas")
    account.describe(voice.voice, label="narrator")
    row = account.voices().iloc[0]
    assert (row["label"], row["note"], row["name"]) == ("narrator", "for the atlas", "kathleen")
    assert (row["state"], row["consent"], row["clip"]) == ("here and there", CONSENT, samples()[SAMPLE].name)
    assert row["verdict"] == diagnose(samples()[SAMPLE], language="en").verdict
    with pytest.raises(SettingsError, match="no int"):
        account.describe(voice, label=3)


def test_a_deleted_voice_comes_back_from_its_recording_at_a_price_that_is_said_first(hosted, practice):
    account, told = hosted(), []
    voice = enrolled(account, transcript=None)
    account.describe(voice, label="the reader", note="for the atlas")
    with pytest.raises(SettingsError, match="is not deleted"):
        account.restore(voice)
    account.delete(voice)
    assert account.voices()["state"].tolist() == ["only here: deleted"]
    back = account.restore(voice, progress=lambda step, share: told.append((step, practice.counters()["create"])))
    assert told[0] == ("kathleen comes back by a new enrollment; it costs at most $0.01", 1)
    assert practice.counters()["creations"] == 2
    rows = account.voices().set_index("voice")
    assert (rows["label"][back.voice], rows["note"][back.voice]) == ("the reader", "for the atlas")
    assert rows["state"].to_dict() == {back.voice: "here and there", voice.voice: "only here: deleted"}
    offered = rows_for_people(account.voices(), account.takes())
    assert [each["voice"] for each in offered] == [back.voice], "what came back is not offered again"
    assert rows["consent"][back.voice] == CONSENT
    original = samples()[SAMPLE].read_bytes()
    assert account.reference(back).source.data == original, "byte for byte"
    assert account.spent == pytest.approx(0.02)


def test_a_voice_that_was_made_elsewhere_cannot_be_brought_back_and_that_is_said(account, practice):
    voice = practice.voice()
    account.voices()
    account.delete(voice)
    with pytest.raises(LibraryError, match="Nothing is kept"):
        account.restore(voice)
    with pytest.raises(VoiceNotFoundError):
        account.delete(voice)


def test_a_filtered_table_deletes_what_is_there_and_passes_over_what_is_gone(account, practice):
    voices = [enrolled(account), practice.voice(name="one"), practice.voice(name="two")]
    account.delete(voices[0])
    table = account.voices()
    assert len(table) == 3
    assert sorted(account.delete(table[table.age < "300 days"])) == sorted(voices[1:])
    assert practice.counters()["voices"] == 0


def test_who_deletes_by_name_is_told_the_id(account, practice):
    voice = enrolled(account)
    for name in ("kathleen", voice.preferred_name):
        with pytest.raises(VoiceNotFoundError) as raised:
            account.delete(name)
        assert raised.value.remedy == f"its id is {voice.voice!r}"
    with pytest.raises(VoiceNotFoundError) as raised:
        account.delete("nobody")
    assert "its id" not in raised.value.remedy
    assert practice.counters()["voices"] == 1


def test_voices_are_compared_by_the_recordings_that_they_were_made_from(account, practice, monkeypatch, tmp_path):
    voice, clip = enrolled(account), load(samples()["thorsten_en"])
    table = account.voices()
    for each in (voice, table.iloc[0], table.iloc[0].to_dict()):
        found = compare([each, clip], account=account)
        assert found.items == ("kathleen", clip.name)
        np.testing.assert_array_equal(found.clips[0].samples, account.reference(voice).samples)
    assert compare(table, account=account).items == ("kathleen",)
    with pytest.raises(LibraryError, match="is not kept here"):
        compare([Voice(practice.voice()), clip], account=account)
    monkeypatch.setenv("VCNB_DATA", str(tmp_path / "here"))
    assert compare([voice, clip]).items == ("kathleen", clip.name)


def test_forgetting_leaves_one_line_and_not_a_trace(account, practice, tmp_path):
    voice = enrolled(account, transcript=TRANSCRIPT)
    account.describe(voice, label="the unforgettable label", note="the unforgettable note")
    account.speak("A sentence that nobody shall find.", voice=voice)
    other = practice.voice()
    kept = account.speak("A sentence that stays.", voice=other)
    (tmp_path / "here" / "recordings").mkdir()
    (tmp_path / "here" / "recordings" / "take.wav").write_bytes(samples()[SAMPLE].read_bytes())
    line = account.forget(voice)
    assert voice.voice in line
    assert "1 take" in line
    account.close()
    recording = samples()[SAMPLE].read_bytes()
    files = {path: path.read_bytes() for path in (tmp_path / "here").rglob("*") if path.is_file()}
    for trace in (CONSENT, TRANSCRIPT, "unforgettable", "nobody shall find", recording[5000:5100]):
        trace = trace if isinstance(trace, bytes) else trace.encode()
        assert [path.name for path, data in files.items() if trace in data] == [], trace
    assert any(b"sentence that stays" in data for data in files.values())
    assert account.take(kept.take).text == kept.text
    assert voice.voice not in set(account.voices()["voice"])
    assert practice.counters()["voices"] == 1


def test_a_recording_is_forgotten_with_the_last_voice_that_was_made_from_it(account, tmp_path):
    made = enrolled(account, target_model=[HTTP, REALTIME])
    assert "forget that one, too" in account.forget(made[HTTP])
    assert account.reference(made[REALTIME]).source.data == samples()[SAMPLE].read_bytes()
    assert account.voices()["consent"].tolist() == [CONSENT]
    account.forget(made[REALTIME])
    assert not [path for path in (tmp_path / "here" / "sounds").rglob("*") if path.is_file()]


def test_nothing_is_forgotten_here_while_the_service_still_has_it(account, practice):
    voice = enrolled(account)
    practice.fault("error", "delete", code="AccessDenied", status=403)
    with pytest.raises(AccessDeniedError):
        account.forget(voice)
    assert account.voices()["consent"].tolist() == [CONSENT]


def test_money_is_summed_by_day_voice_and_purpose_and_is_what_was_spent(hosted, practice):
    account = hosted()
    voice = enrolled(account)
    for _ in range(2):
        account.speak("a" * 100 + ".", voice=voice, transport="sse")
    other = practice.voice()
    account.speak("你好", voice=other, transport="sse")
    table = account.money().set_index(["name", "purpose"])
    assert table.loc[("kathleen", "creation"), "cost"] == pytest.approx(0.01)
    assert (table.loc[("kathleen", "speech"), "n"], table.loc[("kathleen", "speech"), "characters"]) == (2, 202)
    assert table["cost"].sum() == pytest.approx(account.spent) == pytest.approx(account.money().attrs["total"])
    assert account.voices().set_index("voice").loc[voice.voice, "cost"] == pytest.approx(0.01 + 2 * 0.115 * 101 / 1e4)
    assert "1,000 voices within 90 days" in account.money().attrs["free_quota"]


def test_on_the_practice_service_money_is_nothing_and_still_counted(account):
    voice = enrolled(account)
    account.speak("Hello.", voice=voice)
    table = account.money()
    assert table["cost"].sum() == 0
    assert sorted(table["purpose"]) == ["creation", "speech"]


def test_what_was_spoken_is_shown_as_text_whatever_it_holds(account, practice):
    account.speak("<script>alert(1)</script> \u202egnp.exe", voice=practice.voice())
    table = account.takes()
    for shown in (repr(table[["text"]]), table[["text"]]._repr_html_()):
        assert "\u202e" not in shown
        assert "\\u202egnp.exe" in shown
    assert "<script" not in table._repr_html_()


def test_a_speech_knows_the_consent_of_its_voice(account):
    voice = enrolled(account)
    speech = account.speak("Hello.", voice=voice)
    assert speech.consent.startswith("consent-")
    assert account.take(speech.take).consent == speech.consent


def test_everything_is_carried_to_another_machine(hosted, account, tmp_path, practice):
    voice = enrolled(account)
    speech = account.speak("Carried away.", voice=voice)
    path = account.export(tmp_path / "library.zip")
    came = import_library(path, data=tmp_path / "there")
    assert (came.voices, came.takes, came.new_sounds) == (1, 1, 2)
    with connect(base_url=practice.base_url, api_key=practice.api_key, data=tmp_path / "there") as other:
        assert other.voices().drop(columns="age").equals(account.voices().drop(columns="age"))
        assert np.array_equal(other.take(speech.take).samples, speech.samples)
        other.delete(voice)
        assert other.restore(voice).consent == CONSENT
    assert CONSENT in load_table(path, "consents")
    assert load(samples()[SAMPLE]).source.sha256 in load_table(path, "consents"), "with the hash of its recording"


def load_table(path, name):
    import zipfile

    with zipfile.ZipFile(path) as zip:
        return zip.read(f"tables/{name}.csv").decode()


def test_a_voice_of_another_account_is_refused_before_any_request(hosted, practice, tmp_path):
    voice = enrolled(hosted())
    with connect(base_url=practice.base_url, api_key=practice.api_key, data=tmp_path / "hosted") as account:
        elsewhere = hosted(workspace="another")
        asked = requests_of(practice)
        for other in (account, elsewhere):
            uses = (lambda o: o.speak("Hi.", voice=voice.voice), lambda o: o.delete(voice.voice))
            for use in (*uses, lambda o: o.stream("Hi.", voice=voice.voice), lambda o: o.forget(voice.voice)):
                with pytest.raises(SettingsError, match="another account in 'singapore'"):
                    use(other)
        assert requests_of(practice) == asked


def test_a_new_key_is_recognised_by_a_voice_and_nothing_is_lost(hosted, practice):
    first = hosted()
    voice = enrolled(first)
    first.describe(voice, label="mine")
    assert hosted().voices()["label"].tolist() == ["mine"]  # another object knows nothing but the list


def test_where_it_is_unclear_whose_key_it_is_the_user_is_asked_once(hosted, practice):
    first = hosted()
    voice = enrolled(first)
    practice.service.reset()  # to us: a key whose account holds other voices
    stranger = practice.voice(name="stranger")
    second = hosted()
    for ask in (second.voices, lambda: second.speak("Hi.", voice=stranger), second.takes):
        with pytest.raises(SettingsError, match="unclear whose key") as caught:
            ask()
    assert voice.voice in str(caught.value)
    assert "belongs_to" in caught.value.remedy
    assert practice.counters()["synthesis"] == 0
    with pytest.raises(SettingsError, match="had a voice 'nobody'"):
        second.belongs_to("nobody")
    second.belongs_to(None)
    assert second.voices()["voice"].tolist() == [stranger]
    assert hosted().voices()["voice"].tolist() == [stranger], "asked once"
    third = hosted()
    third.belongs_to(voice.voice)
    assert set(third.voices()["voice"]) == {voice.voice, stranger}


@pytest.fixture
def store(tmp_path):
    found = open_store(tmp_path)
    yield found
    found.close()


def test_an_account_is_recognised_by_its_voices_alone(store):
    place = Place("singapore", "w")
    first = recognise(store, place, {"a"})
    see(store, first, [Voice("a"), Voice("b")])
    assert recognise(store, place, {"b", "new"}) == first
    assert recognise(store, place, {"new"}) is None
    assert recognise(store, place, set()) is None, "its voices may be gone, or it is another one"
    assert recognise(store, Place("singapore", "other"), {"a"}) not in (first, None)
    assert recognise(store, Place("beijing", "w"), {"a"}) not in (first, None)
    for voice in ("a", "b"):
        mark_deleted(store, first, voice)
    assert recognise(store, place, set()) == first, "nothing is missing"
    second = new_account(store, place)
    see(store, second, [Voice("c")])
    assert recognise(store, place, {"a", "c"}) == first, "one list cannot be two accounts"
    assert accounts_at(store, place) == [first]
    with pytest.raises(SettingsError):
        merge(store, first, into=first)


def test_a_list_that_is_behind_brings_no_deleted_voice_back(store, monkeypatch):
    account = new_account(store, Place("singapore"))
    see(store, account, [Voice("a")])
    mark_deleted(store, account, "a")
    see(store, account, [Voice("a")])
    assert known(store, account, "a")["deleted_at"]
    monkeypatch.setattr("vcnb.library.voices.BEHIND", timedelta(seconds=-1))  # as if it was a while ago
    see(store, account, [Voice("a")])
    assert known(store, account, "a")["deleted_at"] is None, "somebody made it again, or it never went"


def test_two_notebooks_that_begin_at_once_are_one_account(tmp_path, monkeypatch):
    both, known = threading.Barrier(2), accounts.accounts_at

    def slowly(store, place):
        found = known(store, place)
        with contextlib.suppress(threading.BrokenBarrierError):
            both.wait(0.3)  # for the other one, where it can come so far
        return found

    def begin(_):
        with contextlib.closing(open_store(tmp_path)) as store:
            return recognise(store, Place("singapore"), set())

    open_store(tmp_path).close()
    monkeypatch.setattr(accounts, "accounts_at", slowly)
    with ThreadPoolExecutor() as pool:
        assert len(set(pool.map(begin, range(2)))) == 1


def test_a_thousand_voices_are_two_requests(account, practice):
    practice.voices(1_000)
    before = practice.counters()["list"]
    table = account.voices()
    assert practice.counters()["list"] - before <= 2
    assert (len(table), table.attrs["free"]) == (1_000, 0)
