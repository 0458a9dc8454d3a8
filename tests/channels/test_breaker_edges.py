"""The breaker at its edges, found by mutation testing."""

from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta

import pytest

from channels import breaker
from channels.breaker import THRESHOLD, UNEXPLAINED_THRESHOLD, Health, Source, State
from channels.types import FailureReason

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
LONG_CODE = "x" * 25


def failed(health: Health, source: Source) -> Health:
    return breaker.failed(
        health, source=source, reason=FailureReason.UNAVAILABLE, provider_code=LONG_CODE, now=NOW
    )


def unexplained(health: Health, source: Source) -> Health:
    return breaker.unexplained(
        health, source=source, reason=FailureReason.UNKNOWN, provider_code=LONG_CODE, now=NOW
    )


def throttled(*moments: float) -> timedelta:
    """The wait after the provider said "too fast" at these seconds."""
    health = Health()
    for moment in moments:
        health = breaker.slowed(health, now=NOW + timedelta(seconds=moment))
    assert health.next_at
    return health.next_at - NOW - timedelta(seconds=moments[-1])


@pytest.mark.parametrize("source", Source)
def test_each_failure_counts_once(source: Source) -> None:
    health = Health()
    for _ in range(THRESHOLD - 1):
        health = failed(health, source)
    assert breaker.state(health, now=NOW) is State.CLOSED

    assert breaker.state(failed(health, source), now=NOW) is State.OPEN


def test_a_long_code_of_a_provider_fits_its_column() -> None:
    assert failed(Health(), Source.CALL).provider_code == "x" * 20

    health = Health()
    for _ in range(UNEXPLAINED_THRESHOLD):
        health = unexplained(health, Source.CALL)
    assert health.provider_code == "x" * 20


def test_a_report_counts_as_arrived_if_nothing_else_is_said() -> None:
    health = unexplained(Health(), Source.REPORT)

    assert breaker.succeeded(health, source=Source.REPORT, now=NOW).unexplained_reports == 0


def test_reports_of_both_kinds_make_the_report_the_source_of_recovery() -> None:
    health = replace(Health(), alert=True, report_failures=1, unexplained_reports=1)

    assert Source.REPORT.value in asdict(breaker.changed(health)).values()


@pytest.mark.parametrize(
    ("moments", "milliseconds"),
    [([0], 100), ([0, 0.999], 100), ([0, 1], 200), ([0, 1, 1.5], 200), ([0, 1, 2, 3], 800)],
    ids=["first", "within a second", "a second later", "within the next second", "again and again"],
)
def test_the_wait_doubles_at_most_once_a_second(moments: list[float], milliseconds: int) -> None:
    assert throttled(*moments) == timedelta(milliseconds=milliseconds)


def test_a_throttle_that_has_just_ended_starts_at_the_first_wait() -> None:
    health = breaker.slowed(Health(), now=NOW)
    for _ in range(4):
        health = breaker.succeeded(health, source=Source.CALL, now=NOW)

    again = breaker.slowed(health, now=NOW + timedelta(milliseconds=500))

    assert again.next_at == NOW + timedelta(milliseconds=600)


def test_the_shortest_wait_is_half_of_the_first() -> None:
    assert breaker._faster(timedelta(microseconds=62_500)) == timedelta(milliseconds=50)
    assert breaker._faster(timedelta(microseconds=62_000)) == timedelta(0)
