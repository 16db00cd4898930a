"""Text that means harm, in every place where somebody may put text: it is shown, and does nothing."""

from __future__ import annotations

import json
from urllib.parse import quote

import httpx
import pytest

from ..servers import ChatServer
from . import wire
from .clients import history, say
from .pages import VECTORS, Page, assert_harmless, nonce

EVERY_VECTOR = pytest.mark.parametrize("vector", VECTORS)


def page(answer: wire.Answer) -> httpx.Response:
    """An answer from the wire, for what looks at pages."""
    assert answer.headers.get("content-encoding") is None
    return httpx.Response(answer.status, headers=answer.headers, content=answer.body)


@EVERY_VECTOR
def test_a_message_is_shown_as_it_was_written_and_runs_nowhere(
    ann: httpx.Client, bob: httpx.Client, vector: str
) -> None:
    posted = say(bob, vector)
    assert posted.status_code == 201, posted.text
    message = posted.json()
    article = Page(message["html"])
    assert not article.wrong
    assert next(tag for tag, _ in article.elements) == "article"
    assert {tag for tag, _ in article.elements} <= {*("article", "span", "div", "a", "b", "bdi", "time", "br")}
    assert message["text"].replace("\n", "") in article.text
    room = ann.get("/rooms/lobby")
    assert_harmless(room)
    assert message["html"] in room.text
    events = bob.get("/api/events", params={"after": "0"})
    assert events.headers["content-type"] == "application/json"
    assert events.headers["x-content-type-options"] == "nosniff"


def test_the_document_of_the_page_without_scripts_runs_none(shared: ChatServer, ann: httpx.Client) -> None:
    for vector in VECTORS:
        ann.post("/rooms/lobby/messages", data={"message": vector})
    with ann.stream("GET", "/rooms/lobby/timeline") as document:
        html = ""
        for part in document.iter_text():
            html += part
            if html.rstrip().endswith("</article>"):
                break
    assert document.headers["content-type"].startswith("text/html")
    assert "script-src 'none'" in document.headers["content-security-policy"]
    opened = Page(html)
    assert not [each for each in opened.wrong if not each.startswith("a base")]
    assert [attributes for tag, attributes in opened.elements if tag == "base"] == [{"target": "_top"}]
    assert not [tag for tag, _ in opened.elements if tag == "script"]


@EVERY_VECTOR
def test_no_field_of_the_first_page_is_turned_into_script(shared: ChatServer, vector: str) -> None:
    with httpx.Client(base_url=shared.url) as stranger:
        for answer in (
            stranger.get("/", params={"next": vector}),
            stranger.get("/", params={"next": f"/{vector}"}),
            stranger.post("/", data={"username": vector, "next": vector, "message": vector}),
            stranger.post("/", data={"username": "", "next": f"/rooms/lobby?{vector}", "message": vector}),
            stranger.post("/rooms/lobby/messages", data={"message": vector}),
        ):
            if answer.status_code == 303:
                # Some of these are names that anybody may have. Where they lead is this site.
                assert answer.headers["location"].startswith("/")
                assert not answer.headers["location"].startswith("//")
                continue
            assert answer.status_code in (200, 401, 422), f"{answer.status_code} at {answer.url}"
            assert_harmless(answer)
            for tag, attributes in Page(answer.text).elements:
                if attributes.get("name") == "next":
                    assert tag == "input"
                    assert attributes["value"].startswith("/")
        stranger.post("/sign-out")


PLACES = (
    *("/{}", "/chat/{}", "/rooms/{}", "/rooms/lobby?before={}", "/rooms/lobby?draft={}", "/Bob/{}"),
    *("/Bob/hello?{}", "/Ann/{}", "/{}/{}", "/owner/{}", "/nothing/here/{}", "/api/{}"),
)


@pytest.mark.parametrize("place", PLACES)
def test_an_address_is_never_turned_into_script(shared: ChatServer, ann: httpx.Client, place: str) -> None:
    session = {"Cookie": f"flask_chat={ann.cookies['flask_chat']}"}
    for vector in VECTORS:
        written = quote(vector, safe="")
        for headers in (session, {}) if vector == VECTORS[0] else (session,):
            _assert_address_harmless(shared, place.replace("{}", written), headers)
    # A program may leave out the escapes that a browser makes.
    raw = "".join(character for character in "".join(VECTORS) if ord(character) > 0x20)
    _assert_address_harmless(shared, place.replace("{}", raw), session)


def _assert_address_harmless(server: ChatServer, address: str, headers: dict[str, str]) -> None:
    answer = wire.ask(server, "GET", address, headers)
    if 300 <= answer.status < 400:
        assert answer.headers["location"].startswith("/"), address
        assert not answer.headers["location"].startswith("//"), address
        return
    assert answer.status in (200, 400, 404), f"{address} {answer.status}"
    assert answer.status == 400 or answer.headers["x-content-type-options"] == "nosniff"
    if answer.headers["content-type"].startswith("text/html"):
        assert_harmless(page(answer))


@pytest.mark.parametrize("vector", VECTORS[::4])
def test_no_header_and_no_cursor_is_turned_into_script(shared: ChatServer, bob: httpx.Client, vector: str) -> None:
    hostile = vector.replace("\0", "").encode()
    for path in ("/api/events", "/rooms/lobby", "/nothing"):
        for name in ("Accept", "Accept-Language", "User-Agent", "Referer", "X-Forwarded-For", "X-Forwarded-Proto"):
            headers = [(b"authorization", bob.headers["authorization"].encode()), (name.encode(), hostile)]
            with httpx.stream("GET", shared.url + path, headers=headers) as answer:
                assert answer.status_code in (200, 404), f"{name} at {path}: {answer.status_code}"
                if answer.headers["content-type"].startswith("text/html"):
                    answer.read()
                    assert_harmless(answer)
    for answer in (
        bob.get("/api/events", params={"after": vector}),
        bob.get("/api/events", params={"after": "0", "wait": vector}),
        bob.get("/api/rooms/lobby/messages", params={"after": vector}),
        bob.get("/api/rooms/lobby/messages", params={"limit": vector}),
        bob.get(f"/api/rooms/{quote(vector, safe='')}/messages"),
    ):
        assert answer.status_code in (400, 404), answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert json.loads(answer.text)["status"] == answer.status_code


@pytest.mark.parametrize("host", ['"><script>alert(1)</script>', "evil.example", "a b", "", "[::1", "x" * 4000])
def test_a_hostile_host_is_shown_harmlessly_or_refused(shared: ChatServer, host: str) -> None:
    answer = wire.ask(shared, "GET", "/", {"Host": host})
    assert answer.status in (200, 400), answer.text
    if answer.headers["content-type"].startswith("text/html"):
        assert_harmless(page(answer))


def test_no_two_pages_have_the_same_nonce(shared: ChatServer, ann: httpx.Client) -> None:
    with httpx.Client(base_url=shared.url) as stranger:
        answers = [
            *(ann.get("/rooms/lobby") for _ in range(3)),
            *(stranger.get("/") for _ in range(3)),
            *(ann.get(f"/chat/{name}") for name in ("Ann", "Bob", "Nobody")),
            stranger.post("/", data={"username": ""}),
        ]
    assert len({nonce(answer) for answer in answers}) == len(answers)


def test_where_one_is_sent_after_saying_a_name_is_always_this_site(shared: ChatServer) -> None:
    elsewhere = (
        *("//evil.example", "https://evil.example", "/\\evil.example", "\\\\evil.example", "http:evil.example"),
        *("/\t/evil.example", "\t//evil.example", "/\n/evil.example", " //evil.example", "javascript:alert(1)"),
        *("///evil.example", "//[", "http://[::1", "/\u2028/evil.example", "evil.example", "?next=//evil.example"),
    )
    for number, address in enumerate(elsewhere):
        with httpx.Client(base_url=shared.url) as stranger:
            shown = stranger.get("/", params={"next": address})
            assert shown.status_code == 200, f"{address!r}: {shown.status_code}"
            answer = stranger.post("/", data={"username": f"Traveller {number}", "next": address})
            assert answer.status_code == 303, f"{address!r}: {answer.status_code}"
            location = answer.headers["location"]
            assert location.startswith("/chat/Traveller"), f"{address!r} leads to {location}"


def test_the_history_was_kept_as_it_was_written(bob: httpx.Client) -> None:
    texts = {message["text"] for message in history(bob)}
    assert "<script>alert(1)</script>" in texts
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in texts
