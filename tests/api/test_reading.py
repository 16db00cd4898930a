"""Marks of what was read, for programs: the contract, to the letter."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ..http.gateway import Answer, Gateway

READ = "/api/rooms/lobby/read"
JSON = {"content-type": "application/json"}


def put(gateway: Gateway, address: str, contents: object, headers: dict[str, str]) -> Answer:
    return gateway.request("PUT", address, {**JSON, **headers}, json.dumps(contents))


def lobby(gateway: Gateway, headers: dict[str, str]) -> dict[str, Any]:
    [room] = gateway.get("/api/rooms", headers).json()["rooms"]
    return dict(room)


def test_a_mark_is_kept_and_goes_back_only_by_force(gateway: Gateway) -> None:
    ann, bob = gateway.bearer("Ann"), gateway.bearer("Bob")
    first, second = (gateway.say(text, bob)["id"] for text in ("one", "two"))
    answer = put(gateway, READ, {"through": second}, ann)
    assert (answer.status, answer.body) == (204, b"")
    assert "content-type" not in answer.headers
    assert (lobby(gateway, ann)["unread"], lobby(gateway, ann)["read_id"]) == (0, second)
    assert put(gateway, READ, {"through": first}, ann).status == 204
    assert lobby(gateway, ann)["read_id"] == second
    assert put(gateway, READ, {"through": first, "force": True}, ann).status == 204
    assert (lobby(gateway, ann)["unread"], lobby(gateway, ann)["read_id"]) == (1, first)


def test_my_other_devices_hear_of_a_mark_and_nobody_else_does(gateway: Gateway) -> None:
    ann, bob = gateway.bearer("Ann"), gateway.bearer("Bob")
    said = gateway.say("hello", bob)["id"]
    cursor = gateway.get("/api/events", ann).json()["cursor"]
    put(gateway, READ, {"through": said}, ann)
    [event] = gateway.get(f"/api/events?after={cursor}&wait=5", ann).json()["events"]
    assert {key: event[key] for key in ("type", "room", "read_id")} == {
        "type": "read.moved", "room": "lobby", "read_id": said,
    }  # fmt: skip
    assert gateway.get(f"/api/events?after={cursor}", bob).json()["events"] == []


@pytest.mark.parametrize(
    ("contents", "status"),
    [({}, 422), ({"through": "1"}, 422), ({"through": -1}, 422), ({"through": 1, "force": 1}, 422), ([], 400)],
)
def test_what_is_no_mark_is_refused(gateway: Gateway, contents: object, status: int) -> None:
    assert put(gateway, READ, contents, gateway.bearer("Ann")).status == status


def test_only_members_mark_a_room(gateway: Gateway) -> None:
    ann = gateway.bearer("Ann")
    assert put(gateway, READ, {"through": 1}, {}).status == 401
    assert put(gateway, "/api/rooms/nowhere/read", {"through": 1}, ann).status == 404
    assert gateway.request("PUT", READ, {**ann, "content-type": "text/plain"}, "{}").status == 415


def test_another_site_marks_nothing(gateway: Gateway) -> None:
    foreign = {"origin": "https://evil.example", "sec-fetch-site": "cross-site"}
    assert put(gateway, READ, {"through": 1}, foreign).status == 403


def test_a_level_is_set(gateway: Gateway) -> None:
    ann = gateway.bearer("Ann")
    address = "/api/rooms/lobby/notifications"
    assert put(gateway, address, {"notify": "none", "mute_for": 60}, ann).status == 204
    assert (lobby(gateway, ann)["notify"], lobby(gateway, ann)["muted"]) == ("none", True)
    assert put(gateway, address, {"mute_for": 0}, ann).status == 204
    assert (lobby(gateway, ann)["notify"], lobby(gateway, ann)["muted"]) == ("none", False)
    assert put(gateway, address, {"notify": "loud"}, ann).status == 422
    assert put(gateway, "/api/rooms/nowhere/notifications", {"notify": "all"}, ann).status == 404
