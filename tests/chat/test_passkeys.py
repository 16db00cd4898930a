"""Passkeys: kept for one person, used once for each challenge. What a device answers is tested at the door."""

from __future__ import annotations

import secrets

import pytest

from flask_chat.chat import passkeys
from flask_chat.chat.errors import Conflict, Invalid, NotFound
from flask_chat.chat.passkeys import New, Party, PasskeyShown
from flask_chat.chat.people import Person
from flask_chat.http.services import Services

from .proving import claimed, joined

PARTY = Party("chat.test", "https://chat.test")


def add(chat: Services, who: Person, id: bytes = b"one") -> int:
    chat.db.write(lambda transaction: passkeys.add(transaction, who, New(id, b"key", 0), "Phone", 0))
    return listed(chat, who)[-1].id


def listed(chat: Services, who: Person) -> list[passkeys.Listed]:
    with chat.db.read() as connection:
        return passkeys.of(connection, who.id)


def use(chat: Services, who: Person, id: int, challenged_at: int, before: int = 0, after: int = 0) -> bool:
    shown = PasskeyShown(who, id, after, challenged_at, before)
    return chat.db.write(shown.holds)


def test_a_passkey_is_listed_with_its_last_use(chat: Services) -> None:
    ann = joined(chat, "Ann")
    id = add(chat, ann)
    assert [(each.name, each.used_at) for each in listed(chat, ann)] == [("Phone", None)]
    assert use(chat, ann, id, 1)
    assert listed(chat, ann)[0].used_at is not None


def test_a_challenge_from_before_the_last_use_counts_for_nothing(chat: Services) -> None:
    ann = joined(chat, "Ann")
    id = add(chat, ann)
    assert use(chat, ann, id, 1)
    assert not use(chat, ann, id, 1)
    used_at = listed(chat, ann)[0].used_at
    assert used_at is not None
    assert not use(chat, ann, id, used_at)
    assert use(chat, ann, id, used_at + 1)


def test_a_count_that_moved_meanwhile_counts_for_nothing(chat: Services) -> None:
    ann = joined(chat, "Ann")
    id = add(chat, ann)
    assert use(chat, ann, id, 1, before=0, after=7)
    assert not use(chat, ann, id, 2**50, before=0, after=8)
    assert use(chat, ann, id, 2**50, before=7, after=8)


def test_one_passkey_is_kept_once(chat: Services) -> None:
    ann, bob = joined(chat, "Ann"), joined(chat, "Bob")
    add(chat, ann)
    for who in (ann, bob):
        with pytest.raises(Conflict):
            add(chat, who)


def test_a_passkey_is_removed_by_its_person_unless_it_is_their_only_proof(chat: Services) -> None:
    ann, bob = joined(chat, "Ann"), claimed(chat, "Bob")
    anns, bobs = add(chat, ann), add(chat, bob, b"other")
    with pytest.raises(NotFound):
        chat.db.write(lambda transaction: passkeys.remove(transaction, bob.id, anns))
    with pytest.raises(Conflict):
        chat.db.write(lambda transaction: passkeys.remove(transaction, ann.id, anns))
    assert listed(chat, ann), "what is refused changes nothing"
    chat.db.write(lambda transaction: passkeys.remove(transaction, bob.id, bobs))
    assert not listed(chat, bob)


def test_nobody_has_more_passkeys_than_are_of_use(chat: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passkeys, "MOST", 1)
    ann = joined(chat, "Ann")
    add(chat, ann)
    with chat.db.read() as connection, pytest.raises(Invalid):
        passkeys.creation_options(connection, ann, PARTY, "Chat", secrets.token_bytes(32))
