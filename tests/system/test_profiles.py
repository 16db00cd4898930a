"""Profiles and names: by keyboard, on a phone, and as others see them change."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from .people import arrive, from_the_top, say, sees
from .test_accessibility import fine

PHONE = {"width": 320, "height": 640}


def tab_to(page: Page, label: str) -> None:
    """Go to a field with the keyboard alone."""
    field = page.get_by_label(label, exact=True).or_(page.get_by_role("button", name=label, exact=True))
    for _ in range(20):
        page.keyboard.press("Tab")
        if field.evaluate("field => field === document.activeElement"):
            return
    raise AssertionError(f"the keyboard does not come to {label}")


def test_what_somebody_says_of_themselves_is_written_by_keyboard_and_read_by_others(ann: Page, bob: Page) -> None:
    ann.goto("/account/profile")
    from_the_top(ann)
    for label, words in (("Display name", "Ann Lind"), ("Pronouns", "she/her"), ("Status", "On the water")):
        tab_to(ann, label)
        ann.keyboard.type(words)
    tab_to(ann, "Clear it after")
    ann.keyboard.type("4 h")
    tab_to(ann, "Save")
    ann.keyboard.press("Enter")
    expect(ann).to_have_url("/people/Ann")
    bob.goto("/people/Ann")
    expect(bob.get_by_role("heading", name="Ann Lind")).to_be_visible()
    for words in ("she/her", "On the water until"):
        expect(bob.get_by_text(words)).to_be_visible()
    expect(bob.get_by_role("link", name="Message")).to_have_attribute("href", "/chat/Ann")


def test_another_name_is_seen_at_once_and_the_old_one_leads_to_it(ann: Page, bob: Page) -> None:
    say(ann, "Hello")
    sees(bob, "Hello")
    name = ann.context.new_page()
    name.goto("/account/name")
    name.get_by_label("Your name").fill("Hannah")
    name.get_by_label("Your name").press("Enter")
    expect(name).to_have_url("/people/Hannah")
    expect(bob.locator("#log .message .author")).to_have_text("Hannah")
    expect(bob.locator("#log .message")).to_have_attribute("data-author", "Hannah")
    expect(bob.locator("#log .message .avatar")).to_have_attribute("data-initials", "H")
    # Whoever is called so herself begins anew under the new name.
    expect(ann.locator("body")).to_have_attribute("data-username", "Hannah")
    bob.goto("/people/Ann")
    expect(bob).to_have_url("/people/Hannah")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_of_a_person_is_fine_on_a_phone(new_context: Callable[..., BrowserContext], scheme: str) -> None:
    page = arrive(new_context(viewport=PHONE, color_scheme=scheme), "Ann")
    arrive(new_context(), "Bob")
    long: dict[str, str | float | bool] = {
        "display_name": "W" * 50,
        "bio": "W" * 500,
        "status": "W" * 100,
        "time_zone": "America/Argentina/ComodRivadavia",
    }
    assert page.request.post("/account/profile", form=long, max_redirects=0).status == 303
    for path in ("people/Ann", "people/Bob", "account/profile", "account/name", "account/data", "account/delete"):
        page.goto(f"/{path}")
        fine(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], path


def test_somebody_takes_their_data_along_and_goes(ann: Page, bob: Page) -> None:
    say(ann, "Hello")
    sees(bob, "Hello")
    ann.goto("/account/data")
    with ann.expect_download() as download:
        ann.get_by_role("button", name="Download my data").click()
    assert download.value.suggested_filename.startswith("flask-chat-")
    ann.goto("/account/delete")
    ann.get_by_label("Is removed, for everybody").check()
    ann.get_by_label("Write your name").fill("Ann")
    ann.get_by_role("button", name="Delete my account").click()
    expect(ann.get_by_role("heading", name="Your account is deleted")).to_be_visible()
    sees(bob)
