"""Signed-in browsers of people with roles, for tests of the pages of those who keep order."""

from __future__ import annotations

from flask.testing import FlaskClient
from sqlalchemy import update

from flask_chat import events
from flask_chat.chat import people
from flask_chat.chat.people import person
from flask_chat.db import Transaction
from flask_chat.http.services import Services


def promote(chat: Services, username: str, role: str) -> None:
    """Give somebody a role, as the verbs do it."""

    def change(transaction: Transaction) -> None:
        chosen = people.find(transaction.connection, username)
        transaction.connection.execute(update(person).where(person.c.id == chosen.id).values(role=role))
        events.record(transaction, "role.changed", person_id=chosen.id, subject_id=chosen.id, role=role)

    chat.db.write(change)


def said(client: FlaskClient, room: str, words: str) -> int:
    """Say something; the message's id."""
    assert client.post(f"/rooms/{room}/messages", data={"message": words}).status_code == 303
    found = client.get(f"/api/rooms/{room}/messages").json
    assert found is not None
    return int(found["messages"][-1]["id"])
