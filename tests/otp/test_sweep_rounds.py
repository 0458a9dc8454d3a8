"""The one timer: lost queued, dead workers, silence."""

import threading
import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from channels.types import Channel, FailureReason, Status
from otp import policy, send
from otp import sweep as watch
from otp.models import Challenge, Delivery, DeliveryEvent
from otp.store import claim as store
from otp.store import due
from tests import factories
from tests.clock import later
from tests.otp.conftest import Providers, QueuedTasks, Start

WHATSAPP, SMS = Channel.WHATSAPP, Channel.SMS


def sweep_after(seconds: float, queued: QueuedTasks) -> None:
    with later(seconds):
        watch.watch_deliveries()
        queued.run()


def test_a_lost_bell_is_rung_again(start: Start, queued: QueuedTasks, providers: Providers) -> None:
    """The broker was away at the start: the sweep sends it."""
    challenge_id = start()
    queued.send.clear()

    sweep_after(4, queued)

    assert providers.channels == [WHATSAPP]
    assert factories.deliveries(challenge_id)[0].status == Status.ACCEPTED


def test_a_fresh_delivery_is_left_to_its_bell(start: Start, queued: QueuedTasks) -> None:
    start()
    queued.send.clear()

    watch.watch_deliveries()

    assert queued.send == []


def test_one_message_goes_out_however_many_tasks_are_enqueued(
    start: Start, queued: QueuedTasks, providers: Providers
) -> None:
    challenge_id = start()
    queued.send *= 5
    queued.run()

    assert providers.channels == [WHATSAPP]
    assert factories.deliveries(challenge_id)[0].tries == 1


def die_after_claim(challenge_id: uuid.UUID) -> Delivery:
    """A worker claims the delivery and is never heard of again."""
    (item,) = factories.deliveries(challenge_id)
    assert store.claim(delivery_id=item.id, now=timezone.now(), lease=policy.LEASE)
    return item


def test_a_worker_that_died_after_its_claim_is_followed_by_another(
    start: Start, queued: QueuedTasks, providers: Providers
) -> None:
    """At most one repeated message, with the same code."""
    challenge_id = start()
    queued.send.clear()
    die_after_claim(challenge_id)

    sweep_after(policy.LEASE.total_seconds() - 1, queued)
    assert providers.channels == []
    sweep_after(policy.LEASE.total_seconds() + 1, queued)

    assert providers.channels == [WHATSAPP]
    assert providers.codes == {factories.code_of(challenge_id)}


def test_a_delivery_that_kills_two_workers_goes_to_the_next_channel(
    start: Start, queued: QueuedTasks, providers: Providers
) -> None:
    challenge_id = start()
    queued.send.clear()
    item = die_after_claim(challenge_id)
    Delivery.objects.update(crashes=policy.MAX_CRASHES - 1)

    sweep_after(policy.LEASE.total_seconds() + 1, queued)

    item.refresh_from_db()
    assert (item.status, item.reason) == (Status.FAILED, FailureReason.CRASHED)
    assert providers.channels == [SMS]


def test_a_report_that_came_before_the_worker_died_is_enough(
    start: Start, queued: QueuedTasks, providers: Providers
) -> None:
    from otp import services

    challenge_id = start()
    queued.send.clear()
    item = die_after_claim(challenge_id)
    services.record_status_updates([factories.report(item, Status.DELIVERED)])

    sweep_after(60, queued)

    assert providers.channels == []
    assert factories.deliveries(challenge_id)[0].status == Status.DELIVERED


def test_a_delivery_whose_challenge_expired_unsent_is_let_go(
    start: Start, queued: QueuedTasks, providers: Providers
) -> None:
    challenge_id = start()
    queued.send.clear()

    sweep_after(601, queued)

    (item,) = factories.deliveries(challenge_id)
    assert providers.channels == []
    assert (item.status, item.due_at) == (Status.EXPIRED, None)


def test_silence_of_the_last_channel_ends_without_another_message(
    start: Start, queued: QueuedTasks, providers: Providers
) -> None:
    challenge_id = start(channel=SMS)
    queued.run()

    sweep_after(policy.SMS_WINDOW.total_seconds() + 1, queued)
    sweep_after(policy.SMS_WINDOW.total_seconds() + 10, queued)

    (item,) = factories.deliveries(challenge_id)
    assert providers.channels == [SMS]
    assert (item.status, item.due_at) == (Status.EXPIRED, None)


def test_a_fallback_whose_bell_was_lost_is_found(
    start: Start, queued: QueuedTasks, providers: Providers
) -> None:
    challenge_id = start()
    queued.run()
    with later(21):
        watch.watch_deliveries()
    queued.fall_back.clear()

    sweep_after(26, queued)

    assert factories.channels_of(challenge_id) == [WHATSAPP, SMS]


def test_nothing_due_is_nothing_done(start: Start, queued: QueuedTasks, providers: Providers) -> None:
    start()
    queued.run()

    assert watch.watch_deliveries() == 0


def test_batches_are_bounded_and_the_freshest_come_first(start: Start, queued: QueuedTasks) -> None:
    for nth in range(5):
        start(f"+8525123400{nth}", address=f"198.51.{nth}.1")
    queued.send.clear()
    ids = list(Delivery.objects.order_by("-due_at").values_list("id", flat=True))

    with later(4):
        first = due.take_due(now=timezone.now(), batch=2)
        second = due.take_due(now=timezone.now(), batch=10)

    assert first.send == ids[:2]
    assert sorted(second.send) == sorted(ids[2:])


@pytest.mark.django_db(transaction=True)
def test_several_sweeps_at_once_take_each_delivery_once(start: Start, queued: QueuedTasks) -> None:
    from django.db import connection

    for nth in range(12):
        start(f"+852512340{nth:02}", address=f"198.51.{nth}.1")
    Delivery.objects.update(due_at=timezone.now() - timedelta(seconds=1))
    barrier = threading.Barrier(4)
    taken: list[uuid.UUID] = []

    def run() -> None:
        barrier.wait()
        try:
            taken.extend(due.take_due(now=timezone.now(), batch=100).send)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)

    assert sorted(taken) == sorted(Delivery.objects.values_list("id", flat=True))


def test_every_step_is_in_the_timeline(start: Start, queued: QueuedTasks, providers: Providers) -> None:
    start()
    queued.run()
    sweep_after(21, queued)

    events = [(Status(event.status), event.reason) for event in DeliveryEvent.objects.order_by("id")]
    assert events == [(Status.ACCEPTED, ""), (Status.EXPIRED, "no_news"), (Status.ACCEPTED, "")]


def test_a_claim_of_a_challenge_that_is_over_sends_nothing(
    start: Start, queued: QueuedTasks, providers: Providers
) -> None:
    start()
    Challenge.objects.update(ended_at=timezone.now(), end_reason="cancelled")

    queued.run()

    assert providers.sent == []


def test_an_unknown_delivery_is_nothing_to_send(db: None, providers: Providers) -> None:
    send.send_delivery(delivery_id=uuid.uuid4())

    assert providers.sent == []
