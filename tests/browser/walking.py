"""The way through the Studio, as a person goes it by mouse or by keyboard alone: for its tests and for its picture."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from harness import WAIT_MS, Notebook
from listening import heard

import vcnb
from vcnb.audio.resample import resample

SHOW = "import vcnb\nstudio = vcnb.Studio(); studio"
STEPS = ("record", "check", "enroll", "voices", "speak", "compare")
RATE = 44_100  # Hz, of the browser's own fake device
CONSENT = "I am the speaker and I agree that this voice is cloned for tests."
MOST_TABS = 150  # from one end of a step to the other
# Presses of a real mouse, whatever they hit.
# One listener a page, however often it is asked: a second one counted each click of a later test twice.
COUNT = """() => {
  globalThis.countClick ??= (e) => { n_clicks += e.isTrusted; };
  globalThis.n_clicks = 0;
  addEventListener('pointerdown', countClick, true);
}"""
RECORDED = """([node, seconds]) => node.querySelector('.vc-live')
  && Number(node.querySelector('.vc-timer span')?.textContent) >= seconds"""


def spoken(seconds: float = 15.0, *, pause: float = 0.0) -> np.ndarray:
    """A real speaker at a level that the coach likes, with a pause in the middle, between the countdown and silence."""
    clip = vcnb.load(vcnb.samples()["kathleen_en"])
    samples = np.tile(resample(clip.samples, clip.sample_rate, RATE), 4)[: int(seconds * RATE)]
    steps = np.rint(samples / np.abs(samples).max() * 24_000).astype(np.int16)
    rng = np.random.default_rng(440)
    hush = [rng.integers(-3, 4, int(each * RATE)).astype(np.int16) for each in (3.0, pause, 20.0)]
    return np.concatenate([hush[0], steps[: len(steps) // 2], hush[1], steps[len(steps) // 2 :], hush[2]])


class Walk:
    """One who goes through the Studio, by mouse, or by keys alone: then nothing is pressed that Tab does not reach."""

    def __init__(self, book: Notebook, panel: Any, *, by_keyboard: bool = False) -> None:
        self.book, self.panel, self.by_keyboard = book, panel, by_keyboard
        self.keyboard = book.page.keyboard

    def button(self, name: str | re.Pattern[str], *, exact: bool = False) -> Any:
        """A button of what is shown now, by its name or a part of it."""
        found = self.panel.locator("button:visible").and_(self.panel.get_by_role("button", name=name, exact=exact))
        return found.first

    def onward(self, name: str) -> Any:
        """A button of the Studio's own foot."""
        return self.panel.locator(".is-steps button:visible").filter(has_text=name)

    def transport(self, name: str) -> Any:
        """The recorder's one big button, Record or Stop."""
        return self.panel.locator(".vc-transport").get_by_role("button", name=name, exact=True)

    def way(self, step: str) -> Any:
        return self.panel.locator(".vc-way").nth(STEPS.index(step))

    def to(self, target: Any) -> None:
        """Go to a control by Tab alone."""
        target.wait_for(timeout=WAIT_MS)
        for _ in range(MOST_TABS):
            where = target.evaluate(
                "node => node === document.activeElement ? 0 : document.activeElement.compareDocumentPosition(node)"
            )
            if where == 0:
                return
            self.keyboard.press("Shift+Tab" if where & 2 else "Tab")
        raise AssertionError(f"Tab never reaches {target}")

    def press(self, target: Any, key: str = "Enter") -> None:
        if not self.by_keyboard:
            target.click(timeout=WAIT_MS)
            return
        self.to(target)
        self.keyboard.press(key)

    def mark(self, target: Any) -> None:
        """Choose a radio button or a box."""
        self.press(target, "Space")
        assert target.is_checked()

    def write(self, target: Any, text: str) -> None:
        if self.by_keyboard:
            self.to(target)
        else:
            target.click()
        self.keyboard.press("Control+a")
        self.keyboard.type(text)

    def pick(self, target: Any, text: str) -> None:
        """Choose the option that contains this."""
        options = target.locator("option").all_inner_texts()
        wanted = next(i for i, each in enumerate(options) if text in each)
        if not self.by_keyboard:
            target.select_option(index=wanted)
            return
        self.to(target)
        self.keyboard.press("Home")
        for _ in range(wanted):
            self.keyboard.press("ArrowDown")
        assert target.evaluate("node => node.selectedIndex") == wanted

    def go(self, step: str) -> None:
        self.press(self.way(step))
        assert self.way(step).get_attribute("aria-current") == "step"

    def wait(self, code: str, wanted: Any = True) -> None:
        self.book.wait_for_value(code, wanted)

    def record(self, seconds: float) -> None:
        """Record so many seconds and stop."""
        self.press(self.transport("Record"))
        self.recorded(seconds)
        self.press(self.transport("Stop"))

    def recorded(self, seconds: float) -> None:
        about = [self.panel.element_handle(), seconds]
        self.book.page.wait_for_function(RECORDED, arg=about, timeout=WAIT_MS)

    def taken(self, n: int) -> None:
        """Wait until a take has arrived and all its checks are made."""
        self.wait("len(studio.recorder.takes)", n)
        self.checked()

    def checked(self) -> None:
        self.wait("studio.facts['check']['state'] in ('done', 'care')")

    def agree(self, *, live: bool) -> None:
        """Fill in what only the speaker can say."""
        if live:
            self.mark(self.panel.get_by_role("checkbox", name="Live qwen3-tts-vc-realtime-2026-01-15"))
        self.mark(self.panel.get_by_role("radio", name="Mine"))
        self.write(self.panel.get_by_label("Statement of consent"), CONSENT)

    def enroll(self, n: int) -> None:
        self.press(self.button(f"Enroll {n} voice"))
        self.wait("studio.facts['enroll']['fact']", "enrolled")

    def sounded(self) -> np.ndarray:
        """Wait until the newest take was heard to its end, and give what the loudspeaker got."""
        self.wait("studio.synthesis.working is None")
        page = self.book.page
        page.wait_for_function("() => globalThis[Symbol.for('vcnb.sound')].sounding === null", timeout=WAIT_MS)
        page.wait_for_timeout(200)  # what was heard is on its way from the audio thread
        played = heard(page)
        page.evaluate("() => { globalThis.heard.length = 0; }")
        return played
