"""How long readers hear nothing while a server is restarted, although somebody goes on posting."""

import asyncio
import time
from collections.abc import Sequence

from bench import engines, visitor, workshop
from bench.browsers import Reader, Sender
from bench.figures import Audit, Series, Target, audit, percentile
from bench.measures.catch_up import present
from bench.measures.nodes import two
from bench.plan import Plan
from bench.report import Row
from bench.servers import OURS, Server, running

PATIENCE = 60.0
"""Seconds in which everybody must be back."""

Seen = tuple[list[float], Audit]


def blackout(plan: Plan) -> list[Row]:
    """One process that is stopped and started again, and two nodes, one after the other."""
    one, pair = [], []
    with engines.started() as shared:
        for number in range(plan.rounds):
            with running(OURS, workshop.WORK / "data" / f"blackout-{number}") as server:
                one.append(asyncio.run(watch(plan, [server])))
            with two(shared, f"blackout-pair-{number}") as nodes:
                pair.append(asyncio.run(watch(plan, nodes)))
    return [
        row(plan, "blackout", "one process", one),
        row(plan, "node-blackout", "two nodes in turn", pair),
    ]


def row(plan: Plan, key: str, title: str, rounds: list[Seen]) -> Row:
    seconds = [percentile(seen, 95) for seen, _ in rounds]
    everything = [each for seen, _ in rounds for each in seen]
    return Row(
        key,
        f"restart of {title}, {plan.blackout_readers:,} readers hear nothing, p95",
        "s",
        Target(at_most=2),
        Series.of(seconds),
        audit=sum((kept for _, kept in rounds), Audit(0, 0, 0)),
        notes=[
            (
                f"{len(everything):,} interruptions: median {percentile(everything, 50):.2f} s, "
                f"longest {max(everything):.2f} s; "
                "after each of them every reader went on without an event lost, doubled or out of order"
            )
        ],
    )


async def watch(plan: Plan, servers: Sequence[Server]) -> Seen:
    """The interruptions of those readers whose server was restarted, and what became of the posts."""
    cookies = [await asyncio.to_thread(visitor.sign_in, servers[0], name) for name in visitor.PEOPLE]
    cursor = await asyncio.to_thread(present, servers[0], cookies[0])
    ports = [server.port for server in servers]
    readers = [Reader(ports, cookies[n % len(cookies)], cursor) for n in range(plan.blackout_readers)]
    sender, enough = Sender(ports, cookies[0], plan.blackout_posts_per_second), asyncio.Event()
    reading = [asyncio.create_task(reader.run()) for reader in readers]
    sending = asyncio.create_task(sender.run(enough))
    try:
        for _ in range(plan.restarts):
            for server in servers:
                await everybody_hears(readers, sender)
                await asyncio.sleep(plan.settle / 2)
                await asyncio.to_thread(server.restart)
        await everybody_hears(readers, sender)
        enough.set()
        await sending
        await everybody_has(readers, len(sender.acknowledged))
    finally:
        for task in (*reading, sending):
            task.cancel()
        await asyncio.gather(*reading, sending, return_exceptions=True)
    kept = await asyncio.to_thread(visitor.stored, servers[0], cookies[0])
    return [each for reader in readers for each in reader.blackouts], audit(
        sender.acknowledged, (text for text, _ in kept)
    )


async def everybody_hears(readers: Sequence[Reader], sender: Sender) -> None:
    """Waits until every reader has something that was posted after now."""
    await everybody_has(readers, len(sender.acknowledged) + 1)


async def everybody_has(readers: Sequence[Reader], events: int) -> None:
    """Raises RuntimeError when they do not, and when one has anything but the next event."""
    until = time.monotonic() + PATIENCE
    while True:
        if faults := [fault for reader in readers for fault in reader.faults]:
            raise RuntimeError(f"events were lost, doubled or out of order: {', '.join(faults[:5])}")
        fewest = min(reader.events for reader in readers)
        if fewest >= events:
            return
        if time.monotonic() > until:
            raise RuntimeError(f"a reader has {fewest} of {events} events")
        await asyncio.sleep(0.02)
