"""What many people and many rooms cost: the page of somebody who is in many rooms, a busy room beside a quiet one,
and everybody coming back at once."""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench import load, visitor, workshop
from bench.figures import Audit, Series, Target, audit, percentile
from bench.measures import page
from bench.plan import Plan
from bench.report import Row
from bench.servers import OURS, Server, running
from flask_chat import create_app, events
from flask_chat.chat import memberships, messages, rooms, sessions
from flask_chat.chat.memberships import membership
from flask_chat.chat.people import Person
from flask_chat.chat.rooms import Room
from flask_chat.config import Config
from flask_chat.db import Transaction
from flask_chat.http import identity
from flask_chat.http.services import Services

BUSY, QUIET = "Busy room", "Quiet room"

EACH = 10
"""Rooms that everybody but one is in, beside the lobby and the busy one."""

SAID = 20
"""Messages in each room."""

ASKED = 50
"""People of whom it is asked whether they are there."""

POSTERS = 4
"""People who post to the busy room and to the quiet one."""

PATIENCE = 60.0
"""Seconds in which everybody must be shown as online."""


@dataclass(frozen=True)
class Town:
    """The cookies of all people, that of who is in many rooms first; and the two rooms' slugs."""

    cookies: list[str]
    names: list[str]
    busy: str
    quiet: str


def crowd(plan: Plan) -> list[Row]:
    """All three, on one process with SQLite."""
    pages: list[list[float]] = []
    busy: list[float] = []
    quiet: list[float] = []
    back: list[float] = []
    kept = Audit(0, 0, 0)
    for number in range(plan.rounds):
        with town(plan, number) as (server, there):
            pages.append(visits(plan, server, there))
            # In turns: whatever else the machine does is the same for both.
            for slug, rates in ((there.quiet, quiet), (there.busy, busy)):
                rate, found = posts(plan, server, there, slug, f"{number}-{slug}")
                rates.append(rate)
                kept += found
            back.append(reconnect(server, there))
    size = f"{plan.people:,} people, {plan.rooms:,} rooms"
    many = [each for visited in pages for each in visited]
    return [
        Row(
            "many-rooms",
            f"{size}: a room's page for somebody in {plan.in_rooms:,} of them",
            "ms",
            Target(at_most=60),
            Series.of(percentile(visited, 50) for visited in pages),
            notes=[f"{len(many):,} pages, one after the other, from request to last byte: longest {max(many):.1f} ms"],
        ),
        Row(
            "busy-room",
            f"{size}: posts a second to a room with all of them in it, as a share of those to one with few",
            "×",
            Target(at_least=0.9),
            Series.of(one / other for one, other in zip(busy, quiet, strict=True)),
            audit=kept,
            notes=[
                (
                    f"busy room {Series.of(busy).median:,.0f}/s, quiet room {Series.of(quiet).median:,.0f}/s, "
                    f"{plan.post_clients} clients"
                )
            ],
        ),
        Row(
            "reconnect",
            f"{plan.people:,} people come back at once, all connected and shown as online",
            "s",
            Target(at_most=20),
            Series.of(back),
        ),
    ]


@contextmanager
def town(plan: Plan, number: int) -> Iterator[tuple[Server, Town]]:
    """A server with everybody and everything in it."""
    data = workshop.WORK / "data" / f"people-{number}"
    there = found(plan, data)
    with running(OURS, data) as server:
        yield server, there


def found(plan: Plan, data: Path) -> Town:
    """Make the people and the rooms in a folder that no server has open."""
    data.mkdir(parents=True)
    app = create_app(Config(data=data, limits=False))
    chat: Services = app.extensions["flask_chat"]
    try:
        everybody = chat.db.write(lambda transaction: _people(transaction, plan.people))
        busy, quiet, *others = chat.db.write(lambda transaction: _rooms(transaction, everybody[0][0], plan.rooms))
        chat.db.write(lambda transaction: _let_in(transaction, plan, [who for who, _ in everybody], busy, others))
        chat.db.write(lambda transaction: _enrol(transaction, quiet, [who for who, _ in everybody[1:POSTERS]]))
        _talk(chat, everybody[0][0], [busy, quiet, *others[: plan.in_rooms - 3]])
        signer = identity.CookieSessions().get_signing_serializer(app)
        assert signer is not None
        cookies = [f"{identity.COOKIE}={signer.dumps({identity.TOKEN: token})}" for _, token in everybody]
        return Town(cookies, [who.username for who, _ in everybody], busy.slug, quiet.slug)
    finally:
        chat.close()


def visits(plan: Plan, server: Server, there: Town) -> list[float]:
    """Milliseconds of each visit to the busy room's page by who is in many rooms."""
    path = f"/rooms/{there.busy}"
    shown = visitor.open_page(server, path, there.cookies[0])
    if shown.count("<article") != SAID:
        raise RuntimeError(f"GET {path} shows {shown.count('<article')} messages, not {SAID}")
    links = shown.count('href="/rooms/')
    if links < plan.in_rooms:
        raise RuntimeError(f"GET {path} leads to {links} rooms, not to {plan.in_rooms}")
    took = []
    for _ in range(plan.page_visits):
        began = time.perf_counter()
        visitor.open_page(server, path, there.cookies[0])
        took.append((time.perf_counter() - began) * 1000)
    return took


def posts(plan: Plan, server: Server, there: Town, slug: str, tag: str) -> tuple[float, Audit]:
    """Posts a second to a room, and what became of them."""
    said, acknowledged = load.requests(
        server,
        "json",
        f"/api/rooms/{slug}/messages",
        clients=plan.post_clients,
        seconds=plan.seconds,
        warmup=plan.warmup,
        tag=tag.replace("-", ""),
        cookies=there.cookies[:POSTERS],
    )
    asked = set(acknowledged)
    words = (text.partition(" ")[0] for text, _ in visitor.stored(server, there.cookies[0], slug))
    return said["per_second"], audit(acknowledged, (word for word in words if word in asked))


def reconnect(server: Server, there: Town) -> float:
    """Seconds from when everybody's connection was cut until all are connected again and shown as online."""
    crowd_there(server, there)
    return crowd_there(server, there)


def crowd_there(server: Server, there: Town) -> float:
    """Connect everybody, and hang up for all of them once they are shown as online; how long that took."""
    began, took = time.perf_counter(), 0.0

    def connected() -> None:
        nonlocal took
        wait_until_online(server, there)
        took = time.perf_counter() - began

    load.fanout(
        server, readers=len(there.cookies), rate=1.0, count=1, connected=connected, cookies=there.cookies, patience=30
    )
    return took


def wait_until_online(server: Server, there: Town) -> None:
    """Raises RuntimeError unless everybody who is asked about is, before long."""
    waiting = there.names[:: max(len(there.names) // ASKED, 1)]
    until = time.monotonic() + PATIENCE
    while waiting:
        path = f"/api/people/{waiting[-1].replace(' ', '%20')}"
        if visitor.call(server, there.cookies[0], "GET", path)["presence"] == "online":
            waiting.pop()
        elif time.monotonic() > until:
            raise RuntimeError(f"{len(waiting)} of {ASKED} people are connected and not shown as online")
        else:
            time.sleep(0.05)


def _people(transaction: Transaction, count: int) -> list[tuple[Person, str]]:
    return [sessions.begin(transaction, f"Citizen {number}") for number in range(1, count + 1)]


def _rooms(transaction: Transaction, founder: Person, count: int) -> list[Room]:
    names = [BUSY, QUIET, *(f"Room {number}" for number in range(3, count + 1))]
    return [rooms.create(transaction, founder, name) for name in names]


def _let_in(transaction: Transaction, plan: Plan, everybody: list[Person], busy: Room, others: list[Room]) -> None:
    """Everybody into the busy room and a few more; the founder, who is in all, out of those that are too many."""
    founder, *citizens = everybody
    for place in others[plan.in_rooms - 3 :]:
        memberships.remove(transaction, place, founder)
    _enrol(transaction, busy, citizens)
    inside: dict[Room, list[Person]] = {place: [] for place in others}
    for number, who in enumerate(citizens):
        for place in {others[(number * 7 + step * 13) % len(others)] for step in range(EACH)}:
            inside[place].append(who)
    for place, members in inside.items():
        _enrol(transaction, place, members)


def _enrol(transaction: Transaction, place: Room, members: Iterable[Person]) -> None:
    """Put people into a room, many at a time and without a word: that they are in it is measured, not how they came."""
    last = events.last_id(transaction.connection)
    rows = [
        {
            "person_id": who.id,
            "room_id": place.id,
            "role": memberships.MEMBER,
            "joined_at": transaction.now,
            "read_id": last,
            "favourite": False,
            "notify": "all",
        }
        for who in members
    ]
    if rows:
        transaction.insert((membership, rows))


def _talk(chat: Services, author: Person, places: list[Room]) -> None:
    sayings = [page.SAYINGS[number % len(page.SAYINGS)] for number in range(SAID)]
    drafts = [messages.draft(author, place.slug, saying) for saying in sayings for place in places]
    for sent in [messages.post(chat.db, draft) for draft in drafts]:
        sent.result()
