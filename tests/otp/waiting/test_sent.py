"""What a task sends, and what it logs."""

import uuid
from datetime import timedelta

import pytest
from django.conf import LazySettings
from django.utils import timezone
from structlog.contextvars import bind_contextvars, bound_contextvars, clear_contextvars
from structlog.testing import capture_logs

from channels.types import Channel, Message, Status
from core.ids import request_id
from otp import policy, send, tasks, waiting
from otp.models import Challenge, Delivery
from otp.store import claim as store
from tests.clock import later
from tests.otp.conftest import Providers, QueuedTasks, Start, verify
from tests.otp.waiting.conftest import THREADS
from tests.otp.waiting.support import begin, change, send_all, sent_ids

pytestmark = pytest.mark.django_db(transaction=True)


def test_what_nobody_may_send_any_more_hides_nothing(
    start: Start, queued: QueuedTasks, providers: Providers, settings: LazySettings
) -> None:
    """A retry that was put back after its challenge had ended stays on top until the sweep comes."""
    settings.WORKER_THREADS = 2
    ids = begin(start, queued, 4)
    Challenge.objects.filter(deliveries__id__in=ids[2:]).update(
        ended_at=timezone.now(), end_reason="cancelled"
    )

    send_all()

    assert sorted(sent_ids(providers)) == ids[:2]


def test_all_that_wait_are_sent_once(start: Start, queued: QueuedTasks, providers: Providers) -> None:
    ids = begin(start, queued, 3 * THREADS + 1)

    send_all()
    send_all()

    assert sorted(sent_ids(providers)) == ids
    assert set(Delivery.objects.values_list("status", "tries")) == {(Status.ACCEPTED, 1)}


def test_the_freshest_come_first(
    start: Start, queued: QueuedTasks, providers: Providers, settings: LazySettings
) -> None:
    settings.WORKER_THREADS = 1
    ids = begin(start, queued, 4)
    now = timezone.now()
    for nth, delivery_id in enumerate(ids):
        change(delivery_id, send_after=now - timedelta(seconds=[3, 1, 4, 2][nth]))

    send_all()

    assert sent_ids(providers) == [ids[nth] for nth in (1, 3, 0, 2)]


def test_what_is_not_to_be_sent_stays(start: Start, queued: QueuedTasks, providers: Providers) -> None:
    ids = begin(start, queued, 6)
    now = timezone.now()
    change(ids[0], send_after=now + timedelta(seconds=30))  # a retry
    change(ids[1], due_at=None)  # a later message took its place
    change(ids[2], send_after=now - policy.LONGEST_WAIT - timedelta(seconds=1))  # left to the sweep
    change(ids[3], status=Status.SENDING)
    challenges = [Delivery.objects.get(id=item).challenge_id for item in ids]
    Challenge.objects.filter(id=challenges[4]).update(
        created_at=now - timedelta(seconds=90), expires_at=now - timedelta(seconds=1)
    )
    verify(challenges[5])

    send_all()

    assert providers.sent == []
    assert list(Delivery.objects.order_by("id").values_list("tries", flat=True)) == [0] * 6


def test_a_claim_is_the_same_as_of_one_by_its_id(start: Start, queued: QueuedTasks) -> None:
    with bound_contextvars(request_id="r-1"):
        (delivery_id,) = begin(start, queued, 1)
    now = timezone.now()

    (together,) = store.claim_waiting(most=5, now=now, lease=policy.LEASE)
    change(delivery_id, status=Status.QUEUED, tries=0)
    alone = store.claim(delivery_id=delivery_id, now=now, lease=policy.LEASE)

    assert together == alone
    assert (together.request_id, together.tries) == ("r-1", 1)
    assert Delivery.objects.get().due_at == now + policy.LEASE


def test_a_retry_whose_time_has_come_is_sent(start: Start, queued: QueuedTasks, providers: Providers) -> None:
    (delivery_id,) = begin(start, queued, 1)
    claimed = store.claim(delivery_id=delivery_id, now=timezone.now(), lease=policy.LEASE)
    assert claimed
    store.requeue(
        delivery_id=delivery_id,
        now=timezone.now(),
        at=timezone.now() + timedelta(seconds=2),
        was_called=True,
    )

    send_all()
    assert providers.sent == []
    with later(3):
        send_all()
    assert sent_ids(providers) == [delivery_id]


def test_each_line_has_the_id_of_the_request_that_asked_for_it(
    start: Start, queued: QueuedTasks, providers: Providers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not that of the start whose task sends it."""
    seen: dict[uuid.UUID, str] = {}

    def note(message: Message) -> None:
        seen[message.delivery_id] = request_id()

    providers.script[Channel.WHATSAPP] = note
    with bound_contextvars(request_id="first"):
        start("+85251234001")
    with bound_contextvars(request_id="second"):
        start("+85251234002")
    start("+85251234003")
    ids = list(Delivery.objects.order_by("id").values_list("id", flat=True))
    bind_contextvars(request_id="of the task")
    try:
        send_all()
    finally:
        clear_contextvars()

    assert [seen[item] for item in ids] == ["first", "second", ""]


def test_a_send_is_one_line(
    start: Start, queued: QueuedTasks, providers: Providers, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(start, queued, 2)
    with capture_logs() as lines:
        send_all()

    assert [line["event"] for line in lines] == ["delivery.accepted"] * 2


def test_tasks_of_the_release_before_are_done(
    start: Start, queued: QueuedTasks, providers: Providers
) -> None:
    """They may wait in the broker while workers are replaced."""
    first, second = begin(start, queued, 2)

    tasks.send_delivery(str(first))
    assert sent_ids(providers) == [first]
    tasks.send_waiting()
    waiting.finish()

    assert sent_ids(providers) == [first, second]
    send.send_delivery(delivery_id=first)
    assert len(providers.sent) == 2
