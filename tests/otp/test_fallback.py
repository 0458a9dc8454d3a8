"""From WhatsApp to SMS: in every case that is not success, once, and never where it would be wrong."""

import threading
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.conf import LazySettings
from django.utils import timezone

from channels.errors import SendError
from channels.models import Sender
from channels.types import Channel, FailureReason, Message, Receipt, Status
from otp import fallback, policy, services, watch
from otp.errors import RateLimited
from otp.models import Cause, Challenge, Delivery, DeliveryEvent, EndReason
from otp.types import State
from projects.config import ProjectConfig
from projects.models import LoginMethods
from tests import factories
from tests.clock import later
from tests.otp.conftest import Bells, Providers, Start

WHATSAPP, SMS = Channel.WHATSAPP, Channel.SMS
LASTING = [
    reason
    for reason in FailureReason
    if reason not in (FailureReason.IDENTITY_CHANGED, FailureReason.UNAVAILABLE, FailureReason.RATE_LIMITED)
]


def whatsapp(challenge_id: uuid.UUID) -> Delivery:
    return Delivery.objects.get(challenge_id=challenge_id, channel=WHATSAPP)


@pytest.mark.parametrize("reason", LASTING)
def test_a_refused_send_is_followed_by_an_sms_at_once(
    reason: FailureReason, start: Start, bells: Bells, providers: Providers
) -> None:
    """D2: in the same step, without waiting for a timer."""
    providers.fail(WHATSAPP, SendError(reason, provider_code="7"))

    challenge_id = start()
    bells.answer()

    assert providers.channels == [SMS]
    assert whatsapp(challenge_id).reason == reason
    assert factories.deliveries(challenge_id)[1].cause == Cause.FALLBACK


def test_both_messages_carry_the_same_code(start: Start, bells: Bells, providers: Providers) -> None:
    """A12: the late first message still works."""
    challenge_id = start()
    bells.answer()
    services.record_status_updates([factories.report(whatsapp(challenge_id), Status.FAILED)])
    fallback_of(challenge_id, bells)

    assert providers.channels == [WHATSAPP, SMS]
    assert providers.codes == {factories.code_of(challenge_id)}


def fallback_of(challenge_id: uuid.UUID, bells: Bells) -> None:
    """What the ring after a failed report leads to (tests never commit, so it is made by hand)."""
    bells.fall_back.append(whatsapp(challenge_id).id)
    bells.answer()


@pytest.mark.parametrize("reason", [FailureReason.UNAVAILABLE, FailureReason.RATE_LIMITED])
def test_a_passing_failure_is_tried_once_more_and_then_followed_by_an_sms(
    reason: FailureReason, start: Start, bells: Bells, providers: Providers
) -> None:
    tried: list[Message] = []

    def refuse(message: Message) -> Receipt:
        tried.append(message)
        raise SendError(reason)

    providers.script[WHATSAPP] = refuse
    challenge_id = start()
    bells.answer()
    assert whatsapp(challenge_id).status == Status.QUEUED
    assert providers.sent == []

    with later(1):
        watch.watch_deliveries()
        bells.answer()

    assert len(tried) == 2
    assert providers.channels == [SMS]


def test_a_retry_is_not_sent_before_its_time(start: Start, bells: Bells, providers: Providers) -> None:
    providers.fail(WHATSAPP, SendError(FailureReason.UNAVAILABLE))
    with time_machine.travel(timezone.now(), tick=False):
        challenge_id = start()
        bells.answer()
        del providers.script[WHATSAPP]
        bells.send.append(whatsapp(challenge_id).id)
        bells.answer()

    assert providers.sent == []


def test_a_retry_that_succeeds_ends_in_one_message(start: Start, bells: Bells, providers: Providers) -> None:
    providers.fail(WHATSAPP, SendError(FailureReason.UNAVAILABLE))
    challenge_id = start()
    bells.answer()
    del providers.script[WHATSAPP]

    with later(1):
        watch.watch_deliveries()
        bells.answer()

    assert providers.channels == [WHATSAPP]
    assert whatsapp(challenge_id).status == Status.ACCEPTED


def test_a_failed_report_is_followed_by_an_sms(start: Start, bells: Bells, providers: Providers) -> None:
    """D2."""
    challenge_id = start()
    bells.answer()

    services.record_status_updates([factories.report(whatsapp(challenge_id), Status.FAILED)])

    assert whatsapp(challenge_id).due_at is not None, "the sweep would find it if the ring were lost"
    fallback_of(challenge_id, bells)
    assert factories.channels_of(challenge_id) == [WHATSAPP, SMS]


def silence(challenge_id: uuid.UUID | None, bells: Bells, *, seconds: float) -> None:
    with later(seconds):
        watch.watch_deliveries()
        bells.answer()


def test_silence_is_followed_by_an_sms_after_the_wait(
    start: Start, bells: Bells, providers: Providers, project: ProjectConfig
) -> None:
    """D1: accepted is not delivered."""
    challenge_id = start()
    bells.answer()

    silence(challenge_id, bells, seconds=project.fallback_wait_seconds - 1)
    assert providers.channels == [WHATSAPP]
    silence(challenge_id, bells, seconds=project.fallback_wait_seconds + 1)

    assert providers.channels == [WHATSAPP, SMS]
    assert whatsapp(challenge_id).status == Status.EXPIRED
    assert whatsapp(challenge_id).reason == FailureReason.NO_NEWS


def test_sent_alone_is_silence_too(start: Start, bells: Bells, providers: Providers) -> None:
    """The incumbent's offline phones get stuck here."""
    challenge_id = start()
    bells.answer()
    services.record_status_updates([factories.report(whatsapp(challenge_id), Status.SENT)])

    silence(challenge_id, bells, seconds=21)

    assert providers.channels == [WHATSAPP, SMS]


@pytest.mark.parametrize("status", [Status.DELIVERED, Status.READ])
def test_delivered_cancels_the_timer(
    status: Status, start: Start, bells: Bells, providers: Providers
) -> None:
    """D5."""
    challenge_id = start()
    bells.answer()
    services.record_status_updates([factories.report(whatsapp(challenge_id), status)])

    silence(challenge_id, bells, seconds=60)

    assert providers.channels == [WHATSAPP]
    assert whatsapp(challenge_id).due_at is None


def test_an_uncertain_send_is_not_repeated_and_waits_for_news(
    start: Start, bells: Bells, providers: Providers
) -> None:
    """D11: the answer was lost after the message was taken."""
    providers.script[WHATSAPP] = lambda _message: Receipt(certain=False)
    challenge_id = start()
    bells.answer()
    services.record_status_updates(
        [factories.report(whatsapp(challenge_id), Status.DELIVERED, message_id="late-id")]
    )

    silence(challenge_id, bells, seconds=60)

    assert providers.channels == [WHATSAPP]
    assert whatsapp(challenge_id).provider_message_id == "late-id"


def test_no_sms_after_the_user_got_in(start: Start, bells: Bells, providers: Providers) -> None:
    """D4."""
    challenge_id = start()
    bells.answer()
    services.verify_challenge(
        challenge_id=challenge_id, code=factories.code_of(challenge_id), address=factories.ADDRESS
    )

    services.record_status_updates([factories.report(whatsapp(challenge_id), Status.FAILED)])
    fallback_of(challenge_id, bells)
    silence(challenge_id, bells, seconds=60)

    assert providers.channels == [WHATSAPP]


def expire(challenge_id: uuid.UUID) -> None:
    Challenge.objects.filter(id=challenge_id).update(
        created_at=timezone.now() - timedelta(seconds=700), expires_at=timezone.now() - timedelta(seconds=100)
    )


def cancel(challenge_id: uuid.UUID) -> None:
    services.cancel(challenge_id=challenge_id)


def lock(challenge_id: uuid.UUID) -> None:
    Challenge.objects.filter(id=challenge_id).update(attempts=5)


@pytest.mark.parametrize("end", [expire, cancel, lock])
def test_no_sms_once_the_challenge_is_over(
    end: Callable[[uuid.UUID], None], start: Start, bells: Bells, providers: Providers
) -> None:
    """D4, D9: late or forged failures send nothing."""
    challenge_id = start()
    bells.answer()
    end(challenge_id)

    services.record_status_updates([factories.report(whatsapp(challenge_id), Status.FAILED)])
    fallback_of(challenge_id, bells)
    silence(challenge_id, bells, seconds=30)

    assert providers.channels == [WHATSAPP]


@pytest.mark.parametrize(
    "fields",
    [{"verify_phone_by": "whatsapp_only"}, {"fallback_enabled": False}],
    ids=["WhatsApp only", "switched off"],
)
@pytest.mark.django_db
def test_it_never_falls_back_where_the_project_does_not_want_it(
    fields: dict[str, Any], bells: Bells, providers: Providers
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
    bells.send.append(whatsapp(started.challenge_id).id)
    bells.answer()

    view = services.describe(challenge_id=started.challenge_id)
    assert providers.sent == []
    assert [(item.channel, item.status) for item in view.deliveries] == [(WHATSAPP, Status.FAILED)]
    assert view.deliveries[0].reason == FailureReason.NOT_ON_CHANNEL
    assert view.state is State.PENDING


def test_a_channel_the_user_chose_is_never_turned_into_another(
    start: Start, bells: Bells, providers: Providers
) -> None:
    """D14."""
    providers.fail(WHATSAPP, SendError(FailureReason.NOT_ON_CHANNEL))

    challenge_id = start(channel=WHATSAPP)
    bells.answer()

    assert providers.sent == []
    assert factories.channels_of(challenge_id) == [WHATSAPP]


def test_a_number_in_other_hands_ends_the_challenge(start: Start, bells: Bells, providers: Providers) -> None:
    """Decision 7: 137000 revokes; no SMS, no code accepted."""
    challenge_id = start()
    bells.answer()
    report = factories.report(whatsapp(challenge_id), Status.FAILED, reason=FailureReason.IDENTITY_CHANGED)

    services.record_status_updates([report])
    fallback_of(challenge_id, bells)

    assert providers.channels == [WHATSAPP]
    assert Challenge.objects.get().end_reason == EndReason.IDENTITY_CHANGED


def test_without_an_sms_sender_the_failure_stays_a_failure(
    start: Start, bells: Bells, providers: Providers
) -> None:
    Sender.objects.get(channel="sms").delete()
    providers.fail(WHATSAPP, SendError(FailureReason.NOT_ON_CHANNEL))

    challenge_id = start()
    bells.answer()

    assert providers.sent == []
    assert whatsapp(challenge_id).due_at is None


def test_at_the_ceiling_of_the_number_the_page_can_say_why(
    start: Start, bells: Bells, providers: Providers, settings: LazySettings
) -> None:
    """C4: the fallback is counted like any send."""
    settings.AUTHSVC_LIMITS = {"send.number.hour": "1/1h"}
    providers.fail(WHATSAPP, SendError(FailureReason.NOT_ON_CHANNEL))

    challenge_id = start()
    bells.answer()

    last = services.describe(challenge_id=challenge_id).deliveries[-1]
    assert providers.sent == []
    assert (last.channel, last.status, last.reason) == (SMS, Status.FAILED, FailureReason.LIMIT)


def test_room_for_the_fallback_is_kept_at_the_start(
    start: Start, bells: Bells, providers: Providers, settings: LazySettings
) -> None:
    """C4: with three sends an hour, a second login would begin what its fallback could not finish."""
    settings.AUTHSVC_LIMITS = {"send.number.hour": "3/1h"}
    providers.fail(WHATSAPP, SendError(FailureReason.NOT_ON_CHANNEL))
    first = start()
    bells.answer()
    services.cancel(challenge_id=first)

    with pytest.raises(RateLimited):
        start(address="198.51.100.1")

    assert providers.channels == [SMS]


def test_while_the_limiters_store_is_away_the_fallback_waits_for_it(
    start: Start, bells: Bells, providers: Providers, settings: LazySettings
) -> None:
    """C13: not sent without limits, and not lost."""
    providers.fail(WHATSAPP, SendError(FailureReason.NOT_ON_CHANNEL))
    challenge_id = start()
    available = settings.REDIS_URL
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    bells.answer()
    assert factories.channels_of(challenge_id) == [WHATSAPP]

    settings.REDIS_URL = available
    silence(challenge_id, bells, seconds=4)

    assert providers.channels == [SMS]


def test_the_fallback_happens_once_however_often_it_is_asked_for(
    start: Start, bells: Bells, providers: Providers
) -> None:
    """D3, D8."""
    challenge_id = start()
    bells.answer()
    report = factories.report(whatsapp(challenge_id), Status.FAILED)

    for _ in range(5):
        services.record_status_updates([report])
        fallback_of(challenge_id, bells)
        silence(challenge_id, bells, seconds=30)

    assert providers.channels == [WHATSAPP, SMS]
    assert DeliveryEvent.objects.filter(status=Status.FAILED).count() == 1


def test_a_failed_sms_after_the_fallback_does_not_go_back_to_whatsapp(
    start: Start, bells: Bells, providers: Providers
) -> None:
    providers.fail(WHATSAPP, SendError(FailureReason.NOT_ON_CHANNEL))
    providers.fail(SMS, SendError(FailureReason.INVALID_NUMBER))

    challenge_id = start()
    bells.answer()
    silence(challenge_id, bells, seconds=30)

    assert [item.status for item in factories.deliveries(challenge_id)] == [Status.FAILED, Status.FAILED]


def test_a_change_to_whatsapp_only_stops_the_fallback_at_once(
    start: Start, bells: Bells, providers: Providers
) -> None:
    """Decision 13."""
    start()
    bells.answer()
    methods = LoginMethods.objects.get()
    methods.verify_phone_by = "whatsapp_only"
    methods.save()

    silence(None, bells, seconds=30)

    assert providers.channels == [WHATSAPP]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("round_", range(5))
def test_report_timer_and_switch_at_the_same_moment_give_one_sms(
    round_: int, start: Start, bells: Bells, providers: Providers
) -> None:
    """D3: real transactions; the barrier lets all of them go at once."""
    from django.db import connection

    challenge_id = start()
    bells.answer()
    Delivery.objects.update(due_at=timezone.now() - timedelta(seconds=1))
    report = factories.report(whatsapp(challenge_id), Status.FAILED)
    delivery_id = whatsapp(challenge_id).id
    acts: list[Callable[[], object]] = [
        lambda: services.record_status_updates([report]),
        watch.watch_deliveries,
        lambda: services.resend(challenge_id=challenge_id, address=factories.ADDRESS, channel=SMS),
        lambda: fallback.fall_back(delivery_id=delivery_id),
        lambda: fallback.fall_back(delivery_id=delivery_id),
    ]
    barrier = threading.Barrier(len(acts))
    errors: list[Exception] = []

    def run(act: Callable[[], object]) -> None:
        barrier.wait()
        try:
            act()
        except Exception as error:  # noqa: BLE001 # none is expected
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    bells.send += list(Delivery.objects.filter(status=Status.QUEUED).values_list("id", flat=True))
    bells.answer()

    assert errors == []
    assert providers.channels == [WHATSAPP, SMS]


def test_the_wait_before_the_fallback_is_shown_while_it_lasts(
    start: Start, bells: Bells, project: ProjectConfig
) -> None:
    challenge_id = start()
    assert services.describe(challenge_id=challenge_id).fallback_at is None


def test_when_the_sms_will_go_is_told(
    start: Start, bells: Bells, providers: Providers, project: ProjectConfig
) -> None:
    challenge_id = start()
    bells.answer()

    fallback_at = services.describe(challenge_id=challenge_id).fallback_at

    assert fallback_at is not None
    wait = (fallback_at - timezone.now()).total_seconds()
    assert 0 < wait <= project.fallback_wait_seconds
    assert policy.window(channel=WHATSAPP, wait_seconds=7) == timedelta(seconds=7)
