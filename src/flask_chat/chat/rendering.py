"""The one place where a message becomes HTML."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache, lru_cache
from pathlib import Path
from typing import NamedTuple

import jinja2
from markupsafe import Markup

from . import clock, names, text

TEMPLATES = Path(__file__).parents[1] / "templates"


class Shown(NamedTuple):
    """A message as its template sees it."""

    id: int
    author: str
    initials: str
    colour: int
    created_at: str
    clock: str
    full: str
    body: Markup
    continues: bool


def article(id: int, author: str, words: str, created_at: int, continues: bool) -> str:
    """The ``<article>`` of a message; ``created_at`` in milliseconds since 1970, UTC."""
    body = Markup(text.to_html(words))  # noqa: S704 (to_html escapes all that it does not make itself)
    shown = Shown(
        id, author, *_avatar(author), clock.rfc3339(created_at), *clock.in_words(created_at // 1000), body, continues
    )
    return template("messages/_message.html").render(m=shown)


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
def _avatar(author: str) -> tuple[str, int]:
    return names.initials(author), names.colour(author)
