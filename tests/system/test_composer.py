"""The text box."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

from .people import box, from_the_top, ready, say, sees, stored
from .running import Program


def test_enter_sends_and_shift_enter_breaks_the_line(ann: Page, dora: Program) -> None:
    box(ann).press_sequentially("one")
    box(ann).press("Shift+Enter")
    box(ann).press_sequentially("two")
    height = box(ann).bounding_box()
    box(ann).press("Enter")
    sees(ann, "one\ntwo")
    assert dora.texts() == ["one\ntwo"]
    smaller = box(ann).bounding_box()
    assert height
    assert smaller
    assert height["height"] > smaller["height"]


def test_enter_that_chooses_a_composed_word_sends_nothing(ann: Page, dora: Program) -> None:
    box(ann).fill("にほん")
    for event in ({"key": "Enter", "isComposing": True}, {"key": "Enter", "keyCode": 229}):
        box(ann).dispatch_event("keydown", event)
    expect(box(ann)).to_have_value("にほん")
    box(ann).press("Enter")
    sees(ann, "にほん")
    assert dora.texts() == ["にほん"]


def test_nothing_but_blanks_is_not_sent(ann: Page, dora: Program) -> None:
    say(ann, "  \n ")
    box(ann).fill("")
    ann.get_by_role("button", name="Send").click()
    say(ann, "something")
    sees(ann, "something")
    assert dora.texts() == ["something"]


def test_a_draft_survives_a_reload_and_goes_when_it_is_sent(ann: Page) -> None:
    box(ann).fill("half a thought\nof two lines")
    ann.reload()
    expect(box(ann)).to_have_value("half a thought\nof two lines")
    box(ann).press("Enter")
    expect(stored(ann)).to_have_count(1)
    ann.reload()
    ready(ann)
    expect(stored(ann)).to_have_count(1)
    expect(box(ann)).to_have_value("")


def test_what_is_typed_before_the_script_has_come_is_a_draft_too(ann: Page) -> None:
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    ann.route("**/js/app.js", hold)
    ann.reload(wait_until="commit")
    box(ann).fill("quick fingers")
    held[0].continue_()
    ready(ann)
    ann.unroute("**/js/app.js")
    ann.reload()
    expect(box(ann)).to_have_value("quick fingers")


def test_a_long_paste_is_kept_whole_and_not_sent_until_it_fits(ann: Page, dora: Program) -> None:
    box(ann).fill("🦊" * 10_001)
    expect(ann.get_by_text("That is 10,001 characters. A message has room for 10,000.")).to_be_visible()
    box(ann).press("Enter")
    expect(box(ann)).to_have_value("🦊" * 10_001)
    box(ann).press("Backspace")
    box(ann).press("Enter")
    expect(stored(ann)).to_have_count(1)
    assert dora.texts() == ["🦊" * 10_000]


def test_the_keyboard_reaches_everything_in_order(ann: Page, dora: Program) -> None:
    dora.say("https://example.org/")
    expect(stored(ann)).to_have_count(1)
    from_the_top(ann)
    reached = []
    for stop in range(15):
        if stop == 11:
            expect(ann.get_by_role("button", name="What to do with the message of Dora")).to_be_visible()
        ann.keyboard.press("Tab")
        reached.append(ann.evaluate("document.activeElement.innerText || document.activeElement.id").strip())
    assert reached[0] == "Skip to the message box"
    assert reached[1].startswith("Find a room or person")
    assert [words.split("\n")[-1] for words in reached[2:7]] == [
        "New room",
        "Lobby",
        "Browse rooms",
        ": your account",
        "Sign out",
    ]
    assert reached[7:9] == ["Invite", "⋯"]
    assert reached[9].startswith("Today")
    assert reached[10:15] == ["Dora", "⋯", "https://example.org/", "message", "Send"]


def test_the_skip_link_leads_to_the_text_box(ann: Page) -> None:
    from_the_top(ann)
    ann.keyboard.press("Tab")
    expect(ann.get_by_text("Skip to the message box")).to_be_in_viewport()
    ann.keyboard.press("Enter")
    expect(box(ann)).to_be_focused()


@pytest.mark.parametrize("size", [(390, 844), (390, 360), (1280, 800)])
def test_the_text_box_and_its_button_are_in_reach_and_big_enough(ann: Page, size: tuple[int, int]) -> None:
    ann.set_viewport_size({"width": size[0], "height": size[1]})
    send = ann.get_by_role("button", name="Send")
    expect(send).to_be_in_viewport(ratio=1)
    expect(box(ann)).to_be_in_viewport(ratio=1)
    aside = ann.get_by_role("button", name="Sign out") if size[0] > 1000 else ann.get_by_role("link", name="Rooms")
    for control in (send, aside, ann.get_by_text("Invite", exact=True), ann.get_by_label("This room")):
        place = control.bounding_box()
        assert place
        assert place["height"] >= 44
        assert place["width"] >= 44
    assert ann.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_no_keyboard_comes_up_unasked_on_a_phone(join: Callable[..., Page]) -> None:
    ann = join("Ann", has_touch=True, is_mobile=True, viewport={"width": 390, "height": 844})
    ann.goto("/rooms/lobby")
    # Looking any earlier would count as the person's own doing: the driver's questions come with a user's gesture.
    ann.wait_for_timeout(1000)
    expect(box(ann)).not_to_be_focused()
    box(ann).tap()
    expect(box(ann)).to_be_focused()
