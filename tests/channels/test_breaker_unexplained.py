"""Failures of which nobody knows whose fault they are. P5."""

from datetime import datetime

import pytest

from channels import breaker
from channels.breaker import FIRST_OPEN, Health, Source
from channels.types import FailureReason
from tests.channels.health_steps import NOW, is_open, succeed

UNKNOWN = FailureReason.UNKNOWN


def puzzle(health: Health, times: int, *, source: Source = Source.CALL, now: datetime = NOW) -> Health:
    for _ in range(times):
        health = breaker.unexplained(health, source=source, reason=UNKNOWN, provider_code="30999", now=now)
    return health


@pytest.mark.parametrize("source", Source)
def test_ten_unexplained_failures_in_a_row_are_the_senders(source: Source) -> None:
    """P5: any code that we do not know, any 4xx."""
    assert breaker.UNEXPLAINED_THRESHOLD == 10
    nine = puzzle(Health(), 9, source=source)
    assert not is_open(nine)
    assert not nine.alert
    assert (nine.reason, nine.provider_code, nine.since) == ("", "", None)

    ten = puzzle(nine, 1, source=source)

    assert is_open(ten)
    assert ten.alert
    assert (ten.reason, ten.provider_code, ten.since, ten.failed_at) == ("unknown", "30999", NOW, NOW)
    assert ten.opened_by == source


@pytest.mark.parametrize("source", Source)
def test_a_success_between_unexplained_failures_starts_the_count_again(source: Source) -> None:
    health = puzzle(Health(), 9, source=source)
    health = succeed(health, source=source)

    assert health.is_clean
    assert not is_open(puzzle(health, 9, source=source))


def test_answers_and_reports_are_counted_apart() -> None:
    both = puzzle(puzzle(Health(), 9), 9, source=Source.REPORT)

    assert not is_open(both)
    assert succeed(both).unexplained_reports == 18
    assert succeed(both, source=Source.REPORT).unexplained_calls == 9


def sent(health: Health) -> Health:
    return breaker.succeeded(health, source=Source.REPORT, now=NOW, arrived=False)


def test_a_route_that_says_sent_before_each_failure_is_seen_all_the_same() -> None:
    """Twilio posts `sent`, then `undelivered`, of every single message."""
    health, messages = Health(), 0
    while not is_open(health) and messages < 100:
        health = puzzle(sent(health), 1, source=Source.REPORT)
        messages += 1

    assert messages == 19


@pytest.mark.parametrize("failing", [1, 2])
def test_a_route_that_never_says_delivered_is_not_blamed_for_the_few_that_fail(failing: int) -> None:
    """Four sent for each one or two that fail, for a long time."""
    health = Health()
    for _ in range(200):
        for _ in range(4):
            health = sent(health)
        health = puzzle(health, failing, source=Source.REPORT)

    assert not health.alert
    assert not is_open(health)


def test_unexplained_failures_are_counted_no_further_than_needed() -> None:
    """The columns are small integers, and one success must be enough afterwards."""
    health = puzzle(puzzle(Health(), 500), 500, source=Source.REPORT)

    assert (health.unexplained_calls, health.unexplained_reports) == (10, 20)


def test_a_probe_that_fails_without_reason_opens_it_for_longer() -> None:
    health = puzzle(Health(), 10)
    later = NOW + FIRST_OPEN
    _, probing = breaker.gate(health, now=later)

    again = puzzle(probing, 1, now=later)

    assert again.open_until == later + FIRST_OPEN * 2


def test_a_changed_sender_forgets_unexplained_failures_and_has_to_prove_itself() -> None:
    assert breaker.changed(puzzle(Health(), 9)) == Health()
    assert breaker.changed(puzzle(Health(), 10)) == Health(recovery_source="call")
    assert breaker.changed(puzzle(Health(), 10, source=Source.REPORT)) == Health(recovery_source="report")


def test_an_unexplained_alarm_after_a_change_is_told_anew() -> None:
    interrupted = breaker.changed(puzzle(Health(), 10))

    assert puzzle(interrupted, 10).recovery_source == ""
