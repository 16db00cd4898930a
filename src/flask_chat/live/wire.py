"""A short way to a reader's socket, past a server's ``send``.

What uvicorn's ``send`` does for a chunk of a response that is under way costs as much as the rest of the hub's work for
that reader: it makes a coroutine and puts the same chunk together again for each of them. Where the server is the one
we know, the hub hands the finished chunk to the socket itself, under the same conditions. Anywhere else, and whenever a
condition does not hold, the hub falls back to ``send``: nothing depends on this but speed.
"""

from __future__ import annotations

import types
from collections.abc import Generator
from typing import Any

from starlette.types import Send
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle


class Wire:
    """The socket of a response that is under way, in chunks."""

    __slots__ = ("end", "flow", "write")

    def __init__(self, end: RequestResponseCycle) -> None:
        self.end, self.flow = end, end.flow
        self.write = end.transport.write


def wire(send: Send) -> Wire | None:
    """The socket behind ``send``, if the server is the one we know and its response has begun, in chunks."""
    end = getattr(send, "__self__", None)
    return Wire(end) if type(end) is RequestResponseCycle and end.chunked_encoding else None


def keeps_up(send: Send) -> bool:
    """Whether all that was written to ``send`` is on its way to the reader, as far as one can see."""
    short = wire(send)
    return short is not None and not short.flow.write_paused


def chunk(body: bytes) -> bytes:
    """A piece of a response in chunked transfer coding (RFC 9112, 7.1)."""
    return b"%x\r\n%b\r\n" % (len(body), body)


def abort(send: Send) -> None:
    """Drop the connection behind ``send`` with what its reader never took: closing would wait until it is taken."""
    end = getattr(send, "__self__", None)
    if type(end) is RequestResponseCycle:
        end.transport.abort()


def body(frame: bytes, *, more: bool = True) -> dict[str, Any]:
    """The ASGI message that sends a frame; ``more`` says that it is not the last."""
    return {"type": "http.response.body", "body": frame, "more_body": more}


@types.coroutine
def finish(step: Any, waiting: Any) -> Generator[Any, Any, None]:
    """Drive a coroutine that was started elsewhere and waits for ``waiting`` to its end, inside the running task."""
    try:
        while True:
            yield waiting
            waiting = step.send(None)
    except StopIteration:
        return
    except BaseException:
        step.close()
        raise
