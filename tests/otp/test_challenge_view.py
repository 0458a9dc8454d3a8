"""The one function behind the login page's state."""

from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from channels.models import Sender
from channels.senders import senders
from channels.types import Channel, FailureReason, Status
from core import config_version
from core.ids import new_id
from otp import services
from otp.errors import ChallengeNotFound, WrongCode
from otp.models import Challenge, Delivery
from otp.store import state
from otp.types import State
from projects.config import projects
from tests import factories
from tests.clock import later
from tests.otp.conftest import Providers, QueuedTasks, Start, verify


def test_what_a_page_shows_right_after_the_start(start: Start) -> None:
    challenge_id = start()

    view = services.describe(challenge_id=challenge_id)

    assert view.state is State.PENDING
    assert view.channel == Channel.WHATSAPP
    assert view.channels == (Channel.WHATSAPP, Channel.SMS)
    assert view.code_length == 6
    assert view.attempts_left == 5
    assert [(item.channel, item.status) for item in view.deliveries] == [(Channel.WHATSAPP, Status.QUEUED)]


def test_the_number_is_masked(start: Start) -> None:
    """G12."""
    view = services.describe(challenge_id=start())

    assert factories.PHONE not in repr(view)
    assert "1234" not in view.phone_masked
    assert view.phone_masked.endswith("67")


def test_each_channel_has_its_own_wait(start: Start) -> None:
    challenge_id = start()

    waits = services.describe(challenge_id=challenge_id).resend_at

    assert waits[Channel.WHATSAPP] > timezone.now() + timedelta(seconds=25)
    assert waits[Channel.SMS] <= timezone.now()


def test_wrong_codes_are_counted_down(start: Start) -> None:
    challenge_id = start()
    with pytest.raises(WrongCode):
        verify(challenge_id, factories.wrong_code(challenge_id))

    assert services.describe(challenge_id=challenge_id).attempts_left == 4


def test_states(start: Start) -> None:
    verified = start()
    verify(verified)
    locked = start(factories.OTHER_PHONE, address="198.51.100.1")
    Challenge.objects.filter(id=locked).update(attempts=5)
    cancelled = start("+34612345678", address="198.51.100.2")
    services.cancel(challenge_id=cancelled)
    pending = start("+34612345679", address="198.51.100.3")

    def state(challenge_id: object) -> State:
        return services.describe(challenge_id=challenge_id).state  # type: ignore[arg-type] # an id

    assert [state(item) for item in (verified, locked, cancelled, pending)] == [
        State.VERIFIED,
        State.LOCKED,
        State.EXPIRED,
        State.PENDING,
    ]
    with later(601):
        assert state(pending) is State.EXPIRED


def test_the_end_has_its_reason(start: Start) -> None:
    challenge_id = start()
    services.cancel(challenge_id=challenge_id)

    assert services.describe(challenge_id=challenge_id).end_reason == "cancelled"


def test_the_fallback_is_told_as_it_happened(start: Start, queued: QueuedTasks, providers: Providers) -> None:
    from channels.errors import SendError

    providers.fail(Channel.WHATSAPP, SendError(FailureReason.NOT_ON_CHANNEL))
    challenge_id = start()
    queued.run()

    view = services.describe(challenge_id=challenge_id)

    assert view.channel == Channel.SMS
    assert [(item.channel, item.status, item.reason, item.cause) for item in view.deliveries] == [
        (Channel.WHATSAPP, Status.FAILED, FailureReason.NOT_ON_CHANNEL, "start"),
        (Channel.SMS, Status.ACCEPTED, None, "fallback"),
    ]


@pytest.mark.django_db
def test_an_unknown_challenge_is_not_found() -> None:
    with pytest.raises(ChallengeNotFound):
        services.describe(challenge_id=new_id())


def test_a_challenge_without_a_delivery_is_not_found(start: Start) -> None:
    """No statement of ours leaves one; a row deleted by hand must not become an error page."""
    challenge_id = start()
    Delivery.objects.all().delete()

    with pytest.raises(ChallengeNotFound):
        services.describe(challenge_id=challenge_id)


def test_rows_that_are_logged_tell_no_number(start: Start) -> None:
    """G12."""
    (row,) = state.rows_of(start())

    assert row.phone == factories.PHONE
    assert factories.PHONE not in repr(row)
    assert "5123" not in str(row)


def test_polling_costs_one_query(
    start: Start, django_assert_num_queries: DjangoAssertNumQueries, queued: QueuedTasks, providers: Providers
) -> None:
    """Besides the configuration's version, which Redis tells where there is one."""
    challenge_id = start()
    queued.run()
    projects.get()

    from core.redis import redis_client

    with config_version.pinned(), django_assert_num_queries(1 if redis_client() else 2):
        services.describe(challenge_id=challenge_id)


def test_status_words_are_the_public_ones() -> None:
    assert {status.word for status in Status} == {
        "queued",
        "accepted",
        "sent",
        "delivered",
        "read",
        "failed",
        "expired",
    }


# What is about to happen -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("channel", "reason", "following"),
    [
        (None, FailureReason.NOT_ON_CHANNEL, Channel.SMS),
        (None, FailureReason.UNAVAILABLE, Channel.SMS),
        (None, FailureReason.IDENTITY_CHANGED, None),
        (Channel.WHATSAPP, FailureReason.NOT_ON_CHANNEL, None),  # chosen: never turned into another
    ],
)
def test_fallback_that_is_on_its_way_is_told(
    start: Start,
    queued: QueuedTasks,
    channel: Channel | None,
    reason: FailureReason,
    following: Channel | None,
) -> None:
    """L8: between the failure and the next channel's row."""
    challenge_id = start(channel=channel)
    services.record_status_updates([factories.report(Delivery.objects.get(), Status.FAILED, reason=reason)])

    view = services.describe(challenge_id=challenge_id)

    assert (view.next_channel, view.fallback_at) == (following, None)


def test_fallback_that_cannot_come_is_not_promised(start: Start, queued: QueuedTasks) -> None:
    """L8: the sweep looked after it, and nothing may be sent."""
    challenge_id = start()
    services.record_status_updates([factories.report(Delivery.objects.get(), Status.FAILED)])
    Delivery.objects.update(due_at=None)

    assert services.describe(challenge_id=challenge_id).next_channel is None


def test_number_to_write_to_is_told_for_a_block_and_for_nothing_else(
    start: Start, queued: QueuedTasks
) -> None:
    """L8: Twilio 21610."""
    Sender.objects.filter(channel="sms").update(provider="twilio", settings={"from_number": "+15005550006"})
    senders.clear()
    challenge_id = start(channel=Channel.SMS)
    seen = []
    for reason in (FailureReason.UNREACHABLE, FailureReason.BLOCKED_BY_USER):
        Delivery.objects.update(status=Status.FAILED, reason=reason)
        seen.append(services.describe(challenge_id=challenge_id).deliveries[0].from_number)

    assert seen == ["", "+15005550006"]
