"""`bin/bench`: sets itself up, measures each thing in turn, prints one table, and writes it down after a whole run."""

import argparse
import json
import logging
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace

import structlog

from bench import engines, machine, report, scaling, workshop
from bench.measures import blackout, catch_up, fanout, idle, nodes, page, people, posts, start, visit
from bench.plan import QUICK, Plan

MEASURES: dict[str, Callable[[Plan], list[report.Row]]] = {
    "fanout": fanout.crowd,
    "arrival": fanout.arrival,
    "posts": posts.by_json,
    "forms": posts.by_form,
    "page": page.room,
    "start": start.start,
    "visit": visit.visit,
    "idle": idle.idle,
    "catch-up": catch_up.catch_up,
    "people": people.crowd,
    "node-posts": posts.on_postgresql,
    "node-arrival": nodes.arrival,
    "node-fanout": nodes.crowd,
    "blackout": blackout.blackout,
}


QUIET = 0.05  # more than this share of the machine in other hands makes figures that say little


def main() -> int:
    """0: every target is reached. 1: some are not. 2: it could not be measured."""
    options = parse(sys.argv[1:])
    # What a chat in this process says is as much as one of its own would.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    plan = QUICK if options.quick else Plan()
    if options.rounds:
        plan = replace(plan, rounds=options.rounds)
    try:
        workshop.set_up()
        prepare_machine(plan)
    except workshop.NotReadyError as error:
        print(f"bin/bench: {error}", file=sys.stderr)
        return 2
    company = machine.Company()
    rows, failed = measure(options.only, plan)
    others = company.share()
    found = {
        **machine.describe(workshop.WORK),
        "engines": engines.versions(),
        "peers": workshop.peer_versions(),
        "others": others,
    }
    shutil.rmtree(workshop.WORK / "data")
    print(report.as_text(rows))
    print("\n".join(f"{name.replace('_', ' '):20}{value}" for name, value in found.items() if name != "others"))
    print(f"other processes used {others:.1%} of the machine meanwhile")
    if others > QUIET:
        print("✗ that is too much: measure again when the machine is quiet")
    for name, reason in failed.items():
        print(f"✗ {name} could not be measured: {reason}")
    whole = not options.quick and not failed and options.only == list(MEASURES)
    if whole and not options.no_write:
        (workshop.BENCH / "results.json").write_text(report.as_json(rows, found, plan.rounds) + "\n")
        (workshop.ROOT / "docs" / "performance.md").write_text(report.as_page(rows, found, plan))
        print("written: docs/performance.md, bench/results.json")
    elif not whole:
        print("docs/performance.md is not written: only a whole run is")
    if {row.key for row in rows} >= scaling.NEEDED and not (options.quick or options.no_write):
        page = workshop.ROOT / "docs" / "scaling.md"
        page.write_text(scaling.written(page.read_text(), json.loads(report.as_json(rows, found, plan.rounds))))
        print("written: what a crowd costs, in docs/scaling.md")
    if failed:
        return 2
    return 0 if all(row.met for row in rows) else 1


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        "bin/bench", description="Measures the chat beside its peers. A whole run takes about 25 minutes."
    )
    parser.add_argument(
        "--only", type=names, default=list(MEASURES), metavar="NAMES", help=f"some of: {','.join(MEASURES)}"
    )
    parser.add_argument("--rounds", type=int, default=0, help="how often each thing is measured (3)")
    parser.add_argument("--quick", action="store_true", help="small numbers and one round, to see that it works")
    parser.add_argument(
        "--no-write", action="store_true", help="leave docs/performance.md and bench/results.json alone"
    )
    return parser.parse_args(arguments)


def names(text: str) -> list[str]:
    asked = text.split(",")
    if unknown := [name for name in asked if name not in MEASURES]:
        raise argparse.ArgumentTypeError(f"no measure {', '.join(unknown)}; there are {', '.join(MEASURES)}")
    return [name for name in MEASURES if name in asked]


def prepare_machine(plan: Plan) -> None:
    files = machine.raise_file_limit()
    needed = max(plan.fanout_readers, plan.idle_readers, plan.people) + 200
    if files < needed:
        raise workshop.NotReadyError(f"may open only {files} files: `ulimit -Hn` must be above {needed}")
    server, load = machine.cores()
    os.sched_setaffinity(0, {load})  # The servers are started on the other one.
    if server == load:
        print("bin/bench: there is only one core: server and load share it", file=sys.stderr)


def measure(wanted: list[str], plan: Plan) -> tuple[list[report.Row], dict[str, str]]:
    """The rows, and the reasons of the measures that could not be taken."""
    rows: list[report.Row] = []
    failed: dict[str, str] = {}
    for name in wanted:
        began = time.monotonic()
        print(f"bin/bench: {name} …", end="", file=sys.stderr, flush=True)
        try:
            rows += MEASURES[name](plan)
        except (RuntimeError, OSError, subprocess.CalledProcessError) as error:
            failed[name] = str(error)
        print(f" {time.monotonic() - began:.0f} s", file=sys.stderr)
    return rows, failed


if __name__ == "__main__":
    sys.exit(main())
