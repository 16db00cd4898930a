"""One browser for all of these tests, a chat of its own for each, and people who join it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

from .people import arrive, enter
from .running import Chat, Program

CHROMIUM = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-gpu",
    # A name that is not loopback, over plain HTTP: there the browser withholds what it gives to secure origins only.
    "--host-resolver-rules=MAP chat.test 127.0.0.1",
]


# Every window would load two pages of its own for the address bar, which nobody sees: most of what a window costs.
# Of two lists of features only the last counts, so these are added to Playwright's.
LIGHTER = """#!/bin/sh
for argument; do
  shift
  case $argument in --disable-features=*) argument=$argument,WebUIOmniboxPopup,WebUIOmniboxAimPopup ;; esac
  set -- "$@" "$argument"
done
exec /usr/bin/chromium "$@"
"""


# For the package, not the session: while Playwright runs, no other test of this thread can run an event loop.
@pytest.fixture(scope="package")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Debian's Chromium."""
    program = tmp_path_factory.mktemp("chromium") / "chromium"
    program.write_text(LIGHTER)
    program.chmod(0o700)
    expect.set_options(timeout=10_000)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=CHROMIUM)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def spare_chats(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Chat]]:
    """Gives a chat that nobody has been in. The next is started meanwhile, so that no test waits for its own."""
    chats: list[Chat] = []

    def launched(**environment: str) -> Chat:
        chats.append(Chat(tmp_path_factory.mktemp("chat"), **environment))
        chats[-1].launch()
        return chats[-1]

    spare = launched()

    def take(**environment: str) -> Chat:
        nonlocal spare
        if environment:
            taken = launched(**environment)
        else:
            taken, spare = spare, launched()
        taken.wait()
        return taken

    yield take
    for chat in chats:
        chat.kill()


@pytest.fixture
def new_chat(spare_chats: Callable[..., Chat]) -> Iterator[Callable[..., Chat]]:
    """Starts a chat with these environment variables."""
    chats: list[Chat] = []

    def start(**environment: str) -> Chat:
        chats.append(spare_chats(**environment))
        return chats[-1]

    yield start
    for chat in chats:
        chat.kill()


@pytest.fixture
def chat(new_chat: Callable[..., Chat]) -> Chat:
    """A chat as it comes, with nobody in it."""
    return new_chat()


@pytest.fixture
def dora(chat: Chat) -> Program:
    """Dora talks through the API."""
    return Program(chat, "Dora")


@pytest.fixture
def new_context(browser: Browser, chat: Chat) -> Iterator[Callable[..., BrowserContext]]:
    """Opens a browser profile at the chat. No page of it may hurt an error or our own content security policy."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text or "Content-Security-Policy" in message.text:
            complaints.append(message.text)

    def open_one(**options: Any) -> BrowserContext:
        options.setdefault("base_url", chat.url)
        context = browser.new_context(**options)
        context.on("console", listen)
        context.on("weberror", lambda error: complaints.append(str(error.error)))
        contexts.append(context)
        return context

    yield open_one
    for context in contexts:
        context.close()
    assert not complaints


@pytest.fixture
def join(new_context: Callable[..., BrowserContext]) -> Callable[..., Page]:
    """A person comes with a browser of their own and says their name."""

    def join(name: str, **options: Any) -> Page:
        return enter(new_context(**options).new_page(), name)

    return join


@pytest.fixture
def ann(new_context: Callable[..., BrowserContext]) -> Page:
    """Ann, in the lobby."""
    return arrive(new_context(), "Ann")


@pytest.fixture
def bob(new_context: Callable[..., BrowserContext]) -> Page:
    """Bob, in the lobby."""
    return arrive(new_context(), "Bob")
