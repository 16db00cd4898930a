"""Every route, for everybody: who may does, who may not changes nothing and learns nothing."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from functools import partial
from typing import cast

import pytest
from flask import Flask
from starlette.routing import Route

from flask_chat import create_app
from flask_chat.chat import rooms
from flask_chat.chat.rooms import Room
from flask_chat.config import Config
from flask_chat.db import Transaction

from ..http.gateway import Answer
from .routes import GUEST, JSON, OWNER, ROWS, Row
from .world import EVERYBODY, INSIDE, NOBODY, OUTSIDE, RANKS, Scene, Who, World

ELSEWHERE = {
    "another site": {"sec-fetch-site": "cross-site", "origin": "https://evil.example"},
    "a sister site": {"sec-fetch-site": "same-site", "origin": "https://sister.chat.test"},
    "an old browser's other site": {"origin": "https://evil.example"},
    "a frame without an origin": {"origin": "null"},
}

STRANGE = ("\x00", "-1", "0", "9" * 30, "½", "a" * 3000, "ж", "'; --", "%", "\u202e", "null", "1e9", "Den", "current")
"""What is put where a path names something."""

NONSENSE = (b"", b"[]", b"null", b'"text"', b"{", b"1", b"\xff\xfe", b'{"a": ' * 5_000, b"[" * 50_000)
"""Bodies that are nothing."""

VALUES: tuple[object, ...] = (
    None,
    1,
    -1,
    1.5,
    10**30,
    True,
    "",
    " ",
    "\x00",
    "\u202e",
    "x" * 20_000,
    [],
    [[]],
    {},
    ["a"],
    {"a": None},
)
"""What is put where a request says something."""

OWNER_INSIDE = Who(OWNER, INSIDE)

by_row = pytest.mark.parametrize("row", ROWS, ids=str)
by_unsafe_row = pytest.mark.parametrize("row", [row for row in ROWS if not row.safe], ids=str)
by_row_of_a_room = pytest.mark.parametrize("row", [row for row in ROWS if row.of_a_room], ids=str)


@pytest.fixture(scope="module")
def still(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A chat for what must change nothing."""
    yield from _open(create_app(Config(data=tmp_path_factory.mktemp("still"), limits=False)))


@pytest.fixture(scope="module")
def noisy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A chat in which much happens to some, and nothing to all."""
    yield from _open(create_app(Config(data=tmp_path_factory.mktemp("noisy"), limits=False)))


@pytest.fixture
def world(row: Row, request: pytest.FixtureRequest, noisy: World) -> Iterator[World]:
    """A chat that may be changed: one of its own for what may change it for everybody."""
    if row.rule.startswith("/admin"):
        yield from _open(request.getfixturevalue("app"))
    else:
        yield noisy


def test_every_route_has_a_row_and_every_row_a_route(app: Flask, still: World) -> None:
    routes = {(method, rule.rule) for rule in app.url_map.iter_rules() for method in rule.methods or ()}
    gateway = cast("list[Route]", still.gateway.door._router.routes)
    routes |= {(method, _written(route.path)) for route in gateway for method in route.methods or ()}
    # Flask answers these by itself, from the others.
    routes = {(method, path) for method, path in routes if method not in ("HEAD", "OPTIONS")}
    assert {(row.method, row.rule) for row in ROWS} == routes, "write a row in tests/security/routes.py"


@by_row
def test_who_may_does_and_who_may_not_changes_nothing(world: World, row: Row) -> None:
    scenes = {who: Scene(world, who) for who in EVERYBODY if row.of_a_room or who.standing == OUTSIDE}
    asked = {who: (row.address(scene), *row.body(scene)) for who, scene in scenes.items()}
    # What is done for one may change the chat for those after them.
    for who in sorted(scenes, key=row.allows):
        address, told, body = asked[who]
        headers = {**scenes[who].headers, **told}
        if row.allows(who):
            answer = world.ask(row.method, address, headers, body, endless=row.endless)
            assert answer.status in row.answers, f"{who}: {_said(answer)}"
            assert row.needs == NOBODY or not _is_shown_the_door(answer), f"{who}: {_said(answer)}"
        else:
            with world.unchanged(f"{row} by {who}"):
                answer = world.ask(row.method, address, headers, body)
            assert answer.status in row.refuses, f"{who}: {_said(answer)}"
            assert answer.status != 303 or _is_shown_the_door(answer), f"{who}: {_said(answer)}"


@pytest.mark.parametrize("row", [row for row in ROWS if row.foreign], ids=str)
def test_what_belongs_to_another_is_out_of_reach(still: World, row: Row) -> None:
    for who in EVERYBODY:
        if who.standing != OUTSIDE or who.role == NOBODY:
            continue
        if row.foreign_for and RANKS.index(who.role) >= RANKS.index(row.foreign_for):
            continue
        scene = Scene(still, who)
        theirs = {name: value(scene) for name, value in row.foreign.items()}
        told, body = row.body(scene)
        address = row.address(scene, **theirs)
        with still.unchanged(f"{row} by {who}"):
            answer = still.ask(row.method, address, {**scene.headers, **told}, body)
        assert answer.status in (403, 404), f"{who}: {_said(answer)}"


@by_row_of_a_room
def test_a_private_room_looks_to_an_outsider_as_if_it_were_not_there(still: World, row: Row) -> None:
    for who in EVERYBODY:
        if who.standing != OUTSIDE:
            continue
        scene = Scene(still, who)
        address, (told, body) = row.address(scene), row.body(scene)
        absent = scene.den.slug[:-6] + "zzzzzz"
        for headers in ({}, {"accept-encoding": "gzip"}):
            sent = {**scene.headers, **told, **headers}
            with still.unchanged(f"{row} by {who}"):
                there = still.ask(row.method, address, sent, body)
                nowhere = still.ask(row.method, address.replace(scene.den.slug, absent), sent, body)
            assert _plain(there, scene.den.slug) == _plain(nowhere, absent), f"{who}"


ELSEWHERE_NAMED: tuple[tuple[str, str, dict[str, object]], ...] = (
    ("GET", "/api/presence?room=SLUG", {}),
    ("POST", "/api/invitations", {"room": "SLUG"}),
    ("PUT", "/api/favourites", {"rooms": ["SLUG"]}),
    ("GET", "/rooms?q=SLUG", {}),
    ("GET", "/api/directory?q=SLUG", {}),
    ("GET", "/api/people?q=SLUG", {}),
    ("GET", "/?next=/rooms/SLUG", {}),
    ("GET", "/sign-in?next=/rooms/SLUG", {}),
    ("GET", "/admin/people/SLUG", {}),
    ("GET", "/admin/audit?about=SLUG", {}),
)
"""Other requests that can name a room."""


@pytest.mark.parametrize(("method", "address", "contents"), ELSEWHERE_NAMED)
def test_nor_is_a_private_room_told_of_by_what_only_names_it(
    still: World, method: str, address: str, contents: dict[str, object]
) -> None:
    for who in EVERYBODY:
        if who.standing == OUTSIDE:
            scene = Scene(still, who)
            absent = scene.den.slug[:-6] + "zzzzzz"
            told = []
            for slug in (scene.den.slug, absent):
                body = json.dumps(contents).replace("SLUG", slug).encode()
                headers = {**scene.headers, "content-type": JSON}
                told.append(_plain(still.ask(method, address.replace("SLUG", slug), headers, body), slug))
            assert told[0] == told[1], f"{who}"


def test_nobody_finds_the_name_of_a_private_room_they_are_not_in(still: World) -> None:
    for who in EVERYBODY:
        if who.standing == OUTSIDE:
            scene = Scene(still, who)
            rename: dict[str, object] = {"name": "Treasure", "topic": "Gold", "description": "Silver"}
            still.write(partial(_rename, scene.den, rename))
            for address in ("/rooms", "/rooms?q=treasure", "/api/directory?q=treasure", "/api/rooms", "/chat/Cleo"):
                answer = still.ask("GET", address, scene.headers)
                for word in ("Treasure", "Gold", "Silver", scene.den.slug):
                    assert word not in answer.text.replace("q=treasure", ""), f"{who} at {address}"


@pytest.mark.parametrize("row", [row for row in ROWS if row.safe], ids=str)
def test_looking_changes_nothing(still: World, row: Row) -> None:
    for who in (Who(NOBODY), Who(GUEST), Who(GUEST, INSIDE), OWNER_INSIDE):
        scene = Scene(still, who)
        address = row.address(scene)
        for headers in (
            {},
            {"sec-purpose": "prefetch"},
            {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"},
        ):
            with still.unchanged(f"{row} by {who}"):
                answer = still.ask("GET", address, {**scene.headers, **headers}, endless=row.endless)
                assert answer.status < 500, _said(answer)
                if not row.endless:
                    assert still.ask("HEAD", address, {**scene.headers, **headers}).status < 500


@by_unsafe_row
def test_another_site_changes_nothing_through_somebodys_browser(still: World, row: Row) -> None:
    scene = Scene(still, OWNER_INSIDE)
    address = row.address(scene)
    told, body = row.body(scene)
    headers = {name: value for name, value in scene.headers.items() if name != "sec-fetch-site"}
    for origin, elsewhere in ELSEWHERE.items():
        for kind in {told["content-type"], "text/plain"}:
            with still.unchanged(f"{row} from {origin} as {kind}"):
                answer = still.ask(row.method, address, {**headers, "content-type": kind, **elsewhere}, body)
            assert answer.status == 403, f"{origin}: {_said(answer)}"
            assert "set-cookie" not in answer.headers
            assert "access-control-allow-origin" not in answer.headers


@by_row
def test_nonsense_is_refused_and_is_no_error_of_ours(world: World, row: Row) -> None:
    scene = Scene(world, OWNER_INSIDE)
    told, body = row.body(scene)
    names = [piece.strip("<>").rpartition(":")[2] for piece in row.rule.split("/") if piece.startswith("<")]
    for name in names:
        for strange in STRANGE:
            address = row.address(scene, **{name: strange})
            answer = world.ask(row.method, address, {**scene.headers, **told}, body, endless=row.endless)
            assert answer.status < 500, f"{address}: {_said(answer)}"
    if not row.safe:
        address = row.address(scene)
        for nonsense in NONSENSE:
            for kind in (told["content-type"], ""):
                answer = world.ask(row.method, address, {**scene.headers, "content-type": kind}, nonsense)
                assert answer.status < 500, f"{nonsense[:20]!r} as {kind}: {_said(answer)}"
    for name in row.sends:
        for value in VALUES:
            changed = row.sending(**{name: str(value) if row.safe or row.form else value})
            told, body = changed.body(scene)
            answer = world.ask(row.method, changed.address(scene), {**scene.headers, **told}, body)
            assert answer.status < 500, f"{name}={value!r:.40}: {_said(answer)}"


def _rename(room: Room, said: dict[str, object], transaction: Transaction) -> None:
    rooms.update_row(transaction, room, **said)


def _open(app: Flask) -> Iterator[World]:
    world = World(app)
    yield world
    world.close()
    world.chat.close()


def _written(path: str) -> str:
    """A path of the front door as Flask writes it."""
    path = path.replace("{room}", "{slug}")
    return re.sub(r"\{(\w+)(?::(\w+))?\}", lambda found: f"<{found[2] + ':' if found[2] else ''}{found[1]}>", path)


def _is_shown_the_door(answer: Answer) -> bool:
    """Whether somebody is sent to say a name, or is asked for one."""
    return answer.status == 401 or re.fullmatch(r"/(\?.*)?", answer.headers.get("location", "-")) is not None


def _plain(answer: Answer, slug: str) -> tuple[int, dict[str, str], str]:
    """An answer without what differs between two of the same question: its nonce, and the words of the question."""
    headers = {name: value for name, value in answer.headers.items() if name not in ("x-request-id", "date")}
    if headers.get("content-encoding") == "gzip":
        answer = Answer(answer.status, answer.headers, gzip.decompress(answer.body))
        headers.pop("content-length", None)
    nonce = re.search(r"'nonce-([\w-]+)'", headers.get("content-security-policy", ""))

    def plain(text: str) -> str:
        text = text.replace(slug, "SLUG")
        return text.replace(nonce[1], "NONCE") if nonce else text

    return answer.status, {name: plain(value) for name, value in headers.items()}, plain(answer.text)


def _said(answer: Answer) -> str:
    return f"{answer.status} {answer.headers.get('location', '')} {answer.body[:300]!r}"
