"""The enrollment panel in a real JupyterLab, against a real practice service."""

from __future__ import annotations

import re

import pytest
from harness import WAIT_MS, axe_violations

pytestmark = pytest.mark.browser

GOOD = "vcnb.load(vcnb.samples()['kathleen_en'])"
# Too long and of too low a rate, which can be mended.
POOR = f"vcnb.load((__import__('numpy').tile({GOOD}.samples, 5)[::3], 8000), name='phone.wav')"
CONSENT = "I am the speaker and I agree that this voice is cloned for tests in our lab."


@pytest.fixture
def enrollment(book, practice, tmp_path):
    """Show the panel with an account at the practice service of this test, and a library that knows no other test's."""

    key, data = practice.api_key.reveal(), str(tmp_path / "library")

    def show(clip: str = GOOD) -> object:
        return book.show(
            f"import vcnb; clip = {clip}\n"
            f"account = vcnb.connect('practice', base_url={practice.base_url!r}, api_key={key!r}, data={data!r})\n"
            "panel = vcnb.Enrollment(clip, account=account); panel"
        )

    yield show
    book.value("__import__('unittest.mock').mock.patch.stopall()")


def fill(panel, *more_models: str) -> None:
    panel.get_by_label("Name").fill("kathleen")
    for model in more_models:
        panel.get_by_role("checkbox", name=model).check()
    panel.get_by_label("Language of the clip").select_option("en")
    panel.get_by_role("radio", name="Mine").check()
    panel.get_by_label("Statement of consent").fill(CONSENT)


def line(panel):
    return panel.locator(".vc-line")


def checked(panel) -> None:
    panel.locator(".vc-head .vc-verdict").filter(has_text=re.compile("pass|warn|fail")).wait_for()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [600, 1000])
def test_it_is_drawn_and_can_be_used_by_everyone(book, enrollment, shots, theme, width):
    book.look(theme, width)
    panel = enrollment()
    checked(panel)
    assert axe_violations(panel) == []
    empty = panel.bounding_box()
    fill(panel, "Live qwen3-tts-vc-realtime-2026-01-15")
    shots(panel, f"enrollment-{theme}-{width}")
    assert axe_violations(panel) == []
    full = panel.bounding_box()
    assert (full["width"], full["height"]) == (empty["width"], empty["height"]), "nothing jumps while it is filled in"
    panel.get_by_role("button", name="Enroll 2 voices, $0.00").click()
    panel.get_by_role("button", name="Make another").wait_for()
    assert line(panel).inner_text().startswith("kathleen is ready, 2 voices.")
    shots(panel, f"enrollment-ready-{theme}-{width}")
    assert axe_violations(panel) == []
    assert panel.evaluate("node => node.scrollWidth - node.clientWidth") <= 0, "the panel is wider than its place"


def test_by_keyboard_alone_a_voice_is_enrolled(book, enrollment, practice):
    panel = enrollment()
    checked(panel)
    cells, keyboard = book.n_cells(), book.page.keyboard

    def to(locator) -> None:
        for _ in range(30):
            if locator.evaluate("node => node === document.activeElement"):
                return
            keyboard.press("Tab")
        pytest.fail(f"Tab never reaches {locator}")

    hear = panel.get_by_role("button", name="Hear kathleen_en.wav")
    hear.focus()
    keyboard.press("Space")
    panel.locator(".vc-hear", has_text="Pause").wait_for()
    keyboard.press("Space")
    panel.locator(".vc-hear", has_text="Hear").wait_for()
    for key in ("d", "d", "b"):
        keyboard.press(key)  # on a button, JupyterLab would delete the cell and make another
    to(panel.get_by_label("Name"))
    keyboard.type("kathleen")
    to(panel.get_by_role("checkbox", name="Live qwen3-tts-vc-realtime-2026-01-15"))
    keyboard.press("Space")
    to(panel.get_by_label("Language of the clip"))
    keyboard.type("Eng")
    to(panel.get_by_label("Transcript"))
    to(panel.get_by_role("radio", name="Mine"))
    keyboard.press("ArrowDown")
    assert panel.get_by_role("radio", name="Someone who agreed").is_checked()
    to(panel.get_by_label("Statement of consent"))
    keyboard.type("Kathleen, by mail")
    to(panel.get_by_role("button", name="Enroll 2 voices"))
    keyboard.press("Enter")
    panel.get_by_role("button", name="Make another").wait_for()
    assert book.n_cells() == cells
    made = book.value("[[v.voice, v.target_model, v.consent] for v in panel.voice.values()]")
    assert [consent for _, _, consent in made] == ["Someone who agreed: Kathleen, by mail"] * 2
    assert all(voice in line(panel).inner_text() for voice, _, _ in made)
    assert practice.counters()["voices"] == 2
    assert book.value("list(account.voices()['language'])") == ["en", "en"]


def test_the_button_says_what_is_missing_and_leads_there(book, enrollment, practice):
    panel = enrollment()
    button = panel.locator(".vc-pay")
    assert button.get_attribute("aria-disabled") == "true"
    assert panel.get_by_label("Name").input_value() == "kathleen_en", "the clip's own name is offered"
    panel.get_by_label("Name").fill("")
    assert line(panel).inner_text() == "Still needed: a name, whose voice it is."
    button.click(force=True)
    name = panel.get_by_label("Name")
    assert name.evaluate("node => node === document.activeElement")
    name.fill("käthe")
    assert name.get_attribute("aria-invalid") == "true"
    assert "a name of the allowed letters" in line(panel).inner_text()
    panel.get_by_role("button", name="Take kathe").click()
    assert name.input_value() == "kathe"
    assert name.get_attribute("aria-invalid") == "false"
    name.fill("a" * 17)
    assert panel.get_by_text("17 of 16").is_visible()
    assert name.get_attribute("aria-invalid") == "true"
    fill(panel)
    panel.get_by_label("Statement of consent").fill("  ")
    assert line(panel).inner_text() == "Still needed: the statement of consent."
    button.click(force=True)
    assert panel.get_by_label("Statement of consent").evaluate("node => node === document.activeElement")
    for box in panel.get_by_role("checkbox").all():
        box.uncheck()
    assert "a model" in line(panel).inner_text()
    assert practice.counters()["create"] == 0


def test_the_check_opens_with_every_finding(book, enrollment, shots):
    panel = enrollment()
    checked(panel)
    see = panel.get_by_role("button", name="See the check")
    assert see.get_attribute("aria-expanded") == "false"
    see.press("Enter")
    rows = panel.get_by_role("listitem")
    assert rows.count() == len(book.value("vcnb.diagnose(clip).to_dict()['findings']")) > 5
    for message in book.value("[each.message for each in vcnb.diagnose(clip).findings]"):
        assert panel.get_by_text(message, exact=False).first.is_visible()
    assert axe_violations(panel) == []
    shots(panel, "enrollment-check")


def test_an_error_of_the_service_is_shown_with_its_remedy(book, enrollment, practice, shots):
    practice.fault("music", "create")
    panel = enrollment()
    fill(panel)
    panel.get_by_role("button", name="Enroll 1 voice").click()
    line(panel).get_by_text("Audio.PreprocessError").wait_for()
    told = book.value("panel.error")
    said = line(panel).inner_text()
    assert told["what"] in said
    assert told["remedy"][1:] in said
    assert told["request_id"] in said
    shots(panel, "enrollment-refused")
    assert axe_violations(panel) == []
    panel.get_by_role("button", name="Enroll 1 voice").click()
    panel.get_by_role("button", name="Make another").wait_for()


# As on the hosted service, where the machine sends nothing twice.
HOSTED = """
from unittest import mock
from vcnb.workflow import creation, enrolling, sending
mock.patch.object(enrolling.Manner, "of", lambda region: sending.Manner(False, lease=3.0, pause=1.0)).start()
mock.patch.object(creation.Creation, "_settle", 300.0).start()
mock.patch.object(sending, "UPLOAD_SPEED", 1e9).start()
"""


def test_a_lost_answer_is_said_with_a_countdown_and_asked_again_only_by_its_button(book, enrollment, practice, shots):
    practice.fault("reset", "create")
    panel = enrollment(f"{GOOD}\n{HOSTED}")
    fill(panel)
    panel.get_by_role("button", name="Enroll 1 voice").click()
    panel.get_by_text("The answer got lost; kathleen may exist.").wait_for()
    assert "You cannot be charged twice." in line(panel).inner_text()
    left = panel.locator(".vc-left")
    first = left.inner_text()
    assert re.search(r"[45]:\d\d left", first)
    left.filter(has_not_text=first.strip()).wait_for()
    button = panel.locator(".vc-pay")
    assert button.get_attribute("aria-disabled") == "true"
    shots(panel, "enrollment-unsure")
    assert axe_violations(panel) == []
    panel.get_by_role("button", name="Cancel").click()
    look = panel.get_by_role("button", name="Look again")
    look.wait_for()
    assert button.get_attribute("aria-disabled") == "true"
    book.run("mock.patch.object(creation.Creation, '_settle', 0.0).start()")  # as if the time had passed
    look.click()
    again = panel.get_by_role("button", name="Ask again, $0.00")
    again.wait_for()
    assert book.value("panel.outcome['what']") in line(panel).inner_text()
    assert button.get_attribute("aria-disabled") == "true"
    button.click(force=True)
    panel.get_by_label("Name").fill("other")
    button.click(force=True)
    assert book.value("panel.outcome['state']") == "unknown"
    assert practice.counters()["create"] == 1
    shots(panel, "enrollment-unknown")
    assert axe_violations(panel) == []
    again.click()
    panel.get_by_role("button", name="Make another").wait_for()
    assert "kathleen is ready." in line(panel).inner_text()
    assert practice.counters()["creations"] == 1


def test_progress_is_shown_and_cancel_stops_the_rest(book, enrollment, practice, shots):
    practice.fault("slow", "create")
    panel = enrollment()
    fill(panel, "Live qwen3-tts-vc-realtime-2026-01-15")
    before = panel.bounding_box()
    panel.get_by_role("button", name="Enroll 2 voices").click()
    cancel = panel.get_by_role("button", name="Cancel")
    cancel.wait_for()
    assert line(panel).inner_text().startswith("Making 2 voices called kathleen")
    assert panel.locator(".vc-pay").get_attribute("aria-disabled") == "true"
    assert panel.bounding_box()["height"] == before["height"], "busy takes no more room than idle"
    shots(panel, "enrollment-busy")
    assert axe_violations(panel) == []
    cancel.click()
    panel.get_by_role("button", name="Stopping").wait_for()
    practice.release()
    line(panel).get_by_text("Made before and kept.").wait_for()
    panel.get_by_role("button", name="Enroll 1 voice").wait_for()
    assert book.value("len(panel.voice)") == 1
    assert practice.counters()["create"] == 1


def test_presses_that_wait_behind_a_running_cell_are_one_creation(book, enrollment, practice):
    panel = enrollment()
    fill(panel)
    book.page.evaluate("() => { jupyterapp.shell.currentWidget.sessionContext.session.kernel"
                       ".requestExecute({ code: 'import time; time.sleep(2)', store_history: false }); }")  # fmt: skip
    button = panel.locator(".vc-pay")
    for _ in range(3):
        button.click(force=True)
    panel.get_by_role("button", name="Make another").wait_for()
    assert practice.counters()["create"] == 1


def test_a_clip_that_would_be_refused_says_why_and_is_mended(book, enrollment, shots):
    panel = enrollment(POOR)
    mend = panel.get_by_role("button", name="Mend a copy")
    mend.wait_for()
    assert "8000 Hz" in panel.get_by_role("alert").inner_text()
    assert "a clip the service takes" in line(panel).inner_text()
    shots(panel, "enrollment-unfit")
    assert axe_violations(panel) == []
    mend.click()
    panel.get_by_text("A mended copy is used.").wait_for()
    fill(panel)
    panel.get_by_role("button", name="Enroll 1 voice").click()
    panel.get_by_role("button", name="Make another").wait_for()


def test_what_breaks_in_the_kernel_is_shown_in_the_panel(book, enrollment):
    panel = enrollment()
    fill(panel)
    book.run("account.enroll = lambda *given, **named: [][7]")
    panel.get_by_role("button", name="Enroll 1 voice").click()
    line(panel).get_by_text("IndexError: list index out of range").wait_for()


def test_what_breaks_in_the_browser_is_shown_in_the_panel(book, enrollment):
    panel = enrollment()
    checked(panel)
    panel.evaluate(
        "() => { AudioContext.prototype.createBuffer_ = AudioContext.prototype.createBuffer;"
        " AudioContext.prototype.createBuffer = () => { throw new Error('no room for sound'); }; }"
    )
    try:
        panel.get_by_role("button", name="Hear").click()
        line(panel).get_by_text("The panel stumbled: no room for sound").wait_for()
    finally:
        panel.evaluate("() => { AudioContext.prototype.createBuffer = AudioContext.prototype.createBuffer_; }")


def test_what_was_typed_outlives_a_reload_and_is_not_saved(book, enrollment):
    from playwright.sync_api import expect

    fill(enrollment())
    book.wait_for_value("panel._draft.get('consent')", CONSENT)
    assert CONSENT not in book.saved()
    book.open()
    panel = book.page.locator(".jp-OutputArea-output .vcnb").last
    expect(panel.get_by_label("Statement of consent")).to_have_value(CONSENT, timeout=WAIT_MS)
    expect(panel.get_by_label("Name")).to_have_value("kathleen")
    expect(panel.get_by_role("radio", name="Mine")).to_be_checked()


def test_without_a_clip_it_says_how_to_give_one(book, shots):
    panel = book.show("import vcnb; panel = vcnb.Enrollment(); panel")
    assert panel.get_by_text("No clip yet").is_visible()
    assert axe_violations(panel) == []
    shots(panel, "enrollment-empty")
    book.run("panel.clip = vcnb.samples()['thorsten_en']")
    panel.get_by_role("button", name="Hear").wait_for()
    checked(panel)
