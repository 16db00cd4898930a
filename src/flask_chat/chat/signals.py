"""Signals: what is said for the moment, from node to node. It is kept nowhere, and nobody who misses it asks for it."""

from __future__ import annotations

import msgspec


class Typing(msgspec.Struct, frozen=True, tag="typing"):
    """Somebody is writing in a room, ``room`` by its slug."""

    room_id: int
    room: str
    person_id: int
    username: str


class Resting(msgspec.Struct, frozen=True, tag="resting"):
    """Whether nobody looks at a browser just now: all of a session's tabs say so."""

    session_id: int
    resting: bool


Signal = Typing | Resting


def encode(signal: Signal) -> bytes:
    """A signal as the bus carries it."""
    return _ENCODER.encode(signal)


def decode(said: bytes) -> Signal | None:
    """The signal that a node sent; None for one that only another release knows."""
    try:
        return _DECODER.decode(said)
    except msgspec.DecodeError:
        return None


_ENCODER = msgspec.msgpack.Encoder()
_DECODER: msgspec.msgpack.Decoder[Signal] = msgspec.msgpack.Decoder(Signal)
