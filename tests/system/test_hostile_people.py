"""Hostile words in every field of people, rooms, reports and settings are only words to a browser."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from .running import Chat, Program
from .test_hostile_text import TEXTS

PAGES = (
    "/rooms",
    "/rooms/ROOM",
    "/rooms/ROOM/members",
    "/rooms/ROOM/settings",
    "/people/Ann",
    "/account/profile",
    "/admin",
    "/admin/people",
    "/admin/people/Bob",
    "/admin/bans",
    "/admin/reports",
    "/admin/rooms",
    "/admin/settings",
    "/admin/audit",
)


def test_hostile_words_about_people_and_rooms_stay_words(ann: Page, bob: Page, chat: Chat) -> None:
    found = re.search(r"/owner/[\w-]+", chat.log)
    assert found, "no owner's link was printed"
    assert ann.request.post(found[0]).ok
    said = bob.request.post("/api/rooms/lobby/messages", data={"text": "Hello"}).json()["id"]
    for number, text in enumerate(TEXTS):
        short = text[:40]
        made = ann.request.post("/api/rooms", data={"name": text[:80], "kind": "public", "topic": text[:200]})
        assert made.status == 201, made.text()
        room = made.json()["slug"]
        profile: dict[str, str | float | bool] = {
            "display_name": f"{number}{short}",
            "pronouns": short,
            "bio": text,
            "status": text[:100],
        }
        for path, contents in (
            (f"/api/rooms/{room}", {"description": text}),
            ("/api/people/Ann", {"bio": text, "status": text[:100], "pronouns": short}),
        ):
            assert ann.request.patch(path, data=contents).ok, path
        ann.request.post("/account/profile", form=profile)
        assert ann.request.post(f"/rooms/lobby/messages/{said}/report", form={"reason": text[:300]}).ok
        ann.request.post("/admin/people/Bob/mute", form={"reason": text[:300], "lasts": "600"})
        ann.request.post(
            "/admin/settings",
            form={"name": text[:60], "accent": "teal", "joining": "open", "room_makers": "guest", "guests": "1"},
        )
        for path in PAGES if number in (0, 1, 7) else ("/rooms/ROOM", "/people/Ann"):
            ann.goto(path.replace("ROOM", room))
            expect(ann.locator("h1, #log").first).to_be_attached()
            assert ann.evaluate("globalThis.owned") is None, path
            assert ann.title() != "owned", path
            assert ann.locator("base, meta[http-equiv], iframe[srcdoc], [onerror], [onload]").count() == 0, path


def test_the_beginning_of_a_name_shows_whichever_way_it_is_written(ann: Page, dora: Program) -> None:
    ann.set_viewport_size({"width": 360, "height": 700})
    for name in ("غرفة المعلمين والمعلمات في المدرسة", "A room of a name that is too long for a phone"):
        ann.goto(f"/rooms/{dora.room(name, 'Ann')}")
        hidden = ann.locator(".titles h1").evaluate(
            """(title) => {
                const range = document.createRange();
                range.setStart(title.querySelector("bdi").firstChild, 0);
                range.setEnd(title.querySelector("bdi").firstChild, 1);
                const [letter, seen] = [range.getBoundingClientRect(), title.getBoundingClientRect()];
                return letter.left < seen.left - 1 || letter.right > seen.right + 1;
            }"""
        )
        assert not hidden, name
