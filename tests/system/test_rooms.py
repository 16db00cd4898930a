"""Rooms on the page: the list of mine, what is new in them, and the way from one to another."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Locator, Page, Route, expect

from ..faults.clients import within
from .people import arrive, ready, say, sees, stored
from .running import Program


def entry(page: Page, name: str) -> Locator:
    """A room in the list of mine."""
    return page.locator("#sidebar .entry").filter(has=page.get_by_text(name, exact=True))


def count(page: Page, name: str) -> Locator:
    return entry(page, name).locator(".count:not(.at) .unseen")


def test_a_newcomer_finds_one_room_and_may_talk_at_once(ann: Page) -> None:
    expect(ann.locator("#sidebar .entry")).to_have_text(["Lobby"])
    expect(entry(ann, "Lobby")).to_have_attribute("aria-current", "page")
    expect(ann.get_by_role("heading", name="Direct messages")).to_be_hidden()
    say(ann, "Hello")
    sees(ann, "Hello")


def test_rooms_appear_count_what_is_new_and_go_as_it_happens(ann: Page, dora: Program) -> None:
    boats = dora.room("Boats", "Ann")
    expect(entry(ann, "Boats")).to_be_visible()
    dora.say("High water at noon", boats)
    expect(count(ann, "Boats")).to_have_text("1 unread")
    dora.say("@Ann come along", boats)
    expect(count(ann, "Boats")).to_have_text("2 unread")
    expect(entry(ann, "Boats").locator(".at")).to_contain_text("1 for you")
    # A mention is worth a number in the tab's title; what is only new in a room is not.
    expect(ann).to_have_title(re.compile(r"^\(1\) Lobby"))
    private = dora.write_to("Ann")
    dora.say("Psst", private)
    expect(entry(ann, "Dora")).to_contain_text("1 unread")
    expect(ann).to_have_title(re.compile(r"^\(2\) Lobby"))
    expect(ann.locator("[data-group=rooms] .entry").first).to_contain_text("Boats")
    dora.ask("DELETE", f"/api/rooms/{boats}/members/Ann")
    expect(entry(ann, "Boats")).to_have_count(0)
    expect(ann).to_have_title(re.compile(r"^\(1\) Lobby"))


def test_what_was_taken_back_before_the_list_is_fetched_is_counted_by_nobody(ann: Page, dora: Program) -> None:
    attic = dora.room("Attic", "Ann")
    ann.clock.install()
    ann.reload()
    expect(entry(ann, "Attic")).to_be_visible()
    ready(ann)
    # The list is fetched a moment after somebody came into a room: all of this happens before.
    ann.clock.pause_at(ann.evaluate("Date.now() + 1000"))
    boats = dora.room("Boats", "Ann")
    oops = dora.say("@Ann oops", boats)["id"]
    dora.ask("DELETE", f"/api/rooms/{boats}/messages/{oops}")
    dora.say("Up here", attic)
    expect(count(ann, "Attic")).to_have_text("1 unread")
    expect(entry(ann, "Boats")).to_have_count(0)
    ann.clock.resume()
    expect(entry(ann, "Boats")).to_be_visible()
    expect(count(ann, "Attic")).to_have_text("1 unread")
    expect(entry(ann, "Boats").locator(".count")).to_have_count(0)


def test_what_is_new_has_a_line_above_it_and_is_read_on_every_device(
    ann: Page, bob: Page, dora: Program, new_context: Callable[..., BrowserContext]
) -> None:
    boats = dora.room("Boats", "Ann")
    dora.say("one", boats)
    dora.say("two", boats)
    expect(count(ann, "Boats")).to_have_text("2 unread")
    # The same person on another device.
    other = new_context(storage_state=ann.context.storage_state()).new_page()
    other.goto(f"/rooms/{boats}")
    sees(other, "one", "two")
    expect(other.locator(".message[data-new]")).to_contain_text("one")
    expect(count(ann, "Boats")).to_have_count(0)
    other.locator("#log .message").last.hover()
    other.get_by_role("button", name=re.compile("What to do with the message of Dora")).click()
    other.get_by_role("menuitem", name="Mark unread from here").click()
    expect(other.locator(".message[data-new]")).to_contain_text("two")
    expect(count(ann, "Boats")).to_have_text("1 unread")


def test_many_new_messages_are_one_press_away(ann: Page, dora: Program) -> None:
    boats = dora.room("Boats", "Ann")
    for number in range(58):
        dora.say(f"message {number}", boats)
    expect(count(ann, "Boats")).to_have_text("58 unread")
    entry(ann, "Boats").click()
    ann.get_by_role("button", name="58 new messages").click()
    expect(ann.locator(".message[data-new]")).to_contain_text("message 0")
    expect(ann.locator(".message[data-new]")).to_be_in_viewport()
    expect(ann.get_by_role("button", name="58 new messages")).to_have_count(0)


def test_what_was_read_on_one_device_waits_on_no_other(
    ann: Page, dora: Program, new_context: Callable[..., BrowserContext]
) -> None:
    for number in range(40):
        dora.say(f"message {number}")
    expect(stored(ann)).to_have_count(40)
    ann.locator("#scroller").hover()
    ann.mouse.wheel(0, -800)
    expect(stored(ann).last).not_to_be_in_viewport()
    dora.say("news")
    expect(ann).to_have_title(re.compile(r"^\(1\) Lobby"))
    other = new_context(storage_state=ann.context.storage_state()).new_page()
    other.goto("/rooms/lobby")
    expect(stored(other).last).to_have_text("news")
    expect(ann).to_have_title(re.compile("^Lobby"))


def test_a_mark_of_another_device_takes_back_nothing_that_was_read_here(ann: Page, dora: Program) -> None:
    first = dora.say("one")["id"]
    last = dora.say("two")["id"]
    expect(stored(ann)).to_have_count(2)
    # Another device got less far, and its mark comes while this one still waits with its own.
    mine = ann.context.request
    assert mine.put("/api/rooms/lobby/read", data={"through": first}).ok
    within(10, lambda: mine.get("/api/rooms").json()["rooms"][0]["read_id"] == last, "all is read")


def test_what_comes_while_nobody_looks_has_a_line_above_it(ann: Page, dora: Program) -> None:
    for number in range(40):
        dora.say(f"message {number}")
    expect(stored(ann)).to_have_count(40)
    ann.locator("#scroller").hover()
    ann.mouse.wheel(0, -800)
    expect(stored(ann).last).not_to_be_in_viewport()
    dora.say("news")
    dora.say("more news")
    expect(ann.get_by_role("button", name="2 new messages")).to_be_visible()
    expect(ann.locator(".message[data-new] .body")).to_have_text("news")


def test_others_see_who_is_typing_until_it_is_sent(ann: Page, bob: Page) -> None:
    bob.get_by_label("Message to Lobby").press_sequentially("Hel")
    expect(ann.get_by_text("Bob is typing…")).to_be_visible()
    expect(bob.get_by_text("is typing…")).to_have_count(0)
    bob.get_by_label("Message to Lobby").press("Enter")
    sees(ann, "Hel")
    expect(ann.get_by_text("Bob is typing…")).to_have_count(0)


def test_the_switcher_finds_rooms_and_people_by_keyboard(ann: Page, dora: Program) -> None:
    dora.room("Boats and tides", "Ann")
    dora.room("Kitchen", "Ann")
    expect(entry(ann, "Kitchen")).to_be_visible()
    ann.keyboard.press("Control+k")
    box = ann.get_by_role("combobox", name="Find a room or person")
    expect(box).to_be_focused()
    ann.keyboard.type("ti")
    chosen = ann.get_by_role("listbox").get_by_role("option", selected=True)
    expect(chosen).to_contain_text("Boats and tides")
    expect(box).to_have_attribute("aria-activedescendant", chosen.get_attribute("id") or "")
    ann.keyboard.press("Escape")
    expect(box).to_be_hidden()
    expect(ann.get_by_label("Message to Lobby")).to_be_focused()
    ann.keyboard.press("Control+k")
    expect(box).to_be_focused()
    ann.keyboard.type("dor")
    expect(chosen).to_contain_text("Dora")
    ann.keyboard.press("ArrowDown")
    expect(chosen).to_contain_text("Look for “dor” among all rooms")
    ann.keyboard.press("ArrowUp")
    ann.keyboard.press("Enter")
    expect(ann).to_have_url("/chat/Dora")
    ann.goto("/rooms/lobby")
    ready(ann)
    ann.keyboard.press("Control+k")
    expect(box).to_be_focused()
    ann.keyboard.type("kit")
    ann.keyboard.press("Enter")
    expect(ann.get_by_role("heading", name="Kitchen")).to_be_visible()


class Held:
    """A script that does not come until it is let go."""

    def __init__(self, page: Page, name: str) -> None:
        self._page, self._routes = page, list[Route]()
        page.route(f"**/js/{name}*.js*", self._hold)

    def wait(self) -> None:
        """Until it was asked for."""
        within(10, lambda: self._page.evaluate("true") and bool(self._routes), "the script is asked for")

    def let_go(self) -> None:
        self._routes[0].continue_()

    def fail(self) -> None:
        self._routes[0].abort()
        self._page.unroute_all()

    def _hold(self, route: Route) -> None:
        self._routes.append(route)


def test_what_is_typed_before_the_switcher_is_there_is_meant_for_it(ann: Page, dora: Program) -> None:
    dora.room("Boats and tides", "Ann")
    expect(entry(ann, "Boats and tides")).to_be_visible()
    script = Held(ann, "switcher")
    ann.keyboard.press("Control+k")
    ann.keyboard.type("tik")
    ann.keyboard.press("Backspace")
    ann.keyboard.press("Enter")
    script.wait()
    script.let_go()
    box = ann.locator("dialog").get_by_role("combobox", name="Find a room or person")
    expect(box).to_be_focused()
    expect(box).to_have_value("ti")
    expect(ann.get_by_role("listbox").get_by_role("option", selected=True)).to_contain_text("Boats and tides")
    ann.keyboard.press("Escape")
    expect(ann.get_by_label("Message to Lobby")).to_be_focused()
    expect(ann.get_by_label("Message to Lobby")).to_have_value("")
    sees(ann)


@pytest.mark.parametrize("away", ["Escape", "Control+k", "Tab", "click"])
def test_whoever_goes_on_before_the_switcher_is_there_is_not_torn_away(ann: Page, away: str) -> None:
    box = ann.get_by_label("Message to Lobby")
    script = Held(ann, "switcher")
    ann.keyboard.press("Control+k")
    ann.keyboard.type("lob")
    script.wait()
    ann.keyboard.press(away) if away != "click" else box.click()
    if away == "Tab":
        box.focus()
    expect(box).to_be_focused()
    ann.keyboard.type("Hello")
    with ann.expect_response("**/js/switcher*.js*"):
        script.let_go()
    ann.keyboard.type(", Bob")
    expect(box).to_have_value("Hello, Bob")
    expect(ann.locator("dialog[open]")).to_have_count(0)


@pytest.mark.parametrize("keys", ["Control+k", "Alt+ArrowUp"])
def test_a_switcher_that_cannot_be_fetched_takes_nothing_away(ann: Page, keys: str) -> None:
    box = ann.get_by_label("Message to Lobby")
    script = Held(ann, "switcher")
    ann.keyboard.press(keys)
    script.wait()
    with ann.expect_event("requestfailed"):
        script.fail()
    box.click()
    ann.keyboard.type("Hello")
    expect(box).to_have_value("Hello")
    ann.keyboard.press("Control+k")
    expect(ann.locator("dialog").get_by_role("combobox")).to_be_focused()


def test_alt_and_arrows_go_from_room_to_room(ann: Page, dora: Program) -> None:
    dora.room("Boats", "Ann")
    kitchen = dora.room("Kitchen", "Ann")
    expect(entry(ann, "Kitchen")).to_be_visible()
    dora.say("Soup", kitchen)
    expect(count(ann, "Kitchen")).to_have_text("1 unread")
    names = [name.strip().split("\n")[0] for name in ann.locator("#sidebar .entry bdi").all_inner_texts()]
    assert names[0] == "Kitchen"
    ann.keyboard.press("Alt+Shift+ArrowUp")
    expect(ann.get_by_role("heading", name="Kitchen")).to_be_visible()
    ready(ann)
    after = ann.locator("#sidebar .entry bdi").nth(1).inner_text()
    ann.keyboard.press("Alt+ArrowDown")
    expect(ann.get_by_role("heading", level=1, name=after)).to_be_visible()


def test_a_phone_has_one_column_at_a_time(new_context: Callable[..., BrowserContext], dora: Program) -> None:
    context = new_context(viewport={"width": 320, "height": 640}, has_touch=True, is_mobile=True)
    ann = arrive(context, "Ann")
    expect(ann.locator("#sidebar")).to_be_hidden()
    private = dora.write_to("Ann")
    dora.say("Psst", private)
    back = ann.get_by_role("link", name="Rooms")
    expect(back).to_contain_text("1")
    assert ann.evaluate("document.documentElement.scrollWidth <= innerWidth")
    back.tap()
    expect(ann).to_have_url("/rooms")
    ann.goto("/rooms/lobby")
    ann.get_by_label("This room").tap()
    expect(ann.get_by_role("button", name="Sign out")).to_be_visible()
    assert ann.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_an_outsider_of_a_public_room_reads_it_and_joins(ann: Page, dora: Program) -> None:
    boats = dora.room("Boats")
    dora.say("High water at noon", boats)
    ann.goto(f"/rooms/{boats}")
    sees(ann, "High water at noon")
    expect(ann.get_by_label("Message to Boats")).to_have_count(0)
    ann.get_by_role("button", name="Join Boats").click()
    expect(ann.get_by_label("Message to Boats")).to_be_visible()
    expect(entry(ann, "Boats")).to_have_attribute("aria-current", "page")


def test_an_archived_room_is_read_and_says_why_nobody_writes(ann: Page, dora: Program) -> None:
    boats = dora.room("Boats", "Ann")
    dora.say("High water at noon", boats)
    expect(entry(ann, "Boats")).to_be_visible()
    ann.goto(f"/rooms/{boats}")
    expect(ann.get_by_label("Message to Boats")).to_be_visible()
    dora.ask("PATCH", f"/api/rooms/{boats}", {"archived": True})
    expect(ann.get_by_text("This room is archived")).to_be_visible()
    expect(ann.get_by_label("Message to Boats")).to_have_count(0)
    sees(ann, "High water at noon")


def test_a_deleted_message_goes_and_a_blocked_persons_is_folded_away(ann: Page, bob: Page, dora: Program) -> None:
    say(ann, "A slip of the tongue")
    say(ann, "What I meant")
    sees(bob, "A slip of the tongue", "What I meant")
    dora.say("Buy my boats")
    sees(bob, "A slip of the tongue", "What I meant", "Buy my boats")
    ann.locator("#log .message").first.hover()
    ann.get_by_role("button", name=re.compile("What to do with the message of Ann")).click()
    ann.get_by_role("menuitem", name="Delete…").click()
    ann.get_by_role("button", name="Delete", exact=True).click()
    sees(bob, "What I meant", "Buy my boats")
    sees(ann, "What I meant", "Buy my boats")
    # What followed under the same name stands for itself now.
    assert bob.locator("#log .message").first.get_attribute("data-continues") is None
    bob.locator("#log .message").last.hover()
    bob.get_by_role("button", name=re.compile("What to do with the message of Dora")).click()
    bob.get_by_role("menuitem", name="Block Dora…").click()
    bob.get_by_role("button", name="Block", exact=True).click()
    expect(bob.get_by_text("Buy my boats")).to_be_hidden()
    bob.reload()
    expect(bob.get_by_text("Buy my boats")).to_be_hidden()
    bob.get_by_role("button", name="You blocked Dora. Show what they said").click()
    expect(bob.get_by_text("Buy my boats")).to_be_visible()


def test_whom_i_have_blocked_counts_nowhere_and_cannot_come_back_under_another_name(ann: Page, dora: Program) -> None:
    boats = dora.room("Boats", "Ann")
    expect(entry(ann, "Boats")).to_be_visible()
    ann.evaluate("fetch('/api/blocks/Dora', {method: 'PUT'})")
    dora.say("Buy my boats")
    expect(ann.locator("#log .message[data-folded]")).to_have_count(1)
    dora.say("Buy my boats", boats)
    dora.ask("PATCH", "/api/people/Dora", {"username": "Cleo"})
    dora.say("Buy my boats, @Ann", boats)
    dora.say("Nobody buys my boats")
    expect(ann.locator("#log .message[data-folded]")).to_have_count(2)
    expect(entry(ann, "Boats").locator(".count")).to_have_count(0)
    ann.reload()
    expect(entry(ann, "Boats").locator(".count")).to_have_count(0)


def test_of_a_deleted_account_no_open_page_says_the_name(ann: Page, bob: Page) -> None:
    say(bob, "Goodbye")
    sees(ann, "Goodbye")
    expect(ann.locator("#log .author bdi")).to_have_text(["Bob"])
    ann.evaluate("Math.random = () => 0")
    bob.request.post("/account/delete", form={"username": "Bob", "messages": "keep"})
    expect(ann.locator("#log .author bdi")).to_have_text(["Somebody (former)"])


def test_the_menu_of_a_message_is_reached_and_left_by_keyboard(ann: Page, dora: Program) -> None:
    dora.say("one")
    dora.say("two")
    sees(ann, "one", "two")
    ann.locator("#scroller").focus()
    button = ann.get_by_role("button", name=re.compile("What to do with the message of Dora"))
    expect(button).to_have_count(1)
    button.focus()
    ann.keyboard.press("ArrowUp")
    expect(ann.locator("#log .message").first.locator(".act")).to_be_focused()
    ann.keyboard.press("Enter")
    expect(ann.get_by_role("menuitem", name="Mark unread from here")).to_be_focused()
    ann.keyboard.press("End")
    expect(ann.get_by_role("menuitem", name="Block Dora…")).to_be_focused()
    found = Axe().run(ann)
    assert not found.response["violations"], found.generate_report()
    ann.keyboard.press("Escape")
    expect(button).to_be_focused()
    expect(ann.get_by_role("menu")).to_have_count(0)


def test_axe_finds_nothing_in_a_full_sidebar_and_the_switcher(
    new_context: Callable[..., BrowserContext], dora: Program
) -> None:
    for scheme in ("light", "dark"):
        name = {"light": "Ann", "dark": "Bob"}[scheme]
        page = arrive(new_context(color_scheme=scheme), name)
        boats = dora.room("Boats", name)
        dora.say(f"@{name} hello", boats)
        dora.say("Psst", dora.write_to(name))
        dora.say("Hello")
        expect(entry(page, "Dora")).to_contain_text("1 unread")
        page.get_by_label("This room").click()
        found = Axe().run(page)
        assert not found.response["violations"], found.generate_report()
        page.keyboard.press("Escape")
        page.keyboard.press("Control+k")
        expect(page.get_by_role("listbox").get_by_role("option").first).to_be_visible()
        found = Axe().run(page)
        assert not found.response["violations"], found.generate_report()


def test_without_scripts_rooms_are_links_and_forms(new_context: Callable[..., BrowserContext], dora: Program) -> None:
    context = new_context(java_script_enabled=False)
    context.request.post("/", form={"username": "Ann"}, max_redirects=0)
    boats = dora.room("Boats", "Ann")
    dora.say("High water at noon", boats)
    page = context.new_page()
    page.goto("/rooms/lobby", wait_until="commit")
    expect(entry(page, "Boats")).to_contain_text("1 unread")
    entry(page, "Boats").click(no_wait_after=True)
    page.get_by_role("button", name="Mark 1 as read").click(no_wait_after=True)
    expect(page.get_by_role("button", name="Mark 1 as read")).to_have_count(0)
    expect(entry(page, "Boats")).not_to_contain_text("unread")
    page.get_by_label("This room").click()
    page.get_by_role("button", name="Add to my favourites").click(no_wait_after=True)
    expect(page.get_by_role("img", name="Favourite")).to_be_visible()
    page.get_by_label("This room").click()
    page.get_by_label("Count as new").select_option("Nothing")
    with page.expect_navigation(wait_until="commit"):
        page.get_by_role("button", name="Save").click(no_wait_after=True)
    dora.say("Low water at six", boats)
    page.goto("/rooms/lobby", wait_until="commit")
    expect(entry(page, "Boats")).to_have_attribute("data-notify", "none")
    expect(page.locator("[data-wanted]")).to_have_count(0)


def test_a_renamed_room_takes_its_page_and_what_was_begun_along(ann: Page, dora: Program) -> None:
    boats = dora.room("Boats", "Ann")
    kitchen = dora.room("Kitchen", "Ann")
    ann.goto(f"/rooms/{boats}")
    ann.get_by_label("Message to Boats").fill("half a thought")
    dora.ask("PATCH", f"/api/rooms/{boats}", {"name": "Boats and tides"})
    expect(ann).to_have_url("/rooms/boats-and-tides")
    expect(ann.get_by_label("Message to Boats and tides")).to_have_value("half a thought")
    dora.ask("PATCH", f"/api/rooms/{kitchen}", {"name": "Galley"})
    expect(entry(ann, "Galley")).to_be_visible()
    dora.ask("PATCH", "/api/rooms/boats-and-tides", {"topic": "Who sails when"})
    expect(ann.locator(".titles")).to_contain_text("Who sails when")


def test_a_long_press_opens_the_menu_of_a_message_on_a_phone(
    new_context: Callable[..., BrowserContext], dora: Program
) -> None:
    dora.say("Hello")
    context = new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    ann = arrive(context, "Ann")
    message = ann.locator("#log .message .body")
    message.tap()
    expect(ann.locator(".act")).to_have_count(1)
    place = message.bounding_box()
    assert place
    fingers = context.new_cdp_session(ann)
    at = [{"x": place["x"] + 20, "y": place["y"] + 20}]
    fingers.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": at})
    expect(ann.get_by_role("menuitem", name="Report…")).to_be_visible()
    fingers.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    ann.get_by_role("menuitem", name="Report…").tap()
    ann.get_by_label("What is wrong with it?").fill("It is rude")
    ann.get_by_role("button", name="Report").tap()
    expect(ann.get_by_text("Thank you. The moderators will look at it.")).to_be_visible()
