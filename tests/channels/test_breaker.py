"""When a sender is skipped, probed and alerted about: by table and by chance."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels import breaker
from channels.breaker import FIRST_OPEN, Health, Source, State
from channels.types import FailureReason
from tests.channels.health_steps import DOWN, GO, NOW, SECOND, SKIP, TOKEN, fail, is_open, succeed


@pytest.mark.parametrize("reason", [DOWN, TOKEN, FailureReason.HELD, FailureReason.PAYMENT])
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
    assert health == Health(throttled_at=health.throttled_at, next_at=health.next_at)
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

    assert mended == Health(recovery_source=source.value)
    assert breaker.gate(mended, now=NOW) == (GO, mended)
    assert succeed(mended, source=other) == mended
    assert succeed(mended, source=source).is_clean


def test_a_second_change_forgets_nothing() -> None:
    mended = breaker.changed(fail(Health(), reason=TOKEN))

    assert breaker.changed(mended) == mended
    assert breaker.changed(fail(Health(), 4, reason=DOWN)).is_clean


def test_a_change_that_did_not_help_is_an_alert_again() -> None:
    again = fail(breaker.changed(fail(Health(), reason=TOKEN)), reason=TOKEN)

    assert (again.alert, again.recovery_source) == (True, "")


def test_a_hiccup_after_a_change_is_no_alert_and_the_next_good_news_ends_it() -> None:
    hiccup = fail(breaker.changed(fail(Health(), reason=TOKEN)), reason=DOWN)
    assert (hiccup.alert, hiccup.recovery_source) == (False, "call")

    assert succeed(hiccup).recovery_source == ""


@pytest.mark.parametrize(
    "half", [Health(opened_by="call"), Health(open_until=NOW + SECOND), Health(open_until=NOW - SECOND)]
)
def test_it_is_open_only_when_both_who_and_until_when_are_written_down(half: Health) -> None:
    assert breaker.state(half, now=NOW) is State.CLOSED


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("THRESHOLD", 5),
        ("UNEXPLAINED_THRESHOLD", 10),
        ("FIRST_OPEN", 5 * SECOND),
        ("LONGEST_OPEN", timedelta(minutes=5)),
        ("PROBE_LEASE", 15 * SECOND),
        ("FIRST_THROTTLE", timedelta(milliseconds=100)),
        ("LONGEST_THROTTLE", 2 * SECOND),
        ("THROTTLE_STEP", SECOND),
        ("ALERT_KEPT", timedelta(minutes=10)),
    ],
)
def test_the_data_of_the_policy(name: str, number: object) -> None:
    """As docs/operations.md tells it; whoever changes a number changes it here, too."""
    assert getattr(breaker, name) == number


def test_a_failure_is_remembered_with_its_reason_its_code_and_its_times() -> None:
    first = fail(Health(), reason=TOKEN)
    second = fail(first, reason=FailureReason.PAYMENT, now=NOW + SECOND)

    assert (first.reason, first.provider_code, first.since, first.failed_at) == (TOKEN, "7", NOW, NOW)
    assert (second.reason, second.since, second.failed_at) == (FailureReason.PAYMENT, NOW, NOW + SECOND)
