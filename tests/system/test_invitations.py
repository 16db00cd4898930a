"""Making a private room, letting somebody in by a link, and putting them out again, in two browsers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page, expect

from .people import arrive, enter, from_the_top, ready

Contexts = Callable[..., BrowserContext]

PHONE: dict[str, Any] = {"viewport": {"width": 320, "height": 640}, "has_touch": True, "is_mobile": True}


def make_room(page: Page, name: str) -> None:
    """Make a private room with the keyboard alone; ends in it."""
    page.goto("/rooms/new")
    expect(page.get_by_label("Name", exact=True)).to_be_focused()
    page.keyboard.type(name)
    page.keyboard.press("Tab")
    page.keyboard.type("What we plan")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    ready(page)
    expect(page.get_by_role("heading", name=name, level=1)).to_be_visible()


def link(page: Page) -> str:
    """Make an invitation into the room that the page shows; the address of its link."""
    page.goto(f"{page.url}/invite")
    page.get_by_role("button", name="Make a link").click()
    expect(page.get_by_role("button", name="Copy")).to_be_visible()
    return page.locator("[data-link] code").inner_text()


def test_a_guest_on_a_phone_is_in_by_a_link_and_out_when_removed(ann: Page, new_context: Contexts) -> None:
    make_room(ann, "Attic")
    room = ann.url
    address = link(ann)
    guest = new_context(**PHONE).new_page()
    guest.goto(address)
    expect(guest.get_by_role("heading", level=1)).to_have_text("Come into Attic")
    guest.get_by_label("Your name").fill("Cleo")
    guest.get_by_role("button", name="Come in").click()
    ready(guest)
    guest.get_by_label("Message to Attic").fill("Here I am")
    guest.get_by_role("button", name="Send").click()
    ann.goto(room)
    expect(ann.locator("#log .body")).to_have_text(["Here I am"])
    ann.goto(f"{room}/members")
    ann.get_by_role("button", name="Remove Cleo").click()
    expect(ann.get_by_role("heading", level=1)).to_have_text("1 member")
    guest.wait_for_url("**/rooms", timeout=5_000)
    expect(guest.get_by_text("Attic")).to_have_count(0)


def test_the_first_message_to_somebody_is_there_at_once(ann: Page, bob: Page) -> None:
    ann.goto("/chat/Bob")
    ann.get_by_label("Message to Bob").fill("psst")
    from_the_top(ann)
    ann.get_by_role("button", name="Send").click()
    expect(ann.locator("#log .body")).to_have_text(["psst"])
    expect(bob.locator('.sidebar [data-kind="direct"]')).to_contain_text("Ann")
    bob.goto("/chat/Ann")
    expect(bob.locator("#log .body")).to_have_text(["psst"])


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_beside_a_room_fit_a_small_phone_and_axe_finds_nothing(new_context: Contexts, scheme: str) -> None:
    context = new_context(**PHONE, color_scheme=scheme)
    page = enter(context.new_page(), "Ann")
    arrive(new_context(), "Bob")
    make_room(page, "Attic with a name as long as a name of a room may be when somebody wants to")
    room = page.url
    context.request.post(f"{room}/members", form={"username": "Bob"})
    context.request.post(f"{room}/favourite", form={"favourite": "yes"})
    paths = [
        *("/rooms", "/rooms?q=nothing", "/rooms/new", "/chat/Bob", "/conversations/new", "/invitations"),
        *(f"{room}/{page}" for page in ("settings", "members", "invite")),
    ]
    for path in paths:
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        assert not Axe().run(page).response["violations"], path


def test_what_leads_to_an_invitation_looks_the_same_in_every_room(ann: Page) -> None:
    private = ann.context.request.post("/api/rooms", data={"name": "Attic", "kind": "private"}).json()
    ann.goto(f"/rooms/{private['slug']}")
    expect(ann.get_by_role("link", name="Invite")).to_have_css("text-decoration-line", "none")
