"""The load generators, compiled and set on small servers: what they count, and what they do not let pass."""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench import load, workshop
from bench.servers import Kind, Server, running

pytestmark = [
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the bench runs on Linux"),
    pytest.mark.skipif(not shutil.which("cc"), reason="the bench needs a C compiler"),
]

FLOOR = workshop.BENCH / "peers" / "floor.py"
CROOKED = Path(__file__).parent / "crooked.py"


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    work = tmp_path_factory.mktemp("bench")
    (work / "logs").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(workshop, "WORK", work)
        workshop.compile_loads()
        yield work


@pytest.fixture
def floor(work: Path, tmp_path: Path) -> Iterator[Server]:
    with running(Kind("floor", lambda port, _: [sys.executable, FLOOR, str(port)]), tmp_path) as server:
        yield server


def test_the_generators_compile_without_a_warning(work: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for name in workshop.LOADS:
        (work / name).unlink(missing_ok=True)
    workshop.compile_loads()
    assert capfd.readouterr().err == ""


def test_every_delivery_is_counted(floor: Server) -> None:
    said, acknowledged = load.fanout(floor, readers=7, rate=50, count=5, connected=lambda: None)
    assert (said["deliveries"], said["complete_readers"], said["acknowledged"]) == (35, 7, 5)
    assert len(set(acknowledged)) == 5
    assert 0 < said["p50_ms"] <= said["p99_ms"] <= said["max_ms"]
    assert 0 < said["load_share"] < 1


def test_the_server_can_be_looked_at_while_everybody_is_there_and_silent(floor: Server) -> None:
    seen: list[int] = []
    load.fanout(floor, readers=3, rate=50, count=1, connected=lambda: seen.append(floor.resident_bytes()))
    assert seen[0] > 1_000_000
    assert floor.cpu_seconds() > 0


def test_the_sender_can_be_at_another_server_than_the_readers(floor: Server, tmp_path: Path) -> None:
    kind = Kind("floor", lambda port, _: [sys.executable, FLOOR, str(port)])
    with (
        running(kind, tmp_path / "other") as other,
        pytest.raises(RuntimeError, match=r"'acknowledged': 2, 'refused': 0, 'deliveries': 0"),
    ):
        load.fanout(floor, readers=3, rate=50, count=2, connected=lambda: None, patience=0.3, sender=other)


@pytest.mark.parametrize("fault", ["twice", "never"])
def test_a_delivery_too_many_or_too_few_is_not_passed_over(work: Path, tmp_path: Path, fault: str) -> None:
    kind = Kind("crooked", lambda port, _: [sys.executable, CROOKED, str(port), fault])
    with running(kind, tmp_path) as server, pytest.raises(RuntimeError, match="not everybody got everything"):
        load.fanout(server, readers=3, rate=50, count=2, connected=lambda: None, patience=0.5)


@pytest.mark.parametrize(
    ("kind", "path"),
    [("json", "/api/rooms/lobby/messages"), ("form", "/rooms/lobby/messages"), ("page", "/rooms/lobby")],
)
def test_answers_are_counted_and_acknowledged_posts_named(floor: Server, kind: str, path: str) -> None:
    said, acknowledged = load.requests(floor, kind, path, clients=4, seconds=0.2, warmup=0.05, tag="try")
    assert 0 < said["counted"] <= said["acknowledged"]
    assert len(set(acknowledged)) == len(acknowledged) == (0 if kind == "page" else said["acknowledged"])
    assert all(key.startswith("try-") for key in acknowledged)


def test_a_refusal_is_not_passed_over(floor: Server, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(RuntimeError, match="was not answered as it should be"):
        load.requests(floor, "form", "/api/answers-with-201", clients=1, seconds=0.05, warmup=0)
    assert "201 Created" in capfd.readouterr().err
