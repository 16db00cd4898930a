"""What it costs to be more than one process: how much longer a post takes to readers elsewhere, and how much work."""

import contextlib
from collections.abc import Iterator
from dataclasses import replace

from bench import engines, machine, workshop
from bench.engines import Engines
from bench.figures import Series, Target
from bench.measures import fanout
from bench.measures.fanout import Round
from bench.plan import Plan
from bench.report import Row
from bench.servers import OURS, Server, running

ALONE, NODE, PAIR = "one process on SQLite", "one node", "two nodes"


def arrival(plan: Plan) -> list[Row]:
    """How long until a post on one node has reached the readers on another."""
    quick = replace(plan, settle=plan.settle / 2, idle=0.0)
    with engines.started() as shared:
        rounds = [pair(quick, shared, plan.arrival_readers, plan.arrival_posts, n) for n in range(plan.rounds)]
    return [
        Row(
            "node-arrival",
            f"{plan.arrival_readers:,} readers, post on another node to arrival, p99",
            "ms",
            Target(at_most=60),
            Series.of(r.p99 for r in rounds),
            load_share=fanout.load_share(rounds),
            audit=fanout.audit_of(rounds),
            notes=[fanout.note(PAIR, rounds)],
        )
    ]


def crowd(plan: Plan) -> list[Row]:
    """Processor time for each delivery, beside a process that needs neither PostgreSQL nor Redis."""
    rounds: dict[str, list[Round]] = {ALONE: [], NODE: [], PAIR: []}
    readers, posts = plan.fanout_readers, plan.fanout_posts
    with engines.started() as shared:
        for number in range(plan.rounds):
            rounds[ALONE].append(fanout.once(plan, OURS, readers, posts, number, "alone"))
            rounds[NODE].append(alone(plan, shared, readers, posts, number))
            rounds[PAIR].append(pair(plan, shared, readers, posts, number))
    return [
        Row(
            key,
            f"{readers:,} readers, CPU for each delivery, {title}",
            "µs",
            Target(share_of_peer=1.15),
            Series.of(r.cpu for r in rounds[name]),
            ALONE,
            Series.of(r.cpu for r in rounds[ALONE]),
            None,
            fanout.load_share(rounds[name]),
            fanout.audit_of(rounds[name]),
            [fanout.note(each, rounds[each]) for each in (name, ALONE)],
        )
        for key, title, name in (
            ("node-fanout", "one node with PostgreSQL and Redis", NODE),
            ("nodes-fanout", "posts on another node", PAIR),
        )
    ]


def alone(plan: Plan, shared: Engines, readers: int, posts: int, number: int) -> Round:
    """Everybody at one node. What PostgreSQL and Redis use counts."""
    with running(OURS, workshop.WORK / "data" / f"node-{readers}-{number}", shared.settings()) as server:
        return fanout.listen(plan, server, server, readers, posts, lambda: server.cpu_seconds() + shared.cpu_seconds())


def pair(plan: Plan, shared: Engines, readers: int, posts: int, number: int) -> Round:
    """Readers at one node, posts at another. What both of them, PostgreSQL and Redis use counts."""
    with two(shared, f"pair-{readers}-{number}") as (here, there):
        return fanout.listen(
            plan,
            here,
            there,
            readers,
            posts,
            lambda: here.cpu_seconds() + there.cpu_seconds() + shared.cpu_seconds(),
        )


@contextlib.contextmanager
def two(shared: Engines, name: str) -> Iterator[tuple[Server, Server]]:
    """Two nodes of one chat: the first alone on the servers' core, the second on the load's."""
    settings, data = shared.settings(), workshop.WORK / "data"
    with (
        running(OURS, data / f"{name}-here", settings) as here,
        running(OURS, data / f"{name}-there", settings, machine.cores()[1]) as there,
    ):
        # They sign readers in under names of one chat.
        there.numbers = here.numbers
        yield here, there
