"""A take is judged by what the library holds of its voice, and another try tells its price first."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import vcnb
from vcnb.audio.clip import Segment
from vcnb.compare.sentinel import Drift, Evidence
from vcnb.errors import SettingsError
from vcnb.workflow import watching

TEXT = "The rain fell all day on the old roof of the house."


@pytest.fixture
def account(practice, tmp_path):
    with vcnb.connect(base_url=practice.base_url, api_key=practice.api_key, data=tmp_path) as found:
        yield found


def test_a_take_is_judged_by_the_other_takes_of_its_voice_and_no_others(practice, account, monkeypatch):
    one, other = practice.voice(f0=120.0), practice.voice(f0=180.0)
    takes = [account.speak(TEXT, voice=one) for _ in range(3)]
    account.speak(TEXT, voice=other)
    seen = []

    def judged(take, earlier, *, reference):
        seen.append((take.take, [sound.clip.take for sound in earlier], reference))
        return Drift(())

    monkeypatch.setattr(watching, "judged", judged)
    account.watch(takes[1].take)
    assert seen == [(takes[1].take, [takes[0].take, takes[2].take], None)]


def test_a_verdict_is_a_table_and_its_faults_are_marks(practice, account):
    take = account.speak(TEXT, voice=practice.voice())
    drift = account.watch(replace(take, samples=np.r_[take.samples, np.zeros(96_000, np.float32)]))
    table = drift.to_frame()
    assert table["check"].tolist() == ["speaker", "length", "silence", "ending", "loop"]
    assert table.attrs["verdict"] == drift.verdict == "fail"
    assert drift.words in drift._repr_html_()
    player = vcnb.Player(take, marks=drift.marks)
    assert {mark["row"] for mark in player._marks} == {each.check for each in drift.marks} >= {"silence"}
    assert all(mark["verdict"] == "fail" for mark in player._marks)


def test_it_is_spoken_again_until_it_is_right_and_no_oftener_than_said(practice, account, monkeypatch):
    take = account.speak(TEXT, voice=practice.voice())
    verdicts = iter(["fail", "pass", "fail", "fail"])
    monkeypatch.setattr(
        watching,
        "judged",
        lambda *_, **__: Drift((Evidence("loop", next(verdicts), 0.0, "", "", (Segment(0, 1),)),)),
    )
    right = account.retake(take, at_most=4)
    assert practice.counters()["synthesis"] == 3
    assert right.take == account.takes()["take"].iloc[0]
    account.retake(take, at_most=2)
    assert practice.counters()["synthesis"] == 5


def test_the_price_comes_before_the_first_request(practice, account, monkeypatch):
    take = account.speak(TEXT, voice=practice.voice())
    monkeypatch.setattr(account, "region", "singapore")
    price = account.estimate([TEXT] * 3, target_model=take.target_model).cost
    assert price > 0
    with pytest.raises(SettingsError, match=rf"\${price:.4f}"):
        account.retake(take, at_most=3)
    assert practice.counters()["synthesis"] == 1


@pytest.mark.parametrize("at_most", [0, 6, True, 1.5])
def test_tries_have_a_limit(practice, account, at_most):
    take = account.speak(TEXT, voice=practice.voice())
    with pytest.raises(SettingsError, match="not possible"):
        account.retake(take, at_most=at_most)
