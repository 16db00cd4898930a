"""The verbs of the house do the same on every engine."""

from __future__ import annotations

import pytest

from flask_chat.config import Config


@pytest.fixture
def config(each_engine: Config) -> Config:
    return each_engine
