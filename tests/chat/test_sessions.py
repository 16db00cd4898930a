"""Sessions: which browser is whom, for how long, and until when."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest
from sqlalchemy import Connection, select, update

from flask_chat.chat import people, restrictions, sessions, settings, whereabouts
from flask_chat.chat.browsers import Browser
from flask_chat.chat.errors import Forbidden, NotFound, Taken
from flask_chat.chat.sessions import LIFETIME, PROOF_LASTS, Directory, Session, session
from flask_chat.chat.whereabouts import Listed
from flask_chat.db import Database, Transaction, metadata
from flask_chat.events import Event
from flask_chat.http.services import Services

DAY = 86_400_000


def begin(chat: Services, name: str, kept: Sequence[str] = ()) -> str:
    return chat.db.write(lambda transaction: sessions.begin(transaction, name, kept))[1]


def found(chat: Services, token: str) -> Session:
    session = chat.sessions.find(token)
    assert session is not None
    return session


def sign_out(chat: Services, token: str) -> None:
    id = found(chat, token).id
    chat.db.write(lambda transaction: sessions.sign_out(transaction, id))


def revoke(chat: Services, token: str) -> None:
    revoke_by_id(chat, found(chat, token).id)


def revoke_by_id(chat: Services, id: int) -> None:
    chat.db.write(lambda transaction: sessions.revoke(transaction, id))


def age(chat: Services, token: str, milliseconds: int) -> None:
    """Let a session have been renewed so long ago."""
    id = found(chat, token).id
    chat.db.write(
        lambda transaction: transaction.connection.execute(
            update(session).where(session.c.id == id).values(renewed_at=transaction.now - milliseconds)
        )
    )
    chat.sessions.forget(token)


def test_a_browser_is_who_it_said_it_was(chat: Services) -> None:
    token = begin(chat, "Ann")
    assert found(chat, token).person.username == "Ann"
    assert chat.sessions.known(token) == found(chat, token)


def test_a_token_is_long_random_and_kept_only_as_its_hash(chat: Services) -> None:
    token = begin(chat, "Ann")
    assert len(token) == 43
    assert token != begin(chat, "Bob")
    with chat.db.read() as connection:
        dump = [value for table in metadata.sorted_tables for row in connection.execute(select(table)) for value in row]
    assert token not in dump
    assert token.encode() not in dump
    assert hashlib.sha256(token.encode()).digest() in dump


@pytest.mark.parametrize("token", ["", "x", "\ud800", "x" * 100_000, "' OR 1=1"])
def test_a_forged_token_is_nobodys(chat: Services, token: str) -> None:
    begin(chat, "Ann")
    assert chat.sessions.find(token) is None


def test_a_name_belongs_to_the_browser_that_took_it(chat: Services) -> None:
    begin(chat, "Ann")
    with pytest.raises(Taken, match="“Ann” is taken"):
        begin(chat, "Ann")
    with pytest.raises(Taken, match="looks too much like “Ann”"):
        begin(chat, "ann")


def test_a_browser_takes_its_own_name_again_with_a_token_that_it_held(chat: Services) -> None:
    token = begin(chat, "Ann")
    sign_out(chat, token)
    again = begin(chat, "ann", ["unknown", token])
    assert found(chat, again).person.username == "Ann"
    assert chat.sessions.find(token) is None, "the old session stays ended"


def test_a_token_that_was_revoked_proves_nothing_whether_or_not_it_was_signed_out_before(chat: Services) -> None:
    for name, ends in (("Ann", [revoke]), ("Bob", [sign_out, revoke])):
        token = begin(chat, name)
        id = found(chat, token).id
        for end in ends[:-1]:
            end(chat, token)
        revoke_by_id(chat, id)
        with pytest.raises(Taken):
            begin(chat, name, [token])


def test_a_token_of_somebody_else_proves_nothing(chat: Services) -> None:
    begin(chat, "Ann")
    with pytest.raises(Taken):
        begin(chat, "Ann", [begin(chat, "Bob")])


def test_a_session_that_is_ended_signs_nobody_in_from_that_moment(chat: Services) -> None:
    token, other = begin(chat, "Ann"), begin(chat, "Bob")
    found(chat, other)
    revoke(chat, token)
    assert chat.sessions.known(token) is None
    assert chat.sessions.find(token) is None
    assert chat.sessions.known(other) is not None, "another's session is still known"


def test_a_session_is_ended_once_and_its_person_is_told_once(chat: Services) -> None:
    told: list[Event] = []
    token = begin(chat, "Ann")
    ann = found(chat, token)
    chat.db.listeners.append(told.extend)
    for _ in range(2):
        chat.db.write(lambda transaction: sessions.revoke(transaction, ann.id))
    assert [(event.type, event.person_id, event.subject_id) for event in told] == [
        ("session.revoked", ann.person.id, ann.id)
    ]


def test_a_session_that_ends_while_it_is_read_is_not_remembered(
    chat: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = begin(chat, "Ann")
    id = found(chat, token).id
    chat.sessions.forget(token)
    real = Database.read

    @contextmanager
    def slow(database: Database) -> Iterator[Connection]:
        with real(database) as connection:
            yield connection
            monkeypatch.setattr(Database, "read", real)
            # The row is read, and not yet remembered.
            database.write(lambda transaction: sessions.revoke(transaction, id))

    monkeypatch.setattr(Database, "read", slow)
    chat.sessions.find(token)
    assert chat.sessions.known(token) is None
    assert chat.sessions.find(token) is None


def test_a_new_owner_is_known_as_one_at_once(chat: Services) -> None:
    token = begin(chat, "Ann")
    ann = found(chat, token).person
    chat.db.write(lambda transaction: people.appoint_owner(transaction, ann))
    assert found(chat, token).person.owner


def test_a_session_that_nobody_uses_ends_after_its_time(chat: Services) -> None:
    token = begin(chat, "Ann")
    age(chat, token, LIFETIME - 60_000)
    assert chat.sessions.find(token) is not None
    age(chat, token, LIFETIME + 1)
    assert chat.sessions.find(token) is None


def test_a_session_in_memory_ends_after_its_time_too(chat: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    token = begin(chat, "Ann")
    found(chat, token)
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + LIFETIME / 1000 + 1)
    assert chat.sessions.known(token) is None
    assert chat.sessions.find(token) is None


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_clock_that_is_set_by_an_hour_signs_nobody_out(
    chat: Services, monkeypatch: pytest.MonkeyPatch, hours: int
) -> None:
    token = begin(chat, "Ann")
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + hours * 3600)
    assert chat.sessions.find(token) is not None


def test_a_session_that_is_renewed_lives_on_from_then(chat: Services) -> None:
    token = begin(chat, "Ann")
    age(chat, token, LIFETIME - DAY)
    before = found(chat, token)
    chat.db.write(lambda transaction: sessions.renew(transaction, [before]))
    chat.sessions.forget(token)
    assert abs(found(chat, token).renewed_at - time.time() * 1000) < 60_000


def test_no_more_sessions_are_kept_in_memory_than_there_is_room_for(
    chat: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "REMEMBERED", 2)
    tokens = [begin(chat, name) for name in ("Ann", "Bob", "Cleo")]
    for token in tokens:
        found(chat, token)
    assert [chat.sessions.known(token) is not None for token in tokens] == [False, True, True]
    assert found(chat, tokens[0]).person.username == "Ann", "the database knows all of them"


def test_a_database_without_listeners_left_still_finds_sessions(chat: Services) -> None:
    token = begin(chat, "Ann")
    assert Directory(chat.db).find(token) == found(chat, token)


FIREFOX = Browser("Firefox on Linux", "192.0.2.7")


def listed(chat: Services, person_id: int) -> list[Listed]:
    with chat.db.read() as connection:
        return whereabouts.of(connection, person_id, chat.sessions)


def test_a_session_knows_its_device_and_its_network_but_no_address(chat: Services) -> None:
    ann, _ = chat.db.write(lambda transaction: sessions.begin(transaction, "Ann", browser=FIREFOX))
    (found,) = listed(chat, ann.id)
    assert (found.device, found.network, found.signed_out) == ("Firefox on Linux", "192.0.2.0/24", False)
    with chat.db.read() as connection:
        assert "192.0.2.7" not in connection.execute(select(session)).one()


def test_when_a_session_was_seen_is_written_for_many_at_once_and_not_at_every_request(
    chat: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[dict[int, int]] = []
    real = sessions.note

    def note(transaction: Transaction, batches: list[dict[int, int]]) -> list[None]:
        written.extend(batches)
        return real(transaction, batches)

    monkeypatch.setattr(sessions, "note", note)
    ann, bob = begin(chat, "Ann"), begin(chat, "Bob")
    past = time.time() * 1000 - DAY
    chat.db.write(lambda transaction: transaction.connection.execute(update(session).values(seen_at=past)))
    for _ in range(100):
        found(chat, ann)
    found(chat, bob)
    assert not written
    assert chat.sessions.seen_at(found(chat, ann).id) > past
    monkeypatch.setattr(chat.sessions, "_note_at", time.monotonic() - 1)
    found(chat, ann)
    found(chat, ann)
    chat.db.write(lambda _: None)
    assert [sorted(batch) for batch in written] == [[found(chat, ann).id, found(chat, bob).id]]
    with chat.db.read() as connection:
        assert min(connection.execute(select(session.c.seen_at)).scalars()) > past


def test_a_person_ends_their_own_sessions_only(chat: Services) -> None:
    ann, bob = begin(chat, "Ann"), begin(chat, "Bob")
    anns, bobs = found(chat, ann), found(chat, bob)
    with pytest.raises(NotFound):
        chat.db.write(lambda transaction: sessions.revoke_own(transaction, bobs.person.id, anns.id))
    assert chat.sessions.find(ann) is not None
    chat.db.write(lambda transaction: sessions.revoke_own(transaction, anns.person.id, anns.id))
    assert chat.sessions.find(ann) is None


def test_ending_all_others_leaves_one_and_takes_the_name_from_browsers_that_signed_out(chat: Services) -> None:
    first = begin(chat, "Ann")
    sign_out(chat, first)
    second = begin(chat, "Ann", [first])
    kept = begin(chat, "Ann", [second])
    bob = begin(chat, "Bob")
    ann = found(chat, kept)
    assert [each.signed_out for each in listed(chat, ann.person.id)] == [False, False, True]
    chat.db.write(lambda transaction: sessions.revoke_all(transaction, ann.person.id, keep=ann.id))
    assert [each.id for each in listed(chat, ann.person.id)] == [ann.id]
    assert chat.sessions.find(second) is None
    with pytest.raises(Taken):
        begin(chat, "Ann", [first, second])
    assert begin(chat, "Ann", [kept])
    assert chat.sessions.find(bob) is not None


def test_a_proof_is_fresh_for_some_minutes(chat: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    id = found(chat, begin(chat, "Ann")).id

    def proved() -> bool:
        with chat.db.read() as connection:
            return sessions.proved(connection, id)

    assert not proved()
    chat.db.write(lambda transaction: sessions.prove(transaction, id))
    assert proved()
    now = time.time()
    for seconds in (PROOF_LASTS / 1000 + 5, -PROOF_LASTS / 1000 - 5):
        monkeypatch.setattr(time, "time", lambda seconds=seconds: now + seconds)
        assert not proved()


def test_nobody_comes_of_their_own_accord_to_a_chat_by_invitation(chat: Services) -> None:
    ann = begin(chat, "Ann")
    chat.db.write(lambda transaction: settings.change(transaction, {"joining": "invited"}))
    with pytest.raises(Forbidden, match="by invitation"):
        begin(chat, "Bob")
    assert begin(chat, "Ann", [ann]), "who is here already is not new"
    bob, _ = chat.db.write(lambda transaction: sessions.begin(transaction, "Bob", invited=True))
    assert bob.role == people.GUEST


def test_who_comes_to_a_chat_by_approval_is_an_applicant_unless_invited(chat: Services) -> None:
    chat.db.write(lambda transaction: settings.change(transaction, {"joining": "approval"}))
    bob, _ = chat.db.write(lambda transaction: sessions.begin(transaction, "Bob"))
    cleo, _ = chat.db.write(lambda transaction: sessions.begin(transaction, "Cleo", invited=True))
    assert (bob.role, cleo.role) == (people.APPLICANT, people.GUEST)


def test_nobody_who_is_banned_begins_a_session(chat: Services) -> None:
    token, owner = begin(chat, "Ann"), found(chat, begin(chat, "Dora")).person
    ann = found(chat, token).person

    def ban(transaction: Transaction) -> None:
        restrictions.add(transaction, restrictions.BAN, owner, person_id=ann.id)
        restrictions.add(transaction, restrictions.BAN, owner, network="192.0.2.0/24")

    chat.db.write(ban)
    with pytest.raises(Forbidden, match="banned"):
        begin(chat, "Ann", [token])
    with pytest.raises(Forbidden, match="banned"):
        chat.db.write(lambda transaction: sessions.begin(transaction, "Bob", browser=FIREFOX))
    assert begin(chat, "Bob")


def test_the_owner_comes_in_from_a_range_of_addresses_that_a_moderator_banned(chat: Services) -> None:
    token = begin(chat, "Dora")
    dora = found(chat, token).person
    chat.db.write(lambda transaction: people.appoint_owner(transaction, dora))
    chat.db.write(lambda transaction: restrictions.add(transaction, restrictions.BAN, dora, network="192.0.2.0/24"))
    assert chat.db.write(lambda transaction: sessions.begin(transaction, "Dora", [token], browser=FIREFOX))
