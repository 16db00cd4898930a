"""The table: one row a measure, for people in the terminal and in docs/performance.md, for programs as JSON."""

import json
from dataclasses import dataclass, field
from typing import Any

from bench.figures import Audit, Series, Target, with_unit
from bench.plan import Plan


@dataclass(frozen=True)
class Row:
    """One measure: our figure and its target, the peer's, the floor's, and how busy the load generator was."""

    key: str
    title: str
    unit: str
    target: Target
    ours: Series
    peer_name: str | None = None
    peer: Series | None = None
    floor: Series | None = None
    load_share: float | None = None
    audit: Audit | None = None
    notes: list[str] = field(default_factory=list)

    @property
    def met(self) -> bool:
        """Whether the target is reached, and nothing that was acknowledged is lost or doubled."""
        peer = self.peer.median if self.peer else None
        return self.target.met(self.ours.median, peer) and (self.audit is None or self.audit.clean)


HEADINGS = ("", "measure", "target", "Flask Chat", "beside", "bare uvloop", "load's core")


def cells(row: Row) -> tuple[str, ...]:
    beside = f"{row.peer_name} {figure(row.peer, row.unit)}" if row.peer else "–"
    return (
        "✓" if row.met else "✗",
        row.title,
        row.target.text(row.unit),
        f"{figure(row.ours, row.unit)}{spread(row.ours)}",
        beside,
        figure(row.floor, row.unit) if row.floor else "–",
        "–" if row.load_share is None else f"{row.load_share:.0%}",
    )


def figure(series: Series, unit: str) -> str:
    return with_unit(number(series.median), unit)


def spread(series: Series) -> str:
    return f" ({number(series.low)}–{number(series.high)})" if len(series.values) > 1 else ""


def number(value: float) -> str:
    """Three figures are as many as a measurement of this kind deserves; whole numbers from a hundred on."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def as_text(rows: list[Row]) -> str:
    """The table with its columns aligned, and what else was seen below it."""
    lines = [HEADINGS, *(cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADINGS))]
    table = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    notes = [f"{row.title}\n" + "".join(f"    {note}\n" for note in row_notes(row)) for row in rows if row_notes(row)]
    return "\n".join([*table, "", *notes])


def row_notes(row: Row) -> list[str]:
    return [*row.notes, *([f"audit: {row.audit.acknowledged:,} acknowledged, {row.audit}"] if row.audit else [])]


def as_json(rows: list[Row], machine: dict[str, Any], rounds: int) -> str:
    def series(values: Series | None) -> dict[str, Any] | None:
        return {"median": values.median, "rounds": list(values.values)} if values else None

    return json.dumps(
        {
            "machine": machine,
            "rounds": rounds,
            "measures": [
                {
                    "key": row.key,
                    "title": row.title,
                    "unit": row.unit,
                    "target": row.target.text(row.unit),
                    "met": row.met,
                    "flask_chat": series(row.ours),
                    "peer": row.peer_name,
                    "peer_figure": series(row.peer),
                    "floor": series(row.floor),
                    "load_share": row.load_share,
                    "audit": row.audit and vars(row.audit),
                    "notes": row.notes,
                }
                for row in rows
            ],
        },
        indent=2,
        ensure_ascii=False,
    )


PAGE = """\
# Speed and size

This page is written by `bin/bench`. Do not edit it: run the command again.

| {headings} |
|{rules}|
{rows}

Each figure is the median of the rounds, with the lowest and the highest beside it. ✓: the target is reached and every
write that was acknowledged was found in the store exactly once. *Load's core* is the largest share of its own core
that the load generator used while it measured Flask Chat.

{notes}
## The machine

{cores} cores of {cpu}, {memory_gib} GiB, {kernel}; Python {python}, SQLite {sqlite}, {engines}; {date}. Its disk takes
{commits_per_second:,} commits a second, one row each, with `synchronous=FULL` and nothing else to do. The server
had one core; the load had another, which it shared with PostgreSQL, Redis and the second node where there were such.
Other processes used {others:.1%} of the machine meanwhile.

## What is measured

- **Readers** hold `GET /api/events` as an event stream (Flask-SocketIO: a WebSocket). One person says something
  {plan.posts_per_second:g} times a second. Processor time is user and system time of the server process while that
  goes on, less what it used with the same readers in silence; memory is the resident memory with the readers less that
  before they came. *Post to arrival* runs from the sender's clock, which is in the text, to the moment a reader has it.
- **Durable posts**: every client asks again as soon as it is answered, on one kept-alive connection, with
  `synchronous=FULL`. Then the server is ended with `kill -9`, started again, and everything that was acknowledged is
  read back. On PostgreSQL `fsync` and `synchronous_commit` are on, and it is ended without a checkpoint as well.
- **Nodes** are processes of one chat on one PostgreSQL and one Redis: fresh ones, whose data is on the same disk. Where
  processor time is compared, that of all nodes, of PostgreSQL and of Redis counts.
- **Idle readers** are the same, while somebody says something once a second.
- **To catch up** takes from the request with a cursor so many events old until the last of them is there. The server
  was started after they were posted, so that it has none of them in memory. The client then checks that each came, once
  and in order.
- **Restarts**: somebody posts {plan.blackout_posts_per_second:g} times a second, and tries again until each post is
  acknowledged. A reader whose stream ends comes back as the page's script does: when the server asked it to, else
  after half a second, and twice as long each time after that. Counted is what lies between the last event before and
  the first one after it; of two nodes, those readers count whose node was restarted.
- **The room's page** is asked for signed in, compressed, by clients that ask again as soon as they are answered.
- **A first visit** is the page with every style sheet, script, icon and module it links to: heads and bodies,
  compressed, as they come over the wire (KB of 1,000 bytes, as are MB).

Beside it, in the same run: **Flask-SocketIO**, a minimal chat on gevent that stores nothing; **Flask + SQLAlchemy**, a
commit a request, in the threads of waitress, on SQLite in WAL with `synchronous=FULL` or on the same PostgreSQL with a
connection for each thread; and **bare uvloop**, a protocol that writes and does nothing else, which shows what the load
generator can ask for. Their sources are in `bench/peers/`. Versions: {peers}.

## Do it again

```
bin/bench                       everything, and this page
bin/bench --only fanout,posts   some of it
bin/bench --quick               small numbers, to see that it works
```

It needs Linux with two cores, Python 3.11 or later, a C compiler, PostgreSQL and Redis (`bin/test` installs those two);
it installs the peers into `bench/.work/`. Nothing else should run meanwhile. Programs find the figures of every round
in `bench/results.json`.
"""


def as_page(rows: list[Row], machine: dict[str, Any], plan: Plan) -> str:
    """docs/performance.md."""
    notes = ""
    for row in rows:
        if row_notes(row):
            notes += (
                f"**{row.title[0].upper()}{row.title[1:]}**\n\n"
                + "".join(f"- {note}\n" for note in row_notes(row))
                + "\n"
            )
    return PAGE.format(
        headings=" | ".join(HEADINGS),
        rules="|".join(["--"] * len(HEADINGS)),
        rows="\n".join(f"| {' | '.join(cells(row))} |" for row in rows),
        notes=notes.rstrip("\n") + "\n",
        plan=plan,
        **machine,
    )
