"""Passkeys: a key pair in somebody's device proves that a name is theirs (WebAuthn, level 3).

They are discoverable: the device knows the name, nobody types it. The device asks for a finger, a face or a PIN first,
so that a passkey alone is enough to sign in.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, or_, select, update

from ..db import Database, Transaction
from . import credentials, sessions
from .credentials import passkey
from .errors import Conflict, Invalid, NotFound, Unproven
from .people import Person, person

LIFETIME = 300_000
"""Milliseconds in which a device must answer a challenge."""

MOST = 20
"""Passkeys that somebody may have."""

MAX_NAME = 80

_UNKNOWN = "This passkey does not sign anybody in here."


@dataclass(frozen=True, slots=True)
class Party:
    """Where a passkey is used: ``id`` is the host without its port, ``origin`` the scheme, host and port."""

    id: str
    origin: str


@dataclass(frozen=True, slots=True)
class Challenge:
    """What a device is to sign; ``made_at`` in milliseconds since 1970, UTC."""

    value: bytes
    made_at: int

    def fresh(self, now: int) -> bool:
        """Whether it may be answered still. Either way: the clock may have been set back since."""
        return abs(now - self.made_at) <= LIFETIME


@dataclass(frozen=True, slots=True)
class Listed:
    """A passkey as its person sees it. Times are in milliseconds since 1970, UTC."""

    id: int
    name: str
    created_at: int
    used_at: int | None


@dataclass(frozen=True, slots=True)
class New:
    """A passkey that a device has made, checked."""

    credential_id: bytes
    public_key: bytes
    sign_count: int


@dataclass(frozen=True, slots=True)
class PasskeyShown:
    """A passkey that has signed a challenge."""

    person: Person
    id: int
    sign_count: int
    challenged_at: int
    sign_count_before: int

    def holds(self, transaction: Transaction) -> bool:
        """Note the use. One answer counts once: an older challenge than that of the last use does not."""
        used = transaction.connection.execute(
            update(passkey)
            .where(
                passkey.c.id == self.id,
                passkey.c.sign_count == self.sign_count_before,
                or_(passkey.c.used_at.is_(None), passkey.c.used_at < self.challenged_at),
            )
            .values(sign_count=self.sign_count, used_at=transaction.now)
            .returning(passkey.c.id)
        )
        return used.first() is not None


def creation_options(connection: Connection, who: Person, party: Party, chat_name: str, challenge: bytes) -> str:
    """What a browser is to ask the device for a new passkey, as JSON. Raises :class:`Invalid` if there are too many."""
    from webauthn import generate_registration_options, options_to_json
    from webauthn.helpers.structs import (
        AuthenticatorSelectionCriteria,
        PublicKeyCredentialDescriptor,
        ResidentKeyRequirement,
        UserVerificationRequirement,
    )

    there = connection.execute(_IDS, {"person_id": who.id}).scalars().all()
    if len(there) >= MOST:
        raise Invalid(f"You have {MOST} passkeys. Remove one first.")
    options = generate_registration_options(
        rp_id=party.id,
        rp_name=chat_name,
        user_id=_handle(who.id),
        user_name=who.username,
        challenge=challenge,
        exclude_credentials=[PublicKeyCredentialDescriptor(id=id) for id in there],
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
    )
    return options_to_json(options)


def check(answer: Mapping[str, Any], party: Party, challenge: Challenge, now: int) -> New:
    """The passkey that a device has made for ``challenge``. Raises :class:`Invalid`."""
    from webauthn import verify_registration_response
    from webauthn.helpers.exceptions import WebAuthnException

    if not challenge.fresh(now):
        raise Invalid("That took too long. Try again.")
    try:
        made = verify_registration_response(
            credential=dict(answer),
            expected_challenge=challenge.value,
            expected_rp_id=party.id,
            expected_origin=party.origin,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError):
        raise Invalid("This passkey cannot be used here.") from None
    return New(made.credential_id, made.credential_public_key, made.sign_count)


def add(transaction: Transaction, who: Person, new: New, name: str, session_id: int) -> None:
    """Let a passkey prove somebody's name, which it claims; in their session it has just done so.

    Raises :class:`Conflict` if it is there already.
    """
    transaction.lock()
    if transaction.connection.execute(_KNOWN, {"credential_id": new.credential_id}).first() is not None:
        raise Conflict("This passkey is here already.")
    transaction.connection.execute(
        insert(passkey).values(
            person_id=who.id,
            credential_id=new.credential_id,
            public_key=new.public_key,
            sign_count=new.sign_count,
            name=name[:MAX_NAME] or "Passkey",
            created_at=transaction.now,
        )
    )
    credentials.claim(transaction, who)
    sessions.prove(transaction, session_id)


def remove(transaction: Transaction, person_id: int, id: int) -> None:
    """Let a passkey prove nothing any more.

    Raises :class:`NotFound` if it is not this person's, :class:`Conflict` if they would be left without any proof.
    """
    transaction.lock()
    gone = transaction.connection.execute(
        delete(passkey).where(passkey.c.id == id, passkey.c.person_id == person_id).returning(passkey.c.id)
    )
    if gone.first() is None:
        raise NotFound("You have no such passkey.")
    left = credentials.held(transaction.connection, person_id)
    if not (left.password or left.passkeys or left.identities):
        raise Conflict("This is the only way for you to sign in elsewhere. Set a password first.")


def of(connection: Connection, person_id: int) -> list[Listed]:
    """Somebody's passkeys, the oldest first."""
    return [Listed(*row) for row in connection.execute(_LISTED, {"person_id": person_id})]


def request_options(party: Party, challenge: bytes) -> str:
    """What a browser is to ask the device for a sign-in, as JSON."""
    from webauthn import generate_authentication_options, options_to_json
    from webauthn.helpers.structs import UserVerificationRequirement

    return options_to_json(
        generate_authentication_options(
            rp_id=party.id, challenge=challenge, user_verification=UserVerificationRequirement.REQUIRED
        )
    )


def look(database: Database, answer: Mapping[str, Any], party: Party, challenge: Challenge, now: int) -> PasskeyShown:
    """What a device's answer to ``challenge`` proves. Raises :class:`Unproven`."""
    from webauthn import base64url_to_bytes, verify_authentication_response
    from webauthn.helpers.exceptions import WebAuthnException

    if not challenge.fresh(now):
        raise Unproven("That took too long. Try again.")
    try:
        credential_id = base64url_to_bytes(str(answer.get("id")))
        with database.read() as connection:
            row = connection.execute(_KNOWN, {"credential_id": credential_id}).first()
        if row is None:
            raise Unproven(_UNKNOWN)
        verified = verify_authentication_response(
            credential=dict(answer),
            expected_challenge=challenge.value,
            expected_rp_id=party.id,
            expected_origin=party.origin,
            credential_public_key=row.public_key,
            credential_current_sign_count=row.sign_count,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError):
        raise Unproven(_UNKNOWN) from None
    who = Person(row.id, row.username, row.role, row.created_at)
    return PasskeyShown(who, row.passkey_id, verified.new_sign_count, challenge.made_at, row.sign_count)


def new_challenge() -> bytes:
    """Something that was never signed before."""
    return secrets.token_bytes(32)


def parsed(body: str) -> dict[str, Any]:
    """A device's answer as a browser sends it. Raises :class:`Invalid`."""
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        answer = None
    if not isinstance(answer, dict):
        raise Invalid("This is no answer of a passkey.")
    return answer


def _handle(person_id: int) -> bytes:
    return person_id.to_bytes(8, "big")


_IDS = select(passkey.c.credential_id).where(passkey.c.person_id == bindparam("person_id"))
_LISTED = (
    select(passkey.c.id, passkey.c.name, passkey.c.created_at, passkey.c.used_at)
    .where(passkey.c.person_id == bindparam("person_id"))
    .order_by(passkey.c.id)
)
_KNOWN = (
    select(
        passkey.c.id.label("passkey_id"),
        passkey.c.public_key,
        passkey.c.sign_count,
        person.c.id,
        person.c.username,
        person.c.role,
        person.c.created_at,
    )
    .join(person, person.c.id == passkey.c.person_id)
    .where(passkey.c.credential_id == bindparam("credential_id"))
)
