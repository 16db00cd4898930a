"""What a message costs to hand to everybody who is there: processor time, memory, and how long the last ones wait."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from bench import load, visitor, workshop
from bench.figures import Audit, Series, Target, audit, cpu_per_delivery, kib_per_reader
from bench.plan import Plan
from bench.report import Row
from bench.servers import FLOOR, OURS, SOCKETIO, Kind, Server, running

KINDS = (FLOOR, SOCKETIO, OURS)


@dataclass(frozen=True)
class Round:
    """One server, once: µs of processor time a delivery, KiB of memory a reader, times in ms, shares from 0 to 1."""

    cpu: float
    memory: float
    p50: float
    p99: float
    load_share: float
    deliveries: int
    audit: Audit | None


def crowd(plan: Plan) -> list[Row]:
    """Processor time for each delivery and memory for each reader, with a large crowd."""
    rounds = measure(plan, plan.fanout_readers, plan.fanout_posts)
    figures = {kind: Series.of(r.cpu for r in rounds[kind]) for kind in KINDS}
    memory = {kind: Series.of(r.memory for r in rounds[kind]) for kind in KINDS}
    return [
        Row(
            "fanout",
            f"{plan.fanout_readers:,} readers, server CPU for each delivery",
            "µs",
            Target(at_most=10, share_of_peer=0.25),
            figures[OURS],
            SOCKETIO.name,
            figures[SOCKETIO],
            figures[FLOOR],
            load_share(rounds[OURS]),
            audit_of(rounds[OURS]),
            notes(rounds),
        ),
        Row(
            "memory",
            f"{plan.fanout_readers:,} readers, server memory for each",
            "KiB",
            Target(at_most=14),
            memory[OURS],
            SOCKETIO.name,
            memory[SOCKETIO],
            memory[FLOOR],
        ),
    ]


def arrival(plan: Plan) -> list[Row]:
    """How long until a post has reached a reader, with a smaller crowd."""
    rounds = measure(replace(plan, settle=plan.settle / 2, idle=0.0), plan.arrival_readers, plan.arrival_posts)
    slowest = {kind: Series.of(r.p99 for r in rounds[kind]) for kind in KINDS}
    return [
        Row(
            "arrival",
            f"{plan.arrival_readers:,} readers, post to arrival, p99",
            "ms",
            Target(at_most=40),
            slowest[OURS],
            SOCKETIO.name,
            slowest[SOCKETIO],
            slowest[FLOOR],
            load_share(rounds[OURS]),
            audit_of(rounds[OURS]),
            notes(rounds),
        )
    ]


def measure(plan: Plan, readers: int, posts: int) -> dict[Kind, list[Round]]:
    rounds: dict[Kind, list[Round]] = {kind: [] for kind in KINDS}
    for number in range(plan.rounds):
        for kind in KINDS:
            rounds[kind].append(once(plan, kind, readers, posts, number))
    return rounds


def once(plan: Plan, kind: Kind, readers: int, posts: int, number: int, name: str = "fanout") -> Round:
    with running(kind, workshop.WORK / "data" / f"{name}-{readers}-{number}-{kind.name}") as server:
        return listen(plan, server, server, readers, posts)


def listen(
    plan: Plan,
    server: Server,
    sender: Server,
    readers: int,
    posts: int,
    cpu_seconds: Callable[[], float] | None = None,
) -> Round:
    """Readers at one server and somebody who posts at the same, or at another of the same chat.

    The processor time is what ``cpu_seconds`` says: that of the readers' server if it is left out.
    """
    used = cpu_seconds or server.cpu_seconds
    # One reader and one post come first, so that what the server loads on first use is not counted.
    load.fanout(server, readers=1, rate=plan.posts_per_second, count=1, connected=lambda: None, sender=sender)
    time.sleep(plan.settle)
    before = server.resident_bytes()
    seen: dict[str, float] = {}

    def connected() -> None:
        time.sleep(plan.settle)
        seen["memory"] = kib_per_reader(before, server.resident_bytes(), readers)
        start = used()
        time.sleep(plan.idle)
        seen["cpu"] = used()
        seen["idle"] = (seen["cpu"] - start) / plan.idle if plan.idle else 0.0

    said, acknowledged = load.fanout(
        server, readers=readers, rate=plan.posts_per_second, count=posts, connected=connected, sender=sender
    )
    busy = used() - seen["cpu"]
    kept = None
    if server.kind is OURS:
        kept = audit(acknowledged, (text for text, _ in visitor.stored(server, visitor.sign_in(server, "Auditor"))))
    return Round(
        cpu=cpu_per_delivery(busy, seen["idle"], said["seconds"], said["deliveries"]),
        memory=seen["memory"],
        p50=said["p50_ms"],
        p99=said["p99_ms"],
        load_share=said["load_share"],
        deliveries=said["deliveries"],
        audit=kept,
    )


def load_share(rounds: list[Round]) -> float:
    return max(r.load_share for r in rounds)


def audit_of(rounds: list[Round]) -> Audit:
    return sum((r.audit for r in rounds if r.audit), Audit(0, 0, 0))


def notes(rounds: dict[Kind, list[Round]]) -> list[str]:
    return [note(kind.name, rounds[kind]) for kind in reversed(KINDS)]


def note(name: str, rounds: list[Round]) -> str:
    """How long a reader waited with one server. A round in which a delivery is missing is no round: load raises."""
    p50, p99 = (Series.of(getattr(r, name) for r in rounds).median for name in ("p50", "p99"))
    deliveries = sum(r.deliveries for r in rounds)
    return (
        f"{name}: {deliveries:,} deliveries, all made, once and in order; p50 {p50:.1f} ms, p99 {p99:.1f} ms; "
        f"load generator {load_share(rounds):.0%} of its core"
    )
