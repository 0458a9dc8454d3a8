"""The sweep does what it finds by itself: side by side, bounded, and it stops when it is told to."""

import threading
import time
import uuid
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.conf import LazySettings
from django.db import connection
from django.utils import timezone
from structlog.testing import capture_logs

from channels.types import Channel, Message, Receipt, Status
from otp import bell, delivery, policy, tasks, watch
from otp.models import Delivery
from tests import factories
from tests.clock import later
from tests.otp.conftest import Bells, Providers, Start


@pytest.fixture(autouse=True)
def _goes_on() -> Iterator[None]:
    yield
    watch._stopping.clear()


def begin(start: Start, bells: Bells, count: int) -> None:
    """So many challenges whose bells were lost, due since a second ago."""
    for nth in range(count):
        start(f"+85251234{nth:03}", address=f"198.51.{nth % 200}.1")
    bells.send.clear()
    Delivery.objects.update(due_at=timezone.now() - timedelta(seconds=1))


def test_nothing_is_rung_for_what_it_finds(start: Start, bells: Bells, providers: Providers) -> None:
    """A backlog of any length leaves the broker alone."""
    begin(start, bells, 10)

    assert watch.watch_deliveries() == 10

    assert (bells.send, bells.fall_back) == ([], [])
    assert len(providers.sent) == 10


@pytest.mark.django_db(transaction=True)
def test_it_sends_side_by_side(
    start: Start, bells: Bells, providers: Providers, settings: LazySettings
) -> None:
    settings.SWEEP_THREADS = 4
    together, most = 0, 0
    lock = threading.Lock()

    def slow(_message: Message) -> None:
        nonlocal together, most
        with lock:
            together += 1
            most = max(most, together)
        time.sleep(0.05)
        with lock:
            together -= 1

    providers.script[Channel.WHATSAPP] = slow
    begin(start, bells, 12)

    watch.watch_deliveries()

    assert len({message.delivery_id for _, message in providers.sent}) == len(providers.sent) == 12
    assert 2 <= most <= 4
    assert set(Delivery.objects.values_list("status", flat=True)) == {Status.ACCEPTED}


def test_one_that_goes_wrong_does_not_keep_the_others(
    start: Start, bells: Bells, providers: Providers
) -> None:
    begin(start, bells, 3)
    broken = Delivery.objects.order_by("id")[1].id

    def act(message: Message) -> None:
        if message.delivery_id == broken:
            raise ZeroDivisionError

    providers.script[Channel.WHATSAPP] = act
    with capture_logs() as lines:
        watch.watch_deliveries()

    assert len(providers.sent) == 2
    (line,) = [line for line in lines if line["event"] == "sweep.failed"]
    assert line["delivery_id"] == str(broken)
    providers.script.clear()
    with later(10):
        watch.watch_deliveries()
    assert len(providers.sent) == 3


def test_a_second_sweep_in_the_same_process_leaves_it_to_the_first(
    start: Start, bells: Bells, providers: Providers
) -> None:
    begin(start, bells, 1)
    inner: list[int] = []

    def again(_message: Message) -> None:
        inner.append(watch.watch_deliveries())

    providers.script[Channel.WHATSAPP] = again

    assert watch.watch_deliveries() == 1
    assert inner == [0]


def test_told_to_stop_it_claims_nothing_more(start: Start, bells: Bells, providers: Providers) -> None:
    """What is under way is finished; the rest is for another worker, untouched."""
    begin(start, bells, 3)

    def stop(_message: Message) -> None:
        watch.stop()

    providers.script[Channel.WHATSAPP] = stop
    watch.watch_deliveries()

    assert len(providers.sent) == 1
    left = Delivery.objects.exclude(status=Status.ACCEPTED)
    assert {(item.status, item.tries) for item in left} == {(Status.QUEUED, 0)}
    assert watch.watch_deliveries() == 0


def test_a_bell_that_rings_while_we_stop_is_passed_on(
    start: Start, bells: Bells, providers: Providers
) -> None:
    challenge_id = start()
    (item,) = factories.deliveries(challenge_id)
    bells.send.clear()
    watch.stop()

    tasks.send_delivery(str(item.id))
    tasks.fall_back(str(item.id))

    assert (bells.send, bells.fall_back, providers.sent) == ([item.id], [item.id], [])


def test_a_long_backlog_is_taken_in_small_batches(
    start: Start, bells: Bells, providers: Providers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between two batches, whoever has just become due is looked at first."""
    begin(start, bells, 10)
    late: list[uuid.UUID] = []
    newcomer = Delivery.objects.order_by("id").first()
    assert newcomer
    Delivery.objects.filter(id=newcomer.id).update(due_at=timezone.now() + timedelta(hours=1))

    def arrive(message: Message) -> None:
        if not late:
            Delivery.objects.filter(id=newcomer.id).update(due_at=timezone.now() - timedelta(milliseconds=1))
        late.append(message.delivery_id)

    providers.script[Channel.WHATSAPP] = arrive
    watch.watch_deliveries()

    assert late.index(newcomer.id) <= watch.BATCH_PER_THREAD
    assert len(late) == 10


def test_a_sweep_ends_after_its_time(
    start: Start, bells: Bells, providers: Providers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "LONGEST_SECONDS", 0.0)
    begin(start, bells, 2)

    assert watch.watch_deliveries() == 0
    assert providers.sent == []


@pytest.mark.django_db(transaction=True)
def test_two_workers_share_a_backlog_without_sending_anything_twice(
    start: Start, bells: Bells, providers: Providers
) -> None:
    begin(start, bells, 20)
    barrier = threading.Barrier(2)

    def worker() -> None:
        barrier.wait()
        try:
            watch._sweep()
        finally:
            connection.close()

    threads = [threading.Thread(target=worker) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)

    assert sorted(message.delivery_id for _, message in providers.sent) == sorted(
        Delivery.objects.values_list("id", flat=True)
    )


def test_a_connection_is_given_back_before_the_provider_is_called(
    start: Start, bells: Bells, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hundred sends that wait for a slow provider hold no connection of the database."""
    order: list[str] = []
    monkeypatch.setattr(delivery, "release", lambda: order.append("released"))

    def call(**_: object) -> Receipt:
        order.append("called")
        return Receipt(provider_message_id="m")

    monkeypatch.setattr("channels.services.send", call)
    start()
    bells.answer()

    assert order == ["released", "called"]


@pytest.mark.parametrize("what", ["reached", "DELIVERIES.labels", "PROVIDER_CALL.labels"])
def test_nothing_comes_between_the_providers_answer_and_its_record(
    what: str, start: Start, bells: Bells, providers: Providers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever goes wrong after a message is out (counting it on a full disk), it is not sent again."""

    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(f"projects.metrics.{what}", broken)
    start()
    with pytest.raises(ZeroDivisionError):
        bells.answer()
    with later(policy.LEASE.total_seconds() + 1):
        watch.watch_deliveries()

    assert len(providers.sent) == 1
    assert Delivery.objects.get().status == Status.ACCEPTED


def test_a_lost_bell_is_a_warning(monkeypatch: pytest.MonkeyPatch, settings: LazySettings) -> None:
    from kombu.exceptions import OperationalError

    def away(*_: object, **__: object) -> None:
        raise OperationalError("away")

    monkeypatch.setattr("celery.app.base.Celery.send_task", away)
    with capture_logs() as lines:
        bell.ring_send(uuid.uuid4())

    assert [line["event"] for line in lines] == ["bell.lost"]
