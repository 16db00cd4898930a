"""Sending by address: `/<name>/<message>` sends when its person goes there, and never otherwise."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

from playwright.sync_api import BrowserContext, Page, Route, expect

from .people import box, sees
from .running import Program


def test_going_to_the_address_sends_once_and_a_reload_sends_nothing(ann: Page, bob: Page, dora: Program) -> None:
    text = "Grüße/aus 100% Köln? 你好 #1"
    ann.goto("/Ann/" + quote(text))
    sees(ann, text)
    sees(bob, text)
    ann.reload()
    sees(ann, text)
    assert dora.texts() == [text]


def test_a_link_on_another_site_only_fills_in_the_box(ann: Page, dora: Program) -> None:
    other = ann.context.new_page()
    other.route(
        "http://elsewhere.test/",
        lambda route: route.fulfill(
            content_type="text/html", body=f"<a href='{ann.url[: -len('/chat/Ann')]}/Ann/spam'>x</a>"
        ),
    )
    other.goto("http://elsewhere.test/")
    other.get_by_role("link").click()
    expect(box(other)).to_have_value("spam")
    assert dora.texts() == []
    box(other).press("Enter")
    sees(other, "spam")
    # The box is not filled in again.
    other.reload()
    sees(other, "spam")
    expect(box(other)).to_have_value("")


def test_a_filled_in_box_does_not_push_a_draft_away(ann: Page, dora: Program) -> None:
    box(ann).fill("half a thought")
    ann.goto("/Dora/from a link")
    expect(box(ann)).to_have_value("from a link")
    box(ann).press("Enter")
    sees(ann, "from a link")
    expect(box(ann)).to_have_value("half a thought")
    assert dora.texts() == ["from a link"]


def test_an_address_of_somebody_else_says_so_until_it_is_sent(ann: Page, dora: Program) -> None:
    ann.goto("/Zoë/from a link")
    told = ann.get_by_text("This address was for Zoë; you are Ann.")
    expect(told).to_be_visible()
    box(ann).press("Enter")
    sees(ann, "from a link")
    expect(told).to_have_count(0)
    ann.goto("/Ann/mine")
    sees(ann, "from a link", "mine")
    expect(told).to_have_count(0)


def test_a_stranger_joins_first_and_finds_the_message_waiting(
    new_context: Callable[..., BrowserContext], dora: Program
) -> None:
    page = new_context().new_page()
    page.goto("/Ann/" + quote("two\nlines"))
    expect(page.get_by_text("Your message waits")).to_be_visible()
    page.get_by_label("Your name").fill("Ann")
    page.get_by_role("button", name="Go to chat!").click()
    expect(box(page)).to_have_value("two\nlines")
    assert dora.texts() == []
    box(page).press("Enter")
    sees(page, "two\nlines")


def test_a_message_from_an_older_page_lands_in_the_present(ann: Page, dora: Program) -> None:
    first = dora.say("old")
    second = dora.say("newer")
    assert first["id"] < second["id"]
    ann.goto(f"/rooms/lobby?before={second['id']}")
    expect(ann.locator("#log .body")).to_have_text(["old"])
    box(ann).fill("present")
    box(ann).press("Enter")
    sees(ann, "old", "newer", "present")


def test_posting_from_another_site_is_refused(ann: Page, dora: Program) -> None:
    def form(route: Route) -> None:
        action = ann.url.replace("/chat/Ann", "/rooms/lobby/messages")
        route.fulfill(
            content_type="text/html",
            body=f"<form method=post action='{action}'><input name=message value=spam><button>Win</button></form>",
        )

    other = ann.context.new_page()
    other.route("http://elsewhere.test/", form)
    other.goto("http://elsewhere.test/")
    other.get_by_role("button").click()
    expect(other.get_by_role("heading")).to_be_visible()
    assert dora.texts() == []
