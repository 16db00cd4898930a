"""What people do on the page, and what they see there."""

from __future__ import annotations

from playwright.sync_api import BrowserContext, Locator, Page, expect


def enter(page: Page, name: str) -> Page:
    """Say a name on the first page; returns the page, in the lobby."""
    page.goto("/")
    page.get_by_label("Your name").fill(name)
    page.get_by_role("button", name="Go to chat!").click()
    ready(page)
    return page


def arrive(context: BrowserContext, name: str) -> Page:
    """Open the lobby in the browser of somebody who said their name before; quicker than :func:`enter`."""
    answer = context.request.post("/", form={"username": name}, max_redirects=0)
    assert answer.status == 303, answer.text()
    page = context.new_page()
    page.goto(answer.headers["location"])
    ready(page)
    return page


def ready(page: Page) -> None:
    """Wait until the room's script is at work."""
    expect(page.locator("#status")).not_to_be_empty()


def box(page: Page) -> Locator:
    """The text box."""
    return page.get_by_label("Message to Lobby")


def say(page: Page, text: str) -> None:
    """Type a text and press Enter."""
    box(page).fill(text)
    box(page).press("Enter")


def stored(page: Page) -> Locator:
    """The bodies of the messages that the server has."""
    return page.locator("#log .message .body")


def waiting(page: Page) -> Locator:
    """The bubbles of what has not been acknowledged."""
    return page.locator("#outbox .message")


def sees(page: Page, *texts: str) -> None:
    """Wait until exactly these messages are there, in this order, and nothing waits."""
    expect(stored(page)).to_have_text(list(texts), use_inner_text=True)
    expect(waiting(page)).to_have_count(0)


def from_the_top(page: Page) -> None:
    """Put the keyboard where it is when a page has just been opened."""
    page.evaluate("document.body.tabIndex = -1; document.body.focus(); document.body.removeAttribute('tabindex')")
