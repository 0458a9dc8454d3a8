"""A failed message is followed by the next channel, where the project and the limits allow it."""

import uuid
from typing import Any

import pytest
import time_machine
from django.conf import LazySettings
from django.utils import timezone

from abuse.errors import RateLimited
from channels.errors import SendError
from channels.models import Sender
from channels.types import Channel, FailureReason, Message, Receipt, Status
from otp import services, sweep
from otp.models import Challenge, Delivery
from otp.types import Cause, EndReason, State
from tests import factories
from tests.clock import later
from tests.otp.conftest import Providers, QueuedTasks, Start

WHATSAPP, SMS = Channel.WHATSAPP, Channel.SMS
LASTING = [
    reason
    for reason in FailureReason
    if reason not in (FailureReason.IDENTITY_CHANGED, FailureReason.UNAVAILABLE, FailureReason.RATE_LIMITED)
]


def silence(challenge_id: uuid.UUID | None, queued: QueuedTasks, *, seconds: float) -> None:
    with later(seconds):
        sweep.watch_deliveries()
        queued.run()


def whatsapp(challenge_id: uuid.UUID) -> Delivery:
    return Delivery.objects.get(challenge_id=challenge_id, channel=WHATSAPP)


@pytest.mark.parametrize("reason", LASTING)
def test_a_refused_send_is_followed_by_an_sms_at_once(
    reason: FailureReason, start: Start, queued: QueuedTasks, providers: Providers
) -> None:
    """D2: in the same step, without waiting for a timer."""
    providers.fail(WHATSAPP, SendError(reason, provider_code="7"))

    challenge_id = start()
    queued.run()

    assert providers.channels == [SMS]
    assert whatsapp(challenge_id).reason == reason
    assert factories.deliveries(challenge_id)[1].cause == Cause.FALLBACK


def test_both_messages_carry_the_same_code(start: Start, queued: QueuedTasks, providers: Providers) -> None:
    """A12: the late first message still works."""
    challenge_id = start()
    queued.run()
    services.record_status_updates([factories.report(whatsapp(challenge_id), Status.FAILED)])
    fallback_of(challenge_id, queued)

    assert providers.channels == [WHATSAPP, SMS]
    assert providers.codes == {factories.code_of(challenge_id)}


def fallback_of(challenge_id: uuid.UUID, queued: QueuedTasks) -> None:
    """Runs the task that follows a failed report (tests never commit, so it is called by hand)."""
    queued.fall_back.append(whatsapp(challenge_id).id)
    queued.run()


@pytest.mark.parametrize("reason", [FailureReason.UNAVAILABLE, FailureReason.RATE_LIMITED])
def test_a_passing_failure_is_tried_once_more_and_then_followed_by_an_sms(
    reason: FailureReason, start: Start, queued: QueuedTasks, providers: Providers
) -> None:
    tried: list[Message] = []

    def refuse(message: Message) -> Receipt:
        tried.append(message)
        raise SendError(reason)

    providers.script[WHATSAPP] = refuse
    challenge_id = start()
    queued.run()
    assert whatsapp(challenge_id).status == Status.QUEUED
    assert providers.sent == []

    with later(1):
        sweep.watch_deliveries()
        queued.run()

    assert len(tried) == 2
    assert providers.channels == [SMS]


def test_a_retry_is_not_sent_before_its_time(start: Start, queued: QueuedTasks, providers: Providers) -> None:
    providers.fail(WHATSAPP, SendError(FailureReason.UNAVAILABLE))
    with time_machine.travel(timezone.now(), tick=False):
        challenge_id = start()
        queued.run()
        del providers.script[WHATSAPP]
        queued.send.append(whatsapp(challenge_id).id)
        queued.run()

    assert providers.sent == []


def test_a_retry_that_succeeds_ends_in_one_message(
    start: Start, queued: QueuedTasks, providers: Providers
) -> None:
    providers.fail(WHATSAPP, SendError(FailureReason.UNAVAILABLE))
    challenge_id = start()
    queued.run()
    del providers.script[WHATSAPP]

    with later(1):
        sweep.watch_deliveries()
        queued.run()

    assert providers.channels == [WHATSAPP]
    assert whatsapp(challenge_id).status == Status.ACCEPTED


def test_a_failed_report_is_followed_by_an_sms(
    start: Start, queued: QueuedTasks, providers: Providers
) -> None:
    """D2."""
    challenge_id = start()
    queued.run()

    services.record_status_updates([factories.report(whatsapp(challenge_id), Status.FAILED)])

    assert whatsapp(challenge_id).due_at is not None, "the sweep would find it if the ring were lost"
    fallback_of(challenge_id, queued)
    assert factories.channels_of(challenge_id) == [WHATSAPP, SMS]


@pytest.mark.parametrize(
    "fields",
    [{"verify_phone_by": "whatsapp_only"}, {"fallback_enabled": False}],
    ids=["WhatsApp only", "switched off"],
)
@pytest.mark.django_db
def test_a_project_without_fallback_never_falls_back(
    fields: dict[str, Any], queued: QueuedTasks, providers: Providers
) -> None:
    project = factories.make_project(**fields)
    providers.fail(WHATSAPP, SendError(FailureReason.NOT_ON_CHANNEL))
    started = services.start_challenge(
        project=project,
        phone=factories.phone(),
        language="en",
        origin=factories.ORIGIN,
        address=factories.ADDRESS,
    )
    queued.send.append(whatsapp(started.challenge_id).id)
    queued.run()

    view = services.describe(challenge_id=started.challenge_id)
    assert providers.sent == []
    assert [(item.channel, item.status) for item in view.deliveries] == [(WHATSAPP, Status.FAILED)]
    assert view.deliveries[0].reason == FailureReason.NOT_ON_CHANNEL
    assert view.state is State.PENDING


def test_a_channel_the_user_chose_is_never_turned_into_another(
    start: Start, queued: QueuedTasks, providers: Providers
) -> None:
    """D14."""
    providers.fail(WHATSAPP, SendError(FailureReason.NOT_ON_CHANNEL))

    challenge_id = start(channel=WHATSAPP)
    queued.run()

    assert providers.sent == []
    assert factories.channels_of(challenge_id) == [WHATSAPP]


def test_a_changed_whatsapp_identity_ends_the_challenge(
    start: Start, queued: QueuedTasks, providers: Providers
) -> None:
    """Decision 7: 137000 revokes; no SMS, no code accepted."""
    challenge_id = start()
    queued.run()
    report = factories.report(whatsapp(challenge_id), Status.FAILED, reason=FailureReason.IDENTITY_CHANGED)

    services.record_status_updates([report])
    fallback_of(challenge_id, queued)

    assert providers.channels == [WHATSAPP]
    assert Challenge.objects.get().end_reason == EndReason.IDENTITY_CHANGED


def test_without_an_sms_sender_the_failure_stays_a_failure(
    start: Start, queued: QueuedTasks, providers: Providers
) -> None:
    Sender.objects.get(channel="sms").delete()
    providers.fail(WHATSAPP, SendError(FailureReason.NOT_ON_CHANNEL))

    challenge_id = start()
    queued.run()

    assert providers.sent == []
    assert whatsapp(challenge_id).due_at is None


def test_at_the_ceiling_of_the_number_the_page_can_say_why(
    start: Start, queued: QueuedTasks, providers: Providers, settings: LazySettings
) -> None:
    """C4: the fallback is counted like any send."""
    settings.AUTHSVC_LIMITS = {"send.number.hour": "1/1h"}
    providers.fail(WHATSAPP, SendError(FailureReason.NOT_ON_CHANNEL))

    challenge_id = start()
    queued.run()

    last = services.describe(challenge_id=challenge_id).deliveries[-1]
    assert providers.sent == []
    assert (last.channel, last.status, last.reason) == (SMS, Status.FAILED, FailureReason.LIMIT)


def test_room_for_the_fallback_is_kept_at_the_start(
    start: Start, queued: QueuedTasks, providers: Providers, settings: LazySettings
) -> None:
    """C4: with three sends an hour, a second login would begin what its fallback could not finish."""
    settings.AUTHSVC_LIMITS = {"send.number.hour": "3/1h"}
    providers.fail(WHATSAPP, SendError(FailureReason.NOT_ON_CHANNEL))
    first = start()
    queued.run()
    services.cancel(challenge_id=first)

    with pytest.raises(RateLimited):
        start(address="198.51.100.1")

    assert providers.channels == [SMS]


def test_while_the_limiters_store_is_away_the_fallback_waits_for_it(
    start: Start, queued: QueuedTasks, providers: Providers, settings: LazySettings
) -> None:
    """C13: not sent without limits, and not lost."""
    providers.fail(WHATSAPP, SendError(FailureReason.NOT_ON_CHANNEL))
    challenge_id = start()
    available = settings.REDIS_URL
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    queued.run()
    assert factories.channels_of(challenge_id) == [WHATSAPP]

    settings.REDIS_URL = available
    silence(challenge_id, queued, seconds=4)

    assert providers.channels == [SMS]
