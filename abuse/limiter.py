"""Counting: checks a list of charges together, takes them together, in one round trip.

With Redis one script does it; without (one process) the same under a lock. A rule counts in a window that opens with
its first hit. The same round trip brings the configuration version (core.config_version), makes several posts of one
form one request, and gives the counts that have just come near their ceiling.
"""

import hashlib
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import redis
import structlog

from abuse.errors import RateLimited, Unavailable
from abuse.types import Charge, Charges, Rule
from core import config_version, metrics
from core.config_version import VERSION_KEY
from core.redis import LocalStore, redis_client
from core.redis_client import Client

__all__ = [
    "PERIODS",
    "Charge",
    "Charged",
    "Charges",
    "Memory",
    "Rule",
    "charge",
    "close",
    "round_wait",
    "take",
]

log = structlog.get_logger(__name__)

PERIODS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}  # as AUTHSVC_LIMITS spells them


def round_wait(seconds: float) -> int:
    """A refusal's wait, coarse enough to tell nothing but the order: up to 5 s, to a minute, to an hour."""
    whole = max(1, int(-(-seconds // 1)))
    step = 5 if whole <= 60 else 60 if whole <= 3600 else 3600
    return -(-whole // step) * step


@dataclass(frozen=True, kw_only=True)
class Charged:
    """`version` is that of the configuration (None: not read along); `first` is the id that the first of several
    equal requests brought, when this is not the first; `near` are the charges that brought their count there."""

    version: int | None = None
    first: uuid.UUID | None = None
    near: tuple[Charge, ...] = ()


_SCRIPT = Path(__file__).with_name("charge.lua").read_text(encoding="utf-8")
_SHA = hashlib.sha1(_SCRIPT.encode(), usedforsecurity=False).hexdigest()  # the name that Redis gives it
# How long a form that was posted once is remembered; the unique key of its challenge holds beyond that.
_ONCE_SECONDS = 900
_MOST_WINDOWS = 50_000  # in the memory of one process


def charge(charges: Sequence[Charge], *, once: str = "", candidate: uuid.UUID | None = None) -> Charged:
    """Check all, then take all, or nothing at all.

    `once` names a form: when it was charged before, nothing is charged and `first` is the earlier `candidate`.
    Raises RateLimited (with the longest, rounded wait) and Unavailable when the store is away. Raises Outdated, with
    nothing charged, within `config_version.believing` (its `decide` need not handle it).
    """
    asked, believed, asked_at = Charges.of(charges), config_version.unconfirmed(), time.monotonic()
    try:
        wait_ms, which, version, first, near = take(
            redis_client(), asked, memory=_memory, once=once, candidate=candidate, believed=believed
        )
    except redis.RedisError as error:
        unavailable = _unavailable(error)
        config_version.confirm()
        raise unavailable from error
    config_version.compare(version, asked_at=asked_at)
    if first is not None:
        return Charged(version=version, first=first)
    if wait_ms:
        refused = note_refusal(asked.item(which), wait_ms)
        raise RateLimited(wait_seconds=round_wait(wait_ms / 1000), rule=refused)
    return Charged(version=version, near=tuple(map(asked.item, near)))


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


# The longest wait in milliseconds (-1: the form was charged before, -2: another version is in force), the number of the
# charge that it is for, and the other values of `Charged`, with `near` as numbers.
type Outcome = tuple[int, int, int | None, uuid.UUID | None, list[int]]


def take(
    client: Client | None,
    charges: Charges,
    *,
    memory: "Memory",
    once: str = "",
    candidate: uuid.UUID | None = None,
    believed: int | None = None,
) -> Outcome:
    """One round trip to Redis; without a client `memory` does the same. Raises redis.RedisError.

    `believed`: the version of the configuration that the charges come from; nothing is taken when it is another one.
    """
    if client is None:
        return memory.charge(charges, once=once, candidate=candidate)
    keys = [VERSION_KEY, f"authsvc:once:{once}" if once else "", *charges.keys]
    expected = "" if believed is None else believed
    given = [expected, str(candidate or ""), _ONCE_SECONDS * 1000, charges.template.numbers]
    try:
        answer = client.run("EVALSHA", _SHA, len(keys), *keys, *given)
    except redis.exceptions.NoScriptError:
        answer = client.run("EVAL", _SCRIPT, len(keys), *keys, *given)
    wait, which, version, first, near = answer
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

    def charge(self, charges: Charges, *, once: str = "", candidate: uuid.UUID | None = None) -> Outcome:
        now = time.time()
        with self._windows.lock:
            if once and (seen := self._first.get(once)) and seen[1] > now:
                return -1, 0, None, seen[0], []
            wait, which, taken = self._choose(charges, now)
            if wait:
                return wait, which, None, None, []
            near = [number for number in taken if self._take(charges, number, now)]
            if once and candidate:
                self._first.put(once, (candidate, now + _ONCE_SECONDS))
        return 0, 0, None, None, near

    def close(self, charge: Charge, *, seconds: float) -> None:
        now = time.time()
        with self._windows.lock:
            end = max(self._open(charge.key, now, 0)[1], now + seconds)
            self._put(charge.key, charge.rule.amount, end)

    def _choose(self, charges: Charges, now: float) -> tuple[int, int, list[int]]:
        """The longest wait and whose it is, and which charges are to be taken when there is none."""
        wait, which, taken, number, items = 0, 0, list[int](), 1, charges.template.flat
        while number <= len(items):
            others = range(number + 1, number + 1 + len(items[number - 1].instead))
            left = self._lacks(charges, number, now)
            if not left:
                taken.append(number)
            elif others:
                longest = max(self._lacks(charges, other, now) for other in others)
                if not longest:
                    taken += others
                left = min(left, longest)
            if left > wait:
                wait, which = left, number
            number = others.stop
        return wait, which, taken

    def _lacks(self, charges: Charges, number: int, now: float) -> int:
        """How many milliseconds until there is room; 0 when there is."""
        item = charges.template.flat[number - 1]
        count, end = self._open(charges.keys[number - 1], now, item.rule.period_seconds)
        need = min(item.need, item.rule.amount) or item.need
        return max(round((end - now) * 1000), 1) if item.need and count + need > item.rule.amount else 0

    def _take(self, charges: Charges, number: int, now: float) -> bool:
        """Count it; whether that brought the count near its ceiling."""
        item, key = charges.template.flat[number - 1], charges.keys[number - 1]
        if not item.cost:
            return False
        count, end = self._open(key, now, item.rule.period_seconds)
        self._put(key, count + item.cost, end)
        return count < item.near <= count + item.cost

    def _open(self, key: str, now: float, period: float) -> tuple[int, float]:
        count, end = self._windows.get(key, (0, 0.0))
        return (count, end) if end > now else (0, now + period)

    def _put(self, key: str, count: int, end: float) -> None:
        self._windows.pop(key, None)
        self._windows.put(key, (count, end))


_memory = Memory()
