"""What the recorder does in the kernel: takes whole and kept, keys and sound in no trait."""

from __future__ import annotations

import json
import stat
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import vcnb
from vcnb.audio.recording import Recording
from vcnb.errors import ClipError, SettingsError
from vcnb.measure.silero import network_weights
from vcnb.widgets.recorder import Recorder
from vcnb.workflow.recording import Incoming, browser_key, discard_take, keep_take, kept_takes

TAKE = "20261123T080000-0123456789ab"
FACTS = {
    "rate": 48_000,
    "language": "de",
    "scenario": "news",
    "microphone": "Yeti Nano",
    "settings": {"echoCancellation": False},
    "recorded_at": "2026-11-23T08:00:00Z",
    "slips": [{"start": 0.5, "end": 0.6, "lost": 0.02}],
    "ended": "stopped",
}


@pytest.fixture
def pcm(rng) -> list[bytes]:
    return [rng.integers(-9000, 9000, 12_000).astype("<i2").tobytes() for _ in range(4)]


@pytest.fixture
def recorder(monkeypatch) -> Recorder:
    made = Recorder()
    sent: list[tuple[dict[str, Any], list[bytes]]] = []
    monkeypatch.setattr(made, "send", lambda content, buffers=(): sent.append((content, list(buffers))))
    made.sent = sent
    return made


def send_take(recorder: Recorder, pcm: list[bytes], order: list[int], take: str = TAKE) -> None:
    for seq in order:
        recorder._receive_piece({"take": take, "seq": seq, "client": "c", "facts": FACTS}, [pcm[seq]])
    recorder._receive_end({"take": take, "client": "c", "facts": FACTS | {"n_pieces": len(pcm)}}, [])


def wait_for(condition) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_take_comes_out_whole_and_once_whatever_comes_late_twice_or_out_of_order(pcm):
    incoming = Incoming()
    for seq in (2, 0, 0, 3):
        incoming.piece(TAKE, seq, pcm[seq], FACTS if seq == 0 else None)
        assert incoming.whole(TAKE) is None
    incoming.end(TAKE, FACTS | {"n_pieces": 4})
    assert incoming.whole(TAKE) is None
    assert incoming.missing(TAKE, 4) == [1]
    incoming.piece(TAKE, 1, pcm[1])
    found = incoming.whole(TAKE)
    assert found is not None
    assert found[0] == b"".join(pcm)
    incoming.piece(TAKE, 1, pcm[1])
    assert incoming.whole(TAKE) is None
    assert incoming.missing(TAKE, 4) is None


def test_a_take_whose_page_is_gone_comes_out_as_far_as_it_came(pcm, monkeypatch):
    incoming = Incoming()
    for seq in (0, 1, 3):
        incoming.piece(TAKE, seq, pcm[seq], {"rate": 48_000, "slips": FACTS["slips"][:seq]})
    assert incoming.abandoned([]) == []  # it may still be under way
    monkeypatch.setattr("vcnb.workflow.recording.ABANDONED", -1.0)
    assert incoming.abandoned([TAKE]) == []
    ((take, samples, facts),) = incoming.abandoned([])
    assert (take, samples) == (TAKE, pcm[0] + pcm[1])
    assert facts["ended"] == "interrupted"
    assert facts["slips"] == FACTS["slips"]


@pytest.mark.parametrize("take", ["../../escape", "short", "a" * 65, "20261123T080000/0123"])
def test_an_id_that_is_no_name_of_a_file_of_ours_is_refused(tmp_path, take):
    with pytest.raises(ClipError):
        Incoming().piece(take, 0, b"\0\0")
    with pytest.raises(ClipError):
        keep_take(take, b"\0\0", FACTS, tmp_path)
    assert list(tmp_path.rglob("*")) == []


def test_a_kept_take_is_its_samples_with_their_story(tmp_path, pcm):
    kept = keep_take(TAKE, b"".join(pcm), FACTS, tmp_path, name="Take 1")
    (found,) = kept_takes(tmp_path)
    for take in (kept, found):
        assert isinstance(take, Recording)
        np.testing.assert_array_equal(np.int16(take.samples * 32768), np.frombuffer(b"".join(pcm), "<i2"))
        assert (take.sample_rate, take.name, take.microphone) == (48_000, "Take 1", "Yeti Nano")
        assert take.settings == {"echoCancellation": False}
        assert [(slip.start, slip.end) for slip in take.slips] == [(0.5, 0.6)]
        assert take.source is not None
        assert Path(take.source.path or "").read_bytes() == take.source.data
    assert [path.suffix for path in sorted((tmp_path / "recordings").iterdir())] == [".json", ".wav"]
    discard_take(TAKE, tmp_path)
    assert list((tmp_path / "recordings").iterdir()) == []


def test_a_disk_that_takes_no_take_leaves_nothing_half_and_says_where_it_still_is(tmp_path, pcm, recorder, monkeypatch):
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("vcnb.workflow.recording.os.fsync", full)
    with pytest.raises(ClipError, match="No space left") as caught:
        keep_take(TAKE, b"".join(pcm), FACTS, tmp_path)
    assert "the browser keeps the take" in caught.value.remedy
    assert list((tmp_path / "recordings").iterdir()) == []
    send_take(recorder, pcm, [0, 1, 2, 3])
    wait_for(lambda: recorder.error is not None)
    assert not [message for message, _ in recorder.sent if message["type"] == "kept"]
    # Nobody asks the page for what is here; as soon as there is room, the next question brings it onto the disk.
    monkeypatch.undo()
    monkeypatch.setattr(recorder, "send", lambda content, buffers=(): recorder.sent.append((content, buffers)))
    recorder._receive_ask({"take": TAKE, "client": "c", "n_pieces": 4}, [])
    wait_for(lambda: any(message["type"] == "kept" for message, _ in recorder.sent))
    assert [message["missing"] for message, _ in recorder.sent if message["type"] == "have"] == [[]]
    assert recorder.error is None
    assert recorder.clip.name == "Take 1"


def test_two_kernels_agree_on_one_key_that_only_its_owner_reads(tmp_path):
    found: list[bytes] = []
    threads = [threading.Thread(target=lambda: found.append(browser_key(tmp_path))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 1
    assert len(found[0]) == 32
    assert stat.S_IMODE((tmp_path / "recorder.key").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["recorder.key"]


def test_a_take_from_the_browser_becomes_the_clip_and_the_browser_may_forget_it(recorder, pcm):
    assert recorder.clip is None
    assert recorder.takes == ()
    send_take(recorder, pcm, [0, 1, 3, 2, 2])
    wait_for(lambda: any(message["type"] == "kept" for message, _ in recorder.sent))
    assert recorder.clip is recorder.takes[0]
    assert recorder.clip.script.startswith("Guten Abend.")
    np.testing.assert_array_equal(np.int16(recorder.clip.samples * 32768), np.frombuffer(b"".join(pcm), "<i2"))
    acks = [message["seq"] for message, _ in recorder.sent if message["type"] == "ack"]
    assert acks == [0, 1, 3, 2, 2]
    recorder._receive_ask({"take": TAKE, "client": "c", "n_pieces": 4}, [])
    assert recorder.sent[-1][0]["type"] == "kept"
    wait_for(lambda: recorder.rows[0]["verdict"] is not None)
    assert recorder.rows[0]["verdict"] == "fail"  # noise is no speech
    # An earlier kernel's takes are offered to the next recorder.
    assert Recorder().n_earlier == 1


def test_neither_the_sound_nor_the_key_is_in_a_trait(recorder, pcm):
    recorder._receive_hello({"client": "c"}, [])
    (welcome, (key, weights)) = recorder.sent[-1]
    assert welcome["type"] == "welcome"
    assert (len(key), weights) == (32, network_weights())
    send_take(recorder, pcm, [0, 1, 2, 3])
    wait_for(lambda: recorder.clip is not None)
    state = {name: value for name, value in recorder.get_state().items() if name not in ("_esm", "_css", "layout")}
    text = json.dumps(state, default=str)
    assert key.hex() not in text
    assert not any(isinstance(value, bytes | memoryview) for value in state.values())
    assert len(text) < 20_000
    assert key.hex() not in repr(recorder)


def test_load_does_without_a_browser_what_the_browser_would(recorder):
    clip = recorder.load(vcnb.samples()["kathleen_en"])
    assert recorder.clip is clip
    assert recorder.takes == (clip,)
    other = recorder.load((np.zeros(24_000, np.float32), 24_000))
    assert recorder.clip is other
    recorder._receive_choose({"take": recorder.rows[0]["id"]}, [])
    assert recorder.clip is clip
    wait_for(lambda: all(row["verdict"] for row in recorder.rows))
    assert recorder.rows[1]["verdict"] == "fail"


def test_a_discarded_take_comes_back_until_it_is_forgotten_and_only_then_leaves_the_disk(recorder, pcm):
    send_take(recorder, pcm, [0, 1, 2, 3])
    wait_for(lambda: recorder.clip is not None)
    path = Path(recorder.clip.source.path)
    recorder._receive_discard({"take": TAKE}, [])
    assert recorder.clip is None
    assert recorder.rows == []
    assert path.exists()
    recorder._receive_restore({}, [])
    assert recorder.clip is recorder.takes[0]
    recorder._receive_discard({"take": TAKE}, [])
    recorder._receive_forget({}, [])
    assert not path.exists()
    assert recorder.takes == ()


def test_takes_of_an_earlier_kernel_stand_before_and_change_no_choice(recorder, pcm):
    send_take(recorder, pcm, [0, 1, 2, 3])
    wait_for(lambda: recorder.clip is not None)
    again = Recorder()
    today = again.load(vcnb.samples()["thorsten_en"])
    again._receive_earlier({}, [])
    wait_for(lambda: len(again.takes) == 2 and all(row["verdict"] for row in again.rows))
    assert again.clip is today
    assert [take.name for take in again.takes] == [recorder.clip.name, today.name]
    assert again.rows[0]["id"] == TAKE
    assert again.n_earlier == 0


def test_what_it_does_not_know_it_refuses():
    with pytest.raises(SettingsError, match="'xx'"):
        Recorder(language="xx")
    with pytest.raises(SettingsError, match="countdown of -1"):
        Recorder(countdown=-1)
    with pytest.raises(SettingsError, match="no option 'colour'"):
        Recorder(colour="red")
