"""Any history of a chat, seen by any of its clients: the state that somebody builds from events is the one that a
fresh fetch gives.

Whatever people do, whichever node they are at, whether hints are lost, doubled or late: after every step each client
that follows the log must have built, from its first state and the events since, exactly what the chat would tell it
anew. A new type of event needs a line in ``State.CHANGES``: what a client does when it hears of it.
"""

from __future__ import annotations

import itertools
import json
import random
import re
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import func, or_, select

from flask_chat import events, opening
from flask_chat.chat import feed, members, memberships, messages, moderation, people, rooms, sessions, upkeep
from flask_chat.chat.people import Person
from flask_chat.chat.rooms import Room
from flask_chat.chat.sessions import session
from flask_chat.chat.tables import metadata
from flask_chat.config import PAGE, Config
from flask_chat.db import Transaction
from flask_chat.events import event
from flask_chat.live import history, intake, reading, watch

from .engines import Postgres
from .http.gateway import Stream
from .nodes import PATIENCE, LossyBus, Node, Sky

NAMES = ("Ann", "Bob", "Cleo", "Dora", "Eve", "Finn")


@dataclass
class State:
    """What a client knows: the messages of each room it is in, whether it has joined, whose the chat is, and how many
    of its person's sessions have ended; ``unread`` are the rooms that it has come into and has yet to read."""

    rooms: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: {"lobby": []})
    unread: set[str] = field(default_factory=set)
    joined: bool = False
    owner: bool = False
    claimed: bool = False
    ended: int = 0

    def apply(self, told: dict[str, Any]) -> None:
        """Do what a client does when it hears of something. Fails for a type that nobody has taught it."""
        self.CHANGES[told["type"]](self, told)

    def _post(self, told: dict[str, Any]) -> None:
        message = told["message"]
        assert (told["id"], told["room"]) == (message["id"], message["room"])
        # Of a room that it is not in yet it may hear what was said before; one it has just read it may hear again.
        known = self.rooms.get(told["room"])
        if known is not None and (not known or known[-1]["id"] < message["id"]):
            known.append(message)

    def _edit(self, told: dict[str, Any]) -> None:
        message = told["message"]
        assert told["id"] > message["id"]
        known = self.rooms.get(told["room"], [])
        for at, each in enumerate(known):
            if each["id"] == message["id"]:
                known[at] = message

    def _delete(self, told: dict[str, Any]) -> None:
        known = self.rooms.get(told["room"])
        if known is not None:
            self.rooms[told["room"]] = [message for message in known if message["id"] != told["message_id"]]
            if told.get("revealed"):
                self.unread.add(told["room"])

    def _hear(self, told: dict[str, Any]) -> None:
        """What it changes is no part of this state."""
        assert told["type"]

    def _come_in(self, told: dict[str, Any]) -> None:
        self.unread.add(told["room"])

    def _go_out(self, told: dict[str, Any]) -> None:
        self.rooms.pop(told["room"], None)
        self.unread.discard(told["room"])

    def read(self, fetch: Callable[[str], list[dict[str, Any]] | None]) -> None:
        """Read the rooms that are new. ``fetch`` finds None for one that is not theirs any more."""
        for slug in self.unread:
            found = fetch(slug)
            if found is not None:
                self.rooms[slug] = found
        self.unread.clear()

    def _see_others(self, told: dict[str, Any]) -> None:
        assert told["username"]

    def _join(self, _told: dict[str, Any]) -> None:
        self.joined = True

    def _claim(self, _told: dict[str, Any]) -> None:
        self.claimed = True

    def _appoint(self, _told: dict[str, Any]) -> None:
        self.owner = True

    def _end(self, _told: dict[str, Any]) -> None:
        self.ended += 1

    def _move(self, told: dict[str, Any]) -> None:
        self._go_out({"room": told["was"]})
        self.unread.add(told["room"])

    def _clear(self, told: dict[str, Any]) -> None:
        known = self.rooms.get(told["room"])
        if known is not None:
            self.rooms[told["room"]] = [message for message in known if message["id"] > told["through"]]

    def _name_anew(self, told: dict[str, Any]) -> None:
        assert told["username"]
        self.unread |= set(self.rooms)

    def _show_anew(self, told: dict[str, Any]) -> None:
        assert told["room"]

    CHANGES: ClassVar[dict[str, Callable[[State, dict[str, Any]], None]]] = {
        "member.changed": _see_others,
        "member.joined": _see_others,
        "member.left": _see_others,
        "membership.added": _come_in,
        "membership.changed": _show_anew,
        "read.moved": _show_anew,
        "membership.removed": _go_out,
        "message.posted": _post,
        "message.deleted": _delete,
        "message.edited": _edit,
        "person.changed": _see_others,
        "person.claimed": _claim,
        "person.departed": _name_anew,
        "person.joined": _join,
        "person.renamed": _name_anew,
        "owner.appointed": _appoint,
        "block.added": _hear,
        "block.removed": _hear,
        "person.muted": _hear,
        "person.unmuted": _hear,
        "role.changed": _hear,
        "settings.changed": _hear,
        "room.changed": _show_anew,
        "room.cleared": _clear,
        "room.renamed": _move,
        "session.revoked": _end,
    }


def test_the_model_knows_every_type_of_event() -> None:
    assert set(State.CHANGES) == events.TYPES, "teach the model in tests/test_model.py what a client does with it"


@dataclass(eq=False)
class Client:
    """A program of somebody's that follows the log by a stream or by polling; ``node`` is None while it is away."""

    person: Person
    session: int
    token: str
    kind: str
    state: State
    cursor: str
    node: Node | None = None
    stream: Stream | None = None
    taken: int = 0
    heard: int = 0

    @property
    def headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.token}"}

    @property
    def place(self) -> int:
        """The id that the cursor stands after."""
        return int(self.cursor.rpartition("-")[2])

    def connect(self, node: Node) -> None:
        """Go on from the cursor, at any node."""
        self.node, self.taken = node, 0
        if self.kind == "stream":
            node.gateway.run(self._open(node))

    async def _open(self, node: Node) -> None:
        headers = {**self.headers, "accept": "text/event-stream", "last-event-id": self.cursor}
        self.stream = node.gateway.stream("/api/events", headers)

    def hang_up(self) -> None:
        """Go away with the cursor."""
        if self.stream is not None and self.node is not None:
            self.node.gateway.run(self.stream.hang_up())
            self._take(self.stream)
        self.node = self.stream = None

    def follow(self, through: int) -> None:
        """Take in what was said, until the cursor has reached an id of the log."""
        assert self.node is not None
        if self.stream is None:
            self._poll(self.node, through)
        else:
            stream = self.stream
            self._read(self.node, stream, lambda: self._take(stream) >= through)
            assert not stream.ended, "a stream ended by itself"
        assert self.place >= through, f"{self.person.username}'s {self.kind} waits in vain for {through}: {self.cursor}"

    def ends(self) -> bool:
        """Whether the chat tells this client, whose session has ended, nothing any more."""
        assert self.node is not None
        if self.stream is None:
            return self.node.gateway.get("/api/events", self.headers).status == 401
        stream = self.stream
        self._read(self.node, stream, lambda: stream.ended)
        return stream.ended

    def _read(self, node: Node, stream: Stream, enough: Callable[[], bool]) -> None:
        with suppress(TimeoutError):
            node.gateway.run(stream.until(lambda: enough() or stream.ended, PATIENCE))

    def _take(self, stream: Stream) -> int:
        """Take in what the stream has brought."""
        blocks, found, _ = stream.body[self.taken :].rpartition(b"\n\n")
        self.taken += len(blocks) + len(found)
        for block in blocks.decode().split("\n\n"):
            said = dict(line.partition(": ")[::2] for line in block.split("\n"))
            if "data" in said:
                self._hear(json.loads(said["data"]))
            self.cursor = said.get("id", self.cursor)
        return self.place

    def _poll(self, node: Node, through: int) -> None:
        until = time.monotonic() + PATIENCE
        while self.place < through and time.monotonic() < until:
            answer = node.gateway.get(f"/api/events?after={self.cursor}&wait=1", self.headers)
            assert answer.status == 200, answer.text
            for told in answer.json()["events"]:
                self._hear(told)
            self.cursor = answer.json()["cursor"]

    def _hear(self, told: dict[str, Any]) -> None:
        assert told["type"] != events.RESYNC, "nobody has changed the past"
        assert told["id"] > max(self.place, self.heard), f"{told['id']} is told again after {self.place}"
        self.state.apply(told)
        self.heard = told["id"]


@dataclass(frozen=True)
class Member:
    """Somebody who is signed in."""

    person: Person
    session: int
    token: str


class Model(RuleBasedStateMachine):
    """What may happen to a chat."""

    open_nodes: ClassVar[Callable[[], list[Node]]]
    sky: ClassVar[Sky]

    def __init__(self) -> None:
        super().__init__()
        self.nodes: list[Node] = []
        self.members: list[Member] = []
        self.clients: list[Client] = []
        self.said: list[tuple[Member, dict[str, Any], str]] = []
        self.signed_out: list[Member] = []
        self.names, self.numbers = iter(NAMES), 0
        self.rooms: list[Room] = []

    @initialize()
    def open(self) -> None:
        self.nodes = type(self).open_nodes()
        self.join(0)

    @precondition(lambda self: len(self.members) < len(NAMES))
    @rule(at=st.integers(0, 1))
    def join(self, at: int) -> None:
        name = next(self.names)
        answer = self._node(at).gateway.post("/api/sessions", {"username": name})
        assert answer.status == 201, answer.text
        self._sign_in(self._node(at), answer.json()["token"])

    @rule(at=st.integers(0, 1), who=st.integers(0, 5), long=st.booleans())
    def post(self, at: int, who: int, long: bool) -> None:
        member, number = self._member(who), self._number()
        text = f"{member.person.username} says {number}" + " and on" * 500 * long
        self.said.append((member, self._post(self._node(at), member, text, f"c{number}", 201), text))

    @precondition(lambda self: self.said)
    @rule(at=st.integers(0, 1), which=st.integers(0, 1000))
    def post_again(self, at: int, which: int) -> None:
        member, message, sent = self.said[which % len(self.said)]
        if member in self.members:
            # It may stand under its own name by now: what it followed was taken back.
            present = f"/api/rooms/lobby/messages?before={message['id'] + 1}&limit=1"
            [kept] = self._node(at + 1).gateway.get(present, self._headers(member)).json()["messages"]
            assert (kept["id"], kept["text"]) == (message["id"], message["text"])
            assert self._post(self._node(at), member, sent, message["client_id"], 200) == kept
            self._post(self._node(at), member, "Something else", message["client_id"], 409)

    @rule(who=st.lists(st.integers(0, 5), min_size=2, max_size=30))
    def post_at_once(self, who: list[int]) -> None:
        """Through all nodes at the same time, and each message through two of them."""
        talks = [(self._member(each), f"c{self._number()}") for each in who]
        answers = [
            [
                messages.post(node.chat.db, messages.draft(member.person, "lobby", f"At once {client_id}", client_id))
                for node in (self._node(number), self._node(number + 1))
            ]
            for number, (member, client_id) in enumerate(talks)
        ]
        for (member, _), twice in zip(talks, answers, strict=True):
            posted = [answer.result(PATIENCE) for answer in twice]
            assert sorted(each.new for each in posted) == [False, True]
            assert posted[0].message == posted[1].message
            message = json.loads(msgspec.json.encode(posted[0].message))
            self.said.append((member, message, message["text"]))

    @rule(at=st.integers(0, 1), who=st.integers(0, 5), count=st.integers(10, 30))
    def talk_at_length(self, at: int, who: int, count: int) -> None:
        """More than a hub that missed it reads for everybody."""
        db, author = self._node(at).chat.db, self._member(who).person
        drafts = [messages.draft(author, "lobby", f"At length {self._number()}") for _ in range(count)]
        for answer in [messages.post(db, draft) for draft in drafts]:
            assert answer.result(PATIENCE).new

    @rule(
        at=st.integers(0, 1),
        who=st.integers(0, 5),
        kind=st.sampled_from(["stream", "stream", "poll"]),
        since=st.sampled_from(["the beginning", "the page", "now"]),
    )
    def begin_to_follow(self, at: int, who: int, kind: str, since: str) -> None:
        node, member = self._node(at), self._member(who)
        if since == "the beginning":
            state, cursor = State(), "0"
        elif since == "the page":
            shown, cursor = self._page(node, member)
            state = self._fresh(node, member)
            assert [message["id"] for message in state.rooms["lobby"]][-PAGE:] == shown
        else:
            node.level()
            cursor = node.gateway.get("/api/events", self._headers(member)).json()["cursor"]
            state = self._fresh(node, member)
        client = Client(member.person, member.session, member.token, kind, state, cursor)
        self.clients.append(client)
        client.connect(node)

    @precondition(lambda self: self._following())
    @rule(which=st.integers(0, 100))
    def hang_up(self, which: int) -> None:
        following = self._following()
        following[which % len(following)].hang_up()

    @precondition(lambda self: len(self._following()) < len(self.clients))
    @rule(at=st.integers(0, 1), which=st.integers(0, 100))
    def come_back(self, at: int, which: int) -> None:
        away = [client for client in self.clients if client.node is None]
        away[which % len(away)].connect(self._node(at))

    @rule(at=st.integers(0, 1))
    def restart(self, at: int) -> None:
        node = self._node(at)
        for client in self.clients:
            if client.node is node:
                client.hang_up()
        node.stop()
        node.start()

    @rule(at=st.integers(0, 1), who=st.integers(0, 5), crowd=st.booleans())
    def sign_out_and_in_again(self, at: int, who: int, crowd: bool) -> None:
        member, node = self._member(who), self._node(at)
        answer = node.gateway.request("DELETE", "/api/sessions/current", self._headers(member))
        assert answer.status == 204
        self.members.remove(member)
        self.signed_out.append(member)
        _, token = node.chat.db.write(lambda write: sessions.begin(write, member.person.username, [member.token]))
        self._sign_in(node, token)
        if crowd:
            # So much is said before anybody hears that they went that nobody is told all of it.
            self.talk_at_length(at, who, 15)

    @rule(at=st.integers(0, 1), who=st.integers(0, 5))
    def take_charge(self, at: int, who: int) -> None:
        db = self._node(at).chat.db
        with db.read() as connection:
            if people.has_owner(connection):
                return
        db.write(lambda write: people.appoint_owner(write, self._member(who).person))

    @precondition(lambda self: len(self.rooms) < 3)
    @rule(at=st.integers(0, 1), who=st.integers(0, 5))
    def make_a_room(self, at: int, who: int) -> None:
        owner, name = self._member(who).person, f"Room {len(self.rooms)}"
        self.rooms.append(self._node(at).chat.db.write(lambda write: rooms.create(write, owner, name, rooms.PRIVATE)))

    @precondition(lambda self: self.rooms)
    @rule(at=st.integers(0, 1), which=st.integers(0, 2), who=st.integers(0, 5))
    def let_in(self, at: int, which: int, who: int) -> None:
        room, person = self._room(which), self._member(who).person
        self._node(at).chat.db.write(lambda write: memberships.add(write, room, person))

    @precondition(lambda self: self.rooms)
    @rule(at=st.integers(0, 1), which=st.integers(0, 2), who=st.integers(0, 5))
    def put_out(self, at: int, which: int, who: int) -> None:
        room, person = self._room(which), self._member(who).person
        self._node(at).chat.db.write(lambda write: memberships.remove(write, room, person))

    @precondition(lambda self: self.rooms)
    @rule(at=st.integers(0, 1), which=st.integers(0, 2), who=st.integers(0, 5), crowd=st.booleans())
    def post_in_a_room(self, at: int, which: int, who: int, crowd: bool) -> None:
        db, author, room = self._node(at).chat.db, self._member(who).person, self._room(which)
        with db.read() as connection:
            inside = room.id in memberships.room_ids(connection, author.id)
        drafts = [messages.draft(author, room.slug, f"In private {self._number()}") for _ in range(15 if crowd else 1)]
        for answer in [messages.post(db, draft) for draft in drafts]:
            assert (answer.exception(PATIENCE) is None) == inside

    @precondition(lambda self: self.said)
    @rule(at=st.integers(0, 1), which=st.integers(0, 1000), twice=st.booleans())
    def edit(self, at: int, which: int, twice: bool) -> None:
        author, message, sent = self.said[which % len(self.said)]
        if author not in self.members:
            return
        for number in range(1 + twice):
            address, contents = f"/api/rooms/lobby/messages/{message['id']}", {"text": f"Edited {self._number()}"}
            gateway = self._node(at + number).gateway
            headers = {**self._headers(author), "content-type": "application/json"}
            answer = gateway.request("PATCH", address, headers, json.dumps(contents))
            assert answer.status == 200, answer.text
            assert answer.json()["edited_at"]
            self.said[which % len(self.said)] = author, answer.json(), sent

    @precondition(lambda self: self.said)
    @rule(at=st.integers(0, 1), which=st.integers(0, 1000))
    def take_back(self, at: int, which: int) -> None:
        author, message, _ = self.said.pop(which % len(self.said))

        def delete(write: Transaction) -> None:
            room = rooms.for_member(write.connection, author.person, message["room"])
            moderation.delete_message(write, author.person, room, message["id"])

        self._node(at).chat.db.write(delete)

    @precondition(lambda self: self.rooms)
    @rule(at=st.integers(0, 1), which=st.integers(0, 2))
    def call_a_room_otherwise(self, at: int, which: int) -> None:
        db, place, name = self._node(at).chat.db, self._room(which), f"Renamed {self._number()}"
        with db.read() as connection:
            owners = members.owners(connection, place)
        if owners:
            changes = {"name": name, "topic": f"About {name}"}
            changed = db.write(lambda write: upkeep.change(write, owners[0].person, place.slug, changes))
            self.rooms[self.rooms.index(place)] = changed

    @precondition(lambda self: self.rooms)
    @rule(at=st.integers(0, 1), which=st.integers(0, 2))
    def clear_a_room(self, at: int, which: int) -> None:
        db, place = self._node(at).chat.db, self._room(which)
        with db.read() as connection:
            owners = members.owners(connection, place)
        if owners:
            upkeep.clear(db, owners[0].person, place.slug, place.name)

    @rule(chance=st.randoms(use_true_random=False))
    def hints_arrive(self, chance: random.Random) -> None:
        self.sky.let_go(chance)

    @invariant()
    def everybody_knows_what_there_is_to_know(self) -> None:
        if self.members:
            # First, while a node may not have heard: a page looks for itself.
            self._what_a_page_shows_is_never_late()
            self._a_state_built_from_events_is_the_one_that_a_fresh_fetch_gives()
            self._who_was_signed_out_is_nobody()

    def _what_a_page_shows_is_never_late(self) -> None:
        for node in self.nodes:
            with node.chat.db.read() as connection:
                query = select(messages.message.c.id).where(
                    messages.message.c.room_id == 1, messages.message.c.deleted_at.is_(None)
                )
                query = query.order_by(messages.message.c.id.desc()).limit(PAGE)
                kept = list(connection.execute(query).scalars())[::-1]
                last = events.last_id(connection)
            shown, cursor = self._page(node, self.members[-1])
            assert shown == kept
            assert int(cursor.rpartition("-")[2]) == last

    def _a_state_built_from_events_is_the_one_that_a_fresh_fetch_gives(self) -> None:
        for node in self.nodes:
            node.level()
        for client in self._following():
            assert client.node is not None
            if self._is_over(client):
                assert client.ends(), "a session that has ended goes on hearing"
                client.hang_up()
                self.clients.remove(client)
            else:
                client.follow(self._visible(client))
                at, headers = client.node, client.headers
                client.state.read(lambda slug, at=at, headers=headers: self._messages(at, slug, headers))  # type: ignore[misc]
                assert client.state == self._fresh(client.node, client)

    def _who_was_signed_out_is_nobody(self) -> None:
        for member in self.signed_out[-3:]:
            for node in self.nodes:
                assert node.gateway.get("/api/events", self._headers(member)).status == 401

    def teardown(self) -> None:
        try:
            for number, client in enumerate(self.clients):
                if client.node is None and not self._is_over(client):
                    client.connect(self._node(number))
            self.everybody_knows_what_there_is_to_know()
            for client in self._following():
                client.hang_up()
        finally:
            for node in self.nodes:
                node.stop()

    def _node(self, at: int) -> Node:
        return self.nodes[at % len(self.nodes)]

    def _member(self, who: int) -> Member:
        return self.members[who % len(self.members)]

    def _room(self, which: int) -> Room:
        return self.rooms[which % len(self.rooms)]

    def _number(self) -> int:
        self.numbers += 1
        return self.numbers

    def _following(self) -> list[Client]:
        return [client for client in self.clients if client.node is not None]

    def _is_over(self, client: Client) -> bool:
        return any(member.session == client.session for member in self.signed_out)

    def _sign_in(self, node: Node, token: str) -> None:
        found = node.chat.sessions.find(token)
        assert found is not None
        self.members.append(Member(found.person, found.id, token))

    def _headers(self, member: Member | Client) -> dict[str, str]:
        return {"authorization": f"Bearer {member.token}"}

    def _post(self, node: Node, member: Member, text: str, client_id: str, status: int) -> dict[str, Any]:
        contents = {"text": text, "client_id": client_id}
        answer = node.gateway.post("/api/rooms/lobby/messages", contents, self._headers(member))
        assert answer.status == status, answer.text
        message: dict[str, Any] = answer.json()
        return message

    def _page(self, node: Node, member: Member) -> tuple[list[int], str]:
        """The ids on the room's page, and its cursor."""
        page = node.gateway.get("/rooms/lobby", self._headers(member)).text
        cursor = re.search(r'data-cursor="([^"]+)"', page)
        assert cursor is not None
        return [int(id) for id in re.findall(r'<article [^>]*data-id="(\d+)"', page)], cursor[1]

    def _fresh(self, node: Node, member: Member | Client) -> State:
        """What the chat tells somebody who comes anew."""
        with node.chat.db.read() as connection:
            person = people.find(connection, member.person.username)
            slugs = [room.slug for room in rooms.all_for(connection, person)]
            gone = select(func.count()).where(session.c.person_id == person.id, session.c.signed_out_at.is_not(None))
            ended = int(connection.execute(gone).scalar_one())
        told = {slug: self._messages(node, slug, self._headers(member)) or [] for slug in slugs}
        return State(told, joined=True, owner=person.owner, ended=ended)

    def _messages(self, node: Node, room: str, headers: dict[str, str]) -> list[dict[str, Any]] | None:
        found: list[dict[str, Any]] = []
        while True:
            after = found[-1]["id"] if found else 0
            answer = node.gateway.get(f"/api/rooms/{room}/messages?after={after}&limit=100", headers)
            if answer.status == 404:
                return None
            page = answer.json()["messages"]
            found += page
            if len(page) < 100:
                return found

    def _visible(self, client: Client) -> int:
        """The id of the last event that a client may see."""
        assert client.node is not None
        with client.node.chat.db.read() as connection:
            seen = feed.audience(connection, client.person.id)
            mine = or_(event.c.room_id.in_(seen.keys), event.c.person_id == seen.person_id)
            return int(connection.execute(select(func.max(event.c.id)).where(mine)).scalar_one())


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every boundary is near: the end of what is in memory, of a piece, of what the hub reads for everybody."""
    monkeypatch.setattr(history, "MOST_EVENTS", 9)
    monkeypatch.setattr(reading, "TOGETHER", 4)
    monkeypatch.setattr(intake, "FILL", 5)
    monkeypatch.setattr(intake, "MOST_MISSED", 12)
    monkeypatch.setattr(intake, "OUT_OF_ORDER", 0.002)
    monkeypatch.setattr(watch, "EVERY", 0.02)


def play(
    request: pytest.FixtureRequest, open_nodes: Callable[[], list[Node]], sky: Sky, examples: int, steps: int
) -> None:
    """Let anything happen. ``--hypothesis-seed`` has the same happen again, and looks for a shorter way there."""
    asked = request.config.getoption("--hypothesis-seed")
    number = int(asked) if str(asked).isdecimal() else random.randrange(2**32)
    # Told before it runs: what hangs would never tell.
    with request.getfixturevalue("capsys").disabled():
        print(f"\n  {request.node.name}: --hypothesis-seed={number}")
    case = type("Case", (Model,), {"open_nodes": staticmethod(open_nodes), "sky": sky})
    run_state_machine_as_test(
        seed(number)(case),
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate, *([Phase.shrink] if asked else [])],
        ),
    )


@pytest.mark.usefixtures("small")
def test_any_history_of_one_process(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    Node(Config(data=tmp_path / "new", limits=False)).stop()
    numbers = itertools.count()

    def open_nodes() -> list[Node]:
        return [Node(Config(data=shutil.copytree(tmp_path / "new", tmp_path / str(next(numbers))), limits=False))]

    play(request, open_nodes, Sky(), 10, 25)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("bus", ["hints lost", "redis"])
def test_any_history_of_two_nodes(
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    postgres: Postgres,
    migrated_url: str,
    bus: str,
) -> None:
    sky, redis_url = Sky(), None
    if bus == "redis":
        redis_url = request.getfixturevalue("redis").url
    else:
        monkeypatch.setattr(opening, "_bus", lambda *_: LossyBus(sky))
    config = Config(data=tmp_path, limits=False, database_url=migrated_url, redis_url=redis_url)
    tables = ", ".join(table.name for table in metadata.sorted_tables)

    def open_nodes() -> list[Node]:
        postgres.sql(f"TRUNCATE {tables} RESTART IDENTITY", database=migrated_url)
        return [Node(config), Node(config)]

    play(request, open_nodes, sky, 6, 25)
