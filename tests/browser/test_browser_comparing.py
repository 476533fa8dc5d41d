"""Comparing and listening blind in a real JupyterLab; what is played is heard sample by sample."""

from __future__ import annotations

import numpy as np
import pytest
from harness import axe_violations
from listening import heard, listen

pytestmark = pytest.mark.browser

CLIPS = """
import numpy as np, vcnb
from vcnb.compare.listening import Listening
hostile = '<img src=x onerror=alert(1)> a very long name that goes on and on and on and never ends'
names = ('one', hostile, 'three')
t = np.arange(24000) / 24000
shape = lambda hz: np.float32(0.3 * np.sin(2 * np.pi * hz * t) * np.minimum(1, np.minimum(t, 1 - t) * 50))
clips = tuple(vcnb.Clip(shape(hz), 24000, name=name) for hz, name in zip((300, 500, 700), names))
"""


def wait_trial(panel, number):
    panel.get_by_text(f"Trial {number} of").wait_for()


def silent(page):
    page.wait_for_function("() => !globalThis[Symbol.for('vcnb.sound')]?.sounding")


def loudest_hz(samples):
    return round(float(np.argmax(np.abs(np.fft.rfft(samples, 24_000)))))


def test_abx_is_answered_by_keyboard_alone_and_switches_in_the_same_sample(book, shots):
    listen(book.page)
    book.look("light", 1000)
    panel = book.show(CLIPS + "test = Listening(names[:2], clips[:2], 'abx', seed=11); test")
    wait_trial(panel, 1)
    cells = book.n_cells()
    panel.get_by_role("button", name="A Hear").focus()
    book.page.keyboard.press("1")
    book.page.wait_for_function("() => globalThis.heard.length > 30")
    book.page.keyboard.press("2")
    panel.get_by_role("button", name="X Playing").wait_for()
    assert panel.get_by_role("button", name="X Playing").get_attribute("aria-pressed") == "true"
    shots(panel, "listening-abx-playing")
    book.page.wait_for_timeout(150)
    book.page.keyboard.press("3")
    book.page.wait_for_timeout(150)
    book.page.keyboard.press("3")
    panel.get_by_role("button", name="B Hear").wait_for()
    trial = book.value("[test.trial().correct, [names.index(b) for b in test.trial().buttons]]")
    played = heard(book.page)
    sounded = np.flatnonzero(np.abs(played) > 1e-4)
    # All run together: from the first to the last sample there is no hole, and the order of pitches is A, X, B.
    assert np.diff(sounded).max() < 24_000 * 0.06, "only the fades of the clip itself are soft"
    a, b = ((300, 500)[at] for at in trial[1])
    x = {"A": a, "B": b}[trial[0]]
    first, last = played[sounded[0] + 500 :][:2400], played[: sounded[-1] - 500][-2400:]
    assert (loudest_hz(first), loudest_hz(last)) == (pytest.approx(a, abs=30), pytest.approx(b, abs=30))
    assert x in (a, b)
    for number, key in enumerate(("ArrowLeft", "ArrowRight", "ArrowRight"), 1):
        wait_trial(panel, number)
        book.page.keyboard.press(key)
    wait_trial(panel, 4)
    assert book.value("test.answers") == ["A", "B", "B"]
    assert book.n_cells() == cells
    assert "hostile" not in panel.inner_text()
    assert "onerror" not in panel.evaluate("node => node.outerHTML"), "no name before the end"


def test_a_test_goes_on_after_the_kernel_forgot_it_and_tells_its_results_only_at_the_end(book, shots):
    code = CLIPS + "test = Listening(names[:2], clips[:2], 'abx', seed=12); test"
    panel = book.show(code)
    wait_trial(panel, 1)
    panel.get_by_role("button", name="X is A").click()
    wait_trial(panel, 2)
    assert axe_violations(panel) == []
    again = book.show(code)  # another object, as after a restart: nothing but the file is left
    wait_trial(again, 2)
    assert "%" not in again.inner_text()
    again.get_by_role("button", name="Stop here").click()
    again.get_by_text("not shown that they can be told apart").wait_for()
    assert "<img src=x onerror" in again.inner_text(), "a hostile name is text"
    assert again.locator("img").count() == 0
    for theme, width in (("light", 600), ("dark", 1000)):
        book.look(theme, width)
        assert axe_violations(again) == []
        assert again.evaluate("node => node.scrollWidth - node.clientWidth") <= 0
        shots(again, f"listening-results-{theme}-{width}")
    again.get_by_role("button", name="Go on").click()
    wait_trial(again, 2)


def test_mushra_hears_all_before_it_keeps_the_scores(book, shots):
    book.look("dark", 600)
    panel = book.show(CLIPS + "test = Listening(names, clips, 'mushra', seed=13); test")
    wait_trial(panel, 1)
    keep = panel.get_by_role("button", name="Keep these scores")
    assert keep.get_attribute("aria-disabled") == "true"
    panel.get_by_role("button", name="Hear Reference").focus()
    for key in "01234":
        book.page.keyboard.press(key)
        book.page.wait_for_timeout(60)
    slider = panel.get_by_role("slider", name="Score of sound 2")
    slider.focus()
    book.page.keyboard.press("End")
    book.page.keyboard.press("ArrowLeft")
    panel.get_by_text("Hear sound").wait_for(state="detached")
    assert axe_violations(panel) == []
    for theme, width in (("dark", 600), ("light", 1000), ("light", 1600)):
        book.look(theme, width)
        assert panel.evaluate("node => node.scrollWidth - node.clientWidth") <= 0
        shots(panel, f"listening-mushra-{theme}-{width}")
    keep.click()
    wait_trial(panel, 2)
    assert book.value("test.answers") == [[50, 99, 50, 50]]
    silent(book.page)


VOICES = """
import vcnb
try: comparison
except NameError:
    def cut(name, start, stop, called):
        clip = vcnb.load(vcnb.samples()[name])
        at = slice(round(start * clip.sample_rate), round(stop * clip.sample_rate))
        return vcnb.Clip(clip.samples[at], clip.sample_rate, name=called)
    hostile = '<img src=x onerror=alert(1)> kathleen'
    comparison = vcnb.compare([
        cut('kathleen_en', 0, 6, 'kathleen, reference'), cut('kathleen_en', 6, 12, hostile),
        cut('thorsten_en', 2, 8, 'thorsten'), cut('thorsten_en', 10, 16, 'thorsten, later'),
        cut('kathleen_en', 1, 2, 'one second'),
    ])
"""


@pytest.fixture
def comparing(book):
    """Show the panel of five clips: two speakers, one name that is an attack, one clip that is too short."""
    panel = book.show(VOICES + "panel = vcnb.Comparing(comparison); panel")
    panel.get_by_role("button", name="A and B, cosine").wait_for(timeout=60_000)
    return panel


def test_a_pair_is_chosen_heard_and_told_in_words(book, comparing, shots):
    panel = comparing
    assert book.value("panel.error") is None
    cells = panel.locator(".vc-heat td > button:not(:text('–'))")
    shades = cells.evaluate_all("cells => cells.map(cell => cell.style.backgroundColor)")
    assert all(shade.startswith("rgb(") for shade in shades)
    assert len(set(shades)) > 2, "what is more alike is darker"
    listen(book.page, 22_050)
    sounding = book.value("comparison.clips[0].sample_rate")
    listen(book.page, sounding)
    cosines = book.value("comparison.similarity().round(2).to_numpy().tolist()")
    cell = panel.get_by_role("button", name="A and C, cosine")
    assert cell.inner_text() == f"{cosines[0][2]:.2f}"
    cell.click()
    panel.get_by_role("heading", name="A and C: two speakers, likely").wait_for()
    book.page.keyboard.press("ArrowLeft")
    book.page.keyboard.press("Enter")
    focused = book.page.evaluate("() => document.activeElement.getAttribute('aria-label')")
    assert focused.startswith(("A and", "B and", "C and", "D and", "E and"))
    panel.get_by_role("button", name="A and B, cosine").click()
    panel.get_by_role("heading", name="A and B: the same speaker").wait_for()
    assert "does not prove who is speaking" in panel.inner_text()
    panel.get_by_role("button", name="A Hear kathleen, reference").first.click()
    panel.get_by_role("button", name="A Pause").first.wait_for()
    book.page.wait_for_function("() => globalThis.heard.some(([, block]) => block.some((x) => Math.abs(x) > 0.01))")
    panel.get_by_role("button", name="B Hear").first.click()
    panel.get_by_role("button", name="B Pause").first.wait_for()
    assert book.page.evaluate("() => globalThis[Symbol.for('vcnb.sound')].sounding.tapes.length") == 2
    panel.get_by_role("button", name="B Pause").first.click()
    silent(book.page)
    panel.get_by_role("button", name="A and E, cosine unknown").click()
    panel.get_by_text("too little to know a voice by").wait_for()
    assert panel.locator("img").count() == 0
    panel.get_by_role("button", name="A and B, cosine").click()
    for theme, width in (("light", 600), ("dark", 1000), ("light", 1000), ("light", 1600), ("dark", 1600)):
        book.look(theme, width)
        if width != 1600:
            assert axe_violations(panel) == []
        assert panel.evaluate("node => node.scrollWidth - node.clientWidth") <= 0
        shots(panel, f"comparing-{theme}-{width}")


def test_each_view_is_drawn_and_the_table_is_sorted_by_what_one_presses(book, comparing, shots):
    panel = comparing
    for theme in ("light", "dark"):
        book.look(theme, 1000)
        for view, drawn in (("Map", ".vc-dot"), ("Spectra", "path.vc-line"), ("Pitch", "path.vc-line")):
            panel.get_by_role("button", name=view, exact=True).click()
            panel.locator(f"{drawn}:visible").nth(1).wait_for()
            assert axe_violations(panel) == []
            shots(panel, f"comparing-{view.lower()}-{theme}")
    panel.get_by_role("button", name="Map", exact=True).click()
    panel.get_by_role("button", name="C thorsten, Hear").click()
    panel.locator(".vc-dot[aria-pressed=true]").wait_for()
    panel.get_by_role("button", name="Table", exact=True).click()
    pitch = panel.get_by_role("columnheader", name="Median pitch")
    pitch.get_by_role("button").click()
    assert pitch.get_attribute("aria-sort") == "ascending"
    first = panel.locator("tbody tr:visible .vc-clip-name").first
    assert first.inner_text().startswith("thorsten"), "a man's pitch is the lower one"
    pitch.get_by_role("button").click()
    assert pitch.get_attribute("aria-sort") == "descending"
    assert "thorsten" not in first.inner_text()
    shots(panel, "comparing-table-dark")


def test_a_blind_test_begins_in_the_panel_and_the_report_comes_through_the_browser(book, comparing, shots, tmp_path):
    panel = comparing
    book.look("light", 1000)
    panel.get_by_role("button", name="A and B, cosine").click()
    panel.get_by_role("button", name="Blind test").click()
    panel.get_by_text("Can A and B be told apart?").wait_for()
    panel.get_by_role("button", name="ABX", exact=True).click()
    panel.get_by_text("Trial 1 of 16").wait_for()
    assert book.value("panel.test.listening.items") == book.value("list(comparison.items[:2])")
    shots(panel, "comparing-blind")
    with book.page.expect_download() as waiting:
        panel.get_by_role("button", name="Report as one HTML file").click()
    path = tmp_path / "comparison.html"
    waiting.value.save_as(path)
    seconds = book.value("sum(clip.duration for clip in comparison.clips)")
    assert path.stat().st_size <= 150_000 * 5, "at most 150 kB for each of five clips"
    assert path.stat().st_size > 6_000 * seconds, "the sound is in it"
    page = book.page.context.browser.new_context(offline=True).new_page()
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    try:
        page.goto(path.as_uri())
        page.locator("audio").first.evaluate(
            """async node => {
              await node.play();
              while (node.currentTime < 0.2) await new Promise(requestAnimationFrame);
            }"""
        )
        lengths = page.evaluate("() => [...document.querySelectorAll('audio')].map(node => node.duration)")
        assert lengths[0] == pytest.approx(6.0, abs=0.15)
        assert axe_violations(page.locator("html")) == []
        assert page.locator("img[onerror]").count() == 0
        assert all(url.startswith(("file:", "data:", "blob:")) for url in asked)
        page.screenshot(path=path.parent / "report.png", full_page=True)
    finally:
        page.context.close()


def test_nothing_one_clip_and_a_stopped_measuring_say_what_to_do(book, shots):
    book.look("light", 1000)
    empty = book.show("import vcnb; vcnb.Comparing()")
    empty.get_by_text("Nothing to compare yet").wait_for()
    assert axe_violations(empty) == []
    shots(empty, "comparing-empty")
    one = book.show(VOICES + "vcnb.Comparing(comparison.clips[:1])")
    one.get_by_text("nobody to be like").wait_for()
    one.get_by_role("button", name="A Hear").wait_for()
    many = book.show(VOICES + "panel = vcnb.Comparing(comparison.clips * 8); panel")
    many.get_by_role("button", name="Cancel").focus()
    bar = many.get_by_role("progressbar", name="Measuring the voices")
    before = bar.get_attribute("aria-valuenow")
    book.page.wait_for_function("([bar, now]) => bar.ariaValueNow !== now", arg=[bar.element_handle(), before])
    book.page.keyboard.press("Enter")  # the focus is still there
    many.get_by_text("The measuring was stopped").wait_for()
    many.get_by_role("button", name="Measure again").click()
    many.get_by_role("button", name="Cancel").click()
    many.get_by_role("button", name="Measure again").wait_for()
    assert axe_violations(many) == []


GRID = """
import dataclasses, threading, vcnb
try: grid
except NameError:
    account = vcnb.connect('practice')
    two = [account.enroll(vcnb.load(vcnb.samples()[name]), preferred_name=name[:8], consent='theirs', language='en')
           for name in ('kathleen_en', 'thorsten_en')]
    texts = ['Thank you for calling today. The order you asked about is on its way, and it is <now> here.']
    grid = account.grid(two, texts, repeats=2, progress=lambda *_: None)
"""


def test_a_grid_is_sorted_filtered_and_heard_in_its_cell(book, shots):
    book.look("light", 1000)
    panel = book.show(GRID + "grid")
    rows = panel.locator("tbody tr:visible")
    rows.first.wait_for(timeout=60_000)
    assert rows.count() == 4
    assert panel.locator("now").count() == 0, "a text is text"
    frame = "grid.to_frame()"
    voice = panel.get_by_role("columnheader", name="Voice")
    voice.get_by_role("button").click()
    assert voice.get_attribute("aria-sort") == "ascending"
    names = [each.strip() for each in panel.locator("tbody .vc-clip-name").all_inner_texts()]
    assert names == book.value(f"sorted({frame}['name'])")
    rate = book.value("grid.speech(0).sample_rate")
    listen(book.page, rate)
    rows.first.get_by_role("button", name="Hear").click()
    rows.first.get_by_role("button", name="Pause").wait_for()
    book.page.wait_for_function("() => globalThis.heard.some(([, block]) => block.some((x) => Math.abs(x) > 0.01))")
    rows.nth(3).get_by_role("button", name="Hear").click()
    rows.nth(3).get_by_role("button", name="Pause").click()
    rows.first.get_by_role("button", name="Hear").wait_for()
    silent(book.page)
    rows.first.get_by_role("button", name="Why").press("Enter")
    panel.locator("tr.is-why").get_by_text("Speaker").wait_for()
    assert panel.locator("tr.is-why li").count() >= 5
    for theme, width in (("light", 600), ("dark", 1000), ("light", 1600)):
        book.look(theme, width)
        assert axe_violations(panel) == []
        assert panel.evaluate("node => node.scrollWidth - node.clientWidth") <= 0
        shots(panel, f"grid-{theme}-{width}")
    panel.get_by_label("Search voice").fill("nothing like it")
    panel.get_by_text("No take matches").wait_for()


def test_a_thousand_cells_are_sorted_without_lag(book):
    code = "many = dataclasses.replace(grid, rows=grid.rows * 250); many"
    panel = book.show(GRID + code)
    panel.get_by_text("1 to 30 of 1000").wait_for(timeout=60_000)
    assert panel.locator("tbody tr").count() == 30
    took = (
        panel.get_by_role("columnheader", name="Text")
        .get_by_role("button")
        .evaluate(
            """async (button) => {
          const times = [];
          for (let i = 0; i < 5; i++) {
            const start = performance.now();
            button.click();
            button.getBoundingClientRect();
            times.push(performance.now() - start);
          }
          return times.sort((a, b) => a - b)[2];
        }"""
        )
    )
    assert took < 100, f"a sort took {took:.0f} ms"
    panel.get_by_role("button", name="Next").click()
    panel.get_by_text("31 to 60 of 1000").wait_for()
    assert panel.locator("tbody tr").first.get_attribute("aria-rowindex") == "32"
