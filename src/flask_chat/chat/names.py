"""What people may call themselves, and when two names are the same to the eye."""

from __future__ import annotations

import re
import unicodedata
import zlib
from functools import cache, lru_cache

from . import characters

MAX_CHARACTERS = 32
"""Visible characters in a name: marks on a letter do not count."""

COLOURS = 12

_PATHS = """
.well-known about account accounts admin administrator api apps assets auth avatars bookmarks bots channels chat
conversations
custom-emoji debug directory docs downloads drafts embed emoji error errors events everyone export favicon.ico
favicon.svg files groups health healthz help hooks icons images import integrations invitations invite invites join
legal link livez lobby login logout logs manifest.json manifest.webmanifest media members memberships mentions messages
metrics moderation moderator notifications oauth offline oidc openapi.json opensearch.xml owner passkeys password
people ping polls preferences previews privacy profile profiles push readyz register reports reset robots.txt room
rooms saml saved scim search security security.txt server service-worker.js sessions settings setup sign-in sign-out
sign-up signin signout signup sitemap.xml socket source sse static stats status stickers stream sw.js system tags
teams terms themes threads tokens unread up updates uploads user users verify version webauthn webhook webhooks
welcome ws
"""

RESERVED = frozenset(_PATHS.split())
"""First segments of paths that the chat serves or may come to serve, and words that would pass for the chat itself."""

# Far above the 160 code points of the longest decomposed name and far below what takes time.
_MAX_RAW = 512
_MAX_CODE_POINTS = 128
# UTS 39, section 5.4, allows four nonspacing marks in a row; spacing ones belong to scripts that need a few more.
_MAX_NONSPACING = 4
_MAX_MARKS = 8
_SEPARATORS = " '-._"
_TYPOGRAPHIC = str.maketrans({"’": "'", "׳": "'", "‐": "-", "‑": "-"})

# Scripts of which NFKC takes apart, and shows otherwise, what is written with one key.
_WHOLE = frozenset({"THAI", "LAO", "TIBETAN", "HANGUL"})

# UTS 39, section 5.2, "Highly Restrictive".
_TOGETHER = (
    frozenset({"LATIN", "HAN", "HIRAGANA", "KATAKANA"}),
    frozenset({"LATIN", "HAN", "BOPOMOFO"}),
    frozenset({"LATIN", "HAN", "HANGUL"}),
)

_SEEN = re.compile(rf"[^\s{characters.INVISIBLE}]")
_UNSEEN = re.compile(f"[{characters.INVISIBLE}]")
_FORMER = re.compile(r" \(former(?: \d+)?\)$")
_WORD = re.compile(r"[^\s\-._]+")

_ALPHABETS = "That name mixes alphabets whose letters look alike. Please write it in one."
_LETTERS = "A name is made of letters and digits, with spaces, apostrophes, hyphens, dots and underscores between."
_LONG = f"That name is too long: {MAX_CHARACTERS} characters at most."


class InvalidName(ValueError):
    """A name that nobody may have.

    ``reason`` is a sentence for the person. ``code`` is one of "empty", "too_long", "characters", "marks",
    "mixed_scripts", "mixed_digits" and "reserved".
    """

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


def check(raw: str) -> str:
    """The name as it is kept: NFC, in everyday characters, with single spaces; ``check`` of it changes nothing.

    Raises :class:`InvalidName`. It is quick whatever the length. Sources: UTS 39, sections 5.2 to 5.4, and UAX 15.
    """
    if len(raw) > _MAX_RAW:
        raise InvalidName("too_long", _LONG)
    name = _tidy(raw)
    if not _SEEN.search(name):
        raise InvalidName("empty", "Please write a name.")
    _check_characters(name)
    _check_length(name)
    _check_marks(name)
    _check_scripts(name)
    if key(name) in _reserved():
        raise InvalidName("reserved", "The chat uses that name itself. Please choose another.")
    return name


def key(name: str) -> str:
    """What must differ between two people's names: equal for names that differ only in case, width or look-alikes.

    Accents and separators count: Zoé is not Zoe, nor ann-lee Ann Lee. ``key(key(name)) == key(name)`` for any text.
    Keys are stored: a change of :mod:`.characters` or of its data needs a migration that makes them anew.
    """
    return _single_spaces(characters.skeleton(name)) if len(name) <= _MAX_KEYED else name


def fold(name: str) -> str:
    """What must agree for a written name to mean a person: all but case, width and white space. Look-alikes differ."""
    return _single_spaces(characters.fold(name)) if len(name) <= _MAX_KEYED else name


def is_reserved(segment: str) -> bool:
    """Whether the first segment of a path is the chat's own, or looks like it, and so nobody's name."""
    return key(segment) in _reserved()


def former(name: str) -> bool:
    """Whether a name is that of somebody who is not here any more, as :mod:`flask_chat.chat.departing` marks it."""
    return _FORMER.search(name) is not None


@lru_cache(5_000)
def initials(name: str) -> str:
    """One or two visible characters that stand for a name, each a whole letter with its marks; "?" if it has none."""
    firsts = [first for word in _WORD.findall(name[:_MAX_RAW]) if (first := _first_letter(word))]
    return "".join(map(_capital, firsts[:1] + firsts[1:][-1:])) or "?"


@lru_cache(5_000)
def colour(name: str) -> int:
    """0 to 11: the same for a name in every process and release."""
    return zlib.crc32(key(name).encode("utf-8", "surrogatepass")) % COLOURS


# A longer text is its own key: no name's key is as long, since one code point decomposes into 18 at most.
_MAX_KEYED = 18 * _MAX_CODE_POINTS


def _single_spaces(name: str) -> str:
    return " ".join(name.split())


def _tidy(raw: str) -> str:
    """NFKC but for the scripts that it harms, apostrophes and hyphens made plain, single spaces."""
    plain = "".join(map(_everyday, unicodedata.normalize("NFC", raw))).translate(_TYPOGRAPHIC)
    return unicodedata.normalize("NFC", _single_spaces(plain))


def _everyday(character: str) -> str:
    how = unicodedata.decomposition(character)
    if not how.startswith("<") or (how.startswith("<compat>") and characters.script(character) in _WHOLE):
        return character
    return unicodedata.normalize("NFKC", character)


def _check_characters(name: str) -> None:
    if _UNSEEN.search(name):
        raise InvalidName("characters", "That name has a character that cannot be seen. Please write it without.")
    before = ""
    for character in name:
        kind = unicodedata.category(character)
        if not (
            kind[0] == "L"
            or kind == "Nd"
            or character in _SEPARATORS
            or (kind in ("Mn", "Mc") and before in ("L", "M"))
        ):
            raise InvalidName("characters", _LETTERS)
        before = kind[0]
    if name[0] == ".":
        raise InvalidName("characters", "A name cannot begin with a dot.")
    if not any(_carries(character) for character in name):
        raise InvalidName("characters", "A name needs at least one letter or digit.")


def _carries(character: str) -> bool:
    """Whether this is a letter or digit in its own right, unlike ʼ or ʰ, which only modify one."""
    kind = unicodedata.category(character)
    return kind == "Nd" or (kind[0] == "L" and kind != "Lm")


def _check_length(name: str) -> None:
    visible = sum(unicodedata.category(character)[0] != "M" for character in name)
    if visible > MAX_CHARACTERS or len(name) > _MAX_CODE_POINTS:
        raise InvalidName("too_long", _LONG)


def _check_marks(name: str) -> None:
    marks = nonspacing = 0
    before = ""
    for character in unicodedata.normalize("NFD", name):
        kind = unicodedata.category(character)
        marks = marks + 1 if kind[0] == "M" else 0
        nonspacing = nonspacing + 1 if kind == "Mn" else 0
        if marks > _MAX_MARKS or nonspacing > _MAX_NONSPACING or (marks and character == before):
            raise InvalidName("marks", "That name piles too many accents on one letter.")
        before = character


def _check_scripts(name: str) -> None:
    scripts = {characters.script(character) for character in name} - {"COMMON", "INHERITED"}
    if len(scripts) > 1 and not any(scripts <= together for together in _TOGETHER):
        raise InvalidName("mixed_scripts", _ALPHABETS)
    zeros = {ord(character) - unicodedata.decimal(character) for character in name if character.isdecimal()}
    if len(zeros) > 1:
        raise InvalidName("mixed_digits", "That name mixes digits of different scripts. Please use one kind.")


@cache
def _reserved() -> frozenset[str]:
    return frozenset(map(key, RESERVED))


def _first_letter(word: str) -> str:
    """The first letter or digit with its marks, and what a virama joins to it; "" if there is none."""
    start = next((at for at, character in enumerate(word) if _carries(character)), None)
    if start is None:
        return ""
    end = start + 1
    while end < len(word):
        joined = unicodedata.combining(word[end - 1]) == _VIRAMA and unicodedata.category(word[end])[0] == "L"
        if unicodedata.category(word[end])[0] != "M" and not joined:
            break
        end += 1
    return word[start:end]


# The combining class of the sign that joins two consonants of an Indic script.
_VIRAMA = 9


def _capital(letter: str) -> str:
    """Upper case, where that is one character too (not ß) and the script writes names so (not Georgian)."""
    titled = letter[0].title()
    return (titled if len(titled) == 1 else letter[0]) + letter[1:]
