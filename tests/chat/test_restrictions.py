"""Restrictions: who is banned, muted, or has to wait, and that nobody else notices."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import event

from flask_chat.chat import messages, moderation, people, restrictions, settings
from flask_chat.chat.errors import Forbidden, Invalid, TooFast
from flask_chat.chat.people import Person
from flask_chat.http.services import Services

from .people_here import arrive, do, enter, find, room_of, say, texts

MINUTE = 60_000


@pytest.fixture
def dora(chat: Services) -> Person:
    """She keeps order."""
    return arrive(chat, "Dora", people.MODERATOR)


def at(transaction: Any, moment: int) -> Any:
    transaction.now = moment
    return transaction


def test_nobody_is_restricted_to_begin_with(chat: Services, ann: Person) -> None:
    with chat.db.read() as connection:
        assert restrictions.banned(connection, ann.id, "192.0.2.1") is None
        assert restrictions.muted(connection, ann.id, 1) is None
    assert not find(chat, ann).guarded


@pytest.mark.parametrize(
    ("banned", "address", "hit"),
    [
        ("192.0.2.0/24", "192.0.2.77", True),
        ("192.0.2.0/24", "192.0.3.77", False),
        ("192.0.2.7", "192.0.2.7", True),
        ("192.0.2.7", "192.0.2.8", False),
        ("192.0.0.0/16", "192.0.2.0/24", True),
        ("192.0.2.7", "192.0.2.0/24", False),
        ("192.0.2.0/24", "::ffff:192.0.2.77", True),
        ("2001:db8:1::/48", "2001:db8:1:2::3", True),
        ("2001:db8:1::/48", "2001:db8:2:2::3", False),
        ("2001:db8:1:2::/64", "2001:db8:1:2:3::4", True),
        ("192.0.2.0/24", "", False),
        ("192.0.2.0/24", None, False),
        ("192.0.2.0/24", "unix:", False),
    ],
)
def test_a_range_that_is_banned_holds_for_every_address_in_it(
    chat: Services, dora: Person, banned: str, address: str | None, hit: bool
) -> None:
    do(chat, lambda transaction: moderation.ban_network(transaction, dora, banned, reason="Flooding"))
    with chat.db.read() as connection:
        found = restrictions.banned(connection, None, address)
    assert (found is not None) is hit


@pytest.mark.parametrize("written", ["", "everybody", "0.0.0.0/0", "192.0.2.0/8", "::/0", "192.0.2.1; DROP"])
def test_what_is_no_range_or_too_large_a_one_is_refused(chat: Services, dora: Person, written: str) -> None:
    with pytest.raises(Invalid):
        do(chat, lambda transaction: moderation.ban_network(transaction, dora, written))


def test_a_ban_and_a_mute_end_by_themselves(chat: Services, dora: Person, ann: Person) -> None:
    ends = do(chat, lambda transaction: transaction.now) + MINUTE
    do(chat, lambda transaction: moderation.ban(transaction, dora, ann, expires_at=ends, reason="Enough"))
    do(chat, lambda transaction: moderation.mute(transaction, dora, ann, expires_at=ends))
    with chat.db.read() as connection:
        lobby = find(chat, ann).id
        assert restrictions.banned(connection, ann.id, None, ends - 1) is not None
        assert restrictions.muted(connection, ann.id, lobby, ends - 1) is not None
        assert restrictions.banned(connection, ann.id, None, ends) is None
        assert restrictions.muted(connection, ann.id, lobby, ends) is None


def test_who_is_restricted_is_told_why_and_until_when(chat: Services, dora: Person, ann: Person) -> None:
    do(chat, lambda transaction: moderation.ban(transaction, dora, ann, reason="Enough of that"))
    with chat.db.read() as connection:
        ban = restrictions.banned(connection, ann.id, None)
    assert ban is not None
    assert ban.words == "You are banned from this chat. The reason given: Enough of that"


def test_who_is_muted_reads_and_does_not_write(chat: Services, dora: Person, ann: Person, bob: Person) -> None:
    do(chat, lambda transaction: moderation.mute(transaction, dora, ann, reason="Shouting"))
    with pytest.raises(Forbidden, match=r"You are muted\. The reason given: Shouting"):
        say(chat, ann, "But")
    say(chat, bob, "Quiet now")
    assert texts(chat, ann) == ["Quiet now"]


def test_a_mute_in_one_room_is_for_that_room(chat: Services, dora: Person, ann: Person) -> None:
    garden = room_of(chat, dora, "Garden")
    enter(chat, garden, ann)
    do(chat, lambda transaction: moderation.mute(transaction, dora, ann, room=garden))
    with pytest.raises(Forbidden, match="muted in this room"):
        say(chat, ann, "Roses", garden)
    say(chat, ann, "Here I can")


def test_one_who_is_muted_is_refused_beside_others_in_the_same_commit(
    chat: Services, dora: Person, ann: Person, bob: Person
) -> None:
    do(chat, lambda transaction: moderation.mute(transaction, dora, ann))
    drafts = [messages.draft(who, "lobby", f"{number}") for number, who in enumerate([bob, ann, bob, dora])]
    outcomes = do(chat, lambda transaction: messages.post_together(transaction, drafts))
    assert [isinstance(outcome, Forbidden) for outcome in outcomes] == [False, True, False, False]
    assert texts(chat, bob) == ["0", "2", "3"]


def test_a_mute_that_is_lifted_is_over(chat: Services, dora: Person, ann: Person) -> None:
    do(chat, lambda transaction: moderation.mute(transaction, dora, ann))
    with chat.db.read() as connection:
        mute = restrictions.muted(connection, ann.id, 1)
    assert mute is not None
    do(chat, lambda transaction: moderation.lift(transaction, dora, mute.id))
    say(chat, ann, "Thank you")


def test_a_retry_of_what_was_kept_before_a_mute_is_answered_as_ever(chat: Services, dora: Person, ann: Person) -> None:
    first = say(chat, ann, "Hello", client_id="one")
    do(chat, lambda transaction: moderation.mute(transaction, dora, ann))
    assert say(chat, ann, "Hello", client_id="one") == first


class TestSlowMode:
    @pytest.fixture
    def post(self, chat: Services) -> Callable[[Person, int], object]:
        """Posts at a moment, in milliseconds after the test's beginning."""
        start = do(chat, lambda transaction: transaction.now)

        def post(who: Person, after: int) -> object:
            draft = messages.draft(who, "lobby", f"at {after}")
            return do(chat, lambda transaction: messages.post_together(at(transaction, start + after), [draft]))[0]

        return post

    @pytest.fixture(autouse=True)
    def slow(self, chat: Services, dora: Person) -> None:
        lobby = find(chat, dora)
        do(chat, lambda transaction: moderation.slow_down(transaction, dora, lobby, 10))

    def test_each_person_writes_once_in_a_while(
        self, chat: Services, ann: Person, bob: Person, post: Callable[[Person, int], object]
    ) -> None:
        assert not isinstance(post(ann, 0), Exception)
        refused = post(ann, 4_000)
        assert isinstance(refused, TooFast)
        assert refused.retry_after == 6
        assert not isinstance(post(bob, 4_000), Exception)
        assert isinstance(post(ann, 9_999), TooFast), "trying in vain does not make the wait longer"
        assert not isinstance(post(ann, 10_000), Exception)

    def test_two_in_the_same_commit_are_one_too_many(self, chat: Services, ann: Person) -> None:
        drafts = [messages.draft(ann, "lobby", word) for word in ("one", "two")]
        outcomes = do(chat, lambda transaction: messages.post_together(transaction, drafts))
        assert [isinstance(outcome, TooFast) for outcome in outcomes] == [False, True]

    def test_other_rooms_are_not_slow(self, chat: Services, ann: Person, post: Callable[[Person, int], object]) -> None:
        garden = room_of(chat, ann, "Garden")
        post(ann, 0)
        say(chat, ann, "one", garden)
        say(chat, ann, "two", garden)

    def test_who_keeps_order_does_not_wait(self, dora: Person, post: Callable[[Person, int], object]) -> None:
        assert not any(isinstance(post(dora, number), Exception) for number in range(3))

    def test_a_message_that_was_deleted_still_counts(
        self, chat: Services, ann: Person, post: Callable[[Person, int], object]
    ) -> None:
        posted = post(ann, 0)
        assert isinstance(posted, messages.Posted)
        lobby = find(chat, ann)
        do(chat, lambda transaction: moderation.delete_message(transaction, ann, lobby, posted.message.id))
        assert isinstance(post(ann, 5_000), TooFast)

    def test_a_clock_that_was_set_back_locks_nobody_out(
        self, ann: Person, post: Callable[[Person, int], object]
    ) -> None:
        post(ann, 3_600_000)
        assert not isinstance(post(ann, 0), Exception)


def test_in_a_locked_room_only_who_keeps_order_writes(chat: Services, dora: Person, ann: Person, bob: Person) -> None:
    garden = room_of(chat, ann, "Garden")
    enter(chat, garden, bob, dora)
    do(chat, lambda transaction: moderation.lock(transaction, dora, garden, locked=True))
    with pytest.raises(Forbidden, match="locked"):
        say(chat, bob, "Hello?", garden)
    say(chat, ann, "It is mine", garden)
    say(chat, dora, "A pause", garden)
    do(chat, lambda transaction: moderation.lock(transaction, dora, find(chat, dora, garden), locked=False))
    say(chat, bob, "On we go", garden)


def test_in_a_lockdown_only_members_write(chat: Services, ann: Person) -> None:
    cleo = arrive(chat, "Cleo", people.MEMBER)
    do(chat, lambda transaction: settings.change(transaction, {"lockdown": True}))
    with pytest.raises(Forbidden, match="Claim your name"):
        say(chat, ann, "Hello")
    say(chat, cleo, "Hello")
    do(chat, lambda transaction: settings.change(transaction, {"lockdown": False}))
    say(chat, ann, "Hello again")


def test_without_guests_they_only_read(chat: Services, ann: Person) -> None:
    do(chat, lambda transaction: settings.change(transaction, {"guests": False}))
    with pytest.raises(Forbidden, match="Guests only read"):
        say(chat, ann, "Hello")


def test_a_post_where_nothing_is_restricted_asks_nothing_more(chat: Services, ann: Person, dora: Person) -> None:
    """The rooms are found with one query, whether they are guarded or not."""
    do(chat, lambda transaction: moderation.mute(transaction, dora, arrive_in(transaction, "Mallory")))
    statements: list[str] = []

    def count(*arguments: Any) -> None:
        statements.append(arguments[2])

    event.listen(chat.db.engine, "before_cursor_execute", count)
    try:
        say(chat, ann, "Hello")
    finally:
        event.remove(chat.db.engine, "before_cursor_execute", count)
    assert not [each for each in statements if "restriction" in each and "membership" not in each]


def arrive_in(transaction: Any, name: str) -> Person:
    return people.add(transaction, name)
