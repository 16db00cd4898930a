"""The verbs of the house do the same on every engine."""

from __future__ import annotations

import pytest

from flask_chat.chat.people import Person
from flask_chat.config import Config
from flask_chat.http.services import Services

from .people_here import arrive


@pytest.fixture
def config(each_engine: Config) -> Config:
    return each_engine


@pytest.fixture
def ann(chat: Services) -> Person:
    return arrive(chat, "Ann")


@pytest.fixture
def bob(chat: Services) -> Person:
    return arrive(chat, "Bob")
