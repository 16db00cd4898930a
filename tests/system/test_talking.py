"""The main journey, on loopback and on plain HTTP at a network name, where browsers withhold a good deal."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, Request, expect

from .people import box, say, sees, stored
from .running import Chat, Program


@pytest.fixture(params=["127.0.0.1", "chat.test"])
def origin(request: pytest.FixtureRequest, chat: Chat) -> str:
    return f"http://{request.param}:{chat.port}"


def test_two_people_join_talk_and_both_see_it_live(join: Callable[..., Page], origin: str) -> None:
    ann, bob = join("Ann", base_url=origin), join("Bob", base_url=origin)
    assert ann.evaluate("isSecureContext") is ("127.0.0.1" in origin)
    expect(ann.get_by_text("Welcome, Ann")).to_be_visible()
    say(ann, "Good morning!")
    sees(bob, "Good morning!")
    say(bob, "Morning, Ann.")
    say(bob, "Coffee?")
    sees(ann, "Good morning!", "Morning, Ann.", "Coffee?")
    expect(ann.locator("#log [data-author=Bob] .author").first).to_have_text("Bob")
    ann.reload()
    sees(ann, "Good morning!", "Morning, Ann.", "Coffee?")


def test_the_tabs_of_a_browser_share_one_stream_and_hand_it_over(
    join: Callable[..., Page], origin: str, dora: Program
) -> None:
    first = join("Ann", base_url=origin)
    dora.say("one")
    sees(first, "one")
    streams: list[Page] = []

    def count(request: Request) -> None:
        if "event-stream" in request.headers.get("accept", ""):
            streams.append(request.frame.page)

    first.context.on("request", count)
    second, third = first.context.new_page(), first.context.new_page()
    second.goto("/rooms/lobby")
    third.goto("/rooms/lobby")
    dora.say("two")
    for tab in (first, second, third):
        sees(tab, "one", "two")
    assert streams == []
    say(second, "three")
    for tab in (first, second, third):
        sees(tab, "one", "two", "three")
    first.close()
    dora.say("four")
    for tab in (second, third):
        sees(tab, "one", "two", "three", "four")
    assert len(streams) == 1


def test_the_page_invites_with_the_address_it_was_reached_by(join: Callable[..., Page], origin: str) -> None:
    ann = join("Ann", base_url=origin)
    empty = ann.locator("#empty")
    expect(empty.locator("code")).to_have_text(f"{origin}/")
    if "127.0.0.1" in origin:
        ann.context.grant_permissions(["clipboard-read", "clipboard-write"])
        expect(empty.get_by_text("on this computer only")).to_be_visible()
    empty.get_by_role("button", name="Copy").click()
    expect(empty.get_by_role("button", name="Copied")).to_be_visible()
    box(ann).fill("")
    box(ann).press("Control+v")
    expect(box(ann)).to_have_value(f"{origin}/")
    say(ann, "First!")
    expect(stored(ann)).to_have_text(["First!"])
    expect(empty).to_have_count(0)


def test_a_name_goes_straight_to_its_page_until_it_signs_out(ann: Page) -> None:
    ann.goto("/")
    expect(ann).to_have_url("/chat/Ann")
    ann.get_by_role("button", name="Sign out").click()
    expect(ann.get_by_label("Your name")).to_be_focused()
    ann.goto("/chat/Ann")
    expect(ann.get_by_label("Your name")).to_be_visible()


def test_a_taken_name_is_refused_beside_the_field(ann: Page, new_context: Callable[..., BrowserContext]) -> None:
    page = new_context().new_page()
    page.goto("/")
    field = page.get_by_label("Your name")
    field.fill("ann")
    page.get_by_role("button", name="Go to chat!").click()
    expect(page.get_by_role("alert")).to_be_visible()
    expect(field).to_have_value("ann")
    expect(field).to_have_attribute("aria-invalid", "true")
    assert "error" in (field.get_attribute("aria-describedby") or "").split()


def test_the_name_of_another_leads_to_a_talk_with_them_alone(ann: Page, bob: Page) -> None:
    say(bob, "Hello")
    ann.locator("#log").get_by_role("link", name="Bob").click()
    expect(ann.get_by_role("heading", name="Bob")).to_be_visible()
    ann.get_by_label("Message to Bob").fill("Only for you")
    ann.get_by_role("button", name="Send").click()
    sees(ann, "Only for you")
    bob.locator("#sidebar").get_by_role("link", name="Ann Online 1 unread").click()
    sees(bob, "Only for you")
    bob.goto("/chat/Ann")
    sees(bob, "Only for you")
