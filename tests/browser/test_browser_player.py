"""The player in a real JupyterLab: what it looks like, what it plays, how the keyboard moves it."""

from __future__ import annotations

import base64
import io
import re

import av
import nbconvert
import nbformat
import numpy as np
import pytest
from harness import axe_violations
from listening import heard, listen

import vcnb

pytestmark = pytest.mark.browser


def clip_code(seconds: float, name: str = "noise") -> str:
    """Code for a clip that no resampler, filter or gain could leave as it is: seeded noise of 16 bits."""
    return (
        "import numpy as np, vcnb; from vcnb.audio.clip import Clip\n"
        f"steps = np.random.default_rng(7).integers(-9000, 9000, {int(seconds * 24000)})\n"
        f"clip = Clip(np.float32(steps / 32768), 24000, name={name!r})\n"
    )


def samples_of(seconds: float) -> np.ndarray:
    return np.float32(np.random.default_rng(7).integers(-9000, 9000, int(seconds * 24000)) / 32768)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [600, 1000])
def test_it_is_drawn_and_can_be_used_by_everyone(book, shots, theme, width):
    book.look(theme, width)
    panel = book.show(
        "import numpy as np, vcnb; from vcnb.audio.clip import Speech\n"
        "clip = vcnb.load(vcnb.samples()['kathleen_en'])\n"
        "speech = Speech(clip.samples, clip.sample_rate, voice='qwen-tts-vc-kathleen-voice-20261123120000000-838b',"
        " text='The order you asked about is on its way, and it arrives tomorrow at noon.')\n"
        "vcnb.Player(speech)"
    )
    panel.get_by_role("slider").press("ArrowRight")
    for _ in range(4):
        panel.get_by_role("slider").press("ArrowRight")
    assert panel.get_by_text("AI-generated").is_visible()
    shots(panel, f"player-{theme}-{width}")
    assert axe_violations(panel) == []
    overflow = panel.evaluate("node => node.scrollWidth - node.clientWidth")
    assert overflow <= 0, "the panel is wider than its place"


def test_the_picture_follows_the_theme(book):
    picture = "node => node.querySelector('canvas').toDataURL()"
    ready = "node => node.querySelector('canvas').width > 300"
    book.look("light", 1000)
    old = book.show(clip_code(1) + "player = vcnb.Player(clip); player")
    book.page.wait_for_function(ready, arg=old.element_handle())
    light = old.evaluate(picture)
    book.look("dark", 1000)
    new = book.show("player")
    book.page.wait_for_function(ready, arg=new.element_handle())
    book.page.wait_for_function(
        "pair => new Set(pair.map(node => node.querySelector('canvas').toDataURL())).size === 1",
        arg=[old.element_handle(), new.element_handle()],
    )
    assert new.evaluate(picture) != light


def test_it_renders_exactly_the_samples_of_the_clip(book):
    listen(book.page)
    panel = book.show(clip_code(0.8) + "vcnb.Player(clip)")
    panel.get_by_role("button", name="Play").click()
    slider = panel.get_by_role("slider")
    book.page.wait_for_function(
        "node => Number(node.getAttribute('aria-valuenow')) >= 0.8", arg=slider.element_handle()
    )
    book.page.wait_for_timeout(150)
    rendered, wanted = heard(book.page), samples_of(0.8)
    start = int(np.argmax(np.abs(rendered) > 0)) - int(np.argmax(np.abs(wanted) > 0))
    np.testing.assert_array_equal(rendered[start : start + len(wanted)], wanted)
    assert not rendered[start + len(wanted) :].any()


def test_the_keyboard_plays_and_moves_it_and_leaves_the_notebook_alone(book):
    panel = book.show(clip_code(30) + "vcnb.Player(clip)")
    cells = book.n_cells()
    play = panel.get_by_role("button", name="Play")
    slider = panel.get_by_role("slider", name="Position")
    play.focus()
    for key in ("d", "d", "b", "a"):
        book.page.keyboard.press(key)
    assert book.n_cells() == cells
    book.page.keyboard.press("Space")
    pause = panel.get_by_role("button", name="Pause")
    pause.wait_for()
    book.page.wait_for_function("node => Number(node.getAttribute('aria-valuenow')) > 0.2", arg=slider.element_handle())
    book.page.keyboard.press("Space")
    play.wait_for()
    for _ in ("loop", "speed", "download", "format", "time axis"):
        book.page.keyboard.press("Tab")
    assert slider.evaluate("node => node === document.activeElement")
    for keys, seconds in [
        (["Home"], 0.0),
        (["ArrowRight", "ArrowRight"], 2.0),
        (["Shift+ArrowRight"], 2.1),
        (["ArrowLeft"], 1.1),
        (["End"], 30.0),
        (["Home", "ArrowLeft"], 0.0),
    ]:
        for key in keys:
            book.page.keyboard.press(key)
        assert float(slider.get_attribute("aria-valuenow")) == pytest.approx(seconds, abs=0.005)
        assert re.match(rf"{seconds:.2f} of 30.00", panel.locator(".vc-time").inner_text())
    book.page.keyboard.press("Space")
    pause.wait_for()
    book.page.keyboard.press("Space")
    play.wait_for()
    assert book.n_cells() == cells


def test_a_clip_shows_itself_as_its_player(book):
    panel = book.show(clip_code(1) + "clip")
    panel.get_by_role("button", name="Play").wait_for()
    assert "<Clip 1.00 s at 24000 Hz 'noise'>" in book.saved()


def test_the_pointer_seeks(book):
    panel = book.show(clip_code(10) + "vcnb.Player(clip)")
    slider = panel.get_by_role("slider")
    box = slider.bounding_box()
    slider.click(position={"x": box["width"] / 4, "y": 40})
    assert float(slider.get_attribute("aria-valuenow")) == pytest.approx(2.5, abs=0.05)


def test_the_download_is_the_clip_as_wav(book):
    panel = book.show(clip_code(90, "a take/1.m4a") + "vcnb.Player(clip)")  # several messages: over 4 MiB
    with book.page.expect_download() as waiting:
        panel.get_by_role("button", name="Download").click()
    assert waiting.value.suggested_filename == "a_take_1.wav"
    clip = vcnb.load(io.BytesIO(waiting.value.path().read_bytes()))
    assert clip.sample_rate == 24000
    assert clip.source.codec == "pcm_s16le"
    np.testing.assert_array_equal(clip.samples, samples_of(90))


def test_a_piece_that_got_lost_is_asked_for_again(book):
    panel = book.show(
        clip_code(90) + "player, lost, send = vcnb.Player(clip), [], vcnb.Player.send\n"
        "def once(content, buffers=None):\n"
        "    if content.get('at') and not lost: lost.append(content)\n"
        "    else: send(player, content, buffers)\n"
        "player.send = once; player"
    )
    with book.page.expect_download() as waiting:
        panel.get_by_role("button", name="Download").click()
    assert book.value("len(lost)") == 1
    clip = vcnb.load(io.BytesIO(waiting.value.path().read_bytes()))
    np.testing.assert_array_equal(clip.samples, samples_of(90))


def test_the_sound_ends_with_its_last_view(book):
    book.show(clip_code(30) + "player = vcnb.Player(clip); player")
    panel = book.show("player")
    panel.get_by_role("button", name="Play").click()
    sounding = "() => globalThis[Symbol.for('vcnb.sound')].sounding !== null"
    book.page.wait_for_function(sounding)
    delete = "() => jupyterapp.commands.execute('notebook:delete-cell')"
    book.page.evaluate(delete)
    panel.wait_for(state="detached")
    assert book.page.evaluate(sounding), "the other view is still there to stop it"
    book.page.evaluate(delete)
    book.page.wait_for_function("() => globalThis[Symbol.for('vcnb.sound')].sounding === null")


def test_of_two_players_one_sounds_and_the_other_waits_where_it_was(book):
    first = book.show(clip_code(20) + "a = vcnb.Player(clip); a")
    second = book.show("b = vcnb.Player(clip); b")
    first.get_by_role("button", name="Play").click()
    slider = first.get_by_role("slider")
    book.page.wait_for_function("node => Number(node.getAttribute('aria-valuenow')) > 0.1", arg=slider.element_handle())
    second.get_by_role("slider").press("End")
    second.get_by_role("slider").press("ArrowLeft")
    first.get_by_role("button", name="Pause").wait_for()  # what is done there is not done here
    second.get_by_role("button", name="Play").click()
    first.get_by_role("button", name="Play").wait_for()
    assert 0.1 < float(slider.get_attribute("aria-valuenow")) < 15
    second.get_by_role("button", name="Play").wait_for()
    assert float(second.get_by_role("slider").get_attribute("aria-valuenow")) == 20


def test_two_views_are_one_sound_and_a_reload_brings_it_back(book):
    first = book.show(clip_code(20) + "player = vcnb.Player(clip); player")
    second = book.show("player")
    first.get_by_role("button", name="Play").click()
    second.get_by_role("button", name="Pause").click()
    first.get_by_role("button", name="Play").wait_for()
    book.page.evaluate("() => jupyterapp.commands.execute('docmanager:save')")
    book.open()
    panels = book.page.locator(".jp-OutputArea-output .vcnb", has=book.page.get_by_text("noise · 20.0 s"))
    again = panels.last
    again.get_by_role("button", name="Play").click()
    again.get_by_role("button", name="Pause").click()
    assert float(again.get_by_role("slider").get_attribute("aria-valuenow")) > 0


def test_the_sound_is_nowhere_in_the_saved_notebook(book):
    book.show(clip_code(2) + "vcnb.Player(clip)").get_by_role("button", name="Play").wait_for()
    saved = book.saved()
    raw = np.int16(samples_of(2) * 32768).tobytes()
    for wire in (raw, samples_of(2).tobytes()):
        for start in (0, 1, 2):  # base64 groups bytes by three: one of the alignments must show it
            assert base64.b64encode(wire[start : start + 60]).decode() not in saved
    assert "<Player of <Clip 2.00 s at 24000 Hz 'noise'>>" in saved


def test_an_empty_clip_says_so(book):
    panel = book.show("import vcnb; from vcnb.audio.clip import Clip; vcnb.Player(Clip([], 24000))")
    assert "holds no sound" in panel.get_by_role("alert").inner_text()


def test_flac_is_the_clip_too_and_both_are_made_when_the_kernel_is_gone(book):
    panel = book.show(clip_code(3, "a take") + "vcnb.Player(clip)")
    panel.get_by_role("button", name="Play").click()
    panel.get_by_role("button", name="Pause").click()
    book.page.evaluate("async () => { await jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart(); }")
    book.page.wait_for_function("jupyterapp.shell.currentWidget.sessionContext.session.kernel.status === 'idle'")
    for kind, codec in (("WAV", "pcm_s16le"), ("FLAC", "flac")):
        panel.get_by_label("File format").select_option(label=kind)
        with book.page.expect_download() as waiting:
            panel.get_by_role("button", name="Download").click()
        assert waiting.value.suggested_filename == f"a_take.{kind.lower()}"
        clip = vcnb.load(io.BytesIO(waiting.value.path().read_bytes()))
        assert (clip.source.codec, clip.sample_rate) == (codec, 24000)
        np.testing.assert_array_equal(clip.samples, samples_of(3))
    panel.get_by_role("button", name="Play").click()
    panel.get_by_role("button", name="Pause").wait_for()
    book.errors.clear()  # the widget manager itself complains of the lost comms


def test_a_downloaded_speech_says_that_it_is_generated_whose_voice_and_by_which_consent(book):
    panel = book.show(
        "import numpy as np, vcnb; from vcnb.audio.clip import Speech\n"
        "ramp = np.float32(np.arange(1, 4001) / 32768)\n"
        "story = {'voice': 'qwen-vc-käthe', 'target_model': 'qwen3', 'consent': 'consent-12'}\n"
        "vcnb.Player(Speech(ramp, 24000, name='ramp', **story))"
    )
    for kind in ("WAV", "FLAC"):
        panel.get_by_label("File format").select_option(label=kind)
        with book.page.expect_download() as waiting:
            panel.get_by_role("button", name="Download").click()
        with av.open(str(waiting.value.path())) as file:  # a reader that is not ours
            told = {name.lower(): text for name, text in file.metadata.items()}
        assert told == {
            "artist": "qwen-vc-käthe",
            "comment": "AI-generated speech; voice: qwen-vc-käthe; model: qwen3; consent: consent-12",
            "encoder": "vcnb",
        }
        clip = vcnb.load(io.BytesIO(waiting.value.path().read_bytes()))
        np.testing.assert_array_equal(clip.samples, np.float32(np.arange(1, 4001) / 32768))


def test_two_play_at_one_instant_and_a_switch_goes_on_where_the_other_was(book):
    listen(book.page)
    panel = book.show(
        "import numpy as np, vcnb; from vcnb.audio.clip import Clip\n"
        "ramp = np.float32(np.arange(1, 72001) / 2**20)\n"  # three seconds: a busy machine clicks late
        "vcnb.Player([Clip(ramp, 24000, name='up'), Clip(-ramp, 24000, name='down')])"
    )
    panel.get_by_role("button", name="Play").click()
    slider = panel.get_by_role("slider")
    book.page.wait_for_function("node => Number(node.getAttribute('aria-valuenow')) > 0.2", arg=slider.element_handle())
    panel.get_by_role("button", name="B down").click()
    panel.get_by_role("button", name="Play").wait_for()
    book.page.wait_for_timeout(150)
    played = heard(book.page) * 2**20
    (sounding,) = np.nonzero(np.abs(played) > 0.5)
    played = played[sounding[0] : sounding[-1] + 1]
    # The value of a sample is its place: the same instant before and after, but for the milliseconds of the switch.
    place = np.arange(1, len(played) + 1)
    up, down = np.abs(played - place) < 1, np.abs(played + place) < 1
    assert up[: 24000 // 10].all()
    assert down[-24000 // 10 :].all()
    assert (~(up | down)).sum() < 0.05 * 24000


def test_a_loop_comes_round_to_the_sample(book):
    listen(book.page)
    panel = book.show(
        "import numpy as np, vcnb; from vcnb.audio.clip import Clip, Segment\n"
        "ramp = np.float32(np.arange(1, 24001) / 32768)\n"
        "vcnb.Player(Clip(ramp, 24000), marks=[Segment(0.25, 0.5)])"
    )
    panel.get_by_role("button", name="Loop").click()
    panel.get_by_role("button", name="0.2 s, from 0.25 to 0.50 s").click()
    panel.get_by_role("button", name="Loop 0.3 to 0.5 s").wait_for()
    book.page.wait_for_timeout(900)
    panel.get_by_role("button", name="Pause").click()
    book.page.wait_for_timeout(150)
    played = np.rint(heard(book.page) * 32768).astype(int)
    played = played[played != 0]
    assert len(played) > 2 * 6000
    np.testing.assert_array_equal(played, 6001 + np.arange(len(played)) % 6000)


def test_half_the_speed_lasts_twice_as_long_at_the_same_pitch(book):
    listen(book.page)
    panel = book.show(
        "import numpy as np, vcnb; from vcnb.audio.clip import Clip\n"
        "vcnb.Player(Clip(np.float32(0.5 * np.sin(2 * np.pi * 200 * np.arange(12000) / 24000)), 24000))"
    )
    panel.get_by_label("Speed").select_option(label="Speed 0.5×")
    panel.get_by_role("button", name="Play").click()
    panel.get_by_role("button", name="Pause").wait_for()
    panel.get_by_role("button", name="Play").wait_for()
    book.page.wait_for_timeout(150)
    played = heard(book.page)
    (sounding,) = np.nonzero(np.abs(played) > 1e-4)
    played = played[sounding[0] : sounding[-1] + 1]
    assert len(played) / 24000 == pytest.approx(1.0, abs=0.04)
    power = np.abs(np.fft.rfft(played[2400:-2400] * np.hanning(len(played) - 4800))) ** 2
    assert np.argmax(power) * 24000 / (len(played) - 4800) == pytest.approx(200, abs=3)


@pytest.mark.parametrize(("theme", "width"), [("light", 600), ("dark", 1600)])
def test_several_with_marks_are_drawn_and_can_be_used_by_everyone(book, shots, theme, width):
    book.look(theme, width)
    panel = book.show(
        "import vcnb\nclips = [vcnb.load(vcnb.samples()[name]) for name in ('kathleen_en', 'thorsten_en')]\n"
        "found = vcnb.diagnose(clips[0]).findings\n"
        "vcnb.Player(clips, marks=[*found, vcnb.Segment(2, 4), vcnb.Segment(4.2, 4.6)])"
    )
    panel.get_by_role("button", name="2.0 s, from 2.00 to 4.00 s").wait_for()
    book.page.wait_for_function("node => node.querySelectorAll('canvas')[2].width > 300", arg=panel.element_handle())
    assert axe_violations(panel) == []
    assert panel.evaluate("node => node.scrollWidth - node.clientWidth") <= 0
    shots(panel, f"player-several-{theme}-{width}")
    book.look("light", 1000)


@pytest.mark.parametrize("shown", ["clip", "vcnb.Player(clip)"])
def test_the_still_picture_stands_where_the_panel_is_gone_and_only_there(book, shown):
    panel = book.show(clip_code(1) + shown)
    still = book.page.locator("img[src*='vcnb-still']")
    still.wait_for(state="hidden")
    saved = nbformat.reads(book.saved(), as_version=4)
    picture, value = saved.cells[-1].outputs
    drawn = picture.data["image/svg+xml"]
    assert len(drawn.encode()) <= 6000
    assert "noise · 1.0 s" in drawn
    assert "Clip 1.00 s at 24000 Hz" in value.data["text/plain"]
    # The state of the widgets is in the file: an exported page has the picture all the same.
    page, _ = nbconvert.HTMLExporter().from_notebook_node(saved)
    assert base64.b64encode(drawn.encode()).decode() in page
    panel.evaluate("node => node.remove()")
    still.wait_for(state="visible")
