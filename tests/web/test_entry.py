"""The way in and out: a name is said once, and stays with the browser that said it."""

from __future__ import annotations

import html
import re
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from flask_chat.chat import messages, settings
from flask_chat.http.services import Services
from flask_chat.web.entry import local

from ..conftest import SignIn

NAVIGATED = {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}


def enter(client: FlaskClient, name: str, **more: str) -> str:
    """Where somebody who says this name is sent."""
    answer = client.post("/", data={"username": name, **more})
    assert answer.status_code == 303, answer.text
    return str(answer.headers["Location"])


def refused(client: FlaskClient, name: str) -> str:
    """What is said to somebody who may not have this name."""
    answer = client.post("/", data={"username": name})
    assert answer.status_code == 422
    error = re.search('<p class="error"[^>]*>([^<]*)</p>', answer.text)
    assert error is not None, "the form says nothing"
    return html.unescape(error[1])


def test_a_stranger_is_asked_for_a_name(app: Flask) -> None:
    answer = app.test_client().get("/")
    assert answer.status_code == 200
    assert re.search(r'<input [^>]*name="username"[^>]*\bautofocus\b', answer.text)
    assert "Go to chat!" in answer.text
    assert "Flask Chat" in answer.text


def test_who_says_a_name_goes_to_the_chat_and_straight_there_from_then_on(app: Flask) -> None:
    ann = app.test_client()
    assert enter(ann, "Ann") == "/chat/Ann"
    assert ann.get("/").headers["Location"] == "/chat/Ann"
    page = ann.get("/chat/Ann")
    assert page.status_code == 200
    assert re.search(r"Welcome, <bdi[^>]*>Ann</bdi>", page.text)


def test_a_name_of_any_script_finds_its_page(app: Flask) -> None:
    client = app.test_client()
    where = enter(client, "Ñandú Лоr"[:5])
    assert where == "/chat/%C3%91and%C3%BA"
    assert client.get(where).status_code == 200


def test_another_browser_is_told_that_a_name_is_taken(app: Flask, ann: FlaskClient) -> None:
    other = app.test_client()
    assert refused(other, "Ann") == "“Ann” is taken. Choose another name."
    assert "too much like “Ann”" in refused(other, "ANN")
    offered = other.post("/", data={"username": "ANN"}).text
    assert 'href="/sign-in?username=Ann">sign in as <bdi>Ann</bdi></a>' in offered, "nobody is called ANN"
    assert other.get("/").status_code == 200, "and is nobody still"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("", "write a name"),
        ("   ", "write a name"),
        ("lobby", "uses that name itself"),
        ("x" * 33, "too long"),
        ("x" * 100_000, "too long"),
        ("Аnn", "mixes alphabets"),
        ("A\u200bnn", "cannot be seen"),
        ("<b>", "letters and digits"),
    ],
)
def test_a_name_that_nobody_may_have_is_refused_with_its_reason(app: Flask, name: str, reason: str) -> None:
    assert reason in refused(app.test_client(), name)


def test_what_was_written_stays_in_the_form(app: Flask) -> None:
    answer = app.test_client().post("/", data={"username": '<b>"', "message": "hello & <i>", "next": "/rooms/lobby"})
    assert 'value="&lt;b&gt;&#34;"' in answer.text
    assert 'name="message" value="hello &amp; &lt;i&gt;"' in answer.text
    assert 'name="next" value="/rooms/lobby"' in answer.text


def test_who_signed_out_is_nobody_and_may_come_back_under_their_name(ann: FlaskClient) -> None:
    assert ann.post("/sign-out").headers["Location"] == "/"
    assert ann.get("/").status_code == 200
    assert ann.get("/rooms/lobby").status_code == 303
    assert enter(ann, "Ann") == "/chat/Ann"
    assert ann.get("/chat/Ann").status_code == 200


def test_a_name_is_not_given_to_another_when_its_person_signs_out(app: Flask, ann: FlaskClient) -> None:
    ann.post("/sign-out")
    assert "taken" in refused(app.test_client(), "Ann")


def test_signing_out_twice_or_as_nobody_is_no_harm(app: Flask, ann: FlaskClient) -> None:
    for client in (ann, ann, app.test_client()):
        assert client.post("/sign-out").status_code == 303


def test_signing_out_ends_the_session_itself(app: Flask, ann: FlaskClient) -> None:
    copied = ann.get_cookie("flask_chat")
    assert copied is not None
    ann.post("/sign-out")
    thief = app.test_client()
    thief.set_cookie("flask_chat", copied.value)
    assert thief.get("/").status_code == 200


def test_one_browser_may_switch_between_its_names(app: Flask, ann: FlaskClient) -> None:
    assert enter(ann, "Cleo") == "/chat/Cleo"
    assert ann.get("/").headers["Location"] == "/chat/Cleo"
    assert enter(ann, "Ann") == "/chat/Ann"
    assert enter(ann, "Cleo") == "/chat/Cleo"
    other = app.test_client()
    assert "taken" in refused(other, "Ann")
    assert "taken" in refused(other, "Cleo")


def test_switching_names_ends_the_session_before(ann: FlaskClient, app: Flask) -> None:
    before = ann.get_cookie("flask_chat")
    assert before is not None
    enter(ann, "Cleo")
    old = app.test_client()
    old.set_cookie("flask_chat", before.value)
    assert old.get("/").status_code == 200


def test_a_name_is_not_lost_by_coming_and_going_under_another(app: Flask) -> None:
    client = app.test_client()
    enter(client, "Bob")
    for _ in range(6):
        enter(client, "Ann")
        client.post("/sign-out")
    assert enter(client, "Bob") == "/chat/Bob", "nobody else can have it either: it is gone for good"


def test_saying_my_own_name_again_changes_nothing(ann: FlaskClient, chat: Services) -> None:
    with chat.db.read() as connection:
        before = connection.exec_driver_sql("SELECT count(*) FROM session").scalar()
    enter(ann, "Ann")
    with chat.db.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM session").scalar() == before


def test_a_session_that_was_ended_elsewhere_is_asked_for_a_name(ann: FlaskClient, chat: Services) -> None:
    from flask_chat.chat import sessions

    chat.db.write(lambda transaction: sessions.revoke(transaction, 1))
    assert ann.get("/").status_code == 200
    assert ann.get("/chat/Ann").headers["Location"].startswith("/?next=")


@pytest.mark.parametrize("path", ["/rooms/lobby", "/rooms/lobby?before=7", "/chat/Bob", "/chat/%C3%91and%C3%BA"])
def test_a_stranger_says_a_name_and_goes_on_to_where_they_were_going(app: Flask, path: str) -> None:
    client = app.test_client()
    asked = client.get(path)
    assert asked.status_code == 303
    form = client.get(asked.headers["Location"])
    kept = re.search('name="next" value="([^"]*)"', form.text)
    assert kept is not None
    assert enter(client, "Ann", next=html.unescape(kept[1])) == path


ELSEWHERE = [
    "https://evil.test/",
    "//evil.test/", "///evil.test", "/%2fevil.test", "/%2f/evil.test",
    "/\\evil.test", "\\\\evil.test", "/\t/evil.test", "/\n/evil.test",
    "\t//evil.test", " //evil.test", "javascript:alert(1)", "http:evil.test", "evil.test", "", "?x", "#x", "//[", "http://[",
    "/\x00", "/\u2028x", "data:text/html,x", "/\r\nSet-Cookie: x",
]  # fmt: skip


@pytest.mark.parametrize("address", ELSEWHERE)
def test_nobody_is_sent_to_another_site(app: Flask, address: str) -> None:
    client = app.test_client()
    assert local(address) is None
    assert client.get("/", query_string={"next": address}).status_code == 200
    assert enter(client, "Ann", next=address) == "/chat/Ann"


def test_an_address_that_another_site_chose_sends_nothing(app: Flask, chat: Services) -> None:
    # A link /?next=/Ann/… on another site, and Ann says her name: what follows is a navigation of this site's own.
    client = app.test_client()
    form = client.get("/?next=/Ann/I%2520resign", headers={**NAVIGATED, "Sec-Fetch-Site": "cross-site"})
    kept = re.search('name="next" value="([^"]*)"', form.text)
    where = enter(client, "Ann", next=html.unescape(kept[1]) if kept else "")
    client.get(where, headers=NAVIGATED)
    with chat.db.read() as connection:
        assert connection.execute(select(func.count()).select_from(messages.message)).scalar() == 0


def test_a_message_that_waited_is_filled_in_and_not_sent(app: Flask) -> None:
    client = app.test_client()
    form = client.get("/Ann/hello%20there")
    assert form.status_code == 200
    assert 'name="message" value="hello there"' in form.text
    page = client.post("/", data={"username": "Ann", "message": "hello there"}, follow_redirects=True)
    assert re.search(r"<textarea[^>]*>\s*hello there</textarea>", page.text)
    assert "<article" not in page.text


def test_a_post_of_a_stranger_keeps_their_words(app: Flask) -> None:
    answer = app.test_client().post("/rooms/lobby/messages", data={"message": "hello <b>"})
    assert answer.status_code in (200, 401)
    assert 'name="message" value="hello &lt;b&gt;"' in answer.text


def test_who_joins_too_often_is_told_to_wait(app: Flask) -> None:
    app.extensions["flask_chat"].limits.on = True
    for number in range(200):
        answer = app.test_client().post("/", data={"username": f"Ann {number}", "message": "kept"})
        if answer.status_code == 429:
            break
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) >= 1
    assert 'name="message" value="kept"' in answer.text


def test_another_site_signs_nobody_in_or_out(app: Flask, ann: FlaskClient) -> None:
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.test"}, {"Origin": "null"}):
        assert app.test_client().post("/", data={"username": "Bob"}, headers=headers).status_code == 403
        assert ann.post("/sign-out", headers=headers).status_code == 403
    assert ann.get("/").status_code == 303


def test_two_people_have_two_browsers(sign_in: SignIn) -> None:
    ann, bob = sign_in("Ann"), sign_in("Bob")
    assert [urlsplit(client.get("/").headers["Location"]).path for client in (ann, bob)] == ["/chat/Ann", "/chat/Bob"]


@pytest.mark.parametrize(
    ("joining", "words"),
    [
        ("open", "Say your name, and talk."),
        ("approval", "a moderator lets you in"),
        ("invited", "This chat is by invitation"),
    ],
)
def test_the_first_page_and_who_invites_say_how_one_gets_in(
    app: Flask, chat: Services, joining: str, words: str
) -> None:
    ann = app.test_client()
    ann.post("/", base_url="http://chat.example", data={"username": "Ann"})
    chat.db.write(lambda transaction: settings.change(transaction, {"joining": joining}))
    assert words in app.test_client().get("/").text
    invites = ann.get("/rooms/lobby", base_url="http://chat.example").text
    assert ("they are in." in invites) == (joining == "open")
    assert ("a moderator lets them in" in invites) == (joining == "approval")
    assert ("needs an invitation link" in invites) == (joining == "invited")
