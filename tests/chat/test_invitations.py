"""Links that let somebody into a room, or into the chat."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import update

from flask_chat.chat import (
    audit,
    conversations,
    invitations,
    members,
    memberships,
    people,
    restrictions,
    rooms,
    sessions,
    settings,
    upkeep,
)
from flask_chat.chat.errors import Forbidden, Invalid, NotFound
from flask_chat.chat.invitations import OVER, Made, invitation
from flask_chat.chat.people import Person
from flask_chat.chat.rooms import Room
from flask_chat.db import Transaction
from flask_chat.http.services import Services


def arrive(chat: Services, name: str, role: str = people.GUEST) -> Person:
    return chat.db.write(lambda transaction: people.add(transaction, name, role))


def attic(chat: Services, owner: Person) -> Room:
    return chat.db.write(lambda transaction: upkeep.create(transaction, owner, "Attic", rooms.PRIVATE))


def invite(chat: Services, who: Person, slug: object = None, uses: object = None, expires_in: object = None) -> Made:
    return chat.db.write(lambda transaction: invitations.invite(transaction, who, slug, uses, expires_in))


def accept(chat: Services, who: Person, made: Made) -> Room | None:
    return chat.db.write(lambda transaction: invitations.accept(transaction, who, made.token))


def revoke(chat: Services, who: Person, id: int) -> None:
    chat.db.write(lambda transaction: invitations.revoke(transaction, who, id))


def uses(chat: Services, made: Made) -> int:
    with chat.db.read() as connection:
        return invitations.find(connection, made.token).uses


def is_over(chat: Services, token: str) -> bool:
    """Whether a token is said to be no good, in the words that all are."""
    with chat.db.read() as connection, pytest.raises(NotFound) as refused:
        invitations.find(connection, token)
    return refused.value.reason == OVER


def test_who_is_invited_into_a_private_room_is_in_it(chat: Services) -> None:
    ann, bob = arrive(chat, "Ann"), arrive(chat, "Bob")
    room = attic(chat, ann)
    made = invite(chat, ann, room.slug)
    with chat.db.read() as connection:
        assert invitations.find(connection, made.token) == made.invitation
    assert uses(chat, made) == 0, "looking uses nothing up"
    assert accept(chat, bob, made) == room
    assert accept(chat, bob, made) == room
    assert uses(chat, made) == 1, "who is in the room uses nothing up"
    with chat.db.read() as connection:
        assert rooms.for_member(connection, bob, room.slug) == room


def test_an_invitation_into_the_chat_is_used_by_those_who_are_new(chat: Services) -> None:
    ann, bob = arrive(chat, "Ann", people.MEMBER), arrive(chat, "Bob")
    made = invite(chat, ann)
    assert accept(chat, bob, made) is None
    assert uses(chat, made) == 0

    def come(transaction: Transaction) -> None:
        invitations.accept(transaction, people.add(transaction, "Cleo"), made.token)

    chat.db.write(come)
    assert uses(chat, made) == 1


@pytest.mark.parametrize("joining", ["invited", "approval"])
def test_where_not_everybody_may_join_a_guest_lets_nobody_new_in(chat: Services, joining: str) -> None:
    ann, bob, cleo = arrive(chat, "Ann"), arrive(chat, "Bob"), arrive(chat, "Cleo", people.MEMBER)
    room = attic(chat, ann)
    guests = invite(chat, ann, room.slug)
    chat.db.write(lambda transaction: memberships.add(transaction, room, cleo))
    members = invite(chat, cleo, room.slug)
    chat.db.write(lambda transaction: settings.change(transaction, {"joining": joining}))

    def come(name: str, made: Made) -> None:
        def change(transaction: Transaction) -> None:
            who, _ = sessions.begin(transaction, name, invited=True)
            invitations.accept(transaction, who, made.token)

        chat.db.write(change)

    with pytest.raises(Forbidden):
        come("Mallory", guests)
    with chat.db.read() as connection:
        assert people.named(connection, "Mallory") is None, "nor does anybody get a name"
    come("Dora", members)
    assert accept(chat, bob, guests) == room, "who is here already comes in"


def test_the_token_is_kept_by_nobody(chat: Services) -> None:
    ann = arrive(chat, "Ann")
    made = invite(chat, ann, attic(chat, ann).slug)
    with chat.db.read() as connection:
        rows = connection.exec_driver_sql("SELECT * FROM invitation").all()
    assert made.token not in repr(rows)
    assert len(made.token) >= 43, "256 bits"


def test_two_who_come_at_once_by_the_last_use_are_one(chat: Services) -> None:
    ann = arrive(chat, "Ann")
    room = attic(chat, ann)
    made = invite(chat, ann, room.slug, 1)
    guests = [arrive(chat, name) for name in ("Bob", "Cleo", "Dora", "Mallory")]

    def come(guest: Person) -> bool:
        try:
            accept(chat, guest, made)
        except NotFound:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(come, guests)) == 1
    with chat.db.read() as connection:
        assert members.count(connection, room) == 2


def test_one_that_is_over_cannot_be_told_from_one_that_never_was(chat: Services) -> None:
    ann, bob = arrive(chat, "Ann"), arrive(chat, "Bob")
    room = attic(chat, ann)
    expired, revoked, used, left = (invite(chat, ann, room.slug, 1, 60) for _ in range(4))
    chat.db.write(
        lambda transaction: transaction.connection.execute(
            update(invitation).where(invitation.c.id == expired.invitation.id).values(expires_at=transaction.now)
        )
    )
    for _ in range(2):
        chat.db.write(lambda transaction: invitations.revoke(transaction, ann, revoked.invitation.id))
    accept(chat, bob, used)
    assert not [made for made in (expired, revoked, used) if not is_over(chat, made.token)]
    chat.db.write(lambda transaction: members.drop(transaction, ann, room.slug, "Ann"))
    assert is_over(chat, left.token), "who has left a room lets nobody else in"
    assert is_over(chat, "")
    assert is_over(chat, "x" * 100_000)
    assert is_over(chat, "\ud800")
    for made in (expired, revoked, used, left):
        with pytest.raises(NotFound):
            accept(chat, arrive(chat, f"Late {made.invitation.id}"), made)


def test_who_is_banned_lets_nobody_in(chat: Services) -> None:
    ann, owner = arrive(chat, "Ann", people.MEMBER), arrive(chat, "Bob", people.OWNER)
    made = invite(chat, ann)
    chat.db.write(lambda transaction: restrictions.add(transaction, restrictions.BAN, owner, person_id=ann.id))
    assert is_over(chat, made.token)


@pytest.mark.parametrize("wrong", [0, -1, 10_001, True, "5", 1.5, [1]])
def test_uses_are_a_number_of_people(chat: Services, wrong: object) -> None:
    ann = arrive(chat, "Ann")
    slug = attic(chat, ann).slug
    with pytest.raises(Invalid):
        invite(chat, ann, slug, wrong)


@pytest.mark.parametrize("wrong", [0, -1, 10**9, False, "60", 0.5])
def test_the_end_is_a_number_of_seconds_from_now(chat: Services, wrong: object) -> None:
    ann = arrive(chat, "Ann")
    slug = attic(chat, ann).slug
    with pytest.raises(Invalid):
        invite(chat, ann, slug, 1, wrong)


def test_only_those_inside_invite_and_outsiders_learn_nothing(chat: Services) -> None:
    ann, mallory = arrive(chat, "Ann"), arrive(chat, "Mallory")
    room = attic(chat, ann)
    words = []
    for slug in (room.slug, "attic-aaaaaa"):
        with pytest.raises(NotFound) as refused:
            invite(chat, mallory, slug)
        words.append(refused.value.reason)
    assert words[0] == words[1]
    chat.db.write(lambda transaction: upkeep.create(transaction, ann, "Kitchen"))
    with pytest.raises(Forbidden):
        invite(chat, mallory, "kitchen")
    with pytest.raises(Forbidden):
        invite(chat, mallory)
    with pytest.raises(Invalid):
        invite(chat, ann, 7)
    talk = chat.db.write(lambda transaction: conversations.begin(transaction, ann, ["Mallory"])).room
    with pytest.raises(Forbidden):
        invite(chat, ann, talk.slug)


def test_a_list_has_what_holds_and_a_moderator_sees_what_they_may_know_of(chat: Services) -> None:
    ann, dora = arrive(chat, "Ann"), arrive(chat, "Dora", people.MODERATOR)
    chat.db.write(lambda transaction: upkeep.create(transaction, ann, "Kitchen"))
    hidden, shown = invite(chat, ann, attic(chat, ann).slug), invite(chat, ann, "kitchen", 3, 60)
    own = invite(chat, dora)
    with chat.db.read() as connection:
        assert invitations.of(connection, ann) == [shown.invitation, hidden.invitation]
        assert invitations.of(connection, dora) == [own.invitation]
        assert invitations.of(connection, dora, everybodys=True) == [own.invitation, shown.invitation]
        with pytest.raises(Forbidden):
            invitations.of(connection, ann, everybodys=True)


def test_a_moderator_ends_what_they_may_see_and_it_is_written_down(chat: Services) -> None:
    ann, bob, dora = arrive(chat, "Ann"), arrive(chat, "Bob"), arrive(chat, "Dora", people.MODERATOR)
    chat.db.write(lambda transaction: upkeep.create(transaction, ann, "Kitchen"))
    hidden, shown = invite(chat, ann, attic(chat, ann).slug), invite(chat, ann, "kitchen")
    for who, id in ((bob, shown.invitation.id), (dora, hidden.invitation.id), (dora, 10**30), (ann, 999)):
        with pytest.raises(NotFound):
            revoke(chat, who, id)
    revoke(chat, dora, shown.invitation.id)
    assert is_over(chat, shown.token)
    with chat.db.read() as connection:
        assert [(each.action, each.actor, each.person, each.room) for each in audit.page(connection)] == [
            ("invitation.revoke", "Dora", "Ann", "Kitchen")
        ]
