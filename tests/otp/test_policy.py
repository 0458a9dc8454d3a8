"""Decisions, by table."""

from datetime import UTC, datetime, timedelta

import pytest

from channels.errors import MEANINGS
from channels.types import Channel, FailureReason, Status
from otp import policy

WHATSAPP, SMS = Channel.WHATSAPP, Channel.SMS
BOTH = (WHATSAPP, SMS)
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("promised", "available", "failing", "expected"),
    [
        pytest.param(BOTH, {WHATSAPP, SMS}, (), WHATSAPP, id="first choice first"),
        pytest.param(BOTH, {SMS}, (), SMS, id="no WhatsApp sender: SMS"),
        pytest.param((WHATSAPP,), {SMS}, (), None, id="WhatsApp only never becomes SMS"),
        pytest.param((SMS,), {WHATSAPP, SMS}, (), SMS, id="SMS only"),
        pytest.param(BOTH, set(), (), None, id="nothing can be sent"),
        pytest.param(BOTH, {WHATSAPP, SMS}, {WHATSAPP}, SMS, id="WhatsApp fails: SMS at once"),
        pytest.param(BOTH, {WHATSAPP, SMS}, {SMS}, WHATSAPP, id="SMS fails: nobody cares"),
        pytest.param(BOTH, {WHATSAPP, SMS}, {WHATSAPP, SMS}, WHATSAPP, id="both fail: as promised"),
        pytest.param(BOTH, {WHATSAPP}, {WHATSAPP}, WHATSAPP, id="fails, but there is no other"),
        pytest.param((WHATSAPP,), {WHATSAPP, SMS}, {WHATSAPP}, WHATSAPP, id="WhatsApp only: tried"),
    ],
)
def test_first_channel(
    promised: tuple[Channel, ...], available: set[Channel], failing: set[Channel], expected: Channel | None
) -> None:
    assert policy.first_channel(promised=promised, available=available, failing=failing) == expected


@pytest.mark.parametrize(
    ("promised", "falls_back", "failed", "chosen", "used", "reason", "expected"),
    [
        pytest.param(
            BOTH, True, WHATSAPP, False, {WHATSAPP}, FailureReason.NOT_ON_CHANNEL, SMS, id="not on WhatsApp"
        ),
        pytest.param(BOTH, True, WHATSAPP, False, {WHATSAPP}, FailureReason.NO_NEWS, SMS, id="silence"),
        pytest.param(BOTH, True, SMS, False, {SMS}, FailureReason.NO_NEWS, None, id="silence of an SMS"),
        pytest.param(
            BOTH, True, SMS, False, {SMS}, FailureReason.UNREACHABLE, WHATSAPP, id="an SMS that failed"
        ),
        pytest.param(BOTH, True, WHATSAPP, False, {WHATSAPP}, None, SMS, id="no reason known"),
        pytest.param(
            BOTH, False, WHATSAPP, False, {WHATSAPP}, FailureReason.NO_NEWS, None, id="switched off"
        ),
        pytest.param(
            (WHATSAPP,), False, WHATSAPP, False, {WHATSAPP}, FailureReason.NO_NEWS, None, id="WhatsApp only"
        ),
        pytest.param(
            BOTH, True, WHATSAPP, True, {WHATSAPP}, FailureReason.PAYMENT, None, id="the user's own choice"
        ),
        pytest.param(
            BOTH, True, WHATSAPP, False, {WHATSAPP, SMS}, FailureReason.NO_NEWS, None, id="SMS went already"
        ),
        pytest.param(
            BOTH, True, SMS, False, {WHATSAPP, SMS}, FailureReason.UNREACHABLE, None, id="SMS is the last"
        ),
        pytest.param(
            BOTH, True, WHATSAPP, False, {WHATSAPP}, FailureReason.IDENTITY_CHANGED, None, id="changed hands"
        ),
    ],
)
def test_fallback_channel(
    promised: tuple[Channel, ...],
    falls_back: bool,  # a table
    failed: Channel,
    chosen: bool,  # a table
    used: set[Channel],
    reason: FailureReason | None,
    expected: Channel | None,
) -> None:
    following = policy.fallback_channel(
        promised=promised, falls_back=falls_back, failed=failed, chosen=chosen, used=used, reason=reason
    )

    assert following == expected


def test_every_reason_lets_the_next_channel_take_over_except_a_number_in_other_hands() -> None:
    """D2: fallback in every case that is not success."""
    stays = {
        reason
        for reason in FailureReason
        if policy.fallback_channel(
            promised=BOTH, falls_back=True, failed=WHATSAPP, chosen=False, used={WHATSAPP}, reason=reason
        )
        is None
    }

    assert stays == {FailureReason.IDENTITY_CHANGED}


def test_every_reason_has_a_meaning() -> None:
    assert set(MEANINGS) == set(FailureReason)


@pytest.mark.parametrize(
    ("reason", "tries", "can_fall_back", "expected"),
    [
        pytest.param(FailureReason.UNAVAILABLE, 1, True, timedelta(milliseconds=400), id="one quick retry"),
        pytest.param(FailureReason.UNAVAILABLE, 2, True, None, id="then the next channel"),
        pytest.param(FailureReason.RATE_LIMITED, 1, False, timedelta(seconds=1), id="alone: first"),
        pytest.param(FailureReason.RATE_LIMITED, 3, False, timedelta(seconds=4), id="alone: third"),
        pytest.param(FailureReason.UNAVAILABLE, 4, False, None, id="alone: enough"),
        pytest.param(FailureReason.RATE_LIMITED, 40, False, timedelta(seconds=4), id="too fast: never lost"),
        pytest.param(FailureReason.RATE_LIMITED, 2, True, None, id="too fast: the next channel"),
        pytest.param(FailureReason.PAIR_LIMITED, 1, True, None, id="too many to one: the next channel"),
        pytest.param(FailureReason.PAIR_LIMITED, 3, False, timedelta(seconds=64), id="too many, alone"),
        pytest.param(FailureReason.PAIR_LIMITED, 4, False, None, id="too many, alone: enough"),
        pytest.param(FailureReason.NOT_ON_CHANNEL, 1, True, None, id="cannot succeed"),
        pytest.param(FailureReason.PAYMENT, 1, False, None, id="cannot succeed, alone"),
        pytest.param(FailureReason.HELD, 1, False, None, id="accepted but held: no second message"),
    ],
)
def test_retry_after_failure(
    reason: FailureReason,
    tries: int,
    can_fall_back: bool,  # a table
    expected: timedelta | None,
) -> None:
    retry = policy.retry_after_failure(reason=reason, tries=tries, can_fall_back=can_fall_back)

    assert (retry.after if retry else None) == expected


def test_retries_before_a_fallback_end_within_a_few_seconds() -> None:
    """Decision 7: retries used up within a few seconds."""
    assert sum(policy.RETRIES_BEFORE_FALLBACK, timedelta()) < timedelta(seconds=2)


@pytest.mark.parametrize(("sends", "expected"), [(1, 30), (2, 60), (3, 120), (4, 240), (40, 960)])
def test_waits_between_sends_grow(sends: int, expected: int) -> None:
    """C3."""
    assert policy.resend_wait(resend_after_seconds=30, sends=sends) == timedelta(seconds=expected)


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0, 5),
        (0.2, 5),
        (5, 5),
        (5.1, 10),
        (59, 60),
        (60, 60),
        (61, 120),
        (3600, 3600),
        (3601, 7200),
        (86_399, 86_400),
    ],
)
def test_a_refusals_wait_is_rounded_up(seconds: float, expected: int) -> None:
    """C14."""
    assert policy.round_wait(seconds) == expected


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        (0, None),
        (1, None),
        (9, None),
        (10, 60),
        (11, None),
        (20, 120),
        (30, 240),
        (50, 900),
        (90, 900),
        (99, None),
    ],
)
def test_every_tenth_wrong_guess_makes_the_next_wait(wrong: int, expected: int | None) -> None:
    """B2, B4."""
    wait = policy.guess_wait(wrong)

    assert (wait.total_seconds() if wait else None) == expected


@pytest.mark.parametrize("wrong", [100, 101, 500])
def test_a_hundred_wrong_guesses_in_a_row_are_the_end(wrong: int) -> None:
    """B2: NIST's absolute bound."""
    assert policy.guess_wait(wrong) == policy.FULL_STOP


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({}, True, id="open"),
        pytest.param({"verified_at": NOW}, False, id="verified"),
        pytest.param({"ended_at": NOW}, False, id="ended"),
        pytest.param({"expires_at": NOW}, False, id="expired at this very moment"),
        pytest.param({"attempts_left": 0}, False, id="locked"),
    ],
)
def test_is_pending(changes: dict[str, object], expected: bool) -> None:  # a table
    values: dict[str, object] = {
        "verified_at": None,
        "ended_at": None,
        "expires_at": NOW + timedelta(seconds=1),
        "attempts_left": 1,
    }

    assert policy.is_pending(**(values | changes), now=NOW) is expected  # type: ignore[arg-type] # a table


def test_status_only_climbs_in_this_order() -> None:
    """Decision 6: bad news ends a delivery, and good news that comes later still counts."""
    climb = ["QUEUED", "SENDING", "ACCEPTED", "SENT", "EXPIRED", "FAILED", "DELIVERED", "READ"]

    assert [status.name for status in sorted(Status)] == climb


def test_a_worker_that_calls_a_provider_is_not_thought_dead() -> None:
    """The provider call may take 5 s (decision 8)."""
    assert timedelta(seconds=6) < policy.LEASE
