"""Reports: anybody in the room reports, moderators see what was reported and no more, and settle it once."""

from __future__ import annotations

import pytest

from flask_chat.chat import audit, moderation, people, reports, restrictions
from flask_chat.chat.errors import Forbidden, NotFound
from flask_chat.chat.people import Person
from flask_chat.chat.reports import Reason
from flask_chat.chat.rooms import Room
from flask_chat.http.services import Services

from .people_here import arrive, do, enter, find, room_of, say, texts


@pytest.fixture
def dora(chat: Services) -> Person:
    """She keeps order."""
    return arrive(chat, "Dora", people.MODERATOR)


@pytest.fixture
def mallory(chat: Services) -> Person:
    return arrive(chat, "Mallory")


@pytest.fixture
def garden(chat: Services, ann: Person, mallory: Person) -> Room:
    """A private room that no moderator is in."""
    made = room_of(chat, ann, "Garden")
    enter(chat, made, mallory)
    return made


def file(chat: Services, who: Person, id: int, reason: str = "", room: Room | None = None) -> bool:
    place = find(chat, who) if room is None else room
    return do(chat, lambda transaction: reports.file(transaction, who, place, id, reason))


def queue(chat: Services, who: Person) -> list[reports.Case]:
    with chat.db.read() as connection:
        return reports.queue(connection, who)


def test_a_moderator_sees_what_was_reported_with_its_neighbours_and_no_more(
    chat: Services, dora: Person, ann: Person, mallory: Person, garden: Room
) -> None:
    for number in range(4):
        say(chat, ann, f"before {number}", garden)
    bad = say(chat, mallory, "An insult", garden)
    say(chat, ann, "after 0", garden)
    assert file(chat, ann, bad.id, "Rude", garden)
    with chat.db.read() as connection:
        assert reports.waiting(connection) == 1
    [case] = queue(chat, dora)
    shown = [line.text for line in case.lines]
    assert shown[:3] == ["before 2", "before 3", "An insult"]
    assert set(shown) <= {"before 2", "before 3", "An insult", "after 0"}
    assert [line.text for line in case.lines if line.reported] == ["An insult"]
    assert (case.author.username, case.reasons) == ("Mallory", (Reason("Ann", "Rude"),))


def test_what_was_said_after_a_report_is_not_shown_with_it(
    chat: Services, dora: Person, ann: Person, mallory: Person
) -> None:
    bad = say(chat, mallory, "An insult")
    file(chat, ann, bad.id)
    later = do(chat, lambda transaction: transaction.now)
    while do(chat, lambda transaction: transaction.now) <= later:
        pass
    say(chat, ann, "Between us")
    assert "Between us" not in [line.text for line in queue(chat, dora)[0].lines]


def test_nobody_reports_their_own_message(chat: Services, ann: Person) -> None:
    mine = say(chat, ann, "A flower")
    with pytest.raises(Forbidden, match="your own"):
        file(chat, ann, mine.id)


def test_two_who_report_the_same_message_make_one_case(
    chat: Services, dora: Person, ann: Person, mallory: Person
) -> None:
    bad = say(chat, mallory, "An insult")
    bob = arrive(chat, "Bob")
    assert file(chat, ann, bad.id, "Rude")
    assert not file(chat, ann, bad.id, "Very rude")
    assert file(chat, bob, bad.id)
    [case] = queue(chat, dora)
    assert case.reasons == (Reason("Ann", "Rude"), Reason("Bob", ""))


def test_only_those_in_the_room_report_and_only_what_is_there(
    chat: Services, ann: Person, mallory: Person, garden: Room
) -> None:
    said = say(chat, mallory, "Roses", garden)
    outsider = arrive(chat, "Bob")
    with pytest.raises(Forbidden):
        file(chat, outsider, said.id, room=garden)
    with pytest.raises(NotFound):
        file(chat, ann, said.id)
    with pytest.raises(NotFound):
        file(chat, ann, 10**12)


def test_others_do_not_see_the_queue(chat: Services, ann: Person) -> None:
    with pytest.raises(Forbidden):
        queue(chat, ann)
    with pytest.raises(Forbidden):
        do(chat, lambda transaction: reports.settle(transaction, ann, 1, reports.DISMISS))


@pytest.mark.parametrize("outcome", reports.OUTCOMES)
def test_a_report_is_settled_once_in_one_of_four_ways(
    chat: Services, dora: Person, ann: Person, mallory: Person, garden: Room, outcome: str
) -> None:
    bad = say(chat, mallory, "An insult", garden)
    file(chat, ann, bad.id, "Rude", garden)
    do(chat, lambda transaction: reports.settle(transaction, dora, bad.id, outcome, reason="Insults"))
    assert not queue(chat, dora)
    assert texts(chat, ann, garden) == (["An insult"] if outcome == reports.DISMISS else [])
    with chat.db.read() as connection:
        assert (restrictions.muted(connection, mallory.id, garden.id) is not None) is (outcome == reports.MUTE)
        assert (restrictions.banned(connection, mallory.id, None) is not None) is (outcome == reports.BAN)
        assert {entry.actor for entry in audit.page(connection)} == {"Dora"}
    with pytest.raises(NotFound, match="settled already"):
        do(chat, lambda transaction: reports.settle(transaction, dora, bad.id, outcome))


def test_a_message_that_its_author_took_back_can_still_be_settled(
    chat: Services, dora: Person, ann: Person, mallory: Person
) -> None:
    bad = say(chat, mallory, "An insult")
    file(chat, ann, bad.id)
    lobby = find(chat, mallory)
    do(chat, lambda transaction: moderation.delete_message(transaction, mallory, lobby, bad.id))
    [case] = queue(chat, dora)
    assert case.deleted
    do(chat, lambda transaction: reports.settle(transaction, dora, bad.id, reports.MUTE))
    assert not queue(chat, dora)
