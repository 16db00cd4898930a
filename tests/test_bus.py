"""The bus: what is published reaches every subscriber, in order, until it stops listening."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from flask_chat.bus import Bus, MemoryBus
from flask_chat.events import Event


def event(id: int) -> Event:
    return Event(id, "message.posted", 1, None, id, b"{}")


@pytest.fixture(params=[MemoryBus])
def bus(request: pytest.FixtureRequest) -> Bus:
    """Every backend keeps the same contract."""
    made: Bus = request.param()
    return made


def test_every_subscriber_hears_what_is_published_in_order(bus: Bus) -> None:
    ann: list[int] = []
    bob: list[int] = []
    bus.subscribe(lambda events: ann.extend(each.id for each in events))
    bus.publish([event(1)])
    bus.subscribe(lambda events: bob.extend(each.id for each in events))
    bus.publish([event(2), event(3)])
    assert (ann, bob) == ([1, 2, 3], [2, 3])


def test_who_stops_listening_hears_nothing_more_and_disturbs_nobody(bus: Bus) -> None:
    heard: list[str] = []
    stop = bus.subscribe(lambda _: heard.append("Ann"))
    bus.subscribe(lambda _: heard.append("Bob"))
    stop()
    stop()
    bus.publish([event(1)])
    assert heard == ["Bob"]


def test_a_subscriber_may_stop_while_it_is_told(bus: Bus) -> None:
    heard: list[str] = []
    stop: list[Callable[[], None]] = []

    def once(_: Sequence[Event]) -> None:
        heard.append("Ann")
        stop[0]()

    stop.append(bus.subscribe(once))
    bus.subscribe(lambda _: heard.append("Bob"))
    bus.publish([event(1)])
    bus.publish([event(2)])
    assert heard == ["Ann", "Bob", "Bob"]


def test_publishing_to_nobody_is_no_harm(bus: Bus) -> None:
    bus.publish([event(1)])
