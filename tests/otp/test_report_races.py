"""Reports about messages that another transaction changes at the same moment, by whatever plan PostgreSQL chooses."""

import itertools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext

import pytest
from django.db import connection, transaction
from django.utils import timezone

from channels.prices import ReportedPrice
from channels.types import Status
from otp.models import Delivery, DeliveryEvent
from otp.store import prices, updates
from tests import factories
from tests.otp.conftest import Providers, QueuedTasks, Start
from tests.otp.waiting.support import begin, copy, send_all
from tests.processes import until
from tests.threads import is_waiting

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]

PLANS = ("nestloop", "hashjoin", "mergejoin")
NAMINGS = {"by our id": (True,), "by the provider's": (False,), "by either": (True, False)}


@pytest.fixture
def rows(start: Start, queued: QueuedTasks, providers: Providers) -> list[Delivery]:
    begin(start, queued, 1)
    copy(11)
    send_all()
    return list(Delivery.objects.order_by("id"))


def after_waiting[Result](act: Callable[[], Result], *, join: str) -> Result:
    """What `act` returns when it waited for a transaction that changed every delivery, planned with this join alone."""

    def run() -> Result:
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                for name in {"seqscan", "bitmapscan", *PLANS} - {join}:
                    cursor.execute(f"SET LOCAL enable_{name} = off")
                return act()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            Delivery.objects.update(template_language="id")
            result = pool.submit(run)
            until(is_waiting, "the other transaction waits")
        return result.result(timeout=30)


@pytest.mark.parametrize("join", PLANS)
@pytest.mark.parametrize("naming", NAMINGS)
def test_reports_that_waited_for_another_transaction_count(
    rows: list[Delivery], naming: str, join: str
) -> None:
    batch = [
        factories.report(item, Status.READ, by_reference=by_reference)
        for item, by_reference in zip(rows, itertools.cycle(NAMINGS[naming]), strict=False)
    ]

    groups = after_waiting(lambda: updates.record(batch, now=timezone.now()), join=join)

    assert sum(len(group.delivery_ids) for group in groups) == len(rows)
    assert set(Delivery.objects.values_list("status", "template_language")) == {(Status.READ, "id")}
    assert DeliveryEvent.objects.filter(status=Status.READ).count() == len(rows)


@pytest.mark.parametrize("join", PLANS)
def test_of_several_reports_that_waited_the_furthest_counts(rows: list[Delivery], join: str) -> None:
    """Each report of a message is its own event, and none takes the place of another."""
    batch = [
        factories.report(item, status, by_reference=nth % 2 == 0)
        for status in (Status.SENT, Status.READ, Status.DELIVERED)
        for nth, item in enumerate(rows)
    ]

    after_waiting(lambda: updates.record(batch, now=timezone.now()), join=join)

    assert set(Delivery.objects.values_list("status", flat=True)) == {Status.READ}
    assert DeliveryEvent.objects.filter(status__gt=Status.ACCEPTED).count() == 3 * len(rows)


@pytest.mark.parametrize("together", [True, False], ids=["in a transaction", "alone"])
def test_reports_that_waited_in_a_circle_are_stored(rows: list[Delivery], together: bool) -> None:
    """The planner may take their locks in another order than that of their keys: PostgreSQL ends the circle by an error
    of one of the two. Here the other is somebody who takes the last and then the first."""
    batch = [factories.report(item, Status.SENT) for item in rows]

    def run() -> int:
        try:
            with transaction.atomic() if together else nullcontext():
                return sum(len(group.delivery_ids) for group in updates.record(batch, now=timezone.now()))
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            Delivery.objects.filter(id=rows[-1].id).update(template_language="id")
            result = pool.submit(run)
            until(is_waiting, "the reports wait for the last")
            Delivery.objects.filter(id=rows[0].id).update(template_language="id")

        assert result.result(timeout=30) == len(rows)
    assert {row.status for row in Delivery.objects.all()} == {Status.SENT}
    assert DeliveryEvent.objects.filter(status=Status.SENT).count() == len(rows)


@pytest.mark.parametrize("join", PLANS)
def test_prices_that_waited_for_another_transaction_are_stored(rows: list[Delivery], join: str) -> None:
    told = [
        ReportedPrice(provider_message_id=item.provider_message_id, micros=7_500, currency="USD")
        for item in rows
    ]
    senders = [item.sender_id for item in rows[:1] if item.sender_id]

    assert after_waiting(lambda: prices.record(told, sender_ids=senders), join=join) == len(rows)

    assert set(Delivery.objects.values_list("price_micros", "template_language")) == {(7_500, "id")}
