"""Speaking by hand in a real JupyterLab, with the real practice service and its engine."""

from __future__ import annotations

import av
import numpy as np
import pytest
from harness import axe_violations
from listening import heard, listen

import vcnb

pytestmark = pytest.mark.browser

LIVE = "qwen3-tts-vc-realtime-2026-01-15"
TEXT = "Thank you for calling today. The order you asked about is on its way, and it arrives tomorrow at noon."
START = f"""
import vcnb
try: account
except NameError:
    account = vcnb.connect('practice')
    clip = vcnb.load(vcnb.samples()['kathleen_en'])
    models = ['qwen3-tts-vc-2026-01-22', {LIVE!r}]
    account.enroll(clip, preferred_name='kathleen', consent='hers', target_model=models, language='en')
panel = vcnb.Synthesis(account=account); panel
"""


@pytest.fixture
def synthesis(book):
    """Show the panel, with a voice for each kind of model, and choose one."""

    def show(kind):
        panel = book.show(START)
        voice = panel.get_by_label("Voice", exact=True)
        voice.locator("option").nth(1).wait_for(state="attached")
        voice.select_option(label=next(each for each in voice.locator("option").all_inner_texts() if kind in each))
        return panel

    return show


def ended(book):
    book.wait_for_value("panel.working is None", True)
    book.page.wait_for_function("() => globalThis[Symbol.for('vcnb.sound')].sounding === null")
    book.page.wait_for_timeout(150)


def test_a_live_voice_is_heard_before_its_synthesis_has_ended_and_goes_on_with_what_is_typed(book, synthesis, shots):
    listen(book.page)
    book.look("light", 1000)
    panel = synthesis("live")
    text = panel.get_by_label("Text", exact=True)
    text.fill(TEXT)
    panel.get_by_text(f"{len(TEXT)} characters").wait_for()
    panel.get_by_text("free on the practice service").wait_for()
    assert book.value("panel.takes") == []
    text.press("Control+Enter")
    book.page.wait_for_function("() => globalThis.heard.some(([, block]) => block.some((x) => x !== 0))")
    assert book.value("panel.working['kind']") == "line", "it is heard, and its synthesis goes on"
    assert book.value("panel.takes") == []
    assert text.input_value() == ""
    shots(panel, "synthesis-live")
    text.fill("Is there anything else?")
    panel.get_by_role("button", name="Send what is typed").click()
    panel.get_by_role("button", name="Finish the take").click()
    ended(book)
    assert book.value("[panel.error, panel.speech.text]") == [None, f"{TEXT} Is there anything else?"]
    samples = np.float32(np.array(book.value("(panel.speech.samples * 32768).astype(int).tolist()")) / 32768)
    played = heard(book.page)
    np.testing.assert_array_equal(played[played != 0], samples[samples != 0])
    figures = book.value("list(panel.figures.values())[0]")
    assert figures["first_sound"] > 0
    panel.get_by_text("First sound").first.wait_for()
    times = f"{book.value('panel.speech.duration / panel.speech.arrivals[-1][0]'):.1f}×"
    panel.get_by_text(f"Made {times} as fast as it is heard.").first.wait_for()
    panel.locator(".vc-figure").get_by_text(times).wait_for()  # the same in both places


@pytest.mark.parametrize("way", ["Streamed", "Whole"])
def test_an_http_voice_speaks_both_ways_by_keyboard_alone(book, synthesis, way):
    panel = synthesis("streamed")
    cells = book.n_cells()
    panel.get_by_label("Text", exact=True).focus()
    book.page.keyboard.type("Thank you.")
    button = panel.get_by_role("button", name=way)
    for _ in range(12):
        if button.evaluate("node => node === document.activeElement"):
            break
        book.page.keyboard.press("Tab")
    book.page.keyboard.press("Space")
    assert button.get_attribute("aria-pressed") == "true"
    press = panel.get_by_role("button", name="Speak", exact=True)
    press.focus()
    book.page.keyboard.press("Enter")
    book.wait_for_value("len(panel.takes)", 1)
    book.wait_for_value("[len(each) > 0 for each in panel.figures.values()]", [True])  # it was heard by itself
    assert book.value("panel.speech.transport") == {"Streamed": "sse", "Whole": "http"}[way]
    assert panel.get_by_role("button", name="Live").get_attribute("aria-disabled") == "true"
    assert book.n_cells() == cells
    ended(book)


def test_takes_are_compared_downloaded_and_found_again(book, synthesis, shots):
    panel = synthesis("streamed")
    known = book.value("len(account.takes())")
    for text in ("Thank you.", "Good morning."):
        panel.get_by_label("Text", exact=True).fill(text)
        panel.get_by_role("button", name="Speak", exact=True).click()
        known += 1
        book.wait_for_value("len(account.takes())", known)
        ended(book)
    newest = panel.locator(".vc-take").first
    with book.page.expect_download() as waiting:
        newest.get_by_role("button", name="Download").click()
    clip = vcnb.load(waiting.value.path())
    with av.open(str(waiting.value.path())) as file:  # a reader that is not ours
        assert file.metadata["comment"].startswith("AI-generated speech of a practice voice; voice: ")
        assert f"take: {book.value('panel.speech.take')}" in file.metadata["comment"]
    samples = np.float32(np.array(book.value("(panel.speech.samples * 32768).astype(int).tolist()")) / 32768)
    np.testing.assert_array_equal(clip.samples, samples)
    for row in (newest, panel.locator(".vc-take").nth(1)):
        row.get_by_role("checkbox").check()
    panel.get_by_role("button", name="Compare these").click()
    panel.get_by_role("group", name="Which clip is heard").wait_for()
    for theme, width in (("light", 600), ("dark", 1000), ("light", 1600)):
        book.look(theme, width)
        assert axe_violations(panel) == []
        assert panel.evaluate("node => node.scrollWidth - node.clientWidth") <= 0
        shots(panel, f"synthesis-{theme}-{width}")
    book.look("light", 1000)
    again = book.show("other = vcnb.Synthesis(account=account); other")
    again.get_by_text("Good morning.").wait_for()
    again.locator(".vc-take").first.get_by_role("button", name="Hear").click()
    again.locator(".vc-take").first.get_by_role("button", name="Pause").wait_for()


def test_a_page_that_is_loaded_anew_has_what_was_typed_and_the_file_does_not(book, synthesis):
    panel = synthesis("streamed")
    panel.get_by_label("Text", exact=True).fill("A secret sentence.")
    book.wait_for_value("panel._draft.get('text')", "A secret sentence.")
    assert "secret sentence" not in book.saved()
    book.open()
    again = book.page.locator(".jp-OutputArea-output .vcnb").last
    book.page.wait_for_function(
        "node => node.querySelector('textarea')?.value === 'A secret sentence.'", arg=again.element_handle()
    )


def test_one_panel_shown_twice_and_another_beside_it_do_not_disturb_each_other(book, synthesis):
    first = synthesis("streamed")
    second = book.show("panel")
    other = book.show("beside = vcnb.Synthesis(account=account); beside")
    first.get_by_label("Text", exact=True).fill("Thank you.")
    book.page.wait_for_function(
        "node => node.querySelector('textarea').value === 'Thank you.'", arg=second.element_handle()
    )
    assert other.get_by_label("Text", exact=True).input_value() == ""
    second.get_by_role("button", name="Speak", exact=True).click()
    book.wait_for_value("len(panel.takes)", 1)
    assert book.value("len(beside.takes)") == 0
    ended(book)
