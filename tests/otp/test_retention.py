"""What is past its time goes, in bounded batches, and nothing else."""

import threading
import uuid
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from channels.types import Channel, Status
from core import batches
from core.ids import oldest_id_at
from login import retention as sessions
from login.models import Session
from otp import retention, services, tasks
from otp.models import Challenge, Delivery, DeliveryEvent, PhoneRecord
from otp.store import purge as store
from tests import factories
from tests.clock import later
from tests.otp.conftest import Providers, QueuedTasks, Start
from tests.threads import at_once

MONTH = retention.CHALLENGES_KEPT.total_seconds()


def begin(start: Start, count: int) -> list[uuid.UUID]:
    return [start(f"+85251234{nth:03}", address=f"198.51.{nth % 200}.1") for nth in range(count)]


def test_a_challenge_goes_with_all_its_children(
    start: Start, queued: QueuedTasks, providers: Providers
) -> None:
    begin(start, 3)
    queued.run()
    young = start(factories.OTHER_PHONE, address="198.51.100.250")

    assert store.challenges(before=young, batch=10) == 3

    assert list(Challenge.objects.values_list("id", flat=True)) == [young]
    assert set(Delivery.objects.values_list("challenge_id", flat=True)) == {young}
    assert not DeliveryEvent.objects.exists()


def lose(delivery: Delivery) -> None:
    """As a purge that began before its events were written; the database does not check them."""
    Delivery.objects.filter(id=delivery.id)._raw_delete(Delivery.objects.db)
    Challenge.objects.filter(id=delivery.challenge_id)._raw_delete(Challenge.objects.db)


def test_an_event_whose_delivery_went_meanwhile_goes_with_its_time(
    start: Start, queued: QueuedTasks, providers: Providers
) -> None:
    begin(start, 2)
    queued.run()
    first, second = Delivery.objects.all()
    young = start(factories.OTHER_PHONE, address="198.51.100.250")
    queued.run()
    kept = DeliveryEvent.objects.exclude(delivery__in=[first, second]).count()
    lose(first)

    assert store.challenges(before=first.challenge_id, batch=10) == 0  # it is not its time
    assert DeliveryEvent.objects.filter(delivery_id=first.id).exists()
    assert store.challenges(before=young, batch=10) == 1

    assert not DeliveryEvent.objects.filter(delivery_id__in=[first.id, second.id]).exists()
    assert DeliveryEvent.objects.count() == kept > 0


def test_of_what_was_left_a_batch_goes_at_a_time(
    start: Start, queued: QueuedTasks, providers: Providers
) -> None:
    begin(start, 5)
    queued.run()
    for delivery in Delivery.objects.all():
        lose(delivery)
    after = oldest_id_at(timezone.now() + timedelta(seconds=1))
    left = []
    for _ in range(4):
        store.challenges(before=after, batch=2)
        left.append(DeliveryEvent.objects.count())

    assert left == [3, 1, 0, 0]


@pytest.mark.usefixtures("as_several_processes")
@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_report_and_a_purge_at_once_leave_nothing(
    start: Start, queued: QueuedTasks, providers: Providers
) -> None:
    """Whoever comes first, and with whatever is left gone the next time."""
    begin(start, 20)
    queued.run()
    reports = [factories.report(delivery, Status.DELIVERED) for delivery in Delivery.objects.all()]
    before = oldest_id_at(timezone.now() + timedelta(seconds=1))

    results = at_once(
        [
            *(lambda report=report: services.record_status_updates([report]) for report in reports),
            *[lambda: store.challenges(before=before, batch=7)] * 3,
        ]
    )
    batches.run(lambda size: store.challenges(before=before, batch=size), batch=100, seconds=None)

    assert [result for result in results if isinstance(result, Exception)] == []
    assert (Delivery.objects.count(), DeliveryEvent.objects.count()) == (0, 0)


@pytest.mark.postgres
def test_what_was_left_is_looked_for_in_the_index(start: Start, queued: QueuedTasks) -> None:
    begin(start, 3)
    with connection.cursor() as cursor, CaptureQueriesContext(connection) as queries:
        cursor.execute("SET LOCAL enable_seqscan = off")
        store.challenges(before=oldest_id_at(timezone.now()), batch=10)
    (looking,) = [query["sql"] for query in queries if query["sql"].startswith('SELECT "otp_deliveryevent"')]
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {looking}")
        plan = "\n".join(row[0] for row in cursor.fetchall())

    assert "event_once_per_report" in plan
    assert "Index Cond: (delivery_id <" in plan


def test_what_is_young_stays(start: Start, queued: QueuedTasks, providers: Providers) -> None:
    begin(start, 2)
    queued.run()

    with later(MONTH - 60):
        assert retention.purge() == {
            "challenges": 0, "phone records": 0, "limit notices": 0, "message ids": 0,
        }  # fmt: skip
    assert Challenge.objects.count() == 2


@pytest.mark.parametrize(("batch", "seconds", "expected"), [(2, None, 5), (2, 0.0, 2), (100, 0.0, 5)])
def test_batches_go_on_until_nothing_is_left_or_the_time_is_over(
    batch: int, seconds: float | None, expected: int, start: Start
) -> None:
    begin(start, 5)
    with later(MONTH + 60):
        assert retention.purge(batch=batch, seconds=seconds)["challenges"] == expected
    assert Challenge.objects.count() == 5 - expected


def test_a_run_of_batches_ends_with_a_short_one() -> None:
    left = [3, 3, 1, 99]

    assert batches.run(lambda _batch: left.pop(0), batch=3, seconds=None) == 7
    assert left == [99]


def test_numbers_nobody_spoke_of_for_long_are_forgotten(start: Start) -> None:
    (challenge_id,) = begin(start, 1)
    project_id = Challenge.objects.get(id=challenge_id).project_id
    now = timezone.now()
    for nth, days in enumerate((31, 29)):
        PhoneRecord.objects.create(
            project_id=project_id, phone=f"+85251239{nth:03}", updated_at=now - timedelta(days=days)
        )

    assert retention.purge()["phone records"] == 1
    assert PhoneRecord.objects.get().phone == "+85251239001"


@pytest.mark.django_db
def test_sessions_that_are_over_go() -> None:
    now = timezone.now()
    for nth, hours in enumerate((-1, -2, 1)):
        Session.objects.create(
            session_key=f"key-{nth}", session_data="", expire_date=now + timedelta(hours=hours)
        )

    assert sessions.purge(batch=1) == {"sessions": 2, "erased users": 0}
    assert Session.objects.get().session_key == "key-2"


def test_the_task_does_the_same(start: Start) -> None:
    begin(start, 2)
    with later(MONTH + 60):
        tasks.purge()
    assert not Challenge.objects.exists()


def test_the_command_says_what_went(start: Start, capsys: pytest.CaptureFixture[str]) -> None:
    from django.core.management import call_command

    begin(start, 2)
    with later(MONTH + 60):
        call_command("purge")
    assert (
        "challenges: 2 deleted\nphone records: 0 deleted\nlimit notices: 0 deleted\n"
        in capsys.readouterr().out
    )


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_locked_challenge_is_not_purged(start: Start) -> None:
    first, *_ = begin(start, 3)
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        try:
            with transaction.atomic():
                Challenge.objects.select_for_update().get(id=first)
                held.set()
                done.wait(10)
        finally:
            connection.close()

    holder = threading.Thread(target=hold)
    holder.start()
    assert held.wait(10)
    try:
        before = oldest_id_at(timezone.now() + timedelta(seconds=1))
        assert store.challenges(before=before, batch=10) == 2
    finally:
        done.set()
        holder.join(timeout=10)
    assert Challenge.objects.get().id == first


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_several_purges_at_once_delete_each_row_once(start: Start) -> None:
    begin(start, 30)
    before = oldest_id_at(timezone.now() + timedelta(seconds=1))
    barrier = threading.Barrier(3)
    counts: list[int] = []

    def run() -> None:
        barrier.wait()
        try:
            counts.append(
                batches.run(lambda size: store.challenges(before=before, batch=size), batch=4, seconds=None)
            )
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)

    # Whoever finds all that is left held by the others ends; nothing is deleted twice, the rest goes next time.
    assert sum(counts) + Challenge.objects.count() == 30


@pytest.mark.postgres
def test_no_purge_reads_a_whole_table(start: Start) -> None:
    begin(start, 1)
    plans: list[str] = []

    def explain(execute: object, sql: str, params: object, many: object, context: object) -> object:
        if sql.lstrip().startswith("WITH") and "EXPLAIN" not in sql:
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL enable_seqscan = off")
                cursor.execute(f"EXPLAIN {sql}", params)  # type: ignore[arg-type] # as given
                plans.extend(row[0] for row in cursor.fetchall())
        return execute(sql, params, many, context)  # type: ignore[operator] # Django's wrapper protocol

    with connection.execute_wrapper(explain):
        retention.purge()

    assert any("otp_challenge" in line for line in plans)
    assert any("phone_record_by_age" in line for line in plans)
    assert [line for line in plans if "Seq Scan on otp_" in line] == []


@pytest.mark.django_db
def test_a_person_stays_signed_in(client: Client, start: Start) -> None:
    """The challenge is gone, the session is not."""
    from tests.factories import code_of

    challenge_id = start()
    assert code_of(challenge_id)
    Session.objects.create(
        session_key="kept", session_data="", expire_date=timezone.now() + timedelta(days=60)
    )
    with later(MONTH + 60):
        retention.purge()
        sessions.purge()
    assert Session.objects.filter(session_key="kept").exists()
    assert not Delivery.objects.filter(channel=Channel.WHATSAPP, status=Status.QUEUED).exists()
