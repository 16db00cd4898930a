import json

from bench import report
from bench.figures import Audit, Series, Target
from bench.plan import Plan
from bench.report import Row

MACHINE = {
    "cores": 2,
    "cpu": "A processor",
    "memory_gib": 8,
    "kernel": "Linux 6.1",
    "python": "3.11.2",
    "sqlite": "3.40.1",
    "engines": "PostgreSQL 15.1, Redis 7.0",
    "commits_per_second": 1_200,
    "peers": "Flask-SocketIO 5.7.0",
    "others": 0.004,
    "date": "2026-11-23",
}


def row(ours: float = 8.0, kept: Audit | None = None) -> Row:
    return Row(
        "fanout",
        "server CPU for each delivery",
        "µs",
        Target(at_most=10, share_of_peer=0.25),
        Series.of([ours, ours + 1, ours - 1]),
        "Flask-SocketIO",
        Series.of([44.0]),
        Series.of([6.0]),
        0.21,
        kept,
        ["Flask Chat: p99 40.0 ms"],
    )


def test_the_table_shows_target_figure_peer_floor_and_how_busy_the_load_was() -> None:
    table = report.as_text([row()]).splitlines()
    for shown in ("✓", "≤ 10", "8.00 µs (7.00–9.00)", "Flask-SocketIO 44.0 µs", "6.00 µs", "21%"):
        assert shown in table[1]


def test_a_missed_target_is_crossed_out() -> None:
    assert report.as_text([row(ours=11.0)]).splitlines()[1].startswith("✗")


def test_speed_is_no_excuse_for_a_lost_write() -> None:
    assert row(kept=Audit(300, 0, 0)).met
    assert not row(kept=Audit(300, 1, 0)).met
    assert not row(kept=Audit(300, 0, 1)).met


def test_programs_find_every_round() -> None:
    written = json.loads(report.as_json([row(kept=Audit(300, 0, 0))], MACHINE, rounds=3))
    measure = written["measures"][0]
    assert written["machine"]["cores"] == 2
    assert measure["flask_chat"] == {"median": 8.0, "rounds": [8.0, 9.0, 7.0]}
    assert measure["audit"] == {"acknowledged": 300, "missing": 0, "repeated": 0}
    assert measure["met"] is True


def test_the_page_names_the_machine_and_holds_the_same_row() -> None:
    page = report.as_page([row(kept=Audit(300, 0, 0))], MACHINE, Plan())
    assert "| ✓ | server CPU for each delivery |" in page
    assert "2 cores of A processor" in page
    assert "Other processes used 0.4% of the machine" in page
    assert "PostgreSQL 15.1, Redis 7.0" in page
    assert "300 acknowledged, each kept exactly once" in page
    assert "{" not in page


def test_figures_have_three_digits_or_are_whole() -> None:
    assert [report.number(value) for value in (1.234, 12.34, 123.4, 12345.6)] == ["1.23", "12.3", "123", "12,346"]
