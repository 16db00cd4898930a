"""Very many readers who say nothing: what each of them takes, and how long a post needs to the last of them."""

from dataclasses import replace

from bench.figures import Series, Target
from bench.measures import fanout
from bench.plan import Plan
from bench.report import Row
from bench.servers import OURS

POSTS_PER_SECOND = 1.0


def idle(plan: Plan) -> list[Row]:
    """One process on SQLite."""
    seldom = replace(plan, posts_per_second=POSTS_PER_SECOND, idle=0.0)
    rounds = [fanout.once(seldom, OURS, plan.idle_readers, plan.idle_posts, n, "idle") for n in range(plan.rounds)]
    crowd = f"{plan.idle_readers:,} idle readers on one process"
    return [
        Row(
            "idle-readers",
            f"{crowd}, server memory for each",
            "KiB",
            Target(at_most=14),
            Series.of(r.memory for r in rounds),
        ),
        Row(
            "idle-arrival",
            f"{crowd}, a post to all of them, p99",
            "ms",
            Target(at_most=300),
            Series.of(r.p99 for r in rounds),
            load_share=fanout.load_share(rounds),
            audit=fanout.audit_of(rounds),
            notes=[fanout.note(OURS.name, rounds)],
        ),
    ]
