"""The server stops and starts while people are connected: everybody goes on where they were."""

from __future__ import annotations

import json
import signal
import socket
import threading
import time
from contextlib import ExitStack

import httpx
import pytest

from ..checker import Checker
from ..figures import Tell
from ..servers import ChatServer
from ..setups import SetUp
from . import wire
from .clients import PollReader, Poster, Reader, StreamReader, cursor, history, program, say, token_of

DRAINED = 3.0
"""Seconds that an orderly end may take. The aim is 2; a machine that tests other things meanwhile gets more."""


def half_a_post(server: ChatServer, token: str, text: str) -> tuple[socket.socket, bytes]:
    """A post of which the server has the head and the first half; returns the rest too."""
    body = json.dumps({"text": text, "client_id": text}).encode()
    headers = {
        "Authorization": f"Bearer {token}",
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
    }
    sock = wire.connect(server)
    sock.sendall(wire.head("POST", "/api/rooms/lobby/messages", headers) + body[:5])
    return sock, body[5:]


def half_a_form(server: ChatServer, token: str, text: str) -> tuple[socket.socket, bytes]:
    """The same by the form, in a way that Flask answers."""
    body = f"message={text}".encode()
    headers = {
        "Authorization": f"Bearer {token}",
        "Content-Type": "application/x-www-form-urlencoded; charset=utf-8",
        "Content-Length": str(len(body)),
    }
    sock = wire.connect(server)
    sock.sendall(wire.head("POST", "/rooms/lobby/messages", headers) + body[:5])
    return sock, body[5:]


def test_who_was_connected_goes_on_after_a_restart_without_a_gap_and_without_hearing_anything_twice(
    set_up: SetUp, closing_later: ExitStack, tell: Tell
) -> None:
    checker = Checker()
    dora = closing_later.enter_context(program(set_up.nodes[0], "Dora"))
    start = cursor(dora)
    streams = [StreamReader(set_up.around(at), token_of(dora), start) for at in range(4)]
    polls = [PollReader(set_up.around(at), token_of(dora), start) for at in range(3)]
    readers: list[Reader] = [*streams, *polls]
    posters = [Poster(set_up.around(at), name, checker) for at, name in enumerate(("Ann", "Bob"))]
    for thread in (*readers, *posters):
        thread.start()
    drained, back = [], []
    for times in (1, 2, 3):
        for reader in readers:
            reader.wait_open(times)
        opened = [reader.opened for reader in readers]
        began = time.monotonic()
        set_up.stop()
        drained.append(time.monotonic() - began)
        set_up.start()
        began = time.monotonic()
        for reader, before in zip(readers, opened, strict=True):
            reader.wait_open(before + 1)
        back.append(time.monotonic() - began)
    for poster in posters:
        poster.finish()
    kept = history(dora)
    for number, reader in enumerate(readers):
        reader.wait_for(kept[-1]["id"])
        reader.finish()
        assert not [event for event in reader.events if event["type"] == "resync"]
        checker.read(f"{reader.name} {number}", reader.messages)
    tell(
        f"3 restarts, {len(readers)} readers, {len(kept)} messages: drained in {max(drained):.2f} s at most, "
        f"all back {max(back):.2f} s after the chat was"
    )
    verdict = checker.verdict(kept)
    assert not verdict, verdict
    assert max(drained) < DRAINED
    assert max(back) < 5
    assert all(stream.ended_cleanly >= 3 for stream in streams), "a stream was cut instead of ended"


def test_each_stream_is_told_its_own_moment_to_come_back(server: ChatServer, closing_later: ExitStack) -> None:
    bob = closing_later.enter_context(program(server, "Bob"))
    streams = [StreamReader(server, token_of(bob), cursor(bob)) for _ in range(8)]
    for stream in streams:
        stream.start()
    for stream in streams:
        stream.wait_open()
    assert server.stop() == 0
    for stream in streams:
        stream.finish()
    last = [stream.retry[-1] for stream in streams]
    assert len(set(last)) > 1, "all come back at once"
    assert all(0 < wait <= 5000 for wait in last)


def test_what_is_under_way_when_the_server_is_told_to_stop_is_answered_and_kept(
    server: ChatServer, closing_later: ExitStack
) -> None:
    ann = closing_later.enter_context(program(server, "Ann"))
    token = token_of(ann)
    posts = [half_a_post(server, token, f"under-way-{number}") for number in range(5)]
    forms = [half_a_form(server, token, f"by-form-{number}") for number in range(3)]
    waiting = PollReader(server, token, cursor(ann))
    stream = StreamReader(server, token, cursor(ann))
    for reader in (waiting, stream):
        reader.start()
    stream.wait_open()
    assert server.process is not None
    server.process.terminate()
    began = time.monotonic()
    # The stream's end is the sign that the server has begun to stop: only now does the rest of each post arrive.
    stream.wait_until(lambda: len(stream.retry) >= 2)
    for sock, rest in (*posts, *forms):
        sock.sendall(rest)
    answers = [wire.read_answer(sock) for sock, _ in posts]
    sent = [wire.read_answer(sock) for sock, _ in forms]
    assert server.stop() == 0
    assert time.monotonic() - began < DRAINED
    for sock, _ in (*posts, *forms):
        sock.close()
    for reader in (waiting, stream):
        reader.finish()
    assert [answer.status for answer in answers] == [201] * 5
    assert [answer.status for answer in sent] == [303] * 3
    server.start()
    kept = {message["text"]: message["id"] for message in history(ann)}
    assert len(kept) == 8
    for answer in answers:
        message = json.loads(answer.body)
        assert kept[message["text"]] == message["id"]


def test_a_long_poll_is_answered_at_once_when_the_server_stops(server: ChatServer, closing_later: ExitStack) -> None:
    bob = closing_later.enter_context(program(server, "Bob"))
    at = cursor(bob)
    held = wire.connect(server)
    headers = {"Authorization": f"Bearer {token_of(bob)}"}
    held.sendall(wire.head("GET", f"/api/events?after={at}&wait=25", headers))
    # What is asked after it on the same connection would be answered after it; so a second connection tells that
    # the first request was read.
    assert bob.get("/api/events", params={"after": at, "wait": 0}).json()["events"] == []
    began = time.monotonic()
    assert server.stop() == 0
    answer = wire.read_answer(held)
    held.close()
    assert json.loads(answer.body) == {"events": [], "cursor": at}
    assert time.monotonic() - began < DRAINED


@pytest.mark.parametrize("silent", ["one that sends half a request", "one that reads nothing"])
def test_a_client_that_never_finishes_does_not_hold_the_server_up(
    server: ChatServer, closing_later: ExitStack, silent: str
) -> None:
    ann = closing_later.enter_context(program(server, "Ann"))
    if silent == "one that sends half a request":
        sock, _ = half_a_post(server, token_of(ann), "never finished")
    else:
        sock = wire.connect(server, buffer=2048)
        headers = {"Authorization": f"Bearer {token_of(ann)}", "Accept": "text/event-stream"}
        sock.sendall(wire.head("GET", "/api/events?after=0", headers))
        for number in range(40):
            say(ann, f"{number} {'x' * 9000}").raise_for_status()
    began = time.monotonic()
    assert server.stop() == 0
    took = time.monotonic() - began
    sock.close()
    assert took < DRAINED, f"{took:.2f} s"
    server.start()
    assert all(message["text"] != "never finished" for message in history(ann))


def test_ctrl_c_ends_it_like_a_signal_to_stop(server: ChatServer) -> None:
    with httpx.stream("GET", f"{server.url}/up") as answer:
        answer.read()
    assert server.stop(signal.SIGINT) == 0


def test_posts_that_pour_in_while_the_server_stops_are_kept_if_they_are_answered(
    server: ChatServer, closing_later: ExitStack
) -> None:
    checker = Checker()
    posters = [Poster(server, name, checker) for name in ("Ann", "Bob", "Cleo", "Dora")]
    for poster in posters:
        poster.start()
    before = threading.Event()
    while checker.acknowledged < 40:
        before.wait(0.01)
    assert server.stop() == 0
    answered = checker.acknowledged
    server.start()
    for poster in posters:
        poster.finish()
    assert checker.acknowledged > answered
    reader = closing_later.enter_context(program(server, "Eve"))
    verdict = checker.verdict(history(reader))
    assert not verdict, verdict
