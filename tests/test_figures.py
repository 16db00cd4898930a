"""The report of what was measured."""

from __future__ import annotations

from . import figures


def test_the_report_takes_the_place_of_the_one_before() -> None:
    page = f"before\n{figures.BEGIN}\nold\n{figures.END}\nafter\n"
    made = figures.written(page, {"a disk is full": "nothing lost"})
    assert made.startswith("before\n")
    assert made.endswith("\nafter\n")
    assert "| a disk is full | nothing lost |" in made
    assert "old" not in made
    assert figures.written(made, {"a disk is full": "nothing lost"}) == made


def test_the_page_has_a_place_for_the_report() -> None:
    page = figures.PAGE.read_text()
    assert page.index(figures.BEGIN) < page.index(figures.END)
