"""A front door for tests that need the event loop's side of the chat."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from .gateway import Gateway


@pytest.fixture
def gateway(app: Flask) -> Iterator[Gateway]:
    """The whole chat behind its front door, without a network."""
    gateway = Gateway(app)
    yield gateway
    gateway.close()
