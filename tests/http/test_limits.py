"""Limits: a burst at once, a rate after that, each by themselves, on a clock that never jumps."""

from __future__ import annotations

import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flask_chat.chat.errors import TooFast
from flask_chat.http import limits
from flask_chat.http.limits import Bucket, Limits, network


class Clock:
    def __init__(self, now: float = 0.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def taken(bucket: Bucket, key: object, tries: int) -> int:
    """How many of so many tries go through."""
    through = 0
    for _ in range(tries):
        try:
            bucket.take(str(key))
        except TooFast:
            continue
        through += 1
    return through


@given(st.floats(0, 1e7), st.sampled_from([(5, 60), (1, 60), (3, 10), (0.1, 7)]))
def test_a_burst_goes_through_at_once_and_not_one_more(start: float, limit: tuple[float, int]) -> None:
    rate, burst = limit
    assert taken(Bucket(rate, burst, "", Clock(start)), "Ann", burst + 20) == burst


def test_after_a_burst_the_rate_goes_through() -> None:
    clock = Clock(1000.0)
    bucket = Bucket(5, 60, "", clock)
    assert taken(bucket, "Ann", 100) == 60
    clock.now += 2.01
    assert taken(bucket, "Ann", 100) == 10
    clock.now += 1000
    assert taken(bucket, "Ann", 100) == 60, "no more than a burst, however long one waited"


def test_one_flood_is_nobody_elses_matter() -> None:
    bucket = Bucket(5, 60, "", Clock())
    assert taken(bucket, "Ann", 1000) == 60
    assert taken(bucket, "Bob", 60) == 60


def test_who_waits_as_long_as_told_gets_through() -> None:
    clock = Clock(5.0)
    bucket = Bucket(0.1, 2, "Wait a moment.", clock)
    assert taken(bucket, "Ann", 2) == 2
    with pytest.raises(TooFast, match=r"Wait a moment\.") as refused:
        bucket.take("Ann")
    assert refused.value.retry_after == 10
    clock.now += refused.value.retry_after
    bucket.take("Ann")


def test_trying_in_vain_costs_nothing() -> None:
    clock = Clock()
    bucket = Bucket(1, 1, "", clock)
    assert taken(bucket, "Ann", 1000) == 1
    clock.now += 1.001
    assert taken(bucket, "Ann", 1) == 1


def test_the_clock_is_one_that_never_jumps(monkeypatch: pytest.MonkeyPatch) -> None:
    bucket = Bucket(0.001, 2, "")
    for jump in (-3600, 86400 * 365):
        monkeypatch.setattr(time, "time", lambda: jump)  # noqa: B023
        taken(bucket, "Ann", 5)
    assert taken(bucket, "Ann", 5) == 0


def test_no_more_is_remembered_than_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "REMEMBERED", 10)
    clock = Clock()
    bucket = Bucket(1, 2, "", clock)
    for number in range(1000):
        bucket.take(number)
    assert len(bucket._full_at) == 10
    assert taken(bucket, "Ann", 5) == 2


def test_who_floods_is_not_forgotten_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "REMEMBERED", 10)
    bucket = Bucket(0.001, 2, "", Clock())
    assert taken(bucket, "Ann", 5) == 2
    for number in range(30):
        bucket.take(number)
        assert taken(bucket, "Ann", 3) == 0, "those who come by push out who keeps knocking"


def test_many_threads_together_get_no_more_than_one() -> None:
    bucket = Bucket(0.001, 50, "", Clock())
    counts: list[int] = []
    threads = [threading.Thread(target=lambda: counts.append(taken(bucket, "Ann", 100))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(counts) == 50


def test_all_limits_can_be_lifted() -> None:
    lifted = Limits(on=False)
    for _ in range(500):
        lifted.posting(1)
        lifted.joining("192.0.2.1")


def test_posting_and_joining_are_counted_apart() -> None:
    made = Limits(on=True)
    for _ in range(60):
        made.posting(1)
        made.joining("192.0.2.1")
    with pytest.raises(TooFast, match="sending"):
        made.posting(1)
    with pytest.raises(TooFast, match="joining"):
        made.joining("192.0.2.1")
    made.posting(2)
    made.joining("192.0.2.2")


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::1", "::/64"),
        ("", ""),
        (None, ""),
        ("unix:", ""),
        ("not an address", ""),
    ],
)
def test_an_ipv6_household_counts_as_one_network(address: str | None, counted: str) -> None:
    assert network(address) == counted
