"""How soon it serves, and what it takes while nobody says anything."""

import time

from bench import visitor, workshop
from bench.figures import Series, Target
from bench.measures import page
from bench.plan import Plan
from bench.report import Row
from bench.servers import OURS, running


def start(plan: Plan) -> list[Row]:
    """Seconds from the start of the process to the answer of GET /up, with and without a database; idle memory."""
    first, again, memory = [], [], []
    with running(OURS, workshop.WORK / "data" / "start-uncounted"):
        pass  # Python compiles the modules once after an installation.
    for number in range(plan.starts):
        data = workshop.WORK / "data" / f"start-{number}"
        with running(OURS, data) as server:
            first.append(server.seconds_to_start)
            page.furnish(server)
        with running(OURS, data) as server:
            again.append(server.seconds_to_start)
            visitor.open_page(server, page.ROOM, visitor.sign_in(server, "Visitor"))
            time.sleep(plan.settle)
            memory.append(server.resident_bytes() / 1e6)
    soon = Target(at_most=1.5)
    return [
        Row("first-start", "first start, database made, to GET /up", "s", soon, Series.of(first)),
        Row("start", "start to GET /up", "s", soon, Series.of(again)),
        Row("idle", "idle memory, after one page was served", "MB", Target(at_most=80), Series.of(memory)),
    ]
