"""Whom one does not want to hear, for programs."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from ..chat import blocks, people
from ..db import Transaction
from ..http.visitor import member, services

blueprint = Blueprint("api_blocks", __name__, url_prefix="/api/blocks")


@blueprint.get("")
def index() -> Response:
    """The names of those whom the visitor has blocked."""
    person = member()
    with services().db.read() as connection:
        return jsonify(blocked=blocks.of(connection, person))


@blueprint.put("/<username>")
def create(username: str) -> tuple[str, int]:
    """Block somebody; 204, whether they were blocked before or not."""
    person = member()
    services().limits.arranging(person.id)

    def change(transaction: Transaction) -> None:
        blocks.add(transaction, person, people.find(transaction.connection, username))

    services().db.write(change)
    return "", 204


@blueprint.delete("/<username>")
def delete(username: str) -> tuple[str, int]:
    """Hear somebody again; 204, whether they were blocked before or not."""
    person = member()
    services().limits.arranging(person.id)

    def change(transaction: Transaction) -> None:
        blocks.remove(transaction, person, people.find(transaction.connection, username))

    services().db.write(change)
    return "", 204
