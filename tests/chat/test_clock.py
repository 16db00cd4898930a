"""Times as they are read: exact for programs, with their zone for people."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flask_chat.chat import clock

MOMENT = 1_795_442_602_120  # 2026-11-23T14:03:22.120Z


@pytest.fixture
def zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Puts the server into another zone."""

    def put(name: str) -> None:
        monkeypatch.setenv("TZ", name)
        time.tzset()
        clock.in_words.cache_clear()

    yield put
    monkeypatch.undo()
    time.tzset()
    clock.in_words.cache_clear()


def test_programs_get_rfc_3339_in_utc_to_the_millisecond(zone: Callable[[str], None]) -> None:
    zone("Asia/Tokyo")
    assert clock.rfc3339(MOMENT) == "2026-11-23T14:03:22.120Z"
    assert clock.rfc3339(7) == "1970-01-01T00:00:00.007Z"


@given(st.integers(0, 253_402_300_799_999))
def test_a_time_is_read_back_as_it_was_written(milliseconds: int) -> None:
    assert clock.milliseconds(clock.rfc3339(milliseconds)) == milliseconds


@given(st.lists(st.integers(0, 253_402_300_799_999), min_size=2))
def test_times_sort_as_texts_as_they_do_as_numbers(moments: list[int]) -> None:
    assert sorted(moments) == sorted(moments, key=clock.rfc3339)


@pytest.mark.parametrize(
    ("name", "short", "full"),
    [
        ("UTC", "14:03 UTC", "Monday, 23 November 2026, 14:03:22 UTC"),
        ("Europe/Berlin", "15:03 CET", "Monday, 23 November 2026, 15:03:22 CET"),
        ("Asia/Tokyo", "23:03 JST", "Monday, 23 November 2026, 23:03:22 JST"),
        ("Pacific/Auckland", "03:03 NZDT", "Tuesday, 24 November 2026, 03:03:22 NZDT"),
    ],
)
def test_people_get_the_servers_time_and_its_zone(
    zone: Callable[[str], None], name: str, short: str, full: str
) -> None:
    zone(name)
    assert clock.in_words(MOMENT // 1000) == (short, full)


def test_the_zone_is_that_of_the_day_itself(zone: Callable[[str], None]) -> None:
    zone("Europe/Berlin")
    summer = clock.milliseconds("2026-07-01T12:00:00.000Z")
    assert clock.in_words(summer // 1000)[0] == "14:00 CEST"
