"""Whatever asks for the fallback at the same moment, it happens once."""

import threading
import uuid
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from channels.errors import SendError
from channels.types import Channel, FailureReason, Status
from otp import fallback, services, sweep
from otp.models import Delivery, DeliveryEvent
from projects.models import LoginMethods
from tests import factories
from tests.clock import later
from tests.otp.conftest import Providers, QueuedTasks, Start

WHATSAPP, SMS = Channel.WHATSAPP, Channel.SMS


def whatsapp(challenge_id: uuid.UUID) -> Delivery:
    return Delivery.objects.get(challenge_id=challenge_id, channel=WHATSAPP)


def fallback_of(challenge_id: uuid.UUID, queued: QueuedTasks) -> None:
    """Runs the task that follows a failed report (tests never commit, so it is called by hand)."""
    queued.fall_back.append(whatsapp(challenge_id).id)
    queued.run()


def silence(challenge_id: uuid.UUID | None, queued: QueuedTasks, *, seconds: float) -> None:
    with later(seconds):
        sweep.watch_deliveries()
        queued.run()


def test_the_fallback_happens_once_however_often_it_is_asked_for(
    start: Start, queued: QueuedTasks, providers: Providers
) -> None:
    """D3, D8."""
    challenge_id = start()
    queued.run()
    report = factories.report(whatsapp(challenge_id), Status.FAILED)

    for _ in range(5):
        services.record_status_updates([report])
        fallback_of(challenge_id, queued)
        silence(challenge_id, queued, seconds=30)

    assert providers.channels == [WHATSAPP, SMS]
    assert DeliveryEvent.objects.filter(status=Status.FAILED).count() == 1


def test_a_failed_sms_after_the_fallback_does_not_go_back_to_whatsapp(
    start: Start, queued: QueuedTasks, providers: Providers
) -> None:
    providers.fail(WHATSAPP, SendError(FailureReason.NOT_ON_CHANNEL))
    providers.fail(SMS, SendError(FailureReason.INVALID_NUMBER))

    challenge_id = start()
    queued.run()
    silence(challenge_id, queued, seconds=30)

    assert [item.status for item in factories.deliveries(challenge_id)] == [Status.FAILED, Status.FAILED]


def test_a_change_to_whatsapp_only_stops_the_fallback_at_once(
    start: Start, queued: QueuedTasks, providers: Providers
) -> None:
    """Decision 13."""
    start()
    queued.run()
    methods = LoginMethods.objects.get()
    methods.verify_phone_by = "whatsapp_only"
    methods.save()

    silence(None, queued, seconds=30)

    assert providers.channels == [WHATSAPP]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("round_", range(5))
def test_report_timer_and_switch_at_the_same_moment_give_one_sms(
    round_: int, start: Start, queued: QueuedTasks, providers: Providers
) -> None:
    """D3: real transactions; the barrier lets all of them go at once."""
    from django.db import connection

    challenge_id = start()
    queued.run()
    Delivery.objects.update(due_at=timezone.now() - timedelta(seconds=1))
    report = factories.report(whatsapp(challenge_id), Status.FAILED)
    delivery_id = whatsapp(challenge_id).id
    acts: list[Callable[[], object]] = [
        lambda: services.record_status_updates([report]),
        sweep.watch_deliveries,
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
    queued.send += list(Delivery.objects.filter(status=Status.QUEUED).values_list("id", flat=True))
    queued.run()

    assert errors == []
    assert providers.channels == [WHATSAPP, SMS]
