"""The diagnosis panel in a real JupyterLab: findings over the sound, heard, mended and taken back."""

from __future__ import annotations

import base64
import re

import pytest
from harness import WAIT_MS, axe_violations
from recordings import pcm_wav, sine

pytestmark = pytest.mark.browser

# Made of what is shipped: good as it is; with a pause and a room; two people; no sound at all.
MAKE = """
import numpy as np, vcnb
from vcnb.audio.clip import Clip
kathleen, thorsten = (vcnb.load(vcnb.samples()[name]) for name in ("kathleen_en", "thorsten_en"))
def poor():
    rate, samples = kathleen.sample_rate, kathleen.samples * 2.5
    sound = np.concatenate([samples[: 6 * rate], np.zeros(int(2.6 * rate)), samples[6 * rate :]])
    sound += 0.02 * np.random.default_rng(1).standard_normal(len(sound))
    return Clip(np.clip(sound, -0.95, 0.95), rate, name="balcony.wav")
def two():
    other = vcnb.load((thorsten.samples, thorsten.sample_rate)).samples[:: thorsten.sample_rate // 24_000][: 7 * 24_000]
    return Clip(np.concatenate([kathleen.samples[: 8 * 24_000], other]), 24_000, name="interview.wav")
"""
CLIPS = {"good": "kathleen", "noisy": "poor()", "two": "two()", "unreadable": "b'%PDF-1.7 no sound'"}


def show(book, clip):
    return book.show(f"{MAKE}\npanel = vcnb.Diagnosis({clip}); panel")


def judged(panel):
    panel.locator(".vc-foot .vc-say[data-verdict]").wait_for(timeout=WAIT_MS)
    return panel


def deck(panel, expression):
    """Ask the deck that plays: the panel's own parts are not reachable from outside, what sounds on the page is."""
    return panel.page.evaluate(
        f"() => {{ const deck = globalThis[Symbol.for('vcnb.sound')].sounding; return {expression}; }}"
    )


def finding(panel, name):
    return panel.locator(".vc-finding", has=panel.page.get_by_text(name, exact=True))


@pytest.mark.parametrize(
    "kind", ["noisy", "unreadable", *[pytest.param(kind, marks=pytest.mark.figures) for kind in ("good", "two")]]
)
def test_it_is_drawn_and_can_be_used_by_everyone(book, shots, kind):
    book.look("light", 1000)
    panel = judged(show(book, CLIPS[kind]))
    if kind != "unreadable":
        drawn = "node => node.querySelectorAll('canvas')[2].width > 300"
        book.page.wait_for_function(drawn, arg=panel.element_handle())
    if kind == "two":
        assert panel.locator(".vc-foot .vc-say").inner_text() == "One finding fails and cannot be mended. Record again."
    for theme, width in (("light", 1000), ("dark", 1600)):
        book.look(theme, width)
        book.page.set_viewport_size({"width": width, "height": 2000})  # all of it in one picture
        shots(panel, f"diagnosis-{kind}-{theme}-{width}")
        assert axe_violations(panel) == []
        assert panel.evaluate("node => node.scrollWidth - node.clientWidth") <= 0, "the panel is wider than its place"


def test_it_is_usable_in_a_narrow_place_and_while_nothing_is_there(book, shots):
    book.look("light", 600)
    panel = book.show("import vcnb; panel = vcnb.Diagnosis(); panel")
    assert panel.get_by_role("button", name="Choose files").is_visible()
    assert axe_violations(panel) == []
    shots(panel, "diagnosis-empty-light-600")
    book.run(f"{MAKE}\npanel.clip = poor()")
    judged(panel)
    book.page.set_viewport_size({"width": 600, "height": 2000})
    shots(panel, "diagnosis-noisy-light-600")
    assert axe_violations(panel) == []
    assert panel.evaluate("node => node.scrollWidth - node.clientWidth") <= 0, "the panel is wider than its place"


def test_a_press_on_a_finding_or_its_range_plays_its_place_and_marks_both(book):
    panel = judged(show(book, "poor()"))
    pause = finding(panel, "Longest pause")
    panel.get_by_role("button", name=re.compile("hear Longest pause")).click()
    # Asked in one breath: the place is short, and has been heard before a busy machine asks a second time.
    sounding = "globalThis[Symbol.for('vcnb.sound')].sounding"
    asked = book.page.wait_for_function(f"() => {sounding} && [{sounding}.region, {sounding}.position]")
    region, position = asked.json_value()
    start, end = book.value("[list(vars(s).values()) for s in panel.report.findings[8].segments][0]")
    assert [region["from"], region["to"]] == pytest.approx([start, end], abs=0.01)
    assert start - 0.1 <= position <= end
    assert "is-open" in pause.get_attribute("class")
    span = panel.get_by_role("button", name=re.compile("Longest pause, Fail, from 6"))
    assert span.get_attribute("aria-pressed") == "true"
    box, picture = span.bounding_box(), panel.get_by_role("slider").bounding_box()
    total = book.value("panel.clip.duration")
    assert (box["x"] - picture["x"]) / picture["width"] == pytest.approx(start / total, abs=0.01)
    assert box["width"] / picture["width"] == pytest.approx((end - start) / total, abs=0.01)
    book.page.keyboard.press("Escape")
    assert "is-open" not in pause.get_attribute("class")
    span.focus()
    book.page.keyboard.press("Enter")
    assert "is-open" in pause.get_attribute("class")


def test_by_keyboard_a_copy_is_mended_heard_before_and_after_at_one_instant_and_taken_back(book, shots):
    book.look("light", 1000)
    panel = judged(show(book, "poor()"))
    cells, keyboard = book.n_cells(), book.page.keyboard

    def press(name):
        panel.get_by_role("button", name=name, exact=True).focus()
        keyboard.press("Space")

    panel.get_by_role("button", name="Play", exact=True).focus()
    for key in ("d", "d", "b"):
        keyboard.press(key)
    press("Shorten the pauses: Longest pause")
    panel.get_by_role("button", name="Undo: Shorten the pauses").wait_for(timeout=WAIT_MS)
    judged(panel)
    assert finding(panel, "Longest pause").count() == 0
    assert book.value("[edit.name for edit in panel.clip.edits]") == ["pause"]
    book.page.set_viewport_size({"width": 1000, "height": 2000})
    shots(panel, "diagnosis-mended-light")
    assert axe_violations(panel) == []
    press("After")
    book.page.wait_for_function("() => globalThis[Symbol.for('vcnb.sound')].sounding?.position > 0.2")
    assert deck(panel, "deck.active") == 1
    at = deck(panel, "deck.position")
    press("Before")
    assert deck(panel, "deck.active") == 0, "the other one is heard"
    assert at <= deck(panel, "deck.position") < at + 3, "where the first one was"
    assert finding(panel, "Longest pause").count() == 1, "and its findings are shown"
    press("Before")
    assert deck(panel, "deck") is None, "pressed again it pauses"
    press("Undo: Shorten the pauses")
    panel.get_by_role("button", name="Undo: Shorten the pauses").wait_for(state="detached", timeout=WAIT_MS)
    judged(panel)
    assert book.value("panel.clip.edits") == []
    assert book.n_cells() == cells


def test_a_file_that_is_dropped_is_judged_and_one_that_is_no_sound_is_refused(book):
    panel = book.show("import vcnb; panel = vcnb.Diagnosis(); panel")
    with panel.page.expect_file_chooser() as chooser:
        panel.get_by_role("button", name="Choose files").click()
    chooser.value.set_files([{"name": "notes.pdf", "mimeType": "", "buffer": b"%PDF-1.7"}])
    panel.get_by_text("Not sound; nothing was sent.").wait_for()
    panel.get_by_role("button", name="Remove notes.pdf").click()
    sound = pcm_wav(sine(4, 24_000), 24_000)
    with panel.page.expect_file_chooser() as chooser:
        panel.get_by_role("button", name="Choose files").click()
    chooser.value.set_files([{"name": "tone.wav", "mimeType": "", "buffer": sound}])
    judged(panel)
    assert "tone.wav · 4.0 s · 24 kHz · mono · 16-bit" in panel.inner_text()
    with panel.page.expect_file_chooser() as chooser:
        panel.get_by_role("button", name="Check another file").click()
    # Begins as FLAC does, so it is sent; neither the kernel nor the browser can decode it.
    chooser.value.set_files([{"name": "torn.flac", "mimeType": "", "buffer": b"fLaC" + bytes(3000)}])
    panel.get_by_text("It cannot be read.").wait_for()
    assert finding(panel, "Format").count() == 1
    assert panel.get_by_role("slider").count() == 0


def test_two_views_show_one_recording_and_nothing_of_it_is_saved(book):
    first = judged(show(book, "poor()"))
    second = judged(book.show("panel"))
    other = judged(book.show("other = vcnb.Diagnosis(kathleen); other"))
    first.get_by_role("button", name="Play", exact=True).click()
    second.get_by_role("button", name="Pause", exact=True).click()
    first.get_by_role("button", name="Play", exact=True).wait_for()
    first.get_by_role("button", name=re.compile("hear Longest pause")).click()
    assert "is-open" not in finding(second, "Longest pause").get_attribute("class"), "each view opens its own"
    assert "balcony.wav" in second.inner_text()
    assert "kathleen_en.wav" in other.inner_text()
    raw = bytes(book.value("list(panel.clip.samples[40000:40060].tobytes())"))
    saved = book.saved()
    for start in (0, 1, 2):  # base64 groups bytes by three: one of the alignments must show it
        assert base64.b64encode(raw[start:]).decode()[:-4] not in saved
    assert "<Diagnosis of <Clip 17.92 s at 24000 Hz 'balcony.wav'>>" in saved


# The last: a new kernel has everything to load again.
def test_a_kernel_that_is_gone_leaves_the_findings_and_the_sound(book):
    panel = judged(show(book, "poor()"))
    book.page.wait_for_function("node => node.querySelectorAll('canvas')[2].width > 300", arg=panel.element_handle())
    panel.get_by_role("button", name="Play", exact=True).click()
    panel.get_by_role("button", name="Pause", exact=True).click()
    book.page.evaluate("async () => { await jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart(); }")
    book.page.wait_for_function("jupyterapp.shell.currentWidget.sessionContext.session.kernel.status === 'idle'")
    panel.get_by_role("button", name="Shorten the pauses: Longest pause").click()
    panel.get_by_role("alert").get_by_text("The kernel does not answer.").wait_for()
    panel.get_by_role("button", name="Play", exact=True).click()
    panel.get_by_role("button", name="Pause", exact=True).click()
    book.errors.clear()  # the widget manager itself complains of the lost comms


@pytest.mark.parametrize("report", ["vcnb.diagnose(vcnb.samples()['kathleen_en'], language='en')", "vcnb.doctor()"])
def test_a_report_s_words_stand_left_in_columns_as_wide_as_they_need(book, report):
    cell = book.run(f"import vcnb\n{report}")
    cells = cell.locator(".jp-RenderedHTML td")
    cells.first.wait_for()
    aligned = cells.evaluate_all("(all) => [...new Set(all.map((each) => getComputedStyle(each).textAlign))]")
    assert aligned == ["left"]
    widths = cell.locator(".jp-RenderedHTML th").evaluate_all("(all) => all.map((each) => each.offsetWidth)")
    assert widths[0] < 0.5 * max(widths)
