"""What a request is about: things of a scene, made when a row of :mod:`tests.security.routes` asks for them."""

from __future__ import annotations

import secrets

from sqlalchemy import insert, select

from flask_chat.chat import device_links, invitations, messages, recovery, reports, restrictions, rooms, sessions
from flask_chat.chat.credentials import passkey as passkeys
from flask_chat.chat.invitations import invitation as invitation_table
from flask_chat.chat.people import Person
from flask_chat.chat.sessions import session as session_table
from flask_chat.db import Transaction

from .world import OUTSIDE, Scene, Value


def text(value: str) -> Value:
    """Always the same."""
    return lambda _: value


def den(scene: Scene) -> str:
    return scene.den.slug


def me(scene: Scene) -> str:
    return "Nobody" if scene.person is None else scene.person.username


def cleo(scene: Scene) -> str:
    return scene.cleo.username


def dora(scene: Scene) -> str:
    return scene.dora.username


def den_id(scene: Scene) -> int:
    return scene.den.id


def lobby(scene: Scene) -> int:
    with scene.world.chat.db.read() as connection:
        found = rooms.lobby(connection)
    assert found is not None
    return found


def mute(scene: Scene) -> int:
    """Cleo is muted."""
    return scene.world.write(
        lambda write: restrictions.add(write, restrictions.MUTE, scene.keeper, person_id=scene.cleo.id)
    )


def reported(scene: Scene) -> int:
    """A message of Cleo's in the private room that its keeper has reported."""
    id = message(scene)
    scene.world.write(lambda write: reports.file(write, scene.keeper, scene.den, id, "Rude"))
    return id


def only_dora(scene: Scene) -> list[str]:
    return [scene.dora.username]


def new_name(scene: Scene) -> str:
    return f"New {next(scene.world.numbers)}"


def owner_token(scene: Scene) -> str:
    return scene.world.chat.owner_link.token()


def message(scene: Scene) -> int:
    """Cleo's, in the private room."""
    return _said(scene, scene.cleo)


def own_message(scene: Scene) -> int:
    """That of who asks, in the private room; Cleo's, if they are not in it."""
    inside = scene.person is not None and scene.who.standing != OUTSIDE
    return _said(scene, scene.person if inside and scene.person else scene.cleo)


def _said(scene: Scene, author: Person) -> int:
    new = messages.draft(author, scene.den.slug, "Between us")
    return messages.post(scene.world.chat.db, new).result(5).message.id


def invitation_token(scene: Scene) -> str:
    """Into the private room."""
    return scene.world.write(lambda write: invitations.invite(write, scene.keeper, scene.den.slug)).token


def invitation(scene: Scene) -> int:
    """One of the person's own, into the chat."""
    return scene.world.write(lambda write: _invitation(write, _person(scene)))


def invitation_of_dora(scene: Scene) -> int:
    return scene.world.write(lambda write: _invitation(write, scene.dora))


def device_token(scene: Scene) -> str:
    return scene.world.write(lambda write: device_links.make(write, _person(scene)))


def code(scene: Scene) -> str:
    """A recovery code of the person's own."""
    return scene.world.write(lambda write: recovery.renew(write, _person(scene).id))[0]


def code_of_cleo(scene: Scene) -> str:
    return scene.world.write(lambda write: recovery.renew(write, scene.cleo.id))[0]


def passkey(scene: Scene) -> int:
    """One of two of the person's own, who has just shown a proof."""

    def make(transaction: Transaction) -> int:
        who = _person(scene)
        for id in transaction.connection.execute(
            select(session_table.c.id).where(session_table.c.person_id == who.id)
        ).scalars():
            sessions.prove(transaction, id)
        _passkey(transaction, who)
        return _passkey(transaction, who)

    return scene.world.write(make)


def passkey_of_dora(scene: Scene) -> int:
    return scene.world.write(lambda write: _passkey(write, scene.dora))


def session(scene: Scene) -> int:
    """Another one of the person's own."""
    return scene.world.write(lambda write: _session(write, _person(scene)))


def session_of_dora(scene: Scene) -> int:
    return scene.world.write(lambda write: _session(write, scene.dora))


def _person(scene: Scene) -> Person:
    # Of nobody there is nothing: what is theirs is somebody else's then.
    return scene.person or scene.cleo


def _invitation(transaction: Transaction, inviter: Person) -> int:
    values = {"inviter_id": inviter.id, "created_at": transaction.now, "uses": 0, "token_hash": secrets.token_bytes(32)}
    made = insert(invitation_table).values(values).returning(invitation_table.c.id)
    return int(transaction.connection.execute(made).scalar_one())


def _passkey(transaction: Transaction, owner: Person) -> int:
    values = {
        "person_id": owner.id,
        "credential_id": secrets.token_bytes(16),
        "public_key": b"key",
        "sign_count": 0,
        "name": "Phone",
        "created_at": transaction.now,
    }
    made = insert(passkeys).values(values).returning(passkeys.c.id)
    return int(transaction.connection.execute(made).scalar_one())


def _session(transaction: Transaction, owner: Person) -> int:
    sessions.begin_as(transaction, owner)
    newest = select(session_table.c.id).where(session_table.c.person_id == owner.id)
    return int(transaction.connection.execute(newest.order_by(session_table.c.id.desc()).limit(1)).scalar_one())
