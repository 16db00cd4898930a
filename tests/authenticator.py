"""An authenticator in software: makes passkeys and signs with them as a phone does (WebAuthn, level 3)."""

from __future__ import annotations

import hashlib
import json
import secrets
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from webauthn.helpers import bytes_to_base64url as encoded

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


class Authenticator:
    """One passkey. ``counts``: whether it counts its uses, as security keys do and phones do not."""

    def __init__(self, host: str = "localhost", *, counts: bool = False) -> None:
        self.id = secrets.token_bytes(20)
        self.uses = 0
        self.flags = PRESENT | VERIFIED
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._host, self._counts = host, counts

    def create(self, options: dict[str, Any], origin: str = "http://localhost") -> str:
        """Answer the options for a new passkey."""
        numbers = self._key.public_key().public_numbers()
        key = cbor2.dumps({1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")})
        attested = bytes(16) + len(self.id).to_bytes(2, "big") + self.id + key
        data = self._data(ATTESTED) + attested
        client = _client("webauthn.create", options["challenge"], origin)
        made = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        return self._answer({"clientDataJSON": encoded(client), "attestationObject": encoded(made)})

    def get(self, options: dict[str, Any], origin: str = "http://localhost") -> str:
        """Answer the options for a sign-in."""
        self.uses += self._counts
        data = self._data(0)
        client = _client("webauthn.get", options["challenge"], origin)
        signature = self._key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        return self._answer(
            {
                "clientDataJSON": encoded(client),
                "authenticatorData": encoded(data),
                "signature": encoded(signature),
            }
        )

    def _data(self, more: int) -> bytes:
        return hashlib.sha256(self._host.encode()).digest() + bytes([self.flags | more]) + self.uses.to_bytes(4, "big")

    def _answer(self, response: dict[str, str]) -> str:
        id = encoded(self.id)
        return json.dumps({"id": id, "rawId": id, "type": "public-key", "response": response})


def _client(type: str, challenge: str, origin: str) -> bytes:
    return json.dumps({"type": type, "challenge": challenge, "origin": origin, "crossOrigin": False}).encode()
