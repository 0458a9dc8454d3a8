"""The breaker and the throttle over time: whole lives of a sender."""

from dataclasses import replace
from datetime import timedelta

import pytest

from channels.breaker import (
    ALERT_KEPT,
    FIRST_OPEN,
    FIRST_THROTTLE,
    LONGEST_OPEN,
    LONGEST_THROTTLE,
    PROBE_LEASE,
    THRESHOLD,
    UNEXPLAINED_THRESHOLD,
    Health,
    Source,
    State,
    Verdict,
)
from channels.errors import MEANINGS
from channels.types import FailureReason
from tests.channels.sender_life import NOW, Life

SECOND = timedelta(seconds=1)
F = FailureReason
OF_THE_SENDER = sorted(reason for reason, meaning in MEANINGS.items() if meaning.sender)


# Whole lives ------------------------------------------------------------------------------------------


def test_an_outage_from_beginning_to_end() -> None:
    life = Life().fail(THRESHOLD)
    assert (life.state, life.gate().verdict) == (State.OPEN, Verdict.SKIP)

    life.wait(FIRST_OPEN)
    assert life.state is State.HALF_OPEN
    assert life.gate().verdict is Verdict.GO
    assert (life.state, life.gate().verdict) == (State.OPEN, Verdict.SKIP)  # one probe is under way

    life.wait(SECOND).fail()
    assert life.health.open_until == life.now + 2 * FIRST_OPEN

    life.wait(2 * FIRST_OPEN)
    assert life.gate().verdict is Verdict.GO
    life.succeed()
    assert (life.state, life.health.alert, life.health.openings) == (State.CLOSED, True, 0)

    life.wait(ALERT_KEPT).succeed()
    assert life.health.is_clean


def test_after_it_has_closed_the_next_outage_waits_as_short_as_the_first() -> None:
    life = Life().fail(THRESHOLD)
    for _ in range(4):
        life.wait(LONGEST_OPEN).gate()
        life.fail()
    life.wait(LONGEST_OPEN).gate()
    life.succeed().fail(THRESHOLD)

    assert life.health.open_until == life.now + FIRST_OPEN


@pytest.mark.parametrize("moment", [timedelta(0), PROBE_LEASE / 2, PROBE_LEASE - SECOND])
def test_a_probe_under_way_lets_nothing_else_through(moment: timedelta) -> None:
    life = Life().fail(THRESHOLD).wait(FIRST_OPEN)
    life.gate()

    assert life.wait(moment).gate().verdict is Verdict.SKIP


def test_a_probe_that_was_lost_does_not_make_the_wait_longer() -> None:
    life = Life().fail(THRESHOLD).wait(FIRST_OPEN)
    life.gate()
    life.wait(PROBE_LEASE)

    assert life.gate().verdict is Verdict.GO
    life.fail()
    assert life.health.open_until == life.now + 2 * FIRST_OPEN


def test_a_probe_proves_nothing_by_an_answer_where_reports_opened_it() -> None:
    """The account cannot pay: each call is taken, and each message fails."""
    life = Life().fail(THRESHOLD, source=Source.REPORT, reason=F.PAYMENT).wait(FIRST_OPEN)
    life.gate()
    states = [life.succeed(source=source).state for source in (Source.CALL, Source.REPORT)]

    assert states == [State.OPEN, State.CLOSED]


def test_failures_of_the_other_kind_do_not_take_an_open_breaker_over() -> None:
    """Otherwise an answer would close what a report had opened."""
    life = Life().fail(THRESHOLD, source=Source.REPORT).fail(THRESHOLD, source=Source.CALL)

    assert life.health.opened_by == Source.REPORT


@pytest.mark.parametrize("reason", OF_THE_SENDER)
@pytest.mark.parametrize("source", Source)
def test_every_failure_of_the_sender_opens_at_the_fifth(reason: FailureReason, source: Source) -> None:
    life = Life().fail(THRESHOLD - 1, source=source, reason=reason)
    assert life.state is State.CLOSED
    assert life.health.alert is MEANINGS[reason].alert

    life.fail(source=source, reason=reason)

    assert (life.state, life.health.alert, life.health.reason) == (State.OPEN, True, reason)


def test_failures_far_apart_are_in_a_row_all_the_same() -> None:
    """A quiet sender fails once an hour: nothing in between says that it works."""
    life = Life()
    for _ in range(THRESHOLD):
        life.wait(timedelta(hours=1)).fail()

    assert life.state is State.OPEN


def test_explained_and_unexplained_failures_do_not_add_up() -> None:
    life = Life().fail(THRESHOLD - 1).unexplained(UNEXPLAINED_THRESHOLD - 1)

    assert life.state is State.CLOSED


@pytest.mark.parametrize(("after", "kept"), [(ALERT_KEPT - SECOND, True), (ALERT_KEPT, False)])
def test_an_alert_ends_ten_minutes_after_the_last_failure(after: timedelta, kept: bool) -> None:
    life = Life().fail(reason=F.MISCONFIGURED).wait(timedelta(hours=1)).fail(reason=F.MISCONFIGURED)

    life.wait(after).succeed()

    assert life.health.alert is kept
    assert bool(life.health.reason) is kept
    assert life.health.is_clean is not kept


# Throttle ---------------------------------------------------------------------------------------------


def test_the_throttle_doubles_each_second_and_ends_at_its_longest() -> None:
    life, waits = Life(), []
    for _ in range(7):
        life.slow()
        waits.append(life.health.throttle.total_seconds())
        life.wait(SECOND)

    assert waits == [0.1, 0.2, 0.4, 0.8, 1.6, 2.0, 2.0]


def test_good_answers_speed_up_by_a_fifth_each_until_nothing_is_left() -> None:
    life = Life(Health(throttle=LONGEST_THROTTLE))
    count = 0
    while life.health.throttle:
        life.succeed()
        count += 1

    assert count == 17
    assert life.gate().verdict is Verdict.GO


def test_reports_do_not_speed_up() -> None:
    """They are about messages of long ago."""
    life = Life().slow().succeed(source=Source.REPORT)

    assert life.health.throttle == FIRST_THROTTLE


def test_a_message_that_waits_is_told_until_when_and_takes_no_place() -> None:
    life = Life().slow()
    before = life.health

    gate = life.gate()

    assert (gate.verdict, gate.at) == (Verdict.WAIT, NOW + FIRST_THROTTLE)
    assert life.health == before


def test_an_open_breaker_comes_before_the_throttle_and_a_probe_does_not_wait() -> None:
    life = Life().slow().fail(THRESHOLD)
    assert life.gate().verdict is Verdict.SKIP

    life.wait(FIRST_OPEN)
    life.health = replace(life.health, next_at=life.now + SECOND)
    assert life.gate().verdict is Verdict.GO
