"""The chat below a path of its host: a browser never leaves it, and two chats on one host never meet."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, Request, expect

from ..proxies import one_host
from .people import box, ready, say, sees
from .running import Chat, Program

LOCKS = "async () => (await navigator.locks.query()).held.map(({ name }) => name)"


@pytest.fixture
def chat(new_chat: Callable[..., Chat]) -> Chat:
    """A chat at /chat, with nobody in it."""
    chat = new_chat(FLASK_CHAT_PREFIX="/chat")
    chat.url += "/chat"
    return chat


@pytest.fixture
def enter(chat: Chat, new_context: Callable[..., BrowserContext]) -> Iterator[Callable[..., Page]]:
    """A person comes with a browser of their own. Whatever it asks for must be the chat's."""
    asked: list[str] = []

    def hear(request: Request) -> None:
        asked.append(request.url)

    def enter(name: str, **options: bool) -> Page:
        context = new_context(**options)
        context.on("request", hear)
        page = context.new_page()
        page.goto(chat.url)
        page.get_by_label("Your name").fill(name)
        page.get_by_role("button", name="Go to chat!").click(no_wait_after=True)
        expect(box(page)).to_be_visible()
        return page

    yield enter
    assert asked
    assert [url for url in asked if url != chat.url and not url.startswith(f"{chat.url}/")] == []


def test_people_join_talk_and_leave_below_the_prefix(enter: Callable[..., Page], chat: Chat, dora: Program) -> None:
    ann, bob = enter("Ann"), enter("Bob")
    for page in (ann, bob):
        ready(page)
    expect(ann).to_have_url(f"{chat.url}/chat/Ann")
    expect(ann.locator("#empty code")).to_have_text(f"{chat.url}/")
    say(ann, "Good morning!")
    sees(ann, "Good morning!")
    dora.say("beep")
    for page in (ann, bob):
        sees(page, "Good morning!", "beep")
    expect(ann).to_have_url(f"{chat.url}/chat/Ann")
    ann.goto(f"{chat.url}/Ann/by address")
    expect(ann).to_have_url(f"{chat.url}/rooms/lobby")
    for page in (ann, bob):
        sees(page, "Good morning!", "beep", "by address")
    box(ann).fill("half a thought")
    kept = ann.evaluate("Object.keys(localStorage)")
    assert kept
    assert all(name.startswith("flask-chat/chat:") for name in kept), kept
    assert ann.evaluate(LOCKS) == ["flask-chat/chat:feed:Ann"]
    assert [cookie.get("path") for cookie in ann.context.cookies()] == ["/chat"]
    box(ann).fill("")
    ann.locator("#log").get_by_role("link", name="Dora").click()
    expect(ann).to_have_url(f"{chat.url}/chat/Dora")
    ann.get_by_role("link", name="Rooms").click()
    expect(ann).to_have_url(f"{chat.url}/rooms")
    ann.get_by_role("link", name="Lobby").click()
    expect(ann).to_have_url(f"{chat.url}/rooms/lobby")
    ann.get_by_role("button", name="Sign out").click()
    expect(ann).to_have_url(f"{chat.url}/")
    expect(ann.get_by_label("Your name")).to_be_focused()


def test_a_page_that_waits_for_the_chat_stays_below_the_prefix(
    enter: Callable[..., Page], chat: Chat, dora: Program
) -> None:
    """Long polling, sending again, reading back: all that a script asks for by itself."""
    for number in range(60):
        dora.say(f"message {number}")
    ann = enter("Ann")
    ready(ann)
    ann.evaluate("sessionStorage.setItem('flask-chat/chat:polling', 'yes')")
    ann.reload()
    ready(ann)
    dora.say("polled")
    expect(ann.locator("#log .body").last).to_have_text("polled")
    ann.locator("#scroller").evaluate("scroller => (scroller.scrollTop = -scroller.scrollHeight)")
    expect(ann.locator("#log .body").first).to_have_text("message 0")
    chat.stop()
    say(ann, "written meanwhile")
    chat.start()
    expect(ann.locator("#log .body").last).to_have_text("written meanwhile")


def test_without_scripts_the_frame_is_below_the_prefix_too(
    enter: Callable[..., Page], chat: Chat, dora: Program
) -> None:
    dora.say("first")
    page = enter("Ann", java_script_enabled=False)
    frame = page.frame_locator("iframe[title=Messages]")
    expect(frame.locator(".message .body")).to_have_text(["first"])
    box(page).fill("second")
    page.get_by_role("button", name="Send").click(no_wait_after=True)
    expect(frame.locator(".message .body")).to_have_text(["first", "second"])
    expect(page).to_have_url(f"{chat.url}/rooms/lobby")
    frame.get_by_role("link", name="Dora").click(no_wait_after=True)
    expect(page.get_by_role("heading", name="Dora")).to_be_visible()
    expect(page).to_have_url(f"{chat.url}/chat/Dora")


def test_two_chats_on_one_host_do_not_meet(
    new_chat: Callable[..., Chat], new_context: Callable[..., BrowserContext], tmp_path: Path
) -> None:
    chats = {prefix: new_chat(FLASK_CHAT_PREFIX=prefix).port for prefix in ("/one", "/two")}
    with one_host(tmp_path / "nginx", chats) as host:
        browser = new_context(base_url=host.url)
        pages = {prefix: browser.new_page() for prefix in chats}
        for prefix, page in pages.items():
            page.goto(f"{prefix}/")
            page.get_by_label("Your name").fill("Ann")
            page.get_by_role("button", name="Go to chat!").click()
            ready(page)
        one, two = pages.values()
        say(one, "in the first")
        say(two, "in the second")
        sees(one, "in the first")
        sees(two, "in the second")
        box(one).fill("half a thought")
        two.reload()
        ready(two)
        expect(box(two)).to_have_value("")
        one.get_by_role("button", name="Sign out").click()
        expect(one.get_by_label("Your name")).to_be_visible()
        say(two, "still here")
        sees(two, "in the second", "still here")
