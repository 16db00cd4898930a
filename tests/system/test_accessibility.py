"""axe finds nothing (WCAG 2.2 A and AA, best practices) on any page, in light and dark; colours read well."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page, expect

from .people import enter, ready, say, sees, waiting
from .running import Chat, Program


@pytest.fixture(params=["light", "dark"])
def person(request: pytest.FixtureRequest, new_context: Callable[..., BrowserContext]) -> Page:
    return new_context(color_scheme=request.param).new_page()


def fine(page: Page) -> None:
    found = Axe().run(page)
    assert not found.response["violations"], found.generate_report()


def test_the_first_page(person: Page, dora: Program) -> None:
    person.goto("/")
    fine(person)
    person.get_by_label("Your name").fill("Dora")
    person.get_by_role("button", name="Go to chat!").click()
    expect(person.get_by_role("alert")).to_be_visible()
    fine(person)


def test_the_room_empty_and_full_with_messages_on_their_way(person: Page, dora: Program) -> None:
    enter(person, "Ann")
    expect(person.locator("#empty")).to_be_visible()
    fine(person)
    dora.say("Hello, see https://example.org/")
    dora.say("And again.")
    say(person, "Hello")
    sees(person, "Hello, see https://example.org/", "And again.", "Hello")
    person.get_by_text("Invite", exact=True).click()
    fine(person)
    person.route("**/api/rooms/lobby/messages", lambda route: route.abort())
    say(person, "never")
    expect(waiting(person).get_by_role("button", name="Try now")).to_be_visible()
    fine(person)


def test_the_pages_of_people_and_of_errors(person: Page, dora: Program) -> None:
    enter(person, "Ann")
    person.goto("/chat/Dora")
    expect(person.get_by_role("heading", name="Dora")).to_be_visible()
    fine(person)
    person.goto("/rooms/nowhere")
    fine(person)


def test_the_page_of_the_owner_link(person: Page, chat: Chat) -> None:
    link = re.search(r"/owner/\S+", chat.log)
    assert link
    person.goto(link[0])
    fine(person)
    person.get_by_label("Your name").fill("Ann")
    person.get_by_role("button", name="Own this chat").click()
    ready(person)
    person.goto("/chat/Ann")
    expect(person.get_by_text("Welcome, Ann")).to_be_visible()


def test_the_colours_of_people_have_enough_contrast(person: Page) -> None:
    """WCAG 2.2, 1.4.3: at least 4.5 to 1, for every one of the twelve."""
    enter(person, "Ann")
    contrasts = person.evaluate(
        """() => {
          const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
          const luminance = (colour) => {
            canvas.fillStyle = colour;
            canvas.fillRect(0, 0, 1, 1);
            const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].map((value) => {
              const part = value / 255;
              return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
            });
            return 0.2126 * r + 0.7152 * g + 0.0722 * b;
          };
          const contrast = (one, other) => {
            const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b);
            return (high + 0.05) / (low + 0.05);
          };
          const ground = getComputedStyle(document.documentElement).backgroundColor;
          return Array.from({ length: 12 }, (_, colour) => {
            const probe = document.createElement("div");
            probe.dataset.colour = colour;
            probe.innerHTML = '<span class="avatar"></span><b class="author"></b>';
            document.body.append(probe);
            const [avatar, author] = [...probe.children].map((child) => getComputedStyle(child));
            const found = [contrast(avatar.color, avatar.backgroundColor), contrast(author.color, ground)];
            probe.remove();
            return found;
          });
        }"""
    )
    assert len(contrasts) == 12
    assert min(min(pair) for pair in contrasts) >= 4.5, contrasts


def test_the_log_speaks_to_screen_readers_in_reading_order(person: Page, dora: Program) -> None:
    enter(person, "Ann")
    dora.say("Hello")
    dora.say("Still me")
    sees(person, "Hello", "Still me")
    log = person.get_by_role("log", name="Messages")
    expect(log).to_have_attribute("aria-live", "polite")
    snapshot = log.aria_snapshot()
    assert snapshot.index("Today") < snapshot.index("Dora") < snapshot.index("Hello") < snapshot.rindex("Dora")
    assert snapshot.rindex("Dora") < snapshot.index("Still me")


def test_motion_and_forced_colours_are_respected(new_context: Callable[..., BrowserContext], dora: Program) -> None:
    page = enter(new_context(reduced_motion="reduce", forced_colors="active").new_page(), "Ann")
    dora.say("Hello")
    sees(page, "Hello")
    border = page.locator("#log .body").evaluate("body => getComputedStyle(body).borderTopWidth")
    assert border == "1px"
