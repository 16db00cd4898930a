"""The timeline: local times, days, groups, where the reader is, and what was said before."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, Route, expect

from .people import enter, say, sees, stored
from .running import Chat, Program


@pytest.fixture
def chat(new_chat: Callable[..., Chat]) -> Chat:
    """A chat in which programs may talk fast."""
    return new_chat(FLASK_CHAT_LIMITS="off")


def place(message: Locator) -> float:
    box = message.bounding_box()
    assert box
    return box["y"]


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/St_Johns"])
def test_times_are_the_readers_own_with_seconds_on_hover(
    new_context: Callable[..., BrowserContext], dora: Program, zone: str
) -> None:
    at = datetime.fromisoformat(dora.say("now")["created_at"]).astimezone(ZoneInfo(zone))
    page = enter(new_context(timezone_id=zone, locale="en-GB").new_page(), "Ann")
    clock = page.locator("#log .message time")
    expect(clock).to_have_text(f"{at:%H:%M}")
    expect(clock).to_have_attribute("title", re.compile(f"{at.day} {at:%B %Y} at {at:%H:%M:%S}"))
    expect(clock).to_have_attribute("datetime", re.compile("Z$"))


def test_days_are_named_as_the_readers_calendar_has_them(ann: Page, dora: Program) -> None:
    dora.say("hello")
    heading = ann.locator("#log .day")
    expect(heading).to_have_text("Today")
    now = datetime.now(UTC)
    ann.clock.set_fixed_time(now + timedelta(days=1))
    ann.reload()
    expect(heading).to_have_text("Yesterday")
    ann.clock.set_fixed_time(now + timedelta(days=5))
    ann.reload()
    expect(heading).to_have_text(re.compile(f"{now:%B}.*{now.year}"))


def test_each_local_day_has_one_heading(new_context: Callable[..., BrowserContext], dora: Program) -> None:
    for number in range(4):
        dora.say(f"message {number}")
    # In Tokyo the first two are of one day, and the third, two hours later, is of the next.
    times = iter(["2026-01-20T12:00:00.000Z", "2026-01-20T13:30:00.000Z", "2026-01-20T15:30:00.000Z"])

    def of_three_days(route: Route) -> None:
        answer = route.fetch()
        body = re.sub('data-at="[^"]+"', lambda at: f'data-at="{next(times, at[0][9:-1])}"', answer.text())
        route.fulfill(response=answer, body=body)

    page = enter(new_context(timezone_id="Asia/Tokyo", locale="en-GB").new_page(), "Ann")
    page.route("**/chat/Ann", of_three_days)
    page.reload()
    expect(page.locator("#log .day")).to_have_text(
        [re.compile("^Tuesday,? 20 January 2026$"), re.compile("^Wednesday,? 21 January 2026$"), "Today"]
    )
    order = page.locator("#log > *").evaluate_all("all => all.map(one => one.className)")
    assert order == ["day", "message", "message", "day", "message", "day", "message"]


def test_what_one_person_says_in_a_row_stands_together(ann: Page, bob: Page) -> None:
    for text in ("one", "two"):
        say(ann, text)
    expect(stored(bob)).to_have_count(2)
    say(bob, "three")
    sees(ann, "one", "two", "three")
    avatars = bob.locator("#log .avatar")
    expect(avatars.nth(0)).to_be_visible()
    expect(avatars.nth(1)).to_be_hidden()
    expect(bob.locator("#log .message").nth(2)).to_have_attribute("data-mine", "")


def test_the_end_stays_in_view_as_messages_come(ann: Page, dora: Program) -> None:
    for number in range(40):
        dora.say(f"message {number}")
    expect(stored(ann)).to_have_count(40)
    expect(stored(ann).last).to_be_in_viewport(ratio=1)
    expect(ann.locator(".pill")).to_be_hidden()


def test_a_reader_further_up_stays_there_and_is_told_of_news(ann: Page, dora: Program) -> None:
    for number in range(40):
        dora.say(f"message {number}")
    expect(stored(ann)).to_have_count(40)
    ann.locator("#scroller").hover()
    ann.mouse.wheel(0, -800)
    watched = stored(ann).filter(has_text="message 20")
    expect(watched).to_be_in_viewport()
    ann.wait_for_function("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))")
    before = place(watched)
    dora.say("news")
    expect(stored(ann)).to_have_count(41)
    assert place(watched) == pytest.approx(before, abs=1)
    expect(ann).to_have_title(re.compile(r"^\(1\) "))
    pill = ann.get_by_role("button", name="New message")
    expect(pill).to_be_visible()
    pill.click()
    expect(stored(ann).last).to_be_in_viewport(ratio=1)
    expect(pill).to_be_hidden()
    expect(ann).to_have_title(re.compile("^Lobby"))


def test_sending_leads_to_the_end(ann: Page, dora: Program) -> None:
    for number in range(40):
        dora.say(f"message {number}")
    expect(stored(ann)).to_have_count(40)
    ann.locator("#scroller").hover()
    ann.mouse.wheel(0, -800)
    expect(stored(ann).last).not_to_be_in_viewport()
    say(ann, "mine")
    expect(stored(ann).filter(has_text="mine")).to_be_in_viewport(ratio=1)


def test_earlier_messages_come_as_the_reader_goes_up_and_nothing_jumps(ann: Page, dora: Program) -> None:
    for number in range(130):
        dora.say(f"message {number}")
    ann.reload()
    expect(stored(ann)).to_have_count(50)
    ann.locator("#scroller").focus()
    watched = stored(ann).filter(has_text="message 80")
    watched.scroll_into_view_if_needed()
    before = place(watched)
    expect(stored(ann)).to_have_count(100)
    assert place(watched) == pytest.approx(before, abs=1)
    ann.keyboard.press("Home")
    expect(stored(ann)).to_have_count(130)
    ann.keyboard.press("Home")
    expect(stored(ann).first).to_be_in_viewport()
    assert stored(ann).all_inner_texts() == [f"message {number}" for number in range(130)]
    expect(ann.get_by_role("link", name="Earlier messages")).to_be_hidden()


def test_the_line_above_what_is_new_moves_nothing_when_it_comes_out_of_sight(ann: Page, dora: Program) -> None:
    said = [dora.say(f"message {number}")["id"] for number in range(130)]
    expect(stored(ann)).to_have_count(130)
    ann.goto("/rooms")
    assert ann.request.put("/api/rooms/lobby/read", data={"through": said[49], "force": True}).ok
    ann.goto("/rooms/lobby")
    expect(ann.get_by_role("button", name="80 new messages")).to_be_visible()
    watched = stored(ann).filter(has_text="message 80")
    watched.scroll_into_view_if_needed()
    before = place(watched)
    expect(ann.locator(".message[data-new] .body")).to_have_text("message 50")
    assert place(watched) == pytest.approx(before, abs=1)


def test_what_is_deleted_further_down_moves_nothing_that_is_read(ann: Page, dora: Program) -> None:
    said = [dora.say(f"message {number}")["id"] for number in range(40)]
    expect(stored(ann)).to_have_count(40)
    ann.locator("#scroller").evaluate("scroller => { scroller.scrollTop = -600 }")
    expect(stored(ann).last).not_to_be_in_viewport()
    watched = stored(ann).filter(has_text="message 20")
    before = place(watched)
    for one in (said[-2], said[0]):
        dora.ask("DELETE", f"/api/rooms/lobby/messages/{one}")
        expect(stored(ann).filter(has_text=f"message {said.index(one)}")).to_have_count(0)
        assert place(watched) == pytest.approx(before, abs=1)


def test_a_long_message_that_is_read_does_not_move_when_it_grows(ann: Page, dora: Program) -> None:
    lines = [f"line {number}" for number in range(60)]
    said = dora.say("\n".join(lines))["id"]
    dora.say("\n".join(lines))
    scroller, body = ann.locator("#scroller"), stored(ann).first
    expect(body).to_contain_text("line 59")
    # The window begins amid the message.
    scroller.evaluate("(scroller) => { scroller.scrollTop = 600 - scroller.scrollHeight + scroller.clientHeight }")
    before = place(body)
    assert before < 0
    dora.ask("PATCH", f"/api/rooms/lobby/messages/{said}", {"text": "\n".join([*lines, *lines[:10]])})
    expect(ann.locator(".message").first.locator(".edited")).to_be_visible()
    assert place(body) == pytest.approx(before, abs=1)


def test_a_page_that_stays_open_lets_go_of_its_oldest_and_finds_them_again(ann: Page, dora: Program) -> None:
    sees(ann)
    for number in range(610):
        dora.say(f"message {number}")
    expect(stored(ann).last).to_have_text("message 609")
    assert stored(ann).count() <= 600
    ann.locator("#scroller").focus()
    while stored(ann).first.inner_text() != "message 0":
        count = stored(ann).count()
        ann.keyboard.press("Home")
        expect(stored(ann)).not_to_have_count(count)
    assert stored(ann).all_inner_texts() == [f"message {number}" for number in range(610)]


@pytest.mark.parametrize("host", ["127.0.0.1", "chat.test"])
def test_clocks_that_are_a_year_off_change_no_order(
    new_context: Callable[..., BrowserContext], chat: Chat, host: str
) -> None:
    pages = []
    for name, days in (("Ann", 365), ("Bob", -365)):
        page = new_context(base_url=f"http://{host}:{chat.port}").new_page()
        page.clock.set_fixed_time(datetime.now(UTC) + timedelta(days=days))
        pages.append(enter(page, name))
    ann, bob = pages
    said = []
    for speaker, text in ((ann, "one"), (bob, "two"), (ann, "three"), (bob, "four")):
        say(speaker, text)
        said.append(text)
        for page in pages:
            sees(page, *said)
