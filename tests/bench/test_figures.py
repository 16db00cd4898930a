from bench.figures import Audit, Series, Target, audit, cpu_per_delivery, kib_per_reader, percentile


def test_the_middle_round_speaks_for_all_of_them() -> None:
    rounds = Series.of([9.0, 30.0, 8.0])
    assert (rounds.median, rounds.low, rounds.high) == (9.0, 8.0, 30.0)


def test_what_a_server_uses_in_silence_is_not_charged_to_deliveries() -> None:
    assert cpu_per_delivery(busy=3.0, idle_share=0.05, seconds=12.0, deliveries=300_000) == 8.0


def test_a_delivery_never_costs_less_than_nothing() -> None:
    assert cpu_per_delivery(busy=0.1, idle_share=0.5, seconds=1.0, deliveries=10) == 0.0


def test_no_delivery_at_all_costs_more_than_any_target() -> None:
    assert not Target(at_most=10).met(cpu_per_delivery(1.0, 0.0, 1.0, deliveries=0), None)


def test_memory_is_shared_out_among_the_readers() -> None:
    assert kib_per_reader(before=40 << 20, after=90 << 20, readers=5_000) == 10.24


def test_a_target_holds_at_its_bound_and_not_beyond() -> None:
    assert Target(at_most=10).met(10.0, None)
    assert not Target(at_most=10).met(10.1, None)
    assert Target(at_least=1_000).met(1_000.0, None)
    assert not Target(at_least=1_000).met(999.0, None)


def test_a_target_against_a_peer_needs_the_peer() -> None:
    fanout = Target(at_most=10, share_of_peer=0.25)
    assert fanout.met(9.0, 40.0)
    assert not fanout.met(9.0, 30.0)
    assert not fanout.met(9.0, None)
    posts = Target(at_least=5_000, times_peer=8)
    assert posts.met(8_000.0, 1_000.0)
    assert not posts.met(7_000.0, 1_000.0)
    assert not posts.met(8_000.0, None)


def test_a_percentile_is_one_of_the_values_and_never_less_than_so_many() -> None:
    values = [float(value) for value in range(100, 0, -1)]
    assert [percentile(values, percent) for percent in (0, 50, 95, 99.5, 100)] == [1.0, 50.0, 95.0, 100.0, 100.0]
    assert percentile([3.0], 95) == 3.0


def test_a_target_may_leave_room_above_the_peer() -> None:
    dearer = Target(share_of_peer=1.15)
    assert dearer.met(11.5, 10.0)
    assert not dearer.met(11.6, 10.0)
    assert dearer.text("µs") == "≤ 1.15× the peer's"


def test_a_target_says_its_bounds() -> None:
    assert Target(at_most=10, share_of_peer=0.25).text("µs") == "≤ 10 µs, ≤ 1/4 of the peer's"
    assert Target(at_least=5_000, times_peer=8).text("/s") == "≥ 5,000/s, ≥ 8× the peer's"


def test_an_audit_finds_each_acknowledged_write_once() -> None:
    assert audit(["a", "b"], ["a", "b", "answer still under way"]) == Audit(acknowledged=2, missing=0, repeated=0)
    assert audit(["a", "b"], ["a", "b"]).clean


def test_an_audit_finds_what_is_missing_and_what_is_there_twice() -> None:
    found = audit(["a", "b", "c"], ["a", "a", "b", "unacknowledged", "unacknowledged"])
    assert found == Audit(acknowledged=3, missing=1, repeated=2)
    assert not found.clean


def test_an_audit_of_nothing_proves_nothing() -> None:
    assert not audit([], []).clean


def test_audits_of_several_rounds_add_up() -> None:
    assert Audit(2, 0, 1) + Audit(3, 1, 0) == Audit(acknowledged=5, missing=1, repeated=1)
