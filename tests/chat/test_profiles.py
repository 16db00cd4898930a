"""Profiles: what people say of themselves, as they meant it and no longer than that."""

from __future__ import annotations

import time
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from flask_chat.chat import departing, people, profiles, renaming
from flask_chat.chat.errors import Invalid, Taken, TooLong
from flask_chat.chat.people import Person
from flask_chat.chat.profiles import Profile
from flask_chat.events import Event
from flask_chat.http.services import Services

MINUTE = 60_000


def add(chat: Services, name: str, role: str = people.GUEST) -> Person:
    return chat.db.write(lambda transaction: people.add(transaction, name, role))


def change(chat: Services, who: Person, **changes: object) -> Profile:
    return chat.db.write(lambda transaction: profiles.change(transaction, who, changes))


def of(chat: Services, who: Person) -> Profile:
    with chat.db.read() as connection:
        return profiles.of(connection, who.id)


def search(chat: Services, words: str, after: str = "", limit: int = 20) -> list[str]:
    with chat.db.read() as connection:
        return [found.person.username for found in profiles.search(connection, words, after, limit)]


def test_who_says_nothing_of_themselves_has_an_empty_profile(chat: Services) -> None:
    assert of(chat, add(chat, "Ann")) == Profile()


def test_what_somebody_says_is_kept_tidily_and_the_rest_stays(chat: Services) -> None:
    ann = add(chat, "Ann")
    change(chat, ann, display_name="  Ann \n Lind ", pronouns="she/her", bio="One\r\n\nTwo \x07")
    change(chat, ann, time_zone="Europe/Berlin", hides_presence=True)
    assert of(chat, ann) == Profile(
        display_name="Ann Lind",
        pronouns="she/her",
        bio="One\n\nTwo",
        time_zone="Europe/Berlin",
        hides_presence=True,
    )
    assert change(chat, ann, display_name="", pronouns=" ", bio="\n").bio == ""


def test_everybody_is_told_once_and_only_of_what_is_different(chat: Services) -> None:
    ann, told = add(chat, "Ann"), list[Event]()
    chat.db.listeners.append(told.extend)
    for _ in range(2):
        change(chat, ann, pronouns="she/her")
    assert [(event.type, event.audience, event.subject_id) for event in told] == [("person.changed", 0, ann.id)]
    assert b'"username":"Ann"' in told[0].body
    assert b"she/her" not in told[0].body


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"display_name": "x" * 51}, TooLong),
        ({"pronouns": "x" * 41}, TooLong),
        ({"bio": "x" * 501}, TooLong),
        ({"status": "x" * 101}, TooLong),
        ({"bio": "\ud800"}, Invalid),
        ({"bio": None}, Invalid),
        ({"display_name": 7}, Invalid),
        ({"display_name": "Administrator"}, Invalid),
        ({"time_zone": "Europe/Nowhere"}, Invalid),
        ({"time_zone": "../../etc/passwd"}, Invalid),
        ({"time_zone": ["UTC"]}, Invalid),
        ({"hides_presence": "yes"}, Invalid),
        ({"status": "x", "status_until": 1}, Invalid),
        ({"status": "x", "status_until": 9e99}, Invalid),
        ({"status": "x", "status_until": 10**15}, Invalid),
        ({"role": "owner"}, Invalid),
    ],
)
def test_what_cannot_be_taken_is_refused_and_changes_nothing(
    chat: Services, changes: dict[str, object], error: type[Exception]
) -> None:
    ann = add(chat, "Ann")
    change(chat, ann, bio="Before")
    with pytest.raises(error):
        change(chat, ann, **changes)
    assert of(chat, ann) == Profile(bio="Before")


@pytest.mark.parametrize("name", ["Bob", "bob", "BOB", "Вob", "Robert"])
def test_nobody_is_shown_under_the_name_of_somebody_else(chat: Services, name: str) -> None:
    ann, bob = add(chat, "Ann"), add(chat, "Robert")
    chat.db.write(lambda transaction: renaming.rename(transaction, bob, "Bob"))
    with pytest.raises(Taken):
        change(chat, ann, display_name=name)
    assert change(chat, ann, display_name="ANN").display_name == "ANN", "one's own is one's own"


def test_a_status_ends_when_it_was_said_to(chat: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    ann, now = add(chat, "Ann"), time.time_ns() // MINUTE // 1_000_000 * MINUTE
    ends = now + 30 * MINUTE
    change(chat, ann, status="In a meeting", status_until=ends)
    assert (of(chat, ann).status, of(chat, ann).status_until) == ("In a meeting", ends)
    monkeypatch.setattr(time, "time", lambda: ends / 1000)
    assert of(chat, ann) == Profile()


def test_a_status_without_an_end_stays_and_no_status_has_no_end(chat: Services) -> None:
    ann, ends = add(chat, "Ann"), time.time_ns() // 1_000_000 + MINUTE
    change(chat, ann, status="Soon", status_until=ends)
    assert change(chat, ann, status="For good").status_until is None
    change(chat, ann, status="Soon", status_until=ends)
    assert change(chat, ann, status="", status_until=ends).status_until is None


@pytest.mark.parametrize(
    ("ending", "zone", "expected"),
    [
        ("30m", "", "2026-11-25T23:00:00+00:00"),
        ("1h", "", "2026-11-25T23:30:00+00:00"),
        ("4h", "Europe/Berlin", "2026-11-26T02:30:00+00:00"),
        ("today", "", "2026-11-26T00:00:00+00:00"),
        ("today", "Europe/Berlin", "2026-11-25T23:00:00+00:00"),
        ("today", "Asia/Tokyo", "2026-11-26T15:00:00+00:00"),
        ("week", "", "2026-11-30T00:00:00+00:00"),
        ("week", "America/New_York", "2026-11-30T05:00:00+00:00"),
    ],
)
def test_a_status_ends_with_the_day_and_the_week_of_its_person(ending: str, zone: str, expected: str) -> None:
    wednesday = datetime(2026, 11, 25, 22, 30, tzinfo=ZoneInfo("UTC"))
    until = profiles.until(ending, zone, int(wednesday.timestamp() * 1000))
    assert until == datetime.fromisoformat(expected).timestamp() * 1000


def test_a_status_may_stay_and_ends_at_no_other_time_than_those_offered() -> None:
    assert profiles.until("never", "", 0) is None
    with pytest.raises(Invalid):
        profiles.until("tomorrow", "", 0)


def test_the_time_where_somebody_is_has_its_distance_from_utc(chat: Services) -> None:
    ann = add(chat, "Ann")
    said = change(chat, ann, time_zone="Asia/Kolkata")
    shown = profiles.card(ann, said, "offline").local_time
    assert shown is not None
    assert shown.endswith("+05:30")
    assert abs(datetime.fromisoformat(shown).timestamp() - time.time()) < 5
    assert profiles.card(ann, Profile(), "offline").local_time is None


def test_who_hides_whether_they_are_there_is_known_to_the_chat(chat: Services) -> None:
    ann, bob, cleo = (add(chat, name) for name in ("Ann", "Bob", "Cleo"))
    change(chat, ann, hides_presence=True)
    change(chat, bob, hides_presence=False)
    with chat.db.read() as connection:
        assert profiles.hidden(connection, [ann.id, bob.id, cleo.id]) == {ann.id}


def test_people_are_found_by_their_names_those_first_that_begin_so(chat: Services) -> None:
    for name in ("Joanna", "Ann", "Zoë", "Hannah", "annika", "Bob", "Ann-Lee", "100% Ann_"):
        add(chat, name)
    found = search(chat, "ANN")
    assert found[:3] == ["Ann", "Ann-Lee", "annika"]
    assert sorted(found[3:]) == ["100% Ann_", "Hannah", "Joanna"]
    assert search(chat, "oa") == ["Joanna"]
    assert search(chat, "zoë") == search(chat, "zoe") == ["Zoë"]
    assert search(chat, "xy") == []
    assert search(chat, "%") == ["100% Ann_"]
    assert search(chat, "_") == ["100% Ann_"]
    assert len(search(chat, "")) == 8


@pytest.mark.parametrize("words", ["\0", "\ud800", "x" * 10_000, "'; --", "\\", "%%%"])
def test_nobody_is_found_by_what_is_no_name(chat: Services, words: str) -> None:
    add(chat, "Ann")
    assert search(chat, words) in ([], ["Ann"])
    assert search(chat, "ann", after=words) in ([], ["Ann"])


@pytest.mark.parametrize("words", ["", "an", "n"])
def test_one_page_of_people_follows_the_other(chat: Services, words: str) -> None:
    for name in ("Ann", "Joanna", "Bea", "Andy", "Hannah", "annika", "Dan", "Ian"):
        add(chat, name)
    whole, pages = search(chat, words), list[str]()
    while page := search(chat, words, pages[-1] if pages else "", 3):
        pages += page
    assert pages == whole
    assert len(whole) == (8 if words == "" else 7)


def test_who_is_here_no_longer_or_not_yet_is_not_found(chat: Services) -> None:
    ann = add(chat, "Ann")
    add(chat, "Annika", people.APPLICANT)
    chat.db.write(lambda transaction: departing.mark_former(transaction, ann))
    assert search(chat, "ann") == []
    assert search(chat, "") == []
