"""The chat where no script runs: the timeline is a document in a frame that goes on as people talk."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from .people import box
from .running import Chat, Program


@pytest.fixture
def page(new_context: Callable[..., BrowserContext]) -> Page:
    """Ann without scripts. The streamed frame never ends, so nothing may wait for the page to be loaded."""
    page = new_context(java_script_enabled=False).new_page()
    page.goto("/")
    page.get_by_label("Your name").fill("Ann")
    page.get_by_role("button", name="Go to chat!").click(no_wait_after=True)
    expect(box(page)).to_be_visible()
    return page


def framed(page: Page) -> Locator:
    return page.frame_locator("iframe[title=Messages]").locator(".message .body")


def test_messages_arrive_in_the_frame_while_typed_text_stays(page: Page, dora: Program) -> None:
    dora.say("first")
    expect(framed(page)).to_have_text(["first"])
    box(page).fill("half a thought")
    dora.say("second")
    expect(framed(page)).to_have_text(["first", "second"])
    expect(framed(page).last).to_be_in_viewport()
    expect(box(page)).to_have_value("half a thought")
    # The still timeline of the page gives way to the one that lives.
    expect(page.locator("#log")).to_be_hidden()


def test_a_message_is_sent_by_the_form(page: Page, bob: Page) -> None:
    box(page).fill("one\n<two>")
    page.get_by_role("button", name="Send").click(no_wait_after=True)
    expect(framed(page)).to_have_text("one\n<two>", use_inner_text=True)
    expect(box(page)).to_have_value("")
    expect(bob.locator("#log .body")).to_have_text("one\n<two>", use_inner_text=True)


def test_a_refused_message_is_kept_in_the_box(page: Page) -> None:
    box(page).fill("   ")
    page.get_by_role("button", name="Send").click(no_wait_after=True)
    expect(page.get_by_role("alert")).to_be_visible()


def test_the_frame_stays_at_the_newest_message_and_shows_the_server_time(page: Page, dora: Program) -> None:
    for number in range(40):
        dora.say(f"message {number}")
    expect(framed(page)).to_have_count(40)
    expect(framed(page).last).to_be_in_viewport()
    clock = page.frame_locator("iframe[title=Messages]").locator("time").last
    # Without a script nobody knows the reader's zone, so the server's is named.
    expect(clock).to_have_text(re.compile(r"^\d\d:\d\d \S+$"))


def test_the_frame_comes_back_by_itself_after_a_restart(page: Page, chat: Chat, dora: Program) -> None:
    dora.say("before")
    expect(framed(page)).to_have_text(["before"])
    box(page).fill("half a thought")
    chat.stop()
    chat.start()
    dora.say("after")
    expect(framed(page)).to_have_text(["before", "after"], timeout=15_000)
    expect(box(page)).to_have_value("half a thought")


def test_older_messages_are_a_link_away(page: Page, dora: Program) -> None:
    for number in range(60):
        dora.say(f"message {number}")
    page.reload(wait_until="commit")
    page.get_by_role("link", name="Earlier messages").click(no_wait_after=True)
    expect(page.locator("#log .body").first).to_have_text("message 0")
    expect(page.locator("#log .body")).to_have_count(10)
    page.get_by_role("link", name="Back to the latest messages").click(no_wait_after=True)
    expect(framed(page).last).to_have_text("message 59")


def test_links_in_the_frame_leave_the_frame(page: Page, dora: Program) -> None:
    dora.say("hello")
    page.frame_locator("iframe[title=Messages]").get_by_role("link", name="Dora").click(no_wait_after=True)
    expect(page.get_by_role("heading", name="Dora")).to_be_visible()
    assert page.url.endswith("/chat/Dora")


def test_the_text_box_has_the_focus_after_sending_too(page: Page) -> None:
    expect(box(page)).to_be_focused()
    box(page).fill("one")
    page.get_by_role("button", name="Send").click(no_wait_after=True)
    expect(framed(page)).to_have_text(["one"])
    expect(box(page)).to_be_focused()
    page.keyboard.type("two")
    expect(box(page)).to_have_value("two")


def test_an_invitation_from_the_machine_itself_says_that_its_address_is_for_here(page: Page) -> None:
    # Ann is alone yet: the page shows the address in its menu.
    page.get_by_text("Invite", exact=True).click()
    expect(page.get_by_text("on this computer only").first).to_be_visible()
    expect(page.get_by_text("Send friends this address")).to_have_count(0)


@pytest.mark.parametrize("width", [500, 1280])
def test_the_messages_and_the_text_box_stand_in_one_column(page: Page, dora: Program, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 700})
    dora.say("Hello")
    message = page.frame_locator("iframe[title=Messages]").locator(".message")
    expect(message).to_be_visible()
    one, other = message.bounding_box(), page.locator(".field").bounding_box()
    assert one
    assert other
    assert (one["x"], one["width"]) == pytest.approx((other["x"], other["width"]), abs=1)


def test_the_frame_of_one_who_is_signed_out_leads_back_in(page: Page) -> None:
    frame = page.frame_locator("iframe[title=Messages]")
    page.frames[1].wait_for_url(re.compile("/timeline"), wait_until="commit")
    page.context.clear_cookies()
    page.frames[1].goto(page.frames[1].url)
    expect(frame.get_by_role("heading", name="You are signed out.")).to_be_visible()
    frame.get_by_role("link", name="Join again").click(no_wait_after=True)
    expect(page.get_by_label("Your name")).to_be_visible()
