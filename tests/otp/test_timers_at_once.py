"""Timers while several sweeps, workers and reports are at work."""

import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from channels.types import FailureReason, Status
from otp import policy
from otp.models import Challenge, Delivery, Timer
from otp.store import claim, due, timers, updates
from tests import factories
from tests.otp.conftest import Providers, QueuedTasks, Start
from tests.otp.plans import columns_of
from tests.otp.waiting.support import begin, change, copy, lacks_timer
from tests.threads import at_once

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


@contextmanager
def meanwhile(act: Callable[[], object]) -> Iterator[None]:
    """Another transaction has done `act` and not committed yet."""
    done, release = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            act()
            done.set()
            release.wait(10)
        connection.close()

    holder = threading.Thread(target=hold)
    holder.start()
    assert done.wait(10)
    try:
        yield
    finally:
        release.set()
        holder.join()


def test_sweeps_at_the_same_moment_share_the_work(start: Start, queued: QueuedTasks) -> None:
    begin(start, queued, 1)
    copy(39)
    Delivery.objects.update(due_at=timezone.now() - timedelta(seconds=1))
    now = timezone.now()

    results = at_once([lambda: due.take_due(now=now, batch=10)] * 8)

    taken = [key for result in results if isinstance(result, due.Due) for key in result.send]
    assert not [item for item in results if isinstance(item, Exception)], results
    assert len(taken) == len(set(taken)) == 40
    assert lacks_timer(now) == []


def test_a_delivery_that_somebody_holds_keeps_its_timer(start: Start, queued: QueuedTasks) -> None:
    begin(start, queued, 1)
    copy(1)
    held, free = Delivery.objects.order_by("id")
    Delivery.objects.update(due_at=timezone.now() - timedelta(seconds=1))

    with meanwhile(lambda: Delivery.objects.select_for_update().get(id=held.id)):
        assert due.take_due(now=timezone.now(), batch=9).send == [free.id]

    assert due.take_due(now=timezone.now(), batch=9).send == [held.id]


def test_an_acceptance_at_the_moment_of_a_sweep_keeps_its_wait(start: Start, queued: QueuedTasks) -> None:
    """The lease is put off or brought forward while the timer of the queue is moved to it."""
    begin(start, queued, 1)
    copy(15)
    ids = list(Delivery.objects.values_list("id", flat=True))
    begun = timezone.now() + timedelta(seconds=1)
    claimed = claim.claim_waiting(most=16, now=begun, lease=policy.LEASE)
    assert len(claimed) == 16
    waits = [begun + timedelta(seconds=5 + nth % 2 * 20) for nth in range(16)]
    accepted = [
        claim.Acceptance(delivery_id=key, message_id=f"m{nth}", at=begun, due_at=waits[nth])
        for nth, key in enumerate(ids)
    ]
    moment = begun + policy.ENQUEUE_GRACE

    at_once(
        [lambda: due.take_due(now=moment, batch=64)] * 2
        + [lambda item=item: claim.accept_one(item) for item in accepted]  # type: ignore[misc] # a default
    )

    assert lacks_timer(moment) == []
    silent = due.take_due(now=begun + timedelta(seconds=5), batch=64)
    assert (silent.cases, Timer.objects.filter(at__lte=begun + timedelta(seconds=5)).count()) == (
        {"silent": 8},
        0,
    )


def test_a_timer_that_another_sweep_holds_is_left_to_it(start: Start, queued: QueuedTasks) -> None:
    """Sweeps that waited for each other's timers ended in a deadlock, and held up the reports of what they had locked."""
    begin(start, queued, 2)
    Delivery.objects.update(due_at=timezone.now() - timedelta(seconds=1))
    keys = list(Timer.objects.filter(at__lte=timezone.now()).values_list("at", "delivery_id"))

    with meanwhile(lambda: timers.remove(keys[:1])):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = 500")
            timers.remove(keys)
        assert list(Timer.objects.filter(at__lte=timezone.now()).values_list("at", "delivery_id")) == keys[:1]

    assert not Timer.objects.filter(at__lte=timezone.now()).exists()


def test_the_same_time_once_more_is_not_lost_to_a_sweep(start: Start, queued: QueuedTasks) -> None:
    """It comes back between the sweep's look and its removal."""
    (item,) = begin(start, queued, 1)
    at = timezone.now() - timedelta(seconds=1)
    Timer.objects.all().delete()
    change(item, due_at=at)
    change(item, due_at=None)

    with meanwhile(lambda: change(item, due_at=at)):
        assert due.take_due(now=timezone.now(), batch=9).taken == 0

    assert lacks_timer(timezone.now()) == []
    assert due.take_due(now=timezone.now(), batch=9).send == [item]


def test_a_plan_of_the_first_minutes_is_not_kept(start: Start, queued: QueuedTasks) -> None:
    """A sweep looks again and again on one connection, while the tables of a new service grow."""
    begin(start, queued, 1)
    with transaction.atomic(), connection.cursor() as cursor:
        timers.settle_fired(now=timezone.now())
        cursor.execute("SHOW plan_cache_mode")
        assert cursor.fetchone() == ("force_custom_plan",)
    with connection.cursor() as cursor:
        cursor.execute("SHOW plan_cache_mode")
        assert cursor.fetchone() == ("auto",)


def test_a_batch_of_numbers_that_whatsapp_does_not_know_costs_what_others_do(
    start: Start, queued: QueuedTasks, providers: Providers
) -> None:
    """Not each of them beside each that arrived: 300 ms for a thousand reports."""
    (item,) = begin(start, queued, 1)
    delivery = Delivery.objects.select_related("challenge").get(id=item)
    change(item, status=Status.ACCEPTED, accepted_at=timezone.now())
    delivery.refresh_from_db()
    rows = [
        Challenge(
            **{
                **columns_of(delivery.challenge),
                "id": uuid.uuid4(),
                "start_key": None,
                "phone": f"+8525{nth:07}",
            }
        )
        for nth in range(60)
    ]
    Challenge.objects.bulk_create(rows)
    made = [Delivery(**{**columns_of(delivery), "id": uuid.uuid4(), "challenge_id": row.id}) for row in rows]
    Delivery.objects.bulk_create(made)
    reports = [
        factories.report(each, Status.DELIVERED)
        if nth % 2
        else factories.report(each, Status.FAILED, reason=FailureReason.NOT_ON_CHANNEL)
        for nth, each in enumerate(made)
    ]
    plan: list[str] = []

    def explain(execute: Callable[..., object], text: str, *rest: object) -> object:
        if text == updates._RECORD_RAISED:
            with connection.cursor() as cursor:
                cursor.execute(f"EXPLAIN {text}", rest[0])  # type: ignore[arg-type] # as given
                plan.extend(line for (line,) in cursor.fetchall())
        return execute(text, *rest)

    with connection.execute_wrapper(explain):
        groups = updates.record(reports, now=timezone.now())

    assert sum(len(group.delivery_ids) for group in groups) == 60
    assert [line for line in plan if "hashed SubPlan" in line], plan
