"""How files come in: what a browser sends, the kernel keeps, whatever happens on the way."""

from __future__ import annotations

import hashlib
import io
import re
import time

import av
import numpy as np
import pytest
from recordings import pcm_wav, sine

import vcnb
from vcnb.errors import ClipError
from vcnb.widgets.uploader import Uploader
from vcnb.workflow import uploading
from vcnb.workflow.uploading import Uploads, plain_name

PIECE = 1 << 20


@pytest.fixture(autouse=True)
def folder(monkeypatch, tmp_path):
    monkeypatch.setenv("VCNB_DATA", str(tmp_path))
    return tmp_path / "uploads"


@pytest.fixture(scope="module")
def short():
    return pcm_wav(sine(2, 24_000), 24_000)


def until(condition, limit=20.0):
    deadline = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.005)


class Page:
    """The browser's half, as static/drop.js speaks."""

    def __init__(self, panel, client="tab"):
        self.panel, self.client, self.said = panel, client, []
        panel.send = lambda content, buffers=None: self.said.append(content)

    def tell(self, kind, buffers=(), **rest):
        self.panel._handle_custom_msg({"type": kind, "client": self.client, **rest}, [memoryview(b) for b in buffers])

    def begin(self, data, name="me.wav", id="1", size=None, decoded=False):
        self.tell("begin", [data[:65536]], id=id, name=name, size=len(data) if size is None else size, modified=5,
                  decoded=decoded)  # fmt: skip

    def send(self, data, name="me.wav", id="1", **rest):
        self.begin(data, name, id, **rest)
        for offset in range(0, len(data), PIECE):
            self.tell("piece", [data[offset : offset + PIECE]], id=id, offset=offset)
        until(lambda: self.said[-1]["type"] != "go")
        return self.said[-1]


def live_webm(samples):
    buffer = io.BytesIO()
    buffer.seekable = lambda: False
    with av.open(buffer, "w", format="webm", options={"live": "1"}) as file:
        stream = file.add_stream("libopus", rate=48_000, layout="mono")
        resampler = av.AudioResampler(
            format=stream.codec_context.format.name, layout="mono", rate=48_000, frame_size=960
        )
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples[None]), format="fltp", layout="mono")
        frame.sample_rate = 48_000
        for part in [*resampler.resample(frame), *resampler.resample(None), None]:
            file.mux(stream.encode(part))
    return buffer.getvalue()


def kept(folder):
    """What lies there, without the number behind a digest."""
    return sorted(re.sub("-.{8}", "", path.name) for path in folder.iterdir()) if folder.exists() else []


def test_a_file_arrives_as_it_was_and_becomes_the_clip(folder, short):
    panel = Uploader()
    assert (panel.clip, panel.clips, panel.path) == (None, [], None)
    assert Page(panel).send(short)["type"] == "arrived"
    digest = hashlib.sha256(short).hexdigest()
    assert kept(folder) == [f"{digest}.wav"]
    assert panel.path.read_bytes() == short
    assert (panel.clip.name, panel.clip.duration, panel.clip.source.sha256) == ("me.wav", 2.0, digest)
    (row,) = panel.files
    assert (row["size"], row["duration"], row["rate"], row["channels"]) == (len(short), 2.0, 24_000, 1)
    assert max(row["peaks"]) == 100
    assert repr(panel) == "<Uploader of 'me.wav'>"


def test_pieces_that_get_lost_or_come_twice_change_nothing(short):
    data = pcm_wav(sine(30, 48_000), 48_000)
    page = Page(Uploader())
    page.begin(data)
    page.tell("piece", [data[:PIECE]], id="1", offset=0)
    page.tell("piece", [data[2 * PIECE :]], id="1", offset=2 * PIECE)  # the second was lost
    page.tell("piece", [data[:PIECE]], id="1", offset=0)
    assert [answer["got"] for answer in page.said] == [0, PIECE, PIECE, PIECE]
    page.tell("where", id="1")
    assert page.said[-1] == {"type": "go", "got": PIECE, "again": True, "client": "tab", "id": "1"}
    page.tell("piece", [data[PIECE : 2 * PIECE]], id="1", offset=PIECE)
    page.tell("piece", [data[2 * PIECE :]], id="1", offset=2 * PIECE)
    until(lambda: page.said[-1]["type"] == "arrived")
    assert page.panel.clip.source.data == data


def test_an_upload_that_broke_off_goes_on_in_a_page_that_was_loaded_anew(folder):
    data = pcm_wav(sine(30, 48_000), 48_000)
    panel = Uploader()
    page = Page(panel, "before")
    page.begin(data)
    page.tell("piece", [data[:PIECE]], id="1", offset=0)
    again = Page(panel, "after")
    again.tell("hello")
    assert [(row["name"], row["got"], row["size"]) for row in panel.broken] == [("me.wav", PIECE, len(data))]
    again.begin(pcm_wav(sine(30, 48_000, hz=441), 48_000))  # of the same name and length, and not the same
    assert again.said[-1]["got"] == 0
    again.tell("drop", id="1")
    again.begin(data)
    assert again.said[-1]["got"] == PIECE
    assert panel.broken == []
    for offset in range(PIECE, len(data), PIECE):
        again.tell("piece", [data[offset : offset + PIECE]], id="1", offset=offset)
    until(lambda: again.said[-1]["type"] == "arrived")
    assert kept(folder) == [f"{hashlib.sha256(data).hexdigest()}.wav"]


@pytest.mark.parametrize("how", ["drop", "close", "forget"])
def test_what_is_broken_off_leaves_nothing_behind(folder, how):
    data = pcm_wav(sine(30, 48_000), 48_000)
    panel = Uploader()
    page = Page(panel)
    page.begin(data)
    page.tell("piece", [data[:PIECE]], id="1", offset=0)
    assert [name.endswith(".part") for name in kept(folder)] == [True]
    if how == "drop":
        page.tell("drop", id="1")
        page.tell("piece", [data[PIECE : 2 * PIECE]], id="1", offset=PIECE)  # was under way
        assert page.said[-1]["type"] == "refused"
    elif how == "forget":
        page.tell("forget", key="tab:1")
    else:
        panel.close()
    assert kept(folder) == []


def test_parts_of_a_process_that_died_go_and_those_of_a_living_one_stay(folder, short):
    folder.mkdir()
    (folder / "left.part").write_bytes(b"half")
    living, another = Uploads(), Uploads()
    living.begin("a", name="a.wav", size=9, modified=1, head=short)
    another.begin("b", name="b.wav", size=9, modified=1, head=short)
    assert len(kept(folder)) == 2
    assert "left.part" not in kept(folder)


@pytest.mark.parametrize(
    ("head", "words"),
    [
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3", "PDF"),
        (b"PK\x03\x04\x14\x00", "archive"),
        (b"ffconcat version 1.0\nfile /etc/passwd\n", "text"),
        (b"\x00\x01\x02\x03" * 200, "no sound in a known format"),
        (b"", "empty"),
    ],
)
def test_what_cannot_be_sound_is_refused_before_it_is_sent(folder, head, words):
    page = Page(Uploader())
    page.begin(head, "song.mp3", size=len(head) and 10_000)
    assert page.said[-1]["type"] == "refused"
    assert words in page.said[-1]["what"]
    assert page.said[-1]["remedy"]
    assert kept(folder) == []


def test_the_limits_hold(folder, short, monkeypatch):
    page = Page(Uploader())
    page.begin(short, size=uploading.BYTES_LIMIT + 1)
    assert "500 MB are the most" in page.said[-1]["what"]
    page.begin(short, size=1000)
    page.tell("piece", [short[:1001]], id="1", offset=0)
    assert "More arrives" in page.said[-1]["what"]
    full = uploading.shutil.disk_usage(folder)._replace(free=10_000_000)
    monkeypatch.setattr(uploading.shutil, "disk_usage", lambda _: full)
    page.begin(short, size=400_000_000)
    assert "The disk has 10 MB left" in page.said[-1]["what"]
    assert kept(folder) == []


def test_what_the_kernel_cannot_decode_is_left_to_the_browser(folder, short):
    panel = Uploader()
    page = Page(panel)
    broken = b"fLaC" + bytes(5000)
    assert page.send(broken, "me.flac")["type"] == "decode"
    assert kept(folder) == []
    assert page.send(short, "me.wav", decoded=True)["type"] == "arrived"
    assert panel.files[0]["decoded"]
    assert page.send(broken, "me.wav", id="2", decoded=True)["type"] == "refused"
    assert [row["name"] for row in panel.files] == ["me.wav"]


def test_a_long_recording_stays_on_the_disk_and_the_way_to_its_best_part_is_shown(folder):
    data = pcm_wav(np.zeros(601 * 8000, np.float32), 8000)
    panel = Uploader()
    assert Page(panel).send(data)["type"] == "arrived"
    assert panel.files[0]["long"]
    assert (panel.clip, panel.clips) == (None, [])
    assert panel.path.name.startswith(hashlib.sha256(data).hexdigest())


def test_what_is_over_the_limit_of_the_service_is_decoded_only_when_it_is_wanted(folder):
    data = pcm_wav(sine(61, 8000), 8000)
    panel = Uploader()
    Page(panel).send(data)
    assert panel._clips == {}
    assert panel.clip.duration == 61.0
    assert panel.clip is panel.clip


def test_several_files_and_the_one_that_counts(folder, short):
    panel = Uploader()
    page = Page(panel)
    other = pcm_wav(sine(3, 24_000), 24_000)
    page.send(short, "first.wav", id="1")
    page.send(other, "second.wav", id="2")
    assert panel.clip.name == "second.wav", "the newest is chosen"
    page.tell("choose", key="tab:1")
    assert [clip.name for clip in panel.clips] == ["first.wav", "second.wav"]
    assert panel.clip.name == "first.wav"
    page.tell("remove", key="tab:1")
    assert (panel.clip.name, len(panel.clips), len(kept(folder))) == ("second.wav", 1, 2), "it can be undone"
    page.tell("undo", key="tab:1")
    assert len(panel.clips) == 2
    page.tell("remove", key="tab:1")
    page.tell("remove", key="tab:2")
    assert kept(folder) == [f"{hashlib.sha256(other).hexdigest()}.wav"], "the one before is deleted"
    assert panel.clip is None
    panel.close()
    assert kept(folder) == [], "and the last one when nobody can bring it back"


def test_the_same_content_twice_is_two_files_each_of_its_own_row(folder, short):
    first, second = Uploader(), Uploader()
    for panel in (first, second):
        page = Page(panel)
        page.send(short)
    assert len(kept(folder)) == 2
    page = Page(first)
    page.tell("remove", key="tab:1")
    page.send(short, id="2")
    page.tell("remove", key="tab:2")
    assert second.path.exists()
    assert len(kept(folder)) == 2


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("../../.ssh/authorized_keys.wav", "authorized_keys.wav"),
        ("C:\\Windows\\system32\\me.wav", "me.wav"),
        ("\u202egpj.me\x00\n.wav", "gpj.me.wav"),
        ("", "sound"),
        ("...", "sound"),
        ("a" * 300 + ".m4a", "a" * 115 + "….m4a"),
        ("<img src=x onerror=alert(1)>.wav", "<img src=x onerror=alert(1)>.wav"),
    ],
)
def test_a_hostile_name_is_only_a_name(folder, short, name, shown):
    assert plain_name(name) == shown
    panel = Uploader()
    Page(panel).send(short, name)
    assert panel.files[0]["name"] == shown
    assert panel.path.parent == folder
    assert kept(folder)[0].startswith(hashlib.sha256(short).hexdigest())


def test_load_does_without_a_browser_what_the_browser_would(folder, short, tmp_path):
    path = tmp_path / "mine.wav"
    path.write_bytes(short)
    panel, seen = Uploader(), []
    panel.observe(lambda change: seen.append(change["new"]), "chosen")
    assert panel.load(path) is panel.clip
    assert panel.clip.name == "mine.wav"
    assert panel.path == path
    assert len(seen) == 1
    page = Page(panel)
    page.tell("remove", key=panel.files[0]["key"])
    panel.load(vcnb.samples()["kathleen_en"])
    page.tell("remove", key=panel.files[1]["key"])
    assert path.exists(), "it was never ours"
    for wrong in (tmp_path / "nowhere.wav", tmp_path):
        with pytest.raises(ClipError, match="no such file"):
            panel.load(wrong)
    path.write_text("just words")
    with pytest.raises(ClipError, match="a text, not sound"):
        panel.load(path)


def test_load_takes_what_the_recorder_takes(short):
    panel, clip = Uploader(), vcnb.load(short, name="mine.wav")
    for source, name, duration in [
        (clip, "mine.wav", 2.0),
        (short, "sound", 2.0),
        ((sine(70, 8_000), 8_000), "sound", 70.0),
    ]:
        assert panel.load(source) is panel.clip
        assert (panel.path, panel.clip.duration) == (None, duration)
        assert (panel.files[-1]["name"], panel.files[-1]["duration"]) == (name, duration)
    assert panel.clips[0] is clip
    Page(panel).tell("find", key=panel.chosen)
    until(lambda: panel.working is None and panel.error)
    assert "nobody speaks" in str(panel.error)
    for wrong, said in [(b"\x00\x01 no sound", "no sound|not sound"), (None, "A NoneType is no recording")]:
        with pytest.raises(ClipError, match=said) as raised:
            panel.load(wrong)
        assert "x00" not in str(raised.value)
    assert len(panel.files) == 3


def test_hear_makes_a_player_of_the_row(folder, short):
    panel = Uploader()
    page = Page(panel)
    page.send(short)
    page.tell("hear", key="tab:1")
    until(lambda: panel.heard == "tab:1" and panel.working is None)
    assert panel.player.clip is panel.clip
    page.tell("remove", key="tab:1")
    assert panel.player is None


def test_no_sound_is_in_the_state_that_a_notebook_saves(short):
    panel = Uploader()
    Page(panel).send(short)
    state = {name: value for name, value in panel.get_state().items() if name not in ("_esm", "_css")}
    assert len(repr(state)) < 2048


def test_the_best_parts_of_a_long_recording_are_found_heard_and_taken(folder):
    voice = vcnb.load(vcnb.samples()["kathleen_en"])
    silence = np.zeros(25 * voice.sample_rate, np.float32)
    path = folder.parent / "lecture.wav"
    path.write_bytes(pcm_wav(np.concatenate([silence, voice.samples, silence]), voice.sample_rate))
    panel = Uploader()
    panel.load(path)
    page = Page(panel)
    page.tell("find", key=panel.chosen)
    until(lambda: panel.working is None, limit=60)
    assert panel.error is None, panel.error
    (best, *_), spoken = panel.windows, (25, 25 + voice.duration)
    assert spoken[0] - 1 <= best.start < best.end <= spoken[1] + 1
    assert panel.parts["name"] == "lecture.wav"
    shown = panel.parts["windows"][0]
    assert (shown["start"], shown["end"], shown["verdict"]) == (best.start, best.end, best.report.verdict)
    levels = np.array(panel.parts["levels"])
    assert (levels > 30).sum() == pytest.approx(voice.duration, abs=2), "a figure a second, silence at the foot"
    page.tell("hear", key="part:0")
    until(lambda: panel.heard == "part:0")
    assert panel.player.clip is best.clip
    page.tell("use", part=0)
    page.tell("use", part=0)
    assert [row["name"] for row in panel.files] == ["lecture.wav", f"lecture {best.start:.0f}-{best.end:.0f} s"]
    assert panel.clip.samples is best.clip.samples
    assert panel.path is None
    page.tell("remove", key=panel.chosen)
    page.tell("undo", key=panel.files[1]["key"])
    assert len(panel.clips) == 2


def test_sound_that_does_not_say_how_long_it_is_is_taken(short):
    # As browsers record: Opus in a WebM whose header has no duration.
    panel = Uploader()
    assert Page(panel).send(live_webm(sine(3, 48_000)), "take.webm")["type"] == "arrived"
    assert panel.files[0]["duration"] == pytest.approx(3, abs=0.1)
    assert panel.clip.duration == pytest.approx(3, abs=0.1)
