"""Claiming a name: a guest is a member from then on."""

from __future__ import annotations

from flask_chat.chat import credentials, people, recovery, sessions
from flask_chat.events import Event
from flask_chat.http.services import Services

from .proving import GOOD, claimed, joined, set_password


def role(chat: Services, name: str) -> str:
    with chat.db.read() as connection:
        return people.find(connection, name).role


def test_who_claims_their_name_is_a_member_and_is_told_once(chat: Services) -> None:
    told: list[Event] = []
    ann = joined(chat, "Ann")
    chat.db.listeners.append(told.extend)
    assert role(chat, "Ann") == people.GUEST
    set_password(chat, ann, GOOD)
    set_password(chat, ann, "another few good words")
    assert role(chat, "Ann") == people.MEMBER
    assert [(event.type, event.person_id, event.subject_id) for event in told] == [("person.claimed", ann.id, ann.id)]


def test_a_session_in_memory_learns_that_its_person_is_a_member(chat: Services) -> None:
    ann, token = chat.db.write(lambda transaction: sessions.begin(transaction, "Ann"))
    before = chat.sessions.find(token)
    assert before is not None
    assert before.person.role == people.GUEST
    set_password(chat, ann, GOOD)
    after = chat.sessions.find(token)
    assert after is not None
    assert after.person.role == people.MEMBER


def test_an_owner_who_claims_their_name_stays_the_owner(chat: Services) -> None:
    ann = joined(chat, "Ann")
    chat.db.write(lambda transaction: people.appoint_owner(transaction, ann))
    set_password(chat, ann, GOOD)
    assert role(chat, "Ann") == people.OWNER


def test_what_somebody_can_prove_their_name_with_is_known(chat: Services) -> None:
    ann, bob = claimed(chat, "Ann"), joined(chat, "Bob")
    chat.db.write(lambda transaction: recovery.renew(transaction, ann.id))
    with chat.db.read() as connection:
        assert credentials.held(connection, ann.id) == credentials.Held(True, True, 0, 10, 0)
        assert credentials.held(connection, bob.id) == credentials.Held(False, False, 0, 0, 0)


def test_who_leaves_takes_their_proofs_along_and_nobody_elses(chat: Services) -> None:
    ann, bob = claimed(chat, "Ann"), claimed(chat, "Bob")
    chat.db.write(lambda transaction: credentials.drop(transaction, ann.id))
    with chat.db.read() as connection:
        assert not credentials.held(connection, ann.id).password
        assert credentials.held(connection, bob.id).password
