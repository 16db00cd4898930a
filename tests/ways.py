"""The ways in which people reach a chat, for the tests that must hold in each of them.

To add one, write a function like those below and put it into :data:`WAYS`.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from . import proxies, setups
from .servers import ChatServer, serving


@dataclass(frozen=True)
class Way:
    """A chat that runs. ``url`` is where people find it, ``nodes`` the processes that it is made of."""

    url: str
    nodes: list[ChatServer]
    tls: ssl.SSLContext | None = None

    @property
    def prefix(self) -> str:
        """What stands before every path of the chat."""
        return urlsplit(self.url).path

    @property
    def printed(self) -> str:
        """All that the chat has printed and logged."""
        return "".join(node.log.read_text() for node in self.nodes)

    def browser(self, **options: Any) -> httpx.Client:
        """Somebody's browser, or a program, that asks for paths from where the chat begins."""
        return httpx.Client(base_url=self.url, verify=self.tls or True, timeout=30, **options)

    def start(self) -> None:
        """Start the chat again."""
        for node in self.nodes:
            node.launch()
        for node in self.nodes:
            node.wait_until_up()

    def stop(self) -> list[int]:
        """End the chat as it should be; returns the exit codes of its processes."""
        return [node.stop() for node in self.nodes]

    def kill(self) -> None:
        """End the chat as a power cut would."""
        for node in self.nodes:
            node.kill()


Fixture = Callable[[str], Any]
"""Gives a fixture by its name: ``postgres`` and ``redis`` are there for a way that needs them."""


@contextmanager
def one_process(folder: Path, fixture: Fixture) -> Iterator[Way]:
    """The chat that somebody started, as it comes."""
    with serving(folder / "data") as server:
        yield Way(server.url, [server])


@contextmanager
def behind_nginx(folder: Path, fixture: Fixture, prefix: str = "") -> Iterator[Way]:
    """nginx with TLS before it."""
    with (
        serving(folder / "data", FLASK_CHAT_PREFIX=prefix) as server,
        proxies.nginx(folder / "nginx", [server.port], prefix) as proxy,
    ):
        yield Way(proxy.url, [server], proxy.tls)


@contextmanager
def below_a_prefix(folder: Path, fixture: Fixture) -> Iterator[Way]:
    """The same under a path of the host that is also a path of the chat."""
    with behind_nginx(folder, fixture, "/chat") as way:
        yield way


@contextmanager
def behind_caddy(folder: Path, fixture: Fixture) -> Iterator[Way]:
    """Caddy with TLS before it."""
    with (
        serving(folder / "data") as server,
        proxies.caddy(folder / "caddy", [server.port]) as proxy,
    ):
        yield Way(proxy.url, [server], proxy.tls)


@contextmanager
def two_nodes(folder: Path, fixture: Fixture) -> Iterator[Way]:
    """Two nodes on PostgreSQL and Redis; nginx gives each request to another."""
    with (
        setups.two(folder, fixture("postgres"), fixture("redis").url) as chat,
        proxies.nginx(folder / "nginx", [node.port for node in chat.nodes]) as proxy,
    ):
        yield Way(proxy.url, chat.nodes, proxy.tls)


WAYS: dict[str, Callable[[Path, Fixture], AbstractContextManager[Way]]] = {
    "one process": one_process,
    "nginx": behind_nginx,
    "nginx, below a prefix": below_a_prefix,
    "Caddy": behind_caddy,
    "two nodes": two_nodes,
}
"""Every way by its name."""
