"""Names that nobody may have, at the door where they are said."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import cast

import httpx
import pytest
from flask import Flask
from starlette.routing import Route

from flask_chat.asgi import FrontDoor
from flask_chat.chat import names
from flask_chat.live.stream import Readers

from ..servers import ChatServer
from . import storage
from .pages import Page, assert_harmless


@pytest.fixture
def stranger(shared: ChatServer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=shared.url) as client:
        yield client


def refusal(answer: httpx.Response) -> str:
    """The reason that the page gives, beside the field and for a screen reader."""
    assert answer.status_code == 422, answer.status_code
    assert "set-cookie" not in answer.headers
    assert_harmless(answer)
    page = Page(answer.text)
    field = next(attributes for tag, attributes in page.elements if attributes.get("id") == "username")
    assert field.get("aria-invalid") == "true"
    assert "error" in field["aria-describedby"].split()
    _, _, rest = answer.text.partition('id="error"')
    return Page(rest.partition(">")[2].partition("</p>")[0]).text


@pytest.mark.parametrize(
    "name",
    [
        *("ann", "ANN", "Аnn", "Ann ", "  Ann", "Ａｎｎ", "𝐀𝐧𝐧", "Аnn".lower(), "Ann\u00a0"),
        *("Ánn".replace("Á", "A"), "Anո", "ⒶNN"),
    ],
)
def test_a_name_that_looks_like_a_taken_one_is_refused_by_the_name_it_looks_like(
    ann: httpx.Client, stranger: httpx.Client, name: str
) -> None:
    reason = refusal(stranger.post("/", data={"username": name}))
    assert "Ann" in reason or "alphabets" in reason, reason


def test_a_name_in_another_alphabet_that_cannot_be_told_apart_is_refused(shared: ChatServer) -> None:
    with httpx.Client(base_url=shared.url) as one, httpx.Client(base_url=shared.url) as other:
        assert one.post("/", data={"username": "Асе"}).status_code == 303  # Cyrillic, all of it
        reason = refusal(other.post("/", data={"username": "Ace"}))
    assert "Асе" in reason
    assert "looks too much like" in reason


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("", "write a name"),
        ("   ", "write a name"),
        ("\u200b\u200b", "write a name"),
        ("x" * 10_000, "too long"),
        ("x" * 33, "too long"),
        ("é" * 10_000, "too long"),
        ("Bob\u200b", "cannot be seen"),
        ("B\u200dob", "cannot be seen"),
        ("Bob\u202e", "cannot be seen"),
        ("\u200fBob", "cannot be seen"),
        ("\u2066Bob\u2069", "cannot be seen"),
        ("Bo\u00adb", "cannot be seen"),
        ("B" + "\u0301" * 6, "accents"),
        ("Bob" + "\u0336" * 50, "accents"),
        ("Bоb", "alphabets"),
        ("१२3", "digits"),
        ("Bob/Cleo", "letters and digits"),
        ("<b>Bob</b>", "letters and digits"),
        ("Bob\nCleo\x00", "letters and digits"),
        ("Bob😀", "letters and digits"),
        (".bob", "dot"),
        ("...", "dot"),
        ("' -", "letter or digit"),
        ("\ufffd", "letters and digits"),
    ],
)
def test_a_name_that_nobody_may_have_is_refused_with_the_reason(
    shared: ChatServer, stranger: httpx.Client, name: str, word: str
) -> None:
    before = storage.dump(shared)
    reason = refusal(stranger.post("/", data={"username": name}))
    assert word in reason, reason
    assert storage.dump(shared) == before


def test_a_program_is_told_the_same(shared: ChatServer, ann: httpx.Client, stranger: httpx.Client) -> None:
    for name, status in (("", 422), ("Ann", 409), ("rooms", 422), ("x" * 10_000, 413), ("\ud800", 422)):
        written = f'{{"username": {_json(name)}}}'
        answer = stranger.post("/api/sessions", content=written, headers={"content-type": "application/json"})
        assert answer.status_code == status, f"{name!r}: {answer.text}"
        assert answer.headers["content-type"] == "application/problem+json"


def test_everything_that_the_application_serves_at_its_root_is_nobodys_name(
    app: Flask, shared: ChatServer, stranger: httpx.Client
) -> None:
    paths = [rule.rule for rule in app.url_map.iter_rules()] + _gateway(app)
    segments = {path.split("/")[1] for path in paths} - {""}
    static = sorted(segment for segment in segments if "<" not in segment and "{" not in segment)
    assert {"api", "chat", "rooms", "owner", "static", "up", "sign-out"} <= set(static)
    for segment in static:
        for written in (segment, segment.upper(), f" {segment}"):
            assert names.is_reserved(written), written
            reason = refusal(stranger.post("/", data={"username": written}))
            assert "uses that name itself" in reason


def _gateway(app: Flask) -> list[str]:
    # Nothing is served, so that the readers need no hub.
    readers = cast(Readers, SimpleNamespace(chat=app.extensions["flask_chat"], hub=None))
    routes = FrontDoor(app)._routes(readers)
    assert all(isinstance(route, Route) for route in routes)
    return [route.path for route in routes]


def _json(name: str) -> str:
    return '"' + "".join(f"\\u{ord(character):04x}" for character in name) + '"'
