"""Moderation: what is done is done at once, told to whom it concerns, and written down."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from flask_chat.chat import audit, feed, memberships, messages, moderation, people, restrictions, rooms, sessions
from flask_chat.chat.browsers import Browser
from flask_chat.chat.errors import Conflict, Forbidden, Invalid, NotFound, TooLong
from flask_chat.chat.mentions import mention
from flask_chat.chat.messages import message
from flask_chat.chat.people import Person
from flask_chat.http.services import Services

from .people_here import again, arrive, do, enter, find, listen, promote, room_of, say, texts


@pytest.fixture
def dora(chat: Services) -> Person:
    """She keeps order."""
    return arrive(chat, "Dora", people.MODERATOR)


def delete(chat: Services, who: Person, id: int, room: str = rooms.LOBBY) -> None:
    place = find(chat, who, room)
    do(chat, lambda transaction: moderation.delete_message(transaction, who, place, id))


def written_down(chat: Services) -> list[tuple[str, str | None, str | None]]:
    with chat.db.read() as connection:
        return [(entry.action, entry.actor, entry.person) for entry in audit.page(connection)]


class TestDeleting:
    def test_authors_delete_their_own_and_nothing_of_it_is_left(self, chat: Services, ann: Person, bob: Person) -> None:
        kept, gone = say(chat, ann, "Stays"), say(chat, ann, "A secret that slipped, @Bob")
        told = listen(chat)
        delete(chat, ann, gone.id)
        assert texts(chat, bob) == ["Stays"]
        with chat.db.read() as connection:
            row = connection.execute(select(message).where(message.c.id == gone.id)).one()
            mentions = connection.execute(select(func.count()).select_from(mention)).scalar_one()
            assert feed.after(connection, feed.audience(connection, bob.id), kept.id - 1, 10, 10**6)[0][-1].type == (
                "message.deleted"
            )
        assert (row.text, row.mentions, mentions) == ("", None, 0)
        assert [(each.type, each.subject_id, each.audience) for each in told] == [
            ("message.deleted", gone.id, find(chat, ann).id)
        ]
        assert b"secret" not in told[0].body
        assert not written_down(chat), "what is one's own is nobody else's business"

    def test_who_reads_the_log_later_does_not_see_it(self, chat: Services, ann: Person, bob: Person) -> None:
        gone = say(chat, ann, "A secret")
        delete(chat, ann, gone.id)
        with chat.db.read() as connection:
            seen = feed.after(connection, feed.audience(connection, bob.id), 0, 100, 10**6)[0]
        assert not any(b"secret" in event.body for event in seen)

    def test_a_retry_of_a_deleted_message_does_not_bring_it_back(
        self, chat: Services, ann: Person, bob: Person
    ) -> None:
        gone = say(chat, ann, "A secret", client_id="one")
        delete(chat, ann, gone.id)
        told = listen(chat)
        with pytest.raises(Conflict):
            say(chat, ann, "A secret", client_id="one")
        assert texts(chat, bob) == []
        assert not told

    def test_others_do_not_delete_it_but_moderators_and_the_rooms_owner_do(
        self, chat: Services, ann: Person, bob: Person, dora: Person
    ) -> None:
        garden = room_of(chat, ann, "Garden")
        enter(chat, garden, bob, dora)
        first, second = say(chat, bob, "One", garden), say(chat, bob, "Two", garden)
        other = say(chat, ann, "Mine", garden)
        with pytest.raises(Forbidden):
            delete(chat, bob, other.id, garden.slug)
        delete(chat, ann, first.id, garden.slug)
        delete(chat, dora, second.id, garden.slug)
        assert texts(chat, ann, garden) == ["Mine"]
        assert written_down(chat) == [("message.delete", "Dora", "Bob"), ("message.delete", "Ann", "Bob")]

    def test_to_delete_it_twice_is_the_same_as_once(self, chat: Services, ann: Person, dora: Person) -> None:
        gone = say(chat, ann, "Oh")
        delete(chat, dora, gone.id)
        told = listen(chat)
        delete(chat, dora, gone.id)
        delete(chat, ann, gone.id)
        assert not told
        assert len(written_down(chat)) == 1

    def test_a_message_is_not_found_from_another_room(self, chat: Services, ann: Person, dora: Person) -> None:
        garden = room_of(chat, ann, "Garden")
        hidden = say(chat, ann, "Roses", garden)
        for id in (hidden.id, 10**15):
            with pytest.raises(NotFound, match=r"^There is no such message\.$"):
                delete(chat, dora, id)
        assert texts(chat, ann, garden) == ["Roses"]

    def test_what_was_said_under_its_name_gets_its_own(self, chat: Services, ann: Person, bob: Person) -> None:
        say(chat, ann, "I am Ann")
        head = say(chat, bob, "I am Bob")
        tail = say(chat, bob, "still Bob")
        assert "data-continues" in tail.html
        told = listen(chat)
        delete(chat, bob, head.id)
        with chat.db.read() as connection:
            page = messages.page(connection, find(chat, ann), limit=10)
        assert "data-continues" not in page[-1].html
        assert f'"revealed":{tail.id}'.encode() in told[0].body

    def test_between_two_of_the_same_author_nothing_changes(self, chat: Services, ann: Person) -> None:
        ids = [say(chat, ann, word).id for word in ("one", "two", "three")]
        told = listen(chat)
        delete(chat, ann, ids[1])
        assert b'"revealed":null' in told[0].body


class TestBanning:
    def test_every_session_ends_at_once_and_the_person_is_told_why(
        self, chat: Services, ann: Person, dora: Person
    ) -> None:
        _, token = do(chat, lambda transaction: sessions.begin(transaction, "Cleo"))
        found = chat.sessions.find(token)
        assert found is not None
        told = listen(chat)
        do(chat, lambda transaction: moderation.ban(transaction, dora, found.person, reason="Enough"))
        assert [(each.type, each.subject_id) for each in told] == [("session.revoked", found.id)]
        assert chat.sessions.find(token) is None
        with pytest.raises(Forbidden, match=r"You are banned from this chat\. The reason given: Enough"):
            do(chat, lambda transaction: sessions.begin_as(transaction, found.person))
        assert written_down(chat) == [("person.ban", "Dora", "Cleo")]

    def test_a_ban_that_is_lifted_lets_them_in_again(self, chat: Services, ann: Person, dora: Person) -> None:
        do(chat, lambda transaction: moderation.ban(transaction, dora, ann))
        with chat.db.read() as connection:
            ban = restrictions.banned(connection, ann.id, None)
        assert ban is not None
        do(chat, lambda transaction: moderation.lift(transaction, dora, ban.id))
        do(chat, lambda transaction: sessions.begin_as(transaction, ann))
        assert written_down(chat)[0] == ("person.unban", "Dora", "Ann")
        with pytest.raises(NotFound):
            do(chat, lambda transaction: moderation.lift(transaction, dora, ban.id))

    def test_a_second_ban_takes_the_place_of_the_first(self, chat: Services, ann: Person, dora: Person) -> None:
        do(chat, lambda transaction: moderation.ban(transaction, dora, ann, reason="For ever"))
        later = do(chat, lambda transaction: transaction.now) + 60_000
        do(chat, lambda transaction: moderation.ban(transaction, dora, ann, reason="For a minute", expires_at=later))
        with chat.db.read() as connection:
            ban = restrictions.banned(connection, ann.id, None)
        assert ban is not None
        assert (ban.reason, ban.expires_at) == ("For a minute", later)

    def test_with_their_network_nobody_new_comes_from_there(self, chat: Services, dora: Person) -> None:
        mallory, _ = do(
            chat, lambda transaction: sessions.begin(transaction, "Mallory", browser=Browser("Firefox", "203.0.113.7"))
        )
        cleo, token = do(
            chat, lambda transaction: sessions.begin(transaction, "Cleo", browser=Browser("Firefox", "203.0.113.8"))
        )
        do(chat, lambda transaction: moderation.ban(transaction, dora, mallory, with_network=True))
        for address, comes in (("203.0.113.9", False), ("203.0.114.9", True)):
            with chat.db.read() as connection:
                assert (restrictions.banned(connection, None, address) is None) is comes
        assert chat.sessions.find(token) is not None, f"{cleo.username} has done nothing"


@pytest.mark.parametrize("act", ["mute", "ban"])
def test_nobody_keeps_order_among_their_equals(chat: Services, dora: Person, act: str) -> None:
    cleo, eve = arrive(chat, "Cleo", people.MODERATOR), arrive(chat, "Eve", people.OWNER)
    ann = arrive(chat, "Ann")
    verb = getattr(moderation, act)
    for who, chosen in ((dora, cleo), (dora, eve), (ann, dora), (ann, eve)):
        with pytest.raises(Forbidden):
            do(chat, lambda transaction, who=who, chosen=chosen: verb(transaction, who, chosen))  # type: ignore[misc]
    with pytest.raises(Invalid, match="yourself"):
        do(chat, lambda transaction: verb(transaction, eve, eve))
    do(chat, lambda transaction: verb(transaction, eve, dora))
    assert len(written_down(chat)) == 1


@pytest.mark.parametrize("act", ["mute", "ban"])
def test_who_owns_the_chat_no_more_has_no_power_left_over_moderators(chat: Services, dora: Person, act: str) -> None:
    mallory = arrive(chat, "Mallory", people.OWNER)
    promote(chat, mallory, people.MODERATOR)
    with pytest.raises(Forbidden, match="lower role"):
        do(chat, lambda transaction: getattr(moderation, act)(transaction, mallory, dora))


def test_a_rooms_owner_mutes_members_there_and_moderators_nowhere(
    chat: Services, ann: Person, bob: Person, dora: Person
) -> None:
    garden = room_of(chat, ann, "Garden")
    enter(chat, garden, bob, dora)
    do(chat, lambda transaction: moderation.mute(transaction, ann, bob, room=garden))
    with pytest.raises(Forbidden):
        do(chat, lambda transaction: moderation.mute(transaction, ann, dora, room=garden))
    with pytest.raises(Forbidden):
        do(chat, lambda transaction: moderation.mute(transaction, ann, bob))
    with pytest.raises(Forbidden):
        do(chat, lambda transaction: moderation.mute(transaction, bob, ann, room=garden))


def test_nobody_lifts_what_was_imposed_on_themselves(chat: Services, dora: Person) -> None:
    eve = arrive(chat, "Eve", people.OWNER)
    do(chat, lambda transaction: moderation.mute(transaction, eve, dora))
    with chat.db.read() as connection:
        mute = restrictions.muted(connection, dora.id, find(chat, dora).id)
    assert mute is not None
    with pytest.raises(Forbidden, match="Somebody else"):
        do(chat, lambda transaction: moderation.lift(transaction, dora, mute.id))
    do(chat, lambda transaction: moderation.lift(transaction, eve, mute.id))


def test_moderators_do_not_lift_what_the_owner_imposed_on_one_of_them(chat: Services, dora: Person) -> None:
    cleo, eve = arrive(chat, "Cleo", people.MODERATOR), arrive(chat, "Eve", people.OWNER)
    do(chat, lambda transaction: moderation.ban(transaction, eve, dora))
    with chat.db.read() as connection:
        ban = restrictions.banned(connection, dora.id, None)
    assert ban is not None
    with pytest.raises(Forbidden, match="lower role"):
        do(chat, lambda transaction: moderation.lift(transaction, cleo, ban.id))
    do(chat, lambda transaction: moderation.lift(transaction, eve, ban.id))


def test_what_would_be_over_already_is_refused(chat: Services, ann: Person, dora: Person) -> None:
    for act in (moderation.mute, moderation.ban):
        with pytest.raises(Invalid, match="over already"):
            do(chat, lambda transaction, act=act: act(transaction, dora, ann, expires_at=1))  # type: ignore[misc]


def test_a_reason_is_one_line_of_a_bounded_length(chat: Services) -> None:
    assert moderation.check_reason(" a\nb  c ") == "a b c"
    assert moderation.check_reason("") == ""
    with pytest.raises(TooLong):
        moderation.check_reason("x" * 301)
    for raw in (None, 3, "\ud800"):
        with pytest.raises(Invalid):
            moderation.check_reason(raw)


def test_slow_mode_and_lock_are_told_to_the_room_and_written_down_once(chat: Services, dora: Person) -> None:
    told = listen(chat)
    for _ in range(2):
        lobby = find(chat, dora)
        do(chat, lambda transaction, lobby=lobby: moderation.slow_down(transaction, dora, lobby, 30))  # type: ignore[misc]
        do(chat, lambda transaction, lobby=lobby: moderation.lock(transaction, dora, lobby, locked=True))  # type: ignore[misc]
    assert [each.type for each in told] == ["room.changed"] * 2
    assert [entry[0] for entry in written_down(chat)] == ["room.lock", "room.slow"]
    with pytest.raises(Invalid):
        do(chat, lambda transaction: moderation.slow_down(transaction, dora, lobby, -1))


def test_a_conversation_has_nobody_who_keeps_order_in_it(chat: Services, ann: Person, dora: Person) -> None:
    talk = do(chat, lambda transaction: rooms.make(transaction, ann, "", rooms.DIRECT, f"{ann.id}-{dora.id}"))
    do(chat, lambda transaction: memberships.add(transaction, talk, dora))
    for act in (
        lambda transaction: moderation.lock(transaction, dora, talk, locked=True),
        lambda transaction: moderation.slow_down(transaction, dora, talk, 5),
        lambda transaction: moderation.mute(transaction, dora, ann, room=talk),
    ):
        with pytest.raises(Forbidden):
            do(chat, act)


def test_what_fails_leaves_nothing(chat: Services, ann: Person, dora: Person) -> None:
    def ban_and_fail(transaction: object) -> None:
        moderation.ban(transaction, dora, ann)  # type: ignore[arg-type]
        raise Invalid("No.")

    with pytest.raises(Invalid):
        do(chat, ban_and_fail)
    with chat.db.read() as connection:
        assert restrictions.banned(connection, ann.id, None) is None
    assert not written_down(chat)
    assert again(chat, ann) == ann
