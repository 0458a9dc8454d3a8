"""Decisions of otp.policy at their edges, found by mutation testing."""

from datetime import UTC, datetime, timedelta

import pytest

from channels.types import Channel, Status
from otp import policy

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)


def seconds(amount: float) -> timedelta:
    return timedelta(seconds=amount)


@pytest.mark.parametrize(
    ("channel", "expected"), [(Channel.WHATSAPP, seconds(20)), (Channel.SMS, policy.SMS_WINDOW)]
)
def test_the_project_sets_the_window_of_whatsapp_only(channel: Channel, expected: timedelta) -> None:
    assert policy.window(channel=channel, wait_seconds=20) == expected


@pytest.mark.parametrize(
    ("waited", "spread"),
    [
        (seconds(0), seconds(0.5)),
        (seconds(0.5), seconds(0.5)),
        (seconds(2), seconds(2)),
        (policy.LONGEST_POSTPONEMENT, policy.LONGEST_POSTPONEMENT),
        (policy.LONGEST_POSTPONEMENT * 2, policy.LONGEST_POSTPONEMENT),
    ],
    ids=["at once", "shortest", "as long as it waited", "longest", "beyond the longest"],
)
@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_a_postponed_message_is_spread_over_the_time_it_has_waited(
    waited: timedelta, spread: timedelta, share: float
) -> None:
    later = policy.postponement(at=NOW, waited=waited, now=NOW - seconds(5), share=share)

    assert later == NOW + spread * share


def test_a_postponed_message_never_asks_again_in_the_past() -> None:
    later = policy.postponement(at=NOW - seconds(5), waited=seconds(2), now=NOW, share=0.5)

    assert later == NOW + seconds(1)


@pytest.mark.parametrize("status", Status)
def test_a_delivery_is_over_once_it_expired_or_failed(status: Status) -> None:
    assert policy.is_over(status) is (status in {Status.EXPIRED, Status.FAILED})
