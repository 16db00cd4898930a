"""One server for all tests of a file that leave it as they found it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import httpx
import pytest

from .. import setups
from ..engines import Postgres, Redis
from ..servers import ChatServer, serving
from ..setups import SetUp
from .clients import program


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChatServer]:
    """A chat with its limits off."""
    folder: Path = tmp_path_factory.mktemp("shared")
    with serving(folder / "data", FLASK_CHAT_LIMITS="off") as server:
        yield server


@pytest.fixture(params=["one", "two"])
def set_up(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SetUp]:
    """A chat as one process, and as two nodes."""
    if request.param == "one":
        with setups.one(tmp_path) as running:
            yield running
    else:
        yield request.getfixturevalue("two_nodes")


@pytest.fixture
def two_nodes(postgres: Postgres, redis: Redis, tmp_path: Path) -> Iterator[SetUp]:
    """A chat as two nodes on PostgreSQL and Redis."""
    with setups.two(tmp_path, postgres, redis.url) as running:
        yield running


@pytest.fixture
def closing_later() -> Iterator[ExitStack]:
    """Closes at the test's end what is entered into it."""
    with ExitStack() as stack:
        yield stack


@pytest.fixture(scope="module")
def ann(shared: ChatServer) -> Iterator[httpx.Client]:
    """Ann's browser."""
    with closing(shared.client("Ann")) as client:
        yield client


@pytest.fixture(scope="module")
def bob(shared: ChatServer) -> Iterator[httpx.Client]:
    """Bob's program, with a token."""
    with program(shared, "Bob") as client:
        yield client
