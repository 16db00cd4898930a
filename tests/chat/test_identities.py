"""Identities: one at a provider is one person here."""

from __future__ import annotations

import pytest

from flask_chat.chat import identities, people, proofs
from flask_chat.chat.errors import Conflict, Unproven
from flask_chat.chat.identities import Identity, IdentityShown
from flask_chat.chat.people import Person
from flask_chat.http.services import Services

from .proving import joined

ANN = Identity("https://id.test", "ann-1")


def link(chat: Services, who: Person, identity: Identity) -> None:
    chat.db.write(lambda transaction: identities.link(transaction, who, identity))


def bearer(chat: Services, identity: Identity) -> Person | None:
    with chat.db.read() as connection:
        return identities.bearer(connection, identity)


def test_an_identity_is_found_by_its_provider_and_what_that_knows_it_as(chat: Services) -> None:
    ann = joined(chat, "Ann")
    link(chat, ann, ANN)
    link(chat, ann, ANN)
    found = bearer(chat, ANN)
    assert found is not None
    assert (found.id, found.role) == (ann.id, people.MEMBER)
    assert bearer(chat, Identity("https://id.test", "ann-2")) is None
    assert bearer(chat, Identity("https://other.test", "ann-1")) is None


def test_an_identity_is_one_persons(chat: Services) -> None:
    link(chat, joined(chat, "Ann"), ANN)
    bob = joined(chat, "Bob")
    with pytest.raises(Conflict):
        link(chat, bob, ANN)
    link(chat, bob, Identity("https://id.test", "bob-1"))


def test_an_identity_proves_the_name_of_its_bearer_only(chat: Services) -> None:
    ann, bob = joined(chat, "Ann"), joined(chat, "Bob")
    link(chat, ann, ANN)
    person, token = chat.db.write(lambda transaction: proofs.begin(transaction, IdentityShown(ann, ANN)))
    assert person == ann
    assert chat.sessions.find(token) is not None
    with pytest.raises(Unproven):
        chat.db.write(lambda transaction: proofs.begin(transaction, IdentityShown(bob, ANN)))


def test_what_a_provider_may_know_somebody_as_is_kept_whole(chat: Services) -> None:
    long = Identity("https://id.test/" + "x" * 239, "y" * 255)
    ann = joined(chat, "Ann")
    link(chat, ann, long)
    found = bearer(chat, long)
    assert found is not None
    assert found.id == ann.id
