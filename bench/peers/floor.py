"""The bare floor: a uvloop protocol that writes what it must and keeps nothing. What any Python server pays at least.

GET of the event stream holds the connection, a post is answered at once and written to all of them as it came, every
other page is one fixed answer. Nothing is stored, rendered or checked, so it also shows how much the load can ask for.

    python floor.py PORT
"""

import asyncio
import sys
from typing import cast

import uvloop

STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n: welcome\n\n"
PAGE = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 4096\r\n\r\n" + b"." * 4096
CREATED = b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}"
SEE_OTHER = b"HTTP/1.1 303 See Other\r\nLocation: /rooms/lobby\r\nContent-Length: 0\r\n\r\n"

readers: set[asyncio.Transport] = set()


class Floor(asyncio.Protocol):
    """One connection; a request is taken when its head and body are there."""

    transport: asyncio.Transport

    def __init__(self) -> None:
        self.kept = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def connection_lost(self, _error: Exception | None) -> None:
        readers.discard(self.transport)

    def data_received(self, data: bytes) -> None:
        self.kept += data
        while (end := self.kept.find(b"\r\n\r\n")) >= 0:
            head, length = self.kept[:end], 0
            if (at := head.lower().find(b"content-length:")) >= 0:
                length = int(head[at + 15 :].split(b"\r\n", 1)[0])
            if len(self.kept) < end + 4 + length:
                return
            body, self.kept = self.kept[end + 4 : end + 4 + length], self.kept[end + 4 + length :]
            self.answer(head, body)

    def answer(self, head: bytes, body: bytes) -> None:
        if head.startswith(b"GET /api/events"):
            self.transport.write(STREAM)
            readers.add(self.transport)
        elif head.startswith(b"POST /api"):
            self.transport.write(CREATED)
            frame = b"data: " + body + b"\n\n"
            for reader in readers:
                reader.write(frame)
        elif head.startswith(b"POST"):
            self.transport.write(SEE_OTHER)
        else:
            self.transport.write(PAGE)


async def main(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Floor, "127.0.0.1", port, backlog=4096)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1])))
