"""What every panel stands on."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
import time
from collections import Counter

import pytest

from vcnb.errors import AudioRejectedError, CancelledError, SettingsError
from vcnb.widgets.base import STATIC, BaseWidget, joined, secret_of, told, words
from vcnb.widgets.diagnosis import Diagnosis
from vcnb.widgets.enrollment import Enrollment
from vcnb.widgets.player import Player
from vcnb.widgets.synthesis import Synthesis
from vcnb.widgets.uploader import Uploader

PANELS = {
    "player": Player,
    "enrollment": Enrollment,
    "synthesis": Synthesis,
    "uploader": Uploader,
    "diagnosis": Diagnosis,
}


class Panel(BaseWidget):
    _esm = joined()
    _css = joined(kind="css")

    def _receive_break(self, message, buffers):
        raise ZeroDivisionError("seven by zero")


def until(condition, limit=10.0):
    deadline = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.005)


def test_an_unknown_option_is_refused_with_a_hint():
    with pytest.raises(SettingsError, match=r"no option 'layuot'.\s+try: did you mean 'layout'"):
        Panel(layuot={})
    with pytest.raises(SettingsError, match="no option 'colour'"):
        Panel(colour="red")
    assert Panel(layout={"width": "50%"}).layout.width == "50%"


def test_a_panel_shows_no_address():
    assert repr(Panel()) == "<Panel>"


def test_an_error_of_the_service_keeps_code_request_and_remedy():
    error = AudioRejectedError("No speech.", code="Audio.Silent", request_id="r-1", remedy="record again")
    assert told(error) == {
        "kind": "AudioRejectedError",
        "what": "No speech.",
        "remedy": "record again",
        "code": "Audio.Silent",
        "request_id": "r-1",
    }
    assert told(KeyError("x"))["what"] == "KeyError: 'x'"


def test_a_key_comes_as_bytes_and_stays_hidden():
    secret = secret_of([memoryview(b" sk-0123456789abcdef \n")])
    assert secret.reveal() == "sk-0123456789abcdef"
    assert "0123" not in repr(secret)
    for empty in ([], [b"  "]):
        with pytest.raises(SettingsError, match="empty"):
            secret_of(empty)


def test_long_work_runs_beside_the_kernel_and_a_second_press_starts_nothing():
    panel, go, seen = Panel(), threading.Event(), []

    def long(progress, stopping):
        seen.append(threading.current_thread())
        progress("halfway", 0.5)
        go.wait(10)

    panel.tell(ValueError("an old one"))
    assert panel.work("enroll", long)
    until(lambda: panel.working == {"kind": "enroll", "step": "halfway", "share": 0.5})
    assert panel.error is None
    assert not panel.work("enroll", long)
    go.set()
    until(lambda: panel.working is None)
    assert len(seen) == 1
    assert seen[0] is not threading.main_thread()
    assert panel.work("enroll", lambda progress, stopping: None), "it may start again"
    until(lambda: panel.working is None)


def test_cancel_reaches_the_work_and_is_said():
    panel = Panel()

    def long(progress, stopping):
        assert stopping.wait(10)
        raise CancelledError("Stopped.", remedy="start again")

    panel._handle_custom_msg({"type": "cancel"}, [])  # nothing runs: nothing happens
    panel.work("enroll", long)
    panel._handle_custom_msg({"type": "cancel"}, [])
    until(lambda: panel.working is None)
    assert panel.error["kind"] == "CancelledError"


@pytest.mark.parametrize("message", [{"type": "break"}, {"type": "nobody answers this"}, {}])
def test_what_a_handler_raises_is_shown_in_the_panel(message):
    panel = Panel()
    panel._handle_custom_msg(message, [])
    assert panel.error is not None
    if message.get("type") == "break":
        assert panel.error["what"] == "ZeroDivisionError: seven by zero"


@pytest.mark.parametrize("name", PANELS)
def test_the_browser_gets_one_text_that_needs_nothing_else(name):
    text = PANELS[name]._esm
    assert text.count("export default") == 1
    assert not re.search(r"^\s*//|^\s*/\*", text, re.MULTILINE), "comments are saved with every panel"
    assert not re.search(r"^\s*import\b|\bimport\(|https?://|\bfetch\(", text, re.MULTILINE)
    css = PANELS[name]._css
    assert "@import" not in css
    assert "url(" not in css
    assert len(text) + len(css) < 112_000, "it is saved with every panel"


@pytest.mark.parametrize("name", PANELS)
def test_every_word_that_is_said_stands_in_the_table_and_the_reverse(name):
    text = PANELS[name]._esm.partition("\n")[2]  # its first line is the table itself
    # say("x"), say(`x.${y}`) for a family, and keys that are handed on: every literal of the form of a key
    literals = {each for pair in re.findall(r'"([a-z.]+)"|`([a-z.]+)`', text) for each in pair if each}
    families = set(re.findall(r"`([a-z]+\.)\$\{", text))
    said = {key for call in re.findall(r"say\(([^`]*?)[,)]", text) for key in re.findall(r'"([a-z.]+)"', call)}
    table = {key for key in words(*PANELS[name]._parts) if key != "_language"}
    assert said <= table
    assert len(said) > 10
    own = set(json.loads((STATIC / "words.en.json").read_text())[name])
    unsaid = {
        key
        for key in own
        if key.removesuffix(".do") not in literals and key not in literals and not key.startswith(tuple(families))
    }
    python = {"step.practice", "nothing", "unnamed.file"}  # said by the kernel
    assert unsaid - python == set()


def test_files_that_panels_share_could_all_stand_in_one_panel():
    made = Counter()
    for path in STATIC.glob("*.js"):
        own = joined(path.stem).removeprefix(joined()).strip()
        if sum(own in panel._esm for panel in PANELS.values()) > 1:
            made.update(re.findall(r"^(?:async )?(?:function|class|const|let) (\w+)", path.read_text(), re.MULTILINE))
    assert len(made) > 50
    assert [name for name, n in made.items() if n > 1] == []


def test_one_file_writes_the_head_of_wav():
    assert [path.name for path in STATIC.glob("*.js") if "WAVEfmt" in path.read_text()] == ["wav.js"]


def test_what_a_rule_of_style_names_is_drawn_somewhere():
    drawn = {word for path in STATIC.glob("*.js") for word in re.findall(r"[\w-]+", path.read_text())}
    for path in STATIC.glob("*.css"):
        rules = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.DOTALL)
        assert set(re.findall(r"\.((?:vc|is|has)-[\w-]+)", rules)) - drawn == set(), path.name


def test_a_file_for_the_browser_stays_readable():
    for path in [*STATIC.glob("*.js"), *STATIC.glob("*.css")]:
        assert len(path.read_text().splitlines()) <= 400, path.name


def test_a_process_may_end_while_a_panel_works(tmp_path):
    script = (
        "import vcnb; clip = vcnb.load(vcnb.samples()['kathleen_en']);"
        "kept = vcnb.Enrollment(clip), vcnb.Diagnosis(clip), vcnb.Comparing([clip, clip])"
    )
    environment = os.environ | {"VCNB_DATA": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
