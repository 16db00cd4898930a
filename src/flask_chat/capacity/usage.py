"""What processes and the machine use, by Linux's /proc; elsewhere nobody says, and it is None."""

from __future__ import annotations

import os
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_PAGE = os.sysconf("SC_PAGE_SIZE")
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Usage:
    """Up to this moment: seconds of processor time of a process with its descendants, their bytes of memory, and the
    seconds that all cores of the machine were busy."""

    moment: float
    cpu: float
    memory: int
    busy: float

    @classmethod
    def of(cls, pid: int) -> Usage | None:
        """What the process with its descendants has used so far."""
        if sys.platform != "linux":
            return None
        family = _family(pid)
        return cls(time.monotonic(), sum(map(_cpu, family)), sum(map(_memory, family)), _busy())

    def cores(self, before: Usage) -> float:
        """How many cores the processes kept busy since then."""
        # What an ended process had used is no longer known.
        return max(self.cpu - before.cpu, 0.0) / (self.moment - before.moment)

    def machine(self, before: Usage) -> float:
        """The share of all of the machine's cores that was busy since then, from 0 to 1."""
        return (self.busy - before.busy) / (self.moment - before.moment) / (os.cpu_count() or 1)


def _family(pid: int) -> list[int]:
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with suppress(OSError):
                children.setdefault(int(_stat(int(entry.name))[1]), []).append(int(entry.name))
    found = [pid]
    for member in found:
        found += children.get(member, [])
    return found


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat behind the name; [1] is the parent."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def _cpu(pid: int) -> float:
    """To the nanosecond, by clock_getcpuclockid(3): /proc counts in hundredths of a second."""
    with suppress(OSError):
        return time.clock_gettime((~pid << 3) | 2)
    return 0.0


def _memory(pid: int) -> int:
    with suppress(OSError):
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE
    return 0


def _busy() -> float:
    """What all cores have worked, and what the host of a virtual machine gave to others meanwhile."""
    user, nice, system, _idle, _wait, *rest = map(int, Path("/proc/stat").read_text().partition("\n")[0].split()[1:9])
    return (user + nice + system + sum(rest)) / _TICKS
