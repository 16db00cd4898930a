"""Behind nginx and behind Caddy, as docs/proxies.md sets them up: nothing is held back, forged or said twice."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest

from flask_chat.live import stream as stream_limit

from .proxies import PROXIES, Proxy, Start, caddy
from .servers import ChatServer, free_port, serving

NAVIGATES = {"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
FORGED = {
    "X-Forwarded-For": "203.0.113.9",
    "X-Forwarded-Proto": "https",
    "X-Real-IP": "203.0.113.9",
    "Forwarded": "for=203.0.113.9;proto=https",
    "X-Request-ID": "forged",
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChatServer]:
    """A chat with its limits on: a reader that has left must not count."""
    with serving(tmp_path_factory.mktemp("chat") / "data") as server:
        yield server


@pytest.fixture(scope="module", params=PROXIES)
def proxy(
    request: pytest.FixtureRequest, server: ChatServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Proxy]:
    with PROXIES[request.param](tmp_path_factory.mktemp("proxy"), [server.port]) as proxy:
        yield proxy


@pytest.fixture
def ann(proxy: Proxy, server: ChatServer) -> Iterator[httpx.Client]:
    """Ann's browser, that comes through the proxy from an address of its own."""
    with comes(proxy.url, "127.0.0.5", proxy) as ann:
        ann.headers["authorization"] = f"Bearer {token(server)}"
        yield ann


def comes(url: str, address: str, proxy: Proxy | None = None) -> httpx.Client:
    """A client at one of this machine's many loopback addresses."""
    tls = (proxy.tls if proxy else None) or True
    return httpx.Client(base_url=url, transport=httpx.HTTPTransport(verify=tls, local_address=address), timeout=10)


@pytest.fixture(params=PROXIES)
def start(request: pytest.FixtureRequest) -> Start:
    """Starts a proxy of each kind."""
    return PROXIES[request.param]


def token(server: ChatServer, name: str | None = None) -> str:
    """A new program's token."""
    name = name or f"Ann {time.monotonic_ns()}"
    return str(httpx.post(f"{server.url}/api/sessions", json={"username": name}).json()["token"])


def say(client: httpx.Client, text: str) -> None:
    assert client.post("/api/rooms/lobby/messages", json={"text": text}).status_code == 201


def last_id(client: httpx.Client) -> int:
    """The id of the latest message."""
    latest = client.get("/api/rooms/lobby/messages", params={"limit": "1"}).json()["messages"]
    return int(latest[0]["id"]) if latest else 0


def texts(client: httpx.Client, after: int) -> list[str]:
    """What was said after a message."""
    bounds = {"after": str(after), "limit": "100"}
    return [message["text"] for message in client.get("/api/rooms/lobby/messages", params=bounds).json()["messages"]]


def joins_from(server: ChatServer, client: httpx.Client, headers: dict[str, str]) -> tuple[str, httpx.Response]:
    """Join as somebody new; returns the address that the chat's log has for it, and the answer."""

    def joined() -> list[str]:
        lines = [json.loads(line) for line in server.log.read_text().splitlines() if line.startswith("{")]
        found = [line for line in lines if line["event"] == "request"]
        return [line["address"] for line in found if (line["method"], line["route"]) == ("POST", "/")]

    before = len(joined())
    answer = client.post("/", data={"username": f"Cleo {time.monotonic_ns()}"}, headers=headers)
    assert answer.status_code == 303
    until = time.monotonic() + 5
    while len(joined()) == before:
        assert time.monotonic() < until
        time.sleep(0.01)
    return joined()[-1], answer


@pytest.mark.parametrize(
    ("path", "accept"), [("/api/events", "text/event-stream"), ("/rooms/lobby/timeline", "text/html")]
)
def test_what_is_said_is_heard_at_once_while_the_stream_goes_on(
    ann: httpx.Client, server: ChatServer, path: str, accept: str
) -> None:
    with server.client() as bob, ann.stream("GET", path, headers={"accept": accept}) as stream:
        bob.headers["authorization"] = f"Bearer {token(server)}"
        parts = stream.iter_text()
        heard = next(parts)
        for number in range(3):
            text = f"{number} {time.monotonic_ns()}"
            began = time.monotonic()
            say(bob, text)
            while text not in heard:
                heard += next(parts)
            # Held back, it would come with the next sign of life at the earliest.
            assert time.monotonic() - began < 5


def test_a_reader_that_leaves_is_gone_from_the_chat_too(ann: httpx.Client) -> None:
    for path in ("/api/events", "/rooms/lobby/timeline"):
        for _ in range(stream_limit.MOST_OPEN + 5):
            with ann.stream("GET", path, headers={"accept": "text/event-stream"}) as stream:
                assert stream.status_code == 200
                next(stream.iter_raw())


def test_the_proxys_word_counts_and_the_clients_does_not(proxy: Proxy, server: ChatServer) -> None:
    with comes(proxy.url, "127.0.0.5", proxy) as client:
        for scheme in ("http", "https"):
            address, answer = joins_from(server, client, {**FORGED, "X-Forwarded-Proto": scheme})
            assert address == "127.0.0.5"
            assert "; Secure;" in answer.headers["set-cookie"]
            assert len(answer.headers["x-request-id"]) >= 32
            client.cookies.clear()


def test_who_is_no_named_proxy_is_not_believed(server: ChatServer) -> None:
    with comes(server.url, "127.0.0.3") as client:
        address, answer = joins_from(server, client, FORGED)
    assert address == "127.0.0.3"
    assert "Secure" not in answer.headers["set-cookie"]
    assert answer.headers["x-request-id"] != FORGED["X-Request-ID"]


ADDRESSES = [
    ("hello%20there", "hello there"),
    ("a/b//c/", "a/b//c/"),
    ("/a%2Fb%252Fc", "/a/b%2Fc"),
    ("http://chat.test/?x=1", "http://chat.test/?x=1"),
    ("Gr%C3%BC%C3%9Fe%20%F0%9F%91%8B%3F", "Grüße 👋?"),
    ("50%25;a=b&c%7C%5C", "50%;a=b&c|\\"),
]


def test_a_message_by_address_arrives_whole(proxy: Proxy, server: ChatServer) -> None:
    with comes(proxy.url, "127.0.0.5", proxy) as dora:
        name = f"Dora {time.monotonic_ns()}"
        dora.headers["authorization"] = f"Bearer {token(server, name)}"
        before = last_id(dora)
        for address, _ in ADDRESSES:
            answer = dora.get(f"/{quote(name)}/{address}", headers=NAVIGATES)
            assert (answer.status_code, answer.headers.get("location")) == (303, "/rooms/lobby"), address
        assert texts(dora, before) == [text for _, text in ADDRESSES]
        # What is no escape is refused by the proxy: docs/proxies.md says so.
        assert dora.get(f"/{quote(name)}/100%", headers=NAVIGATES).status_code == 400


def test_what_cannot_be_sent_to_one_process_goes_to_another(start: Start, server: ChatServer, tmp_path: Path) -> None:
    with start(tmp_path, [free_port(), server.port, free_port()]) as proxy, comes(proxy.url, "127.0.0.5", proxy) as ann:
        ann.headers["authorization"] = f"Bearer {token(server)}"
        before, again = last_id(ann), 0
        for number in range(5):
            message = {"text": f"{number}", "client_id": f"c{number}"}
            until = time.monotonic() + 10
            while ann.post("/api/rooms/lobby/messages", json=message).status_code != 201:
                again += 1
                assert time.monotonic() < until
                time.sleep(0.1)
            assert texts(ann, before)[-1] == f"{number}"
        assert len(texts(ann, before)) == 5
        # Caddy cannot hand a post on, so that the browser has to try again: docs/proxies.md says so.
        assert again == 0 or start is caddy


def test_a_post_that_was_sent_is_for_the_sender_to_try_again(start: Start, server: ChatServer, tmp_path: Path) -> None:
    """A process dies over a post: the proxy cannot know whether it was kept. The sender's second try is kept once."""
    with (
        dying() as (port, taken),
        start(tmp_path, [port, server.port]) as proxy,
        comes(proxy.url, "127.0.0.5", proxy) as ann,
        server.client() as bob,
    ):
        for client in (ann, bob):
            client.headers["authorization"] = f"Bearer {token(server)}"
        before, sent = last_id(bob), 0
        while not taken:
            assert sent < 50, "the dying process was never asked"
            message = {"text": f"{sent}", "client_id": f"c{sent}"}
            status = ann.post("/api/rooms/lobby/messages", json=message).status_code
            assert status == (502 if taken else 201)
            sent += 1
        assert len(texts(bob, before)) == sent - 1, "the proxy has sent it again"
        while ann.post("/api/rooms/lobby/messages", json=message).status_code != 201:
            assert len(taken) < 50
        assert texts(bob, before) == [f"{number}" for number in range(sent)]


def test_below_a_prefix_the_rest_of_the_host_is_not_the_chats(tmp_path: Path) -> None:
    with serving(tmp_path / "data", FLASK_CHAT_PREFIX="/our/chat") as server:
        for name, start in PROXIES.items():
            with (
                start(tmp_path / name, [server.port], "/our/chat") as proxy,
                comes(proxy.url.removesuffix("/our/chat"), "127.0.0.5", proxy) as client,
            ):
                for page in ("/our/chat", "/our/chat/"):
                    assert 'action="/our/chat/"' in client.get(page).text
                joined = client.post("/our/chat/", data={"username": f"Ann {name}"})
                assert joined.headers["location"].startswith("/our/chat/chat/Ann")
                for page in ("/", "/our", "/chat", "/rooms/lobby"):
                    assert "x-request-id" not in client.get(page).headers, f"{page} is the chat's"


def test_it_finds_a_chat_that_starts_after_it(start: Start, tmp_path: Path) -> None:
    server = ChatServer(tmp_path / "data")
    server.launch()
    try:
        with start(tmp_path / "proxy", [server.port]) as proxy, comes(proxy.url, "127.0.0.5", proxy) as client:
            seen = {502}
            until = time.monotonic() + 15
            while 200 not in seen:
                assert time.monotonic() < until
                time.sleep(0.05)
                seen.add(client.get("/up").status_code)
            assert seen <= {502, 503, 200}
    finally:
        server.stop()


@contextmanager
def dying() -> Iterator[tuple[int, list[bytes]]]:
    """A process that is well until it gets a post, and dies over that: its port, and the posts that it took."""
    taken: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    client, _ = listener.accept()
                    with client:
                        request = client.recv(65536)
                        if request.startswith(b"POST"):
                            taken.append(request)
                        else:
                            client.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield listener.getsockname()[1], taken
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(10)
