"""What those who keep order do reaches open streams: a ban ends them, a deletion is told, and no more than that."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from flask import Flask

from flask_chat.chat import moderation, people, roles, rooms, settings
from flask_chat.chat.people import Person
from flask_chat.db import Transaction
from flask_chat.http.services import Services

from ..http.gateway import Gateway

STREAM = {"accept": "text/event-stream"}


@pytest.fixture
def gateway(app: Flask) -> Iterator[Gateway]:
    made = Gateway(app)
    yield made
    made.close()


@pytest.fixture
def dora(chat: Services) -> Person:
    """She keeps order."""
    return chat.db.write(lambda transaction: people.add(transaction, "Dora", people.MODERATOR))


def test_a_ban_ends_every_open_stream_of_theirs_and_nobody_elses(
    gateway: Gateway, chat: Services, dora: Person
) -> None:
    anns, bobs = gateway.bearer("Ann"), gateway.bearer("Bob")

    def ban(transaction: Transaction) -> None:
        moderation.ban(transaction, dora, people.find(transaction.connection, "Ann"))

    async def run() -> None:
        streams = [gateway.stream("/api/events", {**STREAM, **headers}) for headers in (anns, anns, bobs)]
        for stream in streams:
            await stream.until(lambda stream=stream: stream.body != b"")  # type: ignore[misc]
        await asyncio.to_thread(chat.db.write, ban)
        for stream in streams[:2]:
            await stream.until(lambda stream=stream: stream.ended)  # type: ignore[misc]
        assert not streams[2].ended
        await streams[2].hang_up()

    gateway.run(run())
    assert gateway.get("/api/events", anns).status == 401
    assert gateway.get("/api/events", bobs).status == 200


def test_a_deletion_is_told_to_those_in_the_room_and_the_text_no_more(
    gateway: Gateway, chat: Services, dora: Person
) -> None:
    anns, bobs = gateway.bearer("Ann"), gateway.bearer("Bob")
    said = gateway.say("A secret that slipped", anns)

    def delete(transaction: Transaction) -> None:
        lobby = rooms.for_member(transaction.connection, dora, rooms.LOBBY)
        moderation.delete_message(transaction, dora, lobby, said["id"])

    async def run() -> None:
        stream = gateway.stream("/api/events", {**STREAM, **bobs})
        await stream.until(lambda: stream.body != b"")
        await asyncio.to_thread(chat.db.write, delete)
        await stream.until(lambda: bool(stream.events))
        assert [(each["type"], each["room"], each["message_id"]) for each in stream.events] == [
            ("message.deleted", "lobby", said["id"])
        ]
        await stream.hang_up()

    gateway.run(run())
    missed = gateway.get("/api/events?after=0", bobs)
    assert b"secret" not in missed.body
    assert "message.deleted" in missed.text


def test_who_was_muted_hears_it_alone(gateway: Gateway, chat: Services, dora: Person) -> None:
    anns, bobs = gateway.bearer("Ann"), gateway.bearer("Bob")

    def mute(transaction: Transaction) -> None:
        moderation.mute(transaction, dora, people.find(transaction.connection, "Ann"), reason="Shouting")

    chat.db.write(mute)
    assert '"person.muted"' in gateway.get("/api/events?after=0", anns).text
    assert '"person.muted"' not in gateway.get("/api/events?after=0", bobs).text
    refused = gateway.post("/api/rooms/lobby/messages", {"text": "But"}, anns)
    assert refused.status == 403
    assert "Shouting" in refused.json()["detail"]


def test_who_was_not_let_in_yet_hears_and_says_nothing(gateway: Gateway, chat: Services, dora: Person) -> None:
    chat.db.write(lambda transaction: settings.change(transaction, {"joining": "approval"}))
    cleos = gateway.bearer("Cleo")
    for answer in (
        gateway.get("/api/events", cleos),
        gateway.get("/api/events", {**STREAM, **cleos}),
        gateway.get("/rooms/lobby/timeline", cleos),
        gateway.get("/api/rooms/lobby/messages", cleos),
        gateway.post("/api/rooms/lobby/messages", {"text": "Hello"}, cleos),
    ):
        assert answer.status == 403
    form = {"content-type": "application/x-www-form-urlencoded", **cleos}
    assert gateway.request("POST", "/rooms/lobby/messages", form, "message=Hello").status == 403
    cleo = chat.db.write(lambda transaction: people.find(transaction.connection, "Cleo"))
    chat.db.write(lambda transaction: roles.admit(transaction, dora, cleo))
    assert gateway.say("Hello", cleos)["text"] == "Hello"
