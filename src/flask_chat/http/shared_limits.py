"""Limits that all processes of a chat count together, on its Redis.

While Redis is away each process counts by itself: somebody who is refused on one node may have another try on the
next, and nobody is refused because of Redis.
"""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable, Hashable
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from ..chat.errors import TooFast
from .limits import Bucket, Counter

WITHIN = 0.25
"""Seconds in which Redis has to answer: somebody waits for it."""

AWAY = 5.0
"""Seconds for which Redis is not asked again after it did not answer."""

# The generic cell rate algorithm, in one step of Redis, on Redis's own clock, which all processes share. What is kept
# is the moment at which the bucket will be full again. It is never further away than the whole bucket takes: if it is,
# the clock was set back, and whoever it was begins anew.
_TAKE = """
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
local step, whole = tonumber(ARGV[1]), tonumber(ARGV[2])
local full = tonumber(redis.call('GET', KEYS[1]) or now)
if full < now or full > now + whole + 0.001 then full = now end
full = full + step
local over = full - now - whole
if over > 0.000001 then return tostring(over) end
redis.call('SET', KEYS[1], string.format('%.6f', full), 'PX', math.ceil((full - now) * 1000))
return '0'
"""


class SharedLimits:
    """Makes counters on a Redis. ``chat`` tells this chat's keys from others' there."""

    def __init__(self, url: str, chat: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._client: redis.Redis = redis.Redis.from_url(
            url, socket_timeout=WITHIN, socket_connect_timeout=WITHIN, retry=Retry(NoBackoff(), 0)
        )
        self._take: Any = self._client.register_script(_TAKE)
        self._chat, self._clock = chat, clock
        self._not_before = -math.inf

    def __call__(self, name: str, rate: float, burst: int, reason: str) -> Counter:
        """A counter of that name, as :class:`flask_chat.http.limits.Bucket`."""
        return _Shared(self, name, rate, burst, reason)

    def over(self, name: str, key: Hashable, rate: float, burst: int) -> float | None:
        """Count one. 0 if it goes through, else the seconds to wait; None if Redis does not answer."""
        if self._clock() < self._not_before:
            return None
        # Names and addresses are nobody's business there.
        place = hashlib.blake2b(str(key).encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
        try:
            said = self._take(keys=[f"flask-chat:{self._chat}:limit:{name}:{place}"], args=[1 / rate, burst / rate])
        except (redis.RedisError, OSError):
            self._not_before = self._clock() + AWAY
            return None
        return float(said)

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()


class _Shared:
    def __init__(self, limits: SharedLimits, name: str, rate: float, burst: int, reason: str) -> None:
        self._limits, self._name, self._rate, self._burst, self._reason = limits, name, rate, burst, reason
        self._alone = Bucket(rate, burst, reason)

    def take(self, key: Hashable) -> None:
        """Count one. Raises :class:`TooFast` if it is one too many, which then does not count."""
        over = self._limits.over(self._name, key, self._rate, self._burst)
        if over is None:
            self._alone.take(key)
        elif over > 0:
            raise TooFast(self._reason, max(1, math.ceil(over)))
