"""The pictures in the documents: `bin/screenshots` has some people talk in a chat of their own and takes them."""

from __future__ import annotations

import tempfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, expect, sync_playwright

from ..servers import ROOT
from .people import enter, stored
from .running import Chat, Program

FOLDER = ROOT / "docs" / "screenshots"

AFTERNOON = datetime(2026, 11, 28, 15, 20)  # noqa: DTZ001 (a time of day and no moment)

# Who says what, and how many minutes before the picture is taken.
TALK = [
    ("Cleo", 96, "Has anybody seen the weather for Saturday?"),
    ("Bob", 93, "Dry until the evening, wind from the south-west."),
    ("Bob", 93, "So we could take the long way round the island."),
    ("Ann", 88, "I would like that. High water is at 14:10, so we leave at one and are back before dark."),
    ("Cleo", 64, "Tide table, for those who like to check: https://tides.example/harbour?week=48"),
    ("Dora", 41, "I bring soup and the big thermos.\nWho has the key to the boat house?"),
    ("Bob", 37, "Me. I leave it under the third stone, as ever."),
    ("Ann", 9, "Then it is settled. Saturday, one o’clock, at the bridge."),
    ("Dora", 2, "See you there!"),
]


def main() -> None:
    """Write every picture."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        chat = Chat(Path(folder), FLASK_CHAT_NAME="Harbour House")
        chat.start()
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium",
            args=["--no-sandbox", "--host-resolver-rules=MAP harbour.example 127.0.0.1"],
        )
        try:
            take(browser, chat)
        finally:
            browser.close()
            chat.stop()


def take(browser: Browser, chat: Chat) -> None:
    """Have them talk, and look at it on a desktop and on a phone."""
    options: dict[str, Any] = {
        "base_url": chat.url.replace("127.0.0.1", "harbour.example"),
        "device_scale_factor": 2,
        "locale": "en-GB",
        "timezone_id": "Europe/London",
    }
    desktop = browser.new_context(viewport={"width": 1120, "height": 880}, **options).new_page()
    desktop.goto("/")
    picture(desktop, "join")
    enter(desktop, "Ann")
    expect(desktop.locator("#empty")).to_be_visible()
    picture(desktop, "empty")
    people = {name: Program(chat, name) for name in ("Bob", "Cleo", "Dora")}
    boats = people["Bob"].room("Boats", "Ann", "Cleo")
    people["Bob"].room("Galley", "Ann", "Dora")
    people["Cleo"].room("Committee", "Ann", kind="private")
    for name, _, text in TALK:
        if name == "Ann":
            desktop.get_by_label("Message to Lobby").fill(text)
            desktop.keyboard.press("Enter")
        else:
            people[name].say(text)
        expect(stored(desktop).last).to_have_text(text, use_inner_text=True)
    for text in ("The varnish is dry.", "@Ann, can you bring the small pump?"):
        people["Bob"].say(text, boats)
    people["Dora"].say("Shall I pick you up on the way?", people["Dora"].write_to("Ann"))
    expect(desktop.locator("#sidebar [data-wanted]")).to_have_count(2)
    room(desktop, "room")
    phone = browser.new_context(
        viewport={"width": 390, "height": 844},
        color_scheme="dark",
        is_mobile=True,
        has_touch=True,
        storage_state=desktop.context.storage_state(),
        **options,
    ).new_page()
    room(phone, "phone")


def room(page: Page, name: str) -> None:
    """The room in the afternoon, as if its messages had come over an hour or two."""
    page.goto("/rooms/lobby")
    expect(page.locator("#log .day")).to_have_text("Today")
    clocks = [f"{(AFTERNOON - timedelta(minutes=age)):%H:%M}" for _, age, _ in TALK]
    page.locator("#log .message time").evaluate_all(
        "(times, clocks) => times.forEach((time, at) => { time.textContent = clocks[at] })", clocks
    )
    picture(page, name)


def picture(page: Page, name: str) -> None:
    """Write what the page shows."""
    path = FOLDER / f"{name}.png"
    page.screenshot(path=path)
    print(path.relative_to(ROOT))


if __name__ == "__main__":
    main()
