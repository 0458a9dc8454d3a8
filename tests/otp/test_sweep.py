"""The sweep does what it finds by itself: side by side, bounded, and it stops when it is told to."""

import threading
import time
import uuid
from collections.abc import Iterator
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.conf import LazySettings
from django.db import connection
from django.utils import timezone
from structlog.testing import capture_logs

from channels.types import Channel, Message, Receipt, Status
from otp import policy, queue, send, sweep, tasks
from otp.models import Delivery
from tests import factories
from tests.clock import later
from tests.otp.conftest import Providers, QueuedTasks, Start


@pytest.fixture(autouse=True)
def _goes_on() -> Iterator[None]:
    yield
    sweep._stopping.clear()


def begin(start: Start, queued: QueuedTasks, count: int) -> None:
    """So many challenges whose queued were lost, due since a second ago."""
    for nth in range(count):
        start(f"+85251234{nth:03}", address=f"198.51.{nth % 200}.1")
    queued.send.clear()
    Delivery.objects.update(due_at=timezone.now() - timedelta(seconds=1))


def test_nothing_is_rung_for_what_it_finds(start: Start, queued: QueuedTasks, providers: Providers) -> None:
    """A backlog of any length leaves the broker alone."""
    begin(start, queued, 10)

    assert sweep.watch_deliveries() == 10

    assert (queued.send, queued.fall_back) == ([], [])
    assert len(providers.sent) == 10


@pytest.mark.django_db(transaction=True)
def test_it_sends_side_by_side(
    start: Start, queued: QueuedTasks, providers: Providers, settings: LazySettings
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
    begin(start, queued, 12)

    sweep.watch_deliveries()

    assert len({message.delivery_id for _, message in providers.sent}) == len(providers.sent) == 12
    assert 2 <= most <= 4
    assert set(Delivery.objects.values_list("status", flat=True)) == {Status.ACCEPTED}


def test_one_that_goes_wrong_does_not_keep_the_others(
    start: Start, queued: QueuedTasks, providers: Providers
) -> None:
    begin(start, queued, 3)
    broken = Delivery.objects.order_by("id")[1].id

    def act(message: Message) -> None:
        if message.delivery_id == broken:
            raise ZeroDivisionError

    providers.script[Channel.WHATSAPP] = act
    with capture_logs() as lines:
        sweep.watch_deliveries()

    assert len(providers.sent) == 2
    (line,) = [line for line in lines if line["event"] == "sweep.failed"]
    assert line["delivery_id"] == str(broken)
    providers.script.clear()
    with later(10):
        sweep.watch_deliveries()
    assert len(providers.sent) == 3


def test_a_second_sweep_in_the_same_process_leaves_it_to_the_first(
    start: Start, queued: QueuedTasks, providers: Providers
) -> None:
    begin(start, queued, 1)
    inner: list[int] = []

    def again(_message: Message) -> None:
        inner.append(sweep.watch_deliveries())

    providers.script[Channel.WHATSAPP] = again

    assert sweep.watch_deliveries() == 1
    assert inner == [0]


def test_told_to_stop_it_claims_nothing_more(start: Start, queued: QueuedTasks, providers: Providers) -> None:
    """What is under way is finished; the rest is for another worker, untouched."""
    begin(start, queued, 3)

    def stop(_message: Message) -> None:
        sweep.stop()

    providers.script[Channel.WHATSAPP] = stop
    sweep.watch_deliveries()

    assert len(providers.sent) == 1
    left = Delivery.objects.exclude(status=Status.ACCEPTED)
    assert {(item.status, item.tries) for item in left} == {(Status.QUEUED, 0)}
    assert sweep.watch_deliveries() == 0


def test_a_bell_that_rings_while_we_stop_is_passed_on(
    start: Start, queued: QueuedTasks, providers: Providers
) -> None:
    challenge_id = start()
    (item,) = factories.deliveries(challenge_id)
    queued.send.clear()
    sweep.stop()

    tasks.send_delivery(str(item.id))
    tasks.fall_back(str(item.id))

    assert (queued.send, queued.fall_back, providers.sent) == ([item.id], [item.id], [])


def test_a_long_backlog_is_taken_in_small_batches(
    start: Start, queued: QueuedTasks, providers: Providers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between two batches, whoever has just become due is looked at first."""
    begin(start, queued, 10)
    late: list[uuid.UUID] = []
    newcomer = Delivery.objects.order_by("id").first()
    assert newcomer
    Delivery.objects.filter(id=newcomer.id).update(due_at=timezone.now() + timedelta(hours=1))

    def arrive(message: Message) -> None:
        if not late:
            Delivery.objects.filter(id=newcomer.id).update(due_at=timezone.now() - timedelta(milliseconds=1))
        late.append(message.delivery_id)

    providers.script[Channel.WHATSAPP] = arrive
    sweep.watch_deliveries()

    assert late.index(newcomer.id) <= sweep.BATCH_PER_THREAD
    assert len(late) == 10


def test_a_sweep_ends_after_its_time(
    start: Start, queued: QueuedTasks, providers: Providers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweep, "LONGEST_SECONDS", 0.0)
    begin(start, queued, 2)

    assert sweep.watch_deliveries() == 0
    assert providers.sent == []


@pytest.mark.django_db(transaction=True)
def test_two_workers_share_a_backlog_without_sending_anything_twice(
    start: Start, queued: QueuedTasks, providers: Providers
) -> None:
    begin(start, queued, 20)
    barrier = threading.Barrier(2)

    def worker() -> None:
        barrier.wait()
        try:
            sweep._sweep()
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
    start: Start, queued: QueuedTasks, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hundred sends that wait for a slow provider hold no connection of the database."""
    order: list[str] = []
    monkeypatch.setattr(send, "release_connection", lambda: order.append("released"))

    def call(**_: object) -> Receipt:
        order.append("called")
        return Receipt(provider_message_id="m")

    monkeypatch.setattr("channels.providers.send", call)
    start()
    queued.run()

    assert order == ["released", "called"]


@pytest.mark.parametrize("what", ["reached", "DELIVERIES.labels", "PROVIDER_CALL.labels"])
def test_nothing_comes_between_the_providers_answer_and_its_record(
    what: str, start: Start, queued: QueuedTasks, providers: Providers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever goes wrong after a message is out (counting it on a full disk), it is not sent again."""

    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(f"core.metrics.{what}", broken)
    start()
    with pytest.raises(ZeroDivisionError):
        queued.run()
    with later(policy.LEASE.total_seconds() + 1):
        sweep.watch_deliveries()

    assert len(providers.sent) == 1
    assert Delivery.objects.get().status == Status.ACCEPTED


@pytest.mark.stores
def test_a_lost_bell_is_a_warning(monkeypatch: pytest.MonkeyPatch, settings: LazySettings) -> None:
    from kombu.exceptions import OperationalError

    def away(*_: object, **__: object) -> None:
        raise OperationalError("away")

    monkeypatch.setattr(queue, "current_app", SimpleNamespace(send_task=away))
    with capture_logs() as lines:
        queue.enqueue_send(uuid.uuid4())

    assert [line["event"] for line in lines] == ["enqueue.failed"]
