"""Roles: given, taken back and handed over by the owner, and in force on every node with the event that says so."""

from __future__ import annotations

import pytest

from flask_chat.chat import audit, memberships, people, roles, sessions, settings
from flask_chat.chat.errors import Forbidden, Invalid
from flask_chat.chat.people import Person
from flask_chat.http.services import Services

from .people_here import again, arrive, do, find, listen


@pytest.fixture
def eve(chat: Services) -> Person:
    """The chat is hers."""
    return arrive(chat, "Eve", people.OWNER)


def test_the_owner_makes_moderators_and_takes_it_back(chat: Services, eve: Person) -> None:
    ann, told = arrive(chat, "Ann"), listen(chat)
    do(chat, lambda transaction: roles.appoint(transaction, eve, ann, moderator=True))
    assert again(chat, ann).role == "moderator"
    later = again(chat, ann)
    do(chat, lambda transaction: roles.appoint(transaction, eve, later, moderator=False))
    assert again(chat, ann).role == "guest"
    assert [(each.type, each.subject_id) for each in told] == [("role.changed", ann.id)] * 2


def test_nobody_else_does(chat: Services, eve: Person) -> None:
    dora, ann = arrive(chat, "Dora", people.MODERATOR), arrive(chat, "Ann")
    for who in (dora, ann):
        with pytest.raises(Forbidden):
            do(chat, lambda transaction, who=who: roles.appoint(transaction, who, ann, moderator=True))  # type: ignore[misc]
        with pytest.raises(Forbidden):
            do(chat, lambda transaction, who=who: roles.hand_over(transaction, who, ann))  # type: ignore[misc]
    with pytest.raises(Invalid):
        do(chat, lambda transaction: roles.appoint(transaction, eve, eve, moderator=False))


def test_the_chat_is_handed_over_and_has_one_owner(chat: Services, eve: Person) -> None:
    ann = arrive(chat, "Ann")
    do(chat, lambda transaction: roles.hand_over(transaction, eve, ann))
    assert (again(chat, ann).role, again(chat, eve).role) == ("owner", "moderator")
    with chat.db.read() as connection:
        assert [entry.action for entry in audit.page(connection)] == ["owner.hand_over"]


def test_who_has_handed_it_over_does_not_do_so_again(chat: Services, eve: Person) -> None:
    ann, bob = arrive(chat, "Ann"), arrive(chat, "Bob")
    do(chat, lambda transaction: roles.hand_over(transaction, eve, ann))
    with pytest.raises(Forbidden):
        do(chat, lambda transaction: roles.hand_over(transaction, eve, bob))
    assert [again(chat, each).role for each in (ann, bob, eve)] == ["owner", "guest", "moderator"]


def test_a_new_role_counts_from_the_next_request(chat: Services, eve: Person) -> None:
    ann, token = do(chat, lambda transaction: sessions.begin(transaction, "Ann"))
    found = chat.sessions.find(token)
    assert found is not None
    assert found.person.role == "guest"
    do(chat, lambda transaction: roles.appoint(transaction, eve, ann, moderator=True))
    found = chat.sessions.find(token)
    assert found is not None
    assert found.person.role == "moderator"


def test_who_asks_to_join_is_let_in_by_a_moderator(chat: Services) -> None:
    dora = arrive(chat, "Dora", people.MODERATOR)
    do(chat, lambda transaction: settings.change(transaction, {"joining": "approval"}))
    ann, _ = do(chat, lambda transaction: sessions.begin(transaction, "Ann"))
    assert ann.role == "applicant"
    with chat.db.read() as connection:
        assert memberships.room_ids(connection, ann.id) == frozenset()
    with pytest.raises(Forbidden):
        do(chat, lambda transaction: roles.admit(transaction, ann, ann))
    do(chat, lambda transaction: roles.admit(transaction, dora, ann))
    assert again(chat, ann).role == "guest"
    assert find(chat, ann).slug == "lobby"
    told = listen(chat)
    later = again(chat, ann)
    do(chat, lambda transaction: roles.admit(transaction, dora, later))
    assert not told
