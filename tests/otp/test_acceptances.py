"""Acceptances of several threads are written together, and one that cannot be is no other's trouble."""

import threading
import time
import uuid
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial

import pytest
from django.db import DataError, InterfaceError, OperationalError, connection, transaction
from django.utils import timezone
from structlog.testing import capture_logs

from channels.types import Status
from otp import acceptances, policy, services
from otp.models import Delivery, DeliveryEvent
from otp.store import claim as store
from otp.store.claim import Acceptance
from tests import factories
from tests.otp.conftest import QueuedTasks, Start
from tests.threads import at_once

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def claimed(start: Start, queued: QueuedTasks) -> Callable[[int], list[uuid.UUID]]:
    def make(count: int) -> list[uuid.UUID]:
        for nth in range(count):
            start(f"+85251234{nth:03}", address=f"198.51.{nth}.1")
        taken = store.claim_waiting(most=count, now=timezone.now(), lease=policy.LEASE)
        return sorted(item.delivery_id for item in taken)

    return make


def acceptance(delivery_id: uuid.UUID, message_id: str = "") -> Acceptance:
    now = timezone.now()
    return Acceptance(
        delivery_id=delivery_id,
        message_id=message_id or f"m-{delivery_id}",
        at=now,
        due_at=now + timedelta(seconds=20),
    )


class Writes:
    """The batches that were written. The first waits until `go`."""

    def __init__(self, *, waits: bool = False) -> None:
        self.sizes: list[int] = []
        self.go = threading.Event()
        self.begun = threading.Event()
        if not waits:
            self.go.set()
        self.fail: Callable[[Sequence[Acceptance]], None] = lambda _items: None
        self.accept, self.accept_one = store.accept, store.accept_one

    def together(self, items: Sequence[Acceptance]) -> set[uuid.UUID]:
        self.sizes.append(len(items))
        self.begun.set()
        assert self.go.wait(10)
        self.fail(items)
        return self.accept(items)

    def alone(self, item: Acceptance) -> None:
        self.fail([item])
        self.accept_one(item)


@pytest.fixture
def writes(monkeypatch: pytest.MonkeyPatch) -> Writes:
    made = Writes()
    monkeypatch.setattr(store, "accept", made.together)
    monkeypatch.setattr(store, "accept_one", made.alone)
    return made


def together(writes: Writes, items: Sequence[Acceptance]) -> list[object]:
    """The first is being written while all others come."""
    writes.go.clear()
    results: list[object] = [None] * len(items)

    def run(nth: int) -> None:
        try:
            acceptances.write(items[nth])
        except Exception as error:  # noqa: BLE001 # handed to the test
            results[nth] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(nth,)) for nth in range(len(items))]
    threads[0].start()
    assert writes.begun.wait(10)
    for thread in threads[1:]:
        thread.start()
    deadline = time.monotonic() + 10
    while len(acceptances._write_together._waiting) < len(items) - 1 and time.monotonic() < deadline:
        time.sleep(0.005)
    writes.go.set()
    for thread in threads:
        thread.join(timeout=20)
    return results


def test_a_lone_one_is_written_at_once(claimed: Callable[[int], list[uuid.UUID]], writes: Writes) -> None:
    (delivery_id,) = claimed(1)

    acceptances.write(acceptance(delivery_id, "m-1"))

    item = Delivery.objects.get()
    assert (item.status, item.provider_message_id, writes.sizes) == (Status.ACCEPTED, "m-1", [1])


def test_all_that_come_meanwhile_are_written_together(
    claimed: Callable[[int], list[uuid.UUID]], writes: Writes
) -> None:
    ids = claimed(6)
    items = [acceptance(delivery_id) for delivery_id in ids]

    assert together(writes, items) == [None] * 6

    assert writes.sizes == [1, 5]
    for item in items:
        row = Delivery.objects.get(id=item.delivery_id)
        assert (row.status, row.accepted_at, row.due_at) == (Status.ACCEPTED, item.at, item.due_at)
        assert row.provider_message_id == item.message_id
    assert DeliveryEvent.objects.filter(status=Status.ACCEPTED).count() == 6


def test_one_that_cannot_be_written_is_its_threads_trouble_alone(
    claimed: Callable[[int], list[uuid.UUID]], writes: Writes
) -> None:
    """The others' messages would be sent again."""
    ids = claimed(4)
    bad = ids[2]

    def refuse(items: Sequence[Acceptance]) -> None:
        if any(item.delivery_id == bad for item in items):
            raise DataError("too long")

    writes.fail = refuse
    with capture_logs() as lines:
        results = together(writes, [acceptance(delivery_id) for delivery_id in ids])

    assert [type(result) for result in results] == [type(None), type(None), DataError, type(None)]
    assert set(Delivery.objects.exclude(id=bad).values_list("status", flat=True)) == {Status.ACCEPTED}
    assert [line["count"] for line in lines if line["event"] == "acceptances.not_together"] == [3]


@pytest.mark.postgres
def test_an_id_that_is_too_long_keeps_no_other_from_being_written(
    claimed: Callable[[int], list[uuid.UUID]], writes: Writes
) -> None:
    """The same with the database's own refusal, on a connection that is used again."""
    ids = claimed(3)
    items = [acceptance(delivery_id) for delivery_id in ids[:2]]

    results = together(writes, [*items, acceptance(ids[2], "x" * 300)])

    assert [type(result) for result in results] == [type(None), type(None), DataError]
    assert set(Delivery.objects.filter(id__in=ids[:2]).values_list("status", flat=True)) == {Status.ACCEPTED}


@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
def test_a_database_that_is_away_for_a_moment_costs_no_acceptance(
    error: type[Exception],
    claimed: Callable[[int], list[uuid.UUID]],
    writes: Writes,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("otp.store.connections._RETRY_EVERY_SECONDS", 0.01)
    ids = claimed(3)
    until = time.monotonic() + 0.15

    def away(_items: Sequence[Acceptance]) -> None:
        if time.monotonic() < until:
            raise error("away")

    writes.fail = away
    results = together(writes, [acceptance(delivery_id) for delivery_id in ids])

    assert results == [None] * 3
    assert set(Delivery.objects.values_list("status", flat=True)) == {Status.ACCEPTED}


def test_a_database_that_stays_away_is_told_to_each(
    claimed: Callable[[int], list[uuid.UUID]], writes: Writes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("otp.store.connections._RETRY_EVERY_SECONDS", 0.01)
    monkeypatch.setattr("otp.store.connections._RETRY_SECONDS", 0.05)
    ids = claimed(2)

    def away(_items: Sequence[Acceptance]) -> None:
        raise OperationalError("away")

    writes.fail = away
    results = together(writes, [acceptance(delivery_id) for delivery_id in ids])

    assert [type(result) for result in results] == [OperationalError] * 2
    assert not acceptances._write_together._waiting
    assert not acceptances._write_together._turn.locked()


@pytest.mark.usefixtures("as_several_processes")
@pytest.mark.postgres
def test_batches_about_the_same_rows_do_not_wait_for_each_other(
    claimed: Callable[[int], list[uuid.UUID]],
) -> None:
    """In whatever order they list them: what another holds is left out, and written by itself then."""
    items = [acceptance(delivery_id) for delivery_id in claimed(12)]
    reports = [
        factories.report(item, Status.DELIVERED, message_id=f"m-{item.id}") for item in Delivery.objects.all()
    ]

    for _ in range(5):
        results = at_once(
            [
                lambda: store.accept(items),
                lambda: store.accept(items[::-1]),
                lambda: services.record_status_updates(reports),
                lambda: services.record_status_updates(reports[::-1]),
            ]
        )
        assert results[2:] == [None, None]
        written = {key for result in results[:2] if isinstance(result, set) for key in result}
        for item in items:
            if item.delivery_id not in written:
                store.accept_one(item)

    rows = Delivery.objects.order_by().values_list("status", "due_at").distinct()
    assert list(rows) == [(Status.DELIVERED, None)]
    assert DeliveryEvent.objects.filter(status=Status.ACCEPTED).count() == 12


@pytest.mark.postgres
def test_one_that_somebody_holds_holds_up_no_other(
    claimed: Callable[[int], list[uuid.UUID]], writes: Writes
) -> None:
    """A lock is waited for by its own thread alone, outside of what all write together."""
    held, *others = claimed(4)

    def write_held() -> None:
        acceptances.write(acceptance(held))
        connection.close()

    waiting = threading.Thread(target=write_held)
    with transaction.atomic():
        Delivery.objects.select_for_update().get(id=held)
        waiting.start()
        assert writes.begun.wait(10)
        begun = time.monotonic()
        results = at_once([partial(acceptances.write, acceptance(key)) for key in others])
        took = time.monotonic() - begun
        assert waiting.is_alive()
    waiting.join(timeout=10)

    assert results == [None] * 3
    assert took < 2  # a lock is waited for twice as long
    assert set(Delivery.objects.values_list("status", flat=True)) == {Status.ACCEPTED}


def test_a_report_that_came_first_stays(claimed: Callable[[int], list[uuid.UUID]]) -> None:
    ids = claimed(3)
    first = Delivery.objects.get(id=ids[0])
    services.record_status_updates([factories.report(first, Status.DELIVERED)])

    store.accept([acceptance(delivery_id) for delivery_id in ids])

    states = {row.id: (row.status, row.due_at is None) for row in Delivery.objects.all()}
    assert states == {
        ids[0]: (Status.DELIVERED, True),
        ids[1]: (Status.ACCEPTED, False),
        ids[2]: (Status.ACCEPTED, False),
    }


def test_a_delivery_that_was_purged_meanwhile_is_no_error(claimed: Callable[[int], list[uuid.UUID]]) -> None:
    (delivery_id,) = claimed(1)

    store.accept([acceptance(uuid.uuid4()), acceptance(delivery_id)])

    assert Delivery.objects.get().status == Status.ACCEPTED
    assert DeliveryEvent.objects.count() == 1
