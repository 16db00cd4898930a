"""How a refusal is told: one status for each kind, and a document that programs read."""

from __future__ import annotations

import json

import pytest

from flask_chat.chat.errors import Conflict, Invalid, NotFound, Refused, Taken, TooFast, TooLong
from flask_chat.db import StorageFull, StorageUnavailable
from flask_chat.http.problems import Problem, not_signed_in, problem


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (NotFound("No."), 404),
        (Conflict("No."), 409),
        (Taken("No.", "Ann"), 409),
        (TooLong("No."), 413),
        (Invalid("No."), 422),
        (Refused("No."), 403),
        (TooFast("No.", 7), 429),
        (StorageFull("No."), 507),
        (StorageUnavailable("No."), 503),
        (Problem(415, "No."), 415),
    ],
)
def test_every_kind_of_refusal_has_its_status(error: Exception, status: int) -> None:
    told = problem(error)
    assert told is not None
    document = json.loads(told.encode())
    assert document == {"type": "about:blank", "title": told.title, "status": status, "detail": "No."}
    assert list(document) == ["type", "title", "status", "detail"]
    assert told.title not in ("", "Refused")
    assert told.headers["content-type"] == "application/problem+json"
    assert told.headers["cache-control"] == "no-store"


def test_half_a_character_in_the_reason_is_told_of_all_the_same() -> None:
    assert json.loads(Problem(422, "There is no “\ud800”.").encode())["detail"] == "There is no “?”."


def test_who_must_wait_is_told_how_long() -> None:
    for error, seconds in ((TooFast("No.", 7), "7"), (StorageUnavailable("No."), "5")):
        told = problem(error)
        assert told is not None
        assert told.headers["retry-after"] == seconds


def test_who_is_not_signed_in_is_told_how_to_be() -> None:
    assert not_signed_in().headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("error", [ValueError("a bug"), KeyError("a bug"), OSError("a bug")])
def test_a_fault_of_ours_is_told_to_nobody(error: Exception) -> None:
    assert problem(error) is None
