"""uvicorn's HTTP protocol, with an end for clients that begin something and do not go on with it, and one write for a
whole answer."""

from __future__ import annotations

import asyncio
from typing import cast

from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

HEAD_WITHIN = 20.0
"""Seconds that a client may take to send a request's head."""


WRITE_BUFFER = 32 * 1024
"""Bytes that wait for a client before the next write has to: what a reader that takes nothing costs."""


class Cork:
    """Stands before the socket of one response, and holds its head back for what comes next: both go in one write.

    If nothing comes in the same turn of the event loop, the head goes alone. After that it stands in nobody's way.
    """

    __slots__ = ("_cycle", "_head", "_loop", "_socket")

    def __init__(self, cycle: RequestResponseCycle, loop: asyncio.AbstractEventLoop) -> None:
        self._cycle, self._loop, self._socket = cycle, loop, cycle.transport
        self._head: bytes | None = b""
        cycle.transport = cast(asyncio.Transport, self)

    def write(self, data: bytes) -> None:
        """Write to the socket, or hold it back."""
        if self._head:
            self._release(data)
        elif self._head is None or not self._cycle.response_started:
            # Before the response there may be a 100 Continue.
            self._socket.write(data)
        else:
            self._head = data
            self._loop.call_soon(self._release)

    def is_closing(self) -> bool:
        """Whether the socket is, as of any transport."""
        return self._socket.is_closing()

    def close(self) -> None:
        """Write what is held back and close the socket."""
        self._release()
        self._socket.close()

    def abort(self) -> None:
        """Drop what is held back, and the socket."""
        self._head = None
        self._socket.abort()

    def _release(self, data: bytes = b"") -> None:
        if self._head is not None:
            held, self._head = self._head + data, None
            self._cycle.transport = self._socket
            if held and not self._socket.is_closing():
                self._socket.write(held)


class Protocol(HttpToolsProtocol):
    """One client's connection."""

    # Slots, for a dictionary with more entries than uvicorn's is no longer shared and costs a kilobyte a connection.
    __slots__ = ("_answering", "_deadline")

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Expect a request soon."""
        self._answering: RequestResponseCycle | None = None
        self._deadline: asyncio.TimerHandle | None = None
        super().connection_made(cast(asyncio.Transport, transport))
        self.transport.set_write_buffer_limits(WRITE_BUFFER)
        self._expect_head()

    def on_message_begin(self) -> None:
        """Expect the rest of the request's head soon."""
        super().on_message_begin()
        self._expect_head()

    def on_headers_complete(self) -> None:
        """The head is there."""
        self._expect_nothing()
        super().on_headers_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the request that is being answered: uvicorn tells the newest one, which may wait in line behind it."""
        self._expect_nothing()
        super().connection_lost(exc)
        if self._answering is not None:
            self._answering.disconnected = True
            self._answering.message_event.set()

    def timeout_keep_alive_handler(self) -> None:
        """Close an idle connection; one whose client never took its last answer would wait for that for ever."""
        if self.transport.get_write_buffer_size():
            self.transport.abort()
        else:
            super().timeout_keep_alive_handler()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._answering = cycle
        Cork(cycle, self.loop)
        super()._start_asgi_task(cycle, app)

    def _expect_head(self) -> None:
        if self._deadline is None:
            self._deadline = self.loop.call_later(HEAD_WITHIN, self._too_late)

    def _expect_nothing(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _too_late(self) -> None:
        self._deadline = None
        self.transport.abort()
