"""How long it takes to catch up is only told of a client that got everything."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bench.measures import catch_up
from bench.servers import OURS, Server


@contextmanager
def answering(tmp_path: Path, *ids: int) -> Iterator[Server]:
    """A server that writes these events to the first who comes, an event a chunk, and hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                for id in ids:
                    block = b'id: e-%d\ndata: {"id":%d,"text":"hello"}\n\n' % (id, id)
                    connection.sendall(b"%x\r\n%b\r\n" % (len(block), block))

        thread = threading.Thread(target=answer)
        thread.start()
        yield Server(OURS, tmp_path, port=listener.getsockname()[1])
        thread.join(5)


def test_a_client_that_gets_all_it_missed_has_a_time(tmp_path: Path) -> None:
    with answering(tmp_path, *range(4, 10)) as server:
        assert 0 < catch_up.receive(server, "ann=1", "e-3", last=9) < 5_000


@pytest.mark.parametrize("ids", [(4, 6), (4, 5, 5, 6), (5, 4, 6)], ids=["one missing", "one twice", "out of order"])
def test_one_that_does_not_has_none(tmp_path: Path, ids: tuple[int, ...]) -> None:
    with answering(tmp_path, *ids) as server, pytest.raises(RuntimeError, match=r"from e-3 on came"):
        catch_up.receive(server, "ann=1", "e-3", last=6)


def test_a_stream_that_ends_too_soon_is_no_catching_up(tmp_path: Path) -> None:
    with answering(tmp_path, 4, 5) as server, pytest.raises(RuntimeError, match="ended before event 6"):
        catch_up.receive(server, "ann=1", "e-3", last=6)
