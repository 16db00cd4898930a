"""The machine: what it is, which core is whose, and how many durable commits a second its disk can take."""

import contextlib
import functools
import os
import platform
import resource
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path


@functools.cache
def cores() -> tuple[int, int]:
    """The server's core and the load's; the same one twice where there is only one."""
    usable = sorted(os.sched_getaffinity(0))
    return usable[0], usable[-1]


@contextlib.contextmanager
def pinned(core: int) -> Iterator[None]:
    """What is started inside runs on this core only, with its children."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def raise_file_limit() -> int:
    """Lets this process and its children open as many files as the machine allows; returns that number."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def describe(work: Path) -> dict[str, str | int]:
    """The machine in a few words, for people who compare."""
    return {
        "cores": os.cpu_count() or 1,
        "cpu": cpu_model(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "kernel": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "commits_per_second": commits_per_second(work),
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
    }


class Company:
    """How much of this machine went to others since it was made: other processes, and other guests of its host."""

    def __init__(self) -> None:
        self.began, self.busy, self.own = time.monotonic(), busy_seconds(), own_seconds()

    def share(self) -> float:
        """From 0 (alone) to 1 (others had all of it). Children count as our own once they have been waited for."""
        others = (busy_seconds() - self.busy) - (own_seconds() - self.own)
        return max(others, 0.0) / ((time.monotonic() - self.began) * (os.cpu_count() or 1))


def busy_seconds() -> float:
    """What all cores together have worked since they were started, and what the host gave to others meanwhile."""
    user, nice, system, _idle, _wait, *interrupts_and_steal = map(int, proc_stat_cpu()[:8])
    return (user + nice + system + sum(interrupts_and_steal)) / os.sysconf("SC_CLK_TCK")


def proc_stat_cpu() -> list[str]:
    return Path("/proc/stat").read_text().partition("\n")[0].split()[1:]


def own_seconds() -> float:
    return sum(os.times()[:4])


def cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def commits_per_second(work: Path, seconds: float = 1.0) -> int:
    """Rows committed one by one with `synchronous=FULL` and nothing else to do: what the disk can do for anyone."""
    path = work / "commits.db"
    db = sqlite3.connect(path, isolation_level=None)
    try:
        db.execute("pragma journal_mode=wal")
        db.execute("pragma synchronous=full")
        db.execute("create table line (id integer primary key, text text)")
        count, start = 0, time.perf_counter()
        while time.perf_counter() < start + seconds:
            db.execute("insert into line (text) values ('We meet at seven by the old bridge.')")
            count += 1
        return round(count / (time.perf_counter() - start))
    finally:
        db.close()
        for leftover in work.glob("commits.db*"):
            leftover.unlink()
