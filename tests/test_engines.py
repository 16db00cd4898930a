"""The servers and the network that other tests break are real, break as they should, and leave nothing behind."""

from __future__ import annotations

import os
import select
import socket
import socketserver
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
import redis as redis_client

from .engines import Engine, Postgres, Redis
from .proxy import BytesProxy
from .servers import ROOT


def test_a_database_belongs_to_a_role_that_may_do_nothing_else(postgres: Postgres, database_url: str) -> None:
    with closing(psycopg.connect(database_url)) as connection:
        connection.execute("CREATE TABLE hello (id int)")
        who = connection.execute("SELECT usename, usesuper FROM pg_user WHERE usename = current_user").fetchone()
        assert who == ("chat", False)
    assert postgres.sql("SELECT count(*) FROM pg_class WHERE relname = %s", "hello", database=database_url) == [(0,)]


def test_a_database_is_dropped_under_those_who_use_it(postgres: Postgres) -> None:
    url = postgres.create_database()
    with closing(psycopg.connect(url)) as connection:
        postgres.drop_database(url)
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")


def test_what_was_committed_survives_the_end_of_postgresql_and_its_sessions_do_not() -> None:
    with Postgres() as postgres:
        url = postgres.create_database()
        with closing(psycopg.connect(url, autocommit=True)) as connection:
            connection.execute("CREATE TABLE said (text text)")
            connection.execute("INSERT INTO said VALUES ('hi')")
            assert connection.execute("SHOW fsync").fetchone() == ("on",)
            postgres.kill()
            with pytest.raises(psycopg.OperationalError):
                connection.execute("SELECT 1")
        postgres.start()
        postgres.restart()
        assert postgres.sql("SELECT text FROM said", database=url) == [("hi",)]


def test_redis_passes_on_what_is_said_and_keeps_nothing() -> None:
    with Redis() as redis:
        with redis.client() as client:
            client.set("name", "Ann")
            redis.flush()
            assert client.get("name") is None
            client.set("name", "Bob")
        redis.restart()
        with redis.client() as client:
            assert client.get("name") is None
        redis.stop()
        with pytest.raises(redis_client.ConnectionError), redis.client() as client:
            client.ping()


@pytest.mark.parametrize("engine", [Postgres, Redis])
def test_no_server_outlives_the_tests_even_if_they_are_killed(engine: type[Engine]) -> None:
    program = f"""if True:
        import signal
        from tests.engines import {engine.__name__} as Engine
        engine = Engine()
        engine.start()
        print(engine.port, engine.folder, flush=True)
        signal.pause()
    """
    with subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'src'}"},
        stdout=subprocess.PIPE,
        text=True,
    ) as tests:
        assert tests.stdout is not None
        port, folder = tests.stdout.readline().split()
        with socket.create_connection(("127.0.0.1", int(port)), 10) as connection:
            tests.kill()
            assert ended(connection)
        # The guard has this end, too: the end of the file is the end of the guard.
        assert not tests.stdout.read()
    assert not Path(folder).exists()


def test_a_server_that_does_not_start_says_why() -> None:
    with pytest.raises(AssertionError, match="max_connections"), Postgres(max_connections="few"):
        pass


@pytest.fixture
def network() -> Iterator[BytesProxy]:
    """The way to a server that says what it hears in capitals."""

    class Shout(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            while heard := self.request.recv(1024):
                self.request.sendall(heard.upper())

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

    with Server(("127.0.0.1", 0), Shout) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            with BytesProxy(server.server_address[1]) as proxy:
                yield proxy
        finally:
            server.shutdown()
            thread.join()


def test_a_network_passes_everything_on_in_both_directions(network: BytesProxy) -> None:
    with connected(network) as ann, connected(network) as bob:
        assert answer(ann, b"hi") == b"HI"
        assert answer(bob, b"hello") == b"HELLO"


def test_a_network_that_is_cut_delivers_when_it_heals(network: BytesProxy) -> None:
    with connected(network) as ann:
        assert answer(ann, b"one") == b"ONE"
        network.partition()
        ann.sendall(b"two")
        with connected(network) as bob:
            bob.sendall(b"three")
            assert network.held.wait(10)
            assert silent(ann)
            assert silent(bob)
            network.heal()
            assert ann.recv(100) == b"TWO"
            assert bob.recv(100) == b"THREE"


def test_a_network_can_lose_only_the_answers(network: BytesProxy) -> None:
    with connected(network) as ann:
        network.hold_answers()
        ann.sendall(b"hi")
        assert network.held.wait(10)
        assert silent(ann)
        network.refuse()
        assert ended(ann)


def test_a_network_that_refuses_ends_old_connections_and_new_ones(network: BytesProxy) -> None:
    with connected(network) as ann:
        assert answer(ann, b"hi") == b"HI"
        network.refuse()
        assert ended(ann)
        with connected(network) as bob:
            assert ended(bob)
        network.heal()
        with connected(network) as cleo:
            assert answer(cleo, b"hi") == b"HI"


def test_a_url_is_led_through_the_network() -> None:
    with BytesProxy(5432) as network:
        through = network.through("postgresql://chat@127.0.0.1:5432/chat_1")
        assert through == f"postgresql://chat@127.0.0.1:{network.port}/chat_1"


def connected(network: BytesProxy) -> socket.socket:
    return socket.create_connection(("127.0.0.1", network.port), 10)


def answer(connection: socket.socket, text: bytes) -> bytes:
    connection.sendall(text)
    return connection.recv(100)


def silent(connection: socket.socket) -> bool:
    return not select.select([connection], [], [], 0.05)[0]


def ended(connection: socket.socket) -> bool:
    try:
        return connection.recv(100) == b""
    except ConnectionError:
        return True
