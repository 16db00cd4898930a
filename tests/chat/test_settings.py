"""Settings: typed, with defaults, told to everybody, the same on every node."""

from __future__ import annotations

import pytest

from flask_chat.chat import memberships, people, settings
from flask_chat.chat.errors import Invalid
from flask_chat.chat.settings import DEFAULTS, Current, Settings
from flask_chat.http.services import Services

from .people_here import arrive, do, find, listen


def read(chat: Services) -> Settings:
    with chat.db.read() as connection:
        return settings.read(connection)


def test_a_new_chat_has_the_defaults(chat: Services) -> None:
    assert read(chat) == DEFAULTS
    with chat.db.read() as connection:
        assert settings.joining(connection) == "open"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("name", "The Workshop"),
        ("accent", "plum"),
        ("joining", "invited"),
        ("room_makers", "moderator"),
        ("guests", False),
        ("lobby", False),
        ("name_days", None),
        ("retention_days", 30),
        ("edit_minutes", 0),
        ("edit_minutes", None),
        ("lockdown", True),
    ],
)
def test_each_setting_is_kept_told_to_everybody_and_can_be_put_back(chat: Services, name: str, value: object) -> None:
    told = listen(chat)
    do(chat, lambda transaction: settings.change(transaction, {name: value}))
    assert getattr(read(chat), name) == value
    assert [(each.type, each.audience) for each in told] == [("settings.changed", 0)]
    do(chat, lambda transaction: settings.change(transaction, {name: getattr(DEFAULTS, name)}))
    assert read(chat) == DEFAULTS


def test_what_is_the_same_already_is_not_told(chat: Services) -> None:
    told = listen(chat)
    do(chat, lambda transaction: settings.change(transaction, {"accent": "teal", "lockdown": False}))
    assert not told


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("accent", "#ff0000"),
        ("accent", "url(javascript:alert(1))"),
        ("joining", "closed"),
        ("room_makers", "applicant"),
        ("guests", "no"),
        ("retention_days", 0),
        ("name_days", -1),
        ("retention_days", 10**9),
        ("retention_days", 1.5),
        ("edit_minutes", -1),
        ("edit_minutes", 10**12),
        ("name", "x" * 61),
        ("name", "a\u202eb"),
        ("name", None),
        ("colour", "red"),
    ],
)
def test_what_is_no_value_changes_nothing(chat: Services, name: str, value: object) -> None:
    told = listen(chat)
    with pytest.raises(Invalid):
        do(chat, lambda transaction: settings.change(transaction, {"lockdown": True, name: value}))
    assert read(chat) == DEFAULTS
    assert not told


def test_a_process_shows_the_new_settings_as_soon_as_it_hears_of_them(chat: Services) -> None:
    assert chat.settings.get() == DEFAULTS
    do(chat, lambda transaction: settings.change(transaction, {"name": "The Workshop"}))
    assert chat.settings.get().name == "The Workshop"


def test_another_process_shows_them_once_it_has_heard(chat: Services) -> None:
    other, told = Current(chat.db), listen(chat)
    assert other.get().accent == "teal"
    do(chat, lambda transaction: settings.change(transaction, {"accent": "plum"}))
    assert other.get().accent == "teal"
    other.hear(told)
    assert other.get().accent == "plum"


def test_settings_of_a_later_release_are_no_reason_not_to_start(chat: Services) -> None:
    def keep(transaction: object) -> None:
        transaction.connection.execute(settings.setting.insert().values(name="later", value='"x"'))  # type: ignore[attr-defined]

    do(chat, keep)
    assert read(chat) == DEFAULTS


def test_new_people_are_in_the_lobby_unless_the_owner_says_otherwise(chat: Services) -> None:
    assert find(chat, arrive(chat, "Ann")).slug == "lobby"
    do(chat, lambda transaction: settings.change(transaction, {"lobby": False}))
    bob = arrive(chat, "Bob")
    with chat.db.read() as connection:
        assert memberships.room_ids(connection, bob.id) == frozenset()
        assert memberships.room_ids(connection, people.find(connection, "Ann").id)
