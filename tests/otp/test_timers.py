"""Timers: every delivery has one that is not later than its `due_at`, whoever sets that, and the sweep settles the rest."""

import random
import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from channels.types import Status
from otp import policy, services, sweep
from otp.models import Challenge, Delivery, Timer
from otp.store import due, timers
from tests import factories
from tests.clock import later
from tests.otp.conftest import Providers, QueuedTasks, Start, verify
from tests.otp.waiting.support import begin, change, copy, lacks_timer

NOW = datetime(2026, 11, 5, 12, 0, tzinfo=timezone.get_default_timezone())
DAY = timedelta(days=1)


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def times(delivery_id: uuid.UUID) -> list[float]:
    found_at = Timer.objects.filter(delivery=delivery_id).order_by("at").values_list("at", flat=True)
    return [(moment - NOW).total_seconds() for moment in found_at]


@pytest.fixture
def delivery_id(start: Start, queued: QueuedTasks) -> uuid.UUID:
    """One that waits and is due never, without a timer."""
    (item,) = begin(start, queued, 1)
    change(item, due_at=None)
    Timer.objects.all().delete()
    return item


def test_a_new_delivery_has_its_timer(start: Start) -> None:
    (item,) = factories.deliveries(start())

    assert list(Timer.objects.values_list("at", "delivery_id")) == [(item.due_at, item.id)]


def test_one_that_is_never_due_has_none(delivery_id: uuid.UUID) -> None:
    item = Delivery.objects.get()
    Delivery.add(now=NOW, challenge=item.challenge, channel="sms", due_at=None)

    assert Timer.objects.count() == 0


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ([3], [3]),
        ([3, 8], [3]),  # put off: the earlier one moves when it gets there
        ([8, 3], [3, 8]),
        ([3, 3], [3]),
        ([3, None], [3]),
        ([3, None, 8], [3, 8]),
        ([8, None, 3, 5, 4], [3, 4, 8]),
    ],
)
def test_what_is_set_or_brought_forward_gets_one(
    delivery_id: uuid.UUID, changes: Iterable[float | None], expected: list[float]
) -> None:
    for seconds in changes:
        change(delivery_id, due_at=None if seconds is None else at(seconds))

    assert times(delivery_id) == expected


def test_a_timer_moves_to_what_was_put_off(delivery_id: uuid.UUID) -> None:
    change(delivery_id, due_at=at(3))
    change(delivery_id, due_at=at(8))

    assert due.take_due(now=at(2.9), batch=9) == due.Due()
    assert due.take_due(now=at(3), batch=9) == due.Due(settled=1)
    assert times(delivery_id) == [8]


def test_two_that_move_to_one_time_become_one(delivery_id: uuid.UUID) -> None:
    for seconds in (3, 2, 9):
        change(delivery_id, due_at=at(seconds))

    assert due.take_due(now=at(5), batch=9) == due.Due(settled=2)
    assert times(delivery_id) == [9]


@pytest.mark.parametrize("end", ["done", "gone"])
def test_a_timer_of_what_is_done_goes(end: str, delivery_id: uuid.UUID) -> None:
    change(delivery_id, due_at=at(3))
    if end == "done":
        change(delivery_id, due_at=None)
    else:
        Challenge.objects.all().delete()

    assert due.take_due(now=at(3), batch=9) == due.Due(settled=1)
    assert Timer.objects.count() == 0


def test_nothing_looks_at_the_message_of_a_login_again(start: Start, queued: QueuedTasks) -> None:
    verify(start())

    assert due.take_due(now=timezone.now() + DAY, batch=9) == due.Due(settled=1)
    assert due.take_due(now=timezone.now() + DAY, batch=9) == due.Due()


def test_what_fails_after_the_login_is_looked_at_once(
    start: Start, queued: QueuedTasks, providers: Providers
) -> None:
    challenge_id = start()
    queued.run()
    verify(challenge_id)
    services.record_status_updates([factories.report(Delivery.objects.get(), Status.FAILED)])

    assert due.take_due(now=timezone.now(), batch=9).cases == {"challenge_ended": 1}
    assert due.take_due(now=timezone.now() + DAY, batch=9).taken == 0


def test_what_was_handled_has_the_timer_of_its_next_look(delivery_id: uuid.UUID) -> None:
    Challenge.objects.update(created_at=at(-1), expires_at=at(600))
    change(delivery_id, due_at=at(3))

    assert due.take_due(now=at(4), batch=9).send == [delivery_id]
    assert times(delivery_id) == [4 + policy.ENQUEUE_GRACE.total_seconds()]


def test_two_timers_of_one_delivery_handle_it_once(delivery_id: uuid.UUID) -> None:
    Challenge.objects.update(created_at=at(-1), expires_at=at(600))
    change(delivery_id, due_at=at(3))
    change(delivery_id, due_at=at(2))

    assert due.take_due(now=at(4), batch=9).send == [delivery_id]
    assert times(delivery_id) == [4 + policy.ENQUEUE_GRACE.total_seconds()]


def test_the_freshest_come_first(start: Start, queued: QueuedTasks) -> None:
    ids = begin(start, queued, 1)
    copy(3)
    ids = list(Delivery.objects.order_by("id").values_list("id", flat=True))
    for seconds, item in enumerate(ids):
        change(item, due_at=at(-100 + seconds))
    Challenge.objects.update(created_at=at(-200), expires_at=at(600))

    assert set(due.take_due(now=NOW, batch=2).send) == set(ids[2:])
    assert set(due.take_due(now=NOW, batch=2).send) == set(ids[:2])


def test_a_sweep_goes_on_past_timers_that_have_nothing_behind_them(
    start: Start, queued: QueuedTasks, providers: Providers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As of logins that came through, which are nearly all, while one message waits behind them."""
    monkeypatch.setattr(timers, "_DUE", timers._DUE.replace(f"LIMIT {timers._LOOKED_AT}", "LIMIT 20"))
    monkeypatch.setattr(timers, "_LOOKED_AT", 20)
    (waiting,) = begin(start, queued, 1)
    copy(150)
    Delivery.objects.exclude(id=waiting).update(due_at=None)
    change(waiting, due_at=timezone.now() - timedelta(seconds=1))

    with later(10):
        monkeypatch.setattr(sweep, "BATCH_PER_THREAD", 1)
        seen = sweep.watch_deliveries()

    assert seen == 1
    assert [message.delivery_id for _, message in providers.sent] == [waiting]
    assert Timer.objects.filter(at__lte=timezone.now()).count() == 0


@pytest.mark.parametrize("seed", range(12))
def test_whatever_happens_to_deliveries_none_is_forgotten(
    seed: int, start: Start, queued: QueuedTasks
) -> None:
    """Due times go up and down, statuses change, sweeps come at any time."""
    pick = random.Random(seed)
    begin(start, queued, 1)
    copy(3)
    ids = list(Delivery.objects.values_list("id", flat=True))
    Challenge.objects.update(created_at=at(-1), expires_at=at(600))
    now = NOW
    for _ in range(60):
        now += timedelta(seconds=pick.choice([0, 0.5, 3]))
        if pick.random() < 0.4:
            due.take_due(now=now, batch=pick.choice([1, 9]))
        else:
            moment = pick.choice([None, now, now + timedelta(seconds=pick.randint(-5, 20))])
            change(pick.choice(ids), due_at=moment, status=pick.choice([*Status]))
        assert lacks_timer(now) == []
    for days in (1, 2, 2):
        due.take_due(now=timezone.now() + days * DAY, batch=9)
    assert Timer.objects.count() == Delivery.objects.filter(due_at__isnull=False).count() == 0


@pytest.mark.postgres
@pytest.mark.parametrize("seed", range(12))
def test_both_forms_say_and_write_the_same(
    seed: int, start: Start, queued: QueuedTasks, monkeypatch: pytest.MonkeyPatch
) -> None:
    pick = random.Random(seed)
    begin(start, queued, 1)
    copy(9)
    Timer.objects.all().delete()
    for item in Delivery.objects.all():
        for _ in range(3):
            change(item.id, due_at=pick.choice([None, at(pick.randint(-9, 9)), at(pick.randint(-9, 9))]))
    answers = []
    for is_postgres in (True, False):
        monkeypatch.setattr("core.sql.is_postgres", lambda is_postgres=is_postgres: is_postgres)
        with transaction.atomic():
            fired = timers.settle_fired(now=NOW)
            answers.append((fired.due, fired.settled, set(Timer.objects.values_list("at", "delivery_id"))))
            transaction.set_rollback(True)

    assert answers[0] == answers[1]
