"""A list in pages is complete, whatever the service does between them."""

from __future__ import annotations

import pytest

from vcnb.client.listing import read_all
from vcnb.errors import ServiceBrokenError


class Pages:
    """A service's list: pure arithmetic on a Python list."""

    def __init__(self, count, *, total=True, cap=None, echo=True, between=None):
        self.voices = [f"v{n}" for n in range(count)]
        self.total, self.cap, self.echo, self.between = total, cap, echo, between or {}
        self.asked = []

    def __call__(self, index, size):
        self.asked.append((index, size))
        given = min(size, self.cap or size)
        output = {"voice_list": [{"voice": each} for each in self.voices[index * given :][:given]]}
        if self.total:
            output["total_count"] = len(self.voices)
        if self.echo:
            output |= {"page_index": index, "page_size": given}
        self.between.get(len(self.asked), lambda voices: None)(self.voices)
        return {"output": output, "request_id": "r"}

    def read(self):
        return [row["voice"] for row in read_all(self)]


COUNTS = [0, 1, 2, 3, 4, 5, 9, 10, 11, 12, 99, 100, 101, 250, 999, 1000, 1001, 1999, 2500]


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("total", [True, False])
@pytest.mark.parametrize(
    ("cap", "echo"), [(None, True), (100, True), (100, False), (10, True), (10, False), (37, False)]
)
def test_every_voice_is_found_once(count, total, cap, echo):
    pages = Pages(count, total=total, cap=cap, echo=echo)
    assert pages.read() == pages.voices


@pytest.mark.parametrize("total", [True, False])
def test_a_thousand_voices_take_at_most_two_requests(total):
    pages = Pages(1000, total=total)
    pages.read()
    assert len(pages.asked) <= 2


@pytest.mark.parametrize("total", [True, False])
@pytest.mark.parametrize("change", ["made", "deleted"])
@pytest.mark.parametrize("count", [25, 250, 1500])
def test_a_voice_made_or_deleted_between_two_pages_starts_it_over(total, change, count):
    act = (lambda voices: voices.insert(0, "new")) if change == "made" else (lambda voices: voices.pop(0))
    pages = Pages(count, total=total, cap=10 if count < 100 else 100, between={3: act})
    assert pages.read() == pages.voices


def test_the_last_row_gone_starts_it_over():
    pages = Pages(150, total=False, cap=100, between={2: lambda voices: voices.remove("v99")})
    assert pages.read() == pages.voices


def test_one_made_and_one_deleted_leave_the_total_but_not_the_rows():
    def both(voices):
        voices.insert(0, "new")
        voices.remove("v200")

    pages = Pages(300, cap=100, between={3: both})
    assert pages.read() == pages.voices


def test_a_list_that_never_stands_still_is_no_list():
    pages = Pages(300, cap=100, between=dict.fromkeys(range(2, 99), lambda voices: voices.insert(0, f"x{len(voices)}")))
    with pytest.raises(ServiceBrokenError, match="changed 4 times"):
        pages.read()


@pytest.mark.parametrize("total", [True, False])
def test_a_service_that_repeats_its_page_ends(total):
    def ask(index, size):
        return {"output": {"voice_list": [{"voice": "a"}, {"voice": "b"}]} | ({"total_count": 9} if total else {})}

    assert [row["voice"] for row in read_all(ask)] == ["a", "b"]


@pytest.mark.parametrize("rows", ["no", [1], [{}], [{"voice": 3}], None, {}])
def test_rows_that_are_no_voices_are_refused(rows):
    with pytest.raises(ServiceBrokenError, match="no voice"):
        read_all(lambda index, size: {"output": {"voice_list": rows}})


def test_no_rows_at_all_are_an_empty_list():
    assert read_all(lambda index, size: {"output": {"total_count": 0}}) == []
