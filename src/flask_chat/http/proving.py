"""Proving who one is: what is shown in a request, counted before it is looked at."""

from __future__ import annotations

import time

from flask import request, session
from itsdangerous.encoding import base64_decode, base64_encode

from ..chat import names, passkeys, people, proofs, recovery, sessions
from ..chat.errors import Invalid
from ..chat.passkeys import Challenge, Party, PasskeyShown
from ..chat.proofs import Proof
from . import visitor

CHALLENGE = "challenge"
"""In the cookie: what the browser was given for a passkey to sign, what for, and when."""

SIGN_IN, CREATE = "sign in", "create"
"""What a challenge is for."""


def look(username: str, secret: str) -> Proof:
    """What a name and a password, or a recovery code, prove.

    Raises :class:`flask_chat.chat.errors.Unproven`, :class:`flask_chat.chat.errors.TooFast` or
    :class:`flask_chat.chat.errors.Busy`.
    """
    chat = visitor.services()
    chat.limits.signing_in(request.remote_addr, _account(username, secret))
    return proofs.look(chat.db, username, secret)


def look_at_passkey(answer: str) -> PasskeyShown:
    """What a passkey's answer to this browser's challenge proves. Raises as :func:`look` does."""
    visitor.services().limits.joining(request.remote_addr)
    challenge = challenged(SIGN_IN)
    return passkeys.look(visitor.services().db, passkeys.parsed(answer), party(), challenge, now())


def challenge(purpose: str) -> bytes:
    """Give this browser something for a passkey to sign, in place of what it had."""
    value = passkeys.new_challenge()
    session[CHALLENGE] = [purpose, base64_encode(value).decode(), now()]
    return value


def challenged(purpose: str) -> Challenge:
    """What this browser was given for a purpose, once. Raises :class:`Invalid` if it was given nothing."""
    kept = session.pop(CHALLENGE, None)
    if not isinstance(kept, list) or len(kept) != 3 or kept[0] != purpose:
        raise Invalid("That took too long. Try again.")
    return Challenge(base64_decode(kept[1]), int(kept[2]))


def party() -> Party:
    """The chat as a passkey knows it, under the address at which this visitor has it."""
    host = request.host
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdecimal() else host
    return Party(name, f"{request.scheme}://{host}")


def now() -> int:
    """The server's clock, in milliseconds since 1970, UTC."""
    return time.time_ns() // 1_000_000


def _account(username: str, secret: str) -> str:
    """What attempts are counted under.

    Whoever guesses must not keep the bearer of a name out: from a browser that was theirs before, and with a recovery
    code, which cannot be guessed, attempts are counted apart.
    """
    tokens = visitor.kept()
    with visitor.services().db.read() as connection:
        found = people.named(connection, username)
        held = found is not None and bool(tokens) and sessions.holds(connection, found.id, tokens)
    # Whoever had other names before can be guessed at under each of them.
    key = names.key(username[:512] if found is None else found.username)
    if recovery.written(secret) is not None:
        return f"{key}\ncode"
    return f"{key}\nheld" if held else key
