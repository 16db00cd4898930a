"""What cannot be understood is refused with a clear reason, and nothing is lost or kept by halves."""

from __future__ import annotations

import json

import httpx
import pytest

from ..servers import ChatServer
from . import storage, wire
from .clients import StreamReader, cursor, history, say, token_of
from .pages import assert_harmless

JSON = {"content-type": "application/json"}


def problem(answer: httpx.Response, status: int) -> str:
    """The reason, in a problem document (RFC 9457) of the right status."""
    assert answer.status_code == status, f"{answer.status_code} {answer.text[:300]}"
    assert answer.headers["content-type"] == "application/problem+json"
    told = answer.json()
    assert told["status"] == status
    assert told["title"]
    assert told["detail"]
    return str(told["detail"])


def post(client: httpx.Client, body: bytes | str, headers: dict[str, str] | None = None) -> httpx.Response:
    return client.post("/api/rooms/lobby/messages", content=body, headers=JSON if headers is None else headers)


@pytest.mark.parametrize(
    "text", ["", " ", "\n\n", "\t \r\n", "\u200b", "\u2800", "\u202e\u202c", "\x00\x01\x7f", "\ufeff"]
)
def test_a_message_without_anything_to_see_is_refused(ann: httpx.Client, bob: httpx.Client, text: str) -> None:
    count = len(history(bob))
    assert "Write something" in problem(say(bob, text), 422)
    page = ann.post("/rooms/lobby/messages", data={"message": text})
    assert page.status_code == 422
    assert "Write something" in page.text
    assert_harmless(page)
    assert len(history(bob)) == count


@pytest.mark.parametrize("letter", ["x", "ж", "🎉", "a\nb", "<", "&", '"'])
def test_ten_thousand_characters_are_a_message_and_one_more_is_too_many(
    ann: httpx.Client, bob: httpx.Client, letter: str
) -> None:
    longest = (letter * 10_000)[:10_000]
    kept = say(bob, longest)
    assert kept.status_code == 201, kept.text[:200]
    assert history(bob)[-1]["text"] == kept.json()["text"] == longest
    reason = problem(say(bob, longest + "x"), 413)
    assert "10,000 characters" in reason
    by_form = ann.post("/rooms/lobby/messages", data={"message": longest})
    assert by_form.status_code == 303
    page = ann.post("/rooms/lobby/messages", data={"message": longest + "x"})
    assert page.status_code == 413
    assert "10,000 characters" in page.text
    assert_harmless(page)


def test_a_message_of_a_megabyte_is_too_long_in_words_for_a_program_and_on_a_page_for_a_person(
    ann: httpx.Client, bob: httpx.Client
) -> None:
    assert problem(say(bob, "x" * 1_000_000), 413)
    page = ann.post("/rooms/lobby/messages", data={"message": "x" * 1_000_000})
    assert page.status_code == 413
    assert page.headers["content-type"].startswith("text/html"), "a person is shown a document for programs"
    assert_harmless(page)


@pytest.mark.parametrize(
    "written", ['"\\ud800"', '"\\udc00"', '"a\\ud83d b"', '"\\udc00\\ud800"'], ids=["high", "low", "between", "swapped"]
)
def test_half_a_character_is_refused(bob: httpx.Client, written: str) -> None:
    answer = post(bob, f'{{"text": {written}}}')
    assert answer.status_code in (400, 422), answer.text
    problem(answer, answer.status_code)
    answer = post(bob, f'{{"text": "x", "client_id": {written}}}')
    problem(answer, answer.status_code)
    assert answer.status_code in (400, 422)
    assert all(message["text"] != "x" for message in history(bob))


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("a\x00b", "ab"),
        ("a\x07\x1b[31mb", "a[31mb"),
        ("a\r\nb\rc", "a\nb\nc"),
        ("a\u2028b", "a\nb"),
        ("a\tb", "a\tb"),
        ("  indented\n    more  ", "indented\n    more"),
        ("\u202eabc", "\u202eabc\u202c"),
        ("abc\u202c", "abc"),
        ("\u2066abc", "\u2066abc\u2069"),
    ],
)
def test_what_is_kept_is_what_can_be_shown(ann: httpx.Client, bob: httpx.Client, text: str, kept: str) -> None:
    by_json = say(bob, text)
    assert by_json.status_code == 201, by_json.text
    ann.post("/rooms/lobby/messages", data={"message": text})
    first, second = (message["text"] for message in history(bob)[-2:])
    assert first == second == by_json.json()["text"]
    assert first.replace("  indented", "indented") == kept


@pytest.mark.parametrize(
    "body",
    [
        *("", "{", "nonsense", '{"text": "a"', '{"text": "a"}}', "{'text': 'a'}", "[]", '"text"', "null", "1", "NaN"),
        *(
            '{"text": "a" "client_id": "b"}',
            "\ufeff{}",
            '{"text": "\x01"}',
            "{}",
            '{"TEXT": "a"}',
            '{"client_id": "a"}',
        ),
    ],
)
def test_what_is_not_a_message_is_told_so(bob: httpx.Client, body: str) -> None:
    problem(post(bob, body.encode()), 400)


@pytest.mark.parametrize("body", [b"\xff\xfe{\x00", b'{"text": "\xff"}', b'{"text": "\xed\xa0\x80"}', b"\x00" * 100])
def test_what_is_not_utf_8_is_told_so(bob: httpx.Client, body: bytes) -> None:
    problem(post(bob, body), 400)


@pytest.mark.parametrize("body", ["[" * 100_000, '{"text":' * 20_000, '{"text": ' + "[" * 100_000])
@pytest.mark.parametrize("path", ["/api/rooms/lobby/messages", "/api/sessions"])
def test_json_as_deep_as_a_well_is_refused_like_any_nonsense(bob: httpx.Client, body: str, path: str) -> None:
    problem(bob.post(path, content=body, headers=JSON), 400)


@pytest.mark.parametrize("text", [None, 1, 1.5, True, [], {}, ["a"], {"text": "a"}])
def test_a_text_that_is_no_text_is_refused(bob: httpx.Client, text: object) -> None:
    problem(post(bob, json.dumps({"text": text})), 422)


@pytest.mark.parametrize("client_id", ["", " ", "a b", "x" * 65, "ä", "a\nb", 1, [], {}, "a/b", "\u0000"])
def test_a_client_id_that_is_none_is_refused(bob: httpx.Client, client_id: object) -> None:
    assert "client_id" in problem(post(bob, json.dumps({"text": "a", "client_id": client_id})), 422)


@pytest.mark.parametrize(
    "type",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "", "application/jsonp", "a" * 9000],
)
def test_what_does_not_say_it_is_json_is_not_taken_for_it(bob: httpx.Client, type: str) -> None:
    for path, body in (("/api/rooms/lobby/messages", '{"text": "a"}'), ("/api/sessions", '{"username": "Eve"}')):
        problem(bob.post(path, content=body, headers={"content-type": type}), 415)
    assert post(bob, '{"text": "a"}', {"content-type": "application/JSON; charset=utf-8"}).status_code == 201


@pytest.mark.parametrize("body", ['{"username": 1}', "{}", "[]", "null", "{", '{"username": null}'])
def test_a_program_that_says_no_name_is_told_so(shared: ChatServer, body: str) -> None:
    problem(httpx.post(f"{shared.url}/api/sessions", content=body, headers=JSON), 400)


@pytest.mark.parametrize("room", ["nowhere", "LOBBY", "lobby%20", "lobby%2F", "%00", "x" * 3000, "ж", "1"])
def test_a_room_that_is_not_there_is_not_found(ann: httpx.Client, bob: httpx.Client, room: str) -> None:
    for answer in (
        bob.post(f"/api/rooms/{room}/messages", json={"text": "a"}),
        bob.get(f"/api/rooms/{room}/messages"),
        ann.get(f"/rooms/{room}"),
        ann.post(f"/rooms/{room}/messages", data={"message": "a"}),
        ann.get(f"/rooms/{room}/timeline"),
    ):
        assert answer.status_code in (404, 405), f"{answer.request.url}: {answer.status_code}"


@pytest.mark.parametrize("bound", ["-1", "a", "1.5", "１", "9" * 30, "", " 1", "0x10", "1e3", "%00"])
def test_a_bound_that_is_no_number_is_refused(ann: httpx.Client, bob: httpx.Client, bound: str) -> None:
    for name in ("before", "after", "limit"):
        problem(bob.get("/api/rooms/lobby/messages", params={name: bound}), 400)
    assert ann.get("/rooms/lobby", params={"before": bound}).status_code in (400, 404)


def test_bounds_at_the_ends_are_answered(ann: httpx.Client, bob: httpx.Client) -> None:
    say(bob, "one more")
    last = history(bob)[-1]["id"]
    largest = str(10**18 - 1)
    pages = {
        ("after", "0"): True,
        ("after", str(last)): False,
        ("after", largest): False,
        ("before", "0"): False,
        ("before", "1"): False,
        ("before", largest): True,
        ("limit", "1"): True,
        ("limit", largest): True,
    }
    for (name, bound), some in pages.items():
        answer = bob.get("/api/rooms/lobby/messages", params={name: bound})
        assert answer.status_code == 200, f"{name}={bound}: {answer.text}"
        assert bool(answer.json()["messages"]) == some, f"{name}={bound}"
    assert len(bob.get("/api/rooms/lobby/messages", params={"limit": "1"}).json()["messages"]) == 1
    assert len(bob.get("/api/rooms/lobby/messages", params={"limit": largest}).json()["messages"]) <= 100
    for bound in ("0", "1", largest):
        assert ann.get("/rooms/lobby", params={"before": bound}).status_code == 200


NO_CURSORS = ("nonsense", "-1", "1", "0-0-0", "abcdefgh", "abcdefgh-", "abcdefgh-01", "ABCDEFGH-1", "ж", "9" * 99)


@pytest.mark.parametrize("written", NO_CURSORS)
def test_what_was_never_a_cursor_is_refused(bob: httpx.Client, written: str) -> None:
    problem(bob.get("/api/events", params={"after": written}), 400)
    problem(bob.get("/api/events", params={"after": written}, headers={"accept": "text/event-stream"}), 400)
    problem(
        bob.get("/api/events", headers=[(b"accept", b"text/event-stream"), (b"last-event-id", written.encode())]), 400
    )


@pytest.mark.parametrize("foreign", ["another history", "the future", "the far future"])
def test_a_cursor_of_another_history_is_told_to_begin_anew_and_from_where(
    shared: ChatServer, bob: httpx.Client, foreign: str
) -> None:
    now = cursor(bob)
    epoch, _, at = now.partition("-")
    written = {
        "another history": f"zzzzzzzz-{at}",
        "the future": f"{epoch}-{int(at) + 1}",
        "the far future": f"{epoch}-{10**17}",
    }[foreign]
    told = bob.get("/api/events", params={"after": written, "wait": "20"}).json()
    assert told == {"events": [{"id": int(at), "type": "resync", "room": None}], "cursor": now}

    stream = StreamReader(shared, token_of(bob), written)
    stream.start()
    stream.wait_until(lambda: bool(stream.events))
    assert stream.events == told["events"]
    assert stream.cursor == now
    posted = say(bob, f"after {foreign}").json()
    stream.wait_for(posted["id"])
    stream.finish()
    assert stream.messages == [posted]
    assert bob.get("/api/events", params={"after": now}).json()["events"][0]["message"] == posted


@pytest.mark.parametrize("wait", ["-1", "nan", "x", "", "1,5"])
def test_a_time_to_wait_that_is_none_is_refused(bob: httpx.Client, wait: str) -> None:
    answer = bob.get(f"/api/events?after=0&wait={wait}")
    if wait == "":
        assert answer.status_code == 200
    else:
        problem(answer, 400)
    assert bob.get("/api/events?after=0&wait=inf").status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("PUT", "/rooms/lobby/messages", 405),
        ("PATCH", "/api/rooms/lobby/messages", 405),
        ("POST", "/rooms/lobby", 405),
        ("GET", "/sign-out", 404),
        ("POST", "/api/events", 404),
        ("GET", "/api/nothing", 404),
        ("POST", "/static/x/css/base.css", 404),
        ("GET", "/static/x/../../config.py", 404),
        ("GET", "/static/x/%2e%2e/%2e%2e/config.py", 404),
        ("BREW", "/", 405),
    ],
)
def test_what_is_not_served_is_said_to_be_so(
    shared: ChatServer, bob: httpx.Client, method: str, path: str, status: int
) -> None:
    answer = wire.ask(shared, method, path, {"Authorization": bob.headers["authorization"]})
    # A method that does not exist may be refused before anybody looks at the path.
    assert answer.status in {status, 404, 405, *((400,) if method == "BREW" else ())}, answer.text[:200]
    assert answer.status < 500


def test_nothing_of_all_this_was_an_error_of_ours(shared: ChatServer) -> None:
    failed = [line for line in shared.log.read_text().splitlines() if "request.failed" in line]
    assert not [json.loads(line).get("route") for line in failed]
    assert storage.integrity(shared) == "ok"
