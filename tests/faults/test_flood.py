"""Somebody sends more than is good: they are told to wait, and nobody else notices."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from ..figures import Tell
from ..servers import ChatServer, serving
from . import storage, wire
from .clients import StreamReader, cursor, history, program, say, token_of
from .test_slow_reader import memory


@pytest.fixture
def limited(tmp_path: Path) -> Iterator[ChatServer]:
    """A chat as people have it, with its limits on."""
    with serving(tmp_path / "data") as server:
        yield server


def assert_told_to_wait(answer: httpx.Response) -> None:
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) >= 1


def test_a_flood_of_posts_is_told_to_wait_and_the_others_talk_and_hear_as_before(
    limited: ChatServer, tell: Tell
) -> None:
    with program(limited, "Ann") as ann, program(limited, "Bob") as bob, program(limited, "Cleo") as cleo:
        reader = StreamReader(limited, token_of(cleo), cursor(cleo))
        reader.start()
        reader.wait_open()
        calm = _median(_say_and_hear(bob, reader, f"calm {number}") for number in range(15))
        stopped = threading.Event()
        answers: list[httpx.Response] = []
        floods = [threading.Thread(target=_flood, args=(limited, token_of(ann), stopped, answers)) for _ in range(2)]
        for flood in floods:
            flood.start()
        while not any(answer.status_code == 429 for answer in list(answers)):
            assert len(answers) < 2000, "there is no limit"
        stormy = _median(_say_and_hear(bob, reader, f"stormy {number}") for number in range(30))
        stopped.set()
        for flood in floods:
            flood.join()
        reader.finish()
        told = Counter(answer.status_code for answer in answers)
        tell(
            f"a flood of {len(answers)} posts, {told[429]} told to wait: "
            f"from Bob's post to Cleo's eyes {calm * 1000:.1f} ms before, {stormy * 1000:.1f} ms meanwhile"
        )
        assert set(told) == {201, 429}
        for answer in answers:
            if answer.status_code == 429:
                assert_told_to_wait(answer)
                assert answer.headers["content-type"] == "application/problem+json"
        assert [message for message in history(bob) if message["author"] == "Ann"].__len__() == told[201]
        # Generous: the flood's own threads take their share of this machine.
        assert stormy < calm * 3 + 0.1


def _say_and_hear(client: httpx.Client, reader: StreamReader, text: str) -> float:
    began = time.monotonic()
    answer = say(client, text)
    assert answer.status_code == 201, answer.text
    reader.wait_for(answer.json()["id"], seconds=5)
    return time.monotonic() - began


def _median(times: Iterator[float]) -> float:
    ordered = sorted(times)
    return ordered[len(ordered) // 2]


def _flood(server: ChatServer, token: str, stopped: threading.Event, answers: list[httpx.Response]) -> None:
    with httpx.Client(base_url=server.url, headers={"authorization": f"Bearer {token}"}) as client:
        while not stopped.is_set():
            answers.append(say(client, "flood"))


def test_who_was_told_to_wait_and_waits_is_heard(limited: ChatServer) -> None:
    with program(limited, "Ann") as ann:
        refused = next(answer for answer in (say(ann, "flood") for _ in range(2000)) if answer.status_code != 201)
        assert_told_to_wait(refused)
        # The one thing here that only time can tell.
        threading.Event().wait(int(refused.headers["retry-after"]))
        assert say(ann, "I waited").status_code == 201


def test_a_form_that_is_sent_too_fast_keeps_what_was_typed(limited: ChatServer) -> None:
    with contextlib.closing(limited.client("Ann")) as ann:
        answers = [ann.post("/rooms/lobby/messages", data={"message": "typed with care"}) for _ in range(90)]
        refused = [answer for answer in answers if answer.status_code != 303]
        assert refused, "there is no limit"
        for answer in refused:
            assert_told_to_wait(answer)
            assert "typed with care</textarea>" in answer.text
        navigates = {"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate"}
        by_address = [ann.get("/Ann/typed%20with%20care", headers=navigates) for _ in range(20)]
        assert any(answer.status_code == 429 for answer in by_address), "the address goes round the limit"


def test_a_flood_of_names_is_told_to_wait_and_who_is_here_or_elsewhere_is_not(limited: ChatServer) -> None:
    with contextlib.closing(limited.client("Ann")) as ann:
        answers = []
        with httpx.Client(base_url=limited.url) as crowd:
            for number in range(100):
                crowd.cookies.clear()
                by_form = crowd.post("/", data={"username": f"Bob {number}"})
                by_json = crowd.post("/api/sessions", json={"username": f"Cleo {number}"})
                answers += [by_form, by_json]
        refused = [answer for answer in answers if answer.status_code not in (201, 303)]
        assert len(refused) > 100
        for answer in refused:
            assert_told_to_wait(answer)
        assert "Wait a moment" in refused[0].text
        assert ann.post("/rooms/lobby/messages", data={"message": "I am here"}).status_code == 303
        elsewhere = httpx.post(f"{limited.url}/", data={"username": "Dora"}, headers={"X-Forwarded-For": "203.0.113.9"})
        assert elsewhere.status_code == 303


def test_one_browser_may_not_open_streams_without_end(limited: ChatServer) -> None:
    with program(limited, "Ann") as ann, program(limited, "Bob") as bob, contextlib.ExitStack() as open_streams:
        for number in range(200):
            answer = open_streams.enter_context(
                ann.stream("GET", "/api/events", headers={"accept": "text/event-stream"})
            )
            if answer.status_code != 200:
                assert_told_to_wait(answer)
                assert number >= 6, "that is fewer than a browser's tabs"
                break
        else:
            raise AssertionError("there is no limit")
        assert bob.get("/api/events").status_code == 200


DOORS = [
    ("POST", "/api/rooms/lobby/messages", "application/json"),
    ("POST", "/rooms/lobby/messages", "application/x-www-form-urlencoded"),
    ("POST", "/", "application/x-www-form-urlencoded"),
    ("POST", "/", "multipart/form-data; boundary=x"),
    ("POST", "/sign-out", "text/plain"),
    ("POST", "/api/sessions", "application/json"),
]


@pytest.mark.parametrize(("method", "path", "type"), DOORS)
def test_a_body_that_says_it_has_ten_gigabytes_is_refused_before_it_comes(
    shared: ChatServer, bob: httpx.Client, method: str, path: str, type: str
) -> None:
    headers = {
        "Authorization": bob.headers["authorization"],
        "Content-Type": type,
        "Content-Length": str(10 * 1024**3),
    }
    with wire.connect(shared, timeout=5) as sock:
        sock.sendall(wire.head(method, path, headers))
        assert wire.read_answer(sock).status == 413


@pytest.mark.parametrize(("method", "path", "type"), DOORS)
def test_a_body_without_an_end_is_refused_and_not_kept(
    shared: ChatServer, bob: httpx.Client, method: str, path: str, type: str
) -> None:
    before = memory(shared)
    headers = {
        "Authorization": bob.headers["authorization"],
        "Content-Type": type,
        "Transfer-Encoding": "chunked",
    }
    chunk = b"10000\r\n" + b"x" * 65536 + b"\r\n"
    with wire.connect(shared, timeout=5) as sock:
        sock.sendall(wire.head(method, path, headers))
        for _ in range(8):
            sock.sendall(chunk)
        assert wire.read_answer(sock).status == 413
        # It does not stop, and is not listened to: either it is cut off, or nothing of it is kept.
        with contextlib.suppress(OSError):
            for _ in range(400):
                sock.sendall(chunk)
    assert memory(shared) - before < 8 * 1024
    assert say(bob, "still here").status_code == 201


def test_hundreds_of_connections_that_say_nothing_leave_room_for_those_who_talk(
    shared: ChatServer, bob: httpx.Client
) -> None:
    silent = [wire.connect(shared) for _ in range(300)]
    half = [wire.connect(shared) for _ in range(100)]
    try:
        for sock in half:
            sock.sendall(b"GET /rooms/lobby HTTP/1.1\r\nHost: ")
        assert say(bob, "can you hear me?").status_code == 201
    finally:
        for sock in (*silent, *half):
            sock.close()
    assert storage.integrity(shared) == "ok"
