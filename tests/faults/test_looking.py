"""Looking changes nothing: whoever follows every link and asks for every address leaves the database as it was."""

from __future__ import annotations

import contextlib
import itertools
from urllib.parse import urljoin, urlsplit

import httpx
import pytest
from flask import Flask

from ..servers import ChatServer
from . import storage, wire
from .clients import history, say
from .pages import Page

NAVIGATES = {"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}

CRAWLERS = {
    "a crawler": {},
    "a browser that looks ahead": {**NAVIGATES, "Sec-Purpose": "prefetch"},
    "a browser that renders ahead": {**NAVIGATES, "Sec-Purpose": "prefetch;prerender"},
    "an older browser that looks ahead": {**NAVIGATES, "Purpose": "prefetch"},
    "a picture": {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"},
    "a script of ours": {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"},
    "a frame": {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"},
    "a link on another site": {**NAVIGATES, "Sec-Fetch-Site": "cross-site"},
}


@pytest.fixture(scope="module")
def addresses(ann: httpx.Client, bob: httpx.Client, shared: ChatServer) -> set[str]:
    """What there is to look at, once people have talked about traps."""
    for text in (f"{shared.url}/Ann/I%20take%20it%20back", f"{shared.url}/sign-out", "hello", f"{shared.url}/Bob/x"):
        assert say(bob, text).status_code == 201
    token = (shared.data / "owner.token").read_text().strip()
    return {f"/owner/{token}", "/Ann/never said", "/ann/never said", "/Bob/never said", "/sign-out", "/?next=/Ann/no"}


def every_route(app: Flask) -> set[str]:
    """An address for every route that answers GET, Flask's and the gateway's."""
    values = {"slug": "lobby", "username": "Ann", "message": "never said", "token": "none", "before": "5", "act": "x"}
    found = {"/up", "/api/events", "/rooms/lobby/timeline", "/static/x/css/base.css"}
    with app.test_request_context():
        for rule in app.url_map.iter_rules():
            if "GET" in (rule.methods or ()):
                _, built = rule.build({name: values.get(name, 1) for name in rule.arguments}) or ("", "")
                assert built, rule
                found.add(built)
    return found


def crawl(client: httpx.Client, start: set[str], headers: dict[str, str]) -> set[str]:
    """Ask for everything that can be found, GET and HEAD; returns the addresses."""
    origin = str(client.base_url).rstrip("/")
    waiting, seen = sorted(start), set(start)
    while waiting:
        address = waiting.pop()
        with contextlib.suppress(httpx.ReadTimeout):
            client.head(address, headers=headers)
        with client.stream("GET", address, headers=headers) as answer:
            # Two of the answers never end: their first bytes are enough.
            html = next(answer.iter_text(), "") if _endless(address, headers) else answer.read().decode()
        found = {answer.headers["location"]} if "location" in answer.headers else Page(html).links
        for link in sorted(found):
            absolute = urljoin(f"{origin}{address}", link)
            if absolute.startswith(f"{origin}/") and "/static/" not in absolute:
                parts = urlsplit(absolute)
                target = parts.path + (f"?{parts.query}" if parts.query else "")
                if target not in seen:
                    seen.add(target)
                    waiting.append(target)
    return seen


def _endless(address: str, headers: dict[str, str]) -> bool:
    return address.endswith("/timeline") or (address.startswith("/api/events") and "event-stream" in str(headers))


@pytest.mark.parametrize("who", CRAWLERS)
def test_a_crawler_that_asks_for_every_address_changes_no_row(
    shared: ChatServer, app: Flask, ann: httpx.Client, addresses: set[str], who: str
) -> None:
    before = storage.dump(shared)
    start = addresses | every_route(app) | {"/"}
    seen = crawl(ann, start, CRAWLERS[who])
    assert {"/chat/Ann", "/chat/Bob", "/Ann/I%20take%20it%20back", "/Bob/x"} <= seen, "the crawler found too little"
    with httpx.Client(base_url=shared.url) as stranger:
        crawl(stranger, start, CRAWLERS[who])
    assert storage.dump(shared) == before
    assert ann.get("/", headers=CRAWLERS[who]).headers["location"] == "/chat/Ann", "Ann was signed out"


MATRIX = list(
    itertools.product(
        ("none", "same-origin", "same-site", "cross-site", None),
        ("navigate", "no-cors", "cors", "same-origin", None),
        (None, "Sec-Purpose: prefetch", "Sec-Purpose: prefetch;prerender", "Purpose: prefetch"),
        ("GET", "HEAD"),
    )
)


@pytest.mark.parametrize("who", ["the one named", "the one named, in other letters", "another", "nobody"])
def test_an_address_sends_only_for_the_one_it_names_who_went_there(
    shared: ChatServer, ann: httpx.Client, bob: httpx.Client, who: str
) -> None:
    cookie = {"Cookie": f"flask_chat={ann.cookies['flask_chat']}"}
    username = {"another": "Bob", "the one named, in other letters": "aNN"}.get(who, "Ann")
    for site, mode, purpose, method in MATRIX:
        headers = {} if who == "nobody" else dict(cookie)
        headers |= {"Sec-Fetch-Site": site} if site else {}
        headers |= {"Sec-Fetch-Mode": mode} if mode else {}
        headers |= dict([purpose.split(": ")]) if purpose else {}
        said = f"{method} {site} {mode} {purpose}".replace(" ", "_").replace(":", "").replace(";", "")
        rightful = (
            who.startswith("the one named")
            and method == "GET"
            and site in ("none", "same-origin")
            and mode == "navigate"
            and purpose is None
        )
        count = storage.one(shared, "SELECT count(*) FROM message")
        answer = wire.ask(shared, method, f"/{username}/{said}", headers)
        sent = storage.one(shared, "SELECT count(*) FROM message") != count
        case = f"{who}: {method} with {headers}"
        assert sent == rightful, case
        if rightful:
            assert (answer.status, answer.headers["location"]) == (303, "/rooms/lobby"), case
            assert history(bob)[-1]["text"] == said
            assert history(bob)[-1]["author"] == "Ann"
        else:
            assert answer.status == 200, case
            if method == "GET":
                assert said in answer.text, f"{case}: what was written is lost"


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("a/b/c", "a/b/c"),
        ("a//b", "a//b"),
        ("//a", "//a"),
        ("/a", "/a"),
        ("a/", "a/"),
        ("https://example.org/x", "https://example.org/x"),
        ("100%25", "100%"),
        ("100%", "100%"),
        ("%2541", "%41"),
        ("why%3F", "why?"),
        ("why%3F%20really%3F", "why? really?"),
        ("why? because", "why? because"),
        ("a?b?c=d&e", "a?b?c=d&e"),
        ("a?b+c", "a?b+c"),
        ("a+b", "a+b"),
        ("a%2Fb", "a/b"),
        ("a%23b", "a#b"),
        ("a&b;c=d", "a&b;c=d"),
        ("...", "..."),
        ("./x", "./x"),
        ("../x", "../x"),
        ("a/../b", "a/../b"),
        ("..", ".."),
        ("two%0Alines", "two\nlines"),
        ("%D0%BF%D1%80%D0%B8%D0%B2%D0%B5%D1%82", "привет"),
        ("%E4%BD%A0%E5%A5%BD/%F0%9F%8E%89", "你好/🎉"),
        ("caf%C3%A9?na%C3%AFve", "café?naïve"),
        ("%F0%9F%91%A9%E2%80%8D%F0%9F%92%BB", "👩‍💻"),
    ],
)
def test_what_is_written_in_an_address_arrives_whole_and_is_sent_once(
    shared: ChatServer, ann: httpx.Client, bob: httpx.Client, written: str, said: str
) -> None:
    cookie = {"Cookie": f"flask_chat={ann.cookies['flask_chat']}"}
    count = storage.one(shared, "SELECT count(*) FROM message")
    sent = wire.ask(shared, "GET", f"/Ann/{written.replace(' ', '%20')}", {**cookie, **NAVIGATES})
    assert (sent.status, sent.headers.get("location")) == (303, "/rooms/lobby")
    assert history(bob)[-1]["text"] == said
    # The browser is on the room's page now: loading that again sends nothing.
    wire.ask(shared, "GET", sent.headers["location"], {**cookie, **NAVIGATES})
    assert storage.one(shared, "SELECT count(*) FROM message") == int(str(count)) + 1

    waits = wire.ask(shared, "GET", f"/Ann/{written.replace(' ', '%20')}", cookie)
    assert _box(waits.text) == said


@pytest.mark.parametrize("text", ["a/b?c=d&e#f", "привет, 你好 🎉", "x" * 10_000, "ж" * 10_000, "<b>&amp;</b>"])
def test_a_message_in_an_address_is_still_there_after_saying_a_name(shared: ChatServer, text: str) -> None:
    with contextlib.closing(httpx.Client(base_url=shared.url, follow_redirects=True)) as dora:
        form = Page(dora.post("/rooms/lobby/messages", data={"message": text}).text)
        kept = next(attributes["value"] for _, attributes in form.elements if attributes.get("name") == "message")
        assert kept == text
        name = f"Dora {abs(hash(text)) % 10**9}"
        arrived = dora.post("/", data={"username": name, "message": kept})
        assert arrived.status_code == 200
        assert _box(arrived.text) == text


def _box(html: str) -> str:
    """What the text box has in it."""
    _, _, rest = html.partition("<textarea")
    content = rest.partition(">")[2].partition("</textarea>")[0]
    # A browser drops one line end at the beginning.
    return Page(content).text.removeprefix("\n")
