"""Events when several notice the same thing at the same moment, in real transactions."""

import uuid
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from channels.errors import SendError
from channels.types import Channel, FailureReason, Status
from otp import fallback, send, services, sweep
from otp.models import Delivery
from otp.store import claim as store
from otp.types import Cause
from projects.config import ProjectConfig
from tests import factories
from tests.otp.conftest import Providers, QueuedTasks, Start
from tests.threads import at_once

pytestmark = pytest.mark.django_db(transaction=True)
WHATSAPP, SMS = Channel.WHATSAPP, Channel.SMS


def told(kind: str) -> list[str]:
    """The deliveries that such events are about."""
    return [data["delivery_id"] for name, data in factories.told() if name == kind]


def whatsapp(challenge_id: uuid.UUID) -> Delivery:
    return Delivery.objects.get(challenge_id=challenge_id, channel=WHATSAPP)


@pytest.mark.usefixtures("as_several_processes")
@pytest.mark.parametrize("round_", range(5))
@pytest.mark.parametrize("user_chooses", [False, True])
def test_report_timer_and_worker_at_once_tell_one_failure_and_one_fallback(
    round_: int,
    user_chooses: bool,
    project: ProjectConfig,
    start: Start,
    queued: QueuedTasks,
    providers: Providers,
) -> None:
    """D3. When the user's own choice of SMS wins, there is no fallback to tell of."""
    factories.make_endpoint(project)
    challenge_id = start()
    queued.run()
    Delivery.objects.update(due_at=timezone.now() - timedelta(seconds=1))
    item = whatsapp(challenge_id)
    failed = factories.report(item, Status.FAILED)
    acts: list[Callable[[], object]] = [
        lambda: services.record_status_updates([failed]),
        lambda: services.record_status_updates([failed, failed]),
        sweep.watch_deliveries,
        lambda: fallback.fall_back(delivery_id=item.id),
        lambda: fallback.fall_back(delivery_id=item.id),
    ]
    if user_chooses:
        acts.append(
            lambda: services.resend(challenge_id=challenge_id, address=factories.ADDRESS, channel=SMS)
        )
    results = at_once(acts)
    assert not [result for result in results if isinstance(result, Exception)]
    queued.fall_back.append(item.id)
    queued.send += list(Delivery.objects.filter(status=Status.QUEUED).values_list("id", flat=True))
    queued.run()

    made = Delivery.objects.filter(cause=Cause.FALLBACK).values_list("id", flat=True)
    assert told("delivery.failed") == [str(item.id)]
    assert told("fallback.sent") == [str(key) for key in made]
    assert len(made) == 1 or user_chooses
    assert providers.channels == [WHATSAPP, SMS]


@pytest.mark.usefixtures("as_several_processes")
@pytest.mark.parametrize("round_", range(5))
def test_a_worker_that_is_refused_and_reports_at_once_tell_one_failure(
    round_: int, project: ProjectConfig, start: Start, queued: QueuedTasks, providers: Providers
) -> None:
    factories.make_endpoint(project)
    challenge_id = start()
    item = whatsapp(challenge_id)
    queued.send.clear()
    claimed = store.claim(delivery_id=item.id, now=timezone.now(), lease=timedelta(seconds=8))
    assert claimed
    refused = SendError(FailureReason.NOT_ON_CHANNEL)
    failed = factories.report(item, Status.FAILED)

    results = at_once(
        [
            lambda: send._handle_failure(claimed, refused, provider="memory"),
            lambda: services.record_status_updates([failed]),
            lambda: services.record_status_updates([failed]),
            lambda: send.send_delivery(delivery_id=item.id),
        ]
    )

    assert not [result for result in results if isinstance(result, Exception)]
    assert told("delivery.failed") == [str(item.id)]


@pytest.mark.usefixtures("as_several_processes")
def test_batches_about_the_same_messages_tell_each_once(
    project: ProjectConfig, start: Start, queued: QueuedTasks, providers: Providers
) -> None:
    """Whichever batch comes first tells it; none waits for ever."""
    factories.make_endpoint(project)
    for nth in range(20):
        start(f"+852512341{nth:02}", address=f"198.51.100.{nth}")
    queued.run()
    batch = [factories.report(item, Status.FAILED) for item in Delivery.objects.order_by("id")]
    turned = batch[::-1]

    results = at_once(
        [
            lambda: services.record_status_updates(batch),
            lambda: services.record_status_updates(turned),
            lambda: services.record_status_updates(batch[10:]),
        ]
    )

    assert not [result for result in results if isinstance(result, Exception)]
    assert sorted(told("delivery.failed")) == sorted(str(item.delivery_id) for item in batch)
