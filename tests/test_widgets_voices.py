"""What the table of voices reads from the library to be heard, on the kernel's side."""

from __future__ import annotations

import numpy as np
import pytest

import vcnb
from vcnb.widgets.sounds import KEPT_SOUNDS
from vcnb.widgets.voices import Voices

WHOLE = "qwen3-tts-vc-2026-01-22"


@pytest.fixture
def page(monkeypatch):
    """Collect what the panel sends."""
    messages = []
    monkeypatch.setattr(Voices, "send", lambda self, content, buffers=None: messages.append((content, buffers)))
    return messages


def test_what_was_heard_long_ago_is_let_go_and_read_again_when_the_page_asks(practice, page):
    with vcnb.connect("practice", base_url=practice.base_url, api_key=practice.api_key) as account:
        clip = vcnb.load(vcnb.samples()["kathleen_en"])
        voice = account.enroll(clip, preferred_name="kathleen", consent="a sample", target_model=WHOLE)
        take = account.speak("Hello.", voice=voice).take
        panel = Voices(account)

        def told(kind, **message):
            page.clear()
            panel._handle_custom_msg({"type": kind, "client": "me", "ranges": [[0, 100]], **message}, [])
            return page[-1] if page else None

        def hear(key, what="source"):
            return told("hear", key=key, what=what, voice=voice.voice, take=take)[0]["facts"]

        assert hear("take t", "take")["n_samples"] == len(account.take(take).samples)
        for number in range(KEPT_SOUNDS):
            assert hear(f"source {number}")["key"] == f"source {number}"
        assert len(panel._tracks) == KEPT_SOUNDS
        assert "take t" not in panel._tracks
        content, (part,) = told("need", key="take t")
        first = account.take(take).samples[: len(part) // 2]
        np.testing.assert_array_equal(np.frombuffer(part, "<i2") / np.float32(32768), first)
        assert content["key"] == "take t"
        assert len(panel._tracks) == KEPT_SOUNDS
        assert told("need", key="nobody named it") is None
        panel.close()
