"""Limits, counted alone and counted together: the same contract, and a Redis that is away refuses nobody."""

from __future__ import annotations

import re
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from flask_chat.chat.errors import TooFast
from flask_chat.http.limits import Alone, Bucket, Counter, Counters, Limits
from flask_chat.http.shared_limits import AWAY, SharedLimits

from ..engines import Redis

DOCS = Path(__file__).parents[2] / "docs" / "moderation.md"


def taken(counter: Counter, key: object, tries: int) -> int:
    """How many of so many tries go through."""
    through = 0
    for _ in range(tries):
        try:
            counter.take(str(key))
        except TooFast:
            continue
        through += 1
    return through


@pytest.fixture(params=["alone", "together"])
def counters(request: pytest.FixtureRequest) -> Iterator[Counters]:
    made: Counters
    if request.param == "alone":
        made = Alone()
    else:
        redis: Redis = request.getfixturevalue("redis")
        made = SharedLimits(redis.url, uuid.uuid4().hex)
    yield made
    made.close()


@pytest.fixture
def chat_name() -> str:
    return uuid.uuid4().hex


def test_a_burst_goes_through_and_not_one_more(counters: Counters) -> None:
    counter = counters("joining", 0.001, 7, "Wait.")
    assert taken(counter, "Ann", 20) == 7
    assert taken(counter, "Bob", 20) == 7


def test_who_is_refused_is_told_how_long(counters: Counters) -> None:
    counter = counters("joining", 0.1, 2, "Wait a moment.")
    assert taken(counter, "Ann", 2) == 2
    with pytest.raises(TooFast, match=r"Wait a moment\.") as refused:
        counter.take("Ann")
    assert 9 <= refused.value.retry_after <= 10


def test_trying_in_vain_costs_nothing(counters: Counters) -> None:
    counter = counters("joining", 0.001, 1, "Wait.")
    assert taken(counter, "Ann", 50) == 1
    with pytest.raises(TooFast) as refused:
        counter.take("Ann")
    assert refused.value.retry_after <= 1000


def test_different_counters_count_apart(counters: Counters) -> None:
    assert taken(counters("joining", 0.001, 3, ""), "Ann", 9) == 3
    assert taken(counters("inviting", 0.001, 4, ""), "Ann", 9) == 4


def test_any_text_is_a_key(counters: Counters) -> None:
    counter = counters("joining", 0.001, 1, "")
    for key in ("", "Zoé", "\ud800", "a" * 10_000, "a b\n"):
        assert taken(counter, key, 3) == 1


def test_many_threads_together_get_no_more_than_one(counters: Counters) -> None:
    counter = counters("joining", 0.001, 20, "")
    counts: list[int] = []
    threads = [threading.Thread(target=lambda: counts.append(taken(counter, "Ann", 20))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(counts) == 20


def test_two_processes_count_together(redis: Redis, chat_name: str) -> None:
    one, other = SharedLimits(redis.url, chat_name), SharedLimits(redis.url, chat_name)
    try:
        assert taken(one("joining", 0.001, 5, ""), "Ann", 3) == 3
        assert taken(other("joining", 0.001, 5, ""), "Ann", 9) == 2
        assert taken(one("joining", 0.001, 5, ""), "Ann", 9) == 0
    finally:
        one.close()
        other.close()


def test_two_chats_on_one_redis_count_apart_and_say_no_names_there(redis: Redis) -> None:
    names = [uuid.uuid4().hex for _ in range(2)]
    made = [SharedLimits(redis.url, name) for name in names]
    try:
        for limits in made:
            assert taken(limits("joining", 0.001, 1, ""), "somebody.secret", 3) == 1
        assert b"somebody" not in b"".join(bytes(key) for key in made[0]._client.scan_iter())
        for name in names:
            [key] = made[0]._client.scan_iter(f"flask-chat:{name}:*")
            assert 0 < made[0]._client.pttl(key) <= 1_000_000, "nothing is kept for ever"
    finally:
        for limits in made:
            limits.close()


def test_a_server_clock_that_was_set_back_locks_nobody_out(redis: Redis, chat_name: str) -> None:
    limits = SharedLimits(redis.url, chat_name)
    try:
        counter = limits("joining", 1, 2, "")
        assert taken(counter, "Ann", 1) == 1
        [key] = limits._client.keys(f"flask-chat:{chat_name}:*")
        limits._client.set(key, float(limits._client.get(key)) + 3_600)  # type: ignore[arg-type]
        assert taken(counter, "Ann", 9) == 2
    finally:
        limits.close()


def test_while_redis_is_away_each_process_counts_by_itself_and_asks_again_later() -> None:
    moments = [100.0]
    limits = SharedLimits("redis://127.0.0.1:1/0", "x", lambda: moments[0])
    asked: list[object] = []
    take = limits._take

    def ask(**arguments: object) -> object:
        asked.append(arguments)
        return take(**arguments)

    limits._take = ask
    try:
        counter = limits("joining", 0.001, 3, "")
        assert taken(counter, "Ann", 9) == 3
        assert len(asked) == 1, "nobody waits for it again"
        moments[0] += AWAY
        assert taken(counter, "Bob", 9) == 3
        assert len(asked) == 2
    finally:
        limits.close()


def test_the_docs_say_how_much_of_each_goes_through() -> None:
    written = re.findall(
        r"^\| [\w, ]+ \| (\d+) \| (\d+) (?:a|in (\d+)) (second|minute)s? \|", DOCS.read_text(), re.MULTILINE
    )
    said = [
        (int(burst), int(number) / (int(every or 1) * (60 if unit == "minute" else 1)))
        for burst, number, every, unit in written
    ]
    made = [(bucket._burst, bucket._rate) for bucket in vars(Limits(True)).values() if isinstance(bucket, Bucket)]
    assert sorted(said) == sorted(made)


def test_all_limits_take_the_counters_that_they_are_given(counters: Counters) -> None:
    limits = Limits(True, counters)
    for _ in range(10):
        limits.reporting(1)
    with pytest.raises(TooFast, match="reported many"):
        limits.reporting(1)
    limits.reporting(2)
    for _ in range(10):
        limits.signing_in("192.0.2.1", "ann")
    with pytest.raises(TooFast, match="under this name"):
        limits.signing_in("192.0.2.2", "ann")
    for number in range(20):
        limits.signing_in("2001:db8::1", f"name {number}")
    for number in range(10):
        limits.signing_in("2001:db8::2", f"other {number}")
    with pytest.raises(TooFast, match="from your network"):
        limits.signing_in("2001:db8::3", "another")
