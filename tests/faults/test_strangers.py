"""Who is nobody here, or is sent by another site, gets nothing and changes nothing."""

from __future__ import annotations

import base64
import contextlib
import json
import zlib
from collections.abc import Iterator
from functools import partial

import httpx
import pytest
from flask import Flask
from flask.sessions import SecureCookieSessionInterface

from ..servers import ChatServer
from . import storage
from .clients import StreamReader, cursor, program, say, token_of, within

ELSEWHERE = {
    "another site": {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"},
    "a sister site": {"Sec-Fetch-Site": "same-site", "Origin": "http://sister.chat.test"},
    "an old browser's other site": {"Origin": "http://evil.example"},
    "another port": {"Origin": "http://127.0.0.1:1"},
    "a frame without an origin": {"Origin": "null"},
    "an origin that is none": {"Origin": "http://["},
    "the site's name as a user": {"Origin": "http://127.0.0.1@evil.example"},
}


def forged(secret: str, **contents: object) -> str:
    """A cookie as Flask signs it, with another secret."""
    app = Flask("forger")
    app.secret_key = secret
    serializer = SecureCookieSessionInterface().get_signing_serializer(app)
    assert serializer is not None
    return str(serializer.dumps(contents))


@pytest.fixture(scope="module")
def cookies(ann: httpx.Client, bob: httpx.Client) -> dict[str, str]:
    """Cookies that are none of ours, among them one with a good token under a bad signature."""
    real = ann.cookies["flask_chat"]
    token = token_of(bob)
    contents, _, signature = real.rpartition(".")
    plain = base64.urlsafe_b64encode(json.dumps({"token": token}).encode()).decode().rstrip("=")
    packed = base64.urlsafe_b64encode(zlib.compress(json.dumps({"token": token}).encode())).decode().rstrip("=")
    return {
        "empty": "",
        "garbage": "garbage",
        "dots": "...",
        "long": "x" * 8000,
        "a bare token": token,
        "another secret": forged("guessed", token=token),
        "no signature": f"{plain}.AAAAAA.AAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "another's contents": f"{plain}.{signature}",
        "packed": f".{packed}.{signature}",
        "cut": real[:-1],
        "longer": real + "A",
        "swapped": f"{contents[:-1]}.{signature}",
        "quoted": f'"{real[:-2]}"',
    }


def test_a_cookie_that_we_did_not_sign_signs_nobody_in(shared: ChatServer, cookies: dict[str, str]) -> None:
    before = storage.dump(shared)
    for kind, cookie in cookies.items():
        headers = {"cookie": f"flask_chat={cookie}"}
        with httpx.Client(base_url=shared.url) as forger:
            page = forger.get("/rooms/lobby", headers=headers)
            assert (page.status_code, page.headers.get("location")) == (303, "/?next=/rooms/lobby"), kind
            assert forger.get("/", headers=headers).status_code == 200, kind
            for answer in (
                forger.post("/api/rooms/lobby/messages", json={"text": "forged"}, headers=headers),
                forger.get("/api/rooms/lobby/messages", headers=headers),
                forger.get("/api/events", headers=headers),
                forger.get("/api/events", headers={**headers, "accept": "text/event-stream"}),
                forger.delete("/api/sessions/current", headers=headers),
            ):
                assert answer.status_code == 401, f"{kind}: {answer.status_code} at {answer.url}"
                assert answer.headers["content-type"] == "application/problem+json"
                assert "bearer" in answer.headers["www-authenticate"].lower()
            assert "forged" in forger.post("/rooms/lobby/messages", data={"message": "forged"}, headers=headers).text
            assert forger.get("/rooms/lobby/timeline", headers=headers).status_code in (303, 401), kind
    assert storage.dump(shared) == before


@pytest.mark.parametrize("token", ["nonsense", "\u00ff", "x" * 8000, "a b", "null"])
def test_a_token_that_is_none_signs_nobody_in_even_beside_a_good_cookie(ann: httpx.Client, token: str) -> None:
    headers = [(b"authorization", f"Bearer {token}".encode("latin-1"))]
    for path in ("/api/rooms/lobby/messages", "/api/events"):
        answer = ann.get(path, headers=headers)
        assert answer.status_code == 401
        assert answer.headers["content-type"] == "application/problem+json"
    refused = ann.post("/api/rooms/lobby/messages", json={"text": "x"}, headers=headers)
    assert refused.status_code == 401


@pytest.mark.parametrize("authorization", ["Basic QW5uOg==", "Bearer", "bearer", "Token x", "\u00e9", "Digest x"])
def test_what_a_proxy_asks_for_besides_is_no_way_in_and_no_way_round(
    shared: ChatServer, ann: httpx.Client, authorization: str
) -> None:
    sent = [(b"authorization", authorization.encode("latin-1"))]
    for path in ("/api/rooms/lobby/messages", "/api/events"):
        assert httpx.get(shared.url + path, headers=sent).status_code == 401
    count = storage.one(shared, "SELECT count(*) FROM message")
    for who in ELSEWHERE.values():
        foreign = [*sent, *((name.encode(), value.encode()) for name, value in who.items())]
        for path, data in (("/api/rooms/lobby/messages", None), ("/rooms/lobby/messages", {"message": "x"})):
            answer = ann.post(path, json={"text": "x"} if data is None else None, data=data, headers=foreign)
            assert answer.status_code in (401, 403), f"{answer.status_code} at {path}"
        assert ann.delete("/api/sessions/current", headers=foreign).status_code in (401, 403)
    assert storage.one(shared, "SELECT count(*) FROM message") == count


@pytest.mark.parametrize("who", ELSEWHERE)
def test_another_site_can_post_nothing_and_sign_nobody_in_or_out(
    shared: ChatServer, ann: httpx.Client, bob: httpx.Client, who: str
) -> None:
    before = storage.dump(shared)
    for answer in (
        ann.post("/rooms/lobby/messages", data={"message": "x"}, headers=ELSEWHERE[who]),
        ann.post("/rooms/lobby/messages", files={"message": (None, "x")}, headers=ELSEWHERE[who]),
        ann.post("/api/rooms/lobby/messages", json={"text": "x"}, headers=ELSEWHERE[who]),
        ann.post("/sign-out", headers=ELSEWHERE[who]),
        ann.post("/", data={"username": "Mallory"}, headers=ELSEWHERE[who]),
        ann.delete("/api/sessions/current", headers=ELSEWHERE[who]),
        httpx.post(f"{shared.url}/", data={"username": "Mallory"}, headers=ELSEWHERE[who]),
        httpx.post(f"{shared.url}/api/sessions", json={"username": "Mallory"}, headers=ELSEWHERE[who]),
    ):
        assert answer.status_code == 403, f"{answer.request.method} {answer.url.path}: {answer.status_code}"
        assert "set-cookie" not in answer.headers
    assert storage.dump(shared) == before
    assert ann.get("/").headers["location"] == "/chat/Ann"


@pytest.mark.parametrize(
    "who", ["another site", "a sister site", "an old browser's other site", "a frame without an origin"]
)
def test_a_script_of_another_site_reads_nothing(ann: httpx.Client, who: str) -> None:
    headers = {"Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty", **ELSEWHERE[who]}
    for accept in ("text/event-stream", "*/*"):
        answer = ann.get("/api/events", headers={**headers, "accept": accept})
        assert answer.status_code == 403
        assert "access-control-allow-origin" not in answer.headers
    for path in ("/rooms/lobby", "/api/rooms/lobby/messages"):
        answer = ann.get(path, headers=headers)
        # A browser gives a script of another site nothing of an answer that does not name it.
        assert "access-control-allow-origin" not in answer.headers
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "http://127.0.0.1:{port}"},
        {"Sec-Fetch-Site": "same-origin", "Origin": "http://127.0.0.1:{port}"},
    ],
)
def test_our_own_pages_and_programs_are_let_in(shared: ChatServer, ann: httpx.Client, headers: dict[str, str]) -> None:
    sent = {name: value.format(port=shared.port) for name, value in headers.items()}
    assert ann.post("/rooms/lobby/messages", data={"message": "x"}, headers=sent).status_code == 303
    assert ann.post("/api/rooms/lobby/messages", json={"text": "x"}, headers=sent).status_code == 201


def test_a_program_with_a_token_may_run_on_any_site(bob: httpx.Client) -> None:
    assert (
        bob.post("/api/rooms/lobby/messages", json={"text": "x"}, headers=ELSEWHERE["another site"]).status_code == 201
    )


@pytest.fixture
def leaving(shared: ChatServer, request: pytest.FixtureRequest) -> Iterator[httpx.Client]:
    with program(shared, f"Dora {abs(hash(request.node.name)) % 10**6}") as client:
        yield client


def _refused(stream: StreamReader) -> bool:
    return bool(stream.refused)


def test_a_session_that_is_ended_carries_nothing_more_on_any_connection(
    shared: ChatServer, leaving: httpx.Client, bob: httpx.Client
) -> None:
    streams = [StreamReader(shared, token_of(leaving), cursor(leaving)) for _ in range(3)]
    for stream in streams:
        stream.start()
        stream.wait_open()
    before = say(bob, "while you are here").json()
    for stream in streams:
        stream.wait_for(before["id"])
    assert leaving.delete("/api/sessions/current").status_code == 204
    after = say(bob, "now that you are gone").json()
    for stream in streams:
        # Each comes back by itself, as a browser does, and is not let in.
        within(5, partial(_refused, stream), "the stream of an ended session is ended")
        assert stream.refused[0].startswith("401")
        stream.refused.clear()
        stream.finish()
        assert after["id"] not in [message["id"] for message in stream.messages]
    for answer in (say(leaving, "me again"), leaving.get("/api/events"), leaving.delete("/api/sessions/current")):
        assert answer.status_code == 401


def test_the_document_of_the_page_without_scripts_ends_with_its_session(shared: ChatServer) -> None:
    with contextlib.closing(shared.client("Eve")) as eve, contextlib.closing(httpx.Client(base_url=shared.url)) as same:
        same.cookies.update(eve.cookies)
        with same.stream("GET", "/rooms/lobby/timeline") as document:
            parts = document.iter_text()
            next(parts)
            assert eve.post("/sign-out").status_code == 303
            # It comes to an end, whole, instead of being waited for in vain.
            "".join(parts)
        assert same.get("/api/events").status_code == 401


def test_signing_out_ends_the_session_for_a_stolen_cookie_too(shared: ChatServer) -> None:
    with contextlib.closing(shared.client("Frank")) as frank, httpx.Client(base_url=shared.url) as thief:
        stolen = {"cookie": f"flask_chat={frank.cookies['flask_chat']}"}
        assert thief.get("/api/events", headers=stolen).status_code == 200
        assert frank.post("/sign-out").status_code == 303
        assert thief.get("/api/events", headers=stolen).status_code == 401
        assert thief.get("/rooms/lobby", headers=stolen).status_code == 303
        assert frank.post("/", data={"username": "Frank"}).status_code == 303, "a name stays with its browser"
        assert thief.get("/api/events", headers=stolen).status_code == 401


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(shared: ChatServer) -> None:
    plain = httpx.post(f"{shared.url}/", data={"username": "Grete"})
    secure = httpx.post(f"{shared.url}/", data={"username": "Hans"}, headers={"X-Forwarded-Proto": "https"})
    for answer in (plain, secure):
        cookie = answer.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=lax" in cookie
        assert "domain=" not in cookie
        assert "path=/" in cookie
    assert "secure" not in plain.headers["set-cookie"].lower().split("; ")
    assert "secure" in secure.headers["set-cookie"].lower().split("; ")
    stored = "".join(storage.dump(shared))
    assert plain.cookies["flask_chat"] not in stored
    with program(shared, "Ida") as ida:
        assert token_of(ida) not in "".join(storage.dump(shared)), "tokens are kept as they are"
