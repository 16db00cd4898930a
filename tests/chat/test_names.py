"""Names: what people may call themselves, and which names would pass for one another."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flask_chat.chat import characters, names

# Any text at all, lone surrogates too, and texts of what causes trouble.
anything = st.text(st.characters()) | st.text(
    st.sampled_from("aAnNlI1|iİıoO0mrß ЅАаВвνΝﬁﷺ①Ｂ𝐀่́̇ͅ\u200b\u202e\u3164\u115f\xad\ufe0f\ud800'’._- \n一ーㄅ한१١"),
    max_size=40,
)


def refusal(raw: str) -> str:
    with pytest.raises(names.InvalidName) as refused:
        names.check(raw)
    assert refused.value.reason.endswith(".")
    return refused.value.code


@pytest.mark.parametrize(
    "name",
    ["Ann", "Bob the 2nd", "O'Brien", "ann-lee", "c.l.e.o", "d_o_r_a", "7", "Zoé", "Ñandú", "Анна", "Ёжик",
     "Νίκος", "Ελένη", "Հայկ", "מרים", "محمد", "किशोरी", "น้ำ", "ကြောင်", "ქეთი", "山田太郎", "ジョン", "ひーちゃん",
     "김철수", "ㅋㅋ", "ㄅㄆㄇ", "Ali", "Kai", "Nguyễn Thị Thuỷ", "ʻOkina", "a" * 32, "é" * 32],
)  # fmt: skip
def test_a_name_of_any_script_is_kept_as_it_is_written(name: str) -> None:
    assert names.check(name) == unicodedata.normalize("NFC", name)


@pytest.mark.parametrize(
    ("raw", "kept"),
    [
        ("  Ann \t Lee\n", "Ann Lee"),
        ("Ann\u3000Lee\xa0", "Ann Lee"),
        ("Zoe\u0301", "Zoé"),
        ("Ａｎｎ", "Ann"),
        ("𝐀𝓷𝕟", "Ann"),
        ("Ⓑⓞⓑ", "Bob"),
        ("ｼﾞｮﾝ", "ジョン"),
        ("ϹΟΣ", "ΣΟΣ"),
        ("ﬁnn Ⅳ", "finn IV"),
        ("O’Brien", "O'Brien"),
        ("Ann‑Lee", "Ann-Lee"),
    ],
)
def test_white_space_width_and_typography_are_made_plain(raw: str, kept: str) -> None:
    assert names.check(raw) == kept


@pytest.mark.parametrize("raw", ["", " ", "\n\t", "\u3000", "\u200b", "\u3164\u3164", "\u2800", "\u202e \u202c"])
def test_a_name_that_shows_nothing_is_empty(raw: str) -> None:
    assert refusal(raw) == "empty"


@pytest.mark.parametrize("raw", ["a" * 33, "é" * 33, "नि" * 33, "a" * 10_000, "\u0301" * 1_000_000, " " * 1_000_000])
def test_a_name_of_more_than_32_visible_characters_is_refused_at_once(raw: str) -> None:
    names.check("Ann")
    started = time.process_time()
    assert refusal(raw) == "too_long"
    assert time.process_time() - started < 0.05


@pytest.mark.parametrize(
    "raw",
    ["An\u200bn", "A\u200dnn", "\u202ennA", "Ann\u200f", "An\xadn", "An\u115fn", "Ann\ufe0f", "An\u034fn", "A\u2800n",
     "An\x00n", "An\x07n", "An\x9bn", "An\ud800n", "An\ue000n", "An\U000e0041n", "An\uffffn",
     "Ann\U0001f600", "a/b", "a\\b", "a%2fb", "<b>", "a?b", "a#b", "a&b", 'a"b', "a@b", "a:b", "a,b", "½",
     ".", "..", "...", ".Ann", "-", "_ _", "'", "ʼ", "\u0301Ann", "Ann \u0301Lee", "1\u20e3", "1\u0301"],
)  # fmt: skip
def test_what_is_no_letter_digit_or_plain_separator_is_refused(raw: str) -> None:
    assert refusal(raw) == "characters"


@pytest.mark.parametrize(
    "raw", ["A\u0316\u0301\u0302\u0303\u0304", "Zoé\u0301", "ก\u0e47\u0e47", "A" + "\u0300\u0301" * 20]
)
def test_marks_cannot_be_piled_on_a_letter(raw: str) -> None:
    assert refusal(raw) == "marks"


@pytest.mark.parametrize(
    "raw", ["Аnn", "Bοb", "pаypal", "Annא", "山田А", "ひらАнна", "ㄅカ", "한カ", "Янаー", "Ann१", "Annـ"]
)
def test_scripts_that_pass_for_one_another_are_not_mixed(raw: str) -> None:
    assert refusal(raw) == "mixed_scripts"


@pytest.mark.parametrize(
    "name", ["Ann山田", "山田ひカ", "Bob한국", "韓국", "Cleoㄅ漢", "Анна 2", "محمد ١", "Ann7 . _ - '"]
)
def test_scripts_that_are_written_together_may_be_mixed(name: str) -> None:
    assert names.check(name) == name


def test_digits_of_two_numbering_systems_are_not_mixed() -> None:
    assert refusal("१२3") == "mixed_digits"


@pytest.mark.parametrize(
    "raw",
    [
        "api",
        "API",
        "Static",
        "Sign-In",
        "fi1es",
        "favicon.ico",
        "ｒｏｏｍｓ",
        " up ",
        "r00ms",
        "rоoms".replace("о", "0"),
    ],
)
def test_a_path_of_the_chat_or_a_look_alike_of_one_is_no_name(raw: str) -> None:
    assert refusal(raw) == "reserved"


def test_every_reserved_path_is_refused() -> None:
    assert all(refusal(word) in {"reserved", "characters"} for word in names.RESERVED)


def test_common_names_are_not_taken_for_reserved_paths() -> None:
    for name in (
        "Ali",
        "Al",
        "Ann",
        "Bob",
        "Cleo",
        "Dora",
        "Eve",
        "Gail",
        "Hal",
        "Ian",
        "Jo",
        "Lola",
        "Mia",
        "Neil",
        "Will",
    ):
        assert names.check(name) == name


@pytest.mark.parametrize(
    ("one", "other"),
    [("Ann", "ANN"), ("Ann", "Ａｎｎ"), ("Ann", "An\u200bn"), ("Ann", " ann "), ("Zoé", "ZOE\u0301"),
     ("Straße", "STRASSE"), ("ΣΊΣΥΦΟΣ", "Σίσυφος"), ("Аnn", "Ann"), ("раураl", "paypal"), ("ѕсоре", "scope"),
     ("ВОВ", "Bob"), ("ТОМ", "Tom"), ("ΑΝΝΑ", "Anna"), ("ΖΟΕ", "Zoe"), ("modem", "modern"), ("Alice", "AIice"),
     ("Alice", "A1ice"), ("Bill", "Bi||"), ("Bob", "B0b"), ("O'Brien", "O’Brien"), ("Ann-Lee", "Ann–Lee"),
     ("ıpek", "İpek"), ("Li", "Li\u0307"), ("ロロ", "口口"), ("Ꭺnn", "ann"), ("Cleo", "Сⅼео")],
)  # fmt: skip
def test_names_that_look_alike_have_one_key(one: str, other: str) -> None:
    assert names.key(one) == names.key(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("Zoé", "Zoe"), ("Ann Lee", "Ann-Lee"), ("Ann Lee", "AnnLee"), ("ann.lee", "ann_lee"), ("Nick", "Vick"),
     ("Guy", "Guu"), ("Ray", "Rar"), ("Sam", "5am"), ("Лена", "Лепа"), ("Анна", "Anna"), ("Ann", "Anne"),
     ("Νίκος", "Νίκας"), ("Шура", "Щура")],
)  # fmt: skip
def test_names_that_people_tell_apart_have_different_keys(one: str, other: str) -> None:
    assert names.key(one) != names.key(other)


def test_letters_of_an_alphabet_keep_their_own_keys() -> None:
    for alphabet, same in (
        ("abcdefghijklmnopqrstuvwxyz", {"i", "l"}),
        ("абвгдежзийклмнопрстуфхцчшщъыьэюяіїєґ", set()),
        ("αβγδεζηθικλμνξοπρτυφχψω", set()),
    ):
        keys = {letter: names.key(letter) for letter in alphabet if letter not in same}
        assert len(set(keys.values())) == len(keys)


def test_a_name_means_a_person_in_any_case_but_not_by_its_looks() -> None:
    assert names.fold("ann  LEE") == names.fold("Ann Lee") == names.fold("Ａnn Lee")
    assert names.fold("AIice") != names.fold("Alice")


@given(anything)
def test_what_is_kept_is_kept_unchanged_again(raw: str) -> None:
    try:
        name = names.check(raw)
    except names.InvalidName:
        return
    assert names.check(name) == name
    assert unicodedata.is_normalized("NFC", name)
    assert name == " ".join(name.split(" "))
    assert len(name.encode()) <= 512
    assert names.key(name) == names.key(raw)


@given(anything)
def test_a_key_is_its_own_key(raw: str) -> None:
    assert names.key(names.key(raw)) == names.key(raw)
    assert names.fold(names.fold(raw)) == names.fold(raw)


@given(anything)
def test_case_and_width_never_make_another_key(raw: str) -> None:
    try:
        name = names.check(raw)
    except names.InvalidName:
        return
    wide = "".join(chr(ord(letter) + 0xFEE0) if "!" <= letter <= "~" else letter for letter in name)
    assert {names.key(other) for other in (name.lower(), name.upper(), name.casefold(), wide)} == {names.key(name)}


@pytest.mark.parametrize("unit", ["ﷺ", "m", "\u0301", "\u0316\u0301", "İ", " ", "\u200b", "ά", "\ud800", "a\u0345"])
def test_a_million_characters_take_no_time(unit: str) -> None:
    raw = unit * (1_000_000 // len(unit))
    names.key("Ann")
    started = time.process_time()
    for one in (raw, raw[:10_000], raw[:512]):
        names.key(one), names.fold(one), names.initials(one), names.colour(one)
    assert time.process_time() - started < 0.25


def test_no_long_text_has_the_key_of_a_name() -> None:
    longest = max((names.key(names.check(name)) for name in ("ﷺ", "㍿" * 8, "m" * 32)), key=len)
    assert len(longest) < 18 * 128
    assert names.key("Ann" + "\u200b" * 10_000) != names.key("Ann")


@pytest.mark.parametrize(
    ("name", "initials"),
    [("Ann", "A"), ("ann lee", "AL"), ("Ann van der Lee", "AL"), ("bob-the.2nd", "B2"), ("zoé", "Z"), ("é", "É"),
     ("o'brien", "O"), ("山田太郎", "山"), ("किशोरी", "कि"), ("क्षमा", "क्ष"), ("ქეთი", "ქ"), ("ß", "ß"), ("ǆ", "ǅ"),
     ("ʻokina", "O"), ("...", "?"), ("", "?")],
)  # fmt: skip
def test_initials_are_whole_letters(name: str, initials: str) -> None:
    assert names.initials(name) == initials


@given(anything)
def test_initials_and_colour_never_fail(raw: str) -> None:
    assert 1 <= sum(unicodedata.category(character)[0] != "M" for character in names.initials(raw)) <= 4
    assert 0 <= names.colour(raw) < names.COLOURS


def test_the_colour_of_a_name_never_changes() -> None:
    assert [names.colour(name) for name in ("Ann", "Bob", "Cleo", "Dora")] == COLOURS_OF_THE_CAST
    assert names.colour("ANN") == names.colour("Ann")


COLOURS_OF_THE_CAST = [3, 8, 9, 11]


def test_the_tables_are_small() -> None:
    script = (
        "import tracemalloc; from flask_chat.chat import names; tracemalloc.start(); names.check('Ann');"
        "print(tracemalloc.get_traced_memory()[0])"
    )
    command, paths = [sys.executable, "-c", script], {"PYTHONPATH": os.pathsep.join(sys.path)}
    answer = subprocess.run(command, env=paths, capture_output=True, text=True, check=True)
    assert int(answer.stdout) < 3_000_000


def test_the_tables_are_ready_soon() -> None:
    taken = []
    for _ in range(3):
        started = time.process_time()
        characters._lookalikes.__wrapped__()
        characters._scripts.__wrapped__()
        taken.append(time.process_time() - started)
    assert min(taken) < 0.15
