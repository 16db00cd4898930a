"""The bus: what is published reaches every subscriber until it stops listening, whatever carries it."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator, Sequence

import pytest

from flask_chat.bus import Bus
from flask_chat.bus.memory import MemoryBus
from flask_chat.bus.redis import RedisBus
from flask_chat.events import Event

from ..engines import Redis

PATIENCE = 10.0
_channels = itertools.count(1)


def event(id: int, text: str = "") -> Event:
    return Event(id, "message.posted", 1, None, id, b'{"id":%d}' % id, f"<p>{text}</p>", "2026-11-23T12:00:00.000Z")


class Two:
    """A bus, and where it is heard: on the same bus, or on another node's."""

    def __init__(self, here: Bus, there: Bus) -> None:
        self.here, self.there = here, there


@pytest.fixture(params=["memory", "redis, the same node", "redis, another node"])
def two(request: pytest.FixtureRequest) -> Iterator[Two]:
    """Every way keeps the same contract."""
    if request.param == "memory":
        memory = MemoryBus()
        yield Two(memory, memory)
        return
    redis: Redis = request.getfixturevalue("redis")
    channel = f"test:{next(_channels)}"
    here = RedisBus(redis.url, channel, "here")
    there = here if "same" in request.param else RedisBus(redis.url, channel, "there")
    for bus in (here, there):
        assert bus.listening.wait(PATIENCE)
    yield Two(here, there)
    here.close()
    there.close()


def until(true: Callable[[], bool]) -> None:
    """Wait for what other threads do."""
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end
        time.sleep(0.002)


def test_every_subscriber_hears_what_is_published_in_order(two: Two) -> None:
    ann: list[int] = []
    bob: list[int] = []
    two.there.subscribe(lambda events: ann.extend(each.id for each in events))
    two.here.publish([event(1)])
    until(lambda: ann == [1])
    two.there.subscribe(lambda events: bob.extend(each.id for each in events))
    two.here.publish([event(2), event(3)])
    two.here.publish([event(4)])
    until(lambda: bob == [2, 3, 4])
    assert ann == [1, 2, 3, 4]


def test_an_event_arrives_as_it_was(two: Two) -> None:
    heard: list[Event] = []
    two.there.subscribe(heard.extend)
    sent = [
        Event(
            7, "message.posted", 1, None, 7, b'{"id":7,"text":"\xf0\x9f\x8d\xb5"}', "<p>🍵</p>", "2026-11-23T12:00:00Z"
        ),
        Event(8, "session.revoked", None, 4, 9, b"{}"),
    ]
    two.here.publish(sent)
    until(lambda: len(heard) == 2)
    for name in ("id", "type", "room_id", "person_id", "subject_id", "body", "html", "created_at", "audience"):
        assert [getattr(each, name) for each in heard] == [getattr(each, name) for each in sent]


def test_who_stops_listening_hears_nothing_more_and_disturbs_nobody(two: Two) -> None:
    heard: list[str] = []
    stop = two.there.subscribe(lambda _: heard.append("Ann"))
    two.there.subscribe(lambda _: heard.append("Bob"))
    stop()
    stop()
    two.here.publish([event(1)])
    until(lambda: heard == ["Bob"])


def test_a_subscriber_may_stop_while_it_is_told(two: Two) -> None:
    heard: list[str] = []
    stop: list[Callable[[], None]] = []

    def once(_: Sequence[Event]) -> None:
        heard.append("Ann")
        stop[0]()

    stop.append(two.there.subscribe(once))
    two.there.subscribe(lambda _: heard.append("Bob"))
    two.here.publish([event(1)])
    two.here.publish([event(2)])
    until(lambda: len(heard) == 3)
    assert heard == ["Ann", "Bob", "Bob"]


def test_publishing_to_nobody_is_no_harm(two: Two) -> None:
    two.here.publish([event(1)])
    assert two.here.up


def test_what_a_node_announces_is_known_everywhere_until_it_is_silent_for_too_long(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory = MemoryBus("alone", expires=0.05)
    memory.announce(b"first")
    memory.announce(b"here")
    assert memory.announced() == {"alone": b"here"}
    until(lambda: memory.announced() == {})
    channel = f"test:{next(_channels)}"
    ann, bob = (RedisBus(redis.url, channel, name, expires=2) for name in ("ann", "bob"))
    for bus in (ann, bob):
        assert bus.listening.wait(PATIENCE)
    ann.announce(b"3 streams")
    until(lambda: bob.announced() == {"ann": b"3 streams"})
    bob.announce(b"4 streams")
    until(lambda: ann.announced() == {"ann": b"3 streams", "bob": b"4 streams"})
    bob.close()
    until(lambda: "bob" not in ann.announced())
    until(lambda: ann.announced() == {})
    ann.close()


def test_a_chat_hears_nothing_of_another_on_the_same_redis(redis: Redis) -> None:
    one, other, same = (RedisBus(redis.url, f"test:{name}", f"{id}") for id, name in enumerate(("x", "y", "x")))
    heard: list[int] = []
    other.subscribe(lambda _: heard.append(-1))
    same.subscribe(lambda events: heard.append(events[0].id))
    for bus in (one, other, same):
        assert bus.listening.wait(PATIENCE)
    for id in range(1, 4):
        one.publish([event(id)])
    until(lambda: len(heard) >= 3)
    assert heard == [1, 2, 3]
    for bus in (one, other, same):
        bus.close()


def test_a_hint_of_another_epoch_has_it_learnt_before_anybody_hears_of_its_events(redis: Redis) -> None:
    channel = f"test:{next(_channels)}"
    known = ["first"]
    here = RedisBus(redis.url, channel, "here", epoch=lambda: "second")
    order: list[str] = []

    def learn() -> None:
        order.append("learnt")
        known.append("second")

    there = RedisBus(redis.url, channel, "there", epoch=lambda: known[-1], other_epoch=learn)
    there.subscribe(lambda _: order.append("heard"))
    assert there.listening.wait(PATIENCE)
    here.publish([event(1)])
    until(lambda: len(order) == 2)
    assert order == ["learnt", "heard"]
    here.close()
    there.close()


def test_a_copy_of_the_chat_on_the_same_channel_is_not_heard(redis: Redis) -> None:
    channel = f"test:{next(_channels)}"
    heard: list[int] = []
    asked: list[None] = []
    here, there = (
        RedisBus(redis.url, channel, name, epoch=lambda: "ours", other_epoch=lambda: asked.append(None))
        for name in ("here", "there")
    )
    copy = RedisBus(redis.url, channel, "copy", epoch=lambda: "theirs")
    there.subscribe(lambda events: heard.append(events[0].id))
    assert there.listening.wait(PATIENCE)
    for id in range(3):
        copy.publish([event(-id)])
    until(lambda: bool(asked))
    here.publish([event(7)])
    until(lambda: bool(heard))
    assert heard == [7]
    assert len(asked) <= 2, "the database is not asked for every hint of somebody else"
    for bus in (here, copy, there):
        bus.close()


def test_what_is_too_much_for_one_hint_goes_in_several(two: Two) -> None:
    heard: list[int] = []
    two.there.subscribe(lambda events: heard.extend(each.id for each in events))
    two.here.publish([event(id, "x" * 300_000) for id in range(1, 12)])
    until(lambda: len(heard) == 11)
    assert heard == list(range(1, 12))


def test_a_listener_that_fails_does_not_end_the_listening(redis: Redis) -> None:
    channel = f"test:{next(_channels)}"
    failures: list[None] = []

    def learn() -> None:
        failures.append(None)
        raise LookupError

    here = RedisBus(redis.url, channel, "here", epoch=lambda: "second")
    there = RedisBus(redis.url, channel, "there", epoch=lambda: "second" if failures else "first", other_epoch=learn)
    heard: list[int] = []
    there.subscribe(lambda events: heard.append(events[0].id))
    assert there.listening.wait(PATIENCE)
    here.publish([event(1)])
    until(lambda: bool(failures))
    numbers = itertools.count(2)

    def heard_again() -> bool:
        here.publish([event(next(numbers))])
        return bool(heard)

    until(heard_again)
    until(lambda: there.up)
    here.close()
    there.close()


def test_a_signal_is_heard_once_by_all_who_hear_until_they_stop(two: Two) -> None:
    ann: list[bytes] = []
    bob: list[bytes] = []
    stop = two.there.subscribe_signals(ann.append)
    two.there.subscribe_signals(bob.append)
    events: list[int] = []
    two.there.subscribe(lambda heard: events.extend(each.id for each in heard))
    two.here.signal(b"one")
    until(lambda: ann == bob == [b"one"])
    stop()
    two.here.signal(b"\xff\x00two")
    two.here.publish([event(1)])
    until(lambda: events == [1] and len(bob) == 2)
    assert bob == [b"one", b"\xff\x00two"]
    assert ann == [b"one"]


def test_signals_are_heard_at_home_and_forgotten_elsewhere_while_redis_is_away() -> None:
    with Redis() as redis:
        here, there = (RedisBus(redis.url, "test", name) for name in ("here", "there"))
        heard: list[bytes] = []
        at_home: list[bytes] = []
        here.subscribe_signals(at_home.append)
        there.subscribe_signals(heard.append)
        assert there.listening.wait(PATIENCE)
        assert here.listening.wait(PATIENCE)
        redis.kill()
        until(lambda: not here.up and not there.up)
        for _ in range(2_000):
            here.signal(b"lost")
        assert at_home == [b"lost"] * 2_000
        redis.start()

        def heard_again() -> bool:
            # What is published makes a node find out that Redis is back.
            here.publish([event(1)])
            here.signal(b"found")
            return b"found" in heard

        until(lambda: here.up and there.up and heard_again())
        assert b"lost" not in heard
        here.close()
        there.close()


def test_what_is_no_hint_is_passed_over(redis: Redis) -> None:
    channel = f"test:{next(_channels)}"
    here, there = (RedisBus(redis.url, channel, name) for name in ("here", "there"))
    heard: list[int] = []
    there.subscribe(lambda events: heard.append(events[0].id))
    assert there.listening.wait(PATIENCE)
    with redis.client() as client:
        for rubbish in (
            b"",
            b"\x91",
            b"\x91\x01",
            b"\x92",
            b"\x93\x01",
            b"hello",
            b"\xc1" * 10,
            b"\x94\xa1x\xa0\x91\x91\x01\xc0",
        ):
            client.publish(channel, rubbish)
    here.publish([event(5)])
    until(lambda: heard == [5])
    here.close()
    there.close()


def test_a_redis_that_goes_away_holds_nobody_up_and_is_found_again_when_it_is_back() -> None:
    with Redis() as redis:
        here, there = (RedisBus(redis.url, "test", name) for name in ("here", "there"))
        heard: list[int] = []
        at_home: list[int] = []
        here.subscribe(lambda events: at_home.append(events[0].id))
        there.subscribe(lambda events: heard.append(events[0].id))
        assert there.listening.wait(PATIENCE)
        redis.kill()
        until(lambda: not there.up)
        began = time.monotonic()
        for id in range(1, 3_000):
            here.publish([event(id)])
        assert time.monotonic() - began < 2, "nobody waits for Redis"
        assert at_home == list(range(1, 3_000)), "what is committed here is heard here"
        until(lambda: not here.up)
        redis.start()
        until(lambda: there.up)
        number = itertools.count(3_000)

        def heard_again() -> bool:
            here.publish([event(next(number))])
            return bool(heard)

        until(heard_again)
        until(lambda: here.up)
        here.close()
        there.close()


def test_a_redis_that_cannot_be_reached_is_no_reason_not_to_start() -> None:
    with Redis() as redis:
        redis.stop()
        bus = RedisBus(redis.url, "test", "here")
        bus.publish([event(1)])
        until(lambda: not bus.up)
        bus.close()
