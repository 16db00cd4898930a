"""Recovery codes: shown once, each used once."""

from __future__ import annotations

import hashlib
import threading

import pytest
from sqlalchemy import select

from flask_chat.chat import recovery
from flask_chat.db import metadata
from flask_chat.http.services import Services

from .proving import joined


def codes(chat: Services, person_id: int) -> list[str]:
    return chat.db.write(lambda transaction: recovery.renew(transaction, person_id))


def use(chat: Services, person_id: int, text: str) -> bool:
    code = recovery.written(text)
    return code is not None and chat.db.write(lambda transaction: recovery.use_up(transaction, person_id, code))


def left(chat: Services, person_id: int) -> int:
    with chat.db.read() as connection:
        return recovery.left(connection, person_id)


def test_ten_codes_are_made_and_each_works_once(chat: Services) -> None:
    ann = joined(chat, "Ann").id
    made = codes(chat, ann)
    assert len(set(made)) == 10
    assert use(chat, ann, made[3])
    assert not use(chat, ann, made[3])
    assert left(chat, ann) == 9


def test_a_code_is_its_own_persons(chat: Services) -> None:
    ann, bob = joined(chat, "Ann").id, joined(chat, "Bob").id
    made = codes(chat, ann)
    assert not use(chat, bob, made[0])
    assert use(chat, ann, made[0])


def test_new_codes_put_the_old_ones_out_of_use(chat: Services) -> None:
    ann = joined(chat, "Ann").id
    old, new = codes(chat, ann), codes(chat, ann)
    assert not any(use(chat, ann, code) for code in old)
    assert all(use(chat, ann, code) for code in new)


def test_two_who_use_one_code_at_once_are_one(chat: Services) -> None:
    ann = joined(chat, "Ann").id
    code = codes(chat, ann)[0]
    worked: list[bool] = []
    threads = [threading.Thread(target=lambda: worked.append(use(chat, ann, code))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(worked) == [False] * 7 + [True]


@pytest.mark.parametrize(
    "change",
    [str.lower, lambda code: code.replace("-", ""), lambda code: f" {code} ", lambda code: code.replace("-", " ")],
)
def test_a_code_is_taken_however_it_is_written(chat: Services, change: object) -> None:
    assert callable(change)
    ann = joined(chat, "Ann").id
    assert use(chat, ann, change(codes(chat, ann)[0]))


def test_letters_that_look_like_digits_are_read_as_those() -> None:
    assert recovery.written("OIL0-0000-0000-0000") == "0110000000000000"


@pytest.mark.parametrize(
    "text", ["", "correct horse battery", "0" * 15, "0" * 17, "UUUU-UUUU-UUUU-UUUU", "٠" * 16, "0" * 100_000]
)
def test_what_is_no_code_is_none(text: str) -> None:
    assert recovery.written(text) is None


def test_codes_are_kept_only_as_hashes(chat: Services) -> None:
    made = codes(chat, joined(chat, "Ann").id)
    with chat.db.read() as connection:
        dump = [value for table in metadata.sorted_tables for row in connection.execute(select(table)) for value in row]
    assert not any(code in dump or code.replace("-", "") in dump for code in made)
    assert hashlib.sha256(made[0].replace("-", "").encode()).digest() in dump
