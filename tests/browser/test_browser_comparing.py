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
