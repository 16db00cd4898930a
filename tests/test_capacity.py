"""Measuring a machine: what is said of it is right, and nothing is left of the chat that was measured."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import create_engine

from flask_chat import cli
from flask_chat.capacity import report
from flask_chat.capacity.clients import Ear, Reader, Refused
from flask_chat.capacity.crowds import Heard
from flask_chat.capacity.measure import Asked, Report, Step, between, sizes
from flask_chat.capacity.place import NAME, place
from flask_chat.capacity.plot import HEIGHT, WIDTH, plot
from flask_chat.config import SETTINGS, Config, ConfigError

from .engines import Postgres, Redis
from .servers import ROOT

POINTS = [(100, 1.8), (300, 2.5), (1_000, 7.0), (3_000, 31.0), (10_000, 900.0)]


def step(people: int, p99: float) -> Step:
    return Step(
        people=people,
        posts=people / 1200,
        p50=p99 / 3,
        p99=p99,
        cpu=0.4567,
        memory=123 * 2**20,
        machine=0.5,
        load=0.1,
        deliveries=1000,
        missing=0,
        refused="",
    )


def measured(end: str, *points: tuple[int, float]) -> Report:
    return Report(Asked(), "SQLite 3.51.0", 1, [step(*point) for point in points], end, kept=9_876.5)


# What is said


def test_the_table_has_a_line_for_each_crowd_with_its_columns_aligned() -> None:
    head, first, *_, last = report.table(measured("server", *POINTS))
    assert head.split() == ["people", "messages/s", "p50", "ms", "p99", "ms", "CPU", "%", "MiB"]
    assert first.split() == ["100", "0.1", "0.6", "1.8", "46", "123"]
    assert last.split() == ["10,000", "8.3", "300", "900", "46", "123"]
    assert len(head) == len(first) == len(last)
    for column in ("people", "p50 ms", "p99 ms", "CPU %", "MiB"):
        end = head.index(column) + len(column)
        assert first[end - 1].isdigit()
        assert last[end - 1].isdigit()


def test_what_was_lost_or_not_measured_is_no_number() -> None:
    unknown = Step(3_000, 2.5, 12.0, float("inf"), None, None, None, 0.3, 60_000, 4_000, "")
    found = Report(Asked(), "SQLite", 1, [unknown], "server")
    assert report.table(found)[1].split() == ["3,000", "2.5", "12", "lost", "-", "-"]
    [figures] = report.figures(found)["steps"]
    assert (figures["p99_ms"], figures["server_cores"], figures["missing"]) == (None, None, 4_000)
    assert json.loads(json.dumps(report.figures(found), allow_nan=False))["carries"] == 0


@pytest.mark.parametrize(
    ("end", "said"),
    [
        ("server", "carries about 3,000 people at p99 ≤ 250 ms.\nWith more, the server's processor"),
        (
            "load",
            "carries about 3,000 people at p99 ≤ 250 ms.\nWith more, the load generator is at its limit: the chat may",
        ),
        ("machine", "carries about 3,000 people at p99 ≤ 250 ms.\nWith more, every core is busy"),
        ("waits", "carries about 3,000 people at p99 ≤ 250 ms.\nWith more, messages wait"),
        ("asked", "carries at least 3,000 people at p99 ≤ 250 ms.\nMore were not asked for."),
        ("files", "carries at least 3,000 people at p99 ≤ 250 ms.\nMore would need more open files"),
        ("HTTP/1.1 503 Service Unavailable", "at least 3,000 people at p99 ≤ 250 ms.\nMore were refused: HTTP/1.1 503"),
    ],
)
def test_the_answer_says_how_many_and_why_not_more(end: str, said: str) -> None:
    points = POINTS if end in ("server", "load", "machine", "waits") else POINTS[:-1]
    assert said in report.answer(measured(end, *points))


def test_a_machine_that_carries_nobody_is_told_so() -> None:
    assert "does not carry 100 people at p99 ≤ 250 ms" in report.answer(measured("server", (100, 300.0)))


@pytest.mark.parametrize("blocks", [True, False])
def test_the_plot_has_a_mark_for_each_crowd_and_a_line_at_the_limit(blocks: bool) -> None:
    head, *drawing, floor, scale, unit = plot(POINTS, 250, blocks=blocks)
    assert (head.strip(), unit.strip(), len(drawing)) == ("p99 ms", "people", HEIGHT)
    mark, level, edge = "●┄│" if blocks else "*-|"
    assert sum(line.count(mark) for line in drawing) == len(POINTS)
    [limit] = [line for line in drawing if level * 5 in line]
    assert limit.split()[0] == "250"
    places = [(row, line.index(mark)) for row, line in enumerate(drawing) if mark in line]
    assert places == sorted(places, key=lambda place: -place[1])
    above = drawing.index(limit)
    assert [row < above for row, _ in places] == [True] + [False] * (len(places) - 1)
    assert all(len(line) <= line.index(edge) + 1 + WIDTH for line in drawing)
    assert scale.split()[0] == "100"
    assert scale.split()[-1] == "10,000"
    assert len(scale) <= len(floor)


def test_a_crowd_that_lost_messages_is_at_the_upper_edge_of_the_plot() -> None:
    points = [*POINTS[:-1], (10_000, float("inf"))]
    assert plot(points, 250, blocks=True)[1].endswith("▲")
    assert plot(points, 250, blocks=False)[1].endswith("^")


def test_numbers_that_would_touch_are_left_out_of_the_scale() -> None:
    scale = plot([(100, 1.0), (3_000, 2.0), (3_100, 3.0)], 250, blocks=False)[-2]
    assert scale.split() == ["100", "3,100"]


def test_where_only_ascii_is_shown_the_report_is_ascii() -> None:
    found = measured("server", *POINTS)
    assert report.text(found, blocks=False).isascii()
    assert "▄" in report.text(found, blocks=True)
    assert "9,876" in report.text(found, blocks=True)


# What is measured


def test_crowds_grow_threefold_up_to_what_was_asked_for() -> None:
    assert list(sizes(30)) == [30]
    assert list(sizes(1_000)) == [100, 300, 1_000]
    assert list(sizes(12_345)) == [100, 300, 1_000, 3_000, 10_000, 12_345]


def test_the_crowd_between_is_in_the_middle_by_factors() -> None:
    assert [between(3_000, 10_000), between(100, 300), between(3, 10), between(0, 100)] == [5_500, 170, 5, 0]


def test_what_never_arrived_counts_as_infinitely_late() -> None:
    times = Counter({1.0: 50, 2.0: 40, 3.0: 9})
    assert Heard(times, 99, 0.1, "").within(0.99) == 3.0
    assert Heard(times, 99, 0.1, "").within(0.5) == 1.0
    heard = Heard(times, 102, 0.1, "")
    assert (heard.missing, heard.within(0.5), heard.within(0.99)) == (3, 2.0, float("inf"))


def test_a_reader_hears_every_event_once_however_the_bytes_come() -> None:
    async def hear(size: int) -> int:
        ear = Ear()
        ear.listen("w2", 5)
        reader = Reader(ear, "token", asyncio.get_running_loop().create_future())
        reader.data_received(b"HTTP/1.1 200 OK\r\n\r\n14\r\n: welcome\nid: e-1\n\n\r\n")
        event = b'36\r\nid: e-%d\ndata: {"text":"hi","client_id":"w%d-%d"}\n\n\r\n'
        stream = b"".join(event % (number, 1 + number % 2, number) for number in range(10))
        for start in range(0, len(stream), size):
            assert not ear.all.is_set()
            reader.data_received(stream[start : start + size])
        assert ear.all.is_set()
        return len(ear.heard)

    assert [asyncio.run(hear(size)) for size in (1, 7, 64, 10_000)] == [5] * 4


def test_who_is_not_let_in_is_told_why() -> None:
    async def ask() -> None:
        welcomed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        Reader(Ear(), "token", welcomed).data_received(b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\n\r\n")
        await welcomed

    with pytest.raises(Refused, match=r"^HTTP/1\.1 503 Service Unavailable$"):
        asyncio.run(ask())


# Where it is measured


def test_the_folder_is_on_the_disk_of_the_data_and_goes(tmp_path: Path) -> None:
    for data in (tmp_path, tmp_path / "not" / "yet"):
        with place(Config(data=data)) as there:
            assert there.data.parent == tmp_path
            assert there.data.stat().st_mode & 0o777 == 0o700
            assert not there.limits
            (there.data / "chat.db").touch()
        assert list(tmp_path.iterdir()) == []


def test_where_no_folder_can_be_made_that_is_said() -> None:
    data = Path("/proc/data")  # Where the system makes no folders, not even for its administrator.
    with pytest.raises(ConfigError, match=r"^No throw-away folder can be made in /proc \("), place(Config(data=data)):
        pass


@pytest.fixture
def role(postgres: Postgres, database_url: str) -> Iterator[str]:
    """The address of a database for somebody who may only connect to it."""
    name = f"somebody_{os.getpid()}"
    postgres.sql(f"CREATE ROLE {name} LOGIN")
    yield database_url.replace("//chat@", f"//{name}@")
    postgres.sql(f"DROP OWNED BY {name}", database=database_url)
    postgres.sql(f"DROP ROLE {name}")


def left(postgres: Postgres, url: str) -> list[str]:
    """The throw-away databases of a server, and schemas of a database, that are there."""
    names = postgres.sql("SELECT datname FROM pg_database") + postgres.sql(
        "SELECT nspname FROM pg_namespace", database=url
    )
    return [name for (name,) in names if name.startswith(NAME)]


def found_in(url: str) -> tuple[str, str]:
    """Where a table goes that is made at this address: its database and its schema."""
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE event (id integer)")
        database, schema = connection.exec_driver_sql("SELECT current_database(), current_schema()").one()
    engine.dispose()
    return database, schema


def test_on_postgresql_it_is_a_database_of_its_own(postgres: Postgres, role: str, tmp_path: Path) -> None:
    postgres.sql(f"ALTER ROLE somebody_{os.getpid()} CREATEDB")
    with place(Config(data=tmp_path, database_url=role)) as there:
        assert there.database_url is not None
        database, schema = found_in(there.database_url)
        assert database.startswith(NAME)
        assert schema == "public"
        assert left(postgres, role) == [database]
    assert left(postgres, role) == []


def test_without_the_right_to_make_a_database_it_is_a_schema(postgres: Postgres, role: str, tmp_path: Path) -> None:
    name = role.rpartition("/")[2]
    postgres.sql(f"GRANT CREATE ON DATABASE {name} TO somebody_{os.getpid()}")
    with place(Config(data=tmp_path, database_url=f"{role}?options=-cgeqo%3Doff")) as there:
        assert there.database_url is not None
        assert "geqo" in there.database_url
        database, schema = found_in(there.database_url)
        assert database == name
        assert schema.startswith(NAME)
    assert left(postgres, role) == []


def test_without_either_right_it_says_which_to_give(role: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as refusal, place(Config(data=tmp_path, database_url=role)):
        pass
    assert f"ALTER ROLE somebody_{os.getpid()} CREATEDB, or GRANT CREATE ON DATABASE chat_" in str(refusal.value)


# The command


class Command:
    """``flask-chat capacity`` in a session of its own, so that everything it starts can be found."""

    def __init__(self, data: Path, *arguments: str, **environment: str) -> None:
        clean = {name: value for name, value in os.environ.items() if name not in {each.name for each in SETTINGS}}
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "flask_chat", "capacity", "--data", str(data), *arguments],
            env={**clean, "PYTHONPATH": str(ROOT / "src"), "PYTHONIOENCODING": "utf-8", **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def __enter__(self) -> Command:
        return self

    def __exit__(self, *_error: object) -> None:
        with self.process as process:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(30)
            process.kill()

    def ends(self) -> tuple[int, str, str]:
        """Its exit code, and what it said, in both ways."""
        said, told = self.process.communicate(timeout=60)
        return self.process.returncode, said, told

    def started(self) -> list[str]:
        """The commands of the processes that it started and that are alive."""
        lines = []
        for entry in Path("/proc").iterdir():
            with contextlib.suppress(OSError, ValueError):
                pid = int(entry.name)
                if os.getsid(pid) == self.process.pid != pid:
                    lines.append((entry / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        return lines


def test_it_measures_on_sqlite_and_leaves_nothing(tmp_path: Path) -> None:
    data, figures = tmp_path / "data", tmp_path / "figures.json"
    data.mkdir()
    with Command(data, "--people", "30", "--seconds", "1", "--within", "5000", "--json", str(figures)) as command:
        code, said, told = command.ends()
    assert code == 0, told
    assert "SQLite" in said
    assert "people  messages/s  p50 ms  p99 ms" in said
    assert "This machine carries at least 30 people at p99 ≤ 5,000 ms.\nMore were not asked for." in said
    assert "Your chat's data is not touched." in told
    kept = json.loads(figures.read_text())
    assert (kept["carries"], kept["workers"]) == (30, 1)
    assert kept["posts_per_second"] > 10
    [step] = kept["steps"]
    assert (step["people"], step["deliveries"], step["missing"]) == (30, 60, 0)
    assert 0 < step["p50_ms"] <= step["p99_ms"] <= 5_000
    assert list(data.iterdir()) == []
    assert command.started() == []


def test_it_measures_on_postgresql_and_redis_and_leaves_nothing(
    postgres: Postgres, redis: Redis, role: str, tmp_path: Path
) -> None:
    postgres.sql(f"ALTER ROLE somebody_{os.getpid()} CREATEDB")
    options = ("--people", "30", "--seconds", "1", "--workers", "2", "--within", "5000")
    with Command(tmp_path, *options, DATABASE_URL=role, REDIS_URL=redis.url) as command:
        code, said, told = command.ends()
    assert code == 0, told
    assert "and Redis, 2 processes" in said
    assert "This machine carries at least 30 people at p99 ≤ 5,000 ms." in said
    assert "Posts kept in a second" in said
    assert left(postgres, role) == []
    assert list(tmp_path.iterdir()) == []
    assert command.started() == []


def test_a_crowd_that_nobody_tells_anything_goes_without_a_word() -> None:
    crowd = [sys.executable, "-P", "-m", "flask_chat.capacity.crowd"]
    ended = subprocess.run(crowd, input="", capture_output=True, text=True, timeout=30, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


def test_stopped_in_the_middle_it_leaves_nothing(tmp_path: Path) -> None:
    with Command(tmp_path, "--people", "10", "--seconds", "60") as command:
        until = time.monotonic() + 30
        while not any("capacity.crowd" in line for line in command.started()):
            assert command.process.poll() is None
            assert time.monotonic() < until
            time.sleep(0.02)
        assert len(list(tmp_path.iterdir())) == 1
        command.process.send_signal(signal.SIGINT)
        command.process.send_signal(signal.SIGTERM)  # An impatient second word changes nothing.
        code, said, told = command.ends()
    assert (code, said) == (130, "")
    assert told.endswith("Stopped. Nothing of it is left.\n")
    assert list(tmp_path.iterdir()) == []
    assert command.started() == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--workers", "2"], "2 processes cannot be measured. A SQLite database belongs to one process"),
        (["--json", "nowhere/figures.json"], "nowhere/figures.json cannot be written: there is no such folder."),
    ],
)
def test_it_refuses_at_once_what_cannot_be(
    arguments: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for setting in SETTINGS:
        monkeypatch.delenv(setting.name, raising=False)
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(cli.main, ["capacity", *arguments])
    assert result.exit_code == cli.FAILED
    assert result.stderr.startswith(f"flask-chat: {said}")
    assert list(tmp_path.iterdir()) == []
