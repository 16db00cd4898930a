"""My rooms for programs: the contract, to the letter."""

from __future__ import annotations

from ..http.gateway import Gateway


def test_my_rooms_are_listed_with_what_is_new(gateway: Gateway) -> None:
    ann, bob = gateway.bearer("Ann"), gateway.bearer("Bob")
    said = gateway.say("hello", bob)
    answer = gateway.get("/api/rooms", ann)
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    [lobby] = answer.json()["rooms"]
    assert list(lobby)[:8] == ["slug", "name", "kind", "topic", "unread", "mentions", "last_id", "read_id"]
    assert (lobby["slug"], lobby["name"], lobby["kind"], lobby["topic"]) == ("lobby", "Lobby", "public", "")
    assert (lobby["unread"], lobby["mentions"], lobby["last_id"]) == (1, 0, said["id"])
    assert lobby["read_id"] < said["id"]


def test_nobody_has_no_rooms(gateway: Gateway) -> None:
    assert gateway.get("/api/rooms").status == 401
