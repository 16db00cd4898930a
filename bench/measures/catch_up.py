"""How long somebody waits who comes back and has missed much."""

import json
import re
import socket
import time

from bench import engines, visitor, workshop
from bench.figures import Series, Target
from bench.measures import page
from bench.plan import Plan
from bench.report import Row
from bench.servers import OURS, Server, running

SOME = 20
"""Events that are caught up with first, so that what the server loads on first use is not counted."""

_EVENT = re.compile(rb"^data: (.+)$", re.MULTILINE)


def catch_up(plan: Plan) -> list[Row]:
    """From the request to the last event, with none of them in the server's memory."""
    with engines.started() as shared:
        found = [
            (once(plan, f"sqlite-{n}", {}), once(plan, f"postgresql-{n}", shared.settings()))
            for n in range(plan.rounds)
        ]
    return [
        row(plan, "catch-up", "SQLite", [first for first, _ in found]),
        row(plan, "node-catch-up", "PostgreSQL and Redis", [second for _, second in found]),
    ]


def row(plan: Plan, key: str, engine: str, rounds: list[tuple[list[float], list[float]]]) -> Row:
    """Each round's figure is the median of its visits."""
    log, memory = [Series.of(log) for log, _ in rounds], [Series.of(memory) for _, memory in rounds]
    return Row(
        key,
        f"to catch up with {plan.behind:,} events on {engine}",
        "ms",
        Target(at_most=30),
        Series.of(each.median for each in log),
        notes=[
            (
                f"read from the log after a restart: {len(log) * plan.catch_ups} visits, longest "
                f"{max(each.high for each in log):.1f} ms"
            ),
            (
                f"while they were still in memory: {Series.of(each.median for each in memory).median:.1f} ms, "
                f"longest {max(each.high for each in memory):.1f} ms"
            ),
        ],
    )


def once(plan: Plan, name: str, settings: dict[str, str]) -> tuple[list[float], list[float]]:
    """Milliseconds of each visit: to a server that was started after all was said, and to the one that heard it."""
    with running(OURS, workshop.WORK / "data" / f"catch-up-{name}", settings) as server:
        cookies = [visitor.sign_in(server, person) for person in visitor.PEOPLE]
        before = present(server, cookies[0])
        page.talk(server, cookies, plan.behind)
        last = place(present(server, cookies[0]))
        if last - place(before) != plan.behind:
            raise RuntimeError(f"{plan.behind:,} messages made {last - place(before):,} events")
        some = f"{before.rpartition('-')[0]}-{last - SOME}"
        receive(server, cookies[0], some, last)
        memory = [receive(server, cookies[0], before, last) for _ in range(plan.catch_ups)]
        log = []
        for _ in range(plan.catch_ups):
            server.restart()
            receive(server, cookies[0], some, last)
            log.append(receive(server, cookies[0], before, last))
        return log, memory


def present(server: Server, cookie: str) -> str:
    """The cursor at the end of the log."""
    cursor: str = visitor.call(server, cookie, "GET", "/api/events?wait=0")["cursor"]
    return cursor


def place(cursor: str) -> int:
    return int(cursor.rpartition("-")[2])


def receive(server: Server, cookie: str, cursor: str, last: int) -> float:
    """Milliseconds from the request for what came after ``cursor`` until the event ``last`` is here whole.

    Raises RuntimeError unless each event came, once and in order.
    """
    request = (
        f"GET /api/events HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nAccept: text/event-stream\r\n"
        f"Cookie: {cookie}\r\nLast-Event-ID: {cursor}\r\n\r\n"
    )
    end, received = b"-%d\ndata: " % last, bytearray()
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        began = time.perf_counter()
        connection.sendall(request.encode())
        while (at := received.find(end, max(len(received) - 65536, 0))) < 0 or received.find(b"\n\n", at) < 0:
            data = connection.recv(262144)
            if not data:
                raise RuntimeError(f"the stream from {cursor} ended before event {last}")
            received += data
        took = (time.perf_counter() - began) * 1000
    ids = [json.loads(event)["id"] for event in _EVENT.findall(received)]
    if ids != list(range(place(cursor) + 1, last + 1)):
        raise RuntimeError(f"from {cursor} on came {len(ids):,} events, not those up to {last}")
    return took
