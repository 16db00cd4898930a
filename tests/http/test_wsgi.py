"""The bridge to Flask: a request goes in as PEP 3333 has it, an answer or an exception comes out."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from typing import Any
from wsgiref.validate import validator

import pytest
from starlette.types import Message

from flask_chat.http import wsgi
from flask_chat.http.asgi import Gone
from flask_chat.http.wsgi import Bridge, environ

from .gateway import Answer, call, scope

Start = Callable[..., Any]


def answer(application: Any, request: dict[str, Any], body: bytes = b"", most: int = 1000) -> Answer:
    bridge = Bridge(application, threads=2, most=most)
    try:
        return asyncio.run(call(bridge, request, body))
    finally:
        bridge.close()


def test_a_request_is_what_pep_3333_says() -> None:
    sent = {"content-type": "text/plain", "x-one": "1", "accept": "*/*"}
    request = scope("POST", "/caf%C3%A9/a%2Fb?x=%20y&z", sent, http_version="1.0")
    made = environ(request, b"hello")
    assert made["REQUEST_METHOD"] == "POST"
    assert made["SCRIPT_NAME"] == ""
    assert made["PATH_INFO"] == "/café/a/b".encode().decode("latin-1")
    assert made["QUERY_STRING"] == "x=%20y&z"
    assert made["CONTENT_TYPE"] == "text/plain"
    assert made["CONTENT_LENGTH"] == "5"
    assert made["SERVER_PROTOCOL"] == "HTTP/1.0"
    assert (made["SERVER_NAME"], made["SERVER_PORT"], made["REMOTE_ADDR"]) == ("chat.test", "80", "192.0.2.7")
    assert (made["HTTP_HOST"], made["HTTP_X_ONE"]) == ("chat.test", "1")
    assert made["wsgi.input"].read() == b"hello"
    assert all(isinstance(value, str) for name, value in made.items() if name.isupper())


@pytest.mark.parametrize(
    ("address", "rest"),
    [
        ("/chat/a%2Fb", "/a/b"),
        ("/chat/", "/"),
        ("/chat", "/"),
        ("/ch%61t//caf%C3%A9", "//café"),
        ("/chat/chat", "/chat"),
    ],
)
def test_a_prefix_is_the_scripts_name_and_not_in_the_path(address: str, rest: str) -> None:
    made = environ(scope("GET", address, root_path="/chat"), b"")
    assert (made["SCRIPT_NAME"], made["PATH_INFO"]) == ("/chat", rest.encode().decode("latin-1"))


def test_headers_that_come_twice_are_joined() -> None:
    request = scope("GET", "/")
    request["headers"] += [(b"cookie", b"a=1"), (b"x-f", b"1"), (b"cookie", b"b=2"), (b"x-f", b"2")]
    made = environ(request, b"")
    assert (made["HTTP_COOKIE"], made["HTTP_X_F"]) == ("a=1; b=2", "1, 2")


def test_a_header_with_an_underscore_passes_for_no_other() -> None:
    request = scope("GET", "/", {"x_forwarded_for": "6.6.6.6", "content_length": "9", "x-real": "1"})
    made = environ(request, b"")
    assert "HTTP_X_FORWARDED_FOR" not in made
    assert (made["CONTENT_LENGTH"], made["HTTP_X_REAL"]) == ("0", "1")


@pytest.mark.parametrize("server", [None, ("/run/chat.sock", None)])
def test_a_server_without_a_port_is_no_harm(server: object) -> None:
    made = environ(scope("GET", "/", server=server, client=None), b"")
    assert "REMOTE_ADDR" not in made
    assert made["SERVER_PORT"].isdecimal()


def test_an_application_that_is_checked_for_it_finds_nothing_wrong() -> None:
    def application(request: dict[str, Any], start: Start) -> list[bytes]:
        body = request["wsgi.input"].read(1000)
        start("201 Created", [("Content-Type", "text/plain"), ("X-One", "1"), ("Set-Cookie", "a"), ("Set-Cookie", "b")])
        return [b"got ", body]

    def strict(request: dict[str, Any], start: Start) -> Any:
        del request["asgi.scope"], request[wsgi.REFUSED]
        return validator(application)(request, start)

    got = answer(strict, scope("POST", "/x", {"content-type": "text/plain"}), b"hello")
    assert (got.status, got.body) == (201, b"got hello")
    assert got.headers["x-one"] == "1"


def test_what_the_application_yields_is_closed_whatever_happens() -> None:
    closed: list[bool] = []

    class Parts:
        def __iter__(self) -> Iterator[bytes]:
            yield b"one"
            raise LookupError("two")

        def close(self) -> None:
            closed.append(True)

    def application(_: dict[str, Any], start: Start) -> Parts:
        start("200 OK", [])
        return Parts()

    with pytest.raises(LookupError, match="two"):
        answer(application, scope("GET", "/"))
    assert closed == [True]


def test_an_exception_of_the_application_comes_out() -> None:
    def application(_: dict[str, Any], start: Start) -> list[bytes]:
        raise LookupError("here")

    with pytest.raises(LookupError, match="here"):
        answer(application, scope("GET", "/"))


def test_no_thread_is_taken_while_a_body_is_on_its_way() -> None:
    threads: set[str] = set()

    def application(_: dict[str, Any], start: Start) -> list[bytes]:
        threads.add(threading.current_thread().name)
        start("200 OK", [])
        return [b"done"]

    async def scene() -> bytes:
        bridge = Bridge(application, threads=1, most=1000)
        slow = asyncio.Event()

        async def receive() -> Message:
            await slow.wait()
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(_: Message) -> None:
            pass

        waiting = [asyncio.ensure_future(bridge(scope("POST", "/"), receive, send)) for _ in range(5)]
        await asyncio.sleep(0)
        got = await asyncio.wait_for(call(bridge, scope("GET", "/")), 5)
        slow.set()
        await asyncio.gather(*waiting)
        bridge.close()
        return got.body

    assert asyncio.run(scene()) == b"done"
    assert all(name.startswith("page") for name in threads)


def test_a_body_that_is_too_long_is_not_taken_and_the_application_told() -> None:
    told: list[Any] = []

    def application(request: dict[str, Any], start: Start) -> list[bytes]:
        told.append(request[wsgi.REFUSED])
        assert request["wsgi.input"].read() == b""
        start("413 Content Too Large", [])
        return []

    assert answer(application, scope("POST", "/"), b"x" * 1001).status == 413
    assert answer(application, scope("POST", "/", {"content-length": "1001"})).status == 413
    assert answer(application, scope("POST", "/", {"content-length": "9" * 20}), b"").status == 413
    assert answer(application, scope("POST", "/", {"content-length": "nine"}), b"").status == 413
    assert [refused.status for refused in told] == [413] * 4


def test_a_body_of_just_the_length_that_is_taken_arrives_whole() -> None:
    def application(request: dict[str, Any], start: Start) -> list[bytes]:
        assert request[wsgi.REFUSED] is None
        start("200 OK", [])
        return [request["wsgi.input"].read()]

    assert answer(application, scope("POST", "/"), b"x" * 1000).body == b"x" * 1000


def test_who_hangs_up_before_the_request_is_whole_is_not_answered() -> None:
    called: list[object] = []

    def application(request: dict[str, Any], start: Start) -> list[bytes]:
        called.append(request)
        start("200 OK", [])
        return []

    async def scene() -> None:
        bridge = Bridge(application, threads=1, most=1000)
        messages: list[Message] = [
            {"type": "http.request", "body": b"half", "more_body": True},
            {"type": "http.disconnect"},
        ]

        async def receive() -> Message:
            return messages.pop(0)

        async def send(message: Message) -> None:
            raise AssertionError(message)

        try:
            with pytest.raises(Gone):
                await bridge(scope("POST", "/"), receive, send)
        finally:
            bridge.close()

    asyncio.run(scene())
    assert called == []
