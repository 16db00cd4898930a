"""Editing in a browser: where the message stands, with the keyboard, on a phone, and without scripts."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Locator, Page, expect

from .people import arrive, box, say, sees
from .running import Chat, Program


def editor(page: Page) -> Locator:
    return page.get_by_label("Your message", exact=True)


def last(page: Page) -> Locator:
    return page.locator("#log .message").last


def test_what_one_edits_changes_for_everybody_and_says_so(ann: Page, bob: Page) -> None:
    say(ann, "Helo")
    say(ann, "two\nlines  & <tags>")
    sees(bob, "Helo", "two\nlines & <tags>")
    ann.locator("#log .message").last.hover()
    ann.get_by_role("button", name=re.compile("What to do with the message of Ann")).click()
    ann.get_by_role("menuitem", name="Edit", exact=True).click()
    expect(editor(ann)).to_be_focused()
    expect(editor(ann)).to_have_value("two\nlines  & <tags>")
    editor(ann).fill("three\nlines")
    ann.get_by_role("button", name="Save").click()
    for page in (ann, bob):
        sees(page, "Helo", "three\nlines edited")
        expect(last(page).locator(".body")).to_have_attribute("data-edited", re.compile("^20"))
        expect(last(page).locator("time")).to_have_attribute("title", re.compile(", edited "))
        expect(last(page)).to_have_attribute("data-continues", "")
    expect(editor(ann)).to_have_count(0)
    expect(ann.locator(".act")).to_be_focused()
    bob.locator("#log .message").last.hover()
    bob.get_by_role("button", name=re.compile("What to do with the message of Ann")).click()
    expect(bob.get_by_role("menuitem", name="Edit", exact=True)).to_have_count(0)


def test_the_up_arrow_in_an_empty_box_edits_what_was_said_last(ann: Page, dora: Program) -> None:
    box(ann).press("ArrowUp")
    expect(ann.get_by_text("There is nothing of yours here that can be edited.")).to_be_visible()
    say(ann, "Helo")
    sees(ann, "Helo")
    dora.say("What?")
    sees(ann, "Helo", "What?")
    box(ann).press("ArrowUp")
    expect(editor(ann)).to_be_focused()
    ann.keyboard.press("End")
    ann.keyboard.type(" you")
    ann.keyboard.press("Escape")
    expect(box(ann)).to_be_focused()
    sees(ann, "Helo", "What?")
    box(ann).press("ArrowUp")
    expect(editor(ann)).to_have_value("Helo")
    ann.keyboard.press("Control+A")
    ann.keyboard.type("Hello")
    ann.keyboard.press("Shift+Enter")
    ann.keyboard.type("you")
    ann.keyboard.press("Enter")
    sees(ann, "Hello\nyou edited", "What?")
    expect(box(ann)).to_be_focused()
    box(ann).fill("half a thought")
    box(ann).press("ArrowUp")
    expect(editor(ann)).to_have_count(0)


def test_what_is_refused_stays_in_the_editor(ann: Page, bob: Page) -> None:
    say(ann, "Helo")
    sees(ann, "Helo")
    box(ann).press("ArrowUp")
    editor(ann).fill(" ")
    ann.keyboard.press("Enter")
    expect(ann.get_by_text("Write something first.")).to_be_visible()
    expect(editor(ann)).to_be_focused()
    ann.context.set_offline(True)
    editor(ann).fill("Hello")
    ann.keyboard.press("Enter")
    expect(ann.get_by_text("There was no answer. Try again.")).to_be_visible()
    ann.context.set_offline(False)
    expect(editor(ann)).to_have_value("Hello")
    ann.keyboard.press("Enter")
    sees(bob, "Hello edited")


def test_a_mention_that_comes_by_editing_is_counted(ann: Page, dora: Program) -> None:
    boats = dora.room("Boats", "Ann")
    said = dora.say("hello all", boats)
    entry = ann.locator("#sidebar .entry", has_text="Boats")
    expect(entry.locator(".count .unseen")).to_have_text(["1 unread"])
    dora.ask("PATCH", f"/api/rooms/{boats}/messages/{said['id']}", {"text": "hello @Ann"})
    expect(entry.locator(".count .unseen")).to_have_text(["1 for you", "1 unread"])


def test_the_line_above_what_is_new_and_the_menu_stay_when_a_message_is_edited(
    new_context: Callable[..., BrowserContext], dora: Program
) -> None:
    context = new_context()
    arrive(context, "Ann").close()
    said = [dora.say(words) for words in ("one", "two")]
    page = context.new_page()
    page.goto("/rooms/lobby")
    expect(page.locator(".message[data-new]")).to_contain_text("one")
    page.locator("#log .message").first.hover()
    menu = page.get_by_role("button", name=re.compile("What to do with the message of Dora"))
    menu.focus()
    dora.ask("PATCH", f"/api/rooms/lobby/messages/{said[0]['id']}", {"text": "one and a half"})
    sees(page, "one and a half edited", "two")
    expect(page.locator(".message[data-new]")).to_contain_text("one and a half")
    expect(menu).to_be_focused()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_editor_fits_a_phone_and_axe_finds_nothing(
    new_context: Callable[..., BrowserContext], dora: Program, scheme: str
) -> None:
    page = arrive(new_context(viewport={"width": 360, "height": 700}, color_scheme=scheme), "Ann")
    say(page, "Helo " * 30)
    sees(page, "Helo " * 29 + "Helo")
    dora.say("What?")
    sees(page, "Helo " * 29 + "Helo", "What?")
    box(page).press("ArrowUp")
    editor(page).press("End")
    editor(page).press("!")
    editor(page).press("Enter")
    expect(page.locator(".edited")).to_be_visible()
    box(page).press("ArrowUp")
    expect(editor(page)).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    place = page.locator("form.editing").bounding_box()
    assert place is not None
    assert place["x"] >= 0
    assert place["x"] + place["width"] <= 360
    assert place["width"] > 280
    editor(page).fill("")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Write something first.")).to_be_visible()
    found = Axe().run(page)
    assert not found.response["violations"], found.generate_report()


def test_without_scripts_a_message_is_edited_on_a_page_of_its_own(
    new_context: Callable[..., BrowserContext], bob: Page
) -> None:
    page = new_context(java_script_enabled=False).new_page()
    page.goto("/")
    page.get_by_label("Your name").fill("Ann")
    page.get_by_role("button", name="Go to chat!").click(no_wait_after=True)
    box(page).fill("Helo")
    page.get_by_role("button", name="Send").click(no_wait_after=True)
    frame = page.frame_locator("iframe[title=Messages]")
    expect(frame.locator(".message .body")).to_have_text(["Helo"])
    frame.get_by_label("What to do with this message").click(no_wait_after=True)
    page.get_by_role("button", name="Edit it").click()
    page.get_by_label("Message").fill("Hello")
    page.get_by_role("button", name="Save").click(no_wait_after=True)
    expect(frame.locator(".message .body")).to_have_text(["Hello edited"])
    sees(bob, "Hello edited")


def test_nothing_is_offered_where_nothing_is_edited(new_context: Callable[..., BrowserContext], chat: Chat) -> None:
    link = re.search(r"/owner/\S+", chat.log)
    assert link
    page = new_context().new_page()
    page.goto(link[0])
    page.get_by_label("Your name").fill("Eve")
    page.get_by_role("button", name="Own this chat").click()
    page.goto("/admin/settings")
    page.get_by_label("Minutes in which people may edit what they sent").fill("0")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    expect(page.get_by_label("Minutes in which people may edit what they sent")).to_have_value("0")
    page.goto("/rooms/lobby")
    say(page, "For ever")
    sees(page, "For ever")
    page.locator("#log .message").last.hover()
    page.get_by_role("button", name=re.compile("What to do with the message of Eve")).click()
    expect(page.get_by_role("menuitem", name="Delete…")).to_be_visible()
    expect(page.get_by_role("menuitem", name="Edit", exact=True)).to_have_count(0)


def test_what_is_being_edited_is_not_lost_when_the_page_starts_over(
    new_context: Callable[..., BrowserContext], ann: Page
) -> None:
    cleo = new_context()
    arrive(cleo, "Cleo").close()
    say(ann, "Helo")
    sees(ann, "Helo")
    box(ann).press("ArrowUp")
    editor(ann).fill("A long thought")
    ann.evaluate("Math.random = () => 0")
    with ann.expect_response(re.compile("/api/rooms/lobby/messages")):
        cleo.request.post("/account/delete", form={"username": "Cleo", "messages": "keep"})
    expect(editor(ann)).to_have_value("A long thought")
    expect(editor(ann)).to_be_focused()
    ann.keyboard.press("Enter")
    expect(ann.locator("#log .message[data-mine] .body")).to_have_text("A long thought edited")


def test_what_is_being_edited_goes_into_the_box_if_its_message_is_deleted(ann: Page) -> None:
    say(ann, "Helo")
    sees(ann, "Helo")
    box(ann).press("ArrowUp")
    editor(ann).fill("A long thought")
    id = ann.locator("#log .message").get_attribute("data-id")
    assert ann.context.request.delete(f"/api/rooms/lobby/messages/{id}").status == 204
    expect(ann.get_by_text("That message was deleted. What you wrote is in the box.")).to_be_visible()
    expect(box(ann)).to_have_value("A long thought")
    expect(editor(ann)).to_have_count(0)


def test_what_is_read_stays_where_it_is_while_a_message_above_it_is_edited(ann: Page, dora: Program) -> None:
    said = [dora.say(f"message {number}") for number in range(40)]
    expect(ann.locator("#log .message")).to_have_count(40)
    ann.locator(f"#message-{said[25]['id']}").scroll_into_view_if_needed()
    ann.locator("#scroller").evaluate("scroller => { scroller.scrollTop -= 60 }")
    reading = ann.locator(f"#message-{said[25]['id']}")
    before = reading.bounding_box()
    above = f"/api/rooms/lobby/messages/{said[2]['id']}"
    dora.ask("PATCH", above, {"text": "\n".join(f"line {number}" for number in range(12))})
    expect(ann.locator(f"#message-{said[2]['id']} .edited")).to_have_count(1)
    assert reading.bounding_box() == before


def test_an_older_page_hears_of_edits_too(ann: Page, dora: Program) -> None:
    said = [dora.say(f"message {number}") for number in range(3)]
    ann.goto(f"/rooms/lobby?before={said[1]['id']}")
    expect(ann.locator("#log .message")).to_have_count(1)
    dora.ask("PATCH", f"/api/rooms/lobby/messages/{said[0]['id']}", {"text": "message and more"})
    expect(ann.locator("#log .message .body")).to_have_text("message and more edited")
