"""The port: taken, shared among processes of one start, and never shared with anybody else."""

from __future__ import annotations

import socket
import sys
import threading
import time

import pytest

from flask_chat import server
from flask_chat.config import ConfigError

HERE = "127.0.0.1"


def port_of(bound: socket.socket) -> int:
    return int(bound.getsockname()[1])


def test_a_port_is_one_processs_own() -> None:
    with server.listen(HERE, 0) as taken:
        port = port_of(taken)
        refused = rf"Port {port} is taken by another program. .* bin/serve --port \d+"
        with pytest.raises(ConfigError, match=refused):
            server.listen(HERE, port)
        with pytest.raises(ConfigError, match=refused):
            server.listen(HERE, port, shared=True)
        with pytest.raises(ConfigError, match=refused):
            server.reserve(HERE, port)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux spreads connections over those who share a port")
def test_a_reserved_port_lets_nobody_in_until_those_who_share_it_listen() -> None:
    with server.reserve(HERE, 0) as reserved:
        address = (HERE, port_of(reserved))
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(address, timeout=5)
        with server.listen(*address, shared=True) as one, server.listen(*address, shared=True) as other:
            came = {one: 0, other: 0}
            for listener in came:
                listener.setblocking(False)
            for _ in range(64):
                with socket.create_connection(address, timeout=5):
                    for listener in came:
                        try:
                            listener.accept()[0].close()
                        except BlockingIOError:
                            continue
                        came[listener] += 1
            assert sum(came.values()) == 64
            assert all(came.values()), "the system spreads them"


def test_a_port_that_others_share_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "LEAVING", 0.2)
    with server.reserve(HERE, 0) as reserved, server.listen(HERE, port_of(reserved), shared=True):
        with pytest.raises(ConfigError, match="is taken by another program"):
            server.reserve(HERE, port_of(reserved))
        with pytest.raises(ConfigError, match="is taken by another program"):
            server.listen(HERE, port_of(reserved))


def test_those_of_a_start_before_are_given_time_to_leave_the_port() -> None:
    left = server.listen(HERE, 0, shared=True)
    leaving = threading.Timer(0.3, left.close)
    leaving.start()
    began = time.monotonic()
    with server.reserve(HERE, port_of(left)) as reserved:
        assert 0.2 < time.monotonic() - began < server.LEAVING
        server.listen(HERE, port_of(reserved), shared=True).close()
    leaving.join()
