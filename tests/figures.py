"""What the tests of faults measured: told as they go, and kept in docs/reliability.md when it is asked for."""

from __future__ import annotations

import platform
import re
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[1] / "docs" / "reliability.md"
BEGIN, END = "<!-- figures:begin -->", "<!-- figures:end -->"

Tell = Callable[[str], None]
MEASURED = "measured"


@pytest.fixture
def tell(request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]) -> Tell:
    """``tell(figures)``: a line for people who watch, and one of the report beside what the test is called."""
    title = request.node.name.removeprefix("test_").replace("_", " ").replace("[", " (").replace("]", ")")

    def tell(figures: str) -> None:
        with capsys.disabled():
            print(f"\n  {figures}")
        # A report carries these also out of a process that ran some of the tests for another.
        request.node.user_properties.append((MEASURED, (title, figures)))

    return tell


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--report", action="store_true", help="write what was measured into docs/reliability.md")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    reports = [report for reports in terminalreporter.stats.values() for report in reports]
    kept = dict(
        what
        for report in reports
        if getattr(report, "when", None) == "call"
        for name, what in report.user_properties
        if name == MEASURED
    )
    if config.getoption("numprocesses", None):
        # Nobody saw what the other processes printed.
        for title, figures in kept.items():
            terminalreporter.write_line(f"{title}: {figures}")
    if kept and config.getoption("--report"):
        PAGE.write_text(written(PAGE.read_text(), kept))
        terminalreporter.write_line(f"what was measured is in {PAGE.name}")


def written(page: str, kept: dict[str, str]) -> str:
    """The page with a table of these figures in the place of what is between its marks."""
    rows = "".join(f"| {title} | {figures} |\n" for title, figures in kept.items())
    machine = f"{platform.system()}, Python {sys.version.split()[0]}, {datetime.now(UTC):%Y-%m-%d}"
    table = f"{BEGIN}\n\n*{machine}*\n\n| what was tested | what was measured |\n|---|---|\n{rows}\n{END}"
    return re.sub(f"{BEGIN}.*{END}", lambda _: table, page, flags=re.DOTALL)
