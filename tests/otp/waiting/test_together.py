"""Several workers, logins and the sweep at the same moment."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from channels.types import Status
from otp import policy, sweep, waiting
from otp.models import Delivery
from otp.store import claim as store
from tests.otp.conftest import Providers, QueuedTasks, Start, verify
from tests.otp.waiting.conftest import THREADS
from tests.otp.waiting.support import begin, sent_ids
from tests.threads import at_once

pytestmark = pytest.mark.django_db(transaction=True)


def test_two_workers_send_each_message_once(start: Start, queued: QueuedTasks, providers: Providers) -> None:
    ids = begin(start, queued, 30)
    workers = [waiting._Threads(THREADS), waiting._Threads(THREADS)]

    results = at_once([lambda worker=worker: waiting._send_all(worker) for worker in workers])  # type: ignore[misc] # a default

    assert results == [None, None]
    assert all(worker.wait_until_idle(10) for worker in workers)
    assert sorted(sent_ids(providers)) == ids
    assert set(Delivery.objects.values_list("tries", flat=True)) == {1}


def test_claims_at_the_same_moment_share_what_waits(start: Start, queued: QueuedTasks) -> None:
    ids = begin(start, queued, 12)

    def take() -> object:
        return [
            item.delivery_id for item in store.claim_waiting(most=3, now=timezone.now(), lease=policy.LEASE)
        ]

    taken = [item for batch in at_once([take] * 4) for item in batch]  # type: ignore[attr-defined] # lists

    assert len(taken) == len(set(taken))
    rest = store.claim_waiting(most=12, now=timezone.now(), lease=policy.LEASE)
    assert sorted([*taken, *(item.delivery_id for item in rest)]) == ids


@pytest.mark.postgres
def test_what_somebody_holds_is_passed_over(start: Start, queued: QueuedTasks) -> None:
    """Nobody waits for a lock while others could be sent."""
    held, free = begin(start, queued, 2)

    def take() -> object:
        return store.claim_waiting(most=5, now=timezone.now(), lease=policy.LEASE)

    with transaction.atomic():
        Delivery.objects.select_for_update().get(id=held)
        (passed,) = at_once([take])
    assert [item.delivery_id for item in passed] == [free]  # type: ignore[attr-defined] # a list
    assert [item.delivery_id for item in take()] == [held]  # type: ignore[attr-defined] # a list


def test_a_login_at_the_same_moment_ends_what_is_watched(start: Start, queued: QueuedTasks) -> None:
    """Claimed or not: nothing looks at the delivery again once its code was typed."""
    for nth in range(8):
        challenge_id = start(f"+8525123450{nth}")

        def take() -> object:
            return store.claim_waiting(most=5, now=timezone.now(), lease=policy.LEASE)

        results = at_once([take, lambda challenge_id=challenge_id: verify(challenge_id)])  # type: ignore[misc] # a default
        assert not [item for item in results if isinstance(item, Exception)], results
        item = Delivery.objects.get(challenge_id=challenge_id)
        assert item.due_at is None
        assert (item.status, item.tries) in ((Status.QUEUED, 0), (Status.SENDING, 1))
        assert store.claim_waiting(most=5, now=timezone.now(), lease=policy.LEASE) == []


def test_the_sweep_and_a_task_together_send_each_once(
    start: Start, queued: QueuedTasks, providers: Providers
) -> None:
    ids = begin(start, queued, 20)
    Delivery.objects.update(due_at=timezone.now() - timedelta(seconds=1))

    at_once([waiting.send_waiting, sweep.watch_deliveries])
    waiting.finish()

    assert sorted(sent_ids(providers)) == ids
