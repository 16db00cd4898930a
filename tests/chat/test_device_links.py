"""Device links: two minutes, one use."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import select, update

from flask_chat.chat import device_links, sessions
from flask_chat.chat.credentials import device_link
from flask_chat.chat.errors import NotFound
from flask_chat.chat.people import Person
from flask_chat.db import metadata
from flask_chat.http.services import Services

from .proving import joined


def make(chat: Services, who: Person) -> str:
    return chat.db.write(lambda transaction: device_links.make(transaction, who))


def use(chat: Services, token: str) -> str:
    return chat.db.write(lambda transaction: device_links.use(transaction, token))[1]


def age(chat: Services, milliseconds: int) -> None:
    chat.db.write(
        lambda transaction: transaction.connection.execute(
            update(device_link).values(created_at=transaction.now - milliseconds)
        )
    )


def test_a_link_signs_another_device_in_as_its_maker(chat: Services) -> None:
    ann = joined(chat, "Ann")
    session = chat.sessions.find(use(chat, make(chat, ann)))
    assert session is not None
    assert session.person == ann


def test_a_link_works_once_even_for_two_at_once(chat: Services) -> None:
    token = make(chat, joined(chat, "Ann"))
    worked: list[bool] = []

    def attempt() -> None:
        try:
            use(chat, token)
        except NotFound:
            worked.append(False)
        else:
            worked.append(True)

    threads = [threading.Thread(target=attempt) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(worked) == [False] * 7 + [True]


@pytest.mark.parametrize(("milliseconds", "works"), [(100_000, True), (130_000, False), (-130_000, False)])
def test_a_link_works_for_two_minutes_wherever_the_clock_is_set(chat: Services, milliseconds: int, works: bool) -> None:
    token = make(chat, joined(chat, "Ann"))
    age(chat, milliseconds)
    if works:
        assert use(chat, token)
    else:
        with pytest.raises(NotFound):
            use(chat, token)


def test_only_the_newest_link_of_a_person_works(chat: Services) -> None:
    ann, bob = joined(chat, "Ann"), joined(chat, "Bob")
    old, bobs, new = make(chat, ann), make(chat, bob), make(chat, ann)
    with pytest.raises(NotFound):
        use(chat, old)
    assert use(chat, new)
    assert use(chat, bobs)


@pytest.mark.parametrize("token", ["", "x", "\ud800", "x" * 100_000])
def test_a_forged_link_is_nobodys(chat: Services, token: str) -> None:
    make(chat, joined(chat, "Ann"))
    with pytest.raises(NotFound):
        use(chat, token)


def test_a_link_ends_with_the_sessions_that_its_maker_ends(chat: Services) -> None:
    ann = joined(chat, "Ann")
    mine = use(chat, make(chat, ann))
    kept = chat.sessions.find(mine)
    assert kept is not None
    use(chat, make(chat, ann))
    token = make(chat, ann)
    chat.db.write(lambda transaction: sessions.revoke_all(transaction, ann.id, keep=kept.id))
    with pytest.raises(NotFound):
        use(chat, token)


def test_a_link_ends_with_all_other_sessions_even_if_there_are_none(chat: Services) -> None:
    ann = joined(chat, "Ann")
    kept = chat.sessions.find(use(chat, make(chat, ann)))
    assert kept is not None
    chat.db.write(lambda transaction: sessions.revoke_all(transaction, ann.id, keep=kept.id))
    token = make(chat, ann)
    chat.db.write(lambda transaction: sessions.revoke_all(transaction, ann.id, keep=kept.id))
    with pytest.raises(NotFound):
        use(chat, token)


def test_a_link_is_kept_only_as_its_hash(chat: Services) -> None:
    token = make(chat, joined(chat, "Ann"))
    with chat.db.read() as connection:
        dump = [value for table in metadata.sorted_tables for row in connection.execute(select(table)) for value in row]
    assert token not in dump
