"""Proofs: a name and a secret belong together, or nothing is said of why not."""

from __future__ import annotations

import pytest

from flask_chat.chat import proofs, recovery, restrictions, sessions
from flask_chat.chat.errors import Forbidden, Unproven
from flask_chat.http.services import Services

from .proving import GOOD, claimed, counted, joined, set_password


def sign_in(chat: Services, name: str, secret: str) -> str:
    proof = proofs.look(chat.db, name, secret)
    return chat.db.write(lambda transaction: proofs.begin(transaction, proof))[1]


def test_a_password_signs_in_anywhere_with_a_session_of_its_own(chat: Services) -> None:
    ann = claimed(chat, "Ann")
    one, other = sign_in(chat, "Ann", GOOD), sign_in(chat, " ann", GOOD)
    assert one != other
    for token in (one, other):
        session = chat.sessions.find(token)
        assert session is not None
        assert session.person.id == ann.id
        with chat.db.read() as connection:
            assert sessions.proved(connection, session.id)


def test_a_session_without_a_proof_has_none(chat: Services) -> None:
    _, token = chat.db.write(lambda transaction: sessions.begin(transaction, "Ann"))
    session = chat.sessions.find(token)
    assert session is not None
    with chat.db.read() as connection:
        assert not sessions.proved(connection, session.id)


def test_a_recovery_code_signs_in_once(chat: Services) -> None:
    ann = joined(chat, "Ann")
    code = chat.db.write(lambda transaction: recovery.renew(transaction, ann.id))[0]
    assert chat.sessions.find(sign_in(chat, "Ann", code)) is not None
    with pytest.raises(Unproven):
        sign_in(chat, "Ann", code)


def test_a_code_that_two_have_looked_at_signs_one_of_them_in(chat: Services) -> None:
    ann = joined(chat, "Ann")
    code = chat.db.write(lambda transaction: recovery.renew(transaction, ann.id))[0]
    one, other = (proofs.look(chat.db, "Ann", code) for _ in range(2))
    chat.db.write(lambda transaction: proofs.begin(transaction, one))
    with pytest.raises(Unproven):
        chat.db.write(lambda transaction: proofs.begin(transaction, other))


def test_a_password_that_is_changed_meanwhile_signs_nobody_in(chat: Services) -> None:
    ann = claimed(chat, "Ann")
    proof = proofs.look(chat.db, "Ann", GOOD)
    set_password(chat, ann, "another few good words")
    with pytest.raises(Unproven):
        chat.db.write(lambda transaction: proofs.begin(transaction, proof))


@pytest.mark.parametrize(
    ("name", "secret"),
    [
        ("Ann", "wrong"),
        ("Ann", ""),
        ("Ann", "0000-0000-0000-0000"),
        ("Bob", GOOD),
        ("Bob", ""),
        ("Nobody", GOOD),
        ("lobby", GOOD),
        ("", GOOD),
        ("\u202e", GOOD),
        ("x" * 10_000, GOOD),
    ],
)
def test_the_words_and_the_work_are_the_same_whatever_is_wrong(
    chat: Services, monkeypatch: pytest.MonkeyPatch, name: str, secret: str
) -> None:
    claimed(chat, "Ann")
    joined(chat, "Bob")
    worked = counted(monkeypatch)
    with pytest.raises(Unproven) as refused:
        proofs.look(chat.db, name, secret)
    assert refused.value.reason == proofs.WRONG
    assert len(worked) == 1


def test_who_is_banned_is_told_so_only_with_a_right_password(chat: Services) -> None:
    ann, owner = claimed(chat, "Ann"), joined(chat, "Dora")
    chat.db.write(lambda transaction: restrictions.add(transaction, restrictions.BAN, owner, person_id=ann.id))
    with pytest.raises(Unproven):
        sign_in(chat, "Ann", "wrong")
    with pytest.raises(Forbidden, match="banned"):
        sign_in(chat, "Ann", GOOD)


def test_another_persons_proof_proves_nothing_in_my_session(chat: Services) -> None:
    claimed(chat, "Ann")
    bob = claimed(chat, "Bob", "another few good words")
    session = chat.sessions.find(sign_in(chat, "Bob", "another few good words"))
    assert session is not None
    proof = proofs.look(chat.db, "Ann", GOOD)
    with pytest.raises(Unproven):
        chat.db.write(lambda transaction: proofs.renew(transaction, proof, session.id, bob.id))
