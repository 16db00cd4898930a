"""Runs Flask behind the gateway: whole requests in, whole answers out, in a few threads.

The request's body is read on the event loop and the answer is written there, so that a thread is taken only while
Flask computes: a slow client holds none. A request costs one hand-over to a thread and one back.
"""

from __future__ import annotations

import asyncio
import contextvars
import io
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from starlette.types import Receive, Scope, Send

from . import asgi
from .problems import Problem

Headers = list[tuple[bytes, bytes]]
Answer = tuple[int, Headers, bytes]
WSGI = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


REFUSED = "flask_chat.refused"
"""In the WSGI environment: the problem for which the request's body was not taken, for the application to tell."""


class Bridge:
    """An ASGI application that runs a WSGI application in ``threads`` threads; bodies of up to ``most`` bytes."""

    def __init__(self, application: WSGI, *, threads: int, most: int) -> None:
        self._application, self._most = application, most
        self._threads = ThreadPoolExecutor(threads, "page")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        try:
            body = await asgi.body(dict(scope["headers"]), receive, self._most)
        except Problem as error:
            await self.refuse(scope, send, error)
        else:
            await self.answer(scope, send, body)

    async def refuse(self, scope: Scope, send: Send, refused: Problem) -> None:
        """Have the application tell why the request's body was not taken."""
        await self.answer(scope, send, b"", refused)

    async def answer(self, scope: Scope, send: Send, body: bytes, refused: Problem | None = None) -> None:
        """Answer a request whose body was read already."""
        loop = asyncio.get_running_loop()
        answered: asyncio.Future[Answer] = loop.create_future()
        request = {**environ(scope, body), REFUSED: refused}
        # What is logged there is logged for this request.
        self._threads.submit(contextvars.copy_context().run, self._run, request, loop, answered)
        status, headers, content = await answered
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": content})

    def close(self) -> None:
        """Let the threads finish what they are at."""
        self._threads.shutdown()

    def _run(self, request: dict[str, Any], loop: asyncio.AbstractEventLoop, answered: asyncio.Future[Answer]) -> None:
        try:
            answer = self._call(request)
        except BaseException as error:
            loop.call_soon_threadsafe(_fail, answered, error)
        else:
            loop.call_soon_threadsafe(_answer, answered, answer)

    def _call(self, request: dict[str, Any]) -> Answer:
        started: list[Any] = []

        def start_response(status: str, headers: list[tuple[str, str]], _error: object = None) -> None:
            raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
            started[:] = int(status[:3]), raw

        parts = self._application(request, start_response)
        try:
            content = b"".join(parts)
        finally:
            getattr(parts, "close", lambda: None)()
        return started[0], started[1], content


def environ(scope: Scope, body: bytes) -> dict[str, Any]:
    """The WSGI environment of a request (PEP 3333)."""
    server, port = scope.get("server") or ("localhost", 80)
    root: str = scope.get("root_path", "")
    made: dict[str, Any] = {
        "asgi.scope": scope,
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": root,
        "PATH_INFO": (scope["path"][len(root) :] or "/").encode("utf-8", "surrogateescape").decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "SERVER_NAME": server,
        "SERVER_PORT": str(port or 0),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.get("scheme", "http"),
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    if scope.get("client"):
        made["REMOTE_ADDR"] = scope["client"][0]
    for raw_name, raw_value in scope["headers"]:
        # Names with an underscore could pass for another header here: HTTP_X_FORWARDED_FOR is X-Forwarded-For.
        if b"_" in raw_name:
            continue
        name = raw_name.decode("latin-1").upper().replace("-", "_")
        if name not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            name = f"HTTP_{name}"
        value = raw_value.decode("latin-1")
        if name in made:
            # RFC 9110, 5.3; RFC 6265 has cookies joined by a semicolon.
            value = f"{made[name]}{'; ' if name == 'HTTP_COOKIE' else ', '}{value}"
        made[name] = value
    made["CONTENT_LENGTH"] = str(len(body))
    return made


def _answer(answered: asyncio.Future[Answer], answer: Answer) -> None:
    if not answered.done():
        answered.set_result(answer)


def _fail(answered: asyncio.Future[Answer], error: BaseException) -> None:
    if not answered.done():
        answered.set_exception(error)
