"""The base of every panel in a real JupyterLab: keys to the service, themes, a page without JupyterLab's colours."""

from __future__ import annotations

import pytest
from harness import axe_violations, find_browser

pytestmark = pytest.mark.browser

KEY = "sk-TYPED5ECRET0123456789"

# A panel of the test's own: the key field is a part that later panels use.
KEY_PANEL = """
from vcnb.widgets.base import BaseWidget, joined, secret_of
class KeyPanel(BaseWidget):
    _esm = joined() + '''
export default panel({ draw(view) {
  view.el.append(h("section", { class: "vc-panel" }, h("div", { class: "vc-body" }, keyField(view), errorLine(view))));
} });'''
    _css = joined(kind="css")
    def _receive_key(self, message, buffers):
        self.secret = secret_of(buffers)
keys = KeyPanel(); keys
"""


def test_a_typed_key_reaches_the_kernel_and_nothing_else(book, lab_folder, shots):
    panel = book.show(KEY_PANEL)
    field = panel.get_by_label("API key")
    field.fill(KEY)
    field.press("Enter")
    panel.get_by_text("The kernel has the key.").wait_for()
    book.wait_for_value("keys.secret.reveal()", KEY)
    assert field.input_value() == ""
    assert axe_violations(panel) == []
    shots(panel, "key")
    assert KEY not in book.saved()
    assert book.value("repr(keys) + repr(keys.secret) + str(keys.get_state())").count(KEY) == 0
    found = [path for path in lab_folder.rglob("*") if path.is_file() and KEY.encode() in path.read_bytes()]
    assert found == []


@pytest.mark.parametrize(("promised", "end"), [({}, pytest.skip.Exception), ({"CI": "true"}, pytest.fail.Exception)])
def test_without_a_browser_the_tests_are_skipped_loudly_or_fail_where_one_was_promised(monkeypatch, promised, end):
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.delenv("VCNB_REQUIRE_BROWSER", raising=False)
    for name, value in promised.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("VCNB_BROWSER", "/no/browser/here")
    with pytest.raises(end, match="no browser"):
        find_browser()


def test_an_empty_key_is_an_error_in_the_panel(book):
    panel = book.show(KEY_PANEL)
    panel.get_by_role("button", name="Connect").click()
    panel.get_by_role("alert").get_by_text("The key field is empty.").wait_for()


@pytest.mark.parametrize(("behind", "theme"), [("rgb(20, 20, 20)", "dark"), ("rgb(250, 250, 250)", "light")])
def test_where_the_page_names_no_colours_it_looks_at_what_lies_behind(book, behind, theme):
    panel = book.show(KEY_PANEL)
    measured = panel.evaluate(
        """async (node, behind) => {
          const names = ['--jp-layout-color1', '--jp-ui-font-color0', '--jp-brand-color1'];
          for (const name of names) node.style.setProperty(name, 'initial');
          node.parentElement.style.background = behind;
          document.body.toggleAttribute('data-test-turn');
          await new Promise((r) => setTimeout(r, 200));
          document.body.toggleAttribute('data-test-turn');
          return [node.dataset.vcTheme, getComputedStyle(node.querySelector('.vc-panel')).backgroundColor];
        }""",
        behind,
    )
    assert measured == [theme, {"dark": "rgb(33, 33, 33)", "light": "rgb(255, 255, 255)"}[theme]]


@pytest.mark.parametrize(
    ("made", "kind"),
    [("Uploader()", "find"), ("Enrollment()", "enroll"), ("Voices(account=account)", "delete")],
)
def test_progress_takes_neither_the_focus_nor_a_press_from_cancel(book, practice, made, kind):
    panel = book.show(
        f"import vcnb; account = vcnb.connect('practice', base_url={practice.base_url!r}, "
        f"api_key={practice.api_key.reveal()!r}); panel = vcnb.{made}; panel"
    )
    book.wait_for_value("panel.working", None)
    book.run(
        "presses = []; panel._receive_cancel = lambda message, buffers: presses.append(1)\n"
        f"def go(n): panel.working = {{'kind': {kind!r}, 'step': f'step {{n}}', 'share': n / 9}}\n"
        "go(1)"
    )
    cancel = panel.get_by_role("button", name="Cancel")
    cancel.focus()
    book.value("go(2)")
    panel.get_by_text("Step 2").wait_for()
    assert cancel.evaluate("node => node === document.activeElement")
    cancel.hover()
    book.page.mouse.down()
    book.value("go(3)")
    panel.get_by_text("Step 3").wait_for()
    book.page.mouse.up()
    book.wait_for_value("presses", [1])


def test_a_kernel_that_is_gone_is_said_and_leaves_the_sound_playable(book):
    panel = book.show("import vcnb; player = vcnb.Player(vcnb.load(vcnb.samples()['kathleen_en'])); player")
    keys = book.show(KEY_PANEL)
    panel.get_by_role("button", name="Play").click()
    panel.get_by_role("button", name="Pause").click()
    book.page.evaluate("async () => { await jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart(); }")
    book.page.wait_for_function("jupyterapp.shell.currentWidget.sessionContext.session.kernel.status === 'idle'")
    keys.get_by_label("API key").fill(KEY)
    keys.get_by_role("button", name="Connect").click()
    keys.get_by_role("alert").get_by_text("The kernel does not answer.").wait_for()
    panel.get_by_role("button", name="Play").click()
    panel.get_by_role("button", name="Pause").wait_for()
    book.errors.clear()  # the widget manager itself complains of the lost comms
