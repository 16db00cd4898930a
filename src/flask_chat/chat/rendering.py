"""The one place where a message becomes HTML."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache, lru_cache
from html import escape
from operator import itemgetter
from pathlib import Path
from typing import Any, NamedTuple

import jinja2

from . import clock, names, text

TEMPLATES = Path(__file__).parents[1] / "templates"


BLANK = "\0"
"""Stands before and after the name of what a form leaves blank. No name and no message can hold it."""


class Shown(NamedTuple):
    """A message as its template sees it. What is another with every message is left blank."""

    author: str
    initials: str
    colour: int
    continues: bool
    former: bool
    edited: bool
    id: str = f"{BLANK}id{BLANK}"
    created_at: str = f"{BLANK}created_at{BLANK}"
    clock: str = f"{BLANK}clock{BLANK}"
    full: str = f"{BLANK}full{BLANK}"
    edited_at: str = f"{BLANK}edited_at{BLANK}"
    edited_full: str = f"{BLANK}edited_full{BLANK}"
    body: str = f"{BLANK}body{BLANK}"


def article(
    id: int,
    author: str,
    words: str,
    created_at: int,
    continues: bool,
    root: str = "",
    named: Sequence[tuple[int, int, str]] = (),
    edited_at: int | None = None,
) -> str:
    """The ``<article>`` of a message; times in milliseconds since 1970, UTC. ``root`` begins its links.

    ``named`` is where it mentions somebody, as :data:`flask_chat.chat.mentions.Mentions`.
    """
    form, blanks = _form(author, continues, root, edited_at is not None)
    short, full = _clock(created_at // 1000)
    # It escapes all that it does not make itself.
    body = text.to_html(words, named, root)
    at = clock.rfc3339(created_at)
    said = {"id": id, "created_at": at, "clock": short, "full": full, "body": body}
    if edited_at is not None:
        said["edited_full"] = _clock(edited_at // 1000)[1]
        said["full"] = f"{full}, edited {said['edited_full']}"
        said["edited_at"] = clock.rfc3339(edited_at)
    article: str = form % blanks(said)
    return article


def timeline(messages: Iterable[tuple[str, str]], today: str = "") -> str:
    """Articles (RFC 3339 time, HTML) in order, with a separator before those of each day after ``today``.

    Days are those of the server's zone, as ISO dates.
    """
    parts = []
    for created_at, html in messages:
        moment = clock.local(clock.milliseconds(created_at))
        date = moment.date().isoformat()
        if date != today:
            today = date
            parts.append(template("messages/_day.html").render(day={"date": date, "label": clock.date(moment)}))
        parts.append(html)
    return "".join(parts)


def day_of(created_at: str) -> str:
    """The ISO date of an RFC 3339 time in the server's zone."""
    return clock.local(clock.milliseconds(created_at)).date().isoformat()


@cache
def template(name: str) -> jinja2.Template:
    """A compiled template that stands on its own, without the web application."""
    return _environment().get_template(name)


@cache
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )


@lru_cache(2000)
def _form(author: str, continues: bool, root: str, edited: bool) -> tuple[str, itemgetter[Any]]:
    """The template as one person's messages fill it in, to be formatted with what is left blank, in its order.

    To render the template takes several times as long as to fill in a form, and who comes back may want thousands.
    """
    shown = Shown(author, names.initials(author), names.colour(author), continues, names.former(author), edited)
    parts = template("messages/_message.html").render(m=shown, root=root).split(BLANK)
    return "%s".join(part.replace("%", "%%") for part in parts[::2]), itemgetter(*parts[1::2])


@lru_cache(1000)
def _clock(seconds: int) -> tuple[str, str]:
    """A time in short and in full, as HTML."""
    short, full = clock.in_words(seconds)
    return escape(short), escape(full)
