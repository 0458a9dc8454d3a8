"""What holds of a sender's health whatever happens to it, in any order."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from channels import breaker
from channels.breaker import (
    LONGEST_OPEN,
    LONGEST_THROTTLE,
    THRESHOLD,
    UNEXPLAINED_LIMIT,
    UNEXPLAINED_THRESHOLD,
    Health,
    Source,
)
from channels.models import SenderHealth
from channels.types import FailureReason
from tests.channels.sender_life import NOW, Life

F = FailureReason
SMALLEST_COLUMN_ENDS = 32_767  # of PositiveSmallIntegerField on PostgreSQL

STEPS: dict[str, Callable[[Life], object]] = {
    "fail": lambda life: life.fail(),
    "fail by report": lambda life: life.fail(source=Source.REPORT, reason=F.PAYMENT),
    "unexplained": lambda life: life.unexplained(),
    "unexplained by report": lambda life: life.unexplained(source=Source.REPORT),
    "answer": lambda life: life.succeed(),
    "sent": lambda life: life.succeed(source=Source.REPORT, arrived=False),
    "delivered": lambda life: life.succeed(source=Source.REPORT),
    "too fast": lambda life: life.slow(),
    "gate": lambda life: life.gate(),
    "saved": lambda life: setattr(life, "health", breaker.changed(life.health)),
}
lives = st.lists(st.tuples(st.sampled_from(sorted(STEPS)), st.integers(0, 400)), max_size=80)


def lived(steps: list[tuple[str, int]], check: Callable[[Health, Life], None]) -> Life:
    life = Life()
    for name, seconds in steps:
        before = life.health
        life.wait(timedelta(seconds=seconds))
        STEPS[name](life)
        check(before, life)
    return life


@given(lives)
@settings(deadline=None)
def test_every_state_fits_its_row(steps: list[tuple[str, int]]) -> None:
    def check(_before: Health, life: Life) -> None:
        for name, value in asdict(life.health).items():
            column: Any = SenderHealth._meta.get_field(name)
            if isinstance(value, int) and not isinstance(value, bool):
                assert 0 <= value <= 100
            elif isinstance(value, str):
                assert len(value) <= column.max_length

    lived(steps, check)


@given(lives)
@settings(deadline=None)
def test_the_counts_stay_within_their_limits_and_an_open_one_is_alarmed(steps: list[tuple[str, int]]) -> None:
    def check(_before: Health, life: Life) -> None:
        health = life.health
        assert health.call_failures <= THRESHOLD >= health.report_failures
        assert health.unexplained_calls <= UNEXPLAINED_THRESHOLD
        assert health.unexplained_reports <= UNEXPLAINED_LIMIT
        assert timedelta(0) <= health.throttle <= LONGEST_THROTTLE
        assert bool(health.opened_by) is (health.open_until is not None)
        if health.opened_by:
            assert health.alert
            assert health.openings > 0
            assert health.open_until is not None
            assert health.open_until <= life.now + LONGEST_OPEN
        assert not (health.alert and health.recovery_source)

    lived(steps, check)


@given(lives)
@settings(deadline=None)
def test_good_news_never_opens_and_asking_never_alarms(steps: list[tuple[str, int]]) -> None:
    life = lived(steps, lambda _before, _life: None)

    for source in Source:
        after = breaker.succeeded(life.health, source=source, now=life.now)
        assert bool(after.opened_by) <= bool(life.health.opened_by)
        assert after.alert <= life.health.alert
    _, after = breaker.gate(life.health, now=life.now)
    assert (after.alert, after.opened_by) == (life.health.alert, life.health.opened_by)


def test_months_of_failing_probes_fit_the_column() -> None:
    """One every five minutes: after 114 days PostgreSQL refused the row, and with it every failed message."""
    life = Life(Health(opened_by="call", open_until=NOW, openings=SMALLEST_COLUMN_ENDS))
    life.gate()
    life.fail(THRESHOLD)

    assert life.health.openings <= SMALLEST_COLUMN_ENDS
    assert life.health.open_until == NOW + LONGEST_OPEN
