"""Connections: how many streams are open just now, on all nodes, and whose."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from .services import Services


@dataclass(frozen=True, slots=True)
class Connections:
    """How many streams are open, and of how many people, on how many nodes."""

    streams: int
    people: int
    nodes: int


class _Facts(msgspec.Struct):
    streams: int = 0
    people: list[int] = []


def now(chat: Services) -> Connections:
    """What the living nodes said last: a few seconds ago at most."""
    told = []
    for facts in chat.bus.announced().values():
        try:
            told.append(msgspec.json.decode(facts, type=_Facts))
        except msgspec.DecodeError:
            # A node of another release says it in another way.
            continue
    return Connections(sum(each.streams for each in told), len({id for each in told for id in each.people}), len(told))
