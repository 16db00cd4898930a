"""Keeping order in a browser: what was reported is settled with the keyboard, and everybody sees what came of it."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page, expect

from .people import ready, sees
from .running import Chat, Program

PHONE = {"width": 360, "height": 700}


@pytest.fixture
def owned(chat: Chat) -> Callable[[BrowserContext], Page]:
    """Lets Eve own the chat in a browser."""

    def own(context: BrowserContext) -> Page:
        link = re.search(r"/owner/\S+", chat.log)
        assert link
        page = context.new_page()
        page.goto(link[0])
        page.get_by_label("Your name").fill("Eve")
        page.get_by_role("button", name="Own this chat").click()
        ready(page)
        return page

    return own


def press_until(page: Page, name: str) -> None:
    """Press Tab until something of that name has the focus, and then Enter."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.innerText").strip() == name:
            page.keyboard.press("Enter")
            return
    raise AssertionError(f"the keyboard does not reach “{name}”")


def test_a_report_is_settled_with_the_keyboard_and_the_message_goes_everywhere(
    new_context: Callable[..., BrowserContext], owned: Callable[[BrowserContext], Page], bob: Page, dora: Program
) -> None:
    eve = owned(new_context(viewport=PHONE))
    bad = dora.say("You are all idiots")
    dora.say("Hello")
    sees(bob, "You are all idiots", "Hello")
    bob.context.request.post(f"/rooms/lobby/messages/{bad['id']}/report", form={"reason": "Insults"})
    eve.goto("/admin")
    press_until(eve, "One reported message waits")
    expect(eve.get_by_text("Insults")).to_be_visible()
    press_until(eve, "Delete the message")
    expect(eve.get_by_text("Nothing waits")).to_be_visible()
    sees(bob, "Hello")
    assert dora.texts() == ["Hello"]


def test_who_is_banned_is_out_at_once(
    new_context: Callable[..., BrowserContext], owned: Callable[[BrowserContext], Page], bob: Page
) -> None:
    eve = owned(new_context())
    eve.goto("/admin/people/Bob")
    form = eve.locator("form", has=eve.get_by_role("button", name="Ban", exact=True))
    form.get_by_label("Reason, for them to read").fill("Enough of that")
    form.get_by_role("button", name="Ban", exact=True).click()
    expect(eve.get_by_text("Enough of that")).to_be_visible()
    expect(bob.get_by_label("Your name")).to_be_visible()
    again = bob.context.request.post("/", form={"username": "Bob"})
    assert "Enough of that" in again.text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_these_pages_and_they_fit_a_phone(
    new_context: Callable[..., BrowserContext], owned: Callable[[BrowserContext], Page], dora: Program, scheme: str
) -> None:
    context = new_context(viewport=PHONE, color_scheme=scheme)
    eve = owned(context)
    bad = dora.say("You are all idiots")
    context.request.post(f"/rooms/lobby/messages/{bad['id']}/report", form={"reason": "Insults"})
    context.request.post("/admin/people/Dora/mute", form={"lasts": "3600", "reason": "Shouting"})
    paths = [
        "",
        "/reports",
        "/people",
        "/people/Dora",
        "/bans",
        "/rooms",
        "/storage",
        "/sessions",
        "/settings",
        "/audit",
    ]
    for address in [*(f"/admin{path}" for path in paths), f"/rooms/lobby/messages/{bad['id']}/report"]:
        answer = eve.goto(address)
        assert answer is not None
        assert answer.ok
        eve.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
        found = Axe().run(eve)
        assert not found.response["violations"], (address, found.generate_report())
        assert eve.evaluate("document.documentElement.scrollWidth <= innerWidth"), address
