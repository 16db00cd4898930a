"""What the tests share: an application in this process, and servers in their own."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import structlog
from flask import Flask
from flask.testing import FlaskClient

from flask_chat import schema
from flask_chat.config import Config
from flask_chat.db import SQLite
from flask_chat.db.postgresql import PostgreSQL
from flask_chat.http.services import Services

from . import apps
from .engines import Postgres, Redis
from .servers import ChatServer, serving

pytest_plugins = ["tests.figures"]

# As the chat does it, where a test has not asked for more.
structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.INFO))

SignIn = Callable[[str], FlaskClient]


@pytest.fixture(scope="session", autouse=True)
def no_certificates(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No client loads the world's certificates, which would take it longer than to ask a server of ours."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("SSL_CERT_FILE", raising=False)
        patch.setenv("SSL_CERT_DIR", str(tmp_path_factory.mktemp("certificates")))
        yield


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite database with the schema and nothing in it, to make copies of."""
    folder = tmp_path_factory.mktemp("migrated")
    backend = SQLite(folder)
    schema.upgrade(backend.writer)
    backend.close()
    return folder / "chat.db"


@pytest.fixture
def config(sqlite_config: Config) -> Config:
    """The settings of an application on fresh data; some folders run their tests on PostgreSQL too."""
    return sqlite_config


@pytest.fixture
def sqlite_config(tmp_path: Path, migrated_file: Path) -> Config:
    """Settings with a data folder in which there is nothing but the schema."""
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    shutil.copy(migrated_file, data)
    return Config(data=data, limits=False)


@pytest.fixture
def app(config: Config) -> Iterator[Flask]:
    """The application on fresh data, without a server."""
    app = apps.opened(config)
    yield app
    apps.close(app)


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


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server that all tests share; one that stops or breaks it starts its own."""
    with Postgres(fsync="off", full_page_writes="off") as postgres:
        yield postgres


@pytest.fixture(scope="session")
def redis() -> Iterator[Redis]:
    """A Redis server that all tests share; one that stops or breaks it starts its own."""
    with Redis() as redis:
        yield redis


@pytest.fixture(params=["sqlite", "postgresql"])
def each_engine(request: pytest.FixtureRequest, tmp_path: Path) -> Config:
    """Settings with fresh data on each engine: what is true on one must be true on the other."""
    if request.param == "sqlite":
        config: Config = request.getfixturevalue("sqlite_config")
        return config
    return Config(data=tmp_path / "data", database_url=request.getfixturevalue("migrated_url"), limits=False)


@pytest.fixture(scope="session")
def migrated(postgres: Postgres) -> str:
    """A PostgreSQL database with the schema and nothing in it, to make copies of."""
    url = postgres.create_database()
    backend = PostgreSQL(url)
    schema.upgrade(backend.writer)
    backend.close()
    return url


@pytest.fixture
def migrated_url(postgres: Postgres, migrated: str) -> Iterator[str]:
    """A PostgreSQL database with the schema and nothing in it."""
    url = postgres.create_database(like=migrated)
    yield url
    postgres.drop_database(url)


@pytest.fixture
def database_url(postgres: Postgres) -> Iterator[str]:
    """An empty PostgreSQL database."""
    url = postgres.create_database()
    yield url
    postgres.drop_database(url)
