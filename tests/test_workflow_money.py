"""Money is counted before it is spent, and given back only where nothing was billed."""

from __future__ import annotations

import threading

import pytest

from vcnb.errors import (
    CancelledError,
    ClipError,
    OutcomeUnknownError,
    ServiceBrokenError,
    ServiceError,
    ServiceUnreachableError,
    SettingsError,
    SpeechInterruptedError,
    SpendLimitError,
)
from vcnb.workflow.money import Purse, estimate


def test_an_estimate_follows_the_price_list():
    found = estimate(creations=2, texts=["a" * 5_000, "b" * 5_000], target_model="qwen3-tts-vc-2026-01-22")
    assert (found.creations, found.characters) == (2, 10_000)
    assert found.cost == pytest.approx(2 * 0.01 + 0.115)
    live = estimate(texts="a" * 10_000, target_model="qwen3-tts-vc-realtime-2026-01-15")
    assert live.cost == pytest.approx(0.13)


def test_a_price_says_that_creations_may_be_free():
    model = "qwen3-tts-vc-2026-01-22"
    assert str(estimate(creations=1)) == "at most $0.01, free while your quota lasts"
    assert str(estimate(texts="a" * 1_000, target_model=model)) == "$0.0115"
    both = estimate(creations=2, texts="a" * 1_000, target_model=model)
    assert str(both) == "$0.0115 for speech and at most $0.02, free while your quota lasts"
    assert str(estimate(creations=2, free=True)) == "$0.0000"


def test_an_ideograph_counts_twice():
    assert estimate(texts="你好ab", target_model="qwen3-tts-vc-2026-01-22").characters == 6


def test_practice_costs_nothing():
    assert estimate(creations=9, texts="a" * 99, target_model="qwen3-tts-vc-2026-01-22", free=True).cost == 0


def test_a_text_without_a_model_that_can_speak_it_has_no_price():
    with pytest.raises(SettingsError, match="no model for cloned voices"):
        estimate(texts="hello", target_model="qwen3-tts-flash")
    with pytest.raises(SettingsError, match="who speaks") as raised:
        estimate(texts="hello")
    assert raised.value.remedy == "give voice= or target_model="


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"texts": 5}, "A int is no text"),
        ({"texts": None}, "A NoneType is no text"),
        ({"texts": ["hello", b"hello"]}, "A bytes is no text"),
        ({"creations": "3"}, "'3' is no number of voices"),
        ({"creations": -1}, "-1 is no number of voices"),
        ({"creations": 0.5}, "0.5 is no number of voices"),
    ],
)
def test_what_is_no_text_and_no_number_has_no_price(given, said):
    with pytest.raises(SettingsError, match=said):
        estimate(**given, target_model="qwen3-tts-vc-2026-01-22")


def test_the_limit_itself_may_be_spent_and_nothing_above_it():
    purse = Purse(0.03)
    for _ in range(3):
        purse.reserve(0.01).settle()  # in binary three cents are not 0.03
    with pytest.raises(SpendLimitError, match=r"\$0\.0300"):
        purse.reserve(0.0001)
    assert purse.spent == pytest.approx(0.03)


def test_money_set_aside_counts_until_it_is_given_back():
    purse = Purse(0.01)
    ticket = purse.reserve(0.01)
    with pytest.raises(SpendLimitError):
        purse.reserve(0.01)
    ticket.give_back()
    purse.reserve(0.01)
    assert purse.spent == 0


@pytest.mark.parametrize("limit", [-0.01, float("nan"), float("inf"), "1"])
def test_a_limit_that_is_no_amount_is_refused(limit):
    with pytest.raises(SettingsError, match="is no amount"):
        Purse(limit)


@pytest.mark.parametrize(
    ("error", "spent"),
    [
        (ServiceError("no"), 0.0),
        (ServiceUnreachableError("no"), 0.0),
        (SettingsError("no"), 0.0),
        (ClipError("no"), 0.0),
        (ServiceBrokenError("what"), 0.5),
        (ServiceBrokenError("no room", status=503), 0.0),
        (ServiceBrokenError("no room", code="ModelServingError"), 0.0),
        (OutcomeUnknownError("who knows"), 0.5),
        (SpeechInterruptedError("half"), 0.5),
        (CancelledError("stop"), 0.5),
        (KeyboardInterrupt(), 0.5),
    ],
    ids=lambda value: type(value).__name__,
)
def test_only_what_was_certainly_not_billed_is_given_back(error, spent):
    purse = Purse()
    with pytest.raises(type(error)), purse.reserve(0.5):
        raise error
    assert purse.spent == spent
    purse.limit = spent + 0.5
    purse.reserve(0.5)  # nothing is still set aside


def test_the_services_own_count_replaces_the_estimate_once():
    purse = Purse()
    ticket = purse.reserve(0.5)
    ticket.settle(0.2)
    ticket.settle(0.9)
    ticket.give_back()
    assert purse.spent == 0.2


def test_what_is_collected_in_the_midst_of_counting_may_settle():
    purse = Purse()
    ticket = purse.reserve(0.5)

    def collected():
        with purse._lock, ticket._lock:
            ticket.settle()

    thread = threading.Thread(target=collected, daemon=True)
    thread.start()
    thread.join(10)
    assert not thread.is_alive()
    assert purse.spent == 0.5


def test_threads_together_cannot_pass_the_limit():
    purse = Purse(0.25)
    start = threading.Barrier(16)
    refused = []

    def spend():
        start.wait(10)
        for _ in range(4):
            try:
                purse.reserve(0.01).settle()
            except SpendLimitError:
                refused.append(1)

    threads = [threading.Thread(target=spend) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert purse.spent == pytest.approx(0.25)
    assert len(refused) == 16 * 4 - 25
