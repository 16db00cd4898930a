"""The text of a message: as it is kept, and as HTML."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import cache
from html import escape
from urllib.parse import quote

from linkify_it import LinkifyIt

from . import characters

_LINES = re.compile("\r\n|[\r\v\f\x1c-\x1e\x85\u2028\u2029]")
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]+")
_SURROGATE = re.compile("[\ud800-\udfff]")
_SEEN = re.compile(rf"[^\s{characters.INVISIBLE}]")
_LEADING = re.compile(r"\A(?:[^\S\n]*\n)+")

# Unicode's Stream-Safe Text Format (UAX 15, section 13) has no more marks on one character; no language comes near.
_MAX_MARKS = 30
_MARKED = re.compile(f"[\u0300-\U0010ffff]{{{_MAX_MARKS + 1},}}")

_STEERING = re.compile("[\u202a-\u202e\u2066-\u2069]")
_EMBEDDINGS = "\u202a\u202b\u202d\u202e"
_ISOLATES = "\u2066\u2067\u2068"
_END_EMBEDDING = "\u202c"
_END_ISOLATE = "\u2069"

# linkify-it's grammar says where a link ends. Where one may begin, and what it may cost, is said here: left alone, its
# patterns take time that grows with the square of a path, and doubles with each xn-- of a host.
_MAX_LINK = 2_048
_MAX_HOST = 320
_MAX_PUNYCODE = 4
_MAX_LOOKED_AT = 20_000
_MAX_MISSED = 4_096
_START = re.compile(
    r"(?<![A-Za-z0-9_])(?:(?P<web>https?:)//|(?P<mail>mailto:)|(?<![.\-/@:])(?P<www>www\.)(?=[^\s.]))"
    r"|(?<![\w.+\-@])(?P<address>[A-Za-z0-9][A-Za-z0-9_.+\-]{0,63}@)",
    re.IGNORECASE,
)
# White space, < > ", what cannot be seen, and the punctuation of scripts that write no space after a link.
_END = re.compile(rf'[\s<>"{characters.INVISIBLE}\u3000-\u303f\uff01\uff08\uff09\uff0c\uff1a\uff1b\uff1f]')
_HOST = re.compile("(?://)?[^/?#]*")
_DOMAIN = re.compile(r"@[^@]*\.[^\W\d_]{2,63}\Z")


class InvalidText(ValueError):
    """Text that cannot be a message. ``reason`` is for the person; ``code`` is "empty", "too_long" or "characters"."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


def check(raw: str, limit: int) -> str:
    r"""The text as it is kept, at most ``limit`` characters; ``check`` of it changes nothing.

    Raises :class:`InvalidText`.

    Line ends become ``\n``; control characters but tabs go, as do blank lines and white space around the text (the
    first of several lines keeps its indentation). Marks that steer direction stay, but work only inside their own line:
    what a line opens it closes, and what it did not open it cannot close, wherever the text is shown.
    """
    if len(raw) > 4 * limit:
        raise _too_long(limit)
    if _SURROGATE.search(raw):
        raise InvalidText(
            "characters", "The message holds half a character, which cannot be kept. Please write it again."
        )
    text = raw
    if not raw.isascii() or not raw.isprintable():
        text = _CONTROLS.sub("", _LINES.sub("\n", text))
        text = _MARKED.sub(_fewer_marks, text)
        if _STEERING.search(text):
            text = "\n".join(map(_closed, text.split("\n")))
    text = _LEADING.sub("", text.rstrip())
    if "\n" not in text:
        text = text.lstrip()
    if len(text) > limit:
        raise _too_long(limit)
    if not _SEEN.search(text):
        raise InvalidText("empty", "Write something first.")
    return text


def to_html(text: str, named: Sequence[tuple[int, int, str]] = (), root: str = "") -> str:
    r"""Safe HTML of a message's text: all of it escaped, ``<br>`` for line ends (never ``\n``), links to web and mail.

    ``named`` are places (start, length, name) where somebody is mentioned: links to them, which begin with ``root``.

    Runs of spaces stay for the style sheet to show. Every link is isolated left to right (``dir``): nothing around it
    can turn its address. Only so much of a text is searched for links that hostile ones cost no more than long ones.
    """
    lower = text.lower()
    if "@" not in text and "://" not in text and "www." not in lower and "mailto:" not in lower:
        return _plain(text)
    anchors = list(_links(text))
    if named:
        anchors = _together(anchors, [_mention(text, root, *place) for place in named])
    parts, done = [], 0
    for first, end, anchor in anchors:
        parts += [_plain(text[done:first]), anchor]
        done = end
    parts.append(_plain(text[done:]))
    return "".join(parts)


def _links(text: str) -> Iterator[tuple[int, int, str]]:
    """The links to web and mail: where each begins and ends, and its HTML."""
    tried = looked_at = missed = 0
    for start in _START.finditer(text):
        first = start.start()
        if first < tried:
            continue
        end = _END.search(text, start.end())
        address = text[first : end.start() if end else len(text)]
        if len(address) > _MAX_LINK:
            tried = first + len(address)
            continue
        length, scheme = _link(start, address)
        if length:
            tried = first + length
            yield first, tried, _anchor(scheme, address[:length])
        else:
            missed += len(address)
        looked_at += len(address)
        if looked_at > _MAX_LOOKED_AT or missed > _MAX_MISSED:
            return


def _mention(text: str, root: str, start: int, length: int, name: str) -> tuple[int, int, str]:
    """The link to somebody who is mentioned: where it begins and ends, and its HTML."""
    end, address = start + length, f"{root}/people/{quote(name)}"
    html = f'<a class="mention" data-name="{escape(name)}" href="{address}">{escape(text[start:end])}</a>'
    return start, end, html


def _together(links: list[tuple[int, int, str]], named: list[tuple[int, int, str]]) -> list[tuple[int, int, str]]:
    """Links and mentions in the order of the text; what a link has taken is no mention."""
    taken = {at for first, end, _ in links for at in range(first, end)} if links else set[int]()
    kept = [place for place in named if place[0] not in taken and place[1] - 1 not in taken]
    return sorted(links + kept)


def _too_long(limit: int) -> InvalidText:
    return InvalidText("too_long", f"The message is too long: {limit:,} characters at most.")


def _fewer_marks(run: re.Match[str]) -> str:
    kept, marks = [], 0
    for character in run.group():
        marks = marks + 1 if unicodedata.category(character) in ("Mn", "Me") else 0
        if marks <= _MAX_MARKS:
            kept.append(character)
    return "".join(kept)


def _closed(line: str) -> str:
    """One line, a paragraph to the bidirectional algorithm (UAX 9), with nothing left open and nothing closed twice."""
    kept: list[str] = []
    awaited: list[str] = []
    isolates = 0
    for character in line:
        if character in _EMBEDDINGS:
            awaited.append(_END_EMBEDDING)
        elif character in _ISOLATES:
            awaited.append(_END_ISOLATE)
            isolates += 1
        elif character == _END_EMBEDDING:
            if not awaited or awaited[-1] != _END_EMBEDDING:
                continue
            awaited.pop()
        elif character == _END_ISOLATE:
            if not isolates:
                continue
            isolates -= 1
            while awaited.pop() != _END_ISOLATE:
                pass
        kept.append(character)
    return "".join(kept + awaited[::-1])


def _link(start: re.Match[str], address: str) -> tuple[int, str]:
    """How many characters of ``address`` are a link (0: it is none), and the scheme to put before them."""
    if start["www"]:
        return max(0, _ends("http:", "//" + address, 0) - 2), "http://"
    if start["address"]:
        length = _ends("mailto:", address, 0)
        return (length if _DOMAIN.search(address[:length]) else 0), "mailto:"
    scheme = start["web"] or start["mail"]
    return _ends(scheme.lower(), address, len(scheme)), ""


def _ends(scheme: str, address: str, after: int) -> int:
    """Where the link ends of which ``address`` has the scheme up to ``after``; 0 if it is none."""
    host = _HOST.match(address, after)
    if host is None or len(host[0]) > _MAX_HOST or host[0].lower().count("xn--") > _MAX_PUNYCODE:
        return 0
    length: int = _linkify().test_schema_at(address, scheme, after)
    return after + length if length else 0


def _anchor(scheme: str, shown: str) -> str:
    safe = escape(shown)
    target = "" if (scheme + shown[:7]).lower().startswith("mailto:") else ' target="_blank"'
    return f'<a href="{scheme}{safe}" rel="noopener noreferrer nofollow ugc"{target} dir="ltr">{safe}</a>'


def _plain(text: str) -> str:
    return escape(text).replace("\n", "<br>")


@cache
def _linkify() -> LinkifyIt:
    return LinkifyIt(options={"fuzzy_link": False, "fuzzy_email": False})
