"""Counting: checks a list of charges together, takes them together, in one round trip.

With Redis one script does it; without (one process) the same under a lock. A rule counts in a window that opens with
its first hit. The same round trip brings the configuration version (projects.config) and makes several posts of one
form one request.
"""

import threading
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import redis
import structlog

from otp.errors import RateLimited, Unavailable
from otp.policy import round_wait
from projects import metrics
from projects.config import VERSION_KEY
from projects.kv import Client, redis_client

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class Rule:
    name: str
    amount: int
    period_seconds: float


@dataclass(frozen=True, kw_only=True)
class Charge:
    """One rule for one subject. `need`: how much must be free (0: do not check); `cost`: how much is taken."""

    rule: Rule
    subject: str
    need: int = 1
    cost: int = 1

    @property
    def key(self) -> str:
        return f"authsvc:limit:{self.rule.name}:{self.rule.period_seconds:g}:{self.subject}"


@dataclass(frozen=True, kw_only=True)
class Charged:
    """`version` is that of the configuration (None: not read along); `first` is the id that the first of several
    equal requests brought, when this is not the first."""

    version: int | None = None
    first: uuid.UUID | None = None


_SCRIPT = """
local version = redis.call('GET', KEYS[1])
if KEYS[2] ~= '' then
  local first = redis.call('GET', KEYS[2])
  if first then return {-1, 0, version, first} end
end
local wait, which = 0, 0
for i = 3, #KEYS do
  local a = (i - 3) * 4
  local amount, need = tonumber(ARGV[a + 3]), tonumber(ARGV[a + 4])
  if need > amount then need = amount end
  if ARGV[a + 4] ~= '0' and (amount == 0 or tonumber(redis.call('GET', KEYS[i]) or '0') + need > amount) then
    local left = redis.call('PTTL', KEYS[i])
    if left < 0 then left = tonumber(ARGV[a + 6]) end
    if left > wait then wait, which = left, i - 2 end
  end
end
if wait > 0 then return {wait, which, version, false} end
for i = 3, #KEYS do
  local a = (i - 3) * 4
  local cost = tonumber(ARGV[a + 5])
  if cost > 0 and redis.call('INCRBY', KEYS[i], cost) == cost then redis.call('PEXPIRE', KEYS[i], ARGV[a + 6]) end
end
if KEYS[2] ~= '' then redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2]) end
return {0, 0, version, false}
"""
# How long a form that was posted once is remembered; the unique key of its challenge holds beyond that.
_ONCE_SECONDS = 900


def charge(charges: Sequence[Charge], *, once: str = "", candidate: uuid.UUID | None = None) -> Charged:
    """Check all, then take all, or nothing at all.

    `once` names a form: when it was charged before, nothing is charged and `first` is the earlier `candidate`.
    Raises RateLimited (with the longest, rounded wait) and Unavailable when the store is away.
    """
    client = redis_client()
    try:
        wait_ms, which, version, first = (
            _memory.charge(charges, once=once, candidate=candidate)
            if client is None
            else _charge_redis(client, charges, once=once, candidate=candidate)
        )
    except redis.RedisError as error:
        log.warning("limits.unavailable", error=type(error).__name__)
        raise Unavailable("the limiter's store is away") from error
    if first is not None:
        return Charged(version=version, first=first)
    if wait_ms:
        refused = charges[which - 1].rule.name
        metrics.LIMITED.labels(refused).inc()
        log.info("limits.refused", rule=refused, wait_ms=wait_ms)
        raise RateLimited(wait_seconds=round_wait(wait_ms / 1000))
    return Charged(version=version)


type _Outcome = tuple[int, int, int | None, uuid.UUID | None]


@lru_cache(maxsize=4)
def _script(client: Client) -> redis.commands.core.Script:
    return client.register_script(_SCRIPT)


def _charge_redis(
    client: Client, charges: Sequence[Charge], *, once: str, candidate: uuid.UUID | None
) -> _Outcome:
    arguments: list[str | int] = [str(candidate or ""), _ONCE_SECONDS * 1000]
    for item in charges:
        arguments += [item.rule.amount, item.need, item.cost, int(item.rule.period_seconds * 1000)]
    keys = [VERSION_KEY, f"authsvc:once:{once}" if once else "", *(item.key for item in charges)]
    wait, which, version, first = _script(client)(keys=keys, args=arguments)
    return (
        int(wait),
        int(which),
        int(version) if version is not None else None,
        uuid.UUID(first.decode()) if first else None,
    )


class _Memory:
    """The same for one process. Bounded: closed windows are dropped when the table grows."""

    _SWEEP_AT = 10_000

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[str, tuple[int, float]] = {}  # key → count, end of its window
        self._first: dict[str, tuple[uuid.UUID, float]] = {}

    def charge(self, charges: Sequence[Charge], *, once: str, candidate: uuid.UUID | None) -> _Outcome:
        now = time.time()
        with self._lock:
            if once and (seen := self._first.get(once)) and seen[1] > now:
                return -1, 0, None, seen[0]
            wait, which = 0, 0
            for number, item in enumerate(charges, 1):
                count, end = self._open(item.key, now, item.rule.period_seconds)
                need = min(item.need, item.rule.amount) or item.need
                if (
                    item.need
                    and count + need > item.rule.amount
                    and (left := int((end - now) * 1000) + 1) > wait
                ):
                    wait, which = left, number
            if wait:
                return wait, which, None, None
            for item in charges:
                count, end = self._open(item.key, now, item.rule.period_seconds)
                self._counts[item.key] = (count + item.cost, end)
            if once and candidate:
                self._first[once] = (candidate, now + _ONCE_SECONDS)
            self._sweep(now)
        return 0, 0, None, None

    def _open(self, key: str, now: float, period: float) -> tuple[int, float]:
        count, end = self._counts.get(key, (0, 0.0))
        return (count, end) if end > now else (0, now + period)

    def _sweep(self, now: float) -> None:
        if len(self._counts) > self._SWEEP_AT:
            self._counts = {key: kept for key, kept in self._counts.items() if kept[1] > now}
        if len(self._first) > self._SWEEP_AT:
            self._first = {key: kept for key, kept in self._first.items() if kept[1] > now}

    def clear(self) -> None:
        with self._lock:
            self._counts.clear()
            self._first.clear()


_memory = _Memory()


def clear_memory() -> None:
    """Forget all counts of this process (tests)."""
    _memory.clear()
