"""A network between a client and a server, which a test can cut."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Coroutine
from types import TracebackType
from urllib.parse import urlsplit


class BytesProxy:
    """Passes bytes between its own ``port`` and a server's, in a thread of its own, until it is told otherwise.

    A network may deliver late or never, but nothing is missing in the middle: what is held back is passed on, in order,
    when the network heals.
    """

    def __init__(self, target: int) -> None:
        self.port = 0
        # Set as soon as something is held back.
        self.held = threading.Event()
        self._target = target
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._asking, self._answering = asyncio.Event(), asyncio.Event()
        self._refusing = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    def __enter__(self) -> BytesProxy:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._open(), self._loop).result(10)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def through(self, url: str) -> str:
        """The server's URL, by way of this proxy."""
        parts = urlsplit(url)
        return parts._replace(netloc=parts.netloc.replace(f":{self._target}", f":{self.port}")).geturl()

    def heal(self) -> None:
        """Pass everything on, also what was held back."""
        self._do(lambda: self._set(asking=True, answering=True))

    def partition(self) -> None:
        """Deliver nothing in either direction: connections stay open, new ones are taken, and nobody hears anything."""
        self._do(lambda: self._set(asking=False, answering=False))

    def hold_answers(self) -> None:
        """Deliver what the client says, and hold back what the server answers."""
        self._do(lambda: self._set(asking=True, answering=False))

    def refuse(self) -> None:
        """Reset every connection, what it holds included, and every new one at once."""

        def refuse() -> None:
            self._refusing = True
            for task in self._tasks:
                task.cancel()

        self._do(refuse)

    def _do(self, change: Callable[[], None]) -> None:
        """In the loop's thread, so that it is done when this returns."""

        async def change_there() -> None:
            change()

        asyncio.run_coroutine_threadsafe(change_there(), self._loop).result(10)

    def _set(self, *, asking: bool, answering: bool) -> None:
        self._refusing = False
        self.held.clear()
        for event, opened in ((self._asking, asking), (self._answering, answering)):
            event.set() if opened else event.clear()

    async def _open(self) -> None:
        self._set(asking=True, answering=True)
        self._server = await asyncio.start_server(self._take, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = self._loop.create_task(self._carry(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _carry(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        """One connection, from its first byte until one side ends it."""
        end = to_client.transport.abort
        try:
            if self._refusing:
                return
            await self._may_pass(self._asking)
            server, to_server = await asyncio.open_connection("127.0.0.1", self._target)
            try:
                await self._both_ways(
                    self._pass_on(client, to_server, self._asking), self._pass_on(server, to_client, self._answering)
                )
                # Orderly: what was said last is still delivered.
                to_server.close()
                end = to_client.close
            except asyncio.CancelledError:
                to_server.transport.abort()
                raise
        except OSError:
            pass
        finally:
            end()

    async def _both_ways(self, *ways: Coroutine[None, None, None]) -> None:
        """Until one of them ends."""
        tasks = [self._loop.create_task(way) for way in ways]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, way: asyncio.Event) -> None:
        with contextlib.suppress(OSError):
            while some := await reader.read(65536):
                if not way.is_set():
                    self.held.set()
                await self._may_pass(way)
                writer.write(some)
                await writer.drain()
        # The end of a connection is news, too, and does not pass a cut.
        await self._may_pass(way)

    @staticmethod
    async def _may_pass(way: asyncio.Event) -> None:
        while not way.is_set():
            await way.wait()
