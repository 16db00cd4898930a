"""A message becomes HTML in one place, and says all that a reader's page needs."""

from __future__ import annotations

import time
from collections.abc import Iterator
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flask_chat.chat import clock, names, rendering

AT = clock.milliseconds("2026-11-23T14:03:22.120Z")


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    clock.in_words.cache_clear()
    yield
    monkeypatch.undo()
    time.tzset()
    clock.in_words.cache_clear()


class Page(HTMLParser):
    """Elements with their attributes, and all text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def first(self, tag: str) -> dict[str, str | None]:
        return next(attributes for name, attributes in self.elements if name == tag)


def test_a_message_says_who_when_and_what() -> None:
    page = Page(rendering.article(7, "Ann Lee", "hello\nBob", AT, False))
    assert page.first("article") == {
        "class": "message",
        "id": "message-7",
        "data-id": "7",
        "data-author": "Ann Lee",
        "data-at": "2026-11-23T14:03:22.120Z",
        "data-colour": str(names.colour("Ann Lee")),
    }
    assert page.first("time") == {
        "datetime": "2026-11-23T14:03:22.120Z",
        "title": "Monday, 23 November 2026, 14:03:22 UTC",
    }
    assert page.first("a")["href"] == "/chat/Ann%20Lee"
    below = Page(rendering.article(7, "Ann Lee", "hello", AT, False, "/our/chat"))
    assert below.first("a")["href"] == "/our/chat/chat/Ann%20Lee"
    assert page.first("span") == {"class": "avatar", "data-initials": "AL", "aria-hidden": "true"}
    assert "hello" in page.text
    assert "14:03 UTC" in page.text


def test_a_message_that_continues_another_says_so() -> None:
    assert "data-continues" in Page(rendering.article(7, "Ann", "hello", AT, True)).first("article")
    assert "data-continues" not in Page(rendering.article(7, "Ann", "hello", AT, False)).first("article")


@pytest.mark.parametrize(
    ("author", "links"), [("Ann", 1), ("Ann (former)", 0), ("Ann (former 12)", 0), ("Former Ann", 1)]
)
def test_nothing_leads_to_somebody_who_is_not_here_any_more(author: str, links: int) -> None:
    page = Page(rendering.article(7, author, "hello", AT, False))
    assert [name for name, _ in page.elements].count("a") == links
    assert author in page.text


def test_each_message_of_a_person_has_its_own_number_time_and_words() -> None:
    for id, words, at in ((7, "one", AT), (8, "two & three", AT + 61_005)):
        page = Page(rendering.article(id, "Ann", words, at, False))
        assert (page.first("article")["data-id"], page.first("article")["id"]) == (str(id), f"message-{id}")
        assert page.first("article")["data-at"] == page.first("time")["datetime"] == clock.rfc3339(at)
        assert words in page.text


@given(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
    | st.text(st.sampled_from("<>&\"' =/abonerimgsc\n:;"), max_size=60)
)
def test_no_words_can_become_markup(words: str) -> None:
    for html in (rendering.article(7, "Ann", words, AT, False), rendering.article(7, "Ann<b>'\"&", words, AT, False)):
        page = Page(html)
        # An author's link, their name in <bdi>, and links of the text itself: nothing else, whatever was written.
        assert {tag for tag, _ in page.elements} <= {"article", "span", "div", "a", "bdi", "b", "time", "br"}
        assert [tag for tag, _ in page.elements].count("article") == 1
        assert not any(name.startswith("on") or name == "style" for _, held in page.elements for name in held)
    page = Page(rendering.article(7, "Ann<b>'\"&", "x", AT, True))
    assert page.first("article")["data-author"] == "Ann<b>'\"&"


def test_days_are_separated_where_they_change() -> None:
    html = rendering.timeline(
        [
            ("2026-11-22T23:59:59.999Z", "(one)"),
            ("2026-11-23T00:00:00.000Z", "(two)"),
            ("2026-11-23T12:00:00.000Z", "(three)"),
        ]
    )
    page = Page(html)
    assert [held["datetime"] for tag, held in page.elements if tag == "time"] == ["2026-11-22", "2026-11-23"]
    flat = html.replace("\n", "")
    assert flat.index("22 November") < flat.index("(one)") < flat.index("23 November") < flat.index("(two)")
    assert "Sunday, 22 November 2026" in html


def test_a_day_that_was_said_already_is_not_said_again() -> None:
    assert rendering.timeline([("2026-11-23T12:00:00.000Z", "(one)")], today="2026-11-23") == "(one)"
    assert rendering.timeline([]) == ""


def test_days_are_those_of_the_servers_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Pacific/Auckland")
    time.tzset()
    assert rendering.day_of("2026-11-23T14:00:00.000Z") == "2026-11-24"
    assert '"2026-11-24"' in rendering.timeline([("2026-11-23T14:00:00.000Z", "")])


def test_a_clock_that_goes_back_over_midnight_is_told_as_it_is() -> None:
    html = rendering.timeline([("2026-11-23T00:00:01.000Z", "(one)"), ("2026-11-22T23:59:59.000Z", "(two)")])
    assert [held["datetime"] for tag, held in Page(html).elements if tag == "time"] == ["2026-11-23", "2026-11-22"]
