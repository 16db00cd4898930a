"""The body of a request that a program sends to a handler that Flask runs."""

from __future__ import annotations

from flask import request

from .problems import Problem


def contents(example: str = "{…}") -> dict[str, object]:
    """The JSON object that was sent; ``example`` says what it looks like. Raises a 415 or a 400 problem."""
    if not request.is_json:
        raise Problem(415, "Send JSON, with Content-Type: application/json.")
    try:
        sent = request.get_json(silent=True)
    except RecursionError:
        sent = None
    if not isinstance(sent, dict):
        raise Problem(400, f"Send {example}.")
    return sent
