"""A small HTTP client that does what people and programs do: signs in, posts, reads back."""

import gzip
import http.client
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import psycopg

from bench.servers import NAIVE, Server

PEOPLE = ("Ann", "Bob", "Cleo", "Dora")


def sign_in(server: Server, username: str) -> str:
    """The value of the Cookie header of somebody who has just signed in; a placeholder where nobody need to."""
    if not server.kind.members:
        return "nobody=1"
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    try:
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        connection.request("POST", "/", urlencode({"username": username}), form)
        answer = connection.getresponse()
        answer.read()
        cookies = answer.headers.get_all("Set-Cookie") or []
        if answer.status != 303 or not cookies:
            raise RuntimeError(f"{server.kind.name} did not sign {username} in: {answer.status}")
        return "; ".join(cookie.partition(";")[0] for cookie in cookies)
    finally:
        connection.close()


def sign_in_many(server: Server, count: int, path: Path) -> None:
    """Signs so many people in, each under a name of their own, and leaves their cookies in a file, one a line."""
    path.write_text("".join(f"{sign_in(server, f'Reader {next(server.numbers)}')}\n" for _ in range(count)))


def call(server: Server, cookie: str, method: str, path: str, body: dict[str, str] | None = None) -> Any:
    """The JSON that our server answers with. Raises RuntimeError for anything but a success."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    try:
        headers = {"Cookie": cookie, "Accept": "application/json", "Content-Type": "application/json"}
        connection.request(method, path, json.dumps(body) if body else None, headers)
        answer = connection.getresponse()
        said = answer.read()
        if answer.status >= 300:
            raise RuntimeError(f"{method} {path}: {answer.status} {said[:500]!r}")
        return json.loads(said)
    finally:
        connection.close()


def open_page(server: Server, path: str, cookie: str) -> str:
    """The page as a browser gets it, compressed on the way. Raises RuntimeError for anything but 200."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    try:
        connection.request("GET", path, headers={"Cookie": cookie, "Accept": "text/html", "Accept-Encoding": "gzip"})
        answer = connection.getresponse()
        page = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"GET {path}: {answer.status}")
        return (gzip.decompress(page) if answer.headers.get("Content-Encoding") == "gzip" else page).decode()
    finally:
        connection.close()


def stored(server: Server, cookie: str, room: str = "lobby") -> Iterator[tuple[str, str | None]]:
    """Text and client_id of every message in a room: ours by its API, the naive peer's from its database."""
    if server.kind is NAIVE and "DATABASE_URL" in server.settings:
        with psycopg.connect(server.settings["DATABASE_URL"]) as connection:
            yield from connection.execute("select text, client_id from messages order by id").fetchall()
        return
    if server.kind is NAIVE:
        db = sqlite3.connect(server.data / "naive.db")
        yield from db.execute("select text, client_id from messages order by id")
        db.close()
        return
    after = 0
    while page := call(server, cookie, "GET", f"/api/rooms/{room}/messages?after={after}&limit=100")["messages"]:
        yield from ((message["text"], message["client_id"]) for message in page)
        after = int(page[-1]["id"])
