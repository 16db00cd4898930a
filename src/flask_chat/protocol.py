"""uvicorn's HTTP protocol, with an end for clients that begin something and do not go on with it."""

from __future__ import annotations

import asyncio
from typing import cast

from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

HEAD_WITHIN = 20.0
"""Seconds that a client may take to send a request's head."""


WRITE_BUFFER = 32 * 1024
"""Bytes that wait for a client before the next write has to: what a reader that takes nothing costs."""


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
