"""A library that is carried away comes back the same, and a zip that is not what it says changes nothing."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import random
import shutil
import tempfile
import zipfile
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vcnb.audio.clip import Edit, Source, Speech
from vcnb.errors import LibraryError
from vcnb.library import voices
from vcnb.library.accounts import Place, accounts_at, new_account
from vcnb.library.clips import keep_clip
from vcnb.library.export import TABLES, csv_of, write_export
from vcnb.library.forgetting import forget
from vcnb.library.importing import read_import
from vcnb.library.money import book
from vcnb.library.opening import open_store
from vcnb.library.sounds import read_sound, sound_path
from vcnb.library.takes import keep_take, note_heard
from vcnb.protocol.voice import CHINA_TIME, Voice

MODEL = "qwen3-tts-vc-2026-01-22"
# Memory, where there is some: the disk is not what is tested here.
FAST = "/dev/shm" if os.path.isdir("/dev/shm") else None


@contextmanager
def stores(n):
    with tempfile.TemporaryDirectory(dir=FAST) as folder:
        found = [open_store(Path(folder) / str(number)) for number in range(n)]
        try:
            yield Path(folder), *found
        finally:
            for store in found:
                store.close()


def source(data: bytes) -> Source:
    return Source(data, hashlib.sha256(data).hexdigest(), "wav", "pcm_s16le", 16, False, 1, 24_000, 1.0, 1.0)


def filled(store, *, n_voices=2, words="words", sound=b"sound"):
    """A library with everything in it: clips with originals, consents, takes, labels, money, a deleted voice."""
    account = new_account(store, Place("singapore", words))
    for number in range(n_voices):
        clip = keep_clip(
            store, source(sound + bytes([number])), name=words, edits=[Edit(words, words, words)],
            original=source(sound + b"before"), verdict="warn", diagnosis={"findings": [words]},
        )  # fmt: skip
        voice = Voice(f"voice {number} {words}", MODEL, "name", "en", name=words)
        voices.keep_voice(store, account, voice, clip=clip, consent=words + "agreed", transcript=words)
        voices.describe(store, account, voice.voice, label=words, note=words)
        samples = np.arange(number + 3, dtype=np.float32) / 32768
        keep_take(store, account, Speech(samples, 24_000, text=words, voice=voice.voice, transport="http", cost=0.1))
        book(store, account, f"creation {number}", purpose="creation", voice=voice.voice, cost=0.01)
    voices.mark_deleted(store, account, f"voice 0 {words}")
    return account


def contents(store):
    rows = {table: [tuple(row) for row in store.rows(f"SELECT * FROM {table} ORDER BY 1, 2")] for table in TABLES}
    sounds = {path.name: path.read_bytes() for path in (store.folder / "sounds").rglob("*") if path.is_file()}
    return rows, sounds


def carried(folder, one, other, account):
    """Export, import, and compare everything there is; then export again, byte for byte."""
    first = write_export(one, account, folder / "first.zip")
    came = read_import(other, first)
    assert contents(other) == contents(one)
    second = write_export(other, account, folder / "second.zip")
    assert second.read_bytes() == first.read_bytes()
    return came


def test_a_library_comes_back_as_it_was():
    with stores(2) as (folder, one, other):
        came = carried(folder, one, other, filled(one))
        assert (came.voices, came.takes, came.sounds) == (2, 2, 5)
        assert (came.new_voices, came.new_takes, came.new_sounds) == (2, 2, 5)
        again = read_import(other, folder / "first.zip")
        assert (again.new_voices, again.new_takes, again.new_sounds) == (0, 0, 0)
        with zipfile.ZipFile(folder / "first.zip") as zip:
            consents = zip.read("tables/consents.csv").decode()
        assert consents.count("wordsagreed") == 2, "each consent with its recording"


WORDS = st.text(max_size=40) | st.sampled_from(
    ["", "\\N", "\\\\N", "=1+1", "-", "+", "@x", "\r\n", "\x00", '"', "'; DROP TABLE voices", "\u202e", "NULL", "\\"]
)
AMOUNTS = st.floats(0, allow_nan=False, allow_infinity=False)
# In the first hours of the year 1 in China there is no year yet in UTC.
MOMENTS = st.datetimes(datetime(2, 1, 1), timezones=st.sampled_from([UTC, CHINA_TIME]))
POOLS = st.fixed_dictionaries(
    {
        "words": st.lists(WORDS, min_size=1, max_size=9),
        "counts": st.lists(st.integers(0, 2**63 - 1), min_size=1, max_size=4),
        "amounts": st.lists(AMOUNTS, min_size=1, max_size=4),
        "moments": st.lists(MOMENTS, min_size=1, max_size=3),
        "sounds": st.lists(st.binary(max_size=99), max_size=3, unique=True),
        "rows": st.tuples(*[st.integers(0, 4)] * 3),
        "seed": st.integers(0, 2**32),
    }
)


def random_library(store, pools):
    """Anything that can get into a library, by the functions that write it."""
    rng = random.Random(pools["seed"])
    any_of = {name: lambda pool=pool: rng.choice(pool) for name, pool in pools.items() if isinstance(pool, list)}
    word, amount, maybe = any_of["words"], any_of["amounts"], lambda value: rng.choice([None, value])
    account = new_account(store, Place("singapore", word()))
    made = [
        Voice(f"{number} {word()}", word(), word(), maybe(word()), maybe(any_of["moments"]()), name=word())
        for number in range(pools["rows"][0])
    ]
    voices.see(store, account, [voice for voice in made if rng.random() < 0.3])
    for voice in made:
        clip = random_clip(store, pools["sounds"], rng, word, amount) if rng.random() < 0.8 else None
        voices.keep_voice(store, account, voice, clip=clip, consent=word(), transcript=maybe(word()))
        voices.describe(store, account, voice.voice, label=maybe(word()), note=maybe(word()))
    told = [*(voice.voice for voice in made), word()]
    for _ in range(pools["rows"][1]):
        samples = np.array([rng.randrange(-32768, 32768) for _ in range(rng.randrange(9))], np.float32) / 32768
        speech = Speech(
            samples, rng.choice([8_000, 24_000]), text=word(), voice=rng.choice(told), target_model=word(),
            transport=rng.choice(["http", "sse", "realtime"]), language=maybe(word()), characters=any_of["counts"](),
            cost=amount(), first_audio_delay=maybe(amount()), request_ids=tuple(pools["words"]),
            arrivals=tuple((each, 1.0) for each in pools["amounts"]),
        )  # fmt: skip
        take = keep_take(store, account, speech, complete=rng.random() < 0.8).take
        if rng.random() < 0.5:
            note_heard(store, account, take, {word(): maybe(amount())})
    for number in range(pools["rows"][2]):
        purpose = rng.choice(["creation", "speech"])
        figures = {"cost": amount(), "characters": any_of["counts"](), "certain": rng.random() < 0.5}
        book(store, account, f"{number} {word()}", purpose=purpose, voice=rng.choice(told), **figures)
    for voice in made:
        if rng.random() < 0.3:
            voices.mark_deleted(store, account, voice.voice)
            voices.mark_restored(store, account, voice.voice, rng.choice(told))
        if rng.random() < 0.2:
            forget(store, account, voice.voice)
    return account


def random_clip(store, sounds, rng, word, amount):
    if not sounds or rng.random() < 0.2:
        return keep_clip(store, None, url=word(), name=word())
    said = {"container": word(), "codec": word(), "suffix": word(), "decoded_duration": amount()}
    given = replace(source(rng.choice(sounds)), **said)
    before = source(rng.choice(sounds)) if rng.random() < 0.5 else None
    edits = [Edit(word(), word(), word(), rng.choice([None, amount(), -amount()])) for _ in range(rng.randrange(3))]
    verdict = rng.choice(["pass", "warn", "fail", "unknown"])
    diagnosis = rng.choice([None, {word(): [amount(), None, True, {"of": word()}]}])
    return keep_clip(store, given, name=word(), edits=edits, original=before, verdict=verdict, diagnosis=diagnosis)


def check_random_libraries(max_examples):
    """One pair of stores for all of them, emptied in between: opening two takes longer than the rest."""
    with stores(2) as (folder, one, other):

        @settings(max_examples=max_examples, deadline=None, suppress_health_check=list(HealthCheck))
        @given(POOLS)
        def check(pools):
            for store in (one, other):
                with store.transaction() as db:
                    for table in TABLES:
                        db.execute(f"DELETE FROM {table}")
                shutil.rmtree(store.folder / "sounds", ignore_errors=True)
                (store.folder / "sounds").mkdir()
            carried(folder, one, other, random_library(one, pools))

        check()


def test_any_library_comes_back_as_it_was():
    check_random_libraries(300)


@pytest.mark.figures
def test_ten_thousand_libraries_come_back_as_they_were():
    check_random_libraries(10_000)


def test_a_spreadsheet_finds_no_formula_in_a_table():
    text = csv_of(["a"], [["=HYPERLINK(1)"], ["+1"], ["-1"], ["@x"], ["\t=1"], [-1.5], [None], ["\\N"]]).decode()
    cells = text.splitlines()[1:]
    assert cells == ['"\\=HYPERLINK(1)"', '"\\+1"', '"\\-1"', '"\\@x"', '"\\\t=1"', '"-1.5"', '"\\N"', '"\\\\N"']


def rezipped(path, change):
    """The same zip with other contents, well formed and with its manifest as it was."""
    with zipfile.ZipFile(path) as zip:
        files, comment = {name: zip.read(name) for name in zip.namelist()}, zip.comment
    change(files)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as zip:
        for name, data in files.items():
            zip.writestr(name, data)
        zip.comment = comment


def signed(files, **more):
    """A manifest that fits the files: whoever changes one can change the other."""
    about = json.loads(files["manifest.json"])
    about["files"] = {
        name: {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        for name, data in files.items()
        if name != "manifest.json"
    } | more
    return json.dumps(about).encode()


def refused(folder, other, said):
    def files():
        return sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())

    before = files()
    with pytest.raises(LibraryError, match=said) as caught:
        read_import(other, folder / "first.zip")
    assert caught.value.remedy
    assert files() == before, "nothing was written anywhere"
    assert other.row("SELECT count(*) FROM voices")[0] == 0
    return str(caught.value)


def test_a_zip_in_which_any_file_was_changed_is_refused_and_the_file_named():
    with stores(2) as (folder, one, other):
        path = write_export(one, filled(one), folder / "first.zip")
        whole = path.read_bytes()
        with zipfile.ZipFile(path) as zip:
            names = zip.namelist()
        assert len(names) == 1 + len(TABLES) + 5
        for name in names:
            path.write_bytes(whole)

            def change(files, name=name):
                files[name] = files[name][:-1] + bytes([files[name][-1] ^ 1])

            rezipped(path, change)
            assert name in refused(folder, other, "changed|not what")
            path.write_bytes(whole)
            rezipped(path, lambda files, name=name: files.pop(name))
            assert name in refused(folder, other, "is not there")


def test_no_byte_of_the_zip_can_change_what_is_imported():
    with stores(1) as (folder, one):
        path = write_export(one, filled(one, n_voices=1), folder / "first.zip")
        whole, truth = path.read_bytes(), contents(one)
        rng = np.random.default_rng(440)
        outcomes = set()
        for number, place in enumerate(rng.choice(len(whole), 60, replace=False)):
            path.write_bytes(whole[:place] + bytes([whole[place] ^ (1 << rng.integers(8))]) + whole[place + 1 :])
            other = open_store(folder / f"other {number}")
            try:
                read_import(other, path)
                assert contents(other) == truth
                outcomes.add("the same")
            except LibraryError:
                assert other.row("SELECT count(*) FROM voices")[0] == 0
                assert not (other.folder / "sounds").exists()
                outcomes.add("refused")
            other.close()
        assert "refused" in outcomes


EVIL = ["../evil", "/tmp/evil", "..\\evil", "sounds/../../evil", "C:\\evil", "tables/../evil.csv", "sounds/" + "0" * 63]


@pytest.mark.parametrize("name", EVIL)
@pytest.mark.parametrize("vouched", [False, True])
def test_a_name_that_leads_outside_writes_nothing(name, vouched):
    with stores(2) as (folder, one, other):
        path = write_export(one, filled(one), folder / "first.zip")

        def change(files):
            files[name] = b"evil"
            if vouched:
                files["manifest.json"] = signed(files)

        rezipped(path, change)
        if vouched:
            vouch(path)
        said = refused(folder, other, "does not belong there")
        assert repr(name) in said


def vouch(path):
    with zipfile.ZipFile(path, "a") as zip:
        zip.comment = hashlib.sha256(zip.read("manifest.json")).hexdigest().encode()


@pytest.mark.parametrize("told", ["the truth", "a lie"])
def test_a_bomb_ends_early_and_writes_nothing(told):
    with stores(2) as (folder, one, other):
        path = write_export(one, filled(one), folder / "first.zip")
        bomb = bytes(80_000_000)
        name = f"sounds/{hashlib.sha256(bomb).hexdigest()}"

        def change(files):
            files[name] = bomb
            stated = {} if told == "the truth" else {name: {"size": 9, "sha256": name[7:]}}
            files["manifest.json"] = signed(files, **stated)

        rezipped(path, change)
        vouch(path)
        if told == "a lie":  # the zip's own directory lies, too
            data = path.read_bytes()
            path.write_bytes(data.replace(len(bomb).to_bytes(4, "little"), (9).to_bytes(4, "little")))
        assert path.stat().st_size < 1_000_000
        refused(folder, other, "far more|cannot be unpacked|was changed")


@pytest.mark.parametrize(
    ("table", "old", "new", "said"),
    [
        ("voices", b'"account"', b'"spy"', "columns that no library"),
        ("voices", b'"\n', b'","more"\n', "columns that no library|no table"),
        ("voices", b"", b'"torn', "no table"),
        ("money", b'"certain"', b'"cost"', "columns that no library"),
        ("money", b',"certain"', b"", "no column 'certain'"),
        ("takes", b'"24', b'"42', "spoken of|column 'sound'"),
        ("voices", b"voice 1", b"voice \xff", "is no text"),
    ],
)
def test_tables_that_fit_their_hashes_and_make_no_sense_are_refused_whole(table, old, new, said):
    with stores(2) as (folder, one, other):
        path = write_export(one, filled(one), folder / "first.zip")
        if new == b'"42':
            old = b'"' + one.row("SELECT sound FROM takes")["sound"][:8].encode()

        def change(files):
            name = f"tables/{table}.csv"
            assert old in files[name]
            files[name] = files[name].replace(old, new) if old else files[name] + new
            files["manifest.json"] = signed(files)

        rezipped(path, change)
        vouch(path)
        refused(folder, other, said)


NOWHERE_WRITTEN = [
    ("accounts", "region", "moon", "one of singapore, beijing, practice"),
    ("voices", "account", "another", "an account that is not in the zip"),
    ("voices", "created_at", "yesterday", "a moment in UTC"),
    ("voices", "deleted_at", "2026-01-31T12:00:00", "a moment in UTC"),
    ("voices", "made_here_at", "2026-01-31T12:00:00.000000+01:00", "a moment in UTC"),
    ("voices", "voice", "\\N", "a value"),
    ("voices", "label", "=1+1", "what an export writes"),
    ("clips", "edits", '[{"similarity": NaN}]', "JSON"),
    ("clips", "edits", "{}", "JSON"),
    ("clips", "diagnosis", '{"a": 1e999}', "JSON"),
    ("clips", "diagnosis", "{'a': 1}", "JSON"),
    ("clips", "diagnosis", "[" * 100_000, "JSON"),
    ("clips", "verdict", "splendid", "one of pass, warn, fail, unknown"),
    ("clips", "sound", "../../evil", "the SHA-256 of a sound"),
    ("clips", "duration", "nan", "a number from 0 on"),
    ("clips", "sample_rate", "24_000", "what an export writes"),
    ("takes", "arrivals", "[[0.1]]", "JSON"),
    ("takes", "arrivals", '[[0.1, "0.1"]]', "JSON"),
    ("takes", "request_ids", "[1]", "JSON"),
    ("takes", "heard", '{"gap": "long"}', "JSON"),
    ("takes", "transport", "pigeon", "one of http, sse, realtime"),
    ("takes", "cost", "inf", "a number from 0 on"),
    ("takes", "characters", "1.0", "a whole number"),
    ("takes", "complete", "2", "0 or 1"),
    ("money", "cost", "-1.0", "a number from 0 on"),
    ("money", "cost", "1e999", "what an export writes"),
    ("money", "cost", "many", "a number"),
    ("money", "characters", "9" * 30, "a number of 64 bits"),
    ("money", "characters", "9" * 5_000, "a whole number"),
    ("money", "purpose", "fun", "one of creation, speech"),
]


@pytest.mark.parametrize(("table", "column", "cell", "said"), NOWHERE_WRITTEN)
def test_a_cell_that_no_library_writes_is_refused_with_file_row_and_column(exported, table, column, cell, said):
    folder, other, whole = exported
    (folder / "first.zip").write_bytes(whole)

    def change(files):
        lines = list(csv.reader(io.StringIO(files[f"tables/{table}.csv"].decode(), newline="")))
        lines[-1][lines[0].index(column)] = cell
        changed = io.StringIO(newline="")
        csv.writer(changed, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows(lines)
        files[f"tables/{table}.csv"] = changed.getvalue().encode()
        files["manifest.json"] = signed(files)
        change.row = len(lines) - 1

    rezipped(folder / "first.zip", change)
    vouch(folder / "first.zip")
    told = refused(folder, other, said)
    assert f"'tables/{table}.csv'" in told
    assert f"in row {change.row}" in told
    assert column in told
    assert len(told) < 300


@pytest.fixture(scope="module")
def exported():
    with stores(2) as (folder, one, other):
        yield folder, other, write_export(one, filled(one), folder / "first.zip").read_bytes()


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x05\x06" + bytes(18)])
def test_what_is_no_export_is_said_so(content, tmp_path):
    with stores(1) as (folder, store):
        (folder / "first.zip").write_bytes(content)
        refused(folder, store, "zip")
        (folder / "first.zip").unlink()
        with pytest.raises(LibraryError, match="cannot be read"):
            read_import(store, folder / "first.zip")


def test_an_export_of_a_newer_version_is_said_so():
    with stores(2) as (folder, one, other):
        path = write_export(one, filled(one), folder / "first.zip")

        def change(files):
            files["manifest.json"] = files["manifest.json"].replace(b'"version": 1', b'"version": 2')

        rezipped(path, change)
        vouch(path)
        assert "upgrade" in refused(folder, other, "newer vcnb")


def test_what_is_known_here_stays_and_a_voice_that_was_only_listed_gets_its_story():
    with stores(2) as (folder, one, other):
        account = filled(one)
        path = write_export(one, account, folder / "first.zip")
        mine = new_account(other, Place("singapore", "words"))
        voices.see(other, mine, [Voice("voice 0 words", MODEL, "name"), Voice("voice 1 words", MODEL, "name")])
        voices.describe(other, mine, "voice 1 words", label="my own label")
        read_import(other, path)
        assert accounts_at(other, Place("singapore", "words")) == [mine], "recognised by the voices they share"
        known = voices.overview(other, mine)
        assert (known["voice 0 words"]["label"], known["voice 1 words"]["label"]) == ("words", "my own label")
        assert known["voice 0 words"]["statement"] == "wordsagreed"
        assert known["voice 0 words"]["takes"] == 1


def test_what_was_forgotten_here_does_not_come_back():
    with stores(2) as (folder, one, other):
        account = filled(one)
        path = write_export(one, account, folder / "first.zip")
        read_import(other, path)
        forget(other, account, "voice 1 words")
        before = contents(other)
        read_import(other, path)
        assert contents(other) == before
        assert voices.overview(other, account)["voice 1 words"]["clip"] is None


def test_what_was_forgotten_elsewhere_stays_here_until_it_is_forgotten_here():
    with stores(2) as (folder, one, other):
        account = filled(one)
        read_import(other, write_export(one, account, folder / "first.zip"))
        forget(other, account, "voice 1 words")
        before = contents(one)
        read_import(one, write_export(other, account, folder / "second.zip"))
        assert contents(one) == before


def test_an_export_makes_a_rotten_sound_whole_again():
    with stores(1) as (folder, one):
        path = write_export(one, filled(one), folder / "first.zip")
        sound = one.row("SELECT sound FROM clips")["sound"]
        data = read_sound(one.folder, sound)
        sound_path(one.folder, sound).write_bytes(bytes(len(data)))
        assert read_import(one, path).new_sounds == 1
        assert read_sound(one.folder, sound) == data


def test_a_sound_that_is_gone_is_left_out_and_named():
    with stores(2) as (folder, one, other):
        account = filled(one)
        lost = one.row("SELECT sound FROM clips")["sound"]
        sound_path(one.folder, lost).write_bytes(b"rotten")
        came = read_import(other, write_export(one, account, folder / "first.zip"))
        assert came.missing == (lost,)
        assert came.voices == 2
        with pytest.raises(LibraryError, match="cannot be read"):
            read_sound(other.folder, lost)


def test_an_export_that_cannot_be_written_leaves_nothing():
    with stores(1) as (folder, one):
        with pytest.raises(LibraryError, match="cannot be written"):
            write_export(one, filled(one), folder / "no such folder" / "first.zip")
        assert not list(folder.rglob("*.part"))
