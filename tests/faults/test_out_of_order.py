"""Many write to one log at the same time, and some take their time over it: readers by cursor miss nothing."""

from __future__ import annotations

import itertools
import random
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from typing import Any

import psycopg
import pytest
from sqlalchemy import select

from flask_chat import schema
from flask_chat.chat import feed, messages, rooms, sessions
from flask_chat.chat.feed import Audience
from flask_chat.chat.messages import Posted
from flask_chat.chat.people import Person
from flask_chat.chat.rooms import LOBBY
from flask_chat.chat.sessions import Session
from flask_chat.db import Database, Transaction
from flask_chat.db.postgresql import LOG_LOCK, PostgreSQL
from flask_chat.events import Epochs, event, last_id

from ..engines import Postgres
from ..figures import Tell

WRITERS, TALKERS, AT_ONCE, SLOW = 3, 2, 10, 3
"""The chat's writers; threads that talk through each of them; what each says at once; slow writers beside them."""


@pytest.fixture(scope="module")
def timed() -> Iterator[Postgres]:
    """A PostgreSQL that notes when each transaction was committed."""
    with Postgres(track_commit_timestamp="on", fsync="off") as postgres:
        yield postgres


@pytest.fixture
def url(timed: Postgres) -> Iterator[str]:
    url = timed.create_database()
    backend = PostgreSQL(url)
    schema.upgrade(backend.writer)
    backend.close()
    yield url
    timed.drop_database(url)


@pytest.fixture
def writers(url: str) -> Iterator[list[Database]]:
    """What several processes would have, each of them one."""
    with ExitStack() as stack:
        made = []
        for _ in range(WRITERS):
            database = Database(PostgreSQL(url))
            stack.callback(database.close)
            database.openers.append(Epochs().begin)
            database.start()
            made.append(database)
        made[0].write(rooms.make_lobby)
        yield made


def join(database: Database, name: str) -> Person:
    return database.write(lambda transaction: sessions.begin(transaction, name))[0]


@dataclass
class Follower(threading.Thread):
    """Reads the log from a cursor on, again and again."""

    read: Callable[[int], tuple[list[int], int]]
    cursor: int
    seen: list[int] = field(default_factory=list)
    done: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        super().__init__(daemon=True)

    __hash__ = threading.Thread.__hash__

    def run(self) -> None:
        while True:
            last_time = self.done.is_set()
            found, through = self.read(self.cursor)
            assert through >= self.cursor
            self.seen += found
            if last_time and through == self.cursor:
                return
            if through == self.cursor:
                self.done.wait(0.005)
            self.cursor = through


def followers(database: Database, audience: Audience, cursor: int) -> list[Follower]:
    """One as a reader that catches up, one as the hub where hints are missing, and one that only counts."""

    def after(cursor: int) -> tuple[list[int], int]:
        with database.read() as connection:
            found, through = feed.after(connection, audience, cursor, 50, 16 * 1024)
        return [each.id for each in found], through

    def everything(cursor: int) -> tuple[list[int], int]:
        with database.read() as connection:
            found = [each.id for each in feed.everything(connection, cursor, 500)]
        return found, found[-1] if found else cursor

    def ids(cursor: int) -> tuple[list[int], int]:
        with database.read() as connection:
            found = list(
                connection.execute(select(event.c.id).where(event.c.id > cursor).order_by(event.c.id)).scalars()
            )
        return found, found[-1] if found else cursor

    return [Follower(after, cursor), Follower(everything, cursor), Follower(ids, cursor)]


def write_slowly(url: str, person: Person, done: threading.Event, kept: list[int]) -> None:
    """Append events by hand under the log's lock, in transactions that begin early, end late, or end in nothing."""
    with psycopg.connect(url) as connection:
        while not done.is_set():
            rolled_back = random.random() < 0.2
            with connection.transaction(force_rollback=rolled_back):
                connection.execute("SELECT max(id) FROM event")
                time.sleep(random.random() * 0.1)
                connection.execute("SELECT pg_advisory_xact_lock(%s)", [LOG_LOCK])
                cursor = connection.execute(
                    "INSERT INTO event (id, type, person_id, subject_id, created_at) "
                    "SELECT max(id) + 1, 'person.joined', %s, %s, 0 FROM event RETURNING id",
                    [person.id, person.id],
                )
                (id,) = cursor.fetchone() or (0,)
                time.sleep(random.random() * 0.01)
            if not rolled_back:
                kept.append(id)


@pytest.mark.parametrize("commits", [10_000, pytest.param(100_000, marks=[pytest.mark.slow, pytest.mark.timeout(600)])])
def test_readers_by_cursor_miss_nothing_of_what_is_committed_at_the_same_time(
    timed: Postgres, url: str, writers: list[Database], commits: int, tell: Tell
) -> None:
    ann = join(writers[0], "Ann")
    with writers[0].read() as connection:
        audience = feed.audience(connection, ann.id)
        start = last_id(connection)
    readers = followers(writers[0], audience, start)
    numbers = itertools.count()
    said: dict[int, str] = {}

    def talk(database: Database) -> None:
        while some := [number for number in itertools.islice(numbers, AT_ONCE) if number < commits]:
            drafts = [messages.draft(ann, LOBBY, f"No. {number}", f"c{number}") for number in some]
            for posted in [messages.post(database, draft) for draft in drafts]:
                kept = posted.result().message
                said[kept.id] = kept.text

    stop, by_hand = threading.Event(), list[int]()
    talkers = [threading.Thread(target=talk, args=(database,)) for database in writers for _ in range(TALKERS)]
    slow = [threading.Thread(target=write_slowly, args=(url, ann, stop, by_hand)) for _ in range(SLOW)]
    began = time.monotonic()
    for thread in (*readers, *slow, *talkers):
        thread.start()
    for thread in talkers:
        thread.join(500)
    took = time.monotonic() - began
    stop.set()
    for thread in slow:
        thread.join(30)
    for reader in readers:
        reader.done.set()
        reader.join(30)

    rows = timed.sql(
        "SELECT id, pg_xact_commit_timestamp(xmin), xmin::text FROM event WHERE id > %s ORDER BY id",
        start,
        database=url,
    )
    ids = [id for id, _, _ in rows]
    transactions = len({transaction for *_, transaction in rows})
    tell(
        f"{len(said)} messages and {len(by_hand)} events by hand in {transactions} transactions, {took:.1f} s; "
        f"{len(readers)} readers missed nothing"
    )
    assert ids == list(range(start + 1, start + 1 + commits + len(by_hand)))
    assert sorted([*said, *by_hand]) == ids
    assert sorted(said.values()) == sorted(f"No. {number}" for number in range(commits))
    assert dict(timed.sql("SELECT id, text FROM message", database=url)) == said
    moments = [moment for _, moment, _ in rows]
    assert moments == sorted(moments), "ids are not in the order of commits"
    for reader in readers:
        assert not reader.is_alive()
        assert reader.seen == ids


def test_two_nodes_that_renew_a_session_while_they_post_never_wait_for_each_other(
    timed: Postgres, url: str, writers: list[Database]
) -> None:
    here, there, _ = writers
    ann = join(here, "Ann")
    session = Session(1, ann, 0)
    both, gate = threading.Barrier(2), threading.Event()

    def meet(_: Transaction, items: list[None]) -> list[None]:
        # One of them may have to wait for the other's commit, which is as it should be.
        with suppress(threading.BrokenBarrierError):
            both.wait(0.5)
        return items

    def hold(_: Transaction, items: list[None]) -> list[None]:
        gate.wait(10)
        return items

    def post(database: Database) -> Future[Posted]:
        return messages.post(database, messages.draft(ann, LOBBY, "Hello"))

    # What waits together is committed together: one renews first and then posts, the other the other way round.
    answers: list[Future[Any]] = [database.submit(hold, None) for database in (here, there)]
    answers += [here.submit(sessions.renew, session), here.submit(meet, None), post(here)]
    answers += [post(there), there.submit(meet, None), there.submit(sessions.renew, session)]
    gate.set()
    for answer in answers:
        answer.result(30)
    assert "deadlock" not in timed.log.read_text()
