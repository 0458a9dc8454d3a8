"""The indexes of events and deliveries change beside logins and reports, and come back as they were."""

import itertools
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.db import connection, migrations, transaction
from django.db.migrations.executor import MigrationExecutor
from django.db.utils import IntegrityError, OperationalError
from django.utils import timezone

from channels.types import Status
from core.ids import new_id
from otp import services
from otp.models import Challenge, Delivery, DeliveryEvent
from tests import factories
from tests.otp.conftest import Providers, QueuedTasks, Start

BEFORE, AFTER = "0014_waiting_deliveries", "0015_lean_events"
OLD = {"one_event_per_report", "event_by_delivery", "delivery_unreported"}
NEW = {"event_once_per_report", "delivery_by_acceptance"}

pytestmark = pytest.mark.django_db(transaction=True)


def migrate(name: str) -> None:
    MigrationExecutor(connection).migrate([("otp", name)])


@pytest.fixture
def back() -> Iterator[None]:
    """A database of the release before."""
    migrate(BEFORE)
    yield
    Challenge.objects.all().delete()
    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes())


def indexes() -> set[str]:
    """Those of the two tables by which this migration differs."""
    with connection.cursor() as cursor:
        known: dict[str, Any] = {}
        for model in (Delivery, DeliveryEvent):
            known |= connection.introspection.get_constraints(cursor, model._meta.db_table)
    return {name for name in known if name in OLD | NEW}


def has_foreign_key() -> bool:
    with connection.cursor() as cursor:
        known = connection.introspection.get_constraints(cursor, DeliveryEvent._meta.db_table)
    return any(item["foreign_key"] for item in known.values())


def report(delivery: Delivery, **fields: Any) -> DeliveryEvent:
    values = {"status": Status.SENT, "provider_message_id": "id-1", "occurred_at": timezone.now()} | fields
    return DeliveryEvent.objects.create(delivery_id=delivery.id, recorded_at=timezone.now(), **values)


def sent(start: Start, queued: QueuedTasks) -> Delivery:
    start(factories.PHONE)
    queued.run()
    return Delivery.objects.get()


def test_there_and_back(back: None) -> None:
    assert (indexes(), has_foreign_key()) == (OLD, True)

    migrate(AFTER)
    assert (indexes(), has_foreign_key()) == (NEW, False)

    migrate(BEFORE)
    assert (indexes(), has_foreign_key()) == (OLD, True)


def test_a_report_is_one_event_before_and_after(
    back: None, start: Start, queued: QueuedTasks, providers: Providers
) -> None:
    delivery = sent(start, queued)
    for name in (BEFORE, AFTER, BEFORE):
        migrate(name)
        DeliveryEvent.objects.filter(provider_message_id="id-1").delete()
        report(delivery)
        report(delivery, status=Status.READ)
        report(delivery, provider_message_id="id-2")
        DeliveryEvent.objects.filter(provider_message_id="id-2").delete()
        with pytest.raises(IntegrityError), transaction.atomic():
            report(delivery)


def test_steps_of_ours_repeat(start: Start, queued: QueuedTasks, providers: Providers) -> None:
    """They have no message id: as often as they happen."""
    delivery = sent(start, queued)
    for _ in range(3):
        report(delivery, status=Status.FAILED, provider_message_id="")

    assert DeliveryEvent.objects.filter(status=Status.FAILED).count() == 3
    Challenge.objects.all().delete()


def interrupted(cursor: Any, name: str, table: str) -> None:
    """An index as an attempt leaves it that ends before all rows are in."""
    cursor.execute(f"CREATE INDEX {name} ON {table} (status)")
    cursor.execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid = %s::regclass", [name])


@pytest.mark.postgres
def test_an_attempt_that_gave_up_does_not_take_the_new_index_away_again(back: None) -> None:
    """The foreign key is dropped under a lock that is waited for some seconds only, when the old indexes are gone."""
    with psycopg.connect(**connection.get_connection_params() | {"autocommit": False}) as reader:
        real = migrations.AlterField.database_forwards

        def busy(self: Any, *args: Any) -> None:
            reader.execute("SELECT 1 FROM otp_deliveryevent")
            real(self, *args)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(migrations.AlterField, "database_forwards", busy)
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = 200")
            with pytest.raises(OperationalError):
                migrate(AFTER)
    before = oid("event_once_per_report")

    with connection.cursor() as cursor:
        cursor.execute("RESET lock_timeout")
    migrate(AFTER)

    assert oid("event_once_per_report") == before
    assert (indexes(), has_foreign_key()) == (NEW, False)


def oid(name: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::regclass::oid", [name])
        row = cursor.fetchone()
    assert row
    return int(row[0])


@pytest.mark.postgres
def test_what_an_interrupted_attempt_left_is_replaced(back: None) -> None:
    """Concurrent indexes are left behind as not valid, a foreign key as not validated."""
    with connection.cursor() as cursor:
        interrupted(cursor, "event_once_per_report", "otp_deliveryevent")
        interrupted(cursor, "delivery_by_acceptance", "otp_delivery")
        cursor.execute("DROP INDEX one_event_per_report")

    migrate(AFTER)

    with connection.cursor() as cursor:
        cursor.execute("SELECT indexdef FROM pg_indexes WHERE indexname = 'event_once_per_report'")
        assert cursor.fetchone()[0].startswith("CREATE UNIQUE INDEX")
        interrupted(cursor, "one_event_per_report", "otp_deliveryevent")
        interrupted(cursor, "event_by_delivery", "otp_deliveryevent")
    migrate(BEFORE)

    assert (indexes(), has_foreign_key()) == (OLD, True)


@pytest.mark.postgres
def test_an_event_without_its_delivery_does_not_hold_up_the_way_back() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT reloptions FROM pg_class WHERE relname = 'otp_delivery'")
        assert cursor.fetchone() == (["fillfactor=50"],)
    nobodys = Delivery(id=new_id())
    report(nobodys)

    migrate(BEFORE)
    try:
        assert not DeliveryEvent.objects.filter(delivery_id=nobodys.id).exists()
        with pytest.raises(IntegrityError), transaction.atomic():
            report(nobodys)
    finally:
        executor = MigrationExecutor(connection)
        executor.migrate(executor.loader.graph.leaf_nodes())


@pytest.mark.postgres
def test_a_report_writes_no_index(start: Start, queued: QueuedTasks, providers: Providers) -> None:
    """HOT: what the indexes mention is not changed, and the page has room."""

    def counts() -> tuple[int, int]:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_stat_force_next_flush()")
            cursor.execute(
                "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = 'otp_delivery'"
            )
            return cursor.fetchone() or (0, 0)

    delivery = sent(start, queued)
    seen = [counts()]
    for status in (Status.SENT, Status.DELIVERED, Status.READ):
        services.record_status_updates([factories.report(delivery, status)])
        seen.append(counts())

    steps = [(now[0] - then[0], now[1] - then[1]) for then, now in itertools.pairwise(seen)]
    assert steps == [(1, 1), (1, 1), (1, 1)]
    Challenge.objects.all().delete()
