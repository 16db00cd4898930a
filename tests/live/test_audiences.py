"""What a stream carries follows the rooms that its person is in."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from flask_chat.chat import memberships, messages, people, rooms, sessions
from flask_chat.chat.people import Person
from flask_chat.chat.rooms import Room
from flask_chat.http.services import Services

from ..http.gateway import Gateway, Stream


def arrive(chat: Services, name: str) -> tuple[Person, dict[str, str]]:
    person, token = chat.db.write(lambda transaction: sessions.begin(transaction, name))
    return person, {"authorization": f"Bearer {token}"}


def say(chat: Services, who: Person, room: str, text: str) -> None:
    messages.post(chat.db, messages.draft(who, room, text)).result(10)


def told(stream: Stream) -> list[dict[str, Any]]:
    return [json.loads(line[6:]) for line in stream.body.decode().split("\n") if line.startswith("data: ")]


def texts(stream: Stream) -> list[str]:
    return [event["message"]["text"] for event in told(stream) if event["type"] == "message.posted"]


def kitchen(chat: Services, owner: Person) -> Room:
    return chat.db.write(lambda transaction: rooms.create(transaction, owner, "Kitchen", rooms.PRIVATE))


def test_a_stream_carries_a_room_from_the_moment_its_person_is_in_it_until_they_are_not(gateway: Gateway) -> None:
    chat = gateway.chat

    async def scene() -> None:
        ann, _ = await asyncio.to_thread(arrive, chat, "Ann")
        bob, headers = await asyncio.to_thread(arrive, chat, "Bob")
        room = await asyncio.to_thread(kitchen, chat, ann)
        stream = gateway.stream("/api/events", {**headers, "accept": "text/event-stream"})
        await stream.until(lambda: b"welcome" in stream.body, 10)
        for change, text in (
            (None, "before"),
            (memberships.add, "while"),
            (memberships.remove, "after"),
        ):
            if change is not None:
                await asyncio.to_thread(chat.db.write, lambda transaction, do=change: do(transaction, room, bob))
            await asyncio.to_thread(say, chat, ann, room.slug, text)
        await asyncio.to_thread(say, chat, ann, "lobby", "the end")
        await stream.until(lambda: "the end" in texts(stream), 10)
        assert texts(stream) == ["while", "the end"]
        kinds = [event["type"] for event in told(stream)]
        assert kinds == ["membership.added", "member.joined", "message.posted", "membership.removed", "message.posted"]
        assert [event["room"] for event in told(stream)][:4] == [room.slug] * 4
        await stream.hang_up()

    gateway.run(scene())


def test_who_comes_back_hears_of_the_rooms_they_are_in_now_and_of_no_other(gateway: Gateway) -> None:
    chat = gateway.chat

    async def scene() -> None:
        ann, _ = await asyncio.to_thread(arrive, chat, "Ann")
        bob, headers = await asyncio.to_thread(arrive, chat, "Bob")
        rooms_ = [await asyncio.to_thread(kitchen, chat, ann) for _ in range(2)]
        for room in rooms_:
            await asyncio.to_thread(
                chat.db.write, lambda transaction, room=room: memberships.add(transaction, room, bob)
            )
            await asyncio.to_thread(say, chat, ann, room.slug, f"in {room.slug}")
        await asyncio.to_thread(chat.db.write, lambda transaction: memberships.remove(transaction, rooms_[0], bob))
        stream = gateway.stream("/api/events?after=0", {**headers, "accept": "text/event-stream"})
        await stream.until(lambda: b"membership.removed" in stream.body, 10)
        assert texts(stream) == [f"in {rooms_[1].slug}"]
        await stream.hang_up()

    gateway.run(scene())


def test_a_room_that_one_is_not_in_is_not_found_and_cannot_be_told_from_one_that_is_not_there(gateway: Gateway) -> None:
    chat = gateway.chat
    ann, _ = arrive(chat, "Ann")
    _, headers = arrive(chat, "Mallory")
    room = kitchen(chat, ann)
    answers = []
    for slug in (room.slug, "kitchen-abcdef"):
        got = gateway.get(f"/api/rooms/{slug}/messages", headers)
        sent = gateway.post(f"/api/rooms/{slug}/messages", {"text": "hello"}, headers)
        answers.append((got.status, got.text, sent.status, sent.text))
    assert answers[0] == answers[1]
    assert (answers[0][0], answers[0][2]) == (404, 404)


def test_the_directory_of_people_holds_no_two_rooms_of_one_slug(chat: Services) -> None:
    ann = chat.db.write(lambda transaction: people.add(transaction, "Ann"))
    made = [chat.db.write(lambda transaction: rooms.create(transaction, ann, "Küche & Bar")) for _ in range(3)]
    assert [room.slug for room in made] == ["kuche-bar", "kuche-bar-2", "kuche-bar-3"]
