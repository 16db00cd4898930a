import os
import sys
import time

import pytest

from bench import machine, servers, workshop

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the bench runs on Linux")


def test_what_is_started_pinned_has_one_core_and_the_rest_has_all_of_them_again() -> None:
    before = os.sched_getaffinity(0)
    core, _ = machine.cores()
    with machine.pinned(core):
        assert os.sched_getaffinity(0) == {core}
    assert os.sched_getaffinity(0) == before


def test_ones_own_work_is_not_company() -> None:
    company = machine.Company()
    mine = machine.own_seconds()
    while machine.own_seconds() < mine + 0.2:
        pass
    assert machine.own_seconds() - company.own > 0.1  # It is counted in ticks of a hundredth.
    assert 0.0 <= company.share() <= 1.0


def test_the_versions_of_the_peers_are_those_that_are_pinned() -> None:
    assert all(name in workshop.peer_versions() for name in ("Flask-SocketIO ", "SQLAlchemy ", "waitress "))


def test_the_processor_time_of_a_process_is_read_from_outside() -> None:
    assert servers.cpu_seconds(os.getpid()) == pytest.approx(time.process_time(), abs=0.5)
