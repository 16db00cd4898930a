"""What Unicode says of single characters: which cannot be seen, which script they are of, which look alike.

The tables come from Unicode's own files as the package confusable-homoglyphs carries them. They are read on first use,
folded into something small and kept; the rest is dropped. The package's modules are not imported: they keep it all.
"""

from __future__ import annotations

import json
import re
import unicodedata
from array import array
from bisect import bisect_right
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

DIRECTION = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
"""Marks that steer the direction of text, as the inside of a regular expression's [ ]."""

INVISIBLE = (
    DIRECTION + "\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200d\u2060-\u2065\u206a-\u206f\u2800\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
"""What shows nothing: Unicode's Default_Ignorable_Code_Point, and the blank Braille cell. Also the inside of [ ]."""

ALPHABETS = (
    frozenset("0123456789abcdefghijklmnopqrstuvwxyz"),  # Latin
    frozenset(map(chr, range(0x3B1, 0x3CA))),  # Greek
    frozenset(map(chr, range(0x430, 0x460))),  # Cyrillic
    frozenset(map(chr, range(0x561, 0x587))),  # Armenian
)
"""What people tell apart: likenesses of capitals and of other alphabets must not make two of one alphabet the same."""

# Common or Inherited in Scripts.txt, but of one script in ScriptExtensions.txt, which the package does not carry.
_EXTENSIONS = {
    **dict.fromkeys(range(0x0483, 0x0488), "CYRILLIC"),
    **dict.fromkeys((0x0640, *range(0x064B, 0x0656), *range(0x0660, 0x066A), 0x0670), "ARABIC"),
    **dict.fromkeys((*range(0x3031, 0x3036), 0x3099, 0x309A, 0x30FC), "KATAKANA"),
}

_IGNORED = re.compile(f"[{INVISIBLE}]+")
_SOFT_DOTTED = re.compile("([ij])\u0307+")


def script(character: str) -> str:
    """The Unicode script of one character, such as "LATIN" or "COMMON"; "UNKNOWN" where the tables have none."""
    point = ord(character)
    if point in _EXTENSIONS:
        return _EXTENSIONS[point]
    scripts = _scripts()
    at = bisect_right(scripts.starts, point) - 1
    return scripts.names[scripts.numbers[at]] if at >= 0 and point <= scripts.ends[at] else "UNKNOWN"


def skeleton(text: str) -> str:
    """What is left of ``text`` when all that looks alike is made the same (UTS 39, section 4), case and width included.

    Equal skeletons mean that a person could take one text for the other. It is for comparing, never for showing, and
    ``skeleton(skeleton(text)) == skeleton(text)``.
    """
    table = _lookalikes()
    while True:
        folded = _SOFT_DOTTED.sub(r"\1", _IGNORED.sub("", fold(text)))
        same = unicodedata.normalize("NFKD", folded.translate(table))
        if same == text:
            return text
        text = same


def fold(text: str) -> str:
    """``text`` without differences of case, width and font, decomposed (NFKD after full case folding)."""
    return unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())


class _Scripts(NamedTuple):
    starts: array[int]
    ends: array[int]
    numbers: bytes
    names: tuple[str, ...]


@cache
def _scripts() -> _Scripts:
    data = _read("categories.json")
    ranges = sorted(data["code_points_ranges"])
    return _Scripts(
        array("I", (start for start, *_ in ranges)),
        array("I", (end for _, end, *_ in ranges)),
        bytes(number for _, _, number, _ in ranges),
        tuple(data["iso_15924_aliases"]),
    )


@cache
def _lookalikes() -> dict[int, str]:
    """A table for ``str.translate``: every folded character that has a likeness, to what stands for its class.

    UTS 39 compares text as it is written, and names are also compared without case, so two letters are one if their
    small or their capital forms look alike: В (Cyrillic) as B makes в the same as b. Taken to its end that would make n
    and v one letter, for Ν is N and ν is v. Hence the order: capitals first, as theirs are the same to the dot; then
    small letters; and a likeness is left out where it would join two letters of one alphabet that the standard keeps
    apart (ν and v, υ and u, γ and y). Two such joinings are wanted: I looks like l, and 0 like O, so i is l and 0 is o.
    """
    standard, classes = _Classes(), _Classes()
    for both in (standard, classes):
        both.join("i", "l")
        both.join("0", "o")

    capitals, smalls, spelt = set(), set(), {}
    for one, other in _pairs():
        small, other_small = fold(one), fold(other)
        if len(other) > 1:
            spelt[small] = other_small
        elif (one, other) == (small, other_small):
            smalls.add((one, other))
            standard.join(one, other)
        elif len(small) == len(other_small) == 1 and not unicodedata.combining(one):
            capitals.add((small, other_small))

    def told_apart(letters: set[str]) -> bool:
        return any(len({standard.of(letter) for letter in letters & alphabet}) > 1 for alphabet in ALPHABETS)

    for one, other in [*sorted(capitals), *sorted(smalls)]:
        if not told_apart(classes.members(one) | classes.members(other)):
            classes.join(one, other)

    table = {ord(letter): classes.of(letter) for letter in classes.letters() if classes.of(letter) != letter}
    # m looks like rn: what looks like several characters is spelt out, and all of its class with it.
    for one, several in sorted(spelt.items()):
        same = several.translate(table)
        if len(one) == 1 and classes.of(one) not in same:
            table.update({ord(member): same for member in classes.members(one)})
    return {point: same.translate(table) for point, same in table.items()}


class _Classes:
    """Letters in classes of the same look, each known by one of its letters: an ASCII one, if it has any."""

    def __init__(self) -> None:
        self._members: dict[str, set[str]] = {}

    def members(self, letter: str) -> set[str]:
        return self._members.get(letter, {letter})

    def join(self, one: str, other: str) -> None:
        together = self.members(one) | self.members(other)
        self._members.update(dict.fromkeys(together, together))

    def of(self, letter: str) -> str:
        return min(self.members(letter), key=lambda member: (not member.isascii(), not member.isalpha(), member))

    def letters(self) -> Iterator[str]:
        return iter(self._members)


def _pairs() -> Iterator[tuple[str, str]]:
    """Each single character that outlives normalisation, with each text it looks like.

    The file lists a likeness both ways, and puts left-to-right marks around right-to-left letters.
    """
    for one, likenesses in _read("confusables.json").items():
        character = one.replace("\u200e", "")
        if len(character) == 1 and unicodedata.is_normalized("NFKD", character):
            for likeness in likenesses:
                other = likeness.replace("\u200e", "")
                if len(other) > 1 or unicodedata.is_normalized("NFKD", other):
                    yield character, other


def _read(name: str) -> Any:
    def without_names(entry: dict[str, Any]) -> Any:
        return entry["c"] if entry.keys() == {"c", "n"} else entry

    return json.loads(files("confusable_homoglyphs").joinpath(name).read_text("utf-8"), object_hook=without_names)
