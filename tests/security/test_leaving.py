"""Who is put out of a room, or whose session is ended, hears no more of what they may not: on every node, at once."""

from __future__ import annotations

import time
from contextlib import ExitStack

import httpx

from ..faults.clients import StreamReader, cursor, program, say, token_of, with_token, within
from ..setups import SetUp

AT_ONCE = 5.0
"""Seconds within which a stream stops carrying what its person may not see."""


def make_room(owner: httpx.Client, name: str) -> str:
    answer = owner.post("/api/rooms", json={"name": name, "kind": "private"})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["slug"])


def test_a_member_who_is_put_out_hears_nothing_more_of_the_room(set_up: SetUp, closing_later: ExitStack) -> None:
    near, far = set_up.around(0)[0], set_up.around(1)[0]
    ann, bob = closing_later.enter_context(program(near, "Ann")), closing_later.enter_context(program(far, "Bob"))
    den = make_room(ann, "Den")
    assert ann.put(f"/api/rooms/{den}/members/Bob").status_code == 204
    stream = StreamReader(far, token_of(bob), cursor(bob))
    stream.start()
    closing_later.callback(stream.finish)
    stream.wait_open()
    inside = say(ann, "between us", room=den).json()
    stream.wait_for(inside["id"])

    began = time.monotonic()
    assert ann.delete(f"/api/rooms/{den}/members/Bob").status_code == 204
    hidden = say(ann, "without Bob", room=den)
    assert hidden.status_code == 201, hidden.text
    heard = say(ann, "to everybody").json()
    stream.wait_for(heard["id"], AT_ONCE)
    assert time.monotonic() - began < AT_ONCE
    assert [message["text"] for message in stream.messages] == ["between us", "to everybody"]
    assert bob.get(f"/api/rooms/{den}/messages").status_code == 404
    assert say(bob, "me again", room=den).status_code == 404
    # Nor does who comes back with a cursor from before.
    again = closing_later.enter_context(with_token(near, token_of(bob)))
    missed = again.get("/api/events", params={"after": "0"}).text
    assert "without Bob" not in missed


def test_a_session_that_is_revoked_from_another_device_is_over(set_up: SetUp, closing_later: ExitStack) -> None:
    near, far = set_up.around(0)[0], set_up.around(1)[0]
    ann = closing_later.enter_context(program(near, "Ann"))
    phone = closing_later.enter_context(program(near, "Bob"))
    password = "a long and winding road 42"
    assert phone.post("/account/password", data={"password": password}).status_code == 303
    begun = httpx.post(f"{far.url}/api/sessions", json={"username": "Bob", "password": password})
    assert begun.status_code == 201, begun.text
    laptop = closing_later.enter_context(with_token(far, begun.json()["token"]))
    stream = StreamReader(far, token_of(laptop), cursor(laptop))
    stream.start()
    stream.wait_open()
    stream.wait_for(say(ann, "hello").json()["id"])

    listed = phone.get("/api/sessions").json()["sessions"]
    [other] = [each for each in listed if not each["current"]]
    assert phone.delete(f"/api/sessions/{other['id']}").status_code == 204
    within(AT_ONCE, lambda: bool(stream.refused), "the stream of a revoked session ends, and does not come back")
    assert stream.refused[0].startswith("401")
    stream.refused.clear()
    stream.finish()
    hidden = say(ann, "without the laptop").json()
    assert hidden["id"] not in [message["id"] for message in stream.messages]
    for answer in (laptop.get("/api/rooms"), say(laptop, "me again"), laptop.get("/api/events")):
        assert answer.status_code == 401
    assert say(phone, "still here").status_code == 201
