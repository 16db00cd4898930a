"""What the tests share: an application in this process, and servers in their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from flask_chat import create_app
from flask_chat.config import Config
from flask_chat.http.services import Services

from .servers import ChatServer, serving

SignIn = Callable[[str], FlaskClient]


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Flask]:
    """The application on a fresh data folder, without a server."""
    app = create_app(Config(data=tmp_path / "data", limits=False))
    yield app
    app.extensions["flask_chat"].db.close()


@pytest.fixture
def chat(app: Flask) -> Services:
    services = app.extensions["flask_chat"]
    assert isinstance(services, Services)
    return services


@pytest.fixture
def sign_in(app: Flask) -> SignIn:
    """Signs somebody in, in a browser of their own."""

    def sign_in(username: str) -> FlaskClient:
        client = app.test_client()
        assert client.post("/", data={"username": username}).status_code == 303
        return client

    return sign_in


@pytest.fixture
def ann(sign_in: SignIn) -> FlaskClient:
    return sign_in("Ann")


@pytest.fixture
def bob(sign_in: SignIn) -> FlaskClient:
    return sign_in("Bob")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ChatServer]:
    """A chat in a process of its own, with its limits off."""
    with serving(tmp_path / "data", FLASK_CHAT_LIMITS="off") as server:
        yield server
