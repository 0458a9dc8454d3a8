"""Counting: checks a list of charges together, takes them together, in one round trip.

With Redis one script does it; without (one process) the same under a lock. A rule counts in a window that opens with
its first hit. The same round trip brings the configuration version (projects.config), makes several posts of one
form one request, and gives the counts that have just come near their ceiling.
"""

import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import redis
import structlog

from abuse.errors import RateLimited, Unavailable
from core import metrics
from core.config_version import VERSION_KEY
from core.redis import Client, LocalStore, redis_client

log = structlog.get_logger(__name__)

PERIODS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}  # as AUTHSVC_LIMITS spells them


def round_wait(seconds: float) -> int:
    """A refusal's wait, coarse enough to tell nothing but the order: up to 5 s, to a minute, to an hour."""
    whole = max(1, int(-(-seconds // 1)))
    step = 5 if whole <= 60 else 60 if whole <= 3600 else 3600
    return -(-whole // step) * step


@dataclass(frozen=True, kw_only=True)
class Rule:
    name: str
    amount: int
    period_seconds: float


@dataclass(frozen=True, kw_only=True)
class Charge:
    """One rule for one subject. `need`: how much must be free (0: do not check); `cost`: how much is taken.

    `instead`: when there is no room, these are checked and taken in its place. `near`: the count at which the
    operator is notified (0: never), and `place` what the notice names.
    """

    rule: Rule
    subject: str
    need: int = 1
    cost: int = 1
    instead: tuple["Charge", ...] = ()
    near: int = 0
    place: str = ""

    @property
    def key(self) -> str:
        return f"authsvc:limit:{self.rule.name}:{self.rule.period_seconds:g}:{self.subject}"


@dataclass(frozen=True, kw_only=True)
class Charged:
    """`version` is that of the configuration (None: not read along); `first` is the id that the first of several
    equal requests brought, when this is not the first; `near` are the charges that brought their count there."""

    version: int | None = None
    first: uuid.UUID | None = None
    near: tuple[Charge, ...] = ()


# ARGV: the candidate, how long a form is remembered, and in one word of numbers (which costs less than as many words)
# six for each key from the third on: amount, need, cost, period, near, and how many keys behind it stand instead of it.
_SCRIPT = """
local version = redis.call('GET', KEYS[1])
if KEYS[2] ~= '' then
  local first = redis.call('GET', KEYS[2])
  if first then return {-1, 0, version, first, ''} end
end
local given = {}
for number in string.gmatch(ARGV[3], '%d+') do given[#given + 1] = tonumber(number) end
local function lacks(i)
  local a = (i - 3) * 6
  local amount, need = given[a + 1], given[a + 2]
  if need == 0 then return 0 end
  need = math.min(need, amount)
  if amount > 0 and tonumber(redis.call('GET', KEYS[i]) or '0') + need <= amount then return 0 end
  local left = redis.call('PTTL', KEYS[i])
  return left < 0 and given[a + 4] or left
end
local wait, which, taken, i = 0, 0, {}, 3
while i <= #KEYS do
  local left, others = lacks(i), given[(i - 3) * 6 + 6]
  if left == 0 then
    taken[#taken + 1] = i
  elseif others > 0 then
    local longest = 0
    for j = i + 1, i + others do longest = math.max(longest, lacks(j)) end
    if longest == 0 then
      for j = i + 1, i + others do taken[#taken + 1] = j end
    end
    left = math.min(left, longest)
  end
  if left > wait then wait, which = left, i - 2 end
  i = i + 1 + others
end
if wait > 0 then return {wait, which, version, false, ''} end
local near = ''
for _, i in ipairs(taken) do
  local a = (i - 3) * 6
  local cost, mark = given[a + 3], given[a + 5]
  if cost > 0 then
    local count = redis.call('INCRBY', KEYS[i], cost)
    if count == cost then redis.call('PEXPIRE', KEYS[i], given[a + 4]) end
    if count - cost < mark and count >= mark then near = near .. ' ' .. (i - 2) end
  end
end
if KEYS[2] ~= '' then redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2]) end
return {0, 0, version, false, near}
"""
# How long a form that was posted once is remembered; the unique key of its challenge holds beyond that.
_ONCE_SECONDS = 900
_MOST_WINDOWS = 50_000  # in the memory of one process


def charge(charges: Sequence[Charge], *, once: str = "", candidate: uuid.UUID | None = None) -> Charged:
    """Check all, then take all, or nothing at all.

    `once` names a form: when it was charged before, nothing is charged and `first` is the earlier `candidate`.
    Raises RateLimited (with the longest, rounded wait) and Unavailable when the store is away.
    """
    items = _flat(charges)
    try:
        wait_ms, which, version, first, near = take(
            redis_client(), items, memory=_memory, once=once, candidate=candidate
        )
    except redis.RedisError as error:
        raise _unavailable(error) from error
    if first is not None:
        return Charged(version=version, first=first)
    if wait_ms:
        refused = note_refusal(items[which - 1], wait_ms)
        raise RateLimited(wait_seconds=round_wait(wait_ms / 1000), rule=refused)
    return Charged(version=version, near=tuple(items[number - 1] for number in near))


def note_refusal(charge: Charge, wait_ms: int) -> str:
    """Log and count it; the name of the rule that refused."""
    metrics.LIMITED.labels(charge.rule.name).inc()
    log.info("limits.refused", rule=charge.rule.name, wait_ms=wait_ms)
    return charge.rule.name


def _unavailable(error: redis.RedisError) -> Unavailable:
    log.warning("limits.unavailable", error=type(error).__name__)
    return Unavailable("the limiter's store is away")


def close(charge: Charge, *, seconds: float) -> None:
    """Fill the count of `charge` for so long, or for longer when that is what it is already. Raises Unavailable."""
    client = redis_client()
    if client is None:
        _memory.close(charge, seconds=seconds)
        return
    try:
        with client.pipeline(transaction=True) as steps:
            steps.set(charge.key, charge.rule.amount, px=int(seconds * 1000), nx=True)
            steps.set(charge.key, charge.rule.amount, keepttl=True)  # a window that is open already
            steps.pexpire(charge.key, int(seconds * 1000), gt=True)
            steps.execute()
    except redis.RedisError as error:
        raise _unavailable(error) from error


def _flat(charges: Sequence[Charge]) -> list[Charge]:
    """Each charge, and behind it those that stand instead of it."""
    items: list[Charge] = []
    for item in charges:
        items.append(item)
        items += item.instead
    return items


# The longest wait in milliseconds (-1: the form was charged before), the number of the charge that it is for, and the
# other values of `Charged`, with `near` as numbers.
type Outcome = tuple[int, int, int | None, uuid.UUID | None, list[int]]


@lru_cache(maxsize=4)
def _script(client: Client) -> redis.commands.core.Script:
    return client.register_script(_SCRIPT)


def take(
    client: Client | None,
    charges: Sequence[Charge],
    *,
    memory: "Memory",
    once: str = "",
    candidate: uuid.UUID | None = None,
) -> Outcome:
    """One round trip to Redis; without a client `memory` does the same. Raises redis.RedisError."""
    if client is None:
        return memory.charge(charges, once=once, candidate=candidate)
    numbers = " ".join(
        f"{item.rule.amount} {item.need} {item.cost} {int(item.rule.period_seconds * 1000)} {item.near} "
        f"{len(item.instead)}"
        for item in charges
    )
    arguments: list[str | int] = [str(candidate or ""), _ONCE_SECONDS * 1000, numbers]
    keys = [VERSION_KEY, f"authsvc:once:{once}" if once else "", *(item.key for item in charges)]
    wait, which, version, first, near = _script(client)(keys=keys, args=arguments)
    return (
        int(wait),
        int(which),
        int(version) if version is not None else None,
        uuid.UUID(first.decode()) if first else None,
        [int(number) for number in near.split()],
    )


class Memory:
    """The counts of one process. Beyond so many, those that were added to longest ago are forgotten."""

    def __init__(self) -> None:
        # key → count, end of its window; form → its first candidate, until when it is remembered
        self._windows: LocalStore[str, tuple[int, float]] = LocalStore(max_entries=_MOST_WINDOWS)
        self._first: LocalStore[str, tuple[uuid.UUID, float]] = LocalStore(max_entries=_MOST_WINDOWS)

    def charge(
        self, charges: Sequence[Charge], *, once: str = "", candidate: uuid.UUID | None = None
    ) -> Outcome:
        now = time.time()
        with self._windows.lock:
            if once and (seen := self._first.get(once)) and seen[1] > now:
                return -1, 0, None, seen[0], []
            wait, which, taken = self._choose(charges, now)
            if wait:
                return wait, which, None, None, []
            near = [number for number in taken if self._take(charges[number - 1], now)]
            if once and candidate:
                self._first.put(once, (candidate, now + _ONCE_SECONDS))
        return 0, 0, None, None, near

    def close(self, charge: Charge, *, seconds: float) -> None:
        now = time.time()
        with self._windows.lock:
            end = max(self._open(charge.key, now, 0)[1], now + seconds)
            self._put(charge.key, charge.rule.amount, end)

    def _choose(self, charges: Sequence[Charge], now: float) -> tuple[int, int, list[int]]:
        """The longest wait and whose it is, and which charges are to be taken when there is none."""
        wait, which, taken, number = 0, 0, list[int](), 1
        while number <= len(charges):
            item = charges[number - 1]
            others = range(number + 1, number + 1 + len(item.instead))
            left = self._lacks(item, now)
            if not left:
                taken.append(number)
            elif others:
                longest = max(self._lacks(charges[other - 1], now) for other in others)
                if not longest:
                    taken += others
                left = min(left, longest)
            if left > wait:
                wait, which = left, number
            number = others.stop
        return wait, which, taken

    def _lacks(self, item: Charge, now: float) -> int:
        """How many milliseconds until there is room; 0 when there is."""
        count, end = self._open(item.key, now, item.rule.period_seconds)
        need = min(item.need, item.rule.amount) or item.need
        return max(round((end - now) * 1000), 1) if item.need and count + need > item.rule.amount else 0

    def _take(self, item: Charge, now: float) -> bool:
        """Count it; whether that brought the count near its ceiling."""
        if not item.cost:
            return False
        count, end = self._open(item.key, now, item.rule.period_seconds)
        self._put(item.key, count + item.cost, end)
        return count < item.near <= count + item.cost

    def _open(self, key: str, now: float, period: float) -> tuple[int, float]:
        count, end = self._windows.get(key, (0, 0.0))
        return (count, end) if end > now else (0, now + period)

    def _put(self, key: str, count: int, end: float) -> None:
        self._windows.pop(key, None)
        self._windows.put(key, (count, end))


_memory = Memory()
