"""A first visit is light and stays at home."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, Page, expect

from ..servers import ROOT
from .people import enter
from .running import Chat, Program

MOST = 40 * 1024


def test_a_first_visit_to_a_room_with_fifty_messages_is_at_most_forty_kilobytes(
    new_context: Callable[..., BrowserContext], chat: Chat, dora: Program
) -> None:
    for number in range(60):
        dora.say(
            f"{number}: what people say to each other is about as long as this, some of it longer. " * (number % 3 + 1)
        )
    joining = new_context()
    enter(joining.new_page(), "Ann")
    # A new profile with the same session: nothing is cached, everything comes over the wire.
    context = new_context(storage_state={"cookies": joining.cookies(), "origins": []})
    page = context.new_page()
    hosts: set[str | None] = set()
    page.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
    wire: dict[str, int] = {}
    names: dict[str, str] = {}
    session = context.new_cdp_session(page)
    session.on("Network.responseReceived", lambda event: names.update({event["requestId"]: event["response"]["url"]}))
    session.on("Network.loadingFinished", lambda event: wire.update({event["requestId"]: event["encodedDataLength"]}))
    session.send("Network.enable")
    page.goto("/rooms/lobby", wait_until="load")
    expect(page.locator("#log .message")).to_have_count(50)
    dora.say("one more")
    expect(page.locator("#log .message")).to_have_count(51)
    sizes = {urlsplit(names[request]).path: size for request, size in wire.items() if request in names}
    visit = {path: size for path, size in sizes.items() if not path.startswith("/api/")}
    assert any(path.endswith("/js/app.js") for path in visit)
    assert any(path.endswith("/css/room.css") for path in visit)
    assert sum(visit.values()) <= MOST, visit
    assert hosts == {f"127.0.0.1:{chat.port}"}


def test_every_script_that_everybody_needs_is_fetched_with_the_page_and_not_one_after_another(ann: Page) -> None:
    needed, found = set[str](), ["app.js"]
    while found:
        script = found.pop()
        needed.add(script)
        text = (ROOT / "src/flask_chat/static/js" / script).read_text()
        found += set(re.findall(r'^import .* from "\./(\w+\.js)";$', text, re.MULTILINE)) - needed
    preloaded = ann.locator("link[rel=modulepreload]").evaluate_all("links => links.map(link => link.href)")
    assert {address.rsplit("/", 1)[1] for address in preloaded} | {"app.js"} == needed
