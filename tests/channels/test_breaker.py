"""When a sender is skipped, probed and slowed down: by table and by chance."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels import breaker
from channels.breaker import FIRST_OPEN, Gate, Health, Source, State, Verdict
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


@pytest.mark.parametrize("reason", [DOWN, TOKEN, FailureReason.TEMPLATE_PAUSED, FailureReason.PAYMENT])
def test_failures_in_a_row_open_it(reason: FailureReason) -> None:
    before = fail(Health(), 4, reason=reason)

    assert not is_open(before)
    assert is_open(fail(before, reason=reason))


def test_a_success_in_between_starts_the_count_again() -> None:
    health = fail(succeed(fail(Health(), 4)), 4)

    assert breaker.state(health, now=NOW) is State.CLOSED
    assert is_open(fail(health))


def test_an_open_one_skips_until_its_first_probe_and_then_lets_one_through() -> None:
    health = fail(Health(), 5)
    later = NOW + FIRST_OPEN

    assert breaker.gate(health, now=later - SECOND)[0] == SKIP
    probe, waiting = breaker.gate(health, now=later)
    assert probe == GO
    assert breaker.gate(waiting, now=later)[0] == SKIP


def test_a_probe_that_nobody_reports_is_followed_by_another() -> None:
    _, waiting = breaker.gate(fail(Health(), 5), now=NOW + FIRST_OPEN)

    assert breaker.gate(waiting, now=NOW + FIRST_OPEN + breaker.PROBE_LEASE)[0] == GO


def test_a_good_probe_closes_it() -> None:
    _, waiting = breaker.gate(fail(Health(), 5), now=NOW + FIRST_OPEN)

    health = succeed(waiting, now=NOW + FIRST_OPEN)

    assert breaker.state(health, now=NOW + FIRST_OPEN) is State.CLOSED
    assert breaker.gate(health, now=NOW + FIRST_OPEN)[0] == GO


def test_each_bad_probe_doubles_the_wait_up_to_a_cap() -> None:
    health, now = fail(Health(), 5), NOW
    waits = []
    for _ in range(8):
        assert health.open_until
        now = health.open_until
        _, health = breaker.gate(health, now=now)
        health = fail(health, now=now)
        assert health.open_until
        waits.append((health.open_until - now).total_seconds())

    assert waits == [10, 20, 40, 80, 160, 300, 300, 300]


def test_stragglers_do_not_lengthen_the_wait() -> None:
    """Calls that were under way when it opened fail after it."""
    health = fail(Health(), 5)

    assert (
        fail(health, 20).open_until
        == fail(health, 20, now=NOW + 2 * FIRST_OPEN).open_until
        == health.open_until
    )


@pytest.mark.parametrize(("opener", "other"), [(Source.CALL, Source.REPORT), (Source.REPORT, Source.CALL)])
def test_it_is_closed_by_the_kind_of_news_that_opened_it(opener: Source, other: Source) -> None:
    """A payment problem lets calls through and fails in reports: an accepted call proves nothing then."""
    health = fail(Health(), 5, source=opener)

    assert is_open(succeed(health, source=other))
    assert not is_open(succeed(health, source=opener))


def test_an_alert_is_raised_at_the_first_failure_that_somebody_has_to_mend() -> None:
    assert fail(Health(), reason=TOKEN).alert
    assert not fail(Health(), 4, reason=DOWN).alert
    assert fail(Health(), 5, reason=DOWN).alert


def test_an_alert_outlives_good_news_for_a_while() -> None:
    """One template of several is missing: it must not blink."""
    health = fail(Health(), reason=TOKEN)
    soon, late = NOW + SECOND, NOW + breaker.ALERT_KEPT

    assert succeed(health, now=soon).alert
    assert succeed(health, now=soon).call_failures == 0
    assert succeed(health, now=late).is_clean
    assert succeed(health, now=late) == Health()


def test_too_fast_slows_down_and_good_answers_speed_up() -> None:
    slow = breaker.slowed(Health(), now=NOW)
    slower = breaker.slowed(slow, now=NOW + 2 * SECOND)

    assert slow.pace == breaker.FIRST_PACE
    assert slower.pace == 2 * breaker.FIRST_PACE
    health = slower
    for _ in range(20):
        health = succeed(health)
    assert health.is_clean


def test_answers_to_calls_of_one_moment_are_one_too_fast() -> None:
    health = Health()
    for _ in range(50):
        health = breaker.slowed(health, now=NOW)

    assert health.pace == breaker.FIRST_PACE


def test_the_pace_has_a_floor() -> None:
    health = Health()
    for nth in range(50):
        health = breaker.slowed(health, now=NOW + nth * 2 * SECOND)

    assert health.pace == breaker.LONGEST_PACE


def test_the_pace_lets_one_message_through_in_each_gap() -> None:
    health = breaker.slowed(Health(), now=NOW)
    sent = []
    for tenth in range(100):
        now = NOW + timedelta(milliseconds=10 * tenth)
        verdict, health = breaker.gate(health, now=now)
        if verdict == GO:
            sent.append(tenth)
        else:
            assert verdict.verdict is Verdict.WAIT
            assert verdict.at is not None
            assert verdict.at > now

    assert sent == [10, 20, 30, 40, 50, 60, 70, 80, 90]


def test_a_well_sender_is_never_held() -> None:
    assert breaker.gate(Health(), now=NOW) == (GO, Health())
    assert Health().is_clean


steps = st.lists(
    st.tuples(
        st.sampled_from(["fail", "token", "ok", "slow", "gate"]), st.sampled_from(Source), st.integers(0, 60)
    ),
    max_size=60,
)


@given(steps)
def test_whatever_happened_the_way_back_is_open(done: list[tuple[str, Source, int]]) -> None:
    """No order of events shuts a sender for good: probes come, and good news of both kinds makes it well."""
    health, now = Health(), NOW
    for what, source, seconds in done:
        now += timedelta(seconds=seconds)
        match what:
            case "fail":
                health = fail(health, source=source, now=now)
            case "token":
                health = fail(health, source=source, reason=TOKEN, now=now)
            case "ok":
                health = succeed(health, source=source, now=now)
            case "slow":
                health = breaker.slowed(health, now=now)
            case _:
                _, health = breaker.gate(health, now=now)

    now += breaker.LONGEST_OPEN
    verdict, health = breaker.gate(health, now=now)
    assert verdict == GO
    now += breaker.ALERT_KEPT
    for _ in range(40):
        for source in Source:
            health = succeed(health, source=source, now=now)
    assert health == Health(paced_at=health.paced_at, next_at=health.next_at)
    assert health.is_clean


@pytest.mark.parametrize(
    ("source", "reason", "times"),
    [
        (Source.CALL, TOKEN, 1),
        (Source.CALL, DOWN, 5),
        (Source.REPORT, FailureReason.PAYMENT, 1),
        (Source.REPORT, FailureReason.PAYMENT, 9),
    ],
)
def test_a_change_waits_for_good_news_of_the_kind_that_raised_the_alarm(
    source: Source, reason: FailureReason, times: int
) -> None:
    """An account that cannot pay takes every call: that it takes one more says nothing."""
    other = Source.REPORT if source is Source.CALL else Source.CALL
    mended = breaker.changed(fail(Health(), times, reason=reason, source=source))

    assert mended == Health(mending=source.value)
    assert breaker.gate(mended, now=NOW) == (GO, mended)
    assert succeed(mended, source=other) == mended
    assert succeed(mended, source=source).is_clean


def test_a_second_change_forgets_nothing() -> None:
    mended = breaker.changed(fail(Health(), reason=TOKEN))

    assert breaker.changed(mended) == mended
    assert breaker.changed(fail(Health(), 4, reason=DOWN)).is_clean


def test_a_change_that_did_not_help_is_an_alert_again() -> None:
    again = fail(breaker.changed(fail(Health(), reason=TOKEN)), reason=TOKEN)

    assert (again.alert, again.mending) == (True, "")


def test_a_hiccup_after_a_change_is_no_alert_and_the_next_good_news_ends_it() -> None:
    hiccup = fail(breaker.changed(fail(Health(), reason=TOKEN)), reason=DOWN)
    assert (hiccup.alert, hiccup.mending) == (False, "call")

    assert succeed(hiccup).mending == ""
