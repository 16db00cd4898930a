"""Passwords: hard to guess, easy to choose, and never kept as they are."""

from __future__ import annotations

import threading
import time
import unicodedata

import pytest

from flask_chat.chat import passwords
from flask_chat.chat.errors import Busy, Invalid, TooLong
from flask_chat.http.services import Services

from .proving import GOOD, claimed, counted


@pytest.mark.parametrize("text", ["", "password", "Passw0rd!", "12345678901234", "aaaaaaaaaaaaaaaaaaaa", "qwertzuiop"])
def test_what_is_easy_to_guess_is_refused_with_the_reason(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        passwords.check(text)
    assert refused.value.reason.endswith(".")


def test_names_that_everybody_here_knows_make_no_password() -> None:
    assert passwords.check("Gartenlaube17")
    with pytest.raises(Invalid):
        passwords.check("Gartenlaube17", "Wilhelmine", "Die Gartenlaube")


@pytest.mark.parametrize(
    "text", [GOOD, "korrekt pferd batterie", "п ять семь три шкафа", "🐎🔋📎 horse battery", "x7#kQ!m2vT"]
)
def test_there_are_no_rules_of_composition(text: str) -> None:
    assert passwords.check(text) == text


def test_a_password_is_the_same_from_every_keyboard() -> None:
    composed = "\u00c5ngstr\u00f6m l\u00e4uft weiter"
    apart = unicodedata.normalize("NFD", composed)
    assert composed != apart
    assert passwords.fits(passwords.make(passwords.check(apart)), composed)


def test_a_password_has_a_greatest_length_and_all_of_it_counts() -> None:
    with pytest.raises(TooLong):
        passwords.check("x" * 1_025)
    long = (GOOD * 60)[:1_024]
    hash = passwords.make(passwords.check(long))
    assert passwords.fits(hash, long)
    assert not passwords.fits(hash, long[:-1])
    assert not passwords.fits(hash, long + "x")


def test_a_password_that_cannot_be_kept_is_refused_and_fits_nothing() -> None:
    with pytest.raises(Invalid):
        passwords.check(f"{GOOD}\ud800")
    with pytest.raises(Invalid):
        passwords.fits(None, "\ud800")


def test_it_is_kept_as_argon2id_and_differently_for_everybody() -> None:
    one, other = passwords.make(GOOD), passwords.make(GOOD)
    assert one.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert one != other
    assert len(one) <= 200


def test_only_somebodys_own_password_is_theirs(chat: Services) -> None:
    ann, bob = claimed(chat, "Ann"), claimed(chat, "Bob", "another few good words")
    assert passwords.verify(chat.db, ann.id, GOOD)
    assert not passwords.verify(chat.db, bob.id, GOOD)
    assert not passwords.verify(chat.db, 999, GOOD)
    assert not passwords.verify(chat.db, ann.id, "")


def test_who_has_no_password_takes_as_much_work_as_who_has_one(monkeypatch: pytest.MonkeyPatch) -> None:
    hash = passwords.make(GOOD)
    worked = counted(monkeypatch)
    assert not passwords.fits(None, GOOD)
    assert not passwords.fits(hash, "wrong")
    assert [each.rpartition("$")[0].rpartition("$")[0] for each in worked] == ["$argon2id$v=19$m=19456,t=2,p=1"] * 2


def test_nobodys_hash_lets_nobody_in() -> None:
    assert not passwords.fits(None, "nobody has it")


def test_few_are_hashed_at_once_and_who_waits_too_long_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "PATIENCE", 0.05)
    inside, go_on = threading.Semaphore(0), threading.Event()

    def slow(hash: str, plain: str) -> bool:
        inside.release()
        return go_on.wait(10)

    monkeypatch.setattr(passwords, "_right", slow)
    threads = [threading.Thread(target=passwords.fits, args=("x", "y")) for _ in range(passwords.AT_ONCE)]
    for thread in threads:
        thread.start()
    for _ in threads:
        assert inside.acquire(timeout=10)
    began = time.monotonic()
    with pytest.raises(Busy):
        passwords.fits("x", "y")
    assert time.monotonic() - began < 5
    go_on.set()
    for thread in threads:
        thread.join()
    assert passwords.fits("x", "y"), "the turns were given back"
