"""A grid finishes, makes nothing twice, and its books are never below the bill."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import numpy as np
import pytest

import vcnb
from vcnb.audio.clip import Clip, Speech
from vcnb.compare.sound import Sound
from vcnb.errors import CancelledError, SettingsError
from vcnb.library.accounts import Place, merge, new_account
from vcnb.library.grids import Cell, claim, claimed_slot, finish
from vcnb.library.opening import open_store
from vcnb.library.presence import Presence, lives
from vcnb.library.takes import keep_take
from vcnb.workflow import measuring
from vcnb.workflow.grids import Grid
from vcnb.workflow.measuring import measure_take

TEXTS = ["One, two, three.", "The rain fell all day on the old roof of the house."]


@pytest.fixture
def account(practice, tmp_path):
    with vcnb.connect(base_url=practice.base_url, api_key=practice.api_key, data=tmp_path) as found:
        yield found


def booked(account):
    money = account.money()
    return int(money.loc[money["purpose"] == "speech", "characters"].sum())


def quiet(_step, _share):
    pass


def test_every_cell_is_spoken_once_and_never_again(practice, account):
    voices = [practice.voice(f0=120.0), practice.voice(f0=180.0)]
    grid = account.grid(voices, TEXTS, repeats=2, language="en", progress=quiet)
    table = grid.to_frame()
    assert len(table) == 2 * 2 * 2
    assert table["take"].nunique() == 8
    assert set(table["voice"]) == set(voices)
    assert practice.counters()["synthesis"] == 8
    assert booked(account) == practice.counters()["characters"]
    again = account.grid(voices, TEXTS, repeats=2, language="en", progress=quiet)
    assert again.to_frame()["take"].tolist() == table["take"].tolist()
    more = account.grid(voices, TEXTS, repeats=3, language="en", progress=quiet)
    assert len(more) == 12
    assert practice.counters()["synthesis"] == 12
    assert isinstance(grid.speech(0), Speech)
    assert grid.speech(0).text == TEXTS[0]


def test_repeats_have_a_spread_and_every_take_a_verdict(practice, account):
    grid = account.grid(practice.voice(), TEXTS, repeats=3, progress=quiet)
    spread = grid.spread().set_index(["text", "measure"])
    durations = [grid.speech(at).duration for at in range(6) if grid.rows[at].text == TEXTS[1]]
    row = spread.loc[(TEXTS[1], "duration")]
    assert row["n"] == 3
    assert row["mean"] == pytest.approx(np.mean(durations))
    assert set(grid.to_frame()["verdict"]) <= {"pass", "fail", "unknown"}
    assert grid.to_frame().attrs["units"]["f0_median"] == "Hz"
    assert repr(grid) == "<Grid of 1 voices x 2 texts: 6 of 6 spoken>"
    assert grid.compare([0, 1]).items


def test_a_cell_that_is_refused_says_so_and_is_tried_again_alone(practice, account):
    voice = practice.voice()
    practice.fault("error", "synthesis", code="InternalError", times=1)
    grid = account.grid(voice, TEXTS, progress=quiet)
    failed = grid.to_frame()["error"].notna()
    assert failed.sum() == 1
    done = practice.counters()["synthesis"]
    whole = account.grid(voice, TEXTS, progress=quiet)
    assert whole.to_frame()["error"].isna().all()
    assert practice.counters()["synthesis"] == done + 1


def test_haste_is_answered_by_patience(practice, account, monkeypatch):
    monkeypatch.setattr("vcnb.workflow.grid._Work._wait", lambda self, seconds: None)
    voice = practice.voice()
    practice.fault("error", "synthesis", code="Throttling", times=3)
    grid = account.grid(voice, TEXTS, progress=quiet)
    assert grid.to_frame()["error"].isna().all()


def test_a_stop_keeps_what_is_spoken(practice, account):
    voice, cancel = practice.voice(), threading.Event()

    def stop_soon(_step, share):
        if share > 0.1:
            cancel.set()

    with pytest.raises(CancelledError, match="stopped"):
        account.grid(voice, [f"Text number {n}." for n in range(12)], progress=stop_soon, cancel=cancel)
    made = practice.counters()["synthesis"]
    assert 0 < made < 12
    assert len(account.takes()) == made
    account.grid(voice, [f"Text number {n}." for n in range(12)], progress=quiet)
    assert practice.counters()["synthesis"] == 12


@pytest.mark.parametrize(
    ("texts", "options"),
    [([], {}), (["Hello."], {"repeats": 0}), ([""], {}), (["Hello."], {"language": "english"})],
)
def test_an_impossible_grid_is_refused_before_any_request(practice, account, texts, options):
    with pytest.raises((SettingsError, ValueError)):
        account.grid(practice.voice(), texts, progress=quiet, **options)
    assert practice.counters()["synthesis"] == 0


def test_a_grid_that_would_pass_the_limit_sends_nothing(practice, account, monkeypatch):
    monkeypatch.setattr("vcnb.workflow.grid.estimate", lambda **_: type("Dear", (), {"cost": 1.0})())
    account._purse.limit = 0.5
    with pytest.raises(vcnb.errors.SpendLimitError):
        account.grid(practice.voice(), TEXTS, progress=quiet)
    assert practice.counters()["synthesis"] == 0


def test_workers_measure_and_a_dead_one_costs_no_row(practice, account):
    voice = practice.voice()
    with ThreadPoolExecutor(2) as executor:
        here = account.grid(voice, TEXTS, executor=executor, progress=quiet).to_frame()
    assert here["f0_median"].notna().all()
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as executor:
        os.kill(executor.submit(os.getpid).result(), signal.SIGKILL)
        wide = account.grid(voice, [*TEXTS, "One more."], executor=executor, progress=quiet).to_frame()
    assert len(wide) == 3
    assert wide["f0_median"].notna().all()


def test_a_recording_is_read_and_looked_at_once_for_all_takes_of_its_voice(account, monkeypatch):
    clips = [vcnb.load(vcnb.samples()[name]) for name in ("kathleen_en", "thorsten_en")]
    clips = [Clip(clip.samples[: 6 * clip.sample_rate], clip.sample_rate) for clip in clips]
    voices = [account.enroll(clip, preferred_name="v", consent="public, CC0", language="en") for clip in clips]
    read, seen, give = [], [], account.reference
    monkeypatch.setattr(account, "reference", lambda voice: read.append(voice.voice) or give(voice))
    monkeypatch.setattr(measuring, "Sound", lambda clip: seen.append(clip.duration) or Sound(clip))
    account.grid(voices, TEXTS, progress=quiet)
    assert sorted(read) == sorted(voice.voice for voice in voices)
    assert [duration for duration in seen if duration == 6] == [6, 6]
    take = Speech(clips[0].samples[: 3 * clips[0].sample_rate], clips[0].sample_rate, text="Anything.")
    own, other, again = (measure_take(take, clips[at]).reference_cosine for at in (0, 1, 0))
    assert own == again > other, "each against its own"


def hold_and_tell(folder, pipe):
    from pathlib import Path

    presence = Presence(Path(folder))
    pipe.send(presence.id)
    time.sleep(60)


def test_a_claim_of_a_dead_process_is_booked_and_taken_over_and_one_of_a_living_is_left(tmp_path):
    store = open_store(tmp_path)
    here, there = multiprocessing.get_context("spawn").Pipe()
    process = multiprocessing.get_context("spawn").Process(target=hold_and_tell, args=(str(tmp_path), there))
    process.start()
    owner = here.recv()
    cell = Cell("a", "v", "Hello.", "en", 0)
    figures = {"lives": lambda id: lives(tmp_path, id), "cost": 0.5, "characters": 6}
    assert claim(store, cell, owner, **figures)["take"] is None
    me = Presence(tmp_path)
    assert claim(store, cell, me.id, **figures) is None
    process.kill()
    process.join()
    assert claim(store, cell, me.id, **figures)["owner"] == me.id
    lost = store.row("SELECT * FROM money")
    assert (lost["cost"], lost["characters"], lost["certain"]) == (0.5, 6, 0)
    me.close()
    store.close()


def test_a_take_that_was_kept_just_before_the_end_is_found_instead_of_made_again(tmp_path):
    store = open_store(tmp_path)
    cell = Cell("a", "v", "Hello.", "", 0)
    figures = {"lives": lambda _id: False, "cost": 0.5, "characters": 6}
    claim(store, cell, "gone", **figures)
    kept = keep_take(store, "a", Speech(np.zeros(2400, np.float32), 24_000, text="Hello.", voice="v", transport="http"))
    other = Cell("a", "v", "Hello.", "", 1)
    claim(store, other, "me", **figures)
    assert claim(store, cell, "me", **figures)["take"] == kept.take
    finish(store, other, "another")
    assert claim(store, other, "me", **figures)["take"] == "another"
    assert store.row("SELECT count(*) FROM money WHERE NOT certain")[0] == 0
    store.close()


def test_accounts_that_turn_out_to_be_one_speak_no_cell_again(tmp_path):
    store = open_store(tmp_path)
    place = Place("singapore", "w")
    first, second = new_account(store, place), new_account(store, place)
    figures = {"lives": lambda _id: False, "cost": 0.5, "characters": 6}
    claim(store, Cell(second, "v", "Hello.", "", 0), "me", **figures)
    finish(store, Cell(second, "v", "Hello.", "", 0), "spoken")
    merge(store, second, into=first)
    found = claim(store, Cell(first, "v", "Hello.", "", 0), "me", **figures)
    assert (found["take"], found["account"]) == ("spoken", first)
    store.close()


def test_requests_keep_their_distance_over_all_processes(tmp_path):
    stores = [open_store(tmp_path) for _ in range(2)]
    limits = {"interval": 0.5, "burst": 2, "now": 100.0}
    waits = [claimed_slot(stores[n % 2], "a", "m", **limits) for n in range(5)]
    assert waits == pytest.approx([0, 0, 0.5, 1.0, 1.5])
    assert claimed_slot(stores[0], "a", "another model", **limits) == 0
    assert claimed_slot(stores[0], "a", "m", interval=0.5, burst=2, now=200.0) == 0
    assert claimed_slot(stores[0], "a", "m", interval=0.5, burst=2, now=10.0) <= 60  # the clock was set back
    for store in stores:
        store.close()


def test_a_grid_shows_itself_as_text(practice, account):
    grid = account.grid(practice.voice(), "<script>alert(1)</script> \u202eand back", progress=quiet)
    assert isinstance(grid, Grid)
    assert "<script>" not in grid._repr_html_()
    assert "\u202e" not in grid._repr_html_()


@pytest.mark.figures  # two processes that import everything
def test_a_cluster_measures_every_row_once_though_a_worker_is_killed_half_way(practice, account):
    distributed = pytest.importorskip("distributed")
    voices = [practice.voice(f0=120.0), practice.voice(f0=180.0)]
    texts = [f"This is sentence number {n}, and it goes on for a while." for n in range(12)]
    account.grid(voices, texts, progress=quiet)  # spoken and measured here
    with account._shelf.store.transaction() as store:
        store.execute("UPDATE cells SET measures = NULL")
    killed, steps = [], []
    with (
        distributed.LocalCluster(2, threads_per_worker=1, dashboard_address=None, host="127.0.0.1") as cluster,
        distributed.Client(cluster) as client,
    ):
        pids = set(client.run(os.getpid).values())

        def kill_one(step, _share):
            steps.append(step)
            if steps.count("measuring") == len(texts) and not killed:
                killed.append(min(pids))
                os.kill(killed[0], signal.SIGKILL)

        table = account.grid(voices, texts, executor=client.get_executor(), progress=kill_one).to_frame()
    assert len(pids) == 2
    assert killed
    assert steps.count("measuring") == len(table) == 24
    assert table["f0_median"].notna().all()
    assert not table.duplicated(["voice", "text", "repeat"]).any()
    assert table["take"].nunique() == 24
    assert practice.counters()["synthesis"] == 24
