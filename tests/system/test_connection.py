"""What comes and goes: the network, the server, a proxy that holds streams back."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import BrowserContext, Page, Request, Route, expect

from .people import box, enter, say, sees, waiting
from .running import Chat, Program


def test_offline_and_back(ann: Page, bob: Page) -> None:
    say(ann, "Still here")
    sees(bob, "Still here")
    ann.context.set_offline(True)
    expect(ann.get_by_text("Offline: what you write is kept and sent later.")).to_be_visible()
    say(ann, "From the tunnel")
    say(bob, "Ann?")
    expect(waiting(ann)).to_have_count(1)
    expect(waiting(ann).get_by_text("Not sent yet")).to_be_visible()
    sees(bob, "Still here", "Ann?")
    ann.context.set_offline(False)
    sees(ann, "Still here", "Ann?", "From the tunnel")
    sees(bob, "Still here", "Ann?", "From the tunnel")
    expect(ann.get_by_text("Offline")).to_have_count(0)


def test_the_server_restarts_in_between(ann: Page, bob: Page, chat: Chat) -> None:
    say(ann, "before")
    sees(bob, "before")
    chat.stop()
    chat.start()
    say(bob, "after")
    sees(ann, "before", "after")
    sees(bob, "before", "after")


def test_what_is_written_while_the_server_is_dead_goes_out_in_order(ann: Page, bob: Page, chat: Chat) -> None:
    say(ann, "before")
    sees(bob, "before")
    chat.kill()
    for text in ("one", "two", "three"):
        say(ann, text)
    expect(waiting(ann)).to_have_count(3)
    expect(ann.get_by_text("Reconnecting…")).to_be_visible()
    box(ann).fill("half a thought")
    chat.start()
    sees(bob, "before", "one", "two", "three")
    sees(ann, "before", "one", "two", "three")
    expect(ann.get_by_text("Reconnecting…")).to_have_count(0)
    expect(box(ann)).to_have_value("half a thought")


def test_long_polling_takes_over_where_a_proxy_holds_streams_back(
    new_context: Callable[..., BrowserContext], dora: Program
) -> None:
    context = new_context()
    held: list[Route] = []

    def proxy(route: Route, request: Request) -> None:
        if "event-stream" in request.headers.get("accept", ""):
            held.append(route)
        else:
            route.continue_()

    context.route("**/api/events?*", proxy)
    page = context.new_page()
    with page.expect_request(lambda request: "wait=25" in request.url):
        ann = enter(page, "Ann")
        dora.say("Do you hear me?")
        sees(ann, "Do you hear me?")
    dora.say("And now?")
    sees(ann, "Do you hear me?", "And now?")
    ann.reload()
    dora.say("At once")
    sees(ann, "Do you hear me?", "And now?", "At once")
    # Found out once: the reloaded page asked for no stream.
    assert len(held) == 1


def test_a_page_with_a_cursor_of_another_history_loads_everything_anew(ann: Page, dora: Program) -> None:
    dora.say("real")
    sees(ann, "real")

    def of_another_history(route: Route) -> None:
        answer = route.fetch()
        cursor = re.search('data-cursor="([^"]+)"', answer.text())
        assert cursor
        # Every digit of the epoch is another one: still a cursor, but not of this log.
        stranger = cursor[1].translate(str.maketrans("0123456789abcdef", "123456789abcdef0"))
        route.fulfill(response=answer, body=answer.text().replace(cursor[1], stranger).replace(">real<", ">other<"))

    ann.route("**/chat/Ann", of_another_history)
    with ann.expect_request("**/api/rooms/lobby/messages?limit=50"):
        ann.reload()
    sees(ann, "real")
    dora.say("still live")
    sees(ann, "real", "still live")


def test_a_cursor_that_is_none_leads_to_the_present_too(ann: Page, dora: Program) -> None:
    dora.say("real")

    def nonsense(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, body=re.sub('data-cursor="[^"]+"', 'data-cursor="nonsense"', answer.text()))

    ann.route("**/chat/Ann", nonsense)
    with ann.expect_request("**/api/rooms/lobby/messages?limit=50"):
        ann.reload()
    dora.say("still live")
    sees(ann, "real", "still live")


def test_a_session_that_has_ended_leads_back_to_the_first_page(ann: Page, chat: Chat) -> None:
    say(ann, "hello")
    sees(ann, "hello")
    ann.context.clear_cookies()
    box(ann).fill("kept for later")
    chat.stop()
    chat.start()
    expect(ann.get_by_label("Your name")).to_be_visible()
