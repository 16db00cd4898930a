"""Runs the load generators and hands back what they said."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench import visitor, workshop
from bench.servers import Server

SESSIONS = 50


def requests(
    server: Server,
    kind: str,
    path: str,
    *,
    clients: int,
    seconds: float,
    warmup: float,
    tag: str = "x",
    cookies: list[str] | None = None,
) -> tuple[dict[str, Any], list[str]]:
    """Clients that ask again as soon as they are answered: those of ``cookies`` in turn, or as many who come for it.

    Returns the figures and the keys of the acknowledged posts. Raises RuntimeError when anything was refused.
    """
    who, acks = files(server)
    present(server, who, clients, cookies)
    command: list[str | Path] = [
        *(workshop.WORK / "requests", "--kind", kind, "--path", path, "--port", str(server.port)),
        *("--clients", str(clients), "--seconds", str(seconds), "--warmup", str(warmup), "--tag", tag),
        *("--cookies", who, "--acks", acks),
    ]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    said = json.loads(done.stdout)
    if said["refused"] or said["unanswered"] or not said["counted"]:
        raise RuntimeError(f"{server.kind.name}: {path} was not answered as it should be: {said}")
    return said, acks.read_text().split()


def fanout(
    server: Server,
    *,
    readers: int,
    rate: float,
    count: int,
    connected: Callable[[], None],
    patience: float = 10,
    sender: Server | None = None,
    cookies: list[str] | None = None,
) -> tuple[dict[str, Any], list[str]]:
    """Many readers and one sender, at another server of the same chat if one is named.

    They are those of ``cookies`` in turn, or some who come for it. Calls `connected` when all are there and nothing is
    said yet.

    Returns the figures and the texts of the acknowledged posts. Raises RuntimeError unless everybody got everything,
    once and in order.
    """
    who, acks = files(server)
    present(server, who, min(SESSIONS, readers), cookies)
    command: list[str | Path] = [
        *(workshop.WORK / "fanout", "--transport", server.kind.transport, "--port", str(server.port)),
        *("--readers", str(readers), "--rate", str(rate), "--count", str(count), "--patience", str(patience)),
        *("--cookies", who, "--acks", acks, "--sender-port", str((sender or server).port)),
    ]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout
        try:
            if not process.stdout.readline():
                raise RuntimeError(f"{server.kind.name}: the readers could not connect")
            connected()
            process.stdin.write("go\n")
            process.stdin.flush()
            said = json.loads(process.stdout.readline() or "null")
        finally:
            process.stdin.close()
    if not said or said["deliveries"] != readers * count or said["duplicates"] or said["disordered"] or said["refused"]:
        raise RuntimeError(f"{server.kind.name}: not everybody got everything once and in order: {said}")
    return said, acks.read_text().split()


def present(server: Server, path: Path, count: int, cookies: list[str] | None) -> None:
    """Leave cookies in a file, one a line: these, or those of so many who sign in now."""
    if cookies is None:
        visitor.sign_in_many(server, count, path)
    else:
        path.write_text("".join(f"{cookie}\n" for cookie in cookies))


def files(server: Server) -> tuple[Path, Path]:
    return server.data / "cookies.txt", server.data / "acks.txt"
