"""Signing in on another device: the link is shown there, asked here, and used once."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient

from flask_chat.http.services import Services


def link(client: FlaskClient) -> str:
    """The path of a new link."""
    answer = client.post("/account/devices/new")
    assert answer.status_code == 200
    found = re.search(r"<code>(http://[^<]+)</code>", answer.text)
    assert found is not None
    return urlsplit(found[1]).path


def test_a_link_signs_another_device_in_even_under_a_name_that_is_not_claimed(app: Flask, ann: FlaskClient) -> None:
    path, phone = link(ann), app.test_client()
    for _ in range(3):
        asked = phone.get(path)
        assert asked.status_code == 200
        assert "Sign in as <bdi>Ann</bdi>" in asked.text
    assert phone.get("/account").status_code == 303, "looking signs nobody in"
    assert phone.post(path).status_code == 303
    assert "/chat/Ann" in phone.get("/").headers["Location"]
    assert ann.get("/account").status_code == 200


def test_a_link_works_once(app: Flask, ann: FlaskClient) -> None:
    path = link(ann)
    app.test_client().post(path)
    late = app.test_client()
    assert late.get(path).status_code == late.post(path).status_code == 404
    assert late.get("/account").status_code == 303


def test_a_link_is_shown_as_a_picture_that_the_policy_lets_through(ann: FlaskClient) -> None:
    page = ann.post("/account/devices/new").text
    assert "<svg" in page
    assert "style=" not in page


def test_the_device_keeps_the_name_after_signing_out(app: Flask, ann: FlaskClient) -> None:
    path, phone = link(ann), app.test_client()
    phone.post(path)
    phone.post("/sign-out")
    assert "One browser in which you signed out" in ann.get("/account/sessions").text
    assert phone.post("/", data={"username": "Ann"}).status_code == 303


def test_links_are_not_made_without_end(ann: FlaskClient, chat: Services) -> None:
    chat.limits.on = True
    assert ann.post("/account/devices/new").status_code == 200
    assert any(ann.post("/account/devices/new").status_code == 429 for _ in range(1_000))


def test_another_site_uses_no_link_up(app: Flask, ann: FlaskClient) -> None:
    path = link(ann)
    assert app.test_client().post(path, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert app.test_client().post(path).status_code == 303


@pytest.mark.parametrize("path", ["/link/x", "/link/%00", "/link/%E2%80%AE"])
def test_a_forged_link_is_nothing(app: Flask, path: str) -> None:
    assert app.test_client().get(path).status_code == 404
    assert app.test_client().post(path).status_code == 404
