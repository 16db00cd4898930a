"""Text: what of a message is kept, and the HTML it becomes."""

from __future__ import annotations

import contextlib
import re
import time
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flask_chat.chat import text

LIMIT = 10_000
REL = 'rel="noopener noreferrer nofollow ugc"'

# What causes trouble, in any order, beside any text at all.
PIECES = [
    "http://", "https://a.bc/", "www.", "mailto:", "ann@example.com", "@", ".", "/", "[", "(", "'", '"', "<", ">", "&",
    "xn--a", " ", "\n", "\r\n", "\r", "\t", "\0", "\x1b[1m", "\x85", "\u2028", "\u200b", "\u202a", "\u202e", "\u202c",
    "\u2066", "\u2067", "\u2069", "\u0301" * 40, "a", "Ж", "看", "。", "😀", "javascript:", "<script>", "\xa0",
]  # fmt: skip
pieces = st.lists(st.sampled_from(PIECES), max_size=30).map("".join)
anything = st.text(st.characters(exclude_categories=["Cs"])) | pieces


def refusal(raw: str, limit: int = LIMIT) -> str:
    with pytest.raises(text.InvalidText) as refused:
        text.check(raw, limit)
    assert refused.value.reason.endswith(".")
    return refused.value.code


class Page(HTMLParser):
    """What a browser would find: the tags with their attributes, and the words."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.words += "\n" if tag == "br" else ""

    def handle_data(self, data: str) -> None:
        self.words += data

    def handle_comment(self, data: str) -> None:
        self.tags.append(("!--", {}))

    def handle_decl(self, decl: str) -> None:
        self.tags.append(("!", {}))


def links(words: str) -> list[str | None]:
    return [attributes["href"] for tag, attributes in Page(text.to_html(words)).tags if tag == "a"]


@pytest.mark.parametrize(
    ("raw", "kept"),
    [
        ("Hello, Bob", "Hello, Bob"),
        ("  Hello \n", "Hello"),
        ("one\r\ntwo\rthree\u2028four\x85five", "one\ntwo\nthree\nfour\nfive"),
        ("\n \n  def f():\n    pass\n\n", "  def f():\n    pass"),
        ("a\n\n\nb", "a\n\n\nb"),
        ("a\tb  c", "a\tb  c"),
        ("a\0b\x07c\x7fd\x9be\x1b[31m", "abcde[31m"),
        ("👩‍👩‍👧 می‌روم", "👩‍👩‍👧 می‌روم"),
        ("\u0301", "\u0301"),
    ],
)
def test_what_people_see_is_kept_and_what_they_cannot_is_tidied(raw: str, kept: str) -> None:
    assert text.check(raw, LIMIT) == kept


@pytest.mark.parametrize(
    "raw", ["", " ", "\n\t\n", "\0", "\x07\x1b", "\u200b\u2060", "\u3000", "\u2800", "\u3164", "\u202e\u202c", "\ufe0f"]
)
def test_a_message_that_shows_nothing_is_empty(raw: str) -> None:
    assert refusal(raw) == "empty"


def test_a_message_may_have_as_many_characters_as_the_limit_and_not_one_more() -> None:
    assert text.check("a" * LIMIT, LIMIT) == "a" * LIMIT
    assert text.check("\r\n".join(["a"] * 5_000), LIMIT) == "\n".join(["a"] * 5_000)
    assert text.check(" " + "a" * LIMIT + "\n", LIMIT) == "a" * LIMIT
    assert refusal("a" * (LIMIT + 1)) == "too_long"
    with pytest.raises(text.InvalidText, match="10,000 characters at most"):
        text.check("a" * 10_001, LIMIT)


@pytest.mark.parametrize("unit", ["a", " ", "\0", "\u202e", "\u0301", "\n", "\ud800"])
def test_a_message_of_a_million_characters_is_refused_at_once(unit: str) -> None:
    started = time.process_time()
    assert refusal(unit * 1_000_000) == "too_long"
    assert time.process_time() - started < 0.05


@pytest.mark.parametrize(
    "unit",
    ["\u202e", "\u2066", "\u202a\u2069", "\u2066\u202a\u2069", "\u0301", " \n", "\n", "\r", "ก็", "\x1b", "\u2069"],
)
def test_the_longest_hostile_texts_are_checked_soon(unit: str) -> None:
    started = time.process_time()
    for raw in (
        "x" + unit * (4 * LIMIT // len(unit) - 1),
        ("x" + unit * LIMIT)[: LIMIT - 1],
        unit * (LIMIT // len(unit)) + "x",
    ):
        with contextlib.suppress(text.InvalidText):
            text.check(raw, LIMIT)
    assert time.process_time() - started < 0.1


@pytest.mark.parametrize("raw", ["\ud800", "a\udfffb", "\ude00\ud83d"])
def test_half_a_character_is_refused_since_it_cannot_be_stored(raw: str) -> None:
    assert refusal(raw) == "characters"


@pytest.mark.parametrize(
    ("raw", "kept"),
    [
        ("\u202eabc", "\u202eabc\u202c"),
        ("\u2067abc\nd", "\u2067abc\u2069\nd"),
        ("\u202aa\u2066b", "\u202aa\u2066b\u2069\u202c"),
        ("a\u202c\u2069b", "ab"),
        ("\u2066a\u202cb\u2069", "\u2066ab\u2069"),
        ("\u2066\u202ea\u2069b", "\u2066\u202ea\u2069b"),
        ("\u202babc\u202c d", "\u202babc\u202c d"),
    ],
)
def test_a_message_cannot_turn_the_page_around_it(raw: str, kept: str) -> None:
    assert text.check(raw, LIMIT) == kept


def test_marks_pile_up_no_further_than_any_language_needs() -> None:
    assert text.check("Z" + "\u0301" * 30 + "oe", LIMIT) == "Z" + "\u0301" * 30 + "oe"
    assert text.check("Z" + "\u0301" * 500 + "oe" + "ก็" * 50, LIMIT) == "Z" + "\u0301" * 30 + "oe" + "ก็" * 50


@given(anything)
def test_what_is_kept_is_kept_unchanged_again(raw: str) -> None:
    try:
        kept = text.check(raw, LIMIT)
    except text.InvalidText:
        return
    assert text.check(kept, LIMIT) == kept
    assert not re.search(r"[\0-\x08\x0b-\x1f\x7f-\x9f]", kept)
    kept.encode()


@pytest.mark.parametrize(
    ("words", "html"),
    [
        ("Hello, Bob", "Hello, Bob"),
        ("a < b && c > d", "a &lt; b &amp;&amp; c &gt; d"),
        ("one\ntwo\n\nthree", "one<br>two<br><br>three"),
        ("a  b\tc", "a  b\tc"),
        ("&amp; <br>", "&amp;amp; &lt;br&gt;"),
        ("*not* `marked` _up_", "*not* `marked` _up_"),
        (
            "see www.example.com.",
            f'see <a href="http://www.example.com" {REL} target="_blank" dir="ltr">www.example.com</a>.',
        ),
        ("ann@example.com", f'<a href="mailto:ann@example.com" {REL} dir="ltr">ann@example.com</a>'),
    ],
)
def test_text_becomes_html_that_shows_it_as_written(words: str, html: str) -> None:
    assert text.to_html(words) == html


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("https://example.com/a?b=c&d=e.", ["https://example.com/a?b=c&d=e"]),
        ("(https://en.wikipedia.org/wiki/Chat_(bird))", ["https://en.wikipedia.org/wiki/Chat_(bird)"]),
        ("HTTPS://EXAMPLE.COM/", ["HTTPS://EXAMPLE.COM/"]),
        ("http://localhost:5000/x http://10.0.0.5:5000/", ["http://localhost:5000/x", "http://10.0.0.5:5000/"]),
        ("看https://example.com/a。然后", ["https://example.com/a"]),
        ("👉https://例え.jp/パス", ["https://例え.jp/パス"]),
        ("<https://example.com/>", ["https://example.com/"]),
        ("https://example.com/\u202egpj.exe", ["https://example.com/"]),
        ("a\nhttp://a.example\nhttp://b.example", ["http://a.example", "http://b.example"]),
        ("mailto:ann@example.com?bcc=bob@example.com", ["mailto:ann@example.com", "mailto:bob@example.com"]),
        ("ann.lee+chat@mail.example.com, hi", ["mailto:ann.lee+chat@mail.example.com"]),
        ("@ann ann@localhost README.md main.py 1.2.3 e.g. a..b", []),
        ("http:// https://. www. www.. mailto: mailto:ann @ a@ http://-a", []),
        ("ftp://example.com //example.com foo.www.example.com", []),
        ("https://" + "a." * 2_000 + "com and https://example.com", ["https://example.com"]),
    ],
)
def test_links_to_the_web_and_to_mail_are_found_whole(words: str, found: list[str]) -> None:
    assert links(words) == found


HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "\"><script>alert(1)</script>",
    "'\"><img src=x onerror=alert(1)>",
    "<a href='javascript:alert(1)'>x</a>",
    "javascript:alert(1)",
    "JaVaScRiPt://example.com/%0aalert(1)",
    "javascript:alert(1)//http://example.com",
    "data:text/html,<script>alert(1)</script>",
    "data:text/html;base64,PHNjcmlwdD4=//www.example.com",
    "vbscript:msgbox(1) http://example.com",
    "http://example.com/\"onmouseover=\"alert(1)",
    "http://example.com/'onmouseover='alert(1)",
    "http://example.com/`onmouseover=alert(1)",
    "http://example.com/<script>alert(1)</script>",
    "http://example.com/?x=\"><script>alert(1)</script>",
    "http://\"onclick=alert(1)\"@example.com",
    "http://<b>@example.com/",
    "www.example.com/\"style=\"x",
    "\"onclick=alert(1)//\"@example.com",
    "ann@example.com\"onclick=alert(1)",
    "mailto:javascript:alert(1)@example.com",
    "<!--><script>alert(1)</script>-->",
    "<![CDATA[<script>alert(1)</script>]]>",
    "</article></main><form action=//evil.example>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#60;script&#62;alert(1)&#60;/script&#62;",
    "<style>*{display:none}</style><base href=//evil.example>",
    "{{7*7}} {% raw %} ${7*7} <%= 7 %>",
    "\u2028<script>\u2029</script>",
    "https://example.com/\u202e\"><script>",
]  # fmt: skip


def assert_harmless(words: str) -> None:
    page = Page(text.to_html(words))
    assert page.words == words
    for tag, attributes in page.tags:
        assert tag in {"a", "br"}
        if tag == "a":
            assert attributes.keys() <= {"href", "rel", "target", "dir"}
            assert re.match(r"(?i)(https?://|mailto:)[^\s<>\"]+\Z", str(attributes["href"]))
            assert attributes["rel"] == "noopener noreferrer nofollow ugc"


@pytest.mark.parametrize("words", HOSTILE)
def test_hostile_text_is_shown_and_never_run(words: str) -> None:
    assert_harmless(words)
    assert_harmless(f"http://example.com/{words} www.example.com/{words} ann@example.com{words}")


@given(pieces | st.lists(st.sampled_from(HOSTILE), max_size=4).map("".join))
def test_whatever_is_said_the_page_shows_just_that(raw: str) -> None:
    try:
        assert_harmless(text.check(raw, LIMIT))
    except text.InvalidText:
        return


@pytest.mark.parametrize(
    "word",
    ["http://", "http://a.", "www.", "www.a-", "mailto:", "mailto:a@", "@", "a@", "a@b.co", "a@b.com,", "http://a/[",
     "http://a/([{", "http://a/'", "http://a:1@", "http://xn--a.", "www.xn--a.", "a@xn--a.", "xn--a.", "a.", "...",
     "[", "'a", "-a", ":"],
)  # fmt: skip
@pytest.mark.parametrize("before", ["", "http://", "http://a.b/", "www.", "ann@", "mailto:ann@"])
def test_the_worst_text_for_links_is_rendered_soon(word: str, before: str) -> None:
    text.to_html("http://a.example")
    for length in (60, 300, 2_040, LIMIT):
        for after in (" ", "_ ", "- "):
            one = (before + word * length)[: length - 2] + after
            started = time.process_time()
            text.to_html((one * (LIMIT // length))[:LIMIT])
            assert time.process_time() - started < 0.1


def test_a_plain_message_is_rendered_in_microseconds() -> None:
    words = "Hello Bob, shall we meet at 7 & eat? It's fine\nif not."
    best = min(_seconds(words) for _ in range(50))
    assert best < 10e-6


def _seconds(words: str) -> float:
    started = time.process_time()
    for _ in range(100):
        text.to_html(words)
    return (time.process_time() - started) / 100
