"""The cost of crowds: arithmetic on what was measured."""

from __future__ import annotations

from bench import scaling
from bench.scaling import Costs

COSTS = Costs(delivery=10.0, reader=16.0, post=500.0, posts=2_000.0)


def test_ten_times_as_many_people_in_one_room_are_a_hundred_times_as_much_to_deliver() -> None:
    rows = [line.split("|") for line in scaling.table(COSTS).splitlines()[2:]]
    assert [row[3].strip() for row in rows[:3]] == ["8.33", "833", "83,333"]
    assert rows[2][4].strip() == "0.84"
    assert rows[2][5].strip() == "833"


def test_processes_are_counted_by_what_is_scarce() -> None:
    rows = [line.split("|") for line in scaling.table(COSTS).splitlines()[2:]]
    assert [row[8].strip() for row in rows] == ["1", "1", "1", "10", "100"]
    dear = Costs(delivery=1_000.0, reader=16.0, post=500.0, posts=2_000.0)
    rows = [line.split("|") for line in scaling.table(dear).splitlines()[2:]]
    assert rows[-1][8].strip() == "168"


def test_a_page_gets_the_figures_between_its_marks() -> None:
    keys = {"node-posts": 2_000.0, "node-fanout": 10.0, "idle-readers": 16.0}
    results = {
        "machine": {"cpu": "a machine"},
        "measures": [{"key": key, "flask_chat": {"median": median}} for key, median in keys.items()],
    }
    page = f"before\n{scaling.BEGIN}\nold\n{scaling.END}\nafter\n"
    made = scaling.written(page, results)
    assert made.startswith("before\n")
    assert made.endswith("\nafter\n")
    assert "old" not in made
    assert "2,000 posts a second" in made
    assert scaling.written(made, results) == made
