"""Numbers in paths: what is too long to be one of ours is no path of ours."""

from __future__ import annotations

from werkzeug.routing import IntegerConverter


class RowId(IntegerConverter):
    """The id of a row. One that no column could hold must not reach the database, which breaks off at it."""

    regex = r"[0-9]{1,9}"


class LogId(IntegerConverter):
    """A place in the log, such as a message's id."""

    regex = r"[0-9]{1,18}"
