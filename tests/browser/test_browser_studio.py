"""The whole journey in a real JupyterLab with the real practice service: by mouse, by keyboard, and interrupted."""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np
import pytest
from harness import MICROPHONE, WAIT_MS, axe_violations, play
from listening import listen
from walking import COUNT, RATE, SHOW, STEPS, Walk, spoken

import vcnb

pytestmark = pytest.mark.browser

MOST_CLICKS = 6
MOST_BYTES, MOST_BYTES_WITH_STATE = 200_000, 2_000_000
RUN = "code => { jupyterapp.shell.currentWidget.sessionContext.session.kernel.requestExecute({ code }); }"
BUSY = "import time; end = time.time() + 8\nwhile time.time() < end: pass"


@pytest.fixture
def studio(book, tmp_path):
    """Show a Studio in a library of its own; one kernel serves all tests."""
    before = book.value("__import__('os').environ['VCNB_DATA']")

    def prepare() -> None:
        book.value(f"__import__('os').environ.__setitem__('VCNB_DATA', {str(tmp_path / 'library')!r})")

    def show(*, by_keyboard: bool = False) -> Walk:
        prepare()
        listen(book.page)
        panel = book.show(SHOW)
        panel.get_by_role("button", name="Service Practice").wait_for(timeout=WAIT_MS)
        return Walk(book, panel, by_keyboard=by_keyboard)

    show.prepare = prepare  # type: ignore[attr-defined]
    yield show
    book.value("studio.account and studio.account.close()")
    book.value(f"__import__('os').environ.__setitem__('VCNB_DATA', {before!r})")
    MICROPHONE.unlink(missing_ok=True)


def assert_whole(walk: Walk, name: str, shots: Any = None) -> None:
    """Everyone can use what is shown, and nothing sticks out."""
    assert axe_violations(walk.panel) == [], name
    assert walk.panel.evaluate("node => node.scrollWidth - node.clientWidth") <= 0, f"{name} is wider than its place"
    if shots:
        shots(walk.panel, f"studio-{name}")


def assert_heard(walk: Walk, transport: str) -> None:
    """The newest take came to the loudspeaker: as long as it is, and as loud."""
    played = walk.sounded()
    duration, rms, way = walk.book.value(
        "[studio.speech.duration, float((studio.speech.samples ** 2).mean() ** 0.5), studio.speech.transport]"
    )
    assert way == transport
    assert rms > 0.01
    (sounding,) = np.nonzero(played)
    assert len(sounding) > 0.9 * duration * 24_000
    assert np.sqrt(np.mean(played[sounding] ** 2)) == pytest.approx(rms, rel=0.1)


def assert_small_and_silent(walk: Walk) -> None:
    """The notebook as JupyterLab saves it holds neither sound nor key, and can be mailed."""
    saved = walk.book.saved()
    bare = json.loads(saved)
    del bare["metadata"]["widgets"]
    assert len(json.dumps(bare)) < MOST_BYTES
    assert len(saved) < MOST_BYTES_WITH_STATE
    key = walk.book.value("studio.account.settings.api_key.reveal()")
    assert len(key) > 20
    assert key not in saved
    clip, takes = "(studio.clip.original or studio.clip)", "studio.synthesis.takes"
    sounds = f"[(each.samples * 32767).astype('<i2').tobytes() for each in [{clip}, *{takes}]]"
    pieces = walk.book.value(
        f"[__import__('base64').b64encode(sound[at : at + 60]).decode() for sound in {sounds}"
        " for start in range(3) for at in range(len(sound) // 3 + start, len(sound) - 60, len(sound) // 5)]"
    )
    assert len(pieces) > 9
    assert [piece for piece in pieces if piece in saved] == []


def delete_and_undo(walk: Walk) -> None:
    walk.go("voices")
    n = walk.book.value("studio.ledger['used']")
    walk.mark(walk.panel.get_by_role("checkbox", name="Choose ").first)
    walk.press(walk.button("Delete 1"))
    walk.press(walk.panel.locator(".vc-notice.is-flat").get_by_role("button", name="Delete 1"))
    walk.wait("studio.ledger['used']", n - 1)
    walk.press(walk.button("Undo, $0.00"))
    walk.wait("studio.ledger['used']", n)


def test_six_clicks_lead_from_a_file_to_a_voice_heard_and_nothing_of_it_is_in_the_notebook(book, studio, shots):
    book.look("light", 1000)
    walk = studio()
    book.page.evaluate(COUNT)
    with book.page.expect_file_chooser() as chooser:  # the dialog itself belongs to the system
        walk.press(walk.button("Upload", exact=True))
    chooser.value.set_files(vcnb.samples()["kathleen_en"])
    walk.checked()
    walk.press(walk.onward("Enroll"))
    walk.agree(live=False)
    walk.enroll(1)
    walk.press(walk.onward("Hear kathleen_en"))
    assert_heard(walk, "sse")
    assert book.page.evaluate("n_clicks") <= MOST_CLICKS
    assert walk.way("speak").get_attribute("aria-current") == "step"
    assert [walk.way(step).get_attribute("data-state") for step in STEPS[:5]] == ["done"] * 5
    assert_whole(walk, "5-speak-light-1000", shots)
    delete_and_undo(walk)
    assert_whole(walk, "4-voices-light-1000", shots)
    assert_small_and_silent(walk)


@pytest.mark.figures
def test_six_clicks_lead_from_a_microphone_to_a_voice_heard(book, studio):
    play(spoken(14), RATE)
    walk = studio()
    book.page.evaluate(COUNT)
    walk.press(walk.transport("Record"))  # it stops by itself
    walk.taken(1)
    walk.press(walk.onward("Enroll") if book.value("studio.report.verdict") == "pass" else walk.way("enroll"))
    walk.agree(live=False)
    walk.enroll(1)
    walk.press(walk.onward("Hear take_1"))
    assert_heard(walk, "sse")
    assert book.page.evaluate("n_clicks") <= MOST_CLICKS


@pytest.mark.figures
@pytest.mark.parametrize("by_keyboard", [False, True], ids=["mouse", "keyboard"])
def test_the_whole_journey(book, studio, shots, by_keyboard):
    book.look("light", 1000)
    play(spoken(12, pause=3.0), RATE)
    walk = studio(by_keyboard=by_keyboard)
    cells = book.n_cells()
    if by_keyboard:
        walk.way("record").focus()  # from the cell into its output; from here on keys alone
    assert_whole(walk, "1-record")
    walk.record(15.5)
    walk.taken(1)
    walk.go("check")
    assert "longest_pause" in book.value("[each.check for each in studio.report.findings if each.verdict != 'pass']")
    assert_whole(walk, "2-check")
    walk.press(walk.button(re.compile("^Mend (it|all)")))
    walk.wait("bool(studio.clip.edits) and studio.diagnosis.working is None and studio.report is not None")
    assert (
        book.value("next(each.verdict for each in studio.report.findings if each.check == 'longest_pause')") == "pass"
    )
    walk.press(walk.onward("Enroll"))
    walk.agree(live=True)
    assert_whole(walk, "3-enroll")
    walk.enroll(2)
    assert book.value("studio.enrollment.clip is studio.clip"), "what was mended is enrolled"
    assert_whole(walk, "3-enrolled")
    walk.press(walk.onward("Voices"))
    walk.panel.get_by_role("cell", name="take_1").nth(1).wait_for()
    walk.go("enroll")
    walk.press(walk.onward("Hear take_1"))
    assert_heard(walk, "realtime")
    walk.pick(walk.panel.get_by_label("Voice", exact=True), "streamed")
    for way, transport in (("Streamed", "sse"), ("Whole", "http")):
        walk.press(walk.button(way))
        walk.write(
            walk.panel.get_by_label("Text", exact=True), f"{way}, it sounds like this, and it goes on for a while."
        )
        walk.press(walk.button("Speak", exact=True).and_(walk.panel.locator(".is-big")))
        walk.wait("studio.speech.transport", transport)
        assert_heard(walk, transport)
    assert_whole(walk, "5-speak")
    walk.go("compare")
    walk.wait("bool(studio.comparison) and studio.comparing.working is None")
    assert book.value("len(studio.comparison.items)") == 4
    assert_whole(walk, "6-compare")
    delete_and_undo(walk)
    assert_whole(walk, "4-voices")
    assert book.value("[studio.error, studio.synthesis.error, studio.voices.error]") == [None] * 3
    assert book.n_cells() == cells, "no key reached the notebook"
    assert_small_and_silent(walk)
    if by_keyboard:
        return
    for theme, width in (("light", 600), ("light", 1600), ("dark", 600), ("dark", 1000), ("dark", 1600)):
        book.look(theme, width)
        for n, step in enumerate(STEPS, 1):
            walk.go(step)
            assert_whole(walk, f"{n}-{step}-{theme}-{width}", shots)


@pytest.mark.figures
def test_a_busy_kernel_a_reload_and_a_restart_half_way_lose_no_recording(book, studio):
    steps = spoken(12)
    play(steps, RATE)
    walk = studio()
    page = book.page
    walk.press(walk.transport("Record"))
    walk.recorded(1.0)
    page.evaluate(RUN, BUSY)
    walk.go("check")  # steps change while the kernel computes
    walk.go("record")
    walk.recorded(11.5)
    walk.press(walk.transport("Stop"))
    walk.taken(1)
    assert book.value("studio.clip.duration") >= 11.5
    walk.go("enroll")
    name = walk.panel.get_by_role("textbox", name="Name", exact=True)
    walk.write(name, "halfway")
    book.wait_for_value("studio.enrollment._draft.get('name')", "halfway")
    book.saved()
    book.open()
    listen(page)
    walk = Walk(book, page.locator(".jp-OutputArea-output .vcnb").first)
    name = walk.panel.get_by_role("textbox", name="Name", exact=True)
    name.wait_for(timeout=WAIT_MS)
    assert walk.way("enroll").get_attribute("aria-current") == "step", "it comes back to the step that was left"
    page.wait_for_function("node => node.value === 'halfway'", arg=name.element_handle())
    walk.agree(live=False)
    walk.enroll(1)
    walk.go("record")
    walk.press(walk.transport("Record"))
    walk.recorded(1.0)
    page.evaluate("async () => { await jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart(); }")
    walk.recorded(4.0)
    walk.press(walk.transport("Stop"))
    walk.panel.get_by_role("alert").get_by_text("Your take is safe in this tab.").first.wait_for()
    walk.go("enroll")
    walk.panel.get_by_role("alert").get_by_text("The kernel does not answer.").first.wait_for()
    walk.go("record")
    page.wait_for_function("jupyterapp.shell.currentWidget.sessionContext.session.kernel.status === 'idle'")
    studio.prepare()
    page.evaluate("() => jupyterapp.commands.execute('notebook:run-cell')")
    book.wait_for_value("len(studio.recorder.takes) if 'studio' in globals() else 0", 1)
    walk = Walk(book, page.locator(".jp-OutputArea-output .vcnb").first)
    assert book.value("studio.clip.duration") >= 4.0
    walk.press(walk.button("Show 1 earlier take"))
    book.wait_for_value("len(studio.recorder.takes)", 2)
    assert max(book.value("[take.duration for take in studio.recorder.takes]")) >= 11.5
    book.wait_for_value("studio.ledger['used']", 1)
    walk.go("speak")
    walk.write(walk.panel.get_by_label("Text", exact=True), "Here I am again, after all that.")
    walk.press(walk.button("Speak", exact=True).and_(walk.panel.locator(".is-big")))
    walk.wait("bool(studio.speech)")
    assert_heard(walk, "sse")
    book.errors.clear()  # the widget manager itself complains of the lost comms
