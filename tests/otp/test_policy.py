"""Decisions, by table."""

from datetime import UTC, datetime, timedelta

import pytest

from abuse.limiter import round_wait
from channels.errors import MEANINGS
from channels.types import Channel, FailureReason, Status
from core.errors import DomainError
from otp import errors, policy
from otp.types import State

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
        pytest.param(BOTH, True, WHATSAPP, False, {WHATSAPP}, FailureReason.NO_REPORT, SMS, id="silence"),
        pytest.param(BOTH, True, SMS, False, {SMS}, FailureReason.NO_REPORT, None, id="silence of an SMS"),
        pytest.param(
            BOTH, True, SMS, False, {SMS}, FailureReason.UNREACHABLE, WHATSAPP, id="an SMS that failed"
        ),
        pytest.param(BOTH, True, WHATSAPP, False, {WHATSAPP}, None, SMS, id="no reason known"),
        pytest.param(
            BOTH, False, WHATSAPP, False, {WHATSAPP}, FailureReason.NO_REPORT, None, id="switched off"
        ),
        pytest.param(
            (WHATSAPP,), False, WHATSAPP, False, {WHATSAPP}, FailureReason.NO_REPORT, None, id="WhatsApp only"
        ),
        pytest.param(
            BOTH, True, WHATSAPP, True, {WHATSAPP}, FailureReason.PAYMENT, None, id="the user's own choice"
        ),
        pytest.param(
            BOTH, True, WHATSAPP, False, {WHATSAPP, SMS}, FailureReason.NO_REPORT, None, id="SMS went already"
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
    assert policy.retry_after_failure(reason=reason, tries=tries, can_fall_back=can_fall_back) == expected


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
    assert round_wait(seconds) == expected


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


@pytest.mark.parametrize(
    ("wrong", "expected"), [(100, 900), (101, None), (110, 900), (500, 900), (100_000, 900)]
)
def test_no_number_of_wrong_guesses_closes_a_number_for_longer(wrong: int, expected: int | None) -> None:
    """W2, B4: whoever renews it every day does not keep the owner out."""
    wait = policy.guess_wait(wrong)

    assert (wait.total_seconds() if wait else None) == expected


def test_the_figures() -> None:
    """T: what docs/reliability.md and docs/limits.md promise; a change here is a change there."""
    seconds = {
        name: value.total_seconds() for name, value in vars(policy).items() if isinstance(value, timedelta)
    }
    counts = {
        name: value for name, value in vars(policy).items() if name.isupper() and isinstance(value, int)
    }

    assert seconds == {
        "ENQUEUE_GRACE": 3,
        "LONGEST_WAIT": 10,
        "LEASE": 8,
        "FALLBACK_GRACE": 3,
        "SMS_WINDOW": 60,
        "REPORT_WAIT": 60,
        "PATIENCE": 2,
        "LONGEST_POSTPONEMENT": 30,
        "NOT_ON_WHATSAPP_KEPT": 7 * 86_400,
        "DOUBLE_SUBMIT": 5,
        "REPEATED_VERIFY": 10,
        "FIRST_GUESS_WAIT": 60,
        "LONGEST_GUESS_WAIT": 900,
    }
    assert counts == {
        "MAX_CRASHES": 2,
        "MAX_SENDS": 5,
        "GUESSES_PER_STEP": 10,
        "MOST_WRONG_GUESSES": 100,
        "UNREPORTED_SENDS": 3,
        "ATTEMPTS_AFTER_MOST": 1,
    }
    assert [wait.total_seconds() for wait in policy.RETRIES_BEFORE_FALLBACK] == [0.4]
    assert [wait.total_seconds() for wait in policy.RETRIES_ALONE] == [1, 2, 4]
    assert [wait.total_seconds() for wait in policy.RETRIES_OF_PAIR] == [4, 16, 64]


def test_the_bound_of_nist() -> None:
    """B2: at most a hundred in a row, then each guess costs its own message."""
    assert policy.MOST_WRONG_GUESSES == 100
    assert policy.ATTEMPTS_AFTER_MOST == 1


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({}, State.PENDING, id="open"),
        pytest.param({"verified_at": NOW}, State.VERIFIED, id="verified"),
        pytest.param({"ended_at": NOW}, State.EXPIRED, id="ended"),
        pytest.param({"expires_at": NOW}, State.EXPIRED, id="expired at this very moment"),
        pytest.param({"attempts_left": 0}, State.LOCKED, id="locked"),
        pytest.param(
            {"attempts_left": 0, "verified_at": NOW}, State.VERIFIED, id="verified by its last code"
        ),
        pytest.param({"attempts_left": 0, "expires_at": NOW}, State.LOCKED, id="locked and expired"),
        pytest.param({"ended_at": NOW, "expires_at": NOW}, State.EXPIRED, id="ended and expired"),
    ],
)
def test_the_state_of_a_challenge(changes: dict[str, object], expected: State) -> None:
    values: dict[str, object] = {
        "verified_at": None,
        "ended_at": None,
        "expires_at": NOW + timedelta(seconds=1),
        "attempts_left": 1,
    }

    assert policy.state_of(**(values | changes), now=NOW) is expected  # type: ignore[arg-type] # a table


@pytest.mark.parametrize(
    ("state", "error"),
    [
        (State.PENDING, None),
        (State.VERIFIED, errors.ChallengeConsumed),
        (State.LOCKED, errors.ChallengeLocked),
        (State.EXPIRED, errors.ChallengeExpired),
    ],
)
def test_what_refuses_a_challenge_in_each_state(state: State, error: type[DomainError] | None) -> None:
    assert isinstance(errors.error_of(state), error or type(None))


def test_status_only_climbs_in_this_order() -> None:
    """Decision 6: bad news ends a delivery, and good news that comes later still counts."""
    climb = ["QUEUED", "SENDING", "ACCEPTED", "SENT", "EXPIRED", "FAILED", "DELIVERED", "READ"]

    assert [status.name for status in sorted(Status)] == climb


def test_a_worker_that_calls_a_provider_is_not_thought_dead() -> None:
    """The provider call may take 5 s (decision 8)."""
    assert timedelta(seconds=6) < policy.LEASE
