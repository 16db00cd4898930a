"""The story of a chat, as somebody new to it would live it. Read it from top to bottom: each part goes on from the one
before. Everything here is done from outside, over HTTP, to a chat that really runs: the whole story in each of the ways
to reach one that :mod:`tests.ways` has.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from .ways import WAYS, Way

NAVIGATES = {"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}


@pytest.fixture(scope="module", params=WAYS)
def chat(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Way]:
    """The chat that somebody started."""
    with WAYS[request.param](tmp_path_factory.mktemp("journey"), request.getfixturevalue) as chat:
        yield chat


@pytest.fixture(scope="module")
def ann(chat: Way) -> Iterator[httpx.Client]:
    """Ann's browser."""
    with closing(chat.browser(follow_redirects=True)) as browser:
        yield browser


@pytest.fixture(scope="module")
def bob(chat: Way) -> Iterator[httpx.Client]:
    """Bob's browser."""
    with closing(chat.browser(follow_redirects=True)) as browser:
        yield browser


def messages(browser: httpx.Client) -> list[dict[str, str]]:
    found = browser.get("/api/rooms/lobby/messages", params={"after": "0", "limit": "100"}).json()["messages"]
    return list(found)


def texts(browser: httpx.Client) -> list[str]:
    return [message["text"] for message in messages(browser)]


def where(chat: Way, page: httpx.Response) -> str:
    """The path of a page, from where the chat begins."""
    path = page.headers.get("location") or page.url.path
    assert path.startswith(f"{chat.prefix}/")
    return str(path.removeprefix(chat.prefix))


def test_01_the_chat_prints_where_it_is_and_who_may_take_charge(chat: Way, ann: httpx.Client) -> None:
    for node in chat.nodes:
        assert f":{node.port}{chat.prefix}/\n" in chat.printed
    assert f"{chat.prefix}/owner/" in chat.printed
    assert ann.get("/up").text.strip() == "ok"


def test_02_the_first_page_asks_for_a_name_and_nothing_else(ann: httpx.Client) -> None:
    page = ann.get("/")
    assert page.status_code == 200
    assert re.findall(r'<input[^>]* name="(\w+)"', page.text) == ["username"]
    assert "Go to chat!" in page.text
    assert "autofocus" in page.text


def test_03_ann_says_her_name_and_is_in(chat: Way, ann: httpx.Client) -> None:
    page = ann.post("/", data={"username": "Ann"})
    assert where(chat, page) == "/chat/Ann"
    assert "Welcome, " in page.text
    assert where(chat, ann.get("/")) == "/chat/Ann", "the session is not kept"


def test_04_her_name_is_hers(chat: Way, bob: httpx.Client) -> None:
    page = bob.post("/", data={"username": "ann"})
    assert page.status_code == 422
    assert "Ann" in page.text
    assert 'value="ann"' in page.text, "what was typed is lost"
    assert where(chat, bob.post("/", data={"username": "Bob"})) == "/chat/Bob"


def test_05_they_talk_and_both_see_the_same(chat: Way, ann: httpx.Client, bob: httpx.Client) -> None:
    page = ann.post("/rooms/lobby/messages", data={"message": "Hello!\nIs anybody here? https://example.org/"})
    assert where(chat, page) == "/rooms/lobby"
    bob.post("/rooms/lobby/messages", data={"message": "I am <b>here</b>."})
    for browser in (ann, bob):
        page = browser.get("/rooms/lobby")
        assert "Hello!<br>Is anybody here? <a " in page.text
        assert 'href="https://example.org/"' in page.text
        assert "I am &lt;b&gt;here&lt;/b&gt;." in page.text
        assert page.text.index("Hello!") < page.text.index("I am")
    assert messages(ann) == messages(bob)


def test_06_a_message_is_a_dictionary(ann: httpx.Client) -> None:
    message = messages(ann)[0]
    assert set(message) == {"id", "room", "author", "text", "html", "created_at", "edited_at", "client_id"}
    assert (message["room"], message["author"]) == ("lobby", "Ann")
    assert message["html"].startswith("<article ")


def test_07_it_says_when_in_utc_for_programs_and_in_a_named_zone_for_people(ann: httpx.Client) -> None:
    message = messages(ann)[0]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", message["created_at"])
    age = datetime.now(UTC) - datetime.fromisoformat(message["created_at"])
    assert timedelta() <= age < timedelta(minutes=5)
    shown = re.search(r'<time datetime="([^"]+)" title="([^"]+)">([^<]+)</time>', message["html"])
    assert shown is not None
    assert shown[1] == message["created_at"]
    assert re.search(r", \d\d:\d\d:\d\d \S+$", shown[2]), "the zone is not named"
    assert re.fullmatch(r"\d\d:\d\d \S+", shown[3])
    assert '<h2 class="day">' in ann.get("/rooms/lobby").text


def test_08_ann_sends_by_an_address_and_a_reload_sends_nothing_twice(chat: Way, ann: httpx.Client) -> None:
    page = ann.get("/Ann/100%25 sure: a/b? %3F", headers=NAVIGATES)
    assert where(chat, page) == "/rooms/lobby"
    count = len(texts(ann))
    ann.get(page.url, headers=NAVIGATES)
    assert len(texts(ann)) == count
    assert texts(ann)[-1].startswith("100% sure: a/b?")


def test_09_a_link_that_somebody_else_made_only_fills_the_box_in(ann: httpx.Client, bob: httpx.Client) -> None:
    count = len(texts(ann))
    for browser, headers in ((ann, {}), (ann, {**NAVIGATES, "Sec-Fetch-Site": "cross-site"}), (bob, NAVIGATES)):
        page = browser.get("/Ann/I give all I have away", headers=headers)
        assert "I give all I have away</textarea>" in page.text
    assert len(texts(ann)) == count


def test_10_bobs_page_hears_of_it_by_itself(ann: httpx.Client, bob: httpx.Client) -> None:
    page = bob.get("/rooms/lobby").text
    at = re.search(r'data-cursor="([^"]+)"', page)
    assert at is not None
    headers = {"Accept": "text/event-stream", "Last-Event-ID": at[1]}
    with bob.stream("GET", "/api/events", headers=headers) as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        lines = stream.iter_lines()
        while not next(lines).startswith("id: "):
            pass
        sent = ann.post("/api/rooms/lobby/messages", json={"text": "Bob, look!", "client_id": "look-1"}).json()
        id = ""
        for line in lines:
            if line.startswith("id: "):
                id = line.removeprefix("id: ")
            if line.startswith("data: "):
                break
        event = json.loads(line.removeprefix("data: "))
    assert event == {"id": sent["id"], "type": "message.posted", "room": "lobby", "message": sent}
    assert bob.get("/api/events", params={"after": at[1]}).json() == {"events": [event], "cursor": id}


def test_11_where_streams_do_not_get_through_bob_asks_and_is_answered_when_there_is_something(
    ann: httpx.Client, bob: httpx.Client
) -> None:
    first = bob.get("/api/events").json()
    assert first["events"] == []
    nothing = bob.get("/api/events", params={"after": first["cursor"], "wait": "0.1"}).json()
    assert nothing == first
    sent = ann.post("/api/rooms/lobby/messages", json={"text": "And now?"}).json()
    answer = bob.get("/api/events", params={"after": first["cursor"], "wait": "20"}).json()
    assert [event["message"] for event in answer["events"]] == [sent]
    assert bob.get("/api/events", params={"after": answer["cursor"]}).json()["events"] == []


def test_12_a_retry_is_not_a_second_message(ann: httpx.Client) -> None:
    def send(text: str) -> httpx.Response:
        return ann.post("/api/rooms/lobby/messages", json={"text": text, "client_id": "retried-1"})

    first, second, other = send("Once"), send("Once"), send("Twice")
    assert (first.status_code, second.status_code, other.status_code) == (201, 200, 409)
    assert first.json() == second.json()
    assert texts(ann).count("Once") == 1


def test_13_without_scripts_the_room_is_a_document_that_goes_on_and_on(ann: httpx.Client, bob: httpx.Client) -> None:
    assert "/rooms/lobby/timeline" in bob.get("/rooms/lobby").text
    with bob.stream("GET", "/rooms/lobby/timeline") as document:
        parts, shown = document.iter_text(), ""
        while "Once" not in shown:
            shown += next(parts)
        ann.post("/rooms/lobby/messages", data={"message": "Without a reload"})
        while "Without a reload" not in shown:
            shown += next(parts)


def test_14_curl_is_welcome(chat: Way) -> None:
    with closing(chat.browser(headers={"user-agent": "curl/8.5.0", "accept": "*/*"})) as curl:
        joined = curl.post("/", data={"username": "Cleo"})
        assert (joined.status_code, where(chat, joined)) == (303, "/chat/Cleo")
        posted = curl.post("/rooms/lobby/messages", data={"message": "hi"})
        assert (posted.status_code, where(chat, posted)) == (303, "/rooms/lobby")
        assert texts(curl)[-1] == "hi"


def test_15_a_program_has_a_token_of_its_own(chat: Way) -> None:
    with closing(chat.browser()) as dora:
        token = dora.post("/api/sessions", json={"username": "Dora"}).json()["token"]
        dora.headers["authorization"] = f"Bearer {token}"
        assert dora.post("/api/rooms/lobby/messages", json={"text": "beep"}).json()["author"] == "Dora"
        assert dora.delete("/api/sessions/current").status_code == 204
        # Where there are several nodes, the others hear of it in a moment.
        until = time.monotonic() + 5
        while dora.post("/api/rooms/lobby/messages", json={"text": "beep"}).status_code != 401:
            assert time.monotonic() < until


@pytest.mark.parametrize("end", ["stopped", "killed"])
def test_16_the_chat_is_ended_and_started_again_and_nothing_is_lost(
    chat: Way, ann: httpx.Client, bob: httpx.Client, end: str
) -> None:
    before = messages(ann)
    at = bob.get("/api/events").json()["cursor"]
    chat.kill() if end == "killed" else chat.stop()
    chat.start()
    assert where(chat, ann.get("/")) == "/chat/Ann", "a restart signs people out"
    assert messages(bob) == before
    sent = ann.post("/api/rooms/lobby/messages", json={"text": f"It was {end}."}).json()
    caught_up: list[dict[str, Any]] = []
    # The node that is asked may be a moment behind the one that Ann has talked to, as it may have been before.
    while sent not in caught_up and (news := bob.get("/api/events", params={"after": at, "wait": 10}).json())["events"]:
        caught_up += [event["message"] for event in news["events"]]
        at = news["cursor"]
    assert [message for message in caught_up if message not in before] == [sent]


def test_17_anns_profile_is_what_bob_sees_at_her_address(bob: httpx.Client) -> None:
    page = bob.get("/people/Ann")
    assert page.status_code == 200
    assert "Here since" in page.text
    assert bob.get("/people/Nobody").status_code == bob.get("/chat/Nobody").status_code == 404


def test_18_ann_signs_out_and_her_name_stays_with_her_browser(chat: Way, ann: httpx.Client, bob: httpx.Client) -> None:
    assert where(chat, ann.post("/sign-out")) == "/"
    assert where(chat, ann.get("/rooms/lobby")) == "/", "she is asked for a name again"
    assert ann.post("/api/rooms/lobby/messages", json={"text": "ghost"}).status_code == 401
    with closing(chat.browser()) as stranger:
        assert stranger.post("/", data={"username": "Ann"}).status_code == 422
    page = ann.post("/", data={"username": "Ann", "next": "/rooms/lobby"})
    assert where(chat, page) == "/rooms/lobby"
    ann.post("/rooms/lobby/messages", data={"message": "I am back."})
    assert texts(bob)[-1] == "I am back."


def test_19_the_one_who_runs_it_takes_charge_once(chat: Way, ann: httpx.Client, bob: httpx.Client) -> None:
    link = re.findall(r"/owner/\S+", chat.printed)[-1]
    assert "Own this chat" in ann.get(link).text
    assert where(chat, ann.post(link)) == "/chat/Ann"
    assert bob.get(link).status_code == 404
    assert bob.post(link).status_code == 404
    assert "Owner of this chat" in bob.get("/people/Ann").text


def test_20_the_chat_stops_when_it_is_told_to(chat: Way) -> None:
    assert set(chat.stop()) == {0}
    assert '"level":"error"' not in chat.printed
