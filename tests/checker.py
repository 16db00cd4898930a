"""The set checker: what was acknowledged against what every reader saw.

Every message that was acknowledged must be there exactly once, unchanged, in one order for all readers. What was sent
and never answered may be there or not, but once; nothing may be there that nobody sent.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

Message = Mapping[str, Any]


@dataclass
class Sent:
    """One message on its way. ``began`` and ``answered`` are readings of the monotonic clock, in seconds."""

    author: str
    client_id: str
    text: str
    began: float
    answered: float | None = None
    id: int | None = None

    @property
    def key(self) -> tuple[str, str]:
        return self.author, self.client_id


@dataclass
class Verdict:
    """What went wrong, a line each."""

    lost: list[str] = field(default_factory=list)
    duplicated: list[str] = field(default_factory=list)
    reordered: list[str] = field(default_factory=list)
    phantom: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return any((self.lost, self.duplicated, self.reordered, self.phantom, self.changed))

    def __str__(self) -> str:
        return "; ".join(f"{kind} {len(lines)} {lines[:5]}" for kind, lines in vars(self).items() if lines) or "clean"


class Checker:
    """Collects what clients send and what readers see, in any thread, and compares."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sent: dict[tuple[str, str], Sent] = {}
        self._readings: dict[str, tuple[int, list[Message]]] = {}
        self._answered_twice: list[str] = []

    @property
    def acknowledged(self) -> int:
        """How many messages were answered with 2xx."""
        return sum(sent.id is not None for sent in list(self._sent.values()))

    @property
    def attempted(self) -> int:
        """How many messages were sent at least once."""
        return len(self._sent)

    @property
    def answers(self) -> dict[int, float]:
        """When each message was acknowledged, by its id: readings of the monotonic clock, in seconds."""
        return {
            sent.id: sent.answered
            for sent in list(self._sent.values())
            if sent.id is not None and sent.answered is not None
        }

    def sending(self, author: str, client_id: str, text: str) -> Sent:
        """Note a message before it is sent for the first time; a retry is the same message."""
        with self._lock:
            return self._sent.setdefault((author, client_id), Sent(author, client_id, text, time.monotonic()))

    def answered(self, sent: Sent, message: Message) -> None:
        """Note the answer that acknowledges a message. Every later answer must give it the same id and text."""
        with self._lock:
            if sent.id is None:
                sent.id, sent.answered = message["id"], time.monotonic()
            told = (message["id"], message["author"], message["client_id"], message["text"])
            if told != (sent.id, sent.author, sent.client_id, sent.text):
                self._answered_twice.append(f"{sent.key} was {sent.id}, then {told}")

    def read(self, reader: str, messages: Iterable[Message], after: int = 0) -> None:
        """Note everything that a reader saw, in its order, who began to read after the id ``after``."""
        with self._lock:
            self._readings[reader] = (after, list(messages))

    def verdict(self, history: Sequence[Message]) -> Verdict:
        """Judge. ``history`` is everything that is kept, in its order."""
        verdict = Verdict(changed=list(self._answered_twice))
        self._judge_history(history, verdict)
        for reader, (after, seen) in self._readings.items():
            _judge_reader(reader, [kept for kept in history if kept["id"] > after], seen, verdict)
        return verdict

    def _judge_history(self, history: Sequence[Message], verdict: Verdict) -> None:
        kept = {(each["author"], each["client_id"]): each for each in history}
        _judge_order("history", history, verdict)
        for key, times in Counter((each["author"], each["client_id"]) for each in history).items():
            if times > 1:
                verdict.duplicated.append(f"{key} is kept {times} times")
            if key not in self._sent:
                verdict.phantom.append(f"{key}: nobody sent it")
        for key, sent in self._sent.items():
            found = kept.get(key)
            if sent.id is not None and (found is None or found["id"] != sent.id):
                verdict.lost.append(f"{key} was acknowledged as {sent.id}")
            if found is not None and found["text"] != sent.text:
                verdict.changed.append(f"{key} is kept with another text")
        self._judge_real_time(verdict)

    def _judge_real_time(self, verdict: Verdict) -> None:
        """What was acknowledged before another was first sent has the smaller id."""
        answered = sorted(
            (sent.answered, sent.id, sent.key)
            for sent in self._sent.values()
            if sent.answered is not None and sent.id is not None
        )
        begun = sorted((sent.began, sent.id, sent.key) for sent in self._sent.values() if sent.id is not None)
        highest, by, at = 0, ("", ""), 0
        for began, id, key in begun:
            while at < len(answered) and answered[at][0] < began:
                if answered[at][1] > highest:
                    highest, by = answered[at][1], answered[at][2]
                at += 1
            if id < highest:
                verdict.reordered.append(f"{key} has {id}, but was sent after {by} was acknowledged as {highest}")


def _judge_reader(reader: str, expected: list[Message], seen: list[Message], verdict: Verdict) -> None:
    _judge_order(reader, seen, verdict)
    kept = {each["id"]: each for each in expected}
    times = Counter(each["id"] for each in seen)
    verdict.lost += [f"{reader} never saw {id}" for id in kept if id not in times]
    verdict.duplicated += [f"{reader} saw {id} {count} times" for id, count in times.items() if count > 1]
    for each in seen:
        original = kept.get(each["id"])
        if original is None:
            verdict.phantom.append(f"{reader} saw {each['id']}, which is not kept")
        elif dict(original) != dict(each):
            verdict.changed.append(f"{reader} saw {each['id']} otherwise than it is kept")


def _judge_order(reader: str, messages: Sequence[Message], verdict: Verdict) -> None:
    verdict.reordered += [
        f"{reader}: {later['id']} after {earlier['id']}"
        for earlier, later in pairwise(messages)
        if later["id"] < earlier["id"]
    ]
