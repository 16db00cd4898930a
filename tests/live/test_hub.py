"""The hub: everybody gets what the log has after their cursor, in order, once, however slowly they read."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule

from flask_chat import config
from flask_chat.chat.sessions import LIFETIME, Session
from flask_chat.db import StorageUnavailable
from flask_chat.events import Epochs, Event
from flask_chat.live import history, hub, intake, reading, wire

from .readers import KITCHEN, LOBBY, AtOnce, Log, LogHub, Reader, a_hub, frames, person, tell, turns


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What hints overtake each other within is no time at all here."""
    monkeypatch.setattr(intake, "OUT_OF_ORDER", 0)


Scene = Callable[[Log, LogHub], Coroutine[Any, Any, None]]


def play(scene: Scene, events: int = 0, position: int | None = None) -> None:
    """Run a scene on a hub whose log has so many events for the lobby already."""

    async def run() -> None:
        log = Log()
        log.append(*[LOBBY] * events)
        async with a_hub(log, position) as made, asyncio.timeout(10) as limit:
            await scene(log, made)
        assert not limit.expired(), "a task took the end of the time for its own end"

    asyncio.run(run())


def test_what_happens_is_written_to_everybody_who_is_connected() -> None:
    async def scene(log: Log, hub: LogHub) -> None:
        readers = [Reader(hub) for _ in range(3)]
        await turns()
        tell(hub, log.append(LOBBY))
        tell(hub, log.append(LOBBY, LOBBY))
        await turns()
        assert [reader.got for reader in readers] == [[1, 2, 3]] * 3
        assert log.reads == 0, "who keeps up costs the database nothing"

    play(scene)


def test_readers_of_the_same_kind_are_written_the_same_bytes() -> None:
    async def scene(log: Log, hub: LogHub) -> None:
        shared = frames()
        ann, bob = Reader(hub, encoder=shared), Reader(hub, encoder=shared)
        await turns()
        tell(hub, log.append(LOBBY))
        await turns()
        assert ann.written[-1] is bob.written[-1], "encoded once"

    play(scene)


def test_everybody_gets_only_what_is_for_them() -> None:
    async def scene(log: Log, hub: LogHub) -> None:
        ann, bob, cleo = (
            Reader(hub, audience=person(1, LOBBY)),
            Reader(hub, audience=person(2, LOBBY, KITCHEN)),
            Reader(hub, audience=person(3)),
        )
        await turns()
        tell(hub, log.append(LOBBY, KITCHEN, -1, -2, LOBBY, -3))
        await turns()
        assert (ann.got, bob.got, cleo.got) == ([1, 3, 5], [1, 2, 4, 5], [6])

    play(scene)


@pytest.mark.parametrize("cursor", [0, 3, 7, 10])
def test_who_comes_with_a_cursor_gets_what_came_after_it_and_then_goes_live(cursor: int) -> None:
    async def scene(log: Log, hub: LogHub) -> None:
        ann = Reader(hub, cursor=cursor)
        await turns()
        tell(hub, log.append(LOBBY))
        await turns()
        assert ann.got == list(range(cursor + 1, 12))
        assert ann.live

    play(scene, events=10)


def test_who_comes_back_after_a_moment_is_answered_from_memory() -> None:
    async def scene(log: Log, hub: LogHub) -> None:
        tell(hub, log.append(*[LOBBY] * 30))
        await turns()
        ann = Reader(hub, cursor=12)
        await turns()
        assert ann.got == list(range(13, 41))
        assert log.reads == 0

    play(scene, events=10)


def test_who_comes_between_the_commit_and_its_hint_gets_it_once() -> None:
    async def scene(log: Log, hub: LogHub) -> None:
        fresh = log.append(LOBBY, LOBBY)  # Committed, and read from the log by Ann before the hub hears of it.
        ann = Reader(hub, cursor=3)
        await turns()
        assert ann.got == [4, 5, 6, 7]
        tell(hub, fresh)
        tell(hub, log.append(LOBBY))
        await turns()
        assert ann.got == [4, 5, 6, 7, 8]

    play(scene, events=5)


def test_who_has_read_half_of_what_arrives_together_gets_the_other_half() -> None:
    async def scene(log: Log, hub: LogHub) -> None:
        fresh = log.append(LOBBY, LOBBY)
        ann = Reader(hub, cursor=3)
        await turns()
        fresh += log.append(LOBBY, LOBBY)
        tell(hub, fresh)
        await turns()
        assert ann.got == [4, 5, 6, 7, 8, 9]

    play(scene, events=5)


def test_what_arrives_during_a_delivery_of_many_turns_follows_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "TURN", 2)

    async def scene(log: Log, hub: LogHub) -> None:
        readers = [Reader(hub) for _ in range(20)]
        await turns()
        hub.receive(log.append(LOBBY))
        for step in range(15):
            await turns(step % 3)
            hub.receive(log.append(LOBBY, KITCHEN, LOBBY))
        late = Reader(hub, cursor=5)
        await turns()
        assert {tuple(reader.got) for reader in readers} == {tuple(log.ids(person(1, LOBBY)))}
        assert late.got == log.ids(person(1, LOBBY), 5)

    play(scene)


def test_one_slow_reader_delays_nobody_and_misses_nothing() -> None:
    async def scene(log: Log, hub: LogHub) -> None:
        ann, bob = Reader(hub), Reader(hub)
        await turns()
        bob.reading.clear()
        for _ in range(50):
            tell(hub, log.append(LOBBY))
            await turns(5)
        assert ann.got == list(range(1, 51))
        assert bob.got == []
        assert bob.waits == 1, "one write waits; there is no queue behind it"
        bob.reading.set()
        await turns()
        assert bob.got == list(range(1, 51))
        assert bob.live
        tell(hub, log.append(LOBBY))
        await turns()
        assert (ann.got[-1], bob.got[-1]) == (51, 51)

    play(scene)


def test_a_reader_that_pauses_again_and_again_still_gets_everything_once() -> None:
    async def scene(log: Log, hub: LogHub) -> None:
        ann = Reader(hub)
        await turns()
        for step in range(200):
            if step % 7 == 0:
                ann.reading.clear()
            if step % 5 == 0:
                ann.reading.set()
            tell(hub, log.append(LOBBY))
            await turns(step % 4)
        ann.reading.set()
        await turns()
        assert ann.got == list(range(1, 201))

    play(scene)


def test_what_no_hint_brought_is_read_from_the_log_once_for_everybody() -> None:
    async def scene(log: Log, hub: LogHub) -> None:
        ann, bob = Reader(hub), Reader(hub, audience=person(2, KITCHEN))
        await turns()
        tell(hub, log.append(LOBBY))
        log.append(LOBBY, KITCHEN)  # Nobody hears of these.
        tell(hub, log.append(LOBBY))
        await turns()
        assert (ann.got, bob.got) == ([1, 2, 4], [3])
        assert log.reads == 1
        tell(hub, log.append(LOBBY, KITCHEN))
        await turns()
        assert (ann.got, bob.got) == ([1, 2, 4, 5], [3, 6])
        assert (ann.live, log.reads) == (True, 1)

    play(scene)


def test_hints_that_overtake_each_other_are_written_in_order_without_a_look_at_the_log() -> None:
    async def scene(log: Log, hub: LogHub) -> None:
        ann = Reader(hub)
        await turns()
        first, second, third = log.append(LOBBY), log.append(LOBBY, LOBBY), log.append(LOBBY)
        for hint in (third, second, first, second):
            tell(hub, hint)
        await turns()
        assert ann.got == [1, 2, 3, 4]
        assert log.reads == 0

    play(scene)


def test_the_last_hint_that_was_lost_is_found_by_looking_how_far_the_log_has_got() -> None:
    async def scene(log: Log, hub: LogHub) -> None:
        ann = Reader(hub)
        await turns()
        log.append(LOBBY, LOBBY)
        hub.intake.note(2)
        hub.intake.note(1)
        await turns()
        assert (ann.got, ann.live, log.reads) == ([1, 2], True, 1)

    play(scene)


def test_too_much_that_was_missed_is_read_by_each_reader_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "MOST_MISSED", 5)
    passed_over: list[int] = []

    async def scene(log: Log, hub: LogHub) -> None:
        hub.intake._missed = passed_over.append
        ann, bob, gone = Reader(hub), Reader(hub, audience=person(2, KITCHEN)), Reader(hub, session=9)
        await turns()
        log.append(LOBBY, LOBBY, KITCHEN, LOBBY, LOBBY, LOBBY)
        log.append(-1, type="session.revoked", subject_id=9)
        hub.intake.note(7)
        await turns()
        assert (ann.got, bob.got) == ([1, 2, 4, 5, 6, 7], [3])
        assert (ann.live, bob.live, gone.ended) == (True, True, True)
        assert passed_over == [7], "nobody keeps in memory what may have changed"

    play(scene)


def test_what_had_to_wait_for_its_turn_or_was_read_is_told_to_what_is_kept_in_memory() -> None:
    async def scene(log: Log, hub: LogHub) -> None:
        told: list[list[int]] = []
        hub.intake._heard = lambda events: told.append([event.id for event in events])
        first, second = log.append(LOBBY), log.append(LOBBY)
        tell(hub, second)
        tell(hub, first)
        await turns()
        log.append(LOBBY)
        hub.intake.note(3)
        await turns()
        tell(hub, log.append(LOBBY))
        await turns()
        assert told == [[1, 2], [3]], "what comes in its turn has been told already"

    play(scene)


def test_a_log_that_went_back_ends_every_stream_and_goes_on_from_there() -> None:
    async def scene(log: Log, hub: LogHub) -> None:
        ann = Reader(hub)
        await turns()
        tell(hub, log.append(LOBBY, LOBBY, LOBBY))
        await turns()
        del log.events[1:]
        hub.go_back(1)
        await turns()
        assert (ann.ended, hub.position) == (True, 1)
        bob = Reader(hub, cursor=1)
        tell(hub, log.append(LOBBY))
        await turns()
        assert bob.got == [2]

    play(scene)


def test_a_session_whose_end_was_read_from_the_log_cannot_open_a_stream_any_more() -> None:
    async def scene(log: Log, hub: LogHub) -> None:
        log.append(-1, type="session.revoked", subject_id=9)
        hub.intake.note(1)
        await turns()
        ann = Reader(hub, session=9, cursor=1)  # It was let in before its end was heard of.
        await turns()
        tell(hub, log.append(LOBBY))
        await turns()
        assert ann.ended
        assert ann.got == []

    play(scene)


def test_another_epoch_that_is_the_same_so_far_ends_no_stream() -> None:
    async def scene(log: Log, hub: LogHub) -> None:
        hub._epochs = Epochs([("aaaaaaaa", 0)])
        hub._epoch = "aaaaaaaa"
        passed_over: list[int] = []
        hub._missed = passed_over.append
        ann = Reader(hub)
        await turns()
        tell(hub, log.append(LOBBY))
        await turns()
        hub._epochs = Epochs([("aaaaaaaa", 0), ("bbbbbbbb", 1)])
        tell(hub, log.append(LOBBY))
        await turns()
        assert (ann.got, ann.live, hub.generation) == ([1, 2], True, 0)
        assert passed_over == [1], "what is kept in memory may be of the log before"

    play(scene)


@pytest.mark.parametrize("known", [True, False])
def test_an_epoch_that_parted_before_ends_every_stream_before_its_events_are_taken(known: bool) -> None:
    async def scene(log: Log, hub: LogHub) -> None:
        hub._epochs = Epochs([("aaaaaaaa", 0)])
        hub._epoch = "aaaaaaaa"
        ann = Reader(hub)
        await turns()
        tell(hub, log.append(LOBBY, LOBBY, LOBBY))
        await turns()
        del log.events[1:]
        rows = [("aaaaaaaa", 0)] if known else [("cccccccc", 0)]
        hub._epochs = Epochs([*rows, ("bbbbbbbb", 1)])
        tell(hub, log.append(LOBBY, LOBBY, LOBBY, LOBBY))
        await turns()
        assert ann.ended
        assert ann.got == [1, 2, 3], "nothing of the other log"
        assert (hub.position, hub.generation) == (5, 1)
        bob = Reader(hub, cursor=1)
        await turns()
        assert bob.got == [2, 3, 4, 5]

    play(scene)


def test_a_reader_waits_for_a_database_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    moments: list[None] = []

    async def a_moment() -> None:
        moments.append(None)

    monkeypatch.setattr(hub, "a_moment", a_moment)

    async def scene(log: Log, hub: LogHub) -> None:
        def unavailable(*_: object) -> Any:
            if len(moments) < 3:
                raise StorageUnavailable
            return log.after(person(1, LOBBY), 0, 50)

        monkeypatch.setattr(hub.reading, "_read", unavailable)
        ann = Reader(hub, cursor=0)
        await turns()
        assert (ann.got, ann.live, len(moments)) == ([1, 2], True, 3)

    play(scene, events=2)


def test_a_hint_that_comes_twice_or_late_is_written_once() -> None:
    async def scene(log: Log, hub: LogHub) -> None:
        ann = Reader(hub)
        await turns()
        first, second = log.append(LOBBY), log.append(LOBBY)
        for hint in (first, first, first + second, second, first):
            tell(hub, hint)
            await turns()
        assert ann.got == [1, 2]

    play(scene)


def test_a_session_that_ends_ends_its_streams_and_no_other() -> None:
    async def scene(log: Log, hub: LogHub) -> None:
        mine = [Reader(hub, session=1), Reader(hub, session=1)]
        other = Reader(hub, session=2)
        await turns()
        tell(hub, log.append(-1, type="session.revoked", subject_id=1) + log.append(LOBBY))
        await turns()
        assert [reader.ended for reader in (*mine, other)] == [True, True, False]
        assert [reader.got for reader in (*mine, other)] == [[1], [1], [1, 2]], "nothing more after the end"
        assert hub.open.of(1) == 0

    play(scene)


def test_a_slow_reader_whose_session_ends_gets_nothing_that_came_after() -> None:
    async def scene(log: Log, hub: LogHub) -> None:
        ann = Reader(hub)
        await turns()
        ann.reading.clear()
        tell(hub, log.append(LOBBY))
        await turns()
        tell(hub, log.append(-1, type="session.revoked", subject_id=1))
        tell(hub, log.append(LOBBY))
        await turns()
        ann.reading.set()
        await turns()
        assert ann.ended
        assert ann.got == [1]

    play(scene)


def test_a_session_whose_end_is_read_from_the_log_ends_too() -> None:
    async def scene(log: Log, hub: LogHub) -> None:
        ann = Reader(hub)
        await turns()
        log.append(-1, type="session.revoked", subject_id=1)  # Its hint is lost.
        tell(hub, log.append(LOBBY))
        await turns()
        tell(hub, log.append(LOBBY))
        await turns()
        assert ann.ended
        assert 3 not in ann.got

    play(scene)


def test_closing_ends_every_stream_and_tells_when_to_come_back() -> None:
    async def scene(log: Log, hub: LogHub) -> None:
        readers = [Reader(hub) for _ in range(600)]
        slow = Reader(hub)
        await turns()
        slow.reading.clear()
        tell(hub, log.append(LOBBY))
        await turns()
        await hub.close()
        await turns()
        assert all(reader.ended and reader.text.endswith("\n\n") for reader in readers)
        waits = {int(reader.written[-1].removeprefix(b"retry: ")) for reader in readers}
        assert len(waits) > 100, "not all in the same moment"
        assert max(waits) <= 1000
        assert slow.text == "welcome\n\n", "it is ended after the write that it is at"
        slow.reading.set()
        await slow.task
        assert slow.got == [1]
        assert slow.text.endswith("\n\n")
        assert hub.connections == set()

    play(scene)


def test_a_stream_that_is_opened_while_the_hub_closes_ends_too() -> None:
    async def scene(log: Log, hub: LogHub) -> None:
        await hub.close()
        late = Reader(hub)
        await turns()
        assert late.ended

    play(scene)


def test_a_stream_that_has_to_wait_for_its_end_is_ended_once() -> None:
    async def scene(log: Log, hub: LogHub) -> None:
        ann = Reader(hub)
        await turns()
        ann.reading.clear()
        ended: list[bytes] = []
        real = ann.connection.send

        async def counting(message: Any) -> None:
            if not message.get("more_body", True):
                ended.append(message["body"])
            await real(message)

        ann.connection.send = counting
        await hub.close()
        ann.reading.set()
        await turns()
        assert ann.ended
        assert len(ended) == 1

    play(scene)


def test_whoever_waits_for_more_is_woken_when_there_is_more_and_when_the_hub_closes() -> None:
    async def scene(log: Log, hub: LogHub) -> None:
        gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiting = asyncio.ensure_future(hub.polls.wait(60, gone))
        await turns(5)
        assert not waiting.done()
        tell(hub, log.append(LOBBY))
        await waiting
        waiting = asyncio.ensure_future(hub.polls.wait(60, gone))
        await turns(5)
        await hub.close()
        await waiting
        gone.set_result(None)
        await hub.polls.wait(60, gone)
        await hub.polls.wait(0.001, asyncio.get_running_loop().create_future())

    play(scene)


def test_signs_of_life_go_to_who_is_live(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config, "HEARTBEAT", 0.001)

    async def scene(log: Log, hub: LogHub) -> None:
        ann, slow = Reader(hub), Reader(hub)
        await turns()
        slow.reading.clear()
        tell(hub, log.append(LOBBY))
        await turns()
        hub.start()
        await ann.until(lambda: ann.written.count(b":\n\n") >= 3)
        assert slow.written == [b"", b"welcome\n\n"]
        slow.reading.set()
        await slow.until(lambda: b":\n\n" in slow.written)
        assert (ann.got, slow.got) == ([1], [1])

    play(scene)


def test_a_session_that_expires_ends_its_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config, "HEARTBEAT", 0.001)

    async def scene(log: Log, hub: LogHub) -> None:
        ann = Reader(hub)
        await turns()
        old = int(time.time() * 1000) - LIFETIME - 1
        ann.connection.session = Session(1, ann.session.person, old)
        hub.start()
        await ann.task
        assert ann.ended
        ann.connection.session = ann.session

    play(scene)


def test_a_reader_that_takes_nothing_is_given_up_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "PATIENCE", 0.01)
    monkeypatch.setattr(wire, "abort", lambda send: send.__self__.gone.set())

    async def scene(log: Log, hub: LogHub) -> None:
        live, behind = Reader(hub, cursor=3), Reader(hub, cursor=0)
        behind.reading.clear()
        await turns()
        live.reading.clear()
        tell(hub, log.append(LOBBY))
        await live.task
        behind.reading.set()
        assert live.connection not in hub.connections
        assert live.got == []

    play(scene, events=3)


def test_a_reader_that_takes_nothing_from_its_first_byte_is_given_up_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "PATIENCE", 0.01)

    async def scene(log: Log, hub: LogHub) -> None:
        ann = Reader(hub)
        ann.reading.clear()
        await asyncio.wait({ann.task}, timeout=0.5)
        given_up = ann.task.done()
        ann.reading.set()
        assert given_up

    play(scene)


def test_a_reader_whose_connection_breaks_harms_nobody() -> None:
    async def scene(log: Log, hub: LogHub) -> None:
        broken, ann = Reader(hub), Reader(hub)
        await turns()

        async def fail(_: object) -> None:
            raise OSError("broken pipe")

        broken.connection.send = fail
        for _ in range(3):
            tell(hub, log.append(LOBBY))
            await turns()
        assert ann.got == [1, 2, 3]

    play(scene)


def test_a_reader_whose_frames_cannot_be_made_harms_nobody() -> None:
    class Failing:
        heartbeat = b""

        def encode(self, events: Sequence[Event]) -> bytes:
            raise LookupError

        def farewell(self) -> bytes:
            return b""

    async def scene(log: Log, hub: LogHub) -> None:
        readers = [Reader(hub) for _ in range(5)]
        failing = Reader(hub, encoder=Failing())
        readers += [Reader(hub) for _ in range(5)]
        await turns()
        asyncio.get_running_loop().set_exception_handler(lambda *_: None)
        tell(hub, log.append(LOBBY, KITCHEN, LOBBY))
        await turns()
        tell(hub, log.append(LOBBY))
        await turns()
        assert {tuple(reader.got) for reader in readers} == {(1, 3, 4)}
        assert failing.got == []

    play(scene)


def test_who_leaves_is_forgotten() -> None:
    async def scene(log: Log, hub: LogHub) -> None:
        readers = [Reader(hub, session=7) for _ in range(3)]
        await turns()
        assert (len(hub.connections), hub.open.of(7)) == (3, 3)
        readers[0].reading.clear()
        tell(hub, log.append(LOBBY))
        await turns()
        for reader in readers:
            await reader.leave()
        assert (hub.connections, hub.open.of(7)) == (set(), 0)
        tell(hub, log.append(LOBBY))
        await turns()
        assert not hub._tasks

    play(scene)


def test_a_hint_after_the_loop_has_ended_is_dropped() -> None:
    kept: list[LogHub] = []

    async def scene(log: Log, hub: LogHub) -> None:
        kept.append(hub)

    play(scene)
    kept[0].receive(Log().append(LOBBY))


class Readers(RuleBasedStateMachine):
    """Any posts, hints that are told in any order or never, readers that come, pause and leave: each gets its log."""

    readers = Bundle("readers")

    @initialize(events=st.integers(0, 8), known=st.integers(0, 8))
    def open(self, events: int, known: int) -> None:
        self.runner = asyncio.Runner()
        self.log, self.hints, self.all = Log(), list[list[Event]](), list[Reader]()
        self.log.append(*[LOBBY] * events)
        if events > known:
            self.hints.append(self.log.events[known:])
        self.runner.run(self._open(min(events, known)))

    async def _open(self, position: int) -> None:
        asyncio.get_running_loop().set_default_executor(AtOnce(1))
        self.hub = LogHub(self.log, position)

    @rule(audiences=st.lists(st.sampled_from([LOBBY, LOBBY, KITCHEN, -1, -2]), min_size=1, max_size=9))
    def post(self, audiences: list[int]) -> None:
        self.hints.append(self.log.append(*audiences))

    @rule(count=st.integers(1, 3))
    def hear(self, count: int) -> None:
        for hint in self.hints[:count]:
            self.runner.run(self._told(hint))
        del self.hints[:count]

    @rule(audiences=st.lists(st.sampled_from([LOBBY, KITCHEN, -1]), min_size=1, max_size=4))
    def post_and_hear(self, audiences: list[int]) -> None:
        self.post(audiences)
        self.hear(len(self.hints))

    async def _told(self, hint: list[Event]) -> None:
        self.hub.receive(hint)

    @rule(at=st.integers(0, 5))
    def overtake(self, at: int) -> None:
        self.hints[:] = self.hints[at:] + self.hints[:at]

    @rule()
    def look(self) -> None:
        self.runner.run(self._look())

    async def _look(self) -> None:
        self.hub.intake.note(len(self.log.events))

    @rule()
    def lose(self) -> None:
        del self.hints[:1]

    @rule(
        target=readers,
        back=st.integers(0, 30),
        audience=st.sampled_from([person(1, LOBBY), person(2, LOBBY, KITCHEN), person(3)]),
        reading=st.booleans(),
    )
    def join(self, back: int, audience: Any, reading: bool) -> Reader:
        reader = self.runner.run(self._joined(max(0, len(self.log.events) - back), audience))
        if not reading:
            reader.reading.clear()
        self.all.append(reader)
        return reader

    async def _joined(self, cursor: int, audience: Any) -> Reader:
        return Reader(self.hub, cursor, audience)

    @rule(reader=readers)
    def pause(self, reader: Reader) -> None:
        reader.reading.clear()

    @rule(reader=readers)
    def read_on(self, reader: Reader) -> None:
        self.runner.run(self._read_on(reader))

    async def _read_on(self, reader: Reader) -> None:
        reader.reading.set()

    @rule(reader=consumes(readers))
    def leave(self, reader: Reader) -> None:
        self.all.remove(reader)
        self.runner.run(reader.leave())

    @rule(count=st.integers(1, 12))
    def wait(self, count: int) -> None:
        self.runner.run(turns(count))

    @invariant()
    def nobody_has_a_gap_or_a_repetition(self) -> None:
        for reader in getattr(self, "all", []):
            due = self.log.ids(reader.audience, reader.start)
            assert reader.got == due[: len(reader.got)]

    def teardown(self) -> None:
        if not hasattr(self, "runner"):
            return
        for reader in self.all:
            self.runner.run(self._read_on(reader))
        self.post_and_hear([LOBBY])
        self.runner.run(turns())
        got = [(reader.got, self.log.ids(reader.audience, reader.start)) for reader in self.all]
        live = [reader.live for reader in self.all]
        for reader in self.all:
            self.runner.run(reader.leave())
        self.runner.close()
        assert all(had == due for had, due in got), got
        assert all(live)


@pytest.mark.parametrize("seed", range(2))
def test_any_reader_of_any_history_gets_the_log_after_its_cursor_once(
    monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    # Small enough that every boundary is met: turns, pieces, and the end of what is in memory.
    monkeypatch.setattr(hub, "TURN", 2)
    monkeypatch.setattr(reading, "TOGETHER", 3 + seed)
    monkeypatch.setattr(intake, "FILL", 2 + seed)
    monkeypatch.setattr(intake, "MOST_MISSED", 9 - 4 * seed)
    monkeypatch.setattr(history, "MOST_EVENTS", 4 + 3 * seed)
    case = Readers.TestCase
    case.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
    case().runTest()
