"""Providers' reports: any order, repeated, early, foreign."""

import itertools
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from django.utils import timezone

from channels.types import Channel, Disavowal, FailureReason, Status
from core.ids import new_id
from otp import services
from otp.errors import ChallengeExpired
from otp.models import Challenge, Delivery, DeliveryEvent
from otp.types import EndReason
from tests import factories
from tests.otp.conftest import Providers, QueuedTasks, Start, verify
from tests.threads import at_once

ORDERS = list(itertools.permutations([Status.SENT, Status.DELIVERED, Status.READ, Status.FAILED]))


@pytest.fixture
def sent(start: Start, queued: QueuedTasks, providers: Providers) -> Delivery:
    start()
    queued.run()
    return Delivery.objects.get()


def status(delivery: Delivery) -> Status:
    return Status(Delivery.objects.values_list("status", flat=True).get(id=delivery.id))


@pytest.mark.parametrize("order", ORDERS, ids=lambda order: "-".join(item.word for item in order))
def test_in_every_order_the_furthest_status_stands(order: Sequence[Status], sent: Delivery) -> None:
    """D5."""
    for step in order:
        services.record_status_updates([factories.report(sent, step)])

    assert status(sent) == Status.READ
    assert Delivery.objects.get(id=sent.id).due_at is None


@pytest.mark.parametrize("order", ORDERS, ids=lambda order: "-".join(item.word for item in order))
def test_in_one_batch_too(order: Sequence[Status], sent: Delivery) -> None:
    services.record_status_updates([factories.report(sent, step) for step in order])

    assert status(sent) == Status.READ


@pytest.mark.parametrize("order", [(Status.DELIVERED, Status.FAILED), (Status.FAILED, Status.DELIVERED)])
def test_delivered_wins_over_failed_for_one_message(order: Sequence[Status], sent: Delivery) -> None:
    """One handset of several got it."""
    for step in order:
        services.record_status_updates([factories.report(sent, step)])

    assert status(sent) == Status.DELIVERED
    assert Delivery.objects.get(id=sent.id).reason == ""


def test_a_late_sent_does_not_undo_a_failure(sent: Delivery) -> None:
    services.record_status_updates([factories.report(sent, Status.FAILED)])
    services.record_status_updates([factories.report(sent, Status.SENT)])

    assert status(sent) == Status.FAILED


def test_a_hundred_repeats_are_one_event(sent: Delivery) -> None:
    """D8: whatever clock the copies carry."""
    before = DeliveryEvent.objects.count()
    for nth in range(100):
        at = timezone.now() - timedelta(seconds=nth)
        services.record_status_updates([factories.report(sent, Status.SENT, at=at)])

    assert DeliveryEvent.objects.count() == before + 1


def test_repeats_within_one_batch_are_one_event(sent: Delivery) -> None:
    before = DeliveryEvent.objects.count()

    services.record_status_updates([factories.report(sent, Status.SENT)] * 50)

    assert DeliveryEvent.objects.count() == before + 1


def test_a_report_is_found_by_the_providers_id_alone(sent: Delivery) -> None:
    services.record_status_updates([factories.report(sent, Status.DELIVERED, by_reference=False)])

    assert status(sent) == Status.DELIVERED


def test_a_message_id_that_a_report_brings_finds_nothing_for_another_of_its_batch(sent: Delivery) -> None:
    """A batch is matched with what was stored before it, on every database."""
    Delivery.objects.filter(id=sent.id).update(provider_message_id="")

    services.record_status_updates(
        [
            factories.report(sent, Status.SENT, message_id="m-1"),
            factories.report(sent, Status.DELIVERED, message_id="m-1", by_reference=False),
        ]
    )

    assert status(sent) == Status.SENT


def test_a_report_before_the_send_call_returns_is_not_lost(
    start: Start, queued: QueuedTasks, providers: Providers
) -> None:
    """D6: the answer that comes after it does not take the status back."""

    def report_first(message: object) -> None:
        delivery = Delivery.objects.get()
        services.record_status_updates([factories.report(delivery, Status.DELIVERED, message_id="early")])

    providers.script[Channel.WHATSAPP] = report_first
    start()
    queued.run()

    delivery = Delivery.objects.get()
    assert delivery.status == Status.DELIVERED
    assert delivery.due_at is None
    assert delivery.accepted_at is not None


def test_a_failure_before_the_send_call_returns_still_leads_to_the_sms(
    start: Start, queued: QueuedTasks, providers: Providers
) -> None:
    """D6: the answer must not put the timer off."""

    def report_first(message: object) -> None:
        services.record_status_updates(
            [factories.report(Delivery.objects.get(), Status.FAILED, message_id="early")]
        )

    providers.script[Channel.WHATSAPP] = report_first
    challenge_id = start()
    queued.run()
    delivery = Delivery.objects.get()
    assert delivery.due_at is not None
    assert delivery.due_at <= timezone.now()

    queued.fall_back.append(delivery.id)
    queued.run()
    assert factories.channels_of(challenge_id) == [Channel.WHATSAPP, Channel.SMS]


def test_unknown_messages_change_nothing_and_are_no_error(sent: Delivery) -> None:
    """D6."""
    unknown = [
        factories.report(sent, Status.FAILED, by_reference=False, message_id="nobody's"),
        factories.report(Delivery(id=new_id(), sender_id=sent.sender_id), Status.FAILED),
    ]

    services.record_status_updates(unknown)

    assert status(sent) == Status.ACCEPTED


def test_another_senders_report_changes_nothing(sent: Delivery) -> None:
    """D7: a right signature of another account."""
    foreign = (uuid.uuid4(),)

    services.record_status_updates([factories.report(sent, Status.FAILED, sender_ids=foreign)])
    services.record_status_updates([factories.report(sent, Status.READ, sender_ids=(), by_reference=False)])

    assert status(sent) == Status.ACCEPTED
    assert not DeliveryEvent.objects.filter(status=Status.FAILED).exists()


def test_a_report_counts_for_any_of_the_senders_that_share_an_account(sent: Delivery) -> None:
    assert sent.sender_id
    both = (uuid.uuid4(), sent.sender_id)

    services.record_status_updates([factories.report(sent, Status.DELIVERED, sender_ids=both)])

    assert status(sent) == Status.DELIVERED


def test_an_empty_batch_is_fine(sent: Delivery) -> None:
    services.record_status_updates([])

    assert status(sent) == Status.ACCEPTED


def test_a_clock_that_is_ahead_does_not_put_the_status_into_the_future(sent: Delivery) -> None:
    ahead = datetime(2100, 1, 1, tzinfo=UTC)

    services.record_status_updates([factories.report(sent, Status.SENT, at=ahead)])

    assert Delivery.objects.get(id=sent.id).status_at <= timezone.now()


def test_a_batch_over_many_deliveries_moves_each(
    start: Start, queued: QueuedTasks, providers: Providers
) -> None:
    numbers = [f"+8525123{4000 + nth}" for nth in range(12)]
    for nth, number in enumerate(numbers):
        start(number, address=f"198.51.{nth}.1")
    queued.run()
    batch = [
        factories.report(delivery, step)
        for delivery in Delivery.objects.all()
        for step in (Status.READ, Status.SENT, Status.DELIVERED)
    ]

    services.record_status_updates(batch)

    assert set(Delivery.objects.values_list("status", flat=True)) == {Status.READ}


def test_the_reason_and_the_providers_code_are_kept_for_the_operator(sent: Delivery) -> None:
    services.record_status_updates([factories.report(sent, Status.FAILED, reason=FailureReason.PAYMENT)])

    event = DeliveryEvent.objects.get(status=Status.FAILED)
    assert (event.reason, event.provider_code) == (FailureReason.PAYMENT, "131026")


def test_who_did_not_ask_for_the_code_revokes_the_challenge(sent: Delivery) -> None:
    """Decision 7."""
    assert sent.sender_id
    code = factories.code_of(sent.challenge_id)

    services.revoke_disavowed(
        [Disavowal(sender_ids=(sent.sender_id,), provider_message_id=sent.provider_message_id)]
    )

    assert Challenge.objects.get().end_reason == EndReason.DISAVOWED
    with pytest.raises(ChallengeExpired):
        verify(sent.challenge_id, code)


def test_a_foreign_or_unknown_disavowal_revokes_nothing(sent: Delivery) -> None:
    assert sent.sender_id
    services.revoke_disavowed(
        [
            Disavowal(sender_ids=(uuid.uuid4(),), provider_message_id=sent.provider_message_id),
            Disavowal(sender_ids=(sent.sender_id,), provider_message_id="nobody's"),
            Disavowal(sender_ids=(sent.sender_id,), provider_message_id=""),
        ]
    )

    assert Challenge.objects.get().ended_at is None


@pytest.mark.usefixtures("as_several_processes")
@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_batches_about_the_same_messages_wait_for_each_other(
    start: Start, queued: QueuedTasks, providers: Providers
) -> None:
    """In whatever order they name them, by our id or by the provider's: no deadlock, and each report is one event."""
    for nth in range(12):
        start(f"+8525123{4000 + nth}", address=f"198.51.{nth}.1")
    queued.run()
    rows = list(Delivery.objects.all())
    batches = [
        [
            factories.report(item, step, by_reference=(place + nth) % 2 == 0)
            for place, item in enumerate(rows[:: 1 if nth % 2 else -1])
        ]
        for nth, step in enumerate([Status.SENT, Status.DELIVERED, Status.READ] * 4)
    ]

    results = at_once([partial(services.record_status_updates, batch) for batch in batches])

    assert results == [None] * len(batches)
    assert set(Delivery.objects.values_list("status", flat=True)) == {Status.READ}
    assert DeliveryEvent.objects.filter(status__gt=Status.ACCEPTED).count() == 3 * len(rows)
