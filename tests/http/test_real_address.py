"""Behind a proxy that is trusted, limits and bans go by the address that it tells; nobody else is believed."""

from __future__ import annotations

import json

import pytest

from flask_chat.chat import people, restrictions
from flask_chat.db import Transaction
from flask_chat.http.limits import Bucket
from flask_chat.http.services import Services
from flask_chat.server import Proxies

from .gateway import Answer, Gateway, call, scope

PROXY, STRANGER = "10.0.0.1", "192.0.2.66"


@pytest.fixture(autouse=True)
def few(chat: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two may join from one network."""
    monkeypatch.setattr(chat.limits, "on", True)
    monkeypatch.setattr(chat.limits, "_joining", Bucket(0.001, 2, "Too many."))


def join(gateway: Gateway, name: str, said: str, through: str = PROXY) -> Answer:
    """Ask for a name through something that says whom it asks for."""
    headers = {"content-type": "application/json", "x-forwarded-for": said}
    request = scope("POST", "/api/sessions", headers, client=(through, 50_000))
    door = Proxies(gateway.door, PROXY)  # type: ignore[arg-type]
    return gateway.run(call(door, request, json.dumps({"username": name}).encode()))  # type: ignore[arg-type]


def test_each_network_behind_a_trusted_proxy_has_its_own_limit(gateway: Gateway) -> None:
    first = [join(gateway, f"Ann {letter}", "203.0.113.1").status for letter in "abc"]
    assert first == [201, 201, 429]
    assert join(gateway, "Bob", "203.0.113.2").status == 201


def test_an_ipv6_household_has_one_limit(gateway: Gateway) -> None:
    found = [join(gateway, f"Ann {letter}", f"2001:db8:1:2::{letter}").status for letter in "abc"]
    assert found == [201, 201, 429]
    assert join(gateway, "Bob", "2001:db8:1:3::a").status == 201


def test_whoever_is_not_trusted_cannot_choose_an_address(gateway: Gateway) -> None:
    found = [join(gateway, f"Ann {place}", f"203.0.113.{place}", STRANGER).status for place in range(3)]
    assert found == [201, 201, 429]


def test_a_range_that_is_banned_is_banned_behind_the_proxy(gateway: Gateway, chat: Services) -> None:
    def ban(transaction: Transaction) -> None:
        dora = people.add(transaction, "Dora", people.MODERATOR)
        restrictions.add(transaction, restrictions.BAN, dora, network="203.0.113.0/24", reason="Flooding")

    chat.db.write(ban)
    refused = join(gateway, "Mallory", "203.0.113.9")
    assert refused.status == 403
    assert "Flooding" in refused.json()["detail"]
    assert join(gateway, "Mallory", "203.0.113.9", STRANGER).status == 201
    assert join(gateway, "Ann", "198.51.100.7").status == 201
