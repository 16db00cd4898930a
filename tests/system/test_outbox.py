"""What is written is kept until the server has it: through lost answers, reloads, several tabs and other people."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Dialog, Page, Route, expect

from .people import box, enter, say, sees, stored, waiting
from .running import Program

POSTS = "**/api/rooms/lobby/messages"


def test_a_message_shows_at_once_and_is_sent_once_when_its_answer_is_lost(ann: Page, bob: Page, dora: Program) -> None:
    attempts: list[str] = []

    def lose_the_first_answer(route: Route) -> None:
        attempts.append(route.request.post_data or "")
        if len(attempts) == 1:
            route.fetch()
            route.abort()
        else:
            route.continue_()

    ann.route(POSTS, lose_the_first_answer)
    # Without the stream only the second answer can tell Ann that the first one was stored.
    ann.route("**/api/events?*", lambda route: route.abort())
    ann.reload()
    say(ann, "once")
    sees(ann, "once")
    assert len(attempts) == 2
    assert attempts[0] == attempts[1]
    sees(bob, "once")
    assert dora.texts() == ["once"]


def test_a_message_is_shown_as_sending_until_it_is_stored(ann: Page) -> None:
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    ann.route(POSTS, hold)
    say(ann, "slowly")
    expect(waiting(ann)).to_have_attribute("data-state", "sending")
    expect(waiting(ann).get_by_text("Sending…")).to_be_visible()
    expect(box(ann)).to_have_value("")
    held[0].continue_()
    sees(ann, "slowly")


def test_unsent_messages_survive_a_reload_and_go_out_in_order(ann: Page, bob: Page) -> None:
    ann.route(POSTS, lambda route: route.abort())
    for text in ("one", "two", "three"):
        say(ann, text)
    ann.reload()
    expect(waiting(ann).locator(".body")).to_have_text(["one", "two", "three"])
    ann.unroute(POSTS)
    sees(ann, "one", "two", "three")
    sees(bob, "one", "two", "three")


def test_who_does_not_want_to_wait_tries_at_once(ann: Page) -> None:
    ann.route(POSTS, lambda route: route.fulfill(status=503, headers={"Retry-After": "600"}, body=""))
    say(ann, "now, please")
    again = waiting(ann).get_by_role("button", name="Try now")
    expect(again).to_be_visible()
    ann.unroute(POSTS)
    again.click()
    sees(ann, "now, please")


def test_several_tabs_show_one_bubble_and_send_once(ann: Page, dora: Program) -> None:
    second = ann.context.new_page()
    second.goto("/rooms/lobby")
    ann.context.route(POSTS, lambda route: route.abort())
    say(ann, "one")
    say(second, "two")
    for tab in (ann, second):
        expect(waiting(tab).locator(".body")).to_have_text(["one", "two"])
    ann.context.unroute(POSTS)
    for tab in (ann, second):
        sees(tab, "one", "two")
    assert dora.texts() == ["one", "two"]


def test_a_refusal_is_shown_and_the_text_can_be_edited_or_removed(ann: Page, bob: Page) -> None:
    def refuse(route: Route) -> None:
        route.fulfill(
            status=422,
            content_type="application/problem+json",
            body='{"title": "No", "status": 422, "detail": "Not this word, please."}',
        )

    ann.route(POSTS, refuse)
    say(ann, "<b>bad</b> word")
    say(ann, "worse")
    expect(waiting(ann).get_by_text("Not this word, please.")).to_have_count(2)
    expect(waiting(ann).first.locator(".body")).to_have_text("<b>bad</b> word")
    ann.unroute(POSTS)
    say(ann, "fine")
    expect(stored(ann)).to_have_text(["fine"])
    waiting(ann).last.get_by_role("button", name="Remove").click()
    waiting(ann).first.get_by_role("button", name="Edit").click()
    expect(box(ann)).to_have_value("<b>bad</b> word")
    box(ann).fill("good word")
    box(ann).press("Enter")
    sees(bob, "fine", "good word")


def test_too_fast_waits_as_long_as_the_server_says(ann: Page) -> None:
    answers = [429]

    def busy(route: Route) -> None:
        if answers:
            route.fulfill(status=answers.pop(), headers={"Retry-After": "1"}, body="")
        else:
            route.continue_()

    ann.route(POSTS, busy)
    say(ann, "patience")
    expect(waiting(ann).get_by_text("Not sent yet")).to_be_visible()
    sees(ann, "patience")


def test_who_has_to_wait_in_slow_mode_is_told_why(ann: Page) -> None:
    detail = "This room is in slow mode. You can write again in 58 s."
    problem = {"status": 429, "headers": {"Retry-After": "58"}, "json": {"detail": detail}}
    ann.route(POSTS, lambda route: route.fulfill(**problem))
    say(ann, "patience")
    expect(waiting(ann).get_by_text(f"Not sent yet. {detail}")).to_be_visible()


def test_another_person_on_the_same_browser_neither_sees_nor_sends_it(ann: Page, dora: Program) -> None:
    ann.route(POSTS, lambda route: route.abort())
    say(ann, "only from me")
    expect(waiting(ann).get_by_text("Not sent yet")).to_be_visible()
    bob = ann.context.new_page()
    ann.context.clear_cookies()
    enter(bob, "Bob")
    expect(ann).to_have_url("/chat/Bob")
    expect(waiting(bob)).to_have_count(0)
    say(bob, "hello")
    sees(bob, "hello")
    assert dora.texts() == ["hello"]


def test_signing_out_asks_before_it_throws_away_what_is_unsent(ann: Page, dora: Program) -> None:
    ann.route(POSTS, lambda route: route.abort())
    say(ann, "unsent")
    box(ann).fill("draft")
    expect(waiting(ann).get_by_text("Not sent yet")).to_be_visible()
    asked: list[str] = []

    def think_again(dialog: Dialog) -> None:
        asked.append(dialog.message)
        dialog.dismiss()

    ann.once("dialog", think_again)
    ann.get_by_role("button", name="Sign out").click()
    expect(waiting(ann)).to_have_count(1)
    ann.once("dialog", lambda dialog: dialog.accept())
    ann.get_by_role("button", name="Sign out").click()
    expect(ann.get_by_label("Your name")).to_be_visible()
    assert asked == ["One message has not been sent. Sign out and throw it away?"]
    kept = ann.evaluate("JSON.stringify(localStorage)")
    assert "unsent" not in kept
    assert "draft" not in kept


def test_where_the_browser_keeps_nothing_talking_goes_on(join: Callable[..., Page], bob: Page) -> None:
    ann = join("Ann")
    ann.context.add_init_script(
        "Object.defineProperty(window, 'localStorage', {get() { throw new DOMException('no', 'SecurityError') }})"
    )
    ann.reload()
    say(ann, "hello")
    sees(ann, "hello")
    sees(bob, "hello")


def held_up_in_the_kitchen(ann: Page, dora: Program) -> str:
    """Have Ann leave while what she wrote to a room cannot be sent; returns the room."""
    kitchen = dora.room("Kitchen", "Ann")
    ann.goto(f"/rooms/{kitchen}")
    ann.context.route("**/messages", lambda route: route.abort())
    ann.get_by_label("Message to Kitchen").fill("soup?")
    ann.get_by_label("Message to Kitchen").press("Enter")
    expect(waiting(ann)).to_have_count(1)
    ann.close()
    return kitchen


def test_what_waits_for_a_room_that_has_another_address_meanwhile_arrives(ann: Page, dora: Program) -> None:
    kitchen = held_up_in_the_kitchen(ann, dora)
    dora.ask("PATCH", f"/api/rooms/{kitchen}", {"name": "Galley"})
    ann.context.unroute("**/messages")
    page = ann.context.new_page()
    page.goto(f"/rooms/{kitchen}")
    expect(page).to_have_url("/rooms/galley")
    sees(page, "soup?")


def test_what_waits_for_a_room_that_is_no_longer_mine_is_shown_where_i_am(ann: Page, dora: Program) -> None:
    kitchen = held_up_in_the_kitchen(ann, dora)
    dora.ask("DELETE", f"/api/rooms/{kitchen}/members/Ann")
    ann.context.unroute("**/messages")
    page = ann.context.new_page()
    page.goto("/rooms/lobby")
    expect(waiting(page).locator(".body")).to_have_text(["soup?"])
    expect(waiting(page)).to_contain_text(f"For “{kitchen}”")
    waiting(page).get_by_role("button", name="Remove").click()
    expect(waiting(page)).to_have_count(0)


def test_what_waits_under_a_name_that_was_changed_on_another_device_arrives(ann: Page, bob: Page) -> None:
    ann.context.route("**/messages", lambda route: route.abort())
    say(ann, "still me")
    expect(waiting(ann)).to_have_count(1)
    ann.close()
    renamed = ann.context.request.patch("/api/people/Ann", data={"username": "Anna"})
    assert renamed.status == 200, renamed.text()
    ann.context.unroute("**/messages")
    page = ann.context.new_page()
    page.goto("/rooms/lobby")
    sees(page, "still me")
    sees(bob, "still me")
