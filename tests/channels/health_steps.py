"""What happens to a sender's health, one answer or report after the other."""

from datetime import UTC, datetime, timedelta

from channels import breaker
from channels.breaker import Gate, Health, Source, State, Verdict
from channels.types import FailureReason

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
GO, SKIP = Gate(verdict=Verdict.GO), Gate(verdict=Verdict.SKIP)
DOWN, TOKEN = FailureReason.UNAVAILABLE, FailureReason.MISCONFIGURED


def fail(
    health: Health,
    times: int = 1,
    *,
    reason: FailureReason = DOWN,
    source: Source = Source.CALL,
    now: datetime = NOW,
) -> Health:
    for _ in range(times):
        health = breaker.failed(health, source=source, reason=reason, provider_code="7", now=now)
    return health


def succeed(health: Health, *, source: Source = Source.CALL, now: datetime = NOW) -> Health:
    return breaker.succeeded(health, source=source, now=now)


def is_open(health: Health, now: datetime = NOW) -> bool:
    return breaker.state(health, now=now) is State.OPEN
