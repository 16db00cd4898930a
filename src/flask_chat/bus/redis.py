"""The bus between processes and machines: Redis, as a publisher that forgets.

Nothing is kept there. Hints go through one channel, and so does what the nodes announce of themselves; a Redis that is
away, flushed or cut off costs time and never a message.
"""

from __future__ import annotations

import random
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
import redis
import structlog
from redis.backoff import NoBackoff
from redis.retry import Retry

from .. import logs
from ..config import ConfigError
from ..events import Event
from . import EXPIRES, Hears, Listener
from .announcements import Announcements

log = structlog.get_logger("flask_chat.bus")

WITHIN = 2.0
"""Seconds in which Redis has to answer; then it is taken to be away."""

LISTENS = 1.0
"""Seconds of silence on the channel after which Redis is asked whether it is still there."""

HELD = 5.0
"""Seconds after which a connection that was made again is taken to hold."""

MOST_BYTES = 1024 * 1024
"""Bytes of events in one hint, but for one event that is larger by itself: Redis hangs up on those who get too much."""

WAITING = 1_000
"""Hints that wait to be sent; the oldest go first, for the log has them."""

AGAIN = (0.1, 5.0)
"""Seconds before the first and the longest before any other attempt to reach Redis again; each is drawn by chance."""


class Hint(msgspec.Struct, array_like=True, gc=False):
    """Events on their way to other nodes. ``epoch`` is the one that their ids belong to.

    ``request_ids`` are those of the requests that made them, for the logs. Nodes of before leave them out.
    """

    node: str
    epoch: str
    events: list[tuple[int, str, int | None, int | None, int | None, bytes, str, str]]
    request_ids: tuple[str, ...] = ()


class RedisBus:
    """The bus on a Redis server.

    ``channel`` is this chat's alone. ``epoch`` tells the epoch that this process knows; ``other_epoch`` is called, in
    the listening thread, when a hint is of another one. A hint whose epoch is unknown after that is of another log.
    """

    kind = "redis"

    def __init__(
        self,
        url: str,
        channel: str,
        node: str,
        *,
        epoch: Callable[[], str] = str,
        other_epoch: Callable[[], None] = lambda: None,
        expires: float = EXPIRES,
    ) -> None:
        self.node = node
        self._channel, self._epoch, self._other_epoch = channel, epoch, other_epoch
        self._client = client(url)
        self._listeners: tuple[Listener, ...] = ()
        self._hearing: tuple[Hears, ...] = ()
        self._announcements = Announcements(expires)
        self._outgoing: deque[bytes] = deque(maxlen=WAITING)
        self._something = threading.Event()
        self._closing = threading.Event()
        self._sends = self._hears = True
        self._saying = threading.Lock()
        self._away = False
        self._elsewhere: deque[str] = deque(maxlen=100)
        self._threads = [
            threading.Thread(target=self._send, name="bus-out", daemon=True),
            threading.Thread(target=self._hear, name="bus-in", daemon=True),
        ]
        self.listening = threading.Event()
        for thread in self._threads:
            thread.start()

    @property
    def up(self) -> bool:
        """Whether Redis was there when it was last needed."""
        return self._sends and self._hears

    def publish(self, events: Sequence[Event]) -> None:
        """Call every listener here, and have the others told by a thread of its own."""
        for listener in self._listeners:
            listener(events)
        for piece in _pieces(events):
            packed = [_pack(event) for event in piece]
            self._put(_ENCODER.encode(Hint(self.node, self._epoch(), packed, logs.request_ids.get())))

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Add a listener; calling what is returned removes it."""
        self._listeners = (*self._listeners, listener)

        def unsubscribe() -> None:
            self._listeners = tuple(other for other in self._listeners if other is not listener)

        return unsubscribe

    def signal(self, said: bytes) -> None:
        """Call all who hear here, and have the others told, unless Redis is away or much waits for it."""
        for hears in self._hearing:
            hears(said)
        if self.up and len(self._outgoing) < WAITING // 2:
            self._put(_ENCODER.encode(((self.node, said),)))

    def subscribe_signals(self, hears: Hears) -> Callable[[], None]:
        """Add one who hears; calling what is returned removes it."""
        self._hearing = (*self._hearing, hears)

        def unsubscribe() -> None:
            self._hearing = tuple(other for other in self._hearing if other is not hears)

        return unsubscribe

    def announce(self, facts: bytes) -> None:
        """Tell the others what is so here."""
        self._announcements.put(self.node, facts, time.monotonic())
        self._put(_ENCODER.encode((self.node, facts)))

    def announced(self) -> Mapping[str, bytes]:
        """What the living nodes said last."""
        return self._announcements.living(time.monotonic())

    def close(self) -> None:
        """Say goodbye and stop."""
        self._put(_ENCODER.encode((self.node, None)))
        self._closing.set()
        self._something.set()
        self._listeners, self._hearing = (), ()
        for thread in self._threads:
            thread.join(2 * WITHIN + LISTENS)
        self._client.close()

    def _put(self, message: bytes) -> None:
        self._outgoing.append(message)
        self._something.set()

    def _send(self) -> None:
        """Send what waits. While Redis is away it is thrown away: nobody would hear it, and the log has it."""
        pause = _Pause()
        while True:
            self._something.wait()
            self._something.clear()
            while self._outgoing:
                message = self._outgoing.popleft()
                try:
                    self._client.publish(self._channel, message)
                except Exception as error:
                    # Whatever it is, a thread that ended would never be heard of again.
                    self._outgoing.clear()
                    self._sends = False
                    self._say(error)
                    self._closing.wait(pause.next())
                else:
                    self._sends = True
                    pause.reset()
                    self._say()
            if self._closing.is_set():
                return

    def _hear(self) -> None:
        pause = _Pause()
        while not self._closing.is_set():
            subscription: Any = self._client.pubsub()  # type: ignore[no-untyped-call]
            try:
                subscription.subscribe(self._channel)
                self._listen(subscription, pause)
            except Exception as error:
                self._hears = False
                self._say(error)
                self._closing.wait(pause.next())
            finally:
                _close(subscription)

    def _listen(self, subscription: Any, pause: _Pause) -> None:
        began, asked = time.monotonic(), False
        while not self._closing.is_set():
            message = subscription.get_message(timeout=LISTENS)
            if time.monotonic() - began > HELD:
                pause.reset()
            if message is None:
                if asked:
                    raise redis.TimeoutError("no answer")
                subscription.ping()
                asked = True
                continue
            asked = False
            if message["type"] == "message":
                self._take(message["data"])
            elif message["type"] == "subscribe":
                self._hears = True
                self.listening.set()
                self._say()

    def _take(self, data: bytes) -> None:
        try:
            if data[:1] == _ANNOUNCED:
                node, facts = _ANNOUNCEMENTS.decode(data)
                self._note(node, facts)
                return
            if data[:1] == _SIGNALLED:
                ((node, said),) = _SIGNALS.decode(data)
                self._hear_signal(node, said)
                return
            hint = _HINTS.decode(data)
        except msgspec.DecodeError:
            log.warning("bus.unknown_message")
            return
        if hint.node == self.node:
            return
        if not self._ours(hint.epoch):
            return
        events = [Event(*each) for each in hint.events]
        told = logs.request_ids.set(hint.request_ids)
        for listener in self._listeners:
            try:
                listener(events)
            except Exception as error:
                log.error("listener.failed", exc_info=error)
        logs.request_ids.reset(told)

    def _ours(self, epoch: str) -> bool:
        """Whether a hint is of this log, and not of a copy of its database that speaks on the same channel."""
        if epoch != self._epoch() and epoch not in self._elsewhere:
            self._other_epoch()
            if epoch != self._epoch():
                self._elsewhere.append(epoch)
                log.warning("bus.other_log", epoch=epoch)
        return epoch == self._epoch()

    def _hear_signal(self, node: str, said: bytes) -> None:
        if node == self.node:
            return
        for hears in self._hearing:
            try:
                hears(said)
            except Exception as error:
                log.error("listener.failed", exc_info=error)

    def _note(self, node: str, facts: bytes | None) -> None:
        if node == self.node:
            return
        if facts is None:
            self._announcements.drop(node)
        else:
            self._announcements.put(node, facts, time.monotonic())

    def _say(self, error: Exception | None = None) -> None:
        """Say once that Redis is away, and once that it is back."""
        with self._saying:
            if self.up is not self._away:
                return
            self._away = not self.up
        if self._away:
            log.warning("bus.away", error=type(error).__name__, detail=str(error)[:200])
        else:
            log.warning("bus.back")


class _Pause:
    """How long to wait before the next attempt: longer each time, and never the same for all nodes."""

    def __init__(self) -> None:
        self._longest = AGAIN[0]

    def next(self) -> float:
        longest, self._longest = self._longest, min(self._longest * 2, AGAIN[1])
        return random.uniform(longest / 2, longest)  # noqa: S311

    def reset(self) -> None:
        self._longest = AGAIN[0]


def client(url: str) -> redis.Redis:
    """A client for an address; it connects when first used. Raises :class:`ConfigError`."""
    try:
        return redis.Redis.from_url(
            url,
            socket_timeout=WITHIN,
            socket_connect_timeout=WITHIN,
            socket_keepalive=True,
            # The threads have their own way of trying again.
            retry=Retry(NoBackoff(), 0),
        )
    except ValueError:
        raise ConfigError("REDIS_URL is no address of a Redis: one looks like redis://:password@host:6379/0.") from None


_ENCODER = msgspec.msgpack.Encoder()
_HINTS = msgspec.msgpack.Decoder(Hint)
_ANNOUNCEMENTS = msgspec.msgpack.Decoder(tuple[str, bytes | None])
# The first byte of an array of two in MessagePack; a hint is a longer one.
_ANNOUNCED = b"\x92"
# And of one: what is signalled, and by which node.
_SIGNALS = msgspec.msgpack.Decoder(tuple[tuple[str, bytes]])
_SIGNALLED = b"\x91"


def _pack(event: Event) -> tuple[int, str, int | None, int | None, int | None, bytes, str, str]:
    return (
        event.id,
        event.type,
        event.room_id,
        event.person_id,
        event.subject_id,
        event.body,
        event.html,
        event.created_at,
    )


def _pieces(events: Sequence[Event]) -> Iterator[Sequence[Event]]:
    start = size = 0
    for at, event in enumerate(events):
        length = len(event.body) + len(event.html)
        if at > start and size + length > MOST_BYTES:
            yield events[start:at]
            start, size = at, 0
        size += length
    yield events[start:]


def _close(subscription: Any) -> None:
    try:
        subscription.close()
    except Exception as error:
        log.debug("bus.not_closed", error=type(error).__name__)
