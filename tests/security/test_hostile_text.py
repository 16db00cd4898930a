"""Whatever is written in any field of people, rooms and settings, no page has anything in it that could run."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from flask.testing import FlaskClient
from sqlalchemy import update
from werkzeug.test import TestResponse

from flask_chat.chat import memberships, messages, people, rooms
from flask_chat.chat.people import OWNER, person
from flask_chat.http.services import Services

from ..faults.pages import VECTORS, Page, assert_harmless

PAGES = (
    "/rooms",
    "/rooms/ROOM",
    "/rooms/ROOM/members",
    "/rooms/ROOM/settings",
    "/rooms/ROOM/invite",
    "/rooms/ROOM/messages/MESSAGE/report",
    "/rooms/ROOM/messages/MESSAGE/edit",
    "/rooms/lobby",
    "/rooms/new",
    "/chat/Ann",
    "/chat/Bob",
    "/conversations/new",
    "/invitations",
    "/people/Ann",
    "/people/Bob",
    "/account",
    "/account/profile",
    "/account/name",
    "/account/delete",
    "/account/sessions",
    "/admin",
    "/admin/people",
    "/admin/people/Bob",
    "/admin/bans",
    "/admin/reports",
    "/admin/rooms",
    "/admin/sessions",
    "/admin/settings",
    "/admin/storage",
    "/admin/audit",
)

ASKS = (
    "/rooms?q=TEXT",
    "/admin/people?q=TEXT",
    "/admin/audit?about=TEXT",
    "/admin/audit?by=TEXT",
    "/admin/audit?action=TEXT",
    "/sign-in?username=TEXT",
    "/sign-in?next=TEXT",
    "/?next=TEXT",
    "/account/proof?next=TEXT",
    "/rooms/TEXT",
    "/people/TEXT",
    "/join/TEXT",
    "/link/TEXT",
)
"""Pages that are asked for with a text in their address."""


def forms(slug: str, message: int, text: str) -> tuple[tuple[str, dict[str, str]], ...]:
    """Every form with a text in it, and its address."""
    profile = dict.fromkeys(("display_name", "pronouns", "bio", "status"), text)
    return (
        (f"/rooms/{slug}/settings", {"topic": text, "description": text}),
        (f"/rooms/{slug}/settings", {"name": text}),
        ("/account/profile", {**profile, "ending": "never"}),
        *(("/account/profile", {name: text[:40]}) for name in profile),
        (f"/rooms/{slug}/messages", {"message": text}),
        (f"/rooms/{slug}/messages/{message}/report", {"reason": text}),
        ("/admin/people/Bob/mute", {"reason": text, "lasts": "600"}),
        ("/admin/bans", {"network": text, "reason": text, "lasts": "600"}),
        ("/admin/bans", {"network": "198.51.100.0/24", "reason": text, "lasts": "600"}),
        ("/admin/settings", {"name": text, "accent": "teal", "joining": "open", "room_makers": "guest", "guests": "1"}),
        ("/admin/settings", {"name": text[:60], "accent": text, "joining": text, "room_makers": text}),
        ("/account/name", {"username": text}),
        ("/account/delete", {"username": text, "messages": text}),
        ("/account/password", {"password": text}),
        ("/rooms", {"name": text, "topic": text, "kind": text}),
        (f"/rooms/{slug}/members", {"username": text}),
        (f"/rooms/{slug}/clear", {"name": text}),
        (f"/rooms/{slug}/invite", {"uses": text, "expires_in": text}),
        ("/conversations", {"with": text, "message": text}),
        ("/sign-in", {"username": text, "password": text}),
    )


@pytest.fixture
def owner(ann: FlaskClient, bob: FlaskClient, chat: Services) -> FlaskClient:
    """Ann, whose chat it is; Bob is here too."""
    appointed = update(person).where(person.c.username == "Ann").values(role=OWNER)
    chat.db.write(lambda write: write.connection.execute(appointed).rowcount)
    chat.sessions.clear()
    return ann


@pytest.fixture
def den(owner: FlaskClient, chat: Services) -> rooms.Room:
    with chat.db.read() as connection:
        ann = people.find(connection, "Ann")
    return chat.db.write(lambda write: rooms.create(write, ann, "Den"))


SOME = VECTORS[::3]
MORE = [pytest.param(text, marks=pytest.mark.slow) for text in VECTORS if text not in SOME]


@pytest.mark.parametrize("text", [*SOME, *MORE])
def test_nothing_that_is_written_anywhere_runs_on_any_page(
    owner: FlaskClient, bob: FlaskClient, chat: Services, den: rooms.Room, text: str
) -> None:
    slug, message = den.slug, bobs_message(chat, den)
    bob.post("/account/profile", data=dict.fromkeys(("display_name", "pronouns", "bio", "status"), text[:40]))
    for address, contents in forms(slug, message, text):
        harmless(address, owner.post(address, data=contents))
    for client in (owner, bob):
        for address in PAGES:
            address = address.replace("ROOM", slug).replace("MESSAGE", str(message))  # noqa: PLW2901
            harmless(address, client.get(address, follow_redirects=True))
        for address in ASKS:
            harmless(address, client.get(address.replace("TEXT", quote(text, safe=""))))


def harmless(address: str, answer: TestResponse) -> None:
    assert answer.status_code < 500, f"{address}: {answer.status_code}"
    if answer.status_code not in (301, 302, 303):
        assert not (wrong := Page(answer.text).wrong), f"{address}: {wrong}"
        assert_harmless(answer)  # type: ignore[arg-type]


def bobs_message(chat: Services, den: rooms.Room) -> int:
    """The id of something that Bob has said in the room."""
    with chat.db.read() as connection:
        bob = people.find(connection, "Bob")
    chat.db.write(lambda write: memberships.add(write, den, bob))
    return messages.post(chat.db, messages.draft(bob, den.slug, "Hello")).result(5).message.id
