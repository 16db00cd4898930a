"""A provider of OpenID Connect: the authorization code flow with PKCE, state and nonce (OpenID Connect Core 1.0, 3.1).

Where its endpoints are, and its keys, the provider says itself (OpenID Connect Discovery 1.0).
"""

from __future__ import annotations

import base64
import hmac
import http.client
import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode
from urllib.request import HTTPRedirectHandler, Request, build_opener

from ..chat.errors import Busy, Unproven
from ..chat.identities import Identity
from ..config import Config

PATIENCE = 5.0
"""Seconds that the provider may take for an answer."""

KNOWN_FOR = 3600.0
"""Seconds for which its description of itself is believed."""

LARGEST = 256 * 1024
"""Bytes of an answer that are read."""

ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA"]
"""With which its tokens may be signed: never "none", nor with a secret that we know too."""

LEEWAY = 120
"""Seconds by which its clock and ours may differ."""

ANEW = 600 + LEEWAY
"""Seconds since they signed in there, of somebody who did so on this journey."""


@dataclass(frozen=True, slots=True)
class Journey:
    """What a browser takes along to the provider, and what must come back with it."""

    state: str
    nonce: str
    verifier: str


class Provider:
    """The provider at ``issuer``. ``name`` is what people know it by."""

    def __init__(self, issuer: str, client_id: str, client_secret: str, name: str) -> None:
        self.name = name
        self._issuer, self._client_id, self._client_secret = issuer, client_id, client_secret
        self._described: dict[str, Any] = {}
        self._until = 0.0

    def journey(self) -> Journey:
        """A new way there and back."""
        return Journey(*(secrets.token_urlsafe(32) for _ in range(3)))

    def address(self, journey: Journey, back: str, *, anew: bool = False) -> str:
        """Where to send a browser that is to come back to ``back``. Raises :class:`Busy`.

        ``anew``: its person is to sign in there again, even if they are signed in.
        """
        from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
        from authlib.oauth2.rfc7636 import create_s256_code_challenge

        address: str = prepare_grant_uri(
            self._endpoint("authorization_endpoint"),
            self._client_id,
            "code",
            redirect_uri=back,
            scope="openid profile",
            state=journey.state,
            nonce=journey.nonce,
            code_challenge=create_s256_code_challenge(journey.verifier),
            code_challenge_method="S256",
            **({"prompt": "login", "max_age": "0"} if anew else {}),
        )
        return address

    def identity(self, journey: Journey, back: str, answer: Mapping[str, str], *, anew: bool = False) -> Identity:
        """Who the provider says that the browser's person is, from the query that it came back with.

        ``anew``: they must have signed in there on this journey, as far as it says when they did. Raises
        :class:`Unproven` or :class:`Busy`.
        """
        same = hmac.compare_digest(answer.get("state", "").encode(), journey.state.encode())
        if not same or answer.get("iss", self._issuer) != self._issuer or not answer.get("code"):
            raise self._refused()
        tokens = self._ask(
            self._endpoint("token_endpoint"),
            {
                "grant_type": "authorization_code",
                "code": answer["code"],
                "redirect_uri": back,
                "code_verifier": journey.verifier,
            },
        )
        claims = self._claims(tokens, journey.nonce)
        since = claims.get("auth_time")
        if anew and isinstance(since, int | float) and since < time.time() - ANEW:
            raise self._refused()
        subject = claims["sub"]
        if not isinstance(subject, str) or not 0 < len(subject) <= 255:
            raise self._refused()
        names = (claims.get(key) for key in ("preferred_username", "nickname", "name", "given_name"))
        name = next((name for name in names if isinstance(name, str) and name), "")
        return Identity(self._issuer, subject, name[:128])

    def _claims(self, tokens: Mapping[str, Any], nonce: str) -> dict[str, Any]:
        from authlib.oidc.core import CodeIDToken
        from joserfc import jwt
        from joserfc.errors import JoseError
        from joserfc.jwk import KeySet

        try:
            jwks: Any = self._ask(self._endpoint("jwks_uri"))
            keys = KeySet.import_key_set(jwks)
            token = jwt.decode(tokens["id_token"], keys, algorithms=ALGORITHMS)
            expected = {
                "iss": {"essential": True, "value": self._issuer},
                "aud": {"essential": True, "value": self._client_id},
            }
            known = {"nonce": nonce, "client_id": self._client_id, "access_token": tokens.get("access_token")}
            claims = CodeIDToken(token.claims, token.header, expected, known)
            claims.validate(leeway=LEEWAY)
        except (JoseError, KeyError, TypeError, ValueError):
            raise self._refused() from None
        return dict(claims)

    def _endpoint(self, name: str) -> str:
        if time.monotonic() >= self._until:
            described = self._ask(f"{self._issuer.rstrip('/')}/.well-known/openid-configuration")
            if described.get("issuer") != self._issuer:
                raise self._away()
            self._described, self._until = described, time.monotonic() + KNOWN_FOR
        address = self._described.get(name)
        # What it says must not lead from an encrypted way to an open one, nor to a file of ours.
        if not isinstance(address, str) or not address.startswith(self._issuer.partition("://")[0] + "://"):
            raise self._away()
        return address

    def _ask(self, address: str, form: dict[str, str] | None = None) -> dict[str, Any]:
        """The JSON at an address, or what a form that we send there, with our secret if there is one, brings."""
        headers = {"accept": "application/json"}
        if form is not None:
            methods = self._described.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
            if not self._client_secret:
                form = {**form, "client_id": self._client_id}
            elif "client_secret_basic" in methods:
                pair = f"{quote(self._client_id, safe='')}:{quote(self._client_secret, safe='')}"
                headers["authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
            else:
                form = {**form, "client_id": self._client_id, "client_secret": self._client_secret}
        body = None if form is None else urlencode(form).encode()
        try:
            # The operator, or the provider that they trust, named this address: see _endpoint.
            with _OPENER.open(Request(address, body, headers), timeout=PATIENCE) as answer:  # noqa: S310
                found = json.loads(answer.read(LARGEST))
        except (OSError, http.client.HTTPException, ValueError, RecursionError) as error:
            raise (self._refused() if getattr(error, "code", 0) in (400, 401, 403) else self._away()) from None
        if not isinstance(found, dict):
            raise self._away()
        return found

    def _refused(self) -> Unproven:
        return Unproven(f"{self.name} did not confirm who you are. Try again.")

    def _away(self) -> Busy:
        return Busy(f"{self.name} does not answer just now. Try again in a moment.")


class _Stay(HTTPRedirectHandler):
    """Goes nowhere else: our secret would be taken along."""

    def redirect_request(self, *_: object) -> None:
        """No request."""


_OPENER = build_opener(_Stay)


def provider(config: Config) -> Provider | None:
    """The provider that the settings name, if they do."""
    if not config.oidc_issuer:
        return None
    return Provider(config.oidc_issuer, config.oidc_client_id, config.oidc_client_secret, config.oidc_name)
