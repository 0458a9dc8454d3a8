"""Ceilings on stored rows and CPU work for unauthenticated callers: a count in a window, in one round trip.

In Redis when there is one, else in this process, also while Redis is away: nothing here costs money, so an
outage refuses nothing. What costs money has the limits of abuse.rules.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import redis
import structlog
from django.conf import settings

from abuse.limiter import PERIODS, Charge, Charges, Memory, Rule, note_refusal, take
from core.redis import redis_client

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class Ceiling:
    amount: int
    seconds: int


# name → how many in how long. AUTHSVC_LIMITS replaces single ones, as those of abuse.rules.
CEILINGS: Mapping[str, Ceiling] = {
    "push.address": Ceiling(amount=60, seconds=600),
    "push.client": Ceiling(amount=1000, seconds=600),
    "keep.address": Ceiling(amount=60, seconds=600),
    "keep.client": Ceiling(amount=1000, seconds=600),
    "idempotency.address": Ceiling(amount=120, seconds=600),
    "idempotency.client": Ceiling(amount=6000, seconds=600),
    "secret.address": Ceiling(amount=20, seconds=600),
    "secret.client": Ceiling(amount=100, seconds=3600),
    "stats.address": Ceiling(amount=120, seconds=60),
    "stats.token": Ceiling(amount=60, seconds=60),
}


class TooMany(Exception):
    """Refused for so long."""

    def __init__(self, *, wait_seconds: int) -> None:
        super().__init__(f"wait {wait_seconds} s")
        self.wait_seconds = wait_seconds


def ceiling(name: str) -> Ceiling:
    """The one in force. A setting of another form stops the start (abuse.rules)."""
    text = settings.AUTHSVC_LIMITS.get(name, "")
    amount, _, period = text.partition("/")
    if not text:
        return CEILINGS[name]
    return Ceiling(amount=int(amount), seconds=int(period[:-1]) * PERIODS[period[-1:]])


def charge(*counts: tuple[str, str]) -> None:
    """Count one for each (ceiling, subject), or for none of them. Raises TooMany."""
    charges = Charges.of([_charge(name, subject) for name, subject in counts])
    try:
        wait, which, *_ = take(redis_client(), charges, memory=_memory)
    except redis.RedisError as error:
        log.warning("throttle.store_away", error=type(error).__name__)
        wait, which, *_ = _memory.charge(charges)
    if wait:
        note_refusal(charges.item(which), wait)
        raise TooMany(wait_seconds=-(-wait // 1000))


def _charge(name: str, subject: str) -> Charge:
    limit = ceiling(name)
    return Charge(rule=Rule(name=name, amount=limit.amount, period_seconds=limit.seconds), subject=subject)


_memory = Memory()  # not the limiter's: strangers who fill it push no limit out
