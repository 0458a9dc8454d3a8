"""Timers come with their triggers, and with what was due before; and back."""

import uuid
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from otp.models import Challenge, Delivery, Timer
from otp.store import due
from tests.otp.conftest import QueuedTasks, Start
from tests.otp.waiting.support import begin, change

pytestmark = pytest.mark.django_db(transaction=True)

BEFORE, AFTER = "0017_indexes_of_reports", "0019_reports_in_place"
OLD, NEW = {"delivery_due", "delivery_waiting"}, {"delivery_unaccepted"}


def migrate(name: str) -> None:
    MigrationExecutor(connection).migrate([("otp", name)])


@pytest.fixture
def back() -> Iterator[None]:
    migrate(BEFORE)
    yield
    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes())


def indexes() -> set[str]:
    with connection.cursor() as cursor:
        known = connection.introspection.get_constraints(cursor, Delivery._meta.db_table)
    return known.keys() & (OLD | NEW)


def has_timers() -> bool:
    return Timer._meta.db_table in connection.introspection.table_names()


def test_there_and_back(back: None) -> None:
    assert (indexes(), has_timers()) == (OLD, False)

    migrate(AFTER)
    assert (indexes(), has_timers()) == (NEW, True)

    migrate(BEFORE)
    assert (indexes(), has_timers()) == (OLD, False)


def test_what_is_due_already_gets_its_timer_and_no_other(start: Start, queued: QueuedTasks) -> None:
    waiting, done = begin(start, queued, 2)
    change(done, due_at=None)
    migrate(BEFORE)
    at = timezone.now() + timedelta(minutes=1)
    try:
        change(waiting, due_at=at)  # without the table
    finally:
        migrate(AFTER)

    assert list(Timer.objects.values_list("at", "delivery_id")) == [(at, waiting)]
    assert due.take_due(now=at, batch=9).send == [waiting]
    Challenge.objects.all().delete()


def test_what_the_version_before_writes_gets_a_timer(start: Start, queued: QueuedTasks) -> None:
    """Its statements name deliveries only."""
    (first,) = begin(start, queued, 1)
    Timer.objects.all().delete()
    columns = ", ".join(
        str(item.column) for item in Delivery._meta.concrete_fields if item.column != "number"
    )
    at, other = timezone.now() + timedelta(minutes=1), uuid.uuid5(first, "other")

    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO otp_delivery (number, {columns}) SELECT 2, "
            f"{columns.replace('id, challenge_id', '%s, challenge_id', 1).replace('due_at', '%s')} FROM otp_delivery",
            [
                Delivery._meta.pk.get_db_prep_value(other, connection),
                connection.ops.adapt_datetimefield_value(at),
            ],
        )

    assert list(Timer.objects.values_list("at", "delivery_id")) == [(at, other)]


@pytest.mark.postgres
def test_an_attempt_that_was_interrupted_is_repeated(back: None, start: Start, queued: QueuedTasks) -> None:
    """When the first index was made."""
    begin(start, queued, 1)

    with pytest.MonkeyPatch.context() as patch:

        def stop(*_arguments: object) -> None:
            raise ConnectionError("the server went away")

        patch.setattr("core.online_index.RemoveIndexOnline.database_forwards", stop)
        with pytest.raises(ConnectionError):
            migrate(AFTER)
    assert (indexes(), has_timers()) == (OLD | NEW, True)

    migrate(AFTER)

    assert (indexes(), Timer.objects.count()) == (NEW, 1)
    Challenge.objects.all().delete()
