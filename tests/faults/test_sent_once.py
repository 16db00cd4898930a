"""A message that is sent more than once is there once."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from .. import setups
from ..servers import ChatServer
from ..setups import SetUp
from .clients import history, program, say, token_of, with_token
from .proxy import LossyProxy


@pytest.fixture(params=["one", "one, limits on", "two"])
def once(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SetUp]:
    if request.param == "two":
        yield request.getfixturevalue("two_nodes")
    else:
        with setups.one(tmp_path, FLASK_CHAT_LIMITS="on" if "on" in request.param.split() else "off") as running:
            yield running


def all_at_once(set_up: SetUp, token: str, text: str, client_id: str, times: int) -> list[httpx.Response]:
    """The same post, by that many threads that begin at the same moment, to every node of the chat."""
    answers: list[httpx.Response] = []
    gate = threading.Barrier(times)

    def send(number: int) -> None:
        with with_token(set_up.around(number)[0], token) as client:
            client.get("/up")  # The connection is there before the gate opens.
            gate.wait()
            answers.append(say(client, text, client_id))

    threads = [threading.Thread(target=send, args=(number,)) for number in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return answers


def test_the_same_post_fifty_times_at_once_and_again_after_a_restart_is_one_message(once: SetUp) -> None:
    with program(once.nodes[0], "Ann") as ann:
        first = all_at_once(once, token_of(ann), "Only once", "c1", 50)
        assert Counter(answer.status_code for answer in first) == {201: 1, 200: 49}
        once.restart()
        again = all_at_once(once, token_of(ann), "Only once", "c1", 50)
        assert Counter(answer.status_code for answer in again) == {200: 50}
        once.nodes[0].kill()
        once.nodes[0].start()
        last = say(ann, "Only once", "c1")
        assert len({answer.content for answer in (*first, *again, last)}) == 1
        assert [message["id"] for message in history(ann)] == [last.json()["id"]]
        assert once.value("SELECT count(*) FROM message") == 1

        for node in once.nodes:
            with with_token(node, token_of(ann)) as client:
                other = say(client, "Something else", "c1")
            assert other.status_code == 409
            assert other.headers["content-type"] == "application/problem+json"
        assert once.value("SELECT text FROM message") == "Only once"


def test_the_same_client_id_of_two_people_is_two_messages(shared: ChatServer, bob: httpx.Client) -> None:
    with program(shared, "Cleo") as cleo:
        assert say(bob, "Mine", "same").status_code == 201
        assert say(cleo, "Mine", "same").status_code == 201


def test_white_space_that_is_not_kept_makes_no_other_message(bob: httpx.Client) -> None:
    first = say(bob, "Tidy", "tidy")
    again = say(bob, "  Tidy \r\n", "tidy")
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()


def test_a_form_that_is_sent_twice_with_its_client_id_is_one_message(shared: ChatServer, ann: httpx.Client) -> None:
    for _ in range(3):
        sent = ann.post("/rooms/lobby/messages", data={"message": "By form", "client_id": "form-1"})
        assert sent.status_code == 303
    assert [message["text"] for message in history(ann)].count("By form") == 1
    other = ann.post("/rooms/lobby/messages", data={"message": "Another", "client_id": "form-1"})
    assert other.status_code == 409
    assert "Another" in other.text, "what was typed is lost"


def test_an_answer_that_was_lost_after_the_commit_is_given_again(set_up: SetUp, closing_later: ExitStack) -> None:
    bob = closing_later.enter_context(program(set_up.nodes[-1], "Bob"))
    with LossyProxy(set_up.nodes[0]) as proxy:
        with httpx.Client(base_url=proxy.url, headers=bob.headers, timeout=10) as client:
            for _ in range(3):
                with pytest.raises(httpx.RemoteProtocolError):
                    say(client, "Was this heard?", "lost-1")
            kept = history(bob)
            proxy.losing = False
            answer = say(client, "Was this heard?", "lost-1")
        assert proxy.lost == 3
        assert len(kept) == 1
        for again in (answer, say(bob, "Was this heard?", "lost-1")):
            assert again.status_code == 200
            assert again.json() == kept[0]
        assert history(bob) == kept
