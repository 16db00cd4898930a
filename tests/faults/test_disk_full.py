"""The disk fills up: posts are refused, reading goes on, and all is well again when there is room."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from ..servers import ChatServer, serving
from . import storage
from .clients import StreamReader, cursor, history, program, say, token_of
from .hooks import Ceiling

SIZE = 4 * 1024 * 1024


@dataclass
class Disk:
    """A chat whose disk a test can fill and empty."""

    server: ChatServer
    fill: Callable[[], None]
    free: Callable[[], None]


@contextlib.contextmanager
def small_disk(folder: Path) -> Iterator[bool]:
    """Put a small disk of its own below ``folder``, if this user may; says whether it did."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={SIZE},mode=700", "flask-chat-test", str(folder)]
    mounted = False
    with contextlib.suppress(OSError):
        mounted = subprocess.run(command, capture_output=True).returncode == 0
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.fixture(params=["a small disk", "a database that may not grow"])
def disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Disk]:
    """A real file system of its own where that is permitted, and SQLite's own word that the disk is full everywhere."""
    if request.param == "a database that may not grow":
        ceiling = Ceiling(tmp_path)
        with serving(tmp_path / "data", ceiling.before, FLASK_CHAT_LIMITS="off") as server:
            yield Disk(server, ceiling.fill, ceiling.free)
        return
    with small_disk(tmp_path / "disk") as mounted:
        if not mounted:
            pytest.skip("this user may not mount a small disk; what SQLite says of a full one is tested beside this")
        server = ChatServer(tmp_path / "disk" / "data", FLASK_CHAT_LIMITS="off")
        server.log = tmp_path / "log"
        ballast = tmp_path / "disk" / "ballast"
        try:
            server.start()
            yield Disk(server, lambda: _fill(ballast), ballast.unlink)
        finally:
            server.stop()


def test_a_full_disk_refuses_posts_and_nothing_else_and_is_got_over_without_help(disk: Disk) -> None:
    server = disk.server
    with program(server, "Ann") as ann, contextlib.closing(server.client("Bob")) as bob:
        stream = StreamReader(server, token_of(ann), cursor(ann))
        stream.start()
        stream.wait_open()
        acknowledged = [say(ann, f"before {number}", f"b{number}").json()["id"] for number in range(20)]
        for name in ("Cleo", "Dora"):
            disk.fill()
            refused = _until_refused(ann, acknowledged)
            assert refused.status_code == 507
            assert refused.headers["content-type"] == "application/problem+json"
            assert "full" in refused.json()["detail"]
            page = bob.post("/rooms/lobby/messages", data={"message": f"{'By form. ' * 1000}"})
            assert page.status_code == 507
            assert "By form. By form." in page.text, "what was typed is lost"
            with httpx.Client(base_url=server.url) as stranger:
                assert stranger.post("/", data={"username": name}).status_code in (303, 507)

            assert [message["id"] for message in history(ann)] == acknowledged
            assert bob.get("/rooms/lobby").status_code == 200
            assert bob.get("/chat/Ann").status_code == 200
            assert ann.get("/api/events", params={"after": "0"}).json()["events"]
            assert storage.integrity(server) == "ok"

            disk.free()
            again = say(ann, f"after {len(acknowledged)}", f"a{len(acknowledged)}")
            assert again.status_code == 201, again.text
            acknowledged.append(again.json()["id"])
        stream.wait_for(acknowledged[-1])
        stream.finish()
        assert [message["id"] for message in stream.messages] == acknowledged

        disk.fill()
        _until_refused(ann, acknowledged)
        server.kill()
        disk.free()
        server.start()
        assert storage.integrity(server) == "ok"
        assert [message["id"] for message in history(ann)] == acknowledged
        assert say(ann, "at last").status_code == 201


def test_a_message_that_met_a_full_disk_is_sent_again_without_being_said_twice(disk: Disk) -> None:
    with program(disk.server, "Ann") as ann:
        disk.fill()
        acknowledged: list[int] = []
        refused = _until_refused(ann, acknowledged, "retry")
        assert refused.status_code == 507
        disk.free()
        again = say(ann, "y" * 9000, f"retry-{len(acknowledged)}")
        assert again.status_code == 201
        assert [message["id"] for message in history(ann)] == [*acknowledged, again.json()["id"]]


def _until_refused(client: httpx.Client, acknowledged: list[int], name: str = "fill") -> httpx.Response:
    """Post until there is no room left in what the database had already."""
    for _ in range(1000):
        number = len(acknowledged)
        answer = say(client, "y" * 9000, f"{name}-{number}")
        if answer.status_code != 201:
            return answer
        acknowledged.append(answer.json()["id"])
    raise AssertionError("the disk is never full")


def _fill(path: Path) -> None:
    with contextlib.suppress(OSError), path.open("wb", buffering=0) as file:
        while file.write(b"x" * 4096):
            pass
