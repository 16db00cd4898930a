"""The pages of those who keep order: what they show, to whom, and what their forms do."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient

from flask_chat.chat import audit, people, restrictions
from flask_chat.http.services import Services

from ..conftest import SignIn
from .keeping import promote, said

PAGES = ("", "/reports", "/people", "/people/Ann", "/bans", "/rooms", "/storage")
OWNERS_PAGES = ("/sessions", "/settings", "/audit")


@pytest.fixture
def dora(sign_in: SignIn, chat: Services) -> FlaskClient:
    """She is a moderator."""
    client = sign_in("Dora")
    promote(chat, "Dora", people.MODERATOR)
    return client


@pytest.fixture
def eve(sign_in: SignIn, chat: Services) -> FlaskClient:
    """She owns the chat."""
    client = sign_in("Eve")
    promote(chat, "Eve", people.OWNER)
    return client


@pytest.fixture(autouse=True)
def said_something(ann: FlaskClient) -> None:
    said(ann, "lobby", "Good morning")


def role_of(chat: Services, name: str) -> str:
    with chat.db.read() as connection:
        return people.find(connection, name).role


@pytest.mark.parametrize("path", [*PAGES, *OWNERS_PAGES])
def test_each_page_is_for_those_who_may_see_it(
    ann: FlaskClient, dora: FlaskClient, eve: FlaskClient, app: object, path: str
) -> None:
    address = f"/admin{path}"
    assert ann.get(address).status_code == 403
    assert dora.get(address).status_code == (403 if path in OWNERS_PAGES else 200)
    assert eve.get(address).status_code == 200
    assert app.test_client().get(address).status_code == 401  # type: ignore[attr-defined]


def test_the_overview_draws_pictures_with_words_and_tables(eve: FlaskClient) -> None:
    page = eve.get("/admin").text
    assert page.count('<svg viewBox="0 0 600 151" role="img"') == 3
    for title in ("Messages a day", "People who wrote, a day", "Busiest hours"):
        assert f">{title}</title>" in page
    assert page.count("<desc ") == 3
    assert len(re.findall(r'<tr><th scope="row">', page)) == 30 + 30 + 24
    assert "1 in all. The most, 1, on" in page
    assert "<script" not in page
    assert " style=" not in page


def test_people_are_found_by_any_part_of_their_name(eve: FlaskClient, bob: FlaskClient) -> None:
    assert 'admin/people/Bob"' in eve.get("/admin/people?q=OB").text
    assert 'admin/people/Ann"' not in eve.get("/admin/people?q=ob").text
    for odd in ("%25", "_", "%5C", "x" * 5000, "%ED%A0%80"):
        assert "Nobody of that name" in eve.get(f"/admin/people?q={odd}").text


def test_a_moderator_mutes_and_lifts_it(dora: FlaskClient, ann: FlaskClient, chat: Services) -> None:
    done = dora.post("/admin/people/Ann/mute", data={"lasts": "3600", "reason": "Shouting <b>"})
    assert done.status_code == 303
    refused = ann.post("/rooms/lobby/messages", data={"message": "But"})
    assert refused.status_code == 403
    assert "You are muted until" in refused.text
    lobby = ann.get("/rooms/lobby").text
    assert "You are muted until" in lobby
    assert "<textarea" not in lobby, "nothing to write in where nothing can be said"
    bans = dora.get("/admin/bans").text
    assert "Shouting &lt;b&gt;" in bans
    lift = re.search(r'action="(/admin/bans/\d+/lift)"', bans)
    assert lift is not None
    assert dora.post(lift[1]).status_code == 303
    said(ann, "lobby", "Thank you")


def test_who_is_banned_is_out_at_once_and_told_why(dora: FlaskClient, ann: FlaskClient) -> None:
    assert dora.post("/admin/people/Ann/ban", data={"lasts": "", "reason": "Enough"}).status_code == 303
    assert ann.get("/rooms/lobby").status_code in (302, 303)
    assert ann.get("/api/rooms/lobby/messages").status_code == 401
    again = ann.post("/", data={"username": "Ann"})
    assert again.status_code == 403
    assert "You are banned from this chat. The reason given: Enough" in again.text
    # Where their open page leads, before they say anything.
    assert "You are banned from this chat. The reason given: Enough" in ann.get("/").text
    assert "You are banned" not in dora.application.test_client().get("/").text
    lift = re.search(r'action="(/admin/bans/\d+/lift)"', dora.get("/admin/bans").text)
    assert lift is not None
    dora.post(lift[1])
    assert ann.post("/", data={"username": "Ann"}).status_code == 303, "the name is still theirs"


def test_a_form_that_is_not_filled_in_says_what_is_wrong(dora: FlaskClient) -> None:
    for data in ({"lasts": "1"}, {"lasts": "3600", "reason": "x" * 400}):
        answer = dora.post("/admin/people/Ann/mute", data=data)
        assert answer.status_code in (413, 422)
        assert 'role="alert"' in answer.text
    assert dora.post("/admin/people/Ann/nonsense", data={}).status_code == 404
    assert dora.post("/admin/people/Nobody/mute", data={"lasts": ""}).status_code == 404


def test_a_moderator_does_nothing_to_the_owner_and_gives_no_roles(
    dora: FlaskClient, eve: FlaskClient, chat: Services
) -> None:
    for act in ("mute", "ban"):
        assert dora.post(f"/admin/people/Eve/{act}", data={"lasts": ""}).status_code == 403
    assert "/ban" not in re.sub("/bans", "", dora.get("/admin/people/Eve").text)
    assert dora.post("/admin/people/Ann/appoint").status_code == 403
    assert dora.post("/admin/people/Dora/hand-over", data={"confirm": "Dora"}).status_code == 403
    assert (role_of(chat, "Eve"), role_of(chat, "Ann")) == ("owner", "guest")


def test_the_owner_gives_roles_and_hands_the_chat_over_only_on_purpose(eve: FlaskClient, chat: Services) -> None:
    assert eve.post("/admin/people/Ann/appoint").status_code == 303
    assert role_of(chat, "Ann") == "moderator"
    assert eve.post("/admin/people/Ann/dismiss").status_code == 303
    assert role_of(chat, "Ann") == "guest"
    assert eve.post("/admin/people/Ann/hand-over", data={"confirm": "Bob"}).status_code == 422
    assert role_of(chat, "Ann") == "guest"
    assert eve.post("/admin/people/Ann/hand-over", data={"confirm": "Ann"}).status_code == 303
    assert (role_of(chat, "Ann"), role_of(chat, "Eve")) == ("owner", "moderator")


def test_the_owner_changes_the_settings_and_everybody_sees_it(
    eve: FlaskClient, ann: FlaskClient, chat: Services
) -> None:
    form = {
        "name": "The Workshop",
        "accent": "plum",
        "joining": "open",
        "room_makers": "member",
        "guests": "yes",
        "lobby": "yes",
        "retention_days": "30",
        "name_days": "",
        "edit_minutes": "90",
    }
    assert eve.post("/admin/settings", data=form).status_code == 303
    page = ann.get("/rooms/lobby").text
    assert "The Workshop" in page
    assert 'data-accent="plum"' in page
    kept = chat.settings.get()
    assert (kept.room_makers, kept.retention_days, kept.name_days, kept.lockdown) == ("member", 30, None, False)
    assert kept.edit_minutes == 90
    wrong = eve.post("/admin/settings", data={**form, "accent": "url(x)"})
    assert wrong.status_code == 422
    assert 'role="alert"' in wrong.text
    assert chat.settings.get() == kept
    wrong = eve.post("/admin/settings", data={**form, "name": "The Attic", "lockdown": "yes", "name_days": "<few>"})
    assert "“&lt;few&gt;” is no whole number." in wrong.text
    assert 'value="The Attic"' in wrong.text
    assert re.search(r'name="lockdown" value="yes" checked', wrong.text)
    assert chat.settings.get() == kept
    assert ann.post("/admin/settings", data=form).status_code == 403


def test_the_owner_sees_a_private_rooms_name_and_size_and_a_moderator_does_not(
    eve: FlaskClient, dora: FlaskClient, bob: FlaskClient
) -> None:
    made = bob.post("/api/rooms", json={"name": "Surprise party", "kind": "private"}).json
    assert made is not None
    said(bob, made["slug"], "Cake at nine")
    owners, moderators = eve.get("/admin/rooms").text, dora.get("/admin/rooms").text
    assert "Surprise party" in owners
    assert "one member · one message" in owners
    assert made["slug"] not in owners, "its address is for those who are in it"
    assert "Surprise party" not in moderators
    assert "Cake" not in owners
    id = re.search(r'action="/admin/rooms/(\d+)" method="post">(?:(?!</form>).)*?', owners.partition("Surprise")[2])
    assert id is not None
    for client, status in ((dora, 404), (eve, 303)):
        assert client.post(f"/admin/rooms/{id[1]}", data={"locked": "yes"}).status_code == status


def test_a_moderator_slows_a_public_room_down_and_locks_it(dora: FlaskClient, ann: FlaskClient) -> None:
    found = re.search(r'action="(/admin/rooms/\d+)"', dora.get("/admin/rooms").text)
    assert found is not None
    assert dora.post(found[1], data={"slow": "3600", "locked": "no"}).status_code == 303
    refused = ann.post("/rooms/lobby/messages", data={"message": "Again"})
    assert refused.status_code == 429
    assert "slow mode" in refused.text
    assert int(refused.headers["retry-after"]) > 3000
    assert dora.post(found[1], data={"slow": "", "locked": "yes"}).status_code == 303
    assert ann.post("/rooms/lobby/messages", data={"message": "Again"}).status_code == 403
    assert dora.post(found[1], data={"slow": "often"}).status_code == 422
    assert dora.post(found[1], data={"days": "3"}).status_code == 403, "how long things are kept is the owner's"


def test_the_audit_log_is_filtered(eve: FlaskClient, dora: FlaskClient) -> None:
    dora.post("/admin/people/Ann/mute", data={"lasts": "3600", "reason": "Shouting"})
    eve.post("/admin/people/Dora/dismiss")
    everything = eve.get("/admin/audit").text
    assert "Muted somebody" in everything
    assert "Changed a role" in everything

    def entries(query: str) -> list[str]:
        page = eve.get(f"/admin/audit?{query}").text
        return re.findall(r'<div class="what"><strong>([^<]+)</strong>', page)

    assert entries("action=person.mute") == ["Muted somebody"]
    assert entries("by=eve") == ["Changed a role"]
    assert entries("about=Ann") == ["Muted somebody"]
    assert entries("by=Nobody") == []
    assert len(entries("before=2")) == 1


def test_a_number_that_is_none_of_ours_is_none(eve: FlaskClient) -> None:
    # A column of PostgreSQL breaks off at a number that it cannot hold.
    assert "Lobby" in eve.get("/admin/rooms?after=2147483648").text
    assert "Lobby" in eve.get("/admin/rooms?after=%D9%A1").text
    answers = [eve.post(f"/admin/rooms/{id}", data={"days": ""}).status_code for id in ("1", "\u0661", "\uff11")]
    assert answers == [303, 405, 405]


def test_the_owner_ends_a_session(eve: FlaskClient, ann: FlaskClient) -> None:
    page = eve.get("/admin/sessions").text
    found = re.search(r'people/Ann".*?action="(/admin/sessions/\d+/revoke)"', page, re.DOTALL)
    assert found is not None
    assert ann.post(found[1]).status_code == 403
    assert eve.post(found[1]).status_code == 303
    assert ann.get("/api/rooms/lobby/messages").status_code == 401


def test_a_range_of_addresses_is_banned_by_hand(dora: FlaskClient, chat: Services) -> None:
    assert dora.post("/admin/bans", data={"network": "all of them", "lasts": ""}).status_code == 422
    assert dora.post("/admin/bans", data={"network": "203.0.113.0/24", "lasts": "604800"}).status_code == 303
    with chat.db.read() as connection:
        assert restrictions.banned(connection, None, "203.0.113.9") is not None
        assert [entry.action for entry in audit.page(connection)] == ["person.ban"]
    assert "203.0.113.0/24" in dora.get("/admin/bans").text


def test_who_asks_to_join_waits_on_a_page_of_their_own(eve: FlaskClient, sign_in: SignIn, chat: Services) -> None:
    form = {
        "name": "",
        "accent": "teal",
        "joining": "approval",
        "room_makers": "guest",
        "guests": "yes",
        "lobby": "yes",
    }
    assert eve.post("/admin/settings", data=form).status_code == 303
    cleo = sign_in("Cleo")
    for address in ("/", "/rooms/lobby", "/account", "/people/Ann"):
        assert "A moderator will look at it" in cleo.get(address, follow_redirects=True).text
    assert cleo.post("/rooms/lobby/messages", data={"message": "Hello"}).status_code == 403
    for address in ("/api/rooms", "/api/rooms/lobby/messages"):
        assert cleo.get(address).status_code == 403
    assert "One person asks to join" in eve.get("/admin").text
    assert eve.post("/admin/people/Cleo/admit").status_code == 303
    said(cleo, "lobby", "Hello")
