"""Permissions: one table says who may do what, and each of its cells is so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from flask_chat.chat import memberships, moderation, people, permissions, rooms, settings
from flask_chat.chat.errors import Forbidden
from flask_chat.chat.people import Person
from flask_chat.chat.permissions import RANKS, RULES
from flask_chat.chat.rooms import Room
from flask_chat.http.services import Services

from .people_here import arrive, do, enter, find, promote, room_of

DOCS = Path(__file__).parents[2] / "docs" / "moderation.md"

STANDINGS = ("nobody’s", "outside", "inside", "owns it")
"""How somebody stands to the room that an act is about: there is none, or they are one of these."""

# For each act, the lowest role that may do it: outside the room, inside it, and to whom it belongs ("-": nobody).
# An act that is about no room has one role only.
TABLE = {
    "message.post": ("-", "guest", "guest"),
    "message.edit": ("-", "guest", "guest"),
    "message.delete": ("moderator", "moderator", "guest"),
    "message.report": ("-", "guest", "guest"),
    "room.create": "guest",
    "room.join": "guest",
    "room.change": ("moderator", "moderator", "guest"),
    "room.quiet": ("moderator", "moderator", "guest"),
    "room.hand_over": ("owner", "owner", "guest"),
    "room.clear": ("owner", "owner", "guest"),
    "member.add": ("-", "guest", "guest"),
    "member.remove": ("moderator", "moderator", "guest"),
    "member.mute": ("moderator", "moderator", "guest"),
    "conversation.begin": "guest",
    "invitation.room": ("-", "guest", "guest"),
    "invitation.chat": "member",
    "invitation.list": "moderator",
    "order.keep": "moderator",
    "report.read": "moderator",
    "person.mute": "moderator",
    "person.ban": "moderator",
    "person.approve": "moderator",
    "person.appoint": "owner",
    "settings.change": "owner",
    "chat.inspect": "owner",
    "audit.read": "owner",
}


def allowed(act: str, role: str, standing: int) -> bool:
    """What the table above says; ``standing`` is 0 for outside, 1 for inside, 2 for whose room it is."""
    cells = TABLE[act]
    lowest = cells if isinstance(cells, str) else cells[standing]
    if role == people.APPLICANT:
        return False
    return lowest != "-" and RANKS.index(role) >= RANKS.index(lowest)


def test_every_act_is_in_the_table() -> None:
    assert set(TABLE) == set(RULES)


@pytest.fixture
def cast(chat: Services) -> dict[tuple[str, int], Person]:
    """Somebody of every role outside, inside, and each in a room of their own."""
    return {
        (role, standing): arrive(chat, f"{role} {where}", role)
        for role in RANKS
        for standing, where in enumerate(("out", "in", "host"))
    }


def test_every_cell_of_the_table_is_so(chat: Services, cast: dict[tuple[str, int], Person]) -> None:
    dora = arrive(chat, "Dora", people.MEMBER)
    shared = room_of(chat, dora, "Shared", rooms.PUBLIC)
    wrong: list[str] = []
    for (role, standing), who in cast.items():
        place: Room = shared
        if standing == 1:
            enter(chat, shared, who)
        if standing == 2:
            place = room_of(chat, who, f"{role} room", rooms.PUBLIC)
        with chat.db.read() as connection:
            wrong += [
                f"{role}, {standing}: {act}"
                for act in RULES
                if permissions.may(connection, who, act, place) is not allowed(act, role, standing)
            ]
            here = (None, memberships.MEMBER, memberships.OWNER)[standing]
            wrong += [
                f"{role}, {standing}: {act} as it is offered"
                for act in RULES
                if permissions.offered(who, act, settings.DEFAULTS, here) is not allowed(act, role, standing)
            ]
    assert not wrong


def test_who_keeps_order_no_more_does_nothing_by_what_a_process_still_believes(chat: Services) -> None:
    dora, ann = arrive(chat, "Dora", people.MODERATOR), arrive(chat, "Ann")
    promote(chat, dora, people.MEMBER)
    with pytest.raises(Forbidden):
        do(chat, lambda transaction: moderation.ban(transaction, dora, ann))


def test_who_is_refused_is_told_why_in_words(chat: Services) -> None:
    ann = arrive(chat, "Ann")
    for act, rule in RULES.items():
        with chat.db.read() as connection:
            if not permissions.may(connection, ann, act, find(chat, ann)):
                with pytest.raises(Forbidden) as refused:
                    permissions.require(connection, ann, act, find(chat, ann))
                assert refused.value.reason == rule.reason
                assert refused.value.reason.endswith(".")


@pytest.mark.parametrize(
    ("makers", "makes"), [("guest", RANKS[1:]), ("member", RANKS[2:]), ("moderator", RANKS[3:])], ids=str
)
def test_the_owner_says_who_makes_rooms(
    chat: Services, cast: dict[tuple[str, int], Person], makers: str, makes: tuple[str, ...]
) -> None:
    do(chat, lambda transaction: settings.change(transaction, {"room_makers": makers}))
    with chat.db.read() as connection:
        found = {role for role in RANKS if permissions.may(connection, cast[role, 0], "room.create")}
    assert found == set(makes)


def test_in_a_lockdown_guests_say_nothing_and_members_go_on(
    chat: Services, cast: dict[tuple[str, int], Person]
) -> None:
    do(chat, lambda transaction: settings.change(transaction, {"lockdown": True}))
    lobby = find(chat, cast["guest", 0])
    with chat.db.read() as connection:
        refused = {act for act in RULES if permissions.why_not(connection, cast["guest", 0], act, lobby)}
        speaking = {act for act, rule in RULES.items() if rule.speaks}
        assert speaking == {
            "message.edit",
            "message.post",
            "room.create",
            "member.add",
            "conversation.begin",
            "invitation.room",
        }
        assert speaking <= refused
        assert permissions.may(connection, cast["guest", 0], "message.report", lobby)
        assert all(permissions.may(connection, cast["member", 0], act, lobby) for act in speaking)


def test_who_is_muted_says_nothing_by_rooms_conversations_or_invitations_either(chat: Services) -> None:
    ann, dora, bob = arrive(chat, "Ann", people.MODERATOR), arrive(chat, "Dora", people.OWNER), arrive(chat, "Bob")
    garden = room_of(chat, bob, "Garden")
    enter(chat, garden, ann)
    speaking = {act for act, rule in RULES.items() if rule.speaks}

    def refused(who: Person, room: Room | None) -> set[str]:
        with chat.db.read() as connection:
            return {act for act in speaking if "muted" in (permissions.why_not(connection, who, act, room) or "")}

    do(chat, lambda transaction: moderation.mute(transaction, dora, bob, room=garden))
    assert refused(bob, garden) == speaking
    assert not refused(bob, None) | refused(bob, find(chat, bob)), "he is muted in one room alone"
    do(chat, lambda transaction: moderation.mute(transaction, dora, bob))
    assert refused(bob, None) == refused(bob, find(chat, bob)) == speaking
    assert not refused(ann, garden)


def test_without_guests_they_only_look_even_where_they_own_a_room(chat: Services) -> None:
    ann = arrive(chat, "Ann")
    place = room_of(chat, ann, "Ann’s")
    do(chat, lambda transaction: settings.change(transaction, {"guests": False}))
    with chat.db.read() as connection:
        allowed = {act for act in RULES if permissions.may(connection, ann, act, place)}
    assert allowed == {"message.report"}, "who is annoyed may always say so"


def test_who_left_a_room_that_they_owned_has_no_say_in_it(chat: Services) -> None:
    ann = arrive(chat, "Ann")
    place = room_of(chat, ann, "Ann’s")
    do(chat, lambda transaction: memberships.remove(transaction, place, ann))
    with chat.db.read() as connection:
        assert not permissions.may(connection, ann, "room.change", place)


def test_the_docs_have_the_same_table() -> None:
    rows = re.findall(r"^\| `([a-z_.]+)` \|[^|]*\| (\w+) \|([^|\n]*)\|$", DOCS.read_text(), re.MULTILINE)
    written = {act: (rank, who.strip()) for act, rank, who in rows}
    assert written == {
        act: (
            rule.rank,
            "the room’s owner" if rule.in_room else "only inside" if rule.inside else "",
        )
        for act, rule in RULES.items()
    }
